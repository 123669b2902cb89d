/* SPDX-License-Identifier: Apache-2.0 */
/* alerts.c - `ringdown alerts`: what is wrong, and who hears of it. Here are only arguments: what is done and
 * said is scripts/ringdown/alerts/command.lua. No live node is needed. */
#include "cli/commands.h"
#include "cli/wish.h"

#include <stdio.h>
#include <string.h>

static const char usage[] =
    "usage: ringdown alerts list [--all] [--rule R] [--agent A]   what is wrong now; with --all "
    "what was\n"
    "       ringdown alerts show ID                one of them, and whom it was told\n"
    "       ringdown alerts ack ID [--reason TEXT] you look after it: it is not told again until "
    "it is over\n"
    "       ringdown alerts unack ID               you do not after all: it is told again\n"
    "       ringdown alerts silence RULE|LABEL=VALUE... --for 2h --reason TEXT\n"
    "                                              nobody hears of such alerts until then; * is "
    "anything\n"
    "       ringdown alerts unsilence ID\n"
    "       ringdown alerts rules                  when an alert fires, and what is wrong with "
    "your own rules\n"
    "       ringdown alerts test CHANNEL           sends a test to one channel of alerts.channels\n"
    "each also [--json] [--config FILE]\n\n"
    "The node that leads looks every few seconds whether a rule is true, and tells the channels of "
    "the\n"
    "configuration: mail and webhooks (docs/alerts.md). A silence and an acknowledgement are in "
    "the audit.\n"
    "Exit code 1 when it was refused or did not work, 2 for wrong arguments.\n";

enum { WORDS_MAX = 16 };

struct wish {
    const char *rule, *agent, *reason, *lasts;
    bool all;
};

static json_t *wish_json(const struct options *o, const struct wish *w)
{
    json_t *out = wish_words(o);

    wish_text(out, "rule", w->rule);
    wish_text(out, "agent", w->agent);
    wish_text(out, "reason", w->reason);
    wish_text(out, "for", w->lasts);
    wish_true(out, "all", w->all);
    return out;
}

int cmd_alerts(int argc, char **argv)
{
    struct wish w = {0};
    const struct option_value values[] = {{"rule", &w.rule},
                                          {"agent", &w.agent},
                                          {"reason", &w.reason},
                                          {"for", &w.lasts},
                                          {NULL, NULL}};
    const struct option_switch switches[] = {{"all", &w.all}, {NULL, NULL}};
    struct options o = {
        .usage = usage, .values = values, .switches = switches, .max_words = WORDS_MAX};
    struct operate_opts opts = {.command = "alerts", .kind = "alerts_command"};
    int code = EXIT_OK;

    if (!options_read(&o, argc, argv, &code))
        return code;
    if (o.n_words == 0) {
        fputs(
            "ringdown alerts: what? list, show, ack, unack, silence, unsilence, rules, test; see: "
            "ringdown "
            "alerts --help\n",
            stderr);
        return EXIT_USAGE;
    }
    opts.asks_nobody = strcmp(o.words[0], "test") == 0 || strcmp(o.words[0], "rules") == 0;
    return wish_operate(&o, opts, wish_json(&o, &w));
}
