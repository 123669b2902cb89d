/* SPDX-License-Identifier: Apache-2.0 */
/* db_migrate.c - `ringdown db migrate`: brings the schema to what this binary wants, or with
 * --dry-run says what that would be. Starts the private cluster if it is down.
 *
 * What is refused and why (edited history, a schema too new for us, missing rights) is a sentence of
 * store/migrate.h; those that were applied before a failure stay, and are told. */
#include "base/err.h"
#include "cli/commands.h"
#include "cli/db.h"
#include "store/migrate.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

struct told {
    const struct db_order *order;
    unsigned n;
};

static void on_migration(void *arg, const struct migration *m)
{
    struct told *t = arg;

    if (t->order->json)
        printf("%s{\"version\":%u,\"name\":\"%s\"}", t->n ? "," : "", m->version, m->name);
    else
        printf("%s %04u %s\n", t->order->dry_run ? "would apply" : "applied", m->version, m->name);
    fflush(stdout);
    t->n++;
}

/* sql/ beside scripts/. */
static void find_sql(char *out, size_t cap, const char *library)
{
    size_t n = strlen(library);

    while (n > 0 && library[n - 1] == '/')
        n--;
    while (n > 0 && library[n - 1] != '/')
        n--;
    snprintf(out, cap, "%.*ssql", (int)n, library);
}

static int migrate(const struct db_order *o, struct told *t, char *why, size_t cap)
{
    char folder[PATH_MAX];
    struct migrate_opts m = {.folder = folder};
    struct pg *pg = NULL;
    int rc = db_start(o, why, cap);

    find_sql(folder, sizeof(folder), o->library);
    if (!rc)
        rc = db_connect(o, &pg, why, cap);
    if (!rc)
        rc = o->dry_run ? migrate_plan(pg, &m, on_migration, t, why, cap)
                        : migrate_run(pg, &m, on_migration, t, why, cap);
    pg_close(pg);
    return rc;
}

int db_migrate(const struct db_order *o)
{
    struct told t = {.order = o};
    char why[1024] = "";
    int rc;

    if (o->json)
        printf("{\"dry_run\":%s,\"migrations\":[", o->dry_run ? "true" : "false");
    rc = migrate(o, &t, why, sizeof(why));
    if (o->json)
        printf("],\"done\":%s}\n", rc ? "false" : "true");
    if (rc)
        return db_complain("migrate", why[0] ? why : rd_strerror(rc));
    if (!o->json && t.n == 0)
        puts("The schema is up to date.");
    return EXIT_OK;
}
