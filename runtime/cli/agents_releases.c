/* SPDX-License-Identifier: Apache-2.0 */
/* agents_releases.c - publish, restore, diff, history: releases of agents in the database.
 *
 *   folder ─ checked, compared ─▶ publish ─▶ current release ─▶ every node, within a second
 *   any old tree ─ checked, compared ─▶ restore ─▶ a new release of it (or files of the folder)
 *
 * Failure modes: what does not load is refused before anything is changed; somebody else published
 * meanwhile: refused by the database, look again. */
#include "cli/agents_trees.h"
#include "cli/commands.h"

#include <errno.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILES_MAX = 64 << 20, NOTE_MAX = 500, SHORT_HASH = 17 };

static int fail(const struct agents_order *o, const char *why)
{
    fprintf(stderr, "ringdown agents %s: %s\n", o->verb, why);
    return EXIT_FAILED;
}

static bool from_database(const struct agents_order *o)
{
    return strcmp(o->settings->agents_source, "database") == 0;
}

static void who_am_i(char *out, size_t cap)
{
    const struct passwd *p = getpwuid(getuid());

    if (p)
        snprintf(out, cap, "%.60s", p->pw_name);
    else
        snprintf(out, cap, "uid %u", (unsigned)getuid());
}

static void print_json(json_t *v)
{
    char *text = json_dumps(v, JSON_SORT_KEYS | JSON_COMPACT);

    puts(text ? text : "{}");
    free(text);
    json_decref(v);
}

/* ---- making a release ---- */

static int refused(const struct agents_order *o, struct asking *a)
{
    char why[512];

    if (strcmp(pg_sqlstate(a->pg), "RD409") != 0)
        return fail(o, pg_message(a->pg));
    snprintf(why, sizeof(why), "%.300s; look at it with ringdown agents diff, then try again",
             pg_message(a->pg));
    return fail(o, why);
}

/* Its number in *made. */
static int make_release(const struct agents_order *o, struct asking *a, const struct side *next,
                        const struct side *current, int64_t restored, int64_t *made)
{
    static const char sql[] =
        "select publish_agents($1, $2::jsonb, $3::jsonb, $4, $5, $6::bigint, $7::bigint)";
    char who[128], expected[24], old[24], why[512];
    char *agents = json_dumps(next->agents, JSON_COMPACT);
    struct buf files;
    int code = EXIT_FAILED;

    buf_init(&files, FILES_MAX);
    who_am_i(who, sizeof(who));
    snprintf(expected, sizeof(expected), "%lld", (long long)current->release);
    snprintf(old, sizeof(old), "%lld", (long long)restored);
    if (tree_to_json(next->tree, &files, why, sizeof(why)) || !agents || !buf_text(&files)) {
        code = fail(o, agents ? why : "not enough memory");
    } else {
        const char *const p[] = {
            tree_hash(next->tree),           files.data,           agents, who, o->note,
            current->tree ? expected : NULL, restored ? old : NULL};

        if (pg_query(a->pg, sql, 7, p)) {
            code = refused(o, a);
        } else {
            *made = strtoll(pg_text(a->pg, 0, 0), NULL, 10);
            code = EXIT_OK;
        }
    }
    buf_fini(&files);
    free(agents);
    return code;
}

/* Shows what changes, makes the release, says what it means. */
static int release(const struct agents_order *o, struct asking *a, const struct side *next,
                   const struct side *current, int64_t restored)
{
    json_t *v = o->json ? sides_json(current, next, NULL) : NULL;
    int64_t made = 0;
    int code;

    if (!o->json)
        (void)sides_print(current, next, NULL);
    fflush(stdout);
    code = make_release(o, a, next, current, restored, &made);
    if (code == EXIT_OK && o->json) {
        json_object_set_new(v, "release", json_integer(made));
        print_json(json_incref(v));
    } else if (code == EXIT_OK) {
        printf("release %lld is the current one: nodes with agents.source = \"database\" have it "
               "within a second\n",
               (long long)made);
        if (current->release)
            printf("undo it: ringdown agents restore %lld\n", (long long)current->release);
        if (!from_database(o))
            puts("here, agents.source is \"folder\": this configuration's node goes on with its "
                 "folder");
    }
    json_decref(v);
    return code;
}

static bool same_tree(const struct side *a, const struct side *b)
{
    return a->tree && b->tree && strcmp(tree_hash(a->tree), tree_hash(b->tree)) == 0;
}

static int nothing_new(const struct agents_order *o, const struct side *current)
{
    if (o->json)
        print_json(json_pack("{s:[], s:s, s:I}", "changed", "diff", "", "release",
                             (json_int_t)current->release));
    else
        printf("nothing changes: release %lld is that already\n", (long long)current->release);
    return EXIT_OK;
}

int agents_publish(const struct agents_order *o)
{
    struct side next = {0}, current = {0};
    struct asking a = {0};
    int code;

    if (o->note && strlen(o->note) > NOTE_MAX)
        return fail(o, "the note is too long; at most 500 bytes");
    code = side_of_folder(&next, o);
    if (code == EXIT_OK)
        code = side_load(&next, o, "the folder");
    if (code == EXIT_OK && json_object_size(next.agents) == 0)
        code = fail(o, "the folder holds no agents; every number would be nobody's");
    if (code == EXIT_OK)
        code = ask_open(&a, o->settings, "agents publish");
    if (code == EXIT_OK)
        code = side_of_database(&current, &a, NULL);
    if (code == EXIT_OK && !same_tree(&next, &current))
        code = agents_gate(o, &a, &next);
    if (code == EXIT_OK)
        code = same_tree(&next, &current) ? nothing_new(o, &current)
                                          : release(o, &a, &next, &current, 0);
    side_free(&next);
    side_free(&current);
    ask_close(&a);
    return code;
}

/* ---- restoring into the folder ---- */

static int make_parents(char *path, size_t root)
{
    for (char *p = path + root + 1; (p = strchr(p, '/')) != NULL; p++) {
        *p = '\0';
        if (mkdir(path, 0777) != 0 && errno != EEXIST) {
            *p = '/';
            return -errno;
        }
        *p = '/';
    }
    return 0;
}

/* Beside, and renamed: whoever reads sees the old file or the new one. */
static int write_file(const char *folder, const struct tree_file *f)
{
    char path[PATH_MAX], beside[PATH_MAX];
    FILE *out;
    bool good;
    int rc;

    if (snprintf(path, sizeof(path), "%s/%s", folder, f->path) >= (int)sizeof(path) ||
        snprintf(beside, sizeof(beside), "%s/.restored-%d", folder, (int)getpid()) >=
            (int)sizeof(beside))
        return -ENAMETOOLONG;
    rc = make_parents(path, strlen(folder));
    out = rc ? NULL : fopen(beside, "we");
    if (!out)
        return rc ? rc : -errno;
    good = fwrite(f->text.p, 1, f->text.n, out) == f->text.n;
    good = fclose(out) == 0 && good;
    if (good && rename(beside, path) == 0)
        return 0;
    rc = errno ? -errno : -EIO;
    unlink(beside);
    return rc;
}

static int write_tree(const struct agents_order *o, const struct side *now, const struct side *next)
{
    char path[PATH_MAX], why[PATH_MAX + 128];

    for (size_t i = 0; i < tree_count(next->tree); i++) {
        struct tree_file f = tree_at(next->tree, i);
        struct rd_str there = tree_find(now->tree, f.path);
        int rc = there.p && rd_str_eq(there, f.text) ? 0 : write_file(o->settings->agents_path, &f);

        if (rc) {
            snprintf(why, sizeof(why), "%s/%s: %s; files before it are restored already",
                     o->settings->agents_path, f.path, strerror(-rc));
            return fail(o, why);
        }
    }
    for (size_t i = 0; i < tree_count(now->tree); i++) {
        struct tree_file f = tree_at(now->tree, i);

        if (!tree_find(next->tree, f.path).p &&
            snprintf(path, sizeof(path), "%s/%s", o->settings->agents_path, f.path) <
                (int)sizeof(path))
            (void)unlink(path);
    }
    return EXIT_OK;
}

/* So that this, too, can be undone. */
static int keep_now(const struct agents_order *o, struct asking *a, const struct side *now)
{
    struct buf files;
    char why[512];
    int code = EXIT_OK;

    buf_init(&files, FILES_MAX);
    if (tree_to_json(now->tree, &files, why, sizeof(why)) || !buf_text(&files)) {
        code = fail(o, why);
    } else {
        const char *const p[] = {tree_hash(now->tree), files.data, o->settings->node_name};

        if (pg_query(a->pg, "select keep_agent_tree($1, $2::jsonb, '{}'::jsonb, $3)", 3, p))
            code = fail(o, pg_message(a->pg));
    }
    buf_fini(&files);
    return code;
}

static int restore_folder(const struct agents_order *o, struct asking *a, const struct side *now,
                          const struct side *next)
{
    int code;

    if (o->json)
        print_json(sides_json(now, next, NULL));
    else if (!sides_print(now, next, NULL))
        puts("nothing changes: the folder is that already");
    if (same_tree(now, next))
        return EXIT_OK;
    if (!o->write) {
        fprintf(stderr,
                "nothing was written, because agents.source is \"folder\"; ringdown agents restore "
                "%s --write puts these files into %s\n",
                o->word, o->settings->agents_path);
        return EXIT_OK;
    }
    code = keep_now(o, a, now);
    if (code == EXIT_OK)
        code = write_tree(o, now, next);
    if (code == EXIT_OK && !o->json)
        printf("written to %s; undo it: ringdown agents restore %.*s --write\n",
               o->settings->agents_path, SHORT_HASH, tree_hash(now->tree));
    return code;
}

/* ---- restoring ---- */

static bool good_which(const char *which)
{
    size_t n = strlen(which);

    return n > 0 && n <= 64 && strspn(which, "0123456789abcdef") == n;
}

/* What shall be: the whole old tree, or today's with one agent's old files. */
static int make_next(const struct agents_order *o, struct side *found, const struct side *now,
                     struct side *next)
{
    int code = EXIT_OK;

    if (found->agent[0] && now->tree)
        code = side_overlay(next, now, found);
    else
        next->tree = tree_ref(found->tree);
    return code ? code : side_load(next, o, "the old version");
}

static int restore(const struct agents_order *o, struct asking *a)
{
    struct side found = {0}, now = {0}, next = {0};
    int code = side_of_database(&found, a, o->word);

    if (code == EXIT_OK && !found.tree)
        code = fail(o, "there is no such release, version or tree; ringdown agents history, or "
                       "ringdown agents list");
    if (code == EXIT_OK)
        code = from_database(o) ? side_of_database(&now, a, NULL) : side_of_folder(&now, o);
    if (code == EXIT_OK && !from_database(o))
        code = side_load(&now, o, NULL); /* it may be broken: that is why an old one is wanted */
    if (code == EXIT_OK)
        code = make_next(o, &found, &now, &next);
    if (code == EXIT_OK && !from_database(o))
        code = restore_folder(o, a, &now, &next);
    else if (code == EXIT_OK)
        code = same_tree(&now, &next) ? nothing_new(o, &now)
                                      : release(o, a, &next, &now, found.release);
    side_free(&found);
    side_free(&now);
    side_free(&next);
    return code;
}

int agents_restore(const struct agents_order *o)
{
    struct asking a = {0};
    int code;

    if (!good_which(o->word)) {
        (void)fail(o, "give a release's number, an agent's version or the beginning of a tree's "
                      "hash; ringdown agents history");
        return EXIT_USAGE;
    }
    code = ask_open(&a, o->settings, "agents restore");
    if (code == EXIT_OK)
        code = restore(o, &a);
    ask_close(&a);
    return code;
}

/* ---- diff ---- */

static bool is_which(const char *word)
{
    size_t digits = strspn(word, "0123456789");

    return !word[digits] || (strlen(word) >= 16 && good_which(word));
}

static int diff(const struct agents_order *o, struct asking *a, const char *only, const char *which)
{
    struct side before = {0}, after = {0};
    int code = side_of_database(&before, a, which);

    if (code == EXIT_OK && !before.tree)
        code = fail(o, which ? "there is no such release; ringdown agents history"
                             : "nothing was published yet; ringdown agents publish does it");
    if (code == EXIT_OK)
        code = side_of_folder(&after, o);
    if (code == EXIT_OK)
        code = side_load(&after, o, "the folder");
    if (code == EXIT_OK && only && !json_object_get(before.agents, only) &&
        !json_object_get(after.agents, only))
        code = fail(o, "there is no agent of that name, here or there");
    if (code == EXIT_OK && o->json)
        print_json(sides_json(&before, &after, only));
    else if (code == EXIT_OK && !sides_print(&before, &after, only))
        puts("no difference");
    side_free(&before);
    side_free(&after);
    return code;
}

int agents_diff(const struct agents_order *o)
{
    bool first_is_which = o->word && is_which(o->word);
    const char *only = first_is_which ? o->other : o->word;
    const char *which = first_is_which ? o->word : o->other;
    struct asking a = {0};
    int code;

    if (which && !is_which(which)) {
        (void)fail(o, "the second word must be a release's number or a tree's hash");
        return EXIT_USAGE;
    }
    code = ask_open(&a, o->settings, "agents diff");
    if (code == EXIT_OK)
        code = diff(o, &a, only, which);
    ask_close(&a);
    return code;
}

/* ---- history ---- */

static void print_release(const json_t *r)
{
    printf("%s%-6lld %s  %.17s  by %s", json_is_true(json_object_get(r, "current")) ? "* " : "  ",
           (long long)ask_int(r, "release"), ask_time(r, "at"), ask_text(r, "tree"),
           ask_text(r, "by"));
    if (ask_int(r, "restores"))
        printf(", as release %lld", (long long)ask_int(r, "restores"));
    if (ask_text(r, "note")[0])
        printf(": %s", ask_text(r, "note"));
    putchar('\n');
}

int agents_history(const struct agents_order *o)
{
    static const char sql[] =
        "select coalesce(json_agg(json_build_object('release', id, 'tree', tree_hash, 'at', "
        "at, 'by', published_by, 'note', regexp_replace(note, '[[:cntrl:]]', ' ', 'g'), "
        "'restores', restores, 'current', id = current_release()) order by id desc), '[]') from "
        "(select * from agent_releases order by id desc limit 100) r";
    struct asking a = {0};
    const json_t *r;
    json_t *list = NULL;
    size_t i;
    int code = ask_open(&a, o->settings, "agents history");

    if (code == EXIT_OK)
        list = ask_json(&a, sql, 0, NULL);
    if (list && o->json) {
        print_json(json_incref(list));
    } else if (list) {
        json_array_foreach(list, i, r) print_release(r);
        if (json_array_size(list) == 0)
            puts("nothing was published yet: ringdown agents publish");
    }
    if (!list)
        code = EXIT_FAILED;
    json_decref(list);
    ask_close(&a);
    return code;
}
