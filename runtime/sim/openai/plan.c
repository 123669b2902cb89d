/* SPDX-License-Identifier: Apache-2.0 */
/* plan.c - what an answer will say and do, and in which voice.
 *
 *   exact words asked for ▸ else what follows a tool's result ▸ else the reply to the utterance or
 * the text ▸ else a sentence that fits anything
 *
 *   - an utterance nobody recognised is answered by saying so
 *   - words are spoken by a job; without it the response fails as the API's do. */
#include "sim/openai/private.h"

#include <stdlib.h>
#include <string.h>

enum {
    THINK_MS = 90, /* before the first delta, espeak-ng's time on top */
    TOKENS_A_MINUTE = 400000,
    TOKENS_LOW = 1200
};

static const char lost_words[] = "I am sorry, I did not understand that.";
static const char any_words[] = "All right. What else can I do for you?";

static const char *reason_to_fail(const struct openai_session *s, const struct response *r)
{
    if (s->misery.fault == FAULT_RATE_LIMIT || r->fault == FAULT_RATE_LIMIT)
        return "rate_limit_exceeded";
    if (s->misery.fault == FAULT_SERVER_ERROR || r->fault == FAULT_SERVER_ERROR)
        return "server_error";
    return NULL;
}

static void begin(struct openai_session *s, struct response *r)
{
    const char *reason = reason_to_fail(s, r);

    if (reason) {
        bool ours = strcmp(reason, "server_error") == 0;
        response_fail(s, r, ours ? "server_error" : "invalid_request_error", ours ? NULL : reason,
                      ours ? "The server had an error while processing your request."
                           : "Rate limit reached for gpt-realtime on tokens per min (TPM).");
        return;
    }
    if (s->misery.fault == FAULT_NO_ANSWER || r->fault == FAULT_NO_ANSWER) {
        r->phase = PHASE_SPEAKING; /* for which nobody was asked */
        return;
    }
    r->due_ms = s->now_ms + THINK_MS;
    make_id(s, r->item_id, "item");
    if (!r->says || r->text_only) {
        r->phase = r->says ? PHASE_OPEN : r->tool ? PHASE_TOOL : PHASE_DONE;
        return;
    }
    r->phase = PHASE_SPEAKING;
    r->said_ticket = ++s->next_ticket;
    if (s->events->say(r->said_ticket, r->says, r->voice, s->arg))
        response_fail(s, r, "server_error", NULL, "The speech could not be made.");
}

static void take_fault(struct openai_session *s, struct response *r, const char *name)
{
    struct openai_misery m;

    if (!name || openai_fault_parse(&m, name, strlen(name)))
        return;
    r->fault = m.fault;
    if (m.fault == FAULT_DROP || m.fault == FAULT_CLOSE_3000)
        session_end(s, m.fault == FAULT_DROP ? 0 : 3000, "fault");
    else if (m.fault == FAULT_SILENT || m.fault == FAULT_NULL_FIELDS ||
             m.fault == FAULT_NO_METADATA || m.fault == FAULT_UNKNOWN_EVENTS)
        s->misery = m;
}

static char *copy(const char *z)
{
    return z ? strdup(z) : NULL;
}

static void take_reply(struct openai_session *s, struct response *r, const struct openai_cue *cue)
{
    const struct scenario_reply *reply = cue->reply;

    s->cue = *cue;
    r->says = copy(reply->says);
    r->tool = copy(reply->tool);
    r->arguments = strdup(reply->arguments ? reply->arguments : "{}");
    r->follow = reply;
    fact(s, json_pack("{s:s,s:s?,s:s?,s:s?}", "ev", "reply", "scenario", cue->scenario->name,
                      "hears", reply->hears, "tool", reply->tool));
    take_fault(s, r, reply->fault);
}

static bool take_pending(struct openai_session *s, struct response *r)
{
    for (size_t i = 0; i < s->n_pending; i++) {
        const struct scenario_reply *reply = s->pending[i].reply;

        if (!s->pending[i].answered)
            continue;
        s->pending[i] = s->pending[--s->n_pending];
        if (!reply || (!reply->then_says && !reply->then_tool))
            return false;
        r->says = copy(reply->then_says);
        r->tool = copy(reply->then_tool);
        r->arguments = strdup(reply->then_arguments ? reply->then_arguments : "{}");
        return true;
    }
    return false;
}

static const char *text_of(const json_t *item)
{
    return json_string_value(
        json_object_get(json_array_get(json_object_get(item, "content"), 0), "text"));
}

/* Exact words in the response's instructions, its input, or the newest item of the conversation. */
static char *exact_words(const struct openai_session *s, const json_t *params)
{
    const json_t *input = json_object_get(params, "input");
    char *words = openai_exact_words(json_string_value(json_object_get(params, "instructions")));

    for (size_t i = json_array_size(input); !words && i > 0; i--)
        words = openai_exact_words(text_of(json_array_get(input, i - 1)));
    if (!words && !input && s->n_items)
        words = openai_exact_words(text_of(s->items[s->n_items - 1]->json));
    return words;
}

/* It was told what it had begun to say, in a session before this one, and goes on with it. */
static char *rest_of_sentence(const struct openai_session *s)
{
    const json_t *item = s->n_items ? s->items[s->n_items - 1]->json : NULL;
    const char *role = json_string_value(json_object_get(item, "role")), *text = text_of(item);

    if (!role || strcmp(role, "assistant") != 0 || !text)
        return NULL;
    return copy(openai_script_rest(s->script, text));
}

static void plan(struct openai_session *s, struct response *r, const json_t *params,
                 const char *says)
{
    struct openai_cue cue = {0};

    r->says = says ? strdup(says) : exact_words(s, params);
    if (!r->says && !r->beside && take_pending(s, r)) {
        begin(s, r);
        return;
    }
    if (!r->says && s->n_items && !r->beside)
        cue = openai_script_read(s->script, text_of(s->items[s->n_items - 1]->json), s->cue,
                                 s->notes);
    if (!r->says && !cue.reply && !r->beside)
        r->says = rest_of_sentence(s);
    if (cue.reply)
        take_reply(s, r, &cue);
    else if (!r->says && !(r->text_only && typed_answer(s, r)))
        r->says = strdup(any_words);
    begin(s, r);
}

void response_heard(struct openai_session *s, struct response *r, const struct openai_cue *cue)
{
    if (cue->reply)
        take_reply(s, r, cue);
    else
        r->says = strdup(lost_words);
    begin(s, r);
}

/* Into the output format. */
static int encode(struct response *r, const struct sound *pcm)
{
    const char *type = json_string_value(json_object_get(r->format, "type"));
    bool ulaw = strcmp(type, "audio/pcmu") == 0, wide = strcmp(type, "audio/pcm") == 0;
    struct sound out = {0};

    if (sound_resample(&out, pcm->pcm, pcm->n, 8000, wide ? 24000 : 8000))
        return -1;
    r->bytes_per_ms = wide ? 48 : 8;
    r->n_audio = wide ? out.n * 2 : out.n;
    r->audio = malloc(r->n_audio + 1);
    for (size_t i = 0; r->audio && i < out.n; i++) {
        if (wide) {
            r->audio[2 * i] = (uint8_t)out.pcm[i];
            r->audio[2 * i + 1] = (uint8_t)(out.pcm[i] >> 8);
        } else {
            r->audio[i] = ulaw ? sim_ulaw_encode(out.pcm[i]) : sim_alaw_encode(out.pcm[i]);
        }
    }
    sound_fini(&out);
    return r->audio ? 0 : -1;
}

void response_said(struct openai_session *s, struct response *r, const struct sound *pcm)
{
    if (pcm->n == 0 || encode(r, pcm)) {
        response_fail(s, r, "server_error", NULL, "The speech could not be made.");
        return;
    }
    r->phase = PHASE_OPEN;
    if (r->due_ms < s->now_ms)
        r->due_ms = s->now_ms;
}

static const json_t *output_of(const struct openai_session *s, const json_t *params,
                               const char *name)
{
    const json_t *own =
        json_object_get(json_object_get(json_object_get(params, "audio"), "output"), name);

    return own ? own
               : json_object_get(json_object_get(json_object_get(s->config, "audio"), "output"),
                                 name);
}

static void describe(struct openai_session *s, struct response *r, const json_t *params)
{
    const json_t *modes = json_object_get(params, "output_modalities");
    const char *where = json_string_value(json_object_get(params, "conversation"));
    const char *mode;

    if (!modes)
        modes = json_object_get(s->config, "output_modalities");
    mode = json_string_value(json_array_get(modes, 0));
    make_id(s, r->id, "resp");
    r->text_only = mode && strcmp(mode, "text") == 0;
    r->beside = where && strcmp(where, "none") == 0;
    r->format = json_deep_copy(output_of(s, params, "format"));
    r->voice = openai_voice(json_string_value(output_of(s, params, "voice")));
    r->metadata = json_incref(json_object_get(params, "metadata"));
    r->output = json_array();
    items_count(s, &r->text_in, &r->audio_in);
    r->text_in += count_tokens(json_string_value(json_object_get(params, "instructions")));
    r->cached = s->last_input < r->text_in + r->audio_in ? s->last_input : r->text_in + r->audio_in;
    r->cached -= r->cached % 64;
}

static void emit_limits(struct openai_session *s, const struct response *r)
{
    bool low = s->misery.fault == FAULT_LOW_LIMITS || r->fault == FAULT_LOW_LIMITS;
    int left = low ? TOKENS_LOW : TOKENS_A_MINUTE - (int)(r->text_in + r->audio_in);

    emit(s, json_pack("{s:s,s:[{s:s,s:i,s:i,s:f},{s:s,s:i,s:i,s:f}]}", "type",
                      "rate_limits.updated", "rate_limits", "name", "requests", "limit", 5000,
                      "remaining", 4999, "reset_seconds", 0.012, "name", "tokens", "limit",
                      TOKENS_A_MINUTE, "remaining", left, "reset_seconds", low ? 59.5 : 0.5));
}

void response_start(struct openai_session *s, const json_t *params, uint32_t heard_ticket,
                    const char *says)
{
    struct response *r = calloc(1, sizeof(*r));

    if (!r)
        return;
    describe(s, r, params);
    r->next = s->responses;
    s->responses = r;
    r->heard_ticket = heard_ticket;
    emit(s, json_pack("{s:s,s:o}", "type", "response.created", "response",
                      response_picture(s, r, "in_progress", NULL, false)));
    emit_limits(s, r);
    if (!heard_ticket)
        plan(s, r, params, says);
}
