/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers that call on and on: when they are told that the line is busy. */
#include "gateway/flood.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct rd_str shop = {"+13125550142", 12}, other = {"+13125550143", 12};

static struct flood *made(unsigned per_minute)
{
    struct flood *f;

    assert_int_equal(flood_new(&f, per_minute), 0);
    return f;
}

static unsigned busy_of(struct flood *f, struct rd_str from, unsigned calls, uint64_t from_ms,
                        uint64_t every_ms)
{
    unsigned busy = 0;

    for (unsigned i = 0; i < calls; i++)
        busy += flood_counts(f, from, from_ms + i * every_ms);
    return busy;
}

static void test_the_first_few_of_a_minute_are_no_flood(void **state)
{
    struct flood *f = made(5);

    (void)state;
    assert_int_equal(busy_of(f, shop, 5, 1000, 100), 0);
    assert_false(flood_was_busy(f, shop, 2000));
    assert_int_equal(busy_of(f, shop, 10, 2000, 100), 10);
    assert_true(flood_was_busy(f, shop, 5000));
    assert_false(flood_was_busy(f, other, 5000));
    assert_false(flood_counts(f, other, 5000));
    flood_free(f);
}

static void test_who_calls_now_and_then_never_is_one(void **state)
{
    struct flood *f = made(5);

    (void)state;
    assert_int_equal(busy_of(f, shop, 1000, 1000, 12000), 0);
    flood_free(f);
}

static void test_a_flood_ends_when_it_was_quiet_for_a_minute(void **state)
{
    struct flood *f = made(5);
    uint64_t end_ms = 1000 + 600 * 1000;

    (void)state;
    assert_int_equal(busy_of(f, shop, 600, 1000, 1000), 595); /* none slips through once a minute */
    assert_true(flood_counts(f, shop, end_ms + 30000));
    assert_false(flood_counts(f, shop, end_ms + 30000 + 73000));
    assert_false(flood_was_busy(f, shop, end_ms + 30000 + 600000));
    flood_free(f);
}

static void test_a_number_with_an_emergency_is_spared_for_an_hour(void **state)
{
    struct flood *f = made(5);

    (void)state;
    assert_int_equal(busy_of(f, shop, 20, 1000, 100), 15);
    flood_spare(f, shop, 5000);
    assert_int_equal(busy_of(f, shop, 3000, 6000, 1000), 0);
    assert_int_equal(busy_of(f, shop, 20, 5000 + 3600000, 100), 15);
    flood_free(f);
}

static void test_many_numbers_push_out_the_oldest_and_harm_nobody(void **state)
{
    struct flood *f = made(5);
    char from[16];

    (void)state;
    flood_spare(f, shop, 1000);
    assert_int_equal(busy_of(f, other, 20, 1000, 1), 15);
    for (unsigned i = 0; i < 20000; i++) {
        (void)snprintf(from, sizeof(from), "+1415%07u", i);
        assert_false(flood_counts(f, rd_str(from), 2000 + i));
    }
    assert_false(flood_was_busy(f, other, 30000));         /* forgotten */
    assert_int_equal(busy_of(f, shop, 100, 30000, 10), 0); /* and this one is not */
    flood_free(f);
}

static void test_it_can_be_off_and_what_is_no_number_is_none(void **state)
{
    struct flood *f = made(0);
    char long_name[64];

    (void)state;
    assert_int_equal(busy_of(f, shop, 1000, 1000, 1), 0);
    flood_free(f);
    f = made(1);
    memset(long_name, '7', sizeof(long_name));
    assert_int_equal(busy_of(f, (struct rd_str){long_name, sizeof(long_name)}, 100, 1000, 1), 0);
    assert_int_equal(busy_of(f, RD_STR(""), 100, 1000, 1), 0);
    assert_int_equal(busy_of(f, shop, 100, 1000, 1), 99);
    flood_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_first_few_of_a_minute_are_no_flood),
        cmocka_unit_test(test_who_calls_now_and_then_never_is_one),
        cmocka_unit_test(test_a_flood_ends_when_it_was_quiet_for_a_minute),
        cmocka_unit_test(test_a_number_with_an_emergency_is_spared_for_an_hour),
        cmocka_unit_test(test_many_numbers_push_out_the_oldest_and_harm_nobody),
        cmocka_unit_test(test_it_can_be_off_and_what_is_no_number_is_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
