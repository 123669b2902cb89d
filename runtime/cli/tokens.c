/* SPDX-License-Identifier: Apache-2.0 */
/* tokens.c - `ringdown tokens`: who may use the admin API. Here are only arguments: what is done and said
 * is scripts/ringdown/api/tokens.lua. No live node is needed; nodes ask the database at each request. */
#include "cli/commands.h"
#include "cli/wish.h"

#include <stdio.h>

static const char usage[] =
    "usage: ringdown tokens create NAME --role viewer|operator|admin [--agents A,B]\n"
    "                              [--expires 90d|never] [--personal]\n"
    "       ringdown tokens list [--all]        with --all also those that are over\n"
    "       ringdown tokens revoke NAME|ID      its next request is refused\n"
    "       ringdown tokens link NAME|ID        opens the stream of events once, within a minute\n"
    "each also [--json] [--config FILE]\n\n"
    "A token opens the admin API (docs/api.md): a viewer looks, an operator acts, an admin also "
    "makes\n"
    "tokens. With --agents it knows of no other agents. Viewers see numbers, names and what was "
    "said\n"
    "masked, unless made with --personal. It is shown once, on stdout, and kept as a hash only; "
    "without\n"
    "--expires it is good for 90 days. Exit code 1 when it did not work, 2 for wrong arguments.\n";

int cmd_tokens(int argc, char **argv)
{
    const char *role = NULL, *agents = NULL, *expires = NULL;
    bool personal = false, all = false;
    const struct option_value values[] = {
        {"role", &role}, {"agents", &agents}, {"expires", &expires}, {NULL, NULL}};
    const struct option_switch switches[] = {{"personal", &personal}, {"all", &all}, {NULL, NULL}};
    struct options o = {.usage = usage, .values = values, .switches = switches, .max_words = 2};
    struct operate_opts opts = {.command = "tokens", .kind = "tokens"};
    int code = EXIT_OK;
    json_t *wish;

    if (!options_read(&o, argc, argv, &code))
        return code;
    if (o.n_words == 0) {
        fputs(
            "ringdown tokens: what shall be done? create, list, revoke, link; see: ringdown tokens "
            "--help\n",
            stderr);
        return EXIT_USAGE;
    }
    wish = json_object();
    wish_text(wish, "verb", o.words[0]);
    wish_text(wish, "name", o.n_words > 1 ? o.words[1] : NULL);
    wish_text(wish, "role", role);
    wish_text(wish, "agents", agents);
    wish_text(wish, "expires", expires);
    json_object_set_new(wish, "personal", json_boolean(personal));
    json_object_set_new(wish, "all", json_boolean(all));
    return wish_operate(&o, opts, wish);
}
