/* SPDX-License-Identifier: Apache-2.0 */
/* test_openai_pool.c - connections that are ready before a call needs them. */
#include "base/err.h"
#include "base/log.h"
#include "observe/alarm.h"
#include "observe/metrics.h"
#include "unit/providers/fake_leg.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct fake_core core;

static int setup(void **state)
{
    (void)state;
    memset(&core, 0, sizeof(core));
    return 0;
}

static void warm_up(unsigned i)
{
    fake_open(i);
    fake_text(i, CREATED);
}

static struct provider_leg *opened(struct openai_pool *p)
{
    struct provider_leg *leg;

    assert_int_equal(openai_open(&leg, p, &(struct openai_session){.brief = &fake_agent},
                                 &fake_core_events, &core),
                     0);
    core.leg = leg;
    return leg;
}

static void test_it_keeps_as_many_ready_as_asked(void **state)
{
    struct openai_pool *p = fake_pool(2);

    (void)state;
    assert_int_equal(fake_dials(), 2);
    assert_int_equal(openai_pool_warm(p), 0);
    warm_up(0);
    assert_int_equal(openai_pool_warm(p), 1);
    warm_up(1);
    assert_int_equal(openai_pool_warm(p), 2);
    assert_int_equal(fake_sent_count(0), 0); /* it is told nothing before a call needs it */
    fake_advance(60000);
    assert_int_equal(fake_dials(), 2);
    fake_put_away(NULL, &core, p);
}

static void test_a_call_takes_a_warm_connection_and_another_is_dialled(void **state)
{
    struct openai_pool *p = fake_pool(1);
    struct provider_leg *leg;

    (void)state;
    warm_up(0);
    leg = opened(p);
    assert_int_equal(fake_dials(), 2);
    assert_int_equal(openai_pool_warm(p), 0);
    assert_non_null(strstr(fake_sent(0, 0), "\"type\":\"session.update\""));
    assert_int_equal(core.n_told, 0);
    assert_int_equal(openai_expires_unix_s(leg), 1756324625); /* from its session.created */
    fake_text(0, UPDATED);
    assert_string_equal(core_last(&core), "ready");
    assert_int_equal(openai_pool_counts(p).warm_used, 1);
    assert_int_equal(openai_pool_counts(p).dialled, 2);
    fake_put_away(leg, &core, p);
}

static void test_another_model_needs_a_dial_of_its_own(void **state)
{
    struct openai_pool *p = fake_pool(1);
    struct brief b = fake_agent;
    struct provider_leg *leg;

    (void)state;
    warm_up(0);
    b.model = "gpt-realtime-2.1";
    assert_int_equal(
        openai_open(&leg, p, &(struct openai_session){.brief = &b}, &fake_core_events, &core), 0);
    assert_int_equal(openai_pool_counts(p).warm_used, 1);
    openai_provider.close(leg);
    fake_turn();
    memset(&core, 0, sizeof(core));
    warm_up(1);
    b.model = "gpt-realtime-2.1-mini";
    assert_int_equal(
        openai_open(&leg, p, &(struct openai_session){.brief = &b}, &fake_core_events, &core), 0);
    assert_int_equal(openai_pool_counts(p).warm_used, 1);
    assert_int_equal(openai_pool_warm(p), 1);
    fake_put_away(leg, &core, p);
}

static void test_a_warm_connection_that_died_unseen_is_replaced_without_telling(void **state)
{
    struct openai_pool *p = fake_pool(1);
    struct provider_leg *leg;

    (void)state;
    warm_up(0);
    leg = opened(p);
    fake_text(0, "{\"type\":\"error\",\"error\":{\"code\":\"session_expired\"}}");
    fake_end(0, WS_END_PEER, 1001, 0, "expired");
    assert_int_equal(core.n_told, 0);
    assert_int_equal(fake_dials(), 3); /* the pool's next, and the leg's own */
    fake_open(2);
    assert_non_null(strstr(fake_sent(2, 0), "\"type\":\"session.update\""));
    fake_text(2, CREATED);
    fake_text(2, UPDATED);
    assert_string_equal(core_last(&core), "ready");
    assert_int_equal(core.n_told, 1);
    fake_put_away(leg, &core, p);
}

static void test_a_warm_connection_that_does_not_answer_leaves_time_for_a_dial(void **state)
{
    struct openai_pool *p = fake_pool(1);
    struct provider_leg *leg;

    (void)state;
    warm_up(0);
    leg = opened(p);
    fake_advance(832);
    assert_int_equal(fake_dials(), 2);
    fake_advance(2);
    assert_int_equal(fake_dials(), 3);
    assert_true(fake_dropped(0));
    assert_null(fake_ws(0));
    fake_advance(1665);
    assert_int_equal(core.n_told, 0);
    fake_advance(1);
    assert_true(core_heard(&core, "error timeout"));
    assert_string_equal(core_last(&core), "end lost");
    fake_put_away(leg, &core, p);
}

static void test_a_dead_warm_connection_and_a_dial_that_fails(void **state)
{
    struct openai_pool *p = fake_pool(1);
    struct provider_leg *leg;

    (void)state;
    warm_up(0);
    leg = opened(p);
    fake_connect_fails(-ENOMEM);
    fake_end(0, WS_END_LOST, 0, -ECONNRESET, "");
    assert_true(core_heard(&core, "error connection_lost"));
    assert_string_equal(core_last(&core), "end lost");
    fake_put_away(leg, &core, p);
}

static void test_a_warm_connection_that_cannot_be_written_is_not_used(void **state)
{
    struct openai_pool *p = fake_pool(1);
    struct provider_leg *leg;

    (void)state;
    warm_up(0);
    fake_send_fails(RD_ESTATE);
    leg = opened(p);
    assert_int_equal(fake_dials(), 3);
    fake_turn();
    assert_null(fake_ws(0));
    fake_open(2);
    fake_text(2, UPDATED);
    assert_string_equal(core_last(&core), "ready");
    fake_put_away(leg, &core, p);
}

static void test_a_connection_that_served_a_call_is_not_replaced_when_it_ends(void **state)
{
    struct openai_pool *p = fake_pool(1);
    struct provider_leg *leg;

    (void)state;
    warm_up(0);
    leg = opened(p);
    fake_text(0, UPDATED);
    fake_end(0, WS_END_PEER, 1001, 0, "");
    assert_string_equal(core_last(&core), "end lost");
    assert_int_equal(fake_dials(), 2);
    fake_put_away(leg, &core, p);
}

static void test_a_warm_connection_that_dies_is_dialled_again(void **state)
{
    struct openai_pool *p = fake_pool(1);
    uint64_t errors = log_count(LOG_ERROR), warnings = log_count(LOG_WARN);

    (void)state;
    warm_up(0);
    fake_advance(20000);
    fake_end(0, WS_END_PEER, 1001, 0, "");
    assert_int_equal(openai_pool_warm(p), 0);
    assert_int_equal(fake_dials(), 2); /* at once: it had lasted */
    assert_int_equal(log_count(LOG_ERROR), errors);
    assert_int_equal(log_count(LOG_WARN), warnings);
    fake_put_away(NULL, &core, p);
}

static void test_old_connections_are_replaced(void **state)
{
    struct openai_pool *p = fake_pool(1);

    (void)state;
    warm_up(0);
    fake_advance(599999);
    assert_int_equal(fake_dials(), 1);
    fake_advance(1);
    assert_int_equal(fake_close_code(0), 1000);
    assert_int_equal(fake_dials(), 2);
    warm_up(1);
    assert_int_equal(openai_pool_warm(p), 1);
    fake_put_away(NULL, &core, p);
}

static void test_a_connection_whose_session_is_short_is_replaced_in_time(void **state)
{
    struct openai_pool *p = fake_pool(1);
    char created[256];

    (void)state;
    CREATED_FOR(created, 1200);
    fake_open(0);
    fake_text(0, created);
    fake_advance(240000); /* a quarter, less what this takes */
    assert_int_equal(fake_dials(), 1);
    fake_advance(60000);
    assert_int_equal(fake_close_code(0), 1000);
    assert_int_equal(fake_dials(), 2);
    fake_put_away(NULL, &core, p);
}

static void test_a_clock_that_is_ahead_does_not_dial_all_the_time(void **state)
{
    struct openai_pool *p = fake_pool(1);
    char created[256];

    (void)state;
    CREATED_FOR(created, 1);
    fake_open(0);
    fake_text(0, created);
    fake_advance(900);
    assert_int_equal(fake_dials(), 1);
    fake_advance(200);
    assert_int_equal(fake_dials(), 2);
    fake_put_away(NULL, &core, p);
}

/* Refused at each dial: 1, 2, 4, 8, 16, 32, 60, 60 s, and an error line with the remedy each time.
 */
static void test_refusals_are_retried_ever_more_rarely(void **state)
{
    static const unsigned waits_s[] = {1, 2, 4, 8, 16, 32, 60, 60};
    struct openai_pool *p = fake_pool(1);
    uint64_t errors = log_count(LOG_ERROR);

    (void)state;
    for (unsigned i = 0; i < 8; i++) {
        assert_int_equal(fake_dials(), i + 1);
        fake_end(i, WS_END_REFUSED, 401, 0, "{\"error\":{\"code\":\"invalid_api_key\"}}");
        assert_int_equal(log_count(LOG_ERROR), errors + i + 2); /* the alarm, once */
        fake_advance(waits_s[i] * 1000 - 1);
        assert_int_equal(fake_dials(), i + 1);
        fake_advance(1);
    }
    assert_int_equal(fake_dials(), 9);
    assert_int_equal(openai_pool_counts(p).errors, 8);
    fake_put_away(NULL, &core, p);
}

static void test_a_key_refused_after_the_upgrade_is_a_refusal(void **state)
{
    struct openai_pool *p = fake_pool(1);

    (void)state;
    fake_open(0);
    fake_text(
        0, "{\"type\":\"error\",\"error\":{\"code\":\"invalid_api_key\",\"message\":\"a\\tb\"}}");
    assert_true(fake_dropped(0));
    fake_advance(999);
    assert_int_equal(fake_dials(), 1);
    fake_advance(1);
    assert_int_equal(fake_dials(), 2);
    warm_up(1); /* welcomed, and then thrown out: not forgotten how often */
    fake_end(1, WS_END_PEER, 3000, 0, "invalid_request_error.invalid_api_key");
    fake_advance(1999);
    assert_int_equal(fake_dials(), 2);
    fake_advance(1);
    assert_int_equal(fake_dials(), 3);
    fake_put_away(NULL, &core, p);
}

static void test_a_connection_that_lasted_makes_up_for_old_failures(void **state)
{
    struct openai_pool *p = fake_pool(1);

    (void)state;
    fake_end(0, WS_END_REFUSED, 503, 0, "");
    fake_advance(1000);
    fake_end(1, WS_END_REFUSED, 503, 0, "");
    fake_advance(2000);
    warm_up(2);
    fake_advance(10000);
    fake_end(2, WS_END_LOST, 0, -ECONNRESET, "");
    assert_int_equal(fake_dials(), 4);
    fake_end(3, WS_END_REFUSED, 503, 0, "");
    fake_advance(1000); /* not four */
    assert_int_equal(fake_dials(), 5);
    fake_put_away(NULL, &core, p);
}

static void test_two_connections_refused_together_count_once(void **state)
{
    struct openai_pool *p = fake_pool(2);

    (void)state;
    fake_end(0, WS_END_REFUSED, 503, 0, "");
    fake_end(1, WS_END_REFUSED, 503, 0, "");
    fake_advance(1000);
    assert_int_equal(fake_dials(), 4);
    fake_put_away(NULL, &core, p);
}

static void test_a_call_that_gets_through_ends_the_waiting(void **state)
{
    struct openai_pool *p = fake_pool(1);
    struct provider_leg *leg;

    (void)state;
    fake_end(0, WS_END_REFUSED, 503, 0, "");
    fake_advance(1000);
    fake_end(1, WS_END_REFUSED, 503, 0, "");
    leg = opened(p);
    assert_int_equal(fake_dials(), 3); /* a call is always tried */
    fake_open(2);
    fake_text(2, CREATED);
    fake_text(2, UPDATED);
    assert_int_equal(fake_dials(), 4); /* and the pool tries again */
    fake_put_away(leg, &core, p);
}

static void test_a_connection_without_a_session_is_given_up(void **state)
{
    struct openai_pool *p = fake_pool(1);

    (void)state;
    fake_open(0);
    fake_advance(5000);
    assert_true(fake_dropped(0));
    fake_advance(1000);
    assert_int_equal(fake_dials(), 2);
    fake_put_away(NULL, &core, p);
}

static void test_a_dial_that_fails_at_once_is_retried(void **state)
{
    struct openai_pool *p;

    (void)state;
    fake_connect_fails(-ENOMEM);
    p = fake_pool(1);
    assert_int_equal(fake_dials(), 0);
    fake_advance(1000);
    assert_int_equal(fake_dials(), 1);
    fake_put_away(NULL, &core, p);
}

static void test_noise_on_a_warm_connection_is_counted(void **state)
{
    struct openai_pool *p = fake_pool(1);

    (void)state;
    fake_open(0);
    fake_text(0, "hello");
    fake_text(0, "{\"type\":\"never.heard.of\"}");
    fake_text(0, "{\"type\":\"response.output_audio.delta\",\"delta\":\"AAAA\"}");
    fake_text(0, "{\"type\":\"session.created\",\"session\":null}");
    assert_int_equal(openai_pool_warm(p), 1);
    assert_int_equal(openai_pool_counts(p).bad_frames, 1);
    assert_int_equal(openai_pool_counts(p).unknown_events, 1);
    fake_put_away(NULL, &core, p);
}

static void test_settings_that_cannot_work_are_refused(void **state)
{
    struct openai_opts o = {.loop = fake_loop(), .url = "wss://x/", .key = "sk", .model = "m"};
    struct openai_pool *p = NULL;

    (void)state;
    o.key = "sk-1\r\nX-Evil: 1";
    assert_int_equal(openai_pool_new(&p, &o), RD_ECONFIG);
    o.key = "sk-1\n";
    assert_int_equal(openai_pool_new(&p, &o), RD_ECONFIG);
    o.key = "sk-1";
    o.url = "";
    assert_int_equal(openai_pool_new(&p, &o), RD_ECONFIG);
    o.url = "wss://x/";
    o.model = NULL;
    assert_int_equal(openai_pool_new(&p, &o), RD_ECONFIG);
    assert_null(p);
}

static void test_without_a_key_nothing_pretends_to_be_one(void **state)
{
    struct openai_opts o = {
        .loop = fake_loop(), .url = "ws://127.0.0.1:1/v1?x=1", .key = "", .model = "m", .warm = 1};
    struct openai_pool *p = NULL;

    (void)state;
    assert_int_equal(openai_pool_new(&p, &o), 0);
    assert_string_equal(fake_header(0), "");
    assert_string_equal(fake_url(0), "ws://127.0.0.1:1/v1?x=1&model=m");
    fake_put_away(NULL, &core, p);
}

static void test_legs_of_a_freed_pool_do_not_dial(void **state)
{
    struct openai_pool *p = fake_pool(1);
    struct provider_leg *leg;

    (void)state;
    warm_up(0);
    leg = opened(p);
    openai_pool_free(p);
    fake_turn();
    assert_null(fake_ws(1));
    fake_end(0, WS_END_LOST, 0, 0, "");
    assert_int_equal(fake_dials(), 2);
    assert_string_equal(core_last(&core), "end lost");
    fake_put_away(leg, &core, NULL);
}

/* Five dials that fail within ten seconds: three of the pool's, two of calls. */
static struct openai_pool *given_up_pool(void)
{
    struct openai_pool *p = fake_pool(1);
    struct provider_leg *leg;

    fake_end(0, WS_END_REFUSED, 503, 0, "");
    fake_advance(1000);
    fake_end(1, WS_END_REFUSED, 503, 0, "");
    for (unsigned i = 2; i < 4; i++) {
        memset(&core, 0, sizeof(core));
        leg = opened(p);
        fake_end(i, WS_END_LOST, 0, -ECONNREFUSED, "");
        assert_string_equal(core_last(&core), "end lost");
        (void)leg;
    }
    fake_advance(1999);
    assert_int_equal(fake_dials(), 4);
    fake_advance(1);
    fake_end(4, WS_END_REFUSED, 503, 0, "");
    memset(&core, 0, sizeof(core));
    return p;
}

static void test_a_call_does_not_wait_for_a_model_that_was_given_up(void **state)
{
    struct openai_pool *p = given_up_pool();
    struct alarm a;

    (void)state;
    assert_int_equal(alarm_list(&a, 1), 1);
    assert_string_equal(a.text, "openai fails: http_503");
    (void)opened(p);
    assert_int_equal(core.n_told, 0); /* never from inside */
    assert_int_equal(fake_dials(), 5);
    fake_turn();
    assert_true(core_heard(&core, "error http_503"));
    assert_string_equal(core_last(&core), "end lost");
    fake_put_away(NULL, &core, p);
}

static void test_a_call_that_ends_before_it_heard_that_is_closed_like_any(void **state)
{
    struct openai_pool *p = given_up_pool();
    struct provider_leg *leg = opened(p);

    (void)state;
    openai_provider.close(leg);
    assert_int_equal(core.n_told, 0);
    fake_turn();
    assert_int_equal(core.n_told, 1);
    assert_string_equal(core_last(&core), "end closed_by_us");
    fake_put_away(NULL, &core, p);
}

static void test_one_call_tries_whether_the_model_is_back(void **state)
{
    struct openai_pool *p = given_up_pool();
    struct fake_core second;
    struct provider_leg *leg, *other;

    (void)state;
    memset(&second, 0, sizeof(second));
    fake_advance(2000);
    leg = opened(p);
    assert_int_equal(fake_dials(), 6);
    assert_int_equal(openai_open(&other, p, &(struct openai_session){.brief = &fake_agent},
                                 &fake_core_events, &second),
                     0);
    assert_int_equal(fake_dials(), 6);
    fake_turn();
    assert_string_equal(core_last(&second), "end lost");
    fake_open(5);
    fake_text(5, CREATED);
    fake_text(5, UPDATED);
    assert_string_equal(core_last(&core), "ready");
    assert_int_equal(metric_gauge_value(G_ALARMS), 0);
    fake_put_away(leg, &core, p);
}

static void test_a_warm_connection_that_succeeds_lets_calls_in_again(void **state)
{
    struct openai_pool *p = given_up_pool();
    struct provider_leg *leg;

    (void)state;
    fake_advance(4000);
    assert_int_equal(fake_dials(), 6);
    warm_up(5);
    assert_int_equal(metric_gauge_value(G_ALARMS), 0);
    leg = opened(p);
    fake_text(5, UPDATED);
    assert_string_equal(core_last(&core), "ready");
    fake_put_away(leg, &core, p);
}

static void test_an_agent_that_is_refused_does_not_keep_others_from_trying(void **state)
{
    struct openai_pool *p = fake_pool(0);
    struct provider_leg *leg;

    (void)state;
    for (unsigned i = 0; i < 20; i++) {
        memset(&core, 0, sizeof(core));
        leg = opened(p);
        assert_int_equal(fake_dials(), i + 1);
        fake_end(i, WS_END_REFUSED, 404, 0, "{\"error\":{\"code\":\"model_not_found\"}}");
        assert_string_equal(core_last(&core), "end refused");
        (void)leg;
    }
    fake_put_away(NULL, &core, p);
}

#define T(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_it_keeps_as_many_ready_as_asked),
        T(test_a_call_takes_a_warm_connection_and_another_is_dialled),
        T(test_another_model_needs_a_dial_of_its_own),
        T(test_a_warm_connection_that_died_unseen_is_replaced_without_telling),
        T(test_a_warm_connection_that_does_not_answer_leaves_time_for_a_dial),
        T(test_a_dead_warm_connection_and_a_dial_that_fails),
        T(test_a_warm_connection_that_cannot_be_written_is_not_used),
        T(test_a_connection_that_served_a_call_is_not_replaced_when_it_ends),
        T(test_a_warm_connection_that_dies_is_dialled_again),
        T(test_old_connections_are_replaced),
        T(test_a_connection_whose_session_is_short_is_replaced_in_time),
        T(test_a_clock_that_is_ahead_does_not_dial_all_the_time),
        T(test_refusals_are_retried_ever_more_rarely),
        T(test_a_key_refused_after_the_upgrade_is_a_refusal),
        T(test_a_connection_that_lasted_makes_up_for_old_failures),
        T(test_two_connections_refused_together_count_once),
        T(test_a_call_that_gets_through_ends_the_waiting),
        T(test_a_connection_without_a_session_is_given_up),
        T(test_a_dial_that_fails_at_once_is_retried),
        T(test_noise_on_a_warm_connection_is_counted),
        T(test_settings_that_cannot_work_are_refused),
        T(test_without_a_key_nothing_pretends_to_be_one),
        T(test_legs_of_a_freed_pool_do_not_dial),
        T(test_a_call_does_not_wait_for_a_model_that_was_given_up),
        T(test_a_call_that_ends_before_it_heard_that_is_closed_like_any),
        T(test_one_call_tries_whether_the_model_is_back),
        T(test_a_warm_connection_that_succeeds_lets_calls_in_again),
        T(test_an_agent_that_is_refused_does_not_keep_others_from_trying),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
