/* SPDX-License-Identifier: Apache-2.0 */
/* operate_database.c - server, connection and schema are tried once, at the start, with the words of
 * each; then one thread asks. */
#include "cli/operate_database.h"

#include "base/err.h"
#include "gateway/books.h"
#include "store/migrate.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>

enum { CONNINFO_MAX = 8192, STATEMENT_MS = 20000, PATIENCE_MS = 25000 };

static struct database_opts opts_of(const struct settings *s)
{
    return (struct database_opts){.url = s->database_url,
                                  .data = s->data,
                                  .ca_file = s->ca_file,
                                  .who = "ringdown",
                                  .statement_timeout_ms = STATEMENT_MS};
}

static int conninfo(struct buf *out, const char *role, const char *grants, char *why, size_t cap,
                    void *arg)
{
    const struct operate_database *d = arg;
    struct database_opts o = opts_of(d->settings);

    (void)role;
    (void)grants;
    if (d->down[0]) {
        (void)snprintf(why, cap, "%s", d->down);
        return -ECONNREFUSED;
    }
    return database_conninfo(out, &o, why, cap);
}

/* Is the schema ours? */
static int look(const struct settings *s, const char *conninfo_text, char *why, size_t cap)
{
    char sql[PATH_MAX];
    struct migrate_opts m = {.folder = sql, .binary = RD_VERSION};
    struct pg *pg;
    int rc = pg_open(&pg, conninfo_text, why, cap);

    if (rc) {
        database_explain(why, cap);
        return rc;
    }
    books_sql_path(s, sql, sizeof(sql));
    rc = migrate_check(pg, &m, why, cap);
    pg_close(pg);
    return rc;
}

static void try_it(struct operate_database *d)
{
    struct database_opts o = opts_of(d->settings);
    char *why = d->down;
    struct buf text;
    int rc;

    buf_init(&text, CONNINFO_MAX);
    rc = database_up(&d->database, &o, why, sizeof(d->down));
    if (!rc)
        rc = database_conninfo(&text, &o, why, sizeof(d->down));
    if (!rc && buf_text(&text))
        rc = look(d->settings, text.data, why, sizeof(d->down));
    buf_fini(&text);
    if (!rc)
        why[0] = '\0';
    else if (!why[0])
        (void)snprintf(why, sizeof(d->down), "%s", rd_strerror(rc));
}

int operate_database_open(struct operate_database *d, const struct settings *s)
{
    struct asker_opts a = {
        .threads = 1, .patience_ms = PATIENCE_MS, .conninfo = conninfo, .arg = d};

    *d = (struct operate_database){.settings = s};
    try_it(d);
    return asker_start(&d->asker, &a);
}

void operate_database_close(struct operate_database *d)
{
    asker_stop(d->asker);
    database_down(d->database);
    d->asker = NULL;
    d->database = NULL;
}
