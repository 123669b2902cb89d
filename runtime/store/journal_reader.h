/* SPDX-License-Identifier: Apache-2.0 */
/* journal_reader.h - what the shipper needs of the live journal: its file, a sign that there is
 * something new, and a place to say how shipping goes. One shipper per journal. */
#ifndef STORE_JOURNAL_READER_H
#define STORE_JOURNAL_READER_H

#include "store/journal_file.h"

/* The reading connection of the journal's own file, until journal_reader_end(): briefly, for the
 * journal may want to replace a damaged file meanwhile. `generation` grows with each replacement:
 * ids of another generation mean nothing. NULL: there is none right now. Both calls belong together
 * either way. */
struct journal_file *journal_reader_begin(struct journal *j, uint64_t *generation);
void journal_reader_end(struct journal *j);

/* The own file turned out to be damaged: the journal replaces it. */
void journal_reader_damaged(struct journal *j);

/* Waits until something was committed after `seen` (which is brought up to date), until
 * journal_wake(), or for wait_ms. */
void journal_wait(struct journal *j, uint64_t *seen, uint32_t wait_ms);
void journal_wake(struct journal *j);

/* Events committed since the start. */
uint64_t journal_committed(struct journal *j);

/* Of those, all up to the n-th are in PostgreSQL: who waits for that is answered. */
void journal_shipped(struct journal *j, uint64_t n);

/* What only the shipper knows; journal_gauges() repeats it. */
struct journal_report {
    uint64_t committed; /* when counting began: what comes later is added */
    uint64_t kept, dead;
    uint64_t oldest_us; /* when the oldest event that is not shipped happened; 0: none */
    bool shipping;
    const char *database_error; /* "" when shipping */
};
void journal_report(struct journal *j, const struct journal_report *r);

#endif
