/* SPDX-License-Identifier: Apache-2.0 */
/* Rate limits as numbers, and what of a conversation is kept so that they are not reached. */
#include "providers/openai/context.h"
#include "providers/openai/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct provider_limits l;

static bool read_limits(const char *json)
{
    struct json_value v;

    assert_int_equal(json_parse(rd_str(json), &v), 0);
    return limits_read(&l, &v);
}

static void test_requests_and_tokens_are_read(void **state)
{
    (void)state;
    assert_true(read_limits("[{\"name\":\"requests\",\"limit\":1000,\"remaining\":999,"
                            "\"reset_seconds\":60},{\"name\":\"tokens\",\"limit\":50000,"
                            "\"remaining\":49950,\"reset_seconds\":0.0125}]"));
    assert_int_equal(l.requests.limit, 1000);
    assert_int_equal(l.requests.remaining, 999);
    assert_int_equal(l.requests.reset_ms, 60000);
    assert_int_equal(l.tokens.limit, 50000);
    assert_int_equal(l.tokens.remaining, 49950);
    assert_int_equal(l.tokens.reset_ms, 13);
}

static void test_hostile_numbers_are_bounded(void **state)
{
    (void)state;
    assert_true(read_limits("[{\"name\":\"tokens\",\"limit\":40000,\"remaining\":900000,"
                            "\"reset_seconds\":1e300}]"));
    assert_int_equal(l.tokens.remaining, 40000);
    assert_int_equal(l.tokens.reset_ms, 3600000);
    assert_true(read_limits("[{\"name\":\"tokens\",\"limit\":9007199254740992,\"remaining\":-4,"
                            "\"reset_seconds\":-1}]"));
    assert_true(l.tokens.limit <= (uint64_t)1 << 40);
    assert_int_equal(l.tokens.remaining, 0);
    assert_int_equal(l.tokens.reset_ms, 0);
}

static void test_what_says_nothing_is_not_told(void **state)
{
    static const char *const empty[] = {
        "null", "{}", "[]", "[null,7,[],\"tokens\"]", "[{\"name\":\"days\",\"limit\":5}]",
        "[{\"name\":\"tokens\"}]", "[{\"name\":\"tokens\",\"limit\":\"40000\"}]",
        /* the ninth is not looked at */
        "[1,2,3,4,5,6,7,8,{\"name\":\"tokens\",\"limit\":5}]"};

    (void)state;
    for (size_t i = 0; i < sizeof(empty) / sizeof(empty[0]); i++)
        assert_false(read_limits(empty[i]));
}

static void test_a_long_conversation_is_kept_as_far_as_the_model_allows(void **state)
{
    (void)state;
    assert_int_equal(context_tokens("gpt-realtime-1.5", 0, 0), 20000);
    assert_int_equal(context_tokens("gpt-realtime", 0, 0), 20000);
    assert_int_equal(context_tokens("gpt-realtime-2025-08-28", 0, 0), 20000);
    assert_int_equal(context_tokens("nobody-knows-it", 0, 0), 20000);
    assert_int_equal(context_tokens("gpt-realtime-2", 0, 0), 60000);
    assert_int_equal(context_tokens("gpt-realtime-2.1-mini", 0, 0), 60000);
    assert_int_equal(context_tokens("gpt-realtime-2.1", 8000, 0), 8000);
    assert_int_equal(context_tokens("gpt-realtime-1.5", 50000, 0), 20000);
}

static void test_four_answers_a_minute_fit_into_the_accounts_limit(void **state)
{
    (void)state;
    assert_int_equal(context_tokens("gpt-realtime-2.1", 0, 40000), 10000);
    assert_int_equal(context_tokens("gpt-realtime-2.1", 8000, 40000), 8000);
    assert_int_equal(context_tokens("gpt-realtime-2.1", 0, 1000000), 60000);
    assert_int_equal(context_tokens("gpt-realtime-2.1", 0, 100), CONTEXT_MIN_TOKENS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_requests_and_tokens_are_read),
        cmocka_unit_test(test_hostile_numbers_are_bounded),
        cmocka_unit_test(test_what_says_nothing_is_not_told),
        cmocka_unit_test(test_a_long_conversation_is_kept_as_far_as_the_model_allows),
        cmocka_unit_test(test_four_answers_a_minute_fit_into_the_accounts_limit),
    };

    return cmocka_run_group_tests_name("openai_limits", tests, NULL, NULL);
}
