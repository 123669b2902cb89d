/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"
#include "base/json.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static struct json_value parsed(const char *text)
{
    struct json_value v = {0};

    if (json_parse(rd_str(text), &v))
        fail_msg("refused: %s", text);
    return v;
}

static void test_all_kinds_of_values_are_told_apart(void **state)
{
    (void)state;
    assert_int_equal(parsed("{}").type, JSON_OBJECT);
    assert_int_equal(parsed(" [ ] ").type, JSON_ARRAY);
    assert_int_equal(parsed("\"x\"").type, JSON_STRING);
    assert_int_equal(parsed("-0.5e+3").type, JSON_NUMBER);
    assert_int_equal(parsed("true").type, JSON_TRUE);
    assert_int_equal(parsed("false").type, JSON_FALSE);
    assert_int_equal(parsed("\tnull\r\n").type, JSON_NULL);
}

static void test_text_that_is_not_json_is_refused(void **state)
{
    static const char *const bad[] = {
        "",
        " ",
        "{",
        "}",
        "[",
        "{]",
        "[}",
        "{}{}",
        "{,}",
        "[,]",
        "[1,]",
        "{\"a\":1,}",
        "{\"a\"}",
        "{\"a\":}",
        "{a:1}",
        "{1:1}",
        "[1 2]",
        "{\"a\" 1}",
        "[1],",
        "nul",
        "truer",
        "TRUE",
        "01",
        "1.",
        ".5",
        "-",
        "+1",
        "1e",
        "1e+",
        "0x10",
        "NaN",
        "Infinity",
        "\"",
        "\"a",
        "\"\\\"",
        "\"\\x\"",
        "\"\\u12\"",
        "\"\\u12g4\"",
        "\"a\nb\"",
        "'a'",
        "{\"a\":\"\\",
        "[[]",
        "[]]",
        "\"a\" \"b\"",
        "/**/{}",
        "\"tab\there\"",
        "[1]x",
        "{\"a\":1 \"b\":2}",
    };
    struct json_value v;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        if (json_parse(rd_str(bad[i]), &v) != RD_EPROTO)
            fail_msg("accepted: %s", bad[i]);
    assert_int_equal(json_parse((struct rd_str){NULL, 0}, &v), RD_EPROTO);
    assert_int_equal(json_parse((struct rd_str){"{}\0", 3}, &v), RD_EPROTO);
}

/* Every prefix of a good text is a bad text; nothing is read beyond its end (ASan sees it). */
static void test_a_text_cut_anywhere_is_refused(void **state)
{
    static const char whole[] = "{\"a\":[1,-2.5e3,true,null,{\"b\":\"c\\u00e9\\\\\"}],\"d\":false}";
    struct json_value v;

    (void)state;
    for (size_t n = 0; n < sizeof(whole) - 1; n++) {
        char *part = malloc(n ? n : 1);

        assert_non_null(part);
        memcpy(part, whole, n);
        assert_int_equal(json_parse((struct rd_str){part, n}, &v), RD_EPROTO);
        free(part);
    }
    assert_int_equal(json_parse(rd_str(whole), &v), 0);
}

static void test_nesting_ends_at_thirty_two(void **state)
{
    char text[80];
    struct json_value v;

    (void)state;
    memset(text, '[', 33);
    memset(text + 33, ']', 33);
    assert_int_equal(json_parse((struct rd_str){text + 1, 64}, &v), 0);
    assert_int_equal(json_parse((struct rd_str){text, 66}, &v), RD_EPROTO);
}

static void test_members_are_walked_in_order_with_their_raw_text(void **state)
{
    struct json_value v = parsed("{ \"a\" : 1 , \"b\\u0063\" : { \"x\" : [ ] } , \"\" : \"\\n\" }"),
                      m;
    struct json_iter it;
    struct rd_str key;

    (void)state;
    json_iter_init(&it, &v);
    assert_true(json_next(&it, &key, &m));
    assert_true(rd_str_eq(key, RD_STR("a")) && rd_str_eq(m.raw, RD_STR("1")));
    assert_true(json_next(&it, &key, &m));
    assert_true(rd_str_eq(key, RD_STR("b\\u0063")));
    assert_true(rd_str_eq(m.raw, RD_STR("{ \"x\" : [ ] }")));
    assert_true(json_next(&it, &key, &m));
    assert_true(key.n == 0 && m.escaped && rd_str_eq(m.raw, RD_STR("\\n")));
    assert_false(json_next(&it, &key, &m));
    assert_int_equal(it.err, 0);
    assert_false(json_next(&it, &key, &m));
}

static void test_arrays_have_empty_keys(void **state)
{
    struct json_value v = parsed("[1,\"two\",[3]]"), m;
    struct json_iter it;
    struct rd_str key;
    int n = 0;

    (void)state;
    json_iter_init(&it, &v);
    while (json_next(&it, &key, &m)) {
        assert_int_equal(key.n, 0);
        n++;
    }
    assert_int_equal(n, 3);
    assert_int_equal(it.err, 0);
}

static void test_a_walk_through_broken_text_says_so(void **state)
{
    static const char broken[] = "{\"a\":1,\"b\":tru}";
    struct json_value v = {.type = JSON_OBJECT, .raw = rd_str(broken)}, m;
    struct json_value scalar = parsed("7");
    struct json_iter it;
    struct rd_str key;

    (void)state;
    json_iter_init(&it, &v);
    assert_true(json_next(&it, &key, &m));
    assert_false(json_next(&it, &key, &m));
    assert_int_equal(it.err, RD_EPROTO);
    assert_false(json_next(&it, &key, &m));
    json_iter_init(&it, &scalar);
    assert_false(json_next(&it, &key, &m));
    assert_int_equal(it.err, RD_EPROTO);
}

static void test_get_finds_the_first_or_nothing(void **state)
{
    struct json_value v = parsed("{\"a\":{\"a\":2},\"b\":1,\"b\":2}"), m;
    uint64_t n;

    (void)state;
    m = json_get(&v, "b");
    assert_true(json_u64(&m, &n) && n == 1);
    assert_int_equal(json_get(&v, "c").type, JSON_NONE);
    m = json_get(&v, "c");
    assert_int_equal(json_get(&m, "a").type, JSON_NONE);
    m = parsed("[1]");
    assert_int_equal(json_get(&m, "a").type, JSON_NONE);
}

static void assert_u64(const char *text, bool ok, uint64_t expected)
{
    struct json_value v = parsed(text);
    uint64_t n = 0;

    assert_int_equal(json_u64(&v, &n), ok);
    assert_int_equal(n, ok ? expected : 0);
}

static void test_numbers_come_as_numbers_or_strings(void **state)
{
    struct json_value v;
    double d;

    (void)state;
    assert_u64("0", true, 0);
    assert_u64("\"160\"", true, 160);
    assert_u64("9007199254740992", true, UINT64_C(9007199254740992));
    assert_u64("9007199254740993", false, 0);
    assert_u64("99999999999999999999", false, 0);
    assert_u64("-1", false, 0);
    assert_u64("1.0", false, 0);
    assert_u64("\"\"", false, 0);
    assert_u64("\" 1\"", false, 0);
    assert_u64("\"\\u0031\"", false, 0);
    assert_u64("true", false, 0);
    v = parsed("-2.5e1");
    assert_true(json_double(&v, &d) && d == -25.0);
    v = parsed("\"0.125\"");
    assert_true(json_double(&v, &d) && d == 0.125);
    v = parsed("1e999");
    assert_false(json_double(&v, &d));
    v = parsed("\"inf\"");
    assert_false(json_double(&v, &d));
    v = parsed("\"0x10\"");
    assert_false(json_double(&v, &d));
}

static void assert_unescaped(const char *text, const char *expected, size_t n)
{
    struct json_value v = parsed(text);
    struct buf out;
    char fixed[64];

    buf_init(&out, 1000);
    assert_int_equal(json_unescape(&v, &out), 0);
    assert_int_equal(out.n, n);
    if (n > 0)
        assert_memory_equal(out.data, expected, n);
    assert_int_equal(json_copy(&v, fixed, sizeof(fixed)), 0);
    assert_memory_equal(fixed, expected, n + 1);
    assert_int_equal(json_copy(&v, fixed, n + 1), 0);
    if (n > 0)
        assert_int_equal(json_copy(&v, fixed, n), RD_ETOOBIG);
    buf_fini(&out);
}

static void test_escapes_become_utf8(void **state)
{
    (void)state;
    assert_unescaped("\"\"", "", 0);
    assert_unescaped("\"plain\"", "plain", 5);
    assert_unescaped("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t", 8);
    assert_unescaped("\"a\\u00e9b\\u20acc\"",
                     "a\xC3\xA9"
                     "b\xE2\x82\xAC"
                     "c",
                     8);
    assert_unescaped("\"\\uD83D\\uDE00\"", "\xF0\x9F\x98\x80", 4);
    assert_unescaped("\"\\uD83Dx\"", "\xEF\xBF\xBDx", 4);
    assert_unescaped("\"\\uDE00\\uD83D\"", "\xEF\xBF\xBD\xEF\xBF\xBD", 6);
    assert_unescaped("\"\\uD83D\\u0041\"",
                     "\xEF\xBF\xBD"
                     "A",
                     4);
    assert_unescaped("\"\\u0000\"", "\0", 1);
}

static void test_what_cannot_be_unescaped_leaves_nothing(void **state)
{
    struct json_value number = parsed("7"), text = parsed("\"ab\\u20ac\"");
    struct json_value broken = {.type = JSON_STRING, .raw = RD_STR("ab\\q"), .escaped = true};
    struct buf out;
    char fixed[8];

    (void)state;
    buf_init(&out, 4);
    assert_int_equal(json_unescape(&number, &out), RD_EPROTO);
    assert_int_equal(json_unescape(&broken, &out), RD_EPROTO);
    assert_int_equal(json_unescape(&text, &out), RD_EFULL);
    assert_int_equal(out.n, 0);
    assert_int_equal(json_copy(&number, fixed, sizeof(fixed)), RD_EPROTO);
    assert_int_equal(json_copy(&broken, fixed, sizeof(fixed)), RD_EPROTO);
    buf_fini(&out);
}

static void test_a_string_equals_a_literal_only_unescaped(void **state)
{
    struct json_value plain = parsed("\"media\""), escaped = parsed("\"medi\\u0061\"");
    struct json_value number = parsed("1");

    (void)state;
    assert_true(json_is(&plain, "media"));
    assert_false(json_is(&plain, "medi"));
    assert_false(json_is(&escaped, "media"));
    assert_false(json_is(&number, "1"));
}

/* Quotes, escapes and control characters at every offset of the eight-byte steps. */
static void test_long_strings_end_where_they_end(void **state)
{
    char text[64];
    struct json_value v;

    (void)state;
    for (size_t n = 0; n < 40; n++) {
        text[0] = '"';
        memset(text + 1, 'A', n);
        text[n + 1] = '"';
        assert_int_equal(json_parse((struct rd_str){text, n + 2}, &v), 0);
        assert_int_equal(v.raw.n, n);
        assert_false(v.escaped);
        for (size_t at = 1; at <= n; at++) {
            text[at] = '\x1f';
            assert_int_equal(json_parse((struct rd_str){text, n + 2}, &v), RD_EPROTO);
            text[at] = '"';
            assert_int_equal(json_parse((struct rd_str){text, n + 2}, &v), RD_EPROTO);
            text[at] = '\\';
            assert_int_equal(json_parse((struct rd_str){text, n + 2}, &v), RD_EPROTO);
            text[at] = (char)0xFF;
            assert_int_equal(json_parse((struct rd_str){text, n + 2}, &v), 0);
            text[at] = 'A';
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_kinds_of_values_are_told_apart),
        cmocka_unit_test(test_text_that_is_not_json_is_refused),
        cmocka_unit_test(test_a_text_cut_anywhere_is_refused),
        cmocka_unit_test(test_nesting_ends_at_thirty_two),
        cmocka_unit_test(test_members_are_walked_in_order_with_their_raw_text),
        cmocka_unit_test(test_arrays_have_empty_keys),
        cmocka_unit_test(test_a_walk_through_broken_text_says_so),
        cmocka_unit_test(test_get_finds_the_first_or_nothing),
        cmocka_unit_test(test_numbers_come_as_numbers_or_strings),
        cmocka_unit_test(test_escapes_become_utf8),
        cmocka_unit_test(test_what_cannot_be_unescaped_leaves_nothing),
        cmocka_unit_test(test_a_string_equals_a_literal_only_unescaped),
        cmocka_unit_test(test_long_strings_end_where_they_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
