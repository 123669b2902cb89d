/* SPDX-License-Identifier: Apache-2.0 */
/* test_errand.c - errands on real script threads: each in a VM of its own, beside a call or without
 * one. The library's errand.lua is replaced by one whose kinds do what a test needs. */
#include "base/err.h"
#include "base/log.h"
#include "observe/alarm.h"
#include "unit/agent/fake_node.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include <stdio.h>

#include <cmocka.h>

static struct fake_node node;

static const char test_agent[] =
    "local agent = require 'ringdown.agent'\n"
    "return agent { name = 'test', greeting = 'Hi.', prompt = 'Help.',\n"
    "  on = { utterance = function(call, text)\n"
    "    if text == 'spin' then while true do end end\n"
    "    call:say(text)\n"
    "  end } }\n";

static const char test_errands[] =
    "-- SPDX-License-Identifier: Apache-2.0\n"
    "local host, json = require 'ringdown.host', require 'ringdown.json'\n"
    "local M, kinds = {}, {}\n"
    "function M.load_all() end\n"
    "local function fact(type, members) assert(host.fact(type, json.encode(members))) end\n"
    "function kinds.tell(def, payload)\n"
    "  fact('told', { agent = def.name, what = payload.what })\n"
    "end\n"
    "function kinds.say(_, payload)\n"
    "  fact('said', { sent = host.say(payload.words) or false })\n"
    "end\n"
    "function kinds.site(def, payload)\n"
    "  fact('site', { site = host.site(def.name, payload.number) })\n"
    "end\n"
    "function kinds.raise() error 'broken' end\n"
    "function kinds.emergency(def, payload)\n"
    "  if payload.spin then while true do end end\n"
    "  return kinds.letters(def, payload)\n"
    "end\n"
    "function kinds.letters(_, payload)\n"
    "  local code = payload.person and host.expect_text(payload.person)\n"
    "  host.take_line()\n"
    "  fact('ready', { code = code })\n"
    "  while true do\n"
    "    local kind, text, ticket = host.wait(payload.patience or 60000)\n"
    "    if not kind then return fact('patience_over', {}) end\n"
    "    local body = json.decode(text)\n"
    "    if kind == 'resume' then\n"
    "      if body.answer == 'none' then return fact('gone', {}) end\n"
    "      fact('answered', { done = host.answer(ticket, body.answer, body.text) or false,\n"
    "        again = host.answer(ticket, 'hang_up') or false })\n"
    "    elseif kind == 'text' then\n"
    "      fact('text', { body = body.body, code = body.code, several = body.several })\n"
    "    elseif kind == 'broken' then\n"
    "      fact(kind, body)\n"
    "    else\n"
    "      fact(kind, body)\n"
    "      if host.say('anybody?') then fact('still_there', {}) end\n"
    "      return\n"
    "    end\n"
    "  end\n"
    "end\n"
    "function kinds.named()\n"
    "  fact('at', { place = host.address() })\n"
    "  local kind, text, ticket = host.wait(60000)\n"
    "  fact(kind, json.decode(text))\n"
    "  if ticket then host.answer(ticket, 'twiml', '<Response/>') end\n"
    "end\n"
    "function kinds.drill() error 'broken' end\n"
    "function kinds.text_in(def, payload)\n"
    "  fact('delivered', { to_somebody = host.deliver_text(def.name, payload.from, payload.body) "
    "})\n"
    "end\n"
    "function M.run(def, kind, payload) kinds[kind](def, json.decode(payload)) end\n"
    "return M\n";

static int start(unsigned threads)
{
    log_config(LOG_ERROR, LOG_LOGFMT);
    alarm_reset();
    fake_node_init(&node);
    node.deadline_ms = 1000; /* some scripts here never end */
    fake_library(&node, "errand.lua", test_errands);
    fake_agent(&node, "test.lua", test_agent);
    fake_start(&node, threads);
    return 0;
}

static int set_up(void **state)
{
    (void)state;
    return start(1);
}

static int set_up_two_threads(void **state)
{
    (void)state;
    return start(2);
}

static int tear_down(void **state)
{
    (void)state;
    fake_node_fini(&node);
    return 0;
}

static void errand(const char *kind, const char *json, call_handle call)
{
    assert_int_equal(script_pool_errand(node.pool, "test", kind, json, call, 5), 0);
}

static void expect_fact(const char *text)
{
    assert_string_equal(fake_next_fact(&node), text);
}

static void resume(call_handle call, const char *form)
{
    struct rd_str s[] = {RD_STR("resume"), rd_str(form)};
    struct message *m = message_new(MSG_RESUME, call, s, 2);

    assert_non_null(m);
    m->number = 4;
    m->aux = 99;
    assert_int_equal(mailbox_post(script_pool_mailbox(node.pool, 0), m), 0);
}

static void expect_resumed(const char *how, const char *text)
{
    struct message *m = fake_next(&node);

    assert_non_null(m);
    assert_int_equal(m->type, MSG_RESUMED);
    assert_int_equal(node.media_thread[node.n_taken - 1], 4);
    assert_int_equal(m->aux, 99);
    assert_string_equal(m->s[0].p, how);
    assert_string_equal(m->s[1].p, text);
}

static void test_an_errand_without_a_call_runs_and_is_gone(void **state)
{
    (void)state;
    errand("tell", "{\"what\":\"it\"}", 0);
    expect_fact("told 0 test {\"agent\":\"test\",\"what\":\"it\"}");
    assert_true(fake_vms_become(&node, 0));
}

static void test_it_knows_the_site_of_a_number(void **state)
{
    (void)state;
    errand("site", "{\"number\":\"" FAKE_SITE_NUMBER "\"}", 0);
    expect_fact("site 0 test {\"site\":\"{\\\"id\\\":\\\"loop\\\"}\"}");
    errand("site", "{\"number\":\"+13125550109\"}", 0);
    expect_fact("site 0 test {}");
}

static void test_what_is_told_is_redacted(void **state)
{
    (void)state;
    errand("tell", "{\"what\":\"4111 1111 1111 1111\"}", 0);
    expect_fact("told 0 test {\"agent\":\"test\",\"what\":\"[card]\"}");
}

static void test_beside_a_call_its_commands_go_there(void **state)
{
    struct message *m;

    (void)state;
    fake_live_call(&node, 7);
    errand("say", "{\"words\":\"Leave now.\"}", 7);
    expect_fact("said 7 test {\"sent\":true}");
    m = fake_next_command(&node, CMD_SAY);
    assert_int_equal(m->call, 7);
    assert_string_equal(m->s[0].p, "Leave now.");
    assert_int_equal(node.media_thread[node.n_taken - 1], 5);
}

static void test_without_a_call_nobody_hears_it(void **state)
{
    (void)state;
    errand("say", "{\"words\":\"Hello?\"}", 0);
    expect_fact("said 0 test {\"sent\":false}");
}

static void test_it_outlives_the_script_that_broke_its_call(void **state)
{
    (void)state;
    fake_live_call(&node, 7);
    errand("letters", "{}", 7);
    expect_fact("ready 7 test {}");
    fake_event(&node, 7, AGENT_UTTERANCE, "", "", "spin");
    expect_fact("broken 7 test {}"); /* it decides what happens now: no CMD_FALLBACK */
    resume(7, "{\"answer\":\"hang_up\"}");
    expect_fact("answered 7 test {\"again\":false,\"done\":true}");
    expect_resumed("hang_up", "");
}

static void test_a_call_that_ends_is_told_and_hears_nothing_more(void **state)
{
    (void)state;
    fake_live_call(&node, 7);
    errand("letters", "{}", 7);
    expect_fact("ready 7 test {}");
    fake_event(&node, 7, AGENT_ENDED, "", "", "caller_hangup");
    expect_fact("ended 7 test {\"reason\":\"caller_hangup\"}");
    assert_true(fake_vms_become(&node, 0));
    assert_int_equal(node.n_got, node.n_taken);
}

static void test_an_errand_is_asked_before_the_call_itself(void **state)
{
    (void)state;
    fake_live_call(&node, 7);
    errand("letters", "{}", 7);
    expect_fact("ready 7 test {}");
    resume(7, "{\"answer\":\"twiml\",\"text\":\"<Response/>\"}");
    expect_resumed("twiml", "<Response/>");
}

static void test_what_it_does_not_answer_gets_the_fallback(void **state)
{
    (void)state;
    fake_live_call(&node, 7);
    errand("letters", "{}", 7);
    expect_fact("ready 7 test {}");
    resume(7, "{\"answer\":\"none\"}");
    expect_fact("gone 7 test {}");
    expect_resumed("fallback", "errand_over");
}

static void test_nobody_there_is_the_fallback(void **state)
{
    (void)state;
    resume(8, "{}");
    expect_resumed("fallback", "script_gone");
}

static void test_patience_has_an_end(void **state)
{
    (void)state;
    errand("letters", "{\"patience\":5}", 0);
    expect_fact("ready 0 test {}");
    expect_fact("patience_over 0 test {}");
    assert_true(fake_vms_become(&node, 0));
}

static void test_a_text_finds_who_waits_for_it(void **state)
{
    (void)state;
    errand("letters", "{\"person\":\"+13125550188\"}", 0);
    expect_fact("ready 0 test {\"code\":1}");
    errand("text_in", "{\"from\":\"+13125550199\",\"body\":\"1\"}", 0);
    expect_fact("delivered 0 test {\"to_somebody\":false}");
    errand("text_in", "{\"from\":\"+13125550188\",\"body\":\"1 on my way\"}", 0);
    for (int i = 0; i < 2; i++) { /* on two threads, so in any order */
        const char *fact = fake_next_fact(&node);

        if (strncmp(fact, "text", 4) == 0)
            assert_string_equal(
                fact, "text 0 test {\"body\":\"1 on my way\",\"code\":1,\"several\":false}");
        else
            assert_string_equal(fact, "delivered 0 test {\"to_somebody\":true}");
    }
}

static void test_two_that_ask_the_same_person_have_two_codes(void **state)
{
    (void)state;
    errand("letters", "{\"person\":\"+13125550188\"}", 0);
    expect_fact("ready 0 test {\"code\":1}");
    errand("letters", "{\"person\":\"+13125550188\"}", 0);
    expect_fact("ready 0 test {\"code\":2}");
    errand("text_in", "{\"from\":\"+13125550188\",\"body\":\"1\"}", 0);
    expect_fact("delivered 0 test {\"to_somebody\":true}");
    expect_fact("text 0 test {\"body\":\"1\",\"code\":1,\"several\":true}");
    errand("text_in", "{\"from\":\"+13125550188\",\"body\":\"yes\"}", 0);
    expect_fact("delivered 0 test {\"to_somebody\":true}");
    expect_fact("text 0 test {\"body\":\"yes\",\"code\":0,\"several\":true}");
}

/* Place of the errand that was begun last, as it told: "0.179000000000000001". */
static const char *told_place(void)
{
    static char text[ERRAND_PLACE_TEXT];
    const char *fact = fake_next_fact(&node);

    assert_int_equal(sscanf(fact, "at 0 test {\"place\":\"%31[0-9.]\"}", text), 1);
    return text;
}

static void test_what_it_sent_out_finds_it_without_a_call(void **state)
{
    struct rd_str s[] = {RD_STR("accept"), RD_STR("{\"Digits\":\"1\"}"), RD_STR("")};
    struct message *m;

    (void)state;
    errand("named", "{}", 0);
    s[2] = rd_str(told_place());
    m = message_new(MSG_RESUME, 0, s, 3);
    m->number = 4;
    m->aux = 99;
    assert_int_equal(mailbox_post(script_pool_mailbox(node.pool, 0), m), 0);
    expect_fact("accept 0 test {\"Digits\":\"1\"}");
    expect_resumed("twiml", "<Response/>");
}

static void test_who_asks_for_an_errand_that_is_over_gets_the_fallback(void **state)
{
    struct rd_str s[] = {RD_STR("accept"), RD_STR("{}"), RD_STR("0.7")};
    struct message *m = message_new(MSG_RESUME, 0, s, 3);

    (void)state;
    m->number = 4;
    m->aux = 99;
    assert_int_equal(mailbox_post(script_pool_mailbox(node.pool, 0), m), 0);
    expect_resumed("fallback", "script_gone");
}

static void test_a_letter_goes_to_its_place_and_nowhere_else(void **state)
{
    struct errand_place at, other;

    (void)state;
    errand("named", "{}", 0);
    assert_true(errand_place_read(&at, rd_str(told_place())));
    assert_true(script_pool_has_errand(node.pool, &at));
    other = at;
    other.errand++;
    assert_int_equal(script_pool_letter(node.pool, &other, RD_STR("lost"), RD_STR("{}")), 0);
    other.thread = 9;
    assert_int_equal(script_pool_letter(node.pool, &other, RD_STR("lost"), RD_STR("{}")), RD_EGONE);
    other.errand = 1; /* of a process long ago, or beside us */
    assert_false(script_pool_has_errand(node.pool, &other));
    assert_int_equal(
        script_pool_letter(node.pool, &at, RD_STR("undelivered"), RD_STR("{\"id\":\"x\"}")), 0);
    expect_fact("undelivered 0 test {\"id\":\"x\"}");
    assert_true(fake_vms_become(&node, 0));
}

static void test_only_a_place_is_read_as_one(void **state)
{
    static const char *const none[] = {
        "",     "1",    "1.",   ".1",   "1.2.3",         "-1.2",
        "+1.2", " 1.2", "1.2x", "01.2", "99999999999.1", "1.99999999999999999999"};
    struct errand_place at;

    (void)state;
    for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
        assert_false(errand_place_read(&at, rd_str(none[i])));
    assert_true(errand_place_read(&at, RD_STR("1.20")));
    assert_int_equal(at.thread, 1);
    assert_int_equal(at.errand, 20);
}

static bool alarm_is_open(const char *kind)
{
    struct alarm list[8];
    size_t n = alarm_list(list, 8);

    for (size_t i = 0; i < n; i++)
        if (strcmp(list[i].kind, kind) == 0)
            return true;
    return false;
}

static void test_one_that_breaks_costs_only_itself(void **state)
{
    (void)state;
    log_config(LOG_ERROR + 1, LOG_LOGFMT);
    errand("raise", "{}", 0);
    errand("drill", "{}", 0);
    assert_true(fake_vms_become(&node, 0));
    assert_false(alarm_is_open("errand.failed"));
    errand("tell", "{\"what\":\"next\"}", 0);
    expect_fact("told 0 test {\"agent\":\"test\",\"what\":\"next\"}");
}

static void test_an_emergency_that_breaks_is_an_alarm(void **state)
{
    (void)state;
    errand("emergency", "{\"spin\":true}", 0);
    for (int i = 0; i < 5000 && !alarm_is_open("errand.failed"); i++)
        usleep(1000);
    assert_true(alarm_is_open("errand.failed"));
    assert_true(fake_vms_become(&node, 0));
}

static void test_too_many_are_refused_but_emergencies_have_room(void **state)
{
    int rc = 0, n = 0;

    (void)state;
    while (!rc && n < 1000) {
        rc = script_pool_errand(node.pool, "test", "letters", "{}", 0, 0);
        n += rc == 0;
    }
    assert_int_equal(rc, RD_EFULL);
    assert_int_equal(n, 64);
    errand("emergency", "{}", 0);
    for (int i = 0; i < 64 + 1; i++)
        expect_fact("ready 0 test {}");
}

#define STORY(name)        cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define STORY_OF_TWO(name) cmocka_unit_test_setup_teardown(name, set_up_two_threads, tear_down)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        STORY(test_an_errand_without_a_call_runs_and_is_gone),
        STORY(test_it_knows_the_site_of_a_number),
        STORY(test_what_is_told_is_redacted),
        STORY(test_beside_a_call_its_commands_go_there),
        STORY(test_without_a_call_nobody_hears_it),
        STORY(test_it_outlives_the_script_that_broke_its_call),
        STORY(test_a_call_that_ends_is_told_and_hears_nothing_more),
        STORY(test_an_errand_is_asked_before_the_call_itself),
        STORY(test_what_it_does_not_answer_gets_the_fallback),
        STORY(test_nobody_there_is_the_fallback),
        STORY(test_patience_has_an_end),
        STORY_OF_TWO(test_a_text_finds_who_waits_for_it),
        STORY(test_two_that_ask_the_same_person_have_two_codes),
        STORY(test_what_it_sent_out_finds_it_without_a_call),
        STORY(test_who_asks_for_an_errand_that_is_over_gets_the_fallback),
        STORY(test_a_letter_goes_to_its_place_and_nowhere_else),
        STORY(test_only_a_place_is_read_as_one),
        STORY(test_one_that_breaks_costs_only_itself),
        STORY(test_an_emergency_that_breaks_is_an_alarm),
        STORY(test_too_many_are_refused_but_emergencies_have_room),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
