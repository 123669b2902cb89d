/* SPDX-License-Identifier: Apache-2.0 */
/* recorder_private.h - one recording as the recorder's files share it: recorder.c (the thread),
 * recording.c (one call, from its tap to its file). For store/recorder*.c and recording.c only. */
#ifndef STORE_RECORDER_PRIVATE_H
#define STORE_RECORDER_PRIVATE_H

#include "media/track.h"
#include "store/recorder.h"
#include "store/recording_file.h"
#include "store/recording_ring.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

enum {
    BLOCK_PAIRS = 8000, /* written at once: a second */
    DATA_FOLDER = 3072
};

struct recording {
    struct recording *next;
    struct recorder *recorder; /* borrows */
    struct call_tap tap;
    const struct clock *clock; /* borrows */
    void *owner;               /* owns until it is given back with the fact */
    char sid[RECORDING_SID];
    uint64_t epoch_us;
    uint64_t born_us; /* monotonic; the track counts from here */

    /* From the media thread. */
    _Atomic uint64_t begun_us; /* monotonic; 0: the notice was not heard yet */
    _Atomic uint64_t over_us;  /* 0: the call goes on */
    struct ring ring;

    /* Recorder thread. */
    struct track track;
    int fd; /* -1: no file (yet, or any more) */
    bool opened;
    char path[RECORDING_PATH];
    uint64_t sound_bytes;
    uint64_t heard_ms; /* since born: of the last entry */
    const char *state, *why;
};

struct recorder {
    char data[DATA_FOLDER];
    struct recorder_opts o;
    uint64_t bytes; /* of all recordings; the thread's own. Counted anew at the cap */
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    struct recording *fresh; /* under the lock */
    bool stopping;           /* under the lock */

    /* Recorder thread. */
    struct recording *active;
    char b64[RING_BYTES];
    uint8_t ulaw[RING_BYTES / 4 * 3];
    uint8_t block[2 * BLOCK_PAIRS];
};

/* Media thread, once: hands a new recording to the thread. */
void recorder_add(struct recorder *r, struct recording *rec);

/* Recorder thread: what came since the last time; the end, after which rec is gone. */
void recording_take_in(struct recorder *r, struct recording *rec);
void recording_finish_all(struct recorder *r, struct recording *rec, uint64_t over_us);

#endif
