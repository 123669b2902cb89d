/* SPDX-License-Identifier: Apache-2.0 */
/* db.c - `ringdown db`: the database behind the node, from its first start to its address.
 *
 *   up       makes, starts or adopts the private cluster; with database.url, tries to connect
 *   down     stops the private cluster unless a ringdown uses it
 *   status   where it is, whether it answers, who uses it
 *   url      for psql "$(ringdown db url)"
 *
 * None of this needs a node that runs, and all of it works beside one. */
#include "base/err.h"
#include "cli/commands.h"
#include "cli/db_status.h"
#include "cli/options.h"
#include "store/cluster.h"
#include "store/database.h"
#include "store/pg.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

static const char usage[] =
    "usage: ringdown db up | down | status | url    [--json] [--config FILE]\n\n"
    "The database that keeps the calls: the one of database.url, or without it a PostgreSQL of\n"
    "this data folder alone, reached through a Unix socket.\n\n"
    "  up       starts it (makes it the first time) and leaves it running\n"
    "  down     stops it, unless a ringdown uses it\n"
    "  status   where it is, version, up or down, who uses it, size\n"
    "  url      its address: psql \"$(ringdown db url)\"\n\n"
    "ringdown serve starts it by itself. The last ringdown that leaves a data folder stops its\n"
    "database. Exit code 1 when it did not work or the database is down, 2 for wrong arguments.\n";

static atomic_bool interrupted;

static void on_interrupt(int signum)
{
    (void)signum;
    atomic_store(&interrupted, true);
}

static int complain(const char *verb, const char *why)
{
    fprintf(stderr, "ringdown db %s: %s\n", verb, why);
    return EXIT_FAILED;
}

/* ---- up ---- */

static int try_to_connect(const struct database_opts *o, char *why, size_t cap)
{
    struct buf conninfo;
    struct pg *pg = NULL;
    int rc;

    buf_init(&conninfo, 64 * 1024);
    rc = database_conninfo(&conninfo, o, why, cap);
    if (!rc) {
        rc = pg_open(&pg, conninfo.data, why, cap);
        if (rc)
            database_explain(why, cap);
    }
    pg_close(pg);
    buf_fini(&conninfo);
    return rc;
}

static int up(const struct database_opts *o, bool json)
{
    struct cluster *cluster = NULL;
    char why[1024] = "";
    int rc;

    signal(SIGINT, on_interrupt);
    signal(SIGTERM, on_interrupt);
    if (o->url[0])
        rc = try_to_connect(o, why, sizeof(why));
    else
        rc = cluster_up(&cluster, o->data, o->stop, why, sizeof(why));
    cluster_release(cluster); /* it stays up; the next ringdown adopts it */
    if (rc)
        return complain("up", why[0] ? why : rd_strerror(rc));
    return db_status(o, json);
}

/* ---- down ---- */

static int down(const struct database_opts *o, bool json)
{
    char why[1024] = "";
    int rc;

    if (o->url[0])
        return complain("down", "the database of database.url is not ours to stop; stop it where "
                                "it runs");
    rc = cluster_stop(o->data, why, sizeof(why));
    if (rc)
        return complain("down", why[0] ? why : rd_strerror(rc));
    puts(json ? "{\"up\":false}" : "The database is down.");
    return EXIT_OK;
}

/* ---- url ---- */

static int url(const struct database_opts *o, bool json)
{
    struct buf text, escaped;
    char why[1024] = "";
    int rc;

    buf_init(&text, 64 * 1024);
    buf_init(&escaped, 128 * 1024);
    rc = database_url(&text, o, why, sizeof(why));
    if (!rc && json)
        rc = buf_add_json(&escaped, (struct rd_str){text.data, text.n});
    if (rc)
        complain("url", why[0] ? why : rd_strerror(rc));
    else if (json)
        printf("{\"url\":\"%.*s\"}\n", (int)escaped.n, escaped.data);
    else
        printf("%.*s\n", (int)text.n, text.data);
    buf_fini(&text);
    buf_fini(&escaped);
    return rc ? EXIT_FAILED : EXIT_OK;
}

static const struct {
    const char *name;
    int (*run)(const struct database_opts *o, bool json);
} verbs[] = {{"up", up}, {"down", down}, {"status", db_status}, {"url", url}};

int cmd_db(int argc, char **argv)
{
    struct options o = {.usage = usage, .max_words = 1};
    struct settings *s = NULL;
    struct database_opts d = {.who = "ringdown db", .stop = &interrupted};
    size_t i = 0, n = sizeof(verbs) / sizeof(verbs[0]);
    int code = EXIT_OK;

    if (!options_read(&o, argc, argv, &code))
        return code;
    while (o.n_words && i < n && strcmp(verbs[i].name, o.words[0]) != 0)
        i++;
    if (!o.n_words || i == n) {
        fprintf(stderr, "ringdown db: say what to do: up, down, status or url; see: ringdown db "
                        "--help\n");
        return EXIT_USAGE;
    }
    code = options_settings(&o, SETTINGS_CLIENT, &s);
    if (code)
        return code;
    d.url = s->database_url;
    d.data = s->data;
    d.ca_file = s->ca_file;
    code = verbs[i].run(&d, o.json);
    settings_free(s);
    return code;
}
