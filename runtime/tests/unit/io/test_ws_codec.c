/* SPDX-License-Identifier: Apache-2.0 */
/* The WebSocket codec without sockets: RFC 6455's own examples, every way to cut a stream, and all
 * that a peer may not do. */
#include "base/err.h"
#include "io/ws_codec.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MAX = 1 << 20 };

/* Decodes all of it, in pieces of `step` bytes, into a transcript like "T:Hello P: C1000:bye". */
static int transcript(char *out, size_t cap, bool server, const void *wire, size_t n, size_t step)
{
    struct ws_decoder d;
    size_t at = 0, used = 0;
    int rc = 0;

    ws_decoder_init(&d, server, MAX);
    out[0] = '\0';
    while (at < n && rc >= 0) {
        size_t len = n - at < step ? n - at : step;
        char *piece = malloc(len), *p = piece; /* its own block, so that ASan sees every overrun */
        size_t left = len;
        struct ws_event ev;

        memcpy(piece, (const char *)wire + at, len);
        at += len;
        while ((rc = ws_decode(&d, &p, &left, &ev)) > 0) {
            static const char names[] = "?TB?????CPO";
            int w = snprintf(out + used, cap - used, "%s%c", used ? " " : "", names[ev.op]);

            used += (size_t)w;
            if (ev.op == WS_OP_CLOSE)
                used += (size_t)snprintf(out + used, cap - used, "%d", ev.code);
            used += (size_t)snprintf(out + used, cap - used, ":%.*s", (int)ev.n, ev.data);
        }
        free(piece);
    }
    ws_decoder_fini(&d);
    return rc;
}

#define WIRE(...) ((const uint8_t[]){__VA_ARGS__}), sizeof((const uint8_t[]){__VA_ARGS__})

static void expect_client(const char *want, const uint8_t *wire, size_t n)
{
    char got[512];
    size_t step;

    for (step = 1; step <= n; step++) {
        assert_int_equal(transcript(got, sizeof(got), false, wire, n, step), 0);
        assert_string_equal(got, want);
    }
}

static void expect_server(const char *want, const uint8_t *wire, size_t n)
{
    char got[512];
    size_t step;

    for (step = 1; step <= n; step++) {
        assert_int_equal(transcript(got, sizeof(got), true, wire, n, step), 0);
        assert_string_equal(got, want);
    }
}

static void refuse(int want, bool server, const uint8_t *wire, size_t n)
{
    char got[512];
    size_t step;

    for (step = 1; step <= n; step++)
        assert_int_equal(transcript(got, sizeof(got), server, wire, n, step), want);
}

static void test_the_examples_of_the_rfc_decode_in_any_chunking(void **state)
{
    (void)state;
    expect_client("T:Hello", WIRE(0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f));
    expect_server("T:Hello",
                  WIRE(0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58));
    expect_client("T:Hello", WIRE(0x01, 0x03, 0x48, 0x65, 0x6c, 0x80, 0x02, 0x6c, 0x6f));
    expect_client("P:Hello", WIRE(0x89, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f));
    expect_server("O:Hello",
                  WIRE(0x8a, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58));
}

static void test_control_frames_may_stand_between_fragments(void **state)
{
    (void)state;
    expect_client("P:x T:abc O: T:d", WIRE(0x01, 1, 'a', 0x89, 1, 'x', 0x00, 1, 'b', 0x80, 1, 'c',
                                           0x8a, 0, 0x81, 1, 'd'));
}

static void test_empty_messages_and_empty_fragments_are_messages(void **state)
{
    (void)state;
    expect_client("T: T:a T:", WIRE(0x81, 0, 0x01, 0, 0x00, 1, 'a', 0x80, 0, 0x01, 0, 0x80, 0));
}

static void test_close_frames_carry_code_and_reason(void **state)
{
    (void)state;
    expect_client("C1005:", WIRE(0x88, 0));
    expect_client("C1000:bye", WIRE(0x88, 5, 0x03, 0xe8, 'b', 'y', 'e'));
    expect_client("C4001:", WIRE(0x88, 2, 0x0f, 0xa1));
    refuse(RD_EPROTO, false, WIRE(0x88, 1, 0x03));
    refuse(RD_EPROTO, false, WIRE(0x88, 2, 0x03, 0xed)); /* 1005 */
    refuse(RD_EPROTO, false, WIRE(0x88, 2, 0x03, 0xee)); /* 1006 */
    refuse(RD_EPROTO, false, WIRE(0x88, 2, 0x00, 0x01));
    refuse(RD_EPROTO, false, WIRE(0x88, 2, 0x13, 0x88)); /* 5000 */
    refuse(-EILSEQ, false, WIRE(0x88, 4, 0x03, 0xe8, 0xc3, 0x28));
}

static void test_masks_are_required_from_clients_and_forbidden_to_servers(void **state)
{
    (void)state;
    refuse(RD_EPROTO, true, WIRE(0x81, 0x01, 'a'));
    refuse(RD_EPROTO, false, WIRE(0x81, 0x81, 1, 2, 3, 4, 'a'));
}

static void test_reserved_bits_and_opcodes_are_refused(void **state)
{
    int op;

    (void)state;
    refuse(RD_EPROTO, false, WIRE(0xc1, 0));
    refuse(RD_EPROTO, false, WIRE(0xa1, 0));
    refuse(RD_EPROTO, false, WIRE(0x91, 0));
    for (op = 3; op < 8; op++)
        refuse(RD_EPROTO, false, WIRE((uint8_t)(0x80 | op), 0));
    for (op = 11; op < 16; op++)
        refuse(RD_EPROTO, false, WIRE((uint8_t)(0x80 | op), 0));
}

static void test_fragments_out_of_order_are_refused(void **state)
{
    (void)state;
    refuse(RD_EPROTO, false, WIRE(0x80, 1, 'a'));               /* continues nothing */
    refuse(RD_EPROTO, false, WIRE(0x01, 1, 'a', 0x81, 1, 'b')); /* begins inside another */
    refuse(RD_EPROTO, false, WIRE(0x09, 0));                    /* fragmented ping */
    refuse(RD_EPROTO, false, WIRE(0x89, 126, 0, 126));          /* long ping */
}

static void test_lengths_must_take_their_shortest_form(void **state)
{
    (void)state;
    refuse(RD_EPROTO, false, WIRE(0x81, 126, 0, 125));
    refuse(RD_EPROTO, false, WIRE(0x81, 127, 0, 0, 0, 0, 0, 0, 0xff, 0xff));
    refuse(RD_EPROTO, false, WIRE(0x81, 127, 0x80, 0, 0, 0, 0, 0, 0, 0));
}

static void test_a_huge_length_is_refused_before_anything_is_allocated(void **state)
{
    (void)state;
    refuse(RD_ETOOBIG, false, WIRE(0x81, 127, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff));
    refuse(RD_ETOOBIG, false, WIRE(0x81, 127, 0, 0, 0, 0, 0, 0x10, 0, 1));
}

static void test_fragments_count_together_against_the_limit(void **state)
{
    uint8_t wire[2 * (4 + 600)];
    struct ws_decoder d;
    struct ws_event ev;
    char *p = (char *)wire;
    size_t n = sizeof(wire);

    (void)state;
    memset(wire, 'a', sizeof(wire));
    memcpy(wire, (uint8_t[]){0x01, 126, 600 >> 8, 600 & 0xff}, 4);
    memcpy(wire + 604, (uint8_t[]){0x80, 126, 600 >> 8, 600 & 0xff}, 4);
    ws_decoder_init(&d, false, 1199);
    assert_int_equal(ws_decode(&d, &p, &n, &ev), RD_ETOOBIG);
    ws_decoder_fini(&d);
    memcpy(wire, (uint8_t[]){0x01, 126, 600 >> 8, 600 & 0xff}, 4);
    p = (char *)wire;
    n = sizeof(wire);
    ws_decoder_init(&d, false, 1200);
    assert_int_equal(ws_decode(&d, &p, &n, &ev), 1);
    assert_int_equal(ev.n, 1200);
    ws_decoder_fini(&d);
}

static void test_a_whole_frame_is_shown_where_it_lies(void **state)
{
    char wire[] = "\x81\x05Hello\x81\x01!";
    char *p = wire;
    size_t n = sizeof(wire) - 1;
    struct ws_decoder d;
    struct ws_event ev;

    (void)state;
    ws_decoder_init(&d, false, MAX);
    assert_int_equal(ws_decode(&d, &p, &n, &ev), 1);
    assert_ptr_equal(ev.data, wire + 2);
    assert_int_equal(ws_decode(&d, &p, &n, &ev), 1);
    assert_ptr_equal(ev.data, wire + 9);
    assert_int_equal(ws_decode(&d, &p, &n, &ev), 0);
    assert_null(d.partial.p);
    ws_decoder_fini(&d);
}

static void test_text_must_be_utf8_also_across_fragments(void **state)
{
    static const struct {
        const char *text;
        bool valid;
    } cases[] = {
        {"plain ascii, longer than eight", true},
        {"na\xc3\xafve caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80", true},
        {"\xc0\xaf", false},         /* overlong */
        {"\xe0\x80\xaf", false},     /* overlong */
        {"\xed\xa0\x80", false},     /* surrogate */
        {"\xf4\x90\x80\x80", false}, /* beyond Unicode */
        {"\xf5\x80\x80\x80", false},
        {"12345678\x80", false},
        {"1234567\xc3", false},
        {"\xe2\x82", false},
        {"\xef\xbf\xbf", true},
        {"\xf4\x8f\xbf\xbf", true},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        assert_int_equal(ws_utf8_valid(cases[i].text, strlen(cases[i].text)), cases[i].valid);
    expect_client("T:\xe2\x82\xac", WIRE(0x01, 1, 0xe2, 0x00, 1, 0x82, 0x80, 1, 0xac));
    refuse(-EILSEQ, false, WIRE(0x01, 1, 0xe2, 0x80, 1, 0x28));
    refuse(-EILSEQ, false, WIRE(0x81, 1, 0xff));
}

static void test_masking_is_its_own_inverse_at_every_offset(void **state)
{
    char plain[67], masked[67], back[67];
    uint32_t mask;
    size_t n, cut;

    (void)state;
    memcpy(&mask, "\x12\x34\x56\x78", 4);
    for (n = 0; n < sizeof(plain); n++)
        plain[n] = (char)(n * 7);
    for (n = 0; n <= sizeof(plain); n++) {
        for (cut = 0; cut <= n; cut++) {
            /* In two pieces, as ws_sendv() does. */
            ws_mask(masked, plain, cut, mask, 0);
            ws_mask(masked + cut, plain + cut, n - cut, mask, cut);
            ws_mask(back, masked, n, mask, 0);
            assert_memory_equal(back, plain, n);
            if (n > 2)
                assert_int_equal((uint8_t)(masked[2] ^ plain[2]), 0x56);
        }
    }
}

static void test_what_we_write_is_what_the_rfc_writes(void **state)
{
    uint8_t out[WS_HEADER_MAX];
    uint32_t mask;

    (void)state;
    memcpy(&mask, "\x37\xfa\x21\x3d", 4);
    assert_int_equal(ws_header(out, WS_OP_TEXT, 5, &mask), 6);
    assert_memory_equal(out, "\x81\x85\x37\xfa\x21\x3d", 6);
    assert_int_equal(ws_header(out, WS_OP_BINARY, 256, NULL), 4);
    assert_memory_equal(out, "\x82\x7e\x01\x00", 4);
    assert_int_equal(ws_header(out, WS_OP_BINARY, 65536, NULL), 10);
    assert_memory_equal(out, "\x82\x7f\0\0\0\0\0\1\0\0", 10);
    assert_int_equal(ws_header_size(125, false), 2);
    assert_int_equal(ws_header_size(126, true), 8);
    assert_int_equal(ws_header_size(65536, true), WS_HEADER_MAX);
}

static void test_the_key_of_the_rfc_has_the_answer_of_the_rfc(void **state)
{
    char out[WS_KEY_CAP];

    (void)state;
    assert_true(ws_accept_key(out, rd_str("dGhlIHNhbXBsZSBub25jZQ==")));
    assert_string_equal(out, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

static void test_a_steady_stream_of_torn_frames_keeps_one_buffer(void **state)
{
    char frame[404], *kept = NULL;
    struct ws_decoder d;
    struct ws_event ev;
    int i;

    (void)state;
    ws_decoder_init(&d, false, MAX);
    memset(frame, 'x', sizeof(frame));
    memcpy(frame, (uint8_t[]){0x81, 126, 400 >> 8, 400 & 0xff}, 4);
    for (i = 0; i < 1000; i++) {
        size_t cut = 1 + (size_t)i % 403, left = cut;
        char *p = frame;

        assert_int_equal(ws_decode(&d, &p, &left, &ev), 0);
        left = sizeof(frame) - cut;
        p = frame + cut;
        assert_int_equal(ws_decode(&d, &p, &left, &ev), 1);
        assert_int_equal(ev.n, 400);
        if (kept)
            assert_ptr_equal(d.partial.p, kept);
        kept = d.partial.p;
    }
    ws_decoder_trim(&d);
    assert_null(d.partial.p);
    ws_decoder_fini(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_examples_of_the_rfc_decode_in_any_chunking),
        cmocka_unit_test(test_control_frames_may_stand_between_fragments),
        cmocka_unit_test(test_empty_messages_and_empty_fragments_are_messages),
        cmocka_unit_test(test_close_frames_carry_code_and_reason),
        cmocka_unit_test(test_masks_are_required_from_clients_and_forbidden_to_servers),
        cmocka_unit_test(test_reserved_bits_and_opcodes_are_refused),
        cmocka_unit_test(test_fragments_out_of_order_are_refused),
        cmocka_unit_test(test_lengths_must_take_their_shortest_form),
        cmocka_unit_test(test_a_huge_length_is_refused_before_anything_is_allocated),
        cmocka_unit_test(test_fragments_count_together_against_the_limit),
        cmocka_unit_test(test_a_whole_frame_is_shown_where_it_lies),
        cmocka_unit_test(test_text_must_be_utf8_also_across_fragments),
        cmocka_unit_test(test_masking_is_its_own_inverse_at_every_offset),
        cmocka_unit_test(test_what_we_write_is_what_the_rfc_writes),
        cmocka_unit_test(test_the_key_of_the_rfc_has_the_answer_of_the_rfc),
        cmocka_unit_test(test_a_steady_stream_of_torn_frames_keeps_one_buffer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
