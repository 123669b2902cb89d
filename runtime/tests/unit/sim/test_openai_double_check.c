/* SPDX-License-Identifier: Apache-2.0 */
/* test_openai_double_check.c - which client events the API takes, and what it says of the others. */
#include "sim/openai/check.h"
#include "sim/openai/upgrade.h"

#include "base/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SIXTEEN_PAIRS                                  \
    "\"a\":\"v\",\"b\":\"v\",\"c\":\"v\",\"d\":\"v\""  \
    ",\"e\":\"v\",\"f\":\"v\",\"g\":\"v\",\"h\":\"v\"" \
    ",\"i\":\"v\",\"j\":\"v\",\"k\":\"v\",\"l\":\"v\"" \
    ",\"m\":\"v\",\"n\":\"v\",\"o\":\"v\",\"p\":\"v\""

static int check(const char *text, struct complaint *c)
{
    json_t *event = json_loads(text, 0, NULL);
    int rc;

    assert_non_null(event);
    *c = (struct complaint){0};
    rc = openai_check(event, c);
    json_decref(event);
    return rc;
}

static void test_good_events_pass(void **state)
{
    static const char *const good[] = {
        "{\"type\":\"session.update\",\"event_id\":\"cfg-1\",\"session\":{\"type\":\"realtime\","
        "\"model\":\"gpt-realtime-2.1\",\"instructions\":\"x\",\"output_modalities\":[\"audio\"],"
        "\"audio\":{\"input\":{\"format\":{\"type\":\"audio/pcmu\"},\"transcription\":{\"model\":"
        "\"gpt-transcribe\",\"language\":\"en\",\"keywords\":[\"leak\"]},\"noise_reduction\":{"
        "\"type\":\"near_field\"},\"turn_detection\":{\"type\":\"server_vad\",\"threshold\":0.5,"
        "\"prefix_padding_ms\":300,\"silence_duration_ms\":500,\"create_response\":true,"
        "\"interrupt_response\":true,\"idle_timeout_ms\":null}},\"output\":{\"format\":{\"type\":"
        "\"audio/pcmu\"},\"voice\":\"marin\",\"speed\":1}},\"tools\":[{\"type\":\"function\","
        "\"name\":\"lookup\",\"description\":\"d\",\"parameters\":{\"type\":\"object\"}}],"
        "\"tool_choice\":\"auto\",\"parallel_tool_calls\":true,\"reasoning\":{\"effort\":\"low\"},"
        "\"max_output_tokens\":\"inf\",\"truncation\":{\"type\":\"retention_ratio\","
        "\"retention_ratio\":0.8,\"token_limits\":{\"post_instructions\":8000}},\"tracing\":null,"
        "\"include\":[\"item.input_audio_transcription.logprobs\"]}}",
        "{\"type\":\"session.update\",\"session\":{\"type\":\"realtime\",\"audio\":{\"input\":{"
        "\"transcription\":null,\"noise_reduction\":null,\"turn_detection\":null},\"output\":{"
        "\"voice\":{\"id\":\"voice_1\"}}},\"tool_choice\":{\"type\":\"function\",\"name\":\"a\"}}}",
        "{\"type\":\"input_audio_buffer.append\",\"audio\":\"\"}",
        "{\"type\":\"input_audio_buffer.commit\"}",
        "{\"type\":\"conversation.item.create\",\"previous_item_id\":\"root\",\"item\":{\"type\":"
        "\"message\",\"role\":\"user\",\"content\":[{\"type\":\"input_text\",\"text\":\"hi\"}]}}",
        "{\"type\":\"conversation.item.create\",\"item\":{\"type\":\"function_call_output\","
        "\"call_id\":\"c\",\"output\":\"{}\"}}",
        "{\"type\":\"conversation.item.truncate\",\"item_id\":\"i\",\"content_index\":0,"
        "\"audio_end_ms\":0}",
        "{\"type\":\"response.create\"}",
        "{\"type\":\"response.create\",\"response\":{\"metadata\":{" SIXTEEN_PAIRS "}}}",
        "{\"type\":\"response.create\",\"response\":{\"conversation\":\"none\",\"input\":[],"
        "\"instructions\":\"x\",\"metadata\":{\"a\":\"b\"},\"output_modalities\":[\"audio\"]}}",
        "{\"type\":\"response.cancel\",\"response_id\":\"r\"}",
    };
    struct complaint c;

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        if (check(good[i], &c))
            print_error("%s\n%s\n", good[i], c.message);
        assert_int_equal(0, check(good[i], &c));
    }
}

#define UPDATE(inner) "{\"type\":\"session.update\",\"session\":{\"type\":\"realtime\"," inner "}}"
#define ITEM(inner)   "{\"type\":\"conversation.item.create\",\"item\":{" inner "}}"

static void test_bad_events_are_told_what_is_wrong(void **state)
{
    static const struct {
        const char *event, *code, *param;
    } bad[] = {
        {"[]", "invalid_event", ""},
        {"{}", "missing_required_parameter", "type"},
        {"{\"type\":7}", "invalid_type", "type"},
        {"{\"type\":\"session.upgrade\"}", "invalid_value", "type"},
        {"{\"type\":\"session.update\"}", "missing_required_parameter", "session"},
        {"{\"type\":\"session.update\",\"session\":{}}", "missing_required_parameter",
         "session.type"},
        /* the beta's shape */
        {UPDATE("\"modalities\":[\"audio\"]"), "unknown_parameter", "session.modalities"},
        {UPDATE("\"voice\":\"marin\""), "unknown_parameter", "session.voice"},
        {UPDATE("\"input_audio_format\":\"g711_ulaw\""), "unknown_parameter",
         "session.input_audio_format"},
        {UPDATE("\"turn_detection\":null"), "unknown_parameter", "session.turn_detection"},
        {UPDATE("\"temperature\":0.8"), "unknown_parameter", "session.temperature"},
        {"{\"type\":\"session.update\",\"session\":{\"instructions\":\"x\"}}",
         "missing_required_parameter", "session.type"},
        /* values and types */
        {UPDATE("\"instructions\":null"), "invalid_type", "session.instructions"},
        {UPDATE("\"output_modalities\":[\"audio\",\"text\"]"), "invalid_value",
         "session.output_modalities"},
        {UPDATE("\"audio\":{\"input\":{\"format\":\"pcmu\"}}"), "invalid_type",
         "session.audio.input.format"},
        {UPDATE("\"audio\":{\"input\":{\"format\":{\"type\":\"g711_ulaw\"}}}"), "invalid_value",
         "session.audio.input.format.type"},
        {UPDATE("\"audio\":{\"input\":{\"format\":{\"type\":\"audio/pcmu\",\"rate\":8000}}}"),
         "unknown_parameter", "session.audio.input.format.rate"},
        {UPDATE("\"audio\":{\"input\":{\"format\":{\"type\":\"audio/pcm\",\"rate\":16000}}}"),
         "integer_below_min_value", "session.audio.input.format.rate"},
        {UPDATE("\"audio\":{\"output\":{\"voice\":\"marine\"}}"), "invalid_value",
         "session.audio.output.voice"},
        {UPDATE("\"audio\":{\"input\":{\"turn_detection\":{\"type\":\"semantic_vad\",\"threshold\":"
                "1}}}"),
         "unknown_parameter", "session.audio.input.turn_detection.threshold"},
        {UPDATE("\"audio\":{\"input\":{\"transcription\":{\"model\":\"whisper-1\",\"keywords\":[]}}"
                "}"),
         "invalid_value", "session.audio.input.transcription"},
        {UPDATE("\"tools\":[{\"name\":\"x\"}]"), "missing_required_parameter",
         "session.tools[0].type"},
        {UPDATE("\"tools\":[{\"type\":\"function\",\"name\":\"x\",\"strict\":true}]"),
         "unknown_parameter", "session.tools[0].strict"},
        {UPDATE("\"max_output_tokens\":\"infinite\""), "invalid_value",
         "session.max_output_tokens"},
        {"{\"type\":\"input_audio_buffer.append\"}", "missing_required_parameter", "audio"},
        {"{\"type\":\"input_audio_buffer.append\",\"audio\":\"\",\"x\":1}", "unknown_parameter",
         "x"},
        {ITEM("\"type\":\"message\",\"role\":\"assistant\",\"content\":[{\"type\":\"text\","
              "\"text\":\"x\"}]"),
         "invalid_value", "item.content[0].type"},
        {ITEM("\"type\":\"message\",\"content\":[]"), "missing_required_parameter", "item.role"},
        {ITEM("\"type\":\"function_call_output\",\"call_id\":\"c\",\"output\":{}"), "invalid_type",
         "item.output"},
        {"{\"type\":\"conversation.item.truncate\",\"item_id\":\"i\",\"content_index\":0,"
         "\"audio_end_ms\":1.5}",
         "invalid_type", "audio_end_ms"},
        {"{\"type\":\"conversation.item.truncate\",\"item_id\":\"i\",\"content_index\":0,"
         "\"audio_end_ms\":-1}",
         "integer_below_min_value", "audio_end_ms"},
        {"{\"type\":\"response.create\",\"response\":{\"modalities\":[\"audio\"]}}",
         "unknown_parameter", "response.modalities"},
        {"{\"type\":\"response.create\",\"response\":{\"metadata\":{\"a\":1}}}", "invalid_type",
         "response.metadata"},
        {"{\"type\":\"response.create\",\"response\":{\"metadata\":{" SIXTEEN_PAIRS
         ",\"q\":\"v\"}}}",
         "invalid_value", "response.metadata"},
    };
    struct complaint c;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        int rc = check(bad[i].event, &c);

        if (rc != RD_EPROTO || strcmp(c.code, bad[i].code) != 0)
            print_error("%s\n%d %s %s\n", bad[i].event, rc, c.code, c.message);
        assert_int_equal(RD_EPROTO, rc);
        assert_string_equal(bad[i].code, c.code);
        assert_string_equal(bad[i].param, c.param);
        assert_true(strlen(c.message) > 10);
    }
}

static void test_a_long_event_id_is_refused(void **state)
{
    char event[700];
    struct complaint c;
    int n =
        snprintf(event, sizeof(event), "{\"type\":\"response.create\",\"event_id\":\"%0513d\"}", 0);

    (void)state;
    assert_true(n > 513);
    assert_int_equal(RD_EPROTO, check(event, &c));
    assert_string_equal("string_above_max_length", c.code);
}

static void test_exact_words_are_found(void **state)
{
    static const struct {
        const char *instructions, *words;
    } cases[] = {
        {"Say exactly: \"Hello, this is Northside.\"", "Hello, this is Northside."},
        {"Please say EXACTLY this and nothing else: \"A \\\"quoted\\\" word\\nand more\" now.",
         "A \"quoted\" word\nand more"},
        {"Say exactly: \xe2\x80\x9cGood morning.\xe2\x80\x9d", "Good morning."},
        {"Say exactly: Good morning.\nThen stop.", "Good morning."},
        {"Say exactly: \"\\u00bfqu\\u00e9?\"", "\xc2\xbfqu\xc3\xa9?"},
        {"Be friendly and say \"hello\".", NULL},
        {"exactly", NULL},
        {"exactly \"open", NULL},
        {NULL, NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *words = openai_exact_words(cases[i].instructions);

        if (cases[i].words)
            assert_string_equal(cases[i].words, words);
        else
            assert_null(words);
        free(words);
    }
}

static int knock(const char *target, const char *authorization, const char *beta,
                 struct openai_visit *v)
{
    return openai_upgrade_parts(v, (struct rd_str){target, strcspn(target, "?")}, rd_str(target),
                                rd_str(authorization), rd_str(beta));
}

static void test_the_door_knows_whom_to_let_in(void **state)
{
    struct openai_visit v;

    (void)state;
    assert_int_equal(0, knock("/v1/realtime?model=gpt-realtime-2.1", "Bearer sk-x", NULL, &v));
    assert_string_equal("gpt-realtime-2.1", v.model);
    assert_int_equal(401, knock("/v1/realtime?model=gpt-realtime-2.1", NULL, NULL, &v));
    assert_int_equal(401, knock("/v1/realtime?model=gpt-realtime-2.1", "Basic eA==", NULL, &v));
    assert_int_equal(401, knock("/v1/realtime?model=gpt-realtime-2.1", "Bearer ", NULL, &v));
    assert_int_equal(401,
                     knock("/v1/realtime?model=gpt-realtime-2.1", "Bearer sk-wrong-1", NULL, &v));
    assert_string_equal("invalid_api_key", v.code);
    assert_int_equal(
        400, knock("/v1/realtime?model=gpt-realtime-2.1", "Bearer sk-x", "realtime=v1", &v));
    assert_int_equal(404, knock("/v1/realtime?model=gpt-9", "Bearer sk-x", NULL, &v));
    assert_string_equal("model_not_found", v.code);
    assert_int_equal(400, knock("/v1/realtime?x=1", "Bearer sk-x", NULL, &v));
    assert_int_equal(404, knock("/v1/live?model=gpt-realtime-2.1", "Bearer sk-x", NULL, &v));
}

static void test_faults_are_chosen_by_the_path(void **state)
{
    struct openai_visit v;

    (void)state;
    assert_int_equal(
        0, knock("/fault/drop-1500ms/v1/realtime?model=gpt-realtime-2.1", "Bearer k", NULL, &v));
    assert_int_equal(FAULT_DROP, v.misery.fault);
    assert_int_equal(1500, v.misery.after_ms);
    assert_int_equal(
        0, knock("/fault/late-deltas/v1/realtime?model=gpt-realtime-2.1", "Bearer k", NULL, &v));
    assert_int_equal(FAULT_LATE_DELTAS, v.misery.fault);
    assert_int_equal(429,
                     knock("/fault/429/v1/realtime?model=gpt-realtime-2.1", "Bearer k", NULL, &v));
    assert_string_equal("rate_limit_exceeded", v.code);
    assert_int_equal(
        404, knock("/fault/none-such/v1/realtime?model=gpt-realtime-2.1", "Bearer k", NULL, &v));
    for (const char *const *name = openai_fault_names; *name; name++)
        assert_int_equal(0, openai_fault_parse(&v.misery, *name, strlen(*name)));
}

static void test_a_refusal_is_valid_json(void **state)
{
    struct openai_visit v;
    char body[384];
    json_t *error;
    int n;

    (void)state;
    knock("/v1/realtime?model=nothing", "Bearer k", NULL, &v);
    n = openai_upgrade_error(body, sizeof(body), 404, &v);
    error = json_loadb(body, (size_t)n, 0, NULL);
    assert_string_equal("model_not_found", json_string_value(json_object_get(
                                               json_object_get(error, "error"), "code")));
    json_decref(error);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good_events_pass),
        cmocka_unit_test(test_bad_events_are_told_what_is_wrong),
        cmocka_unit_test(test_a_long_event_id_is_refused),
        cmocka_unit_test(test_exact_words_are_found),
        cmocka_unit_test(test_the_door_knows_whom_to_let_in),
        cmocka_unit_test(test_faults_are_chosen_by_the_path),
        cmocka_unit_test(test_a_refusal_is_valid_json),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
