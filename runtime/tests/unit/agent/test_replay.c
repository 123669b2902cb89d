/* SPDX-License-Identifier: Apache-2.0 */
/* test_replay.c - one recorded call on two versions of an agent. */
#include "agent/replay.h"

#include "agent/agents.h"
#include "base/err.h"
#include "unit/agent/fake_node.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct fake_node node;
static struct agent_set *old_set, *new_set;
static struct replay *replay;

static const char hears[] =
    "return require 'ringdown.agent' { name = 'desk', greeting = 'Hi.', prompt = 'Help.',\n"
    "  vars = { luck = 0 }, people = { office = '+13125550101' },\n"
    "  emergencies = { { id = 'gas', severity = 'normal', any = { '%s' }, say = 'Leave.' } },\n"
    "  on = { utterance = function(call) call.vars.luck = math.random(1 << 40) end } }\n";

static const char recording[] =
    "{\"ringdown_recording\":1,\"call\":\"CA1\",\"agent\":\"desk\",\"version\":\"v\","
    "\"from\":\"+13125550142\",\"to\":\"+13125550100\",\"began_ms\":1795000000000,\"seed\":42,"
    "\"inputs\":[{\"at_ms\":1,\"what\":\"started\"},"
    "{\"at_ms\":900,\"what\":\"hears\",\"text\":\"I smell gas\"},"
    "{\"at_ms\":2000,\"what\":\"ends\",\"reason\":\"caller_hangup\"}]}";

/* Its own version finds no emergency in it, and its words were told to another number. */
static const char recorded_otherwise[] =
    "{\"ringdown_recording\":1,\"call\":\"CA2\",\"agent\":\"desk\",\"version\":\"v\","
    "\"from\":\"+13125550142\",\"to\":\"+13125550100\",\"began_ms\":1795000000000,\"seed\":42,"
    "\"recorded\":{\"system\":\"vapi\",\"reason\":\"vip\",\"brief\":\"deadbeef\","
    "\"emergencies\":[\"gas\"],\"texts\":[]},"
    "\"inputs\":[{\"at_ms\":900,\"what\":\"hears\",\"text\":\"hello there\"},"
    "{\"at_ms\":2000,\"what\":\"ends\",\"reason\":\"caller_hangup\"}]}";

static struct agent_set *load(const char *words)
{
    struct agent_set *set = NULL;
    struct buf complaints;
    char text[1024];

    buf_init(&complaints, 65536);
    (void)snprintf(text, sizeof(text), hears, words);
    fake_agent(&node, "desk.lua", text);
    assert_int_equal(agent_set_load(&set, node.folder, "scripts", &complaints), 0);
    assert_int_equal(agent_set_errors(set), 0);
    buf_fini(&complaints);
    return set;
}

static int set_up(void **state)
{
    struct buf why;

    (void)state;
    buf_init(&why, 65536);
    fake_node_init(&node);
    old_set = load("smell gas");
    new_set = load("gas leak");
    assert_int_equal(replay_new(&replay, "scripts", &why), 0);
    assert_int_equal(replay_offer(replay, "old", old_set), 0);
    assert_int_equal(replay_offer(replay, "new", new_set), 0);
    buf_fini(&why);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    replay_free(replay);
    agent_set_unref(old_set);
    agent_set_unref(new_set);
    fake_node_fini(&node);
    return 0;
}

static void ask(const char *function, const char *a, const char *b, const char *c, struct buf *out,
                int expected)
{
    const char *const args[] = {a, b, c};
    struct buf why;

    buf_init(&why, 65536);
    buf_init(out, 1 << 20);
    assert_int_equal(replay_ask(replay, function, args, 3, out, NULL, &why), expected);
    if (expected)
        (void)buf_add(out, why.data, why.n);
    assert_non_null(buf_text(out));
    buf_fini(&why);
}

static void test_the_same_version_does_the_same_even_by_chance(void **state)
{
    struct buf out;

    (void)state;
    ask("compare", recording, "old", "old", &out, 0);
    assert_non_null(strstr(out.data, "\"differences\":[]"));
    assert_non_null(strstr(out.data, "\"lost\":[]"));
    buf_fini(&out);
}

static void test_a_version_that_misses_an_emergency_is_caught(void **state)
{
    struct buf out;

    (void)state;
    ask("compare", recording, "old", "new", &out, 0);
    assert_non_null(strstr(out.data, "\"lost\":[\"gas\"]"));
    assert_non_null(strstr(out.data, "\"was\":\"gas\""));
    buf_fini(&out);
}

static void test_the_same_version_is_held_against_what_was_recorded(void **state)
{
    struct buf out;

    (void)state;
    ask("compare", recorded_otherwise, "old", "old", &out, 0);
    assert_non_null(strstr(out.data, "\"differences\":[]"));
    assert_non_null(strstr(out.data, "\"lost\":[\"gas\"]"));
    assert_non_null(strstr(out.data, "\"was\":\"vapi, vip\",\"what\":\"routing\""));
    assert_non_null(strstr(out.data, "\"was\":\"digest deadbeef\",\"what\":\"prompt\""));
    assert_non_null(strstr(out.data, "\"was\":\"gas\",\"what\":\"emergency\""));
    buf_fini(&out);
    ask("compare", recording, "old", "old", &out, 0);
    assert_non_null(strstr(out.data, "\"drift\":[]"));
    assert_non_null(strstr(out.data, "does not hold what was done then"));
    buf_fini(&out);
}

static void test_what_cannot_be_played_is_told_and_the_next_one_is_played(void **state)
{
    struct buf out;

    (void)state;
    ask("about", "{\"ringdown_recording\":7}", NULL, NULL, &out, 0);
    assert_non_null(strstr(out.data, "recording of schema 7, this program reads 1"));
    buf_fini(&out);
    ask("show", recording, "nobody", NULL, &out, RD_ESCRIPT);
    assert_non_null(strstr(out.data, "there is no agent 'desk' in nobody"));
    buf_fini(&out);
    ask("show", recording, "new", NULL, &out, 0);
    assert_non_null(strstr(out.data, "\"steps\":["));
    buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_same_version_does_the_same_even_by_chance),
        cmocka_unit_test(test_a_version_that_misses_an_emergency_is_caught),
        cmocka_unit_test(test_the_same_version_is_held_against_what_was_recorded),
        cmocka_unit_test(test_what_cannot_be_played_is_told_and_the_next_one_is_played),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
