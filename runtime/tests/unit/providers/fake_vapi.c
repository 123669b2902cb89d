/* SPDX-License-Identifier: Apache-2.0 */
/* fake_vapi.c - Vapi's side of a leg, by hand. Speech is a loud square wave. */
#include "unit/providers/fake_vapi.h"

#include "media/base64.h"
#include "media/g711.h"
#include "observe/alarm.h"
#include "observe/targets.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { FRAME = 160 };

struct fake_core vapi_core;
struct vapi_pool *vapi;

struct brief vapi_agent = {
    .agent = "northside-plumbing",
    .system = "vapi",
    .vapi_assistant = "5f0c2d1e-7a34-4b6f-9c1d-2e8a6b0f4d11",
    .vapi_variables = "{\"site\":\"North\"}",
    .vapi_tools = "",
    .max_call_ms = 600000,
};

int vapi_set_up(void **state)
{
    const struct vapi_opts o = {
        .loop = fake_loop(), .api = "https://api.vapi.ai/", .key = "vapi-key"};

    (void)state;
    targets_reset();
    alarm_reset();
    memset(&vapi_core, 0, sizeof(vapi_core));
    vapi_core.ops = &vapi_provider;
    return vapi_pool_new(&vapi, &o);
}

int vapi_put_away(void **state)
{
    (void)state;
    if (vapi_core.leg && !vapi_core.ended) {
        vapi_provider.close(vapi_core.leg);
        fake_turn();
        assert_true(vapi_core.ended);
    }
    assert_int_equal(vapi_pool_legs(vapi), 0);
    vapi_pool_free(vapi);
    fake_io_reset();
    fake_http_reset();
    return 0;
}

struct provider_leg *vapi_opened(void)
{
    const struct vapi_session s = {.brief = &vapi_agent, .call_sid = "CA1", .from = "+13125550142"};
    struct provider_leg *leg;

    assert_int_equal(vapi_open(&leg, vapi, &s, &fake_core_events, &vapi_core), 0);
    vapi_core.leg = leg;
    return leg;
}

struct provider_leg *vapi_ready(void)
{
    struct provider_leg *leg = vapi_opened();

    fake_http_answer(201, VAPI_CALL);
    fake_open(0);
    fake_text(0, "{\"type\":\"status-update\",\"status\":\"in-progress\"}");
    assert_string_equal(core_last(&vapi_core), "ready");
    core_forget(&vapi_core);
    return leg;
}

void vapi_update(const char *role, const char *status)
{
    char json[200];

    (void)snprintf(json, sizeof(json),
                   "{\"type\":\"speech-update\",\"status\":\"%s\",\"role\":\"%s\",\"turn\":0}",
                   status, role);
    fake_text(0, json);
}

void vapi_transcript(const char *role, const char *type, const char *words)
{
    char json[500];

    (void)snprintf(json, sizeof(json),
                   "{\"type\":\"transcript\",\"role\":\"%s\",\"transcriptType\":\"%s\","
                   "\"transcript\":\"%s\"}",
                   role, type, words);
    fake_text(0, json);
}

static void fill(uint8_t *out, size_t n, bool loud)
{
    for (size_t i = 0; i < n; i++)
        out[i] = !loud ? G711_ULAW_SILENCE : (i / 8) % 2 ? 0x10 : 0x90;
}

static void frames(unsigned ms, bool loud)
{
    uint8_t frame[FRAME];

    fill(frame, sizeof(frame), loud);
    for (; ms >= 20; ms -= 20) {
        fake_binary(0, frame, sizeof(frame));
        fake_advance(20);
    }
}

void vapi_sounds(unsigned ms)
{
    frames(ms, true);
}

void vapi_silence(unsigned ms)
{
    frames(ms, false);
}

void vapi_burst(unsigned ms)
{
    size_t n = (size_t)ms * 8;
    uint8_t *all = malloc(n);

    assert_non_null(all);
    fill(all, n, true);
    fake_binary(0, all, n);
    free(all);
}

void vapi_caller_audio(unsigned ms)
{
    uint8_t frame[FRAME];
    char b64[BASE64_ENCODED(FRAME)];
    struct audio_span a = {.b64 = b64, .n_bytes = FRAME};

    fill(frame, sizeof(frame), true);
    a.n_b64 = base64_encode(b64, frame, sizeof(frame));
    for (; ms >= 20; ms -= 20) {
        assert_int_equal(vapi_provider.audio(vapi_core.leg, &a), 0);
        fake_advance(20);
    }
}
