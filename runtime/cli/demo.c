/* SPDX-License-Identifier: Apache-2.0 */
/* demo.c - `ringdown demo`: a database with calls that never were, for showing things. What is made up and where it may
 * go is scripts/ringdown/demo/; here are only arguments. */
#include "cli/commands.h"
#include "cli/wish.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "usage: ringdown demo mark [--config FILE]\n"
    "       ringdown demo seed [--seed N] [--calls N] [--json] [--config FILE]\n\n"
    "A month of calls that never were, for looking at: in scripts/demo, or while you try things.\n"
    "  mark   makes a new database one for a demo. It stays one, and says so wherever it is "
    "shown;\n"
    "         one with calls, customers or numbers in it is refused\n"
    "  seed   fills it, once: calls on both systems with transcripts, tools, emergencies, texts,\n"
    "         visits, costs, a rollout and alerts. The same seed is the same month.\n"
    "         --calls: about so many, 3000 unless said, 20000 at most\n"
    "Exit code 1 when it is refused or did not work.\n";

enum { CALLS_MAX = 20000, SEED_MAX = 1000000000 };

/* False, after a complaint: it is no whole number up to that one. */
static bool set_number(json_t *wish, const char *name, const char *text, long max)
{
    char *end = NULL;
    long value = text ? strtol(text, &end, 10) : 0;

    if (!text)
        return true;
    if (end == text || *end || value < 1 || value > max) {
        fprintf(stderr, "ringdown demo: --%s must be a whole number from 1 to %ld\n", name, max);
        return false;
    }
    json_object_set_new(wish, name, json_integer(value));
    return true;
}

int cmd_demo(int argc, char **argv)
{
    const char *seed = NULL, *calls = NULL;
    const struct option_value values[] = {{"seed", &seed}, {"calls", &calls}, {NULL, NULL}};
    struct options o = {.usage = usage, .values = values, .max_words = 1};
    struct operate_opts opts = {.command = "demo", .kind = "demo"};
    json_t *wish;
    int code = EXIT_OK;

    if (!options_read(&o, argc, argv, &code))
        return code;
    if (!o.n_words || (strcmp(o.words[0], "mark") != 0 && strcmp(o.words[0], "seed") != 0)) {
        fputs("ringdown demo: mark or seed? ringdown demo --help tells\n", stderr);
        return EXIT_USAGE;
    }
    wish = json_object();
    wish_text(wish, "verb", o.words[0]);
    if (!set_number(wish, "seed", seed, SEED_MAX) || !set_number(wish, "calls", calls, CALLS_MAX)) {
        json_decref(wish);
        return EXIT_USAGE;
    }
    return wish_operate(&o, opts, wish);
}
