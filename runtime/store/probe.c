/* SPDX-License-Identifier: Apache-2.0 */
/* probe.c - asks, and tells once nobody has answered for a while.
 *
 *   connect ─▶ SELECT 1 ─▶ a second ─▶ SELECT 1 ─▶ …
 *   no answer in two seconds ─▶ another connection, until five seconds are over ─▶ silent() ─▶ …
 *   an answer ─▶ answers()
 *
 * Failure modes: this process itself did not run for a while, and the question looks old: one try in vain
 * is none. Looking up the server's name takes its time: it is told that much later. */
#include "store/probe.h"

#include "base/err.h"
#include "base/now.h"
#include "base/wait.h"
#include "store/pg.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { EVERY_MS = 1000, ANSWER_MS = 2000, SILENT_MS = 5000 };
enum { TRIES = 2, CONNINFO_MAX = 64 << 10 };

struct probe {
    struct probe_opts o;
    pthread_t thread;
    pthread_mutex_t lock; /* of stopping */
    pthread_cond_t wake;
    bool stopping;

    /* the thread's */
    struct pg *pg; /* owns; NULL: not connected */
    uint64_t answered_ms;
    unsigned vain; /* tries since then */
    bool told;
    char why[256];
};

/* A try ends where the silence would be long enough to be told. */
static uint32_t deadline_ms(const struct probe *p, uint64_t now_ms)
{
    uint64_t until_ms = p->answered_ms + p->o.silent_ms;
    uint64_t left_ms = until_ms > now_ms ? until_ms - now_ms : 0;

    if (p->vain + 1 < TRIES || left_ms == 0 || left_ms > p->o.answer_ms)
        return p->o.answer_ms;
    return left_ms < p->o.answer_ms / 4 ? p->o.answer_ms / 4 : (uint32_t)left_ms;
}

static bool is_stopping(void *arg)
{
    struct probe *p = arg;
    bool stopping;

    pthread_mutex_lock(&p->lock);
    stopping = p->stopping;
    pthread_mutex_unlock(&p->lock);
    return stopping;
}

static int connected(struct probe *p, uint32_t ms)
{
    struct buf conninfo;
    int rc;

    if (p->pg)
        return 0;
    buf_init(&conninfo, CONNINFO_MAX);
    rc = p->o.conninfo(&conninfo, p->why, sizeof(p->why), p->o.arg);
    if (!rc)
        rc = buf_text(&conninfo) ? pg_open_within(&p->pg, conninfo.data, ms, p->why, sizeof(p->why))
                                 : -ENOMEM;
    buf_fini(&conninfo);
    return rc;
}

/* It has no place for one more connection, this one: those who have theirs may be served all the same, and if
 * not, the shipper tells. libpq has no code for it, only the server's words. */
static bool is_full(const char *why)
{
    return strstr(why, "too many c") || strstr(why, "connection slots are reserved");
}

/* Whether it answered. */
static bool ask(struct probe *p)
{
    int rc = connected(p, deadline_ms(p, monotonic_ms()));

    if (rc)
        return rc == RD_EAUTH || rc == RD_ECONFIG || rc == -ENOMEM || is_full(p->why);
    pg_patience(p->pg, deadline_ms(p, monotonic_ms()), is_stopping, p);
    rc = pg_query(p->pg, "SELECT 1", 0, NULL);
    if (rc)
        (void)rd_str_copy(p->why, sizeof(p->why), rd_str(pg_message(p->pg)));
    if (!pg_alive(p->pg)) {
        pg_close(p->pg);
        p->pg = NULL;
    }
    return rc == 0 || rc == RD_EREFUSED;
}

static void answered(struct probe *p)
{
    p->answered_ms = monotonic_ms();
    p->vain = 0;
    if (p->told)
        p->o.answers(p->o.arg);
    p->told = false;
}

static void not_answered(struct probe *p)
{
    p->vain++;
    if (p->vain < TRIES || monotonic_ms() < p->answered_ms + p->o.silent_ms)
        return;
    p->told = true;
    p->o.silent(p->o.arg, p->why);
}

/* False: it is over. */
static bool rest(struct probe *p)
{
    uint64_t until_us =
        monotonic_us() + 1000 * (uint64_t)(p->vain ? p->o.every_ms / 4 : p->o.every_ms);
    bool stopping;

    pthread_mutex_lock(&p->lock);
    while (!p->stopping && wait_until(&p->wake, &p->lock, until_us))
        ;
    stopping = p->stopping;
    pthread_mutex_unlock(&p->lock);
    return !stopping;
}

static void *run(void *arg)
{
    struct probe *p = arg;

    (void)pthread_setname_np(pthread_self(), "probe");
    do {
        bool yes = ask(p);

        if (is_stopping(p))
            break;
        if (yes)
            answered(p);
        else
            not_answered(p);
    } while (rest(p));
    pg_close(p->pg);
    return NULL;
}

int probe_start(struct probe **out, const struct probe_opts *o)
{
    struct probe *p = calloc(1, sizeof(*p));
    int rc;

    if (!p)
        return -ENOMEM;
    p->o = *o;
    p->o.every_ms = o->every_ms ? o->every_ms : EVERY_MS;
    p->o.answer_ms = o->answer_ms ? o->answer_ms : ANSWER_MS;
    p->o.silent_ms = o->silent_ms ? o->silent_ms : SILENT_MS;
    p->answered_ms = monotonic_ms();
    pthread_mutex_init(&p->lock, NULL);
    wait_init(&p->wake);
    rc = -pthread_create(&p->thread, NULL, run, p);
    if (rc) {
        pthread_cond_destroy(&p->wake);
        pthread_mutex_destroy(&p->lock);
        free(p);
        return rc;
    }
    *out = p;
    return 0;
}

void probe_stop(struct probe *p)
{
    if (!p)
        return;
    pthread_mutex_lock(&p->lock);
    p->stopping = true;
    pthread_cond_signal(&p->wake);
    pthread_mutex_unlock(&p->lock);
    (void)pthread_join(p->thread, NULL);
    pthread_cond_destroy(&p->wake);
    pthread_mutex_destroy(&p->lock);
    free(p);
}
