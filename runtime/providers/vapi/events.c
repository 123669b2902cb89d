/* SPDX-License-Identifier: Apache-2.0 */
/* events.c - the text messages of Vapi's WebSocket transport.
 *
 *   message ──type──▶ handler ──▶ speech.c (who speaks, what was said) or the core (a tool)
 *
 *   - as a rule unwrapped; inside {"message": …} they mean the same
 *   - an unknown type: counted, the first one of a session is logged at debug
 *   - no object, broken JSON: counted, nothing is told
 *   - a tool is called here only where the agent says so, and then none that has a server: Vapi asks that
 *     one, which may be us at /vapi/events, and nothing may run twice. Of the three shapes that Vapi's pages show each is read; arguments may be text or an object */
#include "providers/vapi/events.h"

#include "base/err.h"
#include "base/log.h"

#include <stdio.h>

void vapi_events_init(struct vapi_events *e, struct speech *s, struct vapi_counts *counts)
{
    *e = (struct vapi_events){.speech = s, .counts = counts};
    buf_init(&e->text, VAPI_TEXT_MAX);
}

void vapi_events_fini(struct vapi_events *e)
{
    buf_fini(&e->text);
}

/* A string's words; of an object its text. Empty when it is neither, or too long. */
static struct rd_str words_of(struct vapi_events *e, const struct json_value *v)
{
    if (v->type == JSON_OBJECT || (v->type == JSON_STRING && !v->escaped))
        return v->raw.n <= VAPI_TEXT_MAX ? v->raw : RD_STR("");
    buf_clear(&e->text);
    if (v->type != JSON_STRING || json_unescape(v, &e->text) || !e->text.data)
        return RD_STR("");
    return (struct rd_str){e->text.data, e->text.n};
}

/* Names and ids: plain text by nature. */
static struct rd_str word_of(const struct json_value *object, const char *key)
{
    struct json_value v = json_get(object, key);
    bool plain = v.type == JSON_STRING && !v.escaped && v.raw.n < VAPI_ID;

    return plain ? v.raw : RD_STR("");
}

static bool says(const struct json_value *object, const char *key, const char *what)
{
    struct json_value v = json_get(object, key);

    return json_is(&v, what);
}

/* --- who speaks, and what was said --- */

static void on_speech(struct vapi_events *e, const struct json_value *m, uint64_t now_us)
{
    bool speaks = says(m, "status", "started");

    if (!speaks && !says(m, "status", "stopped"))
        return;
    if (says(m, "role", "assistant"))
        speech_agent(e->speech, speaks, now_us);
    else if (says(m, "role", "user"))
        speech_caller(e->speech, speaks, now_us);
}

static void on_interrupted(struct vapi_events *e, const struct json_value *m, uint64_t now_us)
{
    (void)m;
    speech_interrupted(e->speech, now_us);
}

static void on_final(struct vapi_events *e, const struct json_value *m, uint64_t now_us)
{
    struct json_value words = json_get(m, "transcript");

    if (words.type != JSON_STRING)
        return;
    if (says(m, "role", "assistant"))
        speech_words(e->speech, PROVIDER_AGENT, words_of(e, &words), now_us);
    else if (says(m, "role", "user"))
        speech_words(e->speech, PROVIDER_CALLER, words_of(e, &words), now_us);
}

static void on_transcript(struct vapi_events *e, const struct json_value *m, uint64_t now_us)
{
    if (says(m, "transcriptType", "final"))
        on_final(e, m, now_us);
}

/* --- tools --- */

static struct json_value first_of(const struct json_value *a, const char *key_a,
                                  const struct json_value *b, const char *key_b)
{
    struct json_value v = json_get(a, key_a);

    return v.type == JSON_STRING || v.type == JSON_OBJECT ? v : json_get(b, key_b);
}

static void call_tool(struct vapi_events *e, const struct json_value *call)
{
    struct json_value function = json_get(call, "function");
    struct json_value arguments = first_of(&function, "arguments", &function, "parameters");
    struct provider_tool_call t = {.name = word_of(&function, "name"), .response_id = RD_STR("")};
    char own[VAPI_ID], told[VAPI_ID + SPEECH_PREFIX];
    struct rd_str id = word_of(call, "id");

    if (t.name.n == 0)
        t.name = word_of(call, "name");
    if (arguments.type != JSON_STRING && arguments.type != JSON_OBJECT)
        arguments = first_of(call, "arguments", call, "parameters");
    if (id.n == 0) {
        (void)snprintf(own, sizeof(own), "call-%u", ++e->n_unnamed);
        id = rd_str(own);
    }
    if (t.name.n == 0 || !speech_told_id(e->speech, id, told, sizeof(told))) {
        e->counts->bad_frames++;
        return;
    }
    t.call_id = t.item_id = rd_str(told);
    t.arguments = words_of(e, &arguments);
    if (e->speech->up)
        e->speech->up->on_tool_call(e->speech->up_arg, &t);
}

static bool has_server(const struct json_value *entry)
{
    struct json_value server = json_get(entry, "server"), tool = json_get(entry, "tool");
    struct json_value inner = json_get(&tool, "server");

    return server.type == JSON_OBJECT || inner.type == JSON_OBJECT;
}

static void on_tool_calls(struct vapi_events *e, const struct json_value *m, uint64_t now_us)
{
    struct json_value list = json_get(m, "toolWithToolCallList"), entry, call;
    bool with_tool = list.type == JSON_ARRAY;
    struct json_iter it;
    struct rd_str key;
    int n = 0;

    (void)now_us;
    if (!with_tool)
        list = json_get(m, "toolCallList");
    json_iter_init(&it, &list);
    while (e->runs_tools && n++ < VAPI_TOOLS && json_next(&it, &key, &entry)) {
        call = with_tool ? json_get(&entry, "toolCall") : entry;
        if (call.type == JSON_OBJECT && !has_server(&entry))
            call_tool(e, &call);
    }
}

/* The old shape, without an id. */
static void on_function_call(struct vapi_events *e, const struct json_value *m, uint64_t now_us)
{
    struct json_value call = json_get(m, "functionCall");

    (void)now_us;
    if (e->runs_tools && call.type == JSON_OBJECT)
        call_tool(e, &call);
}

/* --- the call --- */

static bool starts(struct rd_str s, const char *z)
{
    size_t n = strlen(z);

    return s.n >= n && memcmp(s.p, z, n) == 0;
}

bool vapi_ended_well(struct rd_str reason)
{
    static const char *const good[] = {
        "customer-ended-call",
        "assistant-ended-call",
        "assistant-said-end-call-phrase",
        "silence-timed-out",
        "exceeded-max-duration",
        "assistant-forwarded-call",
        "manually-canceled",
        "voicemail",
    };

    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        if (starts(reason, good[i]) && !memmem(reason.p, reason.n, "error", 5))
            return true;
    return false;
}

static void on_status(struct vapi_events *e, const struct json_value *m, uint64_t now_us)
{
    (void)now_us;
    if (says(m, "status", "ended") && e->on_over)
        e->on_over(e->arg, word_of(m, "endedReason"));
}

static void on_report(struct vapi_events *e, const struct json_value *m, uint64_t now_us)
{
    (void)now_us;
    if (e->on_over)
        e->on_over(e->arg, word_of(m, "endedReason"));
}

static void on_hang(struct vapi_events *e, const struct json_value *m, uint64_t now_us)
{
    (void)m, (void)now_us;
    e->counts->hangs++;
}

/* --- the table --- */

typedef void(event_fn)(struct vapi_events *e, const struct json_value *m, uint64_t now_us);

/* No handler: known, of no use to a telephone call. */
static const struct {
    const char *type;
    event_fn *fn;
} handlers[] = {
    {"speech-update", on_speech},
    {"transcript", on_transcript},
    {"transcript[transcriptType=\\\"final\\\"]", on_final},
    {"transcript[transcriptType=\\\"partial\\\"]", NULL},
    {"user-interrupted", on_interrupted},
    {"tool-calls", on_tool_calls},
    {"function-call", on_function_call},
    {"status-update", on_status},
    {"end-of-call-report", on_report},
    {"hang", on_hang},
    {"model-output", NULL},
    {"conversation-update", NULL},
    {"voice-input", NULL},
    {"assistant.started", NULL},
    {"transfer-update", NULL},
    {"metadata", NULL},
};

static void dispatch(struct vapi_events *e, const struct json_value *m, uint64_t now_us)
{
    struct json_value type = json_get(m, "type");

    for (size_t i = 0; i < sizeof(handlers) / sizeof(handlers[0]); i++) {
        if (!rd_str_eq(type.raw, rd_str(handlers[i].type)))
            continue;
        if (handlers[i].fn)
            handlers[i].fn(e, m, now_us);
        return;
    }
    e->counts->unknown_events++;
    if (!e->said_unknown)
        log_debug("bridge.unknown_event", F_CALL(e->call), F_INT("n", type.raw.n));
    e->said_unknown = true;
}

int vapi_events_feed(struct vapi_events *e, struct rd_str message, uint64_t now_us)
{
    struct json_value m, type, inner;

    if (json_parse(message, &m) || m.type != JSON_OBJECT) {
        e->counts->bad_frames++;
        return RD_EPROTO;
    }
    type = json_get(&m, "type");
    inner = json_get(&m, "message");
    if (type.type != JSON_STRING && inner.type == JSON_OBJECT) {
        m = inner;
        type = json_get(&m, "type");
    }
    if (type.type != JSON_STRING) {
        e->counts->bad_frames++;
        return RD_EPROTO;
    }
    dispatch(e, &m, now_us);
    return 0;
}
