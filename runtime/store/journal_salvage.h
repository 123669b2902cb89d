/* SPDX-License-Identifier: Apache-2.0 */
/* journal_salvage.h - gets out of a damaged journal file what can still be read. */
#ifndef STORE_JOURNAL_SALVAGE_H
#define STORE_JOURNAL_SALVAGE_H

#include "store/journal_file.h"

struct journal_salvaged {
    uint64_t events, dead; /* what could be read, now in the new file */
    uint64_t unreadable;   /* at most so many could not */
    char aside[PATH_MAX];  /* where the damaged file is now */
};

/* Copies what can be read of *f, which holds its lock and has no other connection, into a new file
 * of the same folder; puts the damaged one aside; raises "journal.damaged". *f is then the new file.
 * On failure (a full disk) *f and everything else is as before. A crash on the way leaves events
 * in both files: shipping them twice is harmless. */
int journal_salvage(struct journal_file **f, struct journal_salvaged *out);

#endif
