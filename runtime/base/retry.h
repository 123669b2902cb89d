/* SPDX-License-Identifier: Apache-2.0 */
/* retry.h - when to try again, and when not any more. One policy for everything that leaves this
 * machine, in C here and in Lua through ringdown.retry. Pure: time and random bits come from
 * outside. Any thread. */
#ifndef BASE_RETRY_H
#define BASE_RETRY_H

#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

struct retry_policy {
    uint32_t first_ms;  /* before the second attempt */
    uint32_t max_ms;    /* the delay doubles up to this */
    uint32_t attempts;  /* all in all; 0: without end */
    uint32_t budget_ms; /* no attempt begins later than this after the first; 0: without end */
};

struct retry {
    const struct retry_policy *policy; /* borrows */
    uint64_t began_ms;
    uint32_t failures;
};

void retry_init(struct retry *r, const struct retry_policy *p, uint64_t now_ms);

/* An attempt failed: ms until the next one, or -1: give up. The delay is drawn from its upper half
 * (so that a thousand callers do not come back together); `after_ms` is what the peer asked for
 * (Retry-After; 0: nothing) and is honoured whole. */
int64_t retry_failed(struct retry *r, uint64_t now_ms, uint32_t after_ms, uint32_t random);

/* It worked: the next failure is a first one. */
void retry_worked(struct retry *r, uint64_t now_ms);

/* Of a Retry-After header: ms to wait, from seconds or an HTTP date; 0 when it says nothing one can
 * use. Never more than an hour. */
uint32_t retry_after_ms(struct rd_str value, int64_t now_unix_ms);

#endif
