/* SPDX-License-Identifier: Apache-2.0 */
/* A process leaves: nobody is cut off, and somebody whose life may hang on the call has a minute more. */
#include "cli/drain.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum { START_MS = 5000, SECONDS = 300, OVER_MS = START_MS + SECONDS * 1000, LOOK_MS = 200 };

static struct drain d;

static int set_up(void **state)
{
    (void)state;
    memset(&d, 0, sizeof(d));
    drain_begin(&d, START_MS, SECONDS);
    return 0;
}

static enum drain_step look(uint64_t now_ms, unsigned calls)
{
    return drain_look(&d, now_ms, (struct drain_left){.calls = calls, .busy = calls});
}

/* The time of the next step other than to wait; `calls` do not end by themselves. */
static uint64_t next_step(uint64_t from_ms, unsigned calls, enum drain_step *step)
{
    for (uint64_t now = from_ms;; now += LOOK_MS) {
        *step = look(now, calls);
        if (*step != DRAIN_WAIT)
            return now;
        assert_true(now < from_ms + 1000000);
    }
}

static void test_calls_are_kept_until_the_deadline_and_then_handed_on_once(void **state)
{
    enum drain_step step;

    (void)state;
    assert_int_equal(next_step(START_MS, 3, &step), OVER_MS);
    assert_int_equal(step, DRAIN_HAND_ON);
    assert_int_equal(look(OVER_MS + LOOK_MS, 3), DRAIN_WAIT);
    assert_int_equal(next_step(OVER_MS + 1000, 0, &step), OVER_MS + DRAIN_SETTLE_MS);
    assert_int_equal(step, DRAIN_END); /* who asked meanwhile how their call goes on was answered */
}

static void test_a_life_has_a_minute_more_and_is_then_handed_on_too(void **state)
{
    uint64_t all_ms = OVER_MS + DRAIN_END_MS + DRAIN_LIFE_MS;
    enum drain_step step;

    (void)state;
    assert_int_equal(next_step(START_MS, 3, &step), OVER_MS);
    assert_int_equal(next_step(OVER_MS + LOOK_MS, 1, &step), all_ms);
    assert_int_equal(step, DRAIN_HAND_ON_ALL);
    assert_int_equal(next_step(all_ms + LOOK_MS, 1, &step), all_ms + DRAIN_END_MS);
    assert_int_equal(step, DRAIN_END); /* a leg that does not let go */
}

static void test_a_life_that_was_saved_within_the_minute_lets_the_process_leave(void **state)
{
    uint64_t saved_ms = OVER_MS + 30000;
    enum drain_step step;

    (void)state;
    (void)next_step(START_MS, 1, &step);
    for (uint64_t now = OVER_MS + LOOK_MS; now < saved_ms; now += LOOK_MS)
        assert_int_equal(look(now, 1), DRAIN_WAIT);
    assert_int_equal(next_step(saved_ms, 0, &step), saved_ms + DRAIN_QUIET_MS - LOOK_MS);
    assert_int_equal(step, DRAIN_END);
}

static void test_without_calls_there_is_nothing_to_wait_for(void **state)
{
    (void)state;
    assert_int_equal(look(START_MS, 0), DRAIN_END);
}

static void test_who_handed_over_waits_for_what_came_through_the_door_and_for_scripts(void **state)
{
    (void)state;
    memset(&d, 0, sizeof(d));
    drain_given(&d, START_MS);
    drain_begin(&d, START_MS, SECONDS);
    assert_int_equal(look(START_MS, 0), DRAIN_WAIT);
    assert_int_equal(drain_look(&d, START_MS + 2900, (struct drain_left){.busy = 1}), DRAIN_WAIT);
    assert_int_equal(look(START_MS + 3000, 0), DRAIN_WAIT); /* Twilio asks what follows */
    assert_int_equal(look(START_MS + 4900, 0), DRAIN_END);
}

static void test_processes_that_hear_through_us_are_waited_for_until_the_deadline(void **state)
{
    (void)state;
    assert_int_equal(drain_look(&d, OVER_MS - 1, (struct drain_left){.peers = 1}), DRAIN_WAIT);
    assert_int_equal(drain_look(&d, OVER_MS, (struct drain_left){.peers = 1}), DRAIN_HAND_ON);
    assert_int_equal(drain_look(&d, OVER_MS + 3000, (struct drain_left){.peers = 1}), DRAIN_END);
}

#define STORY(t) cmocka_unit_test_setup(t, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(test_calls_are_kept_until_the_deadline_and_then_handed_on_once),
        STORY(test_a_life_has_a_minute_more_and_is_then_handed_on_too),
        STORY(test_a_life_that_was_saved_within_the_minute_lets_the_process_leave),
        STORY(test_without_calls_there_is_nothing_to_wait_for),
        STORY(test_who_handed_over_waits_for_what_came_through_the_door_and_for_scripts),
        STORY(test_processes_that_hear_through_us_are_waited_for_until_the_deadline),
    };

    return cmocka_run_group_tests_name("drain", tests, NULL, NULL);
}
