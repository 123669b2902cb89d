/* SPDX-License-Identifier: Apache-2.0 */
/* audio.h - sound as it crosses a port: base64 text inside somebody's receive buffer, spliced from
 * one JSON frame into the next without being decoded. */
#ifndef PORTS_AUDIO_H
#define PORTS_AUDIO_H

#include <stddef.h>
#include <stdint.h>

enum audio_format { AUDIO_PCMU = 1 << 0, AUDIO_PCMA = 1 << 1, AUDIO_PCM16_24K = 1 << 2 };

/* Borrowed; valid during the call that passes it. `b64` is well-formed (base64_check() passed). */
struct audio_span {
    const char *b64;
    size_t n_b64;
    uint32_t n_bytes; /* decoded; for G.711 8 bytes are 1 ms */
};

#define AUDIO_BYTES_PER_MS 8u /* G.711 at 8 kHz, the format of every telephone leg */

#endif
