/* SPDX-License-Identifier: Apache-2.0 */
/* The operator's mistakes, all told at once; and what a right configuration becomes. */
#include "gateway/settings.h"

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

struct world {
    char dir[64];
    char file[128];  /* the configuration */
    char start[512]; /* the directory the test began in */
    struct buf complaints;
    struct settings *settings;
};

static void forget_environment(void)
{
    size_t n;
    const struct setting *all = settings_table(&n);
    char name[128];

    for (size_t i = 0; i < n; i++) {
        unsetenv(all[i].env);
        snprintf(name, sizeof(name), "%s_FILE", all[i].env);
        unsetenv(name);
    }
    unsetenv("RINGDOWN_CONFIG");
}

/* An empty folder with agents and library in it, and an environment that says nothing. */
static int set_up(void **state)
{
    struct world *w = calloc(1, sizeof(*w));

    forget_environment();
    strcpy(w->dir, "/tmp/settings.XXXXXX");
    if (!getcwd(w->start, sizeof(w->start)) || !mkdtemp(w->dir) || chdir(w->dir) != 0)
        return -1;
    snprintf(w->file, sizeof(w->file), "%s/ringdown.lua", w->dir);
    mkdir("agents", 0700);
    mkdir("lib", 0700);
    mkdir("lib/ringdown", 0700);
    setenv("RINGDOWN_LIBRARY", "./lib", 1);
    buf_init(&w->complaints, 1 << 20);
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;
    char command[128];

    settings_free(w->settings);
    buf_fini(&w->complaints);
    snprintf(command, sizeof(command), "rm -rf %s", w->dir);
    if (chdir(w->start) != 0 || system(command) != 0)
        return -1;
    forget_environment();
    free(w);
    return 0;
}

static void write_file(const char *name, const char *text, mode_t mode)
{
    FILE *f = fopen(name, "w");

    assert_non_null(f);
    fputs(text, f);
    fclose(f);
    chmod(name, mode);
}

static int load(struct world *w, enum settings_use use)
{
    settings_free(w->settings);
    w->settings = NULL;
    buf_clear(&w->complaints);
    return settings_load(&w->settings, NULL, use, &w->complaints);
}

static const char *told(struct world *w)
{
    return buf_text(&w->complaints);
}

static unsigned lines_told(struct world *w)
{
    unsigned n = 0;

    for (const char *p = told(w); *p; p++)
        n += *p == '\n';
    return n;
}

static void assert_told(struct world *w, const char *line)
{
    if (!strstr(told(w), line))
        fail_msg("expected \"%s\" in:\n%s", line, told(w));
}

static const char good[] =
    "return {\n"
    "  public = { listen = '127.0.0.1:0', url = 'http://127.0.0.1:8080/' },\n"
    "  openai = { key = 'sk-test' },\n"
    "  twilio = { sid = 'AC1', tokens = { 'new', 'old' } },\n"
    "  media_threads = 3,\n"
    "}\n";

/* ---- success ---- */

static void test_a_right_file_becomes_settings(void **state)
{
    struct world *w = *state;
    struct stat st;

    write_file("ringdown.lua", good, 0600);
    assert_int_equal(0, load(w, SETTINGS_SERVE));
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

    write_file("ringdown.lua", good, 0600);
    assert_int_equal(0, load(w, SETTINGS_SERVE));
    assert_int_equal(64, strlen(w->settings->cluster_secret));
    strcpy(first, w->settings->cluster_secret);
    assert_int_equal(0, load(w, SETTINGS_SERVE));
    assert_string_equal(first, w->settings->cluster_secret);
}

static void test_the_environment_wins_over_the_file(void **state)
{
    struct world *w = *state;

    write_file("ringdown.lua", good, 0600);
    setenv("RINGDOWN_MEDIA_THREADS", "2", 1);
    setenv("TWILIO_AUTH_TOKEN", "a,b", 1);
    setenv("RINGDOWN_LOG", "debug", 1);
    setenv("RINGDOWN_FORCE", "vapi", 1);
    assert_int_equal(0, load(w, SETTINGS_SERVE));
    assert_int_equal(2, w->settings->media_threads);
    assert_string_equal("a", w->settings->twilio_tokens[0]);
    assert_string_equal("b", w->settings->twilio_tokens[1]);
    assert_int_equal(LOG_DEBUG, w->settings->log_level);
    assert_string_equal("vapi", w->settings->force);
}

static void test_a_secret_may_lie_in_a_file(void **state)
{
    struct world *w = *state;

    write_file("ringdown.lua", "return { public = { url = 'https://x.example' } }", 0600);
    write_file("key", "sk-from-file\n", 0600);
    setenv("OPENAI_API_KEY_FILE", "key", 1);
    setenv("TWILIO_AUTH_TOKEN", "t", 1);
    assert_int_equal(0, load(w, SETTINGS_SERVE));
    assert_string_equal("sk-from-file", w->settings->openai_key);
}

static void test_printing_hides_secrets_and_says_where_values_come_from(void **state)
{
    struct world *w = *state;
    struct buf out;

    write_file("ringdown.lua", good, 0600);
    setenv("OPENAI_API_KEY", "sk-secret", 1);
    assert_int_equal(0, load(w, SETTINGS_CHECK));
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

    write_file("ringdown.lua", good, 0600);
    assert_int_equal(0, load(w, SETTINGS_SERVE));
    before = w->settings;
    w->settings = NULL;
    setenv("RINGDOWN_MAX_CALLS", "7", 1);
    setenv("OPENAI_API_KEY", "sk-other", 1);
    assert_int_equal(0, load(w, SETTINGS_SERVE));
    buf_init(&out, 1 << 20);
    assert_int_equal(0, settings_diff(before, w->settings, &out));
    assert_string_equal("openai.key\nmax_calls: 600 -> 7\n", buf_text(&out));
    buf_fini(&out);
    settings_free(before);
}

static void test_checking_makes_nothing(void **state)
{
    struct world *w = *state;

    write_file("ringdown.lua", good, 0600);
    assert_int_equal(0, load(w, SETTINGS_CHECK));
    assert_int_not_equal(0, access("var", F_OK));
}

static void test_a_client_needs_only_the_data_folder(void **state)
{
    struct world *w = *state;

    write_file("ringdown.lua", "return { data = 'here', max_calls = 'many', opnai = {} }", 0600);
    assert_int_equal(0, load(w, SETTINGS_CLIENT));
    assert_string_equal("here", w->settings->data);
}

/* ---- mistakes ---- */

static void test_three_mistakes_are_told_at_once_with_their_lines(void **state)
{
    struct world *w = *state;

    write_file("ringdown.lua",
               "return {\n"
               "  -- public = { listne = 'x' }\n"
               "  public = { listne = '0.0.0.0:8080', url = 'https://x.example' },\n"
               "  openai = { key = 'sk', url = 'https://api.openai.com' },\n"
               "  twilio = { token = 't' },\n"
               "  log = { level = 'loud' },\n"
               "}\n",
               0600);
    assert_int_equal(RD_ECONFIG, load(w, SETTINGS_SERVE));
    assert_null(w->settings);
    assert_string_equal(
        "ringdown.lua:3: public.listne: unknown key; did you mean public.listen?\n"
        "ringdown.lua:4: openai.url: must start with wss:// or ws://; it is "
        "https://api.openai.com\n"
        "ringdown.lua:6: log.level: \"loud\" is not allowed; allowed: error warn info debug\n",
        told(w));
    assert_int_not_equal(0, access("var", F_OK)); /* nothing was made */
}

static void test_what_serving_needs_is_told_with_the_way_to_get_it(void **state)
{
    struct world *w = *state;

    assert_int_equal(RD_ECONFIG, load(w, SETTINGS_SERVE));
    assert_int_equal(3, lines_told(w));
    assert_told(w, "public.url: is missing; give the address that Twilio reaches");
    assert_told(w, "openai.key: is missing; make a key at");
    assert_told(w, "twilio.tokens: is missing; copy the auth token from");
}

static void test_numbers_out_of_range_name_the_range(void **state)
{
    struct world *w = *state;

    write_file(
        "ringdown.lua",
        "return { public = { url = 'https://x' }, openai = { key = 'k' },\n"
        "twilio = { token = 't' }, max_calls = 0, media_threads = '2', drain_seconds = 1.5 }",
        0600);
    assert_int_equal(RD_ECONFIG, load(w, SETTINGS_SERVE));
    assert_int_equal(3, lines_told(w));
    assert_told(w, "ringdown.lua:2: max_calls: \"0\" is not allowed; allowed: a whole number from "
                   "1 to 100000");
    assert_told(w, "media_threads: must be a whole number (without quotes) from 1 to 64");
    assert_told(w, "drain_seconds: must be a whole number");
}

static void test_addresses_and_urls_are_looked_at(void **state)
{
    struct world *w = *state;

    write_file("ringdown.lua", good, 0600);
    setenv("RINGDOWN_LISTEN", "0.0.0.0:99999", 1);
    setenv("RINGDOWN_ADMIN_LISTEN", "localhost", 1);
    setenv("RINGDOWN_PUBLIC_URL", "ftp://x.example", 1);
    setenv("TWILIO_API_URL", "https://x.example:0", 1);
    setenv("OPENAI_REALTIME_URL", "wss://", 1);
    setenv("DATABASE_URL", "mysql://user:hunter2@h/db", 1);
    assert_int_equal(RD_ECONFIG, load(w, SETTINGS_SERVE));
    assert_int_equal(6, lines_told(w));
    assert_told(w, "RINGDOWN_LISTEN: \"0.0.0.0:99999\" is no address");
    assert_told(w, "RINGDOWN_ADMIN_LISTEN: \"localhost\" is no address");
    assert_told(w, "RINGDOWN_PUBLIC_URL: must start with https:// or http://; it is ftp://");
    assert_told(w, "TWILIO_API_URL: has a bad port");
    assert_told(w, "OPENAI_REALTIME_URL: has no host");
    assert_told(w, "DATABASE_URL: must start with postgresql:// or postgres://\n");
    assert_null(strstr(told(w), "hunter2"));
}

static void test_a_database_is_a_host_several_hosts_or_a_socket(void **state)
{
    static const char *const urls[] = {"postgresql://db.example/calls",
                                       "postgres://u:p@a.example,b.example:5433/calls",
                                       "postgresql:///calls?host=/run/postgresql"};
    struct world *w = *state;

    write_file("ringdown.lua", good, 0600);
    for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
        setenv("DATABASE_URL", urls[i], 1);
        assert_int_equal(0, load(w, SETTINGS_SERVE));
        assert_string_equal(urls[i], w->settings->database_url);
    }
    setenv("DATABASE_URL", "postgresql://u:hunter2@h/calls?sslmode", 1);
    assert_int_equal(RD_ECONFIG, load(w, SETTINGS_SERVE));
    assert_told(w, "DATABASE_URL: cannot be read; it looks like postgresql://user:password@host");
    assert_null(strstr(told(w), "hunter2"));
}

static void test_a_certificate_needs_its_key_and_must_be_readable(void **state)
{
    struct world *w = *state;

    write_file("ringdown.lua", good, 0600);
    setenv("RINGDOWN_TLS_CERT", "absent.pem", 1);
    assert_int_equal(RD_ECONFIG, load(w, SETTINGS_SERVE));
    assert_told(w, "RINGDOWN_TLS_CERT: cannot read \"absent.pem\"");
    assert_told(w, "RINGDOWN_TLS_CERT: needs public.private_key beside it");
    unsetenv("RINGDOWN_TLS_CERT");
    write_file("key.pem", "not a key", 0600);
    setenv("RINGDOWN_TLS_KEY", "key.pem", 1);
    assert_int_equal(RD_ECONFIG, load(w, SETTINGS_SERVE));
    assert_told(w, "RINGDOWN_TLS_KEY: needs public.certificate beside it");
    setenv("RINGDOWN_TLS_CERT", "key.pem", 1);
    assert_int_equal(RD_ECONFIG, load(w, SETTINGS_SERVE));
    assert_told(w, "RINGDOWN_TLS_CERT: ");
}

static void test_a_file_that_is_no_lua_is_told_with_its_line(void **state)
{
    struct world *w = *state;

    write_file("ringdown.lua", "return {\n  public = {\n", 0600);
    setenv("RINGDOWN_LOG", "loud", 1);
    assert_int_equal(RD_ECONFIG, load(w, SETTINGS_SERVE));
    assert_told(w, "ringdown.lua:3: ");
    assert_told(w, "RINGDOWN_LOG: "); /* the environment's mistakes too */
    assert_null(strstr(told(w), "missing"));
    assert_int_equal(RD_ECONFIG, load(w, SETTINGS_CLIENT)); /* data may stand in it */
}

static void test_a_file_that_raises_never_ends_or_returns_no_table_is_told(void **state)
{
    struct world *w = *state;

    write_file("ringdown.lua", "\nerror('no such host')", 0600);
    assert_int_equal(RD_ECONFIG, load(w, SETTINGS_SERVE));
    assert_told(w, "ringdown.lua:2: no such host");
    write_file("ringdown.lua", "while true do end", 0600);
    assert_int_equal(RD_ECONFIG, load(w, SETTINGS_SERVE));
    assert_int_equal(1, lines_told(w));
    write_file("ringdown.lua", "return 'https://x.example'", 0600);
    assert_int_equal(RD_ECONFIG, load(w, SETTINGS_SERVE));
    assert_told(w, "ringdown.lua: must return a table");
}

static void test_a_file_elsewhere_is_told_with_the_path_it_was_given_by(void **state)
{
    struct world *w = *state;

    write_file("elsewhere.lua", "return { max_calls = 0, listne = 1 }", 0600);
    setenv("RINGDOWN_CONFIG", "./elsewhere.lua", 1);
    assert_int_equal(RD_ECONFIG, load(w, SETTINGS_SERVE));
    assert_told(w, "./elsewhere.lua:1: listne: unknown key");
    assert_told(w, "./elsewhere.lua:1: max_calls: \"0\" is not allowed");
    write_file("elsewhere.lua", "\nerror('no such host')", 0600);
    assert_int_equal(RD_ECONFIG, load(w, SETTINGS_SERVE));
    assert_told(w, "./elsewhere.lua:2: no such host");
    write_file("elsewhere.lua", "return {", 0600);
    assert_int_equal(RD_ECONFIG, load(w, SETTINGS_SERVE));
    assert_told(w, "./elsewhere.lua:1: ");
    unsetenv("RINGDOWN_CONFIG");
}

static void test_the_file_cannot_reach_the_system(void **state)
{
    struct world *w = *state;

    write_file("ringdown.lua", "return { data = os.getenv('HOME') }", 0600);
    assert_int_equal(RD_ECONFIG, load(w, SETTINGS_CLIENT));
    write_file("ringdown.lua", "return { data = io.open('/etc/passwd'):read() }", 0600);
    assert_int_equal(RD_ECONFIG, load(w, SETTINGS_CLIENT));
}

static void test_a_named_file_must_exist(void **state)
{
    struct world *w = *state;

    setenv("RINGDOWN_CONFIG", "elsewhere.lua", 1);
    assert_int_equal(RD_ECONFIG, load(w, SETTINGS_CLIENT));
    assert_told(w, "elsewhere.lua: cannot read the configuration file");
}

static void test_a_misspelt_variable_is_not_silently_ignored(void **state)
{
    struct world *w = *state;

    write_file("ringdown.lua", good, 0600);
    setenv("RINGDOWN_PUBLIC_ULR", "https://x.example", 1);
    assert_int_equal(RD_ECONFIG, load(w, SETTINGS_SERVE));
    assert_string_equal(
        "RINGDOWN_PUBLIC_ULR: unknown variable; did you mean RINGDOWN_PUBLIC_URL?\n", told(w));
    unsetenv("RINGDOWN_PUBLIC_ULR");
    setenv("RINGDOWN_SCHEMAS", "/x", 1); /* somebody else's, and nothing like ours */
    assert_int_equal(0, load(w, SETTINGS_SERVE));
    unsetenv("RINGDOWN_SCHEMAS");
}

static void test_a_secret_that_others_can_read_is_refused(void **state)
{
    struct world *w = *state;

    write_file("ringdown.lua", good, 0600);
    assert_int_equal(0, load(w, SETTINGS_SERVE));
    chmod("var/secret", 0644);
    assert_int_equal(RD_ECONFIG, load(w, SETTINGS_SERVE));
    assert_told(w, "cluster.secret: other users can read ./var/secret; close it with: chmod 600");
    write_file("var/secret", "short\n", 0600);
    assert_int_equal(RD_ECONFIG, load(w, SETTINGS_SERVE));
    assert_told(w, "does not hold 64 hex digits");
}

static void test_a_data_folder_that_others_can_write_to_is_refused(void **state)
{
    struct world *w = *state;

    write_file("ringdown.lua", good, 0600);
    mkdir("var", 0700);
    chmod("var", 0777);
    assert_int_equal(RD_ECONFIG, load(w, SETTINGS_SERVE));
    assert_told(w, "data: other users can write to \"./var\"");
}

static void test_missing_folders_are_told(void **state)
{
    struct world *w = *state;

    write_file("ringdown.lua", good, 0600);
    setenv("RINGDOWN_AGENTS", "nowhere", 1);
    setenv("RINGDOWN_LIBRARY", "nowhere", 1);
    assert_int_equal(RD_ECONFIG, load(w, SETTINGS_CHECK));
    assert_told(w, "RINGDOWN_AGENTS: there is no such folder");
    assert_told(w, "RINGDOWN_LIBRARY: holds no folder ringdown/");
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
        fail_msg("%s", told(w));
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

    write_file("ringdown.lua",
               "return { " NEEDED "secrets = { KEY = 'a,b=c' },\n"
               "http = { resolve = { ['api.x.example'] = '127.0.0.1:9443' } } }\n",
               0600);
    assert_int_equal(0, load(w, SETTINGS_CHECK));
    assert_string_equal(w->settings->secrets, "KEY=a,b=c");
    assert_string_equal(w->settings->http_resolve, "api.x.example=127.0.0.1:9443");
}

static void test_the_environment_gives_maps_with_commas(void **state)
{
    struct world *w = *state;

    write_file("ringdown.lua", "return { " NEEDED "}\n", 0600);
    setenv("RINGDOWN_HTTP_RESOLVE", "a.example=[::1]:1,b.example=10.0.0.1:80", 1);
    assert_int_equal(0, load(w, SETTINGS_CHECK));
    assert_string_equal(w->settings->http_resolve, "a.example=[::1]:1\nb.example=10.0.0.1:80");
}

static void test_a_map_of_nonsense_is_told_without_its_secrets(void **state)
{
    struct world *w = *state;

    write_file("ringdown.lua",
               "return { " NEEDED "secrets = { ['a b'] = 'hush' },\n"
               "http = { resolve = { ['x.example'] = 'localhost:80' } } }\n",
               0600);
    assert_int_equal(RD_ECONFIG, load(w, SETTINGS_CHECK));
    assert_told(w, "secrets: \"a b\" is not allowed");
    assert_told(w, "\"x.example=localhost:80\" is not allowed");
    assert_null(strstr(told(w), "hush"));
}

#define STORY(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

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
        STORY(test_three_mistakes_are_told_at_once_with_their_lines),
        STORY(test_what_serving_needs_is_told_with_the_way_to_get_it),
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
        STORY(test_lines_are_found_in_written_out_tables),
        STORY(test_near_words_are_suggested_and_far_ones_not),
        STORY(test_secrets_and_pointed_hosts_become_lines),
        STORY(test_the_environment_gives_maps_with_commas),
        STORY(test_a_map_of_nonsense_is_told_without_its_secrets),
        STORY(test_the_example_configuration_is_right),
        STORY(test_the_example_names_every_setting),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
