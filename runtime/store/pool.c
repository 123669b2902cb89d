/* SPDX-License-Identifier: Apache-2.0 */
/* pool.c - connections in three places: idle in a list, lent, or being opened; all under one lock,
 * which is never held while anything waits for the server.
 *
 *   take   an idle one that still lives ─ else open one, if there may be more ─ else wait for either
 *   give   alive, of this server and outside a transaction: idle again, or it is closed
 *
 * - the server is gone: connections break as they are used or, idle, when they are taken; the next
 *   attempt to open one is due after 0.1 s, then later and later up to 5 s. Who comes in between
 *   waits for it if it is due in his time, else gets the reason of the last one at once
 * - all are lent: RD_ELATE after the time that the caller gave, and the sentence says so */
#include "store/pool.h"

#include "base/err.h"
#include "base/retry.h"
#include "base/wait.h"
#include "io/tls.h"
#include "store/database.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_USUAL = 4, TAKE_MS = 2000, WHY_MAX = 512 };

static const struct retry_policy policy = {.first_ms = 100, .max_ms = 5000};

struct slot {
    struct pg *pg; /* owns while idle; NULL: a free place. Lent: the borrower closes nothing */
    bool lent;     /* also while it is being opened: pg is NULL then */
    unsigned generation; /* of the conninfo it was opened with */
};

struct pool {
    pthread_mutex_t lock;
    pthread_cond_t changed; /* something became idle, free, or due */
    char *conninfo;         /* owns */
    unsigned generation, max, waiting, opening;
    struct slot *slots; /* owns: max of them */
    struct retry retry;
    uint64_t due_ms; /* no attempt to open one before */
    int error;       /* of the last attempt */
    struct pool_gauges counts;
};

static uint64_t now_ms(void)
{
    return clock_ms(loop_clock());
}

int pool_new(struct pool **out, const struct pool_opts *o)
{
    struct pool *p = calloc(1, sizeof(*p));

    if (!p)
        return -ENOMEM;
    p->max = o->max ? o->max : MAX_USUAL;
    p->conninfo = strdup(o->conninfo);
    p->slots = calloc(p->max, sizeof(*p->slots));
    if (!p->conninfo || !p->slots) {
        free(p->conninfo);
        free(p->slots);
        free(p);
        return -ENOMEM;
    }
    (void)pthread_mutex_init(&p->lock, NULL);
    wait_init(&p->changed);
    retry_init(&p->retry, &policy, now_ms());
    *out = p;
    return 0;
}

void pool_free(struct pool *p)
{
    if (!p)
        return;
    for (unsigned i = 0; i < p->max; i++)
        pg_close(p->slots[i].pg);
    (void)pthread_cond_destroy(&p->changed);
    (void)pthread_mutex_destroy(&p->lock);
    free(p->slots);
    free(p->conninfo);
    free(p);
}

int pool_point(struct pool *p, const char *conninfo)
{
    char *copy = strdup(conninfo);

    if (!copy)
        return -ENOMEM;
    pthread_mutex_lock(&p->lock);
    free(p->conninfo);
    p->conninfo = copy;
    p->generation++;
    p->due_ms = 0;
    retry_worked(&p->retry, now_ms());
    pthread_cond_broadcast(&p->changed);
    pthread_mutex_unlock(&p->lock);
    return 0;
}

/* ---- with the lock held ---- */

static struct slot *idle_slot(struct pool *p)
{
    for (unsigned i = 0; i < p->max; i++)
        if (p->slots[i].pg && !p->slots[i].lent)
            return &p->slots[i];
    return NULL;
}

static struct slot *free_slot(struct pool *p)
{
    for (unsigned i = 0; i < p->max; i++)
        if (!p->slots[i].pg && !p->slots[i].lent)
            return &p->slots[i];
    return NULL;
}

static bool readable(const struct pg *pg)
{
    struct pollfd p = {.fd = pg_socket(pg), .events = POLLIN};

    return poll(&p, 1, 0) > 0;
}

/* Nobody asked anything, so what there is to read is the server's farewell, and then its end. */
static bool still_good(const struct pool *p, const struct slot *s)
{
    for (int i = 0; i < 4 && pg_alive(s->pg) && readable(s->pg); i++)
        (void)pg_notified(s->pg);
    return pg_alive(s->pg) && !readable(s->pg) && s->generation == p->generation;
}

/* Closes it outside the lock: saying goodbye may wait for the network. */
static void drop(struct pool *p, struct slot *s)
{
    struct pg *pg = s->pg;

    s->pg = NULL;
    s->lent = true; /* the place is not free before it is closed */
    p->counts.broken += pg_alive(pg) ? 0 : 1;
    pthread_mutex_unlock(&p->lock);
    pg_close(pg);
    pthread_mutex_lock(&p->lock);
    s->lent = false;
    pthread_cond_broadcast(&p->changed);
}

static void note_failure(struct pool *p, int rc, const char *why)
{
    uint32_t bits = 0;

    (void)random_bytes(&bits, sizeof(bits)); /* without it: no jitter */
    p->error = rc;
    p->counts.errors++;
    p->due_ms = now_ms() + (uint64_t)retry_failed(&p->retry, now_ms(), 0, bits);
    (void)rd_str_copy(p->counts.last_error, sizeof(p->counts.last_error), rd_str(why));
}

/* Opens one in a free place; the place stays ours when it worked. */
static int open_slot(struct pool *p, struct slot *s, char *why, size_t cap)
{
    char *conninfo = strdup(p->conninfo);
    unsigned generation = p->generation;
    struct pg *pg = NULL;
    int rc = -ENOMEM;

    s->lent = true;
    p->opening++;
    pthread_mutex_unlock(&p->lock);
    snprintf(why, cap, "cannot connect: %s", rd_strerror(rc));
    if (conninfo)
        rc = pg_open(&pg, conninfo, why, cap);
    if (rc)
        database_explain(why, cap);
    free(conninfo);
    pthread_mutex_lock(&p->lock);
    p->opening--;
    s->generation = generation;
    s->pg = pg;
    if (rc) {
        s->lent = false;
        note_failure(p, rc, why);
    } else {
        retry_worked(&p->retry, now_ms());
        p->counts.opened++;
        p->counts.last_error[0] = '\0';
    }
    pthread_cond_broadcast(&p->changed);
    return rc;
}

/* ---- take and give ---- */

static bool any_lent(const struct pool *p)
{
    for (unsigned i = 0; i < p->max; i++)
        if (p->slots[i].pg && p->slots[i].lent)
            return true;
    return false;
}

/* The last attempt failed, and what may come of the next one comes too late: whoever wants a
 * connection is told at once, because he may be one of a few helper threads. */
static bool hopeless(const struct pool *p, uint64_t until_ms)
{
    return p->counts.last_error[0] && !any_lent(p) && (p->opening > 0 || p->due_ms > until_ms);
}

static bool may_open(const struct pool *p, uint64_t now)
{
    return now >= p->due_ms && !(p->counts.last_error[0] && p->opening > 0);
}

/* One step: 0 and a connection; -EAGAIN: look again; RD_ELATE: the time is over. */
static int try_take(struct pool *p, uint64_t until_ms, struct pg **out, char *why, size_t cap)
{
    struct slot *s = idle_slot(p);
    uint64_t now = now_ms();

    if (s && !still_good(p, s)) {
        drop(p, s);
        return -EAGAIN;
    }
    if (!s && may_open(p, now) && (s = free_slot(p)) != NULL && open_slot(p, s, why, cap) != 0)
        return -EAGAIN;
    if (s) {
        s->lent = true;
        *out = s->pg;
        return 0;
    }
    if (now >= until_ms || hopeless(p, until_ms))
        return RD_ELATE;
    p->waiting++;
    if (now < p->due_ms && p->due_ms < until_ms)
        until_ms = p->due_ms;
    (void)wait_until(&p->changed, &p->lock, until_ms * 1000);
    p->waiting--;
    return -EAGAIN;
}

int pool_take(struct pool *p, uint32_t timeout_ms, struct pg **out, char *why, size_t cap)
{
    uint64_t until_ms = now_ms() + timeout_ms;
    int rc;

    pthread_mutex_lock(&p->lock);
    do
        rc = try_take(p, until_ms, out, why, cap);
    while (rc == -EAGAIN);
    if (rc && p->counts.last_error[0]) { /* not late: there is nothing to take */
        rc = p->error;
        snprintf(why, cap, "%s", p->counts.last_error);
    } else if (rc) {
        snprintf(why, cap, "all %u connections to the database are in use", p->max);
    }
    pthread_mutex_unlock(&p->lock);
    return rc;
}

void pool_give(struct pool *p, struct pg *pg)
{
    bool clean = pg_alive(pg) && (!pg_in_transaction(pg) || pg_script(pg, "rollback") == 0);
    unsigned i = 0;

    pthread_mutex_lock(&p->lock);
    while (i < p->max && p->slots[i].pg != pg)
        i++;
    if (i < p->max) {
        if (clean && p->slots[i].generation == p->generation)
            p->slots[i].lent = false;
        else
            drop(p, &p->slots[i]);
        pthread_cond_broadcast(&p->changed);
    }
    pthread_mutex_unlock(&p->lock);
}

void pool_gauges(struct pool *p, struct pool_gauges *out)
{
    pthread_mutex_lock(&p->lock);
    *out = p->counts;
    out->waiting = p->waiting;
    for (unsigned i = 0; i < p->max; i++) {
        out->open += p->slots[i].pg != NULL;
        out->lent += p->slots[i].pg && p->slots[i].lent;
    }
    pthread_mutex_unlock(&p->lock);
}

/* ---- from a loop ---- */

struct query {
    struct pool *pool; /* borrows */
    pool_done_fn *done;
    void *arg;
    const char *sql; /* borrows */
    uint32_t timeout_ms;
    struct pg *pg; /* lent by the pool */
    int rc, n;
    char why[WHY_MAX];
    const char **params; /* owns, with what they point to */
};

static void free_query(struct query *q)
{
    for (int i = 0; i < q->n; i++)
        free((void *)q->params[i]);
    free(q->params);
    free(q);
}

static struct query *new_query(const struct pool_statement *s)
{
    struct query *q = calloc(1, sizeof(*q));

    if (!q)
        return NULL;
    q->params = calloc((size_t)s->n_params + 1, sizeof(*q->params));
    if (!q->params) {
        free(q);
        return NULL;
    }
    for (; q->n < s->n_params; q->n++) {
        if (!s->params[q->n])
            continue;
        q->params[q->n] = strdup(s->params[q->n]);
        if (!q->params[q->n]) {
            free_query(q);
            return NULL;
        }
    }
    return q;
}

static void ask(void *arg)
{
    struct query *q = arg;

    q->rc = pool_take(q->pool, q->timeout_ms, &q->pg, q->why, sizeof(q->why));
    if (q->rc)
        return;
    q->rc = pg_query(q->pg, q->sql, q->n, q->params);
    if (q->rc)
        snprintf(q->why, sizeof(q->why), "%s", pg_message(q->pg));
}

/* One statement leaves no transaction behind, so giving back does not wait. */
static void answer(void *arg)
{
    struct query *q = arg;

    q->done(q->arg, q->rc, q->pg, q->why);
    if (q->pg)
        pool_give(q->pool, q->pg);
    free_query(q);
}

int pool_query(struct pool *p, struct loop *l, const struct pool_statement *s, pool_done_fn *done,
               void *arg)
{
    struct query *q = new_query(s);
    int rc;

    if (!q)
        return -ENOMEM;
    q->pool = p;
    q->done = done;
    q->arg = arg;
    q->sql = s->sql;
    q->timeout_ms = s->timeout_ms ? s->timeout_ms : TAKE_MS;
    rc = loop_work(l, ask, answer, q);
    if (rc)
        free_query(q);
    return rc;
}
