/* SPDX-License-Identifier: Apache-2.0 */
/* openai_session.c - client events in, turns found, time passed on.
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
#include "sim/openai_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    LATE_UPDATE_MS = 2000,
    TRANSCRIPT_MS = 160,
    TRANSCRIPT_LAST_MS = 4000,
    SESSION_MS = 3600000,
    AUDIO_MAX = 16 * 1024 * 1024
};

const char *openai_voice(const char *name)
{
    static const struct {
        const char *name, *voice;
    } voices[] = {
        {"marin",   "en-us+f3"},
        {"cedar",   "en-us+m3"},
        {"alloy",   "en-us+f2"},
        {"ash",     "en-us+m1"},
        {"ballad",  "en-gb+m2"},
        {"coral",   "en-us+f4"},
        {"echo",    "en-us+m4"},
        {"sage",    "en-us+f1"},
        {"shimmer", "en-us+f5"},
        {"verse",   "en-us+m5"}
    };

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

/* ---- turns ---- */

static struct response *answering(const struct openai_session *s, uint32_t ticket)
{
    for (struct response *r = s->responses; r; r = r->next)
        if (r->heard_ticket == ticket && r->phase == PHASE_HEARING && *r->id)
            return r;
    return NULL;
}

/* The utterance becomes an item; the ears are asked what it was. Its ticket, 0 without an item. */
static uint32_t commit(struct openai_session *s, uint64_t from_ms, uint64_t to_ms)
{
    uint32_t ticket = ++s->next_ticket;
    struct sound pcm = {0};
    struct item *i;
    json_t *json;

    emit(s, json_pack("{s:s,s:s?,s:s}", "type", "input_audio_buffer.committed", "previous_item_id",
                      item_last_id(s), "item_id", s->speaking_id));
    json = json_pack("{s:s,s:s,s:s,s:s,s:[{s:s,s:n}]}", "id", s->speaking_id, "type", "message",
                     "status", "completed", "role", "user", "content", "type", "input_audio",
                     "transcript");
    i = item_add(s, json, NULL);
    s->speaking_id[0] = '\0';
    if (!i)
        return 0;
    i->length_ms = to_ms - from_ms;
    i->audio_tokens = (uint32_t)(i->length_ms / 100);
    item_emit(s, "conversation.item.added", i);
    item_emit(s, "conversation.item.done", i);
    i->ticket = ticket;
    if (ears_take(s->ears, &pcm, from_ms, to_ms) == 0 && s->events->hear(ticket, pcm, s->arg) == 0)
        return ticket;
    sound_fini(&pcm);
    i->ticket = 0;
    return 0;
}

static void on_speech_started(struct openai_session *s, uint64_t at_ms)
{
    struct response *r = response_active(s);

    make_id(s, s->speaking_id, "item");
    s->speech_from_ms = at_ms;
    s->idle_due_ms = 0;
    fact(s, json_pack("{s:s,s:I,s:s}", "ev", "speech_started", "audio_start_ms", (json_int_t)at_ms,
                      "item", s->speaking_id));
    emit(s, json_pack("{s:s,s:I,s:s}", "type", "input_audio_buffer.speech_started",
                      "audio_start_ms", (json_int_t)at_ms, "item_id", s->speaking_id));
    if (r && config_flag(s, "interrupt_response"))
        response_cancel(s, r, "turn_detected");
}

static void on_speech_stopped(struct openai_session *s, uint64_t at_ms)
{
    uint32_t ticket;

    fact(s, json_pack("{s:s,s:I,s:s}", "ev", "speech_stopped", "audio_end_ms", (json_int_t)at_ms,
                      "item", s->speaking_id));
    emit(s, json_pack("{s:s,s:I,s:s}", "type", "input_audio_buffer.speech_stopped", "audio_end_ms",
                      (json_int_t)at_ms, "item_id", s->speaking_id));
    ticket = commit(s, s->speech_from_ms, at_ms);
    if (ticket && config_flag(s, "create_response") && !response_active(s))
        response_start(s, NULL, ticket, NULL);
}

static void listen(struct openai_session *s)
{
    enum vad_event event;
    uint64_t at_ms = 0;

    while (!s->over && (event = ears_next(s->ears, &at_ms)) != VAD_NOTHING) {
        if (event == VAD_STARTED)
            on_speech_started(s, at_ms);
        else if (*s->speaking_id)
            on_speech_stopped(s, at_ms);
    }
}

/* Nobody spoke for a while: the silence is committed and answered. */
static void on_idle(struct openai_session *s)
{
    uint64_t to_ms = ears_now_ms(s->ears), from_ms = to_ms - ears_waiting_ms(s->ears);

    s->idle_due_ms = 0;
    if (response_active(s) || *s->speaking_id)
        return;
    make_id(s, s->speaking_id, "item");
    emit(s, json_pack("{s:s,s:I,s:I,s:s}", "type", "input_audio_buffer.timeout_triggered",
                      "audio_start_ms", (json_int_t)from_ms, "audio_end_ms", (json_int_t)to_ms,
                      "item_id", s->speaking_id));
    commit(s, from_ms, to_ms);
    response_start(s, NULL, 0, "Are you still there?");
}

static struct item *item_heard(const struct openai_session *s, uint32_t ticket)
{
    for (size_t i = s->n_items; i > 0; i--)
        if (s->items[i - 1]->ticket == ticket)
            return s->items[i - 1];
    return NULL;
}

static json_t *transcription(const struct item *i, const char *name)
{
    char type[96];

    snprintf(type, sizeof(type), "conversation.item.input_audio_transcription.%s", name);
    return json_pack("{s:s,s:s,s:i}", "type", type, "item_id", i->id, "content_index", 0);
}

static void transcribe(struct openai_session *s, const struct item *i, const char *text)
{
    bool last = s->turns % 3 == 2;
    uint64_t due_ms = s->now_ms + (last ? TRANSCRIPT_LAST_MS : TRANSCRIPT_MS);
    size_t half = strlen(text) / 2;
    json_t *event;

    while (text[half] && text[half] != ' ')
        half++;
    event = transcription(i, "delta");
    json_object_set_new(event, "delta", json_stringn(text, half));
    emit_later(s, event, due_ms, last);
    if (text[half]) {
        event = transcription(i, "delta");
        json_object_set_new(event, "delta", json_string(text + half));
        emit_later(s, event, due_ms, last);
    }
    event = transcription(i, "completed");
    json_object_set_new(event, "transcript", json_string(text));
    json_object_set_new(
        event, "usage",
        json_pack("{s:s,s:f}", "type", "duration", "seconds", (double)i->length_ms / 1000));
    emit_later(s, event, due_ms, last);
}

static void transcribe_nothing(struct openai_session *s, const struct item *i)
{
    json_t *event = transcription(i, "failed");

    json_object_set_new(event, "error",
                        json_pack("{s:s,s:s,s:s,s:n}", "type", "transcription_error", "code",
                                  "audio_unintelligible", "message",
                                  "The audio could not be transcribed.", "param"));
    emit_later(s, event, s->now_ms + TRANSCRIPT_MS, false);
}

void openai_session_heard(struct openai_session *s, uint32_t ticket, int index, float score,
                          uint64_t now_ms)
{
    const char *text = recogniser_text(openai_script_ears(s->script), index);
    struct openai_cue cue = openai_script_heard(s->script, index, s->cue);
    struct response *r = answering(s, ticket);
    struct item *i = item_heard(s, ticket);

    s->now_ms = now_ms;
    fact(s, json_pack("{s:s,s:s,s:b,s:f,s:s?}", "ev", "heard", "text",
                      text ? text : "[unintelligible]", "recognised", text != NULL, "score",
                      (double)score, "item", i ? i->id : NULL));
    if (i) {
        json_t *part = json_array_get(json_object_get(i->json, "content"), 0);
        json_object_set_new(part, "transcript", json_string(text ? text : "[unintelligible]"));
        i->ticket = 0;
    }
    if (i && json_is_object(config_input(s, "transcription"))) {
        if (text)
            transcribe(s, i, text);
        else
            transcribe_nothing(s, i);
    }
    s->turns++;
    if (r)
        response_heard(s, r, &cue);
    responses_reap(s);
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
    s->delayed_due_ms = s->now_ms + LATE_UPDATE_MS;
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
    else if (got > 0 && ears_append(s->ears, bytes, (size_t)got) == 0)
        listen(s);
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
    s->heard_ticket = commit(s, vad ? s->speech_from_ms : now_ms - waiting_ms, now_ms);
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
    response_start(s, params, ticket && !beside && item_heard(s, ticket) ? ticket : 0, NULL);
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
    {"input_audio_buffer.append",  on_append         },
    {"session.update",             on_session_update },
    {"response.create",            on_response_create},
    {"response.cancel",            on_response_cancel},
    {"conversation.item.create",   on_item_create    },
    {"conversation.item.truncate", on_item_truncate  },
    {"conversation.item.delete",   on_item_delete    },
    {"conversation.item.retrieve", on_item_retrieve  },
    {"input_audio_buffer.commit",  on_commit         },
    {"input_audio_buffer.clear",   on_clear          },
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
    if (s->misery.fault == FAULT_DROP) {
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
        on_idle(s);
    send_late(s);
    for (struct response *r = s->responses; r && !s->over; r = r->next)
        response_tick(s, r);
    responses_reap(s);
}
