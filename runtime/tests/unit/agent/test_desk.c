/* SPDX-License-Identifier: Apache-2.0 */
/* test_desk.c - the triage desk on real script threads: what a caller says is held against the rules
 * before and beside the agent's script, and each rule is acted on once. The errand's own work is
 * replaced by one that says that it began. */
#include "base/log.h"
#include "observe/alarm.h"
#include "unit/agent/fake_node.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct fake_node node;

static const char test_agent[] =
    "local agent = require 'ringdown.agent'\n"
    "local tool = require 'ringdown.tool'\n"
    "local spin = tool { name = 'spin', about = 'spins', effect = 'read',\n"
    "  run = function() while true do end end }\n"
    "local def = agent { name = 'test', greeting = 'Hi.', prompt = 'Help.', tools = { spin },\n"
    "  people = { on_call = '+13125550188' },\n"
    "  on = { utterance = function(call, text)\n"
    "    if text:find 'spin' then while true do end end\n"
    "    call:say('hook: ' .. text)\n"
    "  end } }\n"
    "def.emergencies = {\n"
    "  { id = 'gas-leak', severity = 'life', any = { 'smell gas', 'gas leak' },\n"
    "    unless = { 'gas leak detector' }, say = { en = 'Leave the building.' }, transfer = "
    "'on_call' },\n"
    "  { id = 'no-heat', severity = 'urgent', any = { 'no heating' } },\n"
    "}\n"
    "for i = 1, 90 do\n"
    "  table.insert(def.emergencies, 1, { id = 'tap-' .. i, severity = 'normal', any = { 'blue "
    "tap' "
    "},\n"
    "    unless = { 'blue tap brochure' } })\n"
    "end\n"
    "return def\n";

static const char test_errand[] =
    "-- SPDX-License-Identifier: Apache-2.0\n"
    "local host, json = require 'ringdown.host', require 'ringdown.json'\n"
    "local M = {}\n"
    "function M.load_all() require 'ringdown.desk' end\n"
    "function M.run(_, kind, payload)\n"
    "  host.fact('began', payload)\n"
    "  if json.decode(payload).words:find 'hold' then\n"
    "    host.fact('line', json.encode { mine = host.take_line() or false })\n"
    "    host.keep_open(true)\n"
    "    host.fact('letter', json.encode { kind = host.wait(60000) })\n"
    "  end\n"
    "end\n"
    "return M\n";

static int set_up(void **state)
{
    (void)state;
    log_config(LOG_ERROR + 1, LOG_LOGFMT);
    alarm_reset();
    fake_node_init(&node);
    node.deadline_ms = 1000; /* some scripts here never end */
    fake_library(&node, "errand.lua", test_errand);
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

static void hears(call_handle call, const char *words)
{
    fake_event(&node, call, AGENT_UTTERANCE, "", "", words);
}

static void expect_fact(const char *type, const char *part)
{
    const char *fact = fake_next_fact(&node);

    if (strncmp(fact, type, strlen(type)) != 0 || !strstr(fact, part))
        fail_msg("wanted %s with %s, came: %s", type, part, fact);
}

static void expect_hook(const char *words)
{
    assert_string_equal(fake_next_command(&node, CMD_SAY)->s[0].p, words);
}

/* The errand and the hook take turns: in any order. */
static void expect_kept_open_and_hook(const char *words)
{
    for (int i = 0; i < 2; i++) {
        struct message *m = fake_next(&node);

        assert_non_null(m);
        if (m->kind == CMD_KEEP_OPEN)
            assert_int_equal(m->number, 1);
        else
            assert_string_equal(m->s[0].p, words);
    }
}

/* Whatever the desk did with what was said before, it has done by then. */
static void expect_nothing_more(call_handle call)
{
    hears(call, "that is all");
    expect_hook("hook: that is all");
    assert_int_equal(node.n_facts, node.n_facts_taken);
}

static void test_a_match_is_a_fact_and_then_an_errand(void **state)
{
    (void)state;
    fake_live_call(&node, 7);
    hears(7, "I smell gas in the kitchen");
    expect_fact("triage 7 test", "\"rule\":\"gas-leak\",\"severity\":\"life\",\"source\":\"rule\","
                                 "\"state\":\"open\",\"words\":\"");
    expect_fact("began 7 test", "\"from\":\"+13125550142\"");
    expect_hook("hook: I smell gas in the kitchen");
    expect_nothing_more(7);
}

static void test_each_rule_is_acted_on_once_in_a_call(void **state)
{
    (void)state;
    fake_live_call(&node, 7);
    fake_live_call(&node, 8);
    hears(7, "I smell gas");
    hears(7, "yes, I smell gas, there is a gas leak");
    hears(7, "there is no gas leak");
    expect_fact("triage 7", "gas-leak");
    expect_fact("began 7", "gas-leak");
    hears(8, "I smell gas");
    expect_fact("triage 8", "gas-leak");
    expect_fact("began 8", "gas-leak");
    for (int i = 0; i < 4; i++)
        (void)fake_next_command(&node, CMD_SAY);
    hears(7, "and there is no heating");
    expect_fact("triage 7", "\"rule\":\"no-heat\",\"severity\":\"urgent\"");
    expect_fact("began 7", "no-heat");
}

static void test_what_sounds_like_it_is_told_and_nobody_is_called(void **state)
{
    (void)state;
    fake_live_call(&node, 7);
    hears(7, "do you sell a gas leak detector");
    expect_fact("near_miss 7 test", "\"rule\":\"gas-leak\",\"why\":\"unless\"");
    expect_hook("hook: do you sell a gas leak detector");
    expect_nothing_more(7);
}

static void test_however_much_was_nearly_one_the_next_match_is_acted_on(void **state)
{
    (void)state;
    fake_live_call(&node, 7);
    hears(7, "send me the blue tap brochure"); /* of which 90 rules want to hear nothing */
    for (int i = 0; i < 64; i++)
        expect_fact("near_miss 7", "\"why\":\"unless\"");
    expect_hook("hook: send me the blue tap brochure");
    hears(7, "no, there is no gas leak");
    (void)fake_next_command(&node, CMD_INSTRUCT);
    expect_hook("hook: no, there is no gas leak");
    hears(7, "I smell gas");
    expect_fact("triage 7", "gas-leak");
    expect_fact("began 7", "gas-leak");
    expect_hook("hook: I smell gas");
    hears(7, "I smell gas");
    expect_hook("hook: I smell gas");
    expect_nothing_more(7);
}

static void test_a_denial_makes_the_model_ask(void **state)
{
    struct message *m;

    (void)state;
    fake_live_call(&node, 7);
    hears(7, "no, there is no gas leak");
    m = fake_next_command(&node, CMD_INSTRUCT);
    assert_non_null(strstr(m->s[0].p, "no, there is no gas leak"));
    assert_non_null(strstr(m->s[0].p, "whether they are in danger right now (gas leak)"));
    expect_fact("near_miss 7 test", "\"why\":\"negated\"");
    expect_hook("hook: no, there is no gas leak");
    hears(7, "no, no gas leak here");
    expect_hook("hook: no, no gas leak here");
    hears(7, "wait, I smell gas");
    expect_fact("triage 7", "gas-leak");
}

static void test_it_works_when_the_agents_script_is_busy_or_broken(void **state)
{
    (void)state;
    fake_live_call(&node, 7);
    fake_event(&node, 7, AGENT_TOOL_CALL, "t1", "spin", "{}");
    hears(7, "I smell gas"); /* the script spins at this moment, and is stopped for it */
    expect_fact("triage 7", "gas-leak");
    expect_fact("began 7", "gas-leak");
    assert_int_equal(fake_next(&node)->call, 7);
    hears(7, "there is no heating"); /* and it has no script any more */
    expect_fact("triage 7", "no-heat");
    expect_fact("began 7", "no-heat");
}

static void expect_report_taken(const char *id)
{
    const struct message *m = fake_next_command(&node, CMD_TOOL_RESULT);

    assert_string_equal(m->s[0].p, id);
    assert_non_null(strstr(m->s[1].p, "\"a_person_is_being_called\":true"));
}

static void test_the_model_reports_an_emergency_when_the_script_is_gone(void **state)
{
    (void)state;
    fake_live_call(&node, 7);
    hears(7, "spin");
    assert_int_equal(fake_next(&node)->kind, CMD_FALLBACK);
    fake_event(&node, 7, AGENT_TOOL_CALL, "t1", "report_emergency",
               "{\"kind\":\"gas-leak\",\"words\":\"it stinks of rotten eggs\"}");
    expect_fact("triage 7", "\"source\":\"model\"");
    expect_fact("began 7", "rotten eggs");
    expect_report_taken("t1");
    fake_event(&node, 7, AGENT_TOOL_CALL, "t2", "report_emergency", "{\"kind\":[");
    expect_fact("near_miss 7", "\"why\":\"model\"");
    expect_fact("began 7", "(not given)");
}

static void test_the_model_reports_an_emergency_after_too_many_tools(void **state)
{
    char id[16];

    (void)state;
    fake_live_call(&node, 7);
    for (int i = 0; i < 512; i++) {
        (void)snprintf(id, sizeof(id), "n%d", i);
        fake_event(&node, 7, AGENT_TOOL_CALL, id, "nothing", "{}");
        (void)fake_next_command(&node, CMD_TOOL_RESULT);
    }
    fake_event(&node, 7, AGENT_TOOL_CALL, "t1", "report_emergency",
               "{\"kind\":\"gas-leak\",\"words\":\"it stinks of rotten eggs\"}");
    expect_fact("triage 7", "\"source\":\"model\"");
    expect_fact("began 7", "rotten eggs");
    expect_report_taken("t1");
}

static void test_a_broken_script_leaves_its_caller_to_the_errand(void **state)
{
    (void)state;
    fake_live_call(&node, 7);
    hears(7, "I smell gas, hold on");
    expect_fact("triage 7", "gas-leak");
    expect_fact("began 7", "gas-leak");
    expect_fact("line 7", "true");
    expect_kept_open_and_hook("hook: I smell gas, hold on");
    hears(7, "spin");
    expect_fact("letter 7", "broken");
    for (unsigned i = 0; i < node.n_got; i++)
        assert_int_not_equal(node.got[i]->kind, CMD_FALLBACK);
}

static void test_a_new_stream_is_kept_open_too(void **state)
{
    (void)state;
    fake_live_call(&node, 7);
    hears(7, "I smell gas, hold on");
    expect_fact("triage 7", "gas-leak");
    expect_fact("began 7", "gas-leak");
    expect_fact("line 7", "true");
    expect_kept_open_and_hook("hook: I smell gas, hold on");
    fake_attach(&node, 7, 9);
    assert_int_equal(fake_next_command(&node, CMD_KEEP_OPEN)->number, 1);
    assert_int_equal(node.media_thread[node.n_taken - 1], 9);
}

static void test_a_call_without_rules_is_left_alone(void **state)
{
    (void)state;
    fake_live_call(&node, 7);
    hears(7, "what does a new tap cost?");
    expect_hook("hook: what does a new tap cost?");
    expect_nothing_more(7);
}

#define STORY(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

/* The one who listens for emergencies, broken. */
static int set_up_deaf(void **state)
{
    (void)state;
    log_config(LOG_ERROR + 1, LOG_LOGFMT);
    alarm_reset();
    fake_node_init(&node);
    node.deadline_ms = 1000; /* some scripts here never end */
    fake_library(&node, "errand.lua", test_errand);
    fake_library(&node, "desk.lua",
                 "-- SPDX-License-Identifier: Apache-2.0\n"
                 "local M = {}\n"
                 "function M.rules_of() return 'some' end\n"
                 "function M.open() error('the rules are not there', 0) end\n"
                 "M.hear = M.open\n"
                 "return M\n");
    fake_agent(&node, "test.lua", test_agent);
    fake_start(&node, 1);
    return 0;
}

static void test_rules_that_do_not_listen_are_an_alarm_and_the_call_goes_on(void **state)
{
    struct alarm open[4];
    size_t n, deaf = 0;

    (void)state;
    fake_live_call(&node, 7);
    hears(7, "I smell gas in the kitchen");
    expect_hook("hook: I smell gas in the kitchen");
    n = alarm_list(open, 4);
    for (size_t i = 0; i < n; i++)
        deaf += strcmp(open[i].kind, "triage.deaf") == 0 && strcmp(open[i].subject, "test") == 0;
    assert_int_equal(deaf, 1);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        STORY(test_a_match_is_a_fact_and_then_an_errand),
        STORY(test_each_rule_is_acted_on_once_in_a_call),
        STORY(test_what_sounds_like_it_is_told_and_nobody_is_called),
        STORY(test_however_much_was_nearly_one_the_next_match_is_acted_on),
        STORY(test_a_denial_makes_the_model_ask),
        STORY(test_it_works_when_the_agents_script_is_busy_or_broken),
        STORY(test_the_model_reports_an_emergency_when_the_script_is_gone),
        STORY(test_the_model_reports_an_emergency_after_too_many_tools),
        STORY(test_a_broken_script_leaves_its_caller_to_the_errand),
        STORY(test_a_new_stream_is_kept_open_too),
        STORY(test_a_call_without_rules_is_left_alone),
        cmocka_unit_test_setup_teardown(
            test_rules_that_do_not_listen_are_an_alarm_and_the_call_goes_on, set_up_deaf,
            tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
