/* SPDX-License-Identifier: Apache-2.0 */
/* fields.h - the members of a server event, found in one walk over its text. Pure; any thread. */
#ifndef PROVIDERS_OPENAI_FIELDS_H
#define PROVIDERS_OPENAI_FIELDS_H

#include "base/json.h"

#include <stdint.h>

enum { FIELD_ID_CHARS = 64 };

enum field {
    K_TYPE,
    K_DELTA,
    K_RESPONSE_ID,
    K_ITEM_ID,
    K_CONTENT_INDEX,
    K_TRANSCRIPT,
    K_TEXT,
    K_AUDIO_START_MS,
    K_AUDIO_END_MS,
    K_PREVIOUS_ITEM_ID,
    K_ITEM,
    K_CALL_ID,
    K_NAME,
    K_ARGUMENTS,
    K_RESPONSE,
    K_SESSION,
    K_USAGE,
    K_ERROR,
    K_RATE_LIMITS,
    N_FIELDS
};

/* The members of one event by enum field; JSON_NONE where absent. */
struct fields {
    struct json_value v[N_FIELDS];
};

/* 0; RD_EPROTO when the message is no JSON object or has no type. */
int fields_read(struct fields *f, struct rd_str message);

/* Names and ids: plain text by nature. One with escapes, or longer than FIELD_ID_CHARS, is none of
 * ours and empty, as is anything but a string. */
struct rd_str field_id(const struct json_value *v);
struct rd_str field_id_in(const struct json_value *object, const char *key);

/* 0 when it is no number; the largest when it is larger. */
uint32_t field_u32(const struct json_value *v);

#endif
