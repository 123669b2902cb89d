/* SPDX-License-Identifier: Apache-2.0 */
/* db.c - `ringdown db`: the database behind the node, from its first start to its address.
 *
 *   up       makes, starts or adopts the private cluster; with database.url, tries to connect
 *   down     stops the private cluster unless a ringdown uses it
 *   status   where it is, whether it answers, who uses it
 *   url      for psql "$(ringdown db url)"
 *   migrate  the schema to what this binary wants (db_migrate.c)
 *
 * None of this needs a node that runs, and all of it works beside one. */
#include "cli/db.h"

#include "base/err.h"
#include "base/json_out.h"
#include "cli/commands.h"
#include "cli/options.h"
#include "store/cluster.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

static const char usage[] =
    "usage: ringdown db up | down | status | url | migrate [--dry-run]    [--json] [--config "
    "FILE]\n\n"
    "The database that keeps the calls: the one of database.url, or without it a PostgreSQL of\n"
    "this data folder alone, reached through a Unix socket.\n\n"
    "  up       starts it (makes it the first time) and leaves it running\n"
    "  down     stops it, unless a ringdown uses it\n"
    "  status   where it is, version, up or down, who uses it, size\n"
    "  url      its address: psql \"$(ringdown db url)\"\n"
    "  migrate  brings the schema to what this version wants, forward only; --dry-run tells which\n"
    "           steps that takes and changes nothing\n\n"
    "ringdown serve starts it by itself. The last ringdown that leaves a data folder stops its\n"
    "database. Exit code 1 when it did not work or the database is down, 2 for wrong arguments.\n";

static atomic_bool interrupted;

static void on_interrupt(int signum)
{
    (void)signum;
    atomic_store(&interrupted, true);
}

int db_complain(const char *verb, const char *why)
{
    fprintf(stderr, "ringdown db %s: %s\n", verb, why);
    return EXIT_FAILED;
}

int db_connect(const struct db_order *o, struct pg **out, char *why, size_t cap)
{
    struct buf conninfo;
    int rc;

    buf_init(&conninfo, 64 * 1024);
    rc = database_conninfo(&conninfo, &o->database, why, cap);
    if (!rc) {
        rc = pg_open(out, conninfo.data, why, cap);
        if (rc)
            database_explain(why, cap);
    }
    buf_fini(&conninfo);
    return rc;
}

int db_start(const struct db_order *o, char *why, size_t cap)
{
    struct cluster *cluster = NULL;
    int rc;

    if (o->database.url[0])
        return 0;
    signal(SIGINT, on_interrupt);
    signal(SIGTERM, on_interrupt);
    rc = cluster_up(&cluster, o->database.data, o->database.stop, why, cap);
    cluster_release(cluster); /* it stays up; the next ringdown adopts it */
    return rc;
}

static int up(const struct db_order *o)
{
    char why[1024] = "";
    int rc = db_start(o, why, sizeof(why));

    return rc ? db_complain("up", why[0] ? why : rd_strerror(rc)) : db_status(o);
}

static int down(const struct db_order *o)
{
    char why[1024] = "";
    int rc;

    if (o->database.url[0])
        return db_complain("down",
                           "the database of database.url is not ours to stop; stop it where "
                           "it runs");
    rc = cluster_stop(o->database.data, why, sizeof(why));
    if (rc)
        return db_complain("down", why[0] ? why : rd_strerror(rc));
    puts(o->json ? "{\"up\":false}" : "The database is down.");
    return EXIT_OK;
}

/* ---- url ---- */

static int url(const struct db_order *o)
{
    struct buf text, json;
    char why[1024] = "";
    int rc;

    buf_init(&text, 64 * 1024);
    buf_init(&json, 128 * 1024);
    rc = database_url(&text, &o->database, why, sizeof(why));
    if (!rc && o->json)
        rc = json_add_object(&json,
                             JSON_MEMBERS(J_TEXT("url", ((struct rd_str){text.data, text.n}))));
    if (rc)
        db_complain("url", why[0] ? why : rd_strerror(rc));
    else if (o->json)
        printf("%.*s\n", (int)json.n, json.data);
    else
        printf("%.*s\n", (int)text.n, text.data);
    buf_fini(&text);
    buf_fini(&json);
    return rc ? EXIT_FAILED : EXIT_OK;
}

static const struct verb {
    const char *name;
    int (*run)(const struct db_order *o);
} verbs[] = {
    {"up", up}, {"down", down}, {"status", db_status}, {"url", url}, {"migrate", db_migrate}};

static const struct verb *verb_of(const struct options *o, const struct db_order *order)
{
    for (size_t i = 0; o->n_words && i < sizeof(verbs) / sizeof(verbs[0]); i++) {
        if (strcmp(verbs[i].name, o->words[0]) != 0)
            continue;
        if (!order->dry_run || verbs[i].run == db_migrate)
            return &verbs[i];
        fputs("ringdown db: --dry-run goes with migrate only\n", stderr);
        return NULL;
    }
    fputs(
        "ringdown db: say what to do: up, down, status, url or migrate; see: ringdown db --help\n",
        stderr);
    return NULL;
}

int cmd_db(int argc, char **argv)
{
    struct db_order order = {.database = {.who = "ringdown db", .stop = &interrupted}};
    const struct option_switch switches[] = {{"dry-run", &order.dry_run}, {NULL, NULL}};
    struct options o = {.usage = usage, .switches = switches, .max_words = 1};
    struct settings *s = NULL;
    const struct verb *verb;
    int code = EXIT_OK;

    if (!options_read(&o, argc, argv, &code))
        return code;
    verb = verb_of(&o, &order);
    if (!verb)
        return EXIT_USAGE;
    code = options_settings(&o, SETTINGS_CLIENT, &s);
    if (code)
        return code;
    order.database.url = s->database_url;
    order.database.data = s->data;
    order.database.ca_file = s->ca_file;
    order.library = s->library_path;
    order.json = o.json;
    code = verb->run(&order);
    settings_free(s);
    return code;
}
