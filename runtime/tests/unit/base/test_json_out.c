/* SPDX-License-Identifier: Apache-2.0 */
/* Objects from members: what is escaped, what is left out, what does not fit. */
#include "base/err.h"
#include "base/json_out.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void expect(struct json_members members, const char *wanted)
{
    struct buf out;

    buf_init(&out, 4096);
    assert_int_equal(json_add_object(&out, members), 0);
    assert_string_equal(buf_text(&out), wanted);
    buf_fini(&out);
}

static void test_each_type_is_written_as_json(void **state)
{
    (void)state;
    expect(JSON_MEMBERS(J_STR("kind", "voice"), J_INT("n", -12), J_BOOL("on", true),
                        J_RAW("list", RD_STR("[1,2]"))),
           "{\"kind\":\"voice\",\"n\":-12,\"on\":true,\"list\":[1,2]}");
}

static void test_quotes_and_line_ends_in_a_string_stay_inside_it(void **state)
{
    (void)state;
    expect(JSON_MEMBERS(J_STR("text", "a \"b\"\n\\")), "{\"text\":\"a \\\"b\\\"\\n\\\\\"}");
}

static void test_a_string_that_is_not_there_is_left_out_wherever_it_stands(void **state)
{
    (void)state;
    expect(JSON_MEMBERS(J_STR("a", NULL), J_INT("b", 0), J_STR("c", NULL), J_STR("d", "")),
           "{\"b\":0,\"d\":\"\"}");
    expect(JSON_MEMBERS(J_STR("a", NULL)), "{}");
}

static void test_members_go_on_behind_others(void **state)
{
    struct buf out;

    (void)state;
    buf_init(&out, 64);
    assert_int_equal(buf_add_str(&out, "{\"x\":1"), 0);
    assert_int_equal(json_members(&out, JSON_MEMBERS(J_INT("y", 2)), false), 1);
    assert_string_equal(buf_text(&out), "{\"x\":1,\"y\":2");
    buf_fini(&out);
}

static void test_an_object_that_does_not_fit_is_an_error(void **state)
{
    struct buf out;

    (void)state;
    buf_init(&out, 10);
    assert_int_equal(json_add_object(&out, JSON_MEMBERS(J_STR("long", "0123456789"))), RD_EFULL);
    buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_type_is_written_as_json),
        cmocka_unit_test(test_quotes_and_line_ends_in_a_string_stay_inside_it),
        cmocka_unit_test(test_a_string_that_is_not_there_is_left_out_wherever_it_stands),
        cmocka_unit_test(test_members_go_on_behind_others),
        cmocka_unit_test(test_an_object_that_does_not_fit_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
