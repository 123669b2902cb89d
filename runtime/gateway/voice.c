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
#include "gateway/numbers.h"
#include "gateway/opening.h"
#include "gateway/resume.h"
#include "gateway/webhook.h"
#include "observe/metrics.h"

#include <errno.h>

enum { CALL_CREDITS = 64 }; /* events a call may have waiting at its script */

static void on_late(struct opening *o)
{
    directory_intent(o->thread->node->directory, o->call, INTENT_FALLBACK);
    opening_fallback(o, "script_late", NULL);
    opening_give_up(o, "script_late");
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

static void answer_with_vapi(struct opening *o)
{
    log_info("call.redirected", F_STR("system", "vapi"), F_STR("agent", o->agent->name));
    opening_reply(o, rd_str(o->agent->vapi_twiml));
    opening_give_up(o, "redirected");
}

void voice_opened(struct media_thread *t, struct message *m)
{
    struct opening *o = opening_waiting(t, m->aux);

    if (!o)
        return; /* late: the caller has had the fallback */
    if (o->adopting) {
        adopt_opened(o, m);
    } else if (rd_str_eq(m->s[0], RD_STR("openai")) && m->brief) {
        keep_decision(o, "openai", m->s[1].p, m->brief);
        opening_offer(o, m->brief);
    } else if (rd_str_eq(m->s[0], RD_STR("vapi")) && o->agent && o->agent->vapi_twiml) {
        keep_decision(o, "vapi", m->s[1].p, NULL);
        answer_with_vapi(o);
    } else {
        directory_intent(t->node->directory, o->call, INTENT_FALLBACK);
        opening_fallback(o, m->s[1].n ? m->s[1].p : "script_failed",
                         "the agent's script failed; its error is in the log");
        opening_give_up(o, "script_failed");
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
                                    struct rd_str known)
{
    struct numbers_hit hit = {0};
    struct message *m;

    if (numbers_find(o->thread->node->numbers, to, &hit) &&
        !rd_str_eq(hit.agent, rd_str(o->agent->name)))
        hit.site.n = 0; /* it has just been assigned to somebody else */
    m = message_new(MSG_CALL_OPEN, o->call,
                    (struct rd_str[]){rd_str(o->agent->name), json, hit.site, known}, 4);
    numbers_let_go(&hit);
    return m;
}

/* Asks a script thread for a VM, with room for the call's events reserved there. The room becomes
 * the directory's last, because from then on Twilio's "completed" may take it away on any thread.
 */
int voice_ask_script(struct opening *o, struct rd_str to, struct rd_str form, struct rd_str known)
{
    struct node *n = o->thread->node;
    unsigned thread = atomic_fetch_add(&n->next_script, 1) % script_pool_size(n->scripts);
    struct mailbox *mb = script_pool_mailbox(n->scripts, thread);
    struct credits *credits;
    struct message *m;
    int rc = credits_new(&credits, mb, CALL_CREDITS);

    if (rc)
        return rc;
    m = open_message(o, to, form, known);
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

static int ask_script(struct opening *o, struct form *form)
{
    struct buf json;
    int rc;

    buf_init(&json, 256 * 1024);
    rc = form_to_json(form, &json);
    if (!rc)
        rc = voice_ask_script(o, form_get(form, "To"), (struct rd_str){json.data, json.n},
                              RD_STR(""));
    buf_fini(&json);
    return rc;
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
    if (ask_script(o, form) == 0)
        return;
    opening_fallback(o, "script_full", NULL);
    opening_give_up(o, "script_full");
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
    o = opening_new(t, r, call, (uint64_t)t->node->settings->script_deadline_ms, on_late);
    if (!o) {
        webhook_reply_fallback(t, r, agent, view.sid, "no_memory", NULL);
        return;
    }
    opening_set_agent(o, set, agent);
    opening_offer(o, NULL);
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
    webhook_missed(t, form, agent, missed_by_refusal(reason));
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
                                    .verstat = webhook_word(form, "StirVerstat"),
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
                               J_BOOL("repeated", rc == RD_ESTATE), J_STR("node", t->node->name),
                               J_INT("process", keep_process(t->node->keep)),
                               J_TEXT("account", webhook_word(form, "AccountSid")),
                               J_TEXT("verstat", a.verstat)));
    if (rc == RD_ESTATE)
        repeat_call(t, r, a.call, set, agent);
    else
        open_call(t, r, form, a.call, set, agent);
}

/* The number's fallback URL is this one: Twilio could not ask how a call goes on, and asks here. */
static bool is_about_resume(struct form *form)
{
    struct rd_str url = form_get(form, "ErrorUrl");

    return url.n > 0 && memmem(url.p, url.n, "/twilio/resume", strlen("/twilio/resume"));
}

void voice_request(struct media_thread *t, struct http_request *r, struct form *form)
{
    struct rd_str sid = form_get(form, "CallSid");
    struct agent_set *set = script_pool_agents(t->node->scripts);
    const struct agent_info *agent = webhook_agent_at(t, set, form_get(form, "To"));
    char sid_z[64];

    (void)rd_str_copy(sid_z, sizeof(sid_z), sid);
    if (is_about_resume(form)) {
        resume_request(t, r, form);
    } else if (!is_call_sid(sid)) {
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
