/* SPDX-License-Identifier: Apache-2.0 */
/* test_timetable.c - what a node does by itself, beat by beat, in a time of our own. The library is one
 * module whose operations tell by a fact that they ran. */
#include "base/err.h"
#include "base/log.h"
#include "gateway/timetable.h"
#include "observe/alarm.h"
#include "observe/metrics.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { PATIENCE_MS = 60000, A_SECOND_US = 1000000 };

static const char library[] =
    "local host = require 'ringdown.host'\n"
    "local M = {}\n"
    "function M.operate(kind, json)\n"
    "  if kind == 'timed' then return host.kept 'timed.json' or '{}' end\n"
    "  host.fact(kind, '{}')\n"
    "  if json ~= '{}' then host.fact(json:match '^{\"away_ms\":%d+}$' and 'away' or json, '{}') "
    "end\n"
    "  if kind == 'long' then while not host.stopping() do host.sleep(1) end end\n"
    "  if kind == 'fails' then error('the door is locked', 0) end\n"
    "  return '{}'\n"
    "end\n"
    "return M\n";

static struct settings settings;
static struct node node;
static char folder[64], data[80];

/* --- the world --- */

static struct {
    pthread_mutex_t lock;
    unsigned n;
    char kinds[64][32];
} ran = {.lock = PTHREAD_MUTEX_INITIALIZER};

static uint64_t now_us;

static uint64_t what_time(void *arg)
{
    (void)arg;
    return now_us;
}

static const struct clock our_time = {.now_us = what_time};

static void keep_fact(void *arg, const struct script_fact *f)
{
    (void)arg;
    pthread_mutex_lock(&ran.lock);
    assert_true(ran.n < 64);
    (void)snprintf(ran.kinds[ran.n++], sizeof(ran.kinds[0]), "%s", f->type);
    pthread_mutex_unlock(&ran.lock);
}

static void to_media(void *arg, unsigned media_thread, struct message *m)
{
    (void)arg;
    (void)media_thread;
    message_free(m);
}

static void put(const char *path, const char *text)
{
    char whole[200];
    FILE *f;

    (void)snprintf(whole, sizeof(whole), "%s/%s", folder, path);
    f = fopen(whole, "we");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

static void make(const char *below)
{
    char whole[200];

    (void)snprintf(whole, sizeof(whole), "%s/%s", folder, below);
    assert_int_equal(mkdir(whole, 0700), 0);
}

static int set_up(void **state)
{
    char kept[100];
    struct script_opts o = {.threads = 1,
                            .mailbox_capacity = 64,
                            .agents_path = folder,
                            .library_path = folder,
                            .kept_path = kept,
                            .call_deadline_ms = 1000,
                            .to_media = to_media,
                            .keep_fact = keep_fact};

    (void)state;
    log_config(LOG_ERROR, LOG_LOGFMT);
    memset(&node, 0, sizeof(node));
    ran.n = 0;
    now_us = 3600 * (uint64_t)A_SECOND_US;
    (void)snprintf(folder, sizeof(folder), "/tmp/timetable-XXXXXX");
    assert_non_null(mkdtemp(folder));
    make("ringdown");
    make("data");
    make("data/kept");
    put("ringdown/runtime.lua", library);
    (void)snprintf(data, sizeof(data), "%s/data", folder);
    (void)snprintf(kept, sizeof(kept), "%s/kept", data);
    settings.data = data;
    node.settings = &settings;
    assert_int_equal(directory_new(&node.directory, 4, 0), 0);
    assert_int_equal(timetable_new(&node.timetable, &node, &our_time), 0);
    assert_int_equal(script_pool_start(&node.scripts, &o), 0);
    return 0;
}

static void stop(void)
{
    timetable_hush(node.timetable);
    script_pool_stop(node.scripts);
    node.scripts = NULL;
}

static int tear_down(void **state)
{
    char command[100];

    (void)state;
    stop();
    timetable_free(node.timetable);
    directory_free(node.directory);
    (void)snprintf(command, sizeof(command), "rm -rf %s", folder);
    return system(command);
}

static unsigned times(const char *kind)
{
    unsigned n = 0;

    pthread_mutex_lock(&ran.lock);
    for (unsigned i = 0; i < ran.n; i++)
        n += strcmp(ran.kinds[i], kind) == 0;
    pthread_mutex_unlock(&ran.lock);
    return n;
}

static void wait_for(const char *kind, unsigned n)
{
    for (int i = 0; i < PATIENCE_MS && times(kind) < n; i++)
        usleep(1000);
    assert_int_equal(times(kind), n);
}

static void wait_for_ends(uint64_t all)
{
    for (int i = 0; i < PATIENCE_MS && metric_value(M_OPERATIONS) < all; i++)
        usleep(1000);
    assert_int_equal(metric_value(M_OPERATIONS), all);
}

/* All that was asked for before has begun: there is one thread, and it takes them in their order. */
static void settle(void)
{
    unsigned n = times("after_all");

    assert_int_equal(node_operate(&node, "after_all", "{}"), 0);
    wait_for("after_all", n + 1);
}

/* The first beat asks what there is to do. */
static void begin(const char *timed)
{
    uint64_t before = metric_value(M_OPERATIONS);

    put("data/kept/timed.json", timed);
    timetable_beat(node.timetable, true);
    wait_for_ends(before + 1);
}

/* --- stories --- */

static void test_what_is_due_is_begun_and_then_not_for_a_while(void **state)
{
    (void)state;
    begin("{\"guards\":{\"every_s\":60}}");
    timetable_beat(node.timetable, true);
    wait_for("guards", 1);
    settle();
    timetable_beat(node.timetable, true);
    settle();
    assert_int_equal(times("guards"), 1);
}

static void test_it_comes_again_at_its_time(void **state)
{
    (void)state;
    begin("{\"sweep\":{\"every_s\":1}}");
    timetable_beat(node.timetable, true);
    wait_for("sweep", 1);
    settle();
    now_us += A_SECOND_US;
    timetable_beat(node.timetable, true);
    wait_for("sweep", 2);
}

static void test_a_follower_does_only_what_each_node_must(void **state)
{
    (void)state;
    begin("{\"guards\":{\"every_s\":60},\"sweep\":{\"every_s\":60,\"everywhere\":true}}");
    timetable_beat(node.timetable, false);
    wait_for("sweep", 1);
    settle();
    assert_int_equal(times("guards"), 0);
    timetable_beat(node.timetable, true); /* it leads now */
    wait_for("guards", 1);
}

static void test_some_only_while_a_file_is_there(void **state)
{
    (void)state;
    begin("{\"sweep\":{\"every_s\":1,\"everywhere\":true,\"kept\":\"override.json\"}}");
    timetable_beat(node.timetable, false);
    settle();
    assert_int_equal(times("sweep"), 0);
    put("data/kept/override.json", "{}");
    timetable_beat(node.timetable, false);
    wait_for("sweep", 1);
}

static void test_some_when_the_database_does_not_answer(void **state)
{
    (void)state;
    begin("{\"guards\":{\"every_s\":1,\"everywhere\":true},"
          "\"tell\":{\"every_s\":1,\"everywhere\":true,\"kept\":\"told.json\",\"alone\":true}}");
    timetable_beat_alone(node.timetable);
    wait_for("tell", 1);
    settle();
    assert_int_equal(times("guards"), 0);
    assert_int_equal(times("away"), 1); /* it knows for how long */
    now_us += A_SECOND_US;
    timetable_beat(node.timetable,
                   false); /* it is back, and there is nothing to be told any more */
    wait_for("guards", 1);
    settle();
    assert_int_equal(times("tell"), 1);
}

static void test_there_are_never_two_of_a_kind(void **state)
{
    (void)state;
    begin("{\"long\":{\"every_s\":1}}");
    timetable_beat(node.timetable, true);
    wait_for("long", 1);
    now_us += A_SECOND_US;
    timetable_beat(node.timetable, true);
    settle();
    assert_int_equal(times("long"), 1);
    stop(); /* and it ends when the node does */
}

static void on_held(void *arg, const struct operation_end *e)
{
    (void)e;
    atomic_fetch_sub((atomic_uint *)arg, 1);
}

static void test_one_without_a_place_is_told_and_comes_when_there_is_one(void **state)
{
    struct alarm open[4];
    atomic_bool over = false;
    atomic_uint held = 0;
    struct operation_order o = {
        .kind = "long", .json = RD_STR("{}"), .stop = &over, .done = on_held, .arg = &held};

    (void)state;
    alarm_reset();
    begin("{\"guards\":{\"every_s\":1}}");
    while (script_pool_operate(node.scripts, &o) == 0)
        atomic_fetch_add(&held, 1);
    timetable_beat(node.timetable, true);
    assert_int_equal(alarm_list(open, 4), 0);
    now_us += 3 * A_SECOND_US;
    timetable_beat(node.timetable, true);
    timetable_beat(node.timetable, true);
    assert_int_equal(alarm_list(open, 4), 1);
    assert_string_equal(open[0].kind, "operation.late");
    assert_string_equal(open[0].subject, "guards");
    assert_int_equal(times("guards"), 0);
    atomic_store(&over, true);
    for (int i = 0; i < PATIENCE_MS && held > 0; i++)
        usleep(1000);
    for (int i = 0; i < PATIENCE_MS && times("guards") == 0; i++) {
        timetable_beat(node.timetable, true); /* a place is free a moment after its end was told */
        usleep(1000);
    }
    assert_int_equal(times("guards"), 1);
    assert_int_equal(alarm_list(open, 4), 0);
}

static void test_what_is_asked_for_leaves_room_for_what_is_due(void **state)
{
    (void)state;
    begin("{\"guards\":{\"every_s\":60}}");
    for (int i = 0; i < 3; i++)
        assert_int_equal(node_operate(&node, "long", "{}"), 0);
    assert_int_equal(node_operate(&node, "long", "{}"), RD_EFULL);
    timetable_beat(node.timetable, true);
    wait_for("guards", 1);
}

static void test_one_that_fails_is_counted(void **state)
{
    uint64_t failed = metric_value(M_OPERATION_FAILED), ended;

    (void)state;
    begin("{\"fails\":{\"every_s\":60}}");
    ended = metric_value(M_OPERATIONS);
    timetable_beat(node.timetable, true);
    wait_for_ends(ended + 1);
    assert_int_equal(metric_value(M_OPERATION_FAILED), failed + 1);
}

static void test_a_timetable_that_cannot_be_read_begins_nothing(void **state)
{
    uint64_t before = metric_value(M_OPERATION_FAILED);

    (void)state;
    begin("{\"guards\":{\"every_s\":60},\"sweep\":{\"every_s\":\"often\"}}");
    timetable_beat(node.timetable, true);
    settle();
    assert_int_equal(times("guards"), 0);
    assert_int_equal(metric_value(M_OPERATION_FAILED), before + 1);
}

static void test_a_node_that_leaves_begins_nothing(void **state)
{
    (void)state;
    begin("{\"guards\":{\"every_s\":60}}");
    directory_drain(node.directory);
    timetable_beat(node.timetable, true);
    settle();
    assert_int_equal(times("guards"), 0);
}

static void test_what_runs_is_told_when_the_node_leaves(void **state)
{
    uint64_t ended;

    (void)state;
    begin("{\"long\":{\"every_s\":60}}");
    ended = metric_value(M_OPERATIONS);
    timetable_beat(node.timetable, true);
    wait_for("long", 1);
    directory_drain(node.directory);
    timetable_beat(node.timetable, true);
    wait_for_ends(ended + 1);
}

static void test_one_may_be_asked_for_out_of_turn(void **state)
{
    (void)state;
    assert_int_equal(node_operate(&node, "joined", "{\"call\":\"CA1\"}"), 0);
    wait_for("joined", 1);
}

int main(void)
{
#define LIVES(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        LIVES(test_what_is_due_is_begun_and_then_not_for_a_while),
        LIVES(test_it_comes_again_at_its_time),
        LIVES(test_a_follower_does_only_what_each_node_must),
        LIVES(test_some_only_while_a_file_is_there),
        LIVES(test_some_when_the_database_does_not_answer),
        LIVES(test_there_are_never_two_of_a_kind),
        LIVES(test_one_without_a_place_is_told_and_comes_when_there_is_one),
        LIVES(test_what_is_asked_for_leaves_room_for_what_is_due),
        LIVES(test_one_that_fails_is_counted),
        LIVES(test_a_timetable_that_cannot_be_read_begins_nothing),
        LIVES(test_a_node_that_leaves_begins_nothing),
        LIVES(test_what_runs_is_told_when_the_node_leaves),
        LIVES(test_one_may_be_asked_for_out_of_turn),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
