/* SPDX-License-Identifier: Apache-2.0 */
/* journal_file_private.h - what the files of store/journal_file.h share. */
#ifndef STORE_JOURNAL_FILE_PRIVATE_H
#define STORE_JOURNAL_FILE_PRIVATE_H

#include "store/journal_file.h"

#include <sqlite3.h>

enum journal_statement {
    JS_APPEND,
    JS_READ,
    JS_READ_ONE,
    JS_ACKNOWLEDGE,
    JS_BURY,
    JS_REMOVE_EVENT,
    JS_REVIVE,
    JS_REMOVE_DEAD,
    JS_READ_DEAD,
    JS_ADD_DEAD,
    JS_COUNT_EVENTS,
    JS_OLDEST,
    JS_COUNT_DEAD,
    JS_LAST_ID,
    JS_LAST_DEAD_ID,
    JS_SCRUB_STREAM,
    JS_SCRUB_NUMBER,
    JS_SCRUB_DEAD_STREAM,
    JS_SCRUB_DEAD_NUMBER,
    JS_COUNT
};

struct journal_file {
    char path[PATH_MAX];
    sqlite3 *db;                       /* owns */
    sqlite3_stmt *statement[JS_COUNT]; /* owns; prepared when first used */
    int lock;                          /* owns; -1: somebody else's, or nobody's */
};

/* The statement, ready to be bound; NULL when it cannot be prepared: journal_file_error(). */
sqlite3_stmt *journal_statement(struct journal_file *f, enum journal_statement which);

/* One step, then reset, for statements without rows. */
int journal_step(struct journal_file *f, sqlite3_stmt *s);

/* SQLite's last error as one of ours; never 0. */
int journal_file_error(struct journal_file *f);

int journal_begin(struct journal_file *f);
/* Commits when rc is 0, else rolls back. rc, or the commit's error. */
int journal_settle(struct journal_file *f, int rc);

/* The row a reading statement stands on. NULL: no memory. */
struct journal_row *journal_row_take(sqlite3_stmt *s);

int journal_bind_event(sqlite3_stmt *s, const struct journal_event *e, uint32_t tries);

#endif
