/* SPDX-License-Identifier: Apache-2.0 */
/* cli.c - the table of commands and the way into one of them. A new command is one file beside this
 * one and one line here. */
#include "base/nearest.h"
#include "cli/commands.h"

#include <stdio.h>
#include <string.h>

static const struct command commands[] = {
    {"serve", cmd_serve, "answer calls until told to stop"},
    {"deploy", cmd_deploy, "this binary takes over new calls; the old one keeps those it has"},
    {"status", cmd_status, "one screen about the node that runs here"},
    {"nodes", cmd_nodes, "who shares this database, who leads, what dead nodes left open"},
    {"calls", cmd_calls, "calls in progress and just ended; --follow to watch"},
    {"journal", cmd_journal, "what waits for the database, and what it would not take"},
    {"agents", cmd_agents, "who answers: list, show, reload; publish, diff, restore releases"},
    {"check", cmd_check, "say what is wrong with configuration and agents"},
    {"doctor", cmd_doctor, "is a whole installation fit for calls? a remedy for each finding"},
    {"new", cmd_new, "a first agent to change: new agent NAME"},
    {"talk", cmd_talk, "type to an agent as a caller; nothing is dialled, nothing texted"},
    {"dev", cmd_dev, "serve while agents are edited, and show what is said"},
    {"test", cmd_test, "run the specs of agents, in the same sandbox as a live call"},
    {"replay", cmd_replay, "recorded calls again, on the agents of today: what they do otherwise"},
    {"why", cmd_why, "what happened in a call, who decided it, what it cost, what to do"},
    {"cost", cmd_cost, "what calls cost, by day or line by line"},
    {"stats", cmd_stats, "what calls were like: how many, answered, contained, how fast, by what"},
    {"alerts", cmd_alerts,
     "what is wrong now, whom that was told; acknowledge, silence, rules, test"},
    {"numbers", cmd_numbers, "which agent answers a number, and where Twilio sends it"},
    {"rollout", cmd_rollout, "one agent's callers move to OpenAI, stage by stage, and back"},
    {"force", cmd_force, "every new call to one system: openai, vapi, off"},
    {"tokens", cmd_tokens, "who may use the admin API: made, listed, revoked"},
    {"console", cmd_console, "the console in the browser: a link that logs in"},
    {"undo", cmd_undo, "takes back the last change of a rollout or of force"},
    {"vapi", cmd_vapi, "past calls from Vapi, with their words and costs: import"},
    {"sites", cmd_sites, "the places agents answer for: list, show, import"},
    {"drill", cmd_drill, "rehearse an emergency rule with the people it would reach"},
    {"erase", cmd_erase, "forget a caller, everywhere this reaches"},
    {"errors", cmd_errors, "what a code in the log means, and what to do about it"},
    {"metrics", cmd_metrics, "the node's numbers as Prometheus reads them, and what each says"},
    {"log", cmd_log, "what the log shows: a level for a while, or all lines of one call"},
    {"demo", cmd_demo, "a month of calls that never were, in a database for showing things"},
    {"call", cmd_call, "place simulated phone calls to a node"},
    {"db", cmd_db, "the database: up, down, status, url, migrate"},
    {"sim", cmd_sim, "a simulated OpenAI on loopback"},
    {"load", cmd_load, "what the node adds to a frame, at many calls"},
    {"man", cmd_man, "the pages of the manual"},
    {"completion", cmd_completion, "what completes all this in bash, zsh or fish"},
    {"version", cmd_version, "which version this is"},
    {NULL, NULL, NULL},
};

const struct command *cli_commands(void)
{
    return commands;
}

static void print_help(FILE *to)
{
    fputs("Ringdown answers phone calls with AI agents written in Lua.\n\n"
          "usage: ringdown COMMAND [ARGUMENTS]     (ringdown COMMAND --help tells more)\n\n",
          to);
    for (const struct command *c = commands; c->name; c++)
        fprintf(to, "  %-10s %s\n", c->name, c->about);
    fputs("\nexit code: 0 done, 1 did not work, 2 wrong arguments or configuration\n", to);
}

static int complain_command(const char *name)
{
    struct nearest near;

    nearest_init(&near, name);
    for (const struct command *c = commands; c->name; c++)
        nearest_offer(&near, c->name);
    if (near.best)
        fprintf(stderr, "ringdown: there is no command \"%s\"; did you mean %s?\n", name,
                near.best);
    else
        fprintf(stderr, "ringdown: there is no command \"%s\"; ringdown --help lists them\n", name);
    return EXIT_USAGE;
}

int cli_main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "--help";

    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0) {
        print_help(stdout);
        return EXIT_OK;
    }
    if (strcmp(name, "--version") == 0)
        name = "version";
    for (const struct command *c = commands; c->name; c++)
        if (strcmp(c->name, name) == 0)
            return c->run(argc - 1, argv + 1);
    return complain_command(name);
}
