/* SPDX-License-Identifier: Apache-2.0 */
/* events.c - the server events of the Realtime API.
 *
 *   message ──one walk over its members──▶ the fields we know ──type──▶ handler ──▶ call core
 *
 * fields.c walks; a handler here asks for the members it needs. Strings are handed on where they
 * stand, or, if they hold escapes, from a buffer that keeps its size.
 *   - an unknown type: counted, the first one of a session is logged at debug
 *   - no object, broken JSON, audio that is no base64: counted, nothing is told
 *   - null or another type where the documentation says string, number or object: as if absent
 *   - added and created announce the same item to clients of different age: told once
 * Which prompt a response answers is settled in prompts.c. */
#include "providers/openai/events.h"

#include "base/err.h"
#include "base/json.h"
#include "base/log.h"
#include "media/base64.h"
#include "providers/openai/fields.h"
#include "providers/openai/limits.h"
#include "providers/openai/usage.h"
#include "providers/openai/wire.h"

#include <errno.h>
#include <stdio.h>

enum { USUAL_TEXT_BYTES = 1024 };

/* The words of a string; `slot` is where they go if they hold escapes. False: no string, or one
 * that does not fit. */
static bool words_of(struct events *e, int slot, const struct json_value *v, struct rd_str *out)
{
    struct buf *b = &e->text[slot];

    *out = RD_STR("");
    if (v->type != JSON_STRING)
        return false;
    if (!v->escaped) {
        *out = v->raw;
        return true;
    }
    buf_clear(b);
    if (json_unescape(v, b)) {
        e->counts->bad_frames++;
        return false;
    }
    *out = (struct rd_str){b->data ? b->data : "", b->n};
    return true;
}

/* --- ids: no two sessions of a call have the same ----------------------------------------------- */

void events_number(struct events *e, unsigned number)
{
    e->prefix[0] = '\0';
    if (number > 0)
        (void)snprintf(e->prefix, sizeof(e->prefix), "%u.", number + 1);
}

bool events_own_id(const struct events *e, struct rd_str told, struct rd_str *own)
{
    size_t n = strlen(e->prefix);

    if (told.n < n || memcmp(told.p, e->prefix, n) != 0)
        return false;
    *own = (struct rd_str){told.p + n, told.n - n};
    return true;
}

/* As it is told. */
static struct rd_str told_id(struct events *e, enum id_slot slot, struct rd_str id)
{
    size_t n = strlen(e->prefix);
    char *out = e->ids[slot];

    if (n == 0 || id.n == 0)
        return id;
    memcpy(out, e->prefix, n);
    (void)rd_str_copy(out + n, sizeof(e->ids[slot]) - n, id);
    return rd_str(out);
}

static struct rd_str item_id(struct events *e, const struct fields *f)
{
    return told_id(e, ID_ITEM, field_id(&f->v[K_ITEM_ID]));
}

static struct provider_item item_of(struct events *e, const struct fields *f)
{
    return (struct provider_item){
        .response_id = told_id(e, ID_RESPONSE, field_id(&f->v[K_RESPONSE_ID])),
        .item_id = item_id(e, f),
        .content_index = field_u32(&f->v[K_CONTENT_INDEX]),
    };
}

/* --- audio ----------------------------------------------------------------------------------- */

static void tell_transcoded(struct events *e, const struct provider_item *item, struct rd_str b64)
{
    struct audio_span span;

    while (e->up && pcm_down(e->pcm, item, &b64, &span))
        e->up->on_audio(e->up_arg, item, &span);
}

static void on_audio_delta(struct events *e, const struct fields *f)
{
    struct provider_item item = item_of(e, f);
    struct audio_span span;
    struct rd_str b64;
    ssize_t n;

    if (!words_of(e, 0, &f->v[K_DELTA], &b64) || b64.n == 0)
        return;
    n = base64_check(b64.p, b64.n);
    if (n <= 0) {
        e->counts->bad_frames++;
        return;
    }
    if (e->pcm) {
        tell_transcoded(e, &item, b64);
        return;
    }
    span = (struct audio_span){.b64 = b64.p, .n_b64 = b64.n, .n_bytes = (uint32_t)n};
    e->up->on_audio(e->up_arg, &item, &span);
}

static void on_audio_done(struct events *e, const struct fields *f)
{
    struct provider_item item = item_of(e, f);
    struct audio_span rest;

    if (e->pcm && pcm_end(e->pcm, &item, &rest))
        e->up->on_audio(e->up_arg, &item, &rest);
    if (e->up)
        e->up->on_audio_done(e->up_arg, &item);
}

/* --- the caller's turns ---------------------------------------------------------------------- */

static void on_speech_started(struct events *e, const struct fields *f)
{
    e->up->on_speech_started(e->up_arg, field_u32(&f->v[K_AUDIO_START_MS]), item_id(e, f));
}

static void on_speech_stopped(struct events *e, const struct fields *f)
{
    e->up->on_speech_stopped(e->up_arg, field_u32(&f->v[K_AUDIO_END_MS]), item_id(e, f));
}

static void on_committed(struct events *e, const struct fields *f)
{
    e->up->on_committed(e->up_arg, item_id(e, f));
}

/* --- words ----------------------------------------------------------------------------------- */

static void tell_words(struct events *e, const struct fields *f, enum provider_role role,
                       enum field text, bool final)
{
    struct provider_words w = {.item_id = item_id(e, f), .role = role, .final = final};
    bool some = words_of(e, 0, &f->v[text], &w.text);

    if (!some && !final)
        return;
    w.failed = !some;
    e->up->on_words(e->up_arg, &w);
}

static void on_agent_delta(struct events *e, const struct fields *f)
{
    tell_words(e, f, PROVIDER_AGENT, K_DELTA, false);
}

static void on_agent_transcript(struct events *e, const struct fields *f)
{
    tell_words(e, f, PROVIDER_AGENT, K_TRANSCRIPT, true);
}

static void on_agent_text(struct events *e, const struct fields *f)
{
    tell_words(e, f, PROVIDER_AGENT, K_TEXT, true);
}

static void on_caller_delta(struct events *e, const struct fields *f)
{
    tell_words(e, f, PROVIDER_CALLER, K_DELTA, false);
}

static void on_caller_transcript(struct events *e, const struct fields *f)
{
    const struct json_value *usage = &f->v[K_USAGE];
    struct provider_usage u;

    tell_words(e, f, PROVIDER_CALLER, K_TRANSCRIPT, true);
    if (e->up && usage->type == JSON_OBJECT) {
        usage_of_transcription(&u, usage);
        e->up->on_usage(e->up_arg, &u, usage->raw);
    }
}

static void on_caller_failed(struct events *e, const struct fields *f)
{
    struct provider_words w = {.item_id = item_id(e, f),
                               .role = PROVIDER_CALLER,
                               .text = RD_STR(""),
                               .final = true,
                               .failed = true};

    e->up->on_words(e->up_arg, &w);
}

/* --- the order of the conversation ----------------------------------------------------------- */

static enum provider_role role_of(const struct json_value *item)
{
    struct json_value type = json_get(item, "type"), role = json_get(item, "role");

    if (json_is(&role, "user"))
        return PROVIDER_CALLER;
    if (json_is(&role, "assistant"))
        return PROVIDER_AGENT;
    if (json_is(&role, "system") || json_is(&type, "message"))
        return PROVIDER_SYSTEM;
    return PROVIDER_TOOL;
}

/* True when the item was told before, within the last EVENTS_PLACED. */
static bool placed_before(struct events *e, struct rd_str id)
{
    uint64_t hash = prompts_hash(id);

    for (int i = 0; i < EVENTS_PLACED; i++)
        if (e->placed[i] == hash)
            return true;
    e->placed[e->next_placed++ % EVENTS_PLACED] = hash;
    return false;
}

/* One that was told to the session, and is only acknowledged. */
static bool is_told(struct rd_str id)
{
    return id.n > sizeof(WIRE_TOLD) - 1 && memcmp(id.p, WIRE_TOLD, sizeof(WIRE_TOLD) - 1) == 0;
}

static void on_item_added(struct events *e, const struct fields *f)
{
    const struct json_value *item = &f->v[K_ITEM];
    struct rd_str previous = field_id(&f->v[K_PREVIOUS_ITEM_ID]);
    struct provider_placed p = {.item_id = told_id(e, ID_ITEM, field_id_in(item, "id")),
                                .previous_id = told_id(e, ID_PREVIOUS, previous),
                                .role = role_of(item)};

    if (p.item_id.n > 0 && !is_told(field_id_in(item, "id")) && !placed_before(e, p.item_id))
        e->up->on_placed(e->up_arg, &p);
}

/* --- tools ----------------------------------------------------------------------------------- */

static void on_output_item(struct events *e, const struct fields *f)
{
    struct json_value type = json_get(&f->v[K_ITEM], "type");
    struct announced_tool *t;

    if (!json_is(&type, "function_call"))
        return;
    t = &e->tools[e->next_tool++ % EVENTS_TOOLS];
    (void)rd_str_copy(t->item_id, sizeof(t->item_id), field_id_in(&f->v[K_ITEM], "id"));
    (void)rd_str_copy(t->call_id, sizeof(t->call_id), field_id_in(&f->v[K_ITEM], "call_id"));
    (void)rd_str_copy(t->name, sizeof(t->name), field_id_in(&f->v[K_ITEM], "name"));
}

static bool same_id(const char *kept, struct rd_str id)
{
    return id.n > 0 && rd_str_eq(rd_str(kept), id);
}

static const struct announced_tool *announced(const struct events *e, struct rd_str call_id,
                                              struct rd_str item_id)
{
    for (int i = 0; i < EVENTS_TOOLS; i++)
        if (same_id(e->tools[i].call_id, call_id) || same_id(e->tools[i].item_id, item_id))
            return &e->tools[i];
    return NULL;
}

/* Without a call_id nobody could be answered; without a name the call core still answers. */
static void on_tool_call(struct events *e, const struct fields *f)
{
    struct provider_tool_call t = {.call_id = field_id(&f->v[K_CALL_ID]),
                                   .item_id = field_id(&f->v[K_ITEM_ID]),
                                   .response_id = field_id(&f->v[K_RESPONSE_ID]),
                                   .name = field_id(&f->v[K_NAME])};
    const struct announced_tool *known = announced(e, t.call_id, t.item_id);

    if (known && t.call_id.n == 0)
        t.call_id = rd_str(known->call_id);
    if (known && t.name.n == 0)
        t.name = rd_str(known->name);
    if (t.call_id.n == 0) {
        e->counts->bad_frames++;
        return;
    }
    (void)words_of(e, 0, &f->v[K_ARGUMENTS], &t.arguments);
    t.call_id = told_id(e, ID_CALL, t.call_id);
    t.item_id = told_id(e, ID_ITEM, t.item_id);
    t.response_id = told_id(e, ID_RESPONSE, t.response_id);
    e->up->on_tool_call(e->up_arg, &t);
}

/* --- responses ------------------------------------------------------------------------------- */

static void response_init(struct events *e, struct provider_response *r,
                          const struct json_value *response, bool done)
{
    struct json_value conversation = json_get(response, "conversation_id");
    struct json_value metadata = json_get(response, "metadata");
    struct prompt_echo echo = {
        .response_id = field_id_in(response, "id"),
        .tag = wire_tag(field_id_in(&metadata, WIRE_TAG)),
        .no_conversation = conversation.type == JSON_NULL || conversation.type == JSON_NONE,
    };
    struct prompt answers =
        done ? prompts_done(&e->prompts, &echo) : prompts_started(&e->prompts, &echo);

    *r = (struct provider_response){.response_id = told_id(e, ID_RESPONSE, echo.response_id),
                                    .tag = answers.tag,
                                    .state = PROVIDER_RESPONSE_STARTED,
                                    .out_of_band = answers.aside,
                                    .raw_usage = RD_STR(""),
                                    .error_code = RD_STR(""),
                                    .error_message = RD_STR("")};
}

static void on_response_created(struct events *e, const struct fields *f)
{
    struct provider_response r;

    response_init(e, &r, &f->v[K_RESPONSE], false);
    e->up->on_response(e->up_arg, &r);
}

/* A status nobody knows counts as completed: it is over, and nothing says that it went wrong. */
static enum provider_response_state state_of(const struct json_value *response)
{
    struct json_value status = json_get(response, "status");

    if (json_is(&status, "cancelled"))
        return PROVIDER_RESPONSE_CANCELLED;
    if (json_is(&status, "incomplete"))
        return PROVIDER_RESPONSE_INCOMPLETE;
    if (json_is(&status, "failed"))
        return PROVIDER_RESPONSE_FAILED;
    return PROVIDER_RESPONSE_COMPLETED;
}

static void on_response_done(struct events *e, const struct fields *f)
{
    const struct json_value *response = &f->v[K_RESPONSE];
    struct json_value usage = json_get(response, "usage");
    struct json_value details = json_get(response, "status_details");
    struct json_value error = json_get(&details, "error"), message = json_get(&error, "message");
    struct openai_error problem = {.code = field_id_in(&error, "code"),
                                   .type = field_id_in(&error, "type")};
    struct provider_response r;

    response_init(e, &r, response, true);
    r.state = state_of(response);
    if (usage.type == JSON_OBJECT) {
        usage_of_response(&r.usage, &usage);
        r.raw_usage = usage.raw;
    }
    r.error_code = problem.code.n > 0 ? problem.code : problem.type;
    if (r.error_code.n == 0 && r.state != PROVIDER_RESPONSE_COMPLETED)
        r.error_code = field_id_in(&details, "reason");
    (void)words_of(e, 1, &message, &problem.message);
    r.error_message = problem.message;
    r.limited = r.state == PROVIDER_RESPONSE_FAILED && limits_is_code(r.error_code);
    e->up->on_response(e->up_arg, &r);
    if (e->up && r.state == PROVIDER_RESPONSE_FAILED)
        e->owner->on_failed(e->owner_arg, &problem);
}

/* --- the session ----------------------------------------------------------------------------- */

static void tell_session(struct events *e, const struct fields *f, bool updated)
{
    struct json_value expires = json_get(&f->v[K_SESSION], "expires_at");
    uint64_t at = 0;

    if (expires.type != JSON_NUMBER || !json_u64(&expires, &at))
        at = 0;
    e->owner->on_session(e->owner_arg, updated, field_id_in(&f->v[K_SESSION], "id"), at);
}

static void on_session_created(struct events *e, const struct fields *f)
{
    tell_session(e, f, false);
}

static void on_session_updated(struct events *e, const struct fields *f)
{
    tell_session(e, f, true);
}

static void on_limits(struct events *e, const struct fields *f)
{
    struct provider_limits l;

    if (limits_read(&l, &f->v[K_RATE_LIMITS]))
        e->owner->on_limits(e->owner_arg, &l);
}

static void on_error(struct events *e, const struct fields *f)
{
    const struct json_value *error = &f->v[K_ERROR];
    struct json_value message = json_get(error, "message"), param = json_get(error, "param");
    struct openai_error problem = {.type = field_id_in(error, "type"),
                                   .code = field_id_in(error, "code"),
                                   .event_id = field_id_in(error, "event_id")};

    (void)words_of(e, 0, &message, &problem.message);
    (void)words_of(e, 1, &param, &problem.param);
    e->owner->on_error(e->owner_arg, &problem);
}

/* --- the table ------------------------------------------------------------------------------- */

typedef void(event_fn)(struct events *e, const struct fields *f);

/* The frequent ones first. `session`: told even when no call listens. No handler: known, of no use
 * to a telephone call. */
static const struct {
    struct rd_str type;
    event_fn *fn;
    bool session;
} handlers[] = {
    {RD_STR("response.output_audio.delta"), on_audio_delta, false},
    {RD_STR("response.output_audio_transcript.delta"), on_agent_delta, false},
    {RD_STR("conversation.item.input_audio_transcription.delta"), on_caller_delta, false},
    {RD_STR("input_audio_buffer.speech_started"), on_speech_started, false},
    {RD_STR("input_audio_buffer.speech_stopped"), on_speech_stopped, false},
    {RD_STR("input_audio_buffer.committed"), on_committed, false},
    {RD_STR("response.output_audio.done"), on_audio_done, false},
    {RD_STR("response.output_audio_transcript.done"), on_agent_transcript, false},
    {RD_STR("conversation.item.added"), on_item_added, false},
    {RD_STR("conversation.item.created"), on_item_added, false},
    {RD_STR("conversation.item.done"), NULL, false},
    {RD_STR("conversation.item.input_audio_transcription.completed"), on_caller_transcript, false},
    {RD_STR("conversation.item.input_audio_transcription.failed"), on_caller_failed, false},
    {RD_STR("conversation.item.input_audio_transcription.segment"), NULL, false},
    {RD_STR("conversation.item.truncated"), NULL, false},
    {RD_STR("conversation.item.deleted"), NULL, false},
    {RD_STR("conversation.item.retrieved"), NULL, false},
    {RD_STR("conversation.created"), NULL, false},
    {RD_STR("response.created"), on_response_created, false},
    {RD_STR("response.done"), on_response_done, false},
    {RD_STR("response.output_item.added"), on_output_item, false},
    {RD_STR("response.output_item.done"), NULL, false},
    {RD_STR("response.content_part.added"), NULL, false},
    {RD_STR("response.content_part.done"), NULL, false},
    {RD_STR("response.output_text.delta"), on_agent_delta, false},
    {RD_STR("response.output_text.done"), on_agent_text, false},
    {RD_STR("response.function_call_arguments.delta"), NULL, false},
    {RD_STR("response.function_call_arguments.done"), on_tool_call, false},
    {RD_STR("rate_limits.updated"), on_limits, true},
    {RD_STR("input_audio_buffer.cleared"), NULL, false},
    {RD_STR("input_audio_buffer.timeout_triggered"), NULL, false},
    {RD_STR("session.created"), on_session_created, true},
    {RD_STR("session.updated"), on_session_updated, true},
    {RD_STR("error"), on_error, true},
};

static void dispatch(struct events *e, const struct fields *f)
{
    const struct json_value *type = &f->v[K_TYPE];
    char name[FIELD_ID_CHARS + 1];

    for (size_t i = 0; i < sizeof(handlers) / sizeof(handlers[0]); i++) {
        if (!rd_str_eq(type->raw, handlers[i].type))
            continue;
        if (handlers[i].fn && (e->up || handlers[i].session))
            handlers[i].fn(e, f);
        return;
    }
    e->counts->unknown_events++;
    if (!e->said_unknown) {
        e->said_unknown = true;
        (void)rd_str_copy(name, sizeof(name), type->raw);
        log_debug("openai.unknown_event", F_CALL(e->call), F_STR("type", name));
    }
}

int events_feed(struct events *e, struct rd_str message)
{
    struct fields f;

    if (fields_read(&f, message)) {
        e->counts->bad_frames++;
        return RD_EPROTO;
    }
    dispatch(e, &f);
    return 0;
}

int events_init(struct events *e, const struct events_owner *owner, void *owner_arg,
                struct openai_counts *counts)
{
    *e = (struct events){.owner = owner, .owner_arg = owner_arg, .counts = counts};
    buf_init(&e->text[0], EVENTS_TEXT_MAX);
    buf_init(&e->text[1], EVENTS_TEXT_MAX);
    return buf_reserve(&e->text[0], USUAL_TEXT_BYTES);
}

void events_fini(struct events *e)
{
    buf_fini(&e->text[0]);
    buf_fini(&e->text[1]);
}
