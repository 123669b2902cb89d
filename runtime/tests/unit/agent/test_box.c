/* SPDX-License-Identifier: Apache-2.0 */
/* test_box.c - an agent in a box is an agent in a call: the same sandbox, and a host of the spec's. */
#include "agent/box.h"
#include "base/err.h"
#include "unit/agent/fake_node.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct fake_node node;
static struct vm *spec;

static const char test_agent[] =
    "local agent, tool = require 'ringdown.agent', require 'ringdown.tool'\n"
    "local function make(name, run)\n"
    "  local t = tool { name = name, about = name, effect = 'read', run = run }\n"
    "  return t\n"
    "end\n"
    "return agent { name = 'test', greeting = 'Hi.', prompt = 'Help.',\n"
    "  tools = {\n"
    "    make('says', function(call) return { sent = call:say 'hello' } end),\n"
    "    make('reads', function() return io.open '/etc/passwd' end),\n"
    "    make('seizes', function(call)\n"
    "      local ok, why = pcall(function() call.say = nil end)\n"
    "      assert(not ok and why:find(\"call.say is the library's\", 1, true), why)\n"
    "      assert(not getmetatable(call) and not call.__index and not rawget(call, 'say'))\n"
    "      call.mine = 1\n"
    "      return { mine = call.mine }\n"
    "    end),\n"
    "    make('spins', function() while true do end end),\n"
    "  } }\n";

static int set_up(void **state)
{
    struct vm_opts o = {.trusted = true};

    (void)state;
    fake_node_init(&node);
    node.deadline_ms = 1000; /* some scripts here never end */
    fake_agent(&node, "test.lua", test_agent);
    fake_agent(&node, "broken.lua",
               "return require 'ringdown.agent' { name = 'broken', gretting = 'Hi.' }\n");
    assert_int_equal(vm_new(&spec, &o), 0);
    assert_int_equal(box_preload(spec, node.folder, "scripts"), 0);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    vm_free(spec);
    fake_node_fini(&node);
    return 0;
}

static void run(const char *script, const char *error)
{
    static const char head[] =
        "local box = require 'ringdown.box'\n"
        "local said, host = {}, {}\n"
        "function host.say(words) said[#said + 1] = words return true end\n"
        "function host.deadline() end\n"
        "function host.now_ms() return 0 end\n"
        "local function open(name)\n"
        "  local b = box.open(name, host)\n"
        "  return b, b:ask('open', b:module(), '{\"CallSid\":\"CA1\",\"From\":\"+13125550142\"}')\n"
        "end\n";
    struct buf why;
    char text[4096];

    buf_init(&why, 16384);
    (void)snprintf(text, sizeof(text), "%s%s", head, script);
    assert_int_equal(luaL_loadstring(vm_lua(spec), text), LUA_OK);
    if (vm_call(spec, 0, 0, &why) == 0 ? error != NULL : !error || !strstr(buf_text(&why), error))
        fail_msg("%s", buf_text(&why) ? buf_text(&why) : "no error");
    buf_fini(&why);
}

static void test_a_tool_speaks_through_the_host_of_the_spec(void **state)
{
    (void)state;
    run("local b, system = open 'test'\n"
        "assert(system == 'openai')\n"
        "local output, go_on = b:ask('tool', 'says', '{}')\n"
        "assert(output == '{\"sent\":true}' and go_on == true)\n"
        "assert(#said == 1 and said[1] == 'hello')\n",
        NULL);
}

static void test_the_box_is_the_sandbox_of_a_call(void **state)
{
    (void)state;
    run("local b = open 'test'  b:ask('tool', 'reads', '{}')", "'io' is not defined");
    run("local b = open 'test'  b:ask('tool', 'spins', '{}')", "used up its time");
}

static void test_a_tool_cannot_change_what_calls_do(void **state)
{
    (void)state;
    run("local b = open 'test'  assert(b:ask('tool', 'seizes', '{}') == '{\"mine\":1}')", NULL);
}

static void test_a_broken_limit_is_said_and_final(void **state)
{
    (void)state;
    run("local b = open 'test'\n"
        "assert(b:broken() == nil)\n"
        "assert(not pcall(b.ask, b, 'tool', 'reads', '{}') and b:broken() == nil)\n"
        "assert(not pcall(b.ask, b, 'tool', 'spins', '{}') and b:broken() == 'time')\n"
        "b:ask('tool', 'says', '{}')\n",
        "used up its time");
}

static void test_mistakes_of_the_file_are_told_as_everywhere(void **state)
{
    (void)state;
    run("open 'broken'", "did you mean 'greeting'");
    run("open 'nobody'", "nobody");
}

static void test_a_closed_box_stays_closed(void **state)
{
    (void)state;
    run("local b = open 'test'  b:close()  b:close()  b:ask('tool', 'says', '{}')", "closed");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_tool_speaks_through_the_host_of_the_spec),
        cmocka_unit_test(test_the_box_is_the_sandbox_of_a_call),
        cmocka_unit_test(test_a_tool_cannot_change_what_calls_do),
        cmocka_unit_test(test_a_broken_limit_is_said_and_final),
        cmocka_unit_test(test_mistakes_of_the_file_are_told_as_everywhere),
        cmocka_unit_test(test_a_closed_box_stays_closed),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
