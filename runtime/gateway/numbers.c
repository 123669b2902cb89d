/* SPDX-License-Identifier: Apache-2.0 */
/* numbers.c - keeps a copy of numbers and sites that follows the database.
 *
 *   every few seconds, or when told: which version has the database? ─ another one ─▶ all of it ─▶
 *   the copy in memory, and the file <data>/numbers
 *
 * - the database is away: the copy stays; at the start it comes out of the file
 * - more than fits, or not to be understood: the copy stays, and the log says so once per version
 *
 * One question at a time is on its way; its answer comes on a thread of the asker and is read
 * there. */
#include "gateway/numbers.h"

#include "base/err.h"
#include "base/log.h"
#include "base/now.h"
#include "base/wait.h"
#include "gateway/numbers_copy.h"
#include "observe/catalogue.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EVERY_MS = 3000, BYTES_MAX = 40 << 20 };

static const char version_sql[] = "select version from numbers_version";

static const char all_sql[] =
    "with v as (select version::text from numbers_version), "
    "s as (select distinct on (s.agent, s.site) s.site as key, s.agent, site_facts(s)::text as "
    "value from sites s join phone_numbers p using (agent, site)), "
    "n as (select number::text as key, agent, site::text as value from phone_numbers) "
    "select version, kind, key, agent, value from v left join ("
    "select 1 as rank, 's' as kind, key, agent, value from s union all "
    "select 2, 'n', key, agent, value from n) rows on true order by rank, key";

struct numbers {
    struct asker *asker; /* borrows */
    char path[PATH_MAX];
    char *secret; /* owns */
    uint32_t every_ms;
    pthread_mutex_t lock; /* of all below */
    pthread_cond_t wake;
    struct numbers_copy *copy; /* refs; NULL: nothing is known */
    uint64_t failed_version;   /* that could not be read; told once */
    bool asking, wanted, stopping, running;
    pthread_t thread;
};

/* ---- what is known ---- */

bool numbers_find(struct numbers *n, struct rd_str number, struct numbers_hit *out)
{
    struct numbers_copy *c;

    if (!n)
        return false;
    pthread_mutex_lock(&n->lock);
    c = numbers_copy_ref(n->copy);
    pthread_mutex_unlock(&n->lock);
    if (!c || !numbers_copy_find(c, number, &out->agent, &out->site)) {
        numbers_copy_unref(c);
        return false;
    }
    out->copy = c;
    return true;
}

void numbers_let_go(struct numbers_hit *hit)
{
    numbers_copy_unref(hit->copy);
    hit->copy = NULL;
}

static uint64_t version_of(struct numbers *n)
{
    uint64_t version;

    pthread_mutex_lock(&n->lock);
    version = numbers_copy_version(n->copy);
    pthread_mutex_unlock(&n->lock);
    return version;
}

uint64_t numbers_refresh(struct numbers *n)
{
    if (!n)
        return 0;
    pthread_mutex_lock(&n->lock);
    n->wanted = true;
    pthread_cond_broadcast(&n->wake);
    pthread_mutex_unlock(&n->lock);
    return version_of(n);
}

/* ---- asking ---- */

static void put_copy(struct numbers *n, struct numbers_copy *c)
{
    struct numbers_copy *old;

    pthread_mutex_lock(&n->lock);
    old = n->copy;
    n->copy = numbers_copy_ref(c);
    pthread_mutex_unlock(&n->lock);
    numbers_copy_unref(old);
}

static void end_asking(struct numbers *n)
{
    pthread_mutex_lock(&n->lock);
    n->asking = false;
    pthread_cond_broadcast(&n->wake);
    pthread_mutex_unlock(&n->lock);
}

static void complain(struct numbers *n, uint64_t version, const char *why)
{
    if (n->failed_version != version)
        log_error("numbers.not_loaded", F_STR("why", why),
                  F_FIX(catalogue_fix("numbers.", "not_loaded")));
    n->failed_version = version;
}

static void take_all(struct numbers *n, struct answer *a)
{
    struct numbers_copy *c = NULL;
    int rc = numbers_copy_new(&c, a);

    if (rc) {
        complain(n, 0, rd_strerror(rc));
        return;
    }
    put_copy(n, c);
    rc = numbers_copy_save(c, n->path, n->secret);
    if (rc)
        log_warn("numbers.not_saved", F_STR("path", n->path), F_ERR(rc),
                 F_FIX(catalogue_fix("numbers.", "not_saved")));
    numbers_copy_unref(c);
}

/* A thread of the asker, as the next one. The database being away is the shipper's alarm. */
static void on_all(void *arg, struct answer *a)
{
    struct numbers *n = arg;

    if (a && a->rc == 0) {
        take_all(n, a);
        end_asking(n);
        return;
    }
    if (a && (a->rc == RD_ETOOBIG || a->rc == RD_EREFUSED))
        complain(n, 1, a->why);
    answer_free(a);
    end_asking(n);
}

static int ask(struct numbers *n, const char *sql, answer_fn *done)
{
    struct question q = {.sql = sql,
                         .rows_max = NUMBERS_MAX + NUMBERS_SITES_MAX + 1,
                         .bytes_max = BYTES_MAX,
                         .done = done,
                         .arg = n};

    return asker_ask(n->asker, &q);
}

static void on_version(void *arg, struct answer *a)
{
    struct numbers *n = arg;
    uint64_t version = 0;
    size_t at = 0;
    char text[24];

    if (a && a->rc == 0 && a->n_rows == 1 && rd_str_copy(text, sizeof(text), answer_cell(a, &at)))
        version = strtoull(text, NULL, 10);
    answer_free(a);
    if (version == 0 || version == version_of(n) || ask(n, all_sql, on_all))
        end_asking(n);
}

/* ---- life ---- */

/* With the lock held: until the answer is there, and then until it is time to look again. */
static void wait_for_turn(struct numbers *n)
{
    uint64_t until_us;

    while (n->asking)
        (void)pthread_cond_wait(&n->wake, &n->lock);
    until_us = monotonic_us() + (uint64_t)n->every_ms * 1000;
    while (!n->stopping && !n->wanted && wait_until(&n->wake, &n->lock, until_us))
        ;
}

static void *run(void *arg)
{
    struct numbers *n = arg;

    (void)pthread_setname_np(pthread_self(), "numbers");
    pthread_mutex_lock(&n->lock);
    while (!n->stopping) {
        n->wanted = false;
        n->asking = true;
        pthread_mutex_unlock(&n->lock);
        if (ask(n, version_sql, on_version))
            end_asking(n);
        pthread_mutex_lock(&n->lock);
        wait_for_turn(n);
    }
    pthread_mutex_unlock(&n->lock);
    return NULL;
}

static void load_saved(struct numbers *n)
{
    struct numbers_copy *c = NULL;
    int rc = numbers_copy_load(&c, n->path, n->secret);

    if (rc && rc != -ENOENT)
        log_warn("numbers.not_read", F_STR("path", n->path), F_ERR(rc),
                 F_FIX(catalogue_fix("numbers.", "not_read")));
    n->copy = c;
}

int numbers_start(struct numbers **out, const struct numbers_opts *o)
{
    struct numbers *n = calloc(1, sizeof(*n));
    int rc;

    if (!n)
        return -ENOMEM;
    n->asker = o->asker;
    n->every_ms = o->every_ms ? o->every_ms : EVERY_MS;
    n->secret = strdup(o->secret);
    (void)pthread_mutex_init(&n->lock, NULL);
    wait_init(&n->wake);
    (void)snprintf(n->path, sizeof(n->path), "%s/numbers", o->data);
    if (!n->secret) {
        numbers_stop(n);
        return -ENOMEM;
    }
    load_saved(n);
    rc = -pthread_create(&n->thread, NULL, run, n);
    n->running = rc == 0;
    if (rc)
        numbers_stop(n);
    else
        *out = n;
    return rc;
}

void numbers_stop(struct numbers *n)
{
    if (!n)
        return;
    pthread_mutex_lock(&n->lock);
    n->stopping = true;
    pthread_cond_broadcast(&n->wake);
    pthread_mutex_unlock(&n->lock);
    if (n->running)
        pthread_join(n->thread, NULL);
    numbers_copy_unref(n->copy);
    (void)pthread_cond_destroy(&n->wake);
    (void)pthread_mutex_destroy(&n->lock);
    free(n->secret);
    free(n);
}
