/* SPDX-License-Identifier: Apache-2.0 */
/* journal_file.c - one SQLite file: opening, locking, appending and reading. What a person does with
 * it (looking, erasing, verifying) is in journal_file_care.c.
 *
 * Two connections work on a live file. The writer appends with synchronous=FULL: when its commit
 * returns, the events are on the disk. The reader takes shipped events away with
 * synchronous=NORMAL: it never waits for the disk while it holds SQLite's write lock, so it cannot
 * hold up the writer. A power failure may undo a removal; then the events are shipped again, and the
 * database knows them already. Moving the log into the file is the reader's job as well.
 *
 * Failure modes
 * - full disk, I/O errors: an error, and the transaction is rolled back; the caller tries again
 * - damage: -EUCLEAN, and store/journal_salvage.h reads what can be read */
#include "store/journal_file.h"

#include "store/journal_file_private.h"
#include "store/journal_folder.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BUSY_MS = 5000 };

static const char schema[] = "CREATE TABLE IF NOT EXISTS events("
                             " id INTEGER PRIMARY KEY AUTOINCREMENT, stream TEXT NOT NULL,"
                             " started_us INTEGER NOT NULL, epoch INTEGER NOT NULL,"
                             " seq INTEGER NOT NULL, at_us INTEGER NOT NULL, type TEXT NOT NULL,"
                             " body TEXT NOT NULL, tries INTEGER NOT NULL DEFAULT 0);"
                             "CREATE TABLE IF NOT EXISTS dead("
                             " id INTEGER PRIMARY KEY AUTOINCREMENT, stream TEXT NOT NULL,"
                             " started_us INTEGER NOT NULL, epoch INTEGER NOT NULL,"
                             " seq INTEGER NOT NULL, at_us INTEGER NOT NULL, type TEXT NOT NULL,"
                             " body TEXT NOT NULL, tries INTEGER NOT NULL, reason TEXT NOT NULL,"
                             " dead_us INTEGER NOT NULL);";

#define EVENT   "stream, started_us, epoch, seq, at_us, type, body"
#define NOW_US  "CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER)"
#define MENTION "instr(body, ?1) > 0"
#define ERASED  "SET body = '{\"erased\":true}'"

static const char *const statements[JS_COUNT] = {
    [JS_APPEND] = "INSERT INTO events(" EVENT ", tries) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    [JS_READ] = "SELECT id, " EVENT ", tries, '', 0 FROM events WHERE id > ?1 ORDER BY id LIMIT ?2",
    [JS_READ_ONE] = "SELECT id, " EVENT ", tries, '', 0 FROM events WHERE id = ?1",
    [JS_ACKNOWLEDGE] = "DELETE FROM events WHERE id <= ?1",
    [JS_BURY] = "INSERT INTO dead(" EVENT ", tries, reason, dead_us)"
                " SELECT " EVENT ", tries + 1, ?2, " NOW_US " FROM events WHERE id = ?1",
    [JS_REMOVE_EVENT] = "DELETE FROM events WHERE id = ?1",
    [JS_REVIVE] = "INSERT INTO events(" EVENT ", tries)"
                  " SELECT " EVENT ", tries FROM dead WHERE ?1 IN (0, id) ORDER BY id",
    [JS_REMOVE_DEAD] = "DELETE FROM dead WHERE ?1 IN (0, id)",
    [JS_READ_DEAD] =
        "SELECT id, " EVENT ", tries, reason, dead_us FROM dead WHERE id > ?1 ORDER BY id LIMIT ?2",
    [JS_ADD_DEAD] = "INSERT INTO dead(" EVENT ", tries, reason, dead_us)"
                    " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    /* Ids are given without gaps and taken away from the front: the ends tell the number, without
     * reading what lies between. */
    [JS_COUNT_EVENTS] = "SELECT coalesce((SELECT max(id) FROM events) - (SELECT min(id) FROM "
                        "events) + 1, 0)",
    [JS_OLDEST] = "SELECT at_us FROM events ORDER BY id LIMIT 1",
    [JS_COUNT_DEAD] = "SELECT count(*) FROM dead",
    [JS_LAST_ID] = "SELECT max(id) FROM events",
    [JS_LAST_DEAD_ID] = "SELECT max(id) FROM dead",
    [JS_SCRUB_STREAM] = "UPDATE events " ERASED " WHERE stream = ?1",
    [JS_SCRUB_NUMBER] = "UPDATE events " ERASED " WHERE " MENTION,
    [JS_SCRUB_DEAD_STREAM] = "UPDATE dead " ERASED ", reason = 'erased' WHERE stream = ?1",
    [JS_SCRUB_DEAD_NUMBER] =
        "UPDATE dead " ERASED ", reason = 'erased' WHERE " MENTION " OR instr(reason, ?1) > 0",
};

int journal_file_error(struct journal_file *f)
{
    switch (sqlite3_errcode(f->db)) {
    case SQLITE_FULL:
        return -ENOSPC;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return -EBUSY;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_ERROR: /* our statements are right: it is the schema that is not */
    case SQLITE_SCHEMA:
        return -EUCLEAN;
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
        return -EROFS;
    case SQLITE_NOMEM:
        return -ENOMEM;
    default:
        return -EIO;
    }
}

sqlite3_stmt *journal_statement(struct journal_file *f, enum journal_statement which)
{
    if (!f->statement[which] &&
        sqlite3_prepare_v3(f->db, statements[which], -1, SQLITE_PREPARE_PERSISTENT,
                           &f->statement[which], NULL) != SQLITE_OK)
        return NULL;
    return f->statement[which];
}

int journal_step(struct journal_file *f, sqlite3_stmt *s)
{
    int rc = sqlite3_step(s) == SQLITE_DONE ? 0 : journal_file_error(f);

    (void)sqlite3_reset(s);
    return rc;
}

static int run(struct journal_file *f, const char *sql)
{
    return sqlite3_exec(f->db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : journal_file_error(f);
}

int journal_begin(struct journal_file *f)
{
    return run(f, "BEGIN IMMEDIATE");
}

int journal_settle(struct journal_file *f, int rc)
{
    if (!rc)
        rc = run(f, "COMMIT");
    if (rc && !sqlite3_get_autocommit(f->db))
        (void)run(f, "ROLLBACK");
    return rc;
}

/* ---- opening and closing ---- */

static int configure(struct journal_file *f, enum journal_role role)
{
    /* Shipped events leave no trace in the file: what a caller said goes when it is taken away. */
    static const char reader[] = "PRAGMA synchronous=NORMAL; PRAGMA secure_delete=ON;"
                                 "PRAGMA wal_autocheckpoint=0; PRAGMA cache_size=-256;";
    static const char writer[] = "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
                                 "PRAGMA secure_delete=ON; PRAGMA wal_autocheckpoint=0;"
                                 "PRAGMA cache_size=-512;";

    /* Few pages are looked at twice: events are written at the end and taken from the front. */
    (void)sqlite3_busy_timeout(f->db, BUSY_MS);
    (void)sqlite3_extended_result_codes(f->db, 0);
    return run(f, role == JOURNAL_WRITER ? writer : reader);
}

static int open_file(struct journal_file **out, const char *path, int flags)
{
    struct journal_file *f = calloc(1, sizeof(*f));
    int rc = 0;

    if (!f)
        return -ENOMEM;
    f->lock = -1;
    if (!rd_str_copy(f->path, sizeof(f->path), rd_str(path)))
        rc = -ENAMETOOLONG;
    else if (sqlite3_open_v2(path, &f->db, flags | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
        rc = f->db ? journal_file_error(f) : -ENOMEM;
    if (rc) {
        journal_file_close(f);
        return rc;
    }
    *out = f;
    return 0;
}

/* Gives file and log their room beforehand: a commit that makes a file longer has to wait for the
 * file system's own books too, and takes about twice as long. A disk without so much room is no
 * reason to do without a journal. */
static void reserve(struct journal_file *f)
{
    if (run(f, "BEGIN; CREATE TABLE room(x); INSERT INTO room VALUES(zeroblob(4194304)); COMMIT;"
               "PRAGMA secure_delete=OFF; DROP TABLE room; PRAGMA secure_delete=ON;"
               "PRAGMA wal_checkpoint(RESTART);") &&
        !sqlite3_get_autocommit(f->db))
        (void)run(f, "ROLLBACK");
    (void)sqlite3_db_release_memory(f->db); /* pages of a room that nobody reads */
}

int journal_file_create(struct journal_file **out, const char *folder)
{
    char path[PATH_MAX];
    struct journal_file *f = NULL;
    int lock, rc = journal_folder_name(folder, path, sizeof(path));

    if (rc)
        return rc;
    lock = journal_lock(path, true);
    if (lock < 0)
        return lock;
    rc = open_file(&f, path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
    if (!rc)
        rc = configure(f, JOURNAL_WRITER);
    if (!rc)
        rc = run(f, schema);
    if (!rc && chmod(path, 0600) != 0)
        rc = -errno;
    if (rc) {
        journal_file_close(f);
        journal_folder_remove(path);
        close(lock);
        return rc;
    }
    reserve(f);
    f->lock = lock;
    *out = f;
    return 0;
}

int journal_file_adopt(struct journal_file **out, const char *path)
{
    struct journal_file *f = NULL;
    int lock = journal_lock(path, false), rc;

    if (lock < 0)
        return lock;
    rc = open_file(&f, path, SQLITE_OPEN_READWRITE);
    if (rc) {
        close(lock);
        return rc;
    }
    f->lock = lock;
    /* A file too damaged for this is found to be so by whoever verifies or reads it. A process that
     * died between making the file and its tables left none: they are made. */
    if (configure(f, JOURNAL_READER) == 0)
        (void)run(f, schema);
    *out = f;
    return 0;
}

int journal_file_look(struct journal_file **out, const char *path)
{
    int rc = open_file(out, path, SQLITE_OPEN_READWRITE);

    if (!rc)
        (void)configure(*out, JOURNAL_READER);
    return rc;
}

void journal_file_close(struct journal_file *f)
{
    if (!f)
        return;
    for (int i = 0; i < JS_COUNT; i++)
        (void)sqlite3_finalize(f->statement[i]);
    (void)sqlite3_close(f->db);
    if (f->lock >= 0)
        close(f->lock);
    free(f);
}

void journal_file_finish(struct journal_file *f)
{
    struct journal_counts counts;
    int lock;

    if (!f)
        return;
    if (f->lock >= 0 && journal_file_counts(f, &counts) == 0 && counts.events == 0 &&
        counts.dead == 0) {
        char path[PATH_MAX];

        memcpy(path, f->path, sizeof(path));
        lock = f->lock; /* held until nothing is left to lock */
        f->lock = -1;
        journal_file_close(f);
        journal_folder_remove(path);
        close(lock);
        return;
    }
    journal_file_close(f);
}

const char *journal_file_path(const struct journal_file *f)
{
    return f->path;
}

/* ---- events ---- */

static int bind_text(sqlite3_stmt *s, int at, struct rd_str text)
{
    return sqlite3_bind_text(s, at, text.p ? text.p : "", (int)text.n, SQLITE_STATIC);
}

int journal_bind_event(sqlite3_stmt *s, const struct journal_event *e, uint32_t tries)
{
    int rc = bind_text(s, 1, e->stream);

    rc |= sqlite3_bind_int64(s, 2, (sqlite3_int64)e->started_us);
    rc |= sqlite3_bind_int64(s, 3, (sqlite3_int64)e->epoch);
    rc |= sqlite3_bind_int64(s, 4, e->seq);
    rc |= sqlite3_bind_int64(s, 5, (sqlite3_int64)e->at_us);
    rc |= bind_text(s, 6, rd_str(e->type));
    rc |= bind_text(s, 7, e->body);
    rc |= sqlite3_bind_int64(s, 8, tries);
    return rc == SQLITE_OK ? 0 : -ENOMEM;
}

int journal_file_append(struct journal_file *f, const struct journal_event *const *events, size_t n)
{
    sqlite3_stmt *s;
    int rc = journal_begin(f);

    if (rc)
        return rc;
    s = journal_statement(f, JS_APPEND);
    if (!s)
        rc = journal_file_error(f);
    for (size_t i = 0; i < n && !rc; i++) {
        rc = journal_bind_event(s, events[i], 0);
        if (!rc)
            rc = journal_step(f, s);
    }
    return journal_settle(f, rc);
}

/* Column texts one behind the other, each terminated. The file may be anything: what is no text
 * reads as one. */
struct journal_row *journal_row_take(sqlite3_stmt *s)
{
    static const int texts[] = {1, 6, 7, 9}; /* stream, type, body, reason */
    struct rd_str *into[4], type, reason;
    size_t need = 0;
    struct journal_row *r;
    char *at;

    for (int i = 0; i < 4; i++) {
        (void)sqlite3_column_text(s, texts[i]);
        need += (size_t)sqlite3_column_bytes(s, texts[i]) + 1;
    }
    r = calloc(1, sizeof(*r) + need);
    if (!r)
        return NULL;
    into[0] = &r->event.stream, into[1] = &type, into[2] = &r->event.body, into[3] = &reason;
    at = r->text;
    for (int i = 0; i < 4; i++) {
        const unsigned char *text = sqlite3_column_text(s, texts[i]);
        size_t n = text ? (size_t)sqlite3_column_bytes(s, texts[i]) : 0;

        if (n > 0)
            memcpy(at, text, n);
        *into[i] = (struct rd_str){at, n};
        at += n + 1;
    }
    r->id = sqlite3_column_int64(s, 0);
    r->event.started_us = (uint64_t)sqlite3_column_int64(s, 2);
    r->event.epoch = (uint64_t)sqlite3_column_int64(s, 3);
    r->event.seq = (uint32_t)sqlite3_column_int64(s, 4);
    r->event.at_us = (uint64_t)sqlite3_column_int64(s, 5);
    r->event.type = type.p;
    r->tries = (uint32_t)sqlite3_column_int64(s, 8);
    r->reason = reason.p;
    r->dead_us = (uint64_t)sqlite3_column_int64(s, 10);
    return r;
}

static int read_rows(struct journal_file *f, enum journal_statement which, int64_t after,
                     size_t max, size_t max_bytes, struct journal_row **rows)
{
    sqlite3_stmt *s = journal_statement(f, which);
    size_t n = 0, n_bytes = 0;
    int step = SQLITE_ROW, rc = 0;

    if (!s)
        return journal_file_error(f);
    (void)sqlite3_bind_int64(s, 1, after);
    (void)sqlite3_bind_int64(s, 2, (sqlite3_int64)max);
    while (n < max && n_bytes < max_bytes && (step = sqlite3_step(s)) == SQLITE_ROW) {
        rows[n] = journal_row_take(s);
        if (!rows[n]) {
            rc = -ENOMEM;
            break;
        }
        n_bytes += rows[n++]->event.body.n;
    }
    if (!rc && step != SQLITE_ROW && step != SQLITE_DONE)
        rc = journal_file_error(f);
    (void)sqlite3_reset(s);
    if (rc && n == 0)
        return rc;
    return (int)n; /* what stands before a damaged page comes out; the next reading meets it */
}

int journal_file_read(struct journal_file *f, int64_t after, size_t max, size_t max_bytes,
                      struct journal_row **rows)
{
    return read_rows(f, JS_READ, after, max, max_bytes, rows);
}

int journal_file_dead(struct journal_file *f, int64_t after, size_t max, struct journal_row **rows)
{
    return read_rows(f, JS_READ_DEAD, after, max, SIZE_MAX, rows);
}

void journal_rows_free(struct journal_row **rows, size_t n)
{
    for (size_t i = 0; i < n; i++)
        free(rows[i]);
}

int journal_file_acknowledge(struct journal_file *f, int64_t id)
{
    sqlite3_stmt *s = journal_statement(f, JS_ACKNOWLEDGE);

    if (!s)
        return journal_file_error(f);
    (void)sqlite3_bind_int64(s, 1, id);
    return journal_step(f, s);
}

int journal_file_bury(struct journal_file *f, int64_t id, const char *reason)
{
    sqlite3_stmt *bury = journal_statement(f, JS_BURY);
    sqlite3_stmt *away = journal_statement(f, JS_REMOVE_EVENT);
    int rc;

    if (!bury || !away)
        return journal_file_error(f);
    rc = journal_begin(f);
    if (rc)
        return rc;
    (void)sqlite3_bind_int64(bury, 1, id);
    (void)bind_text(bury, 2, rd_str(reason));
    rc = journal_step(f, bury);
    (void)sqlite3_clear_bindings(bury);
    (void)sqlite3_bind_int64(away, 1, id);
    if (!rc)
        rc = journal_step(f, away);
    return journal_settle(f, rc);
}
