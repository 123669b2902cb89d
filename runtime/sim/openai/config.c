/* SPDX-License-Identifier: Apache-2.0 */
/* config.c - the effective session: the API's defaults, and what session.update changes.
 *
 *   - only fields that are present change; audio.input and audio.output are merged field by field
 *   - a turn_detection is completed with its own defaults (silence_duration_ms 200, as observed)
 *   - refused: another model, another voice after the first audio, reasoning for models without. */
#include "sim/openai/private.h"

#include <stdio.h>
#include <string.h>

enum { SESSION_S = 3600 };

static json_t *server_vad(void)
{
    return json_pack("{s:s,s:f,s:i,s:i,s:b,s:b,s:n}", "type", "server_vad", "threshold", 0.5,
                     "prefix_padding_ms", 300, "silence_duration_ms", 200, "create_response", 1,
                     "interrupt_response", 1, "idle_timeout_ms");
}

static json_t *semantic_vad(void)
{
    return json_pack("{s:s,s:s,s:b,s:b}", "type", "semantic_vad", "eagerness", "auto",
                     "create_response", 1, "interrupt_response", 1);
}

static json_int_t session_s(const struct openai_session *s)
{
    return s->misery.fault == FAULT_EXPIRE ? s->misery.after_ms / 1000 : SESSION_S;
}

json_t *config_new(const struct openai_session *s, int64_t unix_s)
{
    json_t *input =
        json_pack("{s:{s:s,s:i},s:n,s:n,s:o}", "format", "type", "audio/pcm", "rate", 24000,
                  "transcription", "noise_reduction", "turn_detection", server_vad());
    json_t *output = json_pack("{s:{s:s,s:i},s:s,s:f}", "format", "type", "audio/pcm", "rate",
                               24000, "voice", "alloy", "speed", 1.0);
    json_t *c =
        json_pack("{s:s,s:s,s:s,s:s,s:I,s:s,s:[s],s:{s:o,s:o}}", "type", "realtime", "object",
                  "realtime.session", "id", s->id, "model", s->model, "expires_at",
                  (json_int_t)unix_s + session_s(s), "instructions", "You are a helpful assistant.",
                  "output_modalities", "audio", "audio", "input", input, "output", output);

    json_object_update_new(c, json_pack("{s:[],s:s,s:s,s:s,s:n,s:n,s:n}", "tools", "tool_choice",
                                        "auto", "max_output_tokens", "inf", "truncation", "auto",
                                        "tracing", "prompt", "include"));
    return c;
}

static bool reasons(const char *model)
{
    return strcmp(model, "gpt-realtime-2") == 0 || strncmp(model, "gpt-realtime-2.", 15) == 0;
}

static bool complain(struct complaint *c, const char *code, const char *param, const char *message)
{
    snprintf(c->code, sizeof(c->code), "%s", code);
    snprintf(c->param, sizeof(c->param), "%s", param);
    snprintf(c->message, sizeof(c->message), "%s", message);
    return false;
}

static bool allowed(const struct openai_session *s, const json_t *update, struct complaint *c)
{
    const char *model = json_string_value(json_object_get(update, "model"));
    const json_t *voice =
        json_object_get(json_object_get(json_object_get(update, "audio"), "output"), "voice");
    const json_t *now =
        json_object_get(json_object_get(json_object_get(s->config, "audio"), "output"), "voice");

    if (model && strcmp(model, s->model) != 0)
        return complain(c, "invalid_value", "session.model",
                        "Cannot change the model of a session that has begun.");
    if (voice && s->spoke && !json_equal(voice, now))
        return complain(c, "cannot_update_voice", "session.audio.output.voice",
                        "Cannot update a conversation's voice if assistant audio is present.");
    if (!reasons(s->model) &&
        (json_object_get(update, "reasoning") || json_object_get(update, "parallel_tool_calls")))
        return complain(c, "invalid_value", "session.reasoning",
                        "'reasoning' and 'parallel_tool_calls' are not supported by this model.");
    return true;
}

static json_t *complete_vad(const json_t *given)
{
    const char *type = json_string_value(json_object_get(given, "type"));
    json_t *vad;

    if (!type)
        return json_null();
    vad = strcmp(type, "server_vad") == 0 ? server_vad() : semantic_vad();
    json_object_update(vad, (json_t *)given);
    return vad;
}

static void merge_side(json_t *now, const json_t *update)
{
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)update, name, value) json_object_set_new(
        now, name,
        strcmp(name, "turn_detection") == 0 ? complete_vad(value) : json_deep_copy(value));
}

static void merge(json_t *now, const json_t *update)
{
    static const char *const sides[] = {"input", "output"};
    json_t *audio = json_object_get(now, "audio");
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)update, name, value)
    {
        if (strcmp(name, "audio") != 0) {
            json_object_set_new(now, name, json_deep_copy(value));
            continue;
        }
        for (size_t i = 0; i < 2; i++)
            merge_side(json_object_get(audio, sides[i]), json_object_get(value, sides[i]));
    }
}

const json_t *config_input(const struct openai_session *s, const char *name)
{
    return json_object_get(json_object_get(json_object_get(s->config, "audio"), "input"), name);
}

bool config_flag(const struct openai_session *s, const char *name)
{
    return json_is_true(json_object_get(config_input(s, "turn_detection"), name));
}

static void tune_ears(struct openai_session *s)
{
    const json_t *vad = config_input(s, "turn_detection");
    const char *type = json_string_value(json_object_get(config_input(s, "format"), "type"));
    bool server = json_object_get(vad, "threshold") != NULL;
    struct vad_opts o = {.threshold = 0.5F, .prefix_padding_ms = 300, .silence_duration_ms = 600};
    enum ears_format format = EARS_PCM24;

    if (server) {
        o.threshold = (float)json_number_value(json_object_get(vad, "threshold"));
        o.prefix_padding_ms =
            (uint32_t)json_integer_value(json_object_get(vad, "prefix_padding_ms"));
        o.silence_duration_ms =
            (uint32_t)json_integer_value(json_object_get(vad, "silence_duration_ms"));
    }
    if (type && strcmp(type, "audio/pcmu") == 0)
        format = EARS_ULAW;
    else if (type && strcmp(type, "audio/pcma") == 0)
        format = EARS_ALAW;
    ears_tune(s->ears, format, json_is_object(vad) ? &o : NULL);
}

bool config_apply(struct openai_session *s, const json_t *update, struct complaint *c)
{
    if (!allowed(s, update, c))
        return false;
    merge(s->config, update);
    tune_ears(s);
    return true;
}
