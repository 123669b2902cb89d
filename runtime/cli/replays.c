/* SPDX-License-Identifier: Apache-2.0 */
/* replays.c - recordings out of the database or a file, each played on the version that took the call and
 * on the one that is to be.
 *
 *   recording ─▶ whose? which version? ─▶ its tree, loaded once ─▶ played on both ─▶ differences
 *
 * Failure modes: a recording that cannot be read, a version that nobody has any more, an agent that is
 * gone: said with the call, counted as unplayable, and the next one is played. */
#include "cli/replays.h"

#include "agent/agents.h"
#include "agent/replay.h"
#include "base/err.h"
#include "cli/commands.h"
#include "cli/replays_print.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { COMPLAINTS_MAX = 1 << 20, ANSWER_MAX = 64 << 20, WHY_MAX = 1 << 16, VERSIONS_MAX = 64 };

static const char candidate[] = "candidate";

/* One that a call had; `set` NULL: it is not kept, `why` says so. */
struct version {
    char name[17];
    struct agent_set *set; /* refs */
    char why[256];
};

struct replays {
    struct replays_opts o;
    struct replay *replay;                  /* owns */
    struct tree *library;                   /* refs */
    struct agent_set *next;                 /* refs: what recordings are played on */
    struct version *versions[VERSIONS_MAX]; /* own */
    size_t n_versions;
    struct replays_totals totals;
    struct timespec began;
    unsigned n_shown;
};

static int fail(const struct replays *r, const char *why)
{
    fprintf(stderr, "ringdown %s: ", r->o.command);
    replays_print_text(stderr, why, SIZE_MAX);
    fputc('\n', stderr);
    return EXIT_FAILED;
}

/* ---- agents to play on ---- */

static int load(struct replays *r, struct tree *tree, struct agent_set **out, struct buf *why)
{
    int rc = agent_set_make(out, NULL, tree, r->library, "agents", why);

    return rc ? rc : 0;
}

static void free_versions(struct replays *r)
{
    for (size_t i = 0; i < r->n_versions; i++) {
        agent_set_unref(r->versions[i]->set);
        free(r->versions[i]);
    }
    r->n_versions = 0;
}

void replays_end(struct replays *r)
{
    if (!r)
        return;
    replay_free(r->replay);
    free_versions(r);
    agent_set_unref(r->next);
    tree_unref(r->library);
    tree_unref(r->o.tree);
    free(r);
}

int replays_begin(struct replays **out, const struct replays_opts *o)
{
    struct replays *r = calloc(1, sizeof(*r));
    struct buf why;
    int rc, code = EXIT_OK;

    if (!r)
        return EXIT_FAILED;
    r->o = *o;
    (void)tree_ref(o->tree);
    (void)clock_gettime(CLOCK_MONOTONIC, &r->began);
    buf_init(&why, COMPLAINTS_MAX);
    rc = agent_library_read(&r->library, o->settings->library_path, &why);
    if (!rc)
        rc = load(r, o->tree, &r->next, &why);
    if (!rc)
        rc = replay_new(&r->replay, o->settings->library_path, &why);
    if (!rc)
        rc = replay_offer(r->replay, candidate, r->next);
    if (rc || agent_set_errors(r->next) > 0) {
        fprintf(stderr, "ringdown %s: not all agents load; mend this first:\n%s", o->command,
                why.n ? buf_text(&why) : rd_strerror(rc));
        code = EXIT_FAILED;
    }
    buf_fini(&why);
    if (code) {
        replays_end(r);
        return code;
    }
    *out = r;
    return EXIT_OK;
}

/* What this program makes of the tree in which the agent had that version. */
static void find_tree(struct replays *r, struct version *v)
{
    static const char sql[] = "select files from find_agent_tree($1)";
    const char *wanted = v->name;
    struct tree *tree = NULL;
    struct buf complaints;
    char why[200] = "";

    if (!r->o.asking) {
        snprintf(v->why, sizeof(v->why),
                 "version %s is not the folder's, and there is no database to find it in", v->name);
        return;
    }
    buf_init(&complaints, COMPLAINTS_MAX);
    if (pg_query(r->o.asking->pg, sql, 1, &wanted))
        snprintf(v->why, sizeof(v->why), "%.200s", pg_message(r->o.asking->pg));
    else if (pg_rows(r->o.asking->pg) == 0)
        snprintf(v->why, sizeof(v->why),
                 "version %s is not kept any more (what was never published goes after 90 days)",
                 v->name);
    else if (tree_from_json(&tree, rd_str(pg_text(r->o.asking->pg, 0, 0)), why, sizeof(why)) ||
             load(r, tree, &v->set, &complaints))
        snprintf(v->why, sizeof(v->why), "version %s cannot be read any more: %s", v->name, why);
    else
        (void)replay_offer(r->replay, v->name, v->set);
    buf_fini(&complaints);
    tree_unref(tree);
}

static struct version *version_of(struct replays *r, const char *name)
{
    struct version *v;

    for (size_t i = 0; i < r->n_versions; i++)
        if (strcmp(r->versions[i]->name, name) == 0)
            return r->versions[i];
    if (r->n_versions == VERSIONS_MAX)
        return NULL;
    v = calloc(1, sizeof(*v));
    if (!v)
        return NULL;
    snprintf(v->name, sizeof(v->name), "%s", name);
    r->versions[r->n_versions++] = v;
    find_tree(r, v);
    return v;
}

/* The name under which the call's own version is offered; NULL with the reason in `why`. */
static const char *before(struct replays *r, const struct agent_info *next, const json_t *about,
                          const char **why)
{
    const char *name = ask_text(about, "version");
    struct version *v;

    if (strcmp(next->version, name) == 0)
        return candidate;
    if (!name[0]) {
        *why = "nobody knows which version took it";
        return NULL;
    }
    v = version_of(r, name);
    *why = v ? v->why : "too many versions at once; replay fewer calls";
    if (v && v->set && !agent_by_name(v->set, rd_str(ask_text(about, "agent")))) {
        *why = "the version that took it does not load in this program";
        return NULL;
    }
    return v && v->set ? v->name : NULL;
}

/* ---- what came of it ---- */

static bool has(const json_t *answer, const char *list)
{
    return json_array_size(json_object_get(answer, list)) > 0;
}

static void print_answer(struct replays *r, const json_t *answer)
{
    bool tells = has(answer, "differences") || has(answer, "drift") || has(answer, "lost") ||
                 (has(answer, "notes") && !r->o.most_shown);

    if (!r->o.show && !tells)
        return;
    if (r->o.most_shown && r->n_shown++ >= (unsigned)r->o.most_shown)
        return;
    replays_print(r->o.to, answer, r->o.show);
}

static void count(struct replays *r, const json_t *answer)
{
    struct replays_totals *t = &r->totals;

    t->calls++;
    t->call_ms += (uint64_t)ask_int(answer, "ms");
    t->same += !has(answer, "differences") && !has(answer, "drift");
    t->different += has(answer, "differences");
    t->drifted += has(answer, "drift");
    t->noted += has(answer, "notes");
    t->lost += has(answer, "lost");
}

/* Of what the library raised the first line is for people; where in the library, is not. */
static int unplayable(struct replays *r, const char *call, const char *why)
{
    char first[512];

    snprintf(first, sizeof(first), "%.*s", (int)strcspn(why, "\n"), why);
    r->totals.unplayable++;
    if (r->o.json) {
        json_t *v = json_pack("{s:s, s:s}", "call", call, "why", first);

        if (v) {
            json_dumpf(v, r->o.to, JSON_COMPACT | JSON_SORT_KEYS);
            fputc('\n', r->o.to);
        }
        json_decref(v);
    } else {
        replays_print_unplayable(r->o.to, call, first);
    }
    return EXIT_OK;
}

static void take_answer(struct replays *r, const char *call, const struct buf *text)
{
    json_t *answer = json_loadb(text->data, text->n, 0, NULL);

    if (!answer) {
        (void)unplayable(r, call, "its texts are no UTF-8");
        return;
    }
    count(r, answer);
    if (r->o.json)
        fprintf(r->o.to, "%.*s\n", (int)text->n, text->data);
    else
        print_answer(r, answer);
    json_decref(answer);
}

/* ---- playing ---- */

static int play(struct replays *r, const char *text, const char *call, const char *was)
{
    const char *const args[] = {text, was ? was : candidate, candidate};
    struct buf answer, why;
    int rc;

    buf_init(&answer, ANSWER_MAX);
    buf_init(&why, WHY_MAX);
    rc = replay_ask(r->replay, was ? "compare" : "show", args, was ? 3 : 2, &answer, NULL, &why);
    if (!rc)
        take_answer(r, call, &answer);
    else
        (void)unplayable(r, call, why.n ? buf_text(&why) : rd_strerror(rc));
    buf_fini(&answer);
    buf_fini(&why);
    return EXIT_OK;
}

/* Whose it is; NULL when nobody can say, and then that was told. */
static json_t *about(struct replays *r, const char *text, const char *call)
{
    struct buf answer, why;
    json_t *v = NULL;
    int rc;

    buf_init(&answer, WHY_MAX);
    buf_init(&why, WHY_MAX);
    rc = replay_ask(r->replay, "about", &text, 1, &answer, NULL, &why);
    if (!rc)
        v = json_loadb(answer.data, answer.n, 0, NULL);
    if (!v || json_object_get(v, "why")) {
        (void)unplayable(r, call, v ? ask_text(v, "why") : buf_text(&why));
        json_decref(v);
        v = NULL;
    }
    buf_fini(&answer);
    buf_fini(&why);
    return v;
}

static int replay_text(struct replays *r, const char *text, const char *call)
{
    json_t *a = about(r, text, call);
    const struct agent_info *next = a ? agent_by_name(r->next, rd_str(ask_text(a, "agent"))) : NULL;
    const char *was = NULL, *why = "",
               *id = a && ask_text(a, "call")[0] ? ask_text(a, "call") : call;
    int code = EXIT_OK;

    if (a && r->o.of_agent && strcmp(r->o.of_agent, ask_text(a, "agent")) != 0)
        why = "another agent took it; --agent names the file of the one to play it on";
    else if (a && !next)
        why = "its agent is not in this folder";
    else if (a && !r->o.show)
        was = before(r, next, a, &why);
    if (a && (was || (r->o.show && next && !why[0])))
        code = play(r, text, id, was);
    else if (a)
        code = unplayable(r, id, why);
    json_decref(a);
    return code;
}

int replays_text(struct replays *r, struct rd_str recording)
{
    char *text = strndup(recording.p, recording.n);
    int code = text ? replay_text(r, text, "the recording") : fail(r, "not enough memory");

    free(text);
    return code;
}

/* NULL after a complaint. */
static char *fetch(struct replays *r, const char *call)
{
    const char *text;

    if (pg_query(r->o.asking->pg, "select call_recording($1)", 1, &call)) {
        (void)fail(r, pg_message(r->o.asking->pg));
        return NULL;
    }
    text = pg_rows(r->o.asking->pg) ? pg_text(r->o.asking->pg, 0, 0) : NULL;
    return strdup(text ? text : "null");
}

int replays_call(struct replays *r, const char *call)
{
    char *text = fetch(r, call);
    int code = text ? replay_text(r, text, call) : EXIT_FAILED;

    free(text);
    return code;
}

int replays_last(struct replays *r, int n)
{
    static const char sql[] =
        "select coalesce(jsonb_agg(c), '[]') from recorded_calls($1, $2::integer, "
        "$3::timestamptz) c";
    char most[16];
    const char *const p[] = {r->o.of_agent, most, r->o.since};
    json_t *calls, *c;
    int code = EXIT_OK;
    size_t i;

    snprintf(most, sizeof(most), "%d", n);
    calls = ask_json(r->o.asking, sql, 3, p);
    if (!calls)
        return EXIT_FAILED;
    json_array_foreach(calls, i, c) if (code == EXIT_OK) code =
        replays_call(r, json_string_value(c));
    json_decref(calls);
    return code;
}

/* ---- all of them ---- */

struct replays_totals replays_totals(const struct replays *r)
{
    struct replays_totals t = r->totals;
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    t.seconds =
        (double)(now.tv_sec - r->began.tv_sec) + (double)(now.tv_nsec - r->began.tv_nsec) / 1e9;
    return t;
}

void replays_print_totals(struct replays *r)
{
    struct replays_totals t = replays_totals(r);
    FILE *to = r->o.to;
    json_t *v;

    if (r->o.json) {
        v = json_pack("{s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:I}", "calls", (int)t.calls, "same",
                      (int)t.same, "different", (int)t.different, "unplayable", (int)t.unplayable,
                      "lost", (int)t.lost, "drifted", (int)t.drifted, "noted", (int)t.noted,
                      "call_ms", (json_int_t)t.call_ms);
        json_dumpf(v, to, JSON_COMPACT | JSON_SORT_KEYS);
        fputc('\n', to);
        json_decref(v);
        return;
    }
    if (r->o.most_shown && r->n_shown > (unsigned)r->o.most_shown)
        fprintf(to, "… and %u more calls that differ; --json has all of them\n",
                r->n_shown - (unsigned)r->o.most_shown);
    fprintf(to, "%u calls (%.1f minutes) replayed in %.1f s", t.calls, (double)t.call_ms / 60000,
            t.seconds);
    if (!r->o.show)
        fprintf(to, ": %u the same, %u different", t.same, t.different);
    if (t.drifted)
        fprintf(to, ", %u NOT AS RECORDED", t.drifted);
    if (t.unplayable)
        fprintf(to, ", %u could not be replayed", t.unplayable);
    if (t.noted && r->o.most_shown)
        fprintf(to, ", %u of which something is not known (replay one alone to read what)",
                t.noted);
    if (t.lost)
        fprintf(to, "; EMERGENCIES LOST in %u", t.lost);
    fputc('\n', to);
}

/* ---- as a spec ---- */

static int write_new(const struct replays *r, const char *path, const struct buf *text)
{
    FILE *f = fopen(path, "wxe");
    char why[600];
    bool good;

    if (f) {
        good = fwrite(text->data, 1, text->n, f) == text->n;
        if (fclose(f) == 0 && good) {
            printf("written: %s\n", path);
            return EXIT_OK;
        }
        (void)unlink(path);
    }
    snprintf(why, sizeof(why), "%.400s: %s", path, strerror(errno));
    return fail(r, why);
}

static int write_both(struct replays *r, const char *text, const char *name, const char *folder)
{
    const char *const args[] = {text, candidate, name};
    struct buf fixture, spec, why;
    char path[600];
    int rc, code = EXIT_FAILED;

    buf_init(&fixture, ANSWER_MAX);
    buf_init(&spec, ANSWER_MAX);
    buf_init(&why, WHY_MAX);
    rc = replay_ask(r->replay, "spec", args, 3, &fixture, &spec, &why);
    if (rc) {
        (void)fail(r, why.n ? buf_text(&why) : rd_strerror(rc));
    } else {
        snprintf(path, sizeof(path), "%.400s/%s.json", folder, name);
        code = write_new(r, path, &fixture);
        snprintf(path, sizeof(path), "%.400s/%s_spec.lua", folder, name);
        if (code == EXIT_OK)
            code = write_new(r, path, &spec);
    }
    buf_fini(&fixture);
    buf_fini(&spec);
    buf_fini(&why);
    return code;
}

int replays_write_spec(struct replays *r, const char *call, const char *folder)
{
    char *text = fetch(r, call), name[128];
    json_t *a = text ? about(r, text, call) : NULL;
    size_t n = strlen(call);
    int code = EXIT_FAILED;

    if (a && !agent_by_name(r->next, rd_str(ask_text(a, "agent")))) {
        (void)fail(r, "its agent is not in this folder");
    } else if (a) {
        snprintf(name, sizeof(name), "%.80s_%s", ask_text(a, "agent"), call + (n > 8 ? n - 8 : 0));
        code = write_both(r, text, name, folder);
    }
    json_decref(a);
    free(text);
    return code;
}
