/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"
#include "base/err.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static void test_it_grows_to_its_limit_and_not_beyond(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 1000);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(buf_add(&b, "x", 1), 0);
    assert_int_equal(buf_add(&b, "x", 1), RD_EFULL);
    assert_int_equal(buf_addf(&b, "%d", 1), RD_EFULL);
    assert_int_equal(b.n, 1000);
    assert_int_equal(strlen(buf_text(&b)), 1000);
    assert_int_equal(buf_reserve(&b, SIZE_MAX), RD_EFULL);
    buf_clear(&b);
    assert_int_equal(buf_addf(&b, "%s=%d", "a", 7), 0);
    assert_string_equal(buf_text(&b), "a=7");
    buf_fini(&b);
}

static void test_an_add_that_fails_leaves_no_trace(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 8);
    assert_int_equal(buf_add_str(&b, "12345"), 0);
    assert_int_equal(buf_add_json(&b, RD_STR("a\nb")), RD_EFULL);
    assert_int_equal(buf_add_xml(&b, RD_STR("a&")), RD_EFULL);
    assert_string_equal(buf_text(&b), "12345");
    buf_fini(&b);
}

static void test_consuming_and_taking(void **state)
{
    struct buf b;
    char *text;

    (void)state;
    buf_init(&b, 100);
    buf_add_str(&b, "hello world");
    buf_consume(&b, 6);
    assert_string_equal(buf_text(&b), "world");
    text = buf_take(&b);
    assert_string_equal(text, "world");
    assert_int_equal(b.n, 0);
    free(text);
    buf_add_str(&b, "again");
    buf_consume(&b, 99);
    assert_string_equal(buf_text(&b), "");
    buf_fini(&b);
}

static void assert_json(const char *in, size_t n, const char *expected)
{
    struct buf b;

    buf_init(&b, 1000);
    assert_int_equal(buf_add_json(&b, (struct rd_str){in, n}), 0);
    assert_string_equal(buf_text(&b), expected);
    buf_fini(&b);
}

static void test_json_text_is_escaped_and_always_utf8(void **state)
{
    (void)state;
    assert_json("", 0, "");
    assert_json("a\"b\\c/\n\r\t\x01\x7F\0", 12, "a\\\"b\\\\c/\\n\\r\\t\\u0001\\u007f\xEF\xBF\xBD");
    assert_json("\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80", 9, "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80");
    /* overlong, surrogate, beyond Unicode, lonely, cut off */
    assert_json("\xC0\xAF", 2, "\xEF\xBF\xBD\xEF\xBF\xBD");
    assert_json("\xED\xA0\x80", 3, "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
    assert_json("\xF4\x90\x80\x80", 4, "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
    assert_json("a\x80"
                "b",
                3,
                "a\xEF\xBF\xBD"
                "b");
    assert_json("\xE2\x82", 2, "\xEF\xBF\xBD\xEF\xBF\xBD");
}

static void test_xml_text_is_escaped_and_loses_what_xml_forbids(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 1000);
    assert_int_equal(buf_add_xml(&b, (struct rd_str){"<a b=\"c\">&'\n\x01\0\xEF\xBF\xBF"
                                                     "d",
                                                     18}),
                     0);
    assert_string_equal(buf_text(&b), "&lt;a b=&quot;c&quot;&gt;&amp;&apos;&#10;d");
    buf_fini(&b);
}

static void test_secrets_are_equal_only_whole(void **state)
{
    (void)state;
    assert_true(rd_str_same_secret(RD_STR("token"), RD_STR("token")));
    assert_false(rd_str_same_secret(RD_STR("tokem"), RD_STR("token")));
    assert_false(rd_str_same_secret(RD_STR("toke"), RD_STR("token")));
    assert_false(rd_str_same_secret(RD_STR("token1"), RD_STR("token")));
    assert_false(rd_str_same_secret(RD_STR(""), RD_STR("token")));
    assert_false(rd_str_same_secret(RD_STR("token"), RD_STR("")));
    assert_false(rd_str_same_secret(RD_STR(""), RD_STR("")));
    assert_false(rd_str_same_secret((struct rd_str){NULL, 0}, (struct rd_str){NULL, 0}));
}

static void test_every_error_has_words(void **state)
{
    (void)state;
    assert_string_equal(rd_strerror(0), "ok");
    assert_string_equal(rd_strerror(RD_EFULL), "queue or buffer is full");
    assert_string_equal(rd_strerror(-ENOENT), "No such file or directory");
    assert_string_equal(rd_strerror(-4095), "end of file");
    assert_string_equal(rd_strerror(-3008), "unknown host name");
    assert_string_equal(rd_strerror(-99999), "unknown error");
    assert_string_equal(rd_strerror(7), "unknown error");
    assert_string_equal(rd_strerror(INT32_MIN), "unknown error");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_it_grows_to_its_limit_and_not_beyond),
        cmocka_unit_test(test_an_add_that_fails_leaves_no_trace),
        cmocka_unit_test(test_consuming_and_taking),
        cmocka_unit_test(test_json_text_is_escaped_and_always_utf8),
        cmocka_unit_test(test_xml_text_is_escaped_and_loses_what_xml_forbids),
        cmocka_unit_test(test_secrets_are_equal_only_whole),
        cmocka_unit_test(test_every_error_has_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
