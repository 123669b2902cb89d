/* SPDX-License-Identifier: Apache-2.0 */
/* hooks.c - a webhook of Vapi from the door to its answer.
 *
 * - is it Vapi's? sign.h; a signature is good once, in the whole cluster where it makes somebody act
 * - which call? One that we sent to Vapi, or one of a number or an assistant of ours (whose.h)
 * - a fact is kept and answered at once; what the caller said goes to a script (triage), answered at
 *   once; tools, transfers and "who answers?" wait for a script of the call's agent
 *
 * Failure modes: not Vapi's, or nothing of ours: 401 and nothing is run. The script is late or gone: every
 * tool is answered as failed, with 200, because Vapi ignores any other answer. */
#include "gateway/vapi/hooks.h"

#include "base/err.h"
#include "base/json_out.h"
#include "base/log.h"
#include "base/now.h"
#include "gateway/opening.h"
#include "gateway/route.h"
#include "gateway/vapi/digests.h"
#include "gateway/vapi/known.h"
#include "gateway/vapi/sign.h"
#include "gateway/vapi/wait.h"
#include "gateway/vapi/whose.h"
#include "gateway/webhook.h"
#include "observe/alarm.h"
#include "observe/catalogue.h"
#include "observe/metrics.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

enum {
    BODY_MAX = 2 << 20,       /* of a report: all that was said, thrice */
    UNPROVED_MAX = 256 << 10, /* while somebody sends long bodies whose signature is none */
    UNPROVED_MS = 10000,
    CALLS_KNOWN = 2048,
    SEEN_PLACES = 32768,
    SEEN_MS = 600000,
    JOIN_MS = 10000, /* after so long without a word of Vapi it is asked */
    POLL_AFTER_MS = 5000,
    TOOLS_MS = 18000,    /* Vapi waits 20 s unless told otherwise */
    ASSISTANT_MS = 7000, /* and 7.5 s here, always */
    ORDER_MAX = 60 * 1024,
    FACT_MAX = 60 * 1024, /* the journal would cut it */
    ASK_MAX = 1024
};

struct vapi_hooks {
    struct digests *digests;
    struct vapi_known *known;
    atomic_uint_fast64_t
        poll_ms; /* when Vapi is asked what its webhooks did not tell; 0: in its turn */
    atomic_uint_fast64_t careful_ms; /* until then no long body is read for a signature's sake */
};

int vapi_hooks_new(struct vapi_hooks **out)
{
    struct vapi_hooks *v = calloc(1, sizeof(*v));
    int rc = v ? digests_new(&v->digests, SEEN_PLACES) : -ENOMEM;

    if (!rc)
        rc = vapi_known_new(&v->known, CALLS_KNOWN);
    if (rc) {
        vapi_hooks_free(v);
        return rc;
    }
    *out = v;
    return 0;
}

void vapi_hooks_free(struct vapi_hooks *v)
{
    if (!v)
        return;
    digests_free(v->digests);
    vapi_known_free(v->known);
    free(v);
}

struct vapi_known *vapi_hooks_calls(const struct node *n)
{
    return n->vapi->known;
}

void vapi_hooks_expect(struct node *n, struct rd_str sid, const char *agent, struct rd_str from,
                       struct rd_str to)
{
    struct vapi_call c = {0};

    if (!rd_str_copy(c.sid, sizeof(c.sid), sid))
        return; /* no id that the carrier gives */
    (void)rd_str_copy(c.agent, sizeof(c.agent), rd_str(agent));
    (void)rd_str_copy(c.from, sizeof(c.from), from);
    (void)rd_str_copy(c.to, sizeof(c.to), to);
    vapi_known_put(n->vapi->known, &c, clock_ms(loop_clock()), true);
}

/* Words and costs are with Vapi a moment after the end. One question for all that end meanwhile. */
static void poll_soon(struct node *n)
{
    uint_fast64_t never = 0;

    (void)atomic_compare_exchange_strong(&n->vapi->poll_ms, &never,
                                         clock_ms(loop_clock()) + POLL_AFTER_MS);
}

void vapi_hooks_look(struct node *n)
{
    uint64_t poll_ms = atomic_load(&n->vapi->poll_ms);
    struct vapi_call c;
    struct buf json;
    int rc;

    if (poll_ms > 0 && clock_ms(loop_clock()) >= poll_ms) {
        atomic_store(&n->vapi->poll_ms, 0);
        (void)node_operate(n, "vapi_poll", "{}"); /* else in its turn */
    }
    while (vapi_known_silent(n->vapi->known, clock_ms(loop_clock()), JOIN_MS, &c)) {
        buf_init(&json, ASK_MAX);
        rc = json_add_object(&json, JSON_MEMBERS(J_STR("call", c.sid), J_STR("agent", c.agent)));
        if (!rc)
            rc = buf_text(&json) ? node_operate(n, "vapi_joined", json.data) : -ENOMEM;
        if (rc)
            log_warn("vapi.not_looked", F_CALL(c.sid), F_ERR(rc),
                     F_FIX(catalogue_fix("vapi.", "not_looked")));
        buf_fini(&json);
    }
}

bool vapi_hooks_first(struct node *n, const uint8_t key[32], uint32_t ms)
{
    uint64_t now_ms = unix_us() / 1000;

    return digests_first(n->vapi->digests, key, now_ms, now_ms + ms);
}

bool vapi_hooks_had(struct node *n, const uint8_t key[32])
{
    return digests_has(n->vapi->digests, key, unix_us() / 1000);
}

/* --- answers --- */

static void reply_json(struct http_request *r, struct rd_str json)
{
    http_reply(r, 200, "application/json", json);
}

static void turn_away(struct media_thread *t, struct http_request *r, const char *code)
{
    metric_add(M_REFUSED_SIGNATURE, 1);
    if (media_thread_tells(t))
        log_warn("vapi.refused", F_STR("peer", http_peer(r)), F_STR("code", code),
                 F_FIX(catalogue_fix("vapi.", code)));
    webhook_reply_text(r, 401, "not for us\n");
}

static void forget(struct node *n, const struct vapi_wait *w)
{
    digests_forget(n->vapi->digests, w->mac);
    whose_over(n, w, false);
}

static void reply_failed(struct opening *o, const char *why)
{
    struct buf json;

    buf_init(&json, ORDER_MAX);
    log_warn("vapi.not_answered", F_CALL(o->vapi->m.sid), F_STR("why", why),
             F_FIX(catalogue_fix("vapi.", "not_answered")));
    if (vapi_message_failed(&o->vapi->m,
                            "This is not working right now. Say so, and offer to take a message.",
                            &json))
        buf_clear(&json);
    reply_json(opening_answered(o), json.n ? (struct rd_str){json.data, json.n} : RD_STR("{}"));
    buf_fini(&json);
    opening_free(o);
}

void vapi_hooks_shut(struct opening *o)
{
    if (o->vapi && (o->vapi->asking || o->vapi->checking)) /* nothing was begun for it */
        forget(o->thread->node, o->vapi);
    webhook_reply_text(opening_answered(o), 503, "this node leaves\n");
}

/* --- facts --- */

static const char *some(const char *text)
{
    return text[0] ? text : NULL;
}

/* Nobody here has a webhook of the carrier about it. */
static int add_direct(struct buf *members, const struct vapi_message *m, const struct vapi_call *c)
{
    struct json_value type = json_get(&m->call, "type");
    bool out = json_is(&type, "outboundPhoneCall");
    int rc = json_members(members,
                          JSON_MEMBERS(J_STR("from", some(out ? c->to : c->from)),
                                       J_STR("to", some(out ? c->from : c->to)),
                                       J_BOOL("not_routed", true)),
                          false);

    return rc < 0 ? rc : 0;
}

static int keep_fact(struct node *n, const struct vapi_message *m, const struct vapi_call *c)
{
    struct vapi_dropped dropped;
    struct buf members;
    int rc;

    buf_init(&members, FACT_MAX);
    rc = vapi_message_fact(m, &members, &dropped);
    if (!rc && c->direct)
        rc = add_direct(&members, m, c);
    if (dropped.what) {
        metric_add(M_VAPI_DROPPED, 1);
        log_warn("vapi.too_long", F_CALL(c->sid), F_STR("what", dropped.what),
                 F_INT("bytes", dropped.bytes), F_FIX(catalogue_fix("vapi.", "too_long")));
    }
    if (vapi_message_ends(m))
        poll_soon(n);
    if (!rc)
        keep_told(n->keep, 0, c->sid, c->agent, "vapi", (struct rd_str){members.data, members.n});
    buf_fini(&members);
    return rc;
}

static const char *const kind_names[] = {
    [VAPI_TRANSCRIPT] = "vapi_heard",    [VAPI_TOOLS] = "vapi_tools",
    [VAPI_FUNCTION] = "vapi_tools",      [VAPI_TRANSFER] = "vapi_transfer",
    [VAPI_ASSISTANT] = "vapi_assistant",
};

static int write_order(struct buf *json, const struct vapi_message *m, const struct vapi_call *c)
{
    int rc = buf_add_str(json, "{");

    if (!rc)
        rc = json_members(json,
                          JSON_MEMBERS(J_STR("call", c->sid), J_STR("vapi_id", c->id),
                                       J_STR("from", c->from), J_STR("to", c->to),
                                       J_STR("control", c->control[0] ? c->control : NULL)),
                          true);
    if (rc < 0)
        return rc;
    rc = vapi_message_ask(m, json);
    if (!rc)
        rc = buf_add_str(json, "}");
    return !rc && !buf_text(json) ? -ENOMEM : rc;
}

/* `number`: whom the answer is for on this thread; 0: nobody waits. */
static int post_order(struct media_thread *t, const struct vapi_message *m,
                      const struct vapi_call *c, uint64_t number)
{
    struct buf json;
    int rc;

    buf_init(&json, ORDER_MAX);
    rc = write_order(&json, m, c);
    if (!rc)
        rc = script_pool_question(t->node->scripts, c->agent, kind_names[m->kind], json.data,
                                  t->index, number);
    buf_fini(&json);
    return rc;
}

static void hear(struct media_thread *t, struct http_request *r, const struct vapi_wait *w,
                 const struct vapi_call *c)
{
    size_t cut = vapi_message_cut(&w->m);
    int rc = post_order(t, &w->m, c, 0);

    if (cut > 0)
        log_warn("vapi.words_cut", F_CALL(c->sid), F_INT("bytes", cut),
                 F_FIX(catalogue_fix("vapi.", "words_cut")));
    if (rc) {
        log_error("vapi.not_heard", F_CALL(c->sid), F_STR("agent", c->agent), F_ERR(rc),
                  F_FIX(catalogue_fix("vapi.", "not_heard")));
        alarm_raise(ALARM_CRITICAL, "vapi.not_heard", c->agent,
                    "what a caller said on Vapi was not searched for emergencies",
                    catalogue_fix("vapi.", "not_heard"));
        forget(t->node, w); /* Vapi may say it again */
        webhook_reply_text(r, 503, "too busy\n");
        return;
    }
    whose_over(t->node, w, true);
    reply_json(r, RD_STR("{}"));
}

/* Over a line of ours, its own desk hears every word. */
static bool is_heard_here(struct node *n, const struct vapi_call *c)
{
    struct directory_view view;

    return c->line || (directory_find(n->directory, rd_str(c->sid), &view) &&
                       (view.state == DIRECTORY_TAKEN || view.state == DIRECTORY_AWAY));
}

/* Before it is answered, Vapi may not tell by which id the carrier knows it. */
static bool has_name(const struct vapi_message *m, const struct vapi_call *c)
{
    return !c->direct || m->sid[0] || vapi_message_talks(m) || vapi_message_ends(m);
}

static void tell(struct media_thread *t, struct http_request *r, const struct vapi_wait *w,
                 const struct vapi_call *c)
{
    bool said = w->m.kind == VAPI_TRANSCRIPT;

    if (said && c->agent[0] && !is_heard_here(t->node, c)) {
        hear(t, r, w, c);
    } else if (!said && has_name(&w->m, c) && keep_fact(t->node, &w->m, c)) {
        forget(t->node, w);
        webhook_reply_text(r, 503, "not kept\n");
    } else {
        reply_json(r, RD_STR("{}"));
    }
}

/* --- questions --- */

static void on_late(struct opening *o)
{
    reply_failed(o, "script_late");
}

static struct opening *wait_for(struct media_thread *t, struct http_request *r,
                                const struct vapi_wait *w, void (*late)(struct opening *o))
{
    struct vapi_wait *copy = malloc(sizeof(*copy));
    struct opening *o = copy ? opening_new(t, r, 0, TOOLS_MS, late) : NULL;

    if (!o) {
        free(copy);
        forget(t->node, w);
        webhook_reply_text(r, 503, "no memory\n");
        return NULL;
    }
    *copy = *w;
    copy->by_ms = clock_ms(loop_clock()) + (w->m.kind == VAPI_ASSISTANT ? ASSISTANT_MS : TOOLS_MS);
    o->again = true;
    o->vapi = copy;
    return o;
}

static void ask_script(struct opening *o, const struct vapi_call *c)
{
    const struct vapi_message *m = &o->vapi->m;
    uint64_t now_ms = clock_ms(loop_clock());
    int rc;

    if (!c->agent[0]) { /* a number that nobody here answers for */
        reply_failed(o, "no_agent");
        return;
    }
    o->late = on_late;
    loop_timer_in(o->timer, o->vapi->by_ms > now_ms ? o->vapi->by_ms - now_ms : 0);
    rc = post_order(o->thread, m, c, o->number);
    whose_over(o->thread->node, o->vapi, true); /* what could not be posted is answered as failed */
    if (rc)
        reply_failed(o, rc == RD_EFULL ? "tools_too_long" : "script_full");
}

int vapi_hooks_bypass(struct opening *o, const struct directory_view *view, unsigned within_ms)
{
    struct buf json;
    int rc;

    buf_init(&json, ASK_MAX);
    rc = json_add_object(&json,
                         JSON_MEMBERS(J_STR("call", view->sid), J_STR("from", view->from),
                                      J_STR("to", view->to), J_BOOL("answered", view->legs > 0),
                                      J_INT("by_ms", clock_ms(loop_clock()) + within_ms)));
    if (!rc)
        rc = buf_text(&json)
                 ? script_pool_question(o->thread->node->scripts, o->agent->name, "vapi_bypass",
                                        json.data, o->thread->index, o->number)
                 : -ENOMEM;
    buf_fini(&json);
    return rc;
}

void vapi_hooks_replied(struct media_thread *t, const struct message *m)
{
    struct opening *o = opening_waiting(t, m->aux);

    if (!o)
        return;
    if (!o->vapi) {
        route_bypassed(o, m->s[0]);
        return;
    }
    if (o->vapi->checking) {
        whose_shown(o, m->s[0]);
        return;
    }
    if (m->s[0].n == 0) {
        reply_failed(o, "script_failed");
        return;
    }
    reply_json(opening_answered(o), m->s[0]);
    opening_free(o);
}

/* --- which call? --- */

/* A call that we did not send there has no row before a fact of it. */
static void tell_direct(struct opening *o, const struct vapi_call *c)
{
    if (c->direct && c->id[0] && vapi_message_talks(&o->vapi->m))
        (void)keep_fact(o->thread->node, &o->vapi->m, c);
}

void vapi_hooks_go_on(struct opening *o, const struct vapi_call *c)
{
    const struct vapi_wait *w = o->vapi;

    if (c->fell)
        route_fell(c->agent);
    if (vapi_message_asks(&w->m) || w->m.kind == VAPI_TRANSCRIPT)
        tell_direct(o, c);
    if (vapi_message_asks(&w->m)) {
        ask_script(o, c);
        return;
    }
    tell(o->thread, opening_answered(o), w, c);
    opening_free(o);
}

void vapi_hooks_refuse(struct opening *o, const char *code)
{
    if (strcmp(code, "repeated") != 0)
        forget(o->thread->node, o->vapi);
    turn_away(o->thread, opening_answered(o), code);
    opening_free(o);
}

void vapi_hooks_known(struct media_thread *t, const struct message *m)
{
    struct opening *o = opening_waiting(t, m->aux);

    if (o && o->vapi)
        whose_told(o, m);
}

/* --- the door --- */

static struct vapi_proof proof_of(const struct http_request *r)
{
    return (struct vapi_proof){.authorization = http_header(r, "authorization"),
                               .secret = http_header(r, "x-vapi-secret"),
                               .signature = http_header(r, "x-signature"),
                               .timestamp = http_header(r, "x-timestamp")};
}

static struct vapi_auth auth_of(const struct node *n)
{
    return (struct vapi_auth){.secret = n->settings->vapi_secret, .hmac = n->settings->vapi_hmac};
}

/* A secret proves itself in the head. A signature is known to be one only with the body: once a long one came
 * that was none, no other is read for a while, and a report that is as long comes by asking (vapi_poll). */
static size_t body_max(const struct node *n, const struct http_request *r)
{
    struct vapi_auth auth = auth_of(n);
    struct vapi_proof proof = proof_of(r);

    switch (vapi_sign_could_be(&auth, &proof, unix_us() / 1000)) {
    case VAPI_BY_SECRET:
        return BODY_MAX;
    case VAPI_BY_HMAC:
        return clock_ms(loop_clock()) < atomic_load(&n->vapi->careful_ms) ? UNPROVED_MAX : BODY_MAX;
    default:
        return 0;
    }
}

size_t vapi_hooks_body_max(struct media_thread *t, const struct http_request *r)
{
    return rd_str_eq(http_path(r), RD_STR("/vapi/events")) ? body_max(t->node, r) : 0;
}

static void refuse_unsigned(struct media_thread *t, struct http_request *r)
{
    if (http_body(r).n > UNPROVED_MAX)
        atomic_store(&t->node->vapi->careful_ms, clock_ms(loop_clock()) + UNPROVED_MS);
    turn_away(t, r, "not_signed");
}

/* A signature is good once. Without one, a fact that is told again is known already. */
static bool is_repeated(struct node *n, enum vapi_trust trust, uint8_t mac[VAPI_MAC],
                        struct rd_str body)
{
    uint64_t now_ms = unix_us() / 1000;

    if (trust == VAPI_BY_SECRET)
        sha256(mac, body.p, body.n);
    return !digests_first(n->vapi->digests, mac, now_ms, now_ms + SEEN_MS);
}

/* What runs something is run once in the whole cluster; a fact that comes again is known already. */
static bool must_be_new(struct media_thread *t, enum vapi_trust trust, const struct vapi_message *m)
{
    return trust == VAPI_BY_HMAC && t->node->books &&
           (vapi_message_asks(m) || m->kind == VAPI_TRANSCRIPT);
}

static void take(struct media_thread *t, struct http_request *r, const struct vapi_wait *w)
{
    bool asks = vapi_message_asks(&w->m);
    struct vapi_call c;
    struct opening *o;

    if (w->once || !vapi_known_find(t->node->vapi->known, &w->m, clock_ms(loop_clock()), &c)) {
        o = wait_for(t, r, w, on_late);
        if (o)
            whose_ask(o);
        return;
    }
    if (!asks) {
        tell(t, r, w, &c);
        return;
    }
    o = wait_for(t, r, w, on_late);
    if (o)
        ask_script(o, &c);
}

void vapi_hooks_request(struct media_thread *t, struct http_request *r)
{
    struct vapi_auth auth = auth_of(t->node);
    struct vapi_proof proof = proof_of(r);
    struct vapi_wait w = {0};
    enum vapi_trust trust;

    if (http_body(r).n > UNPROVED_MAX && http_body(r).n > body_max(t->node, r)) {
        webhook_reply_text(r, 413,
                           "too long\n"); /* many were on their way when the first was none */
        return;
    }
    trust = vapi_sign_check(&auth, &proof, http_body(r), unix_us() / 1000, w.mac);
    if (trust == VAPI_REFUSED) {
        refuse_unsigned(t, r);
    } else if (vapi_message_read(&w.m, http_body(r))) {
        metric_add(M_REFUSED_BAD_REQUEST, 1);
        webhook_reply_text(r, 400, "no message of Vapi\n");
    } else if (w.m.kind == VAPI_OTHER) { /* nothing is done, so nothing is remembered */
        reply_json(r, RD_STR("{}"));
    } else if (is_repeated(t->node, trust, w.mac, http_body(r)) &&
               (trust == VAPI_BY_HMAC || !vapi_message_asks(&w.m))) {
        if (trust == VAPI_BY_HMAC)
            turn_away(t, r, "repeated");
        else
            reply_json(r, RD_STR("{}"));
    } else if (t->stopping) {
        forget(t->node, &w);
        webhook_reply_text(r, 503, "this node leaves\n");
    } else {
        w.once = must_be_new(t, trust, &w.m);
        take(t, r, &w);
    }
}
