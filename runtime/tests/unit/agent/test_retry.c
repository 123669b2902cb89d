/* SPDX-License-Identifier: Apache-2.0 */
/* test_retry.c - scripts try again with the runtime's own delays and breakers, on real script
 * threads. The delays are a millisecond; how long they may be is told in unit/base/test_retry.c. */
#include "base/log.h"
#include "observe/alarm.h"
#include "observe/targets.h"
#include "unit/agent/fake_node.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct fake_node node;

static const char stubborn_agent[] =
    "local agent, tool, retry = require 'ringdown.agent', require 'ringdown.tool', require "
    "'ringdown.http'\n"
    "local function try(name, fails, happened, idempotent)\n"
    "  return tool { name = name, about = name, effect = 'read', run = function()\n"
    "    local made = 0\n"
    "    local value, why, code = retry.run { target = name, idempotent = idempotent,\n"
    "      policy = { first_ms = 1, max_ms = 1, attempts = 7, budget_ms = 1000 },\n"
    "      attempt = function()\n"
    "        made = made + 1\n"
    "        if made > fails then return 'worked' end\n"
    "        return nil, 'no answer', { again = true, happened = happened, target = 'failed' }\n"
    "      end }\n"
    "    return { value = tostring(value), code = tostring(code), made = made }\n"
    "  end }\n"
    "end\n"
    "return agent {\n"
    "  name = 'test', greeting = 'Hi.', prompt = 'Help.',\n"
    "  tools = { try('twice', 2, 'no'), try('doubtful', 1, 'unknown'),\n"
    "    try('harmless', 1, 'unknown', true), try('dead', 100, 'no') },\n"
    "}\n";

static int set_up(void **state)
{
    (void)state;
    log_config(LOG_ERROR, LOG_LOGFMT);
    targets_reset();
    alarm_reset();
    fake_node_init(&node);
    fake_library(&node, "http.lua", "return require 'ringdown.retry'\n"); /* no agent may ask it */
    fake_agent(&node, "test.lua", stubborn_agent);
    fake_start(&node, 1);
    fake_live_call(&node, 1);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    fake_node_fini(&node);
    return 0;
}

static const char *ask(call_handle call, const char *tool)
{
    static unsigned asked;
    char id[16];

    (void)snprintf(id, sizeof(id), "t%u", ++asked);
    fake_event(&node, call, AGENT_TOOL_CALL, id, tool, "{}");
    return fake_next_command(&node, CMD_TOOL_RESULT)->s[1].p;
}

static void expect(call_handle call, const char *tool, const char *output)
{
    const char *got = ask(call, tool);

    if (!strstr(got, output))
        fail_msg("'%s' is not in '%s'", output, got);
}

static bool given_up(const char *output)
{
    return strstr(output, "{\"code\":\"given_up\",\"made\":0,\"value\":\"nil\"}");
}

static void test_what_fails_is_tried_again_until_it_works(void **state)
{
    struct target t;

    (void)state;
    expect(1, "twice", "{\"code\":\"nil\",\"made\":3,\"value\":\"worked\"}");
    assert_int_equal(targets_list(&t, 1), 1);
    assert_string_equal(t.name, "twice");
    assert_int_equal(t.failed, 2);
    assert_int_equal(t.worked, 1);
}

static void test_what_may_have_happened_is_repeated_only_when_it_is_harmless(void **state)
{
    (void)state;
    expect(1, "doubtful", "{\"code\":\"unknown\",\"made\":1,\"value\":\"nil\"}");
    expect(1, "harmless", "{\"code\":\"nil\",\"made\":2,\"value\":\"worked\"}");
}

/* The probe would come after a second at the earliest, which the budget does not allow; where a second is
 * gone before the second call asks, its probe fails, and the next one is later. */
static void test_a_target_that_fails_is_given_up_for_all_scripts(void **state)
{
    bool given_up_at_once = false;
    struct alarm a;

    (void)state;
    expect(1, "dead", "{\"code\":\"given_up\",\"made\":5,\"value\":\"nil\"}");
    assert_int_equal(alarm_list(&a, 1), 1);
    assert_string_equal(a.text, "dead fails: no answer");
    fake_live_call(&node, 2);
    for (int i = 0; i < 10 && !given_up_at_once; i++)
        given_up_at_once = given_up(ask(2, "dead"));
    assert_true(given_up_at_once);
}

#define STORY(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(test_what_fails_is_tried_again_until_it_works),
        STORY(test_what_may_have_happened_is_repeated_only_when_it_is_harmless),
        STORY(test_a_target_that_fails_is_given_up_for_all_scripts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
