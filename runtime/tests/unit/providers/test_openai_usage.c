/* SPDX-License-Identifier: Apache-2.0 */
/* test_openai_usage.c - the bill, whatever of it is missing. */
#include "providers/openai/usage.h"
#include "providers/providers.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct provider_usage billed(const char *json)
{
    struct provider_usage u = {.seconds = -1};
    struct json_value v;

    assert_int_equal(json_parse(rd_str(json), &v), 0);
    usage_of_response(&u, &v);
    return u;
}

/* The documented example: 55 fresh text, 64 cached, 13 audio; 30 and 91 out. */
static void test_the_documented_bill(void **state)
{
    struct provider_usage u = billed(
        "{\"total_tokens\":253,\"input_tokens\":132,\"output_tokens\":121,\"input_token_details\":{"
        "\"text_tokens\":119,\"audio_tokens\":13,\"image_tokens\":0,\"cached_tokens\":64,"
        "\"cached_tokens_details\":{\"text_tokens\":64,\"audio_tokens\":0,\"image_tokens\":0}},"
        "\"output_token_details\":{\"text_tokens\":30,\"audio_tokens\":91}}");
    double micro_usd = (double)(u.text_in - u.text_in_cached) * 4 + (double)u.text_in_cached * 0.4 +
                       (double)(u.audio_in - u.audio_in_cached) * 32 +
                       (double)u.audio_in_cached * 0.4 + (double)u.text_out * 24 +
                       (double)u.audio_out * 64;

    (void)state;
    assert_true(micro_usd > 7205.5 && micro_usd < 7205.7);
    assert_true(u.seconds == 0);
}

static void test_cached_tokens_of_unknown_kind_are_text_first(void **state)
{
    struct provider_usage u = billed("{\"input_token_details\":{\"text_tokens\":10,"
                                     "\"audio_tokens\":20,\"cached_tokens\":15}}");

    (void)state;
    assert_int_equal(u.text_in_cached, 10);
    assert_int_equal(u.audio_in_cached, 5);
    u = billed("{\"input_token_details\":{\"text_tokens\":10,\"audio_tokens\":20,"
               "\"cached_tokens\":15,\"cached_tokens_details\":null}}");
    assert_int_equal(u.text_in_cached, 10);
}

static void test_more_cached_than_sent_is_cut(void **state)
{
    struct provider_usage u = billed(
        "{\"input_token_details\":{\"text_tokens\":1,\"audio_tokens\":2,\"cached_tokens\":99,"
        "\"cached_tokens_details\":{\"text_tokens\":50,\"audio_tokens\":49}}}");

    (void)state;
    assert_int_equal(u.text_in_cached, 1);
    assert_int_equal(u.audio_in_cached, 2);
    u = billed("{\"input_token_details\":{\"text_tokens\":1,\"audio_tokens\":2,"
               "\"cached_tokens\":99}}");
    assert_int_equal(u.text_in_cached, 1);
    assert_int_equal(u.audio_in_cached, 2);
}

static void test_what_is_missing_costs_nothing(void **state)
{
    static const char *const bills[] = {
        "{}", "null", "{\"input_token_details\":null,\"output_token_details\":7}",
        "{\"input_token_details\":{\"text_tokens\":-4,\"audio_tokens\":\"5\","
        "\"cached_tokens\":1.5},\"output_token_details\":{\"audio_tokens\":null}}"};
    const struct provider_usage none = {0};

    (void)state;
    for (size_t i = 0; i < sizeof(bills) / sizeof(bills[0]); i++) {
        struct provider_usage u = billed(bills[i]);

        assert_memory_equal(&u, &none, sizeof(u));
    }
}

static void test_the_shelf_knows_its_providers(void **state)
{
    (void)state;
    assert_string_equal(provider_find("openai")->name, "openai");
    assert_true(provider_find("openai")->caps.client_truncation);
    assert_null(provider_find("vapi2"));
    assert_null(provider_find(""));
    assert_null(provider_find(NULL));
    assert_ptr_equal(provider_all()[0], provider_find("openai"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_documented_bill),
        cmocka_unit_test(test_cached_tokens_of_unknown_kind_are_text_first),
        cmocka_unit_test(test_more_cached_than_sent_is_cut),
        cmocka_unit_test(test_what_is_missing_costs_nothing),
        cmocka_unit_test(test_the_shelf_knows_its_providers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
