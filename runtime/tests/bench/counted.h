/* SPDX-License-Identifier: Apache-2.0 */
/* counted.h - which part of a program callgrind counts (scripts/instructions runs it): what runs inside of a
 * function whose name begins with count_, in phases that become dumps with a name. Without valgrind's
 * header, or outside of valgrind, the phases just run. */
#ifndef TESTS_BENCH_COUNTED_H
#define TESTS_BENCH_COUNTED_H

#include <stdio.h>

#if __has_include(<valgrind/callgrind.h>)
#include <valgrind/callgrind.h>
#else
#define CALLGRIND_ZERO_STATS
#define CALLGRIND_DUMP_STATS_AT(name) (void)(name)
#endif

#define COUNTED __attribute__((noinline))

static inline void phase_begins(void)
{
    CALLGRIND_ZERO_STATS;
}

static inline void phase_ends(const char *name, unsigned times)
{
    CALLGRIND_DUMP_STATS_AT(name);
    printf("%s %u\n", name, times);
}

#endif
