/* SPDX-License-Identifier: Apache-2.0 */
/* journal_file.h - one SQLite file of the journal, <folder>/<unix µs>-<pid>.db: events that wait to
 * be shipped, and dead letters that the database refused.
 *
 * Who appends or ships holds the lock <file>.lock; it goes with the process, however that ends. A
 * struct is one connection: one thread at a time. Errors: -ENOSPC (the disk is full), -EIO, -EROFS
 * (cannot be written or opened), -EBUSY (somebody else is at it), -EUCLEAN (damaged: see
 * store/journal_salvage.h), -ENOENT, -ENOMEM. */
#ifndef STORE_JOURNAL_FILE_H
#define STORE_JOURNAL_FILE_H

#include "store/journal.h"

#include <limits.h>

struct journal_file;

/* An event as it was found in a file. One block: free(). */
struct journal_row {
    int64_t id;                 /* grows with each append, never used twice in a file */
    uint32_t tries;             /* how often it became a dead letter */
    struct journal_event event; /* points into text */
    const char *reason;         /* dead letters: why; "" */
    uint64_t dead_us;           /* dead letters: since when */
    char text[];
};

enum journal_role {
    JOURNAL_WRITER, /* every commit is on the disk when it returns */
    JOURNAL_READER /* never makes the writer wait for the disk; what it did may be undone by a power
                       failure, and is then done again */
};

/* Begins a new file and takes its lock. */
int journal_file_create(struct journal_file **out, const char *folder);

/* Takes the lock of a file that nobody owns: -EBUSY while somebody does. Looks for damage first. */
int journal_file_adopt(struct journal_file **out, const char *path);

/* A second connection, without the lock: somebody else may be writing. */
int journal_file_look(struct journal_file **out, const char *path);

/* Closes; the lock goes with the struct that holds it. NULL is fine. */
void journal_file_close(struct journal_file *f);

/* The same, and the file is removed when nothing is left in it. Only with the lock. */
void journal_file_finish(struct journal_file *f);

const char *journal_file_path(const struct journal_file *f);

/* All of them, or none. */
int journal_file_append(struct journal_file *f, const struct journal_event *const *events,
                        size_t n);

/* The oldest events behind `after`, at most `max` of them and about max_bytes. Number of rows. */
int journal_file_read(struct journal_file *f, int64_t after, size_t max, size_t max_bytes,
                      struct journal_row **rows);
void journal_rows_free(struct journal_row **rows, size_t n);

/* Everything up to and including `id` is kept elsewhere. */
int journal_file_acknowledge(struct journal_file *f, int64_t id);

/* The event will not be taken as it is; it waits for a person. */
int journal_file_bury(struct journal_file *f, int64_t id, const char *reason);

/* Moves the dead letter `id` (0: all) behind the other events. How many, or an error. */
int64_t journal_file_retry(struct journal_file *f, int64_t id);

/* The dead letters behind `after`, as journal_file_read(). */
int journal_file_dead(struct journal_file *f, int64_t after, size_t max, struct journal_row **rows);

/* Replaces the bodies of what belongs to a caller by {"erased":true}: events and dead letters of
 * these streams, and whatever mentions the number ("" for none). How many, or an error. */
int64_t journal_file_scrub(struct journal_file *f, const char *const *streams, size_t n,
                           const char *number);

struct journal_counts {
    uint64_t events, dead;
    uint64_t oldest_us; /* when the oldest event happened; 0: there is none */
};
int journal_file_counts(struct journal_file *f, struct journal_counts *out);

/* Moves what was written into the file proper, so that the log beside it can be used anew. */
int journal_file_checkpoint(struct journal_file *f);

/* The whole file is read and checked. 0, or -EUCLEAN with what is wrong. */
int journal_file_verify(struct journal_file *f, char *why, size_t cap);

#endif
