/* SPDX-License-Identifier: Apache-2.0 */
/* upkeep.c - what nobody notices as long as it is done.
 *
 * Every minute the server is looked after. A minute after the start, then every hour: connect,
 * `maintain()` if no other node is at it (an advisory lock says so), then delete the recordings of
 * this node that are due.
 *
 * Failure modes: a database that is away is the shipper's alarm; here it is tried again in a minute.
 * Upkeep that the database refuses is an alarm of its own: partitions for next month are made here. */
#include "gateway/upkeep.h"

#include "base/log.h"
#include "base/now.h"
#include "base/wait.h"
#include "observe/alarm.h"
#include "store/pg.h"
#include "store/recording_file.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEND_MS = 60000, EVERY_MS = 3600000, CONNINFO_MAX = 8192, PATIENCE_MS = 60000 };

struct upkeep {
    struct upkeep_opts o;
    char node[64], data[PATH_MAX];
    pthread_t thread;
    pthread_mutex_t lock; /* of stopping */
    pthread_cond_t wake;
    bool running, stopping;
};

static const char fix[] = "the line above has the database's words; partitions of next month and "
                          "retention wait for this";

static bool is_stopping(void *arg)
{
    struct upkeep *u = arg;
    bool stopping;

    pthread_mutex_lock(&u->lock);
    stopping = u->stopping;
    pthread_mutex_unlock(&u->lock);
    return stopping;
}

static int connect_database(struct upkeep *u, struct pg **out)
{
    struct buf conninfo;
    char why[512];
    int rc;

    buf_init(&conninfo, CONNINFO_MAX);
    rc = u->o.conninfo(&conninfo, why, sizeof(why), u->o.arg);
    if (!rc)
        rc = buf_text(&conninfo) ? pg_open(out, conninfo.data, why, sizeof(why)) : -ENOMEM;
    if (!rc) /* a server that hangs must not keep the node from ending */
        pg_patience(*out, PATIENCE_MS, is_stopping, u);
    buf_fini(&conninfo);
    return rc;
}

/* The lock goes with the connection. */
static int maintain(struct pg *pg)
{
    int rc = pg_query(pg, "select pg_try_advisory_lock(hashtext('ringdown upkeep'))", 0, NULL);

    if (rc || !pg_text(pg, 0, 0) || strcmp(pg_text(pg, 0, 0), "t") != 0)
        return rc;
    return pg_query(pg, "select count(*) from maintain()", 0, NULL);
}

/* The database is told of each that is really gone; one that stays is asked for again in an hour. */
static int delete_recording(struct upkeep *u, struct pg *pg, const char *path)
{
    uint64_t bytes;
    int rc = recording_remove(u->data, path, &bytes);

    if (rc && rc != -ENOENT) {
        log_error("upkeep.not_deleted", F_STR("path", path), F_ERR(rc),
                  F_FIX("delete the file by hand; it is past its time"));
        return 0;
    }
    return pg_query(pg, "select recording_gone($1, $2)", 2, (const char *const[]){u->node, path});
}

static int delete_recordings(struct upkeep *u, struct pg *pg)
{
    const char *node = u->node;
    char **paths;
    int n, rc = pg_query(pg, "select path from recordings_due($1)", 1, &node);

    if (rc)
        return rc;
    n = pg_rows(pg);
    paths = calloc((size_t)n + 1, sizeof(*paths)); /* the rows go with the next query */
    for (int i = 0; paths && i < n; i++)
        paths[i] = strdup(pg_text(pg, i, 0));
    for (int i = 0; paths && i < n; i++) {
        if (!rc && paths[i])
            rc = delete_recording(u, pg, paths[i]);
        free(paths[i]);
    }
    free(paths);
    return paths ? rc : -ENOMEM;
}

/* False: it is to be tried again soon. */
static bool once(struct upkeep *u)
{
    struct pg *pg = NULL;
    int rc = connect_database(u, &pg);

    if (rc)
        return false;
    rc = maintain(pg);
    if (!rc)
        rc = delete_recordings(u, pg);
    if (rc && is_stopping(u)) {
        log_info("upkeep.interrupted", F_STR("why", pg_message(pg)));
    } else if (rc) {
        log_error("upkeep.failed", F_STR("why", pg_message(pg)), F_FIX(fix));
        alarm_raise(ALARM_WARNING, "database.upkeep", NULL, pg_message(pg), fix);
    } else {
        alarm_clear("database.upkeep", NULL);
    }
    pg_close(pg);
    return rc == 0;
}

/* False: it is time to go. */
static bool wait_for(struct upkeep *u, uint32_t ms)
{
    uint64_t until_us = monotonic_us() + (uint64_t)ms * 1000;
    bool go_on;

    pthread_mutex_lock(&u->lock);
    while (!u->stopping && wait_until(&u->wake, &u->lock, until_us))
        ;
    go_on = !u->stopping;
    pthread_mutex_unlock(&u->lock);
    return go_on;
}

static void *run(void *arg)
{
    struct upkeep *u = arg;
    uint32_t waited_ms = u->o.every_ms; /* the first time is soon */
    char why[512];

    (void)pthread_setname_np(pthread_self(), "upkeep");
    while (wait_for(u, u->o.tend_ms)) {
        (void)u->o.tend(why, sizeof(why), u->o.arg); /* the shipper tells what comes of it */
        waited_ms += u->o.tend_ms;
        if (waited_ms >= u->o.every_ms)
            waited_ms = once(u) ? 0 : u->o.every_ms;
    }
    return NULL;
}

int upkeep_start(struct upkeep **out, const struct upkeep_opts *o)
{
    struct upkeep *u = calloc(1, sizeof(*u));
    int rc;

    if (!u)
        return -ENOMEM;
    u->o = *o;
    u->o.tend_ms = o->tend_ms ? o->tend_ms : TEND_MS;
    u->o.every_ms = o->every_ms ? o->every_ms : EVERY_MS;
    (void)snprintf(u->node, sizeof(u->node), "%s", o->node);
    (void)snprintf(u->data, sizeof(u->data), "%s", o->data);
    pthread_mutex_init(&u->lock, NULL);
    wait_init(&u->wake);
    rc = -pthread_create(&u->thread, NULL, run, u);
    u->running = rc == 0;
    if (rc) {
        upkeep_stop(u);
        return rc;
    }
    *out = u;
    return 0;
}

void upkeep_stop(struct upkeep *u)
{
    if (!u)
        return;
    if (u->running) {
        pthread_mutex_lock(&u->lock);
        u->stopping = true;
        pthread_cond_signal(&u->wake);
        pthread_mutex_unlock(&u->lock);
        pthread_join(u->thread, NULL);
    }
    pthread_cond_destroy(&u->wake);
    pthread_mutex_destroy(&u->lock);
    free(u);
}
