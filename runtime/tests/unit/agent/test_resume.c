/* SPDX-License-Identifier: Apache-2.0 */
/* A caller is taken to somebody else, by the agent itself, and comes back to the same script. */
#include "ports/agent.h"
#include "unit/agent/fake_node.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static struct fake_node node;

static const char test_agent[] =
    "local agent, tools = require 'ringdown.agent', require 'ringdown.tools'\n"
    "return agent { name = 'test', greeting = 'Hi.', prompt = 'Help.',\n"
    "  people = { office = '+13125550101' }, vars = { n = 0 },\n"
    "  tools = { tools.transfer_call },\n"
    "  on = { started = function(call) call:say 'started' end,\n"
    "    utterance = function(call, text) if text == 'person' then call:transfer 'office' end "
    "end,\n"
    "    transfer_failed = function(call, whom, why) call:say(whom .. ': ' .. why) end,\n"
    "    ended = function(call, why) call:log('over', { why = why }) end } }\n";

static int set_up(void **state)
{
    (void)state;
    fake_node_init(&node);
    fake_agent(&node, "test.lua", test_agent);
    fake_start(&node, 1);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    fake_node_fini(&node);
    return 0;
}

static void resume(call_handle call, const char *kind, const char *form)
{
    struct message *m =
        message_new(MSG_RESUME, call, (struct rd_str[]){rd_str(kind), rd_str(form)}, 2);

    assert_non_null(m);
    m->number = 2;
    m->aux = 77;
    assert_int_equal(mailbox_post(script_pool_mailbox(node.pool, 0), m), 0);
}

static struct message *answer(const char *how)
{
    struct message *m = fake_next(&node);

    assert_non_null(m);
    assert_int_equal(m->type, MSG_RESUMED);
    assert_int_equal(m->number, 2);
    assert_int_equal(m->aux, 77);
    assert_string_equal(m->s[0].p, how);
    return m;
}

static void away(call_handle call)
{
    fake_event(&node, call, AGENT_AWAY, "", "", "transferred");
}

static void test_the_model_has_the_result_before_the_carrier_is_asked(void **state)
{
    struct message *m;

    (void)state;
    fake_live_call(&node, 1);
    fake_event(&node, 1, AGENT_TOOL_CALL, "t1", "transfer_call", "{\"to\":\"office\"}");
    m = fake_next_command(&node, CMD_TOOL_RESULT);
    assert_string_equal(m->s[1].p, "{\"connecting\":\"office\"}");
    assert_int_equal(m->number, 0);
    m = fake_next_command(&node, CMD_TRANSFER);
    assert_string_equal(m->s[0].p, "office");
    assert_string_equal(m->s[1].p, "");
    fake_event(&node, 1, AGENT_ENDED, "", "", "caller_hangup");
    assert_true(fake_vms_become(&node, 0));
}

static void test_a_hook_may_ask_for_it(void **state)
{
    (void)state;
    fake_live_call(&node, 1);
    fake_event(&node, 1, AGENT_UTTERANCE, "", "", "person");
    assert_string_equal(fake_next_command(&node, CMD_TRANSFER)->s[0].p, "office");
    fake_event(&node, 1, AGENT_ENDED, "", "", "caller_hangup");
}

static void test_a_refused_wish_of_the_model_is_told_to_it(void **state)
{
    struct message *m;

    (void)state;
    fake_live_call(&node, 1);
    fake_event(&node, 1, AGENT_UTTERANCE, "", "", "person");
    (void)fake_next_command(&node, CMD_TRANSFER);
    fake_event(&node, 1, AGENT_TRANSFER, "", "", "office"); /* the core's: it was heard */
    m = fake_next_command(&node, CMD_TRANSFER_REFUSED);
    assert_non_null(strstr(m->s[0].p, "set twilio.sid"));
    assert_non_null(strstr(m->s[1].p, "The transfer to office did not work."));
    fake_event(&node, 1, AGENT_ENDED, "", "", "caller_hangup");
}

static void test_a_caller_whom_nobody_takes_is_back_with_the_same_script(void **state)
{
    struct message *m;

    (void)state;
    fake_live_call(&node, 1);
    fake_event(&node, 1, AGENT_STARTED, "", "", "");
    assert_string_equal(fake_next_command(&node, CMD_SAY)->s[0].p, "started");
    fake_event(&node, 1, AGENT_UTTERANCE, "", "", "my boiler leaks");
    away(1);
    resume(1, "resume", "{\"DialCallStatus\":\"busy\",\"attempt\":\"1\"}");
    m = answer("stream");
    assert_non_null(m->brief);
    assert_non_null(strstr(m->brief->opening, "nobody is picking up"));
    assert_non_null(strstr(m->brief->instructions, "caller: \"my boiler leaks\""));
    assert_string_equal(m->s[3].p, "busy");
    assert_int_equal(script_pool_vms(node.pool), 1);
    fake_attach(&node, 1, 6);
    fake_event(&node, 1, AGENT_STARTED, "", "", "");
    assert_string_equal(fake_next_command(&node, CMD_SAY)->s[0].p, "somebody else: busy");
    assert_int_equal(node.media_thread[node.n_taken - 1], 6);
    fake_event(&node, 1, AGENT_ENDED, "", "", "agent_hangup");
    assert_true(fake_vms_become(&node, 0));
}

static void test_a_caller_who_had_a_person_is_done(void **state)
{
    (void)state;
    fake_live_call(&node, 1);
    away(1);
    resume(1, "resume", "{\"DialCallStatus\":\"completed\"}");
    (void)answer("hang_up");
    fake_event(&node, 1, AGENT_ENDED, "", "", "transferred");
    assert_true(fake_vms_become(&node, 0));
}

static void test_without_a_script_there_is_only_the_fallback(void **state)
{
    (void)state;
    resume(9, "resume", "{\"DialCallStatus\":\"busy\"}");
    assert_string_equal(answer("fallback")->s[1].p, "script_gone");
    fake_live_call(&node, 1);
    away(1);
    resume(1, "resume", "no JSON");
    (void)answer("fallback");
    resume(1, "accept", "{\"Digits\":\"1\"}");
    (void)answer("hang_up");
    fake_event(&node, 1, AGENT_ENDED, "", "", "transferred");
}

#define STORY(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(test_the_model_has_the_result_before_the_carrier_is_asked),
        STORY(test_a_hook_may_ask_for_it),
        STORY(test_a_refused_wish_of_the_model_is_told_to_it),
        STORY(test_a_caller_whom_nobody_takes_is_back_with_the_same_script),
        STORY(test_a_caller_who_had_a_person_is_done),
        STORY(test_without_a_script_there_is_only_the_fallback),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
