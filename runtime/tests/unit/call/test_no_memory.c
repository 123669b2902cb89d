/* SPDX-License-Identifier: Apache-2.0 */
/* A whole conversation, told with each of its allocations failing: question, tool, answer, barge-in, keys, a pause, a
 * session that is lost. It comes to its end or to the fallback, and its end is recorded once. */
#include "failing_malloc.h"
#include "fake_story.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* As long as there is a call, the next thing happens to it. */
#define NEXT(what)  \
    do {            \
        if (f.call) \
            what;   \
    } while (0)

static void greet(void)
{
    brief = fake_brief();
    fake_start(&f, &brief);
    NEXT(call_provider_events.on_ready(f.call));
    NEXT(fake_response_starts(&f, "r1"));
    NEXT(fake_item(&f, "a1", "", PROVIDER_AGENT));
    NEXT(fake_agent_audio(&f, "r1", "a1", 600));
    NEXT(fake_agent_words(&f, "a1", "Hello, this is a test.", true));
    NEXT(fake_agent_audio_done(&f, "r1", "a1"));
    NEXT(fake_response_ends(&f, "r1", PROVIDER_RESPONSE_COMPLETED));
    NEXT(fake_pass(&f, 600));
    fake_marks_return(&f, 100);
}

static void ask(const char *item, const char *previous)
{
    NEXT(fake_caller_starts(&f));
    NEXT(fake_caller_frame(&f, 1000));
    NEXT(fake_caller_stops(&f));
    NEXT(
        fake_caller_said(&f, item, previous, "what are your hours on my card 4111 1111 1111 1111"));
}

static void answer(void)
{
    NEXT(fake_response_starts(&f, "r3"));
    NEXT(fake_item(&f, "a2", "u1", PROVIDER_AGENT));
    NEXT(fake_agent_audio(&f, "r3", "a2", 2000));
    NEXT(fake_agent_words(&f, "a2", "We are open from nine to five", false));
    NEXT(fake_pass(&f, 420));
    NEXT(fake_caller_starts(&f)); /* he cuts in */
    NEXT(fake_pass(&f, 100));
    NEXT(fake_caller_stops(&f));
    NEXT(fake_response_ends(&f, "r3", PROVIDER_RESPONSE_CANCELLED));
}

static void be_told(void)
{
    NEXT(call_say(f.call, RD_STR("One moment.")));
    NEXT(call_instruct(f.call, RD_STR("Be brief.")));
    NEXT((void)call_whisper(f.call, RD_STR("the caller is a friend"), true));
    NEXT(call_carrier_events.on_dtmf(f.call, '5'));
    NEXT(call_pause(f.call, true, RD_STR("alice")));
    NEXT(call_pause(f.call, false, RD_STR("alice")));
    NEXT(fake_pass(&f, 3000));
}

static void lose_the_model(void)
{
    fake_can_reopen(&f);
    NEXT(fake_provider_ends(&f, LEG_LOST));
    NEXT(fake_pass(&f, 300));
    NEXT(fake_next_ready(&f));
    NEXT(fake_pass(&f, 3000));
}

static void story(void)
{
    greet();
    ask("u1", "a1");
    NEXT(fake_response_starts(&f, "r2"));
    NEXT(fake_tool_call(&f, "t1", "hours", "{\"day\":\"monday\"}"));
    NEXT(fake_response_ends(&f, "r2", PROVIDER_RESPONSE_COMPLETED));
    NEXT(call_tool_result(f.call, RD_STR("t1"), RD_STR("nine to five"), true));
    answer();
    ask("u2", "a2");
    be_told();
    if (f.call)
        lose_the_model();
    NEXT(call_hang_up(f.call, CALL_END_AGENT_HANGUP));
    NEXT(fake_pass(&f, 30000));
    fake_marks_return(&f, 500);
    NEXT(fake_pass(&f, 30000));
    fake_stop(&f);
    assert_null(f.call);
    assert_in_range(fake_times(&f, "record:ended"), 0, 1);
}

static void test_a_conversation_ends_well_whichever_allocation_fails(void **state)
{
    (void)state;
    assert_in_range(failing_sweep(story, FAILS_ONCE), 10, 10000);
}

static void test_a_conversation_ends_well_when_there_is_no_memory_from_some_moment_on(void **state)
{
    (void)state;
    assert_in_range(failing_sweep(story, FAILS_FROM_THEN_ON), 10, 10000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_conversation_ends_well_whichever_allocation_fails),
        cmocka_unit_test(test_a_conversation_ends_well_when_there_is_no_memory_from_some_moment_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
