/* SPDX-License-Identifier: Apache-2.0 */
/* journal_private.h - what the files of store/journal.h share. */
#ifndef STORE_JOURNAL_PRIVATE_H
#define STORE_JOURNAL_PRIVATE_H

#include "base/buf.h"
#include "store/journal_file.h"
#include "store/journal_reader.h"

#include <pthread.h>
#include <stdatomic.h>

enum {
    COMMIT_MAX = 256,    /* events per transaction */
    BARRIER_MS = 1000,   /* longer than this and the disk is said to be stuck */
    SHARED_MS = 300,     /* PostgreSQL gets this on top, where others are to know */
    RETRY_MS = 250,      /* between two attempts to write */
    STOP_MS = 5000,      /* for what waits when the journal stops */
    CUT_HEAD = 32 * 1024 /* of a body above the limit */
};

struct item {
    struct item *next;
    uint64_t born_us;
    size_t n_bytes; /* of this block */
    struct journal_event event;
    char text[];
};

struct barrier {
    struct barrier *next;
    uint64_t after; /* events appended before it */
    uint64_t deadline_ms;
    bool shared; /* PostgreSQL is waited for, too */
    journal_durable_fn *fn;
    void *arg;
};

struct journal {
    char folder[PATH_MAX];
    size_t memory_max;
    atomic_size_t n_bytes; /* of what waits */
    atomic_uint_fast64_t lost;

    pthread_mutex_t lock; /* held O(1); guards what follows */
    pthread_cond_t work, committed, tick;
    struct item *first, **last; /* owns */
    uint64_t appended, durable; /* events since the start */
    uint64_t shipped;           /* of them, all up to here are in PostgreSQL */
    struct barrier *barriers, **last_barrier;
    struct barrier *unshared; /* durable, and waiting for PostgreSQL */
    bool stopping, watching;
    bool refused;             /* since the watcher looked last */
    bool damaged;             /* the reader found it out */
    int disk;                 /* of the last commit */
    uint64_t commit_began_ms; /* 0: none is under way */
    uint64_t commits, wakes;
    struct journal_gauges told;  /* by the shipper */
    uint64_t oldest_us, told_at; /* told_at: `durable` when the shipper counted */

    struct journal_file *file;   /* owns; the writer's */
    pthread_mutex_t files;       /* guards reader and generation; taken before `lock` if both are */
    struct journal_file *reader; /* owns */
    uint64_t generation;

    pthread_t writer, watcher;
};

/* Takes barriers that are over off the list: those that are durable, or (late) those whose time is
 * up. To be called with the lock held; what comes out is called without it. */
struct barrier *journal_barriers_take(struct journal *j, bool late, uint64_t now_ms);

/* Those of `ready` that wait for PostgreSQL are kept back; the rest. With the lock held. */
struct barrier *journal_barriers_share(struct journal *j, struct barrier *ready, uint64_t now_ms);
/* Takes back those that PostgreSQL has, or that have waited long enough. With the lock held. */
struct barrier *journal_barriers_shared(struct journal *j, uint64_t now_ms);
void journal_barriers_call(struct barrier *list, int rc);

/* The two threads. */
void *journal_writer_main(void *j);
void *journal_watcher_main(void *j);

/* Opens the reading connection anew; with `files` held. */
void journal_reader_open(struct journal *j);

/* The body as it is kept: the same when small, else cut with a marker into `out`. */
int journal_body_cut(struct rd_str body, struct buf *out);

#endif
