/* SPDX-License-Identifier: Apache-2.0 */
/* follower.c - a copy of some tables that follows the database.
 *
 *   every so often, or when told: which version has the database? ─ another one ─▶ all of it ─▶
 *   the copy in memory, and the file <data>/NAME
 *
 * - the database is away: the copy stays; at the start it comes out of the file
 * - more than fits, or not to be understood: the copy stays, and the log says so once per version
 *
 * It asks instead of listening: one number a few times a second costs nothing, needs no connection of
 * its own, and cannot be lost with one. One question at a time is on its way; its answer comes on a
 * thread of the asker and is read there. */
#include "gateway/follower.h"

#include "base/err.h"
#include "base/log.h"
#include "base/now.h"
#include "base/wait.h"
#include "gateway/sealed.h"
#include "observe/catalogue.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct follower {
    struct follower_opts o;
    char path[PATH_MAX];
    char *secret;         /* owns */
    pthread_mutex_t lock; /* of all below */
    pthread_cond_t wake;
    struct followed *copy;   /* refs; NULL: nothing is known */
    uint64_t failed_version; /* that could not be read; told once */
    bool asking, wanted, stopping, running, has_asked;
    pthread_t thread;
};

/* ---- one state ---- */

void followed_init(struct followed *f, struct answer *a, void (*free)(struct followed *f))
{
    atomic_init(&f->refs, 1);
    f->answer = a;
    f->free = free;
}

static struct followed *followed_ref(struct followed *f)
{
    if (f)
        atomic_fetch_add_explicit(&f->refs, 1, memory_order_relaxed);
    return f;
}

void followed_unref(struct followed *f)
{
    if (!f || atomic_fetch_sub_explicit(&f->refs, 1, memory_order_acq_rel) != 1)
        return;
    answer_free(f->answer);
    f->free(f);
}

/* ---- what is known ---- */

struct followed *follower_copy(struct follower *f)
{
    struct followed *c;

    pthread_mutex_lock(&f->lock);
    c = followed_ref(f->copy);
    pthread_mutex_unlock(&f->lock);
    return c;
}

static uint64_t version_of(struct follower *f)
{
    uint64_t version;

    pthread_mutex_lock(&f->lock);
    version = f->copy ? f->copy->version : 0;
    pthread_mutex_unlock(&f->lock);
    return version;
}

bool follower_has_asked(struct follower *f)
{
    bool has;

    pthread_mutex_lock(&f->lock);
    has = f->has_asked;
    pthread_mutex_unlock(&f->lock);
    return has;
}

uint64_t follower_refresh(struct follower *f)
{
    if (!f)
        return 0;
    pthread_mutex_lock(&f->lock);
    f->wanted = true;
    pthread_cond_broadcast(&f->wake);
    pthread_mutex_unlock(&f->lock);
    return version_of(f);
}

/* ---- asking ---- */

static void put_copy(struct follower *f, struct followed *c)
{
    struct followed *old;

    pthread_mutex_lock(&f->lock);
    old = f->copy;
    f->copy = followed_ref(c);
    pthread_mutex_unlock(&f->lock);
    followed_unref(old);
}

/* `answered`: the copy is as the database has it. */
static void end_asking(struct follower *f, bool answered)
{
    pthread_mutex_lock(&f->lock);
    f->asking = false;
    f->has_asked = f->has_asked || answered;
    pthread_cond_broadcast(&f->wake);
    pthread_mutex_unlock(&f->lock);
}

static void complain(struct follower *f, uint64_t version, const char *why)
{
    if (f->failed_version != version)
        log_error("copy.not_loaded", F_STR("of", f->o.name), F_STR("why", why),
                  F_FIX(catalogue_fix("copy.", "not_loaded")));
    f->failed_version = version;
}

static bool take_all(struct follower *f, struct answer *a)
{
    struct followed *c = NULL;
    int rc = f->o.make(&c, a);

    if (rc) {
        complain(f, 0, rd_strerror(rc));
        return false;
    }
    put_copy(f, c);
    rc = sealed_save(c->answer, f->o.magic, f->path, f->secret);
    if (rc)
        log_warn("copy.not_saved", F_STR("of", f->o.name), F_STR("path", f->path), F_ERR(rc),
                 F_FIX(catalogue_fix("copy.", "not_saved")));
    followed_unref(c);
    return true;
}

/* A thread of the asker, as the next one. The database being away is the shipper's alarm. */
static void on_all(void *arg, struct answer *a)
{
    struct follower *f = arg;

    if (a && a->rc == 0) {
        end_asking(f, take_all(f, a));
        return;
    }
    if (a && (a->rc == RD_ETOOBIG || a->rc == RD_EREFUSED))
        complain(f, 1, a->why);
    answer_free(a);
    end_asking(f, false);
}

static int ask(struct follower *f, const char *sql, answer_fn *done)
{
    struct question q = {
        .sql = sql, .rows_max = f->o.rows_max, .bytes_max = f->o.bytes_max, .done = done, .arg = f};

    return f->o.asker ? asker_ask(f->o.asker, &q) : RD_EGONE;
}

static void on_version(void *arg, struct answer *a)
{
    struct follower *f = arg;
    uint64_t version = 0;
    size_t at = 0;
    char text[24];
    bool known;

    if (a && a->rc == 0 && a->n_rows == 1 && rd_str_copy(text, sizeof(text), answer_cell(a, &at)))
        version = strtoull(text, NULL, 10);
    answer_free(a);
    known = version > 0 && version == version_of(f);
    if (version == 0 || known || ask(f, f->o.all, on_all))
        end_asking(f, known);
}

/* ---- life ---- */

static void look(struct follower *f)
{
    if (ask(f, f->o.version, on_version))
        end_asking(f, false);
}

/* An answer that is late delays no turn, for who turns may have a reason that the database has not. */
static void *run(void *arg)
{
    struct follower *f = arg;
    uint64_t until_us;
    bool free_to_ask;

    (void)pthread_setname_np(pthread_self(), f->o.name);
    pthread_mutex_lock(&f->lock);
    while (!f->stopping) {
        free_to_ask = !f->asking;
        if (free_to_ask) {
            f->wanted = false;
            f->asking = true;
        }
        pthread_mutex_unlock(&f->lock);
        if (free_to_ask)
            look(f);
        if (f->o.turn)
            f->o.turn(f->o.arg);
        pthread_mutex_lock(&f->lock);
        until_us = monotonic_us() + (uint64_t)f->o.every_ms * 1000;
        while (!f->stopping && !(f->wanted && !f->asking) &&
               wait_until(&f->wake, &f->lock, until_us))
            ;
    }
    while (f->asking)
        (void)pthread_cond_wait(&f->wake, &f->lock);
    pthread_mutex_unlock(&f->lock);
    return NULL;
}

static void load_saved(struct follower *f)
{
    struct answer *a = NULL;
    struct followed *c = NULL;
    int rc = sealed_load(&a, f->o.magic, f->o.n_columns, f->path, f->secret);

    if (!rc)
        rc = f->o.make(&c, a);
    if (rc && rc != -ENOENT)
        log_warn("copy.not_read", F_STR("of", f->o.name), F_STR("path", f->path), F_ERR(rc),
                 F_FIX(catalogue_fix("copy.", "not_read")));
    f->copy = c;
}

int follower_start(struct follower **out, const struct follower_opts *o)
{
    struct follower *f = calloc(1, sizeof(*f));
    int rc;

    if (!f)
        return -ENOMEM;
    f->o = *o;
    f->secret = strdup(o->secret);
    (void)pthread_mutex_init(&f->lock, NULL);
    wait_init(&f->wake);
    (void)snprintf(f->path, sizeof(f->path), "%s/%s", o->data ? o->data : ".", o->name);
    if (!f->secret) {
        follower_stop(f);
        return -ENOMEM;
    }
    if (o->asker)
        load_saved(f);
    *out = f; /* before its thread, which may use it */
    rc = -pthread_create(&f->thread, NULL, run, f);
    f->running = rc == 0;
    if (rc) {
        *out = NULL;
        follower_stop(f);
    }
    return rc;
}

void follower_hush(struct follower *f)
{
    if (!f)
        return;
    pthread_mutex_lock(&f->lock);
    f->stopping = true;
    pthread_cond_broadcast(&f->wake);
    pthread_mutex_unlock(&f->lock);
    if (f->running)
        pthread_join(f->thread, NULL);
    f->running = false;
}

void follower_stop(struct follower *f)
{
    if (!f)
        return;
    follower_hush(f);
    followed_unref(f->copy);
    (void)pthread_cond_destroy(&f->wake);
    (void)pthread_mutex_destroy(&f->lock);
    free(f->secret);
    free(f);
}
