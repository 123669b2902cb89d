/* SPDX-License-Identifier: Apache-2.0 */
/* resample.h - mono 16-bit PCM from 8 kHz to 24 kHz and back: exactly three samples for one. Flat up
 * to 3.4 kHz, what a telephone carries; 59 dB down from 4.6 kHz on. The state is all that is needed
 * of what came before, so any cutting of the input gives the same output. Nothing is allocated. Pure;
 * one state per direction and stream, one thread at a time. */
#ifndef MEDIA_RESAMPLE_H
#define MEDIA_RESAMPLE_H

#include <stddef.h>
#include <stdint.h>

enum {
    RESAMPLE_RATIO = 3,
    RESAMPLE_PHASE = 24,                             /* taps for one sample of the higher rate */
    RESAMPLE_TAPS = RESAMPLE_RATIO * RESAMPLE_PHASE, /* and for one of the lower */
    RESAMPLE_DELAY = RESAMPLE_TAPS / 2,              /* samples of 24 kHz: 1.5 ms */
    RESAMPLE_STEP = 160,                             /* 20 ms at 8 kHz are worked on at once */
    RESAMPLE_TAIL = RESAMPLE_DELAY / RESAMPLE_RATIO  /* at most, from resample_down_end() */
};

/* A stream that never ends: what comes out is 1.5 ms late. */
struct resample_up {
    int16_t line[RESAMPLE_PHASE - 1 + RESAMPLE_STEP];
};

/* A stream with an end: what comes out is not late, and in the end a third of what went in. */
struct resample_down {
    int16_t line[RESAMPLE_TAPS - 1 + RESAMPLE_RATIO * RESAMPLE_STEP];
    size_t n; /* samples in it */
};

void resample_up_init(struct resample_up *u);
void resample_up(struct resample_up *u, int16_t *out, const int16_t *in,
                 size_t n); /* 3 n come out */

void resample_down_init(struct resample_down *d);

/* Returns how many came out: at most (n + 2) / 3. */
size_t resample_down(struct resample_down *d, int16_t *out, const int16_t *in, size_t n);

/* The input is over: what is still in the filter, at most RESAMPLE_TAIL. Then as after _init(). */
size_t resample_down_end(struct resample_down *d, int16_t *out);

#endif
