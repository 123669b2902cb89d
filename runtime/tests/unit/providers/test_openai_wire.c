/* SPDX-License-Identifier: Apache-2.0 */
/* test_openai_wire.c - what we say to OpenAI, letter by letter. */
#include "providers/openai/wire.h"

#include "base/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>
#include <jansson.h>

static struct buf out;

static int setup(void **state)
{
    (void)state;
    buf_init(&out, 1 << 20);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    buf_fini(&out);
    return 0;
}

static struct brief plumber(void)
{
    return (struct brief){
        .agent = "northside-plumbing",
        .model = "",
        .voice = "marin",
        .instructions = "You answer for \"Northside\".\nBe brief.",
        .language = "en",
        .tools_json = "[{\"name\":\"book_visit\",\"description\":\"Books a visit.\",\"parameters\":"
                      "{\"type\":\"object\",\"properties\":{\"day\":{\"type\":\"string\"}},"
                      "\"required\":[\"day\"]}}]",
        .vad_silence_ms = 600,
        .vad_threshold = 0.45,
    };
}

static void assert_event(const char *expected)
{
    json_t *j = json_loads(buf_text(&out), 0, NULL);

    assert_string_equal(buf_text(&out), expected);
    assert_non_null(j);
    json_decref(j);
}

static void test_a_session_is_described_whole(void **state)
{
    struct brief b = plumber();

    (void)state;
    assert_int_equal(wire_session_update(&out, 1, &b, 20000), 0);
    assert_event(
        "{\"type\":\"session.update\",\"event_id\":\"session-1\",\"session\":{\"type\":"
        "\"realtime\","
        "\"instructions\":\"You answer for \\\"Northside\\\".\\nBe brief.\","
        "\"output_modalities\":[\"audio\"],"
        "\"audio\":{\"input\":{\"format\":{\"type\":\"audio/pcmu\"},"
        "\"transcription\":{\"model\":\"gpt-transcribe\",\"language\":\"en\"},"
        "\"turn_detection\":{\"type\":\"server_vad\",\"threshold\":0.450,\"prefix_padding_ms\":300,"
        "\"silence_duration_ms\":600,\"create_response\":true,\"interrupt_response\":true,"
        "\"idle_timeout_ms\":null}},"
        "\"output\":{\"format\":{\"type\":\"audio/pcmu\"},\"voice\":\"marin\"}},"
        "\"tools\":[{\"type\":\"function\",\"name\":\"book_visit\",\"description\":\"Books a "
        "visit.\","
        "\"parameters\":{\"type\":\"object\",\"properties\":{\"day\":{\"type\":\"string\"}},"
        "\"required\":[\"day\"]}}],\"tool_choice\":\"auto\","
        "\"truncation\":{\"type\":\"retention_ratio\",\"retention_ratio\":0.8,"
        "\"token_limits\":{\"post_instructions\":20000}}}}");
}

static void test_nothing_of_the_beta_shape_is_sent(void **state)
{
    static const char *const gone[] = {
        "modalities\":[\"text",      "input_audio_format", "g711",
        "output_audio_format",       "temperature",        "input_audio_transcription",
        "max_response_output_tokens"};
    struct brief b = plumber();

    (void)state;
    assert_int_equal(wire_session_update(&out, 1, &b, 20000), 0);
    for (size_t i = 0; i < sizeof(gone) / sizeof(gone[0]); i++)
        assert_null(strstr(buf_text(&out), gone[i]));
}

static void test_what_the_agent_leaves_open_gets_a_telephone_default(void **state)
{
    struct brief b = {.instructions = NULL, .tools_json = NULL};

    (void)state;
    assert_int_equal(wire_session_update(&out, 1, &b, 20000), 0);
    assert_non_null(strstr(buf_text(&out), "\"transcription\":{\"model\":\"gpt-transcribe\"}"));
    assert_non_null(strstr(buf_text(&out), "\"threshold\":0.500"));
    assert_non_null(strstr(buf_text(&out), "\"silence_duration_ms\":500"));
    assert_non_null(strstr(buf_text(&out), "\"voice\":\"marin\""));
    assert_non_null(strstr(buf_text(&out), "\"tools\":[]"));
}

static void test_several_languages_and_a_custom_voice(void **state)
{
    struct brief b = plumber();

    (void)state;
    b.language = "en,es,";
    b.voice = "voice_0aB";
    assert_int_equal(wire_session_update(&out, 1, &b, 20000), 0);
    assert_non_null(strstr(buf_text(&out), "\"languages\":[\"en\",\"es\"]}"));
    assert_non_null(strstr(buf_text(&out), "\"voice\":{\"id\":\"voice_0aB\"}"));
}

static void test_tools_nobody_can_call_are_refused(void **state)
{
    static const char *const bad[] = {
        "{",
        "{}",
        "[1]",
        "[{}]",
        "[{\"name\":\"\"}]",
        "[{\"name\":\"two words\"}]",
        "[{\"name\":7}]",
        "[{\"name\":\"a\",\"parameters\":\"x\"}]",
        "[{\"name\":\"a\",\"description\":[]}]",
        "[{\"name\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"}]"};
    struct brief b = plumber();

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        b.tools_json = bad[i];
        assert_int_equal(wire_session_update(&out, 1, &b, 20000), RD_ECONFIG);
    }
}

static void test_the_model_is_asked_to_answer(void **state)
{
    struct provider_prompt p = {.tag = 2};

    (void)state;
    assert_int_equal(wire_respond(&out, &p, RD_STR("Be brief.")), 0);
    assert_event("{\"type\":\"response.create\",\"event_id\":\"respond-2\",\"response\":{"
                 "\"metadata\":{\"rd\":\"2\"}}}");
}

static void test_instructions_for_one_answer_keep_those_of_the_session(void **state)
{
    struct provider_prompt p = {.tag = 3, .instructions = RD_STR("Ask \"when\".")};

    (void)state;
    assert_int_equal(wire_respond(&out, &p, RD_STR("Be brief.")), 0);
    assert_event("{\"type\":\"response.create\",\"event_id\":\"respond-3\",\"response\":{"
                 "\"metadata\":{\"rd\":\"3\"},"
                 "\"instructions\":\"Be brief.\\n\\nAsk \\\"when\\\".\","
                 "\"output_modalities\":[\"audio\"]}}");
}

static void test_exact_words_inside_the_conversation(void **state)
{
    struct provider_prompt p = {.tag = 4, .exact_words = RD_STR("¿En qué puedo ayudar?")};

    (void)state;
    assert_int_equal(wire_respond(&out, &p, RD_STR("Be brief.")), 0);
    assert_event("{\"type\":\"response.create\",\"event_id\":\"respond-4\",\"response\":{"
                 "\"metadata\":{\"rd\":\"4\"},"
                 "\"instructions\":\"" WIRE_SAY_EXACTLY "¿En qué puedo ayudar?" WIRE_SAY_END "\","
                 "\"output_modalities\":[\"audio\"],\"tool_choice\":\"none\"}}");
}

static void test_exact_words_beside_the_conversation(void **state)
{
    struct provider_prompt p = {
        .tag = 4294967295, .exact_words = RD_STR("One moment."), .out_of_band = true};

    (void)state;
    assert_int_equal(wire_respond(&out, &p, RD_STR("Be brief.")), 0);
    assert_event("{\"type\":\"response.create\",\"event_id\":\"aside-4294967295\",\"response\":{"
                 "\"metadata\":{\"rd\":\"4294967295\"},"
                 "\"instructions\":\"" WIRE_SAY_EXACTLY "One moment." WIRE_SAY_END "\","
                 "\"conversation\":\"none\",\"input\":[],"
                 "\"output_modalities\":[\"audio\"],\"tool_choice\":\"none\"}}");
}

static void test_a_tag_is_read_where_it_was_written(void **state)
{
    static const struct {
        const char *event_id;
        uint32_t tag;
    } cases[] = {
        {"respond-7", 7},
        {"aside-4294967295", 4294967295},
        {"respond-4294967296", 0},
        {"respond-", 0},
        {"respond-7x", 0},
        {"respond--7", 0},
        {"aside-0", 0},
        {"truncate-7", 0},
        {"session-1", 0},
        {"", 0},
        {"respond-99999999999999999999999", 0},
        {"xrespond-7", 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(wire_respond_tag(rd_str(cases[i].event_id)), cases[i].tag);
    assert_int_equal(wire_tag(RD_STR("12")), 12);
    assert_int_equal(wire_tag(RD_STR("")), 0);
}

static void test_cancel_truncate_and_tool_results(void **state)
{
    (void)state;
    assert_int_equal(wire_cancel(&out, 6, RD_STR("resp_1")), 0);
    assert_event("{\"type\":\"response.cancel\",\"event_id\":\"cancel-6\","
                 "\"response_id\":\"resp_1\"}");
    assert_int_equal(wire_cancel(&out, 7, RD_STR("")), 0);
    assert_event("{\"type\":\"response.cancel\",\"event_id\":\"cancel-7\"}");
    assert_int_equal(wire_truncate(&out, 8, RD_STR("item_1"), 0, 1480), 0);
    assert_event("{\"type\":\"conversation.item.truncate\",\"event_id\":\"truncate-8\","
                 "\"item_id\":\"item_1\",\"content_index\":0,\"audio_end_ms\":1480}");
    assert_int_equal(wire_tool_result(&out, 9, RD_STR("call_1"), RD_STR("{\"ok\":true}")), 0);
    assert_event("{\"type\":\"conversation.item.create\",\"event_id\":\"result-9\",\"item\":{"
                 "\"type\":\"function_call_output\",\"call_id\":\"call_1\","
                 "\"output\":\"{\\\"ok\\\":true}\"}}");
    assert_int_equal(wire_note(&out, 10, RD_STR("Offer \"half\" the price.")), 0);
    assert_event("{\"type\":\"conversation.item.create\",\"event_id\":\"note-10\",\"item\":{"
                 "\"type\":\"message\",\"role\":\"system\",\"content\":[{\"type\":\"input_text\","
                 "\"text\":\"Offer \\\"half\\\" the price.\"}]}}");
}

static void test_what_does_not_fit_is_an_error(void **state)
{
    struct brief b = plumber();
    struct buf small;

    (void)state;
    buf_init(&small, 100);
    assert_int_equal(wire_session_update(&small, 1, &b, 20000), RD_EFULL);
    buf_fini(&small);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_session_is_described_whole, setup, teardown),
        cmocka_unit_test_setup_teardown(test_nothing_of_the_beta_shape_is_sent, setup, teardown),
        cmocka_unit_test_setup_teardown(test_what_the_agent_leaves_open_gets_a_telephone_default,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(test_several_languages_and_a_custom_voice, setup, teardown),
        cmocka_unit_test_setup_teardown(test_tools_nobody_can_call_are_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(test_the_model_is_asked_to_answer, setup, teardown),
        cmocka_unit_test_setup_teardown(test_instructions_for_one_answer_keep_those_of_the_session,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(test_exact_words_inside_the_conversation, setup, teardown),
        cmocka_unit_test_setup_teardown(test_exact_words_beside_the_conversation, setup, teardown),
        cmocka_unit_test(test_a_tag_is_read_where_it_was_written),
        cmocka_unit_test_setup_teardown(test_cancel_truncate_and_tool_results, setup, teardown),
        cmocka_unit_test_setup_teardown(test_what_does_not_fit_is_an_error, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
