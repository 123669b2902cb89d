/* SPDX-License-Identifier: Apache-2.0 */
/* The misbehaviours of the simulated REST API are taken in order, reads and writes apart. */
#include "base/err.h"
#include "sim/carrier/fault.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void test_each_request_takes_the_next_fault_of_its_kind(void **state)
{
    struct rest_faults f;
    char why[256] = "";

    (void)state;
    assert_int_equal(
        rest_faults_read(&f, "429,get-503,lost,stall,well,timeout,text-slow,dial-500-after", why,
                         sizeof(why)),
        0);
    assert_true(f.stall);
    assert_int_equal(rest_faults_next(&f, REST_WRITE), REST_BUSY);
    assert_int_equal(rest_faults_next(&f, REST_WRITE), REST_LOST);
    assert_int_equal(rest_faults_next(&f, REST_READ), REST_UNAVAILABLE);
    assert_int_equal(rest_faults_next(&f, REST_READ), REST_WELL);
    assert_int_equal(rest_faults_next(&f, REST_WRITE), REST_WELL);
    assert_int_equal(rest_faults_next(&f, REST_WRITE), REST_TIMEOUT);
    assert_int_equal(rest_faults_next(&f, REST_WRITE), REST_WELL);
    assert_int_equal(rest_faults_read(&f, "number-ignored,number-well", why, sizeof(why)), 0);
    assert_int_equal(rest_faults_next(&f, REST_NUMBER), REST_IGNORED);
    assert_int_equal(rest_faults_read(&f, "ignored", why, sizeof(why)), RD_ECONFIG);
}

static void test_texts_and_created_calls_have_faults_of_their_own(void **state)
{
    struct rest_faults f;
    char why[256] = "";

    (void)state;
    assert_int_equal(rest_faults_read(&f, "text-slow,dial-500-after", why, sizeof(why)), 0);
    assert_int_equal(rest_faults_next(&f, REST_WRITE), REST_WELL);
    assert_int_equal(rest_faults_next(&f, REST_NEVER), REST_WELL);
    assert_int_equal(rest_faults_next(&f, REST_TEXT), REST_SLOW);
    assert_int_equal(rest_faults_next(&f, REST_DIAL), REST_BROKEN_AFTER);
}

static void test_without_a_list_all_is_well(void **state)
{
    struct rest_faults f;
    char why[256] = "";

    (void)state;
    assert_int_equal(rest_faults_read(&f, NULL, why, sizeof(why)), 0);
    assert_false(f.stall);
    assert_int_equal(rest_faults_next(&f, REST_WRITE), REST_WELL);
}

static void test_a_word_that_is_none_is_named(void **state)
{
    struct rest_faults f;
    char why[256] = "";
    char many[5 * REST_FAULTS_MAX + 8] = "";

    (void)state;
    assert_int_equal(rest_faults_read(&f, "429,nonsense", why, sizeof(why)), RD_ECONFIG);
    assert_non_null(strstr(why, "\"nonsense\""));
    for (int i = 0; i <= REST_FAULTS_MAX; i++)
        strcat(many, "500,");
    assert_int_equal(rest_faults_read(&f, many, why, sizeof(why)), RD_ECONFIG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_request_takes_the_next_fault_of_its_kind),
        cmocka_unit_test(test_texts_and_created_calls_have_faults_of_their_own),
        cmocka_unit_test(test_without_a_list_all_is_well),
        cmocka_unit_test(test_a_word_that_is_none_is_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
