/* SPDX-License-Identifier: Apache-2.0 */
/* track.h - a call as it sounded: the caller on the left where the carrier's clock put each frame,
 * the agent on the right as the carrier played it. Pure: time comes from outside, in ms since the
 * recording began. One thread at a time.
 *
 *   caller ──at its timestamp──▶ left   ┐
 *                                       ├─▶ take(until) ─▶ interleaved µ-law, L R L R …
 *   agent ──behind what plays──▶ right  ┘
 *                 cleared: what was to play from now on is gone
 *
 * What nobody fills is silence. Only what lies between `taken` and the end of the agent's audio is
 * in memory: usually seconds, at most TRACK_AHEAD_MS. */
#ifndef MEDIA_TRACK_H
#define MEDIA_TRACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    TRACK_SAMPLES_PER_MS = 8,
    TRACK_AHEAD_MS = 600 * 1000, /* audio further ahead than this is dropped */
    TRACK_DRIFT_MS = 10 * 1000   /* a carrier clock further off than this is not believed */
};

struct track {
    uint8_t *window; /* owns; interleaved samples from `taken` on */
    size_t capacity; /* in sample pairs */
    uint64_t taken;  /* sample pairs given out; all positions are absolute */
    uint64_t filled; /* in the window silence is written up to here */
    uint64_t played; /* where the agent's next audio begins to sound, if that is not in the past */
    int64_t offset;  /* from the carrier's clock to ours, in samples */
    bool synced;     /* a first frame told the offset */
    bool paused;
    uint64_t pause_from;
    uint64_t paused_samples; /* of pauses that are over */
    uint64_t lost_samples;   /* audio there was no memory or no room for */
};

void track_init(struct track *t);
void track_fini(struct track *t);

/* A frame of the caller that came at now_ms; at_ms is the carrier's clock. */
void track_caller(struct track *t, uint64_t now_ms, uint32_t at_ms, const uint8_t *ulaw, size_t n);

/* Agent audio handed to the carrier at now_ms: plays at once, or behind what still plays. */
void track_agent(struct track *t, uint64_t now_ms, const uint8_t *ulaw, size_t n);

/* Agent audio of that length was handed over, but is not known: it plays as silence. */
void track_agent_lost(struct track *t, uint64_t now_ms, size_t n);

/* The carrier forgot what it had not yet played. */
void track_cleared(struct track *t, uint64_t now_ms);

/* Silence on both sides from now on; again with false: until now. */
void track_pause(struct track *t, uint64_t now_ms, bool on);

/* What sounded before until_ms and was not taken yet, as at most `pairs` pairs of bytes in `out`
 * (room for 2 * pairs). Returns how many pairs. Nothing can be changed afterwards in what was
 * taken: stay behind the present by more than a frame can be late. */
size_t track_take(struct track *t, uint64_t until_ms, uint8_t *out, size_t pairs);

uint32_t track_paused_ms(const struct track *t, uint64_t now_ms);

#endif
