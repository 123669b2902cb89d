/* SPDX-License-Identifier: Apache-2.0 */
/* A share of the rate limit for each call, and none beyond what is there. */
#include "observe/alarm.h"
#include "observe/quota.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct provider_usage nothing;

static int clean(void **state)
{
    (void)state;
    quota_clear();
    alarm_reset();
    return 0;
}

static void told(uint64_t limit, uint64_t remaining, uint32_t reset_ms, uint64_t now_ms)
{
    struct provider_limits l = {.tokens = {limit, remaining, reset_ms}};

    quota_told(QUOTA_OPENAI, &l, now_ms);
}

static void test_a_provider_that_tells_nothing_limits_nothing(void **state)
{
    (void)state;
    for (int i = 0; i < 1000; i++)
        assert_int_equal(QUOTA_CALL_TOKENS, quota_reserve(QUOTA_OPENAI, 1000));
    told(0, 0, 0, 1000);
    assert_true(quota_admits(QUOTA_OPENAI, 1000));
}

static void test_shares_together_fit_into_the_limit(void **state)
{
    (void)state;
    told(10000, 10000, 60000, 1000);
    for (int i = 0; i < 3; i++)
        assert_int_equal(QUOTA_CALL_TOKENS, quota_reserve(QUOTA_OPENAI, 1000));
    told(10000, 10000, 60000, 2000); /* all of it is there, but the three will need it */
    assert_false(quota_admits(QUOTA_OPENAI, 2000));
    assert_int_equal(0, quota_reserve(QUOTA_OPENAI, 2000));
    quota_release(QUOTA_OPENAI, QUOTA_CALL_TOKENS, &nothing, 0);
    assert_int_equal(QUOTA_CALL_TOKENS, quota_reserve(QUOTA_OPENAI, 2000));
}

static void test_what_is_left_now_is_not_promised_twice(void **state)
{
    (void)state;
    told(100000, 5000, 60000, 1000);
    assert_int_equal(QUOTA_CALL_TOKENS, quota_reserve(QUOTA_OPENAI, 1000));
    assert_int_equal(0, quota_reserve(QUOTA_OPENAI, 1000));
    told(100000, 4000, 60000, 1500); /* the first one is in it now */
    assert_int_equal(QUOTA_CALL_TOKENS, quota_reserve(QUOTA_OPENAI, 1500));
}

static void test_it_grows_back_until_the_reset(void **state)
{
    (void)state;
    told(60000, 0, 60000, 1000);
    assert_false(quota_admits(QUOTA_OPENAI, 1000));
    assert_false(quota_admits(QUOTA_OPENAI, 3999));
    assert_true(quota_admits(QUOTA_OPENAI, 4000)); /* 3,000 after 3 s of 60 */
    assert_int_equal(60000, quota_now(QUOTA_OPENAI, 61000).remaining);
    assert_int_equal(0, quota_now(QUOTA_OPENAI, 61000).reset_ms);
    assert_int_equal(30000, quota_now(QUOTA_OPENAI, 31000).reset_ms);
}

static void test_what_calls_use_is_learnt(void **state)
{
    struct provider_usage used = {
        .text_in = 10000, .audio_in = 5000, .audio_out = 4000, .text_out = 1000};

    (void)state;
    quota_release(QUOTA_OPENAI, 0, &used, 29000); /* too short to tell */
    assert_int_equal(QUOTA_CALL_TOKENS, quota_now(QUOTA_OPENAI, 0).share);
    quota_release(QUOTA_OPENAI, 0, &used, 60000);
    assert_int_equal(3000 + (20000 - 3000) / 8, quota_now(QUOTA_OPENAI, 0).share);
    for (int i = 0; i < 200; i++)
        quota_release(QUOTA_OPENAI, 0, &nothing, 60000);
    assert_int_equal(QUOTA_CALL_MIN, quota_now(QUOTA_OPENAI, 0).share);
    used.text_in = UINT64_MAX / 2;
    for (int i = 0; i < 200; i++)
        quota_release(QUOTA_OPENAI, 0, &used, 60000);
    assert_in_range(quota_now(QUOTA_OPENAI, 0).share, QUOTA_CALL_MAX - 8, QUOTA_CALL_MAX);
}

static void test_numbers_that_make_no_sense_do_no_harm(void **state)
{
    (void)state;
    told(1000, UINT64_MAX, 0, 1000);
    assert_int_equal(1000, quota_now(QUOTA_OPENAI, 1000).remaining);
    told(40000, 40000, 60000, 5000);
    assert_true(quota_admits(QUOTA_OPENAI, 1)); /* a clock behind */
    quota_release(QUOTA_OPENAI, UINT32_MAX, &nothing, 0);
    assert_int_equal(0, quota_now(QUOTA_OPENAI, 5000).reserved);
}

static void test_nearly_used_up_is_an_alarm_until_it_is_not(void **state)
{
    struct alarm open[2];

    (void)state;
    told(40000, 4000, 60000, 1000);
    assert_int_equal(0, alarm_list(open, 2));
    told(40000, 3999, 59500, 2000);
    told(40000, 100, 59500, 3000);
    assert_int_equal(1, alarm_list(open, 2));
    assert_string_equal("openai.rate_limit", open[0].kind);
    assert_string_equal(
        "the rate limit is nearly used up: 100 of 40000 tokens are left for the next 60 s",
        open[0].text);
    told(40000, 7999, 59500, 4000);
    assert_int_equal(1, alarm_list(open, 2));
    told(40000, 8000, 59500, 5000);
    assert_int_equal(0, alarm_list(open, 2));
}

#define STORY(t) cmocka_unit_test_setup(t, clean)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(test_a_provider_that_tells_nothing_limits_nothing),
        STORY(test_shares_together_fit_into_the_limit),
        STORY(test_what_is_left_now_is_not_promised_twice),
        STORY(test_it_grows_back_until_the_reset),
        STORY(test_what_calls_use_is_learnt),
        STORY(test_numbers_that_make_no_sense_do_no_harm),
        STORY(test_nearly_used_up_is_an_alarm_until_it_is_not),
    };

    return cmocka_run_group_tests_name("quota", tests, NULL, NULL);
}
