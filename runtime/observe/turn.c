/* SPDX-License-Identifier: Apache-2.0 */
/* turn.c - the marks of this thread's turn, and which of its turns with audio are counted. */
#include "observe/turn.h"

#include "observe/metrics.h"

_Thread_local unsigned turn_marks_now;

void turn_count(unsigned marks, uint64_t took_us)
{
    static _Thread_local unsigned turns;

    if (marks & TURN_AUDIO && turns++ % TURN_SAMPLE == 0)
        metric_observe(H_FRAME_DELAY_US, took_us);
    if (marks & TURN_BARGE_IN)
        metric_observe(H_BARGE_IN_US, took_us);
}
