/* SPDX-License-Identifier: Apache-2.0 */
/* What OpenAI refuses and complains of: which of it ends the leg, how, and what an operator can do. */
#include "base/err.h"
#include "base/log.h"
#include "observe/quota.h"
#include "unit/providers/fake_leg_story.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

/* --- refusals -------------------------------------------------------------------------------- */

struct ending {
    enum ws_end why;
    int code, err;
    const char *reason, *error, *end, *fix;
};

static void ends_as(const struct ending *e, bool ready)
{
    struct provider_leg *leg;

    memset(&core, 0, sizeof(core));
    leg = leg_opened();
    if (e->why != WS_END_REFUSED && !(e->why == WS_END_LOST && !ready))
        fake_open(0);
    if (ready) {
        fake_text(0, CREATED);
        fake_text(0, UPDATED);
        core_forget(&core);
    }
    fake_end(0, e->why, e->code, e->err, e->reason);
    if (e->error && !core_heard(&core, e->error))
        fail_msg("%d/%d: told %s", (int)e->why, e->code, core.told);
    if (!e->error && core.n_told != 1)
        fail_msg("%d/%d: told %s", (int)e->why, e->code, core.told);
    assert_string_equal(core_last(&core), e->end);
    if (e->fix && !strstr(core.fix, e->fix))
        fail_msg("%d/%d: fix is \"%s\"", (int)e->why, e->code, core.fix);
    assert_true(core.ended);
    openai_pool_free(pool);
    fake_io_reset();
    pool = fake_pool(0);
    (void)leg;
}

static void test_refusals_and_losses_before_the_start(void **state)
{
    static const struct ending endings[] = {
        {WS_END_REFUSED, 401, 0, "", "error http_401 fatal", "end refused", "OPENAI_API_KEY"},
        {WS_END_REFUSED, 401, 0,
         "{\"error\":{\"code\":\"invalid_api_key\",\"message\":\"Incorrect key sk-x\"}}",
         "error invalid_api_key fatal", "end refused", "OPENAI_API_KEY"},
        {WS_END_REFUSED, 403, 0, "<html>", "error http_403 fatal", "end refused", "access"},
        {WS_END_REFUSED, 404, 0, "{\"error\":{\"code\":\"model_not_found\"}}",
         "error model_not_found fatal", "end refused", "openai.model"},
        {WS_END_REFUSED, 404, 0, "", "error http_404 fatal", "end refused", "openai.url"},
        {WS_END_REFUSED, 429, 0, "{\"error\":null}", "error http_429 fatal", "end refused",
         "limit"},
        {WS_END_REFUSED, 429, 0, "{\"error\":{\"code\":\"insufficient_quota\"}}",
         "error insufficient_quota fatal", "end refused", "credit"},
        {WS_END_REFUSED, 200, 0, "hello", "error http_200 fatal", "end refused", "openai.url"},
        {WS_END_REFUSED, 500, 0, "", "error http_500", "end lost", "status.openai.com"},
        {WS_END_REFUSED, 503, 0, "{", "error http_503", "end lost", NULL},
        {WS_END_LOST, 0, RD_ETLS, "", "error tls", "end lost", "ca_file"},
        {WS_END_LOST, 0, -ECONNREFUSED, "", "error connection_lost", "end lost", "openai.url"},
        {WS_END_PEER, 3000, 0, "invalid_request_error.invalid_api_key",
         "error invalid_api_key fatal", "end refused", "OPENAI_API_KEY"},
        {WS_END_PEER, 3000, 0, "", "error close_3000 fatal", "end refused", "OPENAI_API_KEY"},
        {WS_END_PEER, 1008, 0, "policy", "error close_1008 fatal", "end refused", NULL},
        {WS_END_PEER, 4001, 0, "", "error close_4001 fatal", "end refused", NULL},
        {WS_END_PEER, 1011, 0, "keepalive", "error close_1011", "end lost", NULL},
        {WS_END_PEER, 1000, 0, "", "error close_1000", "end lost", NULL},
        {WS_END_PROTOCOL, 1002, 0, "", "error protocol", "end protocol", "openai.url"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++)
        ends_as(&endings[i], false);
    fake_put_away(NULL, &core, pool);
}

static void test_ends_during_a_call(void **state)
{
    static const struct ending endings[] = {
        {WS_END_PEER, 1000, 0, "", NULL, "end closed_by_peer", NULL},
        {WS_END_PEER, 1001, 0, "Your session hit the maximum duration", "error close_1001",
         "end lost", NULL},
        {WS_END_PEER, 1011, 0, "", "error close_1011", "end lost", NULL},
        {WS_END_PEER, 3000, 0, "x.insufficient_quota", "error insufficient_quota fatal",
         "end refused", "credit"},
        {WS_END_LOST, 0, -ECONNRESET, "", "error connection_lost", "end lost", NULL},
        {WS_END_OVERFLOW, 0, 0, "", "error overflow", "end lost", NULL},
        {WS_END_PROTOCOL, 0, 0, "", "error protocol", "end protocol", NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++)
        ends_as(&endings[i], true);
    fake_put_away(NULL, &core, pool);
}

static void test_a_key_never_reaches_message_or_log(void **state)
{
    struct provider_leg *leg = leg_opened();

    (void)state;
    fake_end(0, WS_END_REFUSED, 401, 0,
             "{\"error\":{\"code\":\"invalid_api_key\",\"message\":\"Incorrect key: sk-abcd\"}}");
    assert_string_equal(core.message, "");
    fake_put_away(leg, &core, pool);
}

/* --- error events ---------------------------------------------------------------------------- */

static void test_a_refused_session_update_ends_the_leg(void **state)
{
    struct provider_leg *leg = leg_opened();

    (void)state;
    fake_open(0);
    fake_text(0, CREATED);
    leg_says_error("invalid_value", "invalid_request_error", "Invalid voice", "session-1");
    assert_true(core_heard(&core, "error invalid_value fatal"));
    assert_non_null(strstr(core.fix, "ringdown check"));
    fake_turn();
    assert_string_equal(core_last(&core), "end refused");
    fake_put_away(leg, &core, pool);
}

static void test_a_complaint_without_end_is_told_a_few_times_and_counted(void **state)
{
    struct provider_leg *leg = fake_ready_leg(pool, &core);
    uint64_t warnings = log_count(LOG_WARN), errors = log_count(LOG_ERROR);

    (void)state;
    for (int i = 0; i < 1000; i++)
        leg_says_error("invalid_value", "invalid_request_error", "bad", NULL);
    assert_int_equal(log_count(LOG_WARN) - warnings, 10);
    assert_int_equal(openai_pool_counts(pool).errors, 1000);
    leg_says_error("insufficient_quota", "x", "pay",
                   NULL); /* what ends the call is told all the same */
    assert_int_equal(log_count(LOG_ERROR) - errors, 2); /* and the alarm */
    fake_turn();
    fake_put_away(leg, &core, pool);
}

static void test_errors_while_connecting_decide_the_leg(void **state)
{
    static const struct {
        const char *code, *type, *error, *end;
    } cases[] = {
        {"model_not_found", "invalid_request_error", "error model_not_found fatal", "end refused"},
        {"rate_limit_exceeded", "rate_limit", "error rate_limit_exceeded fatal", "end refused"},
        {NULL, "server_error", "error server_error", "end lost"},
        {"account_deactivated", "x", "error account_deactivated fatal", "end refused"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct provider_leg *leg;

        memset(&core, 0, sizeof(core));
        leg = leg_opened();
        fake_open(0);
        leg_says_error(cases[i].code, cases[i].type, "no", NULL);
        assert_true(core_heard(&core, cases[i].error));
        fake_turn();
        assert_string_equal(core_last(&core), cases[i].end);
        fake_put_away(leg, &core, pool);
        pool = fake_pool(0);
    }
    fake_put_away(NULL, &core, pool);
}

static void test_errors_during_a_call_are_told_apart(void **state)
{
    static const struct {
        const char *code, *type, *message, *event_id, *told;
    } cases[] = {
        {"conversation_already_has_active_response", "invalid_request_error", "", "respond-3",
         "error conversation_already_has_active_response busy #3"},
        {"response_cancel_not_active", "invalid_request_error", "", "cancel-4",
         "error response_cancel_not_active benign"},
        {"input_audio_buffer_commit_empty", "invalid_request_error", "", NULL,
         "error input_audio_buffer_commit_empty benign"},
        {NULL, "invalid_request_error", "Audio content of 900ms is already shorter than 980ms",
         NULL, "error invalid_request_error benign"},
        {"some_new_code", "invalid_request_error", "no such item", "truncate-9",
         "error some_new_code benign"},
        {"invalid_value", "invalid_request_error", "bad", "respond-9", "error invalid_value #9"},
        {"rate_limit_exceeded", "x", "slow down", NULL, "error rate_limit_exceeded"},
        {"session_expired", "invalid_request_error", "60 minutes", NULL, "error session_expired"},
        {NULL, "server_error", "oops", NULL, "error server_error"},
    };
    struct provider_leg *leg = fake_ready_leg(pool, &core);

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        leg_says_error(cases[i].code, cases[i].type, cases[i].message, cases[i].event_id);
        assert_string_equal(core_last(&core), cases[i].told);
    }
    fake_turn();
    assert_false(core.ended);
    assert_int_equal(openai_pool_counts(pool).benign, 5);
    assert_int_equal(openai_pool_counts(pool).errors, 4);
    leg_says_error("insufficient_quota", "x", "pay", NULL);
    assert_string_equal(core_last(&core), "error insufficient_quota fatal");
    fake_turn();
    assert_string_equal(core_last(&core), "end refused");
    fake_put_away(leg, &core, pool);
}

static void test_a_response_that_fails_for_want_of_quota_ends_the_leg(void **state)
{
    struct provider_leg *leg = fake_ready_leg(pool, &core);

    (void)state;
    fake_text(0, "{\"type\":\"response.done\",\"response\":{\"id\":\"r\",\"status\":\"failed\","
                 "\"conversation_id\":\"c\",\"status_details\":{\"error\":{\"type\":\"x\","
                 "\"code\":\"rate_limit_exceeded\"}}}}");
    assert_string_equal(core_last(&core), "response r failed rate_limit_exceeded limited");
    fake_text(0, "{\"type\":\"response.done\",\"response\":{\"id\":\"r\",\"status\":\"failed\","
                 "\"conversation_id\":\"c\",\"status_details\":{\"error\":{\"type\":\"x\","
                 "\"code\":\"insufficient_quota\"}}}}");
    assert_true(core_heard(&core, "response r failed insufficient_quota"));
    assert_string_equal(core_last(&core), "error insufficient_quota fatal");
    fake_turn();
    assert_string_equal(core_last(&core), "end refused");
    fake_put_away(leg, &core, pool);
}

static void test_rate_limits_reach_the_call_and_what_everybody_shares(void **state)
{
    struct provider_leg *leg = fake_ready_leg(pool, &core);

    (void)state;
    assert_non_null(strstr(fake_sent(0, 0), "\"post_instructions\":60000"));
    fake_text(0, "{\"type\":\"rate_limits.updated\",\"rate_limits\":[{\"name\":\"requests\","
                 "\"limit\":1000,\"remaining\":999,\"reset_seconds\":0.06},{\"name\":\"tokens\","
                 "\"limit\":40000,\"remaining\":40000,\"reset_seconds\":0}]}");
    assert_string_equal(core_last(&core), "limits requests 999/1000 60 tokens 40000/40000 0");
    assert_int_equal(quota_now(QUOTA_OPENAI, 0).limit, 40000);
    quota_clear();
    fake_put_away(leg, &core, pool);
}

static void test_a_small_account_keeps_less_of_a_conversation(void **state)
{
    struct provider_limits l = {.tokens = {40000, 40000, 0}};
    struct provider_leg *leg;

    (void)state;
    quota_told(QUOTA_OPENAI, &l, 0);
    leg = fake_ready_leg(pool, &core);
    assert_non_null(strstr(fake_sent(0, 0), "\"post_instructions\":10000"));
    quota_clear();
    fake_put_away(leg, &core, pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(test_refusals_and_losses_before_the_start),
        STORY(test_ends_during_a_call),
        STORY(test_a_key_never_reaches_message_or_log),
        STORY(test_a_refused_session_update_ends_the_leg),
        STORY(test_a_complaint_without_end_is_told_a_few_times_and_counted),
        STORY(test_errors_while_connecting_decide_the_leg),
        STORY(test_errors_during_a_call_are_told_apart),
        STORY(test_a_response_that_fails_for_want_of_quota_ends_the_leg),
        STORY(test_rate_limits_reach_the_call_and_what_everybody_shares),
        STORY(test_a_small_account_keeps_less_of_a_conversation),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
