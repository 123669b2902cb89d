/* SPDX-License-Identifier: Apache-2.0 */
/* ask.c - settings → server → connection → schema, each with its own sentence when it fails. */
#include "cli/ask.h"

#include "base/buf.h"
#include "cli/commands.h"
#include "gateway/books.h"
#include "store/journal_file.h"
#include "store/journal_folder.h"
#include "store/migrate.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

enum { CONNINFO_MAX = 8192 };

static int complain(const struct asking *a, const char *why)
{
    fprintf(stderr, "ringdown %s: %s\n", a->command, why);
    return EXIT_FAILED;
}

static int check_schema(struct asking *a, const struct settings *s, char *why, size_t cap)
{
    char sql[PATH_MAX];
    struct migrate_opts o = {.folder = sql, .binary = RD_VERSION};

    books_sql_path(s, sql, sizeof(sql));
    return migrate_check(a->pg, &o, why, cap);
}

int ask_open(struct asking *a, const struct settings *s, const char *command)
{
    struct database_opts o = {
        .url = s->database_url, .data = s->data, .ca_file = s->ca_file, .who = "ringdown"};
    char why[1024] = "not enough memory";
    struct buf conninfo;
    int rc;

    *a = (struct asking){.command = command};
    buf_init(&conninfo, CONNINFO_MAX);
    rc = database_up(&a->database, &o, why, sizeof(why));
    if (!rc)
        rc = database_conninfo(&conninfo, &o, why, sizeof(why));
    if (!rc && buf_text(&conninfo)) {
        rc = pg_open(&a->pg, conninfo.data, why, sizeof(why));
        if (rc)
            database_explain(why, sizeof(why));
    }
    buf_fini(&conninfo);
    if (!rc)
        rc = check_schema(a, s, why, sizeof(why));
    if (!rc)
        return EXIT_OK;
    ask_close(a);
    return complain(a, why);
}

void ask_close(struct asking *a)
{
    pg_close(a->pg);
    database_down(a->database);
    a->pg = NULL;
    a->database = NULL;
}

json_t *ask_json(struct asking *a, const char *sql, int n, const char *const *params)
{
    const char *text;
    json_t *tree;

    if (pg_query(a->pg, sql, n, params)) {
        (void)complain(a, pg_message(a->pg));
        return NULL;
    }
    text = pg_text(a->pg, 0, 0);
    tree = text ? json_loads(text, JSON_DECODE_ANY, NULL) : json_null();
    if (!tree)
        (void)complain(a, "the database's answer cannot be read; are both of one version?");
    return tree;
}

static struct journal_counts counts_of(const char *path)
{
    struct journal_counts c = {0};
    struct journal_file *file;

    if (journal_file_look(&file, path))
        return c;
    if (journal_file_counts(file, &c))
        c = (struct journal_counts){0};
    journal_file_close(file);
    return c;
}

void ask_tell_unshipped(const struct settings *s)
{
    char folder[PATH_MAX], **paths = NULL;
    uint64_t events = 0, dead = 0;
    int n;

    journal_folder_of(s->data, folder);
    n = journal_folder_list(folder, &paths);
    for (int i = 0; i < n; i++) {
        struct journal_counts c = counts_of(paths[i]);

        events += c.events;
        dead += c.dead;
    }
    journal_folder_free(paths, n);
    if (events)
        fprintf(stderr, "note: %" PRIu64 " events are on their way to the database\n", events);
    if (dead)
        fprintf(stderr, "note: %" PRIu64 " events the database refused; ringdown journal\n", dead);
}

const char *ask_text(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text ? text : "";
}

json_int_t ask_int(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

const char *ask_time(const json_t *object, const char *key)
{
    static char text[24];
    const char *iso = ask_text(object, key), *zone = strpbrk(iso, "+Z");
    size_t n = zone ? (size_t)(zone - iso) : strlen(iso);

    if (n > sizeof(text) - 1)
        n = sizeof(text) - 1;
    memcpy(text, iso, n);
    text[n] = '\0';
    if (n > 10)
        text[10] = ' ';
    return text;
}
