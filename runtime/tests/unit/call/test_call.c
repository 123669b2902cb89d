/* SPDX-License-Identifier: Apache-2.0 */
/* What a call does, told as the stories of callers. Time is ours: nothing here waits. */
#include "fake_story.h"

#include "base/err.h"
#include "base/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void test_the_opening_is_spoken_word_for_word_when_the_provider_is_ready(void **state)
{
    (void)state;
    fake_start(&f, &brief);
    assert_false(fake_did(&f, "say"));
    call_provider_events.on_ready(f.call);
    assert_true(fake_did(&f, "say"));
    assert_string_equal("Hello, this is a test.", f.last_text);
    assert_true(fake_did(&f, "agent:started"));
}

static void test_what_the_caller_says_while_the_provider_connects_is_not_lost(void **state)
{
    (void)state;
    fake_start(&f, &brief);
    for (uint32_t i = 0; i < 100; i++)
        fake_caller_frame(&f, i * 20);
    assert_int_equal(0, f.to_provider_bytes);
    call_provider_events.on_ready(f.call);
    assert_int_equal(100 * 160, f.to_provider_bytes);
    fake_caller_frame(&f, 2000);
    assert_int_equal(101 * 160, f.to_provider_bytes);
    assert_false(fake_did(&f, "BAD_BASE64"));
}

static void test_a_provider_that_is_not_ready_in_time_leads_to_the_fallback(void **state)
{
    (void)state;
    fake_start(&f, &brief);
    fake_pass(&f, 2700);
    assert_non_null(f.call);
    fake_pass(&f, 200);
    assert_true(fake_did(&f, "closing:provider_failed"));
    assert_true(fake_before(&f, "closing:provider_failed", "carrier_close"));
}

static void test_a_provider_that_could_not_be_opened_leads_to_the_fallback(void **state)
{
    (void)state;
    fake_start(&f, &brief);
    fake_provider_ends(&f, LEG_REFUSED);
    assert_true(fake_did(&f, "ended:provider_failed"));
}

static void test_barge_in_clears_first_then_cancels_then_truncates_at_what_was_heard(void **state)
{
    (void)state;
    fake_greet(&f, &brief);
    fake_caller_asks(&f, "u1", "a1", "what are your hours");
    fake_response_starts(&f, "r2");
    fake_item(&f, "a2", "u1", PROVIDER_AGENT);
    fake_agent_audio(&f, "r2", "a2", 2000);
    fake_agent_words(&f, "a2", "We are open from nine to five on all days but Sunday", false);
    fake_pass(&f, 420);
    fake_marks_return(&f, 3); /* 19 ms, 219 ms, 419 ms */
    fake_pass(&f, 100);
    fake_caller_starts(&f);
    assert_true(fake_before(&f, "clear", "cancel:r2"));
    assert_true(fake_did(&f, "record:barge_in"));
    assert_in_range(f.truncated_at_ms, 480, 520);
    assert_int_equal(1, call_totals(f.call).barge_ins);
}

static void test_barge_in_works_long_after_the_model_has_finished(void **state)
{
    (void)state;
    fake_greet(&f, &brief);
    fake_caller_asks(&f, "u1", "a1", "tell me all");
    fake_response_starts(&f, "r2");
    fake_item(&f, "a2", "u1", PROVIDER_AGENT);
    fake_agent_audio(&f, "r2", "a2", 2000);
    fake_agent_audio_done(&f, "r2", "a2");
    fake_agent_words(&f, "a2", "one two three four five six seven eight nine ten", true);
    fake_response_ends(&f, "r2", PROVIDER_RESPONSE_COMPLETED);
    fake_pass(&f, 1020);
    fake_marks_return(&f, 6);
    fake_caller_starts(&f);
    assert_true(fake_did(&f, "clear"));
    assert_false(fake_did(&f, "cancel:r2"));        /* nothing to cancel… */
    assert_in_range(f.truncated_at_ms, 1000, 1040); /* …but much to forget */
    fake_caller_stops(&f);
    fake_caller_said(&f, "u2", "a2", "stop");
    assert_non_null(strstr(f.turns, "agent: one two three four five- said one two three four "
                                    "five six seven eight nine ten|caller: stop|"));
}

static void test_late_audio_of_a_dead_response_is_dropped(void **state)
{
    (void)state;
    fake_greet(&f, &brief);
    fake_response_starts(&f, "r2");
    fake_agent_audio(&f, "r2", "a2", 500);
    fake_caller_starts(&f);
    fake_forget(&f);
    fake_agent_audio(&f, "r2", "a2", 500);
    fake_agent_audio(&f, "r2", "a3", 500);
    assert_int_equal(0, f.n_log);
    assert_int_equal(2, call_totals(f.call).late_deltas);
    fake_response_ends(&f, "r2", PROVIDER_RESPONSE_CANCELLED);
    fake_response_starts(&f, "r3");
    fake_agent_audio(&f, "r3", "a4", 20);
    assert_true(fake_did(&f, "play:160"));
}

static void test_marks_that_a_clear_returned_do_not_count_as_heard(void **state)
{
    (void)state;
    fake_greet(&f, &brief);
    fake_response_starts(&f, "r2");
    fake_agent_audio(&f, "r2", "a2", 2000);
    fake_caller_starts(&f);
    assert_int_equal(0, f.truncated_at_ms);
    fake_marks_return(&f, 100);
    assert_int_equal(600 * 8, f.call->ledger.heard_bytes);
}

static void test_a_caller_who_speaks_when_nothing_plays_clears_nothing(void **state)
{
    (void)state;
    fake_greet(&f, &brief);
    fake_caller_starts(&f);
    assert_false(fake_did(&f, "clear"));
    assert_int_equal(0, call_totals(f.call).barge_ins);
}

static void test_a_long_delta_is_cut_so_that_marks_come_every_200_ms(void **state)
{
    (void)state;
    fake_greet(&f, &brief);
    fake_response_starts(&f, "r2");
    fake_agent_audio(&f, "r2", "a2", 1000);
    assert_int_equal(1000 * 8 + 600 * 8, f.to_carrier_bytes);
    assert_int_equal(6, f.n_marks); /* 159 + 4 × 1599 + the rest */
    assert_true(fake_did(&f, "play:1599"));
    assert_false(fake_did(&f, "BAD_BASE64"));
}

static void test_a_tool_result_asks_for_one_answer_when_the_response_is_done(void **state)
{
    (void)state;
    fake_greet(&f, &brief);
    fake_caller_asks(&f, "u1", "a1", "book me");
    fake_response_starts(&f, "r2");
    fake_tool_call(&f, "c1", "book_visit", "{}");
    fake_tool_call(&f, "c2", "book_visit", "{}");
    assert_int_equal(2, fake_times(&f, "agent:tool_call"));
    call_tool_result(f.call, RD_STR("c1"), RD_STR("{\"ok\":true}"), true);
    assert_true(fake_did(&f, "result:c1"));
    assert_false(fake_did(&f, "respond"));
    fake_response_ends(&f, "r2", PROVIDER_RESPONSE_COMPLETED);
    assert_false(fake_did(&f, "respond")); /* the second is still out */
    call_tool_result(f.call, RD_STR("c2"), RD_STR("{\"ok\":true}"), true);
    assert_int_equal(1, fake_times(&f, "respond"));
}

static void test_a_tool_result_arrives_although_the_caller_interrupted(void **state)
{
    (void)state;
    fake_greet(&f, &brief);
    fake_response_starts(&f, "r2");
    fake_tool_call(&f, "c1", "book_visit", "{}");
    fake_response_ends(&f, "r2", PROVIDER_RESPONSE_COMPLETED);
    fake_caller_starts(&f);
    call_tool_result(f.call, RD_STR("c1"), RD_STR("{}"), true);
    assert_true(fake_did(&f, "result:c1"));
    assert_false(fake_did(&f, "respond")); /* the caller is speaking; the model answers then */
    fake_caller_stops(&f);
    fake_own_turn_starts(&f, "r3");
    fake_agent_audio(&f, "r3", "a3", 100);
    fake_response_ends(&f, "r3", PROVIDER_RESPONSE_COMPLETED);
    assert_false(fake_did(&f, "respond")); /* that answer has seen the result */
}

static void test_a_tool_result_is_given_once(void **state)
{
    (void)state;
    fake_greet(&f, &brief);
    fake_tool_call(&f, "c1", "x", "{}");
    call_tool_result(f.call, RD_STR("c1"), RD_STR("{}"), true);
    call_tool_result(f.call, RD_STR("c1"), RD_STR("{}"), true);
    call_tool_result(f.call, RD_STR("c9"), RD_STR("{}"), true);
    assert_int_equal(1, fake_times(&f, "result:c1"));
    assert_false(fake_did(&f, "result:c9"));
}

static void test_a_script_that_never_answers_does_not_leave_the_model_waiting(void **state)
{
    (void)state;
    fake_greet(&f, &brief);
    fake_tool_call(&f, "c1", "x", "{}");
    fake_pass(&f, 41000);
    assert_true(fake_did(&f, "result:c1"));
    assert_non_null(strstr(f.last_text, "error"));
    assert_true(fake_did(&f, "respond"));
}

static void test_a_busy_provider_is_asked_again_when_it_is_done(void **state)
{
    (void)state;
    fake_greet(&f, &brief);
    fake_tool_call(&f, "c1", "x", "{}");
    call_tool_result(f.call, RD_STR("c1"), RD_STR("{}"), true);
    assert_int_equal(1, fake_times(&f, "respond"));
    fake_error(&f, "conversation_already_has_active_response", true, false, false);
    assert_non_null(f.call);
    fake_response_ends(&f, "r7", PROVIDER_RESPONSE_COMPLETED);
    assert_int_equal(2, fake_times(&f, "respond"));
}

static void test_a_hang_up_waits_until_the_goodbye_was_heard(void **state)
{
    (void)state;
    fake_greet(&f, &brief);
    fake_caller_asks(&f, "u1", "a1", "goodbye");
    fake_response_starts(&f, "r2");
    fake_agent_audio(&f, "r2", "a2", 1000);
    fake_tool_call(&f, "c1", "end_call", "{}");
    call_hang_up(f.call, CALL_END_AGENT_HANGUP);
    call_tool_result(f.call, RD_STR("c1"), RD_STR("{}"), true);
    fake_agent_audio_done(&f, "r2", "a2");
    fake_response_ends(&f, "r2", PROVIDER_RESPONSE_COMPLETED);
    assert_false(fake_did(&f, "respond")); /* goodbye was said already */
    assert_false(fake_did(&f, "carrier_close"));
    fake_marks_return(&f, 5);
    assert_non_null(f.call);
    fake_marks_return(&f, 1);
    assert_true(fake_did(&f, "ended:agent_hangup"));
}

static void test_a_goodbye_without_words_is_asked_for_first(void **state)
{
    (void)state;
    fake_greet(&f, &brief);
    fake_caller_asks(&f, "u1", "a1", "goodbye");
    fake_response_starts(&f, "r2");
    fake_tool_call(&f, "c1", "end_call", "{}");
    call_tool_result(f.call, RD_STR("c1"), RD_STR("{}"), false);
    call_hang_up(f.call, CALL_END_AGENT_HANGUP);
    fake_response_ends(&f, "r2", PROVIDER_RESPONSE_COMPLETED);
    assert_true(fake_did(&f, "respond"));
    assert_non_null(f.call);
    fake_response_starts(&f, "r3");
    fake_agent_audio(&f, "r3", "a3", 100);
    fake_response_ends(&f, "r3", PROVIDER_RESPONSE_COMPLETED);
    fake_marks_return(&f, 9);
    assert_true(fake_did(&f, "ended:agent_hangup"));
}

static void test_a_goodbye_that_is_never_acknowledged_is_cut_off_after_12_s(void **state)
{
    (void)state;
    fake_greet(&f, &brief);
    fake_response_starts(&f, "r2");
    fake_agent_audio(&f, "r2", "a2", 1000);
    call_hang_up(f.call, CALL_END_AGENT_HANGUP);
    fake_response_ends(&f, "r2", PROVIDER_RESPONSE_COMPLETED);
    fake_pass(&f, 11900);
    assert_non_null(f.call);
    fake_pass(&f, 200);
    assert_true(fake_did(&f, "ended:agent_hangup"));
}

static void test_a_caller_who_cuts_into_the_goodbye_is_listened_to(void **state)
{
    (void)state;
    fake_greet(&f, &brief);
    fake_response_starts(&f, "r2");
    fake_agent_audio(&f, "r2", "a2", 1000);
    call_hang_up(f.call, CALL_END_AGENT_HANGUP);
    fake_response_ends(&f, "r2", PROVIDER_RESPONSE_COMPLETED);
    fake_caller_starts(&f);
    assert_non_null(f.call);
    assert_string_equal("live", call_state_name(f.call));
    fake_caller_stops(&f);
    fake_own_turn_starts(&f, "r3");
    fake_agent_audio(&f, "r3", "a3", 100);
    fake_response_ends(&f, "r3", PROVIDER_RESPONSE_COMPLETED);
    fake_pass(&f, 9000);
    assert_non_null(f.call);
}

static void test_silence_is_asked_about_and_then_hung_up_on(void **state)
{
    (void)state;
    fake_greet(&f, &brief);
    fake_pass(&f, 9900);
    assert_false(fake_did(&f, "say"));
    fake_pass(&f, 200);
    assert_string_equal("Are you still there?", f.last_text);
    assert_true(fake_did(&f, "agent:silence"));
    fake_response_starts(&f, "r2");
    fake_agent_audio(&f, "r2", "a2", 100);
    fake_response_ends(&f, "r2", PROVIDER_RESPONSE_COMPLETED);
    fake_marks_return(&f, 9);
    fake_pass(&f, 10100);
    assert_string_equal("Goodbye then.", f.last_text);
    fake_response_starts(&f, "r3");
    fake_agent_audio(&f, "r3", "a3", 100);
    fake_response_ends(&f, "r3", PROVIDER_RESPONSE_COMPLETED);
    fake_marks_return(&f, 9);
    assert_true(fake_did(&f, "ended:silence"));
}

static void test_an_agent_that_is_still_talking_is_not_silence(void **state)
{
    (void)state;
    fake_greet(&f, &brief);
    fake_response_starts(&f, "r2");
    fake_agent_audio(&f, "r2", "a2", 1900);
    fake_response_ends(&f, "r2", PROVIDER_RESPONSE_COMPLETED);
    fake_forget(&f);
    fake_pass(&f, 15000); /* marks do not come back: it may still play */
    assert_false(fake_did(&f, "say"));
}

static void test_the_longest_call_ends_with_words_even_if_the_caller_objects(void **state)
{
    (void)state;
    brief.silence_ms = 0;
    fake_greet(&f, &brief);
    fake_pass(&f, 600000);
    assert_string_equal("Our time is up.", f.last_text);
    fake_response_starts(&f, "r2");
    fake_agent_audio(&f, "r2", "a2", 1000);
    fake_caller_starts(&f);
    assert_string_equal("leaving", call_state_name(f.call));
    fake_pass(&f, 12100);
    assert_true(fake_did(&f, "ended:max_duration"));
}

static void test_a_model_that_owes_an_answer_is_asked_again_and_then_given_up(void **state)
{
    (void)state;
    brief.moment = "";
    fake_greet(&f, &brief);
    fake_caller_asks(&f, "u1", "a1", "hello?");
    fake_pass(&f, 2400);
    assert_false(fake_did(&f, "respond"));
    fake_pass(&f, 200);
    assert_int_equal(1, fake_times(&f, "respond"));
    fake_pass(&f, 4000);
    assert_true(fake_did(&f, "ended:provider_failed"));
}

static void test_a_failed_response_is_retried_once(void **state)
{
    (void)state;
    fake_greet(&f, &brief);
    fake_caller_asks(&f, "u1", "a1", "hello?");
    fake_response_starts(&f, "r2");
    fake_response_ends(&f, "r2", PROVIDER_RESPONSE_FAILED);
    assert_true(fake_did(&f, "respond"));
    fake_response_starts(&f, "r3");
    fake_response_ends(&f, "r3", PROVIDER_RESPONSE_FAILED);
    assert_true(fake_did(&f, "ended:provider_failed"));
}

static void test_a_dropped_provider_tells_the_reason_before_the_stream_closes(void **state)
{
    (void)state;
    fake_greet(&f, &brief);
    fake_provider_ends(&f, LEG_LOST);
    assert_true(fake_before(&f, "closing:provider_failed", "carrier_close"));
    assert_true(fake_did(&f, "ended:provider_failed"));
    assert_int_equal(1, f.totals.errors);
}

static void test_a_goodbye_on_its_way_survives_the_provider(void **state)
{
    (void)state;
    fake_greet(&f, &brief);
    fake_response_starts(&f, "r2");
    fake_agent_audio(&f, "r2", "a2", 1000);
    call_hang_up(f.call, CALL_END_AGENT_HANGUP);
    fake_response_ends(&f, "r2", PROVIDER_RESPONSE_COMPLETED);
    fake_provider_ends(&f, LEG_LOST);
    assert_non_null(f.call);
    fake_marks_return(&f, 9);
    assert_true(fake_did(&f, "ended:agent_hangup"));
}

static void test_a_caller_who_hangs_up_ends_everything_once(void **state)
{
    (void)state;
    fake_greet(&f, &brief);
    fake_carrier_ends(&f, LEG_CLOSED_BY_PEER);
    assert_null(f.call);
    assert_int_equal(1, fake_times(&f, "closing:caller_hangup"));
    assert_int_equal(1, fake_times(&f, "ended:caller_hangup"));
    assert_int_equal(1, fake_times(&f, "agent:ended"));
    assert_int_equal(1, fake_times(&f, "record:ended"));
    assert_int_equal(1, fake_times(&f, "provider_close"));
    assert_false(fake_did(&f, "carrier_close"));
}

static void test_late_events_do_not_revive_a_closing_call(void **state)
{
    (void)state;
    fake_greet(&f, &brief);
    f.legs_close_at_once = false;
    call_end(f.call, CALL_END_OPERATOR);
    fake_forget(&f);
    fake_caller_starts(&f);
    fake_agent_audio(&f, "r2", "a2", 100);
    fake_tool_call(&f, "c1", "x", "{}");
    fake_caller_frame(&f, 0);
    call_hang_up(f.call, CALL_END_AGENT_HANGUP);
    assert_int_equal(0, f.n_log);
    fake_provider_ends(&f, LEG_CLOSED_BY_US);
    fake_carrier_ends(&f, LEG_CLOSED_BY_US);
    assert_true(fake_did(&f, "ended:operator"));
}

static void test_a_start_frame_of_another_call_is_refused(void **state)
{
    struct carrier_start other = {.call_sid = RD_STR("CAother"), .stream_sid = RD_STR("MZ1")};

    (void)state;
    fake_start(&f, &brief);
    call_carrier_events.on_start(f.call, &other);
    assert_true(fake_did(&f, "ended:refused"));
}

static void test_a_script_that_does_not_keep_up_costs_its_call_only_politely(void **state)
{
    (void)state;
    fake_greet(&f, &brief);
    f.agent_rc = RD_EFULL;
    fake_tool_call(&f, "c1", "x", "{}");
    assert_true(fake_did(&f, "ended:script_failed"));
    assert_true(fake_did(&f, "agent:ended"));
}

static void test_the_transcript_follows_the_conversation_not_the_arrival(void **state)
{
    (void)state;
    fake_greet(&f, &brief);
    fake_caller_starts(&f);
    fake_caller_stops(&f);
    fake_item(&f, "u1", "a1", PROVIDER_CALLER);
    fake_item(&f, "a2", "u1", PROVIDER_AGENT);
    fake_response_starts(&f, "r2");
    fake_agent_audio(&f, "r2", "a2", 100);
    fake_agent_audio_done(&f, "r2", "a2");
    fake_agent_words(&f, "a2", "At nine.", true);
    fake_response_ends(&f, "r2", PROVIDER_RESPONSE_COMPLETED);
    fake_marks_return(&f, 9);
    fake_caller_said(&f, "u1", "a1", "When do you open?");
    assert_string_equal("agent: Hello, this is a test.|caller: When do you open?|agent: At nine.|",
                        f.turns);
}

static void test_fixed_words_wait_for_the_model_and_do_not_mix_with_it(void **state)
{
    (void)state;
    fake_greet(&f, &brief);
    fake_response_starts(&f, "r2");
    call_say(f.call, RD_STR("One moment."));
    assert_false(fake_did(&f, "aside"));
    fake_response_ends(&f, "r2", PROVIDER_RESPONSE_COMPLETED);
    assert_true(fake_did(&f, "aside"));
    fake_aside_starts(&f, "r3");
    fake_agent_audio(&f, "r3", "o1", 500);
    fake_forget(&f);
    fake_caller_starts(&f);
    assert_true(fake_did(&f, "clear"));
    assert_false(fake_did(&f, "truncate:o1:0")); /* not part of the conversation */
    fake_agent_audio(&f, "r3", "o1", 500);
    assert_int_equal(1, call_totals(f.call).late_deltas);
}

static void test_the_end_of_speech_is_found_although_the_line_went_quiet(void **state)
{
    uint64_t before;

    (void)state;
    fake_greet(&f, &brief);
    fake_caller_frame(&f, 0);
    fake_caller_starts(&f);
    before = f.to_provider_bytes;
    fake_pass(&f, 800);
    assert_int_equal(before + 8000, f.to_provider_bytes); /* 1 s */
}

static void test_a_provider_that_only_complains_is_told_a_few_times_and_counted(void **state)
{
    uint64_t warnings = log_count(LOG_WARN);

    (void)state;
    fake_greet(&f, &brief);
    for (int i = 0; i < 1000; i++)
        fake_error(&f, "invalid_value", false, false, false);
    assert_int_equal(log_count(LOG_WARN) - warnings, CALL_ERRORS_TOLD);
    assert_int_equal(call_totals(f.call).errors, 1000);
}

static void test_keys_reach_the_script(void **state)
{
    (void)state;
    fake_greet(&f, &brief);
    call_carrier_events.on_dtmf(f.call, '5');
    assert_true(fake_did(&f, "agent:dtmf"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(test_the_opening_is_spoken_word_for_word_when_the_provider_is_ready),
        STORY(test_what_the_caller_says_while_the_provider_connects_is_not_lost),
        STORY(test_a_provider_that_is_not_ready_in_time_leads_to_the_fallback),
        STORY(test_a_provider_that_could_not_be_opened_leads_to_the_fallback),
        STORY(test_barge_in_clears_first_then_cancels_then_truncates_at_what_was_heard),
        STORY(test_barge_in_works_long_after_the_model_has_finished),
        STORY(test_late_audio_of_a_dead_response_is_dropped),
        STORY(test_marks_that_a_clear_returned_do_not_count_as_heard),
        STORY(test_a_caller_who_speaks_when_nothing_plays_clears_nothing),
        STORY(test_a_long_delta_is_cut_so_that_marks_come_every_200_ms),
        STORY(test_a_tool_result_asks_for_one_answer_when_the_response_is_done),
        STORY(test_a_tool_result_arrives_although_the_caller_interrupted),
        STORY(test_a_tool_result_is_given_once),
        STORY(test_a_script_that_never_answers_does_not_leave_the_model_waiting),
        STORY(test_a_busy_provider_is_asked_again_when_it_is_done),
        STORY(test_a_hang_up_waits_until_the_goodbye_was_heard),
        STORY(test_a_goodbye_without_words_is_asked_for_first),
        STORY(test_a_goodbye_that_is_never_acknowledged_is_cut_off_after_12_s),
        STORY(test_a_caller_who_cuts_into_the_goodbye_is_listened_to),
        STORY(test_silence_is_asked_about_and_then_hung_up_on),
        STORY(test_an_agent_that_is_still_talking_is_not_silence),
        STORY(test_the_longest_call_ends_with_words_even_if_the_caller_objects),
        STORY(test_a_model_that_owes_an_answer_is_asked_again_and_then_given_up),
        STORY(test_a_failed_response_is_retried_once),
        STORY(test_a_dropped_provider_tells_the_reason_before_the_stream_closes),
        STORY(test_a_goodbye_on_its_way_survives_the_provider),
        STORY(test_a_caller_who_hangs_up_ends_everything_once),
        STORY(test_late_events_do_not_revive_a_closing_call),
        STORY(test_a_start_frame_of_another_call_is_refused),
        STORY(test_a_script_that_does_not_keep_up_costs_its_call_only_politely),
        STORY(test_the_transcript_follows_the_conversation_not_the_arrival),
        STORY(test_fixed_words_wait_for_the_model_and_do_not_mix_with_it),
        STORY(test_the_end_of_speech_is_found_although_the_line_went_quiet),
        STORY(test_a_provider_that_only_complains_is_told_a_few_times_and_counted),
        STORY(test_keys_reach_the_script),
    };

    return cmocka_run_group_tests_name("call", tests, NULL, NULL);
}
