/* SPDX-License-Identifier: Apache-2.0 */
/* agents_trees.c - from a folder or the database to a tree that was seen to load, and from two trees
 * to what changes between them.
 *
 * Failure modes: mistakes in agents go to stderr as check tells them; a tree that the database has
 * and this program cannot read is named. */
#include "cli/agents_trees.h"

#include "agent/agents.h"
#include "base/err.h"
#include "cli/commands.h"
#include "cli/diff.h"
#include "gateway/reload.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COMPLAINTS_MAX = 1 << 20, DIFF_MAX = 64 << 20, AGENTS_MAX = 4 << 20 };

void side_free(struct side *s)
{
    tree_unref(s->tree);
    json_decref(s->agents);
    *s = (struct side){0};
}

static int fail(const char *verb, const char *why)
{
    fprintf(stderr, "ringdown agents %s: %s\n", verb, why);
    return EXIT_FAILED;
}

/* ---- a folder ---- */

static json_t *agents_of(const struct agent_set *set)
{
    struct buf text;
    json_t *v = NULL;

    buf_init(&text, AGENTS_MAX);
    if (reload_agents_json(set, &text) == 0)
        v = json_loadb(text.data, text.n, 0, NULL);
    buf_fini(&text);
    return v;
}

int side_load(struct side *s, const struct agents_order *o, const char *what)
{
    struct agent_set *set = NULL;
    struct tree *library = NULL;
    struct buf complaints;
    int rc, code = EXIT_FAILED;

    buf_init(&complaints, COMPLAINTS_MAX);
    rc = agent_library_read(&library, o->settings->library_path, &complaints);
    if (!rc)
        rc = agent_set_make(&set, NULL, s->tree, library, "agents", &complaints);
    if (!rc && (!what || agent_set_errors(set) == 0)) {
        s->agents = agents_of(set);
        code = s->agents ? EXIT_OK : EXIT_FAILED;
    } else {
        fprintf(stderr, "ringdown agents %s: %s does not load; mend this first:\n%s", o->verb, what,
                complaints.n ? buf_text(&complaints) : rd_strerror(rc));
    }
    agent_set_unref(set);
    tree_unref(library);
    buf_fini(&complaints);
    return code;
}

int side_of_folder(struct side *out, const struct agents_order *o)
{
    char why[512], whole[1200];
    int rc;

    *out = (struct side){0};
    rc = tree_read(&out->tree, o->settings->agents_path, why, sizeof(why));
    if (rc) {
        snprintf(whole, sizeof(whole), "%s/%s", o->settings->agents_path, why);
        return fail(o->verb, whole);
    }
    return EXIT_OK;
}

/* ---- the database ---- */

int side_of_database(struct side *out, struct asking *a, const char *wanted)
{
    static const char current[] =
        "select t.files, t.agents, r.id, null from agent_releases r join agent_trees t using "
        "(tree_hash) where r.id = current_release()";
    static const char named[] = "select files, agents, release, agent from find_agent_tree($1)";
    char why[512];
    const char *text;
    int rc;

    *out = (struct side){0};
    rc = pg_query(a->pg, wanted ? named : current, wanted ? 1 : 0, &wanted);
    if (rc) {
        fprintf(stderr, "ringdown %s: %s\n", a->command, pg_message(a->pg));
        return EXIT_FAILED;
    }
    if (pg_rows(a->pg) == 0)
        return EXIT_OK;
    rc = tree_from_json(&out->tree, rd_str(pg_text(a->pg, 0, 0)), why, sizeof(why));
    out->agents = json_loads(pg_text(a->pg, 0, 1), 0, NULL);
    text = pg_text(a->pg, 0, 2);
    out->release = text ? strtoll(text, NULL, 10) : 0;
    text = pg_text(a->pg, 0, 3);
    (void)snprintf(out->agent, sizeof(out->agent), "%s", text ? text : "");
    if (rc || !out->agents) {
        fprintf(stderr, "ringdown %s: %s\n", a->command, rc ? why : "its agents cannot be read");
        side_free(out);
        return EXIT_FAILED;
    }
    return EXIT_OK;
}

/* ---- one agent's files into another tree ---- */

static bool lists(const json_t *files, const char *path)
{
    for (size_t i = 0; i < json_array_size(files); i++) {
        const char *file = json_string_value(json_array_get(files, i));

        if (file && strcmp(file, path) == 0)
            return true;
    }
    return false;
}

static const json_t *files_of(const struct side *s, const char *agent)
{
    return json_object_get(json_object_get(s->agents, agent), "files");
}

int side_overlay(struct side *out, const struct side *base, const struct side *from)
{
    size_t n = 0, most = tree_count(base->tree) + tree_count(from->tree);
    struct tree_file *files = calloc(most + 1, sizeof(*files));
    const json_t *taken = files_of(from, from->agent);
    char why[512] = "not enough memory";
    int rc;

    *out = (struct side){0};
    for (size_t i = 0; files && i < tree_count(base->tree); i++)
        if (!lists(taken, tree_at(base->tree, i).path))
            files[n++] = tree_at(base->tree, i);
    for (size_t i = 0; files && i < tree_count(from->tree); i++)
        if (lists(taken, tree_at(from->tree, i).path))
            files[n++] = tree_at(from->tree, i);
    rc = files ? tree_new(&out->tree, files, n, why, sizeof(why)) : -1;
    free(files);
    return rc ? fail("restore", why) : EXIT_OK;
}

/* ---- side by side ---- */

static const char *version_of(const struct side *s, const char *agent)
{
    return ask_text(json_object_get(s->agents, agent), "version");
}

static bool wanted(const struct side *a, const struct side *b, const char *only, const char *path)
{
    return !only || lists(files_of(a, only), path) || lists(files_of(b, only), path);
}

/* Both trees are sorted: one walk. */
static int add_diffs(struct buf *out, const struct side *a, const struct side *b, const char *only)
{
    size_t i = 0, j = 0, n = a->tree ? tree_count(a->tree) : 0, m = tree_count(b->tree);
    int rc = 0;

    while (!rc && (i < n || j < m)) {
        struct tree_file f = i < n ? tree_at(a->tree, i) : (struct tree_file){0};
        struct tree_file g = j < m ? tree_at(b->tree, j) : (struct tree_file){0};
        int order = !f.path ? 1 : !g.path ? -1 : strcmp(f.path, g.path);
        const char *path = order <= 0 ? f.path : g.path;

        if (path && wanted(a, b, only, path))
            rc = diff_add(out, path, order <= 0 ? f.text : (struct rd_str){0},
                          order >= 0 ? g.text : (struct rd_str){0});
        i += order <= 0;
        j += order >= 0;
    }
    return rc;
}

static json_t *changes(const struct side *a, const struct side *b, const char *only)
{
    json_t *list = json_array(), *v;
    const char *name;

    json_object_foreach(b->agents, name, v)
    {
        const char *before = version_of(a, name), *after = version_of(b, name);

        if ((!only || strcmp(only, name) == 0) && strcmp(before, after) != 0)
            json_array_append_new(list, json_pack("{s:s, s:s, s:s}", "agent", name, "before",
                                                  before, "after", after));
    }
    json_object_foreach(a->agents, name, v) if (!json_object_get(b->agents, name) &&
                                                (!only || strcmp(only, name) == 0))
        json_array_append_new(list, json_pack("{s:s, s:s, s:s}", "agent", name, "before",
                                              version_of(a, name), "after", ""));
    return list;
}

/* Control characters of a text do not reach the terminal. */
static void print_clean(const struct buf *text)
{
    for (size_t i = 0; i < text->n; i++) {
        unsigned char c = (unsigned char)text->data[i];
        bool c1 = c == 0xC2 && i + 1 < text->n && (unsigned char)text->data[i + 1] < 0xA0;

        putchar((c < 0x20 && c != '\n' && c != '\t') || c == 0x7f || c1 ? '?' : c);
        i += c1;
    }
}

static void print_change(const json_t *c)
{
    const char *before = ask_text(c, "before"), *after = ask_text(c, "after");

    if (!after[0])
        printf("%s goes: its numbers are nobody's\n", ask_text(c, "agent"));
    else
        printf("the next call to %s has version %s (%s%s)\n", ask_text(c, "agent"), after,
               before[0] ? "now: " : "it is new", before);
}

bool sides_print(const struct side *before, const struct side *after, const char *only)
{
    json_t *list = changes(before, after, only);
    const json_t *c;
    struct buf text;
    bool any;
    size_t i;

    buf_init(&text, DIFF_MAX);
    if (add_diffs(&text, before, after, only))
        fputs("(the difference is too large to be shown)\n", stdout);
    print_clean(&text);
    any = text.n > 0;
    if (any && json_array_size(list) > 0)
        putchar('\n');
    json_array_foreach(list, i, c) print_change(c);
    buf_fini(&text);
    json_decref(list);
    return any;
}

json_t *sides_json(const struct side *before, const struct side *after, const char *only)
{
    json_t *list = changes(before, after, only), *v;
    struct buf text;

    buf_init(&text, DIFF_MAX);
    (void)add_diffs(&text, before, after, only);
    v = json_pack("{s:o, s:s%}", "changed", list, "diff", text.data ? text.data : "", text.n);
    buf_fini(&text);
    return v;
}
