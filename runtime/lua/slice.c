/* SPDX-License-Identifier: Apache-2.0 */
/* slice.c - two clocks, of which one is dear.
 *
 * A thread's own time costs a system call, the wall's does not. But a thread computes no faster than
 * time passes: after a look, what is left of the slice must pass on the wall before a next one can find
 * it used up. Most entries end before the first. */
#include "lua/slice.h"

#include "base/now.h"

static uint64_t wall_us(void *arg)
{
    (void)arg;
    return monotonic_us();
}

static uint64_t cpu_us(void *arg)
{
    (void)arg;
    return now_of(CLOCK_THREAD_CPUTIME_ID);
}

const struct vm_time slice_time = {.wall_us = wall_us, .cpu_us = cpu_us};

void slice_begin(struct slice *s, const struct slice_used *before)
{
    uint64_t wall = s->time->wall_us(s->time->arg);
    struct slice_used used = before ? *before : (struct slice_used){0};

    s->began = (struct slice_used){.cpu_us = s->time->cpu_us(s->time->arg) - used.cpu_us,
                                   .wall_us = wall - used.wall_us};
    s->look_us = wall + (s->max.cpu_us > used.cpu_us ? s->max.cpu_us - used.cpu_us : 0);
}

const char *slice_over(struct slice *s, uint64_t now_us)
{
    uint64_t cpu;

    if (!s->max.cpu_us || now_us < s->look_us)
        return NULL;
    cpu = s->time->cpu_us(s->time->arg) - s->began.cpu_us;
    if (cpu >= s->max.cpu_us)
        return "time";
    if (now_us - s->began.wall_us >= s->max.wall_us)
        return "time on the clock, on a machine with too much to do";
    s->look_us = now_us + s->max.cpu_us - cpu;
    return NULL;
}

struct slice_used slice_end(const struct slice *s)
{
    return (struct slice_used){.cpu_us = s->time->cpu_us(s->time->arg) - s->began.cpu_us,
                               .wall_us = s->time->wall_us(s->time->arg) - s->began.wall_us};
}
