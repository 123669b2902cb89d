/* SPDX-License-Identifier: Apache-2.0 */
/* db_status.c - `ringdown db status`: what is known about the database without touching it.
 *
 * A private cluster is looked at from outside (where, pid, who holds it) and, when it runs, from
 * inside (version, size); the database of database.url only from inside. It is down: said, with how
 * to start it, exit 1. It is up and does not let us in: libpq's reason and the remedy, exit 1. */
#include "base/json_out.h"
#include "cli/db.h"

#include "cli/commands.h"
#include "store/cluster.h"
#include "store/pg.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

struct status {
    struct cluster_state cluster; /* of a private one */
    bool private;
    bool up;
    char version[64];
    char schema[96]; /* its newest migration; "": none */
    long long bytes;
    char why[1024]; /* why it is not up; "" when it is just not started */
};

/* ---- from inside ---- */

static int ask_schema(struct status *s, struct pg *pg)
{
    int rc = pg_query(pg, "select to_regclass('schema_migrations')", 0, NULL);

    if (rc || !pg_text(pg, 0, 0))
        return rc;
    rc = pg_query(pg, "select version, name from schema_migrations order by version desc limit 1",
                  0, NULL);
    if (!rc && pg_rows(pg) == 1)
        snprintf(s->schema, sizeof(s->schema), "%s %s", pg_text(pg, 0, 0), pg_text(pg, 0, 1));
    return rc;
}

static int ask_server(struct status *s, struct pg *pg)
{
    int rc = pg_query(pg,
                      "select current_setting('server_version'), "
                      "pg_database_size(current_database())",
                      0, NULL);

    if (!rc) {
        rd_str_copy(s->version, sizeof(s->version), rd_str(pg_text(pg, 0, 0)));
        s->bytes = strtoll(pg_text(pg, 0, 1), NULL, 10);
        rc = ask_schema(s, pg);
    }
    return rc;
}

static void look_inside(struct status *s, const struct db_order *o)
{
    struct pg *pg = NULL;
    int rc = db_connect(o, &pg, s->why, sizeof(s->why));

    if (!rc) {
        rc = ask_server(s, pg);
        if (rc)
            snprintf(s->why, sizeof(s->why), "%s", pg_message(pg));
    }
    s->up = rc == 0;
    pg_close(pg);
}

static void look(struct status *s, const struct db_order *o)
{
    int rc = 0;

    s->private = !o->database.url[0];
    if (s->private)
        rc = cluster_look(&s->cluster, o->database.data, s->why, sizeof(s->why));
    if (rc == -ENOENT)
        s->why[0] = '\0';
    if (!rc && (!s->private || s->cluster.pid))
        look_inside(s, o);
}

/* ---- as JSON ---- */

static int shown_holders(const struct status *s)
{
    return s->cluster.n_holders < CLUSTER_HOLDERS_MAX ? s->cluster.n_holders : CLUSTER_HOLDERS_MAX;
}

static void add_json(struct buf *out, const struct status *s)
{
    const struct cluster_state *c = &s->cluster;

    buf_add_str(out, "{");
    json_members(out, JSON_MEMBERS(J_BOOL("private", s->private), J_BOOL("up", s->up)), true);
    if (s->private) {
        json_members(out,
                     JSON_MEMBERS(J_STR("folder", c->place.folder), J_BOOL("moved", c->place.moved),
                                  J_BOOL("made", c->place.made), J_INT("pid", c->pid),
                                  J_STR("user", c->place.user)),
                     false);
        buf_add_str(out, ",\"holders\":[");
        for (int i = 0; i < shown_holders(s); i++)
            buf_addf(out, "%s%d", i ? "," : "", (int)c->holders[i]);
        buf_add_str(out, "]");
    }
    if (s->up)
        json_members(out,
                     JSON_MEMBERS(J_STR("version", s->version), J_STR("schema", s->schema),
                                  J_INT("bytes", s->bytes)),
                     false);
    json_members(out, JSON_MEMBERS(J_STR("why", s->why[0] ? s->why : NULL)), false);
    buf_add_str(out, "}\n");
}

/* ---- for people ---- */

static void add_holders(struct buf *out, const struct status *s)
{
    buf_add_str(out, s->cluster.n_holders ? "  used by   pid" : "  used by   nobody");
    for (int i = 0; i < shown_holders(s); i++)
        buf_addf(out, "%s %d", i ? "," : "", (int)s->cluster.holders[i]);
    if (s->cluster.n_holders > shown_holders(s))
        buf_addf(out, " and %d more", s->cluster.n_holders - shown_holders(s));
    buf_add_str(out, "\n");
}

static void add_private(struct buf *out, const struct status *s)
{
    const struct cluster_place *p = &s->cluster.place;

    if (!p->made) {
        buf_add_str(out, "  There is none in this data folder yet; make it: ringdown db up\n");
        return;
    }
    buf_addf(out, "  folder    %s%s\n", p->folder,
             p->moved ? " (the data folder is too long for a socket, or closed to its user)" : "");
    buf_addf(out, "  runs as   %s", p->user);
    if (s->cluster.pid)
        buf_addf(out, ", pid %d", (int)s->cluster.pid);
    buf_add_str(out, "\n");
    add_holders(out, s);
}

static void add_lines(struct buf *out, const struct status *s)
{
    buf_addf(out, "Database of %s: %s\n", s->private ? "this data folder" : "database.url",
             s->up                           ? "up"
             : s->private && !s->cluster.pid ? "down"
                                             : "does not answer");
    if (s->private && (s->cluster.place.made || !s->why[0]))
        add_private(out, s);
    if (s->up)
        buf_addf(out, "  version   PostgreSQL %s\n  schema    %s\n  size      %.1f MB\n",
                 s->version, s->schema[0] ? s->schema : "none yet", (double)s->bytes / 1e6);
    else if (s->why[0])
        buf_addf(out, "  why       %s\n", s->why);
    else if (s->cluster.place.made)
        buf_add_str(out, "  It is not running; start it: ringdown db up\n");
}

int db_status(const struct db_order *o)
{
    struct status *s = calloc(1, sizeof(*s));
    struct buf text;
    int code = EXIT_FAILED;

    if (!s)
        return code;
    look(s, o);
    buf_init(&text, 256 * 1024);
    if (o->json)
        add_json(&text, s);
    else
        add_lines(&text, s);
    fwrite(text.data, 1, text.n, stdout);
    if (s->up)
        code = EXIT_OK;
    buf_fini(&text);
    free(s);
    return code;
}
