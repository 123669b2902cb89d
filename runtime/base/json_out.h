/* SPDX-License-Identifier: Apache-2.0 */
/* json_out.h - a flat JSON object from typed members, as log.h makes lines from fields.
 *
 *   json_add_object(out, JSON_MEMBERS(J_STR("kind", "voice"), J_INT("duration_s", 12)));
 *   {"kind":"voice","duration_s":12}
 *
 * A string that is NULL is left out, so that callers need no conditions. Any thread. */
#ifndef BASE_JSON_OUT_H
#define BASE_JSON_OUT_H

#include "base/buf.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

enum json_out_type { JSON_OUT_STRING, JSON_OUT_INT, JSON_OUT_BOOL, JSON_OUT_RAW };

struct json_member {
    const char *key; /* written as it is: no quotes, no backslash */
    enum json_out_type type;
    struct rd_str str; /* borrows; JSON_OUT_RAW: well-formed JSON */
    int64_t num;
};

struct json_members {
    const struct json_member *m; /* borrows */
    int n;
};

#define J_TEXT(k, v) ((struct json_member){.key = (k), .type = JSON_OUT_STRING, .str = (v)})
#define J_STR(k, v)  J_TEXT(k, rd_str(v))
#define J_INT(k, v)  ((struct json_member){.key = (k), .type = JSON_OUT_INT, .num = (int64_t)(v)})
#define J_BOOL(k, v) ((struct json_member){.key = (k), .type = JSON_OUT_BOOL, .num = (v)})
#define J_RAW(k, v)  ((struct json_member){.key = (k), .type = JSON_OUT_RAW, .str = (v)})

#define JSON_MEMBERS(...)                               \
    ((struct json_members){                             \
        .m = (const struct json_member[]){__VA_ARGS__}, \
        .n = (int)(sizeof((struct json_member[]){__VA_ARGS__}) / sizeof(struct json_member))})

/* Appends "key":value,… without braces, each with a comma before it unless `first`. The number of
 * members written, or an error of buf_add. */
int json_members(struct buf *out, struct json_members members, bool first);

/* Appends the whole object. 0, -ENOMEM, RD_EFULL. */
int json_add_object(struct buf *out, struct json_members members);

#endif
