/* SPDX-License-Identifier: Apache-2.0 */
/* Records as JSON: each type whole, every one parseable, nothing a caller says breaks out. */
#include "gateway/record_json.h"

#include "base/err.h"
#include "base/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <stdlib.h>

#include <cmocka.h>

static const struct directory_view call = {.sid = "CA5f1d0e7a29b84c36a1e0d9c7b6a59483",
                                           .agent = "northside-plumbing",
                                           .from = "+13125550142",
                                           .to = "+13125550100"};

static const struct provider_usage usage = {.text_in = 1,
                                            .text_in_cached = 2,
                                            .audio_in = 3,
                                            .audio_in_cached = 4,
                                            .text_out = 5,
                                            .audio_out = 6,
                                            .seconds = 1.5};

static bool is_said_before(const struct json_value *root, struct rd_str key, size_t nth)
{
    struct json_value v;
    struct json_iter it;
    struct rd_str k;

    json_iter_init(&it, root);
    for (size_t i = 0; i < nth && json_next(&it, &k, &v); i++)
        if (rd_str_eq(k, key))
            return true;
    return false;
}

/* Whole JSON by our strict reader: each member walked, none there twice: of two PostgreSQL keeps the last. */
static void assert_object(struct rd_str text)
{
    struct json_value root, v;
    struct json_iter it;
    struct rd_str key;
    size_t nth = 0;

    assert_int_equal(json_parse(text, &root), 0);
    assert_int_equal(root.type, JSON_OBJECT);
    json_iter_init(&it, &root);
    while (json_next(&it, &key, &v)) {
        assert_true(v.type != JSON_NULL);
        assert_false(is_said_before(&root, key, nth++));
    }
    assert_int_equal(it.err, 0);
}

static void assert_written(const struct record *r, const char *tail)
{
    static const char head[] = "\"call\":\"CA5f1d0e7a29b84c36a1e0d9c7b6a59483\","
                               "\"agent\":\"northside-plumbing\",\"from\":\"+13125550142\","
                               "\"to\":\"+13125550100\"";
    char expected[2048];
    struct buf out;

    buf_init(&out, 65536);
    assert_int_equal(record_json(&out, &call, r), 0);
    (void)snprintf(expected, sizeof(expected), "{\"type\":\"%s\",\"at_ms\":%u,%s%s}",
                   record_type_name(r->type), (unsigned)r->at_ms, head, tail);
    assert_string_equal(buf_text(&out), expected);
    assert_object((struct rd_str){out.data, out.n});
    buf_fini(&out);
}

static void test_a_state(void **state)
{
    (void)state;
    assert_written(&(struct record){.type = RECORD_STATE, .at_ms = 5, .text = RD_STR("live")},
                   ",\"state\":\"live\"");
}

static void test_a_turn_says_who_what_and_in_which_order(void **state)
{
    (void)state;
    assert_written(&(struct record){.type = RECORD_TURN,
                                    .at_ms = 1200,
                                    .role = PROVIDER_CALLER,
                                    .seq = 3,
                                    .text = RD_STR("My sink leaks")},
                   ",\"role\":\"caller\",\"text\":\"My sink leaks\",\"item\":\"\",\"seq\":3,"
                   "\"interrupted\":false");
    assert_written(
        &(struct record){.type = RECORD_TURN,
                         .role = PROVIDER_AGENT,
                         .seq = 4,
                         .id = RD_STR("item_4"),
                         .text = RD_STR("We are open"),
                         .said = RD_STR("We are open from nine"),
                         .interrupted = true},
        ",\"role\":\"agent\",\"text\":\"We are open\",\"said\":\"We are open from nine\","
        "\"item\":\"item_4\",\"seq\":4,\"interrupted\":true");
}

static void test_a_turn_that_was_waited_for_says_how_long(void **state)
{
    struct record r = {.type = RECORD_TURN,
                       .role = PROVIDER_AGENT,
                       .seq = 2,
                       .id = RD_STR("a"),
                       .text = RD_STR("Hi"),
                       .wait = {.known = true, .stopped_ms = 900, .audio_ms = 700, .tool_ms = 250}};

    (void)state;
    assert_written(&r, ",\"role\":\"agent\",\"text\":\"Hi\",\"item\":\"a\",\"seq\":2,"
                       "\"interrupted\":false,\"caller_stopped_ms\":900,\"first_audio_ms\":700,"
                       "\"tool_ms\":250");
    r.wait.text_ms = 650;
    assert_written(&r, ",\"role\":\"agent\",\"text\":\"Hi\",\"item\":\"a\",\"seq\":2,"
                       "\"interrupted\":false,\"caller_stopped_ms\":900,\"first_audio_ms\":700,"
                       "\"tool_ms\":250,\"first_text_ms\":650");
}

static void test_a_turn_that_is_not_kept_says_why(void **state)
{
    (void)state;
    assert_written(&(struct record){.type = RECORD_TURN,
                                    .role = PROVIDER_CALLER,
                                    .seq = 5,
                                    .text = RD_STR(""),
                                    .withheld = "paused"},
                   ",\"role\":\"caller\",\"text\":\"\",\"withheld\":\"paused\",\"item\":\"\","
                   "\"seq\":5,\"interrupted\":false");
}

static void test_a_notice_and_a_pause(void **state)
{
    (void)state;
    assert_written(&(struct record){.type = RECORD_NOTICE, .text = RD_STR("This is recorded.")},
                   ",\"text\":\"This is recorded.\"");
    assert_written(&(struct record){.type = RECORD_PAUSE, .name = RD_STR("agent"), .on = true},
                   ",\"on\":true,\"by\":\"agent\"");
}

static void test_a_tool_call_and_its_result(void **state)
{
    struct record r = {.type = RECORD_TOOL,
                       .id = RD_STR("call_1"),
                       .name = RD_STR("eta"),
                       .text = RD_STR("{\"zip\":\"60614\"}")};

    (void)state;
    assert_written(&r, ",\"id\":\"call_1\",\"name\":\"eta\","
                       "\"arguments\":\"{\\\"zip\\\":\\\"60614\\\"}\",\"done\":false");
    r.done = true;
    r.text = RD_STR("35");
    assert_written(&r, ",\"id\":\"call_1\",\"name\":\"eta\",\"output\":\"35\",\"done\":true");
}

static void test_a_barge_in_a_key_an_error(void **state)
{
    (void)state;
    assert_written(
        &(struct record){.type = RECORD_BARGE_IN, .id = RD_STR("item_1"), .heard_ms = 400},
        ",\"item\":\"item_1\",\"heard_ms\":400");
    assert_written(&(struct record){.type = RECORD_DTMF, .text = RD_STR("*")}, ",\"digit\":\"*\"");
    assert_written(
        &(struct record){.type = RECORD_ERROR, .name = RD_STR("429"), .text = RD_STR("slow down")},
        ",\"code\":\"429\",\"message\":\"slow down\"");
}

static void test_who_goes_on_for_whom_and_what_vapi_calls_it(void **state)
{
    (void)state;
    assert_written(&(struct record){.type = RECORD_FAILOVER,
                                    .name = RD_STR("openai"),
                                    .id = RD_STR("vapi"),
                                    .text = RD_STR("refused")},
                   ",\"from_system\":\"openai\",\"to_system\":\"vapi\",\"why\":\"refused\"");
    assert_written(
        &(struct record){.type = RECORD_NAMED, .name = RD_STR("vapi"), .id = RD_STR("c-1")},
        ",\"vapi_id\":\"c-1\",\"route\":\"bridge\",\"status\":\"in-progress\","
        "\"seen_by\":\"webhook\"");
}

static void test_what_an_operator_did_and_what_came_of_it(void **state)
{
    struct record transfer = {
        .type = RECORD_TRANSFER, .id = RD_STR("asked"), .name = RD_STR("office")};

    (void)state;
    assert_written(&(struct record){.type = RECORD_OPERATOR,
                                    .id = RD_STR("control socket uid 0"),
                                    .name = RD_STR("whisper"),
                                    .text = RD_STR("Offer a discount.")},
                   ",\"action\":\"whisper\",\"detail\":\"Offer a discount.\","
                   "\"who\":\"control socket uid 0\"");
    assert_written(&transfer, ",\"whom\":\"office\",\"state\":\"asked\"");
    transfer.id = RD_STR("refused");
    transfer.text = RD_STR("nobody is called so");
    assert_written(&transfer, ",\"whom\":\"office\",\"state\":\"refused\","
                              "\"why\":\"nobody is called so\"");
}

static void test_usage_and_the_end_carry_their_numbers(void **state)
{
    static const char numbers[] = ",\"usage\":{\"text_in\":1,\"text_in_cached\":2,\"audio_in\":3,"
                                  "\"audio_in_cached\":4,\"text_out\":5,\"audio_out\":6,"
                                  "\"seconds\":1.500}";
    struct call_totals totals = {.frames_in = 1,
                                 .frames_out = 2,
                                 .gap_ms = 3,
                                 .bad_frames = 4,
                                 .late_deltas = 5,
                                 .turns = 6,
                                 .barge_ins = 7,
                                 .tool_calls = 8,
                                 .errors = 9,
                                 .first_audio_ms = 10,
                                 .duration_ms = 11,
                                 .opening_heard = true,
                                 .usage = usage};
    char tail[1024];

    (void)state;
    (void)snprintf(tail, sizeof(tail), ",\"kind\":\"response\"%s,\"complete\":false", numbers);
    assert_written(&(struct record){.type = RECORD_USAGE, .usage = &usage}, tail);
    (void)snprintf(tail, sizeof(tail),
                   ",\"kind\":\"response\",\"cut_off\":\"max_output_tokens\"%s,\"complete\":false",
                   numbers);
    assert_written(&(struct record){.type = RECORD_USAGE,
                                    .usage = &usage,
                                    .said = RD_STR("max_output_tokens")},
                   tail);
    (void)snprintf(tail, sizeof(tail),
                   ",\"reason\":\"caller_hangup\",\"frames_in\":1,\"frames_out\":2,\"gap_ms\":3,"
                   "\"bad_frames\":4,\"late_deltas\":5,\"turns\":6,\"barge_ins\":7,"
                   "\"tool_calls\":8,\"errors\":9,\"first_audio_ms\":10,\"duration_ms\":11,"
                   "\"opening_heard\":true%s",
                   numbers);
    assert_written(
        &(struct record){.type = RECORD_ENDED, .text = RD_STR("caller_hangup"), .totals = &totals},
        tail);
}

/* What people and models say is data, whatever it looks like. */
static void test_no_words_break_out_of_their_string(void **state)
{
    static const struct rd_str words[] = {
        RD_STR("\"},{\"type\":\"ended\""),
        RD_STR("\\"),
        RD_STR("a\nb\r\tc\0d"),
        RD_STR("\xff\xfe broken \xc3"),
        RD_STR("\xe2\x80\xa8 separators"),
        RD_STR(""),
    };
    struct directory_view odd = {.sid = "CA\"\\\n", .agent = "\"", .from = "\x01", .to = "\xff"};
    struct buf out;

    (void)state;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        struct record r = {.type = RECORD_TURN, .role = PROVIDER_CALLER, .text = words[i]};

        buf_init(&out, 65536);
        assert_int_equal(record_json(&out, &odd, &r), 0);
        assert_object((struct rd_str){out.data, out.n});
        assert_null(memchr(out.data, '\n', out.n));
        buf_fini(&out);
    }
}

/* Whichever there are: all they may carry is set. */
static void test_no_record_has_two_members_of_one_name(void **state)
{
    static const struct call_totals totals = {.turns = 1};
    static const struct recording_fact recording = {
        .node = "one", .path = "recordings/CA1-2.wav", .state = "failed", .why = "disk_cap"};
    struct buf out;

    (void)state;
    for (int type = RECORD_STATE; type <= RECORD_ENDED; type++) {
        struct record r = {.type = (enum record_type)type,
                           .name = RD_STR("openai"),
                           .id = RD_STR("vapi"),
                           .text = RD_STR("{}"),
                           .said = RD_STR("silent"),
                           .withheld = "paused",
                           .usage = &usage,
                           .totals = &totals,
                           .recording = &recording};

        for (int done = 0; done < 2; done++) {
            r.done = done;
            buf_init(&out, 65536);
            assert_int_equal(record_json(&out, &call, &r), 0);
            assert_object((struct rd_str){out.data, out.n});
            buf_fini(&out);
        }
    }
}

static void test_a_record_that_does_not_fit_is_an_error(void **state)
{
    struct record r = {.type = RECORD_STATE, .text = RD_STR("live")};
    struct buf out;

    (void)state;
    for (size_t max = 1; max < 150; max++) {
        buf_init(&out, max);
        assert_int_equal(record_json(&out, &call, &r), RD_EFULL);
        buf_fini(&out);
    }
}

static void test_a_bill_says_what_it_is_for_and_keeps_the_providers_own_words(void **state)
{
    struct provider_usage heard = {.transcription = true, .seconds = 2.4};
    struct record r = {.type = RECORD_USAGE,
                       .usage = &heard,
                       .name = RD_STR("gpt-transcribe"),
                       .text = RD_STR("{\"type\":\"duration\",\"seconds\":2.4}")};

    (void)state;
    r.id = RD_STR("item_4");
    assert_written(&r, ",\"kind\":\"transcription\",\"model\":\"gpt-transcribe\","
                       "\"item\":\"item_4\",\"usage\":{"
                       "\"text_in\":0,\"text_in_cached\":0,\"audio_in\":0,\"audio_in_cached\":0,"
                       "\"text_out\":0,\"audio_out\":0,\"seconds\":2.400},\"complete\":true,"
                       "\"raw\":{\"type\":\"duration\",\"seconds\":2.4}");
    heard.seconds = 0;
    r.id = RD_STR("");
    r.text = RD_STR("{\"type\":\"duration\"}");
    assert_written(&r, ",\"kind\":\"transcription\",\"model\":\"gpt-transcribe\",\"usage\":{"
                       "\"text_in\":0,\"text_in_cached\":0,\"audio_in\":0,\"audio_in_cached\":0,"
                       "\"text_out\":0,\"audio_out\":0,\"seconds\":0.000},\"complete\":false,"
                       "\"raw\":{\"type\":\"duration\"}");
}

static void assert_hides(const struct record *r, const char *shown)
{
    struct buf out;

    buf_init(&out, 65536);
    assert_int_equal(record_json(&out, &call, r), 0);
    assert_object((struct rd_str){out.data, out.n});
    assert_null(strstr(buf_text(&out), "4111"));
    assert_null(strstr(out.data, "123-45"));
    assert_non_null(strstr(out.data, shown));
    buf_fini(&out);
}

static void test_no_card_and_no_key_leaves_the_call(void **state)
{
    static const struct rd_str said = RD_STR("It is 4111 1111 1111 1111, and 123-45-6789.");

    (void)state;
    assert_hides(&(struct record){.type = RECORD_TURN, .text = said, .said = said},
                 "\"text\":\"It is [card], and [ssn].\",\"said\":\"It is [card], and [ssn].\"");
    assert_hides(
        &(struct record){.type = RECORD_TOOL, .text = RD_STR("{\"card\":4111111111111111}")},
        "\"arguments\":\"{\\\"card\\\":\\\"[card]\\\"}\"");
    assert_hides(&(struct record){.type = RECORD_TOOL, .done = true, .text = said},
                 "\"output\":\"It is [card], and [ssn].\"");
    assert_hides(&(struct record){.type = RECORD_TOOL, .name = RD_STR("4111 1111 1111 1111")},
                 "\"name\":\"[card]\"");
    assert_hides(&(struct record){.type = RECORD_ERROR, .text = said},
                 "\"message\":\"It is [card], and [ssn].\"");
    assert_hides(&(struct record){.type = RECORD_DTMF, .text = RD_STR("4111")}, "\"digit\":\"*\"");
}

static void test_a_recording(void **state)
{
    struct recording_fact f = {.node = "one",
                               .path = "recordings/2026/11/26/CA1-2.wav",
                               .bytes = 58,
                               .duration_ms = 4,
                               .paused_ms = 1,
                               .lost_ms = 2,
                               .state = "cut",
                               .why = "disk_cap"};

    (void)state;
    assert_written(&(struct record){.type = RECORD_RECORDING, .recording = &f},
                   ",\"node\":\"one\",\"path\":\"recordings/2026/11/26/CA1-2.wav\",\"bytes\":58,"
                   "\"duration_ms\":4,\"paused_ms\":1,\"lost_ms\":2,"
                   "\"state\":\"cut\",\"why\":\"disk_cap\"");
    f = (struct recording_fact){.node = "one", .path = "", .state = "failed", .why = ""};
    assert_written(&(struct record){.type = RECORD_RECORDING, .recording = &f},
                   ",\"node\":\"one\",\"bytes\":0,\"duration_ms\":0,\"paused_ms\":0,\"lost_ms\":0,"
                   "\"state\":\"failed\"");
}

/* What a record comes to in JSON, and how much of it there is. */
static size_t written_size(const struct record *r, const char *wanted)
{
    struct buf out;
    size_t n;

    buf_init(&out, 1 << 20);
    assert_int_equal(record_json(&out, &call, r), 0);
    assert_non_null(strstr(buf_text(&out), wanted));
    n = out.n;
    buf_fini(&out);
    return n;
}

static void test_words_without_end_are_cut_with_a_mark_and_the_rest_of_the_record_stays(
    void **state)
{
    enum { MUCH = 200000, EVENT_MAX = 64 * 1024 };
    static const char kinds[] = {'x', '"', 1};
    char *words = malloc(MUCH);
    struct record tool = {.type = RECORD_TOOL, .id = RD_STR("call_1"), .done = true};
    struct record turn = {.type = RECORD_TURN, .role = PROVIDER_AGENT};

    (void)state;
    assert_non_null(words);
    for (size_t i = 0; i < sizeof(kinds); i++) {
        memset(words, kinds[i], MUCH);
        tool.text = turn.text = turn.said = (struct rd_str){words, MUCH};
        assert_true(written_size(&tool, "…[cut: 200000 bytes in all]\",\"done\":true") < EVENT_MAX);
        assert_true(written_size(&turn, "…[cut: 200000 bytes in all]\"") < EVENT_MAX);
    }
    free(words);
}

static void test_a_bill_that_no_database_takes_is_incomplete_and_not_lost(void **state)
{
    struct provider_usage none = {.text_in = 5};
    struct record r = {.type = RECORD_USAGE,
                       .usage = &none,
                       .name = RD_STR("m"),
                       .text = RD_STR("{\"x\":\"\\u0000\"}")};

    (void)state;
    (void)written_size(&r, "\"seconds\":0.000},\"complete\":false}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_state),
        cmocka_unit_test(test_a_turn_says_who_what_and_in_which_order),
        cmocka_unit_test(test_a_turn_that_was_waited_for_says_how_long),
        cmocka_unit_test(test_a_turn_that_is_not_kept_says_why),
        cmocka_unit_test(test_a_notice_and_a_pause),
        cmocka_unit_test(test_a_tool_call_and_its_result),
        cmocka_unit_test(test_a_barge_in_a_key_an_error),
        cmocka_unit_test(test_who_goes_on_for_whom_and_what_vapi_calls_it),
        cmocka_unit_test(test_what_an_operator_did_and_what_came_of_it),
        cmocka_unit_test(test_usage_and_the_end_carry_their_numbers),
        cmocka_unit_test(
            test_words_without_end_are_cut_with_a_mark_and_the_rest_of_the_record_stays),
        cmocka_unit_test(test_a_bill_that_no_database_takes_is_incomplete_and_not_lost),
        cmocka_unit_test(test_a_bill_says_what_it_is_for_and_keeps_the_providers_own_words),
        cmocka_unit_test(test_no_words_break_out_of_their_string),
        cmocka_unit_test(test_no_card_and_no_key_leaves_the_call),
        cmocka_unit_test(test_a_recording),
        cmocka_unit_test(test_no_record_has_two_members_of_one_name),
        cmocka_unit_test(test_a_record_that_does_not_fit_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
