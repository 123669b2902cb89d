/* SPDX-License-Identifier: Apache-2.0 */
/* fake_live.c - GPT-Live's side of a leg, by hand. Speech is a loud square wave. */
#include "unit/providers/fake_live.h"

#include "media/base64.h"
#include "media/g711.h"
#include "observe/alarm.h"
#include "observe/targets.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { FRAME = 160 };

struct fake_core live_core;
struct live_pool *live;

struct brief live_agent = {
    .agent = "northside-plumbing",
    .system = "openai",
    .api = "live",
    .backend = "gpt-5.5",
    .model = "gpt-live-1.1",
    .voice = "marin",
    .instructions = "Be kind.",
    .tools_json = "[{\"name\":\"book\",\"description\":\"Books.\",\"parameters\":{}}]",
    .max_call_ms = 600000,
};

int live_set_up(void **state)
{
    const struct live_opts o = {
        .loop = fake_loop(), .url = "wss://api.openai.com/v1/live/sessions", .key = "sk-live"};

    (void)state;
    targets_reset();
    alarm_reset();
    memset(&live_core, 0, sizeof(live_core));
    live_core.ops = &live_provider;
    return live_pool_new(&live, &o);
}

int live_put_away(void **state)
{
    (void)state;
    if (live_core.leg && !live_core.ended) {
        live_provider.close(live_core.leg);
        live_provider.abort(live_core.leg);
        fake_turn();
        assert_true(live_core.ended);
    }
    assert_int_equal(live_pool_legs(live), 0);
    live_pool_free(live);
    fake_io_reset();
    return 0;
}

struct provider_leg *live_opened(void)
{
    const struct live_session s = {.brief = &live_agent, .call_sid = "CA1"};
    struct provider_leg *leg;

    assert_int_equal(live_open(&leg, live, &s, &fake_core_events, &live_core), 0);
    live_core.leg = leg;
    return leg;
}

struct provider_leg *live_ready(void)
{
    struct provider_leg *leg = live_opened();

    fake_open(0);
    fake_text(0, LIVE_STARTED);
    assert_string_equal(core_last(&live_core), "ready");
    core_forget(&live_core);
    return leg;
}

static size_t frame_of(char b64[BASE64_ENCODED(FRAME)], bool loud)
{
    uint8_t frame[FRAME];

    for (size_t i = 0; i < FRAME; i++)
        frame[i] = !loud ? G711_ULAW_SILENCE : (i / 8) % 2 ? 0x10 : 0x90;
    return base64_encode(b64, frame, FRAME);
}

static void frames(unsigned ms, bool loud)
{
    char b64[BASE64_ENCODED(FRAME)], json[400];
    size_t n = frame_of(b64, loud);

    (void)snprintf(json, sizeof(json),
                   "{\"type\":\"session.output_audio.delta\",\"event_id\":\"e\",\"delta\":\"%.*s\","
                   "\"start_ms\":0,\"end_ms\":20}",
                   (int)n, b64);
    for (; ms >= 20; ms -= 20) {
        fake_text(0, json);
        fake_advance(20);
    }
}

void live_sounds(unsigned ms)
{
    frames(ms, true);
}

void live_silence(unsigned ms)
{
    frames(ms, false);
}

static void say(const char *side, const char *words)
{
    char json[500];

    (void)snprintf(json, sizeof(json),
                   "{\"type\":\"session.%s_transcript.delta\",\"event_id\":\"e\",\"delta\":\"%s\","
                   "\"start_ms\":0,\"end_ms\":100}",
                   side, words);
    fake_text(0, json);
}

void live_agent_words(const char *words)
{
    say("output", words);
}

void live_caller_words(const char *words)
{
    say("input", words);
}

void live_caller_audio(unsigned ms)
{
    char b64[BASE64_ENCODED(FRAME)];
    struct audio_span a = {.b64 = b64, .n_bytes = FRAME};

    a.n_b64 = frame_of(b64, true);
    for (; ms >= 20; ms -= 20) {
        assert_int_equal(live_provider.audio(live_core.leg, &a), 0);
        fake_advance(20);
    }
}
