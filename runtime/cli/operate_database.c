/* SPDX-License-Identifier: Apache-2.0 */
/* operate_database.c - server, connection and schema are tried once, at the start, with the words of
 * each, and the current release of the agents is fetched; then one thread asks. */
#include "cli/operate_database.h"

#include "base/err.h"
#include "gateway/books.h"
#include "gateway/releases_copy.h"
#include "store/migrate.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

enum { CONNINFO_MAX = 8192, STATEMENT_MS = 20000, PATIENCE_MS = 25000 };

/* Of who hurries: a whole command is over within a few seconds, whatever the server does. */
enum { HURRY_CONNECT_MS = 1000, HURRY_STATEMENT_MS = 1000, HURRY_PATIENCE_MS = 1200 };

static struct database_opts opts_of(const struct operate_database *d)
{
    const struct settings *s = d->settings;

    return (struct database_opts){.url = s->database_url,
                                  .data = s->data,
                                  .ca_file = s->ca_file,
                                  .who = "ringdown",
                                  .statement_timeout_ms =
                                      d->hurries ? HURRY_STATEMENT_MS : STATEMENT_MS};
}

static int conninfo(struct buf *out, const char *role, const char *grants, char *why, size_t cap,
                    void *arg)
{
    const struct operate_database *d = arg;
    struct database_opts o = opts_of(d);

    (void)role;
    (void)grants;
    if (d->down[0]) {
        (void)snprintf(why, cap, "%s", d->down);
        return -ECONNREFUSED;
    }
    return database_conninfo(out, &o, why, cap);
}

static bool has_releases(const struct settings *s)
{
    return strcmp(s->agents_source, "database") == 0;
}

static int fetch_release(struct tree **out, struct pg *pg, char *why, size_t cap)
{
    static const char sql[] = "select t.files from agent_releases r join agent_trees t using "
                              "(tree_hash) where r.id = current_release()";
    int rc = pg_query(pg, sql, 0, NULL);

    if (rc)
        (void)snprintf(why, cap, "%s", pg_message(pg));
    if (rc || pg_rows(pg) == 0)
        return rc;
    return tree_from_json(out, rd_str(pg_text(pg, 0, 0)), why, cap);
}

/* Is the schema ours? And which agents do nodes have? */
static int look(struct operate_database *d, const char *conninfo_text)
{
    const struct settings *s = d->settings;
    size_t cap = sizeof(d->down);
    char *why = d->down;
    char sql[PATH_MAX];
    struct migrate_opts m = {.folder = sql, .binary = RD_VERSION};
    struct pg *pg;
    int rc = pg_open_within(&pg, conninfo_text, d->hurries ? HURRY_CONNECT_MS : 0, why, cap);

    if (rc) {
        database_explain(why, cap);
        return rc;
    }
    pg_patience(pg, d->hurries ? HURRY_PATIENCE_MS : 0, NULL, NULL);
    books_sql_path(s, sql, sizeof(sql));
    rc = migrate_check(pg, &m, why, cap);
    if (!rc && has_releases(s))
        rc = fetch_release(&d->release, pg, why, cap);
    pg_close(pg);
    return rc;
}

static void try_it(struct operate_database *d)
{
    struct database_opts o = opts_of(d);
    char *why = d->down;
    struct buf text;
    int rc;

    buf_init(&text, CONNINFO_MAX);
    rc = database_up(&d->database, &o, why, sizeof(d->down));
    if (!rc)
        rc = database_conninfo(&text, &o, why, sizeof(d->down));
    if (!rc && buf_text(&text))
        rc = look(d, text.data);
    buf_fini(&text);
    if (!rc)
        why[0] = '\0';
    else if (!why[0])
        (void)snprintf(why, sizeof(d->down), "%s", rd_strerror(rc));
}

int operate_database_open(struct operate_database *d, const struct settings *s, bool hurries)
{
    int64_t id;
    struct asker_opts a = {.threads = 1,
                           .patience_ms = hurries ? HURRY_PATIENCE_MS : PATIENCE_MS,
                           .connect_ms = hurries ? HURRY_CONNECT_MS : 0,
                           .conninfo = conninfo,
                           .arg = d};

    *d = (struct operate_database){.settings = s, .hurries = hurries};
    try_it(d);
    if (d->down[0] && !d->release && has_releases(s))
        (void)release_copy_read(s->data, &d->release, &id);
    return asker_start(&d->asker, &a);
}

void operate_database_close(struct operate_database *d)
{
    asker_stop(d->asker);
    database_down(d->database);
    tree_unref(d->release);
    d->release = NULL;
    d->asker = NULL;
    d->database = NULL;
}
