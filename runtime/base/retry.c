/* SPDX-License-Identifier: Apache-2.0 */
/* retry.c - doubling delays with jitter; see retry.h. */
#include "base/retry.h"

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
