/* SPDX-License-Identifier: Apache-2.0 */
/* carrier.h - the shape of a carrier leg: a telephone network that streams one call's audio to us
 * and plays ours. All functions and events on the leg's media thread.
 *
 * Layers talk down by function (carrier_ops) and up by event (carrier_events). An event may call
 * back into the ops, except that after on_end nothing may be called and no event follows. */
#ifndef PORTS_CARRIER_H
#define PORTS_CARRIER_H

#include "base/str.h"
#include "ports/audio.h"

#include <stdint.h>

struct carrier_leg;

/* A point in the audio we sent, echoed by the carrier once everything before it was played.
 * `generation` grows with each clear, because a clear echoes all pending marks at once. */
struct carrier_mark {
    uint32_t generation;
    uint32_t item;  /* ledger's number of the provider item */
    uint32_t bytes; /* of that item, sent before this mark */
};

enum leg_end {
    LEG_CLOSED_BY_US,
    LEG_CLOSED_BY_PEER, /* an orderly end: Twilio's stop, a close frame */
    LEG_LOST,           /* the connection broke or timed out */
    LEG_REFUSED,        /* the peer refused us: credentials, model, quota */
    LEG_PROTOCOL,       /* the peer broke the protocol beyond repair */
};

struct carrier_start {
    struct rd_str call_sid;
    struct rd_str stream_sid;
};

struct carrier_events {
    void (*on_start)(void *arg, const struct carrier_start *s);
    /* at_ms: the carrier's presentation time; a jump beyond the previous frame's end is a gap. */
    void (*on_audio)(void *arg, const struct audio_span *a, uint32_t at_ms);
    void (*on_mark)(void *arg, const struct carrier_mark *m);
    void (*on_dtmf)(void *arg, char digit);
    void (*on_end)(void *arg, enum leg_end why); /* once, last; the leg is freed afterwards */
};

struct carrier_ops {
    const char *name;
    uint32_t formats; /* audio_format bits it can play */
    /* 0, or RD_EFULL when the bounded output is full (the leg then ends by itself: LEG_LOST). */
    int (*audio)(struct carrier_leg *leg, const struct audio_span *a);
    int (*mark)(struct carrier_leg *leg, const struct carrier_mark *m);
    int (*clear)(struct carrier_leg *leg);  /* overtakes nothing already handed to the kernel */
    void (*close)(struct carrier_leg *leg); /* orderly; on_end follows, at most 2 s later */
    void (*abort)(struct carrier_leg *leg); /* whatever it waits for: on_end follows at once */
};

#endif
