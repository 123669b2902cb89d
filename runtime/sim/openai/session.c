/* SPDX-License-Identifier: Apache-2.0 */
/* session.c - client events in, turns found, time passed on.
 *
 *   append ─▶ ears ─▶ speech_started ─▶ (interrupt) ─▶ speech_stopped ─▶ committed ─▶ item ─▶
 * response └▶ hear job ─▶ transcript
 *
 *   - a malformed event is answered by `error` and counted; a well-formed one at the wrong moment
 * is answered by `error` only
 *   - a transcript exists only for what was recognised from the audio; every third one comes after
 * the response, because nobody promises the order
 *   - time comes from outside; what is due next is the earliest of all deadlines. */
#include "base/err.h"
#include "sim/openai/private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SESSION_MS = 3600000 };

const char *openai_voice(const char *name)
{
    static const struct {
        const char *name, *voice;
    } voices[] = {{"marin", "en-us+f3"}, {"cedar", "en-us+m3"},  {"alloy", "en-us+f2"},
                  {"ash", "en-us+m1"},   {"ballad", "en-gb+m2"}, {"coral", "en-us+f4"},
                  {"echo", "en-us+m4"},  {"sage", "en-us+f1"},   {"shimmer", "en-us+f5"},
                  {"verse", "en-us+m5"}};

    for (size_t i = 0; name && i < sizeof(voices) / sizeof(voices[0]); i++)
        if (strcmp(voices[i].name, name) == 0)
            return voices[i].voice;
    return "en-us+f3";
}

int openai_session_new(struct openai_session **out, const struct openai_session_opts *o)
{
    struct openai_session *s = calloc(1, sizeof(*s));
    struct complaint none;
    json_t *empty;
    int rc;

    if (!s)
        return -ENOMEM;
    s->script = o->script;
    s->events = o->events;
    s->arg = o->arg;
    s->number = o->number;
    s->misery = o->misery;
    snprintf(s->model, sizeof(s->model), "%s", o->model);
    make_id(s, s->id, "sess");
    rc = ears_new(&s->ears);
    if (rc) {
        openai_session_free(s);
        return rc;
    }
    s->config = config_new(s, o->unix_s);
    empty = json_object();
    config_apply(s, empty, &none);
    json_decref(empty);
    *out = s;
    return 0;
}

void openai_session_free(struct openai_session *s)
{
    if (!s)
        return;
    while (s->responses) {
        struct response *next = s->responses->next;
        response_free(s->responses);
        s->responses = next;
    }
    for (size_t i = 0; i < s->n_late; i++)
        json_decref(s->late[i].event);
    items_free(s);
    ears_free(s->ears);
    json_decref(s->config);
    json_decref(s->delayed);
    free(s);
}

uint64_t openai_session_violations(const struct openai_session *s)
{
    return s->violations;
}

bool openai_session_on_call(const struct openai_session *s)
{
    return !s->over && ears_now_ms(s->ears) > 0;
}

bool openai_session_was_told(const struct openai_session *s)
{
    return s->told;
}

void openai_session_break(struct openai_session *s, int code, uint64_t now_ms)
{
    s->now_ms = now_ms;
    session_end(s, code, "broken from outside");
}

static void emit_session(struct openai_session *s, const char *type)
{
    emit(s, json_pack("{s:s,s:o}", "type", type, "session", json_deep_copy(s->config)));
}

void openai_session_start(struct openai_session *s, uint64_t now_ms)
{
    s->now_ms = s->started_ms = now_ms;
    s->fault_due_ms = UINT64_MAX;
    fact(s, json_pack("{s:s,s:s,s:i}", "ev", "begin", "model", s->model, "fault",
                      (int)s->misery.fault));
    if (s->misery.fault == FAULT_CLOSE_3000) {
        session_end(s, 3000, "invalid_request_error.invalid_api_key");
        return;
    }
    emit_session(s, "session.created");
    if (s->misery.fault == FAULT_QUOTA) {
        emit_error(s, "insufficient_quota", "insufficient_quota",
                   "You exceeded your current quota, please check your plan and billing details.",
                   NULL, NULL);
        session_end(s, 1000, "insufficient_quota");
    } else if (s->misery.fault == FAULT_DROP || s->misery.fault == FAULT_CLOSE_1011 ||
               s->misery.fault == FAULT_EXPIRE) {
        s->fault_due_ms = now_ms + s->misery.after_ms;
    } else {
        s->fault_due_ms = now_ms + SESSION_MS;
    }
}

void openai_session_said(struct openai_session *s, uint32_t ticket, const struct sound *pcm,
                         uint64_t now_ms)
{
    s->now_ms = now_ms;
    for (struct response *r = s->responses; r; r = r->next)
        if (r->said_ticket == ticket && r->phase == PHASE_SPEAKING && *r->id) {
            response_said(s, r, pcm);
            break;
        }
    responses_reap(s);
}

/* ---- client events ---- */

static void update_now(struct openai_session *s, const json_t *event)
{
    struct complaint c;

    if (s->misery.fault == FAULT_DROP_FIRST)
        s->fault_due_ms = s->now_ms + s->misery.after_ms;

    if (config_apply(s, json_object_get(event, "session"), &c))
        emit_session(s, "session.updated");
    else
        refuse(s, event, c.code, c.param, "%s", c.message);
}

static void on_session_update(struct openai_session *s, const json_t *event)
{
    if (s->misery.fault == FAULT_STUCK)
        return;
    if (s->misery.fault != FAULT_SLOW) {
        update_now(s, event);
        return;
    }
    json_decref(s->delayed);
    s->delayed = json_deep_copy(event);
    s->delayed_due_ms = s->now_ms + s->misery.after_ms;
}

/* Nothing that the API would refuse: it would understand nothing. */
static void tell_noise(struct openai_session *s)
{
    if (s->said_noise || ears_noisy_ms(s->ears) == 0)
        return;
    s->said_noise = true;
    fact(s, json_pack("{s:s,s:I}", "ev", "noise", "at_ms", (json_int_t)ears_now_ms(s->ears)));
}

static void on_append(struct openai_session *s, const json_t *event)
{
    const json_t *audio = json_object_get(event, "audio");
    size_t n = json_string_length(audio);
    uint8_t *bytes = malloc(n / 4 * 3 + 4);
    ssize_t got = bytes ? sim_base64_decode(bytes, json_string_value(audio), n) : -ENOMEM;

    if (got == RD_EPROTO)
        refuse(s, event, "invalid_value", "audio",
               "Invalid 'audio'. Expected base64-encoded audio bytes, but got an invalid value.");
    else if (got > 0 && ears_append(s->ears, bytes, (size_t)got) == 0) {
        tell_noise(s);
        turn_listen(s);
    }
    free(bytes);
}

static void on_commit(struct openai_session *s, const json_t *event)
{
    uint64_t waiting_ms = ears_waiting_ms(s->ears), now_ms = ears_now_ms(s->ears);
    bool vad = json_is_object(config_input(s, "turn_detection"));
    char message[160];

    if (waiting_ms < 100 || (vad && !*s->speaking_id)) {
        snprintf(
            message, sizeof(message),
            "Error committing input audio buffer: buffer too small. Expected at least 100ms of "
            "audio, but buffer only has %llu.00ms of audio.",
            (unsigned long long)(vad ? 0 : waiting_ms));
        emit_error(s, "invalid_request_error", "input_audio_buffer_commit_empty", message, NULL,
                   json_string_value(json_object_get(event, "event_id")));
        return;
    }
    if (!*s->speaking_id)
        make_id(s, s->speaking_id, "item");
    s->heard_ticket = turn_commit(s, vad ? s->speech_from_ms : now_ms - waiting_ms, now_ms);
    ears_clear(s->ears);
}

static void on_clear(struct openai_session *s, const json_t *event)
{
    (void)event;
    ears_clear(s->ears);
    s->speaking_id[0] = '\0';
    emit(s, json_pack("{s:s}", "type", "input_audio_buffer.cleared"));
}

static void on_response_create(struct openai_session *s, const json_t *event)
{
    const json_t *params = json_object_get(event, "response");
    const char *where = json_string_value(json_object_get(params, "conversation"));
    bool beside = where && strcmp(where, "none") == 0;
    const char *exact = json_string_value(json_object_get(params, "instructions"));
    const struct response *r = response_active(s);
    uint32_t ticket = s->heard_ticket;
    char message[256];

    fact(s, json_pack("{s:s,s:s?,s:b}", "ev", "response_create", "instructions", exact, "beside",
                      beside));
    if (r && !beside) {
        snprintf(message, sizeof(message),
                 "Conversation already has an active response in progress: %s. Wait until the "
                 "response is finished before creating a new one.",
                 r->id);
        emit_error(s, "invalid_request_error", "conversation_already_has_active_response", message,
                   NULL, json_string_value(json_object_get(event, "event_id")));
        return;
    }
    if (!beside)
        s->heard_ticket = 0;
    response_start(s, params, ticket && !beside && turn_item(s, ticket) ? ticket : 0, NULL);
}

static void on_response_cancel(struct openai_session *s, const json_t *event)
{
    const char *id = json_string_value(json_object_get(event, "response_id"));
    struct response *r = id ? NULL : response_active(s);

    for (struct response *x = s->responses; id && x; x = x->next)
        if (strcmp(x->id, id) == 0 && x->phase != PHASE_LATE)
            r = x;
    fact(s, json_pack("{s:s,s:s?}", "ev", "cancel", "response", r ? r->id : NULL));
    if (r)
        response_cancel(s, r, "client_cancelled");
    else
        emit_error(s, "invalid_request_error", "response_cancel_not_active",
                   "Cancellation failed: no active response found", NULL,
                   json_string_value(json_object_get(event, "event_id")));
}

static const struct {
    const char *type;
    void (*on_event)(struct openai_session *s, const json_t *event);
} handlers[] = {
    {"input_audio_buffer.append", on_append},     {"session.update", on_session_update},
    {"response.create", on_response_create},      {"response.cancel", on_response_cancel},
    {"conversation.item.create", on_item_create}, {"conversation.item.truncate", on_item_truncate},
    {"conversation.item.delete", on_item_delete}, {"conversation.item.retrieve", on_item_retrieve},
    {"input_audio_buffer.commit", on_commit},     {"input_audio_buffer.clear", on_clear},
};

static void dispatch(struct openai_session *s, const json_t *event)
{
    const char *type = json_string_value(json_object_get(event, "type"));

    for (size_t i = 0; i < sizeof(handlers) / sizeof(handlers[0]); i++)
        if (strcmp(handlers[i].type, type) == 0) {
            handlers[i].on_event(s, event);
            return;
        }
}

void openai_session_receive(struct openai_session *s, const char *text, size_t n, uint64_t now_ms)
{
    json_t *event = json_loadb(text, n, JSON_REJECT_DUPLICATES, NULL);
    struct complaint c;

    s->now_ms = now_ms;
    if (s->over) {
        json_decref(event);
        return;
    }
    if (!event)
        refuse(s, NULL, "invalid_event", NULL, "The message is not a JSON object.");
    else if (openai_check(event, &c))
        refuse(s, event, c.code, *c.param ? c.param : NULL, "%s", c.message);
    else
        dispatch(s, event);
    json_decref(event);
    responses_reap(s);
}

/* ---- time ---- */

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

uint64_t openai_session_due(const struct openai_session *s)
{
    uint64_t due_ms = s->fault_due_ms;

    if (s->over)
        return UINT64_MAX;
    if (s->delayed)
        due_ms = earlier(due_ms, s->delayed_due_ms);
    if (s->idle_due_ms)
        due_ms = earlier(due_ms, s->idle_due_ms);
    for (size_t i = 0; i < s->n_late; i++)
        due_ms = earlier(due_ms, s->late[i].due_ms);
    for (const struct response *r = s->responses; r; r = r->next)
        if (r->phase >= PHASE_OPEN)
            due_ms = earlier(due_ms, r->due_ms);
    return due_ms;
}

static void send_late(struct openai_session *s)
{
    size_t kept = 0;

    for (size_t i = 0; i < s->n_late; i++) {
        if (s->late[i].due_ms <= s->now_ms)
            emit(s, s->late[i].event);
        else
            s->late[kept++] = s->late[i];
    }
    s->n_late = kept;
}

static void end_of_fault(struct openai_session *s)
{
    if (s->misery.fault == FAULT_DROP_FIRST && s->told) {
        s->fault_due_ms = UINT64_MAX; /* what should break was the session before */
        return;
    }
    if (s->misery.fault == FAULT_DROP || s->misery.fault == FAULT_DROP_FIRST) {
        session_end(s, 0, "fault");
        return;
    }
    if (s->misery.fault == FAULT_CLOSE_1011) {
        session_end(s, 1011, "The server had an error while processing your request.");
        return;
    }
    emit_error(s, "invalid_request_error", "session_expired",
               "Your session hit the maximum duration of 60 minutes.", NULL, NULL);
    session_end(s, 1001, "Your session hit the maximum duration of 60 minutes.");
}

void openai_session_tick(struct openai_session *s, uint64_t now_ms)
{
    s->now_ms = now_ms;
    if (s->over)
        return;
    if (s->fault_due_ms <= now_ms)
        end_of_fault(s);
    if (s->delayed && s->delayed_due_ms <= now_ms) {
        update_now(s, s->delayed);
        json_decref(s->delayed);
        s->delayed = NULL;
    }
    if (s->idle_due_ms && s->idle_due_ms <= now_ms)
        turn_idle(s);
    send_late(s);
    for (struct response *r = s->responses; r && !s->over; r = r->next)
        response_tick(s, r);
    responses_reap(s);
}
