/* SPDX-License-Identifier: Apache-2.0 */
/* test_live_floor.c - responses, items and turns, made of sound that never ends and words without turns. */
#include "unit/providers/fake_live.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void ask(uint32_t tag)
{
    const struct provider_prompt p = {.tag = tag, .exact_words = RD_STR("Hello.")};

    assert_int_equal(live_provider.respond(live_core.leg, &p), 0);
}

/* Where in what was told a line begins; fails when it is not there. */
static const char *line(const char *text)
{
    const char *at = strstr(live_core.told, text);

    if (!at)
        fail_msg("not told: %s\nbut:\n%s", text, live_core.told);
    return at;
}

static void in_order(const char *first, const char *then)
{
    assert_true(line(first) < line(then));
}

static void test_a_response_begins_with_sound_and_ends_with_silence(void **state)
{
    (void)state;
    (void)live_ready();
    live_silence(500);
    assert_int_equal(live_core.n_told, 0); /* a stream never pauses */
    live_sounds(200);
    live_silence(660);
    assert_int_equal(core_count(&live_core, "audio l1.r1 l1.a1"), 10 + 33);
    assert_int_equal(core_count(&live_core, "response "), 1);
    live_silence(60);
    assert_true(core_heard(&live_core, "placed l1.a1 after  as agent"));
    in_order("response l1.r1 started\n", "audio l1.r1");
    in_order("audio_done l1.r1 l1.a1", "response l1.r1 completed\n");
    live_silence(1000);
    assert_int_equal(live_core.audio_bytes % 160, 0);
    assert_in_range(live_core.audio_bytes, 43 * 160, 45 * 160);
    assert_true(live_pool_counts(live).dropped_bytes >= 70 * 160);
}

static void test_a_pause_within_a_sentence_is_part_of_it(void **state)
{
    (void)state;
    (void)live_ready();
    live_sounds(100);
    live_silence(600);
    live_sounds(100);
    live_silence(720);
    assert_int_equal(core_count(&live_core, "response l1.r1 started"), 1);
    assert_int_equal(core_count(&live_core, "response "), 2);
}

static void test_a_sentence_answers_the_prompt_that_is_out(void **state)
{
    (void)state;
    (void)live_ready();
    ask(5);
    live_silence(300);
    live_sounds(100);
    assert_true(core_heard(&live_core, "response l1.r1 started #5"));
    live_silence(720);
    assert_true(core_heard(&live_core, "response l1.r1 completed #5"));
    live_sounds(100);
    assert_true(core_heard(&live_core, "response l1.r2 started"));
}

static void test_a_prompt_that_nothing_answers_is_forgotten(void **state)
{
    (void)state;
    (void)live_ready();
    ask(5);
    live_silence(4000);
    live_sounds(20);
    assert_true(core_heard(&live_core, "response l1.r1 started"));
}

static void test_words_of_the_agent_are_those_of_its_response(void **state)
{
    (void)state;
    (void)live_ready();
    live_agent_words("Good ");
    live_sounds(100);
    live_agent_words("morning");
    live_silence(720);
    live_agent_words(".");
    live_silence(740);
    assert_false(core_heard(&live_core, "words agent l1.a1 final \"Good morning.\""));
    live_silence(20);
    assert_true(core_heard(&live_core, "words agent l1.a1 \"Good \""));
    assert_true(core_heard(&live_core, "words agent l1.a1 final \"Good morning.\""));
}

static void test_words_that_never_sound_are_nobodys(void **state)
{
    (void)state;
    (void)live_ready();
    live_agent_words("Hm");
    live_silence(1500);
    live_sounds(20);
    live_agent_words("Yes");
    assert_false(core_heard(&live_core, "words agent l1.a1 \"Hm\""));
    assert_true(core_heard(&live_core, "words agent l1.a1 \"Yes\""));
}

static void test_the_callers_turn_ends_with_a_pause(void **state)
{
    (void)state;
    (void)live_ready();
    live_caller_audio(2000);
    live_caller_words("Is it ");
    assert_true(core_heard(&live_core, "placed l1.c1 after  as caller"));
    assert_true(core_heard(&live_core, "started 1200 l1.c1"));
    live_caller_audio(900);
    live_caller_words("open?");
    live_caller_audio(980);
    assert_int_equal(core_count(&live_core, "stopped"), 0);
    live_caller_audio(20);
    in_order("words caller l1.c1 final \"Is it open?\"", "stopped ");
    in_order("stopped ", "committed \n"); /* it has its words already */
}

static void test_the_callers_turn_ends_when_the_agent_speaks(void **state)
{
    (void)state;
    (void)live_ready();
    live_caller_words("Is it op");
    live_silence(200);
    live_sounds(20);
    in_order("stopped ", "committed l1.c1\n"); /* its words are not complete */
    in_order("committed l1.c1\n", "response l1.r1 started\n");
    live_caller_words("en?"); /* the transcript lags behind */
    live_sounds(800);
    assert_true(core_heard(&live_core, "words caller l1.c1 final \"Is it open?\""));
    assert_int_equal(core_count(&live_core, "started"), 1);
}

static void test_who_speaks_over_an_agent_that_goes_on_is_no_turn(void **state)
{
    (void)state;
    (void)live_ready();
    live_sounds(500);
    live_caller_words("Mhm.");
    live_sounds(1500);
    assert_int_equal(core_count(&live_core, "started"), 0);
    assert_true(core_heard(&live_core, "words caller l1.c1 final \"Mhm.\"")); /* still heard of */
    assert_int_equal(core_count(&live_core, "response "), 1);
}

static void test_who_makes_the_agent_stop_has_the_floor(void **state)
{
    (void)state;
    (void)live_ready();
    live_sounds(500);
    live_caller_words("Wait");
    live_sounds(100);
    live_silence(260);
    assert_int_equal(core_count(&live_core, "started"), 0);
    live_silence(20);
    in_order("response l1.r1 completed\n", "started "); /* what it said is all that it meant to */
    assert_true(core_heard(&live_core, "audio_done l1.r1 l1.a1"));
    live_silence(1000);
    assert_int_equal(core_count(&live_core, "stopped"), 1);
}

static void test_what_was_asked_for_is_given_up_when_the_caller_is_faster(void **state)
{
    (void)state;
    (void)live_ready();
    ask(9);
    live_caller_words("Hello?");
    live_silence(1480);
    assert_int_equal(core_count(&live_core, "started"), 0); /* it may be about to speak */
    live_caller_words("Anybody?");
    live_silence(40);
    in_order("started ", "response l1.r1 started #9");
    assert_true(core_heard(&live_core, "response l1.r1 cancelled #9"));
}

static void test_a_cancelled_response_is_not_heard_any_more(void **state)
{
    struct provider_leg *leg = live_ready();
    uint64_t bytes;

    (void)state;
    live_sounds(100);
    bytes = live_core.audio_bytes;
    assert_int_equal(live_provider.cancel(leg, RD_STR("l1.r1")), 0);
    assert_int_equal(live_provider.cancel(leg, RD_STR("l2.r1")), -10007);
    live_sounds(100);
    assert_int_equal(live_core.audio_bytes, bytes);
    live_silence(720);
    assert_true(core_heard(&live_core, "response l1.r1 cancelled"));
    live_sounds(20);
    assert_true(core_heard(&live_core, "response l1.r2 started"));
}

static void test_whoever_is_told_may_close(void **state)
{
    static const char *const at[] = {"placed", "response", "audio", "started", "words"};

    (void)state;
    for (size_t i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
        if (i > 0)
            (void)live_set_up(NULL);
        (void)live_ready();
        live_core.close_on = at[i];
        live_sounds(40);
        live_caller_words("Hello");
        live_silence(400);
        assert_null(live_core.close_on);
        assert_string_equal(fake_last(0), "{\"type\":\"session.close\"}");
        if (i + 1 < sizeof(at) / sizeof(at[0]))
            (void)live_put_away(NULL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIVE_STORY(test_a_response_begins_with_sound_and_ends_with_silence),
        LIVE_STORY(test_a_pause_within_a_sentence_is_part_of_it),
        LIVE_STORY(test_a_sentence_answers_the_prompt_that_is_out),
        LIVE_STORY(test_a_prompt_that_nothing_answers_is_forgotten),
        LIVE_STORY(test_words_of_the_agent_are_those_of_its_response),
        LIVE_STORY(test_words_that_never_sound_are_nobodys),
        LIVE_STORY(test_the_callers_turn_ends_with_a_pause),
        LIVE_STORY(test_the_callers_turn_ends_when_the_agent_speaks),
        LIVE_STORY(test_who_speaks_over_an_agent_that_goes_on_is_no_turn),
        LIVE_STORY(test_who_makes_the_agent_stop_has_the_floor),
        LIVE_STORY(test_what_was_asked_for_is_given_up_when_the_caller_is_faster),
        LIVE_STORY(test_a_cancelled_response_is_not_heard_any_more),
        LIVE_STORY(test_whoever_is_told_may_close),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
