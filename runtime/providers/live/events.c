/* SPDX-License-Identifier: Apache-2.0 */
/* events.c - the server events of GPT-Live.
 *
 *   message ──type──▶ handler ──▶ floor.c (who speaks, what was said), the core (tools, tokens), the leg
 *
 *   - an unknown type: counted, the first one of a session is logged at debug
 *   - no object, broken JSON, audio that is no base64: counted, nothing is told
 *   - what the backend does comes wrapped in response.event. It goes on once its response is complete and
 *     every function that it called was answered: before that response.create would be refused
 *   - a function call without a name or an id cannot be answered: counted */
#include "providers/live/events.h"

#include "base/err.h"
#include "base/log.h"
#include "media/base64.h"
#include "media/energy.h"
#include "observe/catalogue.h"

#include <stdio.h>

enum { FRAME = 160, USUAL_BYTES = 4096, SOUND_MAX = 1 << 20 };

#define SPEECH_DBFS (-45.0f)

int live_events_init(struct live_events *e, struct floor *f, struct live_counts *counts)
{
    int rc;

    *e = (struct live_events){.floor = f, .counts = counts};
    buf_init(&e->text, LIVE_TEXT_MAX);
    buf_init(&e->sound, SOUND_MAX);
    rc = buf_reserve(&e->text, USUAL_BYTES);
    return rc ? rc : buf_reserve(&e->sound, USUAL_BYTES);
}

void live_events_fini(struct live_events *e)
{
    buf_fini(&e->text);
    buf_fini(&e->sound);
}

/* A string's words; empty when it is none, or too long. */
static struct rd_str words_of(struct live_events *e, const struct json_value *v)
{
    if (v->type != JSON_STRING)
        return RD_STR("");
    if (!v->escaped)
        return v->raw.n <= LIVE_TEXT_MAX ? v->raw : RD_STR("");
    buf_clear(&e->text);
    if (json_unescape(v, &e->text) || !e->text.data) {
        e->counts->bad_frames++;
        return RD_STR("");
    }
    return (struct rd_str){e->text.data, e->text.n};
}

static struct rd_str words_in(struct live_events *e, const struct json_value *object,
                              const char *key)
{
    struct json_value v = json_get(object, key);

    return words_of(e, &v);
}

/* Names and ids: plain text by nature. */
static struct rd_str word_in(const struct json_value *object, const char *key)
{
    struct json_value v = json_get(object, key);
    bool plain = v.type == JSON_STRING && !v.escaped && v.raw.n < LIVE_ID_CHARS;

    return plain ? v.raw : RD_STR("");
}

static uint64_t number_in(const struct json_value *object, const char *key)
{
    struct json_value v = json_get(object, key);
    uint64_t n = 0;
    double d = 0;

    if (json_u64(&v, &n))
        return n;
    return json_double(&v, &d) && d > 0 && d < 1e15 ? (uint64_t)d : 0;
}

/* --- sound and words --- */

static bool is_audible(const uint8_t *ulaw, size_t n)
{
    for (; n > 0; ulaw += n < FRAME ? n : FRAME, n -= n < FRAME ? n : FRAME)
        if (energy_ulaw_dbfs(ulaw, n < FRAME ? n : FRAME) > SPEECH_DBFS)
            return true;
    return false;
}

static void on_audio(struct live_events *e, const struct json_value *m, uint64_t now_ms)
{
    struct rd_str b64 = words_in(e, m, "delta");
    ssize_t n = b64.n > 0 ? base64_check(b64.p, b64.n) : 0;
    struct audio_span span;

    if (b64.n == 0)
        return;
    buf_clear(&e->sound);
    if (n <= 0 || buf_reserve(&e->sound, b64.n / 4 * 3)) {
        e->counts->bad_frames++;
        return;
    }
    n = (ssize_t)base64_decode_checked((uint8_t *)e->sound.data, b64.p, b64.n);
    span = (struct audio_span){.b64 = b64.p, .n_b64 = b64.n, .n_bytes = (uint32_t)n};
    floor_sound(e->floor, &span, is_audible((const uint8_t *)e->sound.data, (size_t)n), now_ms);
}

static void on_caller_words(struct live_events *e, const struct json_value *m, uint64_t now_ms)
{
    floor_words(e->floor, PROVIDER_CALLER, words_in(e, m, "delta"), now_ms);
}

static void on_agent_words(struct live_events *e, const struct json_value *m, uint64_t now_ms)
{
    floor_words(e->floor, PROVIDER_AGENT, words_in(e, m, "delta"), now_ms);
}

/* --- what the backend does --- */

static void go_on(struct live_events *e)
{
    if (e->backend_runs || e->n_open > 0 || e->n_answered == 0)
        return;
    e->n_answered = 0;
    e->owner->on_answered(e->arg);
}

void live_events_answered(struct live_events *e, struct rd_str call_id)
{
    for (unsigned i = 0; i < e->n_open; i++) {
        if (!rd_str_eq(rd_str(e->open[i]), call_id))
            continue;
        memmove(e->open[i], e->open[--e->n_open],
                sizeof(e->open[i])); /* itself, if it is the last */
        e->n_answered++;
        go_on(e);
        return;
    }
}

static bool is_open(const struct live_events *e, struct rd_str id)
{
    for (unsigned i = 0; i < e->n_open; i++)
        if (rd_str_eq(rd_str(e->open[i]), id))
            return true;
    return false;
}

static void on_item(struct live_events *e, const struct json_value *event, uint64_t now_ms)
{
    struct json_value item = json_get(event, "item"), type = json_get(&item, "type");
    struct provider_tool_call t = {.name = word_in(&item, "name"), .response_id = RD_STR("")};
    struct rd_str id = word_in(&item, "call_id");
    char told[LIVE_ID_CHARS + FLOOR_PREFIX];

    if (!json_is(&type, "function_call"))
        return;
    if (is_open(e, id) || !floor_told_id(e->floor, id, told, sizeof(told))) {
        e->counts->bad_frames++;
        return;
    }
    if (t.name.n == 0 ||
        e->n_open == LIVE_CALLS) { /* the backend goes on with all answers, or not at all */
        e->counts->bad_frames++;
        e->n_answered++;
        e->owner->on_unusable(e->arg, id);
        return;
    }
    (void)rd_str_copy(e->open[e->n_open++], LIVE_ID_CHARS, id);
    t.call_id = t.item_id = rd_str(told);
    floor_acts(e->floor, now_ms);
    t.arguments = words_in(e, &item, "arguments");
    if (e->floor->up)
        e->floor->up->on_tool_call(e->floor->up_arg, &t);
}

/* Tokens of a model that is billed beside the seconds. */
static void tell_tokens(struct live_events *e, const struct json_value *response)
{
    struct json_value usage = json_get(response, "usage");
    struct json_value details = json_get(&usage, "input_tokens_details");
    struct rd_str model = word_in(response, "model");
    char name[LIVE_ID_CHARS];
    struct provider_usage u = {.text_in = number_in(&usage, "input_tokens"),
                               .text_in_cached = number_in(&details, "cached_tokens"),
                               .text_out = number_in(&usage, "output_tokens"),
                               .model = name};

    if (usage.type != JSON_OBJECT || !e->floor->up)
        return;
    (void)rd_str_copy(name, sizeof(name), model.n > 0 ? model : rd_str(e->backend));
    if (u.text_in_cached > u.text_in)
        u.text_in_cached = u.text_in;
    e->floor->up->on_usage(e->floor->up_arg, &u, usage.raw);
}

static void on_complete(struct live_events *e, const struct json_value *event)
{
    struct json_value response = json_get(event, "response");

    e->backend_runs = false;
    tell_tokens(e, &response);
    go_on(e);
}

/* Nothing is left that could go on with what its functions return. */
static void on_broken(struct live_events *e, const struct json_value *event)
{
    e->n_open = e->n_answered = 0;
    e->counts->errors++;
    log_warn("live.backend_failed", F_CALL(e->call),
             F_FIX(catalogue_fix("live.", "backend_failed")));
    on_complete(e, event);
}

static void on_backend(struct live_events *e, const struct json_value *m, uint64_t now_ms)
{
    struct json_value event = json_get(m, "event");
    struct rd_str type = word_in(&event, "type");

    if (rd_str_eq(type, RD_STR("response.output_item.done")))
        on_item(e, &event, now_ms);
    else if (rd_str_eq(type, RD_STR("response.created")))
        e->backend_runs = true;
    else if (rd_str_eq(type, RD_STR("response.completed")))
        on_complete(e, &event);
    else if (rd_str_eq(type, RD_STR("response.incomplete")) ||
             rd_str_eq(type, RD_STR("response.failed")))
        on_broken(e, &event);
}

/* --- the session --- */

static void on_started(struct live_events *e, const struct json_value *m, uint64_t now_ms)
{
    struct json_value session = json_get(m, "session");

    (void)now_ms;
    e->owner->on_started(e->arg, word_in(&session, "id"), number_in(&session, "expires_at"));
}

static void tell_seconds(struct live_events *e, const struct json_value *m)
{
    struct json_value usage = json_get(m, "usage"), seconds = json_get(&usage, "seconds");
    double s;

    if (seconds.type == JSON_NUMBER && json_double(&seconds, &s) && s >= 0 && s < 1e9)
        e->owner->on_seconds(e->arg, s);
}

static void on_usage(struct live_events *e, const struct json_value *m, uint64_t now_ms)
{
    (void)now_ms;
    tell_seconds(e, m);
}

static void on_closed(struct live_events *e, const struct json_value *m, uint64_t now_ms)
{
    (void)now_ms;
    tell_seconds(e, m);
    e->owner->on_closed(e->arg, word_in(m, "reason"));
}

static void on_error(struct live_events *e, const struct json_value *m, uint64_t now_ms)
{
    struct json_value error = json_get(m, "error");
    struct live_error told = {.type = word_in(&error, "type"),
                              .code = word_in(&error, "code"),
                              .message = words_in(e, &error, "message")};

    (void)now_ms;
    e->owner->on_error(e->arg, &told);
}

/* --- the table --- */

typedef void(event_fn)(struct live_events *e, const struct json_value *m, uint64_t now_ms);

/* No handler: known, of no use to a telephone call. */
static const struct {
    const char *type;
    event_fn *fn;
} handlers[] = {
    {"session.output_audio.delta", on_audio},
    {"session.input_transcript.delta", on_caller_words},
    {"session.output_transcript.delta", on_agent_words},
    {"response.event", on_backend},
    {"session.started", on_started},
    {"session.usage.updated", on_usage},
    {"session.closed", on_closed},
    {"error", on_error},
    {"session.updated", NULL},
    {"session.delegation.created", NULL},
    {"session.instructions.appended", NULL},
    {"session.thinking.appended", NULL},
    {"session.commentary.appended", NULL},
    {"session.input_audio.muted", NULL},
    {"session.input_audio.unmuted", NULL},
};

int live_events_feed(struct live_events *e, struct rd_str message, uint64_t now_ms)
{
    struct json_value m, type;

    if (json_parse(message, &m) || m.type != JSON_OBJECT ||
        (type = json_get(&m, "type")).type != JSON_STRING) {
        e->counts->bad_frames++;
        return RD_EPROTO;
    }
    for (size_t i = 0; i < sizeof(handlers) / sizeof(handlers[0]); i++) {
        if (!rd_str_eq(type.raw, rd_str(handlers[i].type)))
            continue;
        if (handlers[i].fn)
            handlers[i].fn(e, &m, now_ms);
        return 0;
    }
    e->counts->unknown_events++;
    if (!e->said_unknown)
        log_debug("live.unknown_event", F_CALL(e->call), F_INT("n", type.raw.n));
    e->said_unknown = true;
    return 0;
}
