/* SPDX-License-Identifier: Apache-2.0 */
/* line.c - from an accepted upgrade to a running call, and back to an empty slot.
 *
 * - upgrade: signature, token, single claim; then a carrier leg, the call core and a provider leg
 * (a warm one if there is), before the first frame arrives.
 * - while it runs: the core's events go to the script by credits (they cannot be lost), its records
 *   to the journal (keep.h) and to control (those may be lost), its timer is one loop timer.
 * - end: the intent is stored before the stream closes, the slot is given back when both legs let
 *   go. When the carrier took the caller to somebody else, or the stream broke, the call goes on
 *   without one: slot and script stay with the directory's entry, for resume.c.
 *
 * Failure modes: everything fails closed with an HTTP status and a counted, logged reason. */
#include "gateway/line_private.h"

#include "base/err.h"
#include "base/log.h"
#include "carriers/twilio/stream.h"
#include "gateway/adopt.h"
#include "gateway/claims.h"
#include "gateway/meters.h"
#include "gateway/missed.h"
#include "gateway/opening.h"
#include "gateway/peers.h"
#include "gateway/record_json.h"
#include "gateway/resume.h"
#include "gateway/tape.h"
#include "gateway/token.h"
#include "gateway/webhook.h"
#include "observe/metrics.h"
#include "providers/providers.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

enum { RECORD_MAX = 256 * 1024, LOGGED_NAME = 65, LOGGED_WORDS = 512 };

/* --- what the core asks of its surroundings --- */

/* The script knows; from now on the carrier's question may come on any thread. */
static void go_away(struct line *l)
{
    l->away = true;
    if (!directory_away(l->thread->node->directory, l->view.call, l->credits,
                        clock_ms(loop_clock())))
        webhook_tell_ended(l->credits, l->view.call, "lost");
    l->credits = NULL;
}

static int post_to_script(void *arg, const struct agent_event *e)
{
    struct line *l = arg;
    struct message *m;
    int rc;

    if (!l->credits)
        return RD_EGONE;
    m = message_new(MSG_CALL_EVENT, l->view.call, (struct rd_str[]){e->id, e->name, e->text}, 3);
    if (!m)
        return RD_EFULL;
    m->kind = (int)e->type;
    m->number = e->number;
    rc = credits_post(l->credits, m, e->type == AGENT_ENDED || e->type == AGENT_AWAY);
    if (e->type == AGENT_AWAY)
        go_away(l);
    return rc;
}

static const char *system_of(const struct line *l)
{
    return l->on_vapi ? vapi_provider.name : openai_provider.name;
}

static void count_record(const struct line *l, const struct record *r)
{
    const struct metered_call call = {
        .agent = l->view.agent, .system = system_of(l), .first = l->view.legs == 1};

    meter_record(&call, r);
}

static void log_end(const struct line *l, const struct record *r)
{
    const struct call_totals *c = r->totals;

    log_info("call.ended", F_CALL(l->view.sid), F_STR("agent", l->view.agent),
             F_STR("provider", system_of(l)), F_STR("reason", r->text.p),
             F_INT("dur_ms", c->duration_ms), F_INT("turns", c->turns),
             F_INT("barge_ins", c->barge_ins), F_INT("first_audio_ms", c->first_audio_ms),
             F_INT("frames_in", c->frames_in), F_INT("frames_out", c->frames_out),
             F_INT("gap_ms", c->gap_ms), F_INT("errors", c->errors));
}

/* An agent that names no model has the configured one. */
static struct record with_model(const struct line *l, const struct record *r)
{
    struct record whole = *r;

    if (r->type == RECORD_USAGE && r->name.n == 0)
        whole.name = rd_str(l->thread->node->settings->openai_model);
    return whole;
}

void line_tell(struct node *n, const struct directory_view *call, const struct record *r)
{
    struct message *m = NULL;
    struct rd_str text;
    struct buf json;

    buf_init(&json, RECORD_MAX);
    if (record_json(&json, call, r) == 0) {
        text = (struct rd_str){json.data, json.n};
        keep_record(n->keep, call, record_type_name(r->type), text);
        m = message_new(MSG_RECORD, call->call, &text, 1);
    }
    buf_fini(&json);
    if (!m)
        return;
    m->kind = (int)r->type;
    (void)mailbox_post(n->control, m);
}

static void post_record(struct line *l, const struct record *r)
{
    struct record whole = with_model(l, r);

    line_tell(l->thread->node, &l->view, &whole);
}

/* Perhaps Vapi takes the caller when the carrier asks what comes next; route.c tells if it does not. */
static bool may_be_taken(const struct line *l, const struct record *r)
{
    return r->reason == CALL_END_PROVIDER_FAILED && l->brief->other &&
           strcmp(l->brief->other, "bypass") == 0;
}

/* The core does not see the frames that its carrier leg dropped. */
static void on_end_record(struct line *l, const struct record *r)
{
    struct call_totals totals = *r->totals;
    struct record whole = *r;

    totals.bad_frames += twilio_stream_counts(l->leg).bad;
    whole.totals = &totals;
    log_end(l, &whole);
    directory_used(l->thread->node->directory, l->view.call, &totals.usage, totals.duration_ms);
    count_record(l, &whole);
    post_record(l, &whole);
    /* Who may come back in a moment has not missed anything yet: resume.c says so when they do not. */
    if (totals.opening_heard || (r->reason != CALL_END_CARRIER_LOST && !may_be_taken(l, r)))
        missed_call(l->thread->node, &l->view, missed_by_end(r->reason, totals.opening_heard));
}

/* For whoever watches a call: what happens in it, one line each. */
static void log_fact(const struct line *l, const struct record *r)
{
    char name[LOGGED_NAME], words[LOGGED_WORDS];

    if (!log_on(LOG_DEBUG))
        return;
    (void)rd_str_copy(name, sizeof(name), r->name);
    (void)rd_str_copy(words, sizeof(words), r->withheld ? RD_STR("") : r->text);
    log_debug("call.fact", F_CALL(l->view.sid), F_STR("type", record_type_name(r->type)),
              F_INT("at_ms", r->at_ms), F_WORDS("name", name), F_WORDS("words", words),
              F_INT("took_ms", r->took_ms));
}

static void on_record(void *arg, const struct record *r)
{
    if (r->type == RECORD_ENDED) {
        on_end_record(arg, r);
        return;
    }
    log_fact(arg, r);
    count_record(arg, r);
    post_record(arg, r);
}

static void on_timer(void *arg)
{
    struct line *l = arg;

    call_tick(l->call);
}

static void set_timer(void *arg, uint64_t at_ms)
{
    struct line *l = arg;

    if (at_ms)
        loop_timer_at(l->timer, at_ms);
    else
        loop_timer_stop(l->timer);
}

static enum directory_intent intent_of(enum call_end_reason why)
{
    switch (why) {
    case CALL_END_CALLER_HANGUP:
    case CALL_END_AGENT_HANGUP:
    case CALL_END_SILENCE:
    case CALL_END_MAX_DURATION:
    case CALL_END_OPERATOR:
        return INTENT_HANG_UP;
    case CALL_END_TRANSFERRED:
        return INTENT_AFTER_TRANSFER;
    case CALL_END_NODE_DRAINED:
        return INTENT_HAND_ON;
    case CALL_END_CARRIER_LOST:
        return INTENT_RESUME;
    case CALL_END_PROVIDER_FAILED:
    case CALL_END_SCRIPT_FAILED:
    case CALL_END_REFUSED:
    case CALL_END_SHUTDOWN:
        break;
    }
    return INTENT_FALLBACK;
}

static void on_closing(void *arg, enum call_end_reason why)
{
    struct line *l = arg;

    l->closed_us = clock_us(loop_clock());
    directory_intent(l->thread->node->directory, l->view.call, intent_of(why));
}

static void line_free(struct line *l)
{
    if (l->credits)
        credits_free(l->credits);
    if (l->tape)
        recording_end(l->tape, l->closed_us);
    loop_timer_free(l->timer);
    brief_unref(l->brief);
    free(l);
}

static void on_ended(void *arg, enum call_end_reason why)
{
    struct line *l = arg, **link = &l->thread->lines;
    struct media_thread *t = l->thread;
    struct directory_view view;
    struct credits *none;

    (void)why;
    while (*link && *link != l)
        link = &(*link)->next;
    if (*link)
        *link = l->next;
    if (!l->away)
        (void)directory_release(t->node->directory, l->view.call, false, &none, &view);
    atomic_fetch_sub(&t->n_lines, 1);
    line_free(l);
    media_thread_line_gone(t);
}

/* --- the beginning --- */

static void tell_script_attached(struct line *l)
{
    struct message *m = message_new(MSG_CALL_ATTACHED, l->view.call, NULL, 0);

    if (!m)
        return;
    m->number = l->thread->index;
    (void)credits_post(l->credits, m, false);
}

static struct provider_leg *open_openai(struct line *l, unsigned number,
                                        const struct provider_events *ev, struct call *c)
{
    struct openai_session s = {.brief = l->brief, .call_sid = l->view.sid, .number = number};
    struct provider_leg *leg = NULL;

    return openai_open(&leg, l->thread->openai, &s, ev, c) ? NULL : leg;
}

static struct provider_leg *open_vapi(struct line *l, unsigned number,
                                      const struct provider_events *ev, struct call *c)
{
    struct vapi_session s = {
        .brief = l->brief, .call_sid = l->view.sid, .from = l->view.from, .number = number};
    struct provider_leg *leg = NULL;

    return vapi_open(&leg, l->thread->vapi, &s, ev, c) ? NULL : leg;
}

static struct provider_leg *open_live(struct line *l, unsigned number,
                                      const struct provider_events *ev, struct call *c)
{
    struct live_session s = {.brief = l->brief, .call_sid = l->view.sid, .number = number};
    struct provider_leg *leg = NULL;

    return live_open(&leg, l->thread->live, &s, ev, c) ? NULL : leg;
}

/* A stream that is not the call's first counts its sessions from a thousand times its number, so that no
 * two of a call are the same. */
static struct provider_leg *open_leg(void *arg, const struct provider_ops **ops,
                                     const struct provider_events *ev, struct call *c)
{
    struct line *l = arg;
    unsigned number = (l->view.legs - 1) * 1000 + l->sessions++;

    bool live = !l->on_vapi && l->brief->api && strcmp(l->brief->api, "live") == 0;

    *ops = l->on_vapi ? &vapi_provider : live ? &live_provider : &openai_provider;
    call_meter(c, metric_slot(F_TURN_MS, l->view.agent, system_of(l), NULL));
    if (l->on_vapi)
        return open_vapi(l, number, ev, c);
    return live ? open_live(l, number, ev, c) : open_openai(l, number, ev, c);
}

/* Who could not go on is not asked again in this stream, so there is no way back. */
static struct provider_leg *open_other(void *arg, const struct provider_ops **ops,
                                       const struct provider_events *ev, struct call *c)
{
    struct line *l = arg;

    if (l->failed_over || !provider_find(l->brief->other))
        return NULL;
    l->failed_over = true;
    l->on_vapi = strcmp(l->brief->other, vapi_provider.name) == 0;
    directory_route(l->thread->node->directory, l->view.call,
                    l->on_vapi ? DIRECTORY_VAPI : DIRECTORY_OPENAI);
    return open_leg(l, ops, ev, c);
}

static void open_provider(struct line *l)
{
    const struct provider_ops *ops;
    struct provider_leg *leg = open_leg(l, &ops, &call_provider_events, l->call);

    call_set_provider(l->call, ops, leg);
}

static int start_call(struct line *l, struct brief *brief, struct carrier_leg *leg)
{
    struct call_opts o = {.call_sid = l->view.sid,
                          .brief = brief,
                          .clock = loop_clock(),
                          .carrier_ops = &twilio_carrier,
                          .carrier = leg,
                          .reopen = open_leg,
                          .other = open_other,
                          .agent = post_to_script,
                          .record = on_record,
                          .timer = set_timer,
                          .closing = on_closing,
                          .ended = on_ended,
                          .arg = l};
    int rc;

    l->leg = leg;
    l->brief = brief_ref(brief);
    l->on_vapi = brief->system && strcmp(brief->system, vapi_provider.name) == 0;
    if (brief->record)
        l->tape = tape_new(l->thread->node, &l->view);
    if (l->tape)
        o.tap = recording_tap(l->tape);
    rc = call_new(&l->call, &o);
    if (rc)
        return rc;
    twilio_stream_set_events(leg, &call_carrier_events, l->call);
    l->next = l->thread->lines;
    l->thread->lines = l;
    atomic_fetch_add(&l->thread->n_lines, 1);
    if (l->view.legs == 1)
        metric_add(M_CALLS_ANSWERED, 1);
    log_info(l->view.legs == 1 ? "call.started" : "call.returned", F_CALL(l->view.sid),
             F_STR("agent", l->view.agent), F_PHONE("from", l->view.from),
             F_PHONE("to", l->view.to));
    tell_script_attached(l);
    open_provider(l);
    return 0;
}

/* The claim is ours: whatever fails from here on gives the slot back. */
static int line_new(struct media_thread *t, struct directory_claim *claim, struct carrier_leg *leg)
{
    struct line *l = calloc(1, sizeof(*l));
    struct directory_view view;
    struct credits *none;
    int rc = l ? 0 : -ENOMEM;

    if (l) {
        l->thread = t;
        l->view = claim->view;
        l->credits = claim->credits;
        rc = loop_timer_new(&l->timer, t->loop, on_timer, l);
        if (!rc)
            rc = start_call(l, claim->brief, leg);
    }
    if (rc) {
        (void)directory_release(t->node->directory, claim->view.call, false, &none, &view);
        webhook_tell_ended(claim->credits, claim->view.call, "refused");
        if (l) {
            l->credits = NULL;
            line_free(l);
        }
    }
    brief_unref(claim->brief);
    return rc;
}

static int refuse(struct media_thread *t, enum metric_counter counter, struct http_request *r,
                  int status, const char *why, const char *fix)
{
    metric_add(counter, 1);
    if (media_thread_tells(t))
        log_warn("stream.refused", F_STR("peer", http_peer(r)), F_INT("status", status),
                 F_STR("reason", why), F_FIX(fix));
    return status;
}

static bool is_signed(struct media_thread *t, struct http_request *r)
{
    return twilio_upgrade_ok(&t->node->auth, http_target(r), http_header(r, "x-twilio-signature"));
}

/* Another process rang this call. It is taken over, unless it is here already: then the token is stale. */
static int upgrade_of_another(struct media_thread *t, struct http_request *r,
                              const struct token *token)
{
    struct directory_view view;

    if (directory_find(t->node->directory, rd_str(token->call_sid), &view) &&
        view.state != DIRECTORY_OVER)
        return refuse(t, M_REFUSED_TOKEN, r, 403, "token",
                      "none: the call went on here before this stream came");
    if (!adopt_stream(t, r, token))
        return refuse(t, M_REFUSED_TOKEN, r, 403, "token",
                      "it is of another node, and this one cannot take its calls: is there a "
                      "database?");
    return HTTP_UPGRADE_LATER;
}

int line_upgrade(struct media_thread *t, struct http_request *r, struct ws_accept *accept)
{
    static const struct rd_str prefix = {"/twilio/media/", 14};
    struct rd_str path = http_path(r), text;
    struct directory_claim claim;
    struct carrier_leg *leg;
    struct token token;

    if (path.n <= prefix.n || memcmp(path.p, prefix.p, prefix.n) != 0)
        return refuse(t, M_REFUSED_BAD_REQUEST, r, 404, "path",
                      "streams are at /twilio/media/<token>");
    if (t->stopping)
        return refuse(t, M_REFUSED_DRAINING, r, 503, "stopping",
                      "the node was told to end at once");
    if (!is_signed(t, r))
        return refuse(t, M_REFUSED_SIGNATURE, r, 403, "signature",
                      "public.url must be what Twilio connects to, the token current");
    text = (struct rd_str){path.p + prefix.n, path.n - prefix.n};
    if (token_read(&token, text, rd_str(t->node->settings->cluster_secret), (uint64_t)time(NULL)))
        return refuse(t, M_REFUSED_TOKEN, r, 403, "token",
                      "it is not ours, or older than a minute");
    if (token.node != t->node->id && peers_take_stream(t, r, token.node))
        return 0;
    if (token.node != t->node->id)
        return upgrade_of_another(t, r, &token);
    if (twilio_stream_new(&leg, t->loop, NULL, NULL))
        return refuse(t, M_REFUSED_FULL, r, 503, "memory",
                      "give the machine more memory or lower max_calls");
    if (directory_claim(t->node->directory, token.call, token.nonce, t->index, &claim)) {
        twilio_stream_free(leg);
        return refuse(t, M_REFUSED_TOKEN, r, 403, "claim",
                      "the token was used before, or the call is over");
    }
    if (line_new(t, &claim, leg)) {
        twilio_stream_free(leg);
        return refuse(t, M_REFUSED_FULL, r, 503, "memory",
                      "give the machine more memory or lower max_calls");
    }
    claims_stream_begins(t->node, claim.view.sid, token.nonce);
    twilio_stream_accept(leg, accept);
    return 0;
}

static struct line *find(struct media_thread *t, call_handle call)
{
    struct line *l = t->lines;

    while (l && l->view.call != call)
        l = l->next;
    return l;
}

/* The stream that waits is another node's call, and the script agreed. */
void line_adopt(struct opening *o, struct brief *brief)
{
    struct media_thread *t = o->thread;
    struct directory_claim claim;
    struct ws_accept accept = {0};
    struct carrier_leg *leg = NULL;
    uint64_t nonce = 1; /* nobody else hears of it */
    int rc = twilio_stream_new(&leg, t->loop, NULL, NULL);

    if (!rc)
        rc = directory_offer(t->node->directory, o->call, brief, nonce, clock_ms(loop_clock()));
    if (!rc)
        rc = directory_claim(t->node->directory, o->call, nonce, t->index, &claim);
    if (!rc)
        rc = line_new(t, &claim, leg);
    if (rc) {
        twilio_stream_free(leg);
        opening_fallback(o, "no_memory", NULL);
        opening_give_up(o, "no_memory");
        return;
    }
    twilio_stream_accept(leg, &accept);
    if (http_upgrade(opening_answered(o), &accept))
        call_end(find(t, claim.view.call)->call, CALL_END_CARRIER_LOST);
    opening_free(o);
}

/* --- commands --- */

static void script_failed(struct line *l, struct rd_str reason)
{
    log_error("call.script_failed", F_CALL(l->view.sid), F_STR("reason", reason.n ? reason.p : "?"),
              F_FIX("see the script's own error; the caller gets the fallback"));
    call_end(l->call, CALL_END_SCRIPT_FAILED);
}

void line_command(struct media_thread *t, struct message *m)
{
    struct line *l = find(t, m->call);

    if (m->kind == CMD_CARRIER_ENDED && resume_over(t->node, m->call, "caller_hangup"))
        return; /* it was taken to somebody else meanwhile */
    if (!l)
        return;
    switch ((enum call_command)m->kind) {
    case CMD_TOOL_RESULT:
        call_tool_result(l->call, m->s[0], m->s[1], m->number != 0);
        break;
    case CMD_SAY:
        call_say(l->call, m->s[0]);
        break;
    case CMD_INSTRUCT:
        call_instruct(l->call, m->s[0]);
        break;
    case CMD_HANG_UP:
        call_hang_up(l->call, CALL_END_AGENT_HANGUP);
        break;
    case CMD_PAUSE:
        call_pause(l->call, m->number != 0, m->s[0]);
        break;
    case CMD_KEEP_OPEN:
        call_keep_open(l->call, m->number != 0);
        break;
    case CMD_FALLBACK:
        script_failed(l, m->s[0]);
        break;
    case CMD_CARRIER_ENDED:
        call_end(l->call, CALL_END_CALLER_HANGUP);
        break;
    case CMD_STREAM_LOST:
        call_end(l->call, CALL_END_CARRIER_LOST);
        break;
    case CMD_CLAIMED:
        call_end(l->call, CALL_END_CARRIER_LOST);
        (void)resume_over(t->node, m->call, "claimed");
        break;
    case CMD_HAND_ON:
        call_hand_on(l->call, m->number != 0);
        break;
    case CMD_OPERATOR_END:
    case CMD_SPENT:
    case CMD_WHISPER:
    case CMD_TRANSFER:
    case CMD_TRANSFER_BEGUN:
    case CMD_TRANSFER_REFUSED:
        line_operator(l, m);
        break;
    case CMD_LOOKED: /* nobody here asks */
        break;
    }
}

void line_end_all(struct media_thread *t)
{
    struct line *l = t->lines;

    while (l) {
        struct line *next = l->next; /* call_end() may free l when its legs are gone already */

        call_end(l->call, CALL_END_SHUTDOWN);
        l = next;
    }
}
