/* SPDX-License-Identifier: Apache-2.0 */
/* journal_salvage.c - reads around damaged pages.
 *
 * Rows are read in order, "the next one behind this id". Where that fails, the ids behind it are
 * asked for one by one: each goes down the tree on its own, so that only the rows of the damaged
 * pages are missing, and behind them reading in order works again. What is read goes into the new
 * file in one transaction, committed before the damaged file is renamed.
 *   - the damage is in the root or the header: nothing is found, and the alarm says so; the file is
 *     kept for somebody with better tools
 *   - nonsense instead of an id: probing gives up after so many ids without a row */
#include "store/journal_salvage.h"

#include "observe/alarm.h"
#include "store/journal_file_private.h"
#include "store/journal_folder.h"

#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PROBES_MAX = 1000000, BLIND_PROBES_MAX = 10000 };

struct salvage {
    struct journal_file *from, *to; /* borrows */
    enum journal_statement next, last, add;
    uint64_t *found, *unreadable;
};

static int keep(struct salvage *s, const struct journal_row *r)
{
    sqlite3_stmt *add = journal_statement(s->to, s->add);
    int rc;

    if (!add)
        return journal_file_error(s->to);
    rc = journal_bind_event(add, &r->event, r->tries);
    if (!rc && s->add == JS_ADD_DEAD) {
        (void)sqlite3_bind_text(add, 9, r->reason, -1, SQLITE_STATIC);
        (void)sqlite3_bind_int64(add, 10, (sqlite3_int64)r->dead_us);
    }
    if (!rc)
        rc = journal_step(s->to, add);
    (void)sqlite3_clear_bindings(add);
    if (!rc)
        ++*s->found;
    return rc;
}

/* 1: a row, kept; 0: none; -EUCLEAN: cannot be read; else the new file cannot be written. */
static int try_row(struct salvage *s, enum journal_statement which, int64_t *id)
{
    sqlite3_stmt *q = journal_statement(s->from, which);
    struct journal_row *row;
    int step, rc;

    if (!q)
        return -EUCLEAN;
    (void)sqlite3_bind_int64(q, 1, *id);
    (void)sqlite3_bind_int64(q, 2, 1);
    step = sqlite3_step(q);
    if (step != SQLITE_ROW) {
        (void)sqlite3_reset(q);
        return step == SQLITE_DONE ? 0 : -EUCLEAN;
    }
    row = journal_row_take(q);
    (void)sqlite3_reset(q);
    if (!row)
        return -ENOMEM;
    *id = row->id;
    rc = keep(s, row);
    free(row);
    return rc ? rc : 1;
}

/* The highest id there is, as far as that can be told. */
static int64_t last_id(struct salvage *s)
{
    sqlite3_stmt *q = journal_statement(s->from, s->last);
    int64_t id = INT64_MAX;

    if (q && sqlite3_step(q) == SQLITE_ROW)
        id = sqlite3_column_int64(q, 0);
    if (q)
        (void)sqlite3_reset(q);
    return id;
}

static int copy(struct salvage *s)
{
    int64_t id = 0, last = last_id(s), probe;
    int most = last == INT64_MAX ? BLIND_PROBES_MAX : PROBES_MAX, without = 0, rc;

    if (!journal_statement(s->from, s->next))
        return 0; /* not even the list of tables can be read */
    while (id < last && without < most) {
        probe = id;
        rc = try_row(s, s->next, &probe);
        if (rc == 0)
            return 0; /* the end, or nothing at all */
        if (rc == -EUCLEAN && s->next == JS_READ) {
            probe = id + 1;
            rc = try_row(s, JS_READ_ONE, &probe);
        } else if (rc == -EUCLEAN) {
            probe = id + 1; /* dead letters are few: the next id is tried in order again */
        }
        if (rc < 0 && rc != -EUCLEAN)
            return rc;
        without = rc == 1 ? 0 : without + 1;
        if (rc == -EUCLEAN && last != INT64_MAX)
            ++*s->unreadable;
        id = probe;
    }
    return 0;
}

static void tell(const struct journal_salvaged *out)
{
    char text[ALARM_TEXT], fix[ALARM_TEXT], path[PATH_MAX];
    const char *name;

    memcpy(path, out->aside, sizeof(path));
    name = basename(path);
    (void)snprintf(text, sizeof(text),
                   "a journal file was damaged: %llu events and %llu dead letters were read from "
                   "it, up to %llu could not be",
                   (unsigned long long)out->events, (unsigned long long)out->dead,
                   (unsigned long long)out->unreadable);
    (void)snprintf(fix, sizeof(fix),
                   "check the disk (dmesg, smartctl); keep %s until you know what is missing: "
                   "sqlite3 FILE .recover",
                   name);
    alarm_raise(ALARM_CRITICAL, "journal.damaged", name, text, fix);
}

int journal_salvage(struct journal_file **f, struct journal_salvaged *out)
{
    struct journal_file *from = NULL, *to = NULL;
    char path[PATH_MAX];
    int rc;

    memset(out, 0, sizeof(*out));
    memcpy(path, (*f)->path, sizeof(path));
    rc = journal_file_create(&to, dirname(path));
    if (rc)
        return rc;
    rc = journal_file_look(&from, (*f)->path);
    if (!rc)
        rc = journal_begin(to);
    if (!rc) {
        struct salvage events = {from,      to,           JS_READ,         JS_LAST_ID,
                                 JS_APPEND, &out->events, &out->unreadable};
        struct salvage dead = {from,        to,         JS_READ_DEAD,    JS_LAST_DEAD_ID,
                               JS_ADD_DEAD, &out->dead, &out->unreadable};

        rc = copy(&events);
        if (!rc)
            rc = copy(&dead);
        rc = journal_settle(to, rc);
    }
    /* Closing must not tidy up: the log belongs to the damaged file, for whoever looks later. */
    if (from)
        (void)sqlite3_db_config(from->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    journal_file_close(from);
    if (!rc)
        rc = journal_folder_put_aside((*f)->path, out->aside, sizeof(out->aside));
    if (rc) {
        memcpy(path, to->path, sizeof(path));
        journal_file_close(to);
        journal_folder_remove(path);
        return rc;
    }
    (void)sqlite3_db_config((*f)->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    journal_file_close(*f);
    *f = to;
    tell(out);
    return 0;
}
