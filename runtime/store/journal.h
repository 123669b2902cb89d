/* SPDX-License-Identifier: Apache-2.0 */
/* journal.h - everything that must be kept, in order, on this machine's disk before anybody is
 * promised anything.
 *
 *   any thread ─append─▶ queue in memory (bounded) ─▶ journal thread: SQLite, one commit for all that
 *   waits ─▶ <data>/journal/<start>.db ─▶ shipper (store/shipper.h) ─▶ PostgreSQL
 *
 * One file per process start. A process holds a lock on its file as long as it lives; a file whose
 * lock is free belongs to nobody, and whoever takes the lock ships the rest of it.
 *
 * Failure modes
 * - the disk is full or stuck: events wait in memory; at half of memory_max journal_accepts() says
 *   no, so that new calls get the fallback; at memory_max an event is refused, counted in `lost`
 *   and raises an alarm: never silence.
 * - the file is damaged: it is put aside, what can be read of it is shipped, a new one is begun. */
#ifndef STORE_JOURNAL_H
#define STORE_JOURNAL_H

#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct journal;

enum {
    JOURNAL_STREAM = 64, /* bytes of a stream's name, terminated */
    JOURNAL_BODY_MAX =
        64 * 1024 /* larger bodies are cut by the journal, with a marker: see below */
};

/* One fact. Its key is (stream, epoch, seq); the same key with other content is a dead letter. */
struct journal_event {
    struct rd_str stream; /* the CallSid, or "node" + '/' + name for what belongs to no call */
    uint64_t started_us;  /* unix µs: when the stream began; the same in all its events, because it
                             decides in which month's partition they are kept */
    uint64_t epoch;       /* unix µs: when this process took the stream; grows with each resume */
    uint32_t seq;         /* 1, 2, 3… within the epoch */
    uint64_t at_us;       /* unix µs: when it happened */
    const char *type;     /* "turn", "tool"…: docs/records.md */
    struct rd_str body;   /* a JSON object. One above JOURNAL_BODY_MAX is kept as
                             {"cut":true,"bytes":N,"head":"…the first 32 KiB…"} */
};

struct journal_opts {
    const char *folder; /* <data>/journal; made if need be */
    size_t memory_max;  /* bytes that may wait in memory; 0: 64 MiB */
};

int journal_start(struct journal **out, const struct journal_opts *o, char *why, size_t cap);

/* Writes what waits (at most 5 s), joins the thread, closes the file. A file that is shipped
 * entirely is removed. NULL is fine. */
void journal_stop(struct journal *j);

/* Takes copies; never waits for the disk. 0, or RD_EFULL / -ENOMEM: it is not kept, and that has been
 * counted and told. Any thread. */
int journal_append(struct journal *j, const struct journal_event *e);

/* Calls fn on the journal thread once everything appended before is on the disk (0), or will not be
 * within a second (-EIO). fn must only post a message. -ENOMEM: never called. Any thread. */
typedef void(journal_durable_fn)(void *arg, int rc);
int journal_barrier(struct journal *j, journal_durable_fn *fn, void *arg);

/* The same, and it waits a little longer until PostgreSQL has all of that too, so that whoever goes on with
 * a call when this machine is gone knows what was about to happen. At most 300 ms on top, and not while
 * PostgreSQL takes no events: the disk is what counts. fn may be called by the shipper. */
int journal_barrier_shared(struct journal *j, journal_durable_fn *fn, void *arg);

/* False when half of the memory waits for the disk: no new calls. Any thread. */
bool journal_accepts(const struct journal *j);

struct journal_gauges {
    uint64_t waiting;         /* events in memory, not yet on the disk */
    uint64_t kept;            /* on the disk, not yet shipped; all files of the folder */
    uint64_t oldest_age_ms;   /* of the oldest not yet shipped; 0: none */
    uint64_t dead;            /* dead letters, all files */
    uint64_t lost;            /* refused since the start */
    uint64_t append_p99_us;   /* append to durable, since the start */
    int disk;                 /* 0, or the error of the last commit */
    bool shipping;            /* PostgreSQL takes events now */
    char database_error[256]; /* why not; "" when it does */
};
void journal_gauges(struct journal *j, struct journal_gauges *out);

#endif
