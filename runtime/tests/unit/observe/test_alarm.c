/* SPDX-License-Identifier: Apache-2.0 */
/* Told once, counted, kept until it is over. */
#include "base/log.h"
#include "observe/alarm.h"
#include "observe/metrics.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static atomic_ullong unix_later_us; /* the wall clock is ahead */

int clock_gettime(clockid_t which, struct timespec *out)
{
    long rc = syscall(SYS_clock_gettime, which, out);

    if (which == CLOCK_REALTIME)
        out->tv_sec += (time_t)(atomic_load(&unix_later_us) / 1000000);
    return (int)rc;
}

static struct alarm kept[2 * ALARMS_MAX];
static size_t n_kept;

static void keep(void *arg, const struct alarm *a)
{
    (void)arg;
    if (n_kept < sizeof(kept) / sizeof(kept[0]))
        kept[n_kept++] = *a;
}

static int clean(void **state)
{
    (void)state;
    alarm_reset();
    metrics_reset();
    n_kept = 0;
    alarm_sink(keep, NULL);
    return 0;
}

static void disk_is_full(void)
{
    alarm_raise(ALARM_CRITICAL, "journal.disk", NULL, "the disk is full", "free some space");
}

static void test_an_alarm_is_told_once_and_counted_until_it_is_over(void **state)
{
    uint64_t told = log_count(LOG_ERROR);
    struct alarm open[4];

    (void)state;
    for (int i = 0; i < 3; i++)
        disk_is_full();
    assert_int_equal(log_count(LOG_ERROR) - told, 1);
    assert_int_equal(metric_value(M_ALARMS), 1);
    assert_int_equal(n_kept, 1);
    assert_true(kept[0].open);
    assert_int_equal(alarm_list(open, 4), 1);
    assert_int_equal(open[0].count, 3);
    assert_string_equal(open[0].subject, "");
    assert_string_equal(open[0].fix, "free some space");

    alarm_clear("journal.disk", NULL);
    assert_int_equal(n_kept, 2);
    assert_false(kept[1].open);
    assert_int_equal(kept[1].count, 3);
    assert_int_equal(kept[1].raised_unix_us, kept[0].raised_unix_us);
    assert_int_equal(alarm_list(open, 4), 0);
}

static void test_what_grows_louder_is_told_again_and_so_is_what_grows_quieter(void **state)
{
    uint64_t told = log_count(LOG_ERROR);
    struct alarm open[2];

    (void)state;
    alarm_raise(ALARM_WARNING, "disk.low", NULL, "2 GB are free", "free some space");
    for (int i = 0; i < 3; i++)
        alarm_raise(ALARM_CRITICAL, "disk.low", NULL, "nothing is free", "free it now");
    assert_int_equal(log_count(LOG_ERROR) - told, 2);
    assert_int_equal(metric_value(M_ALARMS), 1); /* the same one */
    assert_int_equal(n_kept, 2);
    assert_true(kept[1].open);
    assert_int_equal(kept[1].severity, ALARM_CRITICAL);
    assert_string_equal(kept[1].text, "nothing is free");
    assert_string_equal(kept[1].fix, "free it now");
    assert_int_equal(kept[1].count, 2);
    assert_int_equal(kept[1].raised_unix_us, kept[0].raised_unix_us);
    alarm_raise(ALARM_WARNING, "disk.low", NULL, "1 GB is free", "free some space");
    assert_int_equal(n_kept, 3);
    assert_int_equal(alarm_list(open, 2), 1);
    assert_int_equal(open[0].severity, ALARM_WARNING);
    assert_int_equal(open[0].count, 5);
}

static void test_other_words_are_shown_at_once_and_told_once_a_minute(void **state)
{
    struct alarm open[1];
    char text[16];

    (void)state;
    for (int i = 0; i < 9; i++) {
        snprintf(text, sizeof(text), "%d MB are free", i);
        alarm_raise(ALARM_WARNING, "disk.low", NULL, text, "free some space");
    }
    assert_int_equal(n_kept, 1);
    assert_int_equal(alarm_list(open, 1), 1);
    assert_string_equal(open[0].text, "8 MB are free");
    unix_later_us += 60000000;
    alarm_raise(ALARM_WARNING, "disk.low", NULL, text, "free some space");
    assert_int_equal(n_kept, 2);
    assert_string_equal(kept[1].text, "8 MB are free");
    unix_later_us += 60000000;
    alarm_raise(ALARM_WARNING, "disk.low", NULL, text, "free some space");
    assert_int_equal(n_kept, 2);
}

static void test_what_comes_back_is_a_new_alarm(void **state)
{
    (void)state;
    disk_is_full();
    alarm_clear("journal.disk", "");
    disk_is_full();
    assert_int_equal(metric_value(M_ALARMS), 2);
    assert_int_equal(n_kept, 3);
    assert_int_equal(kept[2].count, 1);
}

static void test_clearing_what_is_not_open_is_nothing(void **state)
{
    (void)state;
    alarm_clear("journal.disk", NULL);
    disk_is_full();
    alarm_clear("journal.disk", "another file");
    assert_int_equal(n_kept, 1);
    assert_int_equal(metric_gauge_value(G_ALARMS), 1);
}

static void test_each_subject_has_its_own_alarm_and_the_oldest_is_listed_first(void **state)
{
    struct alarm open[2];
    char agent[8];

    (void)state;
    for (int i = 0; i < 4; i++) {
        snprintf(agent, sizeof(agent), "a%d", i);
        alarm_raise(ALARM_WARNING, "agent.not_loaded", agent, "broken", "mend it");
    }
    alarm_clear("agent.not_loaded", "a0");
    alarm_raise(ALARM_WARNING, "agent.not_loaded", "a4", "broken", "mend it"); /* in a0's place */
    assert_int_equal(metric_gauge_value(G_ALARMS), 4);
    assert_int_equal(alarm_list(open, 2), 2);
    assert_string_equal(open[0].subject, "a1");
    assert_string_equal(open[1].subject, "a2");
}

static void test_a_long_text_is_cut_between_characters(void **state)
{
    char text[2 * ALARM_TEXT + 1];
    struct alarm a;

    (void)state;
    for (size_t i = 0; i < ALARM_TEXT; i++)
        memcpy(text + 2 * i, "\xC3\xBC", 2);
    text[2 * ALARM_TEXT] = '\0';
    alarm_raise(ALARM_WARNING, "k", "s", text, NULL);
    assert_int_equal(alarm_list(&a, 1), 1);
    assert_int_equal(strlen(a.text), ALARM_TEXT - 2);
    assert_string_equal(a.fix, "");
    alarm_raise(ALARM_WARNING, text, text, "x", "y");
    alarm_raise(ALARM_WARNING, text, text, "x", "y"); /* the same one, though it was cut */
    assert_int_equal(metric_gauge_value(G_ALARMS), 2);
}

static void test_a_full_table_still_tells_but_not_in_a_flood(void **state)
{
    uint64_t told = log_count(LOG_ERROR);
    struct alarm open[ALARMS_MAX];
    char subject[16];

    (void)state;
    for (int i = 0; i < 2 * ALARMS_MAX; i++) {
        snprintf(subject, sizeof(subject), "%d", i);
        alarm_raise(ALARM_WARNING, "k", subject, "x", "y");
    }
    assert_int_equal(alarm_list(open, ALARMS_MAX), ALARMS_MAX);
    assert_string_equal(open[0].subject, "0");
    assert_int_equal(n_kept, ALARMS_MAX);
    assert_in_range(log_count(LOG_ERROR) - told, ALARMS_MAX + 1, ALARMS_MAX + 3);
    alarm_clear("k", "5");
    alarm_raise(ALARM_WARNING, "k", "new", "x", "y");
    assert_int_equal(n_kept, ALARMS_MAX + 2);
}

static void raise_another(void *arg, const struct alarm *a)
{
    (void)arg;
    if (strcmp(a->kind, "second") != 0)
        alarm_raise(ALARM_WARNING, "second", NULL, "the sink failed", "mend it");
}

static void test_a_sink_may_raise_an_alarm_itself(void **state)
{
    (void)state;
    alarm_sink(raise_another, NULL);
    disk_is_full();
    assert_int_equal(metric_gauge_value(G_ALARMS), 2);
}

static atomic_bool inside, left;

static void slow(void *arg, const struct alarm *a)
{
    (void)arg;
    (void)a;
    atomic_store(&inside, true);
    usleep(50000);
    atomic_store(&left, true);
}

static void *raise_one(void *arg)
{
    (void)arg;
    disk_is_full();
    return NULL;
}

static void test_a_sink_that_is_taken_away_is_not_inside_any_more(void **state)
{
    pthread_t thread;

    (void)state;
    alarm_sink(slow, NULL);
    assert_int_equal(pthread_create(&thread, NULL, raise_one, NULL), 0);
    while (!atomic_load(&inside))
        usleep(1000);
    alarm_sink(NULL, NULL);
    assert_true(atomic_load(&left));
    pthread_join(thread, NULL);
}

static void *raise_and_clear(void *arg)
{
    for (int i = 0; i < 200; i++) {
        alarm_raise(ALARM_WARNING, "shared", NULL, "x", "y");
        alarm_raise(ALARM_WARNING, "own", arg, "x", "y");
        alarm_clear("own", arg);
    }
    return NULL;
}

static void test_many_threads_leave_what_is_really_open(void **state)
{
    static char names[4][4] = {"t0", "t1", "t2", "t3"};
    pthread_t threads[4];
    struct alarm open[4];

    (void)state;
    alarm_sink(NULL, NULL);
    log_config(LOG_ERROR, LOG_LOGFMT);
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, raise_and_clear, names[i]), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(alarm_list(open, 4), 1);
    assert_int_equal(open[0].count, 800);
    assert_int_equal(metric_value(M_ALARMS), 801);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_an_alarm_is_told_once_and_counted_until_it_is_over, clean),
        cmocka_unit_test_setup(test_what_grows_louder_is_told_again_and_so_is_what_grows_quieter,
                               clean),
        cmocka_unit_test_setup(test_other_words_are_shown_at_once_and_told_once_a_minute, clean),
        cmocka_unit_test_setup(test_what_comes_back_is_a_new_alarm, clean),
        cmocka_unit_test_setup(test_clearing_what_is_not_open_is_nothing, clean),
        cmocka_unit_test_setup(test_each_subject_has_its_own_alarm_and_the_oldest_is_listed_first,
                               clean),
        cmocka_unit_test_setup(test_a_long_text_is_cut_between_characters, clean),
        cmocka_unit_test_setup(test_a_full_table_still_tells_but_not_in_a_flood, clean),
        cmocka_unit_test_setup(test_a_sink_may_raise_an_alarm_itself, clean),
        cmocka_unit_test_setup(test_a_sink_that_is_taken_away_is_not_inside_any_more, clean),
        cmocka_unit_test_setup(test_many_threads_leave_what_is_really_open, clean),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
