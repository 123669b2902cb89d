/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"
#include "carriers/twilio/form.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct form *parsed(const char *body)
{
    struct form *f = NULL;

    assert_int_equal(form_parse(&f, rd_str(body)), 0);
    return f;
}

static void assert_field(const struct form *f, size_t i, const char *name, const char *value)
{
    assert_true(rd_str_eq(form_at(f, i).name, rd_str(name)));
    assert_true(rd_str_eq(form_at(f, i).value, rd_str(value)));
}

static void test_fields_are_decoded_and_keep_their_order(void **state)
{
    struct form *f = parsed("From=%2B14158675309&Body=It%27s+fine&&Empty=&Bare&A%3DB=%e2%82%ac");

    (void)state;
    assert_int_equal(form_count(f), 5);
    assert_field(f, 0, "From", "+14158675309");
    assert_field(f, 1, "Body", "It's fine");
    assert_field(f, 2, "Empty", "");
    assert_field(f, 3, "Bare", "");
    assert_field(f, 4, "A=B", "\xE2\x82\xAC");
    form_free(f);
}

static void test_the_first_of_duplicates_is_found_and_all_are_kept(void **state)
{
    struct form *f = parsed("Digits=1&Digits=2&digits=3");

    (void)state;
    assert_int_equal(form_count(f), 3);
    assert_true(rd_str_eq(form_get(f, "Digits"), RD_STR("1")));
    assert_true(rd_str_eq(form_get(f, "digits"), RD_STR("3")));
    assert_null(form_get(f, "DIGITS").p);
    assert_field(f, 1, "Digits", "2");
    form_free(f);
}

static void test_an_empty_body_has_no_fields(void **state)
{
    struct form *f = parsed("");

    (void)state;
    assert_int_equal(form_count(f), 0);
    form_free(f);
    assert_int_equal(form_parse(&f, (struct rd_str){NULL, 0}), 0);
    assert_int_equal(form_count(f), 0);
    form_free(f);
    form_free(NULL);
}

static void test_a_broken_escape_refuses_the_whole(void **state)
{
    static const char *const broken[] = {"a=%",   "a=%4",  "a=%4&b=1", "a=%zz",
                                         "%g0=1", "a=%-1", "a=1&b=%"};
    struct form *f = NULL;

    (void)state;
    for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++)
        assert_int_equal(form_parse(&f, rd_str(broken[i])), RD_EPROTO);
    assert_null(f);
}

static void test_limits_hold_at_the_last_field_and_byte(void **state)
{
    enum { DECODED = 65536 };
    char *body = malloc(3 * DECODED + 1024);
    struct form *f = NULL;
    size_t n = 0;

    (void)state;
    assert_non_null(body);
    for (int i = 0; i < 128; i++, n += 4)
        memcpy(body + n, "a=1&", 4);
    assert_int_equal(form_parse(&f, (struct rd_str){body, n}), 0);
    assert_int_equal(form_count(f), 128);
    form_free(f);
    memcpy(body + n, "a=1", 3);
    assert_int_equal(form_parse(&f, (struct rd_str){body, n + 3}), RD_ETOOBIG);

    memcpy(body, "a=", 2);
    for (n = 0; n < DECODED; n++)
        memcpy(body + 2 + 3 * n, "%41", 3);
    assert_int_equal(form_parse(&f, (struct rd_str){body, 2 + 3 * (DECODED - 1)}), 0);
    assert_int_equal(form_get(f, "a").n, DECODED - 1);
    form_free(f);
    assert_int_equal(form_parse(&f, (struct rd_str){body, 2 + 3 * (size_t)DECODED}), RD_ETOOBIG);
    memset(body, '&', 3 * DECODED + 1000);
    assert_int_equal(form_parse(&f, (struct rd_str){body, 3 * DECODED + 1000}), RD_ETOOBIG);
    free(body);
}

static void test_scripts_get_the_fields_as_json(void **state)
{
    struct form *f = parsed("A=%22x%22&B=%0a%ff%00&A=second&%22=q");
    struct buf out;

    (void)state;
    buf_init(&out, 1000);
    assert_int_equal(form_to_json(f, &out), 0);
    assert_string_equal(
        buf_text(&out),
        "{\"A\":\"\\\"x\\\"\",\"B\":\"\\n\xEF\xBF\xBD\xEF\xBF\xBD\",\"\\\"\":\"q\"}");
    buf_fini(&out);
    buf_init(&out, 10);
    assert_int_equal(form_to_json(f, &out), RD_EFULL);
    assert_int_equal(out.n, 0);
    buf_fini(&out);
    form_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fields_are_decoded_and_keep_their_order),
        cmocka_unit_test(test_the_first_of_duplicates_is_found_and_all_are_kept),
        cmocka_unit_test(test_an_empty_body_has_no_fields),
        cmocka_unit_test(test_a_broken_escape_refuses_the_whole),
        cmocka_unit_test(test_limits_hold_at_the_last_field_and_byte),
        cmocka_unit_test(test_scripts_get_the_fields_as_json),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
