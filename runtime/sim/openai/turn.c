/* SPDX-License-Identifier: Apache-2.0 */
/* turn.c - the caller's turns: found in the audio, committed, recognised, transcribed.
 *
 *   ears ─▶ speech_started ─▶ (interrupt) ─▶ speech_stopped ─▶ committed ─▶ item ─▶ response
 *                                                                └▶ hear job ─▶ transcript
 *
 *   - a transcript exists only for what was recognised from the audio, else transcription.failed
 *   - every third transcript comes after the response, because nobody promises the order
 *   - nobody speaks for idle_timeout_ms: the silence is committed and answered. */
#include "sim/openai/private.h"

#include <stdio.h>
#include <string.h>

enum { TRANSCRIPT_MS = 160, TRANSCRIPT_LAST_MS = 4000 };

static struct response *answering(const struct openai_session *s, uint32_t ticket)
{
    for (struct response *r = s->responses; r; r = r->next)
        if (r->heard_ticket == ticket && r->phase == PHASE_HEARING && *r->id)
            return r;
    return NULL;
}

/* The utterance becomes an item; the ears are asked what it was. Its ticket, 0 without an item. */
uint32_t turn_commit(struct openai_session *s, uint64_t from_ms, uint64_t to_ms)
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
    ticket = turn_commit(s, s->speech_from_ms, at_ms);
    if (ticket && config_flag(s, "create_response") && !response_active(s))
        response_start(s, NULL, ticket, NULL);
}

void turn_listen(struct openai_session *s)
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
void turn_idle(struct openai_session *s)
{
    uint64_t to_ms = ears_now_ms(s->ears), from_ms = to_ms - ears_waiting_ms(s->ears);

    s->idle_due_ms = 0;
    if (response_active(s) || *s->speaking_id)
        return;
    make_id(s, s->speaking_id, "item");
    emit(s, json_pack("{s:s,s:I,s:I,s:s}", "type", "input_audio_buffer.timeout_triggered",
                      "audio_start_ms", (json_int_t)from_ms, "audio_end_ms", (json_int_t)to_ms,
                      "item_id", s->speaking_id));
    turn_commit(s, from_ms, to_ms);
    response_start(s, NULL, 0, "Are you still there?");
}

struct item *turn_item(const struct openai_session *s, uint32_t ticket)
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
    struct openai_cue cue = openai_script_heard(s->script, index, s->cue, s->notes);
    const char *text = cue.reply ? cue.reply->hears /* for a recording: its words */
                                 : recogniser_text(openai_script_ears(s->script), index);
    struct response *r = answering(s, ticket);
    struct item *i = turn_item(s, ticket);

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
