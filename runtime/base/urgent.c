/* SPDX-License-Identifier: Apache-2.0 */
/* urgent.c - asks the scheduler for short slices: who has a shorter one than the thread that runs takes
 * the processor from it when it wakes up, instead of waiting for that one's slice (about 3 ms) to end.
 * Its share of the processor stays the same. */
#include "base/urgent.h"

#include <stdint.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { SLICE_NS = 100000 }; /* the shortest there is */

/* Linux's struct sched_attr, first version; our libc does not have it. */
struct scheduling {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime_ns, deadline_ns, period_ns;
};

void patient_thread(void)
{
    (void)setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), PATIENT_NICE);
}

void urgent_thread(void)
{
    struct scheduling s = {.size = sizeof(s), .runtime_ns = SLICE_NS};

    (void)syscall(SYS_sched_setattr, 0, &s, 0);
}
