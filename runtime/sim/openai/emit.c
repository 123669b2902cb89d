/* SPDX-License-Identifier: Apache-2.0 */
/* emit.c - what leaves a session: events with their ids, errors, facts for the log, the end.
 *
 * Three faults live here because they touch every event: null-fields puts null where the documents
 * promise an object, no-metadata leaves out what tells one response from another, unknown-events
 * adds fields and whole events that no document knows. */
#include "sim/openai/private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void put_nulls(json_t *event)
{
    static const char *const in_session[] = {"tracing", "prompt", "include", "truncation", "tools"};
    static const char *const in_response[] = {"usage", "metadata", "status_details", "audio",
                                              "conversation_id"};
    json_t *session = json_object_get(event, "session");
    json_t *response = json_object_get(event, "response");

    for (size_t i = 0; session && i < sizeof(in_session) / sizeof(in_session[0]); i++)
        json_object_set_new(session, in_session[i], json_null());
    for (size_t i = 0; response && i < sizeof(in_response) / sizeof(in_response[0]); i++)
        json_object_set_new(response, in_response[i], json_null());
    if (json_object_get(event, "rate_limits"))
        json_object_set_new(event, "rate_limits", json_null());
    if (json_object_get(event, "usage"))
        json_object_set_new(event, "usage", json_null());
    if (json_object_get(event, "previous_item_id"))
        json_object_set_new(event, "previous_item_id", json_null());
    json_object_set_new(event, "logprobs", json_null());
}

static void leave_out(json_t *event)
{
    json_t *response = json_object_get(event, "response");

    json_object_del(response, "metadata");
    json_object_del(response, "conversation_id");
}

static void send_now(struct openai_session *s, json_t *event)
{
    char id[ID_MAX];
    char *text;

    make_id(s, id, "event");
    json_object_set_new(event, "event_id", json_string(id));
    text = json_dumps(event, JSON_COMPACT);
    if (text)
        s->events->send(text, strlen(text), s->arg);
    free(text);
}

static void send_unknown(struct openai_session *s)
{
    json_t *odd = json_pack("{s:s,s:{s:[i,i,n],s:b}}", "type", "response.weather.updated",
                            "weather", "clouds", 1, 2, "rain", 1);

    if (odd)
        send_now(s, odd);
    json_decref(odd);
}

void emit(struct openai_session *s, json_t *event)
{
    if (!event || s->over || s->misery.fault == FAULT_SILENT) {
        json_decref(event);
        return;
    }
    if (s->misery.fault == FAULT_NULL_FIELDS) {
        /* What was packed may be shared with the session's own state. */
        json_t *copy = json_deep_copy(event);
        json_decref(event);
        event = copy;
        put_nulls(event);
    }
    if (s->misery.fault == FAULT_NO_METADATA)
        leave_out(event);
    if (s->misery.fault == FAULT_UNKNOWN_EVENTS) {
        json_object_set_new(event, "obfuscation", json_string("a8f0qPz"));
        if (s->next_id % 3 == 0)
            send_unknown(s);
    }
    send_now(s, event);
    json_decref(event);
}

void emit_error(struct openai_session *s, const char *type, const char *code, const char *message,
                const char *param, const char *event_id)
{
    emit(s, json_pack("{s:s,s:{s:s,s:s?,s:s,s:s?,s:s?}}", "type", "error", "error", "type", type,
                      "code", code, "message", message, "param", param, "event_id", event_id));
}

void emit_later(struct openai_session *s, json_t *event, uint64_t due_ms, bool after_response)
{
    if (s->n_late == LATE_MAX) {
        emit(s, event);
        return;
    }
    s->late[s->n_late++] = (struct late){event, due_ms, after_response};
}

void fact(struct openai_session *s, json_t *f)
{
    if (!f)
        return;
    json_object_set_new(f, "session", json_string(s->id));
    json_object_set_new(f, "at_ms", json_integer((json_int_t)(s->now_ms - s->started_ms)));
    s->events->fact(f, s->arg);
}

void session_end(struct openai_session *s, int code, const char *reason)
{
    if (s->over)
        return;
    fact(s, json_pack("{s:s,s:i,s:s}", "ev", "end", "code", code, "reason", reason));
    s->over = true;
    s->events->close(code, reason, s->arg);
}

int session_moment(struct openai_session *s, enum openai_moment m)
{
    return s->events->moment && !s->over ? s->events->moment(m, s->arg) : OPENAI_GOES_ON;
}

void make_id(struct openai_session *s, char out[ID_MAX], const char *prefix)
{
    snprintf(out, ID_MAX, "%.20s_Sim%04u%06u", prefix, s->number % 10000, s->next_id++ % 1000000);
}

uint32_t count_tokens(const char *text)
{
    return text ? (uint32_t)(strlen(text) / 4 + 1) : 0;
}
