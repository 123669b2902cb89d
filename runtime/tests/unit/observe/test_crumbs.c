/* SPDX-License-Identifier: Apache-2.0 */
/* What is remembered of a call's facts, and whose words are not. */
#include "observe/crumbs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct crumb told[CRUMBS_EACH];

static int set_up(void **state)
{
    (void)state;
    return crumbs_want(true) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    return crumbs_want(false) ? 0 : -1;
}

static const char *members_of(const char *type, const char *body)
{
    size_t n;

    crumb_fact("CA1", type, rd_str(body), 1000);
    n = crumbs_of("CA1", told);
    assert_true(n > 0);
    assert_string_equal(told[n - 1].type, type);
    return told[n - 1].members;
}

static void test_numbers_flags_and_words_of_ours_are_noted(void **state)
{
    (void)state;
    assert_string_equal(
        members_of("turn",
                   "{\"call\":\"CA1\",\"agent\":\"x\",\"from\":\"+13125550142\",\"seq\":3,"
                   "\"role\":\"caller\",\"text\":\"my card is 4111\",\"interrupted\":true}"),
        "\"seq\":3,\"role\":\"caller\",\"interrupted\":true");
    assert_string_equal(members_of("tool", "{\"name\":\"look_up\",\"took_ms\":480,"
                                           "\"arguments\":{\"card\":4111},\"reason\":\"timeout\"}"),
                        "\"name\":\"look_up\",\"took_ms\":480,\"reason\":\"timeout\"");
}

static void test_nobodys_name_number_or_words_are(void **state)
{
    (void)state;
    assert_string_equal(members_of("transfer", "{\"name\":\"jane\",\"id\":\"asked\"}"), "");
    assert_string_equal(members_of("tool", "{\"name\":\"Jane Doe\"}"), "");
    assert_string_equal(members_of("x", "{\"reason\":\"the caller said no\"}"), "");
    assert_string_equal(members_of("x", "{\"reason\":\"13125550142\"}"), "");
    assert_string_equal(members_of("x", "{\"reason\":\"a\\u0062c\"}"), "");
    assert_string_equal(members_of("x", "{\"phone\":13125550142,\"n\":4539578763621486}"), "");
    assert_string_equal(members_of("x", "{\"Jane Doe\":1,\"other\":\"word\"}"), "");
    assert_string_equal(members_of("x", "no JSON at all"), "");
    assert_string_equal(members_of("x", "[1,2]"), "");
}

static void test_a_call_has_so_many_and_takes_none_from_another(void **state)
{
    char body[32];
    size_t n;

    (void)state;
    crumb_fact("CA2", "webhook", rd_str("{\"n\":1}"), 1);
    for (int i = 0; i < 1000; i++) {
        (void)snprintf(body, sizeof(body), "{\"n\":%d}", i);
        crumb_fact("CA1", "turn", rd_str(body), i);
    }
    n = crumbs_of("CA1", told);
    assert_int_equal(n, CRUMBS_EACH);
    assert_string_equal(told[n - 1].members, "\"n\":999");
    assert_int_equal(told[0].unix_ms, 1000 - CRUMBS_EACH);
    assert_int_equal(crumbs_of("CA2", told), 1);
}

static void test_of_too_many_calls_the_quietest_is_forgotten(void **state)
{
    char call[16];

    (void)state;
    for (int i = 0; i < CRUMB_CALLS; i++) {
        (void)snprintf(call, sizeof(call), "CA%d", i);
        crumb_fact(call, "webhook", rd_str("{}"), i);
    }
    crumb_fact("CA0", "turn", rd_str("{}"), 100);
    crumb_fact("CAnew", "webhook", rd_str("{}"), 101);
    assert_int_equal(crumbs_of("CA0", told), 2);
    assert_int_equal(crumbs_of("CA1", told), 0);
    assert_int_equal(crumbs_of("CAnew", told), 1);
}

static void test_many_members_are_cut_between_two(void **state)
{
    const char *m =
        members_of("x", "{\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\":1,\"bbbbbbbbbbbbbbbbbbbbbbbbbb\":2,"
                        "\"cccccccccccccccccccccccccccc\":3,\"dddddddddddddddddddddddd\":4}");

    (void)state;
    assert_true(strlen(m) < CRUMB_MEMBERS);
    assert_string_equal(m + strlen(m) - 3, "\":3");
    assert_null(strstr(m, "dddd"));
}

static void test_while_nobody_wants_them_there_are_none(void **state)
{
    (void)state;
    crumb_fact("CA1", "turn", rd_str("{}"), 1);
    assert_true(crumbs_want(false));
    assert_int_equal(crumbs_of("CA1", told), 0);
    crumb_fact("CA1", "turn", rd_str("{}"), 1);
    assert_true(crumbs_want(true));
    assert_int_equal(crumbs_of("CA1", told), 0);
    assert_int_equal(crumbs_of(NULL, told), 0);
}

int main(void)
{
#define WANTED(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        WANTED(test_numbers_flags_and_words_of_ours_are_noted),
        WANTED(test_nobodys_name_number_or_words_are),
        WANTED(test_a_call_has_so_many_and_takes_none_from_another),
        WANTED(test_of_too_many_calls_the_quietest_is_forgotten),
        WANTED(test_many_members_are_cut_between_two),
        WANTED(test_while_nobody_wants_them_there_are_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
