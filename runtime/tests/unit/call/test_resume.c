/* SPDX-License-Identifier: Apache-2.0 */
/* A call outlives its provider session, at whatever moment it is lost: nothing said is lost or said
 * twice, and the conversation goes on where it was. */
#include "fake_story.h"

#include "base/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void greet(void)
{
    fake_greet(&f, &brief);
    fake_can_reopen(&f);
}

/* The session is lost; 300 ms later the next one is ready. */
static void lose(void)
{
    fake_provider_ends(&f, LEG_LOST);
    fake_pass(&f, 300);
    fake_next_ready(&f);
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

static void test_lost_while_nobody_speaks_the_model_is_told_and_says_nothing(void **state)
{
    (void)state;
    greet();
    fake_caller_asks(&f, "u1", "a1", "are you open");
    answer("r2", "a2", "Until five.");
    fake_pass(&f, 400);
    fake_marks_return(&f, 100);
    fake_forget(&f);
    lose();
    assert_string_equal(f.told, "agent: Hello, this is a test.|caller: are you open|"
                                "agent: Until five.|");
    assert_true(fake_did(&f, "resumed:provider_lost:300:1"));
    assert_false(fake_did(&f, "respond") || fake_did(&f, "say") || fake_did(&f, "instruct"));
    assert_string_equal(call_state_name(f.call), "live");
    assert_false(fake_did(&f, "agent:started"));
}

static void test_lost_while_the_caller_speaks_all_they_said_is_heard_again(void **state)
{
    (void)state;
    greet();
    frames(0, 4000);
    call_provider_events.on_speech_started(f.call, 3000, RD_STR("u1"));
    frames(4000, 6000);
    f.to_provider_bytes = 0;
    fake_provider_ends(&f, LEG_LOST);
    frames(6000, 6300);
    assert_int_equal(f.to_provider_bytes, 0);
    fake_pass(&f, 300);
    fake_next_ready(&f);
    assert_int_equal(f.to_provider_bytes, 3300 * 8);
    assert_false(fake_did(&f, "respond")); /* they are not through */
    call_provider_events.on_speech_started(f.call, 0, RD_STR("2.u1"));
    fake_pass(&f, 2000);
    assert_false(fake_did(&f, "respond"));
    call_provider_events.on_speech_stopped(f.call, 3000, RD_STR("2.u1"));
    fake_caller_said(&f, "2.u1", "", "I need a plumber");
    answer("2.r1", "2.a1", "Of course.");
    assert_non_null(strstr(f.turns, "caller: I need a plumber|"));
}

static void test_what_was_committed_without_words_is_heard_again(void **state)
{
    (void)state;
    greet();
    frames(0, 2000);
    call_provider_events.on_speech_started(f.call, 500, RD_STR("u1"));
    call_provider_events.on_speech_stopped(f.call, 1500, RD_STR("u1"));
    fake_item(&f, "u1", "a1", PROVIDER_CALLER);
    call_provider_events.on_committed(f.call, RD_STR("u1"));
    f.to_provider_bytes = 0;
    lose();
    assert_int_equal(f.to_provider_bytes, 1500 * 8);
    fake_caller_starts(&f);
    fake_caller_stops(&f);
    fake_caller_said(&f, "2.u1", "", "hello there");
    assert_string_equal(f.turns, "agent: Hello, this is a test.|caller: hello there|");
}

static void test_what_there_are_words_for_is_answered_and_not_heard_again(void **state)
{
    (void)state;
    greet();
    frames(0, 2000);
    call_provider_events.on_speech_started(f.call, 500, RD_STR("u1"));
    call_provider_events.on_speech_stopped(f.call, 1500, RD_STR("u1"));
    call_provider_events.on_committed(f.call, RD_STR("u1"));
    fake_caller_said(&f, "u1", "a1", "hello there");
    f.to_provider_bytes = 0;
    lose();
    assert_int_equal(f.to_provider_bytes, 500 * 8); /* what came behind it */
    assert_string_equal(f.told, "agent: Hello, this is a test.|caller: hello there|");
    assert_int_equal(fake_times(&f, "respond"), 1);
}

static void test_words_that_were_waited_for_in_vain_are_not_heard_again(void **state)
{
    (void)state;
    greet();
    frames(0, 2000);
    call_provider_events.on_speech_started(f.call, 500, RD_STR("u1"));
    call_provider_events.on_speech_stopped(f.call, 1500, RD_STR("u1"));
    fake_item(&f, "u1", "a1", PROVIDER_CALLER);
    call_provider_events.on_committed(f.call, RD_STR("u1"));
    answer("r2", "a2", "Until five.");
    fake_pass(&f, 11000);
    assert_non_null(strstr(f.turns, "caller: |")); /* it is kept as a turn without words */
    f.to_provider_bytes = 0;
    lose();
    assert_int_equal(f.to_provider_bytes, 500 * 8);
}

static void test_noise_that_was_fed_again_does_not_mute_the_agent(void **state)
{
    (void)state;
    greet();
    fake_caller_starts(&f);
    lose();
    assert_false(fake_did(&f, "respond"));
    fake_pass(&f, CALL_LISTEN_MS + 10);
    assert_true(fake_did(&f, "respond"));
}

static void test_a_sentence_that_was_cut_is_gone_on_with(void **state)
{
    (void)state;
    greet();
    fake_caller_asks(&f, "u1", "a1", "are you open");
    fake_own_turn_starts(&f, "r2");
    fake_item(&f, "a2", "u1", PROVIDER_AGENT);
    fake_agent_audio(&f, "r2", "a2", 400);
    fake_agent_words(&f, "a2", "We are open until", false);
    fake_forget(&f);
    lose();
    assert_false(fake_did(&f, "clear")); /* what is there is heard */
    assert_non_null(strstr(f.told, "agent: We are open until|"));
    assert_true(fake_did(&f, "instruct"));
    assert_non_null(strstr(f.last_text, "Finish that sentence"));
    fake_marks_return(&f, 100);
    assert_non_null(strstr(f.turns, "agent: We are open until-|"));
}

static void test_a_caller_who_cuts_in_on_the_rest_is_told_of(void **state)
{
    (void)state;
    greet();
    fake_caller_asks(&f, "u1", "a1", "are you open");
    fake_own_turn_starts(&f, "r2");
    fake_item(&f, "a2", "u1", PROVIDER_AGENT);
    for (int i = 0; i < 4; i++)
        fake_agent_audio(&f, "r2", "a2", 1000);
    fake_agent_words(&f, "a2", "We are open until five o'clock today", true);
    lose();
    fake_marks_return(&f, 5);
    fake_caller_starts(&f);
    assert_true(fake_did(&f, "clear"));
    assert_true(fake_did(&f, "note"));
    assert_non_null(strstr(f.last_text, "only the first 1 of 4 seconds"));
}

/* --- answered before there were words for it --- */

/* The caller speaks for a second; the session takes it for a turn, whose words do not come yet. */
static void caller_is_not_understood_yet(void)
{
    greet();
    frames(0, 2000);
    call_provider_events.on_speech_started(f.call, 500, RD_STR("u1"));
    call_provider_events.on_speech_stopped(f.call, 1500, RD_STR("u1"));
    fake_item(&f, "u1", "a1", PROVIDER_CALLER);
    call_provider_events.on_committed(f.call, RD_STR("u1"));
}

/* The next session takes the same second for a turn: it begins where it was fed from. */
static void the_same_is_heard_again(void)
{
    call_provider_events.on_speech_started(f.call, 0, RD_STR("2.u1"));
    call_provider_events.on_speech_stopped(f.call, 1000, RD_STR("2.u1"));
    fake_item(&f, "2.u1", "", PROVIDER_CALLER);
    call_provider_events.on_committed(f.call, RD_STR("2.u1"));
}

static void test_what_is_heard_again_does_not_cut_in_on_its_answer(void **state)
{
    (void)state;
    caller_is_not_understood_yet();
    fake_own_turn_starts(&f, "r2");
    fake_item(&f, "a2", "u1", PROVIDER_AGENT);
    fake_agent_audio(&f, "r2", "a2", 400);
    fake_agent_words(&f, "a2", "We are open until", false);
    fake_forget(&f);
    lose();
    the_same_is_heard_again();
    assert_false(fake_did(&f, "clear") || fake_did(&f, "record:barge_in"));
    fake_own_turn_starts(&f, "2.r1");
    assert_true(fake_did(&f, "cancel:2.r1"));
    fake_response_ends(&f, "2.r1", PROVIDER_RESPONSE_CANCELLED);
    assert_true(fake_did(&f, "instruct"));
    assert_non_null(strstr(f.last_text, "Finish that sentence"));
    fake_caller_said(&f, "2.u1", "", "are you open");
    fake_response_starts(&f, "2.r2");
    fake_agent_audio(&f, "2.r2", "2.a2", 400);
    assert_int_equal(f.totals.barge_ins, 0);
    call_provider_events.on_speech_started(f.call, 1600, RD_STR("2.u2")); /* that is news */
    assert_true(fake_did(&f, "record:barge_in"));
}

static void test_an_answer_that_was_complete_is_not_given_twice(void **state)
{
    (void)state;
    caller_is_not_understood_yet();
    answer("r2", "a2", "Until five.");
    fake_forget(&f);
    lose();
    the_same_is_heard_again();
    fake_own_turn_starts(&f, "2.r1");
    fake_response_ends(&f, "2.r1", PROVIDER_RESPONSE_CANCELLED);
    fake_caller_said(&f, "2.u1", "", "are you open");
    fake_pass(&f, 5000);
    fake_marks_return(&f, 100);
    assert_false(fake_did(&f, "respond") || fake_did(&f, "instruct") || fake_did(&f, "clear"));
    assert_non_null(strstr(f.turns, "caller: are you open|agent: Until five.|"));
    call_provider_events.on_speech_started(f.call, 7000, RD_STR("2.u2"));
    call_provider_events.on_speech_stopped(f.call, 7500, RD_STR("2.u2"));
    call_provider_events.on_committed(f.call, RD_STR("2.u2"));
    fake_own_turn_starts(&f, "2.r2");
    assert_false(fake_did(&f, "cancel:2.r2")); /* what comes next is answered */
}

static void test_a_tool_that_runs_for_it_is_not_called_again(void **state)
{
    struct provider_tool_call again = {.call_id = RD_STR("2.c1"),
                                       .response_id = RD_STR("2.r1"),
                                       .name = RD_STR("book"),
                                       .arguments = RD_STR("{}")};

    (void)state;
    caller_is_not_understood_yet();
    fake_own_turn_starts(&f, "r2");
    fake_tool_call(&f, "c1", "book", "{}");
    fake_response_ends(&f, "r2", PROVIDER_RESPONSE_COMPLETED);
    lose();
    the_same_is_heard_again();
    fake_own_turn_starts(&f, "2.r1");
    call_provider_events.on_tool_call(f.call, &again); /* it was on its way already */
    fake_response_ends(&f, "2.r1", PROVIDER_RESPONSE_CANCELLED);
    assert_int_equal(fake_times(&f, "agent:tool_call"), 1);
    assert_true(fake_did(&f, "result:2.c1"));
    fake_caller_said(&f, "2.u1", "", "book it");
    assert_false(fake_did(&f, "respond"));
    call_tool_result(f.call, RD_STR("c1"), RD_STR("done"), true);
    assert_non_null(strstr(f.told, "tool: {} -> done|"));
    assert_int_equal(fake_times(&f, "respond"), 1);
}

static void test_what_is_said_behind_it_is_answered(void **state)
{
    (void)state;
    caller_is_not_understood_yet();
    answer("r2", "a2", "Until five.");
    lose();
    call_provider_events.on_speech_started(f.call, 0, RD_STR("2.u1"));
    call_provider_events.on_speech_stopped(f.call, 2400, RD_STR("2.u1")); /* and they said more */
    call_provider_events.on_committed(f.call, RD_STR("2.u1"));
    fake_own_turn_starts(&f, "2.r1");
    assert_false(fake_did(&f, "cancel:2.r1"));
}

static void test_an_answer_that_made_no_sound_is_asked_for_again(void **state)
{
    (void)state;
    greet();
    fake_caller_asks(&f, "u1", "a1", "are you open");
    fake_own_turn_starts(&f, "r2");
    fake_forget(&f);
    lose();
    assert_int_equal(fake_times(&f, "respond"), 1);
}

static void test_a_tool_runs_on_and_its_result_goes_to_the_next_session(void **state)
{
    (void)state;
    greet();
    fake_caller_asks(&f, "u1", "a1", "book it");
    fake_own_turn_starts(&f, "r2");
    fake_tool_call(&f, "c1", "book", "{\"day\":1}");
    fake_response_ends(&f, "r2", PROVIDER_RESPONSE_COMPLETED);
    fake_forget(&f);
    lose();
    assert_null(strstr(f.told, "tool:"));
    assert_false(fake_did(&f, "respond"));
    call_tool_result(f.call, RD_STR("c1"), RD_STR("done"), true);
    assert_non_null(strstr(f.told, "tool: {\"day\":1} -> done|"));
    assert_false(fake_did(&f, "result:c1"));
    assert_int_equal(fake_times(&f, "respond"), 1);
    assert_int_equal(fake_times(&f, "agent:tool_call"), 0);
}

static void test_a_result_that_comes_between_two_sessions_is_told_to_the_second(void **state)
{
    (void)state;
    greet();
    fake_caller_asks(&f, "u1", "a1", "book it");
    fake_tool_call(&f, "c1", "book", "{}");
    fake_provider_ends(&f, LEG_CLOSED_BY_PEER);
    call_tool_result(f.call, RD_STR("c1"), RD_STR("done"), true);
    assert_false(fake_did(&f, "respond"));
    fake_next_ready(&f);
    assert_string_equal(f.told, "agent: Hello, this is a test.|caller: book it|tool: {} -> done|");
    assert_int_equal(fake_times(&f, "respond"), 1);
}

static void test_words_of_our_own_that_did_not_sound_are_said_again(void **state)
{
    (void)state;
    fake_start_live(&f, &brief);
    fake_can_reopen(&f);
    fake_response_starts(&f, "r1");
    lose();
    assert_int_equal(fake_times(&f, "say"), 2);
    assert_string_equal(f.last_text, "Hello, this is a test.");
}

static void test_a_notice_that_was_cut_is_repeated(void **state)
{
    (void)state;
    brief.notice = "This call is recorded and you talk to a machine.";
    brief.opening = "This call is recorded and you talk to a machine. How can I help?";
    fake_start_live(&f, &brief);
    fake_can_reopen(&f);
    fake_response_starts(&f, "r1");
    fake_item(&f, "a1", "", PROVIDER_AGENT);
    fake_agent_audio(&f, "r1", "a1", 600);
    fake_agent_words(&f, "a1", "This call is", false);
    lose();
    fake_marks_return(&f, 100);
    assert_false(call_may_store(f.call));
    fake_response_starts(&f, "2.r1"); /* goes on, as it was told */
    fake_agent_audio(&f, "2.r1", "2.a1", 300);
    fake_response_ends(&f, "2.r1", PROVIDER_RESPONSE_COMPLETED);
    assert_string_equal(f.last_text, brief.notice);
}

static void test_a_goodbye_on_its_way_needs_no_other_session(void **state)
{
    (void)state;
    greet();
    answer("r2", "a2", "Goodbye.");
    call_hang_up(f.call, CALL_END_AGENT_HANGUP);
    fake_provider_ends(&f, LEG_LOST);
    assert_false(fake_did(&f, "open"));
    fake_marks_return(&f, 100);
    assert_true(fake_did(&f, "ended:agent_hangup"));
}

static void test_a_goodbye_that_was_not_said_is_said_by_the_next_session(void **state)
{
    (void)state;
    greet();
    call_own_words(f.call, RD_STR("Our time is up."), OWN_WORDS);
    call_hang_up(f.call, CALL_END_MAX_DURATION);
    fake_response_starts(&f, "r2");
    fake_forget(&f);
    lose();
    assert_true(fake_did(&f, "say"));
    assert_string_equal(f.last_text, "Our time is up.");
    assert_string_equal(call_state_name(f.call), "leaving");
}

static void test_a_leg_that_cannot_be_opened_is_tried_again_until_the_fallback(void **state)
{
    (void)state;
    greet();
    f.no_more_legs = true;
    fake_provider_ends(&f, LEG_LOST);
    fake_pass(&f, 2900);
    assert_true(fake_times(&f, "open") > 5);
    assert_non_null(f.call);
    fake_pass(&f, 200);
    assert_true(fake_did(&f, "ended:provider_failed"));
}

static void test_a_second_leg_that_fails_is_followed_by_a_third(void **state)
{
    (void)state;
    greet();
    fake_provider_ends(&f, LEG_LOST);
    fake_provider_ends(&f, LEG_LOST);
    fake_pass(&f, 300);
    assert_int_equal(fake_times(&f, "open"), 2);
    fake_next_ready(&f);
    assert_true(fake_did(&f, "resumed:provider_lost:300:1"));
}

static void test_what_is_refused_is_not_tried_again(void **state)
{
    (void)state;
    greet();
    fake_provider_ends(&f, LEG_REFUSED);
    assert_false(fake_did(&f, "open"));
    assert_true(fake_did(&f, "ended:provider_failed"));
}

static void test_the_fourth_loss_within_a_minute_is_the_fallback(void **state)
{
    (void)state;
    greet();
    for (int i = 0; i < 3; i++) {
        lose();
        fake_pass(&f, 5000);
    }
    assert_true(fake_did(&f, "resumed:provider_lost:300:3"));
    fake_provider_ends(&f, LEG_LOST);
    assert_true(fake_did(&f, "ended:provider_failed"));
}

static void test_a_loss_each_minute_is_no_reason_to_give_up(void **state)
{
    (void)state;
    brief.silence_ms = 0;
    greet();
    for (int i = 0; i < 6; i++) {
        lose();
        fake_pass(&f, 25000);
    }
    assert_non_null(f.call);
}

static void test_the_carrier_leaves_between_two_sessions(void **state)
{
    (void)state;
    greet();
    fake_provider_ends(&f, LEG_LOST);
    fake_carrier_ends(&f, LEG_CLOSED_BY_PEER);
    assert_true(fake_did(&f, "ended:caller_hangup"));
}

/* --- a session that expires --- */

static void test_the_successor_takes_over_when_nobody_speaks(void **state)
{
    (void)state;
    brief.silence_ms = 0;
    greet();
    call_provider_events.on_expiry(f.call, 300000);
    fake_pass(&f, 239900);
    assert_false(fake_did(&f, "open"));
    fake_pass(&f, 200);
    assert_int_equal(fake_times(&f, "open"), 1);
    fake_caller_starts(&f);
    fake_next_expires(&f, 3600000);
    fake_next_ready(&f);
    fake_pass(&f, 100);
    assert_false(fake_did(&f, "forget"));
    fake_caller_stops(&f);
    fake_caller_said(&f, "u1", "a1", "are you open");
    answer("r2", "a2", "Until five.");
    assert_false(fake_did(&f, "forget"));
    fake_pass(&f, 500);
    fake_marks_return(&f, 100);
    fake_pass(&f, 10);
    assert_true(fake_did(&f, "forget"));
    assert_true(fake_did(&f, "resumed:provider_expires:0:1"));
    assert_non_null(strstr(f.told, "caller: are you open|agent: Until five.|"));
    assert_false(fake_did(&f, "respond") || fake_did(&f, "instruct"));
    fake_pass(&f, 100000);
    assert_int_equal(fake_times(&f, "open"), 1); /* the next in an hour */
}

static void test_before_the_end_it_takes_over_in_any_case(void **state)
{
    (void)state;
    greet();
    call_provider_events.on_expiry(f.call, 80000);
    fake_caller_starts(&f);
    fake_pass(&f, 60100);
    fake_next_ready(&f);
    fake_pass(&f, 9000);
    assert_false(fake_did(&f, "forget"));
    fake_pass(&f, 1000);
    assert_true(fake_did(&f, "forget"));
    assert_false(fake_did(&f, "respond")); /* the caller speaks on */
}

static void test_a_successor_that_is_lost_is_followed_by_another(void **state)
{
    (void)state;
    greet();
    call_provider_events.on_expiry(f.call, 80000);
    fake_caller_starts(&f);
    fake_pass(&f, 60100);
    f.next->on_end(f.call, LEG_LOST);
    fake_pass(&f, CALL_ROTATE_AGAIN_MS + 10);
    assert_int_equal(fake_times(&f, "open"), 2);
    fake_provider_ends(&f, LEG_LOST); /* and then the session itself: the successor is at hand */
    assert_int_equal(fake_times(&f, "open"), 2);
    fake_next_ready(&f);
    assert_true(fake_did(&f, "resumed:provider_lost:0:1"));
}

/* --- a call that began elsewhere --- */

static void test_a_call_that_goes_on_here_has_no_opening_and_no_hooks(void **state)
{
    (void)state;
    fake_start(&f, &brief);
    f.call->o.resumed = true;
    history_add_turn(f.call->history, HISTORY_CALLER, RD_STR("book it"));
    history_add_turn(f.call->history, HISTORY_AGENT, RD_STR("For when?"));
    call_provider_events.on_ready(f.call);
    assert_false(fake_did(&f, "agent:started") || fake_did(&f, "say"));
    assert_string_equal(f.told, "caller: book it|agent: For when?|");
    assert_true(fake_did(&f, "instruct"));
    fake_stop(&f);
    fake_start(&f, &brief);
    f.call->o.resumed = true;
    history_add_turn(f.call->history, HISTORY_CALLER, RD_STR("book it"));
    call_provider_events.on_ready(f.call);
    assert_true(fake_did(&f, "respond"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(test_lost_while_nobody_speaks_the_model_is_told_and_says_nothing),
        STORY(test_lost_while_the_caller_speaks_all_they_said_is_heard_again),
        STORY(test_what_was_committed_without_words_is_heard_again),
        STORY(test_what_there_are_words_for_is_answered_and_not_heard_again),
        STORY(test_words_that_were_waited_for_in_vain_are_not_heard_again),
        STORY(test_noise_that_was_fed_again_does_not_mute_the_agent),
        STORY(test_a_sentence_that_was_cut_is_gone_on_with),
        STORY(test_a_caller_who_cuts_in_on_the_rest_is_told_of),
        STORY(test_what_is_heard_again_does_not_cut_in_on_its_answer),
        STORY(test_an_answer_that_was_complete_is_not_given_twice),
        STORY(test_a_tool_that_runs_for_it_is_not_called_again),
        STORY(test_what_is_said_behind_it_is_answered),
        STORY(test_an_answer_that_made_no_sound_is_asked_for_again),
        STORY(test_a_tool_runs_on_and_its_result_goes_to_the_next_session),
        STORY(test_a_result_that_comes_between_two_sessions_is_told_to_the_second),
        STORY(test_words_of_our_own_that_did_not_sound_are_said_again),
        STORY(test_a_notice_that_was_cut_is_repeated),
        STORY(test_a_goodbye_on_its_way_needs_no_other_session),
        STORY(test_a_goodbye_that_was_not_said_is_said_by_the_next_session),
        STORY(test_a_leg_that_cannot_be_opened_is_tried_again_until_the_fallback),
        STORY(test_a_second_leg_that_fails_is_followed_by_a_third),
        STORY(test_what_is_refused_is_not_tried_again),
        STORY(test_the_fourth_loss_within_a_minute_is_the_fallback),
        STORY(test_a_loss_each_minute_is_no_reason_to_give_up),
        STORY(test_the_carrier_leaves_between_two_sessions),
        STORY(test_the_successor_takes_over_when_nobody_speaks),
        STORY(test_before_the_end_it_takes_over_in_any_case),
        STORY(test_a_successor_that_is_lost_is_followed_by_another),
        STORY(test_a_call_that_goes_on_here_has_no_opening_and_no_hooks),
    };

    return cmocka_run_group_tests_name("resume", tests, NULL, NULL);
}
