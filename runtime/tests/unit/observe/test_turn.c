/* SPDX-License-Identifier: Apache-2.0 */
/* How long the turns of a loop took in which sound went on. */
#include "observe/metrics.h"
#include "observe/turn.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static uint64_t counted(enum metric_histogram h)
{
    return metric_summarise(h).count;
}

static void test_turns_with_sound_are_sampled(void **state)
{
    (void)state;
    metrics_reset();
    for (int i = 0; i < 10 * TURN_SAMPLE; i++) {
        turn_mark(TURN_AUDIO);
        turn_mark(TURN_AUDIO); /* two calls, one turn */
        turn_over(120);
        turn_over(9999); /* one without */
    }
    assert_int_equal(counted(H_FRAME_DELAY_US), 10);
    assert_int_equal(metric_summarise(H_FRAME_DELAY_US).max, 120);
    assert_int_equal(counted(H_BARGE_IN_US), 0);
}

static void test_each_barge_in_is_counted(void **state)
{
    (void)state;
    metrics_reset();
    for (int i = 0; i < 3; i++) {
        turn_mark(TURN_AUDIO);
        turn_mark(TURN_BARGE_IN);
        turn_over(300);
    }
    assert_int_equal(counted(H_BARGE_IN_US), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_turns_with_sound_are_sampled),
        cmocka_unit_test(test_each_barge_in_is_counted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
