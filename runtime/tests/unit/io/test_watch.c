/* SPDX-License-Identifier: Apache-2.0 */
/* test_watch.c - real folders, real events: told once after each stir, and about nothing else. */
#include "io/watch.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { QUIET_MS = 40, MOST_MS = 200, PATIENCE_MS = 60000, STIRS = 2000 };

static struct story {
    char folder[64], below[80];
    struct loop *loop;
    struct watch *watch;
    struct loop_timer *timer;
    unsigned told, wanted, stirs;
    uint64_t told_ms, began_ms, stirred_ms,
        longest_ms; /* longest: without a stir, while it was not told */
} s;

static uint64_t now_ms(void)
{
    return clock_ms(loop_clock());
}

static void on_changed(void *arg)
{
    (void)arg;
    s.told_ms = now_ms();
    if (++s.told >= s.wanted)
        loop_stop(s.loop);
}

static void on_late(void *arg)
{
    (void)arg;
    loop_stop(s.loop);
}

static int set_up(void **state)
{
    struct watch_opts o = {.quiet_ms = QUIET_MS, .most_ms = MOST_MS, .changed = on_changed};

    (void)state;
    s = (struct story){.folder = "/tmp/watch-XXXXXX", .wanted = 1};
    assert_non_null(mkdtemp(s.folder));
    (void)snprintf(s.below, sizeof(s.below), "%s/lib", s.folder);
    assert_return_code(mkdir(s.below, 0700), errno);
    assert_int_equal(loop_new(&s.loop), 0);
    assert_int_equal(loop_timer_new(&s.timer, s.loop, on_late, NULL), 0);
    assert_int_equal(watch_new(&s.watch, s.loop, &o), 0);
    assert_int_equal(watch_folders(s.watch, (const char *const[]){s.folder, s.below, NULL}), 2);
    return 0;
}

static int tear_down(void **state)
{
    char command[100];

    (void)state;
    watch_free(s.watch);
    loop_timer_free(s.timer);
    loop_free(s.loop);
    (void)snprintf(command, sizeof(command), "rm -rf %s", s.folder);
    return system(command);
}

static void write_file(const char *folder, const char *name)
{
    char path[200];
    FILE *f;

    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    f = fopen(path, "we");
    assert_non_null(f);
    (void)fputs("return 1\n", f);
    assert_int_equal(fclose(f), 0);
}

/* Runs until it was told so often, at most `ms`. */
static void run_for(uint64_t ms)
{
    loop_timer_in(s.timer, ms);
    (void)loop_run(s.loop);
}

static void test_one_save_is_told_once(void **state)
{
    char from[200], to[200];

    (void)state;
    s.wanted = 100;
    write_file(s.folder, ".x.new");
    (void)snprintf(from, sizeof(from), "%s/.x.new", s.folder);
    (void)snprintf(to, sizeof(to), "%s/x.lua", s.folder);
    assert_return_code(rename(from, to), errno);
    run_for(6 * QUIET_MS);
    assert_int_equal(s.told, 1);
}

static void test_a_folder_below_is_watched_when_it_is_named(void **state)
{
    (void)state;
    write_file(s.below, "y.lua");
    run_for(PATIENCE_MS);
    assert_int_equal(s.told, 1);
    assert_int_equal(watch_folders(s.watch, (const char *const[]){s.folder, NULL}), 1);
    write_file(s.below, "z.lua");
    run_for(3 * QUIET_MS);
    assert_int_equal(s.told, 1);
}

static void test_another_folder_of_that_name_is_watched_anew(void **state)
{
    char command[200];

    (void)state;
    (void)snprintf(command, sizeof(command), "rm -rf %s && mkdir %s", s.below, s.below);
    assert_int_equal(system(command), 0);
    run_for(PATIENCE_MS);
    assert_int_equal(watch_folders(s.watch, (const char *const[]){s.folder, s.below, NULL}), 2);
    s.told = 0;
    write_file(s.below, "y.lua");
    run_for(PATIENCE_MS);
    assert_int_equal(s.told, 1);
}

static void stir(void *arg)
{
    struct loop_timer **t = arg;
    uint64_t now = now_ms();

    if (!s.told && now - s.stirred_ms > s.longest_ms)
        s.longest_ms = now - s.stirred_ms;
    write_file(s.folder, "busy.lua");
    s.stirred_ms = now_ms();
    if (++s.stirs < STIRS)
        loop_timer_in(*t, QUIET_MS / 4);
}

static void test_a_stir_without_end_is_told_all_the_same(void **state)
{
    struct loop_timer *t;

    (void)state;
    assert_int_equal(loop_timer_new(&t, s.loop, stir, &t), 0);
    s.began_ms = s.stirred_ms = now_ms();
    loop_timer_in(t, 0);
    run_for(PATIENCE_MS);
    assert_int_equal(s.told, 1);
    assert_true(s.told_ms - s.began_ms >= MOST_MS - QUIET_MS ||
                s.longest_ms > QUIET_MS / 2); /* a busy machine made a pause of it */
    assert_true(s.stirs < STIRS);
    loop_timer_free(t);
}

static void test_what_cannot_be_watched_is_passed_over(void **state)
{
    (void)state;
    assert_int_equal(
        watch_folders(s.watch, (const char *const[]){"/nowhere/at/all", s.folder, NULL}), 1);
    write_file(s.folder, "x.lua");
    run_for(PATIENCE_MS);
    assert_int_equal(s.told, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_one_save_is_told_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_folder_below_is_watched_when_it_is_named, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_another_folder_of_that_name_is_watched_anew, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_a_stir_without_end_is_told_all_the_same, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_what_cannot_be_watched_is_passed_over, set_up,
                                        tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
