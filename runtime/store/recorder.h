/* SPDX-License-Identifier: Apache-2.0 */
/* recorder.h - keeps calls as they sounded, one thread for all of them.
 *
 *   media thread ──tap──▶ ring of the call (fixed, lock-free) ──▶ recorder thread: media/track.h
 *                                                                    ──▶ store/recording_file.h
 *
 * A media thread never waits: per frame one copy into the ring, no allocation, no system call. What
 * does not fit is counted and becomes silence of the same length in the file.
 *
 * Failure modes, each told in the fact and, where somebody must act, by an alarm
 * - all recordings together reach max_bytes, or the disk has less than min_free_bytes: nothing is
 *   deleted; new ones are refused ("failed", "disk_cap" or "disk_low"), running ones end there
 *   ("cut").
 * - the disk refuses: what was written is kept, the file ends there ("cut", "disk_error").
 * - a crash: the file stays as .part; the next start mends it and tells it ("cut", "crash"). */
#ifndef STORE_RECORDER_H
#define STORE_RECORDER_H

#include "ports/clock.h"
#include "ports/records.h"
#include "ports/tap.h"

#include <stddef.h>
#include <stdint.h>

struct recorder;
struct recording;

/* Once per recording, on the recorder thread, when its file is closed. `owner` is what
 * recording_new() was given, for the receiver to free; NULL for what a crash left: then `sid` is all
 * that is known of the call. */
typedef void(recording_done_fn)(void *arg, void *owner, const char *sid,
                                const struct recording_fact *fact);

struct recorder_opts {
    const char *data;        /* the data folder; copied */
    uint64_t max_bytes;      /* of all recordings together */
    uint64_t min_free_bytes; /* stop when the disk has less; 0: RECORDER_MIN_FREE */
    recording_done_fn *done;
    void *arg;
};

#define RECORDER_MIN_FREE (UINT64_C(1) << 30)

/* Starts the thread, which first mends what a crash left. */
int recorder_start(struct recorder **out, const struct recorder_opts *o);

/* Closes every file, joins the thread. No tap may be used any more. NULL is fine. */
void recorder_stop(struct recorder *r);

/* A recording that waits for its tap's begin. -ENOMEM: `owner` stays the caller's. */
int recording_new(struct recording **out, struct recorder *r, const char *sid,
                  const struct clock *clock, void *owner);

/* Where the call core tells the sound; valid until recording_end(). */
const struct call_tap *recording_tap(struct recording *rec);

/* The call ended at that time (of its clock): what the caller had not heard by then is not part of
 * it. Gives `rec` away, its tap included. */
void recording_end(struct recording *rec, uint64_t over_us);

#endif
