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

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char usage[] =
    "usage: ringdown test [PATH…] [--filter WORDS] [--seconds N] [--config FILE]\n\n"
    "Runs the specs of the agents: files that end in _spec.lua, below PATH, or below the agents'\n"
    "folder and spec/agents. --filter runs those whose description holds the words.\n"
    "--seconds: how long one of them may compute (30); then it has failed.\n"
    "Nothing leaves this machine: calls, texts, requests and the clock are the spec's own.\n"
    "Exit code 0 when all passed, 1 when one failed or none was run, 2 for wrong arguments.\n";

enum { ARGS_MAX = 64, FOLDERS_OPEN_MAX = 16, LIMIT_S = 30, LIMIT_DIGITS = 4 };

static int is_spec(const char *path, const struct stat *st, int type, struct FTW *at)
{
    static const char ending[] = "_spec.lua";
    size_t n = strlen(path), n_ending = sizeof(ending) - 1;

    (void)st, (void)at;
    return type == FTW_F && n >= n_ending && strcmp(path + n - n_ending, ending) == 0;
}

/* Below a folder; a file that was named is one whatever its name. */
static bool has_spec(const char *path)
{
    struct stat st;

    if (stat(path, &st) == 0 && !S_ISDIR(st.st_mode))
        return true;
    return nftw(path, is_spec, FOLDERS_OPEN_MAX, 0) > 0;
}

/* busted would only say that it found nothing. */
static int check_paths(const char *const *paths, size_t n, bool asked_for)
{
    bool any = false;

    for (size_t i = 0; i < n; i++) {
        if (access(paths[i], R_OK) != 0) {
            fprintf(stderr,
                    asked_for ? "ringdown test: %s: there is no such file or folder; name specs, "
                                "like agents/front-desk_spec.lua, or nothing for all of them\n"
                              : "ringdown test: the agents' folder %s is not there; ringdown new "
                                "agent NAME makes it with a first agent and its spec, "
                                "RINGDOWN_AGENTS or agents.path names another one\n",
                    paths[i]);
            return EXIT_FAILED;
        }
        any = any || has_spec(paths[i]);
    }
    if (!any)
        fprintf(stderr,
                "ringdown test: there is no spec below %s (a file that ends in _spec.lua); "
                "ringdown new agent NAME makes an agent with one\n",
                n ? paths[0] : "it");
    return any ? EXIT_OK : EXIT_FAILED;
}

static int run(const struct options *o, const struct settings *s, const char *filter,
               unsigned limit_s)
{
    const char *args[ARGS_MAX + 2];
    char filtering[512];
    struct buf why;
    size_t n = 0, first;
    int rc;

    if (filter) {
        (void)snprintf(filtering, sizeof(filtering), "--filter=%s", filter);
        args[n++] = filtering;
    }
    first = n;
    for (int i = 0; i < o->n_words; i++)
        args[n++] = o->words[i];
    if (o->n_words == 0) {
        args[n++] = s->agents_path;
        if (access("spec/agents", R_OK) == 0)
            args[n++] = "spec/agents";
    }
    if (check_paths(args + first, n - first, o->n_words > 0))
        return EXIT_FAILED;
    buf_init(&why, 1 << 16);
    rc = specs_run(s->agents_path, s->library_path, limit_s, args, n, &why);
    fprintf(stderr, "ringdown test: %s\n", buf_text(&why) ? buf_text(&why) : rd_strerror(rc));
    buf_fini(&why);
    return EXIT_FAILED;
}

static bool is_limit(const char *z)
{
    size_t n = strspn(z, "0123456789");

    return n > 0 && n <= LIMIT_DIGITS && !z[n] && *z != '0';
}

int cmd_test(int argc, char **argv)
{
    const char *filter = NULL, *seconds = NULL;
    const struct option_value values[] = {{"filter", &filter}, {"seconds", &seconds}, {NULL, NULL}};
    struct options o = {.usage = usage, .values = values, .max_words = ARGS_MAX};
    struct settings *s = NULL;
    int code = EXIT_OK;

    if (!options_read(&o, argc, argv, &code))
        return code;
    if (seconds && !is_limit(seconds)) {
        fprintf(stderr, "ringdown test: --seconds takes a whole number from 1 to 9999\n");
        return EXIT_USAGE;
    }
    code = options_settings(&o, SETTINGS_CLIENT, &s);
    if (code == EXIT_OK)
        code = run(&o, s, filter, seconds ? (unsigned)atoi(seconds) : LIMIT_S);
    settings_free(s);
    return code;
}
