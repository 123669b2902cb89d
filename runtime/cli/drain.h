/* SPDX-License-Identifier: Apache-2.0 */
/* drain.h - when what happens to the last calls of a process that leaves. Pure: the time is told.
 *
 *   calls are kept ──▶ drain_seconds are over: handed on ──▶ a minute later: those that somebody's
 *        │             life may hang on, too ──▶ 8 s later: the end, whatever is left
 *        └── none is left: the end, as soon as nobody can come to us any more */
#ifndef CLI_DRAIN_H
#define CLI_DRAIN_H

#include <stdbool.h>
#include <stdint.h>

enum {
    DRAIN_SETTLE_MS = 3000, /* what had come through the door, or asks how a call goes on */
    DRAIN_QUIET_MS = 2000,  /* after the last call: Twilio asks what follows its stream */
    DRAIN_END_MS = 8000,    /* a call that was handed on is over by then */
    DRAIN_LIFE_MS = 60000   /* more for a call that somebody's life may hang on */
};

enum drain_step { DRAIN_WAIT, DRAIN_HAND_ON, DRAIN_HAND_ON_ALL, DRAIN_END };

/* What is left of the process's work. */
struct drain_left {
    unsigned calls;
    unsigned busy;  /* calls, and whatever else is not over */
    unsigned peers; /* processes before us that hear of their calls through us */
};

struct drain {
    bool given; /* another process accepts in our place */
    enum drain_step last;
    uint64_t over_ms; /* calls are handed on */
    uint64_t earliest_ms, life_ms, end_ms;
};

/* All zero: a process that serves. */
void drain_begin(struct drain *d, uint64_t now_ms, unsigned seconds);

/* Another process accepts from now on, whether we drain already or not yet. */
void drain_given(struct drain *d, uint64_t now_ms);

/* What is to be done now. Each handing on once; after DRAIN_END nothing is asked. */
enum drain_step drain_look(struct drain *d, uint64_t now_ms, struct drain_left left);

#endif
