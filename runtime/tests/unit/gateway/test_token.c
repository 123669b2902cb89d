/* SPDX-License-Identifier: Apache-2.0 */
/* Stream tokens: ours are read back whole, everything else is nobody's. */
#include "gateway/token.h"

#include "base/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define SID "CA5f1d0e7a29b84c36a1e0d9c7b6a59483"

enum { NOW = 1700000000 };

static const struct rd_str secret = RD_STR("5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e");

static const struct token ours = {.node = 0xDEADBEEF,
                                  .call = UINT64_C(0xFEDCBA9876543210),
                                  .nonce = UINT64_C(0x0123456789ABCDEF),
                                  .expires_unix_s = NOW + TOKEN_LIFE_S,
                                  .call_sid = SID};

static int read_text(struct token *t, const char *text, struct rd_str key, uint64_t now)
{
    return token_read(t, rd_str(text), key, now);
}

static void test_a_token_comes_back_as_it_was(void **state)
{
    char text[TOKEN_MAX];
    struct token t;

    (void)state;
    assert_int_equal(token_write(text, &ours, secret), 0);
    assert_int_equal(read_text(&t, text, secret, NOW), 0);
    assert_int_equal(t.node, ours.node);
    assert_true(t.call == ours.call && t.nonce == ours.nonce);
    assert_true(t.expires_unix_s == ours.expires_unix_s);
    assert_string_equal(t.call_sid, SID);
}

static void test_a_token_fits_into_a_path_as_it_is(void **state)
{
    char text[TOKEN_MAX];

    (void)state;
    assert_int_equal(token_write(text, &ours, secret), 0);
    assert_int_equal(strspn(text, "0123456789abcdefABCDEFGHIJKLMNOPQRSTUVWXYZ."), strlen(text));
}

static void test_changing_any_bit_makes_it_worthless(void **state)
{
    char text[TOKEN_MAX];
    struct token t;

    (void)state;
    assert_int_equal(token_write(text, &ours, secret), 0);
    for (size_t i = 0; i < strlen(text); i++)
        for (int bit = 0; bit < 8; bit++) {
            text[i] = (char)(text[i] ^ (1 << bit));
            assert_int_equal(token_read(&t, (struct rd_str){text, strlen(text)}, secret, NOW),
                             RD_EAUTH);
            text[i] = (char)(text[i] ^ (1 << bit));
        }
    assert_int_equal(read_text(&t, text, secret, NOW), 0);
}

static void test_cutting_or_lengthening_makes_it_worthless(void **state)
{
    char text[TOKEN_MAX + 64];
    struct token t;
    size_t n;

    (void)state;
    assert_int_equal(token_write(text, &ours, secret), 0);
    n = strlen(text);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(token_read(&t, (struct rd_str){text, i}, secret, NOW), RD_EAUTH);
    for (size_t i = 1; i < n; i++)
        assert_int_equal(token_read(&t, (struct rd_str){text + i, n - i}, secret, NOW), RD_EAUTH);
    memset(text + n, '0', sizeof(text) - n);
    for (size_t i = n + 1; i < sizeof(text); i++)
        assert_int_equal(token_read(&t, (struct rd_str){text, i}, secret, NOW), RD_EAUTH);
}

static void test_it_lives_to_its_last_second_and_no_longer(void **state)
{
    char text[TOKEN_MAX];
    struct token t;

    (void)state;
    assert_int_equal(token_write(text, &ours, secret), 0);
    assert_int_equal(read_text(&t, text, secret, NOW + TOKEN_LIFE_S), 0);
    assert_int_equal(read_text(&t, text, secret, NOW + TOKEN_LIFE_S + 1), RD_EAUTH);
    assert_int_equal(read_text(&t, text, secret, UINT64_MAX), RD_EAUTH);
}

static void test_another_secret_reads_nothing(void **state)
{
    char text[TOKEN_MAX];
    struct token t;

    (void)state;
    assert_int_equal(token_write(text, &ours, secret), 0);
    assert_int_equal(read_text(&t, text, RD_STR("5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5f"), NOW),
                     RD_EAUTH);
    assert_int_equal(read_text(&t, text, RD_STR("5e"), NOW), RD_EAUTH);
}

/* Fail closed: a node without a secret neither signs nor believes, not even its own. */
static void test_an_empty_secret_signs_and_reads_nothing(void **state)
{
    char text[TOKEN_MAX] = "untouched";
    struct token t;

    (void)state;
    assert_int_equal(token_write(text, &ours, RD_STR("")), RD_EAUTH);
    assert_string_equal(text, "untouched");
    assert_int_equal(token_write(text, &ours, secret), 0);
    assert_int_equal(read_text(&t, text, RD_STR(""), NOW), RD_EAUTH);
    assert_int_equal(read_text(&t, text, (struct rd_str){NULL, 0}, NOW), RD_EAUTH);
}

static void test_a_sid_that_could_be_read_in_two_ways_is_not_signed(void **state)
{
    struct token odd = ours;
    char text[TOKEN_MAX];

    (void)state;
    (void)snprintf(odd.call_sid, sizeof(odd.call_sid), "CA12.34");
    assert_int_equal(token_write(text, &odd, secret), RD_EPROTO);
    odd.call_sid[0] = '\0';
    assert_int_equal(token_write(text, &odd, secret), RD_EPROTO);
}

static void test_what_is_no_token_at_all_is_refused(void **state)
{
    static const char *const texts[] = {
        "",
        ".",
        "..........",
        "a",
        "00000000.0000000000000000.0000000000000000.0.CA.0",
        "................................................................................",
    };
    struct token t;

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        assert_int_equal(read_text(&t, texts[i], secret, NOW), RD_EAUTH);
    assert_int_equal(token_read(&t, (struct rd_str){NULL, 0}, secret, NOW), RD_EAUTH);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_token_comes_back_as_it_was),
        cmocka_unit_test(test_a_token_fits_into_a_path_as_it_is),
        cmocka_unit_test(test_changing_any_bit_makes_it_worthless),
        cmocka_unit_test(test_cutting_or_lengthening_makes_it_worthless),
        cmocka_unit_test(test_it_lives_to_its_last_second_and_no_longer),
        cmocka_unit_test(test_another_secret_reads_nothing),
        cmocka_unit_test(test_an_empty_secret_signs_and_reads_nothing),
        cmocka_unit_test(test_a_sid_that_could_be_read_in_two_ways_is_not_signed),
        cmocka_unit_test(test_what_is_no_token_at_all_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
