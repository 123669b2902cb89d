/* SPDX-License-Identifier: Apache-2.0 */
/* desk.c - the triage desk of an agent version on one script thread.
 *
 * - taken when the first call's stream is there, given back with the last one
 * - hear: scripts/ringdown/desk.lua says which rules an utterance concerns; almost always none
 * - a match is a fact and then an errand, once per call and rule; the errand waits for the disk
 *
 * Failure: a desk that breaks is made anew for the same words. One that cannot be made, or breaks
 * again, is a critical alarm: nobody listens for emergencies until it can. A match whose errand cannot run is one as well,
 * and the agent's own voice says the rule's words. */
#include "agent/desk.h"

#include "agent/desk_vm.h"
#include "agent/errand.h"
#include "base/err.h"
#include "base/json_out.h"
#include "base/log.h"
#include "base/redact.h"
#include "observe/alarm.h"
#include "observe/catalogue.h"
#include "observe/metrics.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>

enum { WORDS_MAX = 4000, BODY_MAX = 64 * 1024 };

struct desk {
    struct script_thread *thread; /* borrows */
    const struct agent_info *agent;
    struct vm *vm; /* owns; NULL: to be made anew */
    unsigned users;
    struct desk *next; /* of the thread */
};

/* What desk.lua says about one rule. Borrows from its JSON. */
struct finding {
    unsigned n; /* of the rule in the agent's list, from 1; 0: of none */
    const char *rule, *severity, *verdict, *why, *words, *ask, *say, *language;
};

static void tell_broken(const struct desk *d, const char *why)
{
    const char *fix = catalogue_fix("triage.", "deaf");

    log_error("triage.deaf", F_STR("agent", d->agent->name), F_STR("why", why), F_FIX(fix));
    alarm_raise(ALARM_CRITICAL, "triage.deaf", d->agent->name,
                "emergencies are not recognised in calls of this agent", fix);
}

static struct desk *find(const struct script_thread *t, const struct agent_info *agent)
{
    struct desk *d = t->desks;

    while (d && d->agent != agent)
        d = d->next;
    return d;
}

struct desk *desk_take(struct activity *a)
{
    struct script_thread *t = a->thread;
    struct desk *d;

    if (!a->agent || !a->agent->rules)
        return NULL;
    d = find(t, a->agent);
    if (!d) {
        d = calloc(1, sizeof(*d));
        if (!d)
            return NULL;
        *d = (struct desk){.thread = t, .agent = agent_hold(a->agent), .next = t->desks};
        t->desks = d;
    }
    d->users++;
    return d;
}

void desk_give(struct desk *d)
{
    struct desk **link;

    if (!d || --d->users > 0)
        return;
    link = &d->thread->desks;
    while (*link != d)
        link = &(*link)->next;
    *link = d->next;
    vm_free(d->vm);
    agent_let_go(d->agent);
    free(d);
}

/* Arguments are on the VM's stack. The findings as a JSON array; NULL: none. */
static json_t *ask_desk(struct desk *d, const char *function, const struct rd_str *args, int n)
{
    json_t *found = NULL;
    struct buf why;
    const char *text;
    int rc = 0;
    size_t len;

    buf_init(&why, 8192);
    if (!d->vm)
        rc = desk_vm_open(&d->vm, d->agent, &why);
    if (!rc)
        rc = desk_vm_ask(d->vm, function, args, n, &why);
    if (rc && d->vm) { /* a broken one: these words are looked at all the same */
        vm_free(d->vm);
        d->vm = NULL;
        buf_clear(&why);
        rc = desk_vm_open(&d->vm, d->agent, &why);
        if (!rc)
            rc = desk_vm_ask(d->vm, function, args, n, &why);
    }
    if (!rc) {
        text = lua_tolstring(vm_lua(d->vm), -1, &len);
        found = text ? json_loadb(text, len, 0, NULL) : NULL;
        lua_pop(vm_lua(d->vm), 1);
        desk_vm_tidy(d->vm);
        alarm_clear("triage.deaf", d->agent->name);
    } else {
        tell_broken(d, buf_text(&why) && why.n ? why.data : rd_strerror(rc));
        vm_free(d->vm);
        d->vm = NULL;
    }
    buf_fini(&why);
    return found;
}

/* --- once per call --- */

/* What was done about a rule in this call. Never for want of room: all rules have theirs. */
enum { DONE_MATCHED = 1, DONE_ASKED = 2, DONE_TOLD = 4 };

static bool first_time(struct activity *a, const struct finding *f, unsigned char what)
{
    bool first = !(a->done[f->n] & what);

    a->done[f->n] |= what;
    return first;
}

/* A near miss is only for the records: when there are too many in a call, the others are dropped. */
static bool first_miss(struct activity *a, const char *rule, const char *why)
{
    uint64_t h = 0xcbf29ce484222325u;

    for (const char *part = rule; part; part = part == rule ? why : NULL)
        for (const char *p = part;; p++) {
            h = (h ^ (unsigned char)*p) * 0x100000001b3u;
            if (!*p)
                break;
        }
    for (unsigned i = 0; i < a->n_missed; i++)
        if (a->missed[i] == h)
            return false;
    if (a->n_missed == MISSES_MAX)
        return false;
    a->missed[a->n_missed++] = h;
    return true;
}

/* --- facts --- */

static void keep(struct activity *a, const char *type, struct json_members members)
{
    const struct script_opts *o = &a->thread->pool->opts;
    struct script_fact f = {
        .call = a->handle, .sid = a->sid, .agent = a->agent->name, .type = type};
    struct buf body;

    buf_init(&body, BODY_MAX);
    if (json_members(&body, members, true) >= 0) {
        f.members = (struct rd_str){body.data, body.n};
        if (o->keep_fact)
            o->keep_fact(o->arg, &f);
    }
    buf_fini(&body);
}

static void near_miss(struct activity *a, const struct finding *f, const char *why)
{
    if (!first_miss(a, f->rule, why))
        return;
    metric_add(M_NEAR_MISSES, 1);
    keep(a, "near_miss",
         JSON_MEMBERS(J_STR("rule", f->rule), J_STR("why", why), J_STR("words", f->words)));
}

/* --- acting --- */

static void last_resort(struct activity *a, const struct finding *f, int rc)
{
    const char *fix = catalogue_fix("errand.", "not_run");

    log_error("errand.not_run", F_CALL(a->sid), F_STR("kind", "emergency"), F_STR("rule", f->rule),
              F_ERR(rc), F_FIX(fix));
    alarm_raise(ALARM_CRITICAL, "errand.not_run", a->sid, "an emergency was not handed to anybody",
                fix);
    if (f->say && *f->say)
        activity_command(a, CMD_SAY, rd_str(f->say), RD_STR(""), 0);
}

static int run_errand(struct activity *a, const struct finding *f, const char *source)
{
    struct errand_order o = {.agent = rd_str(a->agent->name),
                             .kind = RD_STR("emergency"),
                             .version = a->agent,
                             .call = a->handle,
                             .media_thread = a->media_thread};
    struct buf json;
    int rc;

    buf_init(&json, BODY_MAX);
    rc = json_add_object(&json,
                         JSON_MEMBERS(J_STR("call", a->sid), J_STR("rule", f->rule),
                                      J_STR("severity", f->severity), J_STR("source", source),
                                      J_STR("words", f->words), J_STR("language", f->language),
                                      J_STR("from", a->from), J_STR("to", a->to)));
    if (!rc)
        rc = errand_room(a->thread, "emergency");
    if (!rc) {
        o.json = (struct rd_str){json.data, json.n};
        rc = errand_run(a->thread, &o);
    }
    buf_fini(&json);
    return rc;
}

static int act(struct activity *a, const struct finding *f, const char *source)
{
    int rc;

    if (!first_time(a, f, DONE_MATCHED))
        return 0;
    metric_add(M_TRIAGE_MATCHES, 1);
    log_warn("triage.match", F_CALL(a->sid), F_STR("agent", a->agent->name), F_STR("rule", f->rule),
             F_STR("severity", f->severity), F_STR("source", source),
             F_FIX(catalogue_fix("triage.", "match")));
    keep(a, "triage",
         JSON_MEMBERS(J_STR("rule", f->rule), J_STR("severity", f->severity),
                      J_STR("source", source), J_STR("state", "open"), J_STR("words", f->words)));
    rc = run_errand(a, f, source);
    if (rc)
        last_resort(a, f, rc);
    return 1;
}

static int follow(struct activity *a, const struct finding *f, const char *source)
{
    if (strcmp(f->verdict, "match") == 0)
        return act(a, f, source);
    if (strcmp(f->verdict, "tell") == 0) { /* no rule: a person shall read it, nothing else */
        if (first_time(a, f, DONE_TOLD) && run_errand(a, f, source))
            last_resort(a, f, RD_EFULL);
        return 0;
    }
    if (a->done[f->n] & DONE_MATCHED)
        return 0;
    if (strcmp(f->verdict, "ask") == 0 && first_time(a, f, DONE_ASKED))
        activity_command(a, CMD_INSTRUCT, rd_str(f->ask), RD_STR(""), 0);
    near_miss(a, f, f->why);
    return 0;
}

static const char *member(const json_t *o, const char *key)
{
    const char *text = json_string_value(json_object_get(o, key));

    return text ? text : "";
}

static unsigned number_of(const json_t *o)
{
    json_int_t n = json_integer_value(json_object_get(o, "n"));

    return n > 0 && n <= RULES_MAX ? (unsigned)n : 0;
}

static int follow_all(struct activity *a, json_t *found, const char *source)
{
    int acted = 0;

    for (size_t i = 0; i < json_array_size(found); i++) {
        const json_t *o = json_array_get(found, i);
        struct finding f = {.n = number_of(o),
                            .rule = member(o, "rule"),
                            .severity = member(o, "severity"),
                            .verdict = member(o, "verdict"),
                            .why = member(o, "why"),
                            .words = member(o, "words"),
                            .ask = member(o, "ask"),
                            .say = member(o, "say"),
                            .language = json_string_value(json_object_get(o, "language"))};

        acted |= follow(a, &f, source);
    }
    json_decref(found);
    return acted;
}

/* Without card numbers and the like, as everything that is kept, sent or told. */
static struct rd_str clean(struct buf *out, struct rd_str words)
{
    if (words.n > WORDS_MAX)
        words.n = WORDS_MAX;
    buf_init(out, 2 * WORDS_MAX);
    return redact_text(out, words) ? RD_STR("") : (struct rd_str){out->data, out->n};
}

void desk_hear(struct activity *a, struct rd_str words)
{
    struct rd_str said;
    struct buf copy;

    if (!a->desk || words.n == 0)
        return;
    said = clean(&copy, words);
    if (said.n > 0)
        (void)follow_all(a, ask_desk(a->desk, "hear", &said, 1), "rule");
    buf_fini(&copy);
}

int desk_find(struct activity *a, const char *function, const struct rd_str *args, int n,
              struct buf *out)
{
    struct rd_str clean_args[4] = {{NULL, 0}};
    struct buf copy;
    json_t *found;
    char *text;
    int rc;

    if (!a->desk)
        a->desk = desk_take(a);
    if (!a->desk)
        return a->agent && a->agent->rules ? RD_ESTATE : 0;
    for (int i = 0; i < n; i++)
        clean_args[i] = args[i];
    clean_args[n - 1] = clean(&copy, args[n - 1]); /* the words are last */
    found = ask_desk(a->desk, function, clean_args, n);
    text = found ? json_dumps(found, JSON_COMPACT) : NULL;
    rc = found && !text ? -ENOMEM : buf_add_str(out, text ? text : "[]");
    free(text);
    json_decref(found);
    buf_fini(&copy);
    return rc;
}

int desk_report(struct activity *a, struct rd_str kind, struct rd_str severity, struct rd_str words)
{
    struct buf copy;
    struct rd_str args[] = {kind, severity, clean(&copy, words)};
    int acted = RD_ESTATE;

    if (a->desk)
        acted = follow_all(a, ask_desk(a->desk, "report", args, 3), "model");
    buf_fini(&copy);
    return acted;
}
