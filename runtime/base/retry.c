/* SPDX-License-Identifier: Apache-2.0 */
/* retry.c - doubling delays with jitter, and what a peer says about them; see retry.h. */
#include "base/retry.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { AFTER_MAX_MS = 3600000, AFTER_CHARS = 64 };

void retry_init(struct retry *r, const struct retry_policy *p, uint64_t now_ms)
{
    *r = (struct retry){.policy = p, .began_ms = now_ms};
}

static uint32_t doubled(const struct retry_policy *p, uint32_t failures)
{
    uint64_t delay = p->first_ms;

    for (uint32_t i = 1; i < failures && delay < p->max_ms; i++)
        delay *= 2;
    return delay < p->max_ms ? (uint32_t)delay : p->max_ms;
}

int64_t retry_failed(struct retry *r, uint64_t now_ms, uint32_t after_ms, uint32_t random)
{
    const struct retry_policy *p = r->policy;
    uint32_t whole, delay;

    r->failures++;
    if (p->attempts && r->failures >= p->attempts)
        return -1;
    whole = doubled(p, r->failures);
    delay = whole - (uint32_t)((uint64_t)(whole / 2) * random / UINT32_MAX);
    if (delay < after_ms)
        delay = after_ms;
    if (p->budget_ms && now_ms + delay > r->began_ms + p->budget_ms)
        return -1;
    return delay;
}

void retry_worked(struct retry *r, uint64_t now_ms)
{
    r->failures = 0;
    r->began_ms = now_ms;
}

static uint32_t bounded(int64_t ms)
{
    if (ms <= 0)
        return 0;
    return ms < AFTER_MAX_MS ? (uint32_t)ms : AFTER_MAX_MS;
}

static bool all_digits(const char *z)
{
    return *z && strspn(z, "0123456789") == strlen(z);
}

uint32_t retry_after_ms(struct rd_str value, int64_t now_unix_ms)
{
    static const char *const formats[] = {"%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT",
                                          "%a %b %d %H:%M:%S %Y"};
    char text[AFTER_CHARS];

    if (!rd_str_copy(text, sizeof(text), value))
        return 0;
    if (all_digits(text))
        return strlen(text) > 6 ? AFTER_MAX_MS : bounded(strtol(text, NULL, 10) * 1000);
    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
        struct tm tm = {0};
        const char *end = strptime(text, formats[i], &tm);

        if (end && !*end)
            return bounded((int64_t)timegm(&tm) * 1000 - now_unix_ms);
    }
    return 0;
}
