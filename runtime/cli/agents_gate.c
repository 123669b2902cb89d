/* SPDX-License-Identifier: Apache-2.0 */
/* agents_gate.c - `agents publish --replay N`: the last calls of each agent on what is to be published.
 *
 *   nothing differs ──▶ published       something differs, or nothing was proven ──▶ wants --yes
 *   an emergency that was found is not found any more ──▶ refused, --yes or not, but for
 *   --accept-lost-emergencies
 */
#include "cli/agents_trees.h"
#include "cli/commands.h"
#include "cli/replays.h"

#include <stdio.h>
#include <stdlib.h>

enum { REPLAY_MAX = 10000, MOST_SHOWN = 10 };

static int refuse(const struct agents_order *o, const char *why)
{
    fprintf(stderr, "ringdown agents %s: nothing was published: %s\n", o->verb, why);
    return EXIT_FAILED;
}

static int decide(const struct agents_order *o, const struct replays_totals *t)
{
    char why[300];

    if (t->lost && !o->accept_lost) {
        snprintf(why, sizeof(why),
                 "in %u calls an emergency was found that is not found any more; mend the rules, "
                 "or say --accept-lost-emergencies",
                 t->lost);
        return refuse(o, why);
    }
    if (o->yes)
        return EXIT_OK;
    if (t->different) {
        snprintf(why, sizeof(why), "%u of %u calls differ; say --yes when that is meant",
                 t->different, t->calls);
        return refuse(o, why);
    }
    if (t->drifted) {
        snprintf(
            why, sizeof(why),
            "%u of %u calls are not done again as they were recorded, so the others prove less; "
            "say --yes when that may be",
            t->drifted, t->calls);
        return refuse(o, why);
    }
    if (t->calls == 0)
        return refuse(o, "no call could be replayed, so nothing is known; say --yes to publish all "
                         "the same");
    if (t->unplayable) {
        snprintf(why, sizeof(why), "%u calls could not be replayed; say --yes when that may be",
                 t->unplayable);
        return refuse(o, why);
    }
    return EXIT_OK;
}

int agents_gate(const struct agents_order *o, struct asking *a, const struct side *next)
{
    struct replays_opts opts = {.settings = o->settings,
                                .command = "agents publish",
                                .asking = a,
                                .tree = next->tree,
                                .most_shown = MOST_SHOWN,
                                .to = o->json ? stderr : stdout};
    struct replays *r = NULL;
    struct replays_totals t;
    char *end = NULL;
    long n = o->replay ? strtol(o->replay, &end, 10) : 0;
    int code;

    if (!o->replay)
        return EXIT_OK;
    if (*end || n < 1 || n > REPLAY_MAX) {
        fputs("ringdown agents publish: --replay takes a number from 1 to 10000\n", stderr);
        return EXIT_USAGE;
    }
    code = replays_begin(&r, &opts);
    if (code == EXIT_OK)
        code = replays_last(r, (int)n);
    if (code == EXIT_OK) {
        replays_print_totals(r);
        t = replays_totals(r);
        code = decide(o, &t);
    }
    replays_end(r);
    return code;
}
