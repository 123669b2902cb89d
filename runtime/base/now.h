/* SPDX-License-Identifier: Apache-2.0 */
/* now.h - what time it is. The wall clock is for what is written down: it may jump. What waits or
 * measures asks the monotonic one; where tests own the time, ports/clock.h. Any thread. */
#ifndef BASE_NOW_H
#define BASE_NOW_H

#include <stdint.h>
#include <time.h>

static inline uint64_t now_of(clockid_t which)
{
    struct timespec t;

    (void)clock_gettime(which, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static inline uint64_t unix_us(void)
{
    return now_of(CLOCK_REALTIME);
}

static inline int64_t unix_ms(void)
{
    return (int64_t)(unix_us() / 1000);
}

static inline uint64_t monotonic_us(void)
{
    return now_of(CLOCK_MONOTONIC);
}

static inline uint64_t monotonic_ms(void)
{
    return monotonic_us() / 1000;
}

#endif
