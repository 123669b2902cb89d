/* SPDX-License-Identifier: Apache-2.0 */
/* agents_live.c - what the node that runs here says of its agents.
 *
 * Failure modes: no node, no such agent, a reload that took nothing: said with the remedy, exit 1.
 * What the node says is shown without what a terminal would obey. */
#include "base/buf.h"
#include "base/now.h"
#include "cli/agents.h"
#include "cli/ask.h"
#include "cli/client.h"
#include "cli/commands.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { RELOAD_WAIT_MS = 60000 };

/* ---- asking ---- */

static bool ask(const struct agents_order *o, const char *method, const char *target,
                struct buf *body, int *http)
{
    char why[512] = "", command[48];

    snprintf(command, sizeof(command), "agents %s", o->verb);
    *http = client_request(o->settings->data, method, target, body, why, sizeof(why));
    if (*http == 200 || *http == 202)
        return true;
    if (*http != 404)
        client_complain(command, *http, body, why);
    return false;
}

static json_t *read_answer(const struct agents_order *o, const struct buf *body)
{
    json_t *v = body->n ? json_loadb(body->data, body->n, 0, NULL) : NULL;

    if (!json_is_object(v)) {
        fprintf(stderr,
                "ringdown agents %s: the node's answer cannot be read; are both of one "
                "version?\n",
                o->verb);
        json_decref(v);
        return NULL;
    }
    return v;
}

/* ---- showing ---- */

/* Lines get an indent; control characters become spaces. */
static void print_text(const char *text, const char *indent)
{
    bool begins = true;

    for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
        if (begins)
            fputs(indent, stdout);
        begins = *p == '\n';
        putchar(*p == '\n' || (*p >= 0x20 && *p != 0x7f && *p != 0xC2) ? *p
                : *p == 0xC2 && p[1] >= 0xA0                           ? *p
                                                                       : ' ');
    }
    if (!begins)
        putchar('\n');
}

static void print_list(const json_t *list)
{
    const json_t *v;
    size_t i;

    json_array_foreach(list, i, v) printf(" %s", json_string_value(v) ? json_string_value(v) : "");
}

static void print_since(json_int_t unix_s)
{
    time_t t = (time_t)unix_s;
    struct tm tm;
    char text[32] = "";

    if (localtime_r(&t, &tm))
        (void)strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm);
    printf("since %s", text);
}

static void print_calls(json_int_t n)
{
    printf("%lld call%s", (long long)n, n == 1 ? "" : "s");
}

static void print_errors(const json_t *v)
{
    const json_t *e;
    size_t i;

    json_array_foreach(json_object_get(v, "errors"), i, e)
    {
        const char *version = ask_text(e, "version");

        printf("%s is not loaded: %s%s\n", ask_text(e, "module"),
               version[0] ? "its version from before answers meanwhile, " : "nobody answers for it",
               version);
        print_text(ask_text(e, "why"), "    ");
    }
}

static void print_head(const json_t *v)
{
    bool folder = strcmp(ask_text(v, "source"), "folder") == 0;

    if (folder)
        printf("from the folder%s", json_is_true(json_object_get(v, "watching"))
                                        ? ", watched: a change is taken at once\n"
                                        : ": a change is taken by ringdown agents reload\n");
    else if (ask_int(v, "release"))
        printf("release %lld\n", (long long)ask_int(v, "release"));
    else
        puts("nothing was published yet: ringdown agents publish");
}

static void print_agents(const json_t *v)
{
    const json_t *a, *b;
    size_t i, k;

    json_array_foreach(json_object_get(v, "agents"), i, a)
    {
        printf("%-24s version %s  ", ask_text(a, "name"), ask_text(a, "version"));
        print_calls(ask_int(a, "calls"));
        printf("  ");
        print_since(ask_int(a, "since_unix_s"));
        print_list(json_object_get(a, "numbers"));
        putchar('\n');
        json_array_foreach(json_object_get(v, "older"), k, b)
        {
            if (strcmp(ask_text(b, "name"), ask_text(a, "name")) != 0)
                continue;
            printf("%-24s version %s  ", "  still", ask_text(b, "version"));
            print_calls(ask_int(b, "calls"));
            putchar('\n');
        }
    }
    if (json_array_size(json_object_get(v, "agents")) == 0)
        puts("no agents: calls get the fallback");
}

int agents_list(const struct agents_order *o)
{
    struct buf body;
    json_t *v = NULL;
    int http, code = EXIT_FAILED;

    buf_init(&body, CLIENT_BODY_MAX);
    if (ask(o, "GET", "/api/v1/agents", &body, &http))
        v = read_answer(o, &body);
    if (v && o->json) {
        printf("%.*s\n", (int)body.n, body.data);
        code = EXIT_OK;
    } else if (v) {
        print_head(v);
        print_agents(v);
        print_errors(v);
        code = EXIT_OK;
    }
    json_decref(v);
    buf_fini(&body);
    return code;
}

/* ---- one agent ---- */

static void print_line(const json_t *v, const char *key, const char *label)
{
    if (ask_text(v, key)[0]) {
        printf("%-12s ", label);
        print_text(ask_text(v, key), "");
    }
}

static void print_names(const json_t *v, const char *key, const char *label)
{
    const json_t *list = json_object_get(v, key);

    if (json_array_size(list) == 0)
        return;
    printf("%-12s", label);
    print_list(list);
    putchar('\n');
}

static void print_tools(const json_t *v)
{
    const json_t *t;
    size_t i;

    json_array_foreach(json_object_get(v, "tools"), i, t)
    {
        printf("%-12s %s (%s, %lld s):", i ? "" : "tools", ask_text(t, "name"),
               ask_text(t, "effect"), (long long)ask_int(t, "timeout_ms") / 1000);
        print_list(json_object_get(t, "args"));
        printf("\n%-12s   ", "");
        print_text(ask_text(t, "about"), "");
    }
}

static void print_people(const json_t *v)
{
    const json_t *list;
    const char *name;

    json_object_foreach(json_object_get(v, "people"), name, list)
    {
        printf("%-12s %s", "people", name);
        print_list(list);
        putchar('\n');
    }
}

static void print_rules(const json_t *v)
{
    const json_t *rule;
    size_t i;

    json_array_foreach(json_object_get(v, "emergencies"), i, rule)
        printf("%-12s %s (%s)%s%s\n", i ? "" : "emergencies", ask_text(rule, "id"),
               ask_text(rule, "severity"), ask_text(rule, "transfer")[0] ? ", to " : "",
               ask_text(rule, "transfer"));
}

static void print_limits(const json_t *v)
{
    const json_t *limits = json_object_get(v, "limits");

    printf("%-12s", "limits");
    if (ask_int(limits, "calls"))
        printf(" %lld calls at once,", (long long)ask_int(limits, "calls"));
    printf(" %lld min per call\n", (long long)ask_int(limits, "max_call_ms") / 60000);
}

static void print_agent(const json_t *v)
{
    printf("%s\n", ask_text(v, "name"));
    print_names(v, "numbers", "numbers");
    print_names(v, "languages", "languages");
    print_line(v, "time_zone", "time zone");
    print_line(v, "hours", "hours");
    print_line(v, "routes", "goes to");
    print_line(v, "model", "model");
    print_line(v, "voice", "voice");
    print_line(v, "opening", "opening");
    print_tools(v);
    print_names(v, "hooks", "hooks");
    print_rules(v);
    print_people(v);
    print_limits(v);
    puts("prompt, as a caller from +13125550142 would have it:");
    print_text(ask_text(v, "prompt"), "    ");
}

int agents_show(const struct agents_order *o)
{
    char target[160];
    struct buf body;
    json_t *v = NULL;
    int http, code = EXIT_FAILED;

    for (const char *p = o->word; *p; p++) {
        if (!isalnum((unsigned char)*p) && !strchr("-_", *p)) {
            fprintf(stderr, "ringdown agents show: \"%s\" is no agent's name\n", o->word);
            return EXIT_USAGE;
        }
    }
    snprintf(target, sizeof(target), "/api/v1/agents/%.100s", o->word);
    buf_init(&body, CLIENT_BODY_MAX);
    if (ask(o, "GET", target, &body, &http))
        v = read_answer(o, &body);
    else if (http == 404)
        fprintf(stderr, "ringdown agents show: no agent %s is loaded; see: ringdown agents list\n",
                o->word);
    if (v) {
        code = EXIT_OK;
        if (o->json)
            printf("%.*s\n", (int)body.n, body.data);
        else
            print_agent(v);
    }
    json_decref(v);
    buf_fini(&body);
    return code;
}

/* ---- reload ---- */

static void print_changes(const json_t *v)
{
    const json_t *c;
    size_t i;

    json_array_foreach(json_object_get(v, "changed"), i, c)
    {
        const char *before = ask_text(c, "before"), *after = ask_text(c, "after");

        if (!after[0])
            printf("%s is gone: its number is nobody's now\n", ask_text(c, "agent"));
        else if (!before[0])
            printf("%s is new: version %s answers from the next call on\n", ask_text(c, "agent"),
                   after);
        else
            printf("%s: version %s answers from the next call on (before: %s)\n",
                   ask_text(c, "agent"), after, before);
    }
    if (i == 0 && json_is_true(json_object_get(v, "taken")))
        puts("nothing changed");
}

/* Until it is done; 202: not yet. */
static bool wait_for(const struct agents_order *o, json_int_t number, struct buf *body)
{
    uint64_t until_ms = monotonic_ms() + RELOAD_WAIT_MS;
    char target[64];
    int http = 202;

    snprintf(target, sizeof(target), "/api/v1/reloads/%lld", (long long)number);
    while (http == 202 && monotonic_ms() < until_ms) {
        struct timespec pause = {.tv_nsec = 20000000};

        buf_clear(body);
        if (!ask(o, "GET", target, body, &http))
            return false;
        if (http == 202)
            (void)nanosleep(&pause, NULL);
    }
    if (http == 202)
        fputs("ringdown agents reload: the agents are still being read; the log may say why\n",
              stderr);
    return http == 200;
}

static int tell_reload(const struct agents_order *o, const struct buf *body)
{
    json_t *v = read_answer(o, body);
    bool good;

    if (!v)
        return EXIT_FAILED;
    good = json_is_true(json_object_get(v, "taken")) &&
           json_array_size(json_object_get(v, "errors")) == 0;
    if (o->json) {
        printf("%.*s\n", (int)body->n, body->data);
    } else {
        print_changes(v);
        print_errors(v);
        if (ask_text(v, "why")[0])
            printf("nothing was taken: %s\n", ask_text(v, "why"));
    }
    json_decref(v);
    return good ? EXIT_OK : EXIT_FAILED;
}

int agents_reload(const struct agents_order *o)
{
    struct buf body;
    json_t *v = NULL;
    int http, code = EXIT_FAILED;

    buf_init(&body, CLIENT_BODY_MAX);
    if (ask(o, "POST", "/api/v1/reloads", &body, &http))
        v = read_answer(o, &body);
    if (v && wait_for(o, ask_int(v, "reload"), &body))
        code = tell_reload(o, &body);
    json_decref(v);
    buf_fini(&body);
    return code;
}
