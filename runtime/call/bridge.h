/* SPDX-License-Identifier: Apache-2.0 */
/* bridge.h - caller audio on its way to the provider: nothing lost while the provider connects,
 * gaps filled with silence, passed through undecoded once it is ready. Loop thread only; no
 * allocation and no decoding per frame.
 *
 *   carrier ──span──▶ kept, the oldest dropped
 *               └──▶ provider ready? ──yes──▶ passed on as it is
 *
 * What no session has made words of yet is kept as it came, in pieces, so that the next one can be fed
 * with it: everything while there is no session or the caller speaks, else the last two seconds, because
 * speech is detected some time after it began. Places in it are counted in bytes of sound since the
 * call began. */
#ifndef CALL_BRIDGE_H
#define CALL_BRIDGE_H

#include "ports/audio.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    BRIDGE_PIECE = 216,         /* base64 characters: a frame of 20 ms; longer ones are cut */
    BRIDGE_KEEP = 768,          /* pieces, 15.4 s: no session, or the caller speaks */
    BRIDGE_RECENT = 100,        /* 2 s */
    BRIDGE_GAP_MAX_MS = 10000,  /* a longer jump of the carrier's clock is not filled */
    BRIDGE_STALL_MS = 750,      /* the caller was speaking and nothing comes any more… */
    BRIDGE_STALL_FILL_MS = 1000 /* …so silence does, or the end of speech is never detected */
};

/* Where the audio goes; -errno style results are ignored: a leg that is full ends by itself. */
typedef int(bridge_send_fn)(void *arg, const struct audio_span *a);

struct bridge_piece {
    uint16_t next, n_b64, n_bytes;
    char b64[BRIDGE_PIECE];
};

struct bridge {
    struct bridge_piece *pieces; /* owns; BRIDGE_KEEP of them, made with the call */
    uint16_t oldest, newest;     /* a chain of n pieces; what they are without one is not said */
    uint16_t n, limit;
    uint16_t spare, n_spare; /* a chain of those that were used; the last one is used again first */
    uint16_t n_touched;      /* the others never were: no memory yet */
    uint32_t n_kept;         /* bytes of sound in the chain */
    uint64_t end;            /* place behind the newest byte */
    uint64_t base;           /* place of the first byte that the session was fed with */
    bool ready;
    bool begun;        /* a first frame came: next_ms means something */
    uint32_t next_ms;  /* carrier time at which the next frame should begin */
    bool muted;        /* silence goes on in place of the caller's audio, at its pace */
    uint32_t ahead_ms; /* silence sent on suspicion, owed by the next gap */
    uint64_t frames, bytes, gap_ms, lost_bytes;
    bridge_send_fn *send;
    void *arg; /* borrows */
};

int bridge_init(struct bridge *b, bridge_send_fn *send, void *arg); /* -ENOMEM */
void bridge_fini(struct bridge *b);

/* One frame of the caller; at_ms is the carrier's presentation time. */
void bridge_feed(struct bridge *b, const struct audio_span *a, uint32_t at_ms);

/* From now on the provider hears silence in place of the caller, in the same rhythm; or the caller
 * again. */
void bridge_mute(struct bridge *b, bool on);

/* Nothing came for BRIDGE_STALL_MS although the caller was speaking: send silence in its place. */
void bridge_stalled(struct bridge *b);

/* A session takes audio from now on: hands over what is kept, in order. */
void bridge_ready(struct bridge *b);

/* It is gone: everything is kept for the next one. */
void bridge_lost(struct bridge *b);

/* The caller speaks: everything is kept; they do not: the last two seconds are enough. */
void bridge_keep_all(struct bridge *b);
void bridge_keep_recent(struct bridge *b);

/* The place of a position that the session counted. */
uint64_t bridge_place(const struct bridge *b, uint32_t session_ms);

/* There are words for what is before this place: no session need hear it again, but for what shares a
 * piece with what is behind it. */
void bridge_let_go(struct bridge *b, uint64_t place);

#endif
