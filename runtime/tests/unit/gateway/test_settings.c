/* SPDX-License-Identifier: Apache-2.0 */
/* What a right configuration becomes, and the parts that it is read with. */
#include "fake_settings.h"

#include "base/err.h"
#include "base/nearest.h"
#include "gateway/settings_table.h"

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

static void test_a_right_file_becomes_settings(void **state)
{
    struct world *w = *state;
    struct stat st;

    world_write("ringdown.lua", world_good, 0600);
    assert_int_equal(0, world_load(w, SETTINGS_SERVE));
    assert_string_equal("http://127.0.0.1:8080", w->settings->public_url); /* no slash at the end */
    assert_string_equal("new", w->settings->twilio_tokens[0]);
    assert_string_equal("old", w->settings->twilio_tokens[1]);
    assert_null(w->settings->twilio_tokens[2]);
    assert_int_equal(3, w->settings->media_threads);
    assert_int_equal(600, w->settings->max_calls);
    assert_int_equal(2000, w->settings->script_deadline_ms);
    assert_int_equal(LOG_INFO, w->settings->log_level);
    assert_string_equal("", w->settings->force);
    assert_int_equal(0, stat("var", &st));
    assert_int_equal(0700, st.st_mode & 0777);
    assert_int_equal(0, stat("var/secret", &st));
    assert_int_equal(0600, st.st_mode & 0777);
}

static void test_the_secret_is_made_once(void **state)
{
    struct world *w = *state;
    char first[65];

    world_write("ringdown.lua", world_good, 0600);
    assert_int_equal(0, world_load(w, SETTINGS_SERVE));
    assert_int_equal(64, strlen(w->settings->cluster_secret));
    strcpy(first, w->settings->cluster_secret);
    assert_int_equal(0, world_load(w, SETTINGS_SERVE));
    assert_string_equal(first, w->settings->cluster_secret);
}

static void test_the_environment_wins_over_the_file(void **state)
{
    struct world *w = *state;

    world_write("ringdown.lua", world_good, 0600);
    setenv("RINGDOWN_MEDIA_THREADS", "2", 1);
    setenv("TWILIO_AUTH_TOKEN", "a,b", 1);
    setenv("RINGDOWN_LOG", "debug", 1);
    setenv("RINGDOWN_FORCE", "vapi", 1);
    assert_int_equal(0, world_load(w, SETTINGS_SERVE));
    assert_int_equal(2, w->settings->media_threads);
    assert_string_equal("a", w->settings->twilio_tokens[0]);
    assert_string_equal("b", w->settings->twilio_tokens[1]);
    assert_int_equal(LOG_DEBUG, w->settings->log_level);
    assert_string_equal("vapi", w->settings->force);
}

static void test_a_secret_may_lie_in_a_file(void **state)
{
    struct world *w = *state;

    world_write("ringdown.lua", "return { public = { url = 'https://x.example' } }", 0600);
    world_write("key", "sk-from-file\n", 0600);
    setenv("OPENAI_API_KEY_FILE", "key", 1);
    setenv("TWILIO_AUTH_TOKEN", "t", 1);
    assert_int_equal(0, world_load(w, SETTINGS_SERVE));
    assert_string_equal("sk-from-file", w->settings->openai_key);
}

static void test_printing_hides_secrets_and_says_where_values_come_from(void **state)
{
    struct world *w = *state;
    struct buf out;

    world_write("ringdown.lua", world_good, 0600);
    setenv("OPENAI_API_KEY", "sk-secret", 1);
    assert_int_equal(0, world_load(w, SETTINGS_CHECK));
    buf_init(&out, 1 << 20);
    assert_int_equal(0, settings_print(w->settings, &out));
    assert_null(strstr(buf_text(&out), "sk-secret"));
    assert_non_null(strstr(buf_text(&out), "openai.key = (hidden)  -- OPENAI_API_KEY"));
    assert_non_null(strstr(buf_text(&out), "media_threads = 3  -- ringdown.lua:5"));
    assert_non_null(strstr(buf_text(&out), "log.level = info  -- default"));
    buf_fini(&out);
}

static void test_a_reload_tells_what_differs_without_secrets(void **state)
{
    struct world *w = *state;
    struct settings *before;
    struct buf out;

    world_write("ringdown.lua", world_good, 0600);
    assert_int_equal(0, world_load(w, SETTINGS_SERVE));
    before = w->settings;
    w->settings = NULL;
    setenv("RINGDOWN_MAX_CALLS", "7", 1);
    setenv("OPENAI_API_KEY", "sk-other", 1);
    assert_int_equal(0, world_load(w, SETTINGS_SERVE));
    buf_init(&out, 1 << 20);
    assert_int_equal(0, settings_diff(before, w->settings, &out));
    assert_string_equal("openai.key\nmax_calls: 600 -> 7\n", buf_text(&out));
    buf_fini(&out);
    settings_free(before);
}

static void test_checking_makes_nothing(void **state)
{
    struct world *w = *state;

    world_write("ringdown.lua", world_good, 0600);
    assert_int_equal(0, world_load(w, SETTINGS_CHECK));
    assert_int_not_equal(0, access("var", F_OK));
}

static void test_a_client_needs_only_the_data_folder(void **state)
{
    struct world *w = *state;

    world_write("ringdown.lua", "return { data = 'here', max_calls = 'many', opnai = {} }", 0600);
    assert_int_equal(0, world_load(w, SETTINGS_CLIENT));
    assert_string_equal("here", w->settings->data);
}

/* ---- parts ---- */

static void test_lines_are_found_in_written_out_tables(void **state)
{
    static const char source[] = "local secret = { url = 1 }\n"
                                 "--[[ public = { url =\n ]]\n"
                                 "return {\n"
                                 "  [\"public\"] = {\n"
                                 "    listen = \"a = {\",\n"
                                 "    ['url'] = [==[\n]] x = ]==], certificate = f{ 1 == 2 },\n"
                                 "  }, openai = { url = 'x' },\n"
                                 "  max_calls = 3 }\n";

    (void)state;
    assert_int_equal(6, settings_line(source, "public.listen"));
    assert_int_equal(7, settings_line(source, "public.url"));
    assert_int_equal(8, settings_line(source, "public.certificate"));
    assert_int_equal(9, settings_line(source, "openai.url"));
    assert_int_equal(10, settings_line(source, "max_calls"));
    assert_int_equal(9, settings_line(source, "vapi.url")); /* not there: the last of that name */
    assert_int_equal(0, settings_line(source, "smtp.port"));
    assert_int_equal(0, settings_line("return { a = [[ never closed", "b"));
}

static void test_near_words_are_suggested_and_far_ones_not(void **state)
{
    struct nearest n;

    (void)state;
    assert_int_equal(1, word_distance("listne", "listen")); /* a swap is one mistake */
    assert_int_equal(0, word_distance("", ""));
    assert_int_equal(3, word_distance("", "abc"));
    nearest_init(&n, "sttaus");
    nearest_offer(&n, "serve");
    nearest_offer(&n, "status");
    assert_string_equal("status", n.best);
    nearest_init(&n, "xyz");
    nearest_offer(&n, "serve");
    assert_null(n.best);
}

/* Operators copy it: every key in it must be known, and nothing else wrong but what only they know.
 */
static void test_the_example_configuration_is_right(void **state)
{
    struct world *w = *state;
    char path[600];

    snprintf(path, sizeof(path), "%s/examples/ringdown.lua", w->start);
    assert_int_equal(0, access(path, R_OK));
    setenv("OPENAI_API_KEY", "sk", 1);
    setenv("TWILIO_AUTH_TOKEN", "t", 1);
    if (settings_load(&w->settings, path, SETTINGS_CHECK, &w->complaints) != 0)
        fail_msg("%s", world_told(w));
}

/* The example is where operators look settings up: it names them all. */
static void test_the_example_names_every_setting(void **state)
{
    struct world *w = *state;
    char path[600];
    static char text[64 << 10];
    FILE *f;
    size_t n, got;
    const struct setting *all = settings_table(&n);

    snprintf(path, sizeof(path), "%s/examples/ringdown.lua", w->start);
    f = fopen(path, "r");
    assert_non_null(f);
    got = fread(text, 1, sizeof(text) - 1, f);
    fclose(f);
    text[got] = '\0';
    for (size_t i = 0; i < n; i++)
        if (!strstr(text, all[i].env))
            fail_msg("examples/ringdown.lua does not mention %s (%s)", all[i].key, all[i].env);
}

#define NEEDED                                                                                     \
    "public = { listen = '127.0.0.1:0', url = 'http://127.0.0.1:8080' }, openai = { key = 'k' }, " \
    "twilio = { token = 't' },\n"

static void test_secrets_and_pointed_hosts_become_lines(void **state)
{
    struct world *w = *state;

    world_write("ringdown.lua",
                "return { " NEEDED "secrets = { KEY = 'a,b=c' },\n"
                "http = { resolve = { ['api.x.example'] = '127.0.0.1:9443' } } }\n",
                0600);
    assert_int_equal(0, world_load(w, SETTINGS_CHECK));
    assert_string_equal(w->settings->secrets, "KEY=a,b=c");
    assert_string_equal(w->settings->http_resolve, "api.x.example=127.0.0.1:9443");
}

static void test_the_environment_gives_maps_with_commas(void **state)
{
    struct world *w = *state;

    world_write("ringdown.lua", "return { " NEEDED "}\n", 0600);
    setenv("RINGDOWN_HTTP_RESOLVE", "a.example=[::1]:1,b.example=10.0.0.1:80", 1);
    assert_int_equal(0, world_load(w, SETTINGS_CHECK));
    assert_string_equal(w->settings->http_resolve, "a.example=[::1]:1\nb.example=10.0.0.1:80");
}

static void test_a_map_of_nonsense_is_told_without_its_secrets(void **state)
{
    struct world *w = *state;

    world_write("ringdown.lua",
                "return { " NEEDED "secrets = { ['a b'] = 'hush' },\n"
                "http = { resolve = { ['x.example'] = 'localhost:80' } } }\n",
                0600);
    assert_int_equal(RD_ECONFIG, world_load(w, SETTINGS_CHECK));
    world_assert_told(w, "secrets: \"a b\" is not allowed");
    world_assert_told(w, "\"x.example=localhost:80\" is not allowed");
    assert_null(strstr(world_told(w), "hush"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(test_a_right_file_becomes_settings),
        STORY(test_the_secret_is_made_once),
        STORY(test_the_environment_wins_over_the_file),
        STORY(test_a_secret_may_lie_in_a_file),
        STORY(test_printing_hides_secrets_and_says_where_values_come_from),
        STORY(test_a_reload_tells_what_differs_without_secrets),
        STORY(test_checking_makes_nothing),
        STORY(test_a_client_needs_only_the_data_folder),
        STORY(test_lines_are_found_in_written_out_tables),
        STORY(test_near_words_are_suggested_and_far_ones_not),
        STORY(test_the_example_configuration_is_right),
        STORY(test_the_example_names_every_setting),
        STORY(test_secrets_and_pointed_hosts_become_lines),
        STORY(test_the_environment_gives_maps_with_commas),
        STORY(test_a_map_of_nonsense_is_told_without_its_secrets),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
