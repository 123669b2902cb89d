/* SPDX-License-Identifier: Apache-2.0 */
/* When to try again, and when not any more; in virtual time. */
#include "base/retry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct retry_policy patient = {.first_ms = 100, .max_ms = 3000};

/* The shortest and the longest that each delay may be. */
static void test_delays_double_up_to_a_limit_and_are_drawn_from_the_upper_half(void **state)
{
    static const uint32_t wholes[] = {100, 200, 400, 800, 1600, 3000, 3000, 3000};
    struct retry shortest, longest;

    (void)state;
    retry_init(&shortest, &patient, 0);
    retry_init(&longest, &patient, 0);
    for (size_t i = 0; i < sizeof(wholes) / sizeof(wholes[0]); i++) {
        assert_int_equal(retry_failed(&longest, 0, 0, 0), wholes[i]);
        assert_int_equal(retry_failed(&shortest, 0, 0, UINT32_MAX), wholes[i] - wholes[i] / 2);
    }
}

static void test_a_million_draws_stay_within_bounds_and_within_the_budget(void **state)
{
    static const struct retry_policy p = {.first_ms = 3, .max_ms = 70, .budget_ms = 1000};

    (void)state;
    srandom(7);
    for (int i = 0; i < 20000; i++) {
        uint64_t now = (uint64_t)random(), began = now, last = 0;
        struct retry r;
        int64_t delay;

        retry_init(&r, &p, now);
        while ((delay = retry_failed(&r, now, 0, (uint32_t)random() * 2u)) >= 0) {
            assert_in_range(delay, last / 2, p.max_ms);
            assert_in_range(delay, 2, p.max_ms);
            last = (uint64_t)delay;
            now += (uint64_t)delay;
            assert_in_range(now, began, began + p.budget_ms);
        }
    }
}

static void test_it_gives_up_after_so_many_attempts(void **state)
{
    static const struct retry_policy p = {.first_ms = 100, .max_ms = 1000, .attempts = 3};
    struct retry r;

    (void)state;
    retry_init(&r, &p, 0);
    assert_int_equal(retry_failed(&r, 0, 0, 0), 100);
    assert_int_equal(retry_failed(&r, 0, 0, 0), 200);
    assert_int_equal(retry_failed(&r, 0, 0, 0), -1);
}

static void test_what_the_peer_asks_for_is_honoured_whole_or_not_waited_for_at_all(void **state)
{
    static const struct retry_policy p = {.first_ms = 100, .max_ms = 1000, .budget_ms = 10000};
    struct retry r;

    (void)state;
    retry_init(&r, &p, 5000);
    assert_int_equal(retry_failed(&r, 5000, 9000, UINT32_MAX), 9000);
    assert_int_equal(retry_failed(&r, 14000, 1, 0), 200);
    assert_int_equal(retry_failed(&r, 14200, 9000, 0), -1);
}

static void test_success_makes_the_next_failure_a_first_one(void **state)
{
    static const struct retry_policy p = {.first_ms = 100, .max_ms = 1000, .attempts = 2};
    struct retry r;

    (void)state;
    retry_init(&r, &p, 0);
    assert_int_equal(retry_failed(&r, 0, 0, 0), 100);
    retry_worked(&r, 50);
    assert_int_equal(retry_failed(&r, 60, 0, 0), 100);
    assert_int_equal(retry_failed(&r, 60, 0, 0), -1);
}

/* 2026-11-22T12:00:00Z */
static const int64_t noon_ms = INT64_C(1795348800000);

static void test_retry_after_is_seconds_or_a_date(void **state)
{
    static const struct {
        const char *value;
        uint32_t ms;
    } values[] = {
        {"0", 0},
        {"7", 7000},
        {"86400", 3600000},
        {"99999999999999999999", 3600000},
        {"Sun, 22 Nov 2026 12:00:03 GMT", 3000},
        {"Sunday, 22-Nov-26 12:00:03 GMT", 3000},
        {"Sun Nov 22 12:00:03 2026", 3000},
        {"Sun, 22 Nov 2026 11:59:59 GMT", 0},
        {"Sun, 22 Nov 2027 12:00:00 GMT", 3600000},
        {"", 0},
        {"-5", 0},
        {"1.5", 0},
        {"soon", 0},
        {"Sun, 22 Nov 2026 12:00:03 GMT, and a long tail that nobody should ever read to its end",
         0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
        assert_int_equal(retry_after_ms(rd_str(values[i].value), noon_ms), values[i].ms);
    assert_int_equal(retry_after_ms((struct rd_str){NULL, 0}, noon_ms), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_delays_double_up_to_a_limit_and_are_drawn_from_the_upper_half),
        cmocka_unit_test(test_a_million_draws_stay_within_bounds_and_within_the_budget),
        cmocka_unit_test(test_it_gives_up_after_so_many_attempts),
        cmocka_unit_test(test_what_the_peer_asks_for_is_honoured_whole_or_not_waited_for_at_all),
        cmocka_unit_test(test_success_makes_the_next_failure_a_first_one),
        cmocka_unit_test(test_retry_after_is_seconds_or_a_date),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
