/* SPDX-License-Identifier: Apache-2.0 */
/* voice.c - POST /twilio/voice: who answers this call.
 *
 * Slot, agent, script; the answer is TwiML with a stream address, or with a redirect to Vapi.
 * Whatever is missing or late, the caller gets the fallback of the number: rendered when the agents
 * were loaded, served from here. How a webhook waits is in opening.c. */
#include "gateway/voice.h"

#include "base/err.h"
#include "base/log.h"
#include "base/now.h"
#include "gateway/adopt.h"
#include "gateway/budget.h"
#include "gateway/flood.h"
#include "gateway/meters.h"
#include "gateway/numbers.h"
#include "gateway/opening.h"
#include "gateway/question.h"
#include "gateway/resume.h"
#include "gateway/route.h"
#include "gateway/trial.h"
#include "gateway/webhook.h"
#include "observe/catalogue.h"
#include "observe/metrics.h"

#include <errno.h>
#include <stdlib.h>

enum { CALL_CREDITS = 64 }; /* events a call may have waiting at its script */
enum { FORM_MAX = 256 * 1024, ROUTES_MAX = 64 * 1024 };
enum { PIN_WAIT_MS = 250, PIN_BYTES = 64 };

/* Nobody will answer from here: the other system does, else the fallback. */
static void cannot_answer(struct opening *o, const char *why, const char *told, const char *fix)
{
    directory_intent(o->thread->node->directory, o->call, INTENT_FALLBACK);
    if (route_fail_over(o, why))
        return;
    meter_without_stream(o->agent ? o->agent->name : NULL, "fallback");
    opening_fallback(o, told, fix);
    opening_give_up(o, why);
}

static void on_late(struct opening *o)
{
    cannot_answer(o, "script_late", "script_late", NULL);
}

void voice_opened(struct media_thread *t, struct message *m)
{
    struct opening *o = opening_waiting(t, m->aux);

    if (!o)
        return; /* late: the caller has had the fallback */
    if (o->adopting) {
        adopt_opened(o, m);
    } else if (m->brief) {
        route_keep(o, m, m->brief);
        opening_offer(o, m->brief);
    } else if (rd_str_eq(m->s[0], RD_STR("vapi")) && o->agent && o->agent->vapi_twiml) {
        route_to_vapi(o, m);
    } else {
        cannot_answer(o, "script_failed", m->s[1].n ? m->s[1].p : "script_failed",
                      "the agent's script failed; its error is in the log");
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

/* With the site of the number that was called, if it was assigned to one. */
static struct message *open_message(struct opening *o, struct rd_str to, struct rd_str json,
                                    struct rd_str known, struct rd_str routes)
{
    struct numbers_hit hit = {0};
    struct message *m;

    if (numbers_find(o->thread->node->numbers, to, &hit) &&
        !rd_str_eq(hit.agent, rd_str(o->agent->name)))
        hit.site.n = 0; /* it has just been assigned to somebody else */
    m = message_new(MSG_CALL_OPEN, o->call,
                    (struct rd_str[]){rd_str(o->agent->name), json, hit.site, known, routes}, 5);
    numbers_let_go(&hit);
    return m;
}

/* Asks a script thread for a VM, with room for the call's events reserved there. The room becomes
 * the directory's last, because from then on Twilio's "completed" may take it away on any thread.
 */
static int post_open(struct opening *o, struct message *m)
{
    struct node *n = o->thread->node;
    unsigned thread = atomic_fetch_add(&n->next_script, 1) % script_pool_size(n->scripts);
    struct directory_view view;
    struct credits *credits;
    int rc = credits_new(&credits, script_pool_mailbox(n->scripts, thread), CALL_CREDITS);

    if (rc) {
        message_free(m);
        return rc;
    }
    m->number = o->thread->index;
    m->aux = o->number;
    m->kind = directory_get(n->directory, o->call, &view) && view.trial == TRIAL_SYNTHETIC;
    rc = credits_post(credits, m, false);
    if (rc)
        credits_free(credits);
    else if (!directory_set_script(n->directory, o->call, thread, credits))
        webhook_tell_ended(credits, o->call, "caller_hangup");
    return rc;
}

int voice_ask_script(struct opening *o, struct rd_str to, struct rd_str form, struct rd_str known)
{
    struct message *m = open_message(o, to, form, known, RD_STR(""));

    return m ? post_open(o, m) : -ENOMEM;
}

/* The form waits in `asks`, until it is known where the call went before, or nobody knows in time. */
static void ask_script(struct opening *o, const char *pinned)
{
    struct rd_str form = rd_str(o->asks);
    struct directory_view view = {0};
    struct message *m = NULL;
    struct buf routes;

    buf_init(&routes, ROUTES_MAX);
    (void)directory_get(o->thread->node->directory, o->call, &view);
    if (route_known(o, form, pinned, &routes))
        routes.n = 0; /* no memory: as the agent's file says */
    m = open_message(o, rd_str(view.to), form, RD_STR(""), (struct rd_str){routes.data, routes.n});
    buf_fini(&routes);
    free(o->form);
    o->form = o->agent->bypasses ? o->asks : NULL;
    if (!o->form)
        free(o->asks);
    o->asks = NULL;
    if (!m || post_open(o, m))
        cannot_answer(o, "script_full", "script_full", NULL);
    else
        loop_timer_in(o->timer, (uint64_t)o->thread->node->settings->script_deadline_ms);
}

int voice_ask_again(struct opening *o)
{
    struct credits *credits = directory_unset_script(o->thread->node->directory, o->call);

    if (!credits || !o->form)
        return RD_EGONE;
    webhook_tell_ended(credits, o->call, "redirected");
    o->asks = o->form;
    o->form = NULL;
    o->late = on_late;
    ask_script(o, NULL);
    return 0;
}

/* ---- a call that was sent somewhere before ---- */

static void ask_script_unpinned(struct opening *o)
{
    o->late = on_late;
    ask_script(o, NULL);
}

void voice_pinned(struct media_thread *t, struct message *m)
{
    static const char *const systems[] = {"openai", "vapi"};
    struct opening *o = opening_waiting(t, m->aux);
    const char *pinned = NULL;

    if (!o || o->late != ask_script_unpinned)
        return; /* too late */
    for (size_t i = 0; i < sizeof(systems) / sizeof(systems[0]); i++)
        if (rd_str_eq(m->s[0], rd_str(systems[i])))
            pinned = systems[i];
    o->late = on_late;
    ask_script(o, pinned);
}

/* The carrier repeats a webhook to any node, for as long as a day: the same call gets the same system.
 * Only where there are two does it matter. */
static bool asks_database(struct opening *o, const char *sid)
{
    if (!o->agent->vapi_twiml || !o->thread->node->books)
        return false;
    o->late = ask_script_unpinned;
    loop_timer_in(o->timer, PIN_WAIT_MS);
    return question_ask(o, "select call_pinned($1)", sid, PIN_BYTES, MSG_PINNED) == 0;
}

static int keep_form(struct opening *o, struct form *form)
{
    struct buf json;
    int rc;

    buf_init(&json, FORM_MAX);
    rc = form_to_json(form, &json);
    if (!rc && !buf_text(&json))
        rc = -ENOMEM;
    o->asks = rc ? NULL : strdup(json.data);
    buf_fini(&json);
    return o->asks ? 0 : -ENOMEM;
}

static void open_call(struct media_thread *t, struct http_request *r, struct form *form,
                      call_handle call, struct agent_set *set, const struct agent_info *agent)
{
    struct opening *o =
        opening_new(t, r, call, (uint64_t)t->node->settings->script_deadline_ms, on_late);
    struct directory_view view = {0};
    struct credits *credits;

    if (!o) {
        (void)directory_release(t->node->directory, call, true, &credits, &view);
        webhook_reply_fallback(t, r, agent, view.sid, "no_memory", NULL);
        return;
    }
    opening_set_agent(o, set, agent);
    o->ringing = route_is_ringing(form_get(form, "CallStatus"));
    if (keep_form(o, form)) {
        cannot_answer(o, "script_full", "script_full", NULL);
        return;
    }
    (void)directory_get(t->node->directory, call, &view);
    if (view.trial == TRIAL_SYNTHETIC || !asks_database(o, view.sid))
        ask_script_unpinned(o);
}

/* Twilio repeats a webhook it had no answer to: the same call gets a new address, or Vapi again. */
static void repeat_call(struct media_thread *t, struct http_request *r, call_handle call,
                        struct agent_set *set, const struct agent_info *agent)
{
    struct directory_view view = {0};
    struct opening *o;

    (void)directory_get(t->node->directory, call, &view);
    if (view.system == DIRECTORY_VAPI && agent->vapi_twiml && !agent->bridges) {
        route_again(t, r, &view, agent);
        return;
    }
    if (view.state != DIRECTORY_OFFERED || t->stopping) {
        webhook_reply_fallback(t, r, agent, view.sid, "repeated_webhook", NULL);
        return;
    }
    o = opening_new(t, r, call, (uint64_t)t->node->settings->script_deadline_ms, on_late);
    if (!o) {
        webhook_reply_fallback(t, r, agent, view.sid, "no_memory", NULL);
        return;
    }
    opening_set_agent(o, set, agent);
    opening_offer(o, NULL);
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
                             .trial = trial_name(trial_of(&t->node->auth, form)),
                             .reason = reason,
                             .fix = fix};

    keep_refused(t->node->keep, &k);
}

/* The other system is no way out for one caller who calls too often, nor for money that is spent. */
static bool may_go_elsewhere(const char *reason)
{
    return strcmp(reason, "caller_full") != 0 && strcmp(reason, "budget") != 0;
}

static void refuse(struct media_thread *t, struct http_request *r, struct form *form,
                   const struct agent_info *agent, const char *reason, const char *fix)
{
    char sid[DIRECTORY_SID];

    if (may_go_elsewhere(reason) && trial_of(&t->node->auth, form) != TRIAL_SYNTHETIC &&
        route_refused(t, r, form, agent, reason))
        return;
    (void)rd_str_copy(sid, sizeof(sid), form_get(form, "CallSid"));
    meter_without_stream(agent ? agent->name : NULL, "fallback");
    keep_refusal(t, form, agent, "fallback", reason, fix);
    webhook_missed(t, form, agent, missed_by_refusal(reason));
    webhook_reply_fallback(t, r, agent, sid, reason, fix);
}

/* Not answered, so it costs nothing, and tells the fallback's telephone nothing either. */
static void reject(struct media_thread *t, struct http_request *r, struct form *form,
                   const struct agent_info *agent)
{
    char sid[DIRECTORY_SID], from[DIRECTORY_NUMBER];
    const char *fix = catalogue_fix("call.", "flood");

    (void)rd_str_copy(sid, sizeof(sid), form_get(form, "CallSid"));
    (void)rd_str_copy(from, sizeof(from), form_get(form, "From"));
    metric_add(M_REFUSED_CALLER_FLOOD, 1);
    meter_without_stream(agent->name, "busy");
    if (media_thread_tells(t))
        log_warn("call.flood", F_CALL(sid), F_STR("agent", agent->name), F_PHONE("from", from),
                 F_FIX(fix));
    keep_refusal(t, form, agent, "fallback", "flood", fix);
    webhook_reply_xml(r, RD_STR("<Response><Reject reason=\"busy\"/></Response>"));
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
                                    .verstat = webhook_word(form, "StirVerstat"),
                                    .trial = (int)trial_of(&t->node->auth, form),
                                    .now_ms = clock_ms(loop_clock()),
                                    .now_unix_us = unix_us()};
    struct directory_view view;
    int rc;

    if (!gate_lets_in(t, r, form, agent))
        return;
    rc = directory_admit(t->node->directory, &a);
    if (rc == RD_EFULL && a.refusal == REFUSAL_CALLER_FULL &&
        flood_counts(t->node->flood, a.from, a.now_ms)) {
        reject(t, r, form, agent);
        return;
    }
    if (rc == RD_EFULL) {
        metric_add(refusals[a.refusal].counter, 1);
        refuse(t, r, form, agent, refusals[a.refusal].reason, refusals[a.refusal].fix);
        return;
    }
    if (directory_get(t->node->directory, a.call, &view))
        keep_call(t->node->keep, &view, "webhook",
                  JSON_MEMBERS(J_STR("kind", "voice"), J_STR("status", "ringing"),
                               J_TEXT("direction", webhook_word(form, "Direction")),
                               J_BOOL("repeated", rc == RD_ESTATE), J_STR("node", t->node->name),
                               J_INT("process", keep_process(t->node->keep)),
                               J_TEXT("account", webhook_word(form, "AccountSid")),
                               J_TEXT("verstat", a.verstat),
                               J_STR("trial", trial_name((enum trial)a.trial))));
    if (rc == RD_ESTATE)
        repeat_call(t, r, a.call, set, agent);
    else
        open_call(t, r, form, a.call, set, agent);
}

/* A new call of an agent that has cost what it may today. Calls that go on, and what Twilio asks again,
 * are not touched. */
static bool is_spent(struct media_thread *t, struct form *form, const struct agent_info *agent)
{
    struct directory_view view;

    return agent && budget_is_spent(t->node->budget, rd_str(agent->name), unix_us() / 1000000) &&
           !directory_find(t->node->directory, form_get(form, "CallSid"), &view);
}

/* The number's fallback URL is this one: Twilio could not ask how a call goes on, and asks here. */
static bool is_about_resume(struct form *form)
{
    struct rd_str url = form_get(form, "ErrorUrl");

    return url.n > 0 && memmem(url.p, url.n, "/twilio/resume", strlen("/twilio/resume"));
}

/* Force goes before where the call went earlier, if only other nodes or the database know that: it waits
 * for nobody. */
void voice_request(struct media_thread *t, struct http_request *r, struct form *form)
{
    struct rd_str sid = form_get(form, "CallSid");
    struct agent_set *set = script_pool_agents(t->node->scripts);
    const struct agent_info *agent = webhook_agent_at(t, set, form_get(form, "To"));
    struct directory_view view;

    if (is_about_resume(form)) {
        resume_request(t, r, form);
    } else if (!is_call_sid(sid)) {
        webhook_reply_text(r, 400, "CallSid is missing or is none\n");
    } else if (is_spent(t, form, agent)) {
        metric_add(M_REFUSED_BUDGET, 1);
        refuse(t, r, form, agent, "budget", catalogue_fix("call.", "budget"));
    } else if (route_is_forced_to_vapi(t, agent) &&
               trial_of(&t->node->auth, form) != TRIAL_SYNTHETIC &&
               !directory_find(t->node->directory, sid, &view)) {
        route_unasked(t, r, form, agent, "force");
    } else if (!agent && webhook_is_vapis(t, form_get(form, "To"))) {
        route_unassigned(t, r, form);
    } else if (!agent) {
        metric_add(M_REFUSED_NO_AGENT, 1);
        refuse(t, r, form, NULL, "no_agent",
               "no loaded agent has this number: add it to the agent's `numbers`");
    } else {
        admit(t, r, form, set, agent);
    }
    agent_set_unref(set);
}
