/* SPDX-License-Identifier: Apache-2.0 */
/* Whole conversations with the OpenAI double, in virtual time: the order of events, turns found in the
 * audio, interruptions, tools, text. */
#include "fake_openai_talk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void test_the_session_begins_with_defaults_and_takes_an_update(void **state)
{
    struct talk *l = talk_new(state, NULL);
    json_t *created = event_path(l->events[0], "session", NULL), *updated;

    assert_string_equal("session.created", event_type(l->events[0]));
    assert_string_equal(
        "audio/pcm", event_text(event_path(event_path(created, "audio", "input"), "format", NULL),
                                "type", NULL));
    assert_int_equal(200,
                     json_integer_value(event_path(
                         event_path(event_path(created, "audio", "input"), "turn_detection", NULL),
                         "silence_duration_ms", NULL)));
    assert_string_equal("session.updated", event_type(l->events[1]));
    updated = event_path(event_path(l->events[1], "session", "audio"), "input", NULL);
    assert_string_equal("audio/pcmu", event_text(updated, "format", "type"));
    assert_int_equal(
        300, json_integer_value(event_path(updated, "turn_detection", "prefix_padding_ms")));
    assert_int_equal(1795003600,
                     json_integer_value(event_path(l->events[1], "session", "expires_at")));
    talk_free(l);
}

static void test_a_greeting_is_spoken_word_for_word(void **state)
{
    struct talk *l = talk_new(state, NULL);
    static const char *const order[] = {"response.created",
                                        "rate_limits.updated",
                                        "response.output_item.added",
                                        "conversation.item.added",
                                        "response.content_part.added",
                                        "response.output_audio_transcript.delta",
                                        "response.output_audio.delta",
                                        "response.output_audio.done",
                                        "response.output_audio_transcript.done",
                                        "response.content_part.done",
                                        "conversation.item.done",
                                        "response.output_item.done",
                                        "response.done",
                                        NULL};
    json_t *done, *usage;
    uint64_t begun_ms = l->now_ms, bytes;

    talk_client(l, "{\"type\":\"response.create\",\"response\":{\"instructions\":\"Say exactly: "
                   "\\\"Northside Plumbing, how can I help?\\\"\"}}");
    talk_pass(l, 3000);
    talk_expect_order(l, 2, order);
    assert_string_equal("Northside Plumbing, how can I help?",
                        event_text(talk_find(l, 0, "response.output_audio_transcript.done", NULL),
                                   "transcript", NULL));
    done = event_path(talk_find(l, 0, "response.done", NULL), "response", NULL);
    assert_string_equal("completed", event_text(done, "status", NULL));
    bytes = talk_audio_bytes(
        l, event_text(talk_find(l, 0, "response.output_audio.delta", NULL), "item_id", NULL));
    assert_in_range(bytes, 8000, 40000);
    usage = event_path(done, "usage", NULL);
    assert_int_equal(bytes / 8 / 50,
                     json_integer_value(event_path(usage, "output_token_details", "audio_tokens")));
    assert_int_equal(json_integer_value(event_path(usage, "total_tokens", NULL)),
                     json_integer_value(event_path(usage, "input_tokens", NULL)) +
                         json_integer_value(event_path(usage, "output_tokens", NULL)));
    assert_true(l->now_ms - begun_ms >= 90);
    assert_int_equal(0, openai_session_violations(l->session));
    talk_free(l);
}

static void test_a_booking_goes_through_a_tool(void **state)
{
    struct talk *l = talk_new(state, NULL);
    static const char *const turn[] = {"input_audio_buffer.speech_started",
                                       "input_audio_buffer.speech_stopped",
                                       "input_audio_buffer.committed",
                                       "conversation.item.added",
                                       "conversation.item.done",
                                       "response.created",
                                       "response.output_audio.delta",
                                       "response.output_audio.done",
                                       "response.output_item.added",
                                       "response.function_call_arguments.delta",
                                       "response.function_call_arguments.done",
                                       "conversation.item.done",
                                       "response.output_item.done",
                                       "response.done",
                                       NULL};
    json_t *call;
    char event[300];
    size_t at = 0;

    talk_silence(l, 400);
    talk_caller_says(l, talk_replies[0].hears);
    talk_silence(l, 2000);
    talk_expect_order(l, 2, turn);
    assert_string_equal(
        talk_replies[0].hears,
        event_text(talk_find(l, 0, "conversation.item.input_audio_transcription.completed", NULL),
                   "transcript", NULL));
    call = talk_find(l, 0, "response.function_call_arguments.done", NULL);
    assert_string_equal("book_visit", event_text(call, "name", NULL));
    assert_string_equal(talk_replies[0].arguments, event_text(call, "arguments", NULL));
    assert_int_equal(1, talk_count(l, "response.done"));

    snprintf(event, sizeof(event),
             "{\"type\":\"conversation.item.create\",\"item\":{\"type\":\"function_call_output\","
             "\"call_id\":\"%s\",\"output\":\"{\\\"ok\\\":true}\"}}",
             event_text(call, "call_id", NULL));
    talk_client(l, event);
    talk_silence(l, 600);
    assert_int_equal(1, talk_count(l, "response.created")); /* it waits to be asked */
    talk_client(l, "{\"type\":\"response.create\"}");
    talk_silence(l, 2000);
    assert_non_null(talk_find(l, 0, "response.done", &at));
    assert_string_equal(talk_replies[0].then_says,
                        event_text(talk_find(l, at, "response.output_audio_transcript.done", NULL),
                                   "transcript", NULL));
    assert_int_equal(0, openai_session_violations(l->session));
    talk_free(l);
}

static void test_items_are_chained(void **state)
{
    struct talk *l = talk_new(state, NULL);
    const char *last = NULL;

    talk_silence(l, 400);
    talk_caller_says(l, talk_replies[0].hears);
    talk_silence(l, 2500);
    for (size_t i = 0; i < l->n; i++) {
        if (strcmp(event_type(l->events[i]), "conversation.item.added") != 0)
            continue;
        if (last)
            assert_string_equal(last, event_text(l->events[i], "previous_item_id", NULL));
        else
            assert_true(json_is_null(event_path(l->events[i], "previous_item_id", NULL)));
        last = event_text(l->events[i], "item", "id");
    }
    assert_int_equal(3, talk_count(l, "conversation.item.added"));
    talk_free(l);
}

static void test_speech_interrupts_the_answer(void **state)
{
    struct talk *l = talk_new(state, NULL);
    json_t *done, *item;
    char event[256];
    const char *id;
    uint64_t ms;
    size_t at = 0;

    talk_client(
        l, "{\"type\":\"response.create\",\"response\":{\"instructions\":\"Say exactly: "
           "\\\"We are open from nine to five on every day of the week, except for Sunday, when "
           "nobody is here and you would have to leave us a message after the tone. We are open "
           "from nine to five on every day of the week, except for Sunday, when nobody is here "
           "and you would have to leave a message.\\\"\"}}");
    talk_silence(l, 300);
    talk_caller_says(l, talk_replies[1].hears);
    assert_non_null(talk_find(l, 0, "input_audio_buffer.speech_started", &at));
    done = event_path(talk_find(l, at, "response.done", NULL), "response", NULL);
    assert_string_equal("cancelled", event_text(done, "status", NULL));
    assert_string_equal("turn_detected", event_text(done, "status_details", "reason"));
    item = json_array_get(event_path(done, "output", NULL), 0);
    assert_string_equal("incomplete", event_text(item, "status", NULL));
    id = event_text(item, "id", NULL);
    ms = talk_audio_bytes(l, id) / 8;

    snprintf(event, sizeof(event),
             "{\"type\":\"conversation.item.truncate\",\"item_id\":\"%s\",\"content_index\":0,"
             "\"audio_end_ms\":%llu}",
             id, (unsigned long long)ms + 1);
    talk_client(l, event);
    assert_int_equal(1, openai_session_violations(l->session));
    assert_non_null(strstr(event_text(talk_find(l, at, "error", NULL), "error", "message"),
                           "is already shorter than"));
    snprintf(event, sizeof(event),
             "{\"type\":\"conversation.item.truncate\",\"item_id\":\"%s\",\"content_index\":0,"
             "\"audio_end_ms\":%llu}",
             id, (unsigned long long)ms / 2);
    talk_client(l, event);
    assert_int_equal(
        ms / 2, json_integer_value(event_path(talk_find(l, at, "conversation.item.truncated", NULL),
                                              "audio_end_ms", NULL)));
    assert_int_equal(1, openai_session_violations(l->session));
    talk_free(l);
}

static void test_what_is_not_recognised_has_no_transcript(void **state)
{
    struct talk *l = talk_new(state, NULL);

    talk_silence(l, 400);
    talk_caller_says(l, "The quick brown fox jumps over the lazy dog.");
    talk_silence(l, 2000);
    assert_null(talk_find(l, 0, "conversation.item.input_audio_transcription.completed", NULL));
    assert_string_equal(
        "audio_unintelligible",
        event_text(talk_find(l, 0, "conversation.item.input_audio_transcription.failed", NULL),
                   "error", "code"));
    assert_int_equal(1, talk_count(l, "response.done"));
    talk_free(l);
}

/* µ-law sent before the format was agreed is noise at 24 kHz: never a transcript. */
static void test_audio_in_the_wrong_format_is_not_understood(void **state)
{
    struct talk *l = talk_new(state, NULL);

    talk_client(
        l, "{\"type\":\"session.update\",\"session\":{\"type\":\"realtime\",\"audio\":{\"input\":"
           "{\"format\":{\"type\":\"audio/pcm\",\"rate\":24000}}}}}");
    talk_silence(l, 400);
    talk_caller_says(l, talk_replies[0].hears);
    talk_silence(l, 3000);
    assert_int_equal(0, talk_count(l, "conversation.item.input_audio_transcription.completed"));
    talk_free(l);
}

static void test_errors_of_timing_are_no_violations(void **state)
{
    struct talk *l = talk_new(state, NULL);

    talk_client(l, "{\"type\":\"response.cancel\",\"event_id\":\"e7\"}");
    assert_string_equal("response_cancel_not_active", talk_last_error(l));
    assert_string_equal("e7", event_text(talk_find(l, 0, "error", NULL), "error", "event_id"));
    talk_client(l, "{\"type\":\"response.create\",\"response\":{\"instructions\":\"Say exactly: "
                   "\\\"Hello there.\\\"\"}}");
    talk_client(l, "{\"type\":\"response.create\"}");
    assert_string_equal("conversation_already_has_active_response", talk_last_error(l));
    talk_client(l, "{\"type\":\"input_audio_buffer.commit\"}");
    assert_string_equal("input_audio_buffer_commit_empty", talk_last_error(l));
    assert_int_equal(0, openai_session_violations(l->session));
    talk_client(l, "{\"type\":\"response.cancel\"}");
    assert_string_equal(
        "client_cancelled",
        event_text(event_path(event_path(talk_find(l, 0, "response.done", NULL), "response", NULL),
                              "status_details", NULL),
                   "reason", NULL));
    talk_free(l);
}

static void test_wrong_messages_are_violations(void **state)
{
    static const struct {
        const char *event, *code;
    } wrong[] = {
        {"no json", "invalid_event"},
        {"{\"type\":\"input_audio_buffer.append\",\"audio\":\"???\"}", "invalid_value"},
        {"{\"type\":\"conversation.item.delete\",\"item_id\":\"item_x\"}", "item_not_found"},
        {"{\"type\":\"conversation.item.create\",\"item\":{\"type\":\"function_call_output\","
         "\"call_id\":\"call_x\",\"output\":\"\"}}",
         "invalid_tool_call_id"},
        {"{\"type\":\"conversation.item.create\",\"previous_item_id\":\"item_x\",\"item\":{"
         "\"type\":"
         "\"message\",\"role\":\"system\",\"content\":[]}}",
         "invalid_value"},
        {"{\"type\":\"session.update\",\"session\":{\"type\":\"realtime\",\"model\":\"gpt-"
         "realtime\"}"
         "}",
         "invalid_value"},
        {"{\"type\":\"session.update\",\"session\":{\"type\":\"realtime\",\"voice\":\"marin\"}}",
         "unknown_parameter"},
    };
    struct talk *l = talk_new(state, NULL);

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        talk_client(l, wrong[i].event);
        assert_string_equal(wrong[i].code, talk_last_error(l));
        assert_int_equal(i + 1, openai_session_violations(l->session));
    }
    assert_false(l->closed);
    talk_free(l);
}

static void test_the_voice_is_locked_after_the_first_audio(void **state)
{
    static const char other[] = "{\"type\":\"session.update\",\"session\":{\"type\":\"realtime\","
                                "\"audio\":{\"output\":{\"voice\":\"cedar\"}}}}";
    struct talk *l = talk_new(state, NULL);

    talk_client(l, other);
    assert_null(talk_last_error(l));
    talk_client(l, "{\"type\":\"response.create\",\"response\":{\"instructions\":\"Say exactly: "
                   "\\\"Hello.\\\"\"}}");
    talk_pass(l, 2000);
    talk_client(l, CONFIGURE);
    assert_string_equal("cannot_update_voice", talk_last_error(l));
    talk_free(l);
}

static void test_an_answer_beside_the_conversation_leaves_no_trace(void **state)
{
    struct talk *l = talk_new(state, NULL);
    json_t *done;

    talk_client(l, "{\"type\":\"response.create\",\"response\":{\"instructions\":\"Say exactly: "
                   "\\\"Hello there, my friend.\\\"\"}}");
    talk_client(
        l, "{\"type\":\"response.create\",\"response\":{\"conversation\":\"none\",\"input\":[],"
           "\"metadata\":{\"purpose\":\"filler\"},\"instructions\":\"Say exactly: \\\"One "
           "moment.\\\"\"}}");
    talk_pass(l, 4000);
    assert_null(talk_last_error(l));
    assert_int_equal(2, talk_count(l, "response.done"));
    assert_int_equal(1, talk_count(l, "conversation.item.added"));
    done = event_path(talk_find(l, 0, "response.done", NULL), "response", NULL);
    assert_true(json_is_null(event_path(done, "conversation_id", NULL)));
    assert_string_equal("filler", event_text(done, "metadata", "purpose"));
    talk_free(l);
}

static void type(struct talk *l, const char *words)
{
    char event[512];

    (void)snprintf(event, sizeof(event),
                   "{\"type\":\"conversation.item.create\",\"item\":{\"type\":\"message\",\"role\":"
                   "\"user\",\"content\":[{\"type\":\"input_text\",\"text\":\"%s\"}]}}",
                   words);
    talk_client(l, event);
    talk_client(l, "{\"type\":\"response.create\"}");
    talk_pass(l, 1000);
}

/* What was said last, in text. */
static const char *last_words(const struct talk *l)
{
    const char *text = NULL;

    for (size_t i = 0; i < l->n; i++)
        if (strcmp(event_type(l->events[i]), "response.output_text.done") == 0)
            text = event_text(l->events[i], "text", NULL);
    return text;
}

static void test_a_conversation_in_text_follows_the_scenario_or_the_typist(void **state)
{
    struct talk *l = talk_new(state, NULL);
    json_t *call;

    talk_client(l, "{\"type\":\"session.update\",\"session\":{\"type\":\"realtime\","
                   "\"output_modalities\":[\"text\"],\"instructions\":\"x\"}}");
    type(l, "no thanks, GOODBYE");
    assert_string_equal(last_words(l), "Goodbye, and thank you for calling us today.");
    type(l, "How are you?");
    assert_string_equal(last_words(l), "You said: How are you?");
    type(l, "/tool book_visit {\\\"day\\\":\\\"today\\\"}");
    call = talk_find(l, 0, "response.function_call_arguments.done", NULL);
    assert_string_equal(event_text(call, "name", NULL), "book_visit");
    assert_string_equal(event_text(call, "arguments", NULL), "{\"day\":\"today\"}");
    assert_int_equal(0, talk_count(l, "response.output_audio.delta"));
    assert_null(talk_last_error(l));
    talk_free(l);
}

static void test_without_a_detector_the_client_commits(void **state)
{
    struct talk *l = talk_new(state, NULL);

    talk_client(
        l, "{\"type\":\"session.update\",\"session\":{\"type\":\"realtime\",\"audio\":{\"input\":"
           "{\"turn_detection\":null}}}}");
    talk_caller_says(l, talk_replies[1].hears);
    talk_silence(l, 1000);
    assert_int_equal(0, talk_count(l, "input_audio_buffer.speech_started"));
    talk_client(l, "{\"type\":\"input_audio_buffer.commit\"}");
    talk_client(l, "{\"type\":\"response.create\"}");
    talk_pass(l, 3000);
    assert_string_equal(talk_replies[1].says,
                        event_text(talk_find(l, 0, "response.output_audio_transcript.done", NULL),
                                   "transcript", NULL));
    talk_free(l);
}

static void test_a_recording_is_recognised_as_its_words(void **state)
{
    struct talk *l = talk_new(state, NULL);
    struct sound s;

    assert_int_equal(0, sound_load(&s, talk_replies[2].hears_file));
    talk_silence(l, 400);
    for (size_t i = 0; i + TALK_FRAME <= s.n; i += TALK_FRAME)
        talk_append(l, s.pcm + i);
    talk_silence(l, 2000);
    assert_string_equal(
        talk_replies[2].hears,
        event_text(talk_find(l, 0, "conversation.item.input_audio_transcription.completed", NULL),
                   "transcript", NULL));
    sound_fini(&s);
    talk_free(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_session_begins_with_defaults_and_takes_an_update),
        cmocka_unit_test(test_a_greeting_is_spoken_word_for_word),
        cmocka_unit_test(test_a_booking_goes_through_a_tool),
        cmocka_unit_test(test_items_are_chained),
        cmocka_unit_test(test_speech_interrupts_the_answer),
        cmocka_unit_test(test_what_is_not_recognised_has_no_transcript),
        cmocka_unit_test(test_audio_in_the_wrong_format_is_not_understood),
        cmocka_unit_test(test_errors_of_timing_are_no_violations),
        cmocka_unit_test(test_wrong_messages_are_violations),
        cmocka_unit_test(test_the_voice_is_locked_after_the_first_audio),
        cmocka_unit_test(test_an_answer_beside_the_conversation_leaves_no_trace),
        cmocka_unit_test(test_a_conversation_in_text_follows_the_scenario_or_the_typist),
        cmocka_unit_test(test_without_a_detector_the_client_commits),
        cmocka_unit_test(test_a_recording_is_recognised_as_its_words),
    };

    return cmocka_run_group_tests(tests, talk_set_up, talk_tear_down);
}
