/* SPDX-License-Identifier: Apache-2.0 */
/* turn.h - how long a loop's turn took in which audio went on, or a caller cut in: from the first callback
 * after waiting to the end of the flush, so all that was read in it is written.
 *
 * Whoever moves a frame marks the turn: one store into the thread's own memory, and nothing else per
 * frame. The loop asks once, when the turn is over. Turns with audio are sampled, one in TURN_SAMPLE;
 * those in which a caller cut in are all counted. */
#ifndef OBSERVE_TURN_H
#define OBSERVE_TURN_H

#include <stdint.h>

enum turn_marks { TURN_AUDIO = 1, TURN_BARGE_IN = 2 };
enum { TURN_SAMPLE = 16 };

extern _Thread_local unsigned turn_marks_now;

static inline void turn_mark(enum turn_marks m)
{
    turn_marks_now |= (unsigned)m;
}

void turn_count(unsigned marks, uint64_t took_us);

/* The loop's turn is over, and this is how long it took. */
static inline void turn_over(uint64_t took_us)
{
    unsigned marks = turn_marks_now;

    if (marks == 0)
        return;
    turn_marks_now = 0;
    turn_count(marks, took_us);
}

#endif
