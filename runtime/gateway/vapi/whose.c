/* SPDX-License-Identifier: Apache-2.0 */
/* whose.c - the database is asked both at once (vapi_webhook in sql/).
 *
 *   this process knows the call ──▶ go on
 *   the database does           ──▶ go on
 *   nobody does: asked again, a few times, because another node may have sent it there a moment ago
 *   still nobody: Vapi has it by itself, and is asked (vapi.shown). It has such a call, of a number or an
 *   assistant of ours: go on, and it is marked.
 *   a call that a line of ours has or had, or nothing of ours: refused
 *
 * Failure modes: the database does not answer, or not in time. Then what this process knows is all: a
 * signature that is new here passes, because a caller's emergency does not wait for a database. Writes ask
 * it themselves and do nothing without it; so what was signed for another node, or for this one before it
 * was started again, could at worst run a tool that reads. */
#include "gateway/vapi/whose.h"

#include "agent/host.h"
#include "base/err.h"
#include "base/json_out.h"
#include "gateway/keep.h"
#include "gateway/question.h"
#include "gateway/vapi/digests.h"
#include "gateway/vapi/direct.h"
#include "gateway/vapi/hooks.h"
#include "observe/alarm.h"
#include "observe/catalogue.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#define NOT_CHECKED "vapi.not_checked"
#define NOT_THERE   "not there " /* before an id of Vapi's */

enum {
    ASK_MS = 2000,
    ASK_AGAIN_MS = 400,
    ASK_TIMES = 4,
    CHECK_MS = 5000,      /* Vapi, for a call that it has by itself */
    CHECK_SOON_MS = 1500, /* the same, while it waits for who answers */
    SCRIPT_MS = 3500,     /* of what is left, a script needs so much */
    NOT_THERE_MS = 10000, /* so long it is not asked again */
    ASK_MAX = 1024,
    NAME_MAX_BYTES = 128
};

/* How long may be waited for something before a script is asked; 0: no more. */
static uint64_t room_ms(const struct vapi_wait *w, uint64_t want_ms)
{
    uint64_t now_ms = clock_ms(loop_clock());
    uint64_t room = w->by_ms > now_ms + SCRIPT_MS ? w->by_ms - now_ms - SCRIPT_MS : 0;

    return room < want_ms ? room : want_ms;
}

static void copy_member(const struct json_value *of, const char *key, char *out, size_t cap)
{
    struct json_value v = json_get(of, key);

    if (v.type != JSON_STRING || json_copy(&v, out, cap))
        out[0] = '\0';
}

static bool is_true(const struct json_value *of, const char *key)
{
    return json_get(of, key).type == JSON_TRUE;
}

static struct vapi_said read_said(struct rd_str json)
{
    struct vapi_said s = {0};
    struct json_value root;

    if (json.n == 0 || json_parse(json, &root) || root.type != JSON_OBJECT)
        return s;
    s.at_all = true;
    s.repeated = is_true(&root, "repeated");
    s.elsewhere = is_true(&root, "elsewhere");
    s.not_routed = is_true(&root, "not_routed");
    copy_member(&root, "number", s.number, sizeof(s.number));
    copy_member(&root, "call", s.call.sid, sizeof(s.call.sid));
    copy_member(&root, "vapi_id", s.call.id, sizeof(s.call.id));
    copy_member(&root, "agent", s.call.agent, sizeof(s.call.agent));
    copy_member(&root, "from", s.call.from, sizeof(s.call.from));
    copy_member(&root, "to", s.call.to, sizeof(s.call.to));
    s.call.line = is_true(&root, "line");
    s.call.direct = s.not_routed;
    s.call.fell = is_true(&root, "fell");
    return s;
}

/* --- Vapi has it by itself --- */

static bool is_on_a_line(struct opening *o, const char *sid)
{
    struct directory_view view;

    return directory_find(o->thread->node->directory, rd_str(sid), &view) &&
           (view.state == DIRECTORY_TAKEN || view.state == DIRECTORY_AWAY);
}

/* What the database knows of it goes before what its number and its assistant say. */
static bool find_direct(struct opening *o, const struct vapi_said *s, struct vapi_call *c)
{
    const struct vapi_message *m = &o->vapi->m;
    bool found = vapi_direct_find(o->thread, m, s->number, c);

    if (!s->not_routed || !s->call.agent[0])
        return found;
    *c = s->call;
    (void)snprintf(c->id, sizeof(c->id), "%s", m->id);
    (void)snprintf(c->control, sizeof(c->control), "%s", m->control);
    return true;
}

/* Who has the secret may say anything. What runs something is run for a call that is there. */
static void serve_direct(struct opening *o, const struct vapi_call *c)
{
    const struct vapi_message *m = &o->vapi->m;

    /* Before it is answered Vapi may not know the carrier's id: then it has no name to remember. */
    if (m->sid[0] || vapi_message_talks(m))
        vapi_known_put(vapi_hooks_calls(o->thread->node), c, clock_ms(loop_clock()), false);
    vapi_hooks_go_on(o, c);
}

static void not_there_key(const struct vapi_message *m, uint8_t key[DIGEST])
{
    char text[sizeof(NOT_THERE) + VAPI_ID];
    int n = snprintf(text, sizeof(text), NOT_THERE "%s", m->id);

    sha256(key, text, (size_t)n);
}

/* Nobody heard what its caller said. */
static void on_not_checked(struct opening *o)
{
    alarm_raise(ALARM_CRITICAL, NOT_CHECKED, "",
                "a call that Vapi has by itself has no tools and no triage: its API does not say "
                "whether it has it",
                catalogue_fix("vapi.", "not_checked"));
    vapi_hooks_refuse(o, "not_checked");
}

/* A call whose agent is not here is looked up by any. */
static int post_check(struct opening *o, const struct vapi_call *c, uint64_t ms)
{
    struct script_pool *scripts = o->thread->node->scripts;
    struct agent_set *set = script_pool_agents(scripts);
    const struct vapi_message *m = &o->vapi->m;
    const char *agent = c->agent[0]                ? c->agent
                        : agent_set_count(set) > 0 ? agent_set_at(set, 0)->name
                                                   : "";
    struct buf json;
    int rc;

    buf_init(&json, ASK_MAX);
    rc = json_add_object(&json, JSON_MEMBERS(J_STR("call", c->sid), J_STR("vapi_id", m->id),
                                             J_STR("sid", m->sid[0] ? m->sid : NULL),
                                             J_INT("within_ms", ms)));
    if (!rc)
        rc = buf_text(&json) ? script_pool_question(scripts, agent, "vapi_shown", json.data,
                                                    o->thread->index, o->number)
                             : -ENOMEM;
    buf_fini(&json);
    agent_set_unref(set);
    return rc;
}

static void check(struct opening *o, const struct vapi_call *c)
{
    struct vapi_wait *w = o->vapi;
    uint64_t ms = room_ms(w, w->m.kind == VAPI_ASSISTANT ? CHECK_SOON_MS : CHECK_MS);
    uint8_t key[DIGEST];

    not_there_key(&w->m, key);
    w->checking = true;
    o->late = on_not_checked;
    loop_timer_in(o->timer, ms);
    if (!w->m.id[0] || vapi_hooks_had(o->thread->node, key))
        vapi_hooks_refuse(o, "not_shown");
    else if (ms == 0 || post_check(o, c, ms))
        on_not_checked(o);
}

static void go_direct(struct opening *o, const struct vapi_said *s)
{
    struct vapi_call c;

    if (s->elsewhere || is_on_a_line(o, o->vapi->m.sid)) {
        vapi_hooks_refuse(o, "not_there");
    } else if (!find_direct(o, s, &c)) {
        vapi_hooks_refuse(o, "unknown_call");
    } else if (o->vapi->shown) {
        serve_direct(o, &c);
    } else {
        o->vapi->said = *s;
        check(o, &c);
    }
}

/* Whose it is, says Vapi itself and not who posted it. */
static void take_shown(struct vapi_message *m, const struct json_value *root)
{
    char number[VAPI_NUMBER];

    copy_member(root, "assistant", m->assistant, sizeof(m->assistant));
    copy_member(root, "number", m->to, sizeof(m->to));
    copy_member(root, "from", number, sizeof(number));
    if (number[0])
        (void)snprintf(m->from, sizeof(m->from), "%s", number);
}

void whose_shown(struct opening *o, struct rd_str json)
{
    struct vapi_wait *w = o->vapi;
    bool nameless = !w->m.sid[0];
    uint8_t key[DIGEST];
    struct json_value root;

    w->checking = false;
    if (json.n == 0 || json_parse(json, &root) || root.type != JSON_OBJECT)
        root = (struct json_value){0};
    w->shown = is_true(&root, "shown");
    if (!w->shown && !is_true(&root, "absent")) {
        on_not_checked(o);
        return;
    }
    alarm_clear(NOT_CHECKED, "");
    if (!w->shown) {
        not_there_key(&w->m, key);
        (void)vapi_hooks_first(o->thread->node, key, NOT_THERE_MS);
        vapi_hooks_refuse(o, "not_shown");
        return;
    }
    take_shown(&w->m, &root);
    w->said.number[0] = '\0';
    if (nameless)
        copy_member(&root, "sid", w->m.sid, sizeof(w->m.sid));
    if (nameless && w->m.sid[0])
        whose_ask(o); /* another node may have sent it there */
    else {
        struct vapi_said said = w->said;

        go_direct(o, &said);
    }
}

/* --- asking --- */

static bool find_here(struct opening *o, struct vapi_call *c)
{
    return vapi_known_find(vapi_hooks_calls(o->thread->node), &o->vapi->m, clock_ms(loop_clock()),
                           c);
}

static void on_nobody(struct opening *o)
{
    struct vapi_call c;

    o->vapi->asking = false;
    if (find_here(o, &c))
        vapi_hooks_go_on(o, &c);
    else
        go_direct(o, &(struct vapi_said){0});
}

static void name_signature(const struct node *n, const struct vapi_wait *w,
                           char mac[2 * VAPI_MAC + 1], char process[NAME_MAX_BYTES])
{
    rd_hex(mac, w->mac, VAPI_MAC);
    (void)snprintf(process, NAME_MAX_BYTES, "%.64s %" PRIu64, n->name, keep_process(n->keep));
}

void whose_over(struct node *n, const struct vapi_wait *w, bool done)
{
    char mac[2 * VAPI_MAC + 1], process[NAME_MAX_BYTES];
    struct buf what;

    if (!w->once)
        return;
    name_signature(n, w, mac, process);
    buf_init(&what, ASK_MAX);
    if (json_add_object(&what, JSON_MEMBERS(J_STR("mac", mac), J_STR("process", process),
                                            J_BOOL("done", done))) == 0 &&
        buf_text(&what))
        (void)question_tell(n, "select vapi_signature_over($1::jsonb)", what.data);
    buf_fini(&what);
}

static int write_question(struct opening *o, struct buf *out)
{
    const struct vapi_wait *w = o->vapi;
    char mac[2 * VAPI_MAC + 1], process[NAME_MAX_BYTES];

    name_signature(o->thread->node, w, mac, process);
    return json_add_object(out, JSON_MEMBERS(J_STR("sid", w->m.sid[0] ? w->m.sid : NULL),
                                             J_STR("vapi_id", w->m.id[0] ? w->m.id : NULL),
                                             J_STR("number_id", w->m.number_id),
                                             J_STR("mac", w->once ? mac : NULL),
                                             J_STR("process", w->once ? process : NULL)));
}

void whose_ask(struct opening *o)
{
    uint64_t ms = room_ms(o->vapi, ASK_MS);
    struct buf what;
    int rc = RD_EGONE;

    o->vapi->asked++;
    o->vapi->asking = true;
    o->late = on_nobody;
    loop_timer_in(o->timer, ms);
    buf_init(&what, ASK_MAX);
    if (o->thread->node->books && ms > 0)
        rc = write_question(o, &what);
    if (!rc)
        rc = buf_text(&what) ? question_ask(o, "select vapi_webhook($1::jsonb)::text", what.data, 0,
                                            MSG_VAPI_KNOWN)
                             : -ENOMEM;
    buf_fini(&what);
    if (rc)
        on_nobody(o);
}

/* By another node, a moment ago. Who is asked for an assistant has no time for that: it is the number's. */
static bool may_be_sent(struct opening *o)
{
    const struct vapi_wait *w = o->vapi;
    struct vapi_call c;

    return (w->m.sid[0] || w->m.id[0]) && w->asked < ASK_TIMES &&
           room_ms(w, ASK_AGAIN_MS) == ASK_AGAIN_MS &&
           (w->m.kind != VAPI_ASSISTANT || !vapi_direct_find(o->thread, &w->m, "", &c));
}

void whose_told(struct opening *o, const struct message *m)
{
    struct vapi_said s = read_said(m->s[0]);
    struct vapi_wait *w = o->vapi;
    struct vapi_call c;

    if (!w->asking)
        return; /* too late: it went on without */
    w->asking = false;
    if (!s.at_all) {
        on_nobody(o);
    } else if (s.repeated) {
        vapi_hooks_refuse(o, "repeated");
    } else if (find_here(o, &c)) {
        vapi_hooks_go_on(o, &c);
    } else if (s.call.sid[0] && !s.not_routed) {
        vapi_known_put(vapi_hooks_calls(o->thread->node), &s.call, clock_ms(loop_clock()), false);
        if (find_here(o, &c))
            vapi_hooks_go_on(o, &c);
        else
            vapi_hooks_refuse(o, "two_calls");
    } else if (may_be_sent(o)) {
        o->late = whose_ask;
        loop_timer_in(o->timer, ASK_AGAIN_MS);
    } else {
        go_direct(o, &s);
    }
}
