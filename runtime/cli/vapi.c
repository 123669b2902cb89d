/* SPDX-License-Identifier: Apache-2.0 */
/* vapi.c - `ringdown vapi import`: calls of a time before come from Vapi into the database
 * (scripts/ringdown/vapi/import.lua). It needs no live node. */
#include "cli/commands.h"
#include "cli/wish.h"

#include <stdio.h>
#include <string.h>

static const char usage[] =
    "usage: ringdown vapi import [--since DAY] [--agent A] [--again] [--json] [--config FILE]\n\n"
    "Past calls, what was said in them and what they cost, from Vapi into the database: the "
    "newest\n"
    "first, back to DAY (2026-01-31). Whatever ends it, the same command goes on where it was;\n"
    "--again begins anew. What is there already is not taken twice. Calls are those of the agent\n"
    "whose number or assistant they had; --agent takes only that one's. Imported calls are shown\n"
    "like any other and are no evidence in a rollout.\n\n"
    "Exit code 1 when a call was not taken or Vapi did not answer, 2 for wrong arguments.\n";

static json_t *wish_of(const char *since, const char *agent, bool again)
{
    json_t *wish = json_object();

    wish_text(wish, "since", since);
    wish_text(wish, "agent", agent);
    wish_true(wish, "again", again);
    return wish;
}

int cmd_vapi(int argc, char **argv)
{
    const char *since = NULL, *agent = NULL;
    bool again = false;
    const struct option_value values[] = {{"since", &since}, {"agent", &agent}, {NULL, NULL}};
    const struct option_switch switches[] = {{"again", &again}, {NULL, NULL}};
    struct options o = {.usage = usage, .values = values, .switches = switches, .max_words = 1};
    struct operate_opts opts = {.command = "vapi", .kind = "vapi_import"};
    int code = EXIT_OK;

    if (!options_read(&o, argc, argv, &code))
        return code;
    if (o.n_words == 0 || strcmp(o.words[0], "import") != 0) {
        fputs("ringdown vapi: what? import; see: ringdown vapi --help\n", stderr);
        return EXIT_USAGE;
    }
    return wish_operate(&o, opts, wish_of(since, agent, again));
}
