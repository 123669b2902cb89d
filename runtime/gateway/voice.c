/* SPDX-License-Identifier: Apache-2.0 */
/* voice.c - POST /twilio/voice: who answers this call.
 *
 * Slot, agent, script; the answer is TwiML with a stream address, or with a redirect to Vapi.
 * Whatever is missing or late, the caller gets the fallback of the number: rendered when the agents
 * were loaded, served from here.
 *
 * An `opening` is a webhook that waits for its script, and then an offer that waits for its stream.
 */
#include "gateway/voice.h"

#include "base/err.h"
#include "base/log.h"
#include "base/now.h"
#include "carriers/twilio/twiml.h"
#include "gateway/token.h"
#include "gateway/webhook.h"
#include "observe/metrics.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
    CALL_CREDITS = 64,      /* events a call may have waiting at its script */
    STREAM_WAIT_MS = 20000, /* TwiML answered, but no stream came */
};

struct opening {
    struct opening *next;
    struct media_thread *thread;
    struct loop_timer *timer;
    struct http_request *request; /* borrows; NULL once answered or gone */
    uint64_t number, began_us;
    uint64_t nonce; /* of the address that was handed out */
    call_handle call;
    struct agent_set *agents; /* refs; keeps `agent` alive */
    const struct agent_info *agent;
};

static void opening_free(struct opening *o)
{
    struct opening **link = &o->thread->openings;

    while (*link && *link != o)
        link = &(*link)->next;
    if (*link)
        *link = o->next;
    if (o->request)
        http_set_user(o->request, NULL);
    loop_timer_free(o->timer);
    agent_set_unref(o->agents);
    free(o);
}

static struct opening *opening_by_number(struct media_thread *t, uint64_t number)
{
    struct opening *o = t->openings;

    while (o && o->number != number)
        o = o->next;
    return o;
}

static void give_up(struct opening *o, const char *why)
{
    struct directory_view view;
    struct credits *credits;

    if (directory_release(o->thread->node->directory, o->call, true, &credits, &view))
        webhook_tell_ended(credits, o->call, why);
    opening_free(o);
}

/* Who waited gets the fallback; what was decided is kept with the call. */
static void answer_with_fallback(struct opening *o, const char *why, const char *fix)
{
    struct directory_view view = {0};

    (void)directory_get(o->thread->node->directory, o->call, &view);
    webhook_reply_fallback(o->thread, o->request, o->agent, view.sid, why, fix);
    o->request = NULL;
}

/* Either the script is late, or the stream never came. */
static void on_opening_timeout(void *arg)
{
    struct opening *o = arg;
    struct directory_view view = {0};

    (void)directory_get(o->thread->node->directory, o->call, &view);
    if (o->request) {
        directory_intent(o->thread->node->directory, o->call, INTENT_FALLBACK);
        answer_with_fallback(o, "script_late", NULL);
        give_up(o, "script_late");
        return;
    }
    if (view.state == DIRECTORY_OFFERED && view.nonce == o->nonce) {
        log_warn(
            "stream.never_came", F_CALL(view.sid),
            F_FIX(
                "the carrier did not connect to public.url; is it reachable as wss from outside?"));
        give_up(o, "no_stream");
        return;
    }
    opening_free(o); /* a stream took it, or a later address is out */
}

static struct opening *opening_new(struct media_thread *t, struct http_request *r, call_handle call)
{
    struct opening *o = calloc(1, sizeof(*o));

    if (!o)
        return NULL;
    o->thread = t;
    if (loop_timer_new(&o->timer, t->loop, on_opening_timeout, o)) {
        free(o);
        return NULL;
    }
    o->request = r;
    o->number = t->next_request++;
    o->began_us = clock_us(loop_clock());
    o->call = call;
    o->next = t->openings;
    t->openings = o;
    http_set_user(r, o);
    loop_timer_in(o->timer, (uint64_t)t->node->settings->script_deadline_ms);
    return o;
}

void voice_gone(struct media_thread *t, struct http_request *r)
{
    struct opening *o = http_user(r);

    (void)t;
    if (!o)
        return;
    o->request = NULL;
    give_up(o, "webhook_gone");
}

void voice_end_all(struct media_thread *t)
{
    while (t->openings) {
        struct opening *o = t->openings;

        if (o->request)
            answer_with_fallback(o, "shutdown", NULL);
        give_up(o, "shutdown");
    }
}

/* --- POST /twilio/voice --- */

static int offer(struct opening *o, struct brief *brief, struct buf *twiml)
{
    struct node *n = o->thread->node;
    struct token token = {
        .node = n->id, .call = o->call, .expires_unix_s = (uint64_t)time(NULL) + TOKEN_LIFE_S};
    struct directory_view view;
    char text[TOKEN_MAX], *url;
    int rc;

    if (!directory_get(n->directory, o->call, &view) ||
        random_bytes(&token.nonce, sizeof(token.nonce)))
        return RD_EGONE;
    (void)rd_str_copy(token.call_sid, sizeof(token.call_sid), rd_str(view.sid));
    rc = token_write(text, &token, rd_str(n->settings->cluster_secret));
    if (rc)
        return rc;
    rc = directory_offer(n->directory, o->call, brief, token.nonce);
    if (rc)
        return rc;
    o->nonce = token.nonce;
    if (asprintf(&url, "%s%s", n->stream_base, text) < 0)
        return -ENOMEM;
    rc = twiml_stream(twiml, url, n->resume_url);
    free(url);
    return rc;
}

/* Which system the call runs on, and why; at the first offer only. */
static void keep_decision(struct opening *o, const char *system, const char *reason,
                          const struct brief *brief)
{
    struct node *n = o->thread->node;
    struct directory_view view;
    const char *model = NULL;

    if (brief)
        model = brief->model && brief->model[0] ? brief->model : n->settings->openai_model;
    if (directory_get(n->directory, o->call, &view))
        keep_call(n->keep, &view, "decision",
                  JSON_MEMBERS(J_STR("system", system), J_STR("reason", reason),
                               J_STR("version", o->agent ? o->agent->version : NULL),
                               J_STR("model", model)));
}

static void answer_with_stream(struct opening *o, struct brief *brief)
{
    struct buf twiml;

    buf_init(&twiml, WEBHOOK_TWIML_MAX);
    if (offer(o, brief, &twiml) == 0) {
        metric_observe(H_WEBHOOK_US, clock_us(loop_clock()) - o->began_us);
        webhook_reply_xml(o->request, (struct rd_str){twiml.data, twiml.n});
        o->request = NULL;
        loop_timer_in(o->timer, STREAM_WAIT_MS);
    } else {
        answer_with_fallback(o, "no_token", NULL);
        give_up(o, "no_token");
    }
    buf_fini(&twiml);
}

static void answer_with_vapi(struct opening *o)
{
    log_info("call.redirected", F_STR("system", "vapi"), F_STR("agent", o->agent->name));
    webhook_reply_xml(o->request, rd_str(o->agent->vapi_twiml));
    o->request = NULL;
    give_up(o, "redirected");
}

void voice_opened(struct media_thread *t, struct message *m)
{
    struct opening *o = opening_by_number(t, m->aux);

    if (!o || !o->request)
        return; /* late: the caller has had the fallback */
    if (rd_str_eq(m->s[0], RD_STR("openai")) && m->brief) {
        keep_decision(o, "openai", m->s[1].p, m->brief);
        answer_with_stream(o, m->brief);
    } else if (rd_str_eq(m->s[0], RD_STR("vapi")) && o->agent && o->agent->vapi_twiml) {
        keep_decision(o, "vapi", m->s[1].p, NULL);
        answer_with_vapi(o);
    } else {
        directory_intent(t->node->directory, o->call, INTENT_FALLBACK);
        answer_with_fallback(o, m->s[1].n ? m->s[1].p : "script_failed",
                             "the agent's script failed; its error is in the log");
        give_up(o, "script_failed");
    }
}

static bool is_call_sid(struct rd_str s)
{
    if (s.n != 34 || memcmp(s.p, "CA", 2) != 0)
        return false;
    for (size_t i = 2; i < s.n; i++)
        if (!((s.p[i] >= '0' && s.p[i] <= '9') || (s.p[i] >= 'a' && s.p[i] <= 'f')))
            return false;
    return true;
}

/* Asks a script thread for a VM, with room for the call's events reserved there. The room becomes
 * the directory's last, because from then on Twilio's "completed" may take it away on any thread.
 */
static int ask_script(struct opening *o, struct form *form)
{
    struct node *n = o->thread->node;
    unsigned thread = atomic_fetch_add(&n->next_script, 1) % script_pool_size(n->scripts);
    struct mailbox *mb = script_pool_mailbox(n->scripts, thread);
    struct credits *credits;
    struct message *m;
    struct buf json;
    int rc;

    buf_init(&json, 256 * 1024);
    rc = form_to_json(form, &json);
    if (!rc)
        rc = credits_new(&credits, mb, CALL_CREDITS);
    if (rc) {
        buf_fini(&json);
        return rc;
    }
    m = message_new(MSG_CALL_OPEN, o->call,
                    (struct rd_str[]){rd_str(o->agent->name), {json.data, json.n}}, 2);
    buf_fini(&json);
    if (!m) {
        credits_free(credits);
        return -ENOMEM;
    }
    m->number = o->thread->index;
    m->aux = o->number;
    rc = credits_post(credits, m, false);
    if (rc)
        credits_free(credits);
    else if (!directory_set_script(n->directory, o->call, thread, credits))
        webhook_tell_ended(credits, o->call, "caller_hangup");
    return rc;
}

static void open_call(struct media_thread *t, struct http_request *r, struct form *form,
                      call_handle call, struct agent_set *set, const struct agent_info *agent)
{
    struct opening *o = opening_new(t, r, call);
    struct directory_view view = {0};
    struct credits *credits;

    if (!o) {
        (void)directory_release(t->node->directory, call, true, &credits, &view);
        webhook_reply_fallback(t, r, agent, view.sid, "no_memory", NULL);
        return;
    }
    o->agents = agent_set_ref(set);
    o->agent = agent;
    if (ask_script(o, form) == 0)
        return;
    http_set_user(r, NULL);
    answer_with_fallback(o, "script_full", NULL);
    give_up(o, "script_full");
}

/* Twilio repeats a webhook it had no answer to: the same call gets a new address. */
static void repeat_call(struct media_thread *t, struct http_request *r, call_handle call,
                        struct agent_set *set, const struct agent_info *agent)
{
    struct directory_view view = {0};
    struct opening *o;

    if (!directory_get(t->node->directory, call, &view) || view.state != DIRECTORY_OFFERED ||
        t->stopping) {
        webhook_reply_fallback(t, r, agent, view.sid, "repeated_webhook", NULL);
        return;
    }
    o = opening_new(t, r, call);
    if (!o) {
        webhook_reply_fallback(t, r, agent, view.sid, "no_memory", NULL);
        return;
    }
    o->agents = agent_set_ref(set);
    o->agent = agent;
    http_set_user(r, NULL);
    answer_with_stream(o, NULL);
}

/* The operator's force switch works with nothing else working: no slot, no script. */
static bool is_forced_to_vapi(const struct media_thread *t, const struct agent_info *agent)
{
    return agent && agent->vapi_twiml && strcmp(t->node->settings->force, "vapi") == 0;
}

/* Each refusal with the number that counts it and the remedy. */
static const struct {
    enum metric_counter counter;
    const char *reason, *fix;
} refusals[] = {
    [REFUSAL_DRAINING] = {M_REFUSED_DRAINING, "draining",
                          "the node is told to stop: another one should answer"},
    [REFUSAL_FULL] = {M_REFUSED_FULL, "full",
                      "all slots are taken: raise max_calls, or add a node"},
    [REFUSAL_AGENT_FULL] = {M_REFUSED_AGENT_FULL, "agent_full",
                            "the agent has as many calls as it wants: raise its limits.calls"},
    [REFUSAL_RATE_LIMIT] = {M_REFUSED_RATE_LIMIT, "rate_limit",
                            "the model's tokens per minute are used up: raise the limit with "
                            "OpenAI, or let shorter prompts and openai.context save some"},
    [REFUSAL_CALLER_FULL] = {M_REFUSED_CALLER_FULL, "caller_full",
                             "this number has too many calls at once: raise max_calls_per_caller "
                             "when they are wanted"},
};

/* A call that never came in: who it was, and what it was told, is kept all the same. */
static void keep_refusal(struct media_thread *t, struct form *form, const struct agent_info *agent,
                         const char *system, const char *reason, const char *fix)
{
    struct keep_refusal k = {.sid = form_get(form, "CallSid"),
                             .agent = rd_str(agent ? agent->name : NULL),
                             .from = webhook_word(form, "From"),
                             .to = webhook_word(form, "To"),
                             .direction = webhook_word(form, "Direction"),
                             .system = system,
                             .reason = reason,
                             .fix = fix};

    keep_refused(t->node->keep, &k);
}

static void refuse(struct media_thread *t, struct http_request *r, struct form *form,
                   const struct agent_info *agent, const char *reason, const char *fix)
{
    char sid[DIRECTORY_SID];

    (void)rd_str_copy(sid, sizeof(sid), form_get(form, "CallSid"));
    keep_refusal(t, form, agent, "fallback", reason, fix);
    webhook_reply_fallback(t, r, agent, sid, reason, fix);
}

/* False when somebody else would rather not: then the caller has had the fallback. A call that is
 * known already is in. */
static bool gate_lets_in(struct media_thread *t, struct http_request *r, struct form *form,
                         const struct agent_info *agent)
{
    const struct voice_gate *g = &t->node->gate;
    const char *reason = "refused", *fix = "";
    struct directory_view view;

    if (!g->admits || g->admits(g->arg, &reason, &fix) ||
        directory_find(t->node->directory, form_get(form, "CallSid"), &view))
        return true;
    refuse(t, r, form, agent, reason, fix);
    return false;
}

static void admit(struct media_thread *t, struct http_request *r, struct form *form,
                  struct agent_set *set, const struct agent_info *agent)
{
    struct directory_admission a = {.sid = form_get(form, "CallSid"),
                                    .agent = rd_str(agent->name),
                                    .agent_max = agent->max_calls,
                                    .from = form_get(form, "From"),
                                    .to = form_get(form, "To"),
                                    .now_ms = clock_ms(loop_clock()),
                                    .now_unix_us = unix_us()};
    struct directory_view view;
    int rc;

    if (!gate_lets_in(t, r, form, agent))
        return;
    rc = directory_admit(t->node->directory, &a);
    if (rc == RD_EFULL) {
        metric_add(refusals[a.refusal].counter, 1);
        refuse(t, r, form, agent, refusals[a.refusal].reason, refusals[a.refusal].fix);
        return;
    }
    if (directory_get(t->node->directory, a.call, &view))
        keep_call(t->node->keep, &view, "webhook",
                  JSON_MEMBERS(J_STR("kind", "voice"), J_STR("status", "ringing"),
                               J_TEXT("direction", webhook_word(form, "Direction")),
                               J_BOOL("repeated", rc == RD_ESTATE), J_STR("node", t->node->name)));
    if (rc == RD_ESTATE)
        repeat_call(t, r, a.call, set, agent);
    else
        open_call(t, r, form, a.call, set, agent);
}

void voice_request(struct media_thread *t, struct http_request *r, struct form *form)
{
    struct rd_str sid = form_get(form, "CallSid");
    struct agent_set *set = script_pool_agents(t->node->scripts);
    const struct agent_info *agent = webhook_agent_for(set, form_get(form, "To"));
    char sid_z[64];

    (void)rd_str_copy(sid_z, sizeof(sid_z), sid);
    if (!is_call_sid(sid)) {
        webhook_reply_text(r, 400, "CallSid is missing or is none\n");
    } else if (is_forced_to_vapi(t, agent)) {
        log_info("call.redirected", F_CALL(sid_z), F_STR("system", "vapi"),
                 F_STR("reason", "force"));
        keep_refusal(t, form, agent, "vapi", "force", NULL);
        webhook_reply_xml(r, rd_str(agent->vapi_twiml));
    } else if (!agent) {
        metric_add(M_REFUSED_NO_AGENT, 1);
        refuse(t, r, form, NULL, "no_agent",
               "no loaded agent has this number: add it to the agent's `numbers`");
    } else {
        admit(t, r, form, set, agent);
    }
    agent_set_unref(set);
}
