/* SPDX-License-Identifier: Apache-2.0 */
/* journal_watch.c - the watcher thread. A disk can keep the writer inside fsync() for as long as it
 * likes; somebody else has to say so.
 *
 * Four times a second it looks: barriers whose second is over are answered with -EIO, those that have
 * waited long enough for PostgreSQL are answered without it, a commit that
 * takes longer than a second raises "journal.disk", refused events raise "journal.full", which is
 * cleared when half of the memory is free again. */
#include "base/log.h"
#include "base/now.h"
#include "base/wait.h"
#include "observe/alarm.h"
#include "store/journal_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { TICK_MS = 250 };

struct barrier *journal_barriers_take(struct journal *j, bool late, uint64_t now_ms)
{
    struct barrier *list = j->barriers, **end = &list;

    /* Both orders are the order of the list: who came first is durable first, and late first. */
    while (*end && (late ? (*end)->deadline_ms <= now_ms : (*end)->after <= j->durable))
        end = &(*end)->next;
    j->barriers = *end;
    *end = NULL;
    if (!j->barriers)
        j->last_barrier = &j->barriers;
    return list;
}

struct barrier *journal_barriers_share(struct journal *j, struct barrier *ready, uint64_t now_ms)
{
    struct barrier **at = &ready, **end = &j->unshared;

    while (*end)
        end = &(*end)->next;
    while (*at) {
        struct barrier *b = *at;

        if (!b->shared || b->after <= j->shipped || !j->told.shipping) {
            at = &b->next;
            continue;
        }
        *at = b->next;
        b->next = NULL;
        b->deadline_ms = now_ms + SHARED_MS;
        *end = b;
        end = &b->next;
        pthread_cond_signal(&j->tick); /* the watcher knows how long that is */
    }
    return ready;
}

struct barrier *journal_barriers_shared(struct journal *j, uint64_t now_ms)
{
    struct barrier *list = j->unshared, **end = &list;

    while (*end && ((*end)->after <= j->shipped || (*end)->deadline_ms <= now_ms))
        end = &(*end)->next;
    j->unshared = *end;
    *end = NULL;
    return list;
}

void journal_barriers_call(struct barrier *list, int rc)
{
    while (list) {
        struct barrier *b = list;

        list = b->next;
        b->fn(b->arg, rc);
        free(b);
    }
}

static void tell_full(uint64_t lost)
{
    char text[ALARM_TEXT];

    (void)snprintf(text, sizeof(text),
                   "the journal's memory is full and events are refused: %llu so far",
                   (unsigned long long)lost);
    alarm_raise(ALARM_CRITICAL, "journal.full", "", text,
                "free or repair the disk of the data folder; new calls get the fallback meanwhile");
}

static void sleep_until_tick(struct journal *j, uint64_t now_ms)
{
    uint64_t until = now_ms + TICK_MS;

    if (j->barriers && j->barriers->deadline_ms < until)
        until = j->barriers->deadline_ms;
    if (j->unshared && j->unshared->deadline_ms < until)
        until = j->unshared->deadline_ms;
    (void)wait_until(&j->tick, &j->lock, until * 1000);
}

void *journal_watcher_main(void *arg)
{
    struct journal *j = arg;
    bool full = false;

    (void)pthread_setname_np(pthread_self(), "journal-watch");
    pthread_mutex_lock(&j->lock);
    while (j->watching) {
        uint64_t now_ms = monotonic_ms();
        struct barrier *late = journal_barriers_take(j, true, now_ms);
        struct barrier *unshared = journal_barriers_shared(j, now_ms);
        bool refused = j->refused;
        bool stuck = j->commit_began_ms && now_ms - j->commit_began_ms > BARRIER_MS && j->disk == 0;

        j->refused = false;
        if (stuck)
            j->disk = -ETIMEDOUT;
        pthread_mutex_unlock(&j->lock);
        journal_barriers_call(late, -EIO);
        journal_barriers_call(unshared, 0);
        if (stuck)
            alarm_raise(ALARM_CRITICAL, "journal.disk", "",
                        "the disk of the data folder has not answered for a second",
                        "look at the disk (iostat, dmesg); events wait in memory");
        if (refused)
            tell_full(atomic_load(&j->lost));
        else if (full && journal_accepts(j))
            alarm_clear("journal.full", "");
        full = refused || (full && !journal_accepts(j));
        pthread_mutex_lock(&j->lock);
        if (j->watching)
            sleep_until_tick(j, now_ms);
    }
    pthread_mutex_unlock(&j->lock);
    return NULL;
}
