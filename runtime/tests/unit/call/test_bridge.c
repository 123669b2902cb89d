/* SPDX-License-Identifier: Apache-2.0 */
/* Caller audio on its way to the model: kept, passed on, and continuous. */
#include "call/bridge.h"
#include "fake_call.h"
#include "media/base64.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

struct sink {
    uint8_t bytes[200000];
    uint32_t n, spans;
};

static struct sink sink;
static struct bridge b;

static int on_send(void *arg, const struct audio_span *a)
{
    struct sink *s = arg;
    ssize_t n = base64_decode(s->bytes + s->n, a->b64, a->n_b64);

    assert_int_equal(a->n_bytes, n);
    s->n += (uint32_t)n;
    s->spans++;
    return 0;
}

static int set_up(void **state)
{
    (void)state;
    memset(&sink, 0, sizeof(sink));
    return bridge_init(&b, on_send, &sink);
}

static int tear_down(void **state)
{
    (void)state;
    bridge_fini(&b);
    return 0;
}

/* A frame whose bytes count on from one to the next, so that order and loss show. */
static void frame(uint32_t number, uint32_t at_ms)
{
    char text[BASE64_ENCODED(160)];
    uint8_t bytes[160];

    for (uint32_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)(number * 160 + i);
    bridge_feed(&b,
                &(struct audio_span){.b64 = text,
                                     .n_b64 = base64_encode(text, bytes, sizeof(bytes)),
                                     .n_bytes = 160},
                at_ms);
}

static void assert_counts_on(uint32_t from, uint32_t to)
{
    for (uint32_t i = from; i < to; i++)
        assert_int_equal((uint8_t)i, sink.bytes[i]);
}

static void test_audio_is_kept_until_the_provider_is_ready_and_then_comes_whole_and_in_order(
    void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 250; i++)
        frame(i, i * 20);
    assert_int_equal(0, sink.n);
    bridge_ready(&b);
    assert_int_equal(250 * 160, sink.n);
    frame(250, 5000);
    assert_counts_on(0, 251 * 160);
    assert_int_equal(0, b.lost_bytes);
}

static void test_a_ready_bridge_passes_the_very_span(void **state)
{
    (void)state;
    bridge_ready(&b);
    frame(0, 0);
    frame(1, 20);
    assert_int_equal(2, sink.spans);
    assert_counts_on(0, 320);
}

static void test_a_gap_is_filled_with_silence_of_its_length(void **state)
{
    (void)state;
    bridge_ready(&b);
    frame(0, 0);
    frame(1, 200); /* 180 ms are missing */
    assert_int_equal(320 + 1440, sink.n);
    assert_int_equal(0xFF, sink.bytes[160]);
    assert_int_equal(0xFF, sink.bytes[160 + 1439]);
    assert_int_equal(160, sink.bytes[160 + 1440]);
    assert_int_equal(180, b.gap_ms);
}

static void test_a_gap_is_filled_while_the_provider_connects_too(void **state)
{
    (void)state;
    frame(0, 0);
    frame(1, 60);
    bridge_ready(&b);
    assert_int_equal(320 + 320, sink.n);
    assert_int_equal(0xFF, sink.bytes[200]);
}

static void test_a_clock_that_jumps_far_or_back_is_believed(void **state)
{
    (void)state;
    bridge_ready(&b);
    frame(0, 0);
    frame(1, 3600000);
    frame(2, 10);
    frame(3, 30);
    assert_int_equal(4 * 160, sink.n);
    assert_int_equal(0, b.gap_ms);
}

static void test_silence_sent_on_suspicion_is_not_sent_again_for_the_gap(void **state)
{
    (void)state;
    bridge_ready(&b);
    frame(0, 0);
    bridge_stalled(&b); /* 1 s of silence */
    frame(1, 820);      /* the gap was 800 ms */
    assert_int_equal(320 + 8000, sink.n);
    frame(2, 1240); /* 400 ms more, of which 200 ms are paid */
    assert_int_equal(480 + 8000 + 1600, sink.n);
}

static void test_more_than_the_ring_holds_drops_the_oldest_and_says_so(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 1000; i++)
        frame(i, i * 20);
    assert_int_equal((1000 - BRIDGE_KEEP) * 160, b.lost_bytes);
    bridge_ready(&b);
    assert_int_equal(BRIDGE_KEEP * 160, sink.n);
    assert_int_equal((uint8_t)(1000 * 160 - 1), sink.bytes[sink.n - 1]);
}

static void test_what_nobody_understood_is_heard_by_the_next_session_and_nothing_else_is(
    void **state)
{
    (void)state;
    bridge_ready(&b);
    for (uint32_t i = 0; i < 200; i++)
        frame(i, i * 20);
    bridge_keep_all(&b); /* speech, as it turns out, since 3.5 s */
    bridge_let_go(&b, bridge_place(&b, 3500));
    for (uint32_t i = 200; i < 500; i++)
        frame(i, i * 20);
    bridge_lost(&b);
    for (uint32_t i = 500; i < 600; i++)
        frame(i, i * 20);
    sink.n = 0;
    bridge_ready(&b);
    assert_int_equal(12000 * 8 - 3500 * 8, sink.n);
    assert_int_equal((uint8_t)(3500 * 8), sink.bytes[0]);
    assert_int_equal((uint8_t)(600 * 160 - 1), sink.bytes[sink.n - 1]);
    assert_int_equal(bridge_place(&b, 0), 3500 * 8);
    assert_int_equal(b.lost_bytes, 0);
    bridge_let_go(&b, bridge_place(&b, 8000)); /* the next one has words for 8 s of it */
    bridge_lost(&b);
    sink.n = 0;
    bridge_ready(&b);
    assert_int_equal(12000 * 8 - 11500 * 8, sink.n);
}

static void test_while_nobody_speaks_two_seconds_are_kept(void **state)
{
    (void)state;
    bridge_ready(&b);
    for (uint32_t i = 0; i < 500; i++)
        frame(i, i * 20);
    bridge_lost(&b);
    sink.n = 0;
    bridge_ready(&b);
    assert_int_equal(BRIDGE_RECENT * 160, sink.n);
    assert_int_equal((uint8_t)(500 * 160 - 1), sink.bytes[sink.n - 1]);
}

static void test_a_call_costs_the_memory_of_its_longest_sentence(void **state)
{
    const struct bridge_piece *pieces = b.pieces;

    (void)state;
    bridge_ready(&b);
    for (uint32_t i = 0; i < 1000; i++)
        frame(i, i * 20);
    assert_int_equal(b.n_touched, BRIDGE_RECENT);
    sink.n = 0;
    for (uint32_t turn = 0; turn < 3; turn++) { /* 6 s, and 1 s until there are words for them */
        bridge_keep_all(&b);
        for (uint32_t i = 0; i < 350; i++)
            frame(i, 20000 + turn * 7000 + i * 20);
        bridge_let_go(&b, b.end - 50 * 160);
        bridge_keep_recent(&b);
    }
    assert_in_range(b.n_touched, 350, BRIDGE_RECENT + 350);
    assert_ptr_equal(b.pieces, pieces);
}

static void test_a_long_frame_is_kept_in_pieces_and_a_short_one_as_it_is(void **state)
{
    static const uint32_t lengths[] = {1000, 80, 162, 163, 1};
    uint8_t bytes[1000];
    char text[BASE64_ENCODED(1000)];

    (void)state;
    for (uint32_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)i;
    for (uint32_t i = 0; i < 5; i++)
        bridge_feed(&b,
                    &(struct audio_span){.b64 = text,
                                         .n_b64 = base64_encode(text, bytes, lengths[i]),
                                         .n_bytes = lengths[i]},
                    0);
    assert_int_equal(b.n, 7 + 1 + 1 + 2 + 1);
    bridge_ready(&b);
    assert_int_equal(sink.n, 1406);
    assert_counts_on(0, 1000);
    for (uint32_t i = 1; i < 5; i++)
        assert_int_equal(sink.bytes[1000 + (i > 1) * 80 + (i > 2) * 162 + (i > 3) * 163], 0);
}

static void test_a_place_within_a_piece_keeps_all_of_it(void **state)
{
    (void)state;
    bridge_ready(&b);
    for (uint32_t i = 0; i < 10; i++)
        frame(i, i * 20);
    bridge_let_go(&b, 3 * 160 + 1);
    bridge_lost(&b);
    sink.n = 0;
    bridge_ready(&b);
    assert_int_equal(sink.n, 7 * 160);
    bridge_let_go(&b, 1 << 20); /* a session that counts wrongly: there is no more than all */
    assert_int_equal(b.n, 0);
    frame(10, 200);
    assert_int_equal(b.n, 1);
}

static void test_a_caller_who_is_muted_is_silence_of_the_same_length_now_and_later(void **state)
{
    (void)state;
    bridge_ready(&b);
    bridge_mute(&b, true);
    for (uint32_t i = 0; i < 10; i++)
        frame(i, i * 20);
    bridge_mute(&b, false);
    frame(10, 200);
    for (int again = 0; again < 2; again++) {
        assert_int_equal(sink.n, 11 * 160);
        for (uint32_t i = 0; i < 10 * 160; i++)
            assert_int_equal(sink.bytes[i], 0xFF);
        assert_int_equal(sink.bytes[10 * 160], (uint8_t)(10 * 160));
        bridge_lost(&b);
        sink.n = 0;
        bridge_ready(&b);
    }
}

#define STORY(s) cmocka_unit_test_setup_teardown(s, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(test_audio_is_kept_until_the_provider_is_ready_and_then_comes_whole_and_in_order),
        STORY(test_a_ready_bridge_passes_the_very_span),
        STORY(test_a_gap_is_filled_with_silence_of_its_length),
        STORY(test_a_gap_is_filled_while_the_provider_connects_too),
        STORY(test_a_clock_that_jumps_far_or_back_is_believed),
        STORY(test_silence_sent_on_suspicion_is_not_sent_again_for_the_gap),
        STORY(test_what_nobody_understood_is_heard_by_the_next_session_and_nothing_else_is),
        STORY(test_while_nobody_speaks_two_seconds_are_kept),
        STORY(test_a_call_costs_the_memory_of_its_longest_sentence),
        STORY(test_a_long_frame_is_kept_in_pieces_and_a_short_one_as_it_is),
        STORY(test_a_place_within_a_piece_keeps_all_of_it),
        STORY(test_a_caller_who_is_muted_is_silence_of_the_same_length_now_and_later),
        STORY(test_more_than_the_ring_holds_drops_the_oldest_and_says_so),
    };

    return cmocka_run_group_tests_name("bridge", tests, NULL, NULL);
}
