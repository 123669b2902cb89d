/* SPDX-License-Identifier: Apache-2.0 */
/* commands.h - what one can type after `ringdown`. One file per command, one line in the table of
 * cli.c. A command gets its own name as argv[0] and the rest behind it; it prints facts to stdout,
 * complaints with their remedy to stderr, and returns the exit code. */
#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

enum exit_code {
    EXIT_OK = 0,
    EXIT_FAILED = 1, /* it was understood, and did not work */
    EXIT_USAGE = 2   /* wrong arguments or configuration: nothing was tried */
};

typedef int(command_fn)(int argc, char **argv);

struct command {
    const char *name;
    command_fn *run;
    const char *about; /* one line for the list */
};

/* Finds and runs the command that argv[1] names. */
int cli_main(int argc, char **argv);

/* The table, ended by a NULL name. */
const struct command *cli_commands(void);

command_fn cmd_serve, cmd_deploy, cmd_status, cmd_calls, cmd_check, cmd_errors, cmd_version, cmd_db,
    cmd_agents;
command_fn cmd_why, cmd_cost, cmd_erase, cmd_journal, cmd_numbers, cmd_sites, cmd_drill, cmd_nodes;
command_fn cmd_new, cmd_talk, cmd_dev, cmd_test, cmd_replay;
command_fn cmd_rollout, cmd_force, cmd_undo, cmd_vapi, cmd_tokens, cmd_call, cmd_sim, cmd_load;
command_fn cmd_doctor, cmd_metrics, cmd_log, cmd_stats, cmd_alerts, cmd_console, cmd_demo;
command_fn cmd_man, cmd_completion;

#endif
