/* SPDX-License-Identifier: Apache-2.0 */
/* Which calls nobody took, and which words of a text mean more than they say. */
#include "gateway/missed.h"
#include "gateway/texts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void test_a_caller_who_heard_the_greeting_was_not_missed(void **state)
{
    (void)state;
    for (int why = CALL_END_CALLER_HANGUP; why <= CALL_END_TRANSFERRED; why++)
        assert_int_equal(missed_by_end((enum call_end_reason)why, true), MISSED_NOT);
}

static void test_a_caller_who_gave_up_or_whom_we_failed_before_that_was(void **state)
{
    (void)state;
    assert_int_equal(missed_by_end(CALL_END_CALLER_HANGUP, false), MISSED_GAVE_UP);
    assert_int_equal(missed_by_end(CALL_END_SCRIPT_FAILED, false), MISSED_SCRIPT_FAILED);
    assert_int_equal(missed_by_end(CALL_END_PROVIDER_FAILED, false), MISSED_FAILED);
    assert_int_equal(missed_by_end(CALL_END_CARRIER_LOST, false), MISSED_FAILED);
    assert_int_equal(missed_by_end(CALL_END_OPERATOR, false), MISSED_NOT);
    assert_int_equal(missed_by_end(CALL_END_TRANSFERRED, false), MISSED_NOT);
    assert_int_equal(missed_by_end(CALL_END_REFUSED, false), MISSED_NOT);
}

static void test_the_carrier_says_so_of_callers_and_not_of_those_we_call(void **state)
{
    struct rd_str inbound = RD_STR("inbound"), unsaid = {NULL, 0};

    (void)state;
    assert_int_equal(missed_by_status(RD_STR("no-answer"), inbound), MISSED_NOT_ANSWERED);
    assert_int_equal(missed_by_status(RD_STR("busy"), unsaid), MISSED_NOT_ANSWERED);
    assert_int_equal(missed_by_status(RD_STR("canceled"), inbound), MISSED_NOT_ANSWERED);
    assert_int_equal(missed_by_status(RD_STR("completed"), inbound), MISSED_NOT);
    assert_int_equal(missed_by_status(RD_STR("no-answer"), RD_STR("outbound-api")), MISSED_NOT);
    assert_int_equal(missed_by_status(RD_STR("busy"), RD_STR("outbound-dial")), MISSED_NOT);
}

static void test_a_refusal_for_want_of_room_is_one(void **state)
{
    (void)state;
    assert_int_equal(missed_by_refusal("full"), MISSED_NO_CAPACITY);
    assert_int_equal(missed_by_refusal("journal_full"), MISSED_NO_CAPACITY);
    assert_int_equal(missed_by_refusal("script_late"), MISSED_SCRIPT_FAILED);
    assert_int_equal(missed_by_refusal("caller_full"), MISSED_NOT);
    assert_int_equal(missed_by_refusal("redirected"), MISSED_NOT);
    assert_int_equal(missed_by_refusal("draining"), MISSED_NO_CAPACITY);
}

static void test_one_word_may_mean_stop_whatever_its_case(void **state)
{
    (void)state;
    assert_int_equal(text_word_of(RD_STR("STOP")), TEXT_STOP);
    assert_int_equal(text_word_of(RD_STR(" stop. \n")), TEXT_STOP);
    assert_int_equal(text_word_of(RD_STR("\"OptOut\"")), TEXT_STOP);
    assert_int_equal(text_word_of(RD_STR("Parar")), TEXT_STOP);
    assert_int_equal(text_word_of(RD_STR("unstop")), TEXT_START);
    assert_int_equal(text_word_of(RD_STR("Yes!")), TEXT_YES);
    assert_int_equal(text_word_of(RD_STR("info")), TEXT_HELP);
}

static void test_more_words_are_only_words(void **state)
{
    (void)state;
    assert_int_equal(text_word_of(RD_STR("stop by at nine")), TEXT_WORDS);
    assert_int_equal(text_word_of(RD_STR("stopp")), TEXT_WORDS);
    assert_int_equal(text_word_of(RD_STR("")), TEXT_WORDS);
    assert_int_equal(text_word_of(RD_STR(" . ")), TEXT_WORDS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_caller_who_heard_the_greeting_was_not_missed),
        cmocka_unit_test(test_a_caller_who_gave_up_or_whom_we_failed_before_that_was),
        cmocka_unit_test(test_the_carrier_says_so_of_callers_and_not_of_those_we_call),
        cmocka_unit_test(test_a_refusal_for_want_of_room_is_one),
        cmocka_unit_test(test_one_word_may_mean_stop_whatever_its_case),
        cmocka_unit_test(test_more_words_are_only_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
