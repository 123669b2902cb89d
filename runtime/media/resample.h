/* SPDX-License-Identifier: Apache-2.0 */
/* resample.h - mono 16-bit PCM between 8, 16 and 24 kHz (speexdsp, quality 3: 3 ms delay, 2 to 5 µs
 * per 20 ms). One per direction and call; not thread-safe. */
#ifndef MEDIA_RESAMPLE_H
#define MEDIA_RESAMPLE_H

#include <stddef.h>
#include <stdint.h>

struct resample;

/* -EINVAL for a rate other than 8000, 16000, 24000 Hz; -ENOMEM. Equal rates copy. */
int resample_new(struct resample **out, uint32_t from_hz, uint32_t to_hz);
void resample_free(struct resample *r);

/* Samples that resample_feed() may write for n samples of input. */
size_t resample_max_out(const struct resample *r, size_t n);

/* Takes all n samples; returns how many were written (ratio exact over time, +-1 per call). */
size_t resample_feed(struct resample *r, int16_t *out, size_t cap, const int16_t *in, size_t n);
void resample_reset(struct resample *r);

#endif
