/* SPDX-License-Identifier: Apache-2.0 */
/* errand.c - the life of an errand on its script thread.
 *
 * - a place is taken by whoever posts it, and given back when the errand is gone
 * - a VM, the job ERRAND, its inbox; the job's end is the errand's
 * - attached to a call it follows it: to another media thread, and past its end
 *
 * Failure: one that raises, breaks a limit or lasts too long is logged; when it was about an
 * emergency, that is a critical alarm, because somebody may wait for help. */
#include "agent/errand.h"

#include "agent/agents_private.h"
#include "agent/api/api.h"
#include "agent/expected.h"
#include "base/err.h"
#include "base/json.h"
#include "base/json_out.h"
#include "base/log.h"
#include "observe/alarm.h"
#include "observe/catalogue.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    SID_MAX = 64,
    ERRANDS_MAX = 64,        /* of a thread */
    URGENT_MAX = 128,        /* the rest is for emergencies */
    ERRAND_MAX_MS = 7200000, /* whoever is still at it then hangs */
    KIND_BYTES = 32
};

struct errand {
    struct activity *activity; /* owns us */
    struct errand *next;       /* of the thread */
    struct inbox *inbox;       /* owns */
    char kind[KIND_BYTES];
    uint64_t id;
    uint64_t
        asked; /* who waits for its reply, on the activity's media thread; 0: nobody, or no more */
    bool has_line;   /* the carrier's questions about its call come here */
    bool keeps_open; /* its call must not end by itself */
};

static bool is_emergency(const char *kind)
{
    return strcmp(kind, "emergency") == 0;
}

static bool is_urgent(const char *kind)
{
    return is_emergency(kind) || strcmp(kind, "drill") == 0 || strcmp(kind, "vapi_heard") == 0 ||
           strcmp(kind, "vapi_shown") == 0; /* it may be one */
}

int errand_room(struct script_thread *t, const char *kind)
{
    unsigned max = is_urgent(kind) ? URGENT_MAX : ERRANDS_MAX;

    if (atomic_fetch_add(&t->n_errands, 1) < max)
        return 0;
    errand_no_room(t);
    return RD_EFULL;
}

void errand_no_room(struct script_thread *t)
{
    atomic_fetch_sub(&t->n_errands, 1);
}

static void read_sid(struct activity *a, struct rd_str json)
{
    struct json_value root, sid;

    if (json_parse(json, &root))
        return;
    sid = json_get(&root, "call");
    (void)json_copy(&sid, a->sid, sizeof(a->sid));
}

/* Owns the place from here on. */
static int errand_new(struct errand **out, struct script_thread *t, const struct errand_order *o)
{
    struct errand *e = calloc(1, sizeof(*e));
    struct activity *a = calloc(1, sizeof(*a));
    int rc = -ENOMEM;

    if (!e || !a || inbox_new(&e->inbox, t))
        goto fail;
    a->errand = e;
    a->handle = o->call;
    a->thread = t;
    a->media_thread = o->media_thread;
    a->agent = o->version ? agent_hold(o->version) : activity_hold_agent(t, o->agent);
    a->opened = o->call != 0;
    read_sid(a, o->json);
    e->activity = a;
    e->id = ++t->last_errand;
    e->asked = o->asked;
    (void)rd_str_copy(e->kind, sizeof(e->kind), o->kind);
    e->next = t->errands;
    t->errands = e;
    *out = e;
    return 0;
fail:
    free(e);
    free(a);
    errand_no_room(t);
    return rc;
}

int errand_run(struct script_thread *t, const struct errand_order *o)
{
    struct activity *a;
    struct errand *e;
    struct job *j;
    int rc = errand_new(&e, t, o);

    if (rc)
        return rc;
    a = e->activity;
    rc = a->agent ? activity_make_vm(a) : RD_ECONFIG;
    j = rc ? NULL : job_new(a, JOB_ERRAND);
    if (!j) {
        activity_free(a);
        return rc ? rc : -ENOMEM;
    }
    lua_pushstring(vm_lua(a->vm), agent_module(a->agent));
    lua_pushlstring(vm_lua(a->vm), o->kind.p, o->kind.n);
    lua_pushlstring(vm_lua(a->vm), o->json.p, o->json.n);
    job_start_within(j, "errand", 3, ERRAND_MAX_MS);
    return 0;
}

static int send_reply(struct script_thread *t, unsigned media_thread, uint64_t number,
                      struct rd_str document)
{
    const struct script_opts *o = &t->pool->opts;
    struct message *m = message_new(MSG_REPLIED, 0, &document, 1);

    if (!m)
        return -ENOMEM;
    m->aux = number;
    o->to_media(o->arg, media_thread, m);
    return 0;
}

int errand_reply(struct errand *e, struct rd_str document)
{
    uint64_t number = e->asked;

    e->asked = 0;
    return number ? send_reply(e->activity->thread, e->activity->media_thread, number, document)
                  : RD_ESTATE;
}

static void tell_not_run(const struct message *m, int rc)
{
    const char *fix = catalogue_fix("errand.", "not_run");
    char sid[SID_MAX] = "";
    struct json_value root, call;

    if (json_parse(m->s[2], &root) == 0) {
        call = json_get(&root, "call");
        if (json_copy(&call, sid, sizeof(sid)))
            sid[0] = '\0';
    }
    log_error("errand.not_run", F_CALL(sid), F_STR("agent", m->s[0].p), F_STR("kind", m->s[1].p),
              F_ERR(rc), F_FIX(fix));
    if (is_emergency(m->s[1].p))
        alarm_raise(ALARM_CRITICAL, "errand.not_run", m->s[0].p,
                    "an emergency of this agent was not handed to anybody", fix);
}

static struct errand *by_id(struct script_thread *t, uint64_t id)
{
    struct errand *e = t->errands;

    while (e && e->id != id)
        e = e->next;
    return e;
}

void errand_open(struct script_thread *t, const struct message *m)
{
    struct errand_order o = {.agent = m->s[0],
                             .kind = m->s[1],
                             .json = m->s[2],
                             .call = m->call,
                             .media_thread = m->number,
                             .asked = m->kind == ERRAND_LETTER ? 0 : m->aux};
    struct errand *e;
    int rc;

    if (m->kind == ERRAND_LETTER) {
        e = by_id(t, m->aux);
        if (e)
            (void)inbox_put(e->inbox, m->s[1], m->s[2]);
        return;
    }
    if (t->stopping) {
        errand_no_room(t);
        return;
    }
    rc = errand_run(t, &o);
    if (rc) {
        tell_not_run(m, rc);
        if (o.asked)
            (void)send_reply(t, m->number, o.asked, RD_STR(""));
    }
}

/* --- the call it is attached to --- */

static bool is_of(const struct errand *e, call_handle call)
{
    return call && e->activity->handle == call && e->activity->opened;
}

/* What it sent out names it: s[2]. */
static bool ask_named(struct script_thread *t, const struct message *m)
{
    struct errand_place at;
    struct errand *e = errand_place_read(&at, m->s[2]) ? by_id(t, at.errand) : NULL;

    return e && inbox_ask(e->inbox, m) == 0;
}

bool errand_resume(struct script_thread *t, const struct message *m)
{
    if (m->s[2].n > 0)
        return ask_named(t, m);
    for (struct errand *e = t->errands; e; e = e->next)
        if (is_of(e, m->call) && e->has_line && inbox_ask(e->inbox, m) == 0)
            return true;
    return false;
}

void errand_attached(struct script_thread *t, call_handle call, unsigned media_thread)
{
    for (struct errand *e = t->errands; e; e = e->next)
        if (is_of(e, call)) {
            e->activity->media_thread = media_thread;
            if (e->keeps_open)
                errand_keep_open(e, true); /* a new stream knows nothing of it */
        }
}

bool errand_take_line(struct errand *e)
{
    call_handle call = e->activity->handle;

    if (!is_of(e, call))
        return false;
    for (const struct errand *other = e->activity->thread->errands; other; other = other->next)
        if (other != e && is_of(other, call) && other->has_line)
            return false;
    e->has_line = true;
    return true;
}

bool errand_takes_over(struct script_thread *t, call_handle call)
{
    for (struct errand *e = t->errands; e; e = e->next)
        if (is_of(e, call) && e->has_line &&
            inbox_put(e->inbox, RD_STR("broken"), RD_STR("{}")) == 0)
            return true;
    return false;
}

void errand_keep_open(struct errand *e, bool on)
{
    e->keeps_open = on;
    if (e->activity->opened)
        activity_command(e->activity, CMD_KEEP_OPEN, RD_STR(""), RD_STR(""), on);
}

void errand_call_ended(struct script_thread *t, call_handle call, struct rd_str reason)
{
    struct buf json;

    buf_init(&json, 1024);
    (void)json_add_object(&json, JSON_MEMBERS(J_TEXT("reason", reason)));
    for (struct errand *e = t->errands; e; e = e->next) {
        if (!is_of(e, call))
            continue;
        e->activity->opened = false;
        (void)inbox_put(e->inbox, RD_STR("ended"), (struct rd_str){json.data, json.n});
    }
    buf_fini(&json);
}

/* Somebody ended the call and the script thread never heard of it. */
void errand_sweep(struct script_thread *t)
{
    const struct script_opts *o = &t->pool->opts;

    for (struct errand *e = t->errands; o->knows_call && e; e = e->next)
        if (e->activity->opened && !o->knows_call(o->arg, e->activity->handle))
            errand_call_ended(t, e->activity->handle, RD_STR("gone"));
}

/* --- the end --- */

void errand_over(struct activity *a, const char *why)
{
    const char *fix = catalogue_fix("errand.", "failed");

    if (why) {
        log_error("errand.failed", F_CALL(a->sid), F_STR("agent", a->agent->name),
                  F_STR("kind", a->errand->kind), F_STR("why", why), F_FIX(fix));
        if (is_emergency(a->errand->kind))
            alarm_raise(ALARM_CRITICAL, "errand.failed", a->sid,
                        "an emergency is not followed up any more", fix);
    }
    activity_free(a);
}

void errand_free(struct errand *e)
{
    struct script_thread *t = e->activity->thread;
    struct errand **link = &t->errands;

    while (*link && *link != e)
        link = &(*link)->next;
    if (*link)
        *link = e->next;
    if (e->asked)
        (void)errand_reply(e, RD_STR(""));
    expected_forget(t->pool->expected, t, e->id);
    inbox_free(e->inbox);
    free(e);
    errand_no_room(t);
}

void errand_free_all(struct script_thread *t)
{
    while (t->errands)
        activity_free(t->errands->activity);
}

struct inbox *errand_inbox(struct errand *e)
{
    return e->inbox;
}

struct errand_place errand_place(const struct errand *e)
{
    const struct script_thread *t = e->activity->thread;

    return (struct errand_place){.thread = (unsigned)(t - t->pool->threads), .errand = e->id};
}

uint64_t errand_id(const struct errand *e)
{
    return e->id;
}
