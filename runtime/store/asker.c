/* SPDX-License-Identifier: Apache-2.0 */
/* asker.c - a queue of questions, a list of idle connections, and a few threads between them.
 *
 *   ask ─▶ queue ─▶ thread: an idle connection of that role ─ else a new one ─▶ answer ─▶ done()
 *                     └─ as many questions as one role may have at once; others go past it
 *
 * - the server cannot be reached: told at once for the next RETRY_MS, so that a queue of questions
 *   does not become a queue of attempts
 * - a connection broke, or its answer was too large: it is closed; the next question opens another
 * - the server hangs: patience_ms for each question, and the queue is bounded */
#include "store/asker.h"

#include "base/err.h"
#include "base/now.h"
#include "base/urgent.h"
#include "base/wait.h"
#include "store/database.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    THREADS = 3,
    QUEUE = 256,
    PATIENCE_MS = 4000,
    IDLE_MS = 60000,
    RETRY_MS = 500,
    ROWS = 1000,
    BYTES = 256 * 1024,
    CONNINFO_MAX = 16384,
    THREADS_MAX = 16
};

struct role {
    struct role *next;
    char *name, *grants; /* own; grants of the newest question */
    unsigned busy;       /* questions being asked */
    unsigned generation; /* of grants */
    uint64_t due_ms;     /* no attempt to connect before */
    int error;           /* of the last attempt, with its words */
    char why[512];
};

struct link { /* a connection */
    struct link *next;
    struct role *role; /* borrows */
    struct pg *pg;     /* owns */
    unsigned generation;
    uint64_t since_ms; /* idle since */
};

struct waiting { /* a question in the queue */
    struct waiting *next;
    struct role *role; /* borrows */
    char *sql;         /* owns, as the parameters */
    char **params;
    int n_params;
    uint32_t rows_max;
    size_t bytes_max;
    answer_fn *done;
    void *arg;
};

struct asker {
    struct asker_opts o;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct role *roles; /* own; they stay */
    struct link *idle;  /* own; the one that was used last first */
    unsigned n_links;   /* idle and lent */
    struct waiting *first, **last;
    unsigned n_waiting;
    atomic_bool hushed;
    bool stopping;
    pthread_t threads[THREADS_MAX];
    unsigned n_threads;
};

/* ---- answers ---- */

void answer_free(struct answer *a)
{
    if (!a)
        return;
    buf_fini(&a->columns);
    buf_fini(&a->cells);
    free(a);
}

struct rd_str answer_cell(const struct answer *a, size_t *at)
{
    struct rd_str cell = {NULL, 0};
    int32_t n;

    memcpy(&n, a->cells.data + *at, sizeof(n));
    *at += sizeof(n);
    if (n >= 0) {
        cell = (struct rd_str){a->cells.data + *at, (size_t)n};
        *at += (size_t)n;
    }
    return cell;
}

const char *answer_column(const struct answer *a, size_t *at, uint32_t *type)
{
    const char *name;

    memcpy(type, a->columns.data + *at, sizeof(*type));
    name = a->columns.data + *at + sizeof(*type);
    *at += sizeof(*type) + strlen(name) + 1;
    return name;
}

static void answer_with(struct waiting *w, struct answer *a, int rc, const char *why)
{
    if (a) {
        a->rc = rc;
        (void)snprintf(a->why, sizeof(a->why), "%s", why);
    }
    w->done(w->arg, a);
}

static int add_columns(struct answer *a, const struct pg *p)
{
    int rc = 0;

    a->n_columns = pg_columns(p);
    for (int i = 0; !rc && i < a->n_columns; i++) {
        uint32_t type = pg_type(p, i);

        rc = buf_add(&a->columns, &type, sizeof(type));
        if (!rc)
            rc = buf_add(&a->columns, pg_column(p, i), strlen(pg_column(p, i)) + 1);
    }
    return rc;
}

static int add_cell(struct answer *a, struct rd_str cell)
{
    int32_t n = cell.p ? (int32_t)cell.n : -1;
    int rc = buf_add(&a->cells, &n, sizeof(n));

    return rc || !cell.p ? rc : buf_add(&a->cells, cell.p, cell.n);
}

struct reading {
    struct answer *answer;
    uint32_t rows_max;
};

static bool on_row(const struct pg *p, void *arg)
{
    struct reading *r = arg;
    struct answer *a = r->answer;
    int rc = a->n_rows == 0 ? add_columns(a, p) : 0;

    if (rc || a->n_rows >= r->rows_max)
        return false;
    for (int i = 0; !rc && i < a->n_columns; i++)
        rc = add_cell(a, pg_cell(p, i));
    a->n_rows++;
    return rc == 0;
}

/* ---- connections ---- */

static bool gives_up(void *arg)
{
    struct asker *a = arg;

    return atomic_load(&a->hushed);
}

static void close_link(struct asker *a, struct link *l) /* without the lock */
{
    pg_close(l->pg);
    free(l);
    pthread_mutex_lock(&a->lock);
    a->n_links--;
    pthread_cond_broadcast(&a->changed);
    pthread_mutex_unlock(&a->lock);
}

/* Nobody asked it anything: what there is to read is the server's farewell. */
static bool still_good(const struct link *l)
{
    struct pollfd p = {.fd = pg_socket(l->pg), .events = POLLIN};

    return pg_alive(l->pg) && poll(&p, 1, 0) == 0;
}

static struct link *unlink_at(struct link **at)
{
    struct link *l = *at;

    *at = l->next;
    l->next = NULL;
    return l;
}

/* With the lock held. One of this role; NULL: there is none. */
static struct link *take_idle(struct asker *a, const struct role *r)
{
    for (struct link **at = &a->idle; *at; at = &(*at)->next)
        if ((*at)->role == r)
            return unlink_at(at);
    return NULL;
}

/* With the lock held. The one that nobody has used for longest; NULL: none. */
static struct link *take_oldest(struct asker *a)
{
    struct link **at = &a->idle;

    while (*at && (*at)->next)
        at = &(*at)->next;
    return *at ? unlink_at(at) : NULL;
}

static int connect_role(struct asker *a, struct role *r, const char *grants, struct pg **out,
                        char *why, size_t cap)
{
    struct buf conninfo;
    int rc;

    buf_init(&conninfo, CONNINFO_MAX);
    why[0] = '\0';
    rc = a->o.conninfo(&conninfo, r->name, grants, why, cap, a->o.arg);
    if (!rc) {
        rc = buf_text(&conninfo) ? pg_open(out, conninfo.data, why, cap) : -ENOMEM;
        if (rc)
            database_explain(why, cap);
    }
    buf_fini(&conninfo);
    if (rc && !why[0])
        (void)snprintf(why, cap, "cannot connect: %s", rd_strerror(rc));
    if (!rc)
        pg_patience(*out, a->o.patience_ms, gives_up, a);
    return rc;
}

/* Makes room for one more, without the lock. */
static void make_room(struct asker *a)
{
    struct link *old = NULL;

    pthread_mutex_lock(&a->lock);
    if (a->n_links >= a->o.connections)
        old = take_oldest(a);
    a->n_links++;
    pthread_mutex_unlock(&a->lock);
    if (old)
        close_link(a, old);
}

static int open_link(struct asker *a, struct role *r, struct link **out, char *why, size_t cap)
{
    struct link *l = calloc(1, sizeof(*l));
    char *grants = NULL;
    int rc = -ENOMEM;

    pthread_mutex_lock(&a->lock);
    if (monotonic_ms() < r->due_ms) {
        rc = r->error ? r->error : -ECONNREFUSED;
        (void)snprintf(why, cap, "%s", r->why);
    } else if (l) {
        grants = strdup(r->grants);
        l->role = r;
        l->generation = r->generation;
    }
    pthread_mutex_unlock(&a->lock);
    if (!grants) {
        free(l);
        return rc;
    }
    make_room(a);
    rc = connect_role(a, r, grants, &l->pg, why, cap);
    free(grants);
    if (!rc) {
        *out = l;
        return 0;
    }
    close_link(a, l);
    pthread_mutex_lock(&a->lock);
    r->error = rc;
    r->due_ms = monotonic_ms() + RETRY_MS;
    (void)snprintf(r->why, sizeof(r->why), "%s", why);
    pthread_mutex_unlock(&a->lock);
    return rc;
}

/* An idle one that still lives, else a new one. */
static int take_link(struct asker *a, struct role *r, struct link **out, char *why, size_t cap)
{
    struct link *l;
    bool is_current;

    for (;;) {
        pthread_mutex_lock(&a->lock);
        l = take_idle(a, r);
        is_current = l && l->generation == r->generation;
        pthread_mutex_unlock(&a->lock);
        if (!l)
            return open_link(a, r, out, why, cap);
        if (is_current && still_good(l))
            break;
        close_link(a, l);
    }
    *out = l;
    return 0;
}

/* Nothing of one question may reach the next one. */
static bool cleaned(struct asker *a, struct link *l)
{
    if (!pg_alive(l->pg) || (pg_in_transaction(l->pg) && pg_query(l->pg, "rollback", 0, NULL)))
        return false;
    return !a->o.discard || pg_query(l->pg, "discard all", 0, NULL) == 0;
}

static void give_link(struct asker *a, struct link *l)
{
    if (!cleaned(a, l)) {
        close_link(a, l);
        return;
    }
    l->since_ms = monotonic_ms();
    pthread_mutex_lock(&a->lock);
    l->next = a->idle;
    a->idle = l;
    pthread_mutex_unlock(&a->lock);
}

/* ---- the threads ---- */

static void free_waiting(struct waiting *w)
{
    for (int i = 0; w->params && i < w->n_params; i++)
        free(w->params[i]);
    free(w->params);
    free(w->sql);
    free(w);
}

static struct answer *new_answer(const struct waiting *w)
{
    struct answer *a = calloc(1, sizeof(*a));

    if (a) {
        buf_init(&a->columns, BYTES);
        buf_init(&a->cells, w->bytes_max);
    }
    return a;
}

static void put_question(struct waiting *w, struct link *l, struct answer *answer)
{
    struct pg_statement s = {w->sql, w->n_params, (const char *const *)w->params};
    struct reading r = {answer, w->rows_max};
    int rc = pg_query_rows(l->pg, &s, on_row, &r);

    memcpy(answer->sqlstate, pg_sqlstate(l->pg), sizeof(answer->sqlstate));
    answer->affected = rc ? 0 : pg_affected(l->pg);
    answer_with(w, answer, rc, rc ? pg_message(l->pg) : "");
}

static void ask_now(struct asker *a, struct waiting *w)
{
    struct answer *answer = new_answer(w);
    struct link *l = NULL;
    char why[512] = "not enough memory";
    int rc = answer ? 0 : -ENOMEM;

    if (!rc && atomic_load(&a->hushed)) {
        rc = RD_EGONE;
        (void)snprintf(why, sizeof(why), "the node is ending");
    }
    if (!rc)
        rc = take_link(a, w->role, &l, why, sizeof(why));
    if (rc) {
        answer_with(w, answer, rc, why);
        return;
    }
    put_question(w, l, answer);
    give_link(a, l);
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

/* With the lock held; it is let go meanwhile. */
static void close_stale(struct asker *a)
{
    uint64_t now = monotonic_ms();
    struct link **at = &a->idle;

    while (*at && (*at)->since_ms + a->o.idle_ms > now)
        at = &(*at)->next;
    if (!*at)
        return;
    struct link *old = unlink_at(at);

    pthread_mutex_unlock(&a->lock);
    close_link(a, old);
    pthread_mutex_lock(&a->lock);
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
            close_stale(a);
            (void)wait_until(&a->changed, &a->lock,
                             monotonic_us() + (uint64_t)a->o.idle_ms * 1000 / 2);
            continue;
        }
        w->role->busy++;
        pthread_mutex_unlock(&a->lock);
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

/* With the lock held. */
static struct role *role_of(struct asker *a, const char *name, const char *grants)
{
    struct role *r = a->roles;
    char *copy;

    while (r && strcmp(r->name, name) != 0)
        r = r->next;
    if (r && strcmp(r->grants, grants) == 0)
        return r;
    copy = strdup(grants);
    if (!copy)
        return NULL;
    if (!r) {
        r = calloc(1, sizeof(*r));
        if (r)
            r->name = strdup(name);
        if (!r || !r->name) {
            free(r);
            free(copy);
            return NULL;
        }
        r->next = a->roles;
        a->roles = r;
    }
    free(r->grants);
    r->grants = copy;
    r->generation++;
    r->due_ms = 0;
    return r;
}

static struct waiting *copy_question(const struct question *q)
{
    struct waiting *w = calloc(1, sizeof(*w));

    if (!w)
        return NULL;
    w->rows_max = q->rows_max ? q->rows_max : ROWS;
    w->bytes_max = q->bytes_max ? q->bytes_max : BYTES;
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
    w->role = role_of(a, q->role ? q->role : "", q->grants ? q->grants : "");
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
    o->threads = o->threads < THREADS_MAX ? o->threads : THREADS_MAX;
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

static void free_roles(struct asker *a)
{
    while (a->roles) {
        struct role *r = a->roles;

        a->roles = r->next;
        free(r->name);
        free(r->grants);
        free(r);
    }
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
    while (a->idle) {
        struct link *l = unlink_at(&a->idle);

        pg_close(l->pg);
        free(l);
    }
    free_roles(a);
    (void)pthread_cond_destroy(&a->changed);
    (void)pthread_mutex_destroy(&a->lock);
    free(a);
}
