/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"
#include "media/base64.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct {
    const char *plain, *text;
} rfc4648[] = {
    {"", ""},
    {"f", "Zg=="},
    {"fo", "Zm8="},
    {"foo", "Zm9v"},
    {"foob", "Zm9vYg=="},
    {"fooba", "Zm9vYmE="},
    {"foobar", "Zm9vYmFy"},
};

static void test_the_examples_of_the_standard_go_both_ways(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rfc4648) / sizeof(rfc4648[0]); i++) {
        const char *plain = rfc4648[i].plain, *text = rfc4648[i].text;
        char out[16];
        uint8_t back[16];
        size_t n = base64_encode(out, (const uint8_t *)plain, strlen(plain));

        assert_int_equal(n, strlen(text));
        assert_int_equal(n, BASE64_ENCODED(strlen(plain)));
        assert_memory_equal(out, text, n);
        assert_int_equal(base64_decode(back, text, n), (ssize_t)strlen(plain));
        assert_memory_equal(back, plain, strlen(plain));
        assert_int_equal(base64_check(text, n), (ssize_t)strlen(plain));
    }
}

static void test_all_bytes_of_all_lengths_survive_the_round(void **state)
{
    uint8_t in[300], back[300];
    char text[BASE64_ENCODED(sizeof(in))];

    (void)state;
    for (size_t i = 0; i < sizeof(in); i++)
        in[i] = (uint8_t)(i * 167 + 13);
    for (size_t n = 0; n <= sizeof(in); n++) {
        size_t chars = base64_encode(text, in, n);

        assert_int_equal(base64_check(text, chars), (ssize_t)n);
        assert_int_equal(base64_decode(back, text, chars), (ssize_t)n);
        assert_memory_equal(back, in, n);
    }
}

/* A frame of the usual size with one character replaced, at every place, by every byte. */
static void test_one_wrong_character_anywhere_is_found(void **state)
{
    static const char good[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint8_t in[160] = {0};
    char text[BASE64_ENCODED(sizeof(in))];
    uint8_t out[160];
    size_t n = base64_encode(text, in, sizeof(in));

    (void)state;
    for (size_t at = 0; at < n - 2; at++) {
        char before = text[at];

        for (int c = 0; c < 256; c++) {
            bool fine = c != 0 && strchr(good, c);

            text[at] = (char)c;
            if (!fine) {
                assert_int_equal(base64_check(text, n), RD_EPROTO);
                assert_int_equal(base64_decode(out, text, n), RD_EPROTO);
            } else if (at < n - 4) {
                assert_int_equal(base64_check(text, n), 160);
            }
        }
        text[at] = before;
    }
}

static void test_lax_spellings_are_refused(void **state)
{
    static const char *const wrong[] = {
        "Zg",       "Zg=",   "Zg===", "Z===", "====", "=Zg=", "Zm8=\n",   "Zm8 ",
        "Zg==Zg==", "Zm 9v", "Zh==",  "Zm9=", "Zm-_", "Zg=A", "Zg==Zm9v", "\xC3\xA9Zg"};

    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        assert_int_equal(base64_check(wrong[i], strlen(wrong[i])), RD_EPROTO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_examples_of_the_standard_go_both_ways),
        cmocka_unit_test(test_all_bytes_of_all_lengths_survive_the_round),
        cmocka_unit_test(test_one_wrong_character_anywhere_is_found),
        cmocka_unit_test(test_lax_spellings_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
