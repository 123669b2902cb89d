/* SPDX-License-Identifier: Apache-2.0 */
/* journal_file_care.c - what people do with a journal file: count, look for damage, send dead
 * letters again, erase a caller. All of it also while a node writes to the file. */
#include "store/journal_file_private.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

int64_t journal_file_retry(struct journal_file *f, int64_t id)
{
    sqlite3_stmt *revive = journal_statement(f, JS_REVIVE);
    sqlite3_stmt *away = journal_statement(f, JS_REMOVE_DEAD);
    int64_t n = 0;
    int rc;

    if (!revive || !away)
        return journal_file_error(f);
    rc = journal_begin(f);
    if (rc)
        return rc;
    (void)sqlite3_bind_int64(revive, 1, id);
    rc = journal_step(f, revive);
    n = sqlite3_changes(f->db);
    (void)sqlite3_bind_int64(away, 1, id);
    if (!rc)
        rc = journal_step(f, away);
    rc = journal_settle(f, rc);
    return rc ? rc : n;
}

static int scrub(struct journal_file *f, enum journal_statement which, const char *what, int64_t *n)
{
    sqlite3_stmt *s = journal_statement(f, which);
    int rc;

    if (!s)
        return journal_file_error(f);
    (void)sqlite3_bind_text(s, 1, what, -1, SQLITE_STATIC);
    rc = journal_step(f, s);
    (void)sqlite3_clear_bindings(s);
    if (!rc)
        *n += sqlite3_changes(f->db);
    return rc;
}

int64_t journal_file_scrub(struct journal_file *f, const char *const *streams, size_t n,
                           const char *number)
{
    int64_t changed = 0;
    int rc = journal_begin(f);

    if (rc)
        return rc;
    for (size_t i = 0; i < n && !rc; i++) {
        rc = scrub(f, JS_SCRUB_STREAM, streams[i], &changed);
        if (!rc)
            rc = scrub(f, JS_SCRUB_DEAD_STREAM, streams[i], &changed);
    }
    if (!rc && *number)
        rc = scrub(f, JS_SCRUB_NUMBER, number, &changed);
    if (!rc && *number)
        rc = scrub(f, JS_SCRUB_DEAD_NUMBER, number, &changed);
    rc = journal_settle(f, rc);
    /* The log still holds the words: it is moved into the file and emptied. Somebody who reads at
     * this moment keeps it from being emptied; the next checkpoint overwrites it. */
    if (!rc)
        (void)sqlite3_wal_checkpoint_v2(f->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    return rc ? rc : changed;
}

static int number_of(struct journal_file *f, enum journal_statement which, uint64_t *out)
{
    sqlite3_stmt *s = journal_statement(f, which);
    int step, rc = 0;

    *out = 0;
    if (!s)
        return journal_file_error(f);
    step = sqlite3_step(s);
    if (step == SQLITE_ROW)
        *out = (uint64_t)sqlite3_column_int64(s, 0);
    else if (step != SQLITE_DONE)
        rc = journal_file_error(f);
    (void)sqlite3_reset(s);
    return rc;
}

int journal_file_counts(struct journal_file *f, struct journal_counts *out)
{
    int rc = number_of(f, JS_COUNT_EVENTS, &out->events);

    if (!rc)
        rc = number_of(f, JS_OLDEST, &out->oldest_us);
    if (!rc)
        rc = number_of(f, JS_COUNT_DEAD, &out->dead);
    return rc;
}

int journal_file_checkpoint(struct journal_file *f)
{
    int rc = sqlite3_wal_checkpoint_v2(f->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);

    return rc == SQLITE_OK || rc == SQLITE_BUSY ? 0 : journal_file_error(f);
}

int journal_file_verify(struct journal_file *f, char *why, size_t cap)
{
    sqlite3_stmt *s = NULL;
    const unsigned char *text;
    int rc = 0;

    why[0] = '\0';
    if (sqlite3_prepare_v2(f->db, "PRAGMA quick_check(1)", -1, &s, NULL) != SQLITE_OK ||
        sqlite3_step(s) != SQLITE_ROW) {
        rc = journal_file_error(f);
        (void)snprintf(why, cap, "%s", sqlite3_errmsg(f->db));
    } else {
        text = sqlite3_column_text(s, 0);
        if (!text || strcmp((const char *)text, "ok") != 0) {
            rc = -EUCLEAN;
            (void)snprintf(why, cap, "%s", text ? (const char *)text : "no answer");
        }
    }
    (void)sqlite3_finalize(s);
    for (char *p = why; *p; p++)
        if (*p == '\n')
            *p = ' ';
    return rc;
}
