/* SPDX-License-Identifier: Apache-2.0 */
/* journal_write.c - the writer thread: all that waits goes to the disk in one commit, at once when
 * it was idle. While one commit waits for the disk the next group gathers, so the load decides the
 * size of the groups and nobody waits for a timer.
 *
 * Failure modes: events stay in the queue, "journal.disk" is open until a commit succeeds.
 * - the disk is full, memory is short, another process is in the way: again every 250 ms
 * - an I/O error: the kernel forgets pages that it could not write, so a second fsync() of the same
 *   file would lie. A new file is begun; the old one is shipped like one of a dead process
 * - the file is damaged: what can be read of it goes into a new one (journal_salvage.h)
 * - the journal stops while nothing can be written: after 5 s what waits is lost, counted and told */
#include "base/err.h"
#include "base/log.h"
#include "base/now.h"
#include "base/urgent.h"
#include "observe/alarm.h"
#include "observe/metrics.h"
#include "store/journal_private.h"
#include "store/journal_salvage.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* A new file each second is enough when no file works. */
enum { NEW_FILE_EVERY = 4 };

struct group {
    struct item *items[COMMIT_MAX]; /* borrows: they stay in the queue until they are durable */
    const struct journal_event *events[COMMIT_MAX];
    size_t n;
};

/* ---- the queue's end ---- */

static bool has_work(const struct journal *j)
{
    return j->first || j->damaged || (j->barriers && j->barriers->after <= j->durable);
}

/* False: stopping, and everything is written. */
static bool gather(struct journal *j, struct group *g)
{
    bool more;

    g->n = 0;
    pthread_mutex_lock(&j->lock);
    while (!has_work(j) && !j->stopping)
        (void)pthread_cond_wait(&j->work, &j->lock);
    for (struct item *i = j->first; i && g->n < COMMIT_MAX; i = i->next) {
        g->items[g->n] = i;
        g->events[g->n++] = &i->event;
    }
    more = has_work(j);
    j->commit_began_ms = g->n ? monotonic_ms() : 0;
    pthread_mutex_unlock(&j->lock);
    return more;
}

/* Returns whether the disk had been failing. */
static bool durable(struct journal *j, const struct group *g)
{
    struct barrier *ready;
    bool was_failing;

    pthread_mutex_lock(&j->lock);
    if (g->n > 0) {
        j->first = g->items[g->n - 1]->next;
        if (!j->first)
            j->last = &j->first;
        j->durable += g->n;
        j->commits++;
        pthread_cond_broadcast(&j->committed);
    }
    j->commit_began_ms = 0;
    was_failing = j->disk != 0;
    j->disk = 0;
    ready = journal_barriers_share(j, journal_barriers_take(j, false, 0), monotonic_ms());
    pthread_mutex_unlock(&j->lock);
    journal_barriers_call(ready, 0);
    return was_failing;
}

static void forget(struct journal *j, const struct group *g)
{
    uint64_t now_us = monotonic_us();
    size_t n_bytes = 0;

    for (size_t i = 0; i < g->n; i++) {
        metric_observe(H_JOURNAL_APPEND_US, now_us - g->items[i]->born_us);
        n_bytes += g->items[i]->n_bytes;
        free(g->items[i]);
    }
    atomic_fetch_sub(&j->n_bytes, n_bytes);
}

/* ---- a file that does not work any more ---- */

static int replace_damaged(struct journal *j)
{
    struct journal_salvaged salvaged;
    int rc;

    pthread_mutex_lock(&j->files);
    journal_file_close(j->reader);
    j->reader = NULL;
    rc = journal_salvage(&j->file, &salvaged);
    if (!rc)
        j->generation++;
    journal_reader_open(j);
    pthread_mutex_unlock(&j->files);
    pthread_mutex_lock(&j->lock);
    j->damaged = j->damaged && rc != 0;
    pthread_mutex_unlock(&j->lock);
    return rc;
}

static int begin_new_file(struct journal *j)
{
    struct journal_file *fresh = NULL;
    int rc = journal_file_create(&fresh, j->folder);

    if (rc)
        return rc;
    pthread_mutex_lock(&j->files);
    journal_file_close(j->reader);
    j->reader = NULL;
    journal_file_close(j->file); /* its lock is free: the shipper takes it up */
    j->file = fresh;
    j->generation++;
    journal_reader_open(j);
    pthread_mutex_unlock(&j->files);
    log_warn("journal.file", F_STR("path", journal_file_path(fresh)),
             F_FIX("the file before it could not be written: look at the disk (dmesg)"));
    return 0;
}

static void tell_disk(int rc)
{
    char text[ALARM_TEXT];
    const char *fix = "look at the disk (dmesg, smartctl); events wait in memory";

    if (rc == -ENOSPC)
        fix = "free some space on the disk of the data folder; events wait in memory";
    else if (rc == -EROFS)
        fix = "make the data folder writable (mount, owner, mode); events wait in memory";
    (void)snprintf(text, sizeof(text), "the journal cannot write: %s", rd_strerror(rc));
    alarm_raise(ALARM_CRITICAL, "journal.disk", "", text, fix);
}

/* Returns whether it is worth trying at once. */
static bool mend(struct journal *j, int rc, uint64_t failures)
{
    if (rc == -EUCLEAN)
        return replace_damaged(j) == 0;
    if ((rc == -EIO || rc == -EROFS) && failures % NEW_FILE_EVERY == 0)
        return begin_new_file(j) == 0;
    return false;
}

static void pause_ms(uint32_t ms)
{
    struct timespec t = {.tv_nsec = (long)ms * 1000000};

    (void)nanosleep(&t, NULL);
}

/* ---- the thread ---- */

static bool out_of_time(struct journal *j, uint64_t *give_up_ms)
{
    bool stopping;

    pthread_mutex_lock(&j->lock);
    stopping = j->stopping;
    pthread_mutex_unlock(&j->lock);
    if (stopping && !*give_up_ms)
        *give_up_ms = monotonic_ms() + STOP_MS;
    return *give_up_ms && monotonic_ms() >= *give_up_ms;
}

static void failed(struct journal *j, int rc, uint64_t *failures)
{
    pthread_mutex_lock(&j->lock);
    j->disk = rc;
    j->commit_began_ms = 0;
    pthread_mutex_unlock(&j->lock);
    /* Twice in a row without a commit between is no longer an accident to be mended at once. */
    if (mend(j, rc, *failures) && *failures == 0) {
        ++*failures;
        pthread_mutex_lock(&j->lock);
        j->disk = 0;
        pthread_mutex_unlock(&j->lock);
        return;
    }
    ++*failures;
    tell_disk(rc);
    pause_ms(RETRY_MS);
}

static void count_lost(struct journal *j)
{
    uint64_t n = j->appended - j->durable;

    if (n == 0)
        return;
    atomic_fetch_add(&j->lost, n);
    log_error("journal.lost", F_INT("events", n),
              F_FIX("the disk of the data folder could not be written when the node stopped"));
}

static int commit(struct journal *j, const struct group *g)
{
    bool damaged;

    pthread_mutex_lock(&j->lock);
    damaged = j->damaged;
    pthread_mutex_unlock(&j->lock);
    if (damaged)
        return -EUCLEAN;
    return g->n ? journal_file_append(j->file, g->events, g->n) : 0;
}

void *journal_writer_main(void *arg)
{
    struct journal *j = arg;
    struct group g;
    uint64_t failures = 0, give_up_ms = 0;

    (void)pthread_setname_np(pthread_self(), "journal");
    patient_thread();
    while (gather(j, &g)) {
        int rc = commit(j, &g);

        if (rc == 0) {
            failures = 0;
            if (durable(j, &g))
                alarm_clear("journal.disk", "");
            forget(j, &g);
        } else if (out_of_time(j, &give_up_ms)) {
            break;
        } else {
            failed(j, rc, &failures);
        }
    }
    count_lost(j);
    return NULL;
}
