/* SPDX-License-Identifier: Apache-2.0 */
/* resume.c - POST /twilio/resume: a stream or a <Dial> is over, how does the call go on? And POST
 * /twilio/accept: does who was dialled take it?
 *
 * - A stream that we ended: the intent that was stored before says it.
 * - A stream that broke (AWAY, too; or nobody here has noticed yet): a new one, with a brief that holds
 *   what was said so far. The fourth time within a minute it is the fallback.
 * - A caller who is with somebody else (AWAY): the script is asked. The caller had a person: hang up.
 *   Nobody answered: a new stream, back to the agent; or another document, the next number. The same
 *   question again (Twilio had no answer) gets the same answer: the script remembers, and an offer is
 *   repeated with a new address.
 * - The <Dial> of a fallback (?after=fallback): no script is asked. The caller had a person: hang up;
 *   else they hear that nobody is there. Nobody is dialled twice.
 * - Who was dialled: the script whose caller waits is asked (ParentCallSid, or `call` in the query).
 *   Who was rung up without a caller: the errand that did it (`errand` in the query).
 *
 * What the address says besides (?attempt=2) is signed with it; the script finds it in the form.
 *
 * Failure modes: the question overtakes the end of the stream: it waits until that was seen. The
 * script is late, gone or has no answer: the caller is hung up on when somebody had answered, else
 * gets the fallback; who was dialled is hung up on, and the <Dial> goes on without them. */
#include "gateway/resume.h"

#include "base/err.h"
#include "base/log.h"
#include "carriers/twilio/twiml.h"
#include "gateway/accept.h"
#include "gateway/adopt.h"
#include "gateway/line.h"
#include "gateway/missed.h"
#include "gateway/opening.h"
#include "gateway/route.h"
#include "gateway/webhook.h"
#include "observe/catalogue.h"

#include <errno.h>
#include <stdlib.h>

enum {
    ANSWER_MS = 2500,     /* the script has so long */
    LOOK_AGAIN_MS = 25,   /* whether the stream's end was seen */
    FORM_MAX = 72 * 1024, /* with the query */
    VIEWS = 32            /* copied from the directory at a time */
};

/* --- words of Twilio --- */

/* A <Dial> of ours is over. "completed" says that somebody answered, if only a voicemail; who was
 * asked whether they take the call, and did not, was never bridged. */
static bool was_answered(struct form *form)
{
    struct rd_str status = form_get(form, "DialCallStatus");

    return (rd_str_eq(status, RD_STR("completed")) || rd_str_eq(status, RD_STR("answered"))) &&
           !rd_str_eq(form_get(form, "DialBridged"), RD_STR("false"));
}

void resume_hang_up(struct http_request *r)
{
    struct buf twiml;

    buf_init(&twiml, WEBHOOK_TWIML_MAX);
    if (twiml_hangup(&twiml) == 0)
        webhook_reply_xml(r, (struct rd_str){twiml.data, twiml.n});
    else
        webhook_reply_xml(r, rd_str(agent_default_fallback()));
    buf_fini(&twiml);
}

/* What our address says besides the path; NULL: nothing that can be read. */
static struct form *query_of(struct http_request *r)
{
    struct rd_str target = http_target(r), path = http_path(r);
    struct form *query = NULL;

    if (target.n > path.n + 1)
        (void)form_parse(&query, (struct rd_str){target.p + path.n + 1, target.n - path.n - 1});
    return query;
}

/* --- a call that is away --- */

bool resume_over(struct node *n, call_handle call, const char *why)
{
    struct directory_view view;
    struct credits *credits;

    if (!directory_get(n->directory, call, &view) || view.state != DIRECTORY_AWAY ||
        !directory_release(n->directory, call, true, &credits, &view))
        return false;
    webhook_tell_ended(credits, call, why);
    if (strcmp(why, "shutdown") != 0 &&
        strcmp(why, "claimed") != 0) /* settled already, unless the stream broke */
        missed_call(n, &view, strcmp(why, "caller_hangup") == 0 ? MISSED_GAVE_UP : MISSED_FAILED);
    return true;
}

void resume_end_all(struct node *n)
{
    struct directory_view views[VIEWS];
    unsigned place = 0;
    bool more = true;
    size_t count;

    while (more) {
        more = directory_walk(n->directory, &place, views, VIEWS, &count);
        for (size_t i = 0; i < count; i++)
            (void)resume_over(n, views[i].call, "shutdown");
    }
}

/* --- asking the script --- */

static void hang_up(struct opening *o, const char *why)
{
    struct node *n = o->thread->node;

    resume_hang_up(opening_answered(o));
    if (!o->screening) {
        directory_intent(n->directory, o->call, INTENT_HANG_UP);
        (void)resume_over(n, o->call, why);
    }
    opening_free(o);
}

static void no_answer(struct opening *o, const char *why)
{
    struct node *n = o->thread->node;

    if (o->screening || o->answered) {
        hang_up(o, "transferred");
        return;
    }
    directory_intent(n->directory, o->call, INTENT_FALLBACK);
    opening_fallback(o, why, NULL);
    (void)resume_over(n, o->call, "transferred");
    opening_free(o);
}

/* An errand without a call is named; else `script_thread` knows who the call's are. */
static int post_question(struct opening *o, unsigned script_thread)
{
    struct node *n = o->thread->node;
    struct rd_str kind = o->screening ? RD_STR("accept") : RD_STR("resume");
    char errand[ERRAND_PLACE_TEXT] = "";
    struct message *m;

    if (!o->call) {
        script_thread = o->errand.thread;
        errand_place_write(&o->errand, errand);
    }
    m = message_new(MSG_RESUME, o->call, (struct rd_str[]){kind, rd_str(o->asks), rd_str(errand)},
                    3);
    free(o->asks);
    o->asks = NULL;
    if (!m)
        return -ENOMEM;
    m->number = o->thread->index;
    m->aux = o->number;
    return mailbox_post(script_pool_mailbox(n->scripts, script_thread), m);
}

/* The timer of who waits: the stream's end is awaited, then the script's answer. */
static void on_wait(struct opening *o)
{
    struct directory_view view = {0};
    uint64_t now_ms = clock_ms(loop_clock());

    (void)directory_get(o->thread->node->directory, o->call, &view);
    if (!o->asks || now_ms >= o->until_ms) {
        no_answer(o, "script_late");
    } else if (view.state == DIRECTORY_AWAY || o->screening || !o->call) {
        loop_timer_at(o->timer, o->until_ms);
        if (post_question(o, view.script_thread))
            no_answer(o, "script_full");
    } else if (view.state == DIRECTORY_TAKEN) {
        loop_timer_in(o->timer, LOOK_AGAIN_MS);
    } else {
        no_answer(o, "transfer_not_answered");
    }
}

/* The form, and what the address says besides, as one JSON object. NULL: no memory, or too much. */
static char *question(struct http_request *r)
{
    struct rd_str target = http_target(r), path = http_path(r), body = http_body(r);
    struct buf whole, json;
    struct form *form = NULL;
    char *out = NULL;
    int rc;

    buf_init(&whole, FORM_MAX);
    buf_init(&json, 4 * FORM_MAX);
    rc = buf_add(&whole, body.p, body.n);
    if (!rc && target.n > path.n + 1) {
        rc = buf_add_str(&whole, "&");
        if (!rc)
            rc = buf_add(&whole, target.p + path.n + 1, target.n - path.n - 1);
    }
    if (!rc)
        rc = form_parse(&form, (struct rd_str){whole.data, whole.n});
    if (!rc && form_to_json(form, &json) == 0)
        out = strndup(json.data, json.n);
    form_free(form);
    buf_fini(&whole);
    buf_fini(&json);
    return out;
}

static void begin_asking(struct opening *o, char *asks, bool screening)
{
    o->again = true;
    o->screening = screening;
    o->until_ms = clock_ms(loop_clock()) + ANSWER_MS;
    o->asks = asks;
}

static void ask(struct media_thread *t, struct http_request *r, struct form *form,
                const struct directory_view *view, bool screening)
{
    struct agent_set *set = script_pool_agents(t->node->scripts);
    const struct agent_info *agent = agent_by_name(set, rd_str(view->agent));
    struct opening *o = opening_new(t, r, view->call, 0, on_wait);
    char *asks = o ? question(r) : NULL;

    if (o) {
        opening_set_agent(o, set, agent);
        begin_asking(o, asks, screening);
        o->answered = was_answered(form);
    }
    if (!o)
        webhook_reply_fallback(t, r, agent, view->sid, "no_memory", NULL);
    else if (!asks)
        no_answer(o, "no_memory");
    agent_set_unref(set);
}

/* --- its answer --- */

/* What came of the <Dial> that is over: s[2] whom, s[3] why it was not to be. */
static void keep_outcome(struct opening *o, const struct message *m, bool answered)
{
    struct node *n = o->thread->node;
    struct directory_view view;

    if (m->s[2].n == 0 || o->screening || !directory_get(n->directory, o->call, &view))
        return;
    line_tell(n, &view,
              &(struct record){.type = RECORD_TRANSFER,
                               .at_ms = clock_ms(loop_clock()) - view.admitted_ms,
                               .id = rd_str(answered ? "answered" : "failed"),
                               .name = m->s[2],
                               .text = m->s[3]});
    log_info("call.transfer_over", F_CALL(view.sid),
             F_STR("state", answered ? "answered" : "failed"), F_STR("why", m->s[3].p));
}

/* The stream broke, and there is another one: counted, and kept. False: that is enough. */
static bool count_resume(struct media_thread *t, const struct directory_view *view)
{
    uint64_t now_ms = clock_ms(loop_clock());
    unsigned attempt = directory_resume(t->node->directory, view->call, now_ms);

    if (attempt == 0) {
        log_warn("call.resumed_too_often", F_CALL(view->sid),
                 F_FIX(catalogue_fix("call.", "resumed_too_often")));
        return false;
    }
    keep_call(t->node->keep, view, "resumed",
              JSON_MEMBERS(J_STR("reason", "stream_lost"), J_INT("attempt", attempt),
                           J_INT("gap_ms", now_ms - view->since_ms),
                           J_INT("at_ms", now_ms - view->admitted_ms),
                           J_STR("node", t->node->name)));
    return true;
}

static void answer_with_stream(struct opening *o, struct brief *brief)
{
    struct directory_view view;

    if (!directory_get(o->thread->node->directory, o->call, &view))
        no_answer(o, "call_over");
    else if (view.intent == INTENT_RESUME && !count_resume(o->thread, &view))
        no_answer(o, "resumed_too_often");
    else
        opening_offer(o, brief);
}

static void answer_with_document(struct opening *o, const struct message *m)
{
    struct node *n = o->thread->node;

    if (twiml_check(m->s[1])) {
        no_answer(o, "script_failed");
        return;
    }
    if (!o->screening)
        directory_still_away(n->directory, o->call, clock_ms(loop_clock()));
    opening_reply(o, m->s[1]);
    opening_free(o);
}

void resume_answered(struct media_thread *t, struct message *m)
{
    struct opening *o = opening_waiting(t, m->aux);
    bool hangs_up = rd_str_eq(m->s[0], RD_STR("hang_up"));

    if (!o)
        return; /* late: it has been answered */
    keep_outcome(o, m, hangs_up);
    if (hangs_up)
        hang_up(o, "transferred");
    else if (rd_str_eq(m->s[0], RD_STR("stream")) && m->brief && !o->screening)
        answer_with_stream(o, m->brief);
    else if (rd_str_eq(m->s[0], RD_STR("twiml")))
        answer_with_document(o, m);
    else
        no_answer(o, "transfer_not_answered");
}

/* --- POST /twilio/resume --- */

/* `failed`: the call that nobody goes on with, or NULL. */
static void fall_back(struct media_thread *t, struct http_request *r,
                      const struct agent_info *agent, const struct directory_view *failed,
                      const char *sid, const char *why)
{
    if (failed)
        missed_call(t->node, failed, MISSED_FAILED); /* unless that was told, or they got through */
    webhook_reply_fallback(t, r, agent, sid, why, NULL);
}

/* Our part is over, or never was: what was intended. */
static void answer_from_intent(struct media_thread *t, struct http_request *r, struct form *form,
                               const struct directory_view *view)
{
    bool dialled = form_get(form, "DialCallStatus").n > 0;
    struct agent_set *set = script_pool_agents(t->node->scripts);
    const struct agent_info *agent = webhook_agent_at(t, set, form_get(form, "To"));
    bool failed = view && view->intent == INTENT_FALLBACK && !dialled;
    char sid[DIRECTORY_SID];

    (void)rd_str_copy(sid, sizeof(sid), form_get(form, "CallSid"));
    if ((view && view->intent == INTENT_HANG_UP) || (dialled && was_answered(form)))
        resume_hang_up(r);
    else if (!failed || !route_fail_over_answered(t, r, view, set, agent))
        fall_back(t, r, agent, failed ? view : NULL, sid,
                  dialled ? "transfer_not_answered" : "after_stream");
    agent_set_unref(set);
}

static bool is_after_fallback(struct http_request *r)
{
    struct form *query = query_of(r);
    bool is = query && rd_str_eq(form_get(query, "after"), RD_STR("fallback"));

    form_free(query);
    return is;
}

static void answer_after_fallback(struct media_thread *t, struct http_request *r, struct form *form)
{
    struct agent_set *set = script_pool_agents(t->node->scripts);
    const struct agent_info *agent = webhook_agent_at(t, set, form_get(form, "To"));

    if (was_answered(form))
        resume_hang_up(r);
    else
        webhook_reply_xml(r, rd_str(agent ? agent->nobody_twiml : agent_default_fallback()));
    agent_set_unref(set);
}

/* The same question again: the offer stands, at a new address. */
static void offer_again(struct media_thread *t, struct http_request *r,
                        const struct directory_view *view)
{
    struct opening *o = opening_new(t, r, view->call, ANSWER_MS, on_wait);

    if (!o) {
        webhook_reply_fallback(t, r, NULL, view->sid, "no_memory", NULL);
        return;
    }
    o->again = true;
    opening_offer(o, NULL);
}

/* The stream is over as far as Twilio is concerned; we may not have seen it yet. */
static bool is_leaving(const struct directory_view *view, bool dialled)
{
    return view->state == DIRECTORY_TAKEN &&
           (dialled || view->intent == INTENT_AFTER_TRANSFER || view->intent == INTENT_RESUME ||
            view->intent == INTENT_NONE);
}

/* Nobody ended it, and the carrier says that it is over: a broken connection is noticed late. */
static void tell_stream_lost(struct media_thread *t, const struct directory_view *view)
{
    struct message *m = message_new(MSG_CALL_COMMAND, view->call, NULL, 0);

    if (!m)
        return;
    m->kind = CMD_STREAM_LOST;
    (void)mailbox_post(t->node->media[view->media_thread]->mailbox, m);
}

/* An errand is named: it rang whoever answers without a caller, or took the caller from Vapi. One of another node's is found by the
 * call it is about, if it is about one. */
static bool ask_errand(struct media_thread *t, struct http_request *r, struct form *form,
                       bool screening)
{
    struct rd_str target = http_target(r), path = http_path(r);
    struct errand_place at = {0};
    struct form *query = NULL;
    struct opening *o;
    bool named;

    if (target.n <= path.n + 1 ||
        form_parse(&query, (struct rd_str){target.p + path.n + 1, target.n - path.n - 1}))
        return false;
    named = errand_place_read(&at, form_get(query, "errand")) &&
            at.thread < script_pool_size(t->node->scripts) &&
            script_pool_has_errand(t->node->scripts, &at);
    form_free(query);
    o = named ? opening_new(t, r, 0, 0, on_wait) : NULL;
    if (!o)
        return false;
    o->errand = at;
    begin_asking(o, question(r), screening);
    o->answered = !screening && was_answered(form); /* the errand may be over by then */
    if (!o->asks)
        no_answer(o, "no_memory");
    return true;
}

void resume_request(struct media_thread *t, struct http_request *r, struct form *form)
{
    bool dialled = form_get(form, "DialCallStatus").n > 0;
    struct directory_view view = {0};
    bool known = directory_find(t->node->directory, form_get(form, "CallSid"), &view);

    webhook_keep(t, known ? &view : NULL, form, "resume");
    if (known && webhook_is_terminal(form_get(form, "CallStatus"))) {
        webhook_carrier_ended(t->node, &view);
        resume_hang_up(r);
    } else if (is_after_fallback(r)) {
        answer_after_fallback(t, r, form);
    } else if (!known && !t->stopping && ask_errand(t, r, form, false)) {
        return; /* it took the caller from Vapi */
    } else if (known && !t->stopping &&
               (view.state == DIRECTORY_AWAY || is_leaving(&view, dialled))) {
        if (view.state == DIRECTORY_TAKEN && view.intent == INTENT_NONE && !dialled)
            tell_stream_lost(t, &view);
        ask(t, r, form, &view, false);
    } else if (known && !t->stopping && view.state == DIRECTORY_OFFERED && view.legs > 0) {
        offer_again(t, r, &view);
    } else if (known || (dialled && was_answered(form)) || !adopt_request(t, r, form)) {
        answer_from_intent(t, r, form, known ? &view : NULL);
    }
}

/* --- POST /twilio/accept --- */

/* The call whose caller waits: the parent of the leg that was dialled, else the one that the address
 * names. */
static bool find_caller(struct media_thread *t, struct http_request *r, struct form *form,
                        struct directory_view *view)
{
    bool found = directory_find(t->node->directory, form_get(form, "ParentCallSid"), view);
    struct form *query = found ? NULL : query_of(r);

    if (query)
        found = directory_find(t->node->directory, form_get(query, "call"), view);
    form_free(query);
    return found && view->state != DIRECTORY_OVER;
}

void resume_screening(struct media_thread *t, struct http_request *r, struct form *form)
{
    struct directory_view view;

    if (!t->stopping && find_caller(t, r, form, &view))
        ask(t, r, form, &view, true);
    else if (t->stopping || (!ask_errand(t, r, form, true) && !accept_request(t, r, form)))
        resume_hang_up(r);
}
