/* SPDX-License-Identifier: Apache-2.0 */
/* releases.c - follows the current release, and keeps what was loaded from a folder.
 *
 * - LISTEN tells at once; besides, the current number is asked for each second, because a
 *   notification may be lost with its connection
 * - a release is written to the data folder before it is offered: a node that starts without its
 *   database runs what it ran last
 * - a folder's trees are kept as they come; those loaded faster than one a second are not all kept
 *
 * Failure modes: a database that is away is the shipper's alarm; here it is tried again each second,
 * and the agents in use stay. A release that cannot be read raises `agents.release`; none at all,
 * `agents.no_release`. */
#include "gateway/releases.h"

#include "base/err.h"
#include "base/log.h"
#include "gateway/releases_copy.h"
#include "observe/alarm.h"
#include "store/pg.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { LOOK_MS = 1000, PATIENCE_MS = 20000, CONNINFO_MAX = 8192, WHY_MAX = 512 };

static const size_t files_max = (size_t)4 * TREE_BYTES;

struct releases {
    struct reload *reload; /* borrows, as the following */
    const struct settings *settings;
    struct books *books;
    pthread_t thread;
    int wake_fd; /* owns */
    atomic_bool stopping;
    bool from_database, running;
    struct agent_set *unkept; /* refs: what the database did not take yet; NULL: nothing */
    int64_t have;             /* the release that was offered last; 0: none */
};

static const char fix_none[] = "publish agents with: ringdown agents publish";

static bool is_stopping(void *arg)
{
    return atomic_load(&((struct releases *)arg)->stopping);
}

static int open_database(struct books *books, struct pg **out, char *why, size_t cap)
{
    struct buf conninfo;
    int rc;

    buf_init(&conninfo, CONNINFO_MAX);
    rc = books_conninfo(books, &conninfo, why, cap);
    if (!rc)
        rc = buf_text(&conninfo) ? pg_open(out, conninfo.data, why, cap) : -ENOMEM;
    buf_fini(&conninfo);
    return rc;
}

/* ---- following the current release ---- */

static int refuse(int64_t id, const char *why)
{
    char text[ALARM_TEXT];

    (void)snprintf(text, sizeof(text), "release %lld cannot be read: %.180s", (long long)id, why);
    alarm_raise(ALARM_CRITICAL, "agents.release", NULL, text,
                "the release from before stays in use; publish the agents again");
    return RD_EPROTO;
}

/* The current release when it is another than `have`. -ENOENT: there is none at all. */
static int fetch(struct pg *pg, const char *data, int64_t have, struct tree **tree, int64_t *id)
{
    static const char sql[] = "select r.id, t.files from agent_releases r join agent_trees t using "
                              "(tree_hash) where r.id = current_release() and r.id <> $1";
    char number[24], why[WHY_MAX];
    const char *text, *p[] = {number};
    int rc;

    (void)snprintf(number, sizeof(number), "%lld", (long long)have);
    rc = pg_query(pg, sql, 1, p);
    if (rc || pg_rows(pg) == 0)
        return rc ? rc : have ? 0 : -ENOENT;
    *id = strtoll(pg_text(pg, 0, 0), NULL, 10);
    text = pg_text(pg, 0, 1);
    if (tree_from_json(tree, rd_str(text), why, sizeof(why)))
        return refuse(*id, why);
    rc = release_copy_write(data, rd_str(text), *id);
    if (rc)
        log_warn("agents.release_not_copied", F_ERR(rc),
                 F_FIX("the data folder's disk takes no file; a start without the database would "
                       "have the release before"));
    return 0;
}

static int follow(struct releases *x, struct pg *pg)
{
    struct tree *tree = NULL;
    int64_t id = 0;
    int rc = fetch(pg, x->settings->data, x->have, &tree, &id);

    if (rc == -ENOENT) {
        alarm_raise(ALARM_CRITICAL, "agents.no_release", NULL,
                    "no release of the agents is current", fix_none);
        return 0;
    }
    if (rc == RD_EPROTO) { /* told; the next one may be better */
        x->have = id;
        return 0;
    }
    if (rc || !tree)
        return rc;
    alarm_clear("agents.no_release", NULL);
    log_info("agents.release", F_INT("release", id));
    x->have = id;
    reload_offer(x->reload, tree, id);
    tree_unref(tree);
    return 0;
}

/* ---- keeping what was loaded ---- */

static int keep_tree(struct releases *x, struct pg *pg, const struct agent_set *set)
{
    struct tree *tree = agent_set_tree(set);
    struct buf files, agents;
    char why[WHY_MAX];
    int rc;

    buf_init(&files, files_max);
    buf_init(&agents, 1 << 20);
    rc = tree_to_json(tree, &files, why, sizeof(why));
    if (rc) { /* it is loaded all the same; only publishing will refuse it */
        log_warn("agents.not_kept", F_STR("why", why),
                 F_FIX("this version cannot be restored later; see why"));
        rc = 0;
    } else if (!(rc = reload_agents_json(set, &agents)) && buf_text(&files) && buf_text(&agents)) {
        const char *const p[] = {tree_hash(tree), files.data, agents.data, x->settings->node_name};

        rc = pg_query(pg, "select keep_agent_tree($1, $2::jsonb, $3::jsonb, $4)", 4, p);
    }
    buf_fini(&files);
    buf_fini(&agents);
    return rc;
}

/* undefined_function, undefined_table: a first start, whose migrations are still being applied. */
static bool has_no_schema_yet(const struct pg *pg)
{
    return strcmp(pg_sqlstate(pg), "42883") == 0 || strcmp(pg_sqlstate(pg), "42P01") == 0;
}

static int keep(struct releases *x, struct pg *pg)
{
    struct agent_set *set = reload_unkept(x->reload);
    int rc;

    if (set) {
        agent_set_unref(x->unkept);
        x->unkept = set;
    }
    if (!x->unkept)
        return 0;
    rc = keep_tree(x, pg, x->unkept);
    if (rc == RD_EREFUSED && has_no_schema_yet(pg))
        return 0; /* again, once it has */
    if (rc == RD_EREFUSED)
        log_warn("agents.not_kept", F_STR("why", pg_message(pg)),
                 F_FIX("this version cannot be restored later; see why"));
    if (rc && rc != RD_EREFUSED)
        return rc; /* again, on another connection */
    agent_set_unref(x->unkept);
    x->unkept = NULL;
    return 0;
}

/* ---- the thread ---- */

/* Until somebody calls, a notification came, or it is time to look. */
static void rest(struct releases *x, struct pg *pg)
{
    struct pollfd p[] = {{.fd = x->wake_fd, .events = POLLIN},
                         {.fd = pg ? pg_socket(pg) : -1, .events = POLLIN}};

    (void)poll(p, 2, LOOK_MS);
    if (pg && p[1].revents)
        (void)pg_notified(pg);
}

static int serve(struct releases *x, struct pg *pg)
{
    int rc = x->from_database ? pg_script(pg, "listen ringdown_agents") : 0;

    while (!rc && !is_stopping(x)) {
        rc = x->from_database ? follow(x, pg) : keep(x, pg);
        if (!rc && !pg_alive(pg))
            rc = RD_EGONE;
        if (!rc)
            rest(x, pg);
    }
    return rc;
}

static void *run(void *arg)
{
    struct releases *x = arg;
    char why[WHY_MAX];

    (void)pthread_setname_np(pthread_self(), "releases");
    while (!is_stopping(x)) {
        struct pg *pg = NULL;

        if (open_database(x->books, &pg, why, sizeof(why)) == 0) {
            pg_patience(pg, PATIENCE_MS, is_stopping, x);
            (void)serve(x, pg);
            pg_close(pg);
        }
        if (!is_stopping(x))
            rest(x, NULL);
    }
    return NULL;
}

int releases_start(struct releases **out, struct reload *r, const struct settings *s,
                   struct books *books)
{
    struct releases *x = calloc(1, sizeof(*x));
    int rc;

    if (!x)
        return -ENOMEM;
    *x = (struct releases){.reload = r, .settings = s, .books = books};
    x->from_database = strcmp(s->agents_source, "database") == 0;
    x->have = reload_release(r);
    x->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    rc = x->wake_fd < 0 ? -errno : -pthread_create(&x->thread, NULL, run, x);
    x->running = rc == 0;
    if (rc) {
        releases_stop(x);
        return rc;
    }
    *out = x;
    return 0;
}

void releases_stop(struct releases *x)
{
    uint64_t one = 1;

    if (!x)
        return;
    atomic_store(&x->stopping, true);
    if (x->running && write(x->wake_fd, &one, sizeof(one)) >= 0)
        pthread_join(x->thread, NULL);
    if (x->wake_fd >= 0)
        close(x->wake_fd);
    agent_set_unref(x->unkept);
    free(x);
}

/* ---- the start ---- */

static void ask_once(const struct settings *s, struct books *books, struct tree **tree, int64_t *id)
{
    struct pg *pg = NULL;
    char why[WHY_MAX] = "there is no database";
    int rc = books ? open_database(books, &pg, why, sizeof(why)) : -ENOENT;

    if (!rc) {
        rc = fetch(pg, s->data, 0, tree, id);
        (void)snprintf(why, sizeof(why), "%s",
                       rc == -ENOENT ? "nothing was published yet" : pg_message(pg));
    }
    pg_close(pg);
    if (!rc)
        return;
    log_error("agents.no_release", F_STR("why", why), F_FIX(fix_none));
    alarm_raise(ALARM_CRITICAL, "agents.no_release", NULL, why, fix_none);
}

int releases_first(struct reload *r, const struct settings *s, struct books *books,
                   struct agent_set **out, char *why, size_t cap)
{
    struct tree *tree = NULL;
    int64_t id = 0;
    int rc;

    if (strcmp(s->agents_source, "database") == 0 && release_copy_read(s->data, &tree, &id) != 0)
        ask_once(s, books, &tree, &id);
    rc = reload_first(r, tree, id, out, why, cap);
    tree_unref(tree);
    return rc;
}
