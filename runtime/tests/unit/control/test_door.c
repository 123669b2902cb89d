/* SPDX-License-Identifier: Apache-2.0 */
/* The small rules of the admin door: names, rates, and what viewers see of an event. */
#include "base/err.h"
#include "control/hosts.h"
#include "control/mask.h"
#include "control/problem.h"
#include "control/rates.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- names ---- */

static const struct hosts hosts = {"127.0.0.1:8081", "admin.example.com,ops.example.com:8443"};

static void test_only_names_of_ours_are_answered(void **state)
{
    static const char *const good[] = {
        "localhost", "localhost:8081",    "127.0.0.1:1",           "[::1]:8081",
        "LOCALHOST", "admin.example.com", "Admin.Example.com:443", "ops.example.com"};
    static const char *const bad[] = {"",
                                      ":8081",
                                      "evil.example",
                                      "admin.example.com.evil.example",
                                      "xadmin.example.com",
                                      "example.com",
                                      "127.0.0.10",
                                      "[::1",
                                      "[::2]",
                                      "localhost.evil.example",
                                      "10.0.0.1:8081"};
    const struct hosts private = {"10.0.0.1:8081", ""};

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        if (!hosts_has(&hosts, rd_str(good[i])))
            fail_msg("refused: %s", good[i]);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        if (hosts_has(&hosts, rd_str(bad[i])))
            fail_msg("answered: %s", bad[i]);
    assert_false(hosts_has(&hosts, (struct rd_str){NULL, 0}));
    assert_true(hosts_has(&private, RD_STR("10.0.0.1")));
    assert_false(hosts_has(&(struct hosts){"*:8081", ""}, RD_STR("*.example.com")));
}

static void test_pages_of_others_are_refused(void **state)
{
    struct rd_str host = RD_STR("localhost:8081");

    (void)state;
    assert_true(hosts_has_origin(&hosts, (struct rd_str){NULL, 0}, host));
    assert_true(hosts_has_origin(&hosts, RD_STR("http://localhost:8081"), host));
    assert_true(hosts_has_origin(&hosts, RD_STR("https://LOCALHOST:8081"), host));
    assert_true(hosts_has_origin(&hosts, RD_STR("https://admin.example.com"), host));
    assert_false(hosts_has_origin(&hosts, RD_STR("http://localhost:3000"), host));
    assert_false(hosts_has_origin(&hosts, RD_STR("http://localhost"), host));
    assert_false(hosts_has_origin(&hosts, RD_STR("null"), host));
    assert_false(hosts_has_origin(&hosts, RD_STR(""), host));
    assert_false(hosts_has_origin(&hosts, RD_STR("https://"), host));
    assert_false(hosts_has_origin(&hosts, RD_STR("file://localhost:8081"), host));
    assert_false(hosts_has_origin(&hosts, RD_STR("https://admin.example.com.evil.example"), host));
}

/* ---- rates ---- */

static void test_a_burst_is_free_and_then_it_is_so_many_a_second(void **state)
{
    struct rates *r;
    uint64_t now = 1000;

    (void)state;
    assert_int_equal(rates_new(&r, 10, 5), 0);
    for (int i = 0; i < 10; i++) {
        assert_int_equal(rates_wait_ms(r, 7, now), 0);
        rates_charge(r, 7, 1, now);
    }
    assert_int_equal(rates_wait_ms(r, 7, now), 200);
    assert_int_equal(rates_wait_ms(r, 8, now), 0); /* somebody else */
    assert_int_equal(rates_wait_ms(r, 7, now + 199), 1);
    assert_int_equal(rates_wait_ms(r, 7, now + 200), 0);
    rates_charge(r, 7, 1, now + 200);
    assert_int_equal(rates_wait_ms(r, 7, now + 200), 200);
    assert_int_equal(rates_wait_ms(r, 7, now + 1000000), 0);
    rates_charge(r, 7, 10, now + 1000000);
    assert_int_equal(rates_wait_ms(r, 7, now + 1000000),
                     200); /* no more than the burst was saved */
    rates_free(r);
}

static void test_debts_are_bounded(void **state)
{
    struct rates *r;

    (void)state;
    assert_int_equal(rates_new(&r, 10, 5), 0);
    for (int i = 0; i < 1000; i++)
        rates_charge(r, 7, 20, 1000);
    assert_int_equal(rates_wait_ms(r, 7, 1000), 2200);
    rates_free(r);
}

/* A flood of keys does not make anybody forget who owes most. */
static void test_who_is_in_debt_is_remembered_longest(void **state)
{
    struct rates *r;

    (void)state;
    assert_int_equal(rates_new(&r, 10, 1), 0);
    rates_charge(r, 7, 20, 1000);
    for (uint64_t key = 100; key < 100000; key++)
        rates_charge(r, key, 1, 1000);
    assert_true(rates_wait_ms(r, 7, 1000) > 0);
    rates_free(r);
}

/* ---- what viewers see ---- */

static const char *masked(const char *json)
{
    static char text[4096];
    struct buf out;
    int rc;

    buf_init(&out, sizeof(text) - 1);
    rc = mask_event(&out, rd_str(json));
    (void)strcpy(text, rc ? "refused" : buf_text(&out));
    buf_fini(&out);
    return text;
}

static void test_numbers_are_shortened_and_words_hidden(void **state)
{
    (void)state;
    assert_string_equal(
        masked("{\"type\":\"turn\",\"at_ms\":12,\"call\":\"CA1\",\"agent\":\"dentist\","
               "\"from\":\"+13125550142\",\"to\":\"+13125550100\",\"role\":\"caller\",\"text\":\"I "
               "am Ann\"}"),
        "{\"type\":\"turn\",\"at_ms\":12,\"call\":\"CA1\",\"agent\":\"dentist\",\"from\":\"+"
        "1\u202642\","
        "\"to\":\"+1\u202600\",\"role\":\"caller\",\"text\":\"[hidden]\"}");
    assert_string_equal(masked("{\"type\":\"transfer\",\"to\":\"office\"}"),
                        "{\"type\":\"transfer\",\"to\":\"office\"}");
    assert_string_equal(masked("{\"to\":\"sip:13125550142@x.example\",\"from\":\"anonymous\"}"),
                        "{\"to\":\"\u2026\",\"from\":\"anonymous\"}");
    assert_string_equal(masked("{\"to\":\"a@b.example\"}"), "{\"to\":\"\u2026\"}");
    assert_string_equal(masked("{\"vars\":{\"zip\":60614}}"), "{\"vars\":\"[hidden]\"}");
    assert_string_equal(masked("{\"to\":\"312-555-0142\"}"), "{\"to\":\"\u2026\"}");
}

static void test_what_nobody_listed_is_hidden_however_deep(void **state)
{
    (void)state;
    assert_string_equal(
        masked("{\"new\":\"secret\",\"a\":{\"b\":[\"c\",{\"d\":\"e\"}],\"state\":\"ok\"},\"n\":1.5,"
               "\"t\":true,\"f\":false,\"z\":null,\"empty\":\"\"}"),
        "{\"new\":\"[hidden]\",\"a\":{\"b\":[\"[hidden]\",{\"d\":\"[hidden]\"}],\"state\":\"ok\"},"
        "\"n\":1.5,"
        "\"t\":true,\"f\":false,\"z\":null,\"empty\":\"\"}");
    assert_string_equal(masked("[1]"), "refused");
    assert_string_equal(masked("{\"a\":"), "refused");
    assert_string_equal(masked("{\"a\":[[[[[[[[[[[[[[[[[[[[\"x\"]]]]]]]]]]]]]]]]]]]]}"), "refused");
}

/* ---- problems ---- */

static void test_refusals_of_the_server_are_problems_too(void **state)
{
    static const int statuses[] = {400, 408, 411, 413, 417, 426, 431, 501, 503, 505};
    char want[32];

    (void)state;
    for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
        struct http_refusal told = {.body = RD_STR("")};

        problem_of_http(statuses[i], &told, NULL);
        assert_string_equal(told.type, PROBLEM_TYPE);
        (void)snprintf(want, sizeof(want), "\"status\":%d,", statuses[i]);
        assert_non_null(strstr(told.body.p, want));
        assert_non_null(strstr(told.extra, "nosniff"));
        assert_int_equal(strstr(told.extra, "retry-after") != NULL, statuses[i] == 503);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_only_names_of_ours_are_answered),
        cmocka_unit_test(test_pages_of_others_are_refused),
        cmocka_unit_test(test_a_burst_is_free_and_then_it_is_so_many_a_second),
        cmocka_unit_test(test_debts_are_bounded),
        cmocka_unit_test(test_who_is_in_debt_is_remembered_longest),
        cmocka_unit_test(test_numbers_are_shortened_and_words_hidden),
        cmocka_unit_test(test_what_nobody_listed_is_hidden_however_deep),
        cmocka_unit_test(test_refusals_of_the_server_are_problems_too),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
