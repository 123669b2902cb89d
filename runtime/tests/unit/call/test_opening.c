/* SPDX-License-Identifier: Apache-2.0 */
/* Who got through: whoever heard the greeting to its end, or said something. */
#include "fake_story.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* Spoken and sent, and not heard yet. */
static void greet_unheard(void)
{
    fake_start_live(&f, &brief);
    fake_response_starts(&f, "r1");
    fake_item(&f, "a1", "", PROVIDER_AGENT);
    fake_agent_audio(&f, "r1", "a1", 600);
    fake_agent_words(&f, "a1", "Hello, this is a test.", true);
    fake_agent_audio_done(&f, "r1", "a1");
    fake_response_ends(&f, "r1", PROVIDER_RESPONSE_COMPLETED);
}

static void test_a_greeting_heard_to_its_end_counts(void **state)
{
    (void)state;
    fake_greet(&f, &brief);
    fake_carrier_ends(&f, LEG_CLOSED_BY_PEER);
    assert_true(f.totals.opening_heard);
}

static void test_a_greeting_heard_in_part_does_not(void **state)
{
    (void)state;
    greet_unheard();
    fake_pass(&f, 200);
    fake_marks_return(&f, 1);
    fake_carrier_ends(&f, LEG_CLOSED_BY_PEER);
    assert_false(f.totals.opening_heard);
}

static void test_a_greeting_nobody_heard_does_not(void **state)
{
    (void)state;
    fake_start_live(&f, &brief);
    fake_response_starts(&f, "r1");
    fake_item(&f, "a1", "", PROVIDER_AGENT);
    fake_agent_words(&f, "a1", "Hello, this is a test.", true);
    fake_carrier_ends(&f, LEG_CLOSED_BY_PEER);
    assert_false(f.totals.opening_heard);
}

static void test_a_caller_who_speaks_into_it_got_through(void **state)
{
    (void)state;
    greet_unheard();
    fake_pass(&f, 200);
    fake_marks_return(&f, 1);
    fake_caller_asks(&f, "c1", "a1", "I smell gas");
    fake_carrier_ends(&f, LEG_CLOSED_BY_PEER);
    assert_true(f.totals.opening_heard);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(test_a_greeting_heard_to_its_end_counts),
        STORY(test_a_greeting_heard_in_part_does_not),
        STORY(test_a_greeting_nobody_heard_does_not),
        STORY(test_a_caller_who_speaks_into_it_got_through),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
