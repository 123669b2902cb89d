/* SPDX-License-Identifier: Apache-2.0 */
/* console.c - `ringdown console`: a way into the console. Here are only arguments: what is done and said is
 * scripts/ringdown/api/sessions.lua. No live node is needed: the link is good at all nodes. */
#include "cli/commands.h"
#include "cli/wish.h"

#include <stdio.h>

static const char usage[] =
    "usage: ringdown console link [NAME] [--role viewer|operator|admin] [--agents A,B] "
    "[--personal]\n"
    "                             [--expires 12h] [--url https://ops.example.com]\n"
    "also [--json] [--config FILE]\n\n"
    "Prints a link that logs in to the console, once and within ten minutes. NAME is what the "
    "audit\n"
    "calls whoever uses it (console), the role is operator unless said; a viewer sees numbers, "
    "names\n"
    "and words masked unless --personal is said. The session ends by itself, after twelve hours "
    "or\n"
    "what --expires says (from 1m). --url: by which address the browser reaches the admin "
    "listener;\n"
    "it is at admin.listen otherwise. What the link carries stands behind its #: browsers do not "
    "send\n"
    "that, so it is in no log. Exit code 1 when it did not work, 2 for wrong arguments.\n";

int cmd_console(int argc, char **argv)
{
    const char *role = NULL, *agents = NULL, *expires = NULL, *url = NULL;
    bool personal = false;
    const struct option_value values[] = {
        {"role", &role}, {"agents", &agents}, {"expires", &expires}, {"url", &url}, {NULL, NULL}};
    const struct option_switch switches[] = {{"personal", &personal}, {NULL, NULL}};
    struct options o = {.usage = usage, .values = values, .switches = switches, .max_words = 2};
    struct operate_opts opts = {.command = "console", .kind = "console"};
    struct settings *s = NULL;
    int code = EXIT_OK;
    json_t *wish;

    if (!options_read(&o, argc, argv, &code))
        return code;
    if (o.n_words == 0) {
        fputs("ringdown console: what shall be done? link; see: ringdown console --help\n", stderr);
        return EXIT_USAGE;
    }
    code = options_settings(&o, SETTINGS_KEEPER, &s);
    if (code)
        return code;
    wish = json_object();
    wish_text(wish, "verb", o.words[0]);
    wish_text(wish, "name", o.n_words > 1 ? o.words[1] : NULL);
    wish_text(wish, "role", role);
    wish_text(wish, "agents", agents);
    wish_text(wish, "expires", expires);
    wish_text(wish, "url", url);
    wish_text(wish, "listen", s->admin_listen);
    json_object_set_new(wish, "personal", json_boolean(personal));
    opts.settings = s;
    opts.as_json = o.json;
    code = operate(&opts, wish);
    settings_free(s);
    return code;
}
