/* SPDX-License-Identifier: Apache-2.0 */
/* What of a call is kept: nothing before the notice was heard whole, nothing of the caller in a pause.
 * The script learns everything all the same. */
#include "fake_story.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#define NOTICE "This call is recorded."

/* The opening with its notice is spoken, 3 s of which the notice takes about half; nothing of it was
 * heard yet. */
static void open_with_notice(void)
{
    brief.opening = NOTICE " Hello, this is a test.";
    brief.notice = NOTICE;
    fake_start_live(&f, &brief);
    fake_response_starts(&f, "r1");
    fake_item(&f, "a1", "", PROVIDER_AGENT);
    fake_agent_audio(&f, "r1", "a1", 1500);
    fake_agent_audio(&f, "r1", "a1", 1500);
    fake_agent_words(&f, "a1", NOTICE " Hello, this is a test.", true);
    fake_agent_audio_done(&f, "r1", "a1");
    fake_response_ends(&f, "r1", PROVIDER_RESPONSE_COMPLETED);
}

static void test_nothing_is_kept_before_the_notice_was_heard_whole(void **state)
{
    (void)state;
    open_with_notice();
    assert_false(call_may_store(f.call));
    fake_caller_frame(&f, 0);
    fake_pass(&f, 1400);
    fake_marks_return(&f, 8); /* 1.4 s: its last word may be missing */
    assert_false(fake_did(&f, "record:notice"));
    assert_false(fake_did(&f, "tap:begin"));
    assert_int_equal(0, f.kept_caller_bytes);
    assert_int_equal(24000, f.kept_agent_bytes); /* it may still play when the tap begins */
    fake_pass(&f, 600);
    fake_marks_return(&f, 3);
    assert_true(call_may_store(f.call));
    assert_string_equal(NOTICE, f.notice);
    assert_int_equal(1, fake_times(&f, "record:notice"));
    assert_true(fake_before(&f, "record:notice", "tap:begin"));
    fake_caller_frame(&f, 2000);
    assert_int_equal(160, f.kept_caller_bytes);
}

static void test_earlier_words_are_kept_from_the_moment_it_was_heard(void **state)
{
    (void)state;
    open_with_notice();
    fake_caller_starts(&f); /* at once: nothing of it was heard */
    fake_caller_stops(&f);
    fake_caller_said(&f, "u1", "", "I smell gas");
    assert_true(fake_did(&f, "agent:utterance")); /* an emergency does not wait */
    fake_own_turn_starts(&f, "r2");
    fake_item(&f, "a2", "u1", PROVIDER_AGENT);
    fake_agent_audio(&f, "r2", "a2", 300);
    fake_agent_words(&f, "a2", "Leave the house.", true);
    fake_agent_audio_done(&f, "r2", "a2");
    fake_response_ends(&f, "r2", PROVIDER_RESPONSE_COMPLETED);
    fake_marks_return(&f, 99);
    assert_true(fake_did(&f, "agent:said"));
    assert_string_equal("", f.turns);
    fake_response_starts(&f, "r3"); /* the notice again */
    fake_agent_audio(&f, "r3", "a3", 2000);
    fake_agent_audio_done(&f, "r3", "a3");
    fake_response_ends(&f, "r3", PROVIDER_RESPONSE_COMPLETED);
    assert_string_equal("", f.turns);
    fake_marks_return(&f, 99);
    assert_string_equal("caller: I smell gas|agent: Leave the house.|", f.turns);
    assert_true(fake_did(&f, "tap:begin"));
}

static void test_a_notice_that_was_never_heard_leaves_turns_without_words(void **state)
{
    (void)state;
    open_with_notice();
    fake_caller_starts(&f);
    fake_caller_stops(&f);
    fake_caller_said(&f, "u1", "", "forget it");
    fake_carrier_ends(&f, LEG_CLOSED_BY_PEER);
    assert_null(f.call);
    assert_string_equal("caller: before_notice|", f.turns);
    assert_false(fake_did(&f, "record:notice"));
    assert_false(fake_did(&f, "tap:begin"));
}

static void test_a_notice_the_model_broke_off_was_not_heard(void **state)
{
    (void)state;
    brief.opening = NOTICE;
    brief.notice = NOTICE;
    fake_start_live(&f, &brief);
    fake_response_starts(&f, "r1");
    fake_agent_audio(&f, "r1", "a1", 400);
    fake_response_ends(&f, "r1", PROVIDER_RESPONSE_INCOMPLETE);
    fake_pass(&f, 500);
    fake_forget(&f);
    fake_marks_return(&f, 99);
    assert_false(call_may_store(f.call));
    fake_caller_asks(&f, "u1", "", "hello?");
    fake_own_turn_starts(&f, "r2");
    fake_agent_audio(&f, "r2", "a2", 300);
    fake_response_ends(&f, "r2", PROVIDER_RESPONSE_COMPLETED);
    assert_string_equal(NOTICE, f.last_text); /* again */
}

static void test_more_turns_than_memory_is_given_to_lose_their_words_first(void **state)
{
    static const char first[] = "agent: before_notice|caller: before_notice|";
    char item[16];

    (void)state;
    open_with_notice();
    for (int i = 0; i < 200; i++) {
        (void)snprintf(item, sizeof(item), "u%d", i);
        fake_caller_said(&f, item, "", "x");
    }
    fake_marks_return(&f, 99);
    assert_memory_equal(first, f.turns, sizeof(first) - 1);
    assert_non_null(strstr(f.turns, "caller: before_notice|caller: x|"));
}

static void test_without_a_notice_everything_is_kept_from_the_start(void **state)
{
    (void)state;
    fake_start_live(&f, &brief);
    assert_true(call_may_store(f.call));
    assert_true(fake_did(&f, "tap:begin"));
    fake_response_starts(&f, "r1");
    fake_agent_audio(&f, "r1", "a1", 600);
    assert_int_equal(4800, f.kept_agent_bytes);
    fake_caller_starts(&f);
    assert_true(fake_before(&f, "clear", "tap:cleared"));
}

static void test_in_a_pause_the_provider_hears_silence_in_the_same_rhythm(void **state)
{
    uint64_t before;

    (void)state;
    fake_greet(&f, &brief);
    fake_caller_frame(&f, 0);
    assert_false(f.provider_hears_silence);
    before = f.to_provider_bytes;
    call_pause(f.call, true, RD_STR("agent"));
    for (uint32_t i = 1; i <= 30; i++) {
        fake_caller_frame(&f, i * 20);
        assert_true(f.provider_hears_silence);
        assert_in_range(f.to_provider_bytes - before, i * 160 - 2, i * 160);
    }
    assert_int_equal(before + 30 * 160, f.to_provider_bytes);
    call_pause(f.call, false, RD_STR("agent"));
    fake_caller_frame(&f, 620);
    assert_false(f.provider_hears_silence);
}

static void test_a_pause_while_the_provider_connects_is_silence_too(void **state)
{
    (void)state;
    fake_start(&f, &brief);
    call_pause(f.call, true, RD_STR("agent"));
    for (uint32_t i = 0; i < 3; i++)
        fake_caller_frame(&f, i * 20);
    call_provider_events.on_ready(f.call);
    assert_int_equal(480, f.to_provider_bytes);
    assert_true(f.provider_hears_silence);
    assert_true(fake_before(&f, "tap:begin", "tap:pause"));
}

static void test_what_the_caller_says_in_a_pause_is_not_kept(void **state)
{
    (void)state;
    fake_greet(&f, &brief);
    fake_caller_starts(&f);
    call_pause(f.call, true, RD_STR("agent"));
    fake_caller_frame(&f, 0);
    assert_int_equal(0, f.kept_caller_bytes);
    fake_caller_stops(&f);
    fake_caller_said(&f, "u1", "a1", "4111 1111");
    assert_true(fake_did(&f, "agent:utterance"));
    call_pause(f.call, false, RD_STR("agent"));
    fake_caller_asks(&f, "u2", "u1", "is it done?");
    assert_non_null(strstr(f.turns, "caller: paused|caller: is it done?|"));
    assert_true(fake_did(&f, "record:pause:on:agent"));
    assert_true(fake_did(&f, "record:pause:off:agent"));
    assert_true(fake_before(&f, "tap:pause", "tap:resume"));
    fake_caller_frame(&f, 20);
    assert_int_equal(160, f.kept_caller_bytes);
}

static void test_keys_reach_the_script_and_are_recorded_as_stars(void **state)
{
    (void)state;
    fake_greet(&f, &brief);
    call_pause(f.call, true, RD_STR("agent"));
    call_carrier_events.on_dtmf(f.call, '4');
    assert_true(fake_did(&f, "agent:dtmf"));
    assert_string_equal("4", f.last_key);
    assert_true(fake_did(&f, "record:dtmf:*"));
}

static void test_nobody_is_asked_whether_they_are_there_in_a_pause(void **state)
{
    (void)state;
    fake_greet(&f, &brief);
    call_pause(f.call, true, RD_STR("agent"));
    fake_pass(&f, 60000);
    assert_false(fake_did(&f, "say"));
    call_pause(f.call, false, RD_STR("agent"));
    fake_pass(&f, 9900);
    assert_false(fake_did(&f, "say"));
    fake_pass(&f, 200);
    assert_string_equal("Are you still there?", f.last_text);
}

static void test_a_pause_nobody_ends_ends_after_three_minutes(void **state)
{
    (void)state;
    fake_greet(&f, &brief);
    call_pause(f.call, true, RD_STR("agent"));
    call_pause(f.call, true, RD_STR("agent")); /* the second changes nothing */
    assert_int_equal(1, fake_times(&f, "record:pause:on:agent"));
    fake_pass(&f, 179900);
    assert_false(fake_did(&f, "record:pause:off:limit"));
    fake_pass(&f, 200);
    assert_true(fake_did(&f, "record:pause:off:limit"));
    fake_caller_frame(&f, 180200);
    assert_int_equal(160, f.kept_caller_bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(test_nothing_is_kept_before_the_notice_was_heard_whole),
        STORY(test_earlier_words_are_kept_from_the_moment_it_was_heard),
        STORY(test_a_notice_that_was_never_heard_leaves_turns_without_words),
        STORY(test_a_notice_the_model_broke_off_was_not_heard),
        STORY(test_more_turns_than_memory_is_given_to_lose_their_words_first),
        STORY(test_without_a_notice_everything_is_kept_from_the_start),
        STORY(test_in_a_pause_the_provider_hears_silence_in_the_same_rhythm),
        STORY(test_a_pause_while_the_provider_connects_is_silence_too),
        STORY(test_what_the_caller_says_in_a_pause_is_not_kept),
        STORY(test_keys_reach_the_script_and_are_recorded_as_stars),
        STORY(test_nobody_is_asked_whether_they_are_there_in_a_pause),
        STORY(test_a_pause_nobody_ends_ends_after_three_minutes),
    };

    return cmocka_run_group_tests_name("keeping", tests, NULL, NULL);
}
