/* SPDX-License-Identifier: Apache-2.0 */
/* What a model's socket says, with each allocation failing: its session opens or does not, each event is told or counted as
 * lost, and whoever opened it hears of its end once. */
#include "failing_malloc.h"

#include "base/err.h"
#include "providers/vapi/events.h"
#include "unit/providers/fake_leg.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

/* Longer than what is taken for strings at the beginning. */
#define LONG "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define MORE LONG LONG LONG LONG LONG LONG LONG LONG

static struct fake_core core;

static void session(void)
{
    static const char *const said[] = {
        CREATED,
        UPDATED,
        "{\"type\":\"input_audio_buffer.speech_started\",\"event_id\":\"e\","
        "\"audio_start_ms\":5,\"item_id\":\"u1\"}",
        "{\"type\":\"conversation.item.input_audio_transcription.completed\",\"event_id\":\"e\","
        "\"item_id\":\"u1\",\"content_index\":0,\"transcript\":\"\\u00fc" MORE MORE "\"}",
        "{\"type\":\"response.created\",\"event_id\":\"e\",\"response\":{\"id\":\"r1\"}}",
        "{\"type\":\"response.function_call_arguments.done\",\"event_id\":\"e\",\"response_id\":"
        "\"r1\","
        "\"item_id\":\"i1\",\"call_id\":\"t1\",\"name\":\"hours\",\"arguments\":\"{\\\"a\\\":"
        "\\\"" MORE "\\\"}\"}"};
    const struct openai_opts o = {.loop = fake_loop(),
                                  .url = "wss://api.openai.com/v1/realtime",
                                  .key = "sk-test",
                                  .model = "gpt-realtime-2.1"};
    struct openai_pool *pool = NULL;
    struct provider_leg *leg = NULL;

    memset(&core, 0, sizeof(core));
    if (openai_pool_new(&pool, &o) == 0 &&
        openai_open(&leg, pool, &(struct openai_session){.brief = &fake_agent}, &fake_core_events,
                    &core) == 0) {
        core.leg = leg;
        if (fake_dials() > 0)
            fake_open(0);
        for (size_t i = 0; i < sizeof(said) / sizeof(said[0]) && !core.ended && fake_dials(); i++)
            fake_text(0, said[i]);
        if (!core.ended)
            openai_provider.close(leg);
        fake_turn();
        assert_true(core.ended);
    } else {
        assert_true(failing_has_failed());
    }
    openai_pool_free(pool);
    fake_io_reset();
}

static void vapi(void)
{
    static const char transcript[] =
        "{\"type\":\"transcript\",\"role\":\"user\",\"transcriptType\":\"final\",\"transcript\":"
        "\"\\u00fc" MORE MORE "\"}";
    struct vapi_counts counts = {0};
    struct vapi_events events;
    struct speech speech;

    memset(&core, 0, sizeof(core));
    if (speech_init(&speech, 0, &counts)) {
        assert_true(failing_has_failed());
        return;
    }
    vapi_events_init(&events, &speech, &counts);
    speech.up = &fake_core_events;
    speech.up_arg = &core;
    (void)vapi_events_feed(&events,
                           RD_STR("{\"type\":\"speech-update\",\"status\":\"started\","
                                  "\"role\":\"user\"}"),
                           1000);
    (void)vapi_events_feed(&events, rd_str(transcript), 2000);
    for (uint64_t us = 0; us < 50; us++)
        speech_sound(&speech, (const uint8_t *)transcript, sizeof(transcript), us * 1000);
    speech_over(&speech, true, 60000000);
    vapi_events_fini(&events);
    speech_fini(&speech);
}

static void test_a_session_of_openai_ends_once_or_never_begins(void **state)
{
    (void)state;
    assert_in_range(failing_sweep(session, FAILS_ONCE), 3, 1000);
    assert_in_range(failing_sweep(session, FAILS_FROM_THEN_ON), 3, 1000);
}

static void test_what_vapi_says_is_told_or_lost(void **state)
{
    (void)state;
    assert_in_range(failing_sweep(vapi, FAILS_ONCE), 2, 1000);
    assert_in_range(failing_sweep(vapi, FAILS_FROM_THEN_ON), 2, 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_session_of_openai_ends_once_or_never_begins),
        cmocka_unit_test(test_what_vapi_says_is_told_or_lost),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
