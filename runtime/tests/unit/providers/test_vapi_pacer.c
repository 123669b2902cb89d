/* SPDX-License-Identifier: Apache-2.0 */
/* test_vapi_pacer.c - sound that comes faster than it plays. */
#include "base/err.h"
#include "providers/vapi/pacer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static uint8_t sound[100000];

static size_t take_all(struct pacer *p, bool rest, uint64_t now_us)
{
    size_t n, sum = 0;

    while (pacer_take(p, rest, now_us, &n)) {
        assert_in_range(n, 1, PACER_PIECE);
        assert_true(rest || n % 3 == 0);
        sum += n;
    }
    return sum;
}

static void test_what_comes_in_its_time_goes_on_at_once(void **state)
{
    struct pacer p;
    size_t sum = 0;

    (void)state;
    assert_int_equal(pacer_init(&p), 0);
    for (uint64_t frame = 0; frame < 500; frame++) {
        uint64_t now_us = 1000000 + frame * 20000;

        assert_int_equal(pacer_add(&p, sound, 160), 0);
        sum += take_all(&p, false, now_us);
        assert_true(sum + 3 > (frame + 1) * 160); /* but for what base64 keeps back */
        assert_true(pacer_plays(&p, now_us));
    }
    sum += take_all(&p, true, 1000000 + 500 * 20000);
    assert_int_equal(sum, 500 * 160);
    assert_int_equal(pacer_due_us(&p, true), 0);
    pacer_fini(&p);
}

static void test_a_burst_leaves_a_little_ahead_of_real_time(void **state)
{
    struct pacer p;
    uint64_t now_us = 5000000;
    size_t sum, ahead = (PACER_AHEAD_MS + 60) * 8;

    (void)state;
    assert_int_equal(pacer_init(&p), 0);
    assert_int_equal(pacer_add(&p, sound, 80000), 0); /* ten seconds at once */
    sum = take_all(&p, false, now_us);
    assert_in_range(sum, PACER_AHEAD_MS * 8, ahead);
    while (pacer_due_us(&p, false)) {
        assert_true(pacer_due_us(&p, false) > now_us); /* no timer that is always due */
        now_us = pacer_due_us(&p, false);
        sum += take_all(&p, false, now_us);
        assert_in_range(sum, 1, (now_us - 5000000) / 1000 * 8 + ahead);
    }
    sum += take_all(&p, true, now_us + 60000);
    assert_int_equal(sum, 80000);
    assert_in_range(now_us, 5000000 + 9400000, 5000000 + 10000000); /* no drift in ten seconds */
    pacer_fini(&p);
}

static void test_what_is_dropped_was_never_said(void **state)
{
    struct pacer p;

    (void)state;
    assert_int_equal(pacer_init(&p), 0);
    assert_int_equal(pacer_add(&p, sound, 80000), 0);
    (void)take_all(&p, false, 1000000);
    pacer_drop(&p);
    assert_false(pacer_waits(&p));
    assert_false(pacer_plays(&p, 1000000));
    assert_int_equal(take_all(&p, true, 2000000), 0);
    assert_int_equal(pacer_add(&p, sound, 480), 0); /* and the next sentence begins at once */
    assert_int_equal(take_all(&p, false, 1000001), 480);
    pacer_fini(&p);
}

static void test_an_endless_burst_is_bounded(void **state)
{
    struct pacer p;
    int rc = 0;
    size_t sum = 0;

    (void)state;
    assert_int_equal(pacer_init(&p), 0);
    while (!rc) {
        rc = pacer_add(&p, sound, sizeof(sound));
        sum += rc ? 0 : sizeof(sound);
    }
    assert_int_equal(rc, RD_EFULL);
    assert_in_range(sum, PACER_MAX - sizeof(sound), PACER_MAX);
    pacer_fini(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_comes_in_its_time_goes_on_at_once),
        cmocka_unit_test(test_a_burst_leaves_a_little_ahead_of_real_time),
        cmocka_unit_test(test_what_is_dropped_was_never_said),
        cmocka_unit_test(test_an_endless_burst_is_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
