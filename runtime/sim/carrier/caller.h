/* SPDX-License-Identifier: Apache-2.0 */
/* caller.h - the person on the line: listens to the agent and does the steps of a scenario. Pure:
 * told every 20 ms what can be heard, answers with 20 ms of speech. */
#ifndef SIM_CARRIER_CALLER_H
#define SIM_CARRIER_CALLER_H

#include "sim/scenario.h"
#include "sim/speech/sound.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    CALLER_FRAME = 160, /* samples of 20 ms */
    CALLER_FRAME_MS = 20,
    CALLER_PATIENCE_MS = 700, /* quiet for this long means that the agent has finished */
    CALLER_DIGIT_MS = 240     /* from one key to the next */
};

struct caller;

enum caller_event_kind {
    CALLER_SAYS,     /* begins to speak: text */
    CALLER_SAID,     /* has finished */
    CALLER_DIGIT,    /* presses digit */
    CALLER_LOST,     /* the network loses the stream, without a word */
    CALLER_STOPPED,  /* the network ends the stream */
    CALLER_HANGS_UP, /* its scenario says so */
    CALLER_GIVES_UP  /* max_ms passed */
};

struct caller_event {
    enum caller_event_kind kind;
    const char *text;
    char digit;
};
typedef void(caller_event_fn)(const struct caller_event *e, void *arg);

/* `sounds`: one per step, borrowed like the scenario; empty for steps without speech. */
int caller_new(struct caller **out, const struct scenario *s, const struct sound *sounds,
               caller_event_fn *on_event, void *arg);
void caller_free(struct caller *c);

/* 20 ms pass. `audible`: agent audio is heard in them; `pending`: more waits to be heard. Writes
 * what the caller says (silence is zeros); true when that is speech. */
bool caller_tick(struct caller *c, bool audible, bool pending, int16_t frame[CALLER_FRAME]);

#endif
