/* SPDX-License-Identifier: Apache-2.0 */
/* recorder.c - the recorder thread.
 *
 * - a recording is handed over by a short list under a lock: once per call, at its start. From then
 *   on its ring is all that media thread and recorder share (recording.c).
 * - every ROUND_MS each recording is looked after; with none, the thread sleeps.
 * - the first thing it does is to mend what a crash left, and to add up what is there. */
#include "base/err.h"
#include "base/log.h"
#include "base/now.h"
#include "base/urgent.h"
#include "base/wait.h"
#include "store/recorder_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROUND_MS = 40 };

void recorder_add(struct recorder *r, struct recording *rec)
{
    pthread_mutex_lock(&r->lock);
    rec->next = r->fresh;
    r->fresh = rec;
    pthread_cond_signal(&r->wake);
    pthread_mutex_unlock(&r->lock);
}

static void round_of(struct recorder *r, bool stopping)
{
    struct recording **link = &r->active;

    while (*link) {
        struct recording *rec = *link;
        uint64_t over = atomic_load_explicit(&rec->over_us, memory_order_acquire);

        if (!over && stopping)
            over = clock_us(rec->clock);
        if (!over) {
            recording_take_in(r, rec);
            link = &rec->next;
            continue;
        }
        *link = rec->next;
        recording_finish_all(r, rec, over);
    }
}

static void on_found(void *arg, const struct recording_found *f)
{
    struct recorder *r = arg;
    uint64_t sound = f->bytes > RECORDING_HEADER ? f->bytes - RECORDING_HEADER : 0;
    struct recording_fact fact = {.path = f->bytes ? f->path : "",
                                  .bytes = f->bytes,
                                  .duration_ms = (uint32_t)(sound / RECORDING_BYTES_PER_MS),
                                  .state = f->bytes ? "cut" : "failed",
                                  .why = "crash"};
    const char *name = strrchr(f->path, '/') + 1;
    char sid[RECORDING_SID];

    r->bytes += f->bytes;
    if (!f->mended)
        return;
    (void)snprintf(sid, sizeof(sid), "%.*s", (int)strcspn(name, "-"), name);
    log_warn("recording.mended", F_CALL(sid), F_INT("dur_ms", fact.duration_ms),
             F_FIX("nothing to do: it ends where the program was killed"));
    r->o.done(r->o.arg, NULL, sid, &fact);
}

/* Takes over what is new; sleeps without a limit when there is nothing to do. */
static bool wait_for_work(struct recorder *r)
{
    uint64_t until_us = monotonic_us() + ROUND_MS * 1000;
    bool stopping, in_time = true;

    pthread_mutex_lock(&r->lock);
    while (!r->stopping && !r->fresh && in_time)
        if (r->active)
            in_time = wait_until(&r->wake, &r->lock, until_us);
        else
            (void)pthread_cond_wait(&r->wake, &r->lock);
    while (r->fresh) {
        struct recording *rec = r->fresh;

        r->fresh = rec->next;
        rec->next = r->active;
        r->active = rec;
    }
    stopping = r->stopping;
    pthread_mutex_unlock(&r->lock);
    return !stopping;
}

static void *run(void *arg)
{
    struct recorder *r = arg;

    (void)pthread_setname_np(pthread_self(), "recorder");
    patient_thread();
    recording_scan(r->data, on_found, r);
    while (wait_for_work(r))
        round_of(r, false);
    round_of(r, true);
    return NULL;
}

/* --- the recorder --- */

static void recorder_free(struct recorder *r)
{
    pthread_cond_destroy(&r->wake);
    pthread_mutex_destroy(&r->lock);
    free(r);
}

int recorder_start(struct recorder **out, const struct recorder_opts *o)
{
    struct recorder *r = calloc(1, sizeof(*r));
    int rc;

    if (!r)
        return -ENOMEM;
    r->o = *o;
    if (r->o.min_free_bytes == 0)
        r->o.min_free_bytes = RECORDER_MIN_FREE;
    pthread_mutex_init(&r->lock, NULL);
    wait_init(&r->wake);
    rc = rd_str_copy(r->data, sizeof(r->data), rd_str(o->data)) ? 0 : RD_ETOOBIG;
    if (!rc)
        rc = -pthread_create(&r->thread, NULL, run, r);
    if (rc) {
        recorder_free(r);
        return rc;
    }
    *out = r;
    return 0;
}

void recorder_stop(struct recorder *r)
{
    if (!r)
        return;
    pthread_mutex_lock(&r->lock);
    r->stopping = true;
    pthread_cond_signal(&r->wake);
    pthread_mutex_unlock(&r->lock);
    pthread_join(r->thread, NULL);
    recorder_free(r);
}
