/* SPDX-License-Identifier: Apache-2.0 */
/* test_vapi_speech.c - who speaks on a leg to Vapi, in virtual time. */
#include "base/err.h"
#include "unit/providers/fake_vapi.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static void say(uint32_t tag, bool aside)
{
    const struct provider_prompt p = {
        .tag = tag, .exact_words = RD_STR("Hello."), .out_of_band = aside};

    assert_int_equal(vapi_provider.respond(vapi_core.leg, &p), 0);
}

/* --- the agent --- */

static void test_a_sentence_is_a_response_with_an_item(void **state)
{
    (void)state;
    (void)vapi_ready();
    vapi_update("assistant", "started");
    assert_true(core_heard(&vapi_core, "placed v1.a1 after  as agent"));
    assert_true(core_heard(&vapi_core, "response v1.r1 started"));
    vapi_sounds(600);
    vapi_transcript("assistant", "final", "How can");
    vapi_transcript("assistant", "final", "I help?");
    vapi_update("assistant", "stopped");
    assert_int_equal(core_count(&vapi_core, "response v1.r1 completed"), 0);
    fake_advance(200);
    assert_int_equal(vapi_core.audio_bytes, 4800);
    assert_true(core_heard(&vapi_core, "audio_done v1.r1 v1.a1"));
    assert_true(core_heard(&vapi_core, "response v1.r1 completed"));
    assert_true(core_heard(&vapi_core, "words agent v1.a1 \"How can\""));
    assert_true(core_heard(&vapi_core, "words agent v1.a1 \" I help?\""));
    fake_advance(1200);
    assert_string_equal(core_last(&vapi_core), "words agent v1.a1 final \"How can I help?\"");
}

static void test_a_stream_that_never_pauses_is_no_endless_sentence(void **state)
{
    (void)state;
    (void)vapi_ready();
    vapi_silence(1000);
    assert_int_equal(vapi_core.n_told, 0); /* noise between sentences is dropped */
    vapi_sounds(400);                      /* no "started" came */
    assert_true(core_heard(&vapi_core, "response v1.r1 started"));
    vapi_silence(1400);
    assert_int_equal(core_count(&vapi_core, "response v1.r1 completed"), 0);
    vapi_silence(200);
    assert_true(core_heard(&vapi_core, "response v1.r1 completed"));
    core_forget(&vapi_core);
    vapi_silence(3000);
    assert_true(core_heard(&vapi_core, "words agent v1.a1 failed \"\""));
    assert_int_equal(vapi_core.n_told, 1);
    vapi_sounds(100);
    assert_true(core_heard(&vapi_core, "response v1.r2 started"));
}

static void test_a_burst_is_played_in_its_time(void **state)
{
    (void)state;
    (void)vapi_ready();
    vapi_update("assistant", "started");
    vapi_burst(5000);
    vapi_update("assistant", "stopped");
    assert_in_range(vapi_core.audio_bytes, 400 * 8, 460 * 8);
    fake_advance(2000);
    assert_in_range(vapi_core.audio_bytes, 2400 * 8, 2460 * 8);
    assert_int_equal(core_count(&vapi_core, "response v1.r1 completed"), 0);
    fake_advance(3000);
    assert_int_equal(vapi_core.audio_bytes, 40000);
    assert_true(core_heard(&vapi_core, "response v1.r1 completed"));
}

static void test_the_next_sentence_answers_what_was_asked(void **state)
{
    (void)state;
    (void)vapi_ready();
    say(7, false);
    vapi_update("assistant", "started");
    assert_true(core_heard(&vapi_core, "response v1.r1 started #7"));
    vapi_sounds(200);
    vapi_update("assistant", "stopped");
    fake_advance(300);
    assert_true(core_heard(&vapi_core, "response v1.r1 completed #7"));
    say(8, true);
    vapi_sounds(200);
    assert_true(core_heard(&vapi_core, "response v1.r2 started beside #8"));
    vapi_update("assistant", "stopped");
    fake_advance(5000);
    say(9, false); /* nothing comes… */
    fake_advance(4000);
    vapi_sounds(200); /* …and this is no answer to it */
    assert_true(core_heard(&vapi_core, "response v1.r3 started"));
}

static void test_words_that_trail_find_their_sentence(void **state)
{
    (void)state;
    (void)vapi_ready();
    vapi_sounds(200);
    vapi_update("assistant", "stopped");
    fake_advance(300);
    vapi_transcript("assistant", "final", "Yes.");
    vapi_sounds(200); /* the next one begins */
    assert_true(core_heard(&vapi_core, "words agent v1.a1 final \"Yes.\""));
    vapi_transcript("assistant", "partial", "No");
    vapi_transcript("assistant", "final", "No.");
    assert_true(core_heard(&vapi_core, "words agent v1.a2 \"No.\""));
}

/* --- the caller --- */

static void test_a_callers_turn_has_its_place_and_its_words(void **state)
{
    (void)state;
    (void)vapi_ready();
    vapi_caller_audio(2000);
    vapi_update("user", "started");
    assert_string_equal(core_last(&vapi_core), "started 1200 v1.c1");
    vapi_caller_audio(1000);
    vapi_update("user", "stopped");
    assert_true(core_heard(&vapi_core, "placed v1.c1 after  as caller"));
    assert_true(core_heard(&vapi_core, "stopped 3000 v1.c1"));
    assert_true(core_heard(&vapi_core, "committed v1.c1"));
    vapi_transcript("user", "partial", "I need");
    vapi_transcript("user", "final", "I need a plumber.");
    assert_string_equal(core_last(&vapi_core), "words caller v1.c1 final \"I need a plumber.\"");
    vapi_transcript("user", "final", "Today.");
    assert_true(core_heard(&vapi_core, "placed v1.c2 after v1.c1 as caller"));
    assert_string_equal(core_last(&vapi_core), "words caller v1.c2 final \"Today.\"");
    vapi_update("assistant", "started");
    assert_true(core_heard(&vapi_core, "placed v1.a1 after v1.c2 as agent"));
}

static void test_words_that_come_before_the_end_are_told_at_once(void **state)
{
    (void)state;
    (void)vapi_ready();
    vapi_caller_audio(1000);
    vapi_update("user", "started");
    fake_text(0, "{\"type\":\"transcript[transcriptType=\\\"final\\\"]\",\"role\":\"user\","
                 "\"transcript\":\"I smell gas.\"}");
    assert_string_equal(core_last(&vapi_core), "words caller v1.c1 final \"I smell gas.\"");
    vapi_update("user", "stopped");
    assert_string_equal(core_last(&vapi_core), "committed "); /* no words are owed */
}

/* --- both --- */

static void test_who_interrupts_is_heard_and_the_rest_is_dropped(void **state)
{
    uint64_t heard;

    (void)state;
    (void)vapi_ready();
    vapi_update("assistant", "started");
    vapi_burst(4000);
    fake_advance(1000);
    vapi_update("user", "started");
    assert_int_equal(core_count(&vapi_core, "started "), 0); /* perhaps it talks on */
    fake_text(0, "{\"type\":\"user-interrupted\"}");
    assert_int_equal(core_count(&vapi_core, "started "), 1);
    assert_true(core_heard(&vapi_core, "response v1.r1 cancelled"));
    heard = vapi_core.audio_bytes;
    vapi_sounds(200); /* what was on its way */
    assert_int_equal(vapi_core.audio_bytes, heard);
    assert_int_equal(core_count(&vapi_core, "response v1.r2"), 0);
    vapi_update("user", "stopped");
    vapi_update("assistant", "started");
    vapi_sounds(200);
    assert_true(core_heard(&vapi_core, "response v1.r2 started"));
    assert_int_equal(vapi_core.audio_bytes, heard + 1599); /* a byte waits for the next two */
}

static void test_a_murmur_does_not_stop_the_agent(void **state)
{
    (void)state;
    (void)vapi_ready();
    vapi_update("assistant", "started");
    vapi_sounds(400);
    vapi_update("user", "started");
    vapi_sounds(200);
    vapi_update("user", "stopped");
    vapi_transcript("user", "final", "Uh-huh.");
    vapi_sounds(400);
    assert_int_equal(vapi_core.audio_bytes, 7998);
    assert_int_equal(core_count(&vapi_core, "started "), 0);
    assert_int_equal(core_count(&vapi_core, "stopped "), 0);
    assert_true(core_heard(&vapi_core, "words caller v1.c1 final \"Uh-huh.\""));
}

static void test_who_speaks_on_when_the_agent_is_done_has_a_turn(void **state)
{
    (void)state;
    (void)vapi_ready();
    vapi_update("assistant", "started");
    vapi_sounds(400);
    vapi_update("user", "started");
    vapi_sounds(100);
    vapi_update("assistant", "stopped");
    fake_advance(300);
    assert_int_equal(core_count(&vapi_core, "started "), 1);
    vapi_update("user", "stopped");
    assert_int_equal(core_count(&vapi_core, "committed v1.c1"), 1);
}

static void test_a_caller_who_is_faster_gives_up_what_was_asked(void **state)
{
    (void)state;
    (void)vapi_ready();
    say(5, false);
    fake_advance(200);
    vapi_update("user", "started");
    assert_int_equal(core_count(&vapi_core, "started "), 0); /* our words are on their way */
    fake_text(0, "{\"type\":\"user-interrupted\"}");
    assert_int_equal(core_count(&vapi_core, "started "), 1);
    assert_true(core_heard(&vapi_core, "response v1.r1 started #5"));
    assert_true(core_heard(&vapi_core, "response v1.r1 cancelled #5"));
    vapi_update("user", "stopped");
    vapi_update("assistant", "started");
    assert_true(core_heard(&vapi_core, "response v1.r2 started")); /* its own */
}

static void test_what_is_cancelled_is_dropped_to_its_end(void **state)
{
    uint64_t heard;

    (void)state;
    (void)vapi_ready();
    vapi_update("assistant", "started");
    vapi_sounds(200);
    heard = vapi_core.audio_bytes;
    assert_int_equal(vapi_provider.cancel(vapi_core.leg, RD_STR("v1.r1")), 0);
    vapi_sounds(2000);
    assert_int_equal(vapi_core.audio_bytes, heard);
    vapi_update("assistant", "stopped");
    fake_advance(300);
    assert_true(core_heard(&vapi_core, "response v1.r1 cancelled"));
}

/* --- allocations --- */

#if defined(__SANITIZE_ADDRESS__)
/* From sanitizer/allocator_interface.h, which gcc does not bring along. */
int __sanitizer_install_malloc_and_free_hooks(void (*on_malloc)(const volatile void *, size_t),
                                              void (*on_free)(const volatile void *));

static unsigned long allocations;

static void on_malloc(const volatile void *p, size_t n)
{
    (void)p, (void)n;
    allocations++;
}

static void on_free(const volatile void *p)
{
    (void)p;
}

/* The fake hands each message over in a fresh block; those are all that may be counted. */
static void test_no_frame_costs_an_allocation(void **state)
{
    (void)state;
    (void)vapi_ready();
    vapi_core.quiet = true;
    vapi_update("assistant", "started");
    vapi_sounds(1000);
    assert_int_equal(__sanitizer_install_malloc_and_free_hooks(on_malloc, on_free) > 0, 1);
    allocations = 0;
    vapi_sounds(200000);
    assert_int_equal(allocations, 10000);
    vapi_caller_audio(200000);
    vapi_silence(200000);
    assert_int_equal(allocations, 20000);
    assert_int_equal(fake_binary_sent(0), 1600000);
    vapi_core.quiet = false;
}
#else
static void test_no_frame_costs_an_allocation(void **state)
{
    (void)state;
    skip(); /* counted by the allocator of the address sanitizer, preset dev */
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        VAPI_STORY(test_a_sentence_is_a_response_with_an_item),
        VAPI_STORY(test_a_stream_that_never_pauses_is_no_endless_sentence),
        VAPI_STORY(test_a_burst_is_played_in_its_time),
        VAPI_STORY(test_the_next_sentence_answers_what_was_asked),
        VAPI_STORY(test_words_that_trail_find_their_sentence),
        VAPI_STORY(test_a_callers_turn_has_its_place_and_its_words),
        VAPI_STORY(test_words_that_come_before_the_end_are_told_at_once),
        VAPI_STORY(test_who_interrupts_is_heard_and_the_rest_is_dropped),
        VAPI_STORY(test_a_murmur_does_not_stop_the_agent),
        VAPI_STORY(test_who_speaks_on_when_the_agent_is_done_has_a_turn),
        VAPI_STORY(test_a_caller_who_is_faster_gives_up_what_was_asked),
        VAPI_STORY(test_what_is_cancelled_is_dropped_to_its_end),
        VAPI_STORY(test_no_frame_costs_an_allocation),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
