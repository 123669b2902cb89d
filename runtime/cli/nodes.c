/* SPDX-License-Identifier: Apache-2.0 */
/* nodes.c - `ringdown nodes`: which processes share this database, which of them leads, what they
 * run, and what those that are gone left open.
 *
 *   NODE  STATE    SEEN  STARTED (UTC)        CALLS  AGENTS        VERSION  WHERE
 *   east  live  *   2 s  2026-11-27 09:28:35     12  263225e494a9  0.1.0    east-1, pid 811
 *   west  lost     94 s  …                       west-1, pid 790; 3 calls left open
 *
 * - nodes that run different agents, or died: said below, with what to do */
#include "cli/ask.h"
#include "cli/commands.h"
#include "cli/options.h"
#include "observe/catalogue.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const char usage[] =
    "usage: ringdown nodes [--json] [--config FILE]\n\n"
    "Lists the processes of the last day that share this database: live, draining (it keeps its\n"
    "calls and takes no new ones), stopped, or lost (not seen for a minute). Reads PostgreSQL;\n"
    "works without a live node.\n";

static const char nodes_sql[] = "select nodes_shown()";

static bool is_state(const json_t *node, const char *state)
{
    return strcmp(ask_text(node, "state"), state) == 0;
}

static void print_node(const json_t *n)
{
    bool leads = json_is_true(json_object_get(n, "leader"));
    json_int_t left = ask_int(n, "left_open");

    printf("%-20s  %-8s%s  %7" JSON_INTEGER_FORMAT " s  %-19.19s  %5" JSON_INTEGER_FORMAT
           "  %-12.12s  %-8s  %s, pid %" JSON_INTEGER_FORMAT,
           ask_text(n, "node"), ask_text(n, "state"), leads ? " *" : "  ", ask_int(n, "seen_s"),
           ask_time(n, "started_at"), ask_int(n, "calls"), ask_text(n, "agents"),
           ask_text(n, "version"), ask_text(n, "host"), ask_int(n, "pid"));
    if (left > 0)
        printf("; %" JSON_INTEGER_FORMAT " call%s left open", left, left == 1 ? "" : "s");
    putchar('\n');
}

/* Of processes that take new calls. */
static bool do_differ(const json_t *list)
{
    const char *first = NULL;
    bool differ = false;
    size_t i;
    json_t *n;

    json_array_foreach(list, i, n)
    {
        const char *agents = ask_text(n, "agents");

        if (!is_state(n, "live") || !agents[0])
            continue;
        differ = differ || (first && strcmp(first, agents) != 0);
        first = agents;
    }
    return differ;
}

static void print_nodes(const json_t *list)
{
    bool lost = false;
    size_t i;
    json_t *n;

    if (json_array_size(list) == 0) {
        puts("No node has told of itself yet: ringdown serve begins one.");
        return;
    }
    printf("%-20s  %-10s  %9s  %-19s  %5s  %-12s  %-8s  %s\n", "NODE", "STATE", "SEEN",
           "STARTED (UTC)", "CALLS", "AGENTS", "VERSION", "WHERE");
    json_array_foreach(list, i, n)
    {
        print_node(n);
        lost = lost || is_state(n, "lost");
    }
    puts("* leads: it alone looks after what nodes that died left open");
    if (do_differ(list))
        printf("\nThey run different agents: %s\n", catalogue_fix("nodes.", "differ"));
    if (lost)
        printf("\nlost: %s\n", catalogue_fix("node.", "lost"));
}

int cmd_nodes(int argc, char **argv)
{
    struct options o = {.usage = usage};
    struct settings *s = NULL;
    struct asking a;
    json_t *list;
    int code = EXIT_OK;

    if (!options_read(&o, argc, argv, &code))
        return code;
    code = options_settings(&o, SETTINGS_CLIENT, &s);
    if (code)
        return code;
    code = ask_open(&a, s, "nodes");
    if (code == EXIT_OK) {
        list = ask_json(&a, nodes_sql, 0, NULL);
        code = list ? EXIT_OK : EXIT_FAILED;
        ask_close(&a);
        if (list && o.json) {
            json_dumpf(list, stdout, JSON_COMPACT);
            putchar('\n');
        } else if (list) {
            print_nodes(list);
        }
        json_decref(list);
    }
    settings_free(s);
    return code;
}
