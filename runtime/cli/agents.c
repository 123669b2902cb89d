/* SPDX-License-Identifier: Apache-2.0 */
/* agents.c - `ringdown agents VERB`: arguments, and who does it. */
#include "cli/agents.h"

#include "base/nearest.h"
#include "cli/commands.h"

#include <stdio.h>
#include <string.h>

static const char usage[] =
    "usage: ringdown agents list                      who answers, in which version, on how many "
    "calls\n"
    "       ringdown agents show AGENT                its prompt, tools, people, rules and limits\n"
    "       ringdown agents check                     every mistake in the folder, with its line\n"
    "       ringdown agents reload                    have the node look at once, and say what "
    "came of it\n"
    "       ringdown agents diff [AGENT] [RELEASE]    the folder against the current (or a) "
    "release\n"
    "       ringdown agents publish [--note TEXT] [--replay N [--yes] "
    "[--accept-lost-emergencies]]\n"
    "                                                 make the folder the current release\n"
    "       ringdown agents history                   releases, newest first\n"
    "       ringdown agents restore WHICH [--write]   have an old one again\n\n"
    "list, show and reload ask the node that serves this data folder; the others need no node.\n"
    "Nodes with agents.source = \"database\" follow the current release within a second; calls in\n"
    "progress keep theirs. WHICH is the number of a release, the version of an agent (only its\n"
    "files change then), or the beginning (17 digits) of a tree's hash. With agents.source =\n"
    "\"folder\", restore shows what would change, and writes the files with --write.\n"
    "--replay runs the last N calls of each agent on the folder first: when one differs, "
    "publishing\n"
    "needs --yes; when an emergency is not found any more, it is refused.\n"
    "--json prints what programs want to know. Exit code 1 when it did not work.\n";

static const struct verb {
    const char *name;
    int (*run)(const struct agents_order *o); /* NULL: check */
    int least, most;                          /* words behind it */
} verbs[] = {
    {"list", agents_list, 0, 0},
    {"show", agents_show, 1, 1},
    {"check", NULL, 0, 0},
    {"reload", agents_reload, 0, 0},
    {"diff", agents_diff, 0, 2},
    {"publish", agents_publish, 0, 0},
    {"restore", agents_restore, 1, 1},
    {"history", agents_history, 0, 0},
};

enum { VERBS = sizeof(verbs) / sizeof(verbs[0]) };

static const struct verb *find(const char *name)
{
    struct nearest near;

    nearest_init(&near, name);
    for (size_t i = 0; i < VERBS; i++) {
        if (strcmp(verbs[i].name, name) == 0)
            return &verbs[i];
        nearest_offer(&near, verbs[i].name);
    }
    if (near.best)
        fprintf(stderr, "ringdown agents: cannot \"%s\"; did you mean %s?\n", name, near.best);
    else
        fprintf(stderr, "ringdown agents: cannot \"%s\"; see: ringdown agents --help\n", name);
    return NULL;
}

static bool words_fit(const struct verb *v, const struct options *o)
{
    int n = o->n_words - 1;

    if (n >= v->least && n <= v->most)
        return true;
    if (n < v->least)
        fprintf(stderr, "ringdown agents %s: say which; see: ringdown agents --help\n", v->name);
    else
        fprintf(stderr, "ringdown agents %s: does not know what to do with \"%s\"\n", v->name,
                o->words[1 + v->most]);
    return false;
}

static int check(const struct options *o)
{
    char *argv[] = {"check", "--agents", "--config", (char *)(uintptr_t)o->config, NULL};

    return cmd_check(o->config ? 4 : 2, argv);
}

int cmd_agents(int argc, char **argv)
{
    struct agents_order order = {0};
    const struct option_switch switches[] = {{"write", &order.write},
                                             {"yes", &order.yes},
                                             {"accept-lost-emergencies", &order.accept_lost},
                                             {NULL, NULL}};
    const struct option_value values[] = {
        {"note", &order.note}, {"replay", &order.replay}, {NULL, NULL}};
    struct options o = {.usage = usage, .switches = switches, .values = values, .max_words = 3};
    const struct verb *v;
    struct settings *s = NULL;
    int code = EXIT_OK;

    if (!options_read(&o, argc, argv, &code))
        return code;
    v = find(o.n_words > 0 ? o.words[0] : "list");
    if (!v || (o.n_words > 0 && !words_fit(v, &o)))
        return EXIT_USAGE;
    if (!v->run)
        return check(&o);
    code = options_settings(&o, SETTINGS_CLIENT, &s);
    if (code == EXIT_OK) {
        order.settings = s;
        order.verb = v->name;
        order.json = o.json;
        order.word = o.n_words > 1 ? o.words[1] : NULL;
        order.other = o.n_words > 2 ? o.words[2] : NULL;
        code = v->run(&order);
    }
    settings_free(s);
    return code;
}
