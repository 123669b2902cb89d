/* SPDX-License-Identifier: Apache-2.0 */
/* wire.c - the client events of the Realtime API, GA shape.
 *
 *   struct brief ──▶ session.update: both formats the agent's, server VAD with every setting,
 * transcription, voice, tools. First message of every session, because the API's own defaults (24
 * kHz PCM, another silence) are wrong for a telephone what the call core asks for ──▶
 * response.create, response.cancel, conversation.item.*
 *
 * Events are written straight into a buffer; only the tools go through a JSON library, because they
 * come as text that somebody else wrote.
 *   - tools that are no array of named objects: RD_ECONFIG, nobody is called */
#include "providers/openai/wire.h"

#include "base/err.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdlib.h>

#define DEFAULT_VOICE      "marin"
#define DEFAULT_SILENCE_MS 500u
#define PREFIX_PADDING_MS  300u
#define DEFAULT_THRESHOLD  0.5
#define TOOL_NAME_CHARS    64

/* The words in the event_id of a response.create. */
#define RESPOND "respond"
#define ASIDE   "aside"

/* `head` as it is, then `s` escaped, then the closing quote. */
static int add_string(struct buf *out, const char *head, struct rd_str s)
{
    int rc = buf_add_str(out, head);

    if (!rc)
        rc = buf_add_json(out, s);
    return rc ? rc : buf_add(out, "\"", 1);
}

static int begin(struct buf *out, const char *type, const char *word, uint64_t number)
{
    buf_clear(out);
    return buf_addf(out, "{\"type\":\"%s\",\"event_id\":\"%s-%" PRIu64 "\"", type, word, number);
}

static bool good_name(const char *s)
{
    size_t n = s ? strlen(s) : 0;

    return n > 0 && n <= TOOL_NAME_CHARS &&
           strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-") == n;
}

/* One tool, rebuilt from what we know of it, so that nothing else gets on the wire. */
static int add_tool(struct buf *out, json_t *tool)
{
    const char *name = json_string_value(json_object_get(tool, "name"));
    json_t *about = json_object_get(tool, "description");
    json_t *parameters = json_object_get(tool, "parameters");
    char *text = NULL;
    int rc;

    if (!good_name(name) || (about && !json_is_string(about)) ||
        (parameters && !json_is_object(parameters)))
        return RD_ECONFIG;
    rc = add_string(out, "{\"type\":\"function\",\"name\":\"", rd_str(name));
    if (!rc && about)
        rc = add_string(out, ",\"description\":\"", rd_str(json_string_value(about)));
    if (!rc && parameters) {
        text = json_dumps(parameters, JSON_COMPACT | JSON_ENCODE_ANY);
        rc = text ? buf_addf(out, ",\"parameters\":%s", text) : -ENOMEM;
    }
    free(text);
    return rc ? rc : buf_add(out, "}", 1);
}

static int add_tools(struct buf *out, const char *tools_json)
{
    json_t *tools = json_loads(tools_json && *tools_json ? tools_json : "[]", 0, NULL);
    int rc = RD_ECONFIG;

    if (!json_is_array(tools))
        goto done;
    rc = buf_add_str(out, ",\"tools\":[");
    for (size_t i = 0; !rc && i < json_array_size(tools); i++) {
        rc = i > 0 ? buf_add(out, ",", 1) : 0;
        if (!rc)
            rc = add_tool(out, json_array_get(tools, i));
    }
    if (!rc)
        rc = buf_add_str(out, "],\"tool_choice\":\"auto\"");
done:
    json_decref(tools);
    return rc;
}

static int add_languages(struct buf *out, const char *list)
{
    int rc = buf_add_str(out, ",\"languages\":[");
    const char *head = "\"";

    while (!rc && *list) {
        size_t n = strcspn(list, ",");

        if (n > 0) {
            rc = add_string(out, head, (struct rd_str){list, n});
            head = ",\"";
        }
        list += n + (list[n] == ',');
    }
    return rc ? rc : buf_add(out, "]", 1);
}

/* "en" is a language, "en,es" are languages, "" is a guess. */
static int add_transcription(struct buf *out, const char *language)
{
    const char *list = language ? language : "";
    int rc = buf_add_str(out, ",\"transcription\":{\"model\":\"" OPENAI_TRANSCRIPTION_MODEL "\"");

    list += strspn(list, ",");
    if (!rc && strchr(list, ','))
        rc = add_languages(out, list);
    else if (!rc && *list)
        rc = add_string(out, ",\"language\":\"", rd_str(list));
    return rc ? rc : buf_add(out, "}", 1);
}

/* Thousandths, because printf() would ask the locale for a decimal point. */
static int add_turn_detection(struct buf *out, const struct brief *b)
{
    bool given = b->vad_threshold > 0 && b->vad_threshold <= 1;
    unsigned thousandths = (unsigned)((given ? b->vad_threshold : DEFAULT_THRESHOLD) * 1000 + 0.5);

    return buf_addf(out,
                    ",\"turn_detection\":{\"type\":\"server_vad\",\"threshold\":%u.%03u,"
                    "\"prefix_padding_ms\":%u,\"silence_duration_ms\":%u,\"create_response\":true,"
                    "\"interrupt_response\":true,\"idle_timeout_ms\":null}",
                    thousandths / 1000, thousandths % 1000, PREFIX_PADDING_MS,
                    b->vad_silence_ms ? b->vad_silence_ms : DEFAULT_SILENCE_MS);
}

/* A custom voice is named by an object. */
static int add_voice(struct buf *out, const char *voice)
{
    struct rd_str v = rd_str(voice && *voice ? voice : DEFAULT_VOICE);
    bool custom = strncmp(v.p, "voice_", 6) == 0;
    int rc = add_string(out, custom ? ",\"voice\":{\"id\":\"" : ",\"voice\":\"", v);

    return rc || !custom ? rc : buf_add(out, "}", 1);
}

/* A fifth at a time, because each time the prompt cache is lost. */
static int add_truncation(struct buf *out, uint32_t keep_tokens)
{
    return buf_addf(out,
                    ",\"truncation\":{\"type\":\"retention_ratio\",\"retention_ratio\":0.8,"
                    "\"token_limits\":{\"post_instructions\":%" PRIu32 "}}",
                    keep_tokens);
}

bool wire_is_pcm(const struct brief *b)
{
    return b->audio && strcmp(b->audio, "pcm") == 0;
}

static int add_format(struct buf *out, const struct brief *b)
{
    return buf_add_str(out, wire_is_pcm(b) ? "\"format\":{\"type\":\"audio/pcm\",\"rate\":24000}"
                                           : "\"format\":{\"type\":\"audio/pcmu\"}");
}

int wire_session_update(struct buf *out, uint64_t number, const struct brief *b,
                        uint32_t keep_tokens)
{
    int rc;

    if ((rc = begin(out, "session.update", "session", number)) ||
        (rc = add_string(out, ",\"session\":{\"type\":\"realtime\",\"instructions\":\"",
                         rd_str(b->instructions))) ||
        (rc = buf_add_str(out, ",\"output_modalities\":[\"audio\"],\"audio\":{\"input\":{")) ||
        (rc = add_format(out, b)) || (rc = add_transcription(out, b->language)) ||
        (rc = add_turn_detection(out, b)) || (rc = buf_add_str(out, "},\"output\":{")) ||
        (rc = add_format(out, b)) || (rc = add_voice(out, b->voice)) ||
        (rc = buf_add_str(out, "}}")) || (rc = add_tools(out, b->tools_json)) ||
        (rc = add_truncation(out, keep_tokens)))
        return rc;
    return buf_add_str(out, "}}");
}

/* --- responses ------------------------------------------------------------------------------- */

/* The words alone decide: no tools, and beside the conversation no history either. */
static int add_exact_words(struct buf *out, const struct provider_prompt *p)
{
    int rc;

    if ((rc = buf_add_str(out, ",\"instructions\":\"" WIRE_SAY_EXACTLY)) ||
        (rc = buf_add_json(out, p->exact_words)) || (rc = buf_add_str(out, WIRE_SAY_END "\"")))
        return rc;
    if (p->out_of_band)
        rc = buf_add_str(out, ",\"conversation\":\"none\",\"input\":[]");
    return rc ? rc
              : buf_add_str(out, ",\"output_modalities\":[\"audio\"],\"tool_choice\":\"none\"");
}

static int add_instructions(struct buf *out, struct rd_str session, struct rd_str more)
{
    int rc = buf_add_str(out, ",\"instructions\":\"");

    if (!rc && session.n > 0) {
        rc = buf_add_json(out, session);
        rc = rc ? rc : buf_add_str(out, "\\n\\n");
    }
    rc = rc ? rc : add_string(out, "", more);
    return rc ? rc : buf_add_str(out, ",\"output_modalities\":[\"audio\"]");
}

bool wire_is_aside(const struct provider_prompt *p)
{
    return p->out_of_band && p->exact_words.n > 0;
}

int wire_respond(struct buf *out, const struct provider_prompt *p, struct rd_str instructions)
{
    int rc = begin(out, "response.create", wire_is_aside(p) ? ASIDE : RESPOND, p->tag);

    if (!rc)
        rc =
            buf_addf(out, ",\"response\":{\"metadata\":{\"" WIRE_TAG "\":\"%" PRIu32 "\"}", p->tag);
    if (!rc && p->exact_words.n > 0)
        rc = add_exact_words(out, p);
    else if (!rc && p->instructions.n > 0)
        rc = add_instructions(out, instructions, p->instructions);
    return rc ? rc : buf_add_str(out, "}}");
}

uint32_t wire_tag(struct rd_str digits)
{
    uint64_t tag = 0;

    for (size_t i = 0; i < digits.n; i++) {
        if (digits.p[i] < '0' || digits.p[i] > '9')
            return 0;
        tag = tag * 10 + (uint64_t)(digits.p[i] - '0');
        if (tag > UINT32_MAX)
            return 0;
    }
    return (uint32_t)tag;
}

uint32_t wire_respond_tag(struct rd_str event_id)
{
    static const struct rd_str heads[] = {RD_STR(RESPOND "-"), RD_STR(ASIDE "-")};

    for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++)
        if (event_id.n > heads[i].n && memcmp(event_id.p, heads[i].p, heads[i].n) == 0)
            return wire_tag((struct rd_str){event_id.p + heads[i].n, event_id.n - heads[i].n});
    return 0;
}

/* --- the others ------------------------------------------------------------------------------ */

int wire_cancel(struct buf *out, uint64_t number, struct rd_str response_id)
{
    int rc = begin(out, "response.cancel", "cancel", number);

    if (!rc && response_id.n > 0)
        rc = add_string(out, ",\"response_id\":\"", response_id);
    return rc ? rc : buf_add(out, "}", 1);
}

int wire_truncate(struct buf *out, uint64_t number, struct rd_str item_id, uint32_t content_index,
                  uint32_t audio_end_ms)
{
    int rc = begin(out, "conversation.item.truncate", "truncate", number);

    if (!rc)
        rc = add_string(out, ",\"item_id\":\"", item_id);
    return rc ? rc
              : buf_addf(out, ",\"content_index\":%" PRIu32 ",\"audio_end_ms\":%" PRIu32 "}",
                         content_index, audio_end_ms);
}

int wire_tool_result(struct buf *out, uint64_t number, struct rd_str call_id, struct rd_str output)
{
    int rc;

    if ((rc = begin(out, "conversation.item.create", "result", number)) ||
        (rc = add_string(out, ",\"item\":{\"type\":\"function_call_output\",\"call_id\":\"",
                         call_id)) ||
        (rc = add_string(out, ",\"output\":\"", output)))
        return rc;
    return buf_add_str(out, "}}");
}

int wire_note(struct buf *out, uint64_t number, struct rd_str text)
{
    int rc;

    if ((rc = begin(out, "conversation.item.create", "note", number)) ||
        (rc = buf_add_str(out, ",\"item\":{\"type\":\"message\",\"role\":\"system\"")) ||
        (rc = add_string(out, ",\"content\":[{\"type\":\"input_text\",\"text\":\"", text)))
        return rc;
    return buf_add_str(out, "}]}}");
}

static int add_said(struct buf *out, const struct history_item *it)
{
    bool caller = it->kind == HISTORY_CALLER;
    int rc = buf_add_str(out, caller ? "\"message\",\"role\":\"user\""
                                     : "\"message\",\"role\":\"assistant\"");

    if (!rc)
        rc = buf_addf(out, ",\"content\":[{\"type\":\"%s\"", caller ? "input_text" : "output_text");
    rc = rc ? rc : add_string(out, ",\"text\":\"", it->text);
    return rc ? rc : buf_add_str(out, "}]");
}

static int add_called(struct buf *out, const struct history_item *it)
{
    int rc;

    if ((rc = add_string(out, "\"function_call\",\"call_id\":\"", it->id)) ||
        (rc = add_string(out, ",\"name\":\"", it->name)))
        return rc;
    return add_string(out, ",\"arguments\":\"", it->text);
}

int wire_remember(struct buf *out, uint64_t number, const struct history_item *it)
{
    int rc = begin(out, "conversation.item.create", "remember", number);

    if (!rc)
        rc = buf_addf(out, ",\"item\":{\"id\":\"" WIRE_TOLD "%" PRIu64 "\",\"type\":", number);
    if (!rc)
        rc = it->kind == HISTORY_TOOL ? add_called(out, it) : add_said(out, it);
    return rc ? rc : buf_add_str(out, "}}");
}
