/* SPDX-License-Identifier: Apache-2.0 */
/* test_openai_session.c - one leg from its dial to its end. */
#include "base/err.h"
#include "base/log.h"
#include "observe/quota.h"
#include "unit/providers/fake_leg.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static struct fake_core core;
static struct openai_pool *pool;

static int setup(void **state)
{
    (void)state;
    memset(&core, 0, sizeof(core));
    pool = fake_pool(0);
    return 0;
}

static struct provider_leg *opened(void)
{
    struct provider_leg *leg;

    assert_int_equal(openai_open(&leg, pool, &(struct openai_session){.brief = &fake_agent},
                                 &fake_core_events, &core),
                     0);
    core.leg = leg;
    return leg;
}

/* --- the start ------------------------------------------------------------------------------- */

static void test_a_leg_is_ready_once_the_session_is_updated(void **state)
{
    struct provider_leg *leg = opened();

    (void)state;
    assert_string_equal(fake_url(0), "wss://api.openai.com/v1/realtime?model=gpt-realtime-2.1");
    assert_string_equal(fake_header(0), "Authorization: Bearer sk-test");
    assert_int_equal(core.n_told, 0);
    fake_open(0);
    assert_int_equal(fake_sent_count(0), 1); /* at once, not after session.created */
    assert_non_null(strstr(fake_sent(0, 0), "\"type\":\"session.update\""));
    fake_text(0, CREATED);
    assert_int_equal(core.n_told, 0);
    assert_int_equal(openai_expires_unix_s(leg), 1756324625);
    fake_text(0, UPDATED);
    assert_string_equal(core_last(&core), "ready");
    assert_int_equal(openai_expires_unix_s(leg), 1756324999);
    fake_text(0, UPDATED);
    assert_int_equal(core.n_told, 1); /* ready once */
    fake_advance(60000);
    assert_int_equal(core.n_told, 1); /* the start-up clock is off */
    fake_put_away(leg, &core, pool);
    assert_true(core_heard(&core, "end closed_by_us"));
}

static void test_an_agents_own_model_is_asked_for(void **state)
{
    struct brief b = fake_agent;
    struct provider_leg *leg;

    (void)state;
    b.model = "gpt-realtime-2.1-mini&x=1";
    assert_int_equal(
        openai_open(&leg, pool, &(struct openai_session){.brief = &b}, &fake_core_events, &core),
        0);
    assert_string_equal(fake_url(0),
                        "wss://api.openai.com/v1/realtime?model=gpt-realtime-2.1-mini%26x%3D1");
    fake_put_away(leg, &core, pool);
    assert_true(fake_dials() == 0);
}

static void test_nothing_is_sent_before_it_is_ready(void **state)
{
    const struct audio_span a = {.b64 = "f39/", .n_b64 = 4, .n_bytes = 3};
    const struct provider_prompt p = {0};
    struct provider_leg *leg = opened();

    (void)state;
    fake_open(0);
    assert_int_equal(openai_provider.audio(leg, &a), RD_ESTATE);
    assert_int_equal(openai_provider.respond(leg, &p), RD_ESTATE);
    assert_int_equal(openai_provider.cancel(leg, RD_STR("r")), RD_ESTATE);
    assert_int_equal(openai_provider.truncate(leg, RD_STR("i"), 0, 1), RD_ESTATE);
    assert_int_equal(openai_provider.tool_result(leg, RD_STR("c"), RD_STR("{}")), RD_ESTATE);
    assert_int_equal(fake_sent_count(0), 1);
    fake_put_away(leg, &core, pool);
}

static void test_silence_at_the_start_is_a_lost_leg(void **state)
{
    struct provider_leg *leg = opened();

    (void)state;
    fake_open(0);
    fake_text(0, CREATED);
    fake_advance(2499);
    assert_int_equal(core.n_told, 0);
    fake_advance(1);
    assert_true(core_heard(&core, "error timeout"));
    assert_string_equal(core_last(&core), "end lost");
    assert_true(strlen(core.fix) > 0);
    fake_put_away(leg, &core, pool);
}

static void test_a_leg_closed_while_it_dials_just_ends(void **state)
{
    struct provider_leg *leg = opened();

    (void)state;
    openai_provider.close(leg);
    openai_provider.close(leg);
    assert_true(fake_dropped(0));
    assert_int_equal(core.n_told, 0); /* never from inside */
    fake_turn();
    assert_string_equal(core_last(&core), "end closed_by_us");
    fake_put_away(leg, &core, pool);
}

static void test_what_cannot_be_opened_says_so_and_tells_nothing(void **state)
{
    struct brief b = fake_agent;
    struct provider_leg *leg = NULL;

    (void)state;
    b.tools_json = "[{\"name\":\"two words\"}]";
    assert_int_equal(
        openai_open(&leg, pool, &(struct openai_session){.brief = &b}, &fake_core_events, &core),
        RD_ECONFIG);
    fake_connect_fails(-EINVAL);
    assert_int_equal(openai_open(&leg, pool, &(struct openai_session){.brief = &fake_agent},
                                 &fake_core_events, &core),
                     -EINVAL);
    fake_connect_fails(-ENOMEM);
    assert_int_equal(openai_open(&leg, pool, &(struct openai_session){.brief = &fake_agent},
                                 &fake_core_events, &core),
                     -ENOMEM);
    assert_null(leg);
    assert_int_equal(core.n_told, 0);
    fake_put_away(NULL, &core, pool);
}

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
    leg = opened();
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
    struct provider_leg *leg = opened();

    (void)state;
    fake_end(0, WS_END_REFUSED, 401, 0,
             "{\"error\":{\"code\":\"invalid_api_key\",\"message\":\"Incorrect key: sk-abcd\"}}");
    assert_string_equal(core.message, "");
    fake_put_away(leg, &core, pool);
}

/* --- error events ---------------------------------------------------------------------------- */

static void says(const char *code, const char *type, const char *message, const char *event_id)
{
    char json[1024];

    (void)snprintf(
        json, sizeof(json),
        "{\"type\":\"error\",\"event_id\":\"e\",\"error\":{\"type\":\"%s\",\"code\":%s%s%s,"
        "\"message\":\"%s\",\"param\":null,\"event_id\":%s%s%s}}",
        type, code ? "\"" : "", code ? code : "null", code ? "\"" : "", message,
        event_id ? "\"" : "", event_id ? event_id : "null", event_id ? "\"" : "");
    fake_text(0, json);
}

static void test_a_refused_session_update_ends_the_leg(void **state)
{
    struct provider_leg *leg = opened();

    (void)state;
    fake_open(0);
    fake_text(0, CREATED);
    says("invalid_value", "invalid_request_error", "Invalid voice", "session-1");
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
        says("invalid_value", "invalid_request_error", "bad", NULL);
    assert_int_equal(log_count(LOG_WARN) - warnings, 10);
    assert_int_equal(openai_pool_counts(pool).errors, 1000);
    says("insufficient_quota", "x", "pay", NULL); /* what ends the call is told all the same */
    assert_int_equal(log_count(LOG_ERROR) - errors, 1);
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
        leg = opened();
        fake_open(0);
        says(cases[i].code, cases[i].type, "no", NULL);
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
        says(cases[i].code, cases[i].type, cases[i].message, cases[i].event_id);
        assert_string_equal(core_last(&core), cases[i].told);
    }
    fake_turn();
    assert_false(core.ended);
    assert_int_equal(openai_pool_counts(pool).benign, 5);
    assert_int_equal(openai_pool_counts(pool).errors, 4);
    says("insufficient_quota", "x", "pay", NULL);
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

/* --- the call -------------------------------------------------------------------------------- */

static void test_what_the_call_wants_goes_on_the_wire(void **state)
{
    const struct provider_prompt words = {
        .tag = 7, .exact_words = RD_STR("One moment."), .out_of_band = true};
    const struct provider_prompt more = {.tag = 8, .instructions = RD_STR("Ask when.")};
    const struct audio_span a = {.b64 = "f39/f38=", .n_b64 = 8, .n_bytes = 5};
    struct provider_leg *leg = fake_ready_leg(pool, &core);

    (void)state;
    assert_int_equal(openai_provider.audio(leg, &a), 0);
    assert_string_equal(fake_last(0),
                        "{\"type\":\"input_audio_buffer.append\",\"audio\":\"f39/f38=\"}");
    assert_int_equal(openai_provider.respond(leg, &words), 0);
    assert_non_null(
        strstr(fake_last(0), "\"event_id\":\"aside-7\",\"response\":{\"metadata\":{\"rd\":\"7\"}"));
    assert_non_null(strstr(fake_last(0), "\"conversation\":\"none\""));
    assert_int_equal(openai_provider.respond(leg, &more), 0);
    assert_non_null(strstr(fake_last(0), "\"Be brief.\\n\\nAsk when.\""));
    assert_int_equal(openai_provider.cancel(leg, RD_STR("r1")), 0);
    assert_non_null(strstr(fake_last(0), "\"event_id\":\"cancel-2\",\"response_id\":\"r1\""));
    assert_int_equal(openai_provider.truncate(leg, RD_STR("i1"), 0, 740), 0);
    assert_non_null(strstr(fake_last(0), "\"audio_end_ms\":740"));
    assert_int_equal(openai_provider.tool_result(leg, RD_STR("c1"), RD_STR("{}")), 0);
    assert_non_null(strstr(fake_last(0), "\"call_id\":\"c1\",\"output\":\"{}\""));
    fake_send_fails(RD_EFULL);
    assert_int_equal(openai_provider.audio(leg, &a), RD_EFULL);
    fake_put_away(leg, &core, pool);
}

/* --- which response answers which prompt ------------------------------------------------------ */

#define BARE(type, id, conversation)                             \
    "{\"type\":\"response." type "\",\"response\":{\"id\":\"" id \
    "\",\"status\":\"completed\"" conversation "}}"
#define RESPONSE(type, id, conversation) BARE(type, id, ",\"conversation_id\":" conversation)
#define TAGGED(type, id, conversation, tag) \
    BARE(type, id, ",\"conversation_id\":" conversation ",\"metadata\":{\"rd\":\"" tag "\"}")
#define CONV "\"conv_1\""

#define HEARS(json, line)                            \
    do {                                             \
        fake_text(0, json);                          \
        assert_string_equal(core_last(&core), line); \
    } while (0)

static void ask(struct provider_leg *leg, uint32_t tag)
{
    const struct provider_prompt p = {.tag = tag};

    assert_int_equal(openai_provider.respond(leg, &p), 0);
}

static void ask_aside(struct provider_leg *leg, uint32_t tag)
{
    const struct provider_prompt p = {
        .tag = tag, .exact_words = RD_STR("One moment."), .out_of_band = true};

    assert_int_equal(openai_provider.respond(leg, &p), 0);
}

static void test_a_response_says_which_prompt_it_answers(void **state)
{
    struct provider_leg *leg = fake_ready_leg(pool, &core);

    (void)state;
    ask(leg, 5);
    ask(leg, 6);
    HEARS(TAGGED("created", "r2", CONV, "6"), "response r2 started #6");
    HEARS(TAGGED("created", "r1", CONV, "5"), "response r1 started #5");
    HEARS(TAGGED("done", "r1", CONV, "5"), "response r1 completed #5");
    HEARS(RESPONSE("done", "r2", CONV), "response r2 completed #6"); /* remembered */
    fake_put_away(leg, &core, pool);
}

static void test_the_models_own_turn_takes_no_prompts_place(void **state)
{
    struct provider_leg *leg = fake_ready_leg(pool, &core);

    (void)state;
    ask(leg, 5);
    HEARS(TAGGED("created", "r1", CONV, "5"), "response r1 started #5");
    HEARS(TAGGED("done", "r1", CONV, "5"), "response r1 completed #5");
    ask(leg, 6);
    ask_aside(leg, 7);
    HEARS(RESPONSE("created", "vad", CONV), "response vad started");
    HEARS(RESPONSE("created", "nul", "null"), "response nul started"); /* with a null too many */
    says("conversation_already_has_active_response", "x", "y", "respond-6");
    assert_string_equal(core_last(&core), "error conversation_already_has_active_response busy #6");
    HEARS(RESPONSE("done", "vad", CONV), "response vad completed");
    HEARS(TAGGED("created", "r7", "null", "7"), "response r7 started beside #7");
    fake_put_away(leg, &core, pool);
}

static void test_an_aside_is_known_by_its_tag_whatever_its_conversation(void **state)
{
    struct provider_leg *leg = fake_ready_leg(pool, &core);

    (void)state;
    ask(leg, 5);
    ask_aside(leg, 6);
    HEARS(TAGGED("created", "r6", "\"none\"", "6"), "response r6 started beside #6");
    HEARS(TAGGED("done", "r6", CONV, "6"), "response r6 completed beside #6");
    HEARS(TAGGED("created", "r5", "null", "5"), "response r5 started #5");
    HEARS(TAGGED("done", "r5", "null", "5"), "response r5 completed #5");
    /* Its beginning was never told. */
    ask_aside(leg, 8);
    HEARS(TAGGED("done", "r8", CONV, "8"), "response r8 completed beside #8");
    /* Of one that nobody remembers only its conversation can tell. */
    HEARS(TAGGED("created", "r9", "null", "9"), "response r9 started beside #9");
    fake_put_away(leg, &core, pool);
}

static void test_without_an_echo_the_oldest_prompt_of_its_kind_is_answered(void **state)
{
    struct provider_leg *leg = fake_ready_leg(pool, &core);

    (void)state;
    HEARS(BARE("created", "vad", ""), "response vad started");
    HEARS(BARE("done", "vad", ""), "response vad completed");
    ask(leg, 5);
    ask(leg, 6);
    ask_aside(leg, 7);
    HEARS(RESPONSE("created", "r5", CONV), "response r5 started #5");
    HEARS(RESPONSE("created", "r5", CONV), "response r5 started #5"); /* said twice */
    HEARS(BARE("created", "r7", ""), "response r7 started beside #7");
    HEARS(BARE("created", "r6", ""), "response r6 started #6");
    HEARS(BARE("done", "r7", ",\"metadata\":null"), "response r7 completed beside #7");
    HEARS(BARE("done", "r5", ",\"metadata\":{\"rd\":null}"), "response r5 completed #5");
    HEARS(BARE("done", "r6", ",\"metadata\":{\"rd\":\"six\"}"), "response r6 completed #6");
    HEARS(BARE("done", "r6", ""), "response r6 completed");
    fake_put_away(leg, &core, pool);
}

static void test_a_wrong_guess_is_taken_back(void **state)
{
    struct provider_leg *leg = fake_ready_leg(pool, &core);

    (void)state;
    ask(leg, 5);
    HEARS(RESPONSE("created", "vad", CONV), "response vad started #5");
    says("conversation_already_has_active_response", "x", "y", "respond-5");
    assert_string_equal(core_last(&core), "error conversation_already_has_active_response busy #5");
    HEARS(RESPONSE("done", "vad", CONV), "response vad completed");
    fake_put_away(leg, &core, pool);
}

static void test_only_words_we_asked_for_are_beside_the_conversation(void **state)
{
    struct provider_leg *leg = fake_ready_leg(pool, &core);

    (void)state;
    HEARS(RESPONSE("created", "r1", "null"), "response r1 started"); /* with a null too many */
    ask_aside(leg, 2);
    HEARS(RESPONSE("created", "r2", "null"), "response r2 started beside #2");
    HEARS(RESPONSE("done", "r1", "null"), "response r1 completed");
    HEARS(RESPONSE("done", "r2", CONV), "response r2 completed beside #2");
    HEARS(RESPONSE("done", "r2", "null"), "response r2 completed");
    /* One that failed is not waited for. */
    ask_aside(leg, 3);
    says("invalid_value", "x", "y", "aside-3");
    assert_string_equal(core_last(&core), "error invalid_value #3");
    HEARS(RESPONSE("created", "r3", "null"), "response r3 started");
    fake_put_away(leg, &core, pool);
}

static void test_prompts_that_nobody_answers_do_not_pile_up(void **state)
{
    struct provider_leg *leg = fake_ready_leg(pool, &core);
    char json[256], line[64];

    (void)state;
    for (uint32_t tag = 1; tag <= 40; tag++)
        ask(leg, tag);
    for (unsigned i = 25; i <= 40; i++) { /* the youngest 16 are remembered */
        (void)snprintf(json, sizeof(json), RESPONSE("created", "r%u", CONV), i);
        (void)snprintf(line, sizeof(line), "response r%u started #%u", i, i);
        HEARS(json, line);
    }
    HEARS(RESPONSE("created", "more", CONV), "response more started");
    for (unsigned i = 27; i <= 40; i++) {
        (void)snprintf(json, sizeof(json), RESPONSE("done", "r%u", CONV), i);
        (void)snprintf(line, sizeof(line), "response r%u completed #%u", i, i);
        HEARS(json, line);
    }
    ask(leg, 41);
    ask(leg, 41); /* once more: for one response */
    HEARS(RESPONSE("created", "r41", CONV), "response r41 started #41");
    HEARS(RESPONSE("created", "r42", CONV), "response r42 started");
    fake_put_away(leg, &core, pool);
}

static void test_after_close_only_the_end_is_told(void **state)
{
    const struct audio_span a = {.b64 = "f39/", .n_b64 = 4, .n_bytes = 3};
    struct provider_leg *leg = fake_ready_leg(pool, &core);

    (void)state;
    openai_provider.close(leg);
    assert_int_equal(fake_close_code(0), 1000);
    fake_text(0, "{\"type\":\"response.output_audio.delta\",\"delta\":\"f39/\"}");
    fake_text(0, "{\"type\":\"input_audio_buffer.speech_started\",\"audio_start_ms\":1}");
    fake_text(0, UPDATED);
    says("insufficient_quota", "x", "late", NULL);
    assert_int_equal(openai_provider.audio(leg, &a), RD_ESTATE);
    assert_int_equal(core.n_told, 0);
    fake_turn();
    assert_int_equal(core.n_told, 1);
    assert_string_equal(core_last(&core), "end closed_by_us");
    fake_put_away(leg, &core, pool);
}

static void test_a_leg_that_waits_for_its_peer_is_cut_off(void **state)
{
    struct provider_leg *leg = fake_ready_leg(pool, &core);

    (void)state;
    openai_provider.close(leg);
    assert_false(fake_dropped(0));
    openai_provider.abort(leg);
    assert_true(fake_dropped(0));
    assert_int_equal(core.n_told, 0); /* never from inside */
    fake_turn();
    assert_int_equal(core.n_told, 1);
    assert_string_equal(core_last(&core), "end closed_by_us");
    fake_put_away(leg, &core, pool);
}

static bool is_core(void *arg, const void *leg_arg)
{
    return leg_arg == arg;
}

static bool nobody_is_known(void *arg, const void *leg_arg)
{
    (void)arg;
    (void)leg_arg;
    return false;
}

static void test_a_leg_that_nobody_has_ends_without_telling(void **state)
{
    struct provider_leg *leg = fake_ready_leg(pool, &core);

    (void)state;
    assert_int_equal(openai_pool_legs(pool), 1);
    assert_int_equal(openai_pool_disown(pool, is_core, &core), 0);
    assert_false(fake_dropped(0));
    assert_int_equal(openai_pool_disown(pool, nobody_is_known, NULL), 1);
    assert_true(fake_dropped(0));
    fake_turn();
    assert_int_equal(core.n_told, 0);
    assert_int_equal(openai_pool_legs(pool), 0);
    (void)leg; /* freed */
    fake_put_away(NULL, &core, pool);
}

static void test_a_call_may_close_from_inside_any_event(void **state)
{
    static const struct {
        const char *event, *on;
    } cases[] = {
        {"{\"type\":\"conversation.item.input_audio_transcription.completed\",\"item_id\":\"u\","
         "\"transcript\":\"bye\",\"usage\":{\"type\":\"duration\",\"seconds\":1}}",
         "words"},
        {"{\"type\":\"response.done\",\"response\":{\"id\":\"r\",\"status\":\"failed\",\"status_"
         "details\":"
         "{\"error\":{\"code\":\"insufficient_quota\"}}}}",
         "response"},
        {"{\"type\":\"error\",\"error\":{\"code\":\"invalid_api_key\"}}", "error"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct provider_leg *leg;

        memset(&core, 0, sizeof(core));
        leg = fake_ready_leg(pool, &core);
        core.close_on = cases[i].on;
        fake_text(0, cases[i].event);
        assert_null(core.close_on);
        assert_int_equal(core.n_told, 1);
        fake_turn();
        assert_int_equal(core.n_told, 2);
        assert_true(core.ended);
        fake_put_away(leg, &core, pool);
        pool = fake_pool(0);
    }
    fake_put_away(NULL, &core, pool);
}

static void test_a_leg_outlives_its_pool(void **state)
{
    struct provider_leg *leg = fake_ready_leg(pool, &core);

    (void)state;
    openai_pool_free(pool);
    fake_text(0, "{\"type\":\"never.heard.of\"}");
    fake_text(0, "broken");
    says("invalid_value", "x", "y", NULL);
    assert_string_equal(core_last(&core), "error invalid_value");
    fake_text(0, "{\"type\":\"input_audio_buffer.committed\",\"item_id\":\"u\"}");
    assert_string_equal(core_last(&core), "committed u");
    fake_put_away(leg, &core, NULL);
}

/* --- allocations ----------------------------------------------------------------------------- */

#if defined(__SANITIZE_ADDRESS__)
/* From sanitizer/allocator_interface.h, which gcc does not bring along. */
int __sanitizer_install_malloc_and_free_hooks(void (*on_malloc)(const volatile void *, size_t),
                                              void (*on_free)(const volatile void *));

static unsigned long allocations;

static void on_malloc(const volatile void *p, size_t n)
{
    (void)p, (void)n;
    allocations++;
}

static void on_free(const volatile void *p)
{
    (void)p;
}

/* The fake hands each message over in a fresh block; those are all that may be counted. */
static void test_no_frame_costs_an_allocation(void **state)
{
    static const char *const frames[] = {
        "{\"type\":\"response.output_audio.delta\",\"event_id\":\"event_1\",\"response_id\":\"resp_"
        "1\","
        "\"item_id\":\"item_1\",\"output_index\":0,\"content_index\":0,\"delta\":\"f39/f39/f39/f39/"
        "\"}",
        "{\"type\":\"response.output_audio_transcript.delta\",\"item_id\":\"item_1\","
        "\"delta\":\"caf\\u00e9 \"}",
        "{\"type\":\"conversation.item.input_audio_transcription.delta\",\"item_id\":\"u\","
        "\"delta\":\" I \\\"am\\\"\"}",
        "{\"type\":\"input_audio_buffer.speech_started\",\"audio_start_ms\":1,\"item_id\":\"u\"}",
        "{\"type\":\"input_audio_buffer.speech_stopped\",\"audio_end_ms\":2,\"item_id\":\"u\"}",
    };
    const struct audio_span a = {.b64 = "f39/f39/f39/f39/", .n_b64 = 16, .n_bytes = 12};
    struct provider_leg *leg = fake_ready_leg(pool, &core);
    const unsigned n_frames = sizeof(frames) / sizeof(frames[0]);

    (void)state;
    core.quiet = true;
    fake_keep_messages(false);
    assert_int_equal(__sanitizer_install_malloc_and_free_hooks(on_malloc, on_free) > 0, 1);
    allocations = 0;
    for (unsigned i = 0; i < 10000; i++) {
        fake_text(0, frames[i % n_frames]);
        if (openai_provider.audio(leg, &a))
            fail_msg("append %u failed", i);
    }
    for (unsigned i = 0; i < 10000; i++)
        fake_text(0, frames[0]);
    assert_int_equal(core.n_told, 20000);
    assert_int_equal(core.audio_bytes, 12 * (10000 / n_frames + 10000));
    assert_int_equal(allocations, 20000); /* the fake's own, one per message */
    assert_int_equal(fake_sent_count(0), 10001);
    core.quiet = false;
    fake_put_away(leg, &core, pool);
}
#else
static void test_no_frame_costs_an_allocation(void **state)
{
    (void)state;
    openai_pool_free(pool);
    fake_io_reset();
    skip(); /* counted by the allocator of the address sanitizer, preset dev */
}
#endif

#define T(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_a_leg_is_ready_once_the_session_is_updated),
        T(test_an_agents_own_model_is_asked_for),
        T(test_nothing_is_sent_before_it_is_ready),
        T(test_silence_at_the_start_is_a_lost_leg),
        T(test_a_leg_closed_while_it_dials_just_ends),
        T(test_what_cannot_be_opened_says_so_and_tells_nothing),
        T(test_refusals_and_losses_before_the_start),
        T(test_ends_during_a_call),
        T(test_a_key_never_reaches_message_or_log),
        T(test_a_refused_session_update_ends_the_leg),
        T(test_a_complaint_without_end_is_told_a_few_times_and_counted),
        T(test_errors_while_connecting_decide_the_leg),
        T(test_errors_during_a_call_are_told_apart),
        T(test_a_response_that_fails_for_want_of_quota_ends_the_leg),
        T(test_rate_limits_reach_the_call_and_what_everybody_shares),
        T(test_a_small_account_keeps_less_of_a_conversation),
        T(test_what_the_call_wants_goes_on_the_wire),
        T(test_a_response_says_which_prompt_it_answers),
        T(test_the_models_own_turn_takes_no_prompts_place),
        T(test_an_aside_is_known_by_its_tag_whatever_its_conversation),
        T(test_without_an_echo_the_oldest_prompt_of_its_kind_is_answered),
        T(test_a_wrong_guess_is_taken_back),
        T(test_prompts_that_nobody_answers_do_not_pile_up),
        T(test_only_words_we_asked_for_are_beside_the_conversation),
        T(test_after_close_only_the_end_is_told),
        T(test_a_leg_that_waits_for_its_peer_is_cut_off),
        T(test_a_leg_that_nobody_has_ends_without_telling),
        T(test_a_call_may_close_from_inside_any_event),
        T(test_a_leg_outlives_its_pool),
        T(test_no_frame_costs_an_allocation),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
