/* SPDX-License-Identifier: Apache-2.0 */
/* playout.h - what the caller's ear gets, in real time: received audio waits in a queue,
 * one 20 ms frame leaves it per tick, and a mark comes back once all audio before it was heard.
 * Pure: whoever owns it ticks it every 20 ms of real or of virtual time. */
#ifndef SIM_CARRIER_PLAYOUT_H
#define SIM_CARRIER_PLAYOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    PLAYOUT_FRAME = 160,          /* 20 ms of 8 kHz µ-law */
    PLAYOUT_MAX = 10 * 60 * 8000, /* Twilio buffers ten minutes, then error 31931 */
    PLAYOUT_MARKS_MAX = 65536
};

struct playout;

/* A mark comes back. Called from playout_mark(), playout_clear() and playout_tick(). */
typedef void(playout_mark_fn)(const char *name, void *arg);

int playout_new(struct playout **out, playout_mark_fn *on_mark, void *arg);
void playout_free(struct playout *p);

/* Queues µ-law. RD_EFULL: above ten minutes, nothing was taken; -ENOMEM. */
int playout_audio(struct playout *p, const uint8_t *ulaw, size_t n);

/* Echoed at once when nothing is queued or being heard. RD_EFULL, -ENOMEM. */
int playout_mark(struct playout *p, const char *name);

/* Drops what was not heard yet and echoes every outstanding mark, in order. The frame that is being
 * heard at this moment still counts as played. Returns the bytes thrown away. */
size_t playout_clear(struct playout *p);

/* Forgets audio and marks without echoes: the stream is gone. */
void playout_reset(struct playout *p);

/* 20 ms pass: the frame of the tick before has been heard, the next one starts. `frame` gets it,
 * filled up with silence. Returns how many bytes of it are agent audio. */
size_t playout_tick(struct playout *p, uint8_t frame[PLAYOUT_FRAME]);

bool playout_idle(const struct playout *p);        /* nothing queued, nothing being heard */
uint64_t playout_played(const struct playout *p);  /* bytes heard to the end */
uint64_t playout_cleared(const struct playout *p); /* bytes dropped by clears */

#endif
