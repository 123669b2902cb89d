/* SPDX-License-Identifier: Apache-2.0 */
/* asker.c - a queue of questions, a list of idle connections, and a few threads between them.
 *
 *   ask ─▶ queue ─▶ thread: an idle connection of that role ─ else a new one ─▶ answer ─▶ done()
 *                     └─ as many questions as one role may have at once; others go past it
 *
 * - connections are in asker_links.c, answers in answer.c
 * - a connection broke, or its answer was too large: it is closed; the next question opens another
 * - the server hangs: patience_ms for each question, and the queue is bounded */
#include "store/asker_private.h"

#include "base/err.h"
#include "base/now.h"
#include "base/urgent.h"
#include "base/wait.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { THREADS = 3, QUEUE = 256, PATIENCE_MS = 4000, IDLE_MS = 60000, ROWS = 1000 };

/* ---- the threads ---- */

static void answer_with(struct waiting *w, struct answer *a, int rc, const char *why)
{
    if (a) {
        a->rc = rc;
        (void)snprintf(a->why, sizeof(a->why), "%s", why);
    }
    w->done(w->arg, a);
}

static void free_waiting(struct waiting *w)
{
    for (int i = 0; w->params && i < w->n_params; i++)
        free(w->params[i]);
    free(w->params);
    free(w->sql);
    free(w);
}

static void ask_now(struct asker *a, struct waiting *w)
{
    struct pg_statement s = {w->sql, w->n_params, (const char *const *)w->params};
    struct answer *answer = answer_new(w->bytes_max);
    struct link *l = NULL;
    char why[512] = "not enough memory";
    int rc = answer ? 0 : -ENOMEM;

    if (!rc && atomic_load(&a->hushed)) {
        rc = RD_EGONE;
        (void)snprintf(why, sizeof(why), "the node is ending");
    }
    if (!rc)
        rc = link_take(a, w->role, &l, why, sizeof(why));
    if (rc) {
        answer_with(w, answer, rc, why);
        return;
    }
    rc = answer_read(answer, l->pg, &s, w->rows_max);
    answer_with(w, answer, rc, rc ? pg_message(l->pg) : "");
    link_give(a, l);
}

/* With the lock held: the first question whose role may have one more; NULL: none. */
static struct waiting *take_waiting(struct asker *a)
{
    for (struct waiting **at = &a->first; *at; at = &(*at)->next) {
        struct waiting *w = *at;

        if (w->role->busy >= a->o.per_role)
            continue;
        *at = w->next;
        if (a->last == &w->next)
            a->last = at;
        a->n_waiting--;
        return w;
    }
    return NULL;
}

static void *run(void *arg)
{
    struct asker *a = arg;

    (void)pthread_setname_np(pthread_self(), "asker");
    patient_thread();
    pthread_mutex_lock(&a->lock);
    while (!a->stopping || a->first) {
        struct waiting *w = take_waiting(a);

        if (!w) {
            links_close_stale(a);
            (void)wait_until(&a->changed, &a->lock,
                             monotonic_us() + (uint64_t)a->o.idle_ms * 1000 / 2);
            continue;
        }
        w->role->busy++;
        pthread_mutex_unlock(&a->lock);
        if (w->begun)
            atomic_store(w->begun, true);
        ask_now(a, w);
        pthread_mutex_lock(&a->lock);
        w->role->busy--;
        free_waiting(w);
        pthread_cond_broadcast(&a->changed);
    }
    pthread_mutex_unlock(&a->lock);
    return NULL;
}

/* ---- asking ---- */

static struct waiting *copy_question(const struct question *q)
{
    struct waiting *w = calloc(1, sizeof(*w));

    if (!w)
        return NULL;
    w->rows_max = q->rows_max ? q->rows_max : ROWS;
    w->bytes_max = q->bytes_max ? q->bytes_max : ASKER_BYTES;
    w->begun = q->begun;
    w->done = q->done;
    w->arg = q->arg;
    w->sql = strdup(q->sql);
    w->params = calloc((size_t)q->n_params + 1, sizeof(*w->params));
    w->n_params = w->params ? q->n_params : 0;
    for (int i = 0; i < w->n_params; i++) {
        w->params[i] = q->params[i] ? strdup(q->params[i]) : NULL;
        if (q->params[i] && !w->params[i]) {
            free_waiting(w);
            return NULL;
        }
    }
    if (w->sql && w->params)
        return w;
    free_waiting(w);
    return NULL;
}

int asker_ask(struct asker *a, const struct question *q)
{
    struct waiting *w = copy_question(q);
    int rc = -ENOMEM;

    if (!w)
        return rc;
    pthread_mutex_lock(&a->lock);
    w->role = links_role(a, q->role ? q->role : "", q->grants ? q->grants : "");
    if (w->role)
        rc = atomic_load(&a->hushed) ? RD_EGONE : a->n_waiting >= a->o.queue ? RD_EFULL : 0;
    if (!rc) {
        *a->last = w;
        a->last = &w->next;
        a->n_waiting++;
        pthread_cond_signal(&a->changed);
    }
    pthread_mutex_unlock(&a->lock);
    if (rc)
        free_waiting(w);
    return rc;
}

/* ---- life ---- */

static void fill_in(struct asker_opts *o)
{
    o->threads = o->threads ? o->threads : THREADS;
    o->threads = o->threads < ASKER_THREADS_MAX ? o->threads : ASKER_THREADS_MAX;
    o->per_role = o->per_role ? o->per_role : o->threads;
    o->connections = o->connections ? o->connections : o->threads;
    o->queue = o->queue ? o->queue : QUEUE;
    o->patience_ms = o->patience_ms ? o->patience_ms : PATIENCE_MS;
    o->idle_ms = o->idle_ms ? o->idle_ms : IDLE_MS;
}

int asker_start(struct asker **out, const struct asker_opts *o)
{
    struct asker *a = calloc(1, sizeof(*a));
    int rc = 0;

    if (!a)
        return -ENOMEM;
    a->o = *o;
    fill_in(&a->o);
    a->last = &a->first;
    (void)pthread_mutex_init(&a->lock, NULL);
    wait_init(&a->changed);
    for (; !rc && a->n_threads < a->o.threads; a->n_threads += rc == 0)
        rc = -pthread_create(&a->threads[a->n_threads], NULL, run, a);
    if (rc)
        asker_stop(a);
    else
        *out = a;
    return rc;
}

void asker_hush(struct asker *a)
{
    atomic_store(&a->hushed, true);
}

void asker_stop(struct asker *a)
{
    if (!a)
        return;
    asker_hush(a);
    pthread_mutex_lock(&a->lock);
    a->stopping = true;
    pthread_cond_broadcast(&a->changed);
    pthread_mutex_unlock(&a->lock);
    for (unsigned i = 0; i < a->n_threads; i++)
        pthread_join(a->threads[i], NULL);
    links_free(a);
    (void)pthread_cond_destroy(&a->changed);
    (void)pthread_mutex_destroy(&a->lock);
    free(a);
}
