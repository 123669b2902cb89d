/* SPDX-License-Identifier: Apache-2.0 */
/* fields.c - the members of a server event.
 *
 * One walk remembers where each known member stands; nothing is copied. An object that breaks off
 * or breaks the grammar anywhere is refused as a whole, so that half an event never has an effect.
 *   - an unknown member: skipped
 *   - the same member twice: the last one counts */
#include "providers/openai/fields.h"

#include "base/err.h"

static const struct rd_str field_names[N_FIELDS] = {
    [K_TYPE] = RD_STR("type"),
    [K_DELTA] = RD_STR("delta"),
    [K_RESPONSE_ID] = RD_STR("response_id"),
    [K_ITEM_ID] = RD_STR("item_id"),
    [K_CONTENT_INDEX] = RD_STR("content_index"),
    [K_TRANSCRIPT] = RD_STR("transcript"),
    [K_TEXT] = RD_STR("text"),
    [K_AUDIO_START_MS] = RD_STR("audio_start_ms"),
    [K_AUDIO_END_MS] = RD_STR("audio_end_ms"),
    [K_PREVIOUS_ITEM_ID] = RD_STR("previous_item_id"),
    [K_ITEM] = RD_STR("item"),
    [K_CALL_ID] = RD_STR("call_id"),
    [K_NAME] = RD_STR("name"),
    [K_ARGUMENTS] = RD_STR("arguments"),
    [K_RESPONSE] = RD_STR("response"),
    [K_SESSION] = RD_STR("session"),
    [K_USAGE] = RD_STR("usage"),
    [K_ERROR] = RD_STR("error"),
    [K_RATE_LIMITS] = RD_STR("rate_limits"),
};

struct rd_str field_id(const struct json_value *v)
{
    bool plain = v->type == JSON_STRING && !v->escaped && v->raw.n <= FIELD_ID_CHARS;

    return plain ? v->raw : RD_STR("");
}

struct rd_str field_id_in(const struct json_value *object, const char *key)
{
    struct json_value v = json_get(object, key);

    return field_id(&v);
}

uint32_t field_u32(const struct json_value *v)
{
    uint64_t n;

    if (v->type != JSON_NUMBER || !json_u64(v, &n))
        return 0;
    return n > UINT32_MAX ? UINT32_MAX : (uint32_t)n;
}

static void keep_field(struct fields *f, struct rd_str key, const struct json_value *v)
{
    for (int i = 0; i < N_FIELDS; i++)
        if (rd_str_eq(key, field_names[i])) {
            f->v[i] = *v;
            return;
        }
}

/* The object without white space around it. Its grammar is checked by the walk, which would cost a
 * second look at the audio if it were done here; what follows the object is not looked at. */
static struct json_value object_of(struct rd_str m)
{
    while (m.n > 0 && strchr(" \t\r\n", m.p[0]) && m.p[0]) {
        m.p++;
        m.n--;
    }
    while (m.n > 0 && strchr(" \t\r\n", m.p[m.n - 1]) && m.p[m.n - 1])
        m.n--;
    if (m.n < 2 || m.p[0] != '{')
        return (struct json_value){.type = JSON_NONE};
    return (struct json_value){.type = JSON_OBJECT, .raw = m};
}

int fields_read(struct fields *f, struct rd_str message)
{
    struct json_value event = object_of(message), v;
    struct json_iter it;
    struct rd_str key;

    *f = (struct fields){0};
    json_iter_init(&it, &event);
    while (json_next(&it, &key, &v))
        keep_field(f, key, &v);
    return it.err || f->v[K_TYPE].type != JSON_STRING ? RD_EPROTO : 0;
}
