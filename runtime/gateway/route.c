/* SPDX-License-Identifier: Apache-2.0 */
/* route.c - which system a call goes to.
 *
 *   webhook ─▶ what is known (routing.c, breakers, where it went before) ─▶ script: routing.lua ─▶
 *   OpenAI: a stream. Vapi: a redirect, after which the call is not ours any more, or for agents that
 *   bridge a stream as well
 *
 * A redirect must be the first and only verb, so it can only be for a caller whom nobody has answered.
 * For those it is also what follows when we cannot answer: no slot, a script that is late or failed.
 *
 * What was decided is a fact of the call. A fail-over, and an agent whose own decision breaks, are
 * alarms: calls are where nobody meant them to be. */
#include "gateway/route.h"
#include "gateway/meters.h"

#include "base/json.h"
#include "base/log.h"
#include "carriers/twilio/twiml.h"
#include "gateway/missed.h"
#include "gateway/routing.h"
#include "gateway/trial.h"
#include "gateway/vapi/hooks.h"
#include "gateway/voice.h"
#include "gateway/webhook.h"
#include "observe/catalogue.h"
#include "observe/metrics.h"
#include "observe/targets.h"

#include <stdio.h>

enum { URL_MAX = 1024, FIELDS = 9, BYPASS_MS = 4000, BYPASS_XML_MAX = 64 * 1024 };

bool route_is_ringing(struct rd_str call_status)
{
    return call_status.n == 0 || rd_str_eq(call_status, RD_STR("ringing"));
}

bool route_is_forced_to_vapi(struct media_thread *t, const struct agent_info *agent)
{
    const char *force =
        agent && agent->vapi_twiml && !agent->bridges ? routing_force(t->node->routing) : NULL;

    return force && strcmp(force, "vapi") == 0;
}

static bool is_down(const char *target)
{
    return target_wait_ms(target, clock_ms(loop_clock())) > 0;
}

/* Not when OpenAI was ordered: who did knows why. */
static bool may_fail_over(struct media_thread *t, const struct agent_info *agent, bool ringing)
{
    return agent && agent->vapi_twiml && !agent->bridges && agent->may_fail_over && ringing &&
           !is_down("vapi") && !routing_force(t->node->routing);
}

/* ---- what the decision is made from ---- */

static struct rd_str member(const struct json_value *form, const char *name)
{
    return json_get(form, name).raw;
}

int route_known(struct opening *o, struct rd_str form, const char *pinned, struct buf *out)
{
    struct routing_call c = {.agent = rd_str(o->agent->name), .pinned = pinned};
    struct json_value root;
    struct rd_str direction;

    if (!o->agent->vapi_twiml || json_parse(form, &root))
        return 0;
    direction = member(&root, "Direction");
    c.from =
        member(&root, rd_str_eq(direction, RD_STR("inbound")) || direction.n == 0 ? "From" : "To");
    o->ringing = route_is_ringing(member(&root, "CallStatus"));
    c.openai_down = is_down("openai") ? "breaker" : NULL;
    c.vapi_down = !o->ringing && !o->agent->bridges ? "answered"
                  : o->vapi_full                    ? "full"
                  : is_down("vapi")                 ? "breaker"
                                                    : NULL;
    return routing_known(o->thread->node->routing, &c, out);
}

/* ---- what was decided ---- */

/* One alarm for each agent and system that could not take a call, until it takes one. */
static void tell_failed_over(const char *agent, const char *system, const char *why)
{
    char subject[ALARM_SUBJECT], text[ALARM_TEXT];

    (void)snprintf(subject, sizeof(subject), "%.60s/%s", agent, system);
    if (!why) {
        alarm_clear("routing.failover", subject);
        return;
    }
    metric_add(M_CALLS_FAILED_OVER, 1);
    (void)snprintf(text, sizeof(text), "calls of %.60s for %s went to the other system: %.60s",
                   agent, system, why);
    alarm_raise(ALARM_CRITICAL, "routing.failover", subject, text,
                catalogue_fix("routing.", "failover"));
}

void route_fell(const char *agent)
{
    tell_failed_over(agent, "openai", "not_answered");
}

/* What the script said may name the caller: the records of the call have it, and they alone. */
static void tell_error(const char *agent, const char *call, bool failed)
{
    char text[ALARM_TEXT];

    if (!failed) {
        alarm_clear("routing.error", agent);
        return;
    }
    (void)snprintf(text, sizeof(text),
                   "where a call goes could not be decided; ringdown why %.64s says why", call);
    alarm_raise(ALARM_CRITICAL, "routing.error", agent, text, catalogue_fix("routing.", "error"));
}

/* Alarms name systems by constants, whatever was said. */
static const char *system_of(const struct json_value *v)
{
    return json_is(v, "vapi") ? "vapi" : "openai";
}

static void tell(const struct agent_info *agent, const char *call,
                 const struct json_value *decision)
{
    struct json_value first = json_get(decision, "first");
    struct json_value failover = json_get(decision, "failover");
    struct json_value why = json_get(decision, "first_reason");
    char word[64] = "";

    if (!agent->vapi_twiml)
        return;
    if (failover.type == JSON_STRING)
        (void)json_copy(&failover, word, sizeof(word));
    tell_failed_over(agent->name, system_of(&first), word[0] ? word : NULL);
    tell_error(agent->name, call, json_is(&why, "error"));
}

/* As JSON again: a string with its quotes, a number as it is. */
static struct json_member as_member(const char *key, const struct json_value *v)
{
    if (v->type == JSON_STRING)
        return J_RAW(key, ((struct rd_str){v->raw.p - 1, v->raw.n + 2}));
    return J_RAW(key, v->type == JSON_NUMBER ? v->raw : ((struct rd_str){NULL, 0}));
}

/* Of a script's word only what the records have a place for. */
static int take_members(struct json_member *out, const struct json_value *decision)
{
    static const char *const keys[] = {"first", "first_reason", "failover",   "detail",  "rollout",
                                       "unit",  "bucket",       "percent_bp", "key_hash"};
    int n = 0;

    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        struct json_value v = json_get(decision, keys[i]);

        out[n++] = as_member(keys[i], &v);
    }
    return n;
}

static void keep_decision(struct opening *o, const char *system, const struct json_value *decision,
                          const char *reason, const char *model)
{
    struct json_value word = json_get(decision, "reason");
    struct json_member m[FIELDS + 4] = {
        J_STR("system", system), J_STR("version", o->agent ? o->agent->version : NULL),
        J_STR("model", model),
        word.type == JSON_STRING ? as_member("reason", &word) : J_STR("reason", reason)};
    struct directory_view view;
    int n = 4 + take_members(m + 4, decision);

    if (!directory_get(o->thread->node->directory, o->call, &view))
        return;
    keep_call(o->thread->node->keep, &view, "decision", (struct json_members){m, n});
    if (o->agent)
        tell(o->agent, view.sid, decision);
}

void route_keep(struct opening *o, const struct message *opened, const struct brief *brief)
{
    struct node *n = o->thread->node;
    struct json_value decision = {.type = JSON_NONE};
    bool vapi = rd_str_eq(opened->s[0], RD_STR("vapi"));
    const char *model = NULL;

    if (brief && !vapi)
        model = brief->model && brief->model[0] ? brief->model : n->settings->openai_model;
    (void)json_parse(opened->s[3], &decision);
    directory_route(n->directory, o->call, vapi ? DIRECTORY_VAPI : DIRECTORY_OPENAI);
    keep_decision(o, vapi ? "vapi" : "openai", &decision, opened->s[1].p, model);
}

/* ---- Vapi's turn ---- */

static void log_redirected(const char *sid, const struct agent_info *agent, const char *reason)
{
    metric_add(M_CALLS_TO_VAPI, 1);
    meter_without_stream(agent ? agent->name : NULL, "sent");
    log_info("call.redirected", F_CALL(sid), F_STR("system", "vapi"),
             F_STR("agent", agent ? agent->name : ""), F_STR("reason", reason));
}

/* As the agent's own document, but where vapi.api is. False: it is nowhere. */
static bool write_redirect(const struct node *n, struct buf *xml)
{
    const char *api = n->settings->vapi_api;
    char url[URL_MAX];

    if (!api || !*api)
        return false;
    (void)snprintf(url, sizeof(url), "%s/twilio/inbound_call", api);
    return twiml_redirect(xml, url) == 0;
}

static void reply_redirect(struct media_thread *t, struct http_request *r,
                           const struct agent_info *agent)
{
    struct buf xml;

    buf_init(&xml, WEBHOOK_TWIML_MAX);
    webhook_reply_xml(r, write_redirect(t->node, &xml)
                             ? (struct rd_str){xml.data, xml.n}
                             : rd_str(agent ? agent->vapi_twiml : agent_default_fallback()));
    buf_fini(&xml);
}

/* From now on Vapi tells how it goes: whatever the carrier says to us, nobody was missed. `xml` empty: a
 * redirect. */
static void hand_over(struct opening *o, const char *reason, struct rd_str xml)
{
    struct node *n = o->thread->node;
    struct directory_view view = {0};

    (void)directory_get(n->directory, o->call, &view);
    (void)directory_settle(n->directory, o->call);
    vapi_hooks_expect(n, rd_str(view.sid), o->agent->name, rd_str(view.from), rd_str(view.to));
    log_redirected(view.sid, o->agent, reason);
    if (xml.n > 0)
        opening_reply(o, xml);
    else
        reply_redirect(o->thread, opening_answered(o), o->agent);
    opening_give_up(o, "redirected");
}

static void bypass_is_late(struct opening *o)
{
    hand_over(o, "bypass_late", RD_STR(""));
}

static void to_vapi(struct opening *o, const char *reason)
{
    struct directory_view view;

    if (o->agent->bypasses && o->request && !o->vapi_full &&
        directory_get(o->thread->node->directory, o->call, &view) &&
        vapi_hooks_bypass(o, &view, BYPASS_MS) == 0) {
        o->late = bypass_is_late;
        loop_timer_in(o->timer, BYPASS_MS);
        return;
    }
    hand_over(o, reason, RD_STR(""));
}

/* The word of routing.lua, whatever words the script had for it. */
void route_to_vapi(struct opening *o, const struct message *opened)
{
    struct json_value decision = {.type = JSON_NONE}, word;
    char reason[64] = "decided";

    route_keep(o, opened, NULL);
    (void)json_parse(opened->s[3], &decision);
    word = json_get(&decision, "reason");
    if (word.type == JSON_STRING)
        (void)json_copy(&word, reason, sizeof(reason));
    to_vapi(o, reason);
}

/* ---- the caller was answered ---- */

static void answered_is_late(struct opening *o)
{
    struct directory_view view;

    if (directory_get(o->thread->node->directory, o->call, &view))
        missed_call(o->thread->node, &view, MISSED_FAILED); /* unless they got through before */
    opening_fallback(o, "after_stream", NULL);
    opening_free(o);
}

static void go_on_at_vapi(struct opening *o, struct rd_str xml)
{
    struct node *n = o->thread->node;
    struct directory_view view = {0};

    if (directory_get(n->directory, o->call, &view))
        keep_call(n->keep, &view, "failover",
                  JSON_MEMBERS(J_STR("from_system", "openai"), J_STR("to_system", "vapi"),
                               J_STR("why", "not gone on with here")));
    directory_route(n->directory, o->call, DIRECTORY_VAPI);
    (void)directory_settle(n->directory, o->call);
    tell_failed_over(o->agent->name, "openai", "after_answer");
    vapi_hooks_expect(n, rd_str(view.sid), o->agent->name, rd_str(view.from), rd_str(view.to));
    log_redirected(view.sid, o->agent, "failover:after_answer");
    opening_reply(o, xml);
    opening_free(o);
}

bool route_fail_over_answered(struct media_thread *t, struct http_request *r,
                              const struct directory_view *view, struct agent_set *set,
                              const struct agent_info *agent)
{
    struct opening *o;

    /* Once: who is back from Vapi does not go there again. */
    if (t->stopping || view->trial == TRIAL_SYNTHETIC || view->system == DIRECTORY_VAPI ||
        view->legs == 0 || !agent || !agent->bypasses || !may_fail_over(t, agent, true))
        return false;
    o = opening_new(t, r, view->call, BYPASS_MS, answered_is_late);
    if (!o)
        return false;
    o->again = true;
    opening_set_agent(o, set, agent);
    if (vapi_hooks_bypass(o, view, BYPASS_MS))
        answered_is_late(o);
    return true;
}

/* ---- what came of asking Vapi ---- */

static void begun_at_vapi(struct opening *o, struct rd_str xml)
{
    if (o->late == answered_is_late)
        go_on_at_vapi(o, xml);
    else
        hand_over(o, "bypass", xml);
}

void route_bypassed(struct opening *o, struct rd_str reply)
{
    struct json_value root = {0}, v = {0};
    struct buf xml;

    if (o->late != bypass_is_late && o->late != answered_is_late)
        return; /* nobody waits for it */
    if (reply.n > 0 && json_parse(reply, &root) == 0)
        v = json_get(&root, "twiml");
    buf_init(&xml, BYPASS_XML_MAX);
    if (v.type == JSON_STRING && json_unescape(&v, &xml) == 0 && xml.n > 0) {
        begun_at_vapi(o, (struct rd_str){xml.data, xml.n});
        buf_fini(&xml);
        return;
    }
    buf_fini(&xml);
    if (o->late == answered_is_late) {
        answered_is_late(o);
        return;
    }
    v = json_get(&root, "full");
    o->vapi_full = v.type == JSON_TRUE;
    if (!o->vapi_full || !o->agent->may_fail_over || voice_ask_again(o))
        hand_over(o, "bypass_failed", RD_STR(""));
}

bool route_fail_over(struct opening *o, const char *why)
{
    struct node *n = o->thread->node;
    struct directory_view view;
    char reason[64];

    if (!o->request || !may_fail_over(o->thread, o->agent, o->ringing) ||
        !directory_get(n->directory, o->call, &view) || view.trial == TRIAL_SYNTHETIC)
        return false;
    (void)snprintf(reason, sizeof(reason), "failover:%.48s", why);
    keep_call(n->keep, &view, "decision",
              JSON_MEMBERS(J_STR("system", "vapi"), J_STR("reason", reason), J_STR("failover", why),
                           J_STR("version", o->agent->version),
                           J_STR("fix", catalogue_fix("call.", why))));
    directory_route(n->directory, o->call, DIRECTORY_VAPI);
    tell_failed_over(o->agent->name, "openai", why);
    to_vapi(o, reason);
    return true;
}

static void redirect(struct media_thread *t, struct http_request *r, struct form *form,
                     const struct agent_info *agent, const struct keep_refusal *why)
{
    struct keep_refusal k = *why;
    char sid[DIRECTORY_SID];

    k.sid = form_get(form, "CallSid");
    k.agent = rd_str(agent ? agent->name : NULL);
    k.from = webhook_word(form, "From");
    k.to = webhook_word(form, "To");
    k.direction = webhook_word(form, "Direction");
    k.system = "vapi";
    (void)rd_str_copy(sid, sizeof(sid), k.sid);
    vapi_hooks_expect(t->node, k.sid, agent ? agent->name : "", k.from, k.to);
    log_redirected(sid, agent, k.reason);
    keep_refused(t->node->keep, &k);
    reply_redirect(t, r, agent);
}

void route_unasked(struct media_thread *t, struct http_request *r, struct form *form,
                   const struct agent_info *agent, const char *reason)
{
    redirect(t, r, form, agent, &(struct keep_refusal){.reason = reason, .first = "vapi"});
}

bool route_refused(struct media_thread *t, struct http_request *r, struct form *form,
                   const struct agent_info *agent, const char *why)
{
    char reason[64];

    if (!may_fail_over(t, agent, route_is_ringing(form_get(form, "CallStatus"))))
        return false;
    (void)snprintf(reason, sizeof(reason), "failover:%.48s", why);
    tell_failed_over(agent->name, "openai", why);
    redirect(t, r, form, agent,
             &(struct keep_refusal){.reason = reason, .fix = catalogue_fix("call.", why)});
    return true;
}

void route_again(struct media_thread *t, struct http_request *r, const struct directory_view *view,
                 const struct agent_info *agent)
{
    log_redirected(view->sid, agent, "pinned");
    keep_call(t->node->keep, view, "decision",
              JSON_MEMBERS(J_STR("system", "vapi"), J_STR("reason", "pinned"),
                           J_STR("first", "vapi"), J_STR("first_reason", "pinned")));
    reply_redirect(t, r, agent);
}

void route_unassigned(struct media_thread *t, struct http_request *r, struct form *form)
{
    redirect(t, r, form, NULL, &(struct keep_refusal){.reason = "default", .first = "vapi"});
}
