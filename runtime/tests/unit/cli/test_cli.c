/* SPDX-License-Identifier: Apache-2.0 */
/* What one types, and what one gets: help, exit codes, suggestions. */
#include "cli/commands.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { ARGS_MAX = 6, OUT_MAX = 16384 };

static char out[OUT_MAX], err[OUT_MAX];

static void read_back(FILE *f, char *text)
{
    size_t n;

    fflush(f);
    rewind(f);
    n = fread(text, 1, OUT_MAX - 1, f);
    text[n] = '\0';
    fclose(f);
}

/* Runs `ringdown a b c` in this process and keeps what it wrote. */
static int run(const char *a, const char *b, const char *c)
{
    char words[ARGS_MAX][128] = {"ringdown"};
    char *argv[ARGS_MAX] = {words[0]};
    const char *given[] = {a, b, c};
    int argc = 1, code, old_out, old_err;
    FILE *to_out = tmpfile(), *to_err = tmpfile();

    for (int i = 0; i < 3 && given[i]; i++) {
        snprintf(words[argc], sizeof(words[argc]), "%s", given[i]);
        argv[argc] = words[argc];
        argc++;
    }
    fflush(stdout);
    fflush(stderr);
    old_out = dup(STDOUT_FILENO);
    old_err = dup(STDERR_FILENO);
    dup2(fileno(to_out), STDOUT_FILENO);
    dup2(fileno(to_err), STDERR_FILENO);
    code = cli_main(argc, argv);
    fflush(stdout);
    fflush(stderr);
    dup2(old_out, STDOUT_FILENO);
    dup2(old_err, STDERR_FILENO);
    close(old_out);
    close(old_err);
    read_back(to_out, out);
    read_back(to_err, err);
    return code;
}

static void test_alone_it_lists_the_commands(void **state)
{
    (void)state;
    assert_int_equal(EXIT_OK, run(NULL, NULL, NULL));
    for (const struct command *c = cli_commands(); c->name; c++)
        assert_non_null(strstr(out, c->about));
    assert_int_equal(EXIT_OK, run("--help", NULL, NULL));
    assert_non_null(strstr(out, "serve"));
}

static void test_every_command_explains_itself(void **state)
{
    (void)state;
    for (const struct command *c = cli_commands(); c->name; c++) {
        char usage[64];

        snprintf(usage, sizeof(usage), "usage: ringdown %s", c->name);
        assert_int_equal(EXIT_OK, run(c->name, "--help", NULL));
        if (!strstr(out, usage))
            fail_msg("%s --help does not begin with its usage", c->name);
    }
}

static void test_an_unknown_command_is_answered_with_the_nearest(void **state)
{
    (void)state;
    assert_int_equal(EXIT_USAGE, run("sttaus", NULL, NULL));
    assert_string_equal("ringdown: there is no command \"sttaus\"; did you mean status?\n", err);
    assert_int_equal(EXIT_USAGE, run("xyzzy", NULL, NULL));
    assert_non_null(strstr(err, "ringdown --help lists them"));
}

static void test_unknown_options_and_words_are_refused(void **state)
{
    (void)state;
    assert_int_equal(EXIT_USAGE, run("calls", "--folow", NULL));
    assert_non_null(strstr(err, "did you mean --follow?"));
    assert_int_equal(EXIT_USAGE, run("status", "now", NULL));
    assert_non_null(strstr(err, "does not know what to do with \"now\""));
    assert_int_equal(EXIT_USAGE, run("status", "--config", NULL));
    assert_int_equal(EXIT_USAGE, run("calls", "CA1/../status", NULL));
}

static void test_what_is_wanted_of_a_call_must_be_whole(void **state)
{
    (void)state;
    assert_int_equal(EXIT_USAGE, run("calls", "hang-up", NULL));
    assert_non_null(strstr(err, "needs which call: ringdown calls lists them"));
    assert_int_equal(EXIT_USAGE, run("calls", "transfer", "CA1"));
    assert_non_null(strstr(err, "needs to whom: --to +13125550142, or --to office"));
    assert_int_equal(EXIT_USAGE, run("calls", "whisper", "CA1"));
    assert_non_null(strstr(err, "needs what the model shall know"));
    assert_int_equal(EXIT_USAGE, run("calls", "transfer", "--to"));
    assert_non_null(strstr(err, "ringdown calls transfer: --to needs a value behind it"));
    assert_int_equal(EXIT_USAGE, run("calls", "hang-up", "--tp"));
    assert_non_null(strstr(err, "did you mean --to?"));
    assert_int_equal(EXIT_OK, run("calls", "whisper", "--help"));
    assert_non_null(strstr(out, "ringdown calls whisper CALL"));
}

static void test_a_call_without_a_scenario_is_told_what_is_missing(void **state)
{
    (void)state;
    assert_int_equal(EXIT_USAGE, run("call", NULL, NULL));
    assert_string_equal("ringdown call: a call needs --scenario FILE: what the caller says; see: "
                        "ringdown call --help\n",
                        err);
    assert_int_equal(EXIT_USAGE, run("call", "--scenario=x.lua", "--calls=0"));
    assert_non_null(strstr(err, "--calls must be a number from 1 to 1000 here"));
    assert_int_equal(EXIT_USAGE, run("call", "x.lua", NULL));
    assert_non_null(strstr(err, "does not know what to do with \"x.lua\""));
}

static void test_the_version_is_a_fact(void **state)
{
    (void)state;
    assert_int_equal(EXIT_OK, run("version", NULL, NULL));
    assert_non_null(strstr(out, "ringdown " RD_VERSION "\n"));
    assert_int_equal(EXIT_OK, run("version", "--json", NULL));
    assert_non_null(strstr(out, "{\"version\":\"" RD_VERSION "\","));
}

static void test_without_a_node_the_remedy_is_told(void **state)
{
    (void)state;
    setenv("RINGDOWN_DATA", "/nonexistent", 1);
    assert_int_equal(EXIT_FAILED, run("status", NULL, NULL));
    assert_non_null(strstr(err, "start one with: ringdown serve"));
    assert_int_equal(EXIT_FAILED, run("calls", "--follow", NULL));
    assert_non_null(strstr(err, "no ringdown is running on the data folder /nonexistent"));
    unsetenv("RINGDOWN_DATA");
}

static void test_a_wrong_configuration_stops_serving_before_it_begins(void **state)
{
    (void)state;
    assert_int_equal(EXIT_USAGE, run("serve", "--config", "/nonexistent/ringdown.lua"));
    assert_non_null(strstr(err, "cannot read the configuration file"));
    assert_int_equal(EXIT_USAGE, run("check", "--config=/nonexistent/ringdown.lua", NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_alone_it_lists_the_commands),
        cmocka_unit_test(test_every_command_explains_itself),
        cmocka_unit_test(test_an_unknown_command_is_answered_with_the_nearest),
        cmocka_unit_test(test_unknown_options_and_words_are_refused),
        cmocka_unit_test(test_what_is_wanted_of_a_call_must_be_whole),
        cmocka_unit_test(test_a_call_without_a_scenario_is_told_what_is_missing),
        cmocka_unit_test(test_the_version_is_a_fact),
        cmocka_unit_test(test_without_a_node_the_remedy_is_told),
        cmocka_unit_test(test_a_wrong_configuration_stops_serving_before_it_begins),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
