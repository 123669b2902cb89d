/* SPDX-License-Identifier: Apache-2.0 */
/* agents.c - the set of loaded agents.
 *
 * - agent_set_load() goes through the folder in the order of names and loads each file by itself,
 * so that one broken agent costs only itself.
 * - The set never changes afterwards; calls keep the one they were opened with.
 * - A reload makes a new set; what no longer loads is taken over from the old one.
 *
 * Failure: a file's mistakes become lines of `complaints`, and so does a number that two agents
 * want (the first one keeps it, the second is left out). */
#include "agent/agents.h"

#include "agent/agents_private.h"
#include "base/err.h"

#include <dirent.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

struct agent_set {
    _Atomic int refs;
    struct agent_entry **entries; /* owns */
    size_t n, n_errors;
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

/* The module an entry of the folder stands for; false when it is none. */
static bool module_of(char *out, size_t cap, const char *agents_path, const char *file)
{
    char path[1024];
    struct stat st;

    if (file[0] == '.' || strcmp(file, "lib") == 0)
        return false;
    if (has_suffix(file, ".lua"))
        return snprintf(out, cap, "%.*s", (int)(strlen(file) - 4), file) < (int)cap;
    if (snprintf(path, sizeof(path), "%s/%s/init.lua", agents_path, file) >= (int)sizeof(path))
        return false;
    return stat(path, &st) == 0 && snprintf(out, cap, "%s", file) < (int)cap;
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

static int add_agent(struct agent_set *s, const struct agent_set *old, const char *module,
                     const char *agents_path, const char *library_path, struct buf *complaints)
{
    struct agent_entry *e = NULL, *before;
    int rc = agent_entry_load(&e, module, agents_path, library_path, complaints);

    if (!rc)
        rc = check_unique(s, e, complaints);
    if (!rc)
        return append(s, e);
    agent_entry_unref(e);
    s->n_errors++;
    if (rc == -ENOMEM)
        return rc;
    before = entry_by_module(old, module);
    if (!before || check_unique(s, before, complaints))
        return 0;
    return append(s, agent_entry_ref(before));
}

int agent_set_load(struct agent_set **out, const char *agents_path, const char *library_path,
                   struct buf *complaints)
{
    return agent_set_reload(out, NULL, agents_path, library_path, complaints);
}

int agent_set_reload(struct agent_set **out, struct agent_set *old, const char *agents_path,
                     const char *library_path, struct buf *complaints)
{
    struct agent_set *s = calloc(1, sizeof(*s));
    struct dirent **files = NULL;
    char module[256];
    int n, rc = 0;

    if (!s)
        return -ENOMEM;
    atomic_init(&s->refs, 1);
    n = scandir(agents_path, &files, NULL, alphasort);
    if (n < 0)
        rc = -errno;
    for (int i = 0; i < n; i++) {
        if (!rc && module_of(module, sizeof(module), agents_path, files[i]->d_name))
            rc = add_agent(s, old, module, agents_path, library_path, complaints);
        free(files[i]);
    }
    free(files);
    if (rc) {
        agent_set_unref(s);
        return rc;
    }
    *out = s;
    return 0;
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
    free(s->entries);
    free(s);
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

const struct agent_info *agent_by_name(const struct agent_set *s, struct rd_str name)
{
    for (size_t i = 0; i < s->n; i++)
        if (rd_str_eq(rd_str(s->entries[i]->name), name))
            return &s->entries[i]->info;
    return NULL;
}
