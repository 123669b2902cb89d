/* SPDX-License-Identifier: Apache-2.0 */
/* The loop: when things run in a turn, and that everything comes to an end. */
#include "io/loop.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct story {
    struct loop *loop;
    struct loop_timer *timer, *other;
    char log[128];
};

static void note(struct story *s, const char *what)
{
    strncat(s->log, what, sizeof(s->log) - strlen(s->log) - 1);
}

struct item {
    struct loop_flush flush;
    struct story *story;
    struct item *then; /* queued while this one runs */
    const char *name;
};

static void on_flush(struct loop_flush *f)
{
    struct item *i = (struct item *)f;

    note(i->story, i->name);
    if (i->then)
        loop_flush_later(i->story->loop, &i->then->flush);
}

static void test_a_turn_flushes_each_once_in_order_and_what_they_add(void **state)
{
    struct story s = {0};
    struct item c = {{.flush = on_flush}, &s, NULL, "c"};
    struct item a = {{.flush = on_flush}, &s, &c, "a"};
    struct item b = {{.flush = on_flush}, &s, NULL, "b"};
    struct item x = {{.flush = on_flush}, &s, NULL, "x"};

    (void)state;
    assert_int_equal(loop_new(&s.loop), 0);
    loop_flush_later(s.loop, &a.flush);
    loop_flush_later(s.loop, &x.flush);
    loop_flush_later(s.loop, &b.flush);
    loop_flush_later(s.loop, &a.flush); /* twice is once */
    loop_flush_cancel(s.loop, &x.flush);
    loop_flush_cancel(s.loop, &x.flush);
    loop_run(s.loop);
    assert_string_equal(s.log, "abc");
    loop_flush_later(s.loop, &b.flush);
    loop_flush_cancel(s.loop, &b.flush); /* the last one: the list's end moves */
    loop_flush_later(s.loop, &c.flush);
    loop_run(s.loop);
    assert_string_equal(s.log, "abcc");
    loop_free(s.loop);
}

static struct item *later;

static void timer_that_flushes(void *arg)
{
    struct story *s = arg;

    note(s, "t");
    loop_flush_later(s->loop, &later->flush);
    loop_timer_free(s->timer); /* from its own callback */
}

static void test_what_a_timer_queues_is_flushed_before_the_loop_waits(void **state)
{
    struct story s = {0};
    struct item f = {{.flush = on_flush}, &s, NULL, "f"};

    (void)state;
    later = &f;
    assert_int_equal(loop_new(&s.loop), 0);
    assert_int_equal(loop_timer_new(&s.timer, s.loop, timer_that_flushes, &s), 0);
    loop_timer_in(s.timer, 0);
    loop_run(s.loop);
    assert_string_equal(s.log, "tf");
    loop_free(s.loop);
}

static void on_tick(void *arg)
{
    note(arg, "1");
}

static void on_tock(void *arg)
{
    note(arg, "2");
}

static void test_timers_run_by_deadline_and_move_when_started_again(void **state)
{
    struct story s = {0};
    uint64_t now;

    (void)state;
    assert_int_equal(loop_new(&s.loop), 0);
    assert_int_equal(loop_timer_new(&s.timer, s.loop, on_tick, &s), 0);
    assert_int_equal(loop_timer_new(&s.other, s.loop, on_tock, &s), 0);
    now = clock_ms(loop_clock());
    loop_timer_at(s.timer, now + 1000000);
    loop_timer_at(s.other, now + 1);
    loop_timer_at(s.timer, now + 3);
    loop_run(s.loop);
    assert_string_equal(s.log, "21");
    assert_true(clock_ms(loop_clock()) >= now + 3);
    loop_timer_at(s.timer, 1); /* long ago: now */
    loop_timer_stop(s.other);  /* idle: fine */
    loop_run(s.loop);
    assert_string_equal(s.log, "211");
    loop_timer_free(s.timer);
    loop_timer_free(s.other);
    loop_timer_free(NULL);
    loop_free(s.loop);
}

static void work(void *arg)
{
    note(arg, "w");
}

static void done(void *arg)
{
    note(arg, "d");
}

static void test_work_runs_then_done_on_the_loop(void **state)
{
    struct story s = {0};

    (void)state;
    assert_int_equal(loop_new(&s.loop), 0);
    assert_int_equal(loop_work(s.loop, work, done, &s), 0);
    loop_run(s.loop);
    assert_string_equal(s.log, "wd");
    loop_free(s.loop);
}

static void test_freeing_a_loop_waits_for_its_work(void **state)
{
    struct story s = {0};

    (void)state;
    assert_int_equal(loop_new(&s.loop), 0);
    assert_int_equal(loop_work(s.loop, work, done, &s), 0);
    loop_free(s.loop);
    assert_string_equal(s.log, "wd");
}

static void on_signal(int signum, void *arg)
{
    struct story *s = arg;

    note(s, signum == SIGUSR1 ? "u" : "?");
    loop_stop(s->loop);
}

static void never(void *arg)
{
    (void)arg;
    fail();
}

static void test_signals_arrive_on_the_loop_and_stop_leaves_open_handles(void **state)
{
    struct story s = {0};

    (void)state;
    assert_int_equal(loop_new(&s.loop), 0);
    assert_int_equal(loop_timer_new(&s.timer, s.loop, never, &s), 0);
    loop_timer_in(s.timer, 60000);
    assert_int_equal(loop_on_signal(s.loop, SIGUSR1, on_signal, &s), 0);
    raise(SIGUSR1);
    loop_run(s.loop);
    assert_string_equal(s.log, "u");
    loop_timer_free(s.timer);
    loop_free(s.loop);
}

static void busy(void *arg)
{
    uint64_t until = clock_us(loop_clock()) + 3000;

    (void)arg;
    while (clock_us(loop_clock()) < until)
        ;
}

static void test_lag_tells_the_worst_turn(void **state)
{
    struct story s = {0};
    struct loop_lag lag;

    (void)state;
    assert_int_equal(loop_new(&s.loop), 0);
    assert_int_equal(loop_timer_new(&s.timer, s.loop, busy, &s), 0);
    loop_timer_in(s.timer, 0);
    loop_run(s.loop);
    lag = loop_lag_take(s.loop);
    assert_true(lag.turns >= 1);
    assert_true(lag.worst_us >= 3000);
    assert_true(lag.mean_us <= lag.worst_us);
    lag = loop_lag_take(s.loop);
    assert_int_equal(lag.turns, 0);
    assert_int_equal(lag.worst_us, 0);
    loop_timer_free(s.timer);
    loop_free(s.loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_turn_flushes_each_once_in_order_and_what_they_add),
        cmocka_unit_test(test_what_a_timer_queues_is_flushed_before_the_loop_waits),
        cmocka_unit_test(test_timers_run_by_deadline_and_move_when_started_again),
        cmocka_unit_test(test_work_runs_then_done_on_the_loop),
        cmocka_unit_test(test_freeing_a_loop_waits_for_its_work),
        cmocka_unit_test(test_signals_arrive_on_the_loop_and_stop_leaves_open_handles),
        cmocka_unit_test(test_lag_tells_the_worst_turn),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
