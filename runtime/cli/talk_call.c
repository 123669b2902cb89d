/* SPDX-License-Identifier: Apache-2.0 */
/* talk_call.c - what a node does for a call, with typed words in place of sound.
 *
 *   keyboard ── utterance, digits, silence ──▶ script thread (the agent) ── commands, facts ──▶ here
 *      ▲                                                ▲                                        │
 *      └── model, in text ── function calls ────────────┘◀── results ────────────────────────────┘
 *   telephones (talk_phones.h) ── "it rings", "the <Dial> is over" ──▶ script thread, and back
 *
 * - it rings: MSG_CALL_OPEN; the brief comes back and becomes the model's session
 * - the agent transfers: the telephones ring; the caller is away until somebody took them, or not
 * - over: AGENT_ENDED; then what runs beside it (texts, emergencies) may finish
 *
 * Failure: a script that broke ends the call, as live; so does a model that is gone. */
#include "cli/talk_call.h"

#include "base/err.h"
#include "cli/talk_model.h"
#include "cli/talk_news.h"
#include "cli/talk_phones.h"
#include "cli/talk_screen.h"
#include "cli/talk_script.h"
#include "io/mailbox.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { INBOX = 4096, LOOK_MS = 50 };

#define HOLD   "<Response><Pause length=\"14400\"/></Response>"
#define HANGUP "<Response><Hangup/></Response>"
#define NUMBER "+13125550100" /* of an agent that has none */

struct talk_call {
    struct talk_call_opts o;
    struct mailbox *inbox; /* owns, as the following */
    struct talk_script *script;
    struct talk_model *model;
    struct talk_phones *phones;
    struct loop_timer *look; /* for what tells nobody that it is over */
    struct brief *brief;     /* refs */
    unsigned n_tools;        /* asked for, without result */
    unsigned n_silences;
    bool live, paused, over, failed;
    bool moving, away; /* a transfer was asked for; the caller is with somebody else */
    bool leaving;      /* once the model has said what it is saying */
    char leaving_why[64];
};

static void changed(struct talk_call *c)
{
    c->o.changed(c->o.arg);
}

static void tell_script(struct talk_call *c, enum agent_event_type type, const char *id,
                        const char *name, const char *text, uint32_t number)
{
    talk_script_tell(c->script, &(struct agent_event){.type = type,
                                                      .id = rd_str(id),
                                                      .name = rd_str(name),
                                                      .text = rd_str(text),
                                                      .number = number});
}

/* --- the end --- */

static void end(struct talk_call *c, const char *who, const char *why)
{
    if (c->over)
        return;
    c->over = true;
    screen_line(SCREEN_NOTE, "%s (%s)", who, why);
    tell_script(c, AGENT_ENDED, "", "", why, 0);
    talk_model_close(c->model);
    c->model = NULL;
    loop_timer_in(c->look, LOOK_MS);
    changed(c);
}

static void fail(struct talk_call *c, const char *who, const char *why)
{
    c->failed = true;
    end(c, who, why);
}

/* --- the model --- */

static void on_said(const char *text, void *arg)
{
    struct talk_call *c = arg;

    screen_line(SCREEN_AGENT, "%s", text);
    tell_script(c, AGENT_SAID, "", "", text, 0);
}

static void on_called(const char *id, const char *name, const char *arguments, void *arg)
{
    struct talk_call *c = arg;

    screen_line(SCREEN_TOOL, "%s %s", name, arguments);
    c->n_tools++;
    tell_script(c, AGENT_TOOL_CALL, id, name, arguments, 0);
}

static void on_settled(void *arg)
{
    struct talk_call *c = arg;

    if (c->leaving && c->n_tools == 0)
        end(c, "the agent hangs up", c->leaving_why);
    else
        changed(c);
}

static void on_complaint(const char *why, void *arg)
{
    (void)arg;
    screen_line(SCREEN_NOTE, "the model: %s", why);
}

static void on_model_over(const char *why, void *arg)
{
    fail(arg, "the model is gone", why);
}

static const struct talk_model_events model_events = {.said = on_said,
                                                      .called = on_called,
                                                      .settled = on_settled,
                                                      .complained = on_complaint,
                                                      .over = on_model_over};

/* A session as the brief wants it, at the beginning and when the caller is back. */
static void connect_model(struct talk_call *c, struct brief *brief)
{
    struct talk_model_opts o = {.loop = c->o.loop,
                                .tls = c->o.tls,
                                .url = c->o.model_url,
                                .key = c->o.model_key,
                                .model = c->o.model,
                                .events = &model_events,
                                .arg = c};
    int rc;

    talk_model_close(c->model);
    c->model = NULL;
    brief_unref(c->brief);
    c->brief = brief_ref(brief);
    rc = talk_model_open(&c->model, &o, brief);
    if (rc) {
        fail(c, "the model cannot be asked", rd_strerror(rc));
        return;
    }
    if (brief->opening[0])
        on_said(brief->opening, c);
}

/* --- what the script answers --- */

static void on_opened(struct talk_call *c, const struct message *m)
{
    bool vapi = rd_str_eq(m->s[0], RD_STR("vapi")), ours = m->brief && !vapi;

    talk_phones_answer(c->phones, m->aux, ours ? HOLD : HANGUP);
    if (vapi) {
        end(c, "this call goes to Vapi, where nobody can type", m->s[1].p);
    } else if (!ours) {
        fail(c, "the call could not be answered", m->s[1].p);
    } else {
        c->live = true;
        talk_script_post(c->script, MSG_CALL_ATTACHED, NULL, 0, 0);
        connect_model(c, m->brief);
        tell_script(c, AGENT_STARTED, "", "", "", 0);
    }
}

/* Somebody was on the telephone with the caller, or nobody was. */
static void on_resumed(struct talk_call *c, const struct message *m)
{
    if (rd_str_eq(m->s[0], RD_STR("twiml"))) {
        talk_phones_answer(c->phones, m->aux, m->s[1].p);
    } else if (rd_str_eq(m->s[0], RD_STR("stream")) && m->brief) {
        talk_phones_answer(c->phones, m->aux, HOLD);
        screen_line(SCREEN_PHONE, "the caller is back with the agent");
        c->away = false;
        connect_model(c, m->brief);
        tell_script(c, AGENT_STARTED, "", "", "", 0);
    } else {
        talk_phones_answer(c->phones, m->aux, HANGUP);
        if (rd_str_eq(m->s[0], RD_STR("hang_up")))
            end(c, "the call is over", "transferred");
        else if (c->away)
            fail(c, "the caller hears the fallback", m->s[1].p);
    }
}

static void say(struct talk_call *c, const char *words)
{
    screen_line(SCREEN_AGENT, "%s", words);
    if (c->model)
        talk_model_spoke(c->model, words);
    tell_script(c, AGENT_SAID, "", "", words, 0);
}

static void on_result(struct talk_call *c, const struct message *m)
{
    screen_line(SCREEN_TOOL, "-> %s", m->s[1].p);
    if (c->n_tools > 0)
        c->n_tools--;
    if (c->model)
        talk_model_result(c->model, m->s[0].p, m->s[1].p, m->number != 0);
}

static void leave(struct talk_call *c, const char *why)
{
    c->leaving = true;
    (void)rd_str_copy(c->leaving_why, sizeof(c->leaving_why), rd_str(why));
    if (c->model && talk_model_idle(c->model))
        on_settled(c);
}

static void on_command(struct talk_call *c, const struct message *m)
{
    switch ((enum call_command)m->kind) {
    case CMD_TOOL_RESULT:
        on_result(c, m);
        break;
    case CMD_SAY:
        say(c, m->s[0].p);
        break;
    case CMD_HANG_UP:
        leave(c, m->s[0].p);
        break;
    case CMD_FALLBACK:
        fail(c, "the caller hears the fallback", m->s[0].p);
        break;
    case CMD_INSTRUCT:
        screen_line(SCREEN_NOTE, "the model is told: %s", m->s[0].p);
        if (c->model)
            talk_model_told(c->model, m->s[0].p, true);
        break;
    case CMD_PAUSE:
        c->paused = m->number != 0;
        screen_line(SCREEN_NOTE, c->paused ? "from here on nothing is kept or heard by the model"
                                           : "the model hears the caller again");
        break;
    case CMD_TRANSFER:
        c->moving = true;
        tell_script(c, AGENT_TRANSFER, "", "", m->s[0].p, 0);
        break;
    case CMD_TRANSFER_BEGUN:
        screen_line(SCREEN_PHONE, "the caller is handed to %s", m->s[0].p);
        break;
    case CMD_TRANSFER_REFUSED:
        c->moving = false;
        screen_line(SCREEN_PHONE, "no transfer: %s", m->s[0].p);
        if (c->model && m->s[1].n)
            talk_model_told(c->model, m->s[1].p, true);
        break;
    case CMD_LOOKED:
        screen_line(SCREEN_NOTE, "%s", m->s[0].p);
        break;
    default: /* an operator's, or about sound */
        break;
    }
}

/* --- messages --- */

static void on_message(struct message *m, void *arg)
{
    struct talk_call *c = arg;

    if (m->type == MSG_CALL_OPENED && !c->over)
        on_opened(c, m);
    else if (m->type == MSG_RESUMED)
        on_resumed(c, m);
    else if (m->type == MSG_CALL_COMMAND && !c->over)
        on_command(c, m);
    else if (m->type == MSG_RECORD)
        talk_news_fact(m->s[0].p, m->s[1].p);
    message_free(m);
    changed(c);
}

/* --- the telephones --- */

static const char *text_of(const json_t *o, const char *key)
{
    const char *z = json_string_value(json_object_get(o, key));

    return z ? z : "";
}

static void on_text(struct talk_call *c, const char *form)
{
    json_t *got = json_loads(form, 0, NULL);
    json_t *order = json_pack("{s:s,s:s,s:s,s:s,s:i}", "id", text_of(got, "MessageSid"), "from",
                              text_of(got, "From"), "to", text_of(got, "To"), "body",
                              text_of(got, "Body"), "media", 0);
    char *json = order ? json_dumps(order, JSON_COMPACT) : NULL;

    if (json)
        talk_script_text(c->script, c->o.agent->name, json);
    free(json);
    json_decref(order);
    json_decref(got);
}

static void on_asked(enum talk_question q, uint64_t number, const char *form, void *arg)
{
    struct talk_call *c = arg;

    if (q == TALK_TEXT)
        on_text(c, form);
    else if (c->over && q != TALK_ACCEPT)
        talk_phones_answer(c->phones, number, HANGUP);
    else if (q == TALK_RINGS)
        talk_script_post(c->script, MSG_CALL_OPEN,
                         (struct rd_str[]){rd_str(c->o.agent->name), rd_str(form)}, 2, number);
    else
        talk_script_post(
            c->script, MSG_RESUME,
            (struct rd_str[]){q == TALK_ACCEPT ? RD_STR("accept") : RD_STR("resume"), rd_str(form)},
            2, number);
}

/* Twilio ends the stream when a <Dial> begins. */
static void go_away(struct talk_call *c)
{
    if (c->away || c->over)
        return;
    c->away = true;
    c->moving = false;
    talk_model_close(c->model);
    c->model = NULL;
    tell_script(c, AGENT_AWAY, "", "", "", 1);
}

static void on_happened(const char *json, void *arg)
{
    if (talk_news_event(json))
        go_away(arg);
}

/* --- the caller --- */

void talk_call_hear(struct talk_call *c, const char *words)
{
    if (c->paused) {
        screen_line(SCREEN_NOTE, "(the model does not hear this)");
        return;
    }
    c->n_silences = 0;
    talk_model_hear(c->model, words);
    tell_script(c, AGENT_UTTERANCE, "", "", words, 0);
}

void talk_call_digits(struct talk_call *c, const char *digits)
{
    char digit[2] = "";

    for (; *digits; digits++) {
        digit[0] = *digits;
        if (strchr("0123456789*#", digit[0]))
            tell_script(c, AGENT_DTMF, "", "", digit, 0);
    }
}

void talk_call_silence(struct talk_call *c)
{
    const struct brief *b = c->brief;

    tell_script(c, AGENT_SILENCE, "", "", "", ++c->n_silences);
    if (b->silence_times && c->n_silences > b->silence_times) {
        say(c, b->silence_bye);
        end(c, "the agent hangs up", "silence");
    } else if (b->still_there[0]) {
        say(c, b->still_there);
    }
}

void talk_call_look(struct talk_call *c)
{
    tell_script(c, AGENT_LOOK, "", "", "", 0);
}

void talk_call_hang_up(struct talk_call *c)
{
    end(c, "you hang up", "caller_hangup");
}

/* --- how far it is --- */

bool talk_call_listens(const struct talk_call *c)
{
    return c->live && !c->over && !c->moving && !c->away && !c->leaving && c->n_tools == 0 &&
           c->model && talk_model_idle(c->model);
}

bool talk_call_over(const struct talk_call *c)
{
    return c->over;
}

bool talk_call_failed(const struct talk_call *c)
{
    return c->failed;
}

/* The call's own VM goes once its script has heard of the end. */
bool talk_call_settled(const struct talk_call *c)
{
    return talk_script_vms(c->script) <= (c->over ? 0U : 1U) && !talk_phones_busy(c->phones);
}

static void on_look(void *arg)
{
    struct talk_call *c = arg;

    changed(c);
    loop_timer_in(c->look, LOOK_MS);
}

/* --- start and stop --- */

static int start_phones(struct talk_call *c, char *why, size_t cap)
{
    static const struct talk_phones_events events = {.asked = on_asked, .happened = on_happened};
    const char *own = c->o.agent->numbers[0];
    struct talk_phones_opts o = {.loop = c->o.loop,
                                 .tls = c->o.tls,
                                 .from = c->o.from,
                                 .to = own ? own : NUMBER,
                                 .scenario = c->o.scenario,
                                 .events = &events,
                                 .arg = c};

    return talk_phones_start(&c->phones, &o, why, cap);
}

static int start_script(struct talk_call *c)
{
    struct talk_script_opts o = {.settings = c->o.settings,
                                 .agents = c->o.agents,
                                 .asker = c->o.asker,
                                 .agent_asker = c->o.agent_asker,
                                 .twilio_api = talk_phones_rest_url(c->phones),
                                 .resume_url = talk_phones_resume_url(c->phones),
                                 .inbox = c->inbox};

    return talk_script_start(&c->script, &o);
}

int talk_call_start(struct talk_call **out, const struct talk_call_opts *o)
{
    struct talk_call *c = calloc(1, sizeof(*c));
    char why[256] = "";
    int rc;

    if (!c)
        return -ENOMEM;
    c->o = *o;
    rc = loop_timer_new(&c->look, o->loop, on_look, c);
    if (!rc)
        rc = mailbox_new(&c->inbox, o->loop, INBOX, on_message, c);
    if (!rc)
        rc = start_phones(c, why, sizeof(why));
    if (!rc)
        rc = start_script(c);
    if (!rc)
        rc = talk_phones_ring(c->phones);
    if (rc) {
        fprintf(stderr, "ringdown talk: %s\n", why[0] ? why : rd_strerror(rc));
        talk_call_stop(c);
        return rc;
    }
    loop_timer_in(c->look, LOOK_MS);
    *out = c;
    return 0;
}

void talk_call_stop(struct talk_call *c)
{
    if (!c)
        return;
    talk_model_close(c->model);
    talk_phones_stop(c->phones);
    talk_script_stop(c->script);
    mailbox_free(c->inbox);
    loop_timer_free(c->look);
    brief_unref(c->brief);
    free(c);
}
