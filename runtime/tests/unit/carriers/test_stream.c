/* SPDX-License-Identifier: Apache-2.0 */
/* A call on Twilio Media Streams, told frame by frame. */
#include "base/err.h"
#include "carriers/twilio/frame.h"
#include "carriers/twilio/stream.h"
#include "fake_line.h"
#include "media/base64.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void test_a_call_starts_speaks_and_stops(void **state)
{
    struct line l;

    (void)state;
    line_live(&l);
    assert_string_equal(l.heard.call_sid, "CA77");
    assert_string_equal(l.heard.stream_sid, SID);
    fake_ws_says(l.ws, MEDIA(GOOD));
    assert_int_equal(l.heard.audios, 1);
    assert_string_equal(l.heard.payload, "//8=");
    assert_int_equal(l.heard.n_bytes, 2);
    assert_int_equal(l.heard.at_ms, 20);
    fake_ws_says(l.ws, STOP);
    assert_int_equal(l.heard.ends, 1);
    assert_int_equal(l.ws->close_code, 1000);
    fake_ws_says(l.ws, MEDIA(GOOD));
    assert_int_equal(l.heard.audios, 1);
    line_gone(&l, WS_END_US, LEG_CLOSED_BY_PEER);
}

/* One message as it may follow MEDIA(GOOD), and what the caller's side hears of it. */
static void expect_after_good(const char *message, int audios, uint32_t at_ms, const char *payload)
{
    struct line l;

    line_live(&l);
    fake_ws_says(l.ws, MEDIA(GOOD));
    fake_ws_says(l.ws, message);
    assert_int_equal(l.heard.audios, audios);
    assert_int_equal(l.heard.at_ms, at_ms);
    assert_string_equal(l.heard.payload, payload);
    line_gone(&l, WS_END_PEER, LEG_LOST);
}

#define NEXT(sequence, chunk, at, payload)                                                  \
    "{\"event\":\"media\",\"sequenceNumber\":\"" sequence "\",\"streamSid\":\"" SID         \
    "\",\"media\":{\"track\":\"inbound\",\"chunk\":\"" chunk "\",\"timestamp\":\"" at "\"," \
    "\"payload\":\"" payload "\"}}"

static void test_a_frame_like_the_one_before_is_read_as_it_says(void **state)
{
    (void)state;
    expect_after_good(NEXT("3", "2", "40", "AAAAAAAA"), 2, 40, "AAAAAAAA");
    expect_after_good(NEXT("100003", "100002", "4294967295", "AA=="), 2, 4294967295u, "AA==");
    expect_after_good(NEXT("3", "2", "4294967296", "AAAA"), 1, 20, "//8=");
    expect_after_good(NEXT("03", "2", "40", "AAAA"), 2, 40, "AAAA");
    expect_after_good(NEXT("3", "2", "40", "AAA"), 1, 20, "//8=");
    expect_after_good(NEXT("3", "2", "40", ""), 1, 20, "//8=");
    expect_after_good(NEXT("3", "2", "40", "AA\\/A"), 2, 40, "AA/A");
    expect_after_good(NEXT("3", "2", "4x", "AAAA"), 1, 20, "//8=");
    expect_after_good(NEXT("3", "2", "40", "AAAA\",\"payload\":\"BBBB"), 2, 40, "BBBB");
    expect_after_good(NEXT("3", "2", "40", "AAAA") "}", 1, 20, "//8=");
    expect_after_good(" " NEXT("3", "2", "40", "AAAA") " ", 2, 40, "AAAA");
    expect_after_good(MEDIA("\"payload\":\"AAAA\",\"timestamp\":60,\"track\":\"inbound\""), 2, 60,
                      "AAAA");
}

/* The pattern is whatever came last; a stream that changes its mind is read each time. */
static void test_frames_of_two_shapes_in_turn(void **state)
{
    struct line l;

    (void)state;
    line_live(&l);
    for (int i = 0; i < 3; i++) {
        fake_ws_says(l.ws, NEXT("3", "2", "40", "AAAA"));
        assert_int_equal(l.heard.at_ms, 40);
        fake_ws_says(l.ws, MEDIA("\"timestamp\":\"60\",\"chunk\":\"7\",\"track\":\"inbound\","
                                 "\"payload\":\"BBBB\""));
        assert_int_equal(l.heard.at_ms, 60);
        assert_string_equal(l.heard.payload, "BBBB");
    }
    assert_int_equal(l.heard.audios, 6);
    line_gone(&l, WS_END_PEER, LEG_LOST);
}

static void test_what_we_send_has_exactly_twilios_fields(void **state)
{
    const struct audio_span a = {"AAAA", 4, 3};
    const struct carrier_mark m = {4294967295u, 7, 1600};
    struct line l;

    (void)state;
    line_live(&l);
    assert_int_equal(twilio_carrier.audio(l.leg, &a), 0);
    assert_string_equal(l.ws->sent, "{\"event\":\"media\",\"streamSid\":\"" SID
                                    "\",\"media\":{\"payload\":\"AAAA\"}}");
    assert_int_equal(twilio_carrier.mark(l.leg, &m), 0);
    assert_string_equal(l.ws->sent, "{\"event\":\"mark\",\"streamSid\":\"" SID
                                    "\",\"mark\":{\"name\":\"g4294967295.7.1600\"}}");
    assert_int_equal(twilio_carrier.clear(l.leg), 0);
    assert_string_equal(l.ws->sent, "{\"event\":\"clear\",\"streamSid\":\"" SID "\"}");
    assert_int_equal(l.ws->sends, 3);
    assert_int_equal(twilio_stream_counts(l.leg).frames_out, 1);
    line_gone(&l, WS_END_PEER, LEG_LOST);
}

static void test_nothing_is_sent_before_start_or_after_the_end(void **state)
{
    const struct audio_span a = {"AAAA", 4, 3};
    const struct carrier_mark m = {1, 1, 1};
    struct line l;

    (void)state;
    line_open(&l);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(twilio_carrier.audio(l.leg, &a), RD_ESTATE);
        assert_int_equal(twilio_carrier.mark(l.leg, &m), RD_ESTATE);
        assert_int_equal(twilio_carrier.clear(l.leg), RD_ESTATE);
        fake_ws_says(l.ws, CONNECTED);
    }
    fake_ws_says(l.ws, START);
    twilio_carrier.close(l.leg);
    twilio_carrier.close(l.leg);
    assert_int_equal(twilio_carrier.audio(l.leg, &a), RD_ESTATE);
    assert_int_equal(l.ws->sends, 0);
    assert_int_equal(l.ws->close_code, 1000);
    assert_int_equal(l.heard.ends, 0);
    line_gone(&l, WS_END_US, LEG_CLOSED_BY_US);
}

static void test_a_long_span_is_cut_into_frames_that_join_again(void **state)
{
    enum { BYTES = 100000 };
    char *text = malloc(BASE64_ENCODED(BYTES));
    uint8_t *zeros = calloc(1, BYTES);
    struct audio_span a = {text, BASE64_ENCODED(BYTES), BYTES};
    struct line l;
    size_t n;

    (void)state;
    assert_true(text && zeros);
    base64_encode(text, zeros, BYTES);
    line_live(&l);
    assert_int_equal(twilio_carrier.audio(l.leg, &a), 0);
    assert_int_equal(l.ws->sends, 3);
    n = strlen(l.ws->sent);
    assert_true(n < 65536);
    assert_string_equal(l.ws->sent + n - 5, "==\"}}");
    line_gone(&l, WS_END_PEER, LEG_LOST);
    free(text);
    free(zeros);
}

static void test_a_mark_comes_back_as_the_numbers_it_was_sent_with(void **state)
{
    const struct carrier_mark m = {2, 31, 480};
    struct line l;

    (void)state;
    line_live(&l);
    fake_ws_says(l.ws, MARK("g2.31.480"));
    assert_int_equal(l.heard.marks, 0);
    assert_int_equal(twilio_stream_counts(l.leg).stale_marks, 1);
    twilio_carrier.mark(l.leg, &m);
    fake_ws_says(l.ws, MARK("g2.31.480"));
    assert_int_equal(l.heard.marks, 1);
    assert_int_equal(l.heard.mark.generation, 2);
    assert_int_equal(l.heard.mark.item, 31);
    assert_int_equal(l.heard.mark.bytes, 480);
    line_gone(&l, WS_END_LOST, LEG_LOST);
}

static void test_names_we_never_sent_are_counted_and_dropped(void **state)
{
    static const char *const names[] = {MARK(""),
                                        MARK("r3:1240"),
                                        MARK("g1.2"),
                                        MARK("g1.2.3.4"),
                                        MARK("g1.2.3 "),
                                        MARK("g01.2.3"),
                                        MARK("g-1.2.3"),
                                        MARK("g1..3"),
                                        MARK("G1.2.3"),
                                        MARK("g3.2.3"),
                                        MARK("g1.2.4294967296"),
                                        MARK("g1.2.\\u0033"),
                                        MARK("g1.2.99999999999999999999")};
    const struct carrier_mark m = {2, 1, 1};
    struct line l;

    (void)state;
    line_live(&l);
    twilio_carrier.mark(l.leg, &m);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        fake_ws_says(l.ws, names[i]);
    assert_int_equal(l.heard.marks, 0);
    assert_int_equal(twilio_stream_counts(l.leg).stale_marks, sizeof(names) / sizeof(names[0]));
    line_gone(&l, WS_END_LOST, LEG_LOST);
}

static void test_digits_are_passed_on_and_nothing_else_is(void **state)
{
    static const char good[] = "0123456789*#ABCD";
    struct line l;
    char text[256];

    (void)state;
    line_live(&l);
    for (const char *p = good; *p; p++) {
        snprintf(text, sizeof(text), DTMF("\"%c\""), *p);
        fake_ws_says(l.ws, text);
        assert_int_equal(l.heard.digit, *p);
    }
    assert_int_equal(l.heard.digits, 16);
    fake_ws_says(l.ws, DTMF("\"E\""));
    fake_ws_says(l.ws, DTMF("\"\""));
    fake_ws_says(l.ws, DTMF("\"12\""));
    fake_ws_says(l.ws, DTMF("1"));
    fake_ws_says(l.ws, DTMF("null"));
    assert_int_equal(l.heard.digits, 16);
    assert_int_equal(twilio_stream_counts(l.leg).bad, 5);
    line_gone(&l, WS_END_LOST, LEG_LOST);
}

static void test_numbers_may_be_numbers_and_slashes_escaped(void **state)
{
    struct line l;

    (void)state;
    line_open(&l);
    fake_ws_says(l.ws, CONNECTED);
    fake_ws_says(
        l.ws,
        START_AS("{\"channels\":\"1\",\"sampleRate\":\"8000\",\"encoding\":\"audio/x-mulaw\"}"));
    assert_int_equal(l.heard.starts, 1);
    fake_ws_says(
        l.ws,
        "{\"media\":{\"payload\":\"\\/\\/8=\",\"timestamp\":4294967295,\"track\":\"inbound\"},"
        "\"streamSid\":\"" SID "\",\"sequenceNumber\":2,\"event\":\"media\"}");
    assert_string_equal(l.heard.payload, "//8=");
    assert_int_equal(l.heard.n_bytes, 2);
    assert_int_equal(l.heard.at_ms, UINT32_MAX);
    line_gone(&l, WS_END_LOST, LEG_LOST);
}

static void test_a_bad_payload_is_counted_and_dropped(void **state)
{
    static const char *const bad[] = {
        MEDIA("\"track\":\"inbound\",\"timestamp\":\"1\",\"payload\":\"AAA\""),
        MEDIA("\"track\":\"inbound\",\"timestamp\":\"1\",\"payload\":\"AA AA\""),
        MEDIA("\"track\":\"inbound\",\"timestamp\":\"1\",\"payload\":\"\\u0000AAA\""),
        MEDIA("\"track\":\"inbound\",\"timestamp\":\"1\",\"payload\":\"\""),
        MEDIA("\"track\":\"inbound\",\"timestamp\":\"1\",\"payload\":7"),
        MEDIA("\"track\":\"inbound\",\"timestamp\":\"1\""),
    };
    struct line l;

    (void)state;
    line_live(&l);
    for (size_t i = 0; i < 6; i++)
        fake_ws_says(l.ws, bad[i]);
    assert_int_equal(l.heard.audios, 0);
    assert_int_equal(twilio_stream_counts(l.leg).bad_payloads, 6);
    assert_int_equal(twilio_stream_counts(l.leg).bad, 6);
    fake_ws_says(l.ws, MEDIA(GOOD));
    assert_int_equal(l.heard.audios, 1);
    line_gone(&l, WS_END_LOST, LEG_LOST);
}

static void test_rubbish_is_counted_and_the_call_goes_on(void **state)
{
    static const char *const rubbish[] = {
        "",
        "hello",
        "[]",
        "{\"event\":\"media\"",
        "{\"event\":\"stop\",\"streamSid\":\"" SID "\",\"stop\":{}",
        "{\"event\":\"stop\",\"streamSid\":\"" SID "\",\"stop\":{}}}",
        "{}",
        "{\"event\":7}",
        "{\"event\":\"media\",\"media\":{" GOOD "}}",
        "{\"event\":\"media\",\"streamSid\":\"MZother\",\"media\":{" GOOD "}}",
        "{\"event\":\"applause\",\"streamSid\":\"" SID "\",\"applause\":{}}",
        "{\"event\":\"media\",\"streamSid\":\"" SID "\"}",
        "{\"event\":\"media\",\"streamSid\":\"" SID "\",\"media\":[]}",
        MEDIA("\"track\":\"outbound\",\"timestamp\":\"1\",\"payload\":\"AAAA\""),
        MEDIA("\"track\":\"inbound\",\"timestamp\":\"-1\",\"payload\":\"AAAA\""),
        MEDIA("\"track\":\"inbound\",\"timestamp\":\"4294967296\",\"payload\":\"AAAA\""),
        CONNECTED,
        "{\"event\":\"mark\",\"streamSid\":\"" SID "\",\"mark\":{}}",
    };
    const size_t n = sizeof(rubbish) / sizeof(rubbish[0]);
    struct line l;

    (void)state;
    line_live(&l);
    for (size_t i = 0; i < n; i++) {
        fake_ws_says(l.ws, rubbish[i]);
        assert_int_equal(twilio_stream_counts(l.leg).bad, i + 1);
    }
    assert_int_equal(l.heard.audios + l.heard.marks + l.heard.ends, 0);
    fake_ws_says(l.ws, MEDIA(GOOD));
    assert_int_equal(l.heard.audios, 1);
    line_gone(&l, WS_END_LOST, LEG_LOST);
}

static void test_lost_sequence_numbers_are_counted(void **state)
{
    struct line l;

    (void)state;
    line_live(&l);
    fake_ws_says(l.ws, MEDIA(GOOD)); /* 2 follows 1 */
    assert_int_equal(twilio_stream_counts(l.leg).sequence_gaps, 0);
    fake_ws_says(l.ws, MEDIA(GOOD)); /* 2 again */
    assert_int_equal(twilio_stream_counts(l.leg).sequence_gaps, 1);
    assert_int_equal(l.heard.audios, 2);
    line_gone(&l, WS_END_LOST, LEG_LOST);
}

static void refused(const char *first, const char *second, const char *third)
{
    struct line l;

    line_open(&l);
    fake_ws_says(l.ws, first);
    if (second)
        fake_ws_says(l.ws, second);
    if (third)
        fake_ws_says(l.ws, third);
    assert_int_equal(l.ws->close_code, 1008);
    line_gone(&l, WS_END_US, LEG_PROTOCOL);
}

static void test_a_start_we_cannot_serve_ends_the_leg(void **state)
{
    (void)state;
    refused(START, NULL, NULL);
    refused(CONNECTED, START, START);
    refused(CONNECTED, START_AS("{\"encoding\":\"audio/l16\",\"sampleRate\":8000,\"channels\":1}"),
            NULL);
    refused(CONNECTED,
            START_AS("{\"encoding\":\"audio/x-mulaw\",\"sampleRate\":16000,\"channels\":1}"), NULL);
    refused(CONNECTED,
            START_AS("{\"encoding\":\"audio/x-mulaw\",\"sampleRate\":8000,\"channels\":2}"), NULL);
    refused(CONNECTED, START_AS("{}"), NULL);
    refused(CONNECTED, START_AS("null"), NULL);
    refused(CONNECTED,
            "{\"event\":\"start\",\"streamSid\":\"MZ1\",\"start\":{\"streamSid\":\"MZ2\","
            "\"callSid\":\"CA1\"}}",
            NULL);
    refused(CONNECTED,
            "{\"event\":\"start\",\"streamSid\":\"M\\\"\",\"start\":{\"streamSid\":\"M\\\"\","
            "\"callSid\":\"CA1\"}}",
            NULL);
}

static void test_media_before_start_is_not_heard(void **state)
{
    struct line l;

    (void)state;
    line_open(&l);
    fake_ws_says(l.ws, MEDIA(GOOD));
    fake_ws_says(l.ws, STOP);
    assert_int_equal(l.heard.audios + l.heard.ends, 0);
    assert_int_equal(twilio_stream_counts(l.leg).bad, 2);
    line_gone(&l, WS_END_PROTOCOL, LEG_PROTOCOL);
}

static void test_a_stream_that_never_starts_is_ended(void **state)
{
    struct line l;

    (void)state;
    line_open(&l);
    fake_ws_says(l.ws, CONNECTED);
    fake_timers_advance(4999);
    assert_int_equal(l.heard.ends, 0);
    fake_timers_advance(1);
    assert_int_equal(l.heard.ends, 1);
    line_gone(&l, WS_END_US, LEG_PROTOCOL);
    line_live(&l);
    fake_timers_advance(60000);
    assert_int_equal(l.heard.ends, 0);
    line_gone(&l, WS_END_OVERFLOW, LEG_LOST);
}

static void test_closing_from_inside_on_start_ends_once(void **state)
{
    struct line l;

    (void)state;
    line_open(&l);
    l.heard.close_at_start = l.leg;
    fake_ws_says(l.ws, CONNECTED);
    fake_ws_says(l.ws, START);
    assert_int_equal(l.ws->close_code, 1000);
    fake_ws_says(l.ws, STOP);
    line_gone(&l, WS_END_LOST, LEG_CLOSED_BY_US);
}

static void test_a_call_that_ends_before_its_socket_is_open_closes_it(void **state)
{
    struct ws_accept accept = {0};
    struct line l = {0};

    (void)state;
    l.ws = calloc(1, sizeof(*l.ws));
    assert_int_equal(twilio_stream_new(&l.leg, NULL, &heard_events, &l.heard), 0);
    twilio_stream_accept(l.leg, &accept);
    twilio_carrier.close(l.leg);
    assert_int_equal(l.heard.ends, 0);
    fake_ws_open(l.ws, &accept);
    assert_int_equal(l.ws->close_code, 1000);
    fake_ws_says(l.ws, CONNECTED);
    fake_ws_says(l.ws, START);
    assert_int_equal(l.heard.starts, 0);
    line_gone(&l, WS_END_US, LEG_CLOSED_BY_US);
}

static void test_a_stream_whose_peer_does_not_answer_is_cut_off(void **state)
{
    struct line l;

    (void)state;
    line_live(&l);
    twilio_carrier.close(l.leg);
    assert_false(l.ws->dropped);
    twilio_carrier.abort(l.leg);
    assert_true(l.ws->dropped);
    assert_int_equal(l.heard.ends, 0); /* never from inside */
    line_gone(&l, WS_END_US, LEG_CLOSED_BY_US);
}

static void test_events_can_change_hands(void **state)
{
    struct heard other = {0};
    struct line l;

    (void)state;
    line_live(&l);
    twilio_stream_set_events(l.leg, &heard_events, &other);
    fake_ws_says(l.ws, MEDIA(GOOD));
    assert_int_equal(l.heard.audios, 0);
    assert_int_equal(other.audios, 1);
    fake_ws_closed(l.ws, WS_END_LOST, 0);
    assert_int_equal(l.heard.ends, 0);
    assert_int_equal(other.ends, 1);
    free(l.ws);
}

static void test_a_full_output_is_told(void **state)
{
    const struct audio_span a = {"AAAA", 4, 3};
    struct line l;

    (void)state;
    line_live(&l);
    l.ws->result = RD_EFULL;
    assert_int_equal(twilio_carrier.audio(l.leg, &a), RD_EFULL);
    assert_int_equal(twilio_stream_counts(l.leg).frames_out, 0);
    assert_int_equal(l.heard.ends, 0);
    line_gone(&l, WS_END_OVERFLOW, LEG_LOST);
}

static void test_a_leg_without_socket_is_freed_in_silence(void **state)
{
    struct heard heard = {0};
    struct ws_accept accept = {0};
    struct carrier_leg *leg;

    (void)state;
    assert_int_equal(twilio_stream_new(&leg, NULL, &heard_events, &heard), 0);
    twilio_stream_accept(leg, &accept);
    assert_int_equal(accept.max_message, 65536);
    twilio_stream_free(leg);
    twilio_stream_free(NULL);
    assert_int_equal(heard.ends, 0);
    fake_timers_fail_next(-ENOMEM);
    assert_int_equal(twilio_stream_new(&leg, NULL, &heard_events, &heard), -ENOMEM);
    assert_int_equal(fake_timers_alive(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_call_starts_speaks_and_stops),
        cmocka_unit_test(test_a_frame_like_the_one_before_is_read_as_it_says),
        cmocka_unit_test(test_frames_of_two_shapes_in_turn),
        cmocka_unit_test(test_what_we_send_has_exactly_twilios_fields),
        cmocka_unit_test(test_nothing_is_sent_before_start_or_after_the_end),
        cmocka_unit_test(test_a_long_span_is_cut_into_frames_that_join_again),
        cmocka_unit_test(test_a_mark_comes_back_as_the_numbers_it_was_sent_with),
        cmocka_unit_test(test_names_we_never_sent_are_counted_and_dropped),
        cmocka_unit_test(test_digits_are_passed_on_and_nothing_else_is),
        cmocka_unit_test(test_numbers_may_be_numbers_and_slashes_escaped),
        cmocka_unit_test(test_a_bad_payload_is_counted_and_dropped),
        cmocka_unit_test(test_rubbish_is_counted_and_the_call_goes_on),
        cmocka_unit_test(test_lost_sequence_numbers_are_counted),
        cmocka_unit_test(test_a_start_we_cannot_serve_ends_the_leg),
        cmocka_unit_test(test_media_before_start_is_not_heard),
        cmocka_unit_test(test_a_stream_that_never_starts_is_ended),
        cmocka_unit_test(test_closing_from_inside_on_start_ends_once),
        cmocka_unit_test(test_a_call_that_ends_before_its_socket_is_open_closes_it),
        cmocka_unit_test(test_a_stream_whose_peer_does_not_answer_is_cut_off),
        cmocka_unit_test(test_events_can_change_hands),
        cmocka_unit_test(test_a_full_output_is_told),
        cmocka_unit_test(test_a_leg_without_socket_is_freed_in_silence),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
