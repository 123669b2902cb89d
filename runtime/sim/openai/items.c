/* SPDX-License-Identifier: Apache-2.0 */
/* items.c - the conversation: an ordered list of items and the client events that change it.
 *
 *   - every item knows the one before it; that chain is what clients order transcripts by
 *   - truncation is checked against the audio that was really generated for the item: beyond it is
 *     an error with the API's words, and a violation, since an honest client cannot have heard it
 *   - a result for a call nobody made is refused. */
#include "sim/openai/private.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct item *item_find(struct openai_session *s, const char *id)
{
    for (size_t i = 0; id && i < s->n_items; i++)
        if (strcmp(s->items[i]->id, id) == 0)
            return s->items[i];
    return NULL;
}

static size_t place_of(const struct openai_session *s, const struct item *item)
{
    size_t i = 0;

    while (i < s->n_items && s->items[i] != item)
        i++;
    return i;
}

const char *item_last_id(const struct openai_session *s)
{
    return s->n_items ? s->items[s->n_items - 1]->id : NULL;
}

static uint32_t tokens_of(const json_t *json)
{
    static const char *const texts[] = {"arguments", "output", "name"};
    const json_t *content = json_object_get(json, "content");
    uint32_t n = 4; /* an item costs something by itself */

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        n += count_tokens(json_string_value(json_object_get(json, texts[i])));
    for (size_t i = 0; i < json_array_size(content); i++)
        n += count_tokens(json_string_value(json_object_get(json_array_get(content, i), "text")));
    return n;
}

struct item *item_add(struct openai_session *s, json_t *json, const char *previous)
{
    struct item *item = s->n_items < ITEMS_MAX ? calloc(1, sizeof(*item)) : NULL;
    size_t at = s->n_items;

    if (!item) {
        json_decref(json);
        return NULL;
    }
    if (previous)
        at = strcmp(previous, "root") == 0 ? 0 : place_of(s, item_find(s, previous)) + 1;
    if (at > s->n_items)
        at = s->n_items;
    if (json_object_get(json, "id"))
        snprintf(item->id, ID_MAX, "%s", json_string_value(json_object_get(json, "id")));
    else
        make_id(s, item->id, "item");
    json_object_set_new(json, "id", json_string(item->id));
    json_object_set_new(json, "object", json_string("realtime.item"));
    item->json = json;
    item->text_tokens = tokens_of(json);
    memmove(s->items + at + 1, s->items + at, (s->n_items - at) * sizeof(struct item *));
    s->items[at] = item;
    s->n_items++;
    return item;
}

static void item_free(struct item *i)
{
    json_decref(i->json);
    free(i);
}

static void item_remove(struct openai_session *s, struct item *i)
{
    size_t at = place_of(s, i);

    s->n_items--;
    memmove(s->items + at, s->items + at + 1, (s->n_items - at) * sizeof(struct item *));
    item_free(i);
}

void items_free(struct openai_session *s)
{
    while (s->n_items)
        item_free(s->items[--s->n_items]);
}

void items_count(const struct openai_session *s, uint32_t *text, uint32_t *audio)
{
    *text = count_tokens(json_string_value(json_object_get(s->config, "instructions")));
    *text += 40 * (uint32_t)json_array_size(json_object_get(s->config, "tools"));
    *audio = 0;
    for (size_t i = 0; i < s->n_items; i++) {
        *text += s->items[i]->text_tokens;
        *audio += s->items[i]->audio_tokens;
    }
}

void item_emit(struct openai_session *s, const char *type, const struct item *i)
{
    size_t at = place_of(s, i);

    emit(s, json_pack("{s:s,s:s?,s:o}", "type", type, "previous_item_id",
                      at > 0 ? s->items[at - 1]->id : NULL, "item", json_deep_copy(i->json)));
}

void refuse(struct openai_session *s, const json_t *event, const char *code, const char *param,
            const char *fmt, ...)
{
    const char *event_id = json_string_value(json_object_get(event, "event_id"));
    const char *type = json_string_value(json_object_get(event, "type"));
    char message[512];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(message, sizeof(message), fmt, ap);
    va_end(ap);
    s->violations++;
    fact(s, json_pack("{s:s,s:s?,s:s?,s:s?,s:s}", "ev", "violation", "type", type, "code", code,
                      "param", param, "message", message));
    emit_error(s, "invalid_request_error", code, message, param, event_id);
}

static struct item *named(struct openai_session *s, const json_t *event, const char *verb)
{
    const char *id = json_string_value(json_object_get(event, "item_id"));
    struct item *i = item_find(s, id);

    if (!i)
        refuse(s, event, "item_not_found", "item_id",
               "Error %s item: the item with id '%.64s' does not exist.", verb, id ? id : "");
    return i;
}

static struct pending *pending_find(struct openai_session *s, const char *call_id)
{
    for (size_t i = 0; i < s->n_pending; i++)
        if (strcmp(s->pending[i].call_id, call_id) == 0)
            return &s->pending[i];
    return NULL;
}

static bool has_call(const struct openai_session *s, const char *call_id)
{
    for (size_t i = 0; i < s->n_items; i++) {
        const char *type = json_string_value(json_object_get(s->items[i]->json, "type"));
        const char *id = json_string_value(json_object_get(s->items[i]->json, "call_id"));

        if (type && id && strcmp(type, "function_call") == 0 && strcmp(id, call_id) == 0)
            return true;
    }
    return false;
}

/* A function_call_output must belong to a call. False when it was refused. */
static bool take_result(struct openai_session *s, const json_t *event, const json_t *json)
{
    const char *call_id = json_string_value(json_object_get(json, "call_id"));
    const char *type = json_string_value(json_object_get(json, "type"));
    struct pending *p;

    if (!call_id || strcmp(type, "function_call_output") != 0)
        return true;
    if (!has_call(s, call_id)) {
        refuse(s, event, "invalid_tool_call_id", "item.call_id",
               "Tool call ID '%.64s' not found in conversation.", call_id);
        return false;
    }
    p = pending_find(s, call_id);
    if (p)
        p->answered = true;
    fact(s, json_pack("{s:s,s:s,s:O}", "ev", "tool_result", "call_id", call_id, "output",
                      json_object_get(json, "output")));
    return true;
}

/* A function that a session before this one called: its result has the same consequences here. */
static void take_call(struct openai_session *s, const json_t *json)
{
    const char *type = json_string_value(json_object_get(json, "type"));
    const char *call_id = json_string_value(json_object_get(json, "call_id"));
    const char *name = json_string_value(json_object_get(json, "name"));
    struct pending *p = &s->pending[s->n_pending];

    if (!type || strcmp(type, "function_call") != 0 || !call_id || !name ||
        s->n_pending == PENDING_MAX)
        return;
    snprintf(p->call_id, ID_MAX, "%s", call_id);
    p->reply = openai_script_calling(s->script, name);
    p->answered = false;
    s->n_pending++;
}

/* A system message shapes the answers from now on. */
static void take_note(struct openai_session *s, const json_t *json)
{
    const char *role = json_string_value(json_object_get(json, "role"));
    const char *text = json_string_value(
        json_object_get(json_array_get(json_object_get(json, "content"), 0), "text"));
    size_t n = strlen(s->notes);

    if (!role || strcmp(role, "system") != 0 || !text)
        return;
    snprintf(s->notes + n, sizeof(s->notes) - n, "%s\n", text);
    fact(s, json_pack("{s:s,s:s}", "ev", "note", "text", text));
}

void on_item_create(struct openai_session *s, const json_t *event)
{
    const char *previous = json_string_value(json_object_get(event, "previous_item_id"));
    const json_t *given = json_object_get(event, "item");
    const char *id = json_string_value(json_object_get(given, "id"));
    struct item *i;
    json_t *json;

    if (previous && strcmp(previous, "root") != 0 && !item_find(s, previous)) {
        refuse(s, event, "invalid_value", "previous_item_id",
               "Error creating item: the previous item with id '%.64s' does not exist.", previous);
        return;
    }
    if (id && item_find(s, id)) {
        refuse(s, event, "invalid_value", "item.id",
               "Error creating item: an item with id '%.64s' already exists.", id);
        return;
    }
    if (!take_result(s, event, given))
        return;
    json = json_deep_copy(given);
    json_object_set_new(json, "status", json_string("completed"));
    s->told = s->told || id;
    take_note(s, json);
    take_call(s, json);
    i = item_add(s, json, previous);
    if (!i) {
        emit_error(s, "server_error", NULL, "The conversation is full.", NULL, NULL);
        return;
    }
    item_emit(s, "conversation.item.added", i);
    item_emit(s, "conversation.item.done", i);
}

void on_item_retrieve(struct openai_session *s, const json_t *event)
{
    struct item *i = named(s, event, "retrieving");

    if (i)
        emit(s, json_pack("{s:s,s:o}", "type", "conversation.item.retrieved", "item",
                          json_deep_copy(i->json)));
}

void on_item_delete(struct openai_session *s, const json_t *event)
{
    struct item *i = named(s, event, "deleting");

    if (!i)
        return;
    emit(s, json_pack("{s:s,s:s}", "type", "conversation.item.deleted", "item_id", i->id));
    item_remove(s, i);
}

void on_item_truncate(struct openai_session *s, const json_t *event)
{
    json_int_t end_ms = json_integer_value(json_object_get(event, "audio_end_ms"));
    json_int_t index = json_integer_value(json_object_get(event, "content_index"));
    struct item *i = named(s, event, "truncating");

    if (!i)
        return;
    fact(s, json_pack("{s:s,s:s,s:I,s:I}", "ev", "truncate", "item", i->id, "audio_end_ms", end_ms,
                      "generated_ms", (json_int_t)i->generated_ms));
    if (!i->has_audio || index != 0) {
        refuse(s, event, "invalid_value", i->has_audio ? "content_index" : "item_id",
               "Only model output audio messages can be truncated.");
        return;
    }
    if (end_ms > (json_int_t)i->audio_ms) {
        refuse(s, event, NULL, NULL, "Audio content of %ums is already shorter than %lldms",
               i->audio_ms, (long long)end_ms);
        return;
    }
    i->audio_ms = (uint32_t)end_ms;
    i->audio_tokens = i->audio_ms / 50;
    json_object_del(json_array_get(json_object_get(i->json, "content"), 0), "transcript");
    emit(s, json_pack("{s:s,s:s,s:i,s:I}", "type", "conversation.item.truncated", "item_id", i->id,
                      "content_index", 0, "audio_end_ms", end_ms));
}
