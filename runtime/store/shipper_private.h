/* SPDX-License-Identifier: Apache-2.0 */
/* shipper_private.h - what the files of store/shipper.h share. One thread, but for stop_at_ms and inherited_done. */
#ifndef STORE_SHIPPER_PRIVATE_H
#define STORE_SHIPPER_PRIVATE_H

#include "base/retry.h"
#include "store/journal_reader.h"
#include "store/shipper.h"

#include <pthread.h>
#include <stdatomic.h>

enum {
    BATCH_MAX = 200,              /* events per statement */
    BATCH_BYTES = 4 * 1024 * 1024 /* of their bodies, about */
};

/* A file to ship from. */
struct source {
    struct source *next;
    struct journal_file *file; /* owns, with its lock; NULL: the live journal's */
    uint64_t generation;       /* of the live journal's file when its rows were read */
    int64_t shipped;           /* the last id that is in the database */
    int64_t acknowledged;      /* and that is taken away here */
};

/* Who says that the database is down: the alarm is over when nobody does. */
enum { DOWN_BY_SHIPPER = 1, DOWN_BY_PROBE = 2 };

enum trouble {
    TROUBLE_NONE,
    TROUBLE_DATABASE, /* it may pass: nothing is lost, again soon */
    TROUBLE_SETUP,    /* somebody has to do something */
    TROUBLE_DISK      /* this machine's */
};

struct shipper {
    struct shipper_opts opts;
    char folder[PATH_MAX];
    pthread_t thread;
    atomic_uint_fast64_t stop_at_ms; /* 0: running */
    atomic_bool inherited_done;      /* a whole round was shipped */

    struct pg *pg;                 /* owns; NULL: not connected */
    struct source own;             /* the live journal */
    struct source *others;         /* owns; oldest first */
    struct journal_counts foreign; /* in files of other living processes */
    struct buf payload;            /* owns */
    size_t batch_max;              /* smaller while the database is slow */

    enum trouble trouble;
    char why[256]; /* of the trouble; "" */
    struct retry retry;
    uint64_t failing_since_ms; /* 0: it works */
    bool setup_told, dead_told, probing;
    uint64_t seen;          /* commits of the journal */
    uint64_t scanned_ms;    /* the folder */
    uint64_t told_ms;       /* the gauges */
    uint64_t checkpoint_ms; /* of the own file */
    uint64_t spoke_ms;      /* with the database */

    struct probe *probe;       /* owns; NULL: the database was not there yet */
    pthread_mutex_t down_lock; /* of down_by, held while its alarm is told */
    unsigned down_by;
};

/* Notes what is wrong; the return value is for returning it: below 0. */
int shipper_trouble(struct shipper *s, enum trouble t, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* What a failed statement means; for any but refused data. */
int shipper_refused(struct shipper *s, int rc, size_t n);
bool shipper_data_error(const char *sqlstate);

/* shipper_source.c: the files. */
void sources_scan(struct shipper *s);
void sources_close(struct shipper *s);
void sources_tell(struct shipper *s);

/* The next rows, oldest first. 0: none. Below 0: the trouble is noted. */
int source_read(struct shipper *s, struct source *from, struct journal_row **rows);
int source_bury(struct shipper *s, struct source *from, const struct journal_row *row,
                const char *reason);
/* Everything up to `id` is in the database. */
void source_acknowledge(struct shipper *s, struct source *from, int64_t id);
void source_checkpoint(struct shipper *s, struct source *from);

/* shipper_send.c: rows to the database, in order, each kept or buried when this returns 0. */
int shipper_send(struct shipper *s, struct source *from, struct journal_row **rows, size_t n);

#endif
