/* SPDX-License-Identifier: Apache-2.0 */
/* shapes.c - every client event of the Realtime API (GA) as tables. Reading them is reading
 * what the API accepts; the beta's fields are not in them. */
#include "sim/openai/shapes.h"

#include <stddef.h>

#define WORDS(name, ...) static const char *const name[] = {__VA_ARGS__, NULL}
#define SHAPE(name, ...)                                            \
    static const struct field name##_fields[] = {__VA_ARGS__, {0}}; \
    static const struct shape name = {.fields = name##_fields}
#define KINDS(name, key, ...)                                     \
    static const struct kind name##_kinds[] = {__VA_ARGS__, {0}}; \
    static const struct shape name = {.by = (key), .kinds = name##_kinds}
#define ANY_STRING(n)             \
    {                             \
        .name = (n), .takes = STR \
    }
#define NEED_STRING(n)                              \
    {                                               \
        .name = (n), .takes = STR, .required = true \
    }
#define ONE_OF(n, w)                            \
    {                                           \
        .name = (n), .takes = STR, .words = (w) \
    }
#define NEED_ONE_OF(n, w)                                         \
    {                                                             \
        .name = (n), .takes = STR, .required = true, .words = (w) \
    }
#define OBJECT(n, s)                             \
    {                                            \
        .name = (n), .takes = OBJ, .shape = &(s) \
    }
#define NEED_OBJECT(n, s)                                          \
    {                                                              \
        .name = (n), .takes = OBJ, .required = true, .shape = &(s) \
    }
#define OBJECT_OR_NULL(n, s)                           \
    {                                                  \
        .name = (n), .takes = OBJ | NIL, .shape = &(s) \
    }
#define LIST(n, e)                              \
    {                                           \
        .name = (n), .takes = ARR, .each = &(e) \
    }
#define FLAG(n)                    \
    {                              \
        .name = (n), .takes = BOOL \
    }
#define RANGE(n, t, lo, hi)                                 \
    {                                                       \
        .name = (n), .takes = (t), .min = (lo), .max = (hi) \
    }

/* ---- words ---- */
WORDS(modalities, "text", "audio");
WORDS(efforts, "minimal", "low", "medium", "high", "xhigh");
WORDS(includes, "item.input_audio_transcription.logprobs");
WORDS(noise_types, "near_field", "far_field");
WORDS(eagernesses, "low", "medium", "high", "auto");
WORDS(voices, "alloy", "ash", "ballad", "coral", "echo", "sage", "shimmer", "verse", "marin",
      "cedar");
WORDS(transcribers, "gpt-transcribe", "gpt-live-transcribe", "gpt-realtime-whisper",
      "gpt-4o-transcribe", "gpt-4o-transcribe-diarize", "gpt-4o-mini-transcribe",
      "gpt-4o-mini-transcribe-2025-12-15", "whisper-1");
WORDS(choices, "none", "auto", "required");
WORDS(truncations, "auto", "disabled");
WORDS(autos, "auto");
WORDS(infs, "inf");
WORDS(statuses, "completed", "incomplete", "in_progress");
WORDS(objects, "realtime.item");
WORDS(conversations, "auto", "none");
WORDS(realtime_only, "realtime");
WORDS(approvals, "always", "never");

static const struct field a_string = {.takes = STR};
static const struct field a_modality = {.takes = STR, .words = modalities};
static const struct field an_include = {.takes = STR, .words = includes};

/* ---- audio ---- */
SHAPE(format_pcm, NEED_STRING("type"), RANGE("rate", INT, 24000, 24000));
SHAPE(format_g711, NEED_STRING("type"));
KINDS(format, "type", {"audio/pcm", &format_pcm}, {"audio/pcmu", &format_g711},
      {"audio/pcma", &format_g711});

SHAPE(transcription, ONE_OF("model", transcribers), ANY_STRING("language"), ANY_STRING("prompt"),
      LIST("keywords", a_string), LIST("languages", a_string), ONE_OF("delay", efforts));
SHAPE(noise_reduction, NEED_ONE_OF("type", noise_types));
SHAPE(server_vad, NEED_STRING("type"), RANGE("threshold", NUM, 0, 1),
      RANGE("prefix_padding_ms", INT, 0, 60000), RANGE("silence_duration_ms", INT, 0, 60000),
      FLAG("create_response"), FLAG("interrupt_response"),
      RANGE("idle_timeout_ms", INT | NIL, 5000, 30000));
SHAPE(semantic_vad, NEED_STRING("type"), ONE_OF("eagerness", eagernesses), FLAG("create_response"),
      FLAG("interrupt_response"));
KINDS(turn_detection, "type", {"server_vad", &server_vad}, {"semantic_vad", &semantic_vad});
SHAPE(custom_voice, NEED_STRING("id"));
SHAPE(audio_input, OBJECT("format", format), OBJECT_OR_NULL("transcription", transcription),
      OBJECT_OR_NULL("noise_reduction", noise_reduction),
      OBJECT_OR_NULL("turn_detection", turn_detection));
SHAPE(audio_output, OBJECT("format", format),
      {.name = "voice", .takes = STR | OBJ, .words = voices, .shape = &custom_voice},
      RANGE("speed", NUM, 0.25, 1.5));
SHAPE(session_audio, OBJECT("input", audio_input), OBJECT("output", audio_output));
SHAPE(response_output, OBJECT("format", format),
      {.name = "voice", .takes = STR | OBJ, .words = voices, .shape = &custom_voice});
SHAPE(response_audio, OBJECT("output", response_output));

/* ---- tools ---- */
SHAPE(function_tool, NEED_STRING("type"),
      {.name = "name", .takes = STR, .required = true, .max = 64}, ANY_STRING("description"),
      {.name = "parameters", .takes = OBJ});
SHAPE(mcp_tool, NEED_STRING("type"), NEED_STRING("server_label"), ANY_STRING("server_url"),
      ANY_STRING("connector_id"), ANY_STRING("tunnel_id"), ANY_STRING("authorization"),
      ANY_STRING("server_description"), {.name = "headers", .takes = OBJ | NIL},
      {.name = "allowed_tools", .takes = OBJ | ARR | NIL, .each = &a_string},
      {.name = "allowed_callers", .takes = ARR | NIL, .each = &a_string},
      {.name = "require_approval", .takes = OBJ | STR | NIL, .words = approvals},
      FLAG("defer_loading"));
KINDS(tool, "type", {"function", &function_tool}, {"mcp", &mcp_tool});
SHAPE(choose_function, NEED_STRING("type"), NEED_STRING("name"));
SHAPE(choose_mcp, NEED_STRING("type"), NEED_STRING("server_label"),
      {.name = "name", .takes = STR | NIL});
KINDS(tool_choice, "type", {"function", &choose_function}, {"mcp", &choose_mcp});
static const struct field a_tool = {.takes = OBJ, .shape = &tool};

#define TOOL_FIELDS                                                                              \
    LIST("tools", a_tool),                                                                       \
        {.name = "tool_choice", .takes = STR | OBJ, .words = choices, .shape = &tool_choice},    \
        FLAG("parallel_tool_calls"), OBJECT("reasoning", reasoning),                             \
        {.name = "max_output_tokens", .takes = INT | STR, .words = infs, .min = 1, .max = 4096}, \
        OBJECT_OR_NULL("prompt", prompt)

SHAPE(reasoning, ONE_OF("effort", efforts));
SHAPE(prompt, NEED_STRING("id"), {.name = "version", .takes = STR | NIL},
      {.name = "variables", .takes = OBJ | NIL});

/* ---- session ---- */
SHAPE(token_limits, RANGE("post_instructions", INT, 0, 1e9));
SHAPE(retention, NEED_STRING("type"),
      {.name = "retention_ratio", .takes = NUM, .required = true, .max = 1},
      OBJECT("token_limits", token_limits));
KINDS(truncation, "type", {"retention_ratio", &retention});
SHAPE(tracing, ANY_STRING("workflow_name"), ANY_STRING("group_id"),
      {.name = "metadata", .takes = OBJ});
SHAPE(session, NEED_ONE_OF("type", realtime_only), ANY_STRING("model"), ANY_STRING("instructions"),
      {.name = "output_modalities", .takes = ARR, .each = &a_modality, .min = 1, .max = 1},
      OBJECT("audio", session_audio), {.name = "include", .takes = ARR | NIL, .each = &an_include},
      {.name = "tracing", .takes = STR | OBJ | NIL, .words = autos, .shape = &tracing},
      {.name = "truncation", .takes = STR | OBJ, .words = truncations, .shape = &truncation},
      TOOL_FIELDS);

/* ---- items ---- */
#define ITEM_FIELDS                                                                          \
    {.name = "id", .takes = STR, .max = 32}, ONE_OF("object", objects), NEED_STRING("type"), \
        ONE_OF("status", statuses)

SHAPE(input_text, NEED_STRING("type"), NEED_STRING("text"));
SHAPE(input_audio, NEED_STRING("type"), NEED_STRING("audio"), ANY_STRING("transcript"));
SHAPE(input_image, NEED_STRING("type"), NEED_STRING("image_url"), ANY_STRING("detail"));
SHAPE(output_text, NEED_STRING("type"), NEED_STRING("text"));
KINDS(system_part, "type", {"input_text", &input_text});
KINDS(user_part, "type", {"input_text", &input_text}, {"input_audio", &input_audio},
      {"input_image", &input_image});
KINDS(assistant_part, "type", {"output_text", &output_text});
static const struct field a_system_part = {.takes = OBJ, .shape = &system_part};
static const struct field a_user_part = {.takes = OBJ, .shape = &user_part};
static const struct field an_assistant_part = {.takes = OBJ, .shape = &assistant_part};

#define MESSAGE(part)                                                      \
    ITEM_FIELDS, NEED_STRING("role"),                                      \
    {                                                                      \
        .name = "content", .takes = ARR, .required = true, .each = &(part) \
    }

SHAPE(system_message, MESSAGE(a_system_part));
SHAPE(user_message, MESSAGE(a_user_part));
SHAPE(assistant_message, MESSAGE(an_assistant_part));
KINDS(message, "role", {"system", &system_message}, {"user", &user_message},
      {"assistant", &assistant_message});
SHAPE(function_call, ITEM_FIELDS, ANY_STRING("call_id"), NEED_STRING("name"),
      NEED_STRING("arguments"));
SHAPE(function_output, ITEM_FIELDS, NEED_STRING("call_id"), NEED_STRING("output"));
SHAPE(mcp_approval, NEED_STRING("type"), NEED_STRING("id"), NEED_STRING("approval_request_id"),
      {.name = "approve", .takes = BOOL, .required = true}, {.name = "reason", .takes = STR | NIL});
KINDS(item, "type", {"message", &message}, {"function_call", &function_call},
      {"function_call_output", &function_output}, {"mcp_approval_response", &mcp_approval});
SHAPE(item_reference, NEED_STRING("type"), NEED_STRING("id"));
KINDS(input_item, "type", {"message", &message}, {"function_call", &function_call},
      {"function_call_output", &function_output}, {"item_reference", &item_reference});
static const struct field an_input_item = {.takes = OBJ, .shape = &input_item};

SHAPE(response,
      {.name = "output_modalities", .takes = ARR, .each = &a_modality, .min = 1, .max = 1},
      ANY_STRING("instructions"), OBJECT("audio", response_audio),
      ONE_OF("conversation", conversations), {.name = "metadata", .takes = OBJ | NIL},
      LIST("input", an_input_item), TOOL_FIELDS);

/* ---- events ---- */
#define EVENT_FIELDS {.name = "event_id", .takes = STR, .max = 512}, NEED_STRING("type")

SHAPE(session_update, EVENT_FIELDS, NEED_OBJECT("session", session));
SHAPE(append, EVENT_FIELDS, {.name = "audio", .takes = STR, .required = true, .max = 15728640});
SHAPE(bare, EVENT_FIELDS);
SHAPE(item_create, EVENT_FIELDS, ANY_STRING("previous_item_id"), NEED_OBJECT("item", item));
SHAPE(item_named, EVENT_FIELDS, NEED_STRING("item_id"));
SHAPE(item_truncate, EVENT_FIELDS, NEED_STRING("item_id"),
      {.name = "content_index", .takes = INT, .required = true, .max = 1e6},
      {.name = "audio_end_ms", .takes = INT, .required = true, .max = 1e9});
SHAPE(response_create, EVENT_FIELDS, OBJECT("response", response));
SHAPE(response_cancel, EVENT_FIELDS, ANY_STRING("response_id"));
static const struct kind client_event_kinds[] = {{"session.update", &session_update},
                                                 {"input_audio_buffer.append", &append},
                                                 {"input_audio_buffer.commit", &bare},
                                                 {"input_audio_buffer.clear", &bare},
                                                 {"conversation.item.create", &item_create},
                                                 {"conversation.item.retrieve", &item_named},
                                                 {"conversation.item.truncate", &item_truncate},
                                                 {"conversation.item.delete", &item_named},
                                                 {"response.create", &response_create},
                                                 {"response.cancel", &response_cancel},
                                                 {0}};
const struct shape openai_client_event = {.by = "type", .kinds = client_event_kinds};
