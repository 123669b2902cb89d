/* SPDX-License-Identifier: Apache-2.0 */
/* g711.h - ITU-T G.711 µ-law to 16-bit linear PCM and back. Pure; any thread.
 * One byte is one sample at 8 kHz. Source: ITU-T G.711 (11/88) tables 2a and 2b, as in the reference
 * code of G.191. */
#ifndef MEDIA_G711_H
#define MEDIA_G711_H

#include <stddef.h>
#include <stdint.h>

enum { G711_ULAW_SILENCE = 0xFF, G711_RATE_HZ = 8000 };

void g711_ulaw_decode(int16_t *pcm, const uint8_t *in, size_t n);
void g711_ulaw_encode(uint8_t *out, const int16_t *pcm, size_t n);

#endif
