/* SPDX-License-Identifier: Apache-2.0 */
/* clock.h - monotonic time from outside, so that tests can own it. */
#ifndef PORTS_CLOCK_H
#define PORTS_CLOCK_H

#include <stdint.h>

struct clock {
    uint64_t (*now_us)(void *arg);
    void *arg;
};

static inline uint64_t clock_us(const struct clock *c)
{
    return c->now_us(c->arg);
}

static inline uint64_t clock_ms(const struct clock *c)
{
    return c->now_us(c->arg) / 1000;
}

#endif
