/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/providers/fake_leg_story.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

struct fake_core core;
struct openai_pool *pool;

int leg_set_up(void **state)
{
    (void)state;
    memset(&core, 0, sizeof(core));
    pool = fake_pool(0);
    return 0;
}

struct provider_leg *leg_opened(void)
{
    struct provider_leg *leg;

    assert_int_equal(openai_open(&leg, pool, &(struct openai_session){.brief = &fake_agent},
                                 &fake_core_events, &core),
                     0);
    core.leg = leg;
    return leg;
}

void leg_says_error(const char *code, const char *type, const char *message, const char *event_id)
{
    char json[1024];

    (void)snprintf(
        json, sizeof(json),
        "{\"type\":\"error\",\"event_id\":\"e\",\"error\":{\"type\":\"%s\",\"code\":%s%s%s,"
        "\"message\":\"%s\",\"param\":null,\"event_id\":%s%s%s}}",
        type, code ? "\"" : "", code ? code : "null", code ? "\"" : "", message,
        event_id ? "\"" : "", event_id ? event_id : "null", event_id ? "\"" : "");
    fake_text(0, json);
}
