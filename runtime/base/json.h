/* SPDX-License-Identifier: Apache-2.0 */
/* json.h - reads JSON in place: no tree, no allocation, no copy. For frames that come 50 times a
 * second per call; everything else uses a JSON library.
 *
 * Scanning is strict about structure (strings, nesting, commas) as far as it has looked, and lazy
 * beyond: a value is skipped, not understood, until it is asked for. Depth is limited to 32.
 * Fuzzed by tests/fuzz/fuzz_json.c. */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include "base/buf.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

enum json_type {
    JSON_NONE,
    JSON_OBJECT,
    JSON_ARRAY,
    JSON_STRING,
    JSON_NUMBER,
    JSON_TRUE,
    JSON_FALSE,
    JSON_NULL
};

/* A value inside the text. For strings, raw is what stands between the quotes, still escaped. */
struct json_value {
    enum json_type type;
    struct rd_str raw;
    bool escaped; /* the string holds a backslash */
};

struct json_iter {
    const char *p, *end;
    bool array;
    bool first;
    int err; /* 0, or RD_EPROTO once the text turned out to be broken */
};

/* The one value that is the whole text (white space around it is fine). RD_EPROTO. */
int json_parse(struct rd_str text, struct json_value *out);

/* Walks an object or array. json_next() returns true for each member; key is empty for arrays (and
 * is given raw, as keys with escapes match nothing we know). After it returned false, iter.err tells
 * an end (0) from broken text (RD_EPROTO). */
void json_iter_init(struct json_iter *it, const struct json_value *container);
bool json_next(struct json_iter *it, struct rd_str *key, struct json_value *value);

/* Member `key` of an object; JSON_NONE when absent or the text is broken before it. */
struct json_value json_get(const struct json_value *object, const char *key);

bool json_is(const struct json_value *v, const char *literal); /* a string equal to literal */

/* A number, or a string that holds one (Twilio sends numbers as strings). False when it is neither;
 * json_u64() takes digits only, up to 2^53; json_double() what JSON's grammar calls a number. */
bool json_u64(const struct json_value *v, uint64_t *out);
bool json_double(const struct json_value *v, double *out);

/* The string with its escapes resolved, as UTF-8 (lone surrogates become U+FFFD); without escapes
 * the bytes are copied, valid or not. RD_EPROTO when it is no string or an escape is broken. */
int json_unescape(const struct json_value *v, struct buf *out);

/* The same into a fixed, terminated array. RD_ETOOBIG when it does not fit. */
int json_copy(const struct json_value *v, char *out, size_t cap);

#endif
