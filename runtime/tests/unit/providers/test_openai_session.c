/* SPDX-License-Identifier: Apache-2.0 */
/* test_openai_session.c - one leg from its dial to its end. */
#include "base/err.h"
#include "base/log.h"
#include "base/now.h"
#include "observe/quota.h"
#include "unit/providers/fake_leg_story.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

/* --- the start ------------------------------------------------------------------------------- */

static void test_a_leg_is_ready_once_the_session_is_updated(void **state)
{
    struct provider_leg *leg = leg_opened();

    (void)state;
    assert_string_equal(fake_url(0), "wss://api.openai.com/v1/realtime?model=gpt-realtime-2.1");
    assert_string_equal(fake_header(0), "Authorization: Bearer sk-test");
    assert_int_equal(core.n_told, 0);
    fake_open(0);
    assert_int_equal(fake_sent_count(0), 1); /* at once, not after session.created */
    assert_non_null(strstr(fake_sent(0, 0), "\"type\":\"session.update\""));
    fake_text(0, CREATED);
    assert_int_equal(core.n_told, 0);
    assert_int_equal(openai_expires_unix_s(leg), 1756324625);
    fake_text(0, UPDATED);
    assert_string_equal(core_last(&core), "ready");
    assert_int_equal(openai_expires_unix_s(leg), 1756324999);
    fake_text(0, UPDATED);
    assert_int_equal(core.n_told, 1); /* ready once */
    fake_advance(60000);
    assert_int_equal(core.n_told, 1); /* the start-up clock is off */
    fake_put_away(leg, &core, pool);
    assert_true(core_heard(&core, "end closed_by_us"));
}

static void test_when_the_session_expires_is_told_to_the_millisecond(void **state)
{
    struct provider_leg *leg = leg_opened();
    uint64_t began = (uint64_t)unix_ms();
    char updated[256];

    (void)state;
    fake_open(0);
    fake_text(0, CREATED);
    UPDATED_FOR(updated, 16);
    fake_text(0, updated);
    assert_true(core.expires_in_ms > 0);
    assert_true(core.expires_in_ms <= openai_expires_unix_s(leg) * 1000 - began);
    fake_put_away(leg, &core, pool);
}

static void test_an_agents_own_model_is_asked_for(void **state)
{
    struct brief b = fake_agent;
    struct provider_leg *leg;

    (void)state;
    b.model = "gpt-realtime-2.1-mini&x=1";
    assert_int_equal(
        openai_open(&leg, pool, &(struct openai_session){.brief = &b}, &fake_core_events, &core),
        0);
    assert_string_equal(fake_url(0),
                        "wss://api.openai.com/v1/realtime?model=gpt-realtime-2.1-mini%26x%3D1");
    fake_put_away(leg, &core, pool);
    assert_true(fake_dials() == 0);
}

static void test_nothing_is_sent_before_it_is_ready(void **state)
{
    const struct audio_span a = {.b64 = "f39/", .n_b64 = 4, .n_bytes = 3};
    const struct provider_prompt p = {0};
    struct provider_leg *leg = leg_opened();

    (void)state;
    fake_open(0);
    assert_int_equal(openai_provider.audio(leg, &a), RD_ESTATE);
    assert_int_equal(openai_provider.respond(leg, &p), RD_ESTATE);
    assert_int_equal(openai_provider.cancel(leg, RD_STR("r")), RD_ESTATE);
    assert_int_equal(openai_provider.truncate(leg, RD_STR("i"), 0, 1), RD_ESTATE);
    assert_int_equal(openai_provider.tool_result(leg, RD_STR("c"), RD_STR("{}")), RD_ESTATE);
    assert_int_equal(fake_sent_count(0), 1);
    fake_put_away(leg, &core, pool);
}

static void test_silence_at_the_start_is_a_lost_leg(void **state)
{
    struct provider_leg *leg = leg_opened();

    (void)state;
    fake_open(0);
    fake_text(0, CREATED);
    fake_advance(2499);
    assert_int_equal(core.n_told, 0);
    fake_advance(1);
    assert_true(core_heard(&core, "error timeout"));
    assert_string_equal(core_last(&core), "end lost");
    assert_true(strlen(core.fix) > 0);
    fake_put_away(leg, &core, pool);
}

static void test_a_leg_closed_while_it_dials_just_ends(void **state)
{
    struct provider_leg *leg = leg_opened();

    (void)state;
    openai_provider.close(leg);
    openai_provider.close(leg);
    assert_true(fake_dropped(0));
    assert_int_equal(core.n_told, 0); /* never from inside */
    fake_turn();
    assert_string_equal(core_last(&core), "end closed_by_us");
    fake_put_away(leg, &core, pool);
}

static void test_what_cannot_be_opened_says_so_and_tells_nothing(void **state)
{
    struct brief b = fake_agent;
    struct provider_leg *leg = NULL;

    (void)state;
    b.tools_json = "[{\"name\":\"two words\"}]";
    assert_int_equal(
        openai_open(&leg, pool, &(struct openai_session){.brief = &b}, &fake_core_events, &core),
        RD_ECONFIG);
    fake_connect_fails(-EINVAL);
    assert_int_equal(openai_open(&leg, pool, &(struct openai_session){.brief = &fake_agent},
                                 &fake_core_events, &core),
                     -EINVAL);
    fake_connect_fails(-ENOMEM);
    assert_int_equal(openai_open(&leg, pool, &(struct openai_session){.brief = &fake_agent},
                                 &fake_core_events, &core),
                     -ENOMEM);
    assert_null(leg);
    assert_int_equal(core.n_told, 0);
    fake_put_away(NULL, &core, pool);
}

/* --- the call -------------------------------------------------------------------------------- */

static void test_what_the_call_wants_goes_on_the_wire(void **state)
{
    const struct provider_prompt words = {
        .tag = 7, .exact_words = RD_STR("One moment."), .out_of_band = true};
    const struct provider_prompt more = {.tag = 8, .instructions = RD_STR("Ask when.")};
    const struct audio_span a = {.b64 = "f39/f38=", .n_b64 = 8, .n_bytes = 5};
    struct provider_leg *leg = fake_ready_leg(pool, &core);

    (void)state;
    assert_int_equal(openai_provider.audio(leg, &a), 0);
    assert_string_equal(fake_last(0),
                        "{\"type\":\"input_audio_buffer.append\",\"audio\":\"f39/f38=\"}");
    assert_int_equal(openai_provider.respond(leg, &words), 0);
    assert_non_null(
        strstr(fake_last(0), "\"event_id\":\"aside-7\",\"response\":{\"metadata\":{\"rd\":\"7\"}"));
    assert_non_null(strstr(fake_last(0), "\"conversation\":\"none\""));
    assert_int_equal(openai_provider.respond(leg, &more), 0);
    assert_non_null(strstr(fake_last(0), "\"Be brief.\\n\\nAsk when.\""));
    assert_int_equal(openai_provider.cancel(leg, RD_STR("r1")), 0);
    assert_non_null(strstr(fake_last(0), "\"event_id\":\"cancel-2\",\"response_id\":\"r1\""));
    assert_int_equal(openai_provider.truncate(leg, RD_STR("i1"), 0, 740), 0);
    assert_non_null(strstr(fake_last(0), "\"audio_end_ms\":740"));
    assert_int_equal(openai_provider.tool_result(leg, RD_STR("c1"), RD_STR("{}")), 0);
    assert_non_null(strstr(fake_last(0), "\"call_id\":\"c1\",\"output\":\"{}\""));
    fake_send_fails(RD_EFULL);
    assert_int_equal(openai_provider.audio(leg, &a), RD_EFULL);
    fake_put_away(leg, &core, pool);
}

/* --- the end --------------------------------------------------------------------------------- */

static void test_after_close_only_the_end_is_told(void **state)
{
    const struct audio_span a = {.b64 = "f39/", .n_b64 = 4, .n_bytes = 3};
    struct provider_leg *leg = fake_ready_leg(pool, &core);

    (void)state;
    openai_provider.close(leg);
    assert_int_equal(fake_close_code(0), 1000);
    fake_text(0, "{\"type\":\"response.output_audio.delta\",\"delta\":\"f39/\"}");
    fake_text(0, "{\"type\":\"input_audio_buffer.speech_started\",\"audio_start_ms\":1}");
    fake_text(0, UPDATED);
    leg_says_error("insufficient_quota", "x", "late", NULL);
    assert_int_equal(openai_provider.audio(leg, &a), RD_ESTATE);
    assert_int_equal(core.n_told, 0);
    fake_turn();
    assert_int_equal(core.n_told, 1);
    assert_string_equal(core_last(&core), "end closed_by_us");
    fake_put_away(leg, &core, pool);
}

static void test_a_leg_that_waits_for_its_peer_is_cut_off(void **state)
{
    struct provider_leg *leg = fake_ready_leg(pool, &core);

    (void)state;
    openai_provider.close(leg);
    assert_false(fake_dropped(0));
    openai_provider.abort(leg);
    assert_true(fake_dropped(0));
    assert_int_equal(core.n_told, 0); /* never from inside */
    fake_turn();
    assert_int_equal(core.n_told, 1);
    assert_string_equal(core_last(&core), "end closed_by_us");
    fake_put_away(leg, &core, pool);
}

static bool is_core(void *arg, const void *leg_arg)
{
    return leg_arg == arg;
}

static bool nobody_is_known(void *arg, const void *leg_arg)
{
    (void)arg;
    (void)leg_arg;
    return false;
}

static void test_a_leg_that_nobody_has_ends_without_telling(void **state)
{
    struct provider_leg *leg = fake_ready_leg(pool, &core);

    (void)state;
    assert_int_equal(openai_pool_legs(pool), 1);
    assert_int_equal(openai_pool_disown(pool, is_core, &core), 0);
    assert_false(fake_dropped(0));
    assert_int_equal(openai_pool_disown(pool, nobody_is_known, NULL), 1);
    assert_true(fake_dropped(0));
    fake_turn();
    assert_int_equal(core.n_told, 0);
    assert_int_equal(openai_pool_legs(pool), 0);
    (void)leg; /* freed */
    fake_put_away(NULL, &core, pool);
}

static void test_a_call_may_close_from_inside_any_event(void **state)
{
    static const struct {
        const char *event, *on;
    } cases[] = {
        {"{\"type\":\"conversation.item.input_audio_transcription.completed\",\"item_id\":\"u\","
         "\"transcript\":\"bye\",\"usage\":{\"type\":\"duration\",\"seconds\":1}}",
         "words"},
        {"{\"type\":\"response.done\",\"response\":{\"id\":\"r\",\"status\":\"failed\",\"status_"
         "details\":"
         "{\"error\":{\"code\":\"insufficient_quota\"}}}}",
         "response"},
        {"{\"type\":\"error\",\"error\":{\"code\":\"invalid_api_key\"}}", "error"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct provider_leg *leg;

        memset(&core, 0, sizeof(core));
        leg = fake_ready_leg(pool, &core);
        core.close_on = cases[i].on;
        fake_text(0, cases[i].event);
        assert_null(core.close_on);
        assert_int_equal(core.n_told, 1);
        fake_turn();
        assert_int_equal(core.n_told, 2);
        assert_true(core.ended);
        fake_put_away(leg, &core, pool);
        pool = fake_pool(0);
    }
    fake_put_away(NULL, &core, pool);
}

static void test_a_leg_outlives_its_pool(void **state)
{
    struct provider_leg *leg = fake_ready_leg(pool, &core);

    (void)state;
    openai_pool_free(pool);
    fake_text(0, "{\"type\":\"never.heard.of\"}");
    fake_text(0, "broken");
    leg_says_error("invalid_value", "x", "y", NULL);
    assert_string_equal(core_last(&core), "error invalid_value");
    fake_text(0, "{\"type\":\"input_audio_buffer.committed\",\"item_id\":\"u\"}");
    assert_string_equal(core_last(&core), "committed u");
    fake_put_away(leg, &core, NULL);
}

/* --- allocations ----------------------------------------------------------------------------- */

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
    static const char *const frames[] = {
        "{\"type\":\"response.output_audio.delta\",\"event_id\":\"event_1\",\"response_id\":\"resp_"
        "1\","
        "\"item_id\":\"item_1\",\"output_index\":0,\"content_index\":0,\"delta\":\"f39/f39/f39/f39/"
        "\"}",
        "{\"type\":\"response.output_audio_transcript.delta\",\"item_id\":\"item_1\","
        "\"delta\":\"caf\\u00e9 \"}",
        "{\"type\":\"conversation.item.input_audio_transcription.delta\",\"item_id\":\"u\","
        "\"delta\":\" I \\\"am\\\"\"}",
        "{\"type\":\"input_audio_buffer.speech_started\",\"audio_start_ms\":1,\"item_id\":\"u\"}",
        "{\"type\":\"input_audio_buffer.speech_stopped\",\"audio_end_ms\":2,\"item_id\":\"u\"}",
    };
    const struct audio_span a = {.b64 = "f39/f39/f39/f39/", .n_b64 = 16, .n_bytes = 12};
    struct provider_leg *leg = fake_ready_leg(pool, &core);
    const unsigned n_frames = sizeof(frames) / sizeof(frames[0]);

    (void)state;
    core.quiet = true;
    fake_keep_messages(false);
    assert_int_equal(__sanitizer_install_malloc_and_free_hooks(on_malloc, on_free) > 0, 1);
    allocations = 0;
    for (unsigned i = 0; i < 10000; i++) {
        fake_text(0, frames[i % n_frames]);
        if (openai_provider.audio(leg, &a))
            fail_msg("append %u failed", i);
    }
    for (unsigned i = 0; i < 10000; i++)
        fake_text(0, frames[0]);
    assert_int_equal(core.n_told, 20000);
    assert_int_equal(core.audio_bytes, 12 * (10000 / n_frames + 10000));
    assert_int_equal(allocations, 20000); /* the fake's own, one per message */
    assert_int_equal(fake_sent_count(0), 10001);
    core.quiet = false;
    fake_put_away(leg, &core, pool);
}
#else
static void test_no_frame_costs_an_allocation(void **state)
{
    (void)state;
    openai_pool_free(pool);
    fake_io_reset();
    skip(); /* counted by the allocator of the address sanitizer, preset dev */
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(test_a_leg_is_ready_once_the_session_is_updated),
        STORY(test_when_the_session_expires_is_told_to_the_millisecond),
        STORY(test_an_agents_own_model_is_asked_for),
        STORY(test_nothing_is_sent_before_it_is_ready),
        STORY(test_silence_at_the_start_is_a_lost_leg),
        STORY(test_a_leg_closed_while_it_dials_just_ends),
        STORY(test_what_cannot_be_opened_says_so_and_tells_nothing),
        STORY(test_what_the_call_wants_goes_on_the_wire),
        STORY(test_after_close_only_the_end_is_told),
        STORY(test_a_leg_that_waits_for_its_peer_is_cut_off),
        STORY(test_a_leg_that_nobody_has_ends_without_telling),
        STORY(test_a_call_may_close_from_inside_any_event),
        STORY(test_a_leg_outlives_its_pool),
        STORY(test_no_frame_costs_an_allocation),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
