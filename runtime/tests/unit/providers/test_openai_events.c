/* SPDX-License-Identifier: Apache-2.0 */
/* test_openai_events.c - what OpenAI says, and what the call core is told of it. */
#include "base/err.h"
#include "providers/openai/events.h"
#include "unit/providers/fake_core.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define CORPUS "runtime/tests/fuzz/corpus/openai"

static struct fake_core core;
static struct events events;
static struct openai_counts counts;
static struct {
    unsigned created, updated, errors, failed, limits;
    uint64_t tokens_left;
    char id[128], code[128], message[256], event_id[128];
    uint64_t expires_unix_s;
} session;

static void on_session(void *arg, bool updated, struct rd_str id, uint64_t expires_unix_s)
{
    (void)arg;
    session.created += !updated;
    session.updated += updated;
    session.expires_unix_s = expires_unix_s;
    (void)rd_str_copy(session.id, sizeof(session.id), id);
}

static void keep_error(const struct openai_error *e)
{
    (void)rd_str_copy(session.code, sizeof(session.code), e->code);
    (void)rd_str_copy(session.message, sizeof(session.message), e->message);
    (void)rd_str_copy(session.event_id, sizeof(session.event_id), e->event_id);
}

static void on_error(void *arg, const struct openai_error *e)
{
    (void)arg;
    session.errors++;
    keep_error(e);
}

static void on_failed(void *arg, const struct openai_error *e)
{
    (void)arg;
    session.failed++;
    keep_error(e);
}

static void on_limits(void *arg, const struct provider_limits *l)
{
    (void)arg;
    session.limits++;
    session.tokens_left = l->tokens.remaining;
}

static const struct events_owner owner = {
    .on_session = on_session, .on_error = on_error, .on_limits = on_limits, .on_failed = on_failed};

static int setup(void **state)
{
    (void)state;
    memset(&core, 0, sizeof(core));
    memset(&counts, 0, sizeof(counts));
    memset(&session, 0, sizeof(session));
    assert_int_equal(events_init(&events, &owner, NULL, &counts), 0);
    events.up = &fake_core_events;
    events.up_arg = &core;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    events_fini(&events);
    return 0;
}

/* In a block of its exact size, gone afterwards. */
static int feed(const char *json)
{
    size_t n = strlen(json);
    char *copy = malloc(n ? n : 1);
    int rc;

    assert_non_null(copy);
    for (size_t i = 0; i < n; i++)
        copy[i] = json[i];
    rc = events_feed(&events, (struct rd_str){copy, n});
    free(copy);
    return rc;
}

#define TELLS(json, line)                               \
    do {                                                \
        core_forget(&core);                             \
        assert_int_equal(feed(json), 0);                \
        assert_string_equal(core_last(&core), line);    \
        assert_int_equal(core.n_told, *(line) ? 1 : 0); \
    } while (0)

/* --- each event ------------------------------------------------------------------------------ */

static void test_agent_audio_is_passed_on_as_it_came(void **state)
{
    (void)state;
    TELLS("{\"event_id\":\"e\",\"type\":\"response.output_audio.delta\",\"response_id\":\"resp_1\","
          "\"item_id\":\"item_1\",\"output_index\":0,\"content_index\":1,"
          "\"delta\":\"f39/f39/f38=\",\"obfuscation\":\"x\"}",
          "audio resp_1 item_1 1 8");
    TELLS("{\"type\":\"response.output_audio.done\",\"response_id\":\"resp_1\",\"item_id\":\"item_"
          "1\"}",
          "audio_done resp_1 item_1");
    assert_int_equal(core.audio_bytes, 8);
}

static void test_audio_may_be_written_with_escaped_slashes(void **state)
{
    (void)state;
    TELLS("{\"type\":\"response.output_audio.delta\",\"item_id\":\"i\",\"delta\":\"f39\\/f39\\/\"}",
          "audio  i 0 6");
}

static void test_audio_that_is_no_base64_is_dropped_and_counted(void **state)
{
    static const char *const bad[] = {"abc", "ab!=", "====", "f39/\\u0000AAA", "AAAA\\uD800"};
    char json[200];

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        (void)snprintf(json, sizeof(json),
                       "{\"type\":\"response.output_audio.delta\",\"delta\":\"%s\"}", bad[i]);
        TELLS(json, "");
        assert_int_equal(counts.bad_frames, i + 1);
    }
}

static void test_the_callers_turn(void **state)
{
    (void)state;
    TELLS("{\"type\":\"input_audio_buffer.speech_started\",\"audio_start_ms\":1000,"
          "\"item_id\":\"item_u\"}",
          "started 1000 item_u");
    TELLS("{\"type\":\"input_audio_buffer.speech_stopped\",\"audio_end_ms\":2000,"
          "\"item_id\":\"item_u\"}",
          "stopped 2000 item_u");
    TELLS("{\"type\":\"input_audio_buffer.committed\",\"previous_item_id\":\"a\","
          "\"item_id\":\"item_u\"}",
          "committed item_u");
}

static void test_words_of_both_sides(void **state)
{
    (void)state;
    TELLS("{\"type\":\"response.output_audio_transcript.delta\",\"item_id\":\"i\",\"delta\":\"Hi, "
          "\"}",
          "words agent i \"Hi, \"");
    TELLS("{\"type\":\"response.output_audio_transcript.done\",\"item_id\":\"i\","
          "\"transcript\":\"Hi, you.\"}",
          "words agent i final \"Hi, you.\"");
    TELLS("{\"type\":\"response.output_text.done\",\"item_id\":\"i\",\"text\":\"Hi.\"}",
          "words agent i final \"Hi.\"");
    TELLS("{\"type\":\"conversation.item.input_audio_transcription.delta\",\"item_id\":\"u\","
          "\"delta\":\"I sm\"}",
          "words caller u \"I sm\"");
    TELLS("{\"type\":\"conversation.item.input_audio_transcription.completed\",\"item_id\":\"u\","
          "\"transcript\":\"I smell gas\"}",
          "words caller u final \"I smell gas\"");
    TELLS("{\"type\":\"conversation.item.input_audio_transcription.failed\",\"item_id\":\"u\","
          "\"error\":{\"code\":\"audio_unintelligible\"}}",
          "words caller u failed \"\"");
}

static void test_words_arrive_without_their_escapes(void **state)
{
    (void)state;
    TELLS("{\"type\":\"response.output_audio_transcript.delta\",\"item_id\":\"i\","
          "\"delta\":\"caf\\u00e9 \\\"x\\\" \\ud83d\\ude00\"}",
          "words agent i \"café \"x\" 😀\"");
}

static void test_items_are_placed_once(void **state)
{
    (void)state;
    TELLS("{\"type\":\"conversation.item.added\",\"previous_item_id\":null,\"item\":{\"id\":\"a\","
          "\"type\":\"message\",\"role\":\"user\",\"content\":[{\"type\":\"input_audio\"}]}}",
          "placed a after  as caller");
    TELLS(
        "{\"type\":\"conversation.item.created\",\"previous_item_id\":null,\"item\":{\"id\":\"a\","
        "\"type\":\"message\",\"role\":\"user\"}}",
        "");
    TELLS(
        "{\"type\":\"conversation.item.created\",\"previous_item_id\":\"a\",\"item\":{\"id\":\"b\","
        "\"role\":\"assistant\",\"content\":[{\"type\":\"audio\",\"transcript\":null}]}}",
        "placed b after a as agent");
    TELLS("{\"type\":\"conversation.item.added\",\"previous_item_id\":\"b\",\"item\":{\"id\":\"c\","
          "\"type\":\"function_call\"}}",
          "placed c after b as tool");
    TELLS("{\"type\":\"conversation.item.added\",\"previous_item_id\":\"c\",\"item\":{\"id\":\"d\","
          "\"type\":\"message\",\"role\":\"system\"}}",
          "placed d after c as system");
}

static void test_a_tool_call_with_its_name(void **state)
{
    (void)state;
    TELLS("{\"type\":\"response.function_call_arguments.done\",\"response_id\":\"r\",\"item_id\":"
          "\"f\","
          "\"call_id\":\"call_1\",\"name\":\"book\",\"arguments\":\"{\\\"day\\\":\\\"mon\\\"}\"}",
          "tool call_1 book {\"day\":\"mon\"}");
}

static void test_a_tool_call_without_its_name_is_known_by_its_ids(void **state)
{
    char json[300];

    (void)state;
    for (int i = 0; i < 20; i++) {
        (void)snprintf(json, sizeof(json),
                       "{\"type\":\"response.output_item.added\",\"item\":{\"id\":\"f%d\",\"type\":"
                       "\"function_call\",\"name\":\"tool_%d\",\"call_id\":\"call_%d\"}}",
                       i, i, i);
        TELLS(json, "");
    }
    TELLS("{\"type\":\"response.function_call_arguments.done\",\"item_id\":\"f19\","
          "\"call_id\":\"call_19\",\"name\":null,\"arguments\":\"\"}",
          "tool call_19 tool_19 ");
    TELLS("{\"type\":\"response.function_call_arguments.done\",\"item_id\":\"f15\","
          "\"call_id\":null,\"arguments\":\"{}\"}",
          "tool call_15 tool_15 {}");
    /* Forgotten, because so many were announced: without a name it is still answered. */
    TELLS("{\"type\":\"response.function_call_arguments.done\",\"item_id\":\"f0\","
          "\"call_id\":\"call_0\",\"arguments\":null}",
          "tool call_0  ");
    TELLS("{\"type\":\"response.function_call_arguments.done\",\"arguments\":\"{}\"}", "");
    assert_int_equal(counts.bad_frames, 1);
}

/* --- responses ------------------------------------------------------------------------------- */

static void test_a_response_and_its_bill(void **state)
{
    (void)state;
    TELLS("{\"type\":\"response.created\",\"response\":{\"id\":\"r1\",\"status\":\"in_progress\","
          "\"conversation_id\":\"conv_1\",\"usage\":null,\"status_details\":null}}",
          "response r1 started");
    TELLS("{\"type\":\"response.done\",\"response\":{\"id\":\"r1\",\"status\":\"completed\","
          "\"status_details\":null,\"output\":[],\"conversation_id\":\"conv_1\",\"usage\":{"
          "\"total_tokens\":253,\"input_tokens\":132,\"output_tokens\":121,"
          "\"input_token_details\":{\"text_tokens\":119,\"audio_tokens\":13,\"image_tokens\":0,"
          "\"cached_tokens\":64,\"cached_tokens_details\":{\"text_tokens\":60,\"audio_tokens\":4}},"
          "\"output_token_details\":{\"text_tokens\":30,\"audio_tokens\":91}}}}",
          "response r1 completed");
    assert_int_equal(core.usage.text_in, 119);
    assert_int_equal(core.usage.text_in_cached, 60);
    assert_int_equal(core.usage.audio_in, 13);
    assert_int_equal(core.usage.audio_in_cached, 4);
    assert_int_equal(core.usage.text_out, 30);
    assert_int_equal(core.usage.audio_out, 91);
    assert_memory_equal(core.raw, "{\"total_tokens\":253,", 20);
    assert_string_equal(strrchr(core.raw, ','), ",\"audio_tokens\":91}}");
}

static void test_fixed_words_stand_beside_the_conversation(void **state)
{
    (void)state;
    prompts_asked(&events.prompts, (struct prompt){.tag = 4, .aside = true});
    TELLS("{\"type\":\"response.created\",\"response\":{\"id\":\"r2\",\"conversation_id\":null}}",
          "response r2 started beside #4");
    TELLS("{\"type\":\"response.done\",\"response\":{\"id\":\"r2\",\"status\":\"completed\","
          "\"conversation_id\":null,\"usage\":null}}",
          "response r2 completed beside #4");
    assert_string_equal(core.raw, "");
}

static void test_how_a_response_can_end(void **state)
{
    (void)state;
    TELLS("{\"type\":\"response.done\",\"response\":{\"id\":\"r\",\"status\":\"cancelled\","
          "\"status_details\":{\"type\":\"cancelled\",\"reason\":\"turn_detected\"},"
          "\"conversation_id\":\"c\"}}",
          "response r cancelled turn_detected");
    TELLS("{\"type\":\"response.done\",\"response\":{\"id\":\"r\",\"status\":\"incomplete\","
          "\"status_details\":{\"reason\":\"max_output_tokens\"},\"conversation_id\":\"c\"}}",
          "response r incomplete max_output_tokens");
    assert_int_equal(session.failed, 0);
    TELLS("{\"type\":\"response.done\",\"response\":{\"id\":\"r\",\"status\":\"failed\","
          "\"status_details\":{\"type\":\"failed\",\"error\":{\"type\":\"server_error\","
          "\"code\":null,\"message\":\"try \\\"again\\\"\"}},\"conversation_id\":\"c\"}}",
          "response r failed server_error");
    assert_int_equal(session.failed, 1);
    assert_string_equal(session.message, "try \"again\"");
}

static void test_transcription_is_billed_by_tokens_or_by_seconds(void **state)
{
    (void)state;
    assert_int_equal(
        feed(
            "{\"type\":\"conversation.item.input_audio_transcription.completed\",\"item_id\":\"u\","
            "\"transcript\":\"hey\",\"usage\":{\"type\":\"tokens\",\"total_tokens\":22,"
            "\"input_tokens\":13,\"input_token_details\":{\"text_tokens\":2,\"audio_tokens\":11},"
            "\"output_tokens\":9}}"),
        0);
    assert_string_equal(core_last(&core), "usage");
    assert_int_equal(core.usage.text_in, 2);
    assert_int_equal(core.usage.audio_in, 11);
    assert_int_equal(core.usage.text_out, 9);
    assert_int_equal(
        feed(
            "{\"type\":\"conversation.item.input_audio_transcription.completed\",\"item_id\":\"u\","
            "\"transcript\":\"hey\",\"usage\":{\"type\":\"duration\",\"seconds\":2.4}}"),
        0);
    assert_true(core.usage.seconds > 2.39 && core.usage.seconds < 2.41);
    assert_string_equal(core.raw, "{\"type\":\"duration\",\"seconds\":2.4}");
}

/* --- the session ----------------------------------------------------------------------------- */

static void test_the_session_tells_when_it_will_end(void **state)
{
    (void)state;
    TELLS("{\"type\":\"session.created\",\"session\":{\"type\":\"realtime\",\"id\":\"sess_1\","
          "\"model\":\"m\",\"expires_at\":1756324625,\"include\":null}}",
          "");
    assert_int_equal(session.created, 1);
    assert_string_equal(session.id, "sess_1");
    assert_int_equal(session.expires_unix_s, 1756324625);
}

static void test_an_error_names_what_it_answers(void **state)
{
    (void)state;
    TELLS("{\"type\":\"error\",\"event_id\":\"e\",\"error\":{\"type\":\"invalid_request_error\","
          "\"code\":\"invalid_value\",\"message\":\"no\\nvoice\",\"param\":null,"
          "\"event_id\":\"session-1\"}}",
          "");
    assert_int_equal(session.errors, 1);
    assert_string_equal(session.code, "invalid_value");
    assert_string_equal(session.message, "no\nvoice");
    assert_string_equal(session.event_id, "session-1");
}

/* --- hostile and strange --------------------------------------------------------------------- */

static const char *const types[] = {
    "response.output_audio.delta",
    "response.output_audio_transcript.delta",
    "conversation.item.input_audio_transcription.delta",
    "input_audio_buffer.speech_started",
    "input_audio_buffer.speech_stopped",
    "input_audio_buffer.committed",
    "response.output_audio.done",
    "response.output_audio_transcript.done",
    "conversation.item.added",
    "conversation.item.created",
    "conversation.item.input_audio_transcription.completed",
    "conversation.item.input_audio_transcription.failed",
    "response.created",
    "response.done",
    "response.output_item.added",
    "response.output_text.delta",
    "response.output_text.done",
    "response.function_call_arguments.done",
    "session.created",
    "session.updated",
    "error",
};
static const char *const members[] = {
    "delta",          "response_id",  "item_id",          "content_index", "transcript", "text",
    "audio_start_ms", "audio_end_ms", "previous_item_id", "item",          "call_id",    "name",
    "arguments",      "response",     "session",          "usage",         "error"};

/* Every member of every event is null, or of a type it should not have, or absent. */
static void test_null_and_wrong_types_anywhere_are_as_if_absent(void **state)
{
    static const char *const values[] = {
        "null",
        "7",
        "-1",
        "1e400",
        "true",
        "\"\"",
        "[]",
        "[null]",
        "{}",
        ("{\"id\":null,\"type\":null,\"role\":7,\"status\":{},\"usage\":[],\"error\":null,"
         "\"code\":[],\"message\":null,\"status_details\":null,\"expires_at\":null}"),
        ("{\"status\":\"failed\",\"status_details\":{\"error\":null,\"reason\":null},"
         "\"usage\":{\"input_token_details\":null,\"output_token_details\":{\"text_tokens\":null}}"
         "}"),
        "\"0123456789012345678901234567890123456789012345678901234567890123456789\""};
    char json[8192];

    (void)state;
    for (size_t t = 0; t < sizeof(types) / sizeof(types[0]); t++) {
        (void)snprintf(json, sizeof(json), "{\"type\":\"%s\"}", types[t]);
        assert_int_equal(feed(json), 0);
        for (size_t v = 0; v < sizeof(values) / sizeof(values[0]); v++) {
            size_t at = (size_t)snprintf(json, sizeof(json), "{\"type\":\"%s\"", types[t]);

            for (size_t m = 0; m < sizeof(members) / sizeof(members[0]); m++)
                at += (size_t)snprintf(json + at, sizeof(json) - at, ",\"%s\":%s", members[m],
                                       values[v]);
            (void)snprintf(json + at, sizeof(json) - at, "}");
            core_forget(&core);
            /* 1e400 is fine as long as nobody asks for it. */
            assert_int_equal(feed(json), 0);
        }
    }
    assert_int_equal(counts.unknown_events, 0);
}

static void test_broken_events_are_counted_and_tell_nothing(void **state)
{
    static const char *const broken[] = {
        "",
        " ",
        "null",
        "7",
        "[]",
        "\"x\"",
        "{",
        "{}",
        "{\"type\":null}",
        "{\"type\":7}",
        "{\"type\":\"input_audio_buffer.committed\",\"item_id\":\"x\"",
        "{\"type\":\"input_audio_buffer.committed\",\"item_id\":\"x}",
        "{\"type\":\"input_audio_buffer.committed\" \"item_id\":\"x\"}",
        "{\"type\":\"input_audio_buffer.committed\",\"item_id\":\"x\",}",
        "{\"type\":\"input_audio_buffer.committed\",\"item_id\":\"x\",\"item\":{]}"};

    (void)state;
    for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
        assert_int_equal(feed(broken[i]), RD_EPROTO);
        assert_int_equal(counts.bad_frames, i + 1);
    }
    assert_int_equal(core.n_told, 0);
}

static void test_unknown_events_are_counted(void **state)
{
    (void)state;
    TELLS("{\"type\":\"response.hologram.delta\",\"delta\":\"x\"}", "");
    TELLS("{\"type\":\"\"}", "");
    TELLS("{\"type\":\"response.output_audio.delta\\n\",\"delta\":\"AAAA\"}", "");
    assert_int_equal(counts.unknown_events, 3);
    assert_int_equal(counts.bad_frames, 0);
}

static void test_nobody_is_told_once_the_call_stopped_listening(void **state)
{
    (void)state;
    events.up = NULL;
    for (size_t t = 0; t < sizeof(types) / sizeof(types[0]); t++) {
        char json[200];

        (void)snprintf(json, sizeof(json), "{\"type\":\"%s\",\"delta\":\"AAAA\"}", types[t]);
        assert_int_equal(feed(json), 0);
    }
    assert_int_equal(core.n_told, 0);
    assert_int_equal(session.created, 1); /* the session itself still hears */
    assert_int_equal(session.updated, 1);
    assert_int_equal(session.errors, 1);
}

static unsigned feed_file(const char *path)
{
    char line[65536];
    unsigned n = 0;
    FILE *f = fopen(path, "re");

    assert_non_null(f);
    while (fgets(line, sizeof(line), f)) {
        line[strcspn(line, "\n")] = '\0';
        (void)feed(line);
        n++;
    }
    (void)fclose(f);
    return n;
}

static void test_every_documented_example_is_understood(void **state)
{
    unsigned n = 0, extra_types = 0;
    struct dirent *e;
    char path[600];
    DIR *dir = opendir(CORPUS);

    (void)state;
    assert_non_null(dir);
    while ((e = readdir(dir))) {
        const char *dot = strrchr(e->d_name, '.');

        if (!dot || strcmp(dot, ".json") != 0)
            continue;
        (void)snprintf(path, sizeof(path), CORPUS "/%s", e->d_name);
        n += feed_file(path);
        /* Events of SIP, WebRTC and MCP never reach a leg of ours. */
        extra_types += strstr(e->d_name, "mcp") || strstr(e->d_name, "output_audio_buffer") ||
                       strstr(e->d_name, "dtmf");
    }
    (void)closedir(dir);
    assert_true(n >= 40);
    assert_int_equal(counts.bad_frames, 0);
    assert_int_equal(counts.unknown_events, extra_types);
    assert_true(core_heard(&core, "audio resp_001 msg_008 0 8"));
    assert_true(core_heard(&core, "tool call_001 get_weather {\"location\": \"San Francisco\"}"));
    assert_true(core_heard(&core, "response resp_CCXHw0UJld10EzIUXQCNh completed"));
    assert_true(core_heard(&core, "started 1000 msg_003"));
    assert_true(core_heard(&core, "placed msg_003 after msg_002 as caller"));
    assert_true(core_heard(
        &core, "words caller item_CCXGQ4e1ht4cOraEYcuR2 final \"Hey, can you hear me?\""));
    assert_int_equal(session.created, 1);
    assert_int_equal(session.updated, 1);
    assert_int_equal(session.errors, 1);
}

static void test_rate_limits_are_the_accounts_and_told_even_when_no_call_listens(void **state)
{
    static const char tokens[] = "{\"type\":\"rate_limits.updated\",\"rate_limits\":[{\"name\":"
                                 "\"tokens\",\"limit\":40000,\"remaining\":31250,"
                                 "\"reset_seconds\":13.1}]}";

    (void)state;
    assert_int_equal(feed(tokens), 0);
    assert_int_equal(session.limits, 1);
    assert_int_equal(session.tokens_left, 31250);
    events.up = NULL;
    assert_int_equal(feed(tokens), 0);
    assert_int_equal(session.limits, 2);
    assert_int_equal(feed("{\"type\":\"rate_limits.updated\",\"rate_limits\":null}"), 0);
    assert_int_equal(session.limits, 2);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_agent_audio_is_passed_on_as_it_came),
        T(test_audio_may_be_written_with_escaped_slashes),
        T(test_audio_that_is_no_base64_is_dropped_and_counted),
        T(test_the_callers_turn),
        T(test_words_of_both_sides),
        T(test_words_arrive_without_their_escapes),
        T(test_items_are_placed_once),
        T(test_a_tool_call_with_its_name),
        T(test_a_tool_call_without_its_name_is_known_by_its_ids),
        T(test_a_response_and_its_bill),
        T(test_fixed_words_stand_beside_the_conversation),
        T(test_how_a_response_can_end),
        T(test_transcription_is_billed_by_tokens_or_by_seconds),
        T(test_the_session_tells_when_it_will_end),
        T(test_rate_limits_are_the_accounts_and_told_even_when_no_call_listens),
        T(test_an_error_names_what_it_answers),
        T(test_null_and_wrong_types_anywhere_are_as_if_absent),
        T(test_broken_events_are_counted_and_tell_nothing),
        T(test_unknown_events_are_counted),
        T(test_nobody_is_told_once_the_call_stopped_listening),
        T(test_every_documented_example_is_understood),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
