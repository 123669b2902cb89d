/* SPDX-License-Identifier: Apache-2.0 */
/* tap.h - both sides of a call as they sound, for whoever keeps them (a recorder). Told by the call
 * core on the call's media thread, once per frame: no lock, no allocation, no disk behind it.
 *
 *   agent, cleared … begin ──▶ caller, agent, cleared … ──▶ pause(true) ──▶ agent, cleared …
 *       ──▶ pause(false) ──▶ caller, agent, cleared …
 *
 * begin comes once, when the notice was heard whole (with the conversation where none is owed). The
 * caller is told neither before it nor while paused; the agent always, because what is sent then may
 * still play when it is to be kept: whoever keeps it drops what sounded before and meanwhile.
 * Nothing tells the end: the call's owner knows when it is over. */
#ifndef PORTS_TAP_H
#define PORTS_TAP_H

#include "ports/audio.h"

#include <stdbool.h>
#include <stdint.h>

struct call_tap {
    /* From here on the call may be kept. at_ms counts from the start of the stream. */
    void (*begin)(void *arg, uint32_t at_ms);

    /* A frame of the caller; at_ms is the carrier's presentation time: a jump beyond the end of the
     * frame before it is a gap. Borrowed for the call. */
    void (*caller)(void *arg, uint32_t at_ms, const struct audio_span *a);

    /* Agent audio as it was handed to the carrier, which plays it behind what it has already:
     * usually faster than it sounds. */
    void (*agent)(void *arg, const struct audio_span *a);

    /* What the carrier had not yet played is gone: the caller cut in. */
    void (*cleared)(void *arg);

    /* The caller says what must not be kept (card data): on, and off again. */
    void (*pause)(void *arg, bool on);

    void *arg;
};

#endif
