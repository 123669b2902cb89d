/* SPDX-License-Identifier: Apache-2.0 */
/* How long the caller waited for a turn of the agent, as its record tells it; and whose tokens they were. */
#include "fake_story.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static int set_up(void **state)
{
    int rc = story_set_up(state);

    fake_greet(&f, &brief);
    return rc;
}

static void answer_sounds(const char *response, const char *item)
{
    fake_agent_audio(&f, response, item, 500);
}

static void answer_is_heard(const char *response, const char *item)
{
    fake_agent_audio_done(&f, response, item);
    fake_response_ends(&f, response, PROVIDER_RESPONSE_COMPLETED);
    fake_marks_return(&f, 99);
}

static void test_an_answer_tells_when_its_words_and_its_sound_came(void **state)
{
    (void)state;
    fake_pass(&f, 1000);
    fake_caller_asks(&f, "u1", "a1", "are you open?");
    fake_pass(&f, 300);
    fake_own_turn_starts(&f, "r2");
    fake_item(&f, "a2", "u1", PROVIDER_AGENT);
    fake_agent_words(&f, "a2", "Yes", false);
    fake_pass(&f, 150);
    answer_sounds("r2", "a2");
    fake_pass(&f, 50);
    answer_sounds("r2", "a2");
    fake_agent_words(&f, "a2", "Yes, we are.", true);
    answer_is_heard("r2", "a2");
    assert_true(f.wait.known);
    assert_int_equal(f.wait.text_ms, 300);
    assert_int_equal(f.wait.audio_ms, 450);
    assert_int_equal(f.wait.tool_ms, 0);
    assert_true(f.wait.stopped_ms >= 1000);
    assert_string_equal(f.billed_item, "a2");
}

/* Two tools side by side take their time once; what comes behind them is the model's. */
static void test_the_time_of_tools_is_told_apart(void **state)
{
    (void)state;
    fake_caller_asks(&f, "u1", "a1", "book me in");
    fake_own_turn_starts(&f, "r2");
    fake_pass(&f, 200);
    fake_tool_call(&f, "t1", "check", "{}");
    fake_pass(&f, 100);
    fake_tool_call(&f, "t2", "book", "{}");
    fake_pass(&f, 100);
    call_tool_result(f.call, RD_STR("t1"), RD_STR("{}"), true);
    fake_pass(&f, 300);
    call_tool_result(f.call, RD_STR("t2"), RD_STR("{}"), true);
    fake_response_ends(&f, "r2", PROVIDER_RESPONSE_COMPLETED);
    assert_string_equal(f.billed_item, "");
    fake_response_starts(&f, "r3");
    fake_pass(&f, 250);
    answer_sounds("r3", "a3"); /* before anybody placed it */
    fake_item(&f, "a3", "u1", PROVIDER_AGENT);
    fake_pass(&f, 70);
    fake_agent_words(&f, "a3", "Done.", true);
    answer_is_heard("r3", "a3");
    assert_int_equal(f.wait.audio_ms, 950);
    assert_int_equal(f.wait.tool_ms, 500);
    assert_int_equal(f.wait.text_ms, 1020);
    assert_string_equal(f.billed_item, "a3");
}

static void test_who_speaks_again_has_not_begun_to_wait(void **state)
{
    (void)state;
    fake_caller_asks(&f, "u1", "a1", "well");
    fake_pass(&f, 900);
    fake_caller_asks(&f, "u2", "u1", "are you open?");
    fake_pass(&f, 200);
    fake_own_turn_starts(&f, "r2");
    fake_item(&f, "a2", "u2", PROVIDER_AGENT);
    answer_sounds("r2", "a2");
    fake_agent_words(&f, "a2", "Yes.", true);
    answer_is_heard("r2", "a2");
    assert_int_equal(f.wait.audio_ms, 200);
}

static void test_the_greeting_answers_nobody(void **state)
{
    (void)state;
    assert_false(f.wait.known);
}

#define GREETED(t) cmocka_unit_test_setup_teardown(t, set_up, story_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        GREETED(test_an_answer_tells_when_its_words_and_its_sound_came),
        GREETED(test_the_time_of_tools_is_told_apart),
        GREETED(test_who_speaks_again_has_not_begun_to_wait),
        GREETED(test_the_greeting_answers_nobody),
    };

    return cmocka_run_group_tests_name("waiting", tests, NULL, NULL);
}
