/* SPDX-License-Identifier: Apache-2.0 */
/* The OpenAI double misbehaves as it was asked to: late, broken off, closed, refused, limited. */
#include "fake_openai_talk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define TAGGED_HELLO                                                           \
    "{\"type\":\"response.create\",\"response\":{\"metadata\":{\"rd\":\"7\"}," \
    "\"instructions\":\"Say exactly: \\\"Hello.\\\"\"}}"

static void test_metadata_comes_back_unless_it_is_left_out(void **state)
{
    static const char *const pictures[] = {"response.created", "response.done"};
    struct talk *l = talk_new(state, NULL);

    talk_client(l, TAGGED_HELLO);
    talk_pass(l, 4000);
    for (size_t i = 0; i < 2; i++)
        assert_string_equal(
            "7", event_text(event_path(talk_find(l, 0, pictures[i], NULL), "response", NULL),
                            "metadata", "rd"));
    talk_free(l);

    l = talk_new(state, "no-metadata");
    talk_client(l, TAGGED_HELLO);
    talk_pass(l, 4000);
    for (size_t i = 0; i < 2; i++) {
        json_t *event = talk_find(l, 0, pictures[i], NULL);

        assert_non_null(event_path(event, "response", "id"));
        assert_null(event_path(event, "response", "metadata"));
        assert_null(event_path(event, "response", "conversation_id"));
    }
    assert_null(talk_last_error(l));
    talk_free(l);
}

static void test_deltas_come_faster_than_they_play(void **state)
{
    struct talk *l = talk_new(state, NULL);
    uint64_t begun_ms = l->now_ms, bytes;

    talk_client(
        l, "{\"type\":\"response.create\",\"response\":{\"instructions\":\"Say exactly: "
           "\\\"We are open from nine to five on every day of the week, except for Sunday, when "
           "nobody is here and you would have to leave us a message.\\\"\"}}");
    while (!talk_count(l, "response.done") && l->now_ms < begun_ms + 10000)
        talk_pass(l, 10);
    bytes = talk_audio_bytes(
        l, event_text(talk_find(l, 0, "response.output_audio.delta", NULL), "item_id", NULL));
    assert_true(bytes / 8 > 5000);
    assert_true((l->now_ms - begun_ms) * 5 < bytes / 8);
    talk_free(l);
}

static void test_a_late_session_update_comes_two_seconds_late(void **state)
{
    struct talk *l = talk_new(state, "slow");

    talk_pass(l, 1900);
    assert_int_equal(0, talk_count(l, "session.updated"));
    talk_pass(l, 200);
    assert_int_equal(1, talk_count(l, "session.updated"));
    talk_free(l);
    l = talk_new(state, "slow-300ms");
    talk_pass(l, 290);
    assert_int_equal(0, talk_count(l, "session.updated"));
    talk_pass(l, 20);
    assert_int_equal(1, talk_count(l, "session.updated"));
    talk_free(l);
    l = talk_new(state, "stuck");
    talk_pass(l, 60000);
    assert_int_equal(0, talk_count(l, "session.updated"));
    talk_free(l);
}

static void test_connections_end_as_asked(void **state)
{
    static const struct {
        const char *fault;
        int code;
        uint64_t after_ms;
    } ends[] = {{"drop", 0, 5000}, {"drop-700ms", 0, 700}, {"1011", 1011, 5000},
                {"3000", 3000, 0}, {"quota", 1000, 0},     {"expire-100ms", 1001, 100}};

    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        struct talk *l = talk_new(state, ends[i].fault);

        if (ends[i].after_ms) {
            talk_pass(l, ends[i].after_ms - 1);
            assert_false(l->closed);
            talk_pass(l, 1);
        }
        assert_true(l->closed);
        assert_int_equal(ends[i].code, l->close_code);
        talk_free(l);
    }
}

static void test_an_answer_breaks_off_in_the_middle(void **state)
{
    struct talk *l = talk_new(state, "drop-answer");

    talk_silence(l, 400);
    talk_caller_says(l, talk_replies[1].hears);
    talk_silence(l, 2000);
    assert_true(l->closed);
    assert_int_equal(0, l->close_code);
    assert_in_range(talk_count(l, "response.output_audio.delta"), 1, 3);
    assert_int_equal(0, talk_count(l, "response.done"));
    talk_free(l);
}

static void test_late_deltas_follow_a_cancelled_answer(void **state)
{
    struct talk *l = talk_new(state, "late-deltas");
    size_t at = 0;

    talk_client(
        l, "{\"type\":\"response.create\",\"response\":{\"instructions\":\"Say exactly: "
           "\\\"We are open from nine to five on every day of the week, except for Sunday, when "
           "nobody is here and you would have to leave us a message.\\\"\"}}");
    while (talk_count(l, "response.output_audio.delta") < 3)
        talk_pass(l, 10);
    talk_client(l, "{\"type\":\"response.cancel\"}");
    talk_pass(l, 1000);
    assert_non_null(talk_find(l, 0, "response.done", &at));
    assert_non_null(talk_find(l, at, "response.output_audio.delta", NULL));
    talk_free(l);
}

static void test_failures_are_told_in_response_done(void **state)
{
    struct talk *l = talk_new(state, "rate-limit");
    json_t *done;

    talk_client(l, "{\"type\":\"response.create\"}");
    talk_pass(l, 100);
    done = event_path(talk_find(l, 0, "response.done", NULL), "response", NULL);
    assert_string_equal("failed", event_text(done, "status", NULL));
    assert_string_equal("rate_limit_exceeded",
                        event_text(event_path(done, "status_details", "error"), "code", NULL));
    talk_free(l);
}

static void test_limits_are_told_with_every_response(void **state)
{
    struct talk *l = talk_new(state, "low-limits");
    json_t *tokens;

    talk_client(l, "{\"type\":\"response.create\"}");
    talk_pass(l, 100);
    tokens = json_array_get(
        json_object_get(talk_find(l, 0, "rate_limits.updated", NULL), "rate_limits"), 1);
    assert_int_equal(400000, json_integer_value(json_object_get(tokens, "limit")));
    assert_int_equal(1200, json_integer_value(json_object_get(tokens, "remaining")));
    talk_free(l);
}

static void test_silence_nulls_and_unknown_events(void **state)
{
    struct talk *l = talk_new(state, "silent");

    talk_client(l, "{\"type\":\"response.create\"}");
    talk_pass(l, 5000);
    assert_int_equal(0, l->n);
    talk_free(l);

    l = talk_new(state, "null-fields");
    talk_client(l, "{\"type\":\"response.create\"}");
    talk_pass(l, 5000);
    assert_true(
        json_is_null(event_path(talk_find(l, 0, "response.done", NULL), "response", "usage")));
    talk_free(l);

    l = talk_new(state, "unknown-events");
    talk_client(l, "{\"type\":\"response.create\"}");
    talk_pass(l, 5000);
    assert_non_null(talk_find(l, 0, "response.weather.updated", NULL));
    assert_non_null(talk_find(l, 0, "response.done", NULL));
    talk_free(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_metadata_comes_back_unless_it_is_left_out),
        cmocka_unit_test(test_deltas_come_faster_than_they_play),
        cmocka_unit_test(test_a_late_session_update_comes_two_seconds_late),
        cmocka_unit_test(test_connections_end_as_asked),
        cmocka_unit_test(test_an_answer_breaks_off_in_the_middle),
        cmocka_unit_test(test_late_deltas_follow_a_cancelled_answer),
        cmocka_unit_test(test_failures_are_told_in_response_done),
        cmocka_unit_test(test_limits_are_told_with_every_response),
        cmocka_unit_test(test_silence_nulls_and_unknown_events),
    };

    return cmocka_run_group_tests(tests, talk_set_up, talk_tear_down);
}
