/* SPDX-License-Identifier: Apache-2.0 */
/* A whole node over loopback: what webhooks get, and that slots, scripts and sockets come back whatever the
 * order in which things end. */
#include "fake_node.h"

#include "media/base64.h"
#include "observe/metrics.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static void test_a_call_gets_a_stream_and_gives_everything_back(void **state)
{
    char path[256];

    (void)state;
    assert_int_equal(story_post_voice(TOKEN, story_sid(1), OPEN), 200);
    assert_true(story_offers(path));
    assert_non_null(strstr(s.answer, "/twilio/resume</Redirect>"));
    assert_int_equal(node_calls(s.node), 1);
    assert_int_equal(story_post_status(story_sid(1), "in-progress"), 200); /* no end */
    assert_int_equal(node_calls(s.node), 1);
    assert_int_equal(story_post_status(story_sid(1), "completed"), 200);
    assert_int_equal(story_post_status(story_sid(1), "completed"),
                     200); /* Twilio may say it twice */
    assert_int_equal(node_calls(s.node), 0);
    story_wait_until_no_script_runs();
}

static void test_a_bad_signature_costs_a_403_and_nothing_else(void **state)
{
    static const char *const fields[] = {"CallSid", "CA00000000000000000000000000000001", NULL};
    static const char *const paths[] = {"/twilio/voice", "/twilio/resume", "/twilio/status",
                                        "/twilio/sms"};

    (void)state;
    for (int i = 0; i < 4; i++) {
        assert_int_equal(story_hear(story_ask(paths[i], "AAAAAAAAAAAAAAAAAAAAAAAAAAA=", fields)),
                         403);
        assert_int_equal(story_hear(story_ask(paths[i], "", fields)), 403);
        assert_int_equal(story_post(paths[i], "another token", fields), 403);
    }
    assert_int_equal(metric_value(M_REFUSED_SIGNATURE), 12);
    assert_int_equal(node_calls(s.node), 0);
    assert_int_equal(story_vms(), 0);
}

static void test_both_tokens_of_a_rotation_are_good(void **state)
{
    (void)state;
    assert_int_equal(story_post_voice(OTHER_TOKEN, story_sid(1), OPEN), 200);
    assert_int_equal(story_post_voice(TOKEN, story_sid(2), OPEN), 200);
    assert_int_equal(node_calls(s.node), 2);
}

static void test_the_call_beyond_the_last_slot_gets_the_fallback(void **state)
{
    (void)state;
    assert_int_equal(story_post_voice(TOKEN, story_sid(1), OPEN), 200);
    assert_int_equal(story_post_voice(TOKEN, story_sid(2), OPEN), 200);
    assert_int_equal(story_post_voice(TOKEN, story_sid(3), OPEN), 200);
    assert_true(story_is_fallback());
    assert_int_equal(metric_value(M_REFUSED_FULL), 1);
    assert_int_equal(node_calls(s.node), MAX_CALLS);
    assert_int_equal(story_post_status(story_sid(1), "canceled"), 200);
    assert_int_equal(story_post_voice(TOKEN, story_sid(4), OPEN), 200);
    assert_false(story_is_fallback());
}

static bool only_full_journals(void *arg, const char **reason, const char **fix)
{
    unsigned *asked = arg;

    (*asked)++;
    *reason = "journal_full";
    *fix = "make room on the disk";
    return false;
}

static void test_the_gate_keeps_new_calls_out_and_known_ones_in(void **state)
{
    unsigned asked = 0;
    char path[256];

    (void)state;
    assert_int_equal(story_post_voice(TOKEN, story_sid(1), OPEN), 200);
    s.node->gate = (struct voice_gate){only_full_journals, &asked};
    assert_int_equal(story_post_voice(TOKEN, story_sid(2), OPEN), 200);
    assert_true(story_is_fallback());
    assert_int_equal(asked, 1);
    assert_int_equal(node_calls(s.node), 1);
    assert_int_equal(metric_value(M_CALLS_FALLBACK), 1);
    assert_int_equal(story_post_voice(TOKEN, story_sid(1), OPEN), 200); /* Twilio asks once more */
    assert_true(story_offers(path));
}

static void test_one_caller_cannot_take_every_line(void **state)
{
    (void)state;
    s.settings.max_calls_per_caller = 1;
    node_stop(s.node);
    story_start_node();
    assert_int_equal(story_post_voice(TOKEN, story_sid(1), OPEN), 200);
    assert_false(story_is_fallback());
    assert_int_equal(story_post_voice(TOKEN, story_sid(2), OPEN), 200);
    assert_true(story_is_fallback());
    assert_int_equal(metric_value(M_REFUSED_CALLER_FULL), 1);
    assert_int_equal(metric_value(M_REFUSED_FULL), 0);
    assert_int_equal(story_post_status(story_sid(1), "completed"), 200);
    assert_int_equal(story_post_voice(TOKEN, story_sid(3), OPEN), 200);
    assert_false(story_is_fallback());
}

/* A business with one number for many telephones hears the fallback; what goes on is told "busy". */
static void test_a_flood_of_one_caller_is_told_that_the_line_is_busy(void **state)
{
    (void)state;
    s.settings.max_calls_per_caller = 1;
    s.settings.caller_flood = 2;
    node_stop(s.node);
    story_start_node();
    assert_int_equal(story_post_voice(TOKEN, story_sid(1), SORRY), 200);
    for (unsigned i = 2; i <= 3; i++) {
        assert_int_equal(story_post_voice(TOKEN, story_sid(i), SORRY), 200);
        assert_true(story_is_fallback());
    }
    for (unsigned i = 4; i <= 9; i++) {
        assert_int_equal(story_post_voice(TOKEN, story_sid(i), SORRY), 200);
        assert_non_null(strstr(s.answer, "<Response><Reject reason=\"busy\"/></Response>"));
        assert_int_equal(
            story_post("/twilio/status", TOKEN, /* and nobody writes to it */
                       (const char *const[]){"CallSid", story_sid(i), "CallStatus", "busy", "From",
                                             "+13125550142", "To", SORRY, NULL}),
            200);
    }
    assert_int_equal(metric_value(M_REFUSED_CALLER_FULL), 2);
    assert_int_equal(metric_value(M_REFUSED_CALLER_FLOOD), 6);
    assert_int_equal(metric_value(M_CALLS_FALLBACK), 2);
    assert_int_equal(metric_value(M_MISSED), 0);
    assert_int_equal(node_calls(s.node), 1);
}

static void test_a_repeated_webhook_gets_a_new_address_for_the_same_call(void **state)
{
    char first[256], second[256];

    (void)state;
    assert_int_equal(story_post_voice(TOKEN, story_sid(1), OPEN), 200);
    assert_true(story_offers(first));
    assert_int_equal(story_post_voice(TOKEN, story_sid(1), OPEN), 200);
    assert_true(story_offers(second));
    assert_string_not_equal(first, second);
    assert_int_equal(node_calls(s.node), 1);
    assert_int_equal(story_vms(), 1);
    assert_int_equal(story_post_status(story_sid(1), "completed"), 200);
    assert_int_equal(story_post_voice(TOKEN, story_sid(1), OPEN),
                     200); /* and does not rise again */
    assert_true(story_is_fallback());
    story_wait_until_no_script_runs();
}

static void test_a_script_that_fails_gives_the_fallback_and_the_slot_back(void **state)
{
    (void)state;
    assert_int_equal(story_post_voice(TOKEN, story_sid(1), BROKEN), 200);
    assert_true(story_is_fallback());
    assert_int_equal(node_calls(s.node), 0);
    story_wait_until_no_script_runs();
}

static void test_a_number_nobody_has_gets_the_default_words(void **state)
{
    (void)state;
    assert_int_equal(story_post_voice(TOKEN, story_sid(1), "+13125559999"), 200);
    assert_true(story_is_fallback());
    assert_int_equal(metric_value(M_REFUSED_NO_AGENT), 1);
    assert_int_equal(story_post_voice(TOKEN, "CA1", OPEN), 400);
    assert_int_equal(node_calls(s.node), 0);
}

static void test_a_draining_node_keeps_its_calls_and_takes_no_others(void **state)
{
    (void)state;
    assert_int_equal(story_post_voice(TOKEN, story_sid(1), OPEN), 200);
    node_drain(s.node);
    assert_int_equal(story_post_voice(TOKEN, story_sid(2), OPEN), 200);
    assert_true(story_is_fallback());
    assert_int_equal(metric_value(M_REFUSED_DRAINING), 1);
    assert_int_equal(node_calls(s.node), 1);
    assert_int_equal(node_undrain(s.node), 0);
    assert_int_equal(story_post_voice(TOKEN, story_sid(3), OPEN), 200);
    assert_false(story_is_fallback());
    assert_int_equal(node_calls(s.node), 2);
}

static void test_a_carrier_that_leaves_before_the_answer_leaves_nothing(void **state)
{
    char signature[BASE64_ENCODED(20) + 1];
    const char *const fields[] = {"CallSid", story_sid(1), "To", OPEN, NULL};

    (void)state;
    story_sign(signature, "/twilio/voice", TOKEN, fields);
    for (int i = 0; i < 20; i++)
        close(story_ask("/twilio/voice", signature, fields));
    assert_int_equal(story_post_status(story_sid(1), "completed"), 200);
    for (int i = 0; i < PATIENCE_MS / 10 && node_calls(s.node) > 0; i++)
        (void)nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    assert_int_equal(node_calls(s.node), 0);
    story_wait_until_no_script_runs();
}

/* story_tear_down() stops the node while a call is offered, one is asked for and a request is half sent:
 * whoever waits is told, nothing is touched after it was freed. */
static void test_a_node_may_end_in_the_middle_of_everything(void **state)
{
    char signature[BASE64_ENCODED(20) + 1];
    const char *const fields[] = {"CallSid", story_sid(2), "To", OPEN, NULL};
    int half, asked;

    (void)state;
    assert_int_equal(story_post_voice(TOKEN, story_sid(1), OPEN), 200);
    half = story_dial();
    assert_int_equal(send(half, "POST /twil", 10, 0), 10);
    story_sign(signature, "/twilio/voice", TOKEN, fields);
    asked = story_ask("/twilio/voice", signature, fields);
    node_stop(s.node);
    s.node = NULL;
    close(half);
    close(asked);
}

/* Whoever is texted, is so by a script that outlives the call: nobody waits for it here. */
static void test_callers_who_do_not_get_through_are_counted_once_each(void **state)
{
    (void)state;
    assert_int_equal(story_post_voice(TOKEN, story_sid(1), SORRY), 200);
    assert_int_equal(story_post_status(story_sid(1), "completed"), 200); /* before any stream */
    assert_int_equal(story_post_status(story_sid(1), "completed"), 200);
    assert_int_equal(metric_value(M_MISSED), 1);
    assert_int_equal(story_post_voice(TOKEN, story_sid(2), BROKEN), 200);
    assert_int_equal(story_post_status(story_sid(2), "completed"), 200);
    assert_int_equal(metric_value(M_MISSED), 2);
    assert_int_equal(story_post_voice(TOKEN, story_sid(3), SORRY), 200);
    assert_int_equal(story_post_voice(TOKEN, story_sid(4), SORRY), 200);
    assert_int_equal(story_post_voice(TOKEN, story_sid(5), SORRY), 200); /* no slot */
    assert_int_equal(metric_value(M_MISSED), 3);
    assert_int_equal(story_post("/twilio/status", TOKEN,
                                (const char *const[]){"CallSid", story_sid(6), "CallStatus",
                                                      "no-answer", "To", SORRY, NULL}),
                     200);
    assert_int_equal(metric_value(M_MISSED), 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(test_a_call_gets_a_stream_and_gives_everything_back),
        STORY(test_a_bad_signature_costs_a_403_and_nothing_else),
        STORY(test_both_tokens_of_a_rotation_are_good),
        STORY(test_the_call_beyond_the_last_slot_gets_the_fallback),
        STORY(test_the_gate_keeps_new_calls_out_and_known_ones_in),
        STORY(test_one_caller_cannot_take_every_line),
        STORY(test_a_flood_of_one_caller_is_told_that_the_line_is_busy),
        STORY(test_a_repeated_webhook_gets_a_new_address_for_the_same_call),
        STORY(test_a_script_that_fails_gives_the_fallback_and_the_slot_back),
        STORY(test_a_number_nobody_has_gets_the_default_words),
        STORY(test_a_draining_node_keeps_its_calls_and_takes_no_others),
        STORY(test_a_carrier_that_leaves_before_the_answer_leaves_nothing),
        STORY(test_a_node_may_end_in_the_middle_of_everything),
        STORY(test_callers_who_do_not_get_through_are_counted_once_each),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
