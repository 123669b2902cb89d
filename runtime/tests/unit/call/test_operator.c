/* SPDX-License-Identifier: Apache-2.0 */
/* What somebody outside wants of a call: a word in the model's ear, another person for the caller. */
#include "fake_story.h"

#include "base/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define OFFICE RD_STR("office")

/* --- whispers --- */

static void test_a_whisper_waits_for_the_next_answer(void **state)
{
    (void)state;
    fake_greet(&f, &brief);
    fake_forget(&f);
    assert_int_equal(call_whisper(f.call, RD_STR("Offer a discount."), false), 0);
    assert_true(fake_did(&f, "note"));
    assert_string_equal("Offer a discount.", f.last_text);
    assert_false(fake_did(&f, "respond"));
}

static void test_an_urgent_whisper_asks_for_an_answer(void **state)
{
    (void)state;
    fake_greet(&f, &brief);
    fake_forget(&f);
    assert_int_equal(call_whisper(f.call, RD_STR("Offer a discount."), true), 0);
    assert_true(fake_before(&f, "note", "respond"));
}

static void test_an_urgent_whisper_does_not_talk_over_an_answer(void **state)
{
    (void)state;
    fake_greet(&f, &brief);
    fake_own_turn_starts(&f, "r2");
    fake_agent_audio(&f, "r2", "a2", 100);
    fake_forget(&f);
    assert_int_equal(call_whisper(f.call, RD_STR("Offer a discount."), true), 0);
    assert_false(fake_did(&f, "respond"));
    fake_response_ends(&f, "r2", PROVIDER_RESPONSE_COMPLETED);
    assert_true(fake_did(&f, "respond"));
}

static void test_nobody_whispers_to_a_call_that_is_not_live(void **state)
{
    (void)state;
    fake_start(&f, &brief);
    assert_int_equal(call_whisper(f.call, RD_STR("Hello?"), true), RD_ESTATE);
    assert_false(fake_did(&f, "note"));
}

/* --- kept open --- */

static void test_a_call_that_is_kept_open_ends_neither_by_silence_nor_by_length(void **state)
{
    (void)state;
    brief.silence_times = 0; /* the first silence would end it */
    fake_greet(&f, &brief);
    call_keep_open(f.call, true);
    fake_pass(&f, brief.silence_ms + 1);
    assert_string_equal(call_state_name(f.call), "live");
    fake_stop(&f);

    brief.silence_ms = 0;
    fake_greet(&f, &brief);
    call_keep_open(f.call, true);
    fake_pass(&f, 2 * (uint64_t)brief.max_call_ms);
    assert_non_null(f.call);
    assert_string_equal(call_state_name(f.call), "live");
    assert_int_equal(call_overdue_ms(f.call), 0);
}

static void test_a_call_that_is_kept_open_is_not_ended_by_its_agent_but_by_an_operator(void **state)
{
    (void)state;
    fake_greet(&f, &brief);
    fake_own_turn_starts(&f, "r2");
    fake_agent_audio(&f, "r2", "a2", 1000);
    call_hang_up(f.call, CALL_END_AGENT_HANGUP);
    assert_string_equal(call_state_name(f.call), "leaving");
    call_keep_open(f.call, true); /* a goodbye under way is taken back */
    assert_string_equal(call_state_name(f.call), "live");
    call_hang_up(f.call, CALL_END_AGENT_HANGUP);
    assert_string_equal(call_state_name(f.call), "live");
    call_hang_up(f.call, CALL_END_OPERATOR);
    assert_true(!f.call || strcmp(call_state_name(f.call), "live") != 0);
}

static void test_a_process_that_leaves_takes_nobody_along_whose_life_may_hang_on_the_call(
    void **state)
{
    (void)state;
    fake_greet(&f, &brief);
    call_keep_open(f.call, true);
    fake_forget(&f);
    call_hand_on(f.call, false);
    assert_string_equal(call_state_name(f.call), "live");
    assert_string_equal(f.log, ""); /* the caller hears nothing of it */
    call_hand_on(f.call, true);     /* a minute later: another process goes on */
    assert_true(fake_did(&f, "ended:node_drained"));

    fake_greet(&f, &brief);
    call_keep_open(f.call, true);
    call_keep_open(f.call, false); /* somebody took it */
    fake_forget(&f);
    call_hand_on(f.call, false);
    assert_true(fake_did(&f, "ended:node_drained"));
}

/* --- transfers --- */

static void test_a_transfer_ends_when_the_carrier_takes_the_caller(void **state)
{
    (void)state;
    fake_greet(&f, &brief);
    call_transfer(f.call, OFFICE);
    assert_true(fake_before(&f, "transfer:asked:office", "agent:transfer"));
    assert_false(fake_did(&f, "carrier_close"));
    fake_carrier_ends(&f, LEG_CLOSED_BY_PEER);
    assert_true(fake_did(&f, "closing:transferred"));
    assert_true(fake_did(&f, "ended:transferred"));
}

static void test_a_transfer_that_the_script_began_by_itself_is_not_asked_for_again(void **state)
{
    (void)state;
    fake_greet(&f, &brief);
    call_transfer_begun(f.call, OFFICE);
    assert_true(fake_did(&f, "transfer:asked:office"));
    assert_false(fake_did(&f, "agent:transfer"));
    fake_carrier_ends(&f, LEG_CLOSED_BY_PEER);
    assert_true(fake_did(&f, "ended:transferred"));
}

static void test_a_refused_transfer_leaves_the_call_as_it_was(void **state)
{
    (void)state;
    fake_greet(&f, &brief);
    call_transfer(f.call, OFFICE);
    call_transfer_refused(f.call, RD_STR("nobody is called so"), RD_STR(""), false);
    assert_true(fake_did(&f, "transfer:refused:office"));
    assert_string_equal("nobody is called so", f.last_text);
    assert_string_equal("live", call_state_name(f.call));
    fake_carrier_ends(&f, LEG_CLOSED_BY_PEER);
    assert_true(fake_did(&f, "ended:caller_hangup"));
}

static void test_we_do_not_close_the_stream_before_the_carrier_does(void **state)
{
    (void)state;
    brief.max_call_ms = 20000;
    fake_greet(&f, &brief);
    call_transfer(f.call, OFFICE);
    call_hang_up(f.call, CALL_END_AGENT_HANGUP);
    fake_pass(&f, 25000); /* silence, time up */
    assert_string_equal("live", call_state_name(f.call));
    assert_false(fake_did(&f, "agent:silence"));
    assert_false(fake_did(&f, "carrier_close"));
    fake_carrier_ends(&f, LEG_CLOSED_BY_PEER);
    assert_true(fake_did(&f, "ended:transferred"));
}

static void test_an_operator_may_hang_up_all_the_same(void **state)
{
    (void)state;
    fake_greet(&f, &brief);
    call_transfer(f.call, OFFICE);
    call_hang_up(f.call, CALL_END_OPERATOR);
    assert_true(fake_did(&f, "ended:operator"));
}

static void test_a_carrier_that_never_answers_gives_the_call_back(void **state)
{
    (void)state;
    brief.silence_ms = 0;
    fake_greet(&f, &brief);
    call_transfer(f.call, OFFICE);
    fake_pass(&f, 30100);
    fake_carrier_ends(&f, LEG_CLOSED_BY_PEER);
    assert_true(fake_did(&f, "ended:caller_hangup"));
}

static void test_a_transfer_nobody_knows_of_may_still_happen(void **state)
{
    (void)state;
    fake_greet(&f, &brief);
    call_transfer(f.call, OFFICE);
    call_transfer_refused(f.call, RD_STR("the carrier did not answer"), RD_STR(""), true);
    assert_true(fake_did(&f, "transfer:refused:office"));
    fake_carrier_ends(&f, LEG_CLOSED_BY_PEER);
    assert_true(fake_did(&f, "ended:transferred"));
}

/* --- the agent's own --- */

static void agent_speaks(void)
{
    fake_greet(&f, &brief);
    fake_own_turn_starts(&f, "r2");
    fake_agent_audio(&f, "r2", "a2", 900);
    fake_forget(&f);
}

static void test_the_agents_transfer_waits_until_its_sentence_was_heard(void **state)
{
    (void)state;
    agent_speaks();
    call_transfer_when_heard(f.call, OFFICE);
    assert_false(fake_did(&f, "agent:transfer"));
    fake_response_ends(&f, "r2", PROVIDER_RESPONSE_COMPLETED);
    assert_false(fake_did(&f, "agent:transfer"));
    fake_carrier_ends(&f, LEG_CLOSED_BY_PEER); /* nothing was asked of it yet */
    assert_true(fake_did(&f, "ended:caller_hangup"));
}

static void test_once_it_was_heard_the_carrier_is_asked(void **state)
{
    (void)state;
    agent_speaks();
    call_transfer_when_heard(f.call, OFFICE);
    fake_response_ends(&f, "r2", PROVIDER_RESPONSE_COMPLETED);
    fake_marks_return(&f, 100);
    assert_true(fake_before(&f, "transfer:asked:office", "agent:transfer"));
    fake_carrier_ends(&f, LEG_CLOSED_BY_PEER);
    assert_true(fake_did(&f, "agent:away"));
    assert_false(fake_did(&f, "agent:ended"));
}

static void test_marks_that_never_come_hold_it_up_twelve_seconds(void **state)
{
    (void)state;
    brief.silence_ms = 0;
    agent_speaks();
    call_transfer_when_heard(f.call, OFFICE);
    fake_response_ends(&f, "r2", PROVIDER_RESPONSE_COMPLETED);
    fake_pass(&f, 11000);
    assert_false(fake_did(&f, "agent:transfer"));
    fake_pass(&f, 1100);
    assert_int_equal(1, fake_times(&f, "agent:transfer"));
}

static void test_the_agent_does_not_hang_up_on_who_it_transfers(void **state)
{
    (void)state;
    agent_speaks();
    call_transfer_when_heard(f.call, OFFICE);
    call_hang_up(f.call, CALL_END_AGENT_HANGUP);
    assert_string_equal("live", call_state_name(f.call));
}

static void test_a_refusal_is_told_to_the_model_whose_idea_it_was(void **state)
{
    (void)state;
    fake_greet(&f, &brief);
    call_transfer_when_heard(f.call, OFFICE);
    assert_true(fake_did(&f, "agent:transfer")); /* all was heard already */
    fake_forget(&f);
    call_transfer_refused(f.call, RD_STR("no such number"), RD_STR("Say that it failed."), false);
    assert_true(fake_did(&f, "instruct"));
}

static void test_a_doubt_lasts_five_seconds_for_a_caller_who_waits(void **state)
{
    (void)state;
    brief.silence_ms = 0;
    fake_greet(&f, &brief);
    call_transfer_when_heard(f.call, OFFICE);
    fake_forget(&f);
    call_transfer_refused(f.call, RD_STR("no answer"), RD_STR("Say that it failed."), true);
    assert_false(fake_did(&f, "instruct"));
    fake_pass(&f, 5100);
    assert_true(fake_did(&f, "instruct"));
}

/* --- a caller who speaks meanwhile --- */

static void caller_asks_meanwhile(void)
{
    fake_caller_starts(&f);
    fake_caller_stops(&f);
    fake_own_turn_starts(&f, "r3");
}

static void test_a_caller_who_is_being_transferred_is_not_answered(void **state)
{
    (void)state;
    brief.silence_ms = 0;
    fake_greet(&f, &brief);
    call_transfer_when_heard(f.call, OFFICE);
    fake_forget(&f);
    caller_asks_meanwhile();
    assert_true(fake_did(&f, "cancel:r3"));
    fake_agent_audio(&f, "r3", "a3", 200);
    assert_int_equal(f.n_marks, 0);
    fake_response_ends(&f, "r3", PROVIDER_RESPONSE_CANCELLED);
    fake_pass(&f, 20000); /* nothing is owed: no moment, nothing asked again, no fallback */
    assert_false(fake_did(&f, "aside"));
    assert_false(fake_did(&f, "respond"));
    assert_string_equal("live", call_state_name(f.call));
    fake_carrier_ends(&f, LEG_CLOSED_BY_PEER);
    assert_true(fake_did(&f, "ended:transferred"));
}

static void test_a_caller_who_stays_after_all_is_answered(void **state)
{
    (void)state;
    fake_greet(&f, &brief);
    call_transfer(f.call, OFFICE);
    caller_asks_meanwhile();
    fake_response_ends(&f, "r3", PROVIDER_RESPONSE_CANCELLED);
    fake_forget(&f);
    call_transfer_refused(f.call, RD_STR("nobody is called so"), RD_STR(""), false);
    assert_int_equal(1, fake_times(&f, "respond"));
    fake_pass(&f, 2600); /* and waits from now on */
    assert_true(fake_did(&f, "aside"));
}

static void test_words_that_were_begun_before_are_heard_to_the_end(void **state)
{
    (void)state;
    agent_speaks();
    call_transfer(f.call, OFFICE);
    fake_agent_audio(&f, "r2", "a2", 900);
    fake_response_ends(&f, "r2", PROVIDER_RESPONSE_COMPLETED);
    assert_false(fake_did(&f, "cancel:r2"));
    assert_true(f.to_carrier_bytes >= (uint64_t)2 * 900 * 8);
}

static void test_a_debt_from_before_does_not_cut_a_transfer_off(void **state)
{
    (void)state;
    brief.silence_ms = 0;
    fake_greet(&f, &brief);
    fake_caller_starts(&f);
    fake_caller_stops(&f);
    fake_own_turn_starts(&f, "r2"); /* and stays silent */
    call_transfer(f.call, OFFICE);
    fake_pass(&f, 20000);
    assert_string_equal("live", call_state_name(f.call));
    fake_pass(&f, 10100 + 7000); /* the carrier never answered: now it is owed again */
    assert_true(fake_did(&f, "respond"));
}

static void test_that_it_failed_is_told_although_the_caller_cuts_in(void **state)
{
    (void)state;
    fake_greet(&f, &brief);
    call_transfer_when_heard(f.call, OFFICE);
    call_transfer_refused(f.call, RD_STR("no such number"), RD_STR("Say that it failed."), false);
    fake_response_starts(&f, "r3");
    fake_caller_starts(&f);
    assert_true(fake_did(&f, "cancel:r3"));
    fake_response_ends(&f, "r3", PROVIDER_RESPONSE_CANCELLED);
    fake_forget(&f);
    fake_caller_stops(&f);
    fake_own_turn_starts(&f, "r4");
    fake_agent_audio(&f, "r4", "a4", 100);
    fake_response_ends(&f, "r4", PROVIDER_RESPONSE_COMPLETED);
    assert_true(fake_did(&f, "instruct"));
    assert_string_equal("Say that it failed.", f.last_text);
}

static void test_one_transfer_at_a_time(void **state)
{
    (void)state;
    fake_greet(&f, &brief);
    call_transfer(f.call, OFFICE);
    call_transfer(f.call, RD_STR("on_call"));
    assert_true(fake_did(&f, "transfer:refused:on_call"));
    assert_int_equal(1, fake_times(&f, "agent:transfer"));
    call_transfer_refused(f.call, RD_STR("busy"), RD_STR(""), false);
    call_transfer(f.call, RD_STR("on_call"));
    assert_int_equal(2, fake_times(&f, "agent:transfer"));
}

static void test_a_call_that_leaves_is_not_transferred(void **state)
{
    (void)state;
    fake_greet(&f, &brief);
    fake_own_turn_starts(&f, "r2");
    fake_agent_audio(&f, "r2", "a2", 900);
    call_hang_up(f.call, CALL_END_AGENT_HANGUP);
    call_transfer(f.call, OFFICE);
    assert_true(fake_did(&f, "transfer:refused:office"));
    assert_false(fake_did(&f, "agent:transfer"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(test_a_whisper_waits_for_the_next_answer),
        STORY(test_an_urgent_whisper_asks_for_an_answer),
        STORY(test_an_urgent_whisper_does_not_talk_over_an_answer),
        STORY(test_nobody_whispers_to_a_call_that_is_not_live),
        STORY(test_a_call_that_is_kept_open_ends_neither_by_silence_nor_by_length),
        STORY(test_a_call_that_is_kept_open_is_not_ended_by_its_agent_but_by_an_operator),
        STORY(test_a_process_that_leaves_takes_nobody_along_whose_life_may_hang_on_the_call),
        STORY(test_a_transfer_ends_when_the_carrier_takes_the_caller),
        STORY(test_a_transfer_that_the_script_began_by_itself_is_not_asked_for_again),
        STORY(test_a_refused_transfer_leaves_the_call_as_it_was),
        STORY(test_we_do_not_close_the_stream_before_the_carrier_does),
        STORY(test_an_operator_may_hang_up_all_the_same),
        STORY(test_a_carrier_that_never_answers_gives_the_call_back),
        STORY(test_a_transfer_nobody_knows_of_may_still_happen),
        STORY(test_the_agents_transfer_waits_until_its_sentence_was_heard),
        STORY(test_once_it_was_heard_the_carrier_is_asked),
        STORY(test_marks_that_never_come_hold_it_up_twelve_seconds),
        STORY(test_the_agent_does_not_hang_up_on_who_it_transfers),
        STORY(test_a_refusal_is_told_to_the_model_whose_idea_it_was),
        STORY(test_a_doubt_lasts_five_seconds_for_a_caller_who_waits),
        STORY(test_a_caller_who_is_being_transferred_is_not_answered),
        STORY(test_a_caller_who_stays_after_all_is_answered),
        STORY(test_words_that_were_begun_before_are_heard_to_the_end),
        STORY(test_a_debt_from_before_does_not_cut_a_transfer_off),
        STORY(test_that_it_failed_is_told_although_the_caller_cuts_in),
        STORY(test_one_transfer_at_a_time),
        STORY(test_a_call_that_leaves_is_not_transferred),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
