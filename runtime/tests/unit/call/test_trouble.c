/* SPDX-License-Identifier: Apache-2.0 */
/* What goes wrong in between: answers that never come, words that cross each other, callers who talk
 * over what they should hear. The call goes on, or ends politely. */
#include "fake_story.h"

#include "base/err.h"
#include "base/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void test_words_beside_the_conversation_that_are_refused_do_not_mute_the_agent(void **state)
{
    (void)state;
    fake_greet(&f, &brief);
    fake_tool_call(&f, "c1", "x", "{}");
    call_say(f.call, RD_STR("One moment."));
    assert_true(fake_did(&f, "aside"));
    fake_refused(&f, f.aside_tag, false);
    call_tool_result(f.call, RD_STR("c1"), RD_STR("{}"), true);
    assert_true(fake_did(&f, "respond"));
}

static void test_words_beside_the_conversation_that_never_come_do_not_mute_the_agent(void **state)
{
    (void)state;
    fake_greet(&f, &brief);
    fake_tool_call(&f, "c1", "x", "{}");
    call_say(f.call, RD_STR("One moment."));
    fake_caller_asks(&f, "u1", "a1", "hello?");
    fake_own_turn_starts(&f, "r2");
    fake_agent_audio(&f, "r2", "a2", 100);
    fake_response_ends(&f, "r2", PROVIDER_RESPONSE_COMPLETED);
    fake_marks_return(&f, 9);
    call_tool_result(f.call, RD_STR("c1"), RD_STR("{}"), true);
    assert_false(fake_did(&f, "respond"));
    fake_pass(&f, 4100);
    assert_true(fake_did(&f, "respond"));
    assert_non_null(f.call);
}

static void test_words_that_trail_behind_a_cut_were_never_heard(void **state)
{
    (void)state;
    fake_greet(&f, &brief);
    fake_response_starts(&f, "r2");
    fake_item(&f, "a2", "a1", PROVIDER_AGENT);
    fake_agent_audio(&f, "r2", "a2", 1000);
    fake_agent_words(&f, "a2", "We are open from", false);
    fake_pass(&f, 420);
    fake_marks_return(&f, 3);
    fake_caller_starts(&f);
    fake_agent_words(&f, "a2", " nine to five", false);
    fake_agent_words(&f, "a2", "We are open from nine to five on all days", true);
    fake_item(&f, "a2", "a1", PROVIDER_AGENT);
    fake_caller_stops(&f);
    fake_caller_said(&f, "u2", "a2", "stop");
    assert_string_equal("agent: Hello, this is a test.|agent: We are- said We are open from|"
                        "caller: stop|",
                        f.turns);
}

static void test_a_caller_who_answers_the_silence_goodbye_is_listened_to(void **state)
{
    (void)state;
    brief.silence_times = 0;
    fake_greet(&f, &brief);
    fake_pass(&f, 10100);
    assert_string_equal("Goodbye then.", f.last_text);
    fake_response_starts(&f, "r2");
    fake_agent_audio(&f, "r2", "a2", 900);
    fake_caller_starts(&f);
    assert_string_equal("live", call_state_name(f.call));
    fake_response_ends(&f, "r2", PROVIDER_RESPONSE_CANCELLED);
    fake_caller_stops(&f);
    fake_own_turn_starts(&f, "r3");
    fake_agent_audio(&f, "r3", "a3", 100);
    fake_response_ends(&f, "r3", PROVIDER_RESPONSE_COMPLETED);
    fake_marks_return(&f, 9);
    assert_non_null(f.call);
}

static void test_a_hang_up_decided_before_the_caller_cut_in_is_off(void **state)
{
    (void)state;
    fake_greet(&f, &brief);
    fake_response_starts(&f, "r2");
    fake_agent_audio(&f, "r2", "a2", 500);
    fake_caller_starts(&f);
    call_hang_up(f.call, CALL_END_AGENT_HANGUP);
    assert_string_equal("live", call_state_name(f.call));
}

static void test_legs_that_do_not_let_go_are_cut_off(void **state)
{
    (void)state;
    fake_greet(&f, &brief);
    f.legs_close_at_once = false;
    call_end(f.call, CALL_END_OPERATOR);
    fake_pass(&f, 4900);
    assert_non_null(f.call);
    assert_false(fake_did(&f, "carrier_abort"));
    fake_pass(&f, 200);
    assert_true(fake_did(&f, "carrier_abort"));
    assert_true(fake_did(&f, "provider_abort"));
    assert_true(fake_did(&f, "ended:operator"));
    assert_null(f.call);
}

static void test_only_the_leg_that_is_stuck_is_cut_off(void **state)
{
    (void)state;
    fake_greet(&f, &brief);
    f.legs_close_at_once = false;
    call_end(f.call, CALL_END_OPERATOR);
    fake_carrier_ends(&f, LEG_CLOSED_BY_US);
    fake_pass(&f, 5100);
    assert_false(fake_did(&f, "carrier_abort"));
    assert_true(fake_did(&f, "provider_abort"));
    assert_null(f.call);
}

static void test_a_notice_the_caller_talked_over_is_said_again_after_the_answer(void **state)
{
    (void)state;
    brief.opening = "This call is recorded. Hello, this is a test.";
    brief.notice = "This call is recorded.";
    fake_start_live(&f, &brief);
    fake_response_starts(&f, "r1");
    fake_agent_audio(&f, "r1", "a1", 1500);
    fake_agent_audio(&f, "r1", "a1", 1500);
    fake_pass(&f, 420);
    fake_marks_return(&f, 3);
    fake_caller_asks(&f, "u1", "a1", "hello?");
    fake_response_ends(&f, "r1", PROVIDER_RESPONSE_CANCELLED);
    fake_own_turn_starts(&f, "r2");
    fake_agent_audio(&f, "r2", "a2", 300);
    fake_forget(&f);
    fake_response_ends(&f, "r2", PROVIDER_RESPONSE_COMPLETED);
    assert_true(fake_did(&f, "say"));
    assert_string_equal("This call is recorded.", f.last_text);
}

static void test_a_notice_that_was_heard_is_not_repeated(void **state)
{
    (void)state;
    brief.opening = "This call is recorded. Hello, this is a test.";
    brief.notice = "This call is recorded.";
    fake_start_live(&f, &brief);
    fake_response_starts(&f, "r1");
    fake_agent_audio(&f, "r1", "a1", 1500);
    fake_agent_audio(&f, "r1", "a1", 1500);
    fake_agent_audio_done(&f, "r1", "a1");
    fake_response_ends(&f, "r1", PROVIDER_RESPONSE_COMPLETED);
    fake_pass(&f, 2000);
    fake_marks_return(&f, 11); /* about 2 s */
    fake_caller_asks(&f, "u1", "a1", "hello?");
    fake_own_turn_starts(&f, "r2");
    fake_agent_audio(&f, "r2", "a2", 300);
    fake_forget(&f);
    fake_response_ends(&f, "r2", PROVIDER_RESPONSE_COMPLETED);
    assert_false(fake_did(&f, "say"));
}

static void test_an_opening_that_fails_is_asked_for_again_word_for_word(void **state)
{
    (void)state;
    fake_start_live(&f, &brief);
    fake_response_starts(&f, "r1");
    fake_forget(&f);
    fake_response_ends(&f, "r1", PROVIDER_RESPONSE_FAILED);
    assert_true(fake_did(&f, "say"));
    assert_false(fake_did(&f, "respond"));
}

static void test_an_opening_that_met_the_providers_own_turn_waits_for_it(void **state)
{
    uint32_t tag;

    (void)state;
    fake_start_live(&f, &brief);
    tag = f.asked_tag;
    fake_own_turn_starts(&f, "r9");
    fake_refused(&f, tag, true);
    fake_forget(&f);
    fake_agent_audio(&f, "r9", "a9", 100);
    fake_response_ends(&f, "r9", PROVIDER_RESPONSE_COMPLETED);
    assert_true(fake_did(&f, "say"));
    assert_string_equal("Hello, this is a test.", f.last_text);
    assert_false(fake_did(&f, "respond"));
}

static void test_an_answer_without_a_sound_is_asked_for_again(void **state)
{
    (void)state;
    fake_greet(&f, &brief);
    fake_caller_asks(&f, "u1", "a1", "hello?");
    fake_own_turn_starts(&f, "r2");
    fake_response_ends(&f, "r2", PROVIDER_RESPONSE_INCOMPLETE);
    assert_true(fake_did(&f, "respond"));
    assert_true(fake_did(&f, "cut off:unknown"));
}

static void test_a_response_that_never_ends_does_not_hold_the_call(void **state)
{
    (void)state;
    fake_greet(&f, &brief);
    fake_own_turn_starts(&f, "r2");
    fake_agent_audio(&f, "r2", "a2", 300);
    fake_marks_return(&f, 9);
    fake_pass(&f, 15100);
    assert_true(fake_did(&f, "cancel:r2"));
    fake_forget(&f);
    fake_pass(&f, 10100);
    assert_string_equal("Are you still there?", f.last_text);
}

static void test_the_agent_does_not_begin_while_the_caller_speaks(void **state)
{
    (void)state;
    fake_greet(&f, &brief);
    fake_tool_call(&f, "c1", "x", "{}");
    call_tool_result(f.call, RD_STR("c1"), RD_STR("{}"), true);
    fake_caller_starts(&f);
    fake_response_starts(&f, "r2");
    assert_true(fake_did(&f, "cancel:r2"));
    fake_agent_audio(&f, "r2", "a2", 300);
    assert_int_equal(1, call_totals(f.call).late_deltas);
}

static void test_a_goodbye_that_will_not_come_does_not_keep_the_caller(void **state)
{
    (void)state;
    fake_greet(&f, &brief);
    fake_caller_asks(&f, "u1", "a1", "bye");
    fake_own_turn_starts(&f, "r2");
    fake_tool_call(&f, "c1", "end_call", "{}");
    call_tool_result(f.call, RD_STR("c1"), RD_STR("{}"), false);
    call_hang_up(f.call, CALL_END_AGENT_HANGUP);
    fake_response_ends(&f, "r2", PROVIDER_RESPONSE_COMPLETED);
    fake_provider_ends(&f, LEG_LOST);
    assert_null(f.call);
}

static void test_every_prompt_has_a_tag(void **state)
{
    (void)state;
    fake_greet(&f, &brief);
    fake_tool_call(&f, "c1", "x", "{}");
    call_tool_result(f.call, RD_STR("c1"), RD_STR("{}"), true);
    assert_false(fake_did(&f, "NO_TAG"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(test_words_beside_the_conversation_that_are_refused_do_not_mute_the_agent),
        STORY(test_words_beside_the_conversation_that_never_come_do_not_mute_the_agent),
        STORY(test_words_that_trail_behind_a_cut_were_never_heard),
        STORY(test_a_caller_who_answers_the_silence_goodbye_is_listened_to),
        STORY(test_a_hang_up_decided_before_the_caller_cut_in_is_off),
        STORY(test_legs_that_do_not_let_go_are_cut_off),
        STORY(test_only_the_leg_that_is_stuck_is_cut_off),
        STORY(test_a_notice_the_caller_talked_over_is_said_again_after_the_answer),
        STORY(test_a_notice_that_was_heard_is_not_repeated),
        STORY(test_an_opening_that_fails_is_asked_for_again_word_for_word),
        STORY(test_an_opening_that_met_the_providers_own_turn_waits_for_it),
        STORY(test_an_answer_without_a_sound_is_asked_for_again),
        STORY(test_a_response_that_never_ends_does_not_hold_the_call),
        STORY(test_the_agent_does_not_begin_while_the_caller_speaks),
        STORY(test_a_goodbye_that_will_not_come_does_not_keep_the_caller),
        STORY(test_every_prompt_has_a_tag),
    };

    return cmocka_run_group_tests_name("trouble", tests, NULL, NULL);
}
