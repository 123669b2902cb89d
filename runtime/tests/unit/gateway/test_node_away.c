/* SPDX-License-Identifier: Apache-2.0 */
/* The stream of a call is over, and the carrier asks what next: the caller is with somebody else, comes
 * back, or the line broke. */
#include "fake_node.h"

#include "media/base64.h"
#include "observe/metrics.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <time.h>

#include <cmocka.h>

static void test_after_an_unknown_stream_comes_the_fallback(void **state)
{
    (void)state;
    assert_int_equal(story_post("/twilio/resume", TOKEN,
                                (const char *const[]){"CallSid", story_sid(1), "To", OPEN, NULL}),
                     200);
    assert_true(story_is_fallback());
}

static void test_after_a_dial_the_caller_is_done_or_hears_the_fallback(void **state)
{
    static const char *const taken[] = {"completed", "answered"};
    static const char *const not_taken[] = {"busy", "no-answer", "failed", "canceled", "odd"};

    (void)state;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(story_post("/twilio/resume", TOKEN,
                                    (const char *const[]){"CallSid", story_sid(1), "DialCallStatus",
                                                          taken[i], "To", OPEN, NULL}),
                         200);
        assert_non_null(strstr(s.answer, "<Response><Hangup/></Response>"));
    }
    assert_int_equal(metric_value(M_CALLS_FALLBACK), 0);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(story_post("/twilio/resume", TOKEN,
                                    (const char *const[]){"CallSid", story_sid(1), "DialCallStatus",
                                                          not_taken[i], "To", OPEN, NULL}),
                         200);
        assert_null(strstr(s.answer, "<Response><Hangup/></Response>"));
        assert_true(story_is_fallback());
    }
    assert_int_equal(metric_value(M_CALLS_FALLBACK), 5);
}

static void test_after_the_dial_of_a_fallback_nobody_is_dialled_again(void **state)
{
    static const struct {
        const char *dial;
        bool taken;
    } cases[] = {{"completed", true}, {"answered", true}, {"busy", false}, {"no-answer", false}};

    (void)state;
    assert_int_equal(story_post_voice(TOKEN, story_sid(1), BROKEN), 200);
    assert_true(story_says("action=\"/twilio/resume?after=fallback\""));
    assert_int_equal(metric_value(M_CALLS_FALLBACK), 1);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(story_post("/twilio/resume?after=fallback", TOKEN,
                                    (const char *const[]){"CallSid", story_sid(1), "DialCallStatus",
                                                          cases[i].dial, "To", BROKEN, NULL}),
                         200);
        assert_int_equal(story_says("<Response><Hangup/></Response>"), cases[i].taken);
        assert_int_equal(story_says("</Say><Hangup/></Response>"), !cases[i].taken);
        assert_false(story_says("<Dial"));
    }
    assert_int_equal(metric_value(M_CALLS_FALLBACK), 1);
}

static int post_resume(unsigned n, const char *status, const char *dial)
{
    return story_post("/twilio/resume?attempt=1", TOKEN,
                      (const char *const[]){"CallSid", story_sid(n), "CallStatus", status,
                                            "DialCallStatus", dial, "To", OPEN, NULL});
}

/* As line.c does it when the carrier has taken the caller. */
static void go_away(unsigned n)
{
    struct directory_claim claim;
    struct directory_view view;
    struct message *m;

    assert_int_equal(story_post_voice(TOKEN, story_sid(n), OPEN), 200);
    assert_true(directory_find(s.node->directory, rd_str(story_sid(n)), &view));
    assert_int_equal(directory_claim(s.node->directory, view.call, view.nonce, 0, &claim), 0);
    brief_unref(claim.brief);
    m = message_new(MSG_CALL_EVENT, view.call, NULL, 0);
    assert_non_null(m);
    m->kind = AGENT_AWAY;
    assert_int_equal(credits_post(claim.credits, m, true), 0);
    assert_true(directory_away(s.node->directory, view.call, claim.credits, 1));
}

static void test_a_caller_whom_nobody_takes_gets_a_new_stream(void **state)
{
    char path[256], again[256];

    (void)state;
    go_away(1);
    assert_int_equal(post_resume(1, "in-progress", "busy"), 200);
    assert_true(story_offers(path));
    assert_int_equal(post_resume(1, "in-progress", "busy"), 200); /* Twilio had no answer */
    assert_true(story_offers(again));
    assert_string_not_equal(path, again);
    assert_int_equal(node_calls(s.node), 1);
    assert_int_equal(metric_value(M_CALLS_FALLBACK), 0);
    assert_int_equal(story_post_status(story_sid(1), "completed"), 200);
    assert_int_equal(node_calls(s.node), 0);
    story_wait_until_no_script_runs();
}

static int post_stream_over(unsigned n)
{
    return story_post("/twilio/resume", TOKEN,
                      (const char *const[]){"CallSid", story_sid(n), "CallStatus", "in-progress",
                                            "To", OPEN, NULL});
}

/* As line.c does it when the stream of that address breaks. */
static void stream_breaks(unsigned n)
{
    struct directory_claim claim;
    struct directory_view view;

    assert_true(directory_find(s.node->directory, rd_str(story_sid(n)), &view));
    assert_int_equal(directory_claim(s.node->directory, view.call, view.nonce, 0, &claim), 0);
    brief_unref(claim.brief);
    directory_intent(s.node->directory, view.call, INTENT_RESUME);
    assert_true(directory_away(s.node->directory, view.call, claim.credits, 1));
}

static void test_a_broken_stream_is_followed_by_another_but_not_for_ever(void **state)
{
    char path[256];

    (void)state;
    assert_int_equal(story_post_voice(TOKEN, story_sid(1), OPEN), 200);
    for (unsigned i = 0; i < RESUMES_MAX; i++) {
        stream_breaks(1);
        assert_int_equal(post_stream_over(1), 200);
        assert_true(story_offers(path));
        assert_int_equal(node_calls(s.node), 1);
    }
    stream_breaks(1);
    assert_int_equal(post_stream_over(1), 200);
    assert_true(story_is_fallback());
    assert_int_equal(node_calls(s.node), 0);
    story_wait_until_no_script_runs();
}

static void test_a_caller_who_had_a_person_is_hung_up_on_however_often_it_is_asked(void **state)
{
    (void)state;
    go_away(1);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(post_resume(1, "in-progress", "completed"), 200);
        assert_non_null(strstr(s.answer, "<Response><Hangup/></Response>"));
        assert_int_equal(node_calls(s.node), 0);
    }
    story_wait_until_no_script_runs();
}

static void test_a_caller_who_hangs_up_while_it_rings_is_gone(void **state)
{
    (void)state;
    go_away(1);
    assert_int_equal(post_resume(1, "completed", "canceled"), 200);
    assert_non_null(strstr(s.answer, "<Hangup/>"));
    assert_int_equal(node_calls(s.node), 0);
    go_away(2);
    assert_int_equal(story_post_status(story_sid(2), "completed"), 200);
    assert_int_equal(node_calls(s.node), 0);
    story_wait_until_no_script_runs();
}

/* The question overtook the end of the stream. */
static void test_a_question_waits_until_the_end_of_the_stream_was_seen(void **state)
{
    struct directory_claim claim;
    struct directory_view view;
    char signature[BASE64_ENCODED(20) + 1];
    const char *const fields[] = {"CallSid", story_sid(1), "DialCallStatus", "busy", "To",
                                  OPEN,      NULL};
    char path[256];
    int fd;

    (void)state;
    assert_int_equal(story_post_voice(TOKEN, story_sid(1), OPEN), 200);
    assert_true(directory_find(s.node->directory, rd_str(story_sid(1)), &view));
    assert_int_equal(directory_claim(s.node->directory, view.call, view.nonce, 0, &claim), 0);
    brief_unref(claim.brief);
    story_sign(signature, "/twilio/resume", TOKEN, fields);
    fd = story_ask("/twilio/resume", signature, fields);
    (void)nanosleep(&(struct timespec){.tv_nsec = 60000000}, NULL);
    assert_true(directory_away(s.node->directory, view.call, claim.credits, 1));
    assert_int_equal(story_hear(fd), 200);
    assert_true(story_offers(path));
}

static void test_who_was_dialled_is_asked_only_for_a_call_that_waits(void **state)
{
    (void)state;
    assert_int_equal(story_post("/twilio/accept?rule=x", TOKEN,
                                (const char *const[]){"CallSid", story_sid(3), "ParentCallSid",
                                                      story_sid(1), NULL}),
                     200);
    assert_non_null(strstr(s.answer, "<Response><Hangup/></Response>"));
    go_away(1);
    assert_int_equal(story_post("/twilio/accept?rule=x", TOKEN,
                                (const char *const[]){"CallSid", story_sid(3), "ParentCallSid",
                                                      story_sid(1), NULL}),
                     200);
    assert_non_null(strstr(s.answer, "<Response><Hangup/></Response>")); /* nobody asked for it */
    assert_int_equal(node_calls(s.node), 1);                             /* the caller waits on */
    assert_int_equal(
        story_post("/twilio/accept", "wrong", (const char *const[]){"CallSid", story_sid(3), NULL}),
        403);
}

static void test_who_was_rung_by_an_errand_that_is_over_is_hung_up_on(void **state)
{
    static const char *const paths[] = {"/twilio/accept?errand=0.99", "/twilio/accept?errand=999.1",
                                        "/twilio/accept?errand=x"};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(
            story_post(paths[i], TOKEN,
                       (const char *const[]){"CallSid", story_sid(3), "Digits", "1", NULL}),
            200);
        assert_non_null(strstr(s.answer, "<Response><Hangup/></Response>"));
    }
}

static void test_a_node_that_ends_lets_go_of_callers_who_are_away(void **state)
{
    (void)state;
    go_away(1);
    assert_int_equal(node_calls(s.node), 1);
    node_stop(s.node); /* a leak would be found */
    s.node = NULL;
    assert_int_equal(metric_value(M_ZOMBIE_VM), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(test_after_an_unknown_stream_comes_the_fallback),
        STORY(test_after_a_dial_the_caller_is_done_or_hears_the_fallback),
        STORY(test_after_the_dial_of_a_fallback_nobody_is_dialled_again),
        STORY(test_a_caller_whom_nobody_takes_gets_a_new_stream),
        STORY(test_a_broken_stream_is_followed_by_another_but_not_for_ever),
        STORY(test_a_caller_who_had_a_person_is_hung_up_on_however_often_it_is_asked),
        STORY(test_a_caller_who_hangs_up_while_it_rings_is_gone),
        STORY(test_a_question_waits_until_the_end_of_the_stream_was_seen),
        STORY(test_who_was_dialled_is_asked_only_for_a_call_that_waits),
        STORY(test_who_was_rung_by_an_errand_that_is_over_is_hung_up_on),
        STORY(test_a_node_that_ends_lets_go_of_callers_who_are_away),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
