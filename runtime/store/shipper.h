/* SPDX-License-Identifier: Apache-2.0 */
/* shipper.h - carries the journal into PostgreSQL: a thread of its own that may wait for the
 * database as long as that takes. Oldest first: files of processes that are gone, then the own one.
 *
 * Events arrive once (ingest() knows what it has) and in order: an event is not overtaken by a later
 * one of its stream while it waits. One that the database will never take becomes a dead letter
 * (`ringdown journal`) and holds nobody up. */
#ifndef STORE_SHIPPER_H
#define STORE_SHIPPER_H

#include "base/buf.h"
#include "store/journal.h"
#include "store/pg.h"

#include <stdbool.h>

struct shipper;

struct shipper_opts {
    const char *folder;      /* <data>/journal; copied */
    struct journal *journal; /* borrows: stopped after the shipper */

    /* The connection string, asked for before each connection; may take seconds. 0, or an error with
     * a sentence in `why`; it is asked again later. */
    int (*conninfo)(struct buf *out, char *why, size_t cap, void *arg);

    /* Whether the schema of a fresh connection is one to write to; NULL: it is. An error with a
     * sentence that says what is wrong and what to do. */
    int (*ready)(struct pg *pg, char *why, size_t cap, void *arg);

    /* The connection string for a probe, which tells "database.down" while the shipper itself still waits
     * for an answer; must not wait. NULL: there is none. */
    int (*probe_conninfo)(struct buf *out, char *why, size_t cap, void *arg);
    void *arg;
};

int shipper_start(struct shipper **out, const struct shipper_opts *o);

/* What processes before this one left in the folder when it began is in the database. Any thread. */
bool shipper_inherited_done(const struct shipper *s);

/* Ships what there is, as long as that works and takes no longer than drain_ms; then ends the thread.
 * What is left stays in the files. NULL is fine. */
void shipper_stop(struct shipper *s, uint32_t drain_ms);

#endif
