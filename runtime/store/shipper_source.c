/* SPDX-License-Identifier: Apache-2.0 */
/* shipper_source.c - the files that are shipped: the live journal's, lent by it for moments, and
 * those whose process is gone, owned here by their lock.
 *
 * The folder is looked through every 1.5 seconds, for a call goes on two seconds after its process
 * is gone, if all is well. A file without an owner is adopted, looked at for damage (and what can be
 * read saved into a new one), and removed when it is empty.
 *   - the own file is damaged: the journal is told, and replaces it; ids read before mean nothing
 *     any more (`generation`), so what was in flight is read and sent again
 *   - shipped events cannot be taken away (full disk): shipping goes on behind them */
#include "base/err.h"
#include "base/log.h"
#include "base/now.h"
#include "observe/alarm.h"
#include "store/journal_folder.h"
#include "store/journal_salvage.h"
#include "store/shipper_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SCAN_MS = 1500, TELL_MS = 500, CHECKPOINT_MS = 1000 };

/* ---- using one ---- */

static struct journal_file *begin(struct shipper *s, struct source *from, uint64_t *generation)
{
    *generation = from->generation;
    return from->file ? from->file : journal_reader_begin(s->opts.journal, generation);
}

static void end(struct shipper *s, struct source *from)
{
    if (!from->file)
        journal_reader_end(s->opts.journal);
}

/* Damage is mended; everything else is told and tried again. */
static int file_trouble(struct shipper *s, struct source *from, int rc)
{
    struct journal_salvaged salvaged;

    if (rc == -EUCLEAN && !from->file) {
        journal_reader_damaged(s->opts.journal);
    } else if (rc == -EUCLEAN) {
        rc = journal_salvage(&from->file, &salvaged);
        from->shipped = from->acknowledged = 0;
    }
    return shipper_trouble(s, TROUBLE_DISK, "a journal file cannot be used (%s)", rd_strerror(rc));
}

int source_read(struct shipper *s, struct source *from, struct journal_row **rows)
{
    uint64_t generation;
    struct journal_file *f = begin(s, from, &generation);
    int n = 0;

    if (generation != from->generation) {
        from->generation = generation;
        from->shipped = from->acknowledged = 0;
    }
    if (f)
        n = journal_file_read(f, from->shipped, s->batch_max, BATCH_BYTES, rows);
    end(s, from);
    return n < 0 ? file_trouble(s, from, n) : n;
}

static const char dead_fix[] =
    "ringdown journal shows it; once the cause is mended: ringdown journal retry ID";

static void tell_dead(const struct journal_row *row, const char *reason)
{
    char text[ALARM_TEXT];
    bool conflict = strncmp(reason, "conflict", 8) == 0;

    (void)snprintf(text, sizeof(text), "event %s/%llu/%u (%s) is not taken by the database: %s",
                   row->event.stream.p, (unsigned long long)row->event.epoch, row->event.seq,
                   row->event.type, reason);
    alarm_raise(ALARM_WARNING, conflict ? "journal.conflict" : "journal.dead", "", text, dead_fix);
}

int source_bury(struct shipper *s, struct source *from, const struct journal_row *row,
                const char *reason)
{
    uint64_t generation;
    struct journal_file *f = begin(s, from, &generation);
    int rc = f && generation == from->generation ? journal_file_bury(f, row->id, reason) : -ESTALE;

    end(s, from);
    if (rc == -ESTALE)
        return shipper_trouble(s, TROUBLE_DISK, "the journal file was replaced");
    if (rc)
        return file_trouble(s, from, rc);
    tell_dead(row, reason);
    s->dead_told = true;
    return 0;
}

void source_acknowledge(struct shipper *s, struct source *from, int64_t id)
{
    uint64_t generation;
    struct journal_file *f = begin(s, from, &generation);
    int rc = 0;

    if (f && generation == from->generation) {
        from->shipped = id;
        rc = journal_file_acknowledge(f, id);
        if (!rc)
            from->acknowledged = id;
    }
    end(s, from);
    if (rc == -EUCLEAN)
        (void)file_trouble(s, from, rc);
    else if (rc)
        log_warn("journal.acknowledge", F_ERR(rc),
                 F_FIX("free some space on the disk of the data folder; shipping goes on"));
}

void source_checkpoint(struct shipper *s, struct source *from)
{
    uint64_t generation;
    struct journal_file *f = begin(s, from, &generation);

    if (f)
        (void)journal_file_checkpoint(f);
    end(s, from);
    if (from->shipped > from->acknowledged)
        source_acknowledge(s, from, from->shipped);
}

/* ---- finding them ---- */

static void adopt(struct shipper *s, struct journal_file *f)
{
    struct source *from = calloc(1, sizeof(*from)), **end_of = &s->others;
    char why[128];

    if (!from) {
        journal_file_close(f);
        return;
    }
    from->file = f;
    if (journal_file_verify(f, why, sizeof(why)) == -EUCLEAN) {
        log_warn("journal.damaged", F_STR("path", journal_file_path(f)), F_STR("why", why),
                 F_FIX("what can be read is being saved"));
        (void)file_trouble(s, from, -EUCLEAN);
    }
    log_info("journal.adopted", F_STR("path", journal_file_path(from->file)));
    while (*end_of)
        end_of = &(*end_of)->next;
    *end_of = from;
}

static bool is_ours(const struct shipper *s, const char *path)
{
    for (const struct source *from = s->others; from; from = from->next)
        if (strcmp(journal_file_path(from->file), path) == 0)
            return true;
    return false;
}

static void count_foreign(struct shipper *s, const char *path)
{
    struct journal_counts c;
    struct journal_file *f = NULL;

    if (journal_file_look(&f, path) != 0)
        return;
    if (journal_file_counts(f, &c) == 0) {
        s->foreign.events += c.events;
        s->foreign.dead += c.dead;
        if (c.oldest_us && (!s->foreign.oldest_us || c.oldest_us < s->foreign.oldest_us))
            s->foreign.oldest_us = c.oldest_us;
    }
    journal_file_close(f);
}

/* The path of the live journal's file; "" when there is none. */
static void own_path(struct shipper *s, char *path, size_t cap)
{
    uint64_t generation;
    struct journal_file *f = journal_reader_begin(s->opts.journal, &generation);

    (void)rd_str_copy(path, cap, rd_str(f ? journal_file_path(f) : ""));
    journal_reader_end(s->opts.journal);
}

/* What is empty is removed. Dead letters keep their file, and us as its owner. */
static void drop_shipped(struct shipper *s)
{
    struct source **at = &s->others, *gone;
    struct journal_counts c;

    while (*at) {
        if (journal_file_counts((*at)->file, &c) != 0 || c.events > 0 || c.dead > 0) {
            at = &(*at)->next;
            continue;
        }
        gone = *at;
        *at = gone->next;
        journal_file_finish(gone->file);
        free(gone);
    }
}

void sources_scan(struct shipper *s)
{
    uint64_t now_ms = monotonic_ms();
    char own[PATH_MAX], **paths = NULL;
    int n;

    if (s->scanned_ms && now_ms - s->scanned_ms < SCAN_MS)
        return;
    s->scanned_ms = now_ms;
    s->foreign = (struct journal_counts){0};
    own_path(s, own, sizeof(own));
    n = journal_folder_list(s->folder, &paths);
    for (int i = 0; i < n; i++) {
        struct journal_file *f = NULL;
        int rc;

        if (strcmp(paths[i], own) == 0 || is_ours(s, paths[i]))
            continue;
        rc = journal_file_adopt(&f, paths[i]);
        if (rc == 0)
            adopt(s, f);
        else if (rc == -EBUSY)
            count_foreign(s, paths[i]);
        else if (rc != -ENOENT)
            log_warn("journal.adopt", F_STR("path", paths[i]), F_ERR(rc),
                     F_FIX("make the file readable and writable for this user"));
    }
    journal_folder_free(paths, n);
    drop_shipped(s);
}

void sources_close(struct shipper *s)
{
    struct source *from;

    while ((from = s->others) != NULL) {
        s->others = from->next;
        journal_file_finish(from->file);
        free(from);
    }
}

static void add_counts(struct shipper *s, struct source *from, struct journal_report *r)
{
    struct journal_counts c = {0};
    uint64_t generation;
    struct journal_file *f = begin(s, from, &generation);
    int rc = f ? journal_file_counts(f, &c) : -ENOENT;

    end(s, from);
    if (rc)
        return;
    r->kept += c.events;
    r->dead += c.dead;
    if (c.oldest_us && (!r->oldest_us || c.oldest_us < r->oldest_us))
        r->oldest_us = c.oldest_us;
}

/* What an earlier process left is still to be looked at. */
static void tell_inherited(struct shipper *s, uint64_t n)
{
    char text[ALARM_TEXT];

    s->dead_told = true;
    (void)snprintf(text, sizeof(text), "%llu events are not taken by the database",
                   (unsigned long long)n);
    alarm_raise(ALARM_WARNING, "journal.dead", "", text, dead_fix);
}

/* Sent again, or looked at and thrown away: the alarms are over. */
static void clear_dead(struct shipper *s)
{
    s->dead_told = false;
    alarm_clear("journal.dead", "");
    alarm_clear("journal.conflict", "");
}

void sources_tell(struct shipper *s)
{
    struct journal_report r = {.kept = s->foreign.events,
                               .dead = s->foreign.dead,
                               .oldest_us = s->foreign.oldest_us,
                               .shipping = s->pg && s->trouble == TROUBLE_NONE,
                               .database_error = s->why};
    uint64_t now_ms = monotonic_ms();

    if (s->told_ms && now_ms - s->told_ms < TELL_MS)
        return;
    s->told_ms = now_ms;
    r.committed = journal_committed(s->opts.journal);
    add_counts(s, &s->own, &r);
    for (struct source *from = s->others; from; from = from->next)
        add_counts(s, from, &r);
    if (r.dead == 0 && s->dead_told)
        clear_dead(s);
    else if (r.dead > s->foreign.dead && !s->dead_told)
        tell_inherited(s, r.dead - s->foreign.dead);
    journal_report(s->opts.journal, &r);
    if (now_ms - s->checkpoint_ms >= CHECKPOINT_MS) {
        s->checkpoint_ms = now_ms;
        source_checkpoint(s, &s->own);
    }
}
