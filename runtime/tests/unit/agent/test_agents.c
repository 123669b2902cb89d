/* SPDX-License-Identifier: Apache-2.0 */
/* test_agents.c - what loading a folder of agents gives: numbers, fallbacks, and every mistake. */
#include "agent/agents.h"
#include "agent/brief.h"
#include "base/err.h"
#include "unit/agent/fake_node.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct fake_node node;

static int set_up(void **state)
{
    (void)state;
    fake_node_init(&node);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    fake_node_fini(&node);
    return 0;
}

static void assert_complains(const char *line)
{
    /* Lines name the folder by its last name; here that is a temporary one. */
    struct buf whole;

    buf_init(&whole, 1 << 16);
    assert_int_equal(buf_addf(&whole, "%s/%s", node.folder + strlen("/tmp/"), line), 0);
    if (!strstr(buf_text(&node.complaints), buf_text(&whole)))
        fail_msg("'%s' is not in:\n%s", buf_text(&whole), buf_text(&node.complaints));
    buf_fini(&whole);
}

static void test_the_first_agent_loads(void **state)
{
    const struct agent_info *a;

    (void)state;
    assert_int_equal(agent_set_load(&node.agents, "agents", "scripts", &node.complaints), 0);
    assert_string_equal(buf_text(&node.complaints), "");
    a = agent_by_number(node.agents, RD_STR("+13125550100"));
    assert_non_null(a);
    assert_string_equal(a->name, "northside-plumbing");
    assert_int_equal(strlen(a->version), 16);
    assert_null(a->vapi_twiml);
    assert_false(a->record);
    assert_int_equal(a->keep_transcripts_s, 0);
    assert_int_equal(a->max_calls, 0);
    assert_string_equal(a->countries, "{\"US\":true}");
    assert_non_null(strstr(a->fallback_twiml, "<Number>+13125550101</Number>"));
    assert_ptr_equal(agent_by_name(node.agents, RD_STR("northside-plumbing")), a);
    assert_null(agent_by_number(node.agents, RD_STR("+13125550199")));
}

static const char minimal[] = "local agent = require 'ringdown.agent'\n"
                              "return agent { name = 'a', greeting = 'Hi.', prompt = 'Help.',\n"
                              "  vapi = { assistant = '5f0c2d1e-7a34-4b6f-9c1d-2e8a6b0f4d11' } }\n";

static const char keeping[] = "local agent = require 'ringdown.agent'\n"
                              "return agent { name = 'a', greeting = 'Hi.', prompt = 'Help.',\n"
                              "  notice = { %s = true },\n"
                              "  record = true, limits = { calls = 3 },\n"
                              "  keep = { transcripts = '90d', recordings = '30d' } }\n";

static void test_an_agent_says_what_is_kept_and_for_how_long(void **state)
{
    const struct agent_info *a;
    char text[512];

    (void)state;
    (void)snprintf(text, sizeof(text), keeping, "recording");
    fake_agent(&node, "a.lua", text);
    fake_load(&node);
    assert_int_equal(agent_set_count(node.agents), 1);
    a = agent_set_at(node.agents, 0);
    assert_true(a->record);
    assert_int_equal(a->keep_transcripts_s, 90 * 86400);
    assert_int_equal(a->keep_recordings_s, 30 * 86400);
    assert_int_equal(a->max_calls, 3);
}

static void test_an_agent_that_does_not_tell_its_callers_may_not_record(void **state)
{
    char text[512];

    (void)state;
    (void)snprintf(text, sizeof(text), keeping, "ai");
    fake_agent(&node, "a.lua", text);
    fake_load(&node);
    assert_int_equal(agent_set_count(node.agents), 0);
    assert_complains("a.lua:4: record: callers must be told before they are recorded; add notice = "
                     "{ recording = true }");
}

static void test_an_agent_on_vapi_has_its_redirect(void **state)
{
    (void)state;
    fake_agent(&node, "a.lua", minimal);
    fake_load(&node);
    assert_int_equal(agent_set_count(node.agents), 1);
    assert_string_equal(agent_set_at(node.agents, 0)->vapi_twiml,
                        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response><Redirect "
                        "method=\"POST\">https://api.vapi.ai/twilio/inbound_call</Redirect>"
                        "</Response>\n");
}

static void test_a_broken_edit_keeps_the_version_from_before(void **state)
{
    struct agent_set *next;
    char version[17];

    (void)state;
    fake_agent(&node, "a.lua", minimal);
    fake_agent(&node, "b.lua",
               "local agent = require 'ringdown.agent'\n"
               "return agent { name = 'b', greeting = 'Hi.', prompt = 'Help.' }\n");
    fake_load(&node);
    (void)snprintf(version, sizeof(version), "%s",
                   agent_by_name(node.agents, RD_STR("a"))->version);
    fake_agent(&node, "a.lua", "return agent {\n");
    fake_agent(&node, "b.lua",
               "local agent = require 'ringdown.agent'\n"
               "return agent { name = 'b', greeting = 'Hello.', prompt = 'Help.' }\n");
    assert_int_equal(agent_set_reload(&next, node.agents, node.folder, "scripts", &node.complaints),
                     0);
    assert_complains("a.lua:");
    assert_int_equal(agent_set_count(next), 2);
    assert_int_equal(agent_set_errors(next), 1);
    assert_string_equal(agent_by_name(next, RD_STR("a"))->version, version);
    assert_string_not_equal(agent_by_name(next, RD_STR("b"))->version,
                            agent_by_name(node.agents, RD_STR("b"))->version);
    agent_set_unref(node.agents); /* the one taken over lives on */
    node.agents = next;
    assert_non_null(agent_by_name(next, RD_STR("a"))->vapi_twiml);
}

static void test_what_is_probably_not_meant_is_a_warning(void **state)
{
    const struct agent_info *a;

    (void)state;
    fake_agent(&node, "v.lua",
               "local agent = require 'ringdown.agent'\n"
               "return agent {\n"
               "  name = 'v', greeting = 'Hello.', prompt = 'Help.',\n"
               "  people = { on_call = '+13125550188' }, openai = {},\n"
               "  vapi = { assistant = '5f0c2d1e-7a34-4b6f-9c1d-2e8a6b0f4d11' },\n"
               "  emergencies = { { id = 'fire', severity = 'life', any = { 'on fire' },\n"
               "    say = 'Leave now, then call 911.', transfer = 'on_call' } },\n"
               "}\n");
    fake_load(&node);
    assert_int_equal(agent_set_errors(node.agents), 0);
    a = agent_by_name(node.agents, rd_str("v"));
    assert_non_null(a);
    assert_non_null(a->warnings);
    assert_non_null(
        strstr(a->warnings, "v.lua:5: warning: vapi: calls that go to Vapi are searched"));
}

static void test_every_mistake_is_told_with_its_line(void **state)
{
    (void)state;
    fake_agent(&node, "b.lua",
               "local agent, tool = require 'ringdown.agent', require 'ringdown.tool'\n"
               "local t = tool {\n"
               "  name = 'Book It', about = 'Books.',\n"
               "  effect = 'wriet', run = function(call, args) local a, b = 1, 2 return a end,\n"
               "}\n"
               "return agent {\n"
               "  name = 'b', -- a comment, with = signs { and braces\n"
               "  numbers = {\n"
               "    '+13125550100',\n"
               "    '0312555' },\n"
               "  greting = 'Hello',\n"
               "  openai = {\n"
               "    voice = 'marine' },\n"
               "  max_call = '10 minutes', prompt = 'Hi {{caller.nmae}}',\n"
               "  tools = { t },\n"
               "  emergencies = { { severity = 'deadly' } },\n"
               "}\n");
    fake_load(&node);
    assert_int_equal(agent_set_count(node.agents), 0);
    assert_int_equal(agent_set_errors(node.agents), 1);
    assert_complains("b.lua:3: tool.name: \"Book It\" is not a tool's name");
    assert_complains("b.lua:4: tool.effect: \"wriet\" is unknown; did you mean 'write'?");
    assert_complains("b.lua:6: 'greeting' is missing");
    assert_complains("b.lua:10: numbers[2]: \"0312555\" is not a phone number");
    assert_complains("b.lua:11: greting: unknown key; did you mean 'greeting'?");
    assert_complains("b.lua:13: openai.voice: \"marine\" is unknown; did you mean 'marin'?");
    assert_complains("b.lua:14: max_call: \"10 minutes\" is no duration");
    assert_complains(
        "b.lua:14: prompt: {{caller.nmae}}: unknown path; did you mean 'caller.name'?");
    assert_complains("b.lua:16: emergencies[1].severity: \"deadly\" is unknown");
}

static void test_a_broken_agent_costs_only_itself(void **state)
{
    (void)state;
    fake_agent(&node, "a.lua", minimal);
    fake_agent(&node, "syntax.lua", "return {\n  oops oops\n}\n");
    fake_agent(&node, "raises.lua", "local x = nil\nreturn x.y\n");
    fake_agent(&node, "nothing.lua", "return {}\n");
    fake_agent(&node, "missing.lua", "return require 'lib.not_there'\n");
    fake_agent(&node, "other.lua",
               "local agent = require 'ringdown.agent'\n"
               "return agent { name = 'a', greeting = 'Hi.', prompt = agent.file 'none.md' }\n");
    fake_load(&node);
    assert_int_equal(agent_set_count(node.agents), 1);
    assert_int_equal(agent_set_errors(node.agents), 5);
    assert_complains("syntax.lua:2: ");
    assert_complains("raises.lua:2: attempt to index a nil value (local 'x')");
    assert_complains("nothing.lua:1: must end in: return agent { … }");
    assert_complains("missing.lua:1: module 'lib.not_there' not found");
    assert_complains("other.lua:2: agent.file \"none.md\": No such file or directory");
    assert_complains("other.lua:2: name: must be 'other', as the file is called");
}

static void test_a_file_that_never_ends_is_stopped(void **state)
{
    (void)state;
    fake_agent(&node, "loop.lua", "while true do end\n");
    fake_agent(&node, "bomb.lua", "local t = {} for i = 1, 1e9 do t[i] = {} end\n");
    fake_load(&node);
    assert_int_equal(agent_set_errors(node.agents), 2);
    assert_complains("bomb.lua:1: not enough memory");
    assert_complains("loop.lua:1: the script used up its instructions");
}

static void test_what_is_too_large_to_keep_is_told(void **state)
{
    (void)state;
    fake_agent(&node, "large.lua",
               "local agent = require 'ringdown.agent'\n"
               "local tool = require 'ringdown.tool'\n"
               "local args = {}\n"
               "for i = 1, 300 do\n"
               "  args['a' .. i] = { type = 'string', about = ('x'):rep(1000) }\n"
               "end\n"
               "return agent { name = 'large', greeting = 'Hi.', prompt = 'Help.', tools = {\n"
               "  tool { name = 't', about = 'x', effect = 'read', args = args,\n"
               "    run = function() end } } }\n");
    fake_load(&node);
    assert_int_equal(agent_set_errors(node.agents), 1);
    assert_complains("large.lua:1: a text of it is too large");
}

static void test_an_agent_cannot_reach_into_the_library(void **state)
{
    (void)state;
    fake_agent(
        &node, "a.lua",
        "local log, agent = require 'ringdown.log', require 'ringdown.agent'\n"
        "for _, door in ipairs { 'host', 'session', 'transfer', 'numbers', 'retry', 'texts.post' } "
        "do\n"
        "  assert(not pcall(require, 'ringdown.' .. door), door)\n"
        "end\n"
        "tostring = require\n"
        "assert(type(log.known('ringdown.host').known) == 'string', 'the library opened a door')\n"
        "string.format = function() error 'mine' end\n"
        "table.concat, pairs, error = nil, nil, nil\n"
        "return agent { name = 'a', greeting = 'Hi.', prompt = 'Help.', people = { me = 'x' } }\n");
    fake_load(&node);
    assert_int_equal(agent_set_errors(node.agents), 1);
    assert_complains("a.lua:9: people.me");
}

static void test_what_an_agent_writes_into_the_library_stays_with_the_agent(void **state)
{
    (void)state;
    fake_agent(
        &node, "a.lua",
        "local agent, json = require 'ringdown.agent', require 'ringdown.json'\n"
        "local tool, tools = require 'ringdown.tool', require 'ringdown.tools'\n"
        "local ok, why = pcall(function() json.encode = function() return '{}' end end)\n"
        "assert(not ok and why:find(\"ringdown.json is the library's\", 1, true), why)\n"
        "rawset(json, 'encode', function() error 'mine' end)\n"
        "assert(not pcall(setmetatable, json, nil) and not pcall(setmetatable, tools.end_call, "
        "{}))\n"
        "assert(not getmetatable(json) and not getmetatable(tools.end_call))\n"
        "assert(getmetatable('') == 'string' and getmetatable(setmetatable({}, tool)) == tool)\n"
        "string.rep, table.sort, math.floor = nil, nil, nil\n"
        "for _, name in ipairs { 'agent', 'call', 'db', 'http', 'json', 'log', 'routing', "
        "'secret', "
        "'sms', 'store', 'template', 'time', 'tool', 'tools', 'triage', 'verify' } do\n"
        "  local module, n = require('ringdown.' .. name), 0\n"
        "  assert(type(module) == 'table' and module == require('ringdown.' .. name))\n"
        "  for key, value in pairs(module) do\n"
        "    assert(type(value) ~= 'table', name .. '.' .. key .. ' can be changed')\n"
        "    n = n + 1\n"
        "  end\n"
        "  local _, hidden = pairs(module)\n"
        "  assert(hidden == module and (n > 0 or name == 'tools'), name)\n"
        "end\n"
        "return agent { name = 'a', greeting = 'Hi.', prompt = 'Help.',\n"
        "  tools = { tools.end_call } }\n");
    fake_load(&node);
    if (agent_set_errors(node.agents))
        fail_msg("%s", buf_text(&node.complaints));
}

static void test_a_number_has_one_agent(void **state)
{
    static const char text[] = "local agent = require 'ringdown.agent'\n"
                               "return agent { name = '%s', greeting = 'Hi.', prompt = 'Help.',\n"
                               "  numbers = { '+13125550100' } }\n";
    char file[400];

    (void)state;
    (void)snprintf(file, sizeof(file), text, "one");
    fake_agent(&node, "one.lua", file);
    (void)snprintf(file, sizeof(file), text, "two");
    fake_agent(&node, "two.lua", file);
    fake_load(&node);
    assert_int_equal(agent_set_count(node.agents), 1);
    assert_string_equal(agent_by_number(node.agents, RD_STR("+13125550100"))->name, "one");
    assert_non_null(strstr(buf_text(&node.complaints), "answered by agent 'one' already"));
}

static void test_an_assistant_that_two_agents_share_is_nobodys(void **state)
{
    static const char text[] =
        "local agent = require 'ringdown.agent'\n"
        "return agent { name = '%s', greeting = 'Hi.', prompt = 'Help.',\n"
        "  vapi = { assistant = '5f0c2d1e-7a34-4b6f-9c1d-2e8a6b0f4d1%d' } }\n";
    static const char *const names[] = {"one", "two", "three"};

    (void)state;
    for (int i = 0; i < 3; i++) {
        char file[400], name[16];

        (void)snprintf(file, sizeof(file), text, names[i], i / 2);
        (void)snprintf(name, sizeof(name), "%s.lua", names[i]);
        fake_agent(&node, name, file);
    }
    fake_load(&node);
    assert_int_equal(agent_set_count(node.agents), 3);
    assert_null(agent_by_assistant(node.agents, "5f0c2d1e-7a34-4b6f-9c1d-2e8a6b0f4d10"));
    assert_string_equal(
        agent_by_assistant(node.agents, "5f0c2d1e-7a34-4b6f-9c1d-2e8a6b0f4d11")->name, "three");
    assert_null(agent_by_assistant(node.agents, "5f0c2d1e-7a34-4b6f-9c1d-2e8a6b0f4d12"));
    assert_null(agent_by_assistant(node.agents, ""));
}

static void test_the_version_is_the_source(void **state)
{
    char before[17];

    (void)state;
    fake_agent(&node, "a.lua", minimal);
    fake_load(&node);
    (void)snprintf(before, sizeof(before), "%s", agent_set_at(node.agents, 0)->version);
    agent_set_unref(node.agents);
    fake_load(&node);
    assert_string_equal(agent_set_at(node.agents, 0)->version, before);
    agent_set_unref(node.agents);
    fake_agent(&node, "a.lua",
               "local agent = require 'ringdown.agent'\n"
               "return agent { name = 'a', greeting = 'Hello.', prompt = 'Help.' }\n");
    fake_load(&node);
    assert_string_not_equal(agent_set_at(node.agents, 0)->version, before);
}

static void test_a_missing_folder_is_an_error(void **state)
{
    (void)state;
    assert_true(agent_set_load(&node.agents, "/nowhere", "scripts", &node.complaints) < 0);
    assert_non_null(strstr(agent_default_fallback(), "<Hangup/></Response>"));
}

static void test_a_brief_that_lacks_something_is_refused(void **state)
{
    struct brief *b;

    (void)state;
    assert_int_equal(brief_from_json(&b, RD_STR("{\"model\":\"x\"}"), "a", "v"), RD_ECONFIG);
    assert_int_equal(brief_from_json(&b, RD_STR("[]"), "a", "v"), RD_ECONFIG);
    assert_int_equal(brief_from_json(&b, RD_STR("{"), "a", "v"), RD_ECONFIG);
    assert_int_equal(brief_from_json(&b, RD_STR(""), "a", "v"), RD_ECONFIG);
}

int main(void)
{
#define STORY(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        STORY(test_the_first_agent_loads),
        STORY(test_an_agent_says_what_is_kept_and_for_how_long),
        STORY(test_an_agent_that_does_not_tell_its_callers_may_not_record),
        STORY(test_an_agent_on_vapi_has_its_redirect),
        STORY(test_a_broken_edit_keeps_the_version_from_before),
        STORY(test_what_is_probably_not_meant_is_a_warning),
        STORY(test_every_mistake_is_told_with_its_line),
        STORY(test_a_broken_agent_costs_only_itself),
        STORY(test_a_file_that_never_ends_is_stopped),
        STORY(test_what_is_too_large_to_keep_is_told),
        STORY(test_an_agent_cannot_reach_into_the_library),
        STORY(test_what_an_agent_writes_into_the_library_stays_with_the_agent),
        STORY(test_a_number_has_one_agent),
        STORY(test_an_assistant_that_two_agents_share_is_nobodys),
        STORY(test_the_version_is_the_source),
        STORY(test_a_missing_folder_is_an_error),
        STORY(test_a_brief_that_lacks_something_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
