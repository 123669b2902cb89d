/* SPDX-License-Identifier: Apache-2.0 */
/* fake_leg.c - what tests of sessions and pools begin and end with. */
#include "unit/providers/fake_leg.h"
#include "observe/alarm.h"
#include "observe/targets.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include <cmocka.h>

const struct brief fake_agent = {
    .agent = "northside-plumbing",
    .model = "",
    .voice = "marin",
    .instructions = "Be brief.",
    .language = "en",
    .tools_json = "[]",
    .vad_silence_ms = 500,
    .vad_threshold = 0.5,
};

void fake_session_text(char *out, size_t cap, const char *what, unsigned seconds)
{
    (void)snprintf(
        out, cap,
        "{\"type\":\"session.%s\",\"event_id\":\"e1\",\"session\":{\"type\":\"realtime\","
        "\"id\":\"sess_1\",\"expires_at\":%lld}}",
        what, (long long)time(NULL) + seconds);
}

struct openai_pool *fake_pool(unsigned warm)
{
    const struct openai_opts o = {.loop = fake_loop(),
                                  .url = "wss://api.openai.com/v1/realtime",
                                  .key = "sk-test",
                                  .model = "gpt-realtime-2.1",
                                  .warm = warm};
    struct openai_pool *p = NULL;

    targets_reset();
    alarm_reset();
    assert_int_equal(openai_pool_new(&p, &o), 0);
    return p;
}

struct provider_leg *fake_ready_leg(struct openai_pool *p, struct fake_core *core)
{
    unsigned i = fake_dials();
    struct provider_leg *leg;

    assert_int_equal(openai_open(&leg, p, &(struct openai_session){.brief = &fake_agent},
                                 &fake_core_events, core),
                     0);
    core->leg = leg;
    assert_int_equal(fake_dials(), i + 1);
    fake_open(i);
    fake_text(i, CREATED);
    fake_text(i, UPDATED);
    assert_string_equal(core_last(core), "ready");
    core_forget(core);
    return leg;
}

void fake_put_away(struct provider_leg *leg, struct fake_core *core, struct openai_pool *p)
{
    if (leg && !core->ended) {
        openai_provider.close(leg);
        fake_turn();
        assert_true(core->ended);
    }
    openai_pool_free(p);
    fake_io_reset();
}
