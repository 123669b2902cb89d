/* SPDX-License-Identifier: Apache-2.0 */
/* numbers.c - `ringdown numbers`: which agent answers a number, and at which site. Where Twilio sends the
 * number is the other half: numbers_change.c.
 *
 * It works with a live node and without one; a live one takes the change over at once, others within
 * seconds. Each change is one row of the audit. */
#include "cli/numbers.h"
#include "agent/agents.h"
#include "cli/client.h"
#include "cli/commands.h"
#include "cli/options.h"
#include "cli/sites.h"

#include <ctype.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char numbers_usage[] =
    "usage: ringdown numbers list                                 which agent answers a number\n"
    "       ringdown numbers assign NUMBER [--agent A] [--site S]\n"
    "       ringdown numbers unassign NUMBER\n"
    "       ringdown numbers import FILE.csv                      lines of number,agent,site\n"
    "       ringdown numbers sync                                 looks at Twilio and Vapi\n"
    "       ringdown numbers show NUMBER...\n"
    "       ringdown numbers switch WHICH --to ringdown|vapi [--texts] [--dry-run] [--wave N]\n"
    "                               [--pause SECONDS] [--max-failures N] [--reason TEXT]\n"
    "       ringdown numbers verify WHICH [--call [--from NUMBER]]\n"
    "       ringdown numbers drift\n"
    "       ringdown numbers snapshot WHICH [--script FILE] [--now]\n"
    "       ringdown numbers restore NUMBER...|RUN|--all [--first] [--dry-run]\n"
    "       ringdown numbers runs\n"
    "       ringdown numbers switch|restore --resume RUN\n"
    "WHICH: NUMBER..., --agent A, --file FILE or --all; each also [--json] [--config FILE]\n\n"
    "list, assign, unassign and import are about which agent answers, and as which site: an\n"
    "assignment goes before the `numbers` in agents' files, --agent may be left out when only one\n"
    "is there. Twilio is not touched by them.\n\n"
    "The others are about where Twilio sends a number. switch checks (the agent, its assistant at\n"
    "Vapi), keeps how the number was, writes, and reads back; Vapi stays the safety net. --texts\n"
    "moves its texts as well. Whatever ends it, --resume goes on; restore takes back the last\n"
    "change, with --first all of them. verify --call places a real call and says who answered.\n"
    "snapshot --script writes a way back that needs nothing but a shell and curl: to before we\n"
    "came, with --now to how they are.\n\n"
    "Exit code 1 when a number is not as it should be, 2 for wrong arguments.\n";

enum { LOOKS = 30, LOOK_US = 100000 };

/* ---- in common with sites ---- */

const char *sites_who(void)
{
    static char who[80];
    const struct passwd *p = getpwuid(getuid());

    (void)snprintf(who, sizeof(who), "ringdown by %.48s", p ? p->pw_name : "somebody");
    return who;
}

static struct agent_set *load(const struct settings *s)
{
    struct agent_set *set = NULL;
    struct buf complaints;

    buf_init(&complaints, 1 << 20);
    if (agent_set_load(&set, s->agents_path, s->library_path, &complaints))
        set = NULL;
    buf_fini(&complaints);
    return set;
}

char *sites_only_agent(const struct settings *s, const char *command)
{
    struct agent_set *set = load(s);
    size_t n = set ? agent_set_count(set) : 0, n_broken = set ? agent_set_errors(set) : 0;
    char *name = n == 1 && !n_broken ? strdup(agent_set_at(set, 0)->name) : NULL;

    agent_set_unref(set);
    if (!name && n + n_broken == 0)
        fprintf(stderr,
                "ringdown %s: for which agent? There is none in %s: ringdown new agent NAME makes "
                "one, RINGDOWN_AGENTS or agents.path names another folder\n",
                command, s->agents_path);
    else if (!name)
        fprintf(stderr, "ringdown %s: for which agent? Say --agent NAME: %s has %zu%s\n", command,
                s->agents_path, n + n_broken,
                n_broken ? ", and not all of them load: ringdown check tells why" : "");
    return name;
}

static bool sites_agent_loads(const struct settings *s, const char *agent)
{
    struct agent_set *set = load(s);
    bool loads = set && agent_by_name(set, rd_str(agent));

    agent_set_unref(set);
    return loads;
}

bool sites_countries(const struct settings *s, const char *agent, char **out)
{
    struct agent_set *set = load(s);
    const struct agent_info *a = set ? agent_by_name(set, rd_str(agent)) : NULL;
    bool loads = a != NULL;

    *out = loads && a->countries ? strdup(a->countries) : NULL;
    agent_set_unref(set);
    return loads;
}

static json_int_t wanted_version(struct asking *a)
{
    json_t *v = ask_json(a, "select to_json(version) from numbers_version", 0, NULL);
    json_int_t version = json_integer_value(v);

    json_decref(v);
    return version;
}

/* How far the node has come; -1: no node runs on this data folder. */
static json_int_t node_version(const struct settings *s)
{
    struct buf body;
    char why[512];
    json_t *v = NULL;
    json_int_t version = -1;

    buf_init(&body, CLIENT_BODY_MAX);
    if (client_request(s->data, "POST", "/api/v1/numbers/refresh", &body, why, sizeof(why)) == 202)
        v = json_loadb(body.data, body.n, 0, NULL);
    if (v)
        version = ask_int(v, "version");
    json_decref(v);
    buf_fini(&body);
    return version;
}

void sites_tell_node(struct asking *a, const struct settings *s)
{
    json_int_t wanted = wanted_version(a), has = node_version(s);

    for (int i = 0; has >= 0 && has < wanted && i < LOOKS; i++) {
        usleep(LOOK_US);
        has = node_version(s);
    }
    if (has < 0)
        puts("No node runs on this data folder; others follow within a few seconds.");
    else if (has < wanted)
        puts("The node here has not taken it over yet; it will within a few seconds (ringdown "
             "status tells when its database is away).");
    else
        puts("The node here knows; others follow within a few seconds.");
}

/* ---- list ---- */

static const char list_sql[] =
    "select coalesce(jsonb_agg(jsonb_build_object('number', number, 'agent', agent, 'site', "
    "coalesce(site, 'default'), 'goes_to', goes_to, 'updated_at', updated_at, 'updated_by', "
    "updated_by) order by number), '[]') from phone_numbers";

static int list(struct asking *a, bool json)
{
    json_t *numbers = ask_json(a, list_sql, 0, NULL), *n;
    size_t i;

    if (!numbers)
        return EXIT_FAILED;
    if (json) {
        json_dumpf(numbers, stdout, JSON_INDENT(2));
        putchar('\n');
    } else if (json_array_size(numbers) == 0) {
        puts("No number is assigned: agents answer the `numbers` of their files.");
    }
    json_array_foreach(numbers, i, n)
    {
        if (!json)
            printf("%-16s  %-24s  %-20s  %s\n", ask_text(n, "number"), ask_text(n, "agent"),
                   ask_text(n, "site"), ask_text(n, "updated_by"));
    }
    json_decref(numbers);
    return EXIT_OK;
}

/* ---- assign, unassign ---- */

struct order {
    const char *number, *agent, *site; /* agent NULL: unassign */
};

static bool is_number(const char *z)
{
    size_t n = strlen(z);

    if (n < 8 || n > 16 || z[0] != '+' || z[1] == '0')
        return false;
    for (size_t i = 1; i < n; i++)
        if (!isdigit((unsigned char)z[i]))
            return false;
    return true;
}

/* EXIT_OK, or a complaint: the site must have been imported. */
static int check_site(struct asking *a, const struct order *o)
{
    static const char sql[] = "select to_json(coalesce(string_agg(site, ', ' order by site), '')) "
                              "from sites where agent = $1 and ($2::text is null or site = $2)";
    json_t *there = ask_json(a, sql, 2, (const char *const[]){o->agent, o->site}), *all;

    if (!there)
        return EXIT_FAILED;
    if (json_string_length(there) > 0) {
        json_decref(there);
        return EXIT_OK;
    }
    json_decref(there);
    all = ask_json(a, sql, 2, (const char *const[]){o->agent, NULL});
    fprintf(stderr,
            "ringdown numbers: agent %s has no site '%s'; import it first: ringdown sites "
            "import FILE.lua --agent %s (there are: %s)\n",
            o->agent, o->site, o->agent, json_string_length(all) ? json_string_value(all) : "none");
    json_decref(all);
    return EXIT_FAILED;
}

static void say_changed(const struct order *o, bool changed)
{
    if (o->agent)
        printf("%s: the next call is answered by %s, site %s.%s\n", o->number, o->agent,
               o->site ? o->site : "default", changed ? "" : " (It was so before.)");
    else
        printf("%s: %s; the next call goes to the agent whose file has this number, or to the only "
               "one.\n",
               o->number, changed ? "no longer assigned" : "was not assigned");
}

static int put(struct asking *a, const struct settings *s, const struct order *o, bool json)
{
    const char *const params[] = {o->number, o->agent, o->site, sites_who()};
    json_t *changed;
    int code = o->site ? check_site(a, o) : EXIT_OK;

    if (!code && o->site && !sites_people_allowed(a, s, o->agent, o->site))
        code = EXIT_FAILED;
    if (code)
        return code;
    changed = ask_json(a, "select to_json(number_put($1, $2, $3, $4))", 4, params);
    if (!changed)
        return EXIT_FAILED;
    if (json) {
        printf("{\"number\":\"%s\",\"changed\":%s}\n", o->number,
               json_is_true(changed) ? "true" : "false");
        (void)node_version(s); /* it looks now */
    } else {
        say_changed(o, json_is_true(changed));
        if (o->agent && !sites_agent_loads(s, o->agent))
            fprintf(stderr,
                    "note: no agent %s loads from %s; until one does, callers get the fallback\n",
                    o->agent, s->agents_path);
        sites_tell_node(a, s);
    }
    json_decref(changed);
    return EXIT_OK;
}

/* Is it about assignments, or about nothing in particular? */
static bool is_here(int argc, char **argv)
{
    static const char *const here[] = {"list", "assign", "unassign", "--help", "-h"};
    bool found = argc < 2;

    for (int i = 1; i < argc && !found; i++)
        for (size_t k = 0; k < sizeof(here) / sizeof(here[0]); k++)
            found = found || strcmp(argv[i], here[k]) == 0;
    return found;
}

static int complain_usage(void)
{
    fputs("ringdown numbers: list, assign NUMBER --agent A [--site S], or unassign NUMBER (like "
          "+13125550100); see: ringdown numbers --help\n",
          stderr);
    return EXIT_USAGE;
}

static int run(const struct options *o, const struct settings *s, struct order *order)
{
    bool assigns = strcmp(o->words[0], "assign") == 0;
    struct asking a;
    char *only = NULL;
    int code;

    if (assigns && !order->agent) {
        order->agent = only = sites_only_agent(s, "numbers");
        if (!only)
            return EXIT_USAGE;
    }
    code = ask_open(&a, s, "numbers");
    if (!code)
        code = o->n_words == 1 ? list(&a, o->json) : put(&a, s, order, o->json);
    ask_close(&a);
    free(only);
    return code;
}

static bool understood(const struct options *o, const struct order *order)
{
    const char *verb = o->n_words ? o->words[0] : "";

    if (strcmp(verb, "list") == 0)
        return o->n_words == 1 && !order->agent && !order->site;
    if (o->n_words != 2 || !is_number(o->words[1]))
        return false;
    return strcmp(verb, "assign") == 0 ||
           (strcmp(verb, "unassign") == 0 && !order->agent && !order->site);
}

int cmd_numbers(int argc, char **argv)
{
    struct order order = {0};
    const struct option_value values[] = {
        {"agent", &order.agent}, {"site", &order.site}, {NULL, NULL}};
    struct options o = {.usage = numbers_usage, .values = values, .max_words = 2};
    struct settings *s = NULL;
    int code = EXIT_OK;

    if (!is_here(argc, argv))
        return numbers_change(argc, argv);
    if (!options_read(&o, argc, argv, &code))
        return code;
    if (!understood(&o, &order))
        return complain_usage();
    order.number = o.n_words > 1 ? o.words[1] : NULL;
    code = options_settings(&o, SETTINGS_CLIENT, &s);
    if (code)
        return code;
    code = run(&o, s, &order);
    settings_free(s);
    return code;
}
