/* SPDX-License-Identifier: Apache-2.0 */
/* The answer that the model owes: words for the caller in time, asked once more, then the fallback. A
 * provider that says it is busy never ends a call. */
#include "fake_story.h"

#include "observe/metrics.h"

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

static void caller_waits(void)
{
    fake_caller_asks(&f, "u1", "a1", "hello?");
}

/* The moment is spoken: 700 ms of sound. */
static void moment_is_spoken(void)
{
    fake_aside_starts(&f, "m1");
    fake_agent_audio(&f, "m1", "o1", 700);
    fake_agent_audio_done(&f, "m1", "o1");
    fake_aside_ends(&f, "m1");
}

static void test_the_caller_hears_a_moment_and_then_the_answer(void **state)
{
    (void)state;
    caller_waits();
    fake_pass(&f, 2400);
    assert_false(fake_did(&f, "aside"));
    fake_pass(&f, 200);
    assert_true(fake_did(&f, "aside"));
    assert_string_equal("One moment, please.", f.last_text);
    assert_false(fake_did(&f, "respond")); /* or two voices would be mixed */
    fake_pass(&f, 300);
    moment_is_spoken();
    assert_int_equal(1, fake_times(&f, "respond"));
    fake_response_starts(&f, "r3");
    fake_agent_audio(&f, "r3", "a3", 500);
    fake_response_ends(&f, "r3", PROVIDER_RESPONSE_COMPLETED);
    fake_marks_return(&f, 99);
    fake_pass(&f, 7000);
    assert_non_null(f.call);
    assert_int_equal(1, fake_times(&f, "aside"));
}

static int look(void *arg, const struct metric_series *s)
{
    uint64_t *buckets = arg;

    for (unsigned i = 0; i <= METRIC_EDGES; i++)
        buckets[i] += s->buckets[i];
    return 0;
}

/* The moment is not what they waited for; a caller who goes on speaking has not begun to wait. */
static void test_how_long_the_caller_waits_for_an_answer_is_measured(void **state)
{
    uint64_t buckets[METRIC_EDGES + 1] = {0}, all = 0;
    unsigned two_and_a_half = 11; /* 2.5 s < 2.9 s <= 3 s */

    (void)state;
    metrics_reset();
    call_meter(f.call, metric_slot(F_TURN_MS, NULL, "openai", NULL));
    caller_waits();
    fake_pass(&f, 2600);
    moment_is_spoken();
    fake_pass(&f, 300);
    fake_response_starts(&f, "r3");
    fake_agent_audio(&f, "r3", "a3", 500);
    fake_agent_audio(&f, "r3", "a3", 500);
    fake_response_ends(&f, "r3", PROVIDER_RESPONSE_COMPLETED);
    (void)metric_each(F_TURN_MS, look, buckets);
    for (unsigned i = 0; i <= METRIC_EDGES; i++)
        all += buckets[i];
    assert_int_equal(all, 1);
    assert_int_equal(buckets[two_and_a_half], 1);
}

static void test_the_fallback_comes_within_seven_seconds(void **state)
{
    (void)state;
    caller_waits();
    fake_pass(&f, 2900);
    moment_is_spoken();
    fake_response_starts(&f, "r3"); /* begins, and stays silent */
    fake_pass(&f, 3500);
    assert_non_null(f.call);
    fake_pass(&f, 200);
    assert_true(fake_did(&f, "ended:provider_failed"));
}

static void test_a_moment_that_does_not_come_does_not_delay_the_fallback(void **state)
{
    (void)state;
    caller_waits();
    fake_pass(&f, 3900);
    assert_false(fake_did(&f, "respond"));
    fake_pass(&f, 200);
    assert_true(fake_did(&f, "respond"));
    fake_pass(&f, 2300);
    assert_non_null(f.call);
    fake_pass(&f, 200);
    assert_true(fake_did(&f, "ended:provider_failed"));
}

static void test_the_time_counts_from_when_the_caller_began_to_wait(void **state)
{
    (void)state;
    caller_waits();
    fake_pass(&f, 2000);
    fake_own_turn_starts(&f, "r2"); /* late, and then nothing */
    fake_pass(&f, 600);
    assert_true(fake_did(&f, "aside"));
    assert_false(fake_did(&f, "cancel:r2")); /* it may still come */
    fake_pass(&f, 1500);
    assert_true(fake_did(&f, "cancel:r2"));
    assert_int_equal(1, fake_times(&f, "respond"));
    fake_response_ends(&f, "r2", PROVIDER_RESPONSE_CANCELLED); /* changes nothing: given up */
    fake_pass(&f, 2500);
    assert_true(fake_did(&f, "ended:provider_failed"));
}

static void test_an_agent_may_have_no_words_for_it(void **state)
{
    (void)state;
    brief.moment = "";
    caller_waits();
    fake_pass(&f, 2600);
    assert_false(fake_did(&f, "aside"));
    assert_true(fake_did(&f, "respond"));
}

static void test_a_caller_who_speaks_again_forgives_the_debt(void **state)
{
    (void)state;
    caller_waits();
    fake_pass(&f, 2600);
    fake_caller_starts(&f);
    fake_pass(&f, 20000);
    assert_non_null(f.call);
    fake_caller_stops(&f);
    fake_forget(&f);
    fake_pass(&f, 6400);
    assert_non_null(f.call);
    assert_int_equal(1, fake_times(&f, "aside")); /* a new debt, a new moment */
}

static void test_a_slow_answer_is_heard_and_cuts_what_is_missing_of_the_moment(void **state)
{
    (void)state;
    caller_waits();
    fake_own_turn_starts(&f, "r2");
    fake_pass(&f, 2600);
    fake_aside_starts(&f, "m1");
    fake_agent_audio(&f, "m1", "o1", 100);
    fake_pass(&f, 300);
    fake_agent_audio(&f, "r2", "a2", 300);
    assert_true(fake_did(&f, "cancel:m1"));
    fake_forget(&f);
    fake_agent_audio(&f, "m1", "o1", 100);
    assert_int_equal(1, call_totals(f.call).late_deltas);
    fake_response_ends(&f, "r2", PROVIDER_RESPONSE_COMPLETED);
    fake_marks_return(&f, 99);
    fake_pass(&f, 8000);
    assert_non_null(f.call);
    assert_false(fake_did(&f, "respond"));
    assert_int_equal(0, call_totals(f.call).errors);
}

static void test_a_moment_that_begins_behind_the_answer_is_not_heard(void **state)
{
    (void)state;
    caller_waits();
    fake_own_turn_starts(&f, "r2");
    fake_pass(&f, 2600);
    fake_agent_audio(&f, "r2", "a2", 300);
    fake_aside_starts(&f, "m1");
    assert_true(fake_did(&f, "cancel:m1"));
    assert_false(fake_did(&f, "cancel:r2"));
}

static void test_an_old_debt_is_not_charged_to_later_words(void **state)
{
    (void)state;
    caller_waits();
    fake_own_turn_starts(&f, "r2");
    fake_response_ends(&f, "r2", PROVIDER_RESPONSE_CANCELLED); /* and nobody wants another */
    fake_pass(&f, 10100);
    assert_string_equal("Are you still there?", f.last_text);
    fake_pass(&f, 2000);
    assert_non_null(f.call);
    assert_int_equal(1, fake_times(&f, "say"));
}

static void test_a_moment_that_is_refused_only_means_no_moment(void **state)
{
    (void)state;
    caller_waits();
    fake_pass(&f, 2600);
    fake_refused(&f, f.aside_tag, false);
    assert_non_null(f.call);
    assert_true(fake_did(&f, "respond"));
}

static void test_a_provider_that_says_it_is_busy_never_ends_the_call(void **state)
{
    (void)state;
    caller_waits();
    fake_pass(&f, 2600);
    fake_refused(&f, f.aside_tag, true);
    for (int i = 0; i < 5; i++) {
        uint32_t tag = f.asked_tag;

        assert_int_equal(i + 1, fake_times(&f, "respond"));
        fake_refused(&f, tag, true);
        fake_error(&f, "conversation_already_has_active_response", true, false, false);
        assert_non_null(f.call);
        fake_response_ends(&f, "other", PROVIDER_RESPONSE_CANCELLED);
    }
    fake_response_starts(&f, "r3");
    fake_agent_audio(&f, "r3", "a3", 500);
    fake_response_ends(&f, "r3", PROVIDER_RESPONSE_COMPLETED);
    fake_marks_return(&f, 99);
    fake_pass(&f, 7000);
    assert_non_null(f.call);
    assert_int_equal(1, call_totals(f.call).errors); /* the late answer, not the busy provider */
}

/* --- rate limits --- */

static void limit_is_used_up(uint32_t reset_ms)
{
    struct provider_limits l = {.requests = {1000, 999, 60000}, .tokens = {40000, 100, reset_ms}};

    call_provider_events.on_limits(f.call, &l);
}

static void test_a_rate_limit_is_waited_for_as_told_and_asked_once_more(void **state)
{
    (void)state;
    caller_waits();
    fake_own_turn_starts(&f, "r2");
    limit_is_used_up(1200);
    fake_limited(&f, "r2");
    fake_pass(&f, 1100);
    assert_false(fake_did(&f, "respond"));
    fake_pass(&f, 200);
    assert_int_equal(1, fake_times(&f, "respond"));
    fake_response_starts(&f, "r3");
    fake_agent_audio(&f, "r3", "a3", 500);
    fake_response_ends(&f, "r3", PROVIDER_RESPONSE_COMPLETED);
    fake_marks_return(&f, 99);
    fake_pass(&f, 5000);
    assert_non_null(f.call);
}

static void test_a_second_rate_limit_is_the_fallback(void **state)
{
    (void)state;
    caller_waits();
    fake_own_turn_starts(&f, "r2");
    limit_is_used_up(500);
    fake_limited(&f, "r2");
    fake_pass(&f, 600);
    fake_response_starts(&f, "r3");
    fake_limited(&f, "r3");
    assert_true(fake_did(&f, "ended:provider_failed"));
}

static void test_a_limit_longer_than_the_caller_can_wait_is_the_fallback_at_once(void **state)
{
    (void)state;
    caller_waits();
    fake_own_turn_starts(&f, "r2");
    limit_is_used_up(59000);
    fake_limited(&f, "r2");
    assert_true(fake_did(&f, "ended:provider_failed"));
}

static void test_a_long_wait_for_a_limit_has_its_moment_too(void **state)
{
    (void)state;
    caller_waits();
    fake_own_turn_starts(&f, "r2");
    limit_is_used_up(4000);
    fake_limited(&f, "r2");
    fake_pass(&f, 2600);
    assert_true(fake_did(&f, "aside"));
    moment_is_spoken();
    assert_false(fake_did(&f, "respond"));
    fake_pass(&f, 1500);
    assert_true(fake_did(&f, "respond"));
}

static void test_a_limit_that_is_far_away_does_not_delay_a_retry(void **state)
{
    struct provider_limits l = {.tokens = {40000, 39000, 59000}};

    (void)state;
    caller_waits();
    fake_own_turn_starts(&f, "r2");
    call_provider_events.on_limits(f.call, &l);
    fake_limited(&f, "r2");
    assert_true(fake_did(&f, "respond"));
}

#define GREETED(t) cmocka_unit_test_setup_teardown(t, set_up, story_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        GREETED(test_the_caller_hears_a_moment_and_then_the_answer),
        GREETED(test_how_long_the_caller_waits_for_an_answer_is_measured),
        GREETED(test_the_fallback_comes_within_seven_seconds),
        GREETED(test_a_moment_that_does_not_come_does_not_delay_the_fallback),
        GREETED(test_the_time_counts_from_when_the_caller_began_to_wait),
        GREETED(test_an_agent_may_have_no_words_for_it),
        GREETED(test_a_caller_who_speaks_again_forgives_the_debt),
        GREETED(test_a_slow_answer_is_heard_and_cuts_what_is_missing_of_the_moment),
        GREETED(test_a_moment_that_begins_behind_the_answer_is_not_heard),
        GREETED(test_an_old_debt_is_not_charged_to_later_words),
        GREETED(test_a_moment_that_is_refused_only_means_no_moment),
        GREETED(test_a_provider_that_says_it_is_busy_never_ends_the_call),
        GREETED(test_a_rate_limit_is_waited_for_as_told_and_asked_once_more),
        GREETED(test_a_second_rate_limit_is_the_fallback),
        GREETED(test_a_limit_longer_than_the_caller_can_wait_is_the_fallback_at_once),
        GREETED(test_a_long_wait_for_a_limit_has_its_moment_too),
        GREETED(test_a_limit_that_is_far_away_does_not_delay_a_retry),
    };

    return cmocka_run_group_tests_name("debt", tests, NULL, NULL);
}
