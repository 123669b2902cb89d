/* SPDX-License-Identifier: Apache-2.0 */
/* why.c - `ringdown why CALL`: what happened, who decided it, what it cost and what to do about it, from
 * the database. And `why NUMBER`: what happens to its next call (scripts/ringdown/operations/why.lua).
 *
 *   CA41…  ended: provider_failed after 7 s
 *     2026-11-26 22:04:05.123  webhook   voice ringing
 *     2026-11-26 22:04:05.131  decision  openai: default (northside-plumbing 3f2a…)
 *     …
 *   what to do
 *     openai.insufficient_quota: add credit at …
 *
 * - nobody knows the call: said so, exit 1 */
#include "cli/ask.h"
#include "cli/commands.h"
#include "cli/cost.h"
#include "cli/operate.h"
#include "cli/options.h"
#include "observe/catalogue.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "usage: ringdown why CALL                     [--json] [--config FILE]\n"
    "       ringdown why NUMBER [--from CALLER]\n\n"
    "Explains one call, from its first webhook to its cost: what was decided and why, how long it\n"
    "was in which state, what went wrong and what to do about it. With one of our phone numbers: "
    "what\n"
    "happens to its next call (of CALLER): which agent answers, on which system and why, where "
    "the\n"
    "carrier sends it; and its last calls. Reads PostgreSQL; works without a live node.\n"
    "Exit code 1 when nothing is known about it.\n";

/* ---- one call, in the order of time ---- */

struct line {
    const char *at; /* borrows from the answer; ISO times of one form compare as text */
    const json_t *event;
};

enum { LINES_MAX = 4096 };

static int by_time(const void *a, const void *b)
{
    return strcmp(((const struct line *)a)->at, ((const struct line *)b)->at);
}

/* An emergency and what was done about it become events like the others. */
static size_t collect_triage(struct line *lines, size_t n, const json_t *answer)
{
    json_t *match, *step;
    size_t i, j;

    json_array_foreach(json_object_get(answer, "triage"), i, match)
    {
        json_object_set_new(match, "type", json_string("triage"));
        if (n < LINES_MAX)
            lines[n++] = (struct line){ask_text(match, "matched_at"), match};
        json_array_foreach(json_object_get(match, "steps"), j, step)
        {
            json_object_set_new(step, "type", json_string("triage_step"));
            if (n < LINES_MAX)
                lines[n++] = (struct line){ask_text(step, "at"), step};
        }
    }
    return n;
}

/* Texts of the call, with what became of them. */
static size_t collect_texts(struct line *lines, size_t n, const json_t *answer)
{
    json_t *text;
    size_t i;

    json_array_foreach(json_object_get(answer, "texts"), i, text)
    {
        json_object_set_new(text, "type", json_string("text"));
        if (n < LINES_MAX)
            lines[n++] = (struct line){ask_text(text, "created_at"), text};
    }
    return n;
}

static size_t collect(struct line *lines, const json_t *answer)
{
    static const char *const lists[] = {"webhooks", "decisions", "notices", "errors",
                                        "interventions"};
    size_t n = 0, i;
    json_t *event;

    for (size_t k = 0; k < sizeof(lists) / sizeof(lists[0]); k++)
        json_array_foreach(json_object_get(answer, lists[k]), i, event) if (n < LINES_MAX)
            lines[n++] = (struct line){ask_text(event, "at"), event};
    json_array_foreach(json_object_get(answer, "states"), i, event) if (n < LINES_MAX) lines[n++] =
        (struct line){ask_text(event, "at"), event};
    n = collect_triage(lines, n, answer);
    n = collect_texts(lines, n, answer);
    qsort(lines, n, sizeof(*lines), by_time);
    return n;
}

static void print_webhook(const json_t *e)
{
    printf("webhook   %s %s", ask_text(e, "kind"), ask_text(e, "status"));
    if (json_is_true(json_object_get(e, "repeated")))
        printf(", repeated by the carrier");
    if (json_object_get(e, "duration_s"))
        printf(", %" JSON_INTEGER_FORMAT " s", ask_int(e, "duration_s"));
}

/* By what it was decided, so that one can decide again. */
static void print_rollout(const json_t *e)
{
    const char *first = ask_text(e, "first"), *why = ask_text(e, "first_reason");

    if (first[0] && ask_text(e, "failover")[0])
        printf(", first %s: %s", first, why);
    if (json_object_get(e, "bucket"))
        printf(", bucket %lld, to openai below %lld", (long long)ask_int(e, "bucket"),
               (long long)ask_int(e, "percent_bp"));
    if (ask_int(e, "rollout") > 0)
        printf(", rollout version %lld", (long long)ask_int(e, "rollout"));
}

static void print_decision(const json_t *e)
{
    const char *model = ask_text(e, "model"), *version = ask_text(e, "version");
    const char *detail = ask_text(e, "detail");

    printf("decision  %s: %s", ask_text(e, "system"), ask_text(e, "reason"));
    if (detail[0])
        printf(" (%s)", detail);
    print_rollout(e);
    if (model[0])
        printf(", %s", model);
    if (version[0])
        printf(", agent version %.12s", version);
}

/* "not sent" is our own doing; an error beside another status is the carrier's. */
static void print_text(const json_t *e)
{
    const char *what = ask_text(e, "template"), *status = ask_text(e, "status");
    const char *error = ask_text(e, "error_code");

    printf("text      %s %s (%s): %s%s%s",
           strcmp(ask_text(e, "direction"), "in") == 0 ? "from" : "to",
           ask_text(e, strcmp(ask_text(e, "direction"), "in") == 0 ? "from_number" : "to_number"),
           what[0] ? what : ask_text(e, "kind"),
           strcmp(status, "canceled") == 0 ? "not sent" : status, error[0] ? ", " : "", error);
}

static void print_resumed(const json_t *e)
{
    const char *node = ask_text(e, "node");

    printf("resumed   after %s: %" JSON_INTEGER_FORMAT
           " ms without it, for the %" JSON_INTEGER_FORMAT ". time within a minute%s%s",
           ask_text(e, "reason"), ask_int(e, "gap_ms"), ask_int(e, "attempt"),
           node[0] ? "; by node " : "", node);
}

/* Its node died, or has lost it: somebody else knows from the carrier what became of it. */
static void print_closed(const json_t *e)
{
    const char *status = ask_text(e, "status");

    printf("closed    node %s %s (%s); the carrier says: %s", ask_text(e, "node"),
           strcmp(ask_text(e, "reason"), "not_had") == 0 ? "does not know it" : "is gone",
           ask_text(e, "reason"), status[0] ? status : "it never heard of this call");
}

static void print_other(const json_t *e, const char *type)
{
    if (strcmp(type, "error") == 0)
        printf("error     %s: %s", ask_text(e, "code"), ask_text(e, "message"));
    else if (strcmp(type, "notice") == 0)
        printf("notice    heard: %s", ask_text(e, "text"));
    else if (strcmp(type, "operator") == 0)
        printf("operator  %s %s (%s)", ask_text(e, "action"), ask_text(e, "detail"),
               ask_text(e, "who"));
    else if (strcmp(type, "transfer") == 0)
        printf("transfer  to %s %s %s", ask_text(e, "whom"), ask_text(e, "state"),
               ask_text(e, "why"));
    else if (strcmp(type, "resumed") == 0)
        print_resumed(e);
    else if (strcmp(type, "closed") == 0)
        print_closed(e);
    else if (strcmp(type, "triage") == 0)
        printf("emergency %s (%s, found by %s): %s %s%s", ask_text(e, "rule"),
               ask_text(e, "severity"), ask_text(e, "source"), ask_text(e, "state"),
               ask_text(e, "handled_by")[0] ? "by " : "", ask_text(e, "handled_by"));
    else if (strcmp(type, "triage_step") == 0)
        printf("emergency %s %s %s %s", ask_text(e, "kind"), ask_text(e, "target"),
               ask_text(e, "state"), ask_text(e, "detail"));
    else
        printf("%-9s %s", type, json_is_true(json_object_get(e, "on")) ? "on" : "off");
}

static const char *time_member(const char *type)
{
    if (strcmp(type, "triage") == 0)
        return "matched_at";
    return strcmp(type, "text") == 0 ? "created_at" : "at";
}

static void print_line(const struct line *l)
{
    const char *type = ask_text(l->event, "type");

    printf("  %-23s  ", ask_time(l->event, time_member(type)));
    if (!type[0]) {
        printf("state     %s", ask_text(l->event, "state"));
        if (json_is_number(json_object_get(l->event, "ms")))
            printf(" for %.1f s", json_number_value(json_object_get(l->event, "ms")) / 1000);
    } else if (strcmp(type, "webhook") == 0) {
        print_webhook(l->event);
    } else if (strcmp(type, "decision") == 0) {
        print_decision(l->event);
    } else if (strcmp(type, "text") == 0) {
        print_text(l->event);
    } else {
        print_other(l->event, type);
    }
    putchar('\n');
}

static void print_head(const json_t *call)
{
    printf("%s  %s", ask_text(call, "call"), ask_text(call, "state"));
    if (ask_text(call, "ended_reason")[0])
        printf(": %s", ask_text(call, "ended_reason"));
    if (json_object_get(call, "duration_ms"))
        printf(" after %.1f s", (double)ask_int(call, "duration_ms") / 1000);
    printf("\n  %s → %s, agent %s, node %s\n", ask_text(call, "from_number"),
           ask_text(call, "to_number"), ask_text(call, "agent"), ask_text(call, "node"));
    printf("  %" JSON_INTEGER_FORMAT " turns, %" JSON_INTEGER_FORMAT
           " barge-ins, %" JSON_INTEGER_FORMAT " tool calls, %" JSON_INTEGER_FORMAT " errors",
           ask_int(call, "turns"), ask_int(call, "barge_ins"), ask_int(call, "tool_calls"),
           ask_int(call, "errors"));
    if (json_is_integer(json_object_get(call, "first_audio_ms")))
        printf(", first word after %" JSON_INTEGER_FORMAT " ms", ask_int(call, "first_audio_ms"));
    putchar('\n');
}

static void print_tools(const json_t *answer)
{
    size_t i;
    json_t *t;

    json_array_foreach(json_object_get(answer, "tools"), i, t)
    {
        if (i == 0)
            puts("tools");
        printf("  %-23s  %s %s", ask_time(t, "at"), ask_text(t, "name"), ask_text(t, "arguments"));
        if (json_is_number(json_object_get(t, "ms")))
            printf("  → %s  (%.0f ms)", ask_text(t, "output"),
                   json_number_value(json_object_get(t, "ms")));
        else
            printf("  → no answer");
        putchar('\n');
    }
}

/* What only Vapi knows, of a call that it had. */
static void print_vapi(const json_t *v)
{
    const char *route = ask_text(v, "route"), *ended = ask_text(v, "ended_reason");
    const json_t *latency = json_object_get(json_object_get(v, "metrics"), "turnLatencyAverage");

    if (!json_is_object(v))
        return;
    printf("vapi\n  %s  %s", ask_text(v, "vapi_id"), ask_text(v, "status"));
    if (ended[0])
        printf(": %s (%s)", ended, ask_text(v, "ended_class"));
    printf(", by %s, told by %s", route[0] ? route : "redirect", ask_text(v, "seen_by"));
    if (ask_int(v, "hangs") > 0)
        printf(", late with an answer %" JSON_INTEGER_FORMAT " times", ask_int(v, "hangs"));
    if (json_is_number(latency))
        printf(", turns of %.0f ms", json_number_value(latency));
    putchar('\n');
}

/* ---- remedies ---- */

/* Where a code of each list is explained. */
static const struct {
    const char *list, *member, *prefix;
} sources[] = {
    {"decisions", "reason", "call."},
    {"errors", "code", "openai."},
    {"alarms", "kind", ""},
};

enum { REMEDIES_MAX = 32 };

struct remedies {
    const char *codes[REMEDIES_MAX];
    size_t n;
};

/* Each code once. */
static void print_remedy(struct remedies *r, const char *code, const char *fix)
{
    if (!code[0] || !fix || !fix[0] || strcmp(fix, "nothing to do") == 0 || r->n == REMEDIES_MAX)
        return;
    for (size_t i = 0; i < r->n; i++)
        if (strcmp(r->codes[i], code) == 0)
            return;
    if (r->n == 0)
        puts("what to do");
    r->codes[r->n++] = code;
    printf("  %s: %s\n", code, fix);
}

/* What the fact itself advised, else what the catalogue knows of its code. */
static void print_remedies(const json_t *answer)
{
    const char *ended = ask_text(json_object_get(answer, "call"), "ended_reason");
    struct remedies r = {.n = 0};
    size_t i;
    json_t *e;

    for (size_t k = 0; k < sizeof(sources) / sizeof(sources[0]); k++) {
        json_array_foreach(json_object_get(answer, sources[k].list), i, e)
        {
            const char *code = ask_text(e, sources[k].member), *fix = ask_text(e, "fix");

            print_remedy(&r, code, fix[0] ? fix : catalogue_fix(sources[k].prefix, code));
        }
    }
    json_array_foreach(json_object_get(answer, "texts"), i, e)
    {
        const char *code = ask_text(e, "error_code"), *status = ask_text(e, "status");
        bool ours = strcmp(status, "canceled") == 0 || strcmp(status, "scheduled") == 0;

        print_remedy(&r, code, catalogue_fix(ours ? "not_texted." : "twilio.", code));
    }
    print_remedy(&r, ended, catalogue_fix("ended.", ended));
    ended = ask_text(json_object_get(answer, "vapi"), "ended_class");
    print_remedy(&r, ask_text(json_object_get(answer, "vapi"), "ended_reason"),
                 catalogue_fix("vapi.ended_", ended));
}

static int print_call(const json_t *answer)
{
    struct line *lines = calloc(LINES_MAX, sizeof(*lines));
    size_t n = lines ? collect(lines, answer) : 0;

    print_head(json_object_get(answer, "call"));
    for (size_t i = 0; i < n; i++)
        print_line(&lines[i]);
    free(lines);
    print_tools(answer);
    print_vapi(json_object_get(answer, "vapi"));
    cost_print(json_object_get(answer, "cost"));
    print_remedies(answer);
    return EXIT_OK;
}

/* ---- a number ---- */

static bool is_number(const char *z)
{
    size_t n = strlen(z);

    return n >= 3 && n <= 16 && z[0] == '+' && z[1] != '0' && strspn(z + 1, "0123456789") == n - 1;
}

static int explain_number(const struct settings *s, const char *number, const char *from, bool json)
{
    struct operate_opts o = {.settings = s, .command = "why", .kind = "why", .as_json = json};

    ask_tell_unshipped(s);
    return operate(
        &o, json_pack("{s:s, s:s*, s:s}", "number", number, "from", from, "force", s->force));
}

/* ---- the command ---- */

static int explain(const struct settings *s, const char *which, bool json)
{
    struct asking a;
    json_t *answer;
    int code = ask_open(&a, s, "why");

    if (code)
        return code;
    answer = ask_json(&a, "select why($1)", 1, &which);
    ask_close(&a);
    ask_tell_unshipped(s);
    if (!answer)
        return EXIT_FAILED;
    if (!json_is_true(json_object_get(answer, "found"))) {
        fprintf(stderr,
                "ringdown why: nothing is known about %s; ringdown calls --kept lists calls\n",
                which);
        code = EXIT_FAILED;
    } else if (json) {
        json_dumpf(answer, stdout, JSON_INDENT(2));
        putchar('\n');
    } else {
        code = print_call(answer);
    }
    json_decref(answer);
    return code;
}

int cmd_why(int argc, char **argv)
{
    const char *from = NULL;
    const struct option_value values[] = {{"from", &from}, {NULL, NULL}};
    struct options o = {.usage = usage, .values = values, .max_words = 1};
    struct settings *s = NULL;
    int code = EXIT_OK;

    if (!options_read(&o, argc, argv, &code))
        return code;
    if (o.n_words != 1) {
        fputs("ringdown why: which call? ringdown calls lists them\n", stderr);
        return EXIT_USAGE;
    }
    if (from && (!is_number(from) || !is_number(o.words[0]))) {
        fputs(
            "ringdown why: --from is a caller's number like +14155550100, of a call to a NUMBER\n",
            stderr);
        return EXIT_USAGE;
    }
    code = options_settings(&o, SETTINGS_CLIENT, &s);
    if (code)
        return code;
    code = is_number(o.words[0]) ? explain_number(s, o.words[0], from, o.json)
                                 : explain(s, o.words[0], o.json);
    settings_free(s);
    return code;
}
