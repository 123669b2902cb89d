/* SPDX-License-Identifier: Apache-2.0 */
/* response.c - one answer of the model, from response.created to response.done.
 *
 *   HEARING ─▶ SPEAKING ─▶ OPEN ─▶ AUDIO ─▶ TOOL ─▶ DONE          without words: HEARING ─▶ TOOL
 *      what was said?  │      deltas, ten times faster than real time, transcript in between
 *                      espeak-ng, on another thread
 *
 *   - what it says is decided in openai_plan.c
 *   - cancelled: closes what is open in the usual order, then response.done "cancelled"
 *   - faults: breaks off in the middle, fails as a whole, or keeps sending after it was cancelled.
 */
#include "sim/openai/private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    DELTA_MS = 500,      /* of audio: 4000 bytes of µ-law */
    DELTA_EVERY_MS = 50, /* ten times faster than it plays */
    LATE_DELTAS = 4,
    BROKEN_AFTER = 2, /* deltas, when the fault of a session is an answer that breaks off… */
    BROKEN_LATER = 8, /* …and when it is a reply's: its question is understood by then */
    TOOL_RUNS_MS = 40 /* from a function call to the break that somebody wants meanwhile */
};

struct response *response_active(const struct openai_session *s)
{
    for (struct response *r = s->responses; r; r = r->next)
        if (!r->beside && r->phase != PHASE_LATE && r->phase <= PHASE_DONE && *r->id)
            return r;
    return NULL;
}

void response_free(struct response *r)
{
    if (!r)
        return;
    free(r->says);
    free(r->tool);
    free(r->arguments);
    free(r->audio);
    json_decref(r->metadata);
    json_decref(r->output);
    json_decref(r->format);
    free(r);
}

/* An id taken away marks a response that is over. */
void responses_reap(struct openai_session *s)
{
    struct response **at = &s->responses;

    while (*at) {
        struct response *r = *at;

        if (*r->id) {
            at = &r->next;
            continue;
        }
        *at = r->next;
        response_free(r);
    }
}

/* ---- what it looks like ---- */

static json_t *usage_of(const struct response *r)
{
    uint32_t cached_text = r->cached < r->text_in ? r->cached : r->text_in;
    uint32_t cached_audio = r->cached - cached_text;
    uint32_t in = r->text_in + r->audio_in, out = r->text_out + r->audio_out;

    return json_pack("{s:i,s:i,s:i,s:{s:i,s:i,s:i,s:i,s:{s:i,s:i,s:i}},s:{s:i,s:i}}",
                     "total_tokens", in + out, "input_tokens", in, "output_tokens", out,
                     "input_token_details", "text_tokens", r->text_in, "audio_tokens", r->audio_in,
                     "image_tokens", 0, "cached_tokens", r->cached, "cached_tokens_details",
                     "text_tokens", cached_text, "audio_tokens", cached_audio, "image_tokens", 0,
                     "output_token_details", "text_tokens", r->text_out, "audio_tokens",
                     r->audio_out);
}

json_t *response_picture(const struct openai_session *s, const struct response *r,
                         const char *status, json_t *details, bool done)
{
    const json_t *voice =
        json_object_get(json_object_get(json_object_get(s->config, "audio"), "output"), "voice");

    return json_pack("{s:s,s:s,s:s,s:o?,s:O,s:s?,s:[s],s:O?,s:{s:{s:O?,s:O?}},s:o?,s:O?}", "id",
                     r->id, "object", "realtime.response", "status", status, "status_details",
                     details, "output", r->output, "conversation_id", r->beside ? NULL : s->id,
                     "output_modalities", r->text_only ? "text" : "audio", "max_output_tokens",
                     json_object_get(s->config, "max_output_tokens"), "audio", "output", "format",
                     r->format, "voice", voice, "usage", done ? usage_of(r) : NULL, "metadata",
                     r->metadata);
}

static json_t *about(const struct response *r, const char *type)
{
    return json_pack("{s:s,s:s,s:s,s:i,s:i}", "type", type, "response_id", r->id, "item_id",
                     r->item_id, "output_index", r->output_index, "content_index", 0);
}

static void emit_about(struct openai_session *s, const struct response *r, const char *type,
                       const char *key, json_t *value)
{
    json_t *event = about(r, type);

    if (key)
        json_object_set_new(event, key, value);
    emit(s, event);
}

static void emit_item(struct openai_session *s, const struct response *r, const char *type,
                      const json_t *item)
{
    emit(s, json_pack("{s:s,s:s,s:i,s:o}", "type", type, "response_id", r->id, "output_index",
                      r->output_index, "item", json_deep_copy(item)));
}

/* ---- the end ---- */

static void release_late(struct openai_session *s)
{
    for (size_t i = 0; i < s->n_late; i++)
        if (s->late[i].after_response)
            s->late[i].due_ms = s->now_ms + 60;
}

static void finish(struct openai_session *s, struct response *r, const char *status,
                   json_t *details)
{
    uint64_t plays_ms = r->bytes_per_ms ? r->sent / r->bytes_per_ms : 0;
    json_int_t idle_ms =
        json_integer_value(json_object_get(config_input(s, "turn_detection"), "idle_timeout_ms"));

    fact(s,
         json_pack("{s:s,s:s,s:s,s:s?,s:I,s:o}", "ev", "response_done", "response", r->id, "status",
                   status, "says", r->says, "sent_ms", (json_int_t)plays_ms, "usage", usage_of(r)));
    emit(s, json_pack("{s:s,s:o}", "type", "response.done", "response",
                      response_picture(s, r, status, details, true)));
    if (!r->beside) {
        s->last_input = r->text_in + r->audio_in + r->text_out + r->audio_out;
        s->idle_due_ms = idle_ms ? s->now_ms + plays_ms + (uint64_t)idle_ms : 0;
        release_late(s);
    }
    r->id[0] = '\0';
}

void response_fail(struct openai_session *s, struct response *r, const char *type, const char *code,
                   const char *message)
{
    finish(s, r, "failed",
           json_pack("{s:s,s:{s:s,s:s?,s:s}}", "type", "failed", "error", "type", type, "code",
                     code, "message", message));
}

/* ---- the message ---- */

static void open_message(struct openai_session *s, struct response *r)
{
    json_t *json =
        json_pack("{s:s,s:s,s:s,s:s,s:s,s:[]}", "id", r->item_id, "object", "realtime.item", "type",
                  "message", "status", "in_progress", "role", "assistant", "content");
    const char *kind = r->text_only ? "text" : "audio";

    emit_item(s, r, "response.output_item.added", json);
    if (!r->beside) {
        struct item *i = item_add(s, json, NULL);
        if (i)
            item_emit(s, "conversation.item.added", i);
    } else {
        json_decref(json);
    }
    emit_about(s, r, "response.content_part.added", "part",
               json_pack("{s:s,s:s}", "type", kind, r->text_only ? "text" : "transcript", ""));
    r->phase = PHASE_AUDIO;
}

/* As much of the words as belongs to the audio sent, cut between words. */
static size_t words_until(const struct response *r, size_t sent)
{
    size_t n = strlen(r->says), to = r->n_audio ? n * sent / r->n_audio : n;

    if (sent >= r->n_audio)
        return n;
    while (to < n && r->says[to] != ' ')
        to++;
    return to;
}

static void send_words(struct openai_session *s, struct response *r, size_t to)
{
    if (to <= r->text_sent)
        return;
    emit_about(s, r,
               r->text_only ? "response.output_text.delta"
                            : "response.output_audio_transcript.delta",
               "delta", json_stringn(r->says + r->text_sent, to - r->text_sent));
    r->text_sent = to;
}

static void send_audio(struct openai_session *s, struct response *r)
{
    size_t n = (size_t)DELTA_MS * r->bytes_per_ms;
    struct item *i = item_find(s, r->item_id);
    char *text;

    if (n > r->n_audio - r->sent)
        n = r->n_audio - r->sent;
    text = malloc(n * 4 / 3 + 8);
    if (!text || n == 0) {
        free(text);
        return;
    }
    emit_about(s, r, "response.output_audio.delta", "delta",
               json_stringn(text, sim_base64_encode(text, r->audio + r->sent, n)));
    free(text);
    r->sent += n;
    r->deltas++;
    s->spoke = true;
    if (i && r->phase != PHASE_LATE) {
        i->has_audio = true;
        i->generated_ms = (uint32_t)(r->sent / r->bytes_per_ms);
        i->audio_ms = i->generated_ms;
        i->audio_tokens = i->audio_ms / 50;
    }
}

static void close_message(struct openai_session *s, struct response *r, const char *status)
{
    struct item *i = item_find(s, r->item_id);
    json_t *words = json_stringn(r->says, r->text_sent);
    const char *key = r->text_only ? "text" : "transcript";
    json_t *json;

    if (r->text_only) {
        emit_about(s, r, "response.output_text.done", "text", json_incref(words));
    } else {
        emit_about(s, r, "response.output_audio.done", NULL, NULL);
        emit_about(s, r, "response.output_audio_transcript.done", "transcript", json_incref(words));
    }
    emit_about(s, r, "response.content_part.done", "part",
               json_pack("{s:s,s:O}", "type", r->text_only ? "text" : "audio", key, words));
    json = json_pack("{s:s,s:s,s:s,s:s,s:s,s:[{s:s,s:o}]}", "id", r->item_id, "object",
                     "realtime.item", "type", "message", "status", status, "role", "assistant",
                     "content", "type", r->text_only ? "output_text" : "output_audio", key, words);
    if (i) {
        json_decref(i->json);
        i->json = json_incref(json);
        i->text_tokens = 4 + (r->text_only ? (uint32_t)r->text_sent / 4 : 0);
        item_emit(s, "conversation.item.done", i);
    }
    emit_item(s, r, "response.output_item.done", json);
    json_array_append_new(r->output, json_deep_copy(json));
    json_decref(json);
    r->text_out += (uint32_t)r->text_sent / 4 + 1;
    r->audio_out += r->bytes_per_ms ? (uint32_t)(r->sent / r->bytes_per_ms / 50) : 0;
    r->output_index++;
}

/* ---- the function call ---- */

static void remember(struct openai_session *s, const char *call_id,
                     const struct scenario_reply *follow)
{
    struct pending *p;

    if (s->n_pending == PENDING_MAX) {
        memmove(s->pending, s->pending + 1, (PENDING_MAX - 1) * sizeof(s->pending[0]));
        s->n_pending--;
    }
    p = &s->pending[s->n_pending++];
    *p = (struct pending){.reply = follow};
    snprintf(p->call_id, ID_MAX, "%s", call_id);
}

static json_t *call_json(const struct response *r, const char *call_id, const char *status)
{
    return json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s}", "id", r->item_id, "object", "realtime.item",
                     "type", "function_call", "status", status, "call_id", call_id, "name", r->tool,
                     "arguments", strcmp(status, "completed") == 0 ? r->arguments : "");
}

static void send_arguments(struct openai_session *s, const struct response *r, const char *call_id)
{
    size_t n = strlen(r->arguments), step = n / 3 + 1;

    for (size_t at = 0; at < n; at += step)
        emit(s, json_pack("{s:s,s:s,s:s,s:i,s:s,s:o}", "type",
                          "response.function_call_arguments.delta", "response_id", r->id, "item_id",
                          r->item_id, "output_index", r->output_index, "call_id", call_id, "delta",
                          json_stringn(r->arguments + at, n - at < step ? n - at : step)));
    emit(s,
         json_pack("{s:s,s:s,s:s,s:i,s:s,s:s,s:s}", "type", "response.function_call_arguments.done",
                   "response_id", r->id, "item_id", r->item_id, "output_index", r->output_index,
                   "call_id", call_id, "name", r->tool, "arguments", r->arguments));
}

static void call_tool(struct openai_session *s, struct response *r)
{
    struct item *i = NULL;
    char call_id[ID_MAX];
    json_t *begun, *done;

    make_id(s, r->item_id, "item");
    make_id(s, call_id, "call");
    begun = call_json(r, call_id, "in_progress");
    done = call_json(r, call_id, "completed");
    emit_item(s, r, "response.output_item.added", begun);
    if (!r->beside)
        i = item_add(s, begun, NULL);
    else
        json_decref(begun);
    if (i)
        item_emit(s, "conversation.item.added", i);
    send_arguments(s, r, call_id);
    if (i) {
        json_decref(i->json);
        i->json = json_incref(done);
        item_emit(s, "conversation.item.done", i);
    }
    emit_item(s, r, "response.output_item.done", done);
    json_array_append_new(r->output, done);
    fact(s, json_pack("{s:s,s:s,s:s,s:s}", "ev", "tool_call", "call_id", call_id, "name", r->tool,
                      "arguments", r->arguments));
    r->text_out += count_tokens(r->arguments) + 8;
    r->output_index++;
    remember(s, call_id, r->follow);
}

/* ---- step by step ---- */

/* Somebody outside wants it to break in the middle of an answer. */
static void may_break(struct openai_session *s, const struct response *r)
{
    int code = r->deltas == BROKEN_AFTER + 1 && !r->beside ? session_moment(s, MOMENT_ANSWER)
                                                           : OPENAI_GOES_ON;

    if (code != OPENAI_GOES_ON)
        session_end(s, code, "broken from outside");
}

/* The same, while its function runs. */
static void may_break_soon(struct openai_session *s, const struct response *r)
{
    if (!r->tool || r->beside || session_moment(s, MOMENT_TOOL) == OPENAI_GOES_ON)
        return;
    s->misery.fault = FAULT_DROP;
    s->fault_due_ms = s->now_ms + TOOL_RUNS_MS;
}

static void breaks_off(struct openai_session *s, const struct response *r)
{
    bool whole_session = s->misery.fault == FAULT_DROP_ANSWER && r->heard_ticket != 0;

    if (r->deltas < (whole_session ? BROKEN_AFTER : BROKEN_LATER))
        return;
    if (r->fault == FAULT_CLOSE_1011 && !s->told)
        session_end(s, 1011, "The server had an error while processing your request.");
    else if ((r->fault == FAULT_DROP_ANSWER && !s->told) || whole_session)
        session_end(s, 0, "fault");
}

static void stream(struct openai_session *s, struct response *r)
{
    size_t next = r->sent + (size_t)DELTA_MS * r->bytes_per_ms;

    if (r->text_only) {
        size_t n = strlen(r->says);
        send_words(s, r, r->text_sent == 0 ? n / 2 : n);
        if (r->text_sent < n)
            return;
    } else {
        send_words(s, r, words_until(r, next));
        send_audio(s, r);
        may_break(s, r);
        breaks_off(s, r);
        if (r->sent < r->n_audio)
            return;
    }
    close_message(s, r, "completed");
    r->phase = r->tool ? PHASE_TOOL : PHASE_DONE;
}

static void stream_late(struct openai_session *s, struct response *r)
{
    send_audio(s, r);
    if (r->late-- <= 1 || r->sent >= r->n_audio)
        r->id[0] = '\0';
}

void response_tick(struct openai_session *s, struct response *r)
{
    if (r->phase < PHASE_OPEN || r->due_ms > s->now_ms || !*r->id)
        return;
    r->due_ms += DELTA_EVERY_MS;
    switch (r->phase) {
    case PHASE_OPEN:
        open_message(s, r);
        r->due_ms = s->now_ms;
        break;
    case PHASE_AUDIO:
        stream(s, r);
        break;
    case PHASE_TOOL:
        call_tool(s, r);
        r->phase = PHASE_DONE;
        break;
    case PHASE_DONE:
        finish(s, r, "completed", NULL);
        may_break_soon(s, r);
        break;
    default:
        stream_late(s, r);
    }
}

void response_cancel(struct openai_session *s, struct response *r, const char *reason)
{
    bool late = s->misery.fault == FAULT_LATE_DELTAS || r->fault == FAULT_LATE_DELTAS;
    char id[ID_MAX];

    if (r->phase == PHASE_AUDIO)
        close_message(s, r, "incomplete");
    late = late && r->phase == PHASE_AUDIO && r->sent < r->n_audio;
    memcpy(id, r->id, ID_MAX);
    finish(s, r, "cancelled", json_pack("{s:s,s:s}", "type", "cancelled", "reason", reason));
    if (!late)
        return;
    memcpy(r->id, id, ID_MAX);
    r->phase = PHASE_LATE;
    r->late = LATE_DELTAS;
    r->due_ms = s->now_ms + DELTA_EVERY_MS;
}
