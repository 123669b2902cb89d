/* SPDX-License-Identifier: Apache-2.0 */
/* test.c - `ringdown test`: the specs of agents, run by busted inside this program.
 *
 * A spec's fake.call() has its agent in the same sandbox as a live call: what a call may not do, a
 * spec cannot do either. Time is the spec's own; nothing leaves the machine.
 *
 * Failure: no spec found, busted missing: a sentence. Exit code 1 when a spec failed. */
#include "agent/specs.h"
#include "base/err.h"
#include "cli/commands.h"
#include "cli/options.h"

#include <stdio.h>
#include <unistd.h>

static const char usage[] =
    "usage: ringdown test [PATH…] [--filter WORDS] [--config FILE]\n\n"
    "Runs the specs of the agents: files that end in _spec.lua, below PATH, or below the agents'\n"
    "folder and spec/agents. --filter runs those whose description holds the words.\n"
    "Nothing leaves this machine: calls, texts, requests and the clock are the spec's own.\n"
    "Exit code 0 when all passed, 1 when one failed, 2 for wrong arguments.\n";

enum { ARGS_MAX = 64 };

static int run(const struct options *o, const struct settings *s, const char *filter)
{
    const char *args[ARGS_MAX + 2];
    char filtering[512];
    struct buf why;
    size_t n = 0;
    int rc;

    if (filter) {
        (void)snprintf(filtering, sizeof(filtering), "--filter=%s", filter);
        args[n++] = filtering;
    }
    for (int i = 0; i < o->n_words; i++)
        args[n++] = o->words[i];
    if (o->n_words == 0) {
        args[n++] = s->agents_path;
        if (access("spec/agents", R_OK) == 0)
            args[n++] = "spec/agents";
    }
    buf_init(&why, 1 << 16);
    rc = specs_run(s->agents_path, s->library_path, args, n, &why);
    fprintf(stderr, "ringdown test: %s\n", buf_text(&why) ? buf_text(&why) : rd_strerror(rc));
    buf_fini(&why);
    return EXIT_FAILED;
}

int cmd_test(int argc, char **argv)
{
    const char *filter = NULL;
    const struct option_value values[] = {{"filter", &filter}, {NULL, NULL}};
    struct options o = {.usage = usage, .values = values, .max_words = ARGS_MAX};
    struct settings *s = NULL;
    int code = EXIT_OK;

    if (!options_read(&o, argc, argv, &code))
        return code;
    code = options_settings(&o, SETTINGS_CLIENT, &s);
    if (code == EXIT_OK)
        code = run(&o, s, filter);
    settings_free(s);
    return code;
}
