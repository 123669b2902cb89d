/* SPDX-License-Identifier: Apache-2.0 */
/* test_reload.c - a folder that is edited and a release that is offered: what answers, what is told,
 * and how much memory is left after many of them. */
#include "gateway/reload.h"

#include "gateway/directory.h"
#include "gateway/releases_copy.h"
#include "observe/alarm.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum { PATIENCE_MS = 10000, RELOADS = 200 };

static struct story {
    char folder[64];
    struct settings settings;
    struct directory *directory;
    struct keep *keep;
    struct reload *reload;
    struct script_pool *pool;
    struct buf text;
} s;

static void write_agent(const char *name, const char *prompt)
{
    char path[200], beside[200];
    FILE *f;

    (void)snprintf(path, sizeof(path), "%s/%s.lua", s.folder, name);
    (void)snprintf(beside, sizeof(beside), "%s/.new", s.folder);
    f = fopen(beside, "we");
    assert_non_null(f);
    (void)fprintf(f,
                  "local agent = require 'ringdown.agent'\nreturn agent { name = '%s', greeting = "
                  "'Hi.', prompt = %s }\n",
                  name, prompt);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(rename(beside, path), 0);
}

static void start(const char *source, const char *watch, struct tree *release)
{
    struct keep_opts k = {.node = "test"};
    struct reload_opts o = {.settings = &s.settings, .poll_ms = 100};
    struct script_opts p = {.threads = 1,
                            .mailbox_capacity = 64,
                            .agents_path = s.folder,
                            .library_path = "scripts",
                            .twilio_api = "",
                            .twilio_sid = "",
                            .twilio_token = "",
                            .resume_url = "",
                            .call_deadline_ms = 1000};
    char why[512] = "";

    s.settings = (struct settings){.agents_path = s.folder,
                                   .agents_source = (char *)(uintptr_t)source,
                                   .agents_watch = (char *)(uintptr_t)watch,
                                   .library_path = (char *)(uintptr_t) "scripts",
                                   .node_name = (char *)(uintptr_t) "test"};
    assert_int_equal(directory_new(&s.directory, 4, 0), 0);
    k.directory = s.directory;
    assert_int_equal(keep_new(&s.keep, &k), 0);
    o.keep = s.keep;
    assert_int_equal(reload_new(&s.reload, &o), 0);
    if (reload_first(s.reload, release, release ? 1 : 0, &p.agents, why, sizeof(why)))
        fail_msg("%s", why);
    assert_int_equal(script_pool_start(&s.pool, &p), 0);
    agent_set_unref(p.agents);
    assert_int_equal(reload_start(s.reload, s.pool), 0);
}

static int set_up(void **state)
{
    (void)state;
    s = (struct story){.folder = "/tmp/reload-XXXXXX"};
    assert_non_null(mkdtemp(s.folder));
    buf_init(&s.text, 1 << 20);
    alarm_reset();
    return 0;
}

static int tear_down(void **state)
{
    char command[100];

    (void)state;
    reload_stop(s.reload);
    script_pool_stop(s.pool);
    keep_free(s.keep);
    directory_free(s.directory);
    buf_fini(&s.text);
    assert_int_equal(agent_living_count(), 0);
    (void)snprintf(command, sizeof(command), "rm -rf %s", s.folder);
    return system(command);
}

static void pause_ms(long ms)
{
    struct timespec t = {.tv_nsec = ms * 1000000};

    (void)nanosleep(&t, NULL);
}

/* The version of the agent that new calls get now; "" when there is none. */
static void version(char out[17], const char *name)
{
    struct agent_set *set = script_pool_agents(s.pool);
    const struct agent_info *a = agent_by_name(set, rd_str(name));

    (void)snprintf(out, 17, "%s", a ? a->version : "");
    agent_set_unref(set);
}

static bool becomes_other(const char *name, const char *than)
{
    char now[17];

    for (int i = 0; i < PATIENCE_MS / 5; i++) {
        version(now, name);
        if (strcmp(now, than) != 0)
            return true;
        pause_ms(5);
    }
    return false;
}

/* Looks now; the outcome is in s.text. */
static const char *ask(void)
{
    uint64_t ticket = reload_ask(s.reload);

    buf_clear(&s.text);
    for (int i = 0; i < PATIENCE_MS / 2 && reload_answer(s.reload, ticket, &s.text); i++)
        pause_ms(2);
    return buf_text(&s.text);
}

static bool alarm_is_open(const char *kind, const char *subject)
{
    static struct alarm open[ALARMS_MAX];
    size_t n = alarm_list(open, ALARMS_MAX);

    for (size_t i = 0; i < n; i++)
        if (strcmp(open[i].kind, kind) == 0 && strcmp(open[i].subject, subject) == 0)
            return true;
    return false;
}

static void test_a_save_is_taken_by_itself(void **state)
{
    char first[17];

    (void)state;
    write_agent("a", "'One.'");
    start("folder", "on", NULL);
    version(first, "a");
    assert_int_equal(strlen(first), 16);
    write_agent("a", "'Two.'");
    assert_true(becomes_other("a", first));
    write_agent("b", "'New.'");
    assert_true(becomes_other("b", ""));
}

static void test_without_watching_it_waits_to_be_asked(void **state)
{
    char first[17], now[17];

    (void)state;
    write_agent("a", "'One.'");
    start("folder", "off", NULL);
    version(first, "a");
    write_agent("a", "'Two.'");
    pause_ms(400);
    version(now, "a");
    assert_string_equal(now, first);
    assert_non_null(strstr(ask(), "\"changed\":[{\"agent\":\"a\",\"before\":\""));
    version(now, "a");
    assert_string_not_equal(now, first);
    assert_non_null(strstr(ask(), "\"changed\":[]"));
}

static void test_a_broken_edit_keeps_the_old_until_it_is_mended(void **state)
{
    char first[17], now[17];

    (void)state;
    write_agent("a", "'One.'");
    start("folder", "off", NULL);
    version(first, "a");
    write_agent("a", "'One.', promtp = 5");
    assert_non_null(strstr(ask(), "promtp"));
    version(now, "a");
    assert_string_equal(now, first);
    assert_true(alarm_is_open("agents.broken", "a"));
    write_agent("a", "'One.'");
    assert_non_null(strstr(ask(), "\"errors\":[]"));
    assert_false(alarm_is_open("agents.broken", "a"));
}

static void test_a_folder_that_is_gone_changes_nothing(void **state)
{
    char elsewhere[100], now[17];

    (void)state;
    write_agent("a", "'One.'");
    start("folder", "off", NULL);
    (void)snprintf(elsewhere, sizeof(elsewhere), "%s.away", s.folder);
    assert_int_equal(rename(s.folder, elsewhere), 0);
    assert_non_null(strstr(ask(), "\"taken\":false"));
    version(now, "a");
    assert_int_equal(strlen(now), 16);
    assert_true(alarm_is_open("agents.unreadable", ""));
    assert_int_equal(rename(elsewhere, s.folder), 0);
    assert_non_null(strstr(ask(), "\"taken\":true"));
    assert_false(alarm_is_open("agents.unreadable", ""));
}

static struct tree *release_of(const char *a, const char *b)
{
    char why[256];
    struct tree_file files[] = {{"a.lua", rd_str(a)}, {"b.lua", rd_str(b)}};
    struct tree *t = NULL;

    assert_int_equal(tree_new(&t, files, 2, why, sizeof(why)), 0);
    return t;
}

#define GOOD(name, prompt)                                                                  \
    "local agent = require 'ringdown.agent'\nreturn agent { name = '" name "', greeting = " \
    "'Hi.', prompt = '" prompt "' }\n"

static void test_a_release_is_taken_whole_or_not_at_all(void **state)
{
    struct tree *one = release_of(GOOD("a", "1"), GOOD("b", "1"));
    struct tree *half = release_of(GOOD("a", "2"), "return agent {");
    struct tree *two = release_of(GOOD("a", "2"), GOOD("b", "2"));
    char first[17], now[17];

    (void)state;
    start("database", "on", one);
    version(first, "a");
    reload_offer(s.reload, half, 2);
    assert_non_null(strstr(ask(), "\"taken\":false"));
    version(now, "a");
    assert_string_equal(now, first);
    assert_true(alarm_is_open("agents.release", ""));
    assert_int_equal(reload_release(s.reload), 1);
    reload_offer(s.reload, two, 3);
    assert_true(becomes_other("a", first));
    assert_non_null(strstr(ask(), "\"release\":3"));
    assert_false(alarm_is_open("agents.release", ""));
    tree_unref(one);
    tree_unref(half);
    tree_unref(two);
}

static void test_the_copy_on_disk_survives(void **state)
{
    struct tree *one = release_of(GOOD("a", "1"), GOOD("b", "1")), *again = NULL;
    char why[256], command[128];
    int64_t id = 0;

    (void)state;
    assert_int_equal(release_copy_read(s.folder, &again, &id), -ENOENT);
    assert_int_equal(tree_to_json(one, &s.text, why, sizeof(why)), 0);
    assert_int_equal(release_copy_write(s.folder, (struct rd_str){s.text.data, s.text.n}, 42), 0);
    assert_int_equal(release_copy_read(s.folder, &again, &id), 0);
    assert_int_equal(id, 42);
    assert_string_equal(tree_hash(again), tree_hash(one));
    tree_unref(again);
    again = NULL;
    (void)snprintf(command, sizeof(command), "truncate -s 40 %s/agents-release.json", s.folder);
    assert_int_equal(system(command), 0);
    assert_true(release_copy_read(s.folder, &again, &id) < 0);
    assert_null(again);
    tree_unref(one);
}

static long resident_kb(void)
{
    long pages = 0;
    FILE *f = fopen("/proc/self/statm", "re");

    assert_non_null(f);
    assert_int_equal(fscanf(f, "%*d %ld", &pages), 1);
    (void)fclose(f);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

/* RINGDOWN_RELOADS makes it longer: see the stage `reloads` of scripts/test. A call holds a version
 * every now and then, for a while. */
static void test_many_reloads_leave_nothing_behind(void **state)
{
    const char *given = getenv("RINGDOWN_RELOADS");
    long n = given ? strtol(given, NULL, 10) : RELOADS, early = 0;
    const struct agent_info *held[16] = {NULL};
    char prompt[64];

    (void)state;
    write_agent("steady", "'Always the same.'");
    write_agent("a", "'0.'");
    start("folder", "off", NULL);
    for (long i = 1; i <= n; i++) {
        struct agent_set *set;

        (void)snprintf(prompt, sizeof(prompt), i % 10 ? "'%ld.'" : "'%ld.', promtp = 1", i);
        write_agent("a", prompt);
        assert_non_null(strstr(ask(), i % 10 ? "\"errors\":[]" : "promtp"));
        set = script_pool_agents(s.pool);
        agent_let_go(held[i % 16]);
        held[i % 16] = agent_hold(agent_by_name(set, RD_STR("a")));
        agent_set_unref(set);
        assert_in_range(agent_living_count(), 2, 18);
        if (i == n / 10)
            early = resident_kb();
        if (given && i % (n / 10) == 0)
            print_message("%ld reloads: %ld KB resident, %zu versions\n", i, resident_kb(),
                          agent_living_count());
    }
    for (int i = 0; i < 16; i++)
        agent_let_go(held[i]);
    assert_int_equal(agent_living_count(), 2);
    if (given) /* a sanitizer's quarantine grows by itself, so only the long one looks */
        assert_true(resident_kb() - early <= early / 20 + 512);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_save_is_taken_by_itself, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_without_watching_it_waits_to_be_asked, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_a_broken_edit_keeps_the_old_until_it_is_mended, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_a_folder_that_is_gone_changes_nothing, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_a_release_is_taken_whole_or_not_at_all, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_the_copy_on_disk_survives, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_many_reloads_leave_nothing_behind, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
