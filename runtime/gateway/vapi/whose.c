/* SPDX-License-Identifier: Apache-2.0 */
/* whose.c - the database is asked both at once (vapi_webhook in sql/).
 *
 *   this process knows the call ──▶ go on
 *   the database does           ──▶ go on
 *   nobody does: asked again, a few times, because another node may have sent it there a moment ago
 *   still nobody: Vapi has it by itself. Of a number or an assistant of ours: go on, and it is marked.
 *   a call that a line of ours has or had, or nothing of ours: refused
 *
 * Failure modes: the database does not answer, or not in time. Then what this process knows is all: a
 * signature that is new here passes, because a caller's emergency does not wait for a database. Writes ask
 * it themselves and do nothing without it; so what was signed for another node, or for this one before it
 * was started again, could at worst run a tool that reads. */
#include "gateway/vapi/whose.h"

#include "base/err.h"
#include "base/json_out.h"
#include "gateway/keep.h"
#include "gateway/question.h"
#include "gateway/vapi/direct.h"
#include "gateway/vapi/hooks.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

enum { ASK_MS = 2000, ASK_AGAIN_MS = 400, ASK_TIMES = 4, ASK_MAX = 1024, NAME_MAX_BYTES = 128 };

struct said {
    bool at_all;     /* the database answered */
    bool repeated;   /* the signature was there before */
    bool elsewhere;  /* a call of ours, and not at Vapi */
    bool not_routed; /* the same, but it came to no line of ours */
    struct vapi_call call;
    char number[VAPI_NUMBER];
};

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

static struct said read_said(struct rd_str json)
{
    struct said s = {0};
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
static bool find_direct(struct opening *o, const struct said *s, struct vapi_call *c)
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

static void go_direct(struct opening *o, const struct said *s)
{
    const struct vapi_message *m = &o->vapi->m;
    struct vapi_call c;

    if (s->elsewhere || is_on_a_line(o, m->sid)) {
        vapi_hooks_refuse(o, "not_there");
    } else if (!find_direct(o, s, &c)) {
        vapi_hooks_refuse(o, "unknown_call");
    } else {
        /* Before it is answered Vapi may not know the carrier's id: then it has no name to remember. */
        if (m->sid[0] || vapi_message_talks(m))
            vapi_known_put(vapi_hooks_calls(o->thread->node), &c, clock_ms(loop_clock()), false);
        vapi_hooks_go_on(o, &c);
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
        go_direct(o, &(struct said){0});
}

static int write_question(struct opening *o, struct buf *out)
{
    const struct vapi_wait *w = o->vapi;
    const struct node *n = o->thread->node;
    char mac[2 * VAPI_MAC + 1], process[NAME_MAX_BYTES];

    rd_hex(mac, w->mac, VAPI_MAC);
    (void)snprintf(process, sizeof(process), "%.64s %" PRIu64, n->name, keep_process(n->keep));
    return json_add_object(out, JSON_MEMBERS(J_STR("sid", w->m.sid[0] ? w->m.sid : NULL),
                                             J_STR("vapi_id", w->m.id[0] ? w->m.id : NULL),
                                             J_STR("number_id", w->m.number_id),
                                             J_STR("mac", w->once ? mac : NULL),
                                             J_STR("process", w->once ? process : NULL)));
}

void whose_ask(struct opening *o)
{
    struct buf what;
    int rc = RD_EGONE;

    o->vapi->asked++;
    o->vapi->asking = true;
    o->late = on_nobody;
    loop_timer_in(o->timer, ASK_MS);
    buf_init(&what, ASK_MAX);
    if (o->thread->node->books)
        rc = write_question(o, &what);
    if (!rc)
        rc = buf_text(&what) ? question_ask(o, "select vapi_webhook($1::jsonb)::text", what.data, 0,
                                            MSG_VAPI_KNOWN)
                             : -ENOMEM;
    buf_fini(&what);
    if (rc)
        on_nobody(o);
}

void whose_told(struct opening *o, const struct message *m)
{
    struct said s = read_said(m->s[0]);
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
    } else if (w->m.sid[0] && w->asked < ASK_TIMES) {
        o->late = whose_ask;
        loop_timer_in(o->timer, ASK_AGAIN_MS);
    } else {
        go_direct(o, &s);
    }
}
