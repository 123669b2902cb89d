/* SPDX-License-Identifier: Apache-2.0 */
/* test_load_figures.c - what a load run says of frames: how late, which of them, and of which calls;
 * and the frames of WebSocket that it reads and writes by itself. */
#include "sim/load/figures.h"

#include "base/err.h"
#include "sim/load/load.h"
#include "sim/load/wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* --- histograms --- */

static void quantiles_are_within_a_step(void **state)
{
    struct load_histogram *h = calloc(1, sizeof(*h));

    (void)state;
    for (uint32_t us = 1; us <= 100000; us++)
        load_observe(h, us);
    for (int q = 1; q < 1000; q++) {
        double exact = 100.0 * q, told = load_quantile_us(h, q / 1000.0);

        assert_true(told >= exact && told <= exact * 1.016 + 1);
    }
    assert_int_equal(100000, load_quantile_us(h, 1));
    assert_int_equal(100000, h->max_us);
    free(h);
}

static void short_delays_are_told_to_the_microsecond(void **state)
{
    struct load_histogram *h = calloc(1, sizeof(*h));

    (void)state;
    assert_int_equal(0, load_quantile_us(h, 0.99));
    for (unsigned i = 0; i < 99; i++)
        load_observe(h, 37);
    load_observe(h, 120);
    assert_int_equal(37, load_quantile_us(h, 0.5));
    assert_int_equal(37, load_quantile_us(h, 0.98));
    assert_int_equal(120, load_quantile_us(h, 0.999));
    free(h);
}

static void a_delay_of_hours_is_kept_in_the_last_bucket(void **state)
{
    struct load_histogram *h = calloc(1, sizeof(*h));

    (void)state;
    load_observe(h, 1ull << 62);
    load_observe(h, UINT64_MAX);
    assert_int_equal(2, h->counts[LOAD_BUCKETS - 1]);
    assert_int_equal(UINT32_MAX, load_quantile_us(h, 0.5));
    for (unsigned i = 1; i < LOAD_BUCKETS; i++)
        assert_true(load_bucket_us(i) > load_bucket_us(i - 1));
    free(h);
}

/* --- stamps --- */

static void a_stamp_comes_back_as_it_was(void **state)
{
    struct load_stamp in = {4000, 7, 123456789, 0x123456789abcdef0}, out = {0};
    char text[LOAD_STAMP_CHARS];
    uint8_t bytes[LOAD_STAMP_BYTES];

    (void)state;
    load_stamp_write(text, &in);
    assert_true(load_stamp_read(text, &out));
    assert_memory_equal(&in, &out, sizeof(in));
    assert_int_equal(sizeof(bytes), load_base64_read(bytes, sizeof(bytes), text, sizeof(text)));
    assert_true(load_stamp_read_bytes(bytes, &out));
    text[3] ^= 1;
    text[0] = '!';
    assert_false(load_stamp_read(text, &out));
    memset(text, '/', sizeof(text));
    assert_false(load_stamp_read(text, &out));
}

/* --- the account --- */

static struct load_order saw(const uint32_t *seqs, size_t n, uint32_t sent)
{
    struct load_order o = {0};

    for (size_t i = 0; i < n; i++)
        load_order_see(&o, seqs[i]);
    load_order_end(&o, sent);
    return o;
}

#define SAW(sent, ...) \
    saw((const uint32_t[]){__VA_ARGS__}, sizeof((const uint32_t[]){__VA_ARGS__}) / 4, sent)

static void check(struct load_order o, unsigned arrived, unsigned lost, unsigned doubled,
                  unsigned late)
{
    assert_int_equal(arrived, o.arrived);
    assert_int_equal(lost, o.lost);
    assert_int_equal(doubled, o.duplicated);
    assert_int_equal(late, o.reordered);
}

static void each_thing_that_can_happen_to_a_frame_is_seen(void **state)
{
    (void)state;
    check(SAW(5, 0, 1, 2, 3, 4), 5, 0, 0, 0);
    check(SAW(5, 0, 1, 3, 4), 4, 1, 0, 0);       /* lost */
    check(SAW(5, 2, 3), 2, 3, 0, 0);             /* at both ends */
    check(SAW(5, 0, 1, 1, 2, 3, 4), 5, 0, 1, 0); /* doubled */
    check(SAW(5, 0, 2, 1, 3, 4), 5, 0, 0, 1);    /* out of order */
    check(SAW(5, 0, 2, 1, 1, 4), 4, 1, 1, 1);    /* all at once */
    check(SAW(200, 0, 199, 1), 2, 198, 1, 0);    /* too late to be known */
}

static void what_a_barge_in_cut_off_is_not_lost(void **state)
{
    struct load_order o = {0}, sum = {0};

    (void)state;
    load_order_see(&o, 0);
    load_order_forgive(&o, 3); /* 1 and 2 were cut off */
    load_order_see(&o, 3);
    load_order_see(&o, 5);
    load_order_end(&o, 6);
    check(o, 3, 1, 0, 0);
    load_order_add(&sum, &o);
    load_order_add(&sum, &o);
    check(sum, 6, 2, 0, 0);
}

/* --- mixes --- */

static void a_mix_is_read(void **state)
{
    struct load_mix m;
    unsigned n[LOAD_PROFILES] = {0};

    (void)state;
    assert_int_equal(0, load_mix_read(&m, "talk=60,listen=20,barge=10,tool=10"));
    for (unsigned i = 0; i < 100; i++)
        n[load_mix_of(&m, i)]++;
    assert_in_range(n[LOAD_TALK], 58, 62);
    assert_in_range(n[LOAD_LISTEN], 18, 22);
    assert_in_range(n[LOAD_BARGE], 8, 12);
    assert_in_range(n[LOAD_TOOL], 8, 12);
    assert_int_equal(0, n[LOAD_PASS]);
    assert_int_equal(0, load_mix_read(&m, "pass"));
    for (unsigned i = 0; i < 100; i++)
        assert_int_equal(LOAD_PASS, load_mix_of(&m, i));
    assert_int_equal(0, load_mix_read(&m, "talk,pass=1"));
}

static void what_is_no_mix_is_refused(void **state)
{
    static const char *const broken[] = {"",          "talk=",        "talk=x",    "sing",
                                         "talk,,",    "talk=1,",      "talk=-1",   "talk=0",
                                         "talk=2000", "talk=1talk=1", "talk,talk", "=1"};
    struct load_mix m;

    (void)state;
    for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++)
        assert_int_equal(RD_EPROTO, load_mix_read(&m, broken[i]));
}

/* --- WebSocket --- */

static void a_frame_is_read_when_it_is_whole(void **state)
{
    static const size_t sizes[] = {0, 5, 125, 126, 400, 5000};
    static char bytes[WIRE_HEADER_MAX + 5000];
    struct wire_message m;

    (void)state;
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
        for (int client = 0; client < 2; client++) {
            char *payload = bytes + WIRE_HEADER_MAX;
            size_t head, all;

            memset(payload, 'x', sizes[i]);
            head = wire_ws_header(payload, sizes[i], 1, client);
            all = head + sizes[i];
            for (size_t n = 0; n < all; n++)
                assert_int_equal(0, wire_ws_read(payload - head, n, &m));
            assert_int_equal(all, wire_ws_read(payload - head, all, &m));
            assert_int_equal(1, m.op);
            assert_int_equal(sizes[i], m.n);
            assert_ptr_equal(payload, m.p);
        }
}

static void a_mask_is_taken_off(void **state)
{
    char frame[] = "\x81\x8b" /* text, masked, 11 */
                   "\x01\x02\x03\x04"
                   "igohn\"tksng";
    struct wire_message m;

    (void)state;
    assert_int_equal(sizeof(frame) - 1, wire_ws_read(frame, sizeof(frame) - 1, &m));
    assert_int_equal(11, m.n);
    assert_memory_equal("hello world", m.p, 11);
    frame[1] = '\xff'; /* a length that no frame has */
    memset(frame + 2, 0xff, 8);
    assert_int_equal(0, wire_ws_read(frame, sizeof(frame) - 1, &m));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(quantiles_are_within_a_step),
        cmocka_unit_test(short_delays_are_told_to_the_microsecond),
        cmocka_unit_test(a_delay_of_hours_is_kept_in_the_last_bucket),
        cmocka_unit_test(a_stamp_comes_back_as_it_was),
        cmocka_unit_test(each_thing_that_can_happen_to_a_frame_is_seen),
        cmocka_unit_test(what_a_barge_in_cut_off_is_not_lost),
        cmocka_unit_test(a_mix_is_read),
        cmocka_unit_test(what_is_no_mix_is_refused),
        cmocka_unit_test(a_frame_is_read_when_it_is_whole),
        cmocka_unit_test(a_mask_is_taken_off),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
