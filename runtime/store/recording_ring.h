/* SPDX-License-Identifier: Apache-2.0 */
/* recording_ring.h - the way of a call's sound from its media thread to the recorder thread: a fixed
 * ring of bytes with one writer and one reader, no lock, no system call.
 *
 * Each entry is a head and the base64 text as it came. What does not fit is not waited for: the next
 * entry that fits says how much agent audio is missing before it, and carries the state of the
 * pause and whether a clear went by, so that neither can be lost with an entry. */
#ifndef STORE_RECORDING_RING_H
#define STORE_RECORDING_RING_H

#include "ports/audio.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RING_BYTES = 1 << 18 }; /* 24 s of one side, as base64 text */

enum ring_kind { RING_STATE, RING_CALLER, RING_AGENT };

struct ring_entry {
    uint64_t now_us;
    uint32_t kind;  /* enum ring_kind; of RING_STATE only the flags matter */
    uint32_t at_ms; /* RING_CALLER: the carrier's clock */
    uint32_t n_b64, n_bytes;
    uint32_t missing; /* bytes of agent audio that did not fit before this */
    bool paused, cleared;
};

struct ring {
    _Atomic size_t written, read; /* bytes since the beginning */
    _Atomic uint64_t lost_caller; /* bytes of sound */

    /* The writer's own. */
    uint32_t missing;
    bool paused, cleared;

    char bytes[RING_BYTES];
};

/* Writer. Entries of RING_STATE have no sound. */
void ring_sound(struct ring *r, enum ring_kind kind, uint64_t now_us, uint32_t at_ms,
                const struct audio_span *a);
void ring_cleared(struct ring *r, uint64_t now_us);
void ring_paused(struct ring *r, uint64_t now_us, bool on);

/* Reader: the next entry and its text (room for RING_BYTES). False: empty. */
bool ring_next(struct ring *r, struct ring_entry *e, char *b64);

#endif
