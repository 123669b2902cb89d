/* SPDX-License-Identifier: Apache-2.0 */
/* test_host.c - calls on real script threads: every tool call gets one result, whatever the script
 * does, and every VM goes. Nothing here depends on how fast the machine is. */
#include "base/log.h"
#include "unit/agent/fake_node.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct fake_node node;

static const char test_agent[] =
    "local agent, tool, tools = require 'ringdown.agent', require 'ringdown.tool', require "
    "'ringdown.tools'\n"
    "local function make(name, run, more)\n"
    "  local spec = { name = name, about = name, effect = 'read', run = run }\n"
    "  for k, v in pairs(more or {}) do spec[k] = v end\n"
    "  local t = tool(spec)\n"
    "  return t\n"
    "end\n"
    "local count = 0\n"
    "return agent {\n"
    "  name = 'test', greeting = 'Hi.', prompt = 'Help.', vars = { n = 0 },\n"
    "  tools = {\n"
    "    tools.end_call,\n"
    "    make('double', function(call, args) return { n = args.n * 2 } end,\n"
    "      { args = { n = { type = 'integer', about = 'a number' } } }),\n"
    "    make('refuses', function() return nil, 'not today' end),\n"
    "    make('raises', function() error 'broken' end, { failed = 'Say sorry.' }),\n"
    "    make('spins', function() while true do end end),\n"
    "    make('late', function() while true do end end,\n"
    "      { timeout = '20ms', failed = 'Say it is late.' }),\n"
    "    make('slow', function() local t = os.clock() while os.clock() - t < 0.05 do end return "
    "'ok' end,\n"
    "      { filler = 'One moment.' }),\n"
    "    make('bomb', function() local t = {} for i = 1, 1e9 do t[i] = {} end end),\n"
    "    make('forgets', function(call) call.vars.m = 1 end),\n"
    "    make('writes', function(call) count = count + 1 return { count = count } end,\n"
    "      { effect = 'write' }),\n"
    "    make('writes_slowly', function(call) local t = os.clock() while os.clock() - t < 0.05 do "
    "end\n"
    "      count = count + 1 return { count = count } end, { effect = 'write' }),\n"
    "  },\n"
    "  on = {\n"
    "    utterance = function(call, text)\n"
    "      call.vars.n = call.vars.n + 1\n"
    "      call:say(call.vars.n .. ': ' .. text)\n"
    "      if text == 'bye' then call:hang_up() end\n"
    "      if text == 'break' then error 'broken hook' end\n"
    "      if text == 'spin' then while true do end end\n"
    "    end,\n"
    "    dtmf = function(call, digit)\n"
    "      if digit == '*' then return call:pause() end\n"
    "      if digit == '#' then return call:resume() end\n"
    "      call:say('key ' .. digit)\n"
    "    end,\n"
    "  },\n"
    "}\n";

static int set_up(void **state)
{
    (void)state;
    log_config(LOG_ERROR, LOG_LOGFMT);
    fake_node_init(&node);
    fake_agent(&node, "test.lua", test_agent);
    fake_start(&node, 1);
    return 0;
}

/* For scripts that never end: here time is what breaks. */
static int set_up_impatient(void **state)
{
    (void)state;
    log_config(LOG_ERROR, LOG_LOGFMT);
    fake_node_init(&node);
    node.deadline_ms = 1000;
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

static void call_tool(call_handle call, const char *id, const char *name, const char *args)
{
    fake_event(&node, call, AGENT_TOOL_CALL, id, name, args);
}

static void expect_result(const char *id, const char *output, bool go_on)
{
    struct message *m = fake_next_command(&node, CMD_TOOL_RESULT);

    assert_string_equal(m->s[0].p, id);
    if (!strstr(m->s[1].p, output))
        fail_msg("'%s' is not in '%s'", output, m->s[1].p);
    assert_int_equal(m->number, go_on);
}

/* A tool call that comes back shows that nothing else was sent before it. */
static void expect_still_works(call_handle call, const char *id)
{
    call_tool(call, id, "double", "{\"n\":21}");
    expect_result(id, "{\"n\":42}", true);
}

/* Each needs many turns; the neighbour's single one must not wait for all of them. */
static void test_a_storm_of_tools_is_one_call_among_others(void **state)
{
    enum { STORM = 30, STORMY = 7, NEIGHBOUR = 8 };
    int before = 0;
    char id[16];

    (void)state;
    fake_live_call(&node, STORMY);
    fake_live_call(&node, NEIGHBOUR);
    for (int i = 0; i < STORM; i++) {
        (void)snprintf(id, sizeof(id), "s%d", i);
        call_tool(STORMY, id, "slow", "{}");
    }
    call_tool(NEIGHBOUR, "quick", "slow", "{}");
    for (int i = 0; i <= STORM; i++) {
        struct message *m = fake_next(&node);

        assert_non_null(m);
        if (m->kind == CMD_TOOL_RESULT && m->call == NEIGHBOUR)
            break;
        before += m->kind == CMD_TOOL_RESULT;
    }
    assert_in_range(before, 0, 4);
}

static void test_a_call_opens_with_its_brief(void **state)
{
    struct message *m;

    (void)state;
    fake_open(&node, 7, "test");
    m = fake_next(&node);
    assert_non_null(m);
    assert_int_equal(m->type, MSG_CALL_OPENED);
    assert_int_equal(m->call, 7);
    assert_int_equal(m->aux, 1007);
    assert_int_equal(node.media_thread[0], 3);
    assert_string_equal(m->s[0].p, "openai");
    assert_string_equal(m->brief->agent, "test");
    assert_string_equal(m->brief->version, agent_set_at(node.agents, 0)->version);
    assert_non_null(strstr(m->brief->tools_json, "\"name\":\"end_call\""));
    assert_int_equal(m->brief->max_call_ms, 1800000);
    assert_int_equal(script_pool_vms(node.pool), 1);
}

static void test_an_unknown_agent_is_answered(void **state)
{
    struct message *m;

    (void)state;
    fake_open(&node, 7, "nobody");
    m = fake_next(&node);
    assert_int_equal(m->type, MSG_CALL_OPENED);
    assert_string_equal(m->s[0].p, "");
    assert_int_equal(script_pool_vms(node.pool), 0);
}

static void test_tools_answer_the_media_thread_that_has_the_call(void **state)
{
    (void)state;
    fake_live_call(&node, 1);
    call_tool(1, "t1", "double", "{\"n\":\"4\"}");
    expect_result("t1", "{\"n\":8}", true);
    assert_int_equal(node.media_thread[node.n_taken - 1], 5);
}

static void test_whatever_the_model_asks_it_gets_an_answer(void **state)
{
    (void)state;
    fake_live_call(&node, 1);
    call_tool(1, "t1", "dubble", "{}");
    expect_result("t1", "There is no tool 'dubble'; did you mean 'double'?", true);
    call_tool(1, "t2", "double", "{\"n\":\"many\"}");
    expect_result("t2", "'n' must be of type integer", true);
    call_tool(1, "t3", "double", "{");
    expect_result("t3", "not a JSON object", true);
    call_tool(1, "t4", "double", "");
    expect_result("t4", "'n' is missing; it is: a number", true);
    call_tool(1, "t5", "refuses", "{}");
    expect_result("t5", "{\"refused\":\"not today\"}", true);
    call_tool(1, "t6", "raises", "{}");
    expect_result("t6", "{\"failed\":true,\"say\":\"Say sorry.\"}", true);
    call_tool(1, "t7", "forgets", "{}");
    expect_result("t7", "\"failed\":true", true);
    expect_still_works(1, "t8");
}

static void test_a_call_id_is_answered_once(void **state)
{
    (void)state;
    fake_live_call(&node, 1);
    call_tool(1, "t1", "double", "{\"n\":1}");
    call_tool(1, "t1", "double", "{\"n\":1}");
    expect_result("t1", "{\"n\":2}", true);
    expect_still_works(1, "t2");
}

static void test_a_write_happens_once(void **state)
{
    (void)state;
    fake_live_call(&node, 1);
    call_tool(1, "t1", "writes", "{}");
    expect_result("t1", "{\"count\":1}", true);
    call_tool(1, "t2", "writes", "{}");
    expect_result("t2", "{\"count\":1}", true);
}

static void test_a_write_asked_for_twice_at_once_happens_once(void **state)
{
    (void)state;
    fake_live_call(&node, 1);
    call_tool(1, "t1", "writes_slowly", "{}");
    call_tool(1, "t2", "writes_slowly", "{}");
    expect_result("t1", "{\"count\":1}", true);
    expect_result("t2", "{\"count\":1}", true);
}

static void test_a_late_tool_costs_only_itself(void **state)
{
    (void)state;
    fake_live_call(&node, 1);
    call_tool(1, "t1", "late", "{}");
    expect_result("t1", "Say it is late.", true);
    expect_still_works(1, "t2");
    assert_int_equal(script_pool_vms(node.pool), 1);
}

static void test_a_runaway_script_costs_only_its_call(void **state)
{
    struct message *m;

    (void)state;
    fake_live_call(&node, 1);
    fake_live_call(&node, 2);
    call_tool(1, "t1", "spins", "{}");
    call_tool(2, "n1", "double", "{\"n\":21}"); /* the neighbour does not wait for it */
    expect_result("n1", "{\"n\":42}", true);
    m = fake_next_command(&node, CMD_FALLBACK);
    assert_int_equal(m->call, 1);
    expect_result("t1", "\"failed\":true", true);
    call_tool(1, "t2", "double", "{\"n\":1}");
    expect_result("t2", "\"failed\":true", true);
    expect_still_works(2, "n2");
    assert_int_equal(script_pool_vms(node.pool), 1);
    fake_event(&node, 1, AGENT_ENDED, "", "", "script_failed");
    fake_event(&node, 2, AGENT_ENDED, "", "", "caller_hangup");
    assert_true(fake_vms_become(&node, 0));
}

static void test_a_memory_bomb_costs_only_its_call(void **state)
{
    (void)state;
    fake_live_call(&node, 1);
    fake_live_call(&node, 2);
    call_tool(1, "t1", "bomb", "{}");
    assert_int_equal(fake_next_command(&node, CMD_FALLBACK)->call, 1);
    expect_result("t1", "\"failed\":true", true);
    expect_still_works(2, "n1");
}

static void test_a_runaway_hook_delivers_what_others_owe(void **state)
{
    (void)state;
    fake_live_call(&node, 1);
    call_tool(1, "t1", "slow", "{}");
    fake_event(&node, 1, AGENT_UTTERANCE, "", "", "spin");
    assert_string_equal(fake_next_command(&node, CMD_SAY)->s[0].p, "1: spin");
    for (int owed = 2;
         owed > 0;) { /* the tool may just have made it, or have said that it takes long */
        struct message *m = fake_next(&node);

        assert_non_null(m);
        assert_true(m->kind == CMD_FALLBACK || m->kind == CMD_TOOL_RESULT || m->kind == CMD_SAY);
        owed -= m->kind != CMD_SAY;
    }
}

static void test_end_call_gives_its_result_and_then_hangs_up(void **state)
{
    (void)state;
    fake_live_call(&node, 1);
    call_tool(1, "t1", "end_call", "{}");
    expect_result("t1", "{\"ended\":true}", false);
    assert_string_equal(fake_next_command(&node, CMD_HANG_UP)->s[0].p, "goodbye");
}

static void test_hooks_run_in_the_order_of_their_events(void **state)
{
    (void)state;
    fake_live_call(&node, 1);
    fake_event(&node, 1, AGENT_UTTERANCE, "", "", "hello");
    fake_event(&node, 1, AGENT_DTMF, "", "", "4");
    fake_event(&node, 1, AGENT_SILENCE, "", "", "");
    fake_event(&node, 1, AGENT_UTTERANCE, "", "", "break");
    fake_event(&node, 1, AGENT_UTTERANCE, "", "", "bye");
    assert_string_equal(fake_next_command(&node, CMD_SAY)->s[0].p, "1: hello");
    assert_string_equal(fake_next_command(&node, CMD_SAY)->s[0].p, "key 4");
    assert_string_equal(fake_next_command(&node, CMD_SAY)->s[0].p, "2: break");
    assert_string_equal(fake_next_command(&node, CMD_SAY)->s[0].p, "3: bye");
    assert_string_equal(fake_next_command(&node, CMD_HANG_UP)->s[0].p, "agent");
}

static void test_a_pause_and_its_end_reach_the_call(void **state)
{
    struct message *m;

    (void)state;
    fake_live_call(&node, 1);
    fake_event(&node, 1, AGENT_DTMF, "", "", "*");
    m = fake_next_command(&node, CMD_PAUSE);
    assert_int_equal(m->number, 1);
    assert_string_equal(m->s[0].p, "agent");
    fake_event(&node, 1, AGENT_DTMF, "", "", "#");
    assert_int_equal(fake_next_command(&node, CMD_PAUSE)->number, 0);
}

static void test_what_a_call_remembers_can_be_seen(void **state)
{
    (void)state;
    fake_live_call(&node, 1);
    fake_event(&node, 1, AGENT_LOOK, "", "", "");
    assert_string_equal(fake_next_command(&node, CMD_LOOKED)->s[0].p, "{\"n\":0}");
}

static void test_the_end_frees_the_vm(void **state)
{
    (void)state;
    for (call_handle call = 1; call <= 20; call++)
        fake_live_call(&node, call);
    assert_int_equal(script_pool_vms(node.pool), 20);
    for (call_handle call = 1; call <= 20; call++)
        fake_event(&node, call, AGENT_ENDED, "", "", "agent_hangup");
    assert_true(fake_vms_become(&node, 0));
    fake_event(&node, 1, AGENT_UTTERANCE, "", "", "anybody?");
    fake_live_call(&node, 21);
}

static void test_an_end_before_the_answer_frees_the_vm_too(void **state)
{
    (void)state;
    for (call_handle call = 1; call <= 5; call++) {
        fake_open(&node, call, "test");
        fake_event(&node, call, AGENT_ENDED, "", "", "script_late");
    }
    assert_true(fake_vms_become(&node, 0));
}

static void test_stopping_in_the_middle_leaves_nothing(void **state)
{
    (void)state;
    fake_live_call(&node, 1);
    call_tool(1, "t1", "spins", "{}");
    fake_open(&node, 2, "test");
}

static void expect_refused(const char *why, bool unknown)
{
    struct message *m = fake_next_command(&node, CMD_TRANSFER_REFUSED);

    if (!strstr(m->s[0].p, why))
        fail_msg("'%s' is not in '%s'", why, m->s[0].p);
    assert_int_equal(m->number, unknown);
}

static void test_a_transfer_that_cannot_be_asked_for_is_refused_with_the_reason(void **state)
{
    (void)state;
    fake_live_call(&node, 7);
    fake_event(&node, 7, AGENT_TRANSFER, "", "", "office");
    expect_refused("nobody is called 'office'; this agent has no people", false);
    fake_event(&node, 7, AGENT_TRANSFER, "", "", "+13125550188");
    expect_refused("set twilio.sid and twilio.token", false);
    expect_still_works(7, "c1");
}

static void test_a_script_that_has_failed_transfers_nobody(void **state)
{
    (void)state;
    fake_live_call(&node, 7);
    fake_event(&node, 7, AGENT_UTTERANCE, "", "", "spin");
    (void)fake_next_command(&node, CMD_SAY);
    (void)fake_next_command(&node, CMD_FALLBACK);
    fake_event(&node, 7, AGENT_TRANSFER, "", "", "office");
    expect_refused("the agent's script has failed", false);
}

/* A library that leaves everything in, and tries it. Whatever the runtime gives a call is in one of these lists: who
 * adds a function says here whether a synthetic call may have it. */
static const char leaky_library[] =
    "local host = require 'ringdown.host'\n"
    "local kept, refused = {}, {}\n"
    "for name in ([[file source shown zone where log say hang_up pause deadline sleep now_ms\n"
    "    digest retry_delay breaker_ask durable redacted site agent]]):gmatch '%S+' do kept[name] "
    "= true end\n"
    "for name in ([[twilio vapi vapi_control openai http query db errand emergency alarm\n"
    "    alarm_over transfer transfer_begun transfer_refused instruct expect_text deliver_text\n"
    "    fact reply take_line outside keep_open heartbeat fall_back wait answer address "
    "resume_url\n"
    "    breaker_tell number_hash find find_reported first was_first twilio_ready\n"
    "    vapi_ready openai_ready]]):gmatch '%S+' do refused[name] = true end\n"
    "return {\n"
    "  of = function(def)\n"
    "    for name, f in pairs(host) do\n"
    "      if type(f) == 'function' and not kept[name] and not refused[name] then\n"
    "        error('nobody said whether a synthetic call may have host.' .. name)\n"
    "      elseif kept[name] and f == host.twilio then\n"
    "        error(name .. ' is missing')\n"
    "      end\n"
    "    end\n"
    "    for name in pairs(refused) do\n"
    "      local done, _, code = host[name]('POST', 'Messages.json', {})\n"
    "      if done or code ~= (name:match '_ready$' == nil and 'harmless' or nil) then\n"
    "        error(name .. ' is left')\n"
    "      end\n"
    "    end\n"
    "    return def\n"
    "  end,\n"
    "  route = function() return 'openai', 'synthetic', '', {} end,\n"
    "  brief = function(brief) return brief end,\n"
    "}\n";

static int set_up_leaky(void **state)
{
    (void)state;
    log_config(LOG_ERROR, LOG_LOGFMT);
    fake_node_init(&node);
    fake_library(&node, "harmless.lua", leaky_library);
    fake_agent(&node, "test.lua", test_agent);
    fake_start(&node, 1);
    return 0;
}

static void test_a_synthetic_call_has_no_way_to_anybody_whatever_its_script_wants(void **state)
{
    struct rd_str s[] = {RD_STR("test"), RD_STR("{\"CallSid\":\"CA1\"}")};
    struct message *m = message_new(MSG_CALL_OPEN, 7, s, 2);

    (void)state;
    assert_non_null(m);
    m->kind = 1;
    m->number = 3;
    m->aux = 1007;
    assert_int_equal(credits_post(node.credits, m, false), 0);
    m = fake_next(&node);
    assert_non_null(m);
    assert_int_equal(m->type, MSG_CALL_OPENED);
    assert_string_equal(m->s[1].p, "synthetic");
    assert_non_null(m->brief);
    fake_event(&node, 7, AGENT_ENDED, "", "", "caller_hangup");
}

int main(void)
{
#define STORY(name)   cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define RUNAWAY(name) cmocka_unit_test_setup_teardown(name, set_up_impatient, tear_down)
    const struct CMUnitTest tests[] = {
        STORY(test_a_call_opens_with_its_brief),
        STORY(test_a_storm_of_tools_is_one_call_among_others),
        STORY(test_an_unknown_agent_is_answered),
        STORY(test_tools_answer_the_media_thread_that_has_the_call),
        STORY(test_whatever_the_model_asks_it_gets_an_answer),
        STORY(test_a_call_id_is_answered_once),
        STORY(test_a_write_happens_once),
        STORY(test_a_write_asked_for_twice_at_once_happens_once),
        RUNAWAY(test_a_late_tool_costs_only_itself),
        RUNAWAY(test_a_runaway_script_costs_only_its_call),
        RUNAWAY(test_a_memory_bomb_costs_only_its_call),
        RUNAWAY(test_a_runaway_hook_delivers_what_others_owe),
        STORY(test_end_call_gives_its_result_and_then_hangs_up),
        STORY(test_hooks_run_in_the_order_of_their_events),
        STORY(test_a_pause_and_its_end_reach_the_call),
        STORY(test_what_a_call_remembers_can_be_seen),
        STORY(test_the_end_frees_the_vm),
        STORY(test_an_end_before_the_answer_frees_the_vm_too),
        RUNAWAY(test_stopping_in_the_middle_leaves_nothing),
        STORY(test_a_transfer_that_cannot_be_asked_for_is_refused_with_the_reason),
        RUNAWAY(test_a_script_that_has_failed_transfers_nobody),
        cmocka_unit_test_setup_teardown(
            test_a_synthetic_call_has_no_way_to_anybody_whatever_its_script_wants, set_up_leaky,
            tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
