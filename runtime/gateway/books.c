/* SPDX-License-Identifier: Apache-2.0 */
/* books.c - who starts what, and in which order it ends.
 *
 * - open: the journal, then the shipper's thread; whatever may take long happens there.
 * - the private cluster's schema is migrated here, because nobody else will; a database that was
 *   given by URL is somebody's, and only checked: `ringdown db migrate` is a decision.
 * - upkeep: once an hour, on a thread and a connection of its own, by one node of many.
 *
 * Failure modes: each is an alarm with its remedy, told by the shipper; calls go on. */
#include "gateway/books.h"

#include "base/err.h"
#include "base/json_out.h"
#include "base/log.h"
#include "gateway/upkeep.h"
#include "observe/alarm.h"
#include "store/agent_role.h"
#include "store/asker.h"
#include "store/cluster.h"
#include "store/database.h"
#include "store/journal.h"
#include "store/journal_folder.h"
#include "store/migrate.h"
#include "store/shipper.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

enum {
    DRAIN_MS = 5000,
    STATEMENT_MS = 3000, /* of the library's questions, and of an agent's own: */
    AGENT_STATEMENT_MS = 2000,
    ASIDE_THREADS = 2,
    AGENT_THREADS = 4,
    AGENT_PER_ROLE = 2,
    AGENT_CONNECTIONS = 16
};

struct books {
    const struct settings *settings; /* borrows */
    char journal_folder[PATH_MAX], sql[PATH_MAX];
    atomic_bool stopping;
    struct journal *journal; /* owns, as the following */
    struct shipper *shipper;
    struct upkeep *upkeep;
    struct asker *asker, *aside_asker, *agent_asker;
    atomic_bool is_ready; /* the schema is ours: whoever asks may be answered */
    pthread_mutex_t lock; /* of database, which two threads ask for, and of settled */
    pthread_cond_t wake;
    bool settled;
    struct database *database; /* owns; NULL until it was up once */
};

void books_sql_path(const struct settings *s, char *out, size_t cap)
{
    (void)snprintf(out, cap, "%s/../sql", s->library_path);
}

static struct database_opts database_opts(const struct books *b)
{
    return (struct database_opts){.url = b->settings->database_url,
                                  .data = b->settings->data,
                                  .ca_file = b->settings->ca_file,
                                  .who = "ringdown serve",
                                  .stop = &b->stopping};
}

/* Makes sure that there is a server: brings it up the first time, and again when it was lost. */
static int tend(char *why, size_t cap, void *arg)
{
    struct books *b = arg;
    struct database_opts o = database_opts(b);
    int rc;

    pthread_mutex_lock(&b->lock);
    rc = b->database ? database_tend(b->database, why, cap)
                     : database_up(&b->database, &o, why, cap);
    pthread_mutex_unlock(&b->lock);
    return rc;
}

static int conninfo(struct buf *out, char *why, size_t cap, void *arg)
{
    struct books *b = arg;
    struct database_opts o = database_opts(b);
    int rc = tend(why, cap, b);

    return rc ? rc : database_conninfo(out, &o, why, cap);
}

int books_conninfo(struct books *b, struct buf *out, char *why, size_t cap)
{
    return conninfo(out, why, cap, b);
}

static bool is_private(const struct books *b)
{
    return b->settings->database_url[0] == '\0';
}

static void on_migrated(void *arg, const struct migration *m)
{
    (void)arg;
    log_info("database.migrated", F_INT("version", m->version), F_STR("name", m->name));
}

static int ready(struct pg *pg, char *why, size_t cap, void *arg)
{
    struct books *b = arg;
    struct migrate_opts o = {.folder = b->sql, .binary = RD_VERSION};
    int rc = is_private(b) ? migrate_run(pg, &o, on_migrated, NULL, why, cap)
                           : migrate_check(pg, &o, why, cap);

    if (!rc)
        atomic_store(&b->is_ready, true);
    return rc;
}

/* Without looking after the server: that may take seconds, and is the shipper's. */
static int probe_conninfo(struct buf *out, char *why, size_t cap, void *arg)
{
    const struct books *b = arg;
    struct database_opts o = database_opts(b);

    o.who = "ringdown probe";
    return database_conninfo(out, &o, why, cap);
}

static int start_shipper(struct books *b)
{
    struct shipper_opts o = {.folder = b->journal_folder,
                             .journal = b->journal,
                             .conninfo = conninfo,
                             .ready = ready,
                             .probe_conninfo = probe_conninfo,
                             .arg = b};

    return shipper_start(&b->shipper, &o);
}

static int start_upkeep(struct books *b)
{
    struct upkeep_opts o = {.tend = tend,

                            .conninfo = conninfo,
                            .arg = b,
                            .node = b->settings->node_name,
                            .data = b->settings->data};

    return upkeep_start(&b->upkeep, &o);
}

/* ---- questions of scripts ---- */

static int refuse_early(const struct books *b, char *why, size_t cap)
{
    if (atomic_load(&b->is_ready))
        return 0;
    (void)snprintf(why, cap, "the database is not ready yet; ringdown status tells why");
    return RD_ESTATE;
}

static int asker_conninfo(struct buf *out, const char *role, const char *grants, char *why,
                          size_t cap, void *arg)
{
    struct books *b = arg;
    struct database_opts o = database_opts(b);
    int rc = refuse_early(b, why, cap);

    (void)role;
    (void)grants;
    o.statement_timeout_ms = STATEMENT_MS;
    return rc ? rc : database_conninfo(out, &o, why, cap);
}

static int agent_conninfo(struct buf *out, const char *role, const char *grants, char *why,
                          size_t cap, void *arg)
{
    struct books *b = arg;
    struct agent_role r = {.database = database_opts(b),
                           .agent = role,
                           .tables = grants,
                           .secret = b->settings->cluster_secret,
                           .statement_timeout_ms = AGENT_STATEMENT_MS};
    int rc = refuse_early(b, why, cap);

    return rc ? rc : agent_role_conninfo(out, &r, why, cap);
}

static int start_askers(struct books *b)
{
    struct asker_opts ours = {.conninfo = asker_conninfo, .arg = b};
    struct asker_opts aside = {.conninfo = asker_conninfo, .arg = b, .threads = ASIDE_THREADS};
    struct asker_opts agents = {.conninfo = agent_conninfo,
                                .arg = b,
                                .threads = AGENT_THREADS,
                                .per_role = AGENT_PER_ROLE,
                                .connections = AGENT_CONNECTIONS,
                                .patience_ms = AGENT_STATEMENT_MS + 1000,
                                .discard = true};
    int rc = asker_start(&b->asker, &ours);

    if (!rc)
        rc = asker_start(&b->aside_asker, &aside);
    return rc ? rc : asker_start(&b->agent_asker, &agents);
}

bool books_inherited_done(const struct books *b)
{
    return shipper_inherited_done(b->shipper);
}

struct asker *books_asker(struct books *b)
{
    return b->asker;
}

struct asker *books_aside_asker(struct books *b)
{
    return b->aside_asker;
}

struct asker *books_agent_asker(struct books *b)
{
    return b->agent_asker;
}

void books_hush(struct books *b)
{
    asker_hush(b->asker);
    asker_hush(b->aside_asker);
    asker_hush(b->agent_asker);
}

int books_open(struct books **out, const struct settings *s, char *why, size_t cap)
{
    struct books *b = calloc(1, sizeof(*b));
    struct journal_opts j = {0};
    int rc;

    (void)snprintf(why, cap, "not enough memory");
    if (!b)
        return -ENOMEM;
    b->settings = s;
    pthread_mutex_init(&b->lock, NULL);
    pthread_cond_init(&b->wake, NULL);
    books_sql_path(s, b->sql, sizeof(b->sql));
    journal_folder_of(s->data, b->journal_folder);
    j.folder = b->journal_folder;
    rc = journal_start(&b->journal, &j, why, cap);
    if (!rc)
        rc = start_shipper(b);
    if (!rc)
        rc = start_upkeep(b);
    if (!rc)
        rc = start_askers(b);
    if (rc) {
        books_close(b);
        return rc;
    }
    *out = b;
    return 0;
}

struct journal *books_journal(struct books *b)
{
    return b->journal;
}

/* Where a private cluster lies: not always below the data folder. */
static const char *where(const struct books *b, struct cluster_place *place)
{
    char why[256];

    if (!is_private(b))
        return NULL;
    return cluster_find(place, b->settings->data, why, sizeof(why)) ? NULL : place->folder;
}

int books_json(struct books *b, struct buf *out)
{
    struct journal_gauges g;
    struct cluster_place place;
    int rc = buf_add_str(out, "\"journal\":");

    journal_gauges(b->journal, &g);
    if (!rc)
        rc = json_add_object(out, JSON_MEMBERS(J_INT("waiting", g.waiting), J_INT("kept", g.kept),
                                               J_INT("oldest_age_ms", g.oldest_age_ms),
                                               J_INT("dead", g.dead), J_INT("lost", g.lost),
                                               J_INT("append_p99_us", g.append_p99_us),
                                               J_STR("disk", g.disk ? rd_strerror(g.disk) : "")));
    if (!rc)
        rc = buf_add_str(out, ",\"database\":");
    return rc ? rc
              : json_add_object(out, JSON_MEMBERS(J_BOOL("private", is_private(b)),
                                                  J_STR("where", where(b, &place)),
                                                  J_BOOL("shipping", g.shipping),
                                                  J_STR("error", g.database_error)));
}

static void on_durable(void *arg, int rc)
{
    struct books *b = arg;

    (void)rc;
    pthread_mutex_lock(&b->lock);
    b->settled = true;
    pthread_cond_signal(&b->wake);
    pthread_mutex_unlock(&b->lock);
}

/* The last facts, so that the shipper finds them. The journal answers within a second. */
static void settle(struct books *b)
{
    if (!b->journal || journal_barrier(b->journal, on_durable, b))
        return;
    pthread_mutex_lock(&b->lock);
    while (!b->settled)
        pthread_cond_wait(&b->wake, &b->lock);
    pthread_mutex_unlock(&b->lock);
}

void books_close(struct books *b)
{
    if (!b)
        return;
    atomic_store(&b->stopping, true); /* a server that is just starting is not waited for */
    asker_stop(b->asker);
    asker_stop(b->aside_asker);
    asker_stop(b->agent_asker);
    upkeep_stop(b->upkeep);
    settle(b);
    shipper_stop(b->shipper, DRAIN_MS);
    journal_stop(b->journal);
    database_down(b->database);
    pthread_cond_destroy(&b->wake);
    pthread_mutex_destroy(&b->lock);
    free(b);
}
