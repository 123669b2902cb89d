/* SPDX-License-Identifier: Apache-2.0 */
/* agents.c - the set of loaded agents.
 *
 * - A set is made from one tree, read before: in the order of names each file is loaded by itself,
 *   so that one broken agent costs only itself, and all of them are of one moment.
 * - The set never changes afterwards; calls keep the version they were opened with.
 * - A reload makes a new set; what no longer loads, and what did not change, is taken over from the
 *   old one.
 *
 * Failure: a file's mistakes become lines of `complaints`, and so does a number that two agents
 * want (the first one keeps it, the second is left out). */
#include "agent/agents.h"

#include "agent/agents_private.h"
#include "base/err.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

enum { MODULE_MAX = 256 };

struct kept_error {
    char *module, *lines;              /* owns */
    const struct agent_entry *instead; /* borrows from entries; NULL: none */
};

struct agent_set {
    _Atomic int refs;
    struct agent_entry **entries; /* owns */
    struct kept_error *errors;    /* owns */
    size_t n, n_errors;
    struct tree *tree; /* refs */
};

const char *agent_default_fallback(void)
{
    return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
           "<Response><Say>We are sorry, we cannot take your call right now. "
           "Please try again in a few minutes.</Say><Hangup/></Response>\n";
}

static bool has_suffix(const char *s, const char *suffix)
{
    size_t n = strlen(s), k = strlen(suffix);

    return n > k && strcmp(s + n - k, suffix) == 0;
}

/* The module that a file of the tree stands for: "x.lua", "x/init.lua". False when it is none, or
 * the folder's is one already. */
static bool module_of(char *out, size_t cap, const char *path)
{
    const char *slash = strchr(path, '/');
    size_t n = slash ? (size_t)(slash - path) : strlen(path);

    if (slash ? strcmp(slash, "/init.lua") != 0 : !has_suffix(path, ".lua"))
        return false;
    if (!slash)
        n -= 4;
    if (has_suffix(path, "_spec.lua") || (n == 3 && strncmp(path, "lib", 3) == 0))
        return false;
    return snprintf(out, cap, "%.*s", (int)n, path) < (int)cap;
}

static const struct agent_entry *entry_by_number(const struct agent_set *s, struct rd_str number)
{
    for (size_t i = 0; i < s->n; i++)
        for (char **p = s->entries[i]->numbers; *p; p++)
            if (rd_str_eq(rd_str(*p), number))
                return s->entries[i];
    return NULL;
}

static int check_unique(const struct agent_set *s, const struct agent_entry *e,
                        struct buf *complaints)
{
    int rc = 0;

    for (char **p = e->numbers; *p; p++) {
        const struct agent_entry *other = entry_by_number(s, rd_str(*p));

        if (!other)
            continue;
        rc = RD_ECONFIG;
        buf_addf(complaints, "%s:1: numbers: %s is answered by agent '%s' already\n",
                 chunks_shown(e->chunks, e->module), *p, other->name);
    }
    return rc;
}

static int append(struct agent_set *s, struct agent_entry *e)
{
    void *more =
        realloc(s->entries, (s->n + 1) * sizeof(struct agent_entry *)); /* NOLINT: of pointers */

    if (!more) {
        agent_entry_unref(e);
        return -ENOMEM;
    }
    s->entries = more;
    s->entries[s->n++] = e;
    return 0;
}

static struct agent_entry *entry_by_module(const struct agent_set *s, const char *module)
{
    for (size_t i = 0; s && i < s->n; i++)
        if (strcmp(s->entries[i]->module, module) == 0)
            return s->entries[i];
    return NULL;
}

static int note_error(struct agent_set *s, const char *module, const char *lines)
{
    struct kept_error *more = realloc(s->errors, (s->n_errors + 1) * sizeof(*more));

    if (!more)
        return -ENOMEM;
    s->errors = more;
    more += s->n_errors++;
    *more = (struct kept_error){.module = strdup(module), .lines = strdup(lines ? lines : "")};
    return more->module && more->lines ? 0 : -ENOMEM;
}

/* Adds it, or says in `why` what is wrong with it. */
static int load_agent(struct agent_set *s, const struct agent_entry *before,
                      const struct agent_source *source, struct buf *why)
{
    struct agent_entry *e = NULL;
    int rc;

    if (before && agent_entry_same(before, source))
        e = agent_entry_ref((struct agent_entry *)(uintptr_t)before);
    rc = e ? 0 : agent_entry_load(&e, source, why);
    if (!rc)
        rc = check_unique(s, e, why);
    if (!rc)
        return append(s, e);
    agent_entry_unref(e);
    return rc;
}

static int add_agent(struct agent_set *s, const struct agent_set *old,
                     const struct agent_source *source, struct buf *complaints)
{
    struct agent_entry *before = entry_by_module(old, source->module);
    struct buf why;
    int rc;

    buf_init(&why, complaints->max);
    rc = load_agent(s, before, source, &why);
    if (rc && rc != -ENOMEM) {
        rc = note_error(s, source->module, buf_text(&why));
        if (!rc)
            (void)buf_add(complaints, why.data ? why.data : "", why.n);
        if (!rc && before && !check_unique(s, before, complaints)) {
            s->errors[s->n_errors - 1].instead = before;
            rc = append(s, agent_entry_ref(before));
        }
    }
    buf_fini(&why);
    return rc;
}

static int add_agents(struct agent_set *s, const struct agent_set *old, struct agent_source *source,
                      struct buf *complaints)
{
    char module[MODULE_MAX], last[MODULE_MAX] = "";
    int rc = 0;

    for (size_t i = 0; !rc && i < tree_count(s->tree); i++) {
        if (!module_of(module, sizeof(module), tree_at(s->tree, i).path))
            continue;
        if (strcmp(module, last) == 0) /* x.lua stands before x/init.lua, and is the one */
            continue;
        (void)snprintf(last, sizeof(last), "%s", module);
        source->module = module;
        rc = add_agent(s, old, source, complaints);
    }
    source->module = NULL;
    return rc;
}

int agent_set_make(struct agent_set **out, struct agent_set *old, struct tree *agents,
                   struct tree *library, const char *folder, struct buf *complaints)
{
    struct agent_set *s = calloc(1, sizeof(*s));
    struct agent_source source = {.library = tree_library_shelf(library),
                                  .own = tree_shelf(agents, folder)};
    int rc;

    if (!s)
        return -ENOMEM;
    atomic_init(&s->refs, 1);
    s->tree = tree_ref(agents);
    rc = add_agents(s, old, &source, complaints);
    if (rc) {
        agent_set_unref(s);
        return rc;
    }
    *out = s;
    return 0;
}

int agent_library_read(struct tree **out, const char *library_path, struct buf *complaints)
{
    char folder[1024], why[512];
    int rc;

    (void)snprintf(folder, sizeof(folder), "%s/ringdown", library_path);
    rc = tree_read_library(out, folder, why, sizeof(why));
    if (rc)
        buf_addf(complaints, "%s/%s\n", folder, why);
    return rc;
}

static int read_both(struct tree **agents, struct tree **library, const char *agents_path,
                     const char *library_path, struct buf *complaints)
{
    char why[512];
    int rc = tree_read(agents, agents_path, why, sizeof(why));

    if (rc)
        buf_addf(complaints, "agents: %s\n", why);
    return rc ? rc : agent_library_read(library, library_path, complaints);
}

int agent_entry_load_folder(struct agent_entry **out, const char *module, const char *agents_path,
                            const char *library_path, struct buf *complaints)
{
    struct tree *agents = NULL, *library = NULL;
    int rc = read_both(&agents, &library, agents_path, library_path, complaints);

    if (!rc) {
        struct agent_source source = {.module = module,
                                      .library = tree_library_shelf(library),
                                      .own = tree_shelf(agents, agents_path)};

        rc = agent_entry_load(out, &source, complaints);
    }
    tree_unref(library);
    tree_unref(agents);
    return rc;
}

int agent_set_load(struct agent_set **out, const char *agents_path, const char *library_path,
                   struct buf *complaints)
{
    return agent_set_reload(out, NULL, agents_path, library_path, complaints);
}

int agent_set_reload(struct agent_set **out, struct agent_set *old, const char *agents_path,
                     const char *library_path, struct buf *complaints)
{
    struct tree *agents = NULL, *library = NULL;
    int rc = read_both(&agents, &library, agents_path, library_path, complaints);

    if (!rc)
        rc = agent_set_make(out, old, agents, library, agents_path, complaints);
    tree_unref(library);
    tree_unref(agents);
    return rc;
}

struct agent_set *agent_set_ref(struct agent_set *s)
{
    if (s)
        atomic_fetch_add_explicit(&s->refs, 1, memory_order_relaxed);
    return s;
}

void agent_set_unref(struct agent_set *s)
{
    if (!s || atomic_fetch_sub_explicit(&s->refs, 1, memory_order_acq_rel) != 1)
        return;
    for (size_t i = 0; i < s->n; i++)
        agent_entry_unref(s->entries[i]);
    for (size_t i = 0; i < s->n_errors; i++) {
        free(s->errors[i].module);
        free(s->errors[i].lines);
    }
    free(s->errors);
    free(s->entries);
    tree_unref(s->tree);
    free(s);
}

struct tree *agent_set_tree(const struct agent_set *s)
{
    return s->tree;
}

struct agent_error agent_set_error(const struct agent_set *s, size_t i)
{
    const struct kept_error *e = &s->errors[i];

    return (struct agent_error){
        .module = e->module, .lines = e->lines, .version = e->instead ? e->instead->version : NULL};
}

size_t agent_set_count(const struct agent_set *s)
{
    return s->n;
}

size_t agent_set_errors(const struct agent_set *s)
{
    return s->n_errors;
}

const struct agent_info *agent_set_at(const struct agent_set *s, size_t i)
{
    return i < s->n ? &s->entries[i]->info : NULL;
}

const struct agent_info *agent_by_number(const struct agent_set *s, struct rd_str number)
{
    const struct agent_entry *e = entry_by_number(s, number);

    return e ? &e->info : NULL;
}

const struct agent_info *agent_by_assistant(const struct agent_set *s, const char *id)
{
    const struct agent_info *found = NULL;

    for (size_t i = 0; i < s->n && id[0]; i++) {
        const struct agent_info *a = &s->entries[i]->info;

        if (!a->vapi_assistant || strcmp(a->vapi_assistant, id) != 0)
            continue;
        if (found)
            return NULL;
        found = a;
    }
    return found;
}

const struct agent_info *agent_by_name(const struct agent_set *s, struct rd_str name)
{
    for (size_t i = 0; i < s->n; i++)
        if (rd_str_eq(rd_str(s->entries[i]->name), name))
            return &s->entries[i]->info;
    return NULL;
}
