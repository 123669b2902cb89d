/* SPDX-License-Identifier: Apache-2.0 */
/* webhook.c - the routes of the public listener.
 *
 * POST /twilio/voice: who answers; voice.c. POST /twilio/resume: what follows the stream or a <Dial>,
 * POST /twilio/accept: does who was dialled take the call; resume.c. POST /twilio/status: the call is
 * over for Twilio; so it is for us; or how far a text came. POST /twilio/sms: a text; texts.c. All
 * need a good signature. POST /vapi/events: vapi/hooks.c. GET /livez: this thread answers; GET /readyz: new calls
 * are welcome, for a balancer that reaches this port alone. */
#include "gateway/webhook.h"

#include "base/err.h"
#include "base/log.h"
#include "gateway/flood.h"
#include "gateway/numbers.h"
#include "gateway/peers.h"
#include "gateway/resume.h"
#include "gateway/texts.h"
#include "gateway/trial.h"
#include "gateway/vapi/hooks.h"
#include "gateway/voice.h"
#include "observe/catalogue.h"
#include "observe/metrics.h"

/* --- answers --- */

void webhook_reply_xml(struct http_request *r, struct rd_str xml)
{
    http_reply(r, 200, "text/xml; charset=utf-8", xml);
}

void webhook_reply_text(struct http_request *r, int status, const char *text)
{
    http_reply(r, status, "text/plain; charset=utf-8", rd_str(text));
}

struct rd_str webhook_word(struct form *form, const char *name)
{
    struct rd_str s = form_get(form, name);

    if (s.n > WEBHOOK_WORD_MAX)
        s.n = WEBHOOK_WORD_MAX;
    return s;
}

static const char *fallback_of(const struct agent_info *agent)
{
    return agent ? agent->fallback_twiml : agent_default_fallback();
}

void webhook_reply_fallback(struct media_thread *t, struct http_request *r,
                            const struct agent_info *agent, const char *sid, const char *why,
                            const char *fix)
{
    struct directory_view view;

    if (!fix)
        fix = catalogue_fix("call.", why);
    metric_add(M_CALLS_FALLBACK, 1);
    log_error("call.fallback", F_CALL(sid), F_STR("reason", why), F_FIX(fix));
    if (directory_find(t->node->directory, rd_str(sid), &view))
        keep_call(
            t->node->keep, &view, "decision",
            JSON_MEMBERS(J_STR("system", "fallback"), J_STR("reason", why), J_STR("fix", fix)));
    if (r)
        webhook_reply_xml(r, rd_str(fallback_of(agent)));
}

/* Whose number it is; the only loaded agent when it is nobody's. NULL: none. */
static const struct agent_info *webhook_agent_for(struct agent_set *set, struct rd_str to)
{
    const struct agent_info *a = agent_by_number(set, to);

    return !a && agent_set_count(set) == 1 ? agent_set_at(set, 0) : a;
}

bool webhook_is_vapis(struct media_thread *t, struct rd_str to)
{
    struct numbers_hit hit;
    bool theirs = numbers_find(t->node->numbers, to, &hit);

    if (!theirs)
        return false;
    theirs = hit.agent.n == 0;
    numbers_let_go(&hit);
    return theirs;
}

const struct agent_info *webhook_agent_at(struct media_thread *t, struct agent_set *set,
                                          struct rd_str to)
{
    const struct agent_info *agent;
    struct numbers_hit hit;

    if (!numbers_find(t->node->numbers, to, &hit))
        return webhook_agent_for(set, to);
    if (hit.agent.n == 0) { /* Vapi has it, too: before an agent that would be guessed */
        numbers_let_go(&hit);
        return agent_by_number(set, to);
    }
    agent = agent_by_name(set, hit.agent);
    if (!agent && media_thread_tells(t)) {
        char name[129];

        (void)rd_str_copy(name, sizeof(name), hit.agent);
        log_error("numbers.agent_missing", F_STR("agent", name),
                  F_FIX(catalogue_fix("numbers.", "agent_missing")));
    }
    numbers_let_go(&hit);
    return agent;
}

/* The script has a VM for a call that will not come: it may let go. */
void webhook_tell_ended(struct credits *c, call_handle call, const char *why)
{
    struct rd_str s[3] = {{NULL, 0}, {NULL, 0}, rd_str(why)};
    struct message *m = c ? message_new(MSG_CALL_EVENT, call, s, 3) : NULL;

    if (m) {
        m->kind = AGENT_ENDED;
        (void)credits_post(c, m, true);
    }
    if (c)
        credits_free(c);
}

/* --- POST /twilio/status --- */

/* Seconds as the carrier writes them; -1 when it did not. */
static int seconds_of(struct rd_str digits)
{
    int n = 0;

    if (digits.n == 0 || digits.n > 6)
        return -1;
    for (size_t i = 0; i < digits.n; i++) {
        if (digits.p[i] < '0' || digits.p[i] > '9')
            return -1;
        n = n * 10 + (digits.p[i] - '0');
    }
    return n;
}

void webhook_keep(struct media_thread *t, const struct directory_view *view, struct form *form,
                  const char *kind)
{
    int duration_s = seconds_of(form_get(form, "CallDuration"));
    int dial_s = seconds_of(form_get(form, "DialCallDuration")); /* of a leg to a person */
    struct rd_str nobody = {NULL, 0}; /* a known call's facts say who anyway */
    struct json_members facts =
        JSON_MEMBERS(J_STR("kind", kind), J_TEXT("status", webhook_word(form, "CallStatus")),
                     J_TEXT("direction", webhook_word(form, "Direction")),
                     duration_s < 0 ? J_STR("duration_s", NULL) : J_INT("duration_s", duration_s),
                     dial_s < 0 ? J_STR("dial_s", NULL) : J_INT("dial_s", dial_s),
                     J_TEXT("dial_sid", dial_s < 0 ? nobody : webhook_word(form, "DialCallSid")),
                     J_TEXT("call", view ? nobody : webhook_word(form, "CallSid")),
                     J_TEXT("from", view ? nobody : webhook_word(form, "From")),
                     J_TEXT("to", view ? nobody : webhook_word(form, "To")));

    if (view)
        keep_call(t->node->keep, view, "webhook", facts);
    else
        keep_node(t->node->keep, "webhook", facts);
}

bool webhook_is_terminal(struct rd_str status)
{
    static const char *const names[] = {"completed", "busy", "failed", "no-answer", "canceled"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (rd_str_eq(status, rd_str(names[i])))
            return true;
    return false;
}

void webhook_carrier_ended(struct node *n, const struct directory_view *call)
{
    struct directory_view view;
    struct credits *credits;
    struct message *m;

    if (call->state == DIRECTORY_TAKEN) {
        m = message_new(MSG_CALL_COMMAND, call->call, NULL, 0);
        if (!m)
            return;
        m->kind = CMD_CARRIER_ENDED;
        (void)mailbox_post(n->media[call->media_thread]->mailbox, m);
    } else if (directory_release(n->directory, call->call, true, &credits, &view)) {
        webhook_tell_ended(credits, call->call, "caller_hangup");
    }
}

void webhook_missed(struct media_thread *t, struct form *form, const struct agent_info *agent,
                    enum missed m)
{
    struct missed_caller c = {.sid = webhook_word(form, "CallSid"),
                              .from = webhook_word(form, "From"),
                              .to = webhook_word(form, "To"),
                              .verstat = webhook_word(form, "StirVerstat"),
                              .agent = agent ? agent->name : NULL,
                              .trial = (int)trial_of(&t->node->auth, form)};

    missed_caller(t->node, &c, m);
}

/* That it was busy is what we said to a flood; nobody writes to those. */
static bool was_told_busy(struct media_thread *t, struct form *form)
{
    return rd_str_eq(form_get(form, "CallStatus"), RD_STR("busy")) &&
           flood_was_busy(t->node->flood, form_get(form, "From"), clock_ms(loop_clock()));
}

/* Nobody here had the call: it never came, or another node has it, and then it was answered. */
static void missed_elsewhere(struct media_thread *t, struct form *form)
{
    enum missed m = missed_by_status(form_get(form, "CallStatus"), form_get(form, "Direction"));
    struct agent_set *set;

    if (m == MISSED_NOT || was_told_busy(t, form))
        return;
    set = script_pool_agents(t->node->scripts);
    webhook_missed(t, form, webhook_agent_at(t, set, form_get(form, "To")), m);
    agent_set_unref(set);
}

/* Over before a stream came. A call whose stream has ended was settled then. */
static void missed_before_stream(struct media_thread *t, const struct directory_view *view,
                                 struct form *form)
{
    enum missed m = missed_by_status(form_get(form, "CallStatus"), form_get(form, "Direction"));

    if (view->state != DIRECTORY_TAKEN)
        missed_call(t->node, view, m == MISSED_NOT ? MISSED_GAVE_UP : m);
}

/* Signals may come twice and in any order; only an end counts, and only the first. */
static void on_status(struct media_thread *t, struct http_request *r, struct form *form)
{
    struct directory_view view;
    bool known;

    if (texts_status(t, r, form))
        return;
    known = directory_find(t->node->directory, form_get(form, "CallSid"), &view);
    webhook_keep(t, known ? &view : NULL, form, "status");
    if (!known) {
        missed_elsewhere(t, form);
    } else if (webhook_is_terminal(form_get(form, "CallStatus"))) {
        webhook_carrier_ended(t->node, &view);
        missed_before_stream(t, &view, form);
    }
    webhook_reply_text(r, 200, "");
}

/* --- routes --- */

typedef void(route_fn)(struct media_thread *t, struct http_request *r, struct form *form);

static const struct route {
    const char *path;
    route_fn *fn;
    bool known; /* about a call that somebody has already, perhaps another process */
} routes[] = {
    {"/twilio/voice", voice_request, false},    {"/twilio/resume", resume_request, true},
    {"/twilio/accept", resume_screening, true}, {"/twilio/status", on_status, true},
    {"/twilio/sms", texts_request, false},
};

/* The other process says that it is not theirs: the next one, or us. */
static void on_refused(struct http_request *r, void *arg)
{
    webhook_request(arg, r);
}

static void signed_request(struct media_thread *t, struct http_request *r,
                           const struct route *route)
{
    struct rd_str type = http_header(r, "content-type");
    struct form *form;

    if (!twilio_webhook_ok(&t->node->auth, http_target(r), type, http_body(r),
                           http_header(r, "x-twilio-signature"))) {
        metric_add(M_REFUSED_SIGNATURE, 1);
        if (media_thread_tells(t))
            log_warn("webhook.refused", F_STR("peer", http_peer(r)),
                     F_FIX("signature wrong or missing: public.url must be what Twilio calls, and "
                           "the auth token current"));
        webhook_reply_text(r, 403, "signature missing or wrong\n");
        return;
    }
    if (form_parse(&form, http_body(r))) {
        metric_add(M_REFUSED_BAD_REQUEST, 1);
        webhook_reply_text(r, 400, "the form is broken\n");
        return;
    }
    if (!route->known || !peers_take(t, r, form, on_refused))
        route->fn(t, r, form);
    form_free(form);
}

/* What a balancer looks at: the same words as the admin listener's, and nothing else about us. */
static bool probe(struct media_thread *t, struct http_request *r)
{
    struct rd_str path = http_path(r);
    bool ready = rd_str_eq(path, RD_STR("/readyz"));
    struct node_readiness now = {.draining = false, .configured = true};

    if (!ready && !rd_str_eq(path, RD_STR("/livez")))
        return false;
    if (ready)
        node_readiness(t->node, &now);
    if (!rd_str_eq(http_method(r), RD_STR("GET")))
        webhook_reply_text(r, 405, "GET only\n");
    else if (now.draining || !now.configured)
        webhook_reply_text(r, 503, now.draining ? "draining\n" : "no agent loads\n");
    else
        webhook_reply_text(r, 200, "ok\n");
    return true;
}

void webhook_request(struct media_thread *t, struct http_request *r)
{
    struct rd_str path = http_path(r);

    if (probe(t, r))
        return;
    if (rd_str_eq(path, RD_STR("/vapi/events")) && rd_str_eq(http_method(r), RD_STR("POST"))) {
        vapi_hooks_request(t, r); /* its own kind of proof */
        return;
    }
    for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
        if (!rd_str_eq(path, rd_str(routes[i].path)))
            continue;
        if (rd_str_eq(http_method(r), RD_STR("POST")))
            signed_request(t, r, &routes[i]);
        else
            webhook_reply_text(r, 405, "POST only\n");
        return;
    }
    webhook_reply_text(r, 404, "no such path\n");
}
