/* SPDX-License-Identifier: Apache-2.0 */
/* check.c - `ringdown check`: every mistake in configuration and agents, before a call meets it.
 * Nothing is made, nothing is asked of the network. */
#include "agent/secret.h"
#include "base/err.h"
#include "cli/commands.h"
#include "cli/operate.h"
#include "cli/options.h"

#include <stdio.h>

static const char usage[] =
    "usage: ringdown check [--agents] [--print] [--config FILE] | --markdown\n\n"
    "Checks the configuration and every agent, and tells all mistakes at once, each with file and\n"
    "line. --agents looks at the agents only, so that one may work without keys. --print shows "
    "the\n"
    "settings and where each comes from (secrets hidden). --markdown prints the table of all\n"
    "settings and looks at nothing.\n"
    "Exit code 2 when the configuration is wrong, 1 when an agent is.\n";

static void on_missing_secret(void *arg, const struct agent_info *agent, const char *name)
{
    (void)arg;
    fprintf(
        stderr,
        "warning: agent %s needs secret %s, which has no value, so its tools will fail; give it "
        "in the configuration as secrets = { %s = \"…\" } or in the environment\n",
        agent->name, name, name);
}

static void print_agent(const struct agent_info *a)
{
    if (a->warnings)
        fprintf(stderr, "%s\n", a->warnings);
    printf("agent %s is good%s (version %s)\n", a->name, a->warnings ? ", with a warning" : "",
           a->version);
}

static void warn_of_shared(const struct agent_set *set)
{
    for (size_t i = 0; i < agent_set_count(set); i++) {
        const struct agent_info *a = agent_set_at(set, i);

        if (a->vapi_assistant && !agent_by_assistant(set, a->vapi_assistant))
            fprintf(stderr,
                    "warning: agent %s shares its vapi.assistant with another agent, so a call "
                    "that Vapi has by itself is neither's unless its number says whose it is; give "
                    "each an assistant of its own\n",
                    a->name);
    }
}

static int check_agents(const struct settings *s)
{
    struct agent_set *set = NULL;
    struct buf complaints;
    int rc, code = EXIT_FAILED;

    buf_init(&complaints, 1 << 20);
    rc = agent_set_load(&set, s->agents_path, s->library_path, &complaints);
    if (rc)
        fprintf(stderr, "%s: cannot load agents: %s\n", s->agents_path, rd_strerror(rc));
    else if (agent_set_errors(set) > 0)
        fputs(buf_text(&complaints) ? buf_text(&complaints) : "", stderr);
    else if (agent_set_count(set) == 0)
        fprintf(stderr, "%s: holds no agents; put a Lua file there that returns one\n",
                s->agents_path);
    else
        code = EXIT_OK;
    for (size_t i = 0; !rc && i < agent_set_count(set); i++)
        print_agent(agent_set_at(set, i));
    if (!rc)
        warn_of_shared(set);
    if (!rc)
        secrets_missing(set, s->secrets, on_missing_secret, NULL);
    agent_set_unref(set);
    buf_fini(&complaints);
    return code;
}

/* Whom alerts go to, and the operator's rules. */
static int check_alerts(const struct settings *s)
{
    struct operate_opts o = {
        .settings = s, .command = "check", .kind = "alerts_check", .asks_nobody = true};

    if (!s->alert_channels[0] && !s->alert_rules[0])
        return EXIT_OK;
    return operate(&o, json_object()) ? EXIT_USAGE : EXIT_OK;
}

static void print_settings(const struct settings *s)
{
    struct buf text;

    buf_init(&text, 1 << 20);
    if (settings_print(s, &text) == 0)
        fwrite(text.data, 1, text.n, stdout);
    buf_fini(&text);
}

/* docs/configuration.md has it. */
static int print_table(void)
{
    struct buf text;
    int rc;

    buf_init(&text, 1 << 20);
    rc = settings_markdown(&text);
    if (!rc)
        fwrite(text.data, 1, text.n, stdout);
    buf_fini(&text);
    return rc ? EXIT_FAILED : EXIT_OK;
}

int cmd_check(int argc, char **argv)
{
    bool agents_only = false, print = false, markdown = false;
    const struct option_switch switches[] = {
        {"agents", &agents_only}, {"print", &print}, {"markdown", &markdown}, {NULL, NULL}};
    struct options o = {.usage = usage, .switches = switches};
    struct settings *s = NULL;
    int code = EXIT_OK, config_code = EXIT_OK;

    if (!options_read(&o, argc, argv, &code))
        return code;
    if (markdown)
        return print_table();
    if (!agents_only)
        config_code = options_settings(&o, SETTINGS_CHECK, &s);
    if (config_code || agents_only) { /* the agents can be looked at all the same */
        settings_free(s);
        s = NULL;
        code = options_settings(&o, SETTINGS_CLIENT, &s);
    }
    if (code == EXIT_OK && s) {
        if (print && !config_code)
            print_settings(s);
        code = check_agents(s);
        if (!agents_only && !config_code)
            config_code = check_alerts(s);
    }
    settings_free(s);
    if (config_code)
        return config_code;
    if (code == EXIT_OK)
        puts(agents_only ? "All agents are good." : "Configuration and agents are good.");
    return code;
}
