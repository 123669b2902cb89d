/* SPDX-License-Identifier: Apache-2.0 */
/* The operator's mistakes, all told at once, with what to do. */
#include "fake_settings.h"

#include "base/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static void test_three_mistakes_are_told_at_once_with_their_lines(void **state)
{
    struct world *w = *state;

    world_write("ringdown.lua",
                "return {\n"
                "  -- public = { listne = 'x' }\n"
                "  public = { listne = '0.0.0.0:8080', url = 'https://x.example' },\n"
                "  openai = { key = 'sk', url = 'https://api.openai.com' },\n"
                "  twilio = { token = 't' },\n"
                "  log = { level = 'loud' },\n"
                "}\n",
                0600);
    assert_int_equal(RD_ECONFIG, world_load(w, SETTINGS_SERVE));
    assert_null(w->settings);
    assert_string_equal(
        "ringdown.lua:3: public.listne: unknown key; did you mean public.listen?\n"
        "ringdown.lua:4: openai.url: must start with wss:// or ws://; it is "
        "https://api.openai.com\n"
        "ringdown.lua:6: log.level: \"loud\" is not allowed; allowed: error warn info debug\n",
        world_told(w));
    assert_int_not_equal(0, access("var", F_OK)); /* nothing was made */
}

static void test_what_serving_needs_is_told_with_the_way_to_get_it(void **state)
{
    struct world *w = *state;

    assert_int_equal(RD_ECONFIG, world_load(w, SETTINGS_SERVE));
    assert_int_equal(3, world_lines_told(w));
    world_assert_told(w, "public.url: is missing; give the address that Twilio reaches");
    world_assert_told(w, "openai.key: is missing; make a key at");
    world_assert_told(w, "twilio.tokens: is missing; copy the auth token from");
}

static void test_whom_alerts_go_to_is_a_list_of_tables(void **state)
{
    struct world *w = *state;

    world_write("ringdown.lua",
                "return { public = { url = 'https://x' }, openai = { key = 'k' },\n"
                "twilio = { token = 't' }, smtp = { url = 'smtps://m.example' },\n"
                "alerts = { channels = { name = 'ops' } } }",
                0600);
    assert_int_equal(RD_ECONFIG, world_load(w, SETTINGS_SERVE));
    assert_string_equal(
        "ringdown.lua:2: smtp.url: needs smtp.from beside it, the address that mails come from\n"
        "ringdown.lua:3: alerts.channels: must be a list of tables of texts and numbers, as in "
        "{ { name = \"ops\" } }\n",
        world_told(w));
}

static void test_a_list_of_tables_is_kept_as_json(void **state)
{
    struct world *w = *state;

    world_write("ringdown.lua",
                "return { public = { url = 'https://x' }, openai = { key = 'k' },\n"
                "twilio = { token = 't' }, smtp = { url = 'smtps://m.example', from = 'a@b' },\n"
                "alerts = { channels = { { to = { 'a@b', '\"' } }, { n = 5 }, {} } } }",
                0600);
    assert_int_equal(0, world_load(w, SETTINGS_SERVE));
    assert_string_equal("[{\"to\":[\"a@b\",\"\\\"\"]},{\"n\":5},{}]", w->settings->alert_channels);
}

static void test_a_list_of_tables_holds_no_functions_and_not_itself(void **state)
{
    static const char *const lists[] = {"{ { f = function() end } }", "{ { a = {a={a={a={}}}} } }",
                                        "(function() local t = {} t[1] = t return t end)()",
                                        "{ { 1, a = 2 } }", "'x'"};
    char text[512];

    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        struct world *w = *state;

        (void)snprintf(text, sizeof(text),
                       "return { public = { url = 'https://x' }, openai = { key = 'k' },\n"
                       "twilio = { token = 't' }, alerts = { channels = %s } }",
                       lists[i]);
        world_write("ringdown.lua", text, 0600);
        assert_int_equal(RD_ECONFIG, world_load(w, SETTINGS_SERVE));
        world_assert_told(w, "alerts.channels: must be a list of tables of texts and numbers");
        buf_clear(&w->complaints);
    }
}

static void test_numbers_out_of_range_name_the_range(void **state)
{
    struct world *w = *state;

    world_write(
        "ringdown.lua",
        "return { public = { url = 'https://x' }, openai = { key = 'k' },\n"
        "twilio = { token = 't' }, max_calls = 0, media_threads = '2', drain_seconds = 1.5 }",
        0600);
    assert_int_equal(RD_ECONFIG, world_load(w, SETTINGS_SERVE));
    assert_int_equal(3, world_lines_told(w));
    world_assert_told(
        w, "ringdown.lua:2: max_calls: \"0\" is not allowed; allowed: a whole number from "
           "1 to 100000");
    world_assert_told(w, "media_threads: must be a whole number (without quotes) from 1 to 64");
    world_assert_told(w, "drain_seconds: must be a whole number");
}

static void test_addresses_and_urls_are_looked_at(void **state)
{
    struct world *w = *state;

    world_write("ringdown.lua", world_good, 0600);
    setenv("RINGDOWN_LISTEN", "0.0.0.0:99999", 1);
    setenv("RINGDOWN_ADMIN_LISTEN", "localhost", 1);
    setenv("RINGDOWN_PUBLIC_URL", "ftp://x.example", 1);
    setenv("TWILIO_API_URL", "https://x.example:0", 1);
    setenv("OPENAI_REALTIME_URL", "wss://", 1);
    setenv("DATABASE_URL", "mysql://user:hunter2@h/db", 1);
    assert_int_equal(RD_ECONFIG, world_load(w, SETTINGS_SERVE));
    assert_int_equal(6, world_lines_told(w));
    world_assert_told(w, "RINGDOWN_LISTEN: \"0.0.0.0:99999\" is no address");
    world_assert_told(w, "RINGDOWN_ADMIN_LISTEN: \"localhost\" is no address");
    world_assert_told(w, "RINGDOWN_PUBLIC_URL: must start with https:// or http://; it is ftp://");
    world_assert_told(w, "TWILIO_API_URL: has a bad port");
    world_assert_told(w, "OPENAI_REALTIME_URL: has no host");
    world_assert_told(w, "DATABASE_URL: must start with postgresql:// or postgres://\n");
    assert_null(strstr(world_told(w), "hunter2"));
}

static void test_a_database_is_a_host_several_hosts_or_a_socket(void **state)
{
    static const char *const urls[] = {"postgresql://db.example/calls",
                                       "postgres://u:p@a.example,b.example:5433/calls",
                                       "postgresql:///calls?host=/run/postgresql"};
    struct world *w = *state;

    world_write("ringdown.lua", world_good, 0600);
    for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
        setenv("DATABASE_URL", urls[i], 1);
        assert_int_equal(0, world_load(w, SETTINGS_SERVE));
        assert_string_equal(urls[i], w->settings->database_url);
    }
    setenv("DATABASE_URL", "postgresql://u:hunter2@h/calls?sslmode", 1);
    assert_int_equal(RD_ECONFIG, world_load(w, SETTINGS_SERVE));
    world_assert_told(
        w, "DATABASE_URL: cannot be read; it looks like postgresql://user:password@host");
    assert_null(strstr(world_told(w), "hunter2"));
}

static void test_a_certificate_needs_its_key_and_must_be_readable(void **state)
{
    struct world *w = *state;

    world_write("ringdown.lua", world_good, 0600);
    setenv("RINGDOWN_TLS_CERT", "absent.pem", 1);
    assert_int_equal(RD_ECONFIG, world_load(w, SETTINGS_SERVE));
    world_assert_told(w, "RINGDOWN_TLS_CERT: cannot read \"absent.pem\"");
    world_assert_told(w, "RINGDOWN_TLS_CERT: needs public.private_key beside it");
    unsetenv("RINGDOWN_TLS_CERT");
    world_write("key.pem", "not a key", 0600);
    setenv("RINGDOWN_TLS_KEY", "key.pem", 1);
    assert_int_equal(RD_ECONFIG, world_load(w, SETTINGS_SERVE));
    world_assert_told(w, "RINGDOWN_TLS_KEY: needs public.certificate beside it");
    setenv("RINGDOWN_TLS_CERT", "key.pem", 1);
    assert_int_equal(RD_ECONFIG, world_load(w, SETTINGS_SERVE));
    world_assert_told(w, "RINGDOWN_TLS_CERT: ");
}

static void test_a_file_that_is_no_lua_is_told_with_its_line(void **state)
{
    struct world *w = *state;

    world_write("ringdown.lua", "return {\n  public = {\n", 0600);
    setenv("RINGDOWN_LOG", "loud", 1);
    assert_int_equal(RD_ECONFIG, world_load(w, SETTINGS_SERVE));
    world_assert_told(w, "ringdown.lua:3: ");
    world_assert_told(w, "RINGDOWN_LOG: "); /* the environment's mistakes too */
    assert_null(strstr(world_told(w), "missing"));
    assert_int_equal(RD_ECONFIG, world_load(w, SETTINGS_CLIENT)); /* data may stand in it */
}

static void test_a_file_that_raises_never_ends_or_returns_no_table_is_told(void **state)
{
    struct world *w = *state;

    world_write("ringdown.lua", "\nerror('no such host')", 0600);
    assert_int_equal(RD_ECONFIG, world_load(w, SETTINGS_SERVE));
    world_assert_told(w, "ringdown.lua:2: no such host");
    world_write("ringdown.lua", "while true do end", 0600);
    assert_int_equal(RD_ECONFIG, world_load(w, SETTINGS_SERVE));
    assert_int_equal(1, world_lines_told(w));
    world_write("ringdown.lua", "return 'https://x.example'", 0600);
    assert_int_equal(RD_ECONFIG, world_load(w, SETTINGS_SERVE));
    world_assert_told(w, "ringdown.lua: must return a table");
}

static void test_a_file_elsewhere_is_told_with_the_path_it_was_given_by(void **state)
{
    struct world *w = *state;

    world_write("elsewhere.lua", "return { max_calls = 0, listne = 1 }", 0600);
    setenv("RINGDOWN_CONFIG", "./elsewhere.lua", 1);
    assert_int_equal(RD_ECONFIG, world_load(w, SETTINGS_SERVE));
    world_assert_told(w, "./elsewhere.lua:1: listne: unknown key");
    world_assert_told(w, "./elsewhere.lua:1: max_calls: \"0\" is not allowed");
    world_write("elsewhere.lua", "\nerror('no such host')", 0600);
    assert_int_equal(RD_ECONFIG, world_load(w, SETTINGS_SERVE));
    world_assert_told(w, "./elsewhere.lua:2: no such host");
    world_write("elsewhere.lua", "return {", 0600);
    assert_int_equal(RD_ECONFIG, world_load(w, SETTINGS_SERVE));
    world_assert_told(w, "./elsewhere.lua:1: ");
    unsetenv("RINGDOWN_CONFIG");
}

static void test_the_file_cannot_reach_the_system(void **state)
{
    struct world *w = *state;

    world_write("ringdown.lua", "return { data = os.getenv('HOME') }", 0600);
    assert_int_equal(RD_ECONFIG, world_load(w, SETTINGS_CLIENT));
    world_write("ringdown.lua", "return { data = io.open('/etc/passwd'):read() }", 0600);
    assert_int_equal(RD_ECONFIG, world_load(w, SETTINGS_CLIENT));
}

static void test_a_named_file_must_exist(void **state)
{
    struct world *w = *state;

    setenv("RINGDOWN_CONFIG", "elsewhere.lua", 1);
    assert_int_equal(RD_ECONFIG, world_load(w, SETTINGS_CLIENT));
    world_assert_told(w, "elsewhere.lua: cannot read the configuration file");
}

static void test_a_misspelt_variable_is_not_silently_ignored(void **state)
{
    struct world *w = *state;

    world_write("ringdown.lua", world_good, 0600);
    setenv("RINGDOWN_PUBLIC_ULR", "https://x.example", 1);
    assert_int_equal(RD_ECONFIG, world_load(w, SETTINGS_SERVE));
    assert_string_equal(
        "RINGDOWN_PUBLIC_ULR: unknown variable; did you mean RINGDOWN_PUBLIC_URL?\n",
        world_told(w));
    unsetenv("RINGDOWN_PUBLIC_ULR");
    setenv("RINGDOWN_SCHEMAS", "/x", 1); /* somebody else's, and nothing like ours */
    assert_int_equal(0, world_load(w, SETTINGS_SERVE));
    unsetenv("RINGDOWN_SCHEMAS");
}

static void test_a_secret_that_others_can_read_is_refused(void **state)
{
    struct world *w = *state;

    world_write("ringdown.lua", world_good, 0600);
    assert_int_equal(0, world_load(w, SETTINGS_SERVE));
    chmod("var/secret", 0644);
    assert_int_equal(RD_ECONFIG, world_load(w, SETTINGS_SERVE));
    world_assert_told(
        w, "cluster.secret: other users can read ./var/secret; close it with: chmod 600");
    world_write("var/secret", "short\n", 0600);
    assert_int_equal(RD_ECONFIG, world_load(w, SETTINGS_SERVE));
    world_assert_told(w, "does not hold 64 hex digits");
}

static void test_a_data_folder_that_others_can_write_to_is_refused(void **state)
{
    struct world *w = *state;

    world_write("ringdown.lua", world_good, 0600);
    mkdir("var", 0700);
    chmod("var", 0777);
    assert_int_equal(RD_ECONFIG, world_load(w, SETTINGS_SERVE));
    world_assert_told(w, "data: other users can write to \"./var\"");
}

static void test_missing_folders_are_told(void **state)
{
    struct world *w = *state;

    world_write("ringdown.lua", world_good, 0600);
    setenv("RINGDOWN_AGENTS", "nowhere", 1);
    setenv("RINGDOWN_LIBRARY", "nowhere", 1);
    assert_int_equal(RD_ECONFIG, world_load(w, SETTINGS_CHECK));
    world_assert_told(w, "RINGDOWN_AGENTS: there is no such folder");
    world_assert_told(w, "RINGDOWN_LIBRARY: holds no folder ringdown/");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(test_three_mistakes_are_told_at_once_with_their_lines),
        STORY(test_what_serving_needs_is_told_with_the_way_to_get_it),
        STORY(test_whom_alerts_go_to_is_a_list_of_tables),
        STORY(test_a_list_of_tables_is_kept_as_json),
        STORY(test_a_list_of_tables_holds_no_functions_and_not_itself),
        STORY(test_numbers_out_of_range_name_the_range),
        STORY(test_addresses_and_urls_are_looked_at),
        STORY(test_a_database_is_a_host_several_hosts_or_a_socket),
        STORY(test_a_certificate_needs_its_key_and_must_be_readable),
        STORY(test_a_file_that_is_no_lua_is_told_with_its_line),
        STORY(test_a_file_that_raises_never_ends_or_returns_no_table_is_told),
        STORY(test_a_file_elsewhere_is_told_with_the_path_it_was_given_by),
        STORY(test_the_file_cannot_reach_the_system),
        STORY(test_a_named_file_must_exist),
        STORY(test_a_misspelt_variable_is_not_silently_ignored),
        STORY(test_a_secret_that_others_can_read_is_refused),
        STORY(test_a_data_folder_that_others_can_write_to_is_refused),
        STORY(test_missing_folders_are_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
