/* SPDX-License-Identifier: Apache-2.0 */
/* drill.c - `ringdown drill`: a rule is rehearsed with the people it reaches.
 *
 * - the node is asked whom it would reach: that is printed, and agreed to
 * - the node begins; its events tell each step, until somebody answered or all were asked
 *
 * Failure modes: no node, no such agent or rule: said with the remedy, exit 1, nobody is asked. Not
 * agreed to: exit 2. The node goes meanwhile: said, exit 1; the audit has what is known. */
#include "base/now.h"
#include "cli/ask.h"
#include "cli/client.h"
#include "cli/commands.h"
#include "cli/options.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SLACK_MS = 120000, TURN_MS = 10000 };

static const char usage[] =
    "usage: ringdown drill AGENT RULE [--yes] [--json] [--config FILE]\n\n"
    "Rehearses an emergency rule with the people it would reach. They are texted and their phones "
    "ring,\n"
    "in the order of a real emergency; everything says that it is a drill. Whoever answers 1 or "
    "presses 1\n"
    "ends it. It prints whom it will ask and waits for a yes; --yes does not. It goes on when this "
    "command\n"
    "is interrupted. Exit code 1 when nobody answered or it did not work, 2 when nothing was "
    "tried.\n";

struct drill {
    const struct settings *settings;
    const char *agent, *rule;
    bool json;
    char id[64];
    uint64_t after; /* the number of the last event seen */
};

/* ---- asking the node ---- */

/* Owned by the caller; NULL after a complaint. */
static json_t *post(const struct drill *d, bool plan)
{
    json_t *wish = json_pack("{s:s, s:s, s:b}", "agent", d->agent, "rule", d->rule, "plan", plan);
    char *text = wish ? json_dumps(wish, JSON_COMPACT) : NULL;
    json_t *answer = NULL;
    char why[512] = "";
    struct buf body;
    int http;

    buf_init(&body, CLIENT_BODY_MAX);
    http = client_send(d->settings->data, "POST", "/api/v1/drills", rd_str(text ? text : "{}"),
                       &body, why, sizeof(why));
    if (http == 200 || http == 202)
        answer = json_loadb(body.data, body.n, 0, NULL);
    if (!answer) /* 404: the agent or the rule, and the body knows which were meant */
        client_complain("drill", http == 404 ? 400 : http, &body, why);
    buf_fini(&body);
    free(text);
    json_decref(wish);
    return answer;
}

/* ---- whom it will ask ---- */

static void print_people(const json_t *people)
{
    const json_t *person;
    size_t i;

    json_array_foreach(people, i, person)
        printf("%s%s (%s)", i ? ", " : "", ask_text(person, "name"), ask_text(person, "number"));
}

static void print_plan(const struct drill *d, const json_t *plan)
{
    const json_t *rung;
    char when[32];
    size_t i;

    printf("Drill of %s (%s) of %s. These people are texted, and their phones ring:\n", d->rule,
           ask_text(plan, "severity"), d->agent);
    json_array_foreach(json_object_get(plan, "rungs"), i, rung)
    {
        (void)snprintf(when, sizeof(when), "after %" JSON_INTEGER_FORMAT " s",
                       ask_int(rung, "after_s"));
        printf("  %-12s ", i ? when : "at once");
        print_people(json_object_get(rung, "people"));
        putchar('\n');
    }
    puts("Where the number has a site with people of its own, these are asked instead.");
    printf(
        "All of it says that it is a drill. The first who answers 1 or presses 1 ends it; nobody "
        "within %" JSON_INTEGER_FORMAT " s does, too.\n",
        ask_int(plan, "over_s"));
    fflush(stdout);
}

static bool agrees(void)
{
    char line[16] = "";

    if (!isatty(STDIN_FILENO)) {
        fputs("ringdown drill: nobody was asked; say --yes where nobody can answer\n", stderr);
        return false;
    }
    fputs("Go on? [y/N] ", stdout);
    fflush(stdout);
    if (fgets(line, sizeof(line), stdin) && (line[0] == 'y' || line[0] == 'Y'))
        return true;
    fputs("ringdown drill: nobody was asked\n", stderr);
    return false;
}

/* ---- as it goes ---- */

static const struct {
    const char *kind, *state, *sentence; /* with the person's name */
} steps[] = {
    {"text", "asked", "%s is texted"},
    {"text", "failed", "%s has no text"},
    {"text", "confirmed", "%s answered the text"},
    {"text", "refused", "%s answered no"},
    {"phone", "asked", "the phone of %s rings"},
    {"phone", "failed", "the phone of %s does not ring"},
    {"phone", "confirmed", "%s pressed 1"},
    {"phone", "refused", "%s pressed another key than 1"},
};

static void print_step(const json_t *event)
{
    const char *kind = ask_text(event, "kind"), *state = ask_text(event, "state");
    const char *detail = ask_text(event, "detail"), *at;

    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        if (strcmp(steps[i].kind, kind) != 0 || strcmp(steps[i].state, state) != 0)
            continue;
        at = strstr(steps[i].sentence, "%s");
        printf("  %3" JSON_INTEGER_FORMAT " s  %.*s%s (%s)%s%s%s\n",
               ask_int(event, "after_ms") / 1000, (int)(at - steps[i].sentence), steps[i].sentence,
               ask_text(event, "name"), ask_text(event, "number"), at + 2, detail[0] ? ": " : "",
               detail);
    }
    fflush(stdout);
}

static int print_end(const struct drill *d, const json_t *event)
{
    const char *state = ask_text(event, "state");
    bool confirmed = strcmp(state, "confirmed") == 0;
    double seconds = (double)ask_int(event, "after_ms") / 1000;

    if (d->json)
        return confirmed ? EXIT_OK : EXIT_FAILED;
    if (confirmed)
        printf("Confirmed by %s after %.1f s.\n", ask_text(event, "name"), seconds);
    else if (strcmp(state, "unanswered") == 0)
        fprintf(stderr,
                "ringdown drill: nobody answered within %.0f s; a real emergency would have been "
                "an alarm now. See that somebody hears their phone.\n",
                seconds);
    else
        fprintf(stderr, "ringdown drill: it failed: %s\n", ask_text(event, "detail"));
    return confirmed ? EXIT_OK : EXIT_FAILED;
}

/* One event; -1: it goes on, else the exit code. */
static int take(struct drill *d, const json_t *event)
{
    d->after = (uint64_t)ask_int(event, "event");
    if (strcmp(ask_text(event, "type"), "drill") != 0 ||
        strcmp(ask_text(event, "drill"), d->id) != 0)
        return -1;
    if (d->json) {
        json_dumpf(event, stdout, JSON_COMPACT);
        putchar('\n');
        fflush(stdout);
    }
    if (!json_object_get(event, "kind"))
        return print_end(d, event);
    if (!d->json)
        print_step(event);
    return -1;
}

/* -1: it goes on, else the exit code. */
static int look(struct drill *d)
{
    char target[96], why[512] = "";
    json_t *events = NULL, *event;
    struct buf body;
    int code = -1;
    size_t i;

    (void)snprintf(target, sizeof(target), "/api/v1/events?after=%" PRIu64 "&wait_ms=%d", d->after,
                   TURN_MS);
    buf_init(&body, CLIENT_BODY_MAX);
    if (client_request(d->settings->data, "GET", target, &body, why, sizeof(why)) == 200)
        events = json_loadb(body.data, body.n, 0, NULL);
    buf_fini(&body);
    if (!events) {
        fputs("ringdown drill: the node has gone, and the drill with it; start it and begin anew\n",
              stderr);
        return EXIT_FAILED;
    }
    json_array_foreach(events, i, event)
    {
        code = take(d, event);
        if (code >= 0)
            break;
    }
    json_decref(events);
    return code;
}

static int follow(struct drill *d, uint64_t over_ms)
{
    uint64_t until = monotonic_ms() + over_ms + SLACK_MS;
    int code = -1;

    while (code < 0 && monotonic_ms() < until)
        code = look(d);
    if (code >= 0)
        return code;
    fputs("ringdown drill: its end was not told; the log of the node says why\n", stderr);
    return EXIT_FAILED;
}

/* ---- the command ---- */

static int run(struct drill *d)
{
    json_t *answer = post(d, false);
    uint64_t over_ms;

    if (!answer)
        return EXIT_FAILED;
    over_ms = (uint64_t)ask_int(answer, "over_s") * 1000;
    d->after = (uint64_t)ask_int(answer, "after");
    (void)rd_str_copy(d->id, sizeof(d->id), rd_str(ask_text(answer, "drill")));
    json_decref(answer);
    return follow(d, over_ms);
}

static int drill(struct drill *d, bool yes)
{
    json_t *plan = post(d, true);

    if (!plan)
        return EXIT_FAILED;
    if (!d->json)
        print_plan(d, plan);
    json_decref(plan);
    return yes || agrees() ? run(d) : EXIT_USAGE;
}

int cmd_drill(int argc, char **argv)
{
    struct drill d = {0};
    bool yes = false;
    const struct option_switch switches[] = {{"yes", &yes}, {NULL, NULL}};
    struct options o = {.usage = usage, .switches = switches, .max_words = 2};
    struct settings *s = NULL;
    int code = EXIT_OK;

    if (!options_read(&o, argc, argv, &code))
        return code;
    if (o.n_words != 2) {
        fputs("ringdown drill: which rule of which agent? ringdown agents show AGENT lists its "
              "rules\n",
              stderr);
        return EXIT_USAGE;
    }
    code = options_settings(&o, SETTINGS_CLIENT, &s);
    if (code)
        return code;
    d = (struct drill){.settings = s, .agent = o.words[0], .rule = o.words[1], .json = o.json};
    code = drill(&d, yes);
    settings_free(s);
    return code;
}
