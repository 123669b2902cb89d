/* SPDX-License-Identifier: Apache-2.0 */
/* urgent.c - asks the scheduler for short slices: who has a shorter one than the thread that runs takes
 * the processor from it when it wakes up, instead of waiting for that one's slice (about 3 ms) to end.
 * Its share of the processor stays the same.
 *
 * That is not all: a thread that is still running when its slice is over loses the processor at the
 * scheduler's tick, and whoever has it then keeps it until the next one, 4 ms. So those who compute for
 * long give it back themselves, often. Yielding costs the rest of a slice: with the usual one it would
 * cost them nearly all of their share (measured: 0.5 % instead of 25 % beside three others), so they have
 * short slices, too (17 %), and where there are none they do not yield.
 *
 * All of it is relative to the niceness that whoever started us chose. */
#include "base/urgent.h"

#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
    URGENT_SLICE_NS = 100000, /* the shortest there is */
    BREATHING_SLICE_NS = 150000,
    MAX_NICE = 19
};

static _Thread_local bool breathes;
static int
    started_with; /* the niceness of the process, before any of its threads changed its own */

/* Linux's struct sched_attr, first version; our libc does not have it. */
struct scheduling {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime_ns, deadline_ns, period_ns;
};

/* False where the kernel took no notice: it then tells none, or another one. */
static bool ask_for_slices(uint64_t ns, int nice)
{
    struct scheduling s = {.size = sizeof(s), .nice = nice, .runtime_ns = ns};

    if (syscall(SYS_sched_setattr, 0, &s, 0))
        return false;
    s = (struct scheduling){.size = sizeof(s)};
    return !syscall(SYS_sched_getattr, 0, &s, sizeof(s), 0) && s.runtime_ns == ns;
}

static void look(void)
{
    started_with = getpriority(PRIO_PROCESS, 0);
}

static int nicer_by(int more)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    (void)pthread_once(&once, look);
    return started_with + more > MAX_NICE ? MAX_NICE : started_with + more;
}

static void be_nice(int nice)
{
    (void)setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), nice);
}

void patient_thread(void)
{
    be_nice(nicer_by(PATIENT_NICE));
}

void breathing_thread(void)
{
    be_nice(nicer_by(PATIENT_NICE));
    breathes = ask_for_slices(BREATHING_SLICE_NS, nicer_by(PATIENT_NICE));
}

void background_thread(void)
{
    be_nice(nicer_by(BACKGROUND_NICE));
    breathes = ask_for_slices(BREATHING_SLICE_NS, nicer_by(BACKGROUND_NICE));
}

void breathe(void)
{
    if (breathes)
        (void)sched_yield();
}

void urgent_thread(void)
{
    (void)ask_for_slices(URGENT_SLICE_NS, nicer_by(0));
}
