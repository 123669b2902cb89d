/* SPDX-License-Identifier: Apache-2.0 */
/* journal.c - `ringdown journal`: what waits to be kept in the database, and what the database would
 * not take. It reads the files in the data folder itself, so it works with and without a node.
 *
 *   ringdown journal              files, how much waits in each and since when; dead letters
 *   ringdown journal show ID      one dead letter, whole
 *   ringdown journal retry ID     sends it again; --all: all of them
 *   ringdown journal verify       reads every file and says whether it is sound
 *
 * An ID is FILE/NUMBER as the list prints it; the number alone is enough while only one file has it.
 * Phone numbers are shown short unless --full. */
#include "base/buf.h"
#include "base/err.h"
#include "base/json_out.h"
#include "base/now.h"
#include "cli/commands.h"
#include "cli/options.h"
#include "store/journal_file.h"
#include "store/journal_folder.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "usage: ringdown journal [list | show ID | retry ID | retry --all | verify]\n"
    "                        [--full] [--json] [--config FILE]\n\n"
    "What waits on this machine to be kept in PostgreSQL, and the dead letters: events that the\n"
    "database refused, each with its reason. list is what happens without a word. retry puts a "
    "dead\n"
    "letter (or all) behind the other events; a running node sends it within a second. verify "
    "reads\n"
    "every file. Phone numbers are shown short; --full shows them. Exit code 1 when a file is\n"
    "damaged or cannot be read, or there is no such dead letter.\n";

enum { DEAD_AT_ONCE = 100, SHOWN_MAX = 256 << 10 };

struct view {
    char folder[PATH_MAX];
    char **paths; /* owns */
    int n;
    bool json, full, all;
    int code;
};

/* ---- showing ---- */

/* "+13125550142" becomes "+1312…0142"; shorter runs of digits are no phone numbers. */
static void add_private(struct buf *out, struct rd_str text, bool full)
{
    for (size_t i = 0, n; i < text.n; i += n) {
        n = 1;
        if (!full && text.p[i] == '+')
            while (i + n < text.n && isdigit((unsigned char)text.p[i + n]))
                n++;
        if (n > 9) {
            buf_add(out, text.p + i, 5);
            buf_add_str(out, "…");
            buf_add(out, text.p + i + n - 4, 4);
        } else {
            buf_add(out, text.p + i, n);
        }
    }
}

static void add_private_json(struct buf *out, const char *key, const char *text, bool full)
{
    struct buf shown;

    buf_init(&shown, SHOWN_MAX);
    add_private(&shown, rd_str(text), full);
    json_members(out, JSON_MEMBERS(J_STR(key, buf_text(&shown))), false);
    buf_fini(&shown);
}

/* 1790000000000000-4711 of …/1790000000000000-4711.db */
static struct rd_str name_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    struct rd_str name = rd_str(slash ? slash + 1 : path);

    name.n -= 3;
    return name;
}

static uint64_t age_s(uint64_t since_us)
{
    uint64_t now = unix_us();

    return since_us && since_us < now ? (now - since_us) / 1000000 : 0;
}

static void complain(struct view *v, const char *path, int rc)
{
    fprintf(stderr,
            "ringdown journal: %s: %s; make it readable for this user, or see: ringdown "
            "journal verify\n",
            path, rd_strerror(rc));
    v->code = EXIT_FAILED;
}

/* ---- list ---- */

typedef void(dead_fn)(struct view *v, struct buf *out, const char *path,
                      const struct journal_row *row);

static void each_dead(struct view *v, struct buf *out, const char *path, dead_fn *fn)
{
    struct journal_row *rows[DEAD_AT_ONCE];
    struct journal_file *f = NULL;
    int64_t after = 0;
    int n = journal_file_look(&f, path);

    while (n >= 0 && (n = journal_file_dead(f, after, DEAD_AT_ONCE, rows)) > 0) {
        for (int i = 0; i < n; i++)
            fn(v, out, path, rows[i]);
        after = rows[n - 1]->id;
        journal_rows_free(rows, (size_t)n);
    }
    if (n < 0)
        complain(v, path, n);
    journal_file_close(f);
}

static void add_dead_line(struct view *v, struct buf *out, const char *path,
                          const struct journal_row *row)
{
    struct rd_str name = name_of(path);

    buf_addf(out, RD_STR_FMT "/%" PRId64 "  %s  %s  %" PRIu64 "s ago, %ux\n    ", RD_STR_ARG(name),
             row->id, row->event.stream.p, row->event.type, age_s(row->dead_us), row->tries);
    add_private(out, rd_str(row->reason), v->full);
    buf_add_str(out, "\n");
}

static void add_dead_json(struct view *v, struct buf *out, const char *path,
                          const struct journal_row *row)
{
    const struct journal_event *e = &row->event;
    struct rd_str name = name_of(path);

    buf_addf(out, "%s{\"id\":\"" RD_STR_FMT "/%" PRId64 "\"",
             out->n && out->data[out->n - 1] == '}' ? "," : "", RD_STR_ARG(name), row->id);
    json_members(out,
                 JSON_MEMBERS(J_TEXT("stream", e->stream), J_INT("started_us", e->started_us),
                              J_INT("epoch", e->epoch), J_INT("seq", e->seq),
                              J_INT("at_us", e->at_us), J_STR("type", e->type),
                              J_INT("tries", row->tries), J_INT("dead_us", row->dead_us)),
                 false);
    add_private_json(out, "reason", row->reason, v->full);
    add_private_json(out, "body", e->body.p, v->full);
    buf_add_str(out, "}");
}

static void add_file(struct view *v, struct buf *out, const char *path)
{
    struct journal_counts c = {0};
    struct journal_file *f = NULL;
    struct rd_str name = name_of(path);
    bool live = journal_locked(path);
    int rc = journal_file_look(&f, path);

    if (!rc)
        rc = journal_file_counts(f, &c);
    journal_file_close(f);
    if (rc) {
        complain(v, path, rc);
        return;
    }
    if (v->json)
        buf_addf(out,
                 "%s{\"file\":\"" RD_STR_FMT "\",\"live\":%s,\"waiting\":%" PRIu64
                 ",\"oldest_age_s\":%" PRIu64 ",\"dead\":%" PRIu64 "}",
                 out->n && out->data[out->n - 1] == '}' ? "," : "", RD_STR_ARG(name),
                 live ? "true" : "false", c.events, age_s(c.oldest_us), c.dead);
    else
        buf_addf(out, "%-28.*s  %-9s  %9" PRIu64 "  %7" PRIu64 "s  %6" PRIu64 "\n",
                 RD_STR_ARG(name), live ? "in use" : "left over", c.events, age_s(c.oldest_us),
                 c.dead);
}

static void print_json_list(const struct buf *files, const struct buf *dead, int damaged)
{
    printf("{\"files\":[%.*s],\"damaged_files\":%d,\"dead\":[%.*s]}\n", (int)files->n,
           files->n ? files->data : "", damaged, (int)dead->n, dead->n ? dead->data : "");
}

static void print_list(const struct view *v, const struct buf *files, const struct buf *dead,
                       int damaged)
{
    if (files->n == 0)
        puts("Nothing waits: everything is in the database.");
    else
        printf("%-28s  %-9s  %9s  %8s  %6s\n%.*s", "FILE", "", "WAITING", "OLDEST", "DEAD",
               (int)files->n, files->data);
    if (dead->n > 0)
        printf(
            "\nDead letters; once the cause is mended: ringdown journal retry ID, or --all\n%.*s",
            (int)dead->n, dead->data);
    if (damaged > 0)
        printf("\n%d damaged file%s put aside in %s: look at the disk, then remove what you do not "
               "need (sqlite3 FILE .recover)\n",
               damaged, damaged == 1 ? " was" : "s were", v->folder);
}

static void list(struct view *v)
{
    int damaged = journal_folder_damaged(v->folder);
    struct buf files, dead;

    buf_init(&files, 16 << 20);
    buf_init(&dead, 64 << 20);
    for (int i = 0; i < v->n; i++) {
        add_file(v, &files, v->paths[i]);
        each_dead(v, &dead, v->paths[i], v->json ? add_dead_json : add_dead_line);
    }
    if (v->json)
        print_json_list(&files, &dead, damaged);
    else
        print_list(v, &files, &dead, damaged);
    buf_fini(&files);
    buf_fini(&dead);
}

/* ---- one dead letter ---- */

static struct journal_row *dead_row(struct view *v, const char *path, int64_t id)
{
    struct journal_row *row = NULL;
    struct journal_file *f = NULL;
    int n = journal_file_look(&f, path);

    if (n == 0)
        n = journal_file_dead(f, id - 1, 1, &row);
    if (n < 0)
        complain(v, path, n);
    journal_file_close(f);
    if (row && row->id == id)
        return row;
    free(row);
    return NULL;
}

/* The file that has the dead letter; NULL after a complaint. *row is owned by the caller. */
static const char *find_dead(struct view *v, const char *word, struct journal_row **row)
{
    const char *slash = strchr(word, '/'), *number = slash ? slash + 1 : word, *found = NULL;
    char *end = NULL;
    int64_t id = strtoll(number, &end, 10);
    struct rd_str file = {word, slash ? (size_t)(slash - word) : 0};

    *row = NULL;
    for (int i = 0; *number && !*end && id > 0 && i < v->n; i++) {
        struct journal_row *r;

        if (file.n > 0 && !rd_str_eq(file, name_of(v->paths[i])))
            continue;
        r = dead_row(v, v->paths[i], id);
        if (r && found) {
            fprintf(stderr,
                    "ringdown journal: several files have a dead letter %s; say FILE/%s as "
                    "ringdown journal lists it\n",
                    word, word);
            free(r);
            found = NULL;
            break;
        }
        if (r) {
            *row = r;
            found = v->paths[i];
        }
    }
    if (!found && !*row)
        fprintf(stderr,
                "ringdown journal: there is no dead letter \"%s\"; ringdown journal lists "
                "them\n",
                word);
    if (!found)
        v->code = EXIT_FAILED;
    return found;
}

static void show(struct view *v, const char *word)
{
    struct journal_row *row = NULL;
    const char *path = find_dead(v, word, &row);
    struct buf out;

    buf_init(&out, 1 << 20);
    if (path && v->json) {
        add_dead_json(v, &out, path, row);
    } else if (path) {
        add_dead_line(v, &out, path, row);
        buf_addf(&out, "    epoch %" PRIu64 ", seq %u, at %" PRIu64 " µs\n    ", row->event.epoch,
                 row->event.seq, row->event.at_us);
        add_private(&out, row->event.body, v->full);
    }
    if (out.n > 0)
        printf("%.*s\n", (int)out.n, out.data);
    buf_fini(&out);
    free(row);
}

static int64_t retry_in(struct view *v, const char *path, int64_t id)
{
    struct journal_file *f = NULL;
    int64_t n = journal_file_look(&f, path);

    if (n == 0)
        n = journal_file_retry(f, id);
    journal_file_close(f);
    if (n < 0)
        complain(v, path, (int)n);
    return n > 0 ? n : 0;
}

static void retry(struct view *v, const char *word)
{
    struct journal_row *row = NULL;
    const char *path;
    int64_t n = 0;

    if (v->all) {
        for (int i = 0; i < v->n; i++)
            n += retry_in(v, v->paths[i], 0);
    } else {
        path = find_dead(v, word, &row);
        if (path)
            n = retry_in(v, path, row->id);
        free(row);
    }
    if (v->json)
        printf("{\"retried\":%" PRId64 "}\n", n);
    else if (n > 0 || v->all)
        printf("%" PRId64 " dead letter%s sent again once a node runs here and reaches the "
               "database.\n",
               n, n == 1 ? " is" : "s are");
}

/* ---- verify ---- */

static void verify(struct view *v)
{
    char why[128];

    if (v->json)
        printf("[");
    for (int i = 0; i < v->n; i++) {
        struct rd_str name = name_of(v->paths[i]);
        struct journal_file *f = NULL;
        int rc = journal_file_look(&f, v->paths[i]);

        (void)snprintf(why, sizeof(why), "%s", rc ? rd_strerror(rc) : "");
        if (!rc)
            rc = journal_file_verify(f, why, sizeof(why));
        journal_file_close(f);
        if (v->json)
            printf("%s{\"file\":\"" RD_STR_FMT "\",\"sound\":%s}", i ? "," : "", RD_STR_ARG(name),
                   rc ? "false" : "true");
        else if (rc)
            printf(RD_STR_FMT "  damaged: %s. A node saves what can be read when it starts; look "
                              "at the disk (dmesg, smartctl)\n",
                   RD_STR_ARG(name), why);
        else
            printf(RD_STR_FMT "  sound\n", RD_STR_ARG(name));
        if (rc)
            v->code = EXIT_FAILED;
    }
    if (v->json)
        puts("]");
}

/* ---- the command ---- */

/* True: the words make sense. */
static bool understood(const struct options *o, bool all)
{
    const char *verb = o->n_words ? o->words[0] : "list";
    int left = o->n_words ? o->n_words - 1 : 0;

    if (strcmp(verb, "list") == 0 || strcmp(verb, "verify") == 0)
        return left == 0 && !all;
    if (strcmp(verb, "show") == 0)
        return left == 1 && !all;
    return strcmp(verb, "retry") == 0 && left == (all ? 0 : 1);
}

int cmd_journal(int argc, char **argv)
{
    struct view v = {0};
    const struct option_switch switches[] = {{"full", &v.full}, {"all", &v.all}, {NULL, NULL}};
    struct options o = {.usage = usage, .switches = switches, .max_words = 2};
    struct settings *s = NULL;
    const char *verb;
    int code = EXIT_OK;

    if (!options_read(&o, argc, argv, &code))
        return code;
    if (!understood(&o, v.all)) {
        fprintf(stderr, "ringdown journal: that is not understood; see: ringdown journal --help\n");
        return EXIT_USAGE;
    }
    code = options_settings(&o, SETTINGS_CLIENT, &s);
    if (code)
        return code;
    verb = o.n_words ? o.words[0] : "list";
    v.json = o.json;
    journal_folder_of(s->data, v.folder);
    settings_free(s);
    v.n = journal_folder_list(v.folder, &v.paths);
    if (v.n < 0) {
        complain(&v, v.folder, v.n);
        v.n = 0;
    } else if (*verb == 'l') {
        list(&v);
    } else if (*verb == 's') {
        show(&v, o.words[1]);
    } else if (*verb == 'r') {
        retry(&v, o.n_words > 1 ? o.words[1] : "");
    } else {
        verify(&v);
    }
    journal_folder_free(v.paths, v.n);
    return v.code;
}
