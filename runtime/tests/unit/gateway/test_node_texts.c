/* SPDX-License-Identifier: Apache-2.0 */
/* Texts that come to a node, and what becomes of those it sent. */
#include "fake_node.h"

#include "observe/metrics.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static int post_text_to(const char *to, const char *id, const char *body)
{
    return story_post("/twilio/sms", TOKEN,
                      (const char *const[]){"Body", body, "From", "+13125550142", "MessageSid", id,
                                            "To", to, NULL});
}

static int post_text(const char *id, const char *body)
{
    return post_text_to(OPEN, id, body);
}

static void test_a_text_is_taken_once_and_only_help_is_answered_here(void **state)
{
    (void)state;
    assert_int_equal(post_text("SM00000000000000000000000000000001", "Hello"), 200);
    assert_true(story_says("\r\n\r\n<Response/>"));
    assert_int_equal(post_text("SM00000000000000000000000000000001", "Hello"), 200);
    assert_true(story_says("<Response/>"));
    assert_int_equal(metric_value(M_TEXTS_IN), 1);
    assert_int_equal(post_text("SM00000000000000000000000000000002", "STOP"), 200);
    assert_true(story_says("<Response/>"));
    assert_int_equal(post_text("SM00000000000000000000000000000003", "help"), 200);
    assert_true(story_says("<Message>Call &amp; ask.</Message>"));
    assert_int_equal(metric_value(M_TEXTS_IN), 3);
    assert_int_equal(post_text("SM1", "Hello"), 400);
    story_wait_until_no_script_runs();
}

static void test_help_is_answered_also_where_no_agent_is(void **state)
{
    static const char nobodys[] = "+13125550177";

    (void)state;
    assert_int_equal(post_text_to(nobodys, "SM00000000000000000000000000000004", "HELP"), 200);
    assert_true(story_says("<Message>Nobody reads texts to this number."));
    assert_int_equal(post_text_to(nobodys, "SM00000000000000000000000000000005", "Hello"), 200);
    assert_true(story_says("<Response/>"));
    assert_int_equal(post_text_to(nobodys, "SM00000000000000000000000000000006", "STOP"), 200);
    assert_true(story_says("<Response/>"));
}

static void test_how_far_a_text_came_is_no_call(void **state)
{
    const char *const fields[] = {"MessageSid", "SM00000000000000000000000000000001",
                                  "MessageStatus", "delivered", NULL};

    (void)state;
    assert_int_equal(story_post("/twilio/status?text=missed-CA1", TOKEN, fields), 200);
    assert_int_equal(story_post("/twilio/status", TOKEN, fields), 200);
    assert_int_equal(story_post("/twilio/status?text=%zz", TOKEN, fields), 200);
    assert_int_equal(
        story_post("/twilio/status", TOKEN, (const char *const[]){"MessageSid", "SM1", NULL}), 400);
    assert_int_equal(metric_value(M_MISSED), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(test_a_text_is_taken_once_and_only_help_is_answered_here),
        STORY(test_help_is_answered_also_where_no_agent_is),
        STORY(test_how_far_a_text_came_is_no_call),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
