/* SPDX-License-Identifier: Apache-2.0 */
/* mask.c - walks a JSON text and writes another one. Numbers, true, false and null stay: what
 * people say or dial is kept as one in a call's vars only, which are hidden whole. Of texts stay those that are words of ours, by the names of their
 * members; phone numbers keep what tells two of them apart; the rest is "[hidden]".
 * scripts/ringdown/api/mask.lua does the same to answers. */
#include "control/mask.h"

#include "base/err.h"
#include "base/json.h"

#include <ctype.h>
#include <string.h>

enum { DEPTH_MAX = 16 };

static bool is_one_of(struct rd_str key, const char *words)
{
    for (const char *p = words; *p;) {
        size_t n = strcspn(p, " ");

        if (n == key.n && memcmp(p, key.p, n) == 0)
            return true;
        p += n + (p[n] == ' ');
    }
    return false;
}

/* Words of ours. */
static bool is_ours(struct rd_str key)
{
    return is_one_of(
        key, "type call agent state reason role system node rule severity kind code status "
             "drill id item call_id event version model provider direction outcome source at "
             "result resource stream language");
}

/* Numbers, or names of people of an agent. */
static bool is_number(struct rd_str key)
{
    return is_one_of(key, "from to number target caller");
}

/* "+13125550142" -> "+1…42"; other texts with five digits are shown as "…". */
static int add_number(struct buf *out, struct rd_str s)
{
    size_t digits = 0;

    if (s.n > 5 && s.p[0] == '+') {
        for (size_t i = 1; i < s.n; i++)
            digits += isdigit((unsigned char)s.p[i]) != 0;
        if (digits == s.n - 1)
            return buf_addf(out, "\"%.2s…%.2s\"", s.p, s.p + s.n - 2);
    }
    digits = 0;
    for (size_t i = 0; i < s.n; i++)
        digits += isdigit((unsigned char)s.p[i]) != 0;
    return digits >= 5 || memchr(s.p, '@', s.n)
               ? buf_add_str(out, "\"…\"")
               : buf_addf(out, "\"" RD_STR_FMT "\"", RD_STR_ARG(s));
}

static int add_text(struct buf *out, struct rd_str key, struct rd_str raw)
{
    if (is_number(key))
        return add_number(out, raw);
    if (raw.n == 0 || is_ours(key))
        return buf_addf(out, "\"" RD_STR_FMT "\"", RD_STR_ARG(raw));
    return buf_add_str(out, "\"[hidden]\"");
}

static int add_value(struct buf *out, struct rd_str key, const struct json_value *v, int depth);

static int add_members(struct buf *out, struct rd_str key, const struct json_value *v, int depth)
{
    bool is_object = v->type == JSON_OBJECT, first = true;
    int rc = buf_add_str(out, is_object ? "{" : "[");
    struct json_value member;
    struct json_iter it;
    struct rd_str name;

    json_iter_init(&it, v);
    while (!rc && json_next(&it, &name, &member)) {
        if (!first)
            rc = buf_add_str(out, ",");
        if (!rc && is_object)
            rc = buf_addf(out, "\"" RD_STR_FMT "\":", RD_STR_ARG(name));
        if (!rc)
            rc = add_value(out, is_object ? name : key, &member, depth + 1);
        first = false;
    }
    if (!rc)
        rc = it.err;
    return rc ? rc : buf_add_str(out, is_object ? "}" : "]");
}

static int add_value(struct buf *out, struct rd_str key, const struct json_value *v, int depth)
{
    switch (v->type) {
    case JSON_OBJECT:
    case JSON_ARRAY:
        if (is_one_of(key, "vars facts form")) /* a caller's numbers too, like a ZIP code */
            return buf_add_str(out, "\"[hidden]\"");
        return depth < DEPTH_MAX ? add_members(out, key, v, depth) : RD_EPROTO;
    case JSON_STRING:
        return add_text(out, key, v->raw);
    case JSON_NUMBER:
        return buf_add(out, v->raw.p, v->raw.n);
    case JSON_TRUE:
        return buf_add_str(out, "true");
    case JSON_FALSE:
        return buf_add_str(out, "false");
    case JSON_NULL:
        return buf_add_str(out, "null");
    case JSON_NONE:
        break;
    }
    return RD_EPROTO;
}

int mask_event(struct buf *out, struct rd_str json)
{
    struct json_value v;

    if (json_parse(json, &v) != 0 || v.type != JSON_OBJECT)
        return RD_EPROTO;
    return add_value(out, RD_STR(""), &v, 0);
}
