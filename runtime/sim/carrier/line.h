/* SPDX-License-Identifier: Apache-2.0 */
/* line.h - the sound of one call: the caller's mouth, the caller's ear, and what a recorder
 * on the wire would have kept. Pure: ticked every 20 ms. */
#ifndef SIM_CARRIER_LINE_H
#define SIM_CARRIER_LINE_H

#include "sim/carrier/caller.h"
#include "sim/carrier/playout.h"

struct line;

struct line_events {
    caller_event_fn *on_caller;
    playout_mark_fn *on_mark;
    /* The agent began to be heard, or has been quiet for a while (ms: how long it was heard). */
    void (*on_agent)(bool speaking, uint32_t ms, void *arg);
};

int line_new(struct line **out, const struct scenario *s, const struct sound *sounds,
             const struct line_events *events, void *arg);
void line_free(struct line *l);

/* Audio and marks of a stream: see carrier_playout.h. */
int line_audio(struct line *l, const uint8_t *ulaw, size_t n);
int line_mark(struct line *l, const char *name);
bool line_clear(struct line *l); /* true: something was still to be heard */
void line_reset(struct line *l);

/* The network's own voice. */
int line_say(struct line *l, const struct sound *s);
bool line_quiet(const struct line *l); /* nothing is left to be heard */

/* 20 ms pass; the caller's µ-law. */
void line_tick(struct line *l, uint8_t frame[PLAYOUT_FRAME]);

uint32_t line_ms(const struct line *l); /* ticked so far */
uint64_t line_played_ms(const struct line *l);
uint64_t line_cleared_ms(const struct line *l);

/* Both sides since the beginning; the caller owns them. Empty after an out of memory. */
void line_take(struct line *l, struct sound *caller, struct sound *agent);

#endif
