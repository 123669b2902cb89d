/* SPDX-License-Identifier: Apache-2.0 */
/* limits.c - [{"name":"tokens","limit":40000,"remaining":31250,"reset_seconds":13.1},…] as numbers.
 *
 * Failure modes: what is no number counts as 0, more left than there is as all of it, a reset in the
 * past as now, one beyond an hour as an hour; names nobody knows, and whatever follows the eighth
 * entry, are not looked at. */
#include "providers/openai/limits.h"

enum { ENTRIES = 8, RESET_MAX_S = 3600 };
static const uint64_t tokens_max = (uint64_t)1 << 40;

static uint64_t number_in(const struct json_value *object, const char *key)
{
    struct json_value v = json_get(object, key);
    uint64_t n = 0;

    if (v.type != JSON_NUMBER || !json_u64(&v, &n))
        return 0;
    return n < tokens_max ? n : tokens_max;
}

static uint32_t reset_ms_in(const struct json_value *object)
{
    struct json_value v = json_get(object, "reset_seconds");
    double s = 0;

    if (v.type != JSON_NUMBER || !json_double(&v, &s) || !(s > 0))
        return 0;
    return s < RESET_MAX_S ? (uint32_t)(s * 1000 + 0.5) : RESET_MAX_S * 1000u;
}

static struct provider_limit limit_of(const struct json_value *entry)
{
    struct provider_limit l = {.limit = number_in(entry, "limit"),
                               .remaining = number_in(entry, "remaining"),
                               .reset_ms = reset_ms_in(entry)};

    if (l.remaining > l.limit)
        l.remaining = l.limit;
    return l;
}

bool limits_read(struct provider_limits *out, const struct json_value *rate_limits)
{
    struct json_value entry, name;
    struct json_iter it;
    struct rd_str key;

    *out = (struct provider_limits){0};
    if (rate_limits->type != JSON_ARRAY)
        return false;
    json_iter_init(&it, rate_limits);
    for (int i = 0; i < ENTRIES && json_next(&it, &key, &entry); i++) {
        if (entry.type != JSON_OBJECT)
            continue;
        name = json_get(&entry, "name");
        if (json_is(&name, "requests"))
            out->requests = limit_of(&entry);
        else if (json_is(&name, "tokens"))
            out->tokens = limit_of(&entry);
    }
    return out->requests.limit > 0 || out->tokens.limit > 0;
}

bool limits_is_code(struct rd_str code)
{
    return rd_str_eq(code, RD_STR("rate_limit_exceeded")) ||
           rd_str_eq(code, RD_STR("inference_rate_limit_exceeded"));
}
