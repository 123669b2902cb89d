/* SPDX-License-Identifier: Apache-2.0 */
/* A provider that cannot go on hands the call to the other one, before the conversation or in the middle of it,
 * once; and what one says that speaks when it likes counts as our words only where it was them. */
#include "fake_story.h"

#include "base/err.h"
#include "observe/alarm.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void greet(void)
{
    alarm_reset();
    fake_greet(&f, &brief);
    fake_can_fail_over(&f);
    fake_forget(&f);
}

static void frames(uint32_t from_ms, uint32_t to_ms)
{
    for (uint32_t at = from_ms; at < to_ms; at += 20)
        fake_caller_frame(&f, at);
}

static void answer(const char *response, const char *item, const char *words)
{
    fake_own_turn_starts(&f, response);
    fake_item(&f, item, "", PROVIDER_AGENT);
    fake_agent_audio(&f, response, item, 400);
    fake_agent_words(&f, item, words, true);
    fake_agent_audio_done(&f, response, item);
    fake_response_ends(&f, response, PROVIDER_RESPONSE_COMPLETED);
}

/* --- before the conversation --- */

static void test_refused_at_the_start_the_other_one_greets(void **state)
{
    (void)state;
    alarm_reset();
    fake_start(&f, &brief);
    fake_can_fail_over(&f);
    frames(0, 500);
    fake_error(&f, "insufficient_quota", false, false, true);
    assert_true(fake_before(&f, "forget", "failover:fake:other"));
    assert_string_equal(f.last_text, "refused");
    fake_pass(&f, 4000); /* it is slow, and may be */
    frames(500, 4500);
    assert_string_equal(call_state_name(f.call), "connecting");
    f.to_provider_bytes = 0;
    fake_next_ready(&f);
    assert_int_equal(f.to_provider_bytes, 4500 * 8); /* nothing the caller said is lost */
    assert_true(fake_did(&f, "agent:started") && fake_did(&f, "say"));
    assert_string_equal(f.last_text, "Hello, this is a test.");
    assert_string_equal(f.told, "");
    assert_int_equal(fake_times(&f, "open_other"), 1);
}

static void test_who_is_not_ready_in_time_is_replaced_once(void **state)
{
    (void)state;
    alarm_reset();
    fake_start(&f, &brief);
    fake_can_fail_over(&f);
    fake_pass(&f, 2800);
    assert_true(fake_did(&f, "failover:fake:other"));
    fake_pass(&f, 4999);
    assert_non_null(f.call);
    fake_pass(&f, 1); /* nor is the other one: the fallback */
    assert_true(fake_did(&f, "closing:provider_failed"));
    assert_int_equal(fake_times(&f, "failover:fake:other"), 1);
}

static void test_a_leg_that_cannot_be_opened_is_the_others(void **state)
{
    (void)state;
    alarm_reset();
    fake_start(&f, &brief);
    fake_can_fail_over(&f);
    call_set_provider(f.call, &fake_provider, NULL);
    assert_true(fake_did(&f, "failover:fake:other"));
    fake_next_ready(&f);
    assert_string_equal(call_state_name(f.call), "live");
}

/* --- in the middle --- */

static void test_a_session_that_is_refused_goes_on_with_the_other(void **state)
{
    struct alarm open[2];

    (void)state;
    greet();
    fake_caller_asks(&f, "u1", "a1", "are you open");
    answer("r2", "a2", "Until five.");
    fake_pass(&f, 400);
    fake_marks_return(&f, 100);
    fake_provider_ends(&f, LEG_REFUSED);
    assert_true(fake_did(&f, "failover:fake:other"));
    assert_int_equal(alarm_list(open, 2), 1);
    assert_string_equal(open[0].kind, "call.failover");
    assert_string_equal(open[0].subject, "fake");
    fake_pass(&f, 1000);
    fake_next_ready(&f);
    assert_true(fake_did(&f, "resumed:failover:1000:1"));
    assert_string_equal(f.told, "agent: Hello, this is a test.|caller: are you open|"
                                "agent: Until five.|");
    assert_false(fake_did(&f, "agent:started")); /* hooks do not run again */
    assert_string_equal(call_state_name(f.call), "live");
}

static void test_the_callers_words_are_heard_by_the_other(void **state)
{
    (void)state;
    greet();
    frames(0, 4000);
    call_provider_events.on_speech_started(f.call, 3000, RD_STR("u1"));
    frames(4000, 6000);
    f.to_provider_bytes = 0;
    fake_error(&f, "insufficient_quota", false, false, true);
    frames(6000, 8000);
    assert_int_equal(f.to_provider_bytes, 0);
    fake_pass(&f, 2000);
    fake_next_ready(&f);
    assert_int_equal(f.to_provider_bytes, 5000 * 8);
    assert_true(fake_before(&f, "forget", "failover:fake:other"));
}

static void test_an_answer_that_never_came_is_the_others_to_give(void **state)
{
    (void)state;
    greet();
    fake_caller_asks(&f, "u1", "a1", "are you open");
    fake_pass(&f, 6500); /* a moment, asked again, nothing */
    assert_true(fake_did(&f, "forget") && fake_did(&f, "failover:fake:other"));
    assert_string_equal(f.last_text, "no answer");
    fake_forget(&f);
    fake_next_ready(&f);
    assert_true(fake_did(&f, "respond"));
    assert_non_null(strstr(f.told, "caller: are you open|"));
}

static void test_no_new_session_in_three_seconds_and_the_other_one_has_five_more(void **state)
{
    (void)state;
    greet();
    fake_provider_ends(&f, LEG_LOST);
    assert_true(fake_did(&f, "open")); /* its own first */
    fake_pass(&f, 3000);
    assert_true(fake_did(&f, "forget") && fake_did(&f, "failover:fake:other"));
    fake_pass(&f, 4900);
    fake_next_ready(&f);
    assert_string_equal(call_state_name(f.call), "live");
}

static void test_a_tool_that_runs_answers_the_other(void **state)
{
    (void)state;
    greet();
    fake_tool_call(&f, "t1", "eta", "{}");
    fake_error(&f, "insufficient_quota", false, false, true);
    fake_next_ready(&f);
    call_tool_result(f.call, RD_STR("t1"), RD_STR("{\"minutes\":35}"), true);
    assert_string_equal(f.told, "agent: Hello, this is a test.|tool: {} -> {\"minutes\":35}|");
    assert_true(fake_did(&f, "respond"));
}

static void test_there_is_no_way_back(void **state)
{
    (void)state;
    greet();
    fake_error(&f, "insufficient_quota", false, false, true);
    fake_next_ready(&f);
    fake_provider_ends(&f,
                       LEG_LOST); /* it is not resumable, and there is nobody else: another try */
    assert_int_equal(fake_times(&f, "open_other"), 2);
    fake_next_ready(&f);
    fake_error(&f, "credit", false, false, true);
    assert_true(fake_did(&f, "closing:provider_failed"));
    assert_int_equal(fake_times(&f, "failover:fake:other"), 1);
}

static void test_a_goodbye_that_is_on_its_way_needs_nobody(void **state)
{
    (void)state;
    greet();
    fake_caller_asks(&f, "u1", "a1", "thank you");
    answer("r2", "a2", "Goodbye.");
    call_hang_up(f.call, CALL_END_AGENT_HANGUP);
    fake_provider_ends(&f, LEG_REFUSED);
    assert_false(fake_did(&f, "failover:fake:other"));
    fake_pass(&f, 400);
    fake_marks_return(&f, 100);
    assert_true(fake_did(&f, "ended:agent_hangup"));
}

static void test_the_alarm_is_over_when_the_provider_works_again(void **state)
{
    struct alarm open[2];

    (void)state;
    greet();
    fake_error(&f, "insufficient_quota", false, false, true);
    fake_next_ready(&f);
    fake_stop(&f);
    assert_int_equal(alarm_list(open, 2), 1);
    fake_start_live(&f, &brief); /* the next call */
    assert_int_equal(alarm_list(open, 2), 0);
}

/* --- a provider that speaks when it likes --- */

static void begin_with_a_notice(void)
{
    alarm_reset();
    brief.notice = "This is a machine, and the call is recorded.";
    brief.opening = "This is a machine, and the call is recorded. How can I help?";
    fake_start(&f, &brief);
    fake_can_fail_over(&f);
    call_set_provider(f.call, &fake_other, (struct provider_leg *)(void *)&f);
    call_provider_events.on_ready(f.call);
}

static void test_what_only_its_end_tells_of_the_cost_is_kept(void **state)
{
    const struct provider_usage u = {.seconds = 12.5};

    (void)state;
    begin_with_a_notice();
    call_provider_events.on_usage(f.call, &u, RD_STR("{}"));
    f.legs_close_at_once = false;
    call_end(f.call, CALL_END_OPERATOR);
    call_provider_events.on_usage(f.call, &u, RD_STR("{}"));
    assert_true(f.billed_seconds == 25);
    assert_true(f.totals.usage.seconds == 12.5); /* these were told before */
    fake_carrier_ends(&f, LEG_CLOSED_BY_US);
    fake_provider_ends(&f, LEG_CLOSED_BY_US);
    assert_null(f.call);
}

static void say(const char *response, const char *item, const char *words)
{
    fake_response_starts(&f, response);
    fake_item(&f, item, "", PROVIDER_AGENT);
    fake_agent_audio(&f, response, item, 2000);
    fake_agent_audio_done(&f, response, item);
    fake_response_ends(&f, response, PROVIDER_RESPONSE_COMPLETED);
    fake_pass(&f, 2000);
    fake_marks_return(&f, 100);
    if (words)
        fake_agent_words(&f, item, words, true);
}

static void test_a_notice_counts_when_its_words_were_said(void **state)
{
    (void)state;
    begin_with_a_notice();
    say("r1", "a1", NULL);
    assert_false(fake_did(&f, "record:notice")); /* it was heard; but what was it? */
    fake_agent_words(&f, "a1", "This is a machine and the call is recorded how can I help", true);
    assert_true(fake_did(&f, "record:notice"));
    assert_non_null(strstr(f.turns, "agent: This is a machine"));
}

static void test_other_words_in_its_place_are_no_notice(void **state)
{
    (void)state;
    begin_with_a_notice();
    say("r1", "a1", "Hi, this is the plumber, is the water still running?");
    assert_false(fake_did(&f, "record:notice"));
    assert_string_equal(f.turns, "");
    fake_forget(&f);
    fake_caller_asks(&f, "u1", "a1", "yes it is");
    answer("r2", "a2", "I see.");
    assert_true(fake_did(&f, "say")); /* it is owed still */
    say("r3", "a3", "This is a machine, and the call is recorded.");
    assert_true(fake_did(&f, "record:notice"));
}

static void test_who_hangs_up_is_heard_and_the_call_is_over(void **state)
{
    (void)state;
    alarm_reset();
    fake_start(&f, &brief);
    fake_can_fail_over(&f);
    call_set_provider(f.call, &fake_other, (struct provider_leg *)(void *)&f);
    call_provider_events.on_named(f.call, RD_STR("c-1"));
    call_provider_events.on_ready(f.call);
    assert_true(fake_did(&f, "named:other:c-1"));
    say("r1", "a1", "Hello, this is a test.");
    fake_own_turn_starts(&f, "r2");
    fake_agent_audio(&f, "r2", "a2", 400);
    call_provider_events.on_hang_up(f.call);
    assert_string_equal(call_state_name(f.call), "leaving");
    fake_response_ends(&f, "r2", PROVIDER_RESPONSE_COMPLETED);
    fake_provider_ends(&f, LEG_CLOSED_BY_PEER);
    assert_non_null(f.call); /* the last word still plays */
    assert_false(fake_did(&f, "failover:other:other"));
    fake_pass(&f, 400);
    fake_marks_return(&f, 100);
    assert_true(fake_did(&f, "ended:agent_hangup"));
}

static void test_who_hangs_up_on_a_call_that_must_stay_open_is_replaced(void **state)
{
    (void)state;
    alarm_reset();
    fake_start(&f, &brief);
    fake_can_fail_over(&f);
    call_set_provider(f.call, &fake_other, (struct provider_leg *)(void *)&f);
    call_provider_events.on_ready(f.call);
    say("r1", "a1", "Hello, this is a test.");
    call_keep_open(f.call, true);
    call_provider_events.on_hang_up(f.call);
    assert_string_equal(call_state_name(f.call), "live");
    fake_provider_ends(&f, LEG_CLOSED_BY_PEER);
    assert_true(fake_did(&f, "failover:other:other"));
}

static void test_words_that_came_before_the_turns_end_are_not_fed_again(void **state)
{
    (void)state;
    greet();
    frames(0, 2000);
    call_provider_events.on_speech_started(f.call, 500, RD_STR("u1"));
    frames(2000, 3000);
    fake_caller_said(&f, "u1", "a1", "I smell gas");
    call_provider_events.on_speech_stopped(f.call, 3000, RD_STR("u1"));
    call_provider_events.on_committed(f.call, RD_STR(""));
    f.to_provider_bytes = 0;
    fake_error(&f, "insufficient_quota", false, false, true);
    fake_next_ready(&f);
    assert_int_equal(f.to_provider_bytes, 0);
    assert_non_null(strstr(f.told, "caller: I smell gas|"));
    assert_true(fake_did(&f, "respond")); /* they wait for an answer */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(test_what_only_its_end_tells_of_the_cost_is_kept),
        STORY(test_refused_at_the_start_the_other_one_greets),
        STORY(test_who_is_not_ready_in_time_is_replaced_once),
        STORY(test_a_leg_that_cannot_be_opened_is_the_others),
        STORY(test_a_session_that_is_refused_goes_on_with_the_other),
        STORY(test_the_callers_words_are_heard_by_the_other),
        STORY(test_an_answer_that_never_came_is_the_others_to_give),
        STORY(test_no_new_session_in_three_seconds_and_the_other_one_has_five_more),
        STORY(test_a_tool_that_runs_answers_the_other),
        STORY(test_there_is_no_way_back),
        STORY(test_a_goodbye_that_is_on_its_way_needs_nobody),
        STORY(test_the_alarm_is_over_when_the_provider_works_again),
        STORY(test_a_notice_counts_when_its_words_were_said),
        STORY(test_other_words_in_its_place_are_no_notice),
        STORY(test_who_hangs_up_is_heard_and_the_call_is_over),
        STORY(test_who_hangs_up_on_a_call_that_must_stay_open_is_replaced),
        STORY(test_words_that_came_before_the_turns_end_are_not_fed_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
