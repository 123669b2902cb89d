/* SPDX-License-Identifier: Apache-2.0 */
/* reload_load.c - from a tree to agents in use, and telling what came of it: log, alarms, facts, the
 * outcome for whoever asked.
 *
 * - a folder: each agent for itself; one that does not load keeps its version from before
 * - a release: all or nothing, because it was published as one; at the start what loads of it
 *
 * Failure modes: `agents.broken` per agent, `agents.release` for a release, `agents.unreadable` for
 * a folder; each closes by itself with the next good load. */
#include "agent/secret.h"
#include "base/err.h"
#include "base/log.h"
#include "base/now.h"
#include "gateway/reload_private.h"
#include "observe/alarm.h"
#include "observe/catalogue.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { COMPLAINTS_MAX = 256 * 1024 };

static const char fix_kept[] = "mend the line; until then the version from before answers";
static const char fix_none[] = "mend the line; until then nobody answers for it";
static const char fix_first[] = "mend the line; `ringdown check` shows all";
static const char fix_release[] =
    "the release from before stays in use; is this node's program or library another than where "
    "it was published? publish a mended one, or: ringdown agents restore";

/* ---- telling people ---- */

static size_t line_length(const char *lines)
{
    return strcspn(lines, "\n");
}

static void log_lines(const char *lines, const char *fix)
{
    for (const char *line = lines; *line;) {
        size_t n = line_length(line);
        char *copy = strndup(line, n);

        if (copy && copy[0])
            log_error("agent.not_loaded", F_STR("why", copy), F_FIX(fix));
        free(copy);
        line += n + (line[n] == '\n');
    }
}

static unsigned count_lines(const char *lines)
{
    unsigned n = 0;

    for (; *lines; lines++)
        n += *lines == '\n';
    return n;
}

static void raise_broken(const struct agent_error *e)
{
    unsigned n = count_lines(e->lines);
    char first[ALARM_TEXT];

    if (n > 1)
        (void)snprintf(first, sizeof(first), "%.*s (and %u more)", (int)line_length(e->lines),
                       e->lines, n - 1);
    else
        (void)snprintf(first, sizeof(first), "%.*s", (int)line_length(e->lines), e->lines);
    alarm_raise(e->version ? ALARM_WARNING : ALARM_CRITICAL, "agents.broken", e->module, first,
                e->version ? fix_kept : fix_none);
}

static bool is_among(const struct agent_set *set, const char *module)
{
    for (size_t i = 0; i < agent_set_errors(set); i++)
        if (strcmp(agent_set_error(set, i).module, module) == 0)
            return true;
    return false;
}

static void forget_broken(struct reload *r)
{
    for (size_t i = 0; i < r->n_broken; i++)
        free(r->broken[i]);
    free(r->broken);
    r->broken = NULL;
    r->n_broken = 0;
}

/* Opens the alarms of what is broken now, closes those of what is not any more. */
static void tell_broken(struct reload *r, const struct agent_set *set)
{
    size_t n = agent_set_errors(set);

    for (size_t i = 0; i < r->n_broken; i++)
        if (!is_among(set, r->broken[i]))
            alarm_clear("agents.broken", r->broken[i]);
    forget_broken(r);
    r->broken = calloc(n + 1, sizeof(*r->broken));
    for (size_t i = 0; i < n; i++) {
        struct agent_error e = agent_set_error(set, i);

        raise_broken(&e);
        if (r->broken)
            r->broken[r->n_broken] = strdup(e.module);
        if (r->broken && r->broken[r->n_broken])
            r->n_broken++;
    }
}

/* NULL for 0: what is kept for good has no number of seconds. */
static struct rd_str seconds(char out[16], uint32_t n)
{
    (void)snprintf(out, 16, "%u", n);
    return rd_str(n ? out : NULL);
}

/* What its file holds that is allowed and probably not meant. */
static void tell_warnings(const struct agent_info *a)
{
    for (const char *line = a->warnings; line && *line;) {
        size_t n = strcspn(line, "\n");
        char *copy = strndup(line, n);

        if (copy && copy[0])
            log_warn("agent.warning", F_STR("agent", a->name), F_STR("why", copy),
                     F_FIX(catalogue_fix("agent.", "warning")));
        free(copy);
        line += n + (line[n] == '\n');
    }
}

/* Which versions answer from now on, and how long what they hear is kept. */
static void keep_version(struct keep *k, const struct agent_info *a)
{
    char transcripts[16], recordings[16];

    tell_warnings(a);
    keep_node(k, "agent_version",
              JSON_MEMBERS(J_STR("agent", a->name), J_STR("version", a->version),
                           J_RAW("keep_transcripts_s", seconds(transcripts, a->keep_transcripts_s)),
                           J_RAW("keep_recordings_s", seconds(recordings, a->keep_recordings_s)),
                           J_BOOL("recording", a->record)));
}

/* ---- the outcome ---- */

/* The version of that name before; "" when there was none. */
static const char *version_in(const struct agent_set *set, const char *name)
{
    const struct agent_info *a = set ? agent_by_name(set, rd_str(name)) : NULL;

    return a ? a->version : "";
}

static int add_change(struct buf *out, const char *name, const char *before, const char *after)
{
    int rc = out->n && out->data[out->n - 1] == '}' ? buf_add_str(out, ",") : 0;

    if (rc || strcmp(before, after) == 0)
        return rc ? rc : out->data[out->n - 1] == ',' ? (out->n--, 0) : 0;
    return json_add_object(out, JSON_MEMBERS(J_STR("agent", name),
                                             J_STR("before", before[0] ? before : NULL),
                                             J_STR("after", after[0] ? after : NULL)));
}

static int add_changes(struct buf *out, const struct agent_set *old, const struct agent_set *now)
{
    int rc = buf_add_str(out, "\"changed\":[");

    for (size_t i = 0; !rc && i < agent_set_count(now); i++) {
        const struct agent_info *a = agent_set_at(now, i);

        rc = add_change(out, a->name, version_in(old, a->name), a->version);
    }
    for (size_t i = 0; !rc && old && i < agent_set_count(old); i++) {
        const struct agent_info *a = agent_set_at(old, i);

        if (!agent_by_name(now, rd_str(a->name)))
            rc = add_change(out, a->name, a->version, "");
    }
    return rc ? rc : buf_add_str(out, "]");
}

static int add_errors(struct buf *out, const struct agent_set *set)
{
    int rc = buf_add_str(out, "\"errors\":[");

    for (size_t i = 0; !rc && i < agent_set_errors(set); i++) {
        struct agent_error e = agent_set_error(set, i);

        if (i)
            rc = buf_add_str(out, ",");
        if (!rc)
            rc = json_add_object(out, JSON_MEMBERS(J_STR("module", e.module), J_STR("why", e.lines),
                                                   J_STR("version", e.version)));
    }
    return rc ? rc : buf_add_str(out, "]");
}

static void outcome(struct reload *r, const struct agent_set *old, const struct agent_set *set,
                    int64_t id, bool taken, uint64_t took_us)
{
    struct buf *out = &r->outcome;
    int rc;

    buf_clear(out);
    rc = buf_addf(out, "{\"taken\":%s,\"agents\":%zu,\"release\":%lld,\"took_us\":%llu,",
                  taken ? "true" : "false", agent_set_count(set), (long long)id,
                  (unsigned long long)took_us);
    if (!rc)
        rc = taken ? add_changes(out, old, set) : buf_add_str(out, "\"changed\":[]");
    if (!rc)
        rc = buf_add_str(out, ",");
    if (!rc)
        rc = add_errors(out, set);
    if (!rc)
        rc = buf_add_str(out, "}");
    if (rc)
        buf_clear(out);
}

void reload_cannot(struct reload *r, const char *why)
{
    log_error("agents.not_reloaded", F_STR("why", why),
              F_FIX("the old agents stay in use; mend the folder"));
    alarm_raise(ALARM_CRITICAL, "agents.unreadable", NULL, why,
                "the old agents stay in use; mend the folder, or set agents.path");
    pthread_mutex_lock(&r->lock);
    buf_clear(&r->outcome);
    if (!buf_add_str(&r->outcome, "{\"taken\":false,\"why\":\"") &&
        !buf_add_json(&r->outcome, rd_str(why)))
        (void)buf_add_str(&r->outcome, "\",\"changed\":[],\"errors\":[]}");
    pthread_mutex_unlock(&r->lock);
}

/* It can again. */
static void reload_can(struct reload *r)
{
    (void)r;
    alarm_clear("agents.unreadable", NULL);
}

/* ---- loading ---- */

static int make(struct reload *r, struct agent_set *old, struct tree *tree, struct agent_set **out,
                struct buf *complaints)
{
    const char *folder = r->from_folder ? r->o.settings->agents_path : "agents";
    struct tree *library = NULL;
    int rc = agent_library_read(&library, r->o.settings->library_path, complaints);

    if (!rc)
        rc = agent_set_make(out, old, tree, library, folder, complaints);
    tree_unref(library);
    return rc;
}

/* With the lock held. The set that was in use, now the caller's to unref. */
static struct agent_set *replace(struct reload *r, struct agent_set *set, int64_t id)
{
    struct agent_set *old = r->in_use;

    r->in_use = agent_set_ref(set);
    r->in_use_id = id;
    r->unkept = true;
    return old;
}

static void on_missing_secret(void *arg, const struct agent_info *agent, const char *name)
{
    (void)arg;
    log_warn("agent.secret_missing", F_STR("agent", agent->name), F_STR("secret", name),
             F_FIX(catalogue_fix("agent.", "secret_missing")));
}

static void tell_taken(struct reload *r, const struct agent_set *old, struct agent_set *set)
{
    struct agent_error e;

    for (size_t i = 0; i < agent_set_count(set); i++)
        if (!old || agent_by_name(old, rd_str(agent_set_at(set, i)->name)) != agent_set_at(set, i))
            keep_version(r->o.keep, agent_set_at(set, i));
    tell_broken(r, set);
    secrets_missing(set, r->o.settings->secrets, on_missing_secret, NULL);
    for (size_t i = 0; i < agent_set_errors(set); i++) {
        e = agent_set_error(set, i);
        log_lines(e.lines, !old ? fix_first : e.version ? fix_kept : fix_none);
    }
}

/* A release that does not load here stays off, whole. */
static bool refuse_release(const struct agent_set *set, int64_t id)
{
    struct agent_error e;
    char text[ALARM_TEXT];

    if (!id || agent_set_errors(set) == 0) {
        alarm_clear("agents.release", NULL);
        return false;
    }
    for (size_t i = 0; i < agent_set_errors(set); i++)
        log_lines(agent_set_error(set, i).lines, fix_release);
    e = agent_set_error(set, 0);
    (void)snprintf(text, sizeof(text), "release %lld does not load on this node: %.*s",
                   (long long)id, (int)line_length(e.lines), e.lines);
    alarm_raise(ALARM_CRITICAL, "agents.release", NULL, text, fix_release);
    return true;
}

void reload_take(struct reload *r, struct tree *tree, int64_t id)
{
    uint64_t began = monotonic_us(), took;
    struct agent_set *old = agent_set_ref(r->in_use), *set = NULL; /* only we change it */
    struct buf complaints;
    bool refused;
    int rc;

    buf_init(&complaints, COMPLAINTS_MAX);
    rc = make(r, old, tree, &set, &complaints);
    took = monotonic_us() - began;
    if (rc) {
        reload_cannot(r, complaints.n ? buf_text(&complaints) : rd_strerror(rc));
        goto done;
    }
    reload_can(r);
    refused = refuse_release(set, id);
    if (!refused)
        script_pool_set_agents(r->scripts, set);
    pthread_mutex_lock(&r->lock);
    outcome(r, old, set, id, !refused, took);
    if (!refused)
        agent_set_unref(replace(r, set, id));
    pthread_mutex_unlock(&r->lock);
    if (!refused) {
        tell_taken(r, old, set);
        log_info("agents.reloaded", F_INT("agents", agent_set_count(set)),
                 F_INT("errors", agent_set_errors(set)), F_INT("took_us", took));
    }
done:
    agent_set_unref(set);
    agent_set_unref(old);
    buf_fini(&complaints);
}

int reload_make_first(struct reload *r, struct tree *tree, int64_t id, struct buf *complaints)
{
    struct agent_set *set = NULL;
    int rc = make(r, NULL, tree, &set, complaints);

    if (rc)
        return rc;
    (void)refuse_release(set, id); /* what loads of it answers all the same */
    (void)replace(r, set, id);
    tell_taken(r, NULL, set);
    agent_set_unref(set);
    return 0;
}

/* ---- what an agent is made of ---- */

struct files {
    struct buf *out;
    int rc, n;
};

static void add_file(void *arg, const char *path)
{
    struct files *f = arg;

    if (!f->rc)
        f->rc = buf_add_str(f->out, f->n++ ? ",\"" : "\"");
    if (!f->rc)
        f->rc = buf_add_json(f->out, rd_str(path));
    if (!f->rc)
        f->rc = buf_add_str(f->out, "\"");
}

static int add_agent(struct buf *out, const struct agent_info *a)
{
    struct files f = {.out = out};
    int rc = buf_addf(out, "\"%s\":{\"version\":\"%s\",\"numbers\":[", a->name, a->version);

    for (int i = 0; !rc && a->numbers[i]; i++)
        rc = buf_addf(out, "%s\"%s\"", i ? "," : "", a->numbers[i]);
    if (!rc)
        rc = buf_add_str(out, "],\"files\":[");
    f.rc = rc;
    agent_each_file(a, add_file, &f);
    return f.rc ? f.rc : buf_add_str(out, "]}");
}

int reload_agents_json(const struct agent_set *set, struct buf *out)
{
    int rc = buf_add_str(out, "{");

    for (size_t i = 0; !rc && i < agent_set_count(set); i++) {
        if (i)
            rc = buf_add_str(out, ",");
        if (!rc)
            rc = add_agent(out, agent_set_at(set, i));
    }
    return rc ? rc : buf_add_str(out, "}");
}

int reload_json(struct reload *r, struct buf *out)
{
    int rc;

    pthread_mutex_lock(&r->lock);
    rc = buf_addf(out, "\"source\":\"%s\",\"watching\":%s,\"release\":%lld,\"tree\":\"%s\",",
                  r->from_folder ? "folder" : "database", r->watch ? "true" : "false",
                  (long long)r->in_use_id, r->in_use ? tree_hash(agent_set_tree(r->in_use)) : "");
    if (!rc && r->in_use)
        rc = add_errors(out, r->in_use);
    else if (!rc)
        rc = buf_add_str(out, "\"errors\":[]");
    pthread_mutex_unlock(&r->lock);
    return rc;
}
