/* SPDX-License-Identifier: Apache-2.0 */
/* The first word of an empty account wakes somebody; a busy moment does not. */
#include "observe/alarm.h"
#include "providers/openai/account.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct alarm open_alarms[ALARMS_MAX];

static size_t alarms(void)
{
    return alarm_list(open_alarms, ALARMS_MAX);
}

static void tells_used_up_credit_at_once(void **state)
{
    (void)state;
    alarm_reset();
    account_refuses("insufficient_quota");
    assert_int_equal(alarms(), 1);
    assert_string_equal(open_alarms[0].kind, "openai.quota");
    assert_int_equal(open_alarms[0].severity, ALARM_CRITICAL);
    assert_non_null(strstr(open_alarms[0].fix, "Billing"));
}

static void tells_a_refused_key_by_whose_it_is(void **state)
{
    (void)state;
    alarm_reset();
    account_refuses("invalid_api_key");
    account_refuses("invalid_api_key");
    assert_int_equal(alarms(), 1);
    assert_string_equal(open_alarms[0].kind, "credentials.refused");
    assert_string_equal(open_alarms[0].subject, "openai");
    assert_int_equal(open_alarms[0].count, 2);
}

static void says_nothing_about_what_is_not_the_account(void **state)
{
    (void)state;
    alarm_reset();
    account_refuses("rate_limit_exceeded");
    account_refuses("");
    assert_int_equal(alarms(), 0);
}

static void is_over_with_the_next_session(void **state)
{
    (void)state;
    alarm_reset();
    account_refuses("insufficient_quota");
    account_refuses("account_deactivated");
    account_works();
    assert_int_equal(alarms(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_used_up_credit_at_once),
        cmocka_unit_test(tells_a_refused_key_by_whose_it_is),
        cmocka_unit_test(says_nothing_about_what_is_not_the_account),
        cmocka_unit_test(is_over_with_the_next_session),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
