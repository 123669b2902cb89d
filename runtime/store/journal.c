/* SPDX-License-Identifier: Apache-2.0 */
/* journal.c - the queue in front of the disk.
 *
 *   journal_append()  copies the event to the end of the queue and returns
 *   journal_write.c   the writer thread: everything that waits, in one commit
 *   journal_watch.c   the watcher thread: tells who waits for a barrier, and everybody, when the
 *                     writer is stuck in the kernel and cannot tell it itself
 *   shipper.c         reads the file through a connection of its own (journal_reader.h)
 *
 * Failure modes
 * - memory_max is reached: the event is refused, counted, and the watcher raises "journal.full"
 * - everything else that happens to the disk is the writer's business */
#include "store/journal.h"

#include "base/err.h"
#include "base/json_out.h"
#include "base/log.h"
#include "base/now.h"
#include "base/wait.h"
#include "observe/metrics.h"
#include "store/journal_private.h"
#include "store/journal_reader.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { MEMORY_MAX = 64 << 20 };

/* ---- appending ---- */

int journal_body_cut(struct rd_str body, struct buf *out)
{
    size_t head = CUT_HEAD;
    int rc;

    /* Escaping may make the head longer than the whole may be: then less of it is kept. */
    do {
        while (head > 0 && ((unsigned char)body.p[head] & 0xC0) == 0x80)
            head--; /* never in the middle of a character */
        buf_clear(out);
        rc = json_add_object(out, JSON_MEMBERS(J_BOOL("cut", true), J_INT("bytes", body.n),
                                               J_TEXT("head", ((struct rd_str){body.p, head}))));
        head /= 2;
    } while (rc == RD_EFULL && head > 0);
    return rc;
}

static struct item *item_new(const struct journal_event *e, struct rd_str body)
{
    size_t type_n = strlen(e->type);
    size_t n_bytes = sizeof(struct item) + e->stream.n + type_n + body.n + 3;
    struct item *i = malloc(n_bytes);
    char *at;

    if (!i)
        return NULL;
    *i = (struct item){.born_us = monotonic_us(), .n_bytes = n_bytes, .event = *e};
    at = i->text;
    memcpy(at, e->type, type_n + 1);
    i->event.type = at;
    at += type_n + 1;
    memcpy(at, e->stream.p, e->stream.n);
    i->event.stream.p = at;
    at += e->stream.n;
    if (body.n > 0)
        memcpy(at, body.p, body.n);
    i->event.body = (struct rd_str){at, body.n};
    return i;
}

static int item_make(struct item **out, const struct journal_event *e)
{
    struct buf cut;
    int rc = 0;

    *out = NULL;
    if (e->stream.n == 0 || e->stream.n >= JOURNAL_STREAM || !e->type || !*e->type)
        return -EINVAL;
    if (e->body.n <= JOURNAL_BODY_MAX) {
        *out = item_new(e, e->body);
        return *out ? 0 : -ENOMEM;
    }
    buf_init(&cut, JOURNAL_BODY_MAX);
    rc = journal_body_cut(e->body, &cut);
    if (!rc) {
        *out = item_new(e, (struct rd_str){cut.data, cut.n});
        rc = *out ? 0 : -ENOMEM;
    }
    buf_fini(&cut);
    return rc;
}

static int refuse(struct journal *j, int rc)
{
    atomic_fetch_add(&j->lost, 1);
    pthread_mutex_lock(&j->lock);
    j->refused = true;
    pthread_mutex_unlock(&j->lock);
    return rc;
}

int journal_append(struct journal *j, const struct journal_event *e)
{
    struct item *i;
    int rc = item_make(&i, e);

    if (rc)
        return refuse(j, rc);
    pthread_mutex_lock(&j->lock);
    if (atomic_load(&j->n_bytes) + i->n_bytes > j->memory_max) {
        pthread_mutex_unlock(&j->lock);
        free(i);
        return refuse(j, RD_EFULL);
    }
    atomic_fetch_add(&j->n_bytes, i->n_bytes);
    *j->last = i;
    j->last = &i->next;
    j->appended++;
    pthread_cond_signal(&j->work);
    pthread_mutex_unlock(&j->lock);
    return 0;
}

static int add_barrier(struct journal *j, bool shared, journal_durable_fn *fn, void *arg)
{
    struct barrier *b = malloc(sizeof(*b));

    if (!b)
        return -ENOMEM;
    pthread_mutex_lock(&j->lock);
    *b = (struct barrier){.after = j->appended,
                          .deadline_ms = monotonic_ms() + BARRIER_MS,
                          .shared = shared,
                          .fn = fn,
                          .arg = arg};
    *j->last_barrier = b;
    j->last_barrier = &b->next;
    pthread_cond_signal(&j->work);
    pthread_mutex_unlock(&j->lock);
    return 0;
}

int journal_barrier(struct journal *j, journal_durable_fn *fn, void *arg)
{
    return add_barrier(j, false, fn, arg);
}

int journal_barrier_shared(struct journal *j, journal_durable_fn *fn, void *arg)
{
    return add_barrier(j, true, fn, arg);
}

bool journal_accepts(const struct journal *j)
{
    return atomic_load(&j->n_bytes) < j->memory_max / 2;
}

/* ---- for the shipper ---- */

void journal_reader_open(struct journal *j)
{
    journal_file_close(j->reader);
    j->reader = NULL;
    if (j->file)
        (void)journal_file_look(&j->reader, journal_file_path(j->file));
}

struct journal_file *journal_reader_begin(struct journal *j, uint64_t *generation)
{
    pthread_mutex_lock(&j->files);
    *generation = j->generation;
    return j->reader;
}

void journal_reader_end(struct journal *j)
{
    pthread_mutex_unlock(&j->files);
}

void journal_reader_damaged(struct journal *j)
{
    pthread_mutex_lock(&j->lock);
    j->damaged = true;
    pthread_cond_signal(&j->work);
    pthread_mutex_unlock(&j->lock);
}

void journal_wait(struct journal *j, uint64_t *seen, uint32_t wait_ms)
{
    uint64_t deadline_us = monotonic_us() + (uint64_t)wait_ms * 1000;
    uint64_t wakes;

    pthread_mutex_lock(&j->lock);
    wakes = j->wakes;
    while (j->commits == *seen && j->wakes == wakes && monotonic_us() < deadline_us)
        (void)wait_until(&j->committed, &j->lock, deadline_us);
    *seen = j->commits;
    pthread_mutex_unlock(&j->lock);
}

void journal_wake(struct journal *j)
{
    pthread_mutex_lock(&j->lock);
    j->wakes++;
    pthread_cond_broadcast(&j->committed);
    pthread_mutex_unlock(&j->lock);
}

uint64_t journal_committed(struct journal *j)
{
    uint64_t n;

    pthread_mutex_lock(&j->lock);
    n = j->durable;
    pthread_mutex_unlock(&j->lock);
    return n;
}

void journal_shipped(struct journal *j, uint64_t n)
{
    struct barrier *ready;

    pthread_mutex_lock(&j->lock);
    if (n > j->shipped)
        j->shipped = n;
    ready = journal_barriers_shared(j, 0);
    pthread_mutex_unlock(&j->lock);
    journal_barriers_call(ready, 0);
}

void journal_report(struct journal *j, const struct journal_report *r)
{
    pthread_mutex_lock(&j->lock);
    j->told.kept = r->kept;
    j->told.dead = r->dead;
    j->told.shipping = r->shipping;
    j->oldest_us = r->oldest_us;
    j->told_at = r->committed;
    (void)snprintf(j->told.database_error, sizeof(j->told.database_error), "%s", r->database_error);
    pthread_mutex_unlock(&j->lock);
}

void journal_gauges(struct journal *j, struct journal_gauges *out)
{
    uint64_t now_us = unix_us(), oldest_us;

    pthread_mutex_lock(&j->lock);
    *out = j->told;
    out->waiting = j->appended - j->durable;
    out->kept += j->durable - j->told_at;
    out->disk = j->disk;
    oldest_us = j->oldest_us;
    pthread_mutex_unlock(&j->lock);
    out->oldest_age_ms = oldest_us && oldest_us < now_us ? (now_us - oldest_us) / 1000 : 0;
    out->lost = atomic_load(&j->lost);
    out->append_p99_us = metric_summarise(H_JOURNAL_APPEND_US).p99;
}

/* ---- starting and stopping ---- */

static void journal_free(struct journal *j)
{
    struct item *i;

    journal_file_close(j->reader);
    journal_file_finish(j->file);
    while ((i = j->first) != NULL) {
        j->first = i->next;
        free(i);
    }
    pthread_cond_destroy(&j->work);
    pthread_cond_destroy(&j->committed);
    pthread_cond_destroy(&j->tick);
    pthread_mutex_destroy(&j->lock);
    pthread_mutex_destroy(&j->files);
    free(j);
}

static struct journal *journal_new(const struct journal_opts *o)
{
    struct journal *j = calloc(1, sizeof(*j));

    if (!j)
        return NULL;
    j->memory_max = o->memory_max ? o->memory_max : MEMORY_MAX;
    j->last = &j->first;
    j->last_barrier = &j->barriers;
    j->watching = true;
    j->generation = 1;
    pthread_mutex_init(&j->lock, NULL);
    pthread_mutex_init(&j->files, NULL);
    wait_init(&j->work);
    wait_init(&j->committed);
    wait_init(&j->tick);
    return j;
}

static void end_watcher(struct journal *j)
{
    pthread_mutex_lock(&j->lock);
    j->watching = false;
    pthread_cond_signal(&j->tick);
    pthread_mutex_unlock(&j->lock);
    (void)pthread_join(j->watcher, NULL);
}

static int start_threads(struct journal *j)
{
    int rc = pthread_create(&j->watcher, NULL, journal_watcher_main, j);

    if (rc)
        return -rc;
    rc = pthread_create(&j->writer, NULL, journal_writer_main, j);
    if (rc)
        end_watcher(j);
    return -rc;
}

int journal_start(struct journal **out, const struct journal_opts *o, char *why, size_t cap)
{
    struct journal *j = journal_new(o);
    int rc = 0;

    if (!j)
        return -ENOMEM;
    if (!rd_str_copy(j->folder, sizeof(j->folder), rd_str(o->folder)))
        rc = -ENAMETOOLONG;
    else if (mkdir(o->folder, 0700) != 0 && errno != EEXIST)
        rc = -errno;
    if (!rc)
        rc = journal_file_create(&j->file, o->folder);
    if (!rc)
        rc = journal_file_look(&j->reader, journal_file_path(j->file));
    if (!rc)
        rc = start_threads(j);
    if (rc) {
        (void)snprintf(why, cap,
                       "the journal cannot write to %s (%s): make it a folder of this user on a "
                       "disk with room",
                       o->folder, rd_strerror(rc));
        journal_free(j);
        return rc;
    }
    *out = j;
    return 0;
}

void journal_stop(struct journal *j)
{
    struct barrier *left, *unshared;

    if (!j)
        return;
    pthread_mutex_lock(&j->lock);
    j->stopping = true;
    pthread_cond_broadcast(&j->work);
    pthread_mutex_unlock(&j->lock);
    (void)pthread_join(j->writer, NULL);
    end_watcher(j);
    left = j->barriers;
    j->barriers = NULL;
    journal_barriers_call(left, -EIO);
    unshared = j->unshared;
    j->unshared = NULL;
    journal_barriers_call(unshared, 0);
    journal_free(j);
}
