/* SPDX-License-Identifier: Apache-2.0 */
/* keep.c - stamps facts and appends them to the journal.
 *
 * - a call in the directory: the directory counts its facts, whichever thread they come from
 * - a call that was refused: two facts, begun and answered at the same moment, of an epoch of their own
 * - a call of an earlier process, of which something is found: an epoch of its own as well
 * - the node: one stream per process, begun when it started
 *
 * Failure modes: a call whose place in the directory was given to another is told as a fact of the
 * node; a body that cannot be built (no memory) is lost like one the journal refuses: counted. */
#include "gateway/keep.h"

#include "base/json.h"
#include "base/log.h"
#include "base/now.h"
#include "observe/crumbs.h"
#include "observe/metrics.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BODY_MAX = 512 * 1024 };

struct keep {
    struct journal *journal;     /* borrows */
    struct directory *directory; /* borrows */
    char stream[JOURNAL_STREAM]; /* "node/…" */
    uint64_t started_us;
    atomic_uint seq;
};

int keep_new(struct keep **out, const struct keep_opts *o)
{
    struct keep *k = calloc(1, sizeof(*k));

    if (!k)
        return -ENOMEM;
    k->journal = o->journal;
    k->directory = o->directory;
    k->started_us = unix_us();
    (void)snprintf(k->stream, sizeof(k->stream), "node/%s", o->node);
    *out = k;
    return 0;
}

void keep_free(struct keep *k)
{
    free(k);
}

uint64_t keep_process(const struct keep *k)
{
    return k->started_us;
}

bool keep_accepts(const struct keep *k)
{
    return !k->journal || journal_accepts(k->journal);
}

static void lost(const char *type)
{
    metric_add(M_FACTS_LOST, 1);
    log_error("keep.lost", F_STR("type", type),
              F_FIX("the machine is out of memory: give it more, or lower max_calls"));
}

static void append_node(struct keep *k, const char *type, struct rd_str body)
{
    struct journal_event e = {.stream = rd_str(k->stream),
                              .started_us = k->started_us,
                              .epoch = k->started_us,
                              .seq = atomic_fetch_add(&k->seq, 1) + 1,
                              .at_us = unix_us(),
                              .type = type,
                              .body = body};

    (void)journal_append(k->journal, &e);
}

void keep_record(struct keep *k, const struct directory_view *call, const char *type,
                 struct rd_str body)
{
    struct journal_event e = {
        .stream = rd_str(call->sid), .at_us = unix_us(), .type = type, .body = body};

    crumb_fact(call->sid, type, body, (int64_t)(e.at_us / 1000));
    if (!k->journal)
        return;
    if (directory_stamp(k->directory, call->call, &e.started_us, &e.epoch, &e.seq))
        (void)journal_append(k->journal, &e);
    else
        append_node(k, type, body);
}

void keep_late(struct keep *k, struct rd_str sid, uint64_t started_us, const char *type,
               struct rd_str body)
{
    uint64_t now_us = unix_us();
    struct journal_event e = {.stream = sid,
                              .started_us = started_us,
                              .epoch = now_us,
                              .seq = 1,
                              .at_us = now_us,
                              .type = type,
                              .body = body};

    if (k->journal)
        (void)journal_append(k->journal, &e);
}

/* The body of a call's fact: who it is about, then what. */
static int call_body(struct buf *out, struct json_members who, struct json_members members)
{
    int rc = buf_add_str(out, "{");

    if (!rc)
        rc = json_members(out, who, true);
    if (rc >= 0)
        rc = json_members(out, members, rc == 0);
    return rc < 0 ? rc : buf_add_str(out, "}");
}

void keep_call(struct keep *k, const struct directory_view *call, const char *type,
               struct json_members members)
{
    struct buf body;

    if (!k->journal)
        return;
    buf_init(&body, BODY_MAX);
    if (call_body(&body,
                  JSON_MEMBERS(J_STR("call", call->sid), J_STR("agent", call->agent),
                               J_STR("from", call->from), J_STR("to", call->to)),
                  members) == 0)
        keep_record(k, call, type, (struct rd_str){body.data, body.n});
    else
        lost(type);
    buf_fini(&body);
}

/* {who…, members}; `members` is what an object has between its braces. */
static int fact_body(struct buf *out, struct json_members who, struct rd_str members)
{
    int n, rc = buf_add_str(out, "{");

    if (rc)
        return rc;
    n = json_members(out, who, true);
    if (n < 0)
        return n;
    if (n > 0 && members.n > 0)
        rc = buf_add_str(out, ",");
    if (!rc)
        rc = buf_add(out, members.p, members.n);
    return rc ? rc : buf_add_str(out, "}");
}

/* What a fact says of itself the call does not say once more: of two members of one name PostgreSQL would keep the
 * last. Texts name their own sender and receiver, and an answer to another call's emergency that call. */
struct own_words {
    bool call, agent, people, node;
};

static bool has(const struct json_value *object, const char *name)
{
    return json_get(object, name).type != JSON_NONE;
}

static struct own_words own_words(struct rd_str members)
{
    struct own_words own = {0};
    struct json_value root;
    struct buf object;

    buf_init(&object, BODY_MAX);
    if (fact_body(&object, (struct json_members){0}, members) == 0 &&
        json_parse((struct rd_str){object.data, object.n}, &root) == 0)
        own = (struct own_words){.call = has(&root, "call"),
                                 .agent = has(&root, "agent"),
                                 .people = has(&root, "from") || has(&root, "to"),
                                 .node = has(&root, "node")};
    buf_fini(&object);
    return own;
}

static const char *some(const char *text)
{
    return text && *text ? text : NULL;
}

void keep_told(struct keep *k, call_handle call, const char *sid, const char *agent,
               const char *type, struct rd_str members)
{
    struct directory_view view = {0};
    bool known = call && directory_get(k->directory, call, &view);
    struct own_words own = own_words(members);
    struct buf body;
    int rc;

    if (!k->journal)
        return;
    buf_init(&body, BODY_MAX);
    rc = fact_body(&body,
                   JSON_MEMBERS(J_STR("call", own.call ? NULL
                                              : known  ? view.sid
                                                       : some(sid)),
                                J_STR("agent", own.agent ? NULL : agent),
                                J_STR("from", known && !own.people ? view.from : NULL),
                                J_STR("to", known && !own.people ? view.to : NULL),
                                J_STR("node", known || own.node ? NULL : k->stream + 5)),
                   members);
    if (rc)
        lost(type);
    else if (known)
        keep_record(k, &view, type, (struct rd_str){body.data, body.n});
    else
        append_node(k, type, (struct rd_str){body.data, body.n});
    buf_fini(&body);
}

static void append_refused(struct keep *k, const struct keep_refusal *r, uint64_t now_us,
                           uint32_t seq, const char *type, struct json_members members)
{
    struct journal_event e = {.stream = r->sid,
                              .started_us = now_us,
                              .epoch = now_us,
                              .seq = seq,
                              .at_us = now_us,
                              .type = type};
    struct buf body;

    buf_init(&body, BODY_MAX);
    if (call_body(&body,
                  JSON_MEMBERS(J_TEXT("call", r->sid), J_TEXT("agent", r->agent),
                               J_TEXT("from", r->from), J_TEXT("to", r->to)),
                  members) == 0) {
        e.body = (struct rd_str){body.data, body.n};
        (void)journal_append(k->journal, &e);
    } else {
        lost(type);
    }
    buf_fini(&body);
}

void keep_refused(struct keep *k, const struct keep_refusal *r)
{
    uint64_t now_us = unix_us();

    if (!k->journal)
        return;
    append_refused(k, r, now_us, 1, "webhook",
                   JSON_MEMBERS(J_STR("kind", "voice"), J_TEXT("direction", r->direction),
                                J_STR("status", "ringing"), J_STR("node", k->stream + 5),
                                J_STR("trial", r->trial)));
    append_refused(k, r, now_us, 2, "decision",
                   JSON_MEMBERS(J_STR("system", r->system), J_STR("reason", r->reason),
                                J_STR("fix", r->fix), J_STR("first", r->first),
                                J_STR("first_reason", r->first ? r->reason : NULL)));
}

void keep_node(struct keep *k, const char *type, struct json_members members)
{
    struct buf body;

    if (!k->journal)
        return;
    buf_init(&body, BODY_MAX);
    if (call_body(&body, JSON_MEMBERS(J_STR("node", k->stream + 5)), members) == 0)
        append_node(k, type, (struct rd_str){body.data, body.n});
    else
        lost(type);
    buf_fini(&body);
}

void keep_alarm(void *arg, const struct alarm *a)
{
    keep_node(
        arg, "alarm",
        JSON_MEMBERS(J_STR("kind", a->kind), J_STR("subject", a->subject),
                     J_STR("severity", a->severity == ALARM_CRITICAL ? "critical" : "warning"),
                     J_STR("text", a->text), J_STR("fix", a->fix), J_BOOL("open", a->open),
                     J_INT("count", a->count)));
}
