/* SPDX-License-Identifier: Apache-2.0 */
/* The HTTP head parser: what it takes, in every chunking, and all that it must not take. */
#include "io/http_parse.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Feeds text in pieces of `step`; returns the verdict and how many bytes the head took. */
static int feed(struct http_head *h, const char *text, size_t step, size_t *total)
{
    size_t n = strlen(text), at = 0;
    int rc = 0;

    *total = 0;
    while (at < n && rc == 0) {
        size_t len = n - at < step ? n - at : step, used;
        char *piece = malloc(len);

        memcpy(piece, text + at, len);
        rc = http_head_feed(h, piece, len, &used);
        free(piece);
        *total += used;
        at += len;
    }
    return rc;
}

static int verdict_of(bool response, const char *text)
{
    size_t step, total;
    int rc = 0, first = 0;

    for (step = 1; step <= strlen(text); step++) {
        struct http_head h;

        http_head_init(&h, response);
        rc = feed(&h, text, step, &total);
        http_head_fini(&h);
        if (step == 1)
            first = rc;
        assert_int_equal(rc, first); /* torn or not, the same */
    }
    return rc;
}

static int verdict(const char *text)
{
    return verdict_of(false, text);
}

static void assert_str(struct rd_str s, const char *want)
{
    assert_non_null(s.p);
    assert_int_equal(s.n, strlen(want));
    assert_memory_equal(s.p, want, s.n);
}

static void test_a_request_torn_at_each_byte_reads_the_same(void **state)
{
    static const char text[] = "POST /twilio/voice?x=1%202 HTTP/1.1\r\n"
                               "Host: example.com\r\n"
                               "X-Twilio-Signature:  abc=  \r\n"
                               "Content-Length: 5\r\n"
                               "Empty:\r\n"
                               "Connection: keep-alive, Upgrade\r\n\r\nhello";
    size_t step, total;

    (void)state;
    for (step = 1; step <= sizeof(text); step++) {
        struct http_head h;

        http_head_init(&h, false);
        assert_int_equal(feed(&h, text, step, &total), 1);
        assert_int_equal(total, strstr(text, "hello") - text);
        assert_str(http_head_str(&h, h.method), "POST");
        assert_str(http_head_str(&h, h.target), "/twilio/voice?x=1%202");
        assert_str(http_head_str(&h, h.path), "/twilio/voice");
        assert_str(http_head_get(&h, "x-twilio-signature"), "abc=");
        assert_str(http_head_get(&h, "empty"), "");
        assert_null(http_head_get(&h, "absent").p);
        assert_true(http_head_has_token(&h, "connection", "upgrade"));
        assert_false(http_head_has_token(&h, "connection", "up"));
        assert_int_equal(h.length, 5);
        http_head_fini(&h);
    }
}

static void test_two_requests_in_one_packet_stay_two(void **state)
{
    static const char text[] =
        "GET / HTTP/1.1\r\nHost: a\r\n\r\nPOST / HTTP/1.1\r\nHost: b\r\n\r\n";
    struct http_head h;
    size_t used;

    (void)state;
    http_head_init(&h, false);
    assert_int_equal(http_head_feed(&h, text, sizeof(text) - 1, &used), 1);
    assert_int_equal(used, strstr(text, "POST") - text);
    http_head_fini(&h);
}

static void test_bodies_are_refused_as_the_bounds_say(void **state)
{
    (void)state;
    assert_int_equal(verdict("POST / HTTP/1.1\r\nHost: a\r\n\r\n"), 1); /* no length: no body */
    assert_int_equal(verdict("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"),
                     -411);
    assert_int_equal(verdict("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n"),
                     -501);
    assert_int_equal(verdict("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
                             "Content-Length: 3\r\n\r\n"),
                     -400);
    assert_int_equal(verdict("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n"
                             "Content-Length: 4\r\n\r\n"),
                     -400);
}

static void test_lengths_are_digits_and_nothing_else(void **state)
{
    static const char *const bad[] = {"", "+3", "-3", "3, 3", "0x3", "3 3", "99999999999999999999"};
    char text[256];
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        snprintf(text, sizeof(text), "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %s\r\n\r\n",
                 bad[i]);
        assert_int_equal(verdict(text), -400);
    }
    assert_int_equal(verdict("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 000\r\n\r\n"), 1);
}

static void test_line_tricks_are_refused(void **state)
{
    (void)state;
    assert_int_equal(verdict("GET / HTTP/1.1\nHost: a\n\n"), -400);
    assert_int_equal(verdict("GET / HTTP/1.1\r\nHost: a\n\r\n"), -400);
    assert_int_equal(verdict("GET / HTTP/1.1\r\nHost: a\rb\r\n\r\n"), -400);
    assert_int_equal(verdict("GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n"), -400);
    assert_int_equal(verdict("GET / HTTP/1.1\r\n Host: a\r\n\r\n"), -400);
    assert_int_equal(verdict("GET / HTTP/1.1\r\nHost : a\r\n\r\n"), -400);
    assert_int_equal(verdict("GET / HTTP/1.1\r\nHost\r\n\r\n"), -400);
    assert_int_equal(verdict("GET / HTTP/1.1\r\nHost: a\r\n: x\r\n\r\n"), -400);
    assert_int_equal(verdict("GET / HTTP/1.1\r\nHost: a\r\nX: a\x01z\r\n\r\n"), -400);
    assert_int_equal(verdict("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"), -400);
}

static void test_a_nul_byte_is_refused(void **state)
{
    static const char text[] = "GET / HTTP/1.1\r\nHost: a\0b\r\n\r\n";
    struct http_head h;
    size_t used;

    (void)state;
    http_head_init(&h, false);
    assert_int_equal(http_head_feed(&h, text, sizeof(text) - 1, &used), -400);
    http_head_fini(&h);
}

static void test_first_lines_are_strict(void **state)
{
    (void)state;
    assert_int_equal(verdict("\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"), 1);
    assert_int_equal(verdict("\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"), -400);
    assert_int_equal(verdict("GET  / HTTP/1.1\r\nHost: a\r\n\r\n"), -400);
    assert_int_equal(verdict("GET / HTTP/1.1 \r\nHost: a\r\n\r\n"), -400);
    assert_int_equal(verdict("GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n"), -400);
    assert_int_equal(verdict("GET /\x80 HTTP/1.1\r\nHost: a\r\n\r\n"), -400);
    assert_int_equal(verdict("G T / HTTP/1.1\r\nHost: a\r\n\r\n"), -400);
    assert_int_equal(verdict("GET /\r\n\r\n"), -400);
    assert_int_equal(verdict("GET / HTTP/2.0\r\nHost: a\r\n\r\n"), -505);
    assert_int_equal(verdict("GET / http/1.1\r\nHost: a\r\n\r\n"), -400);
    assert_int_equal(verdict("\x16\x03\x01\x02\r\n\r\n"), -400); /* TLS on a plain port */
    assert_int_equal(verdict("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"), 1);
}

static void test_http_1_0_needs_no_host_and_1_1_does(void **state)
{
    (void)state;
    assert_int_equal(verdict("GET / HTTP/1.0\r\n\r\n"), 1);
    assert_int_equal(verdict("GET / HTTP/1.1\r\n\r\n"), -400);
}

static void test_only_the_expectation_we_know_is_met(void **state)
{
    (void)state;
    assert_int_equal(verdict("PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\n\r\n"), 1);
    assert_int_equal(verdict("PUT / HTTP/1.1\r\nHost: a\r\nExpect: money\r\n\r\n"), -417);
}

static void test_ten_thousand_bytes_of_headers_are_too_many(void **state)
{
    char text[10300];
    size_t step, total;
    int n;

    (void)state;
    n = snprintf(text, sizeof(text), "GET / HTTP/1.1\r\nHost: a\r\nX: ");
    memset(text + n, 'x', 10000);
    memcpy(text + n + 10000, "\r\n\r\n", 5);
    for (step = 1; step < 9000; step = step * 3) {
        struct http_head h;

        http_head_init(&h, false);
        assert_int_equal(feed(&h, text, step, &total), -431);
        assert_true(h.cap <= HTTP_HEAD_MAX);
        http_head_fini(&h);
    }
}

static void test_sixty_four_headers_are_the_limit(void **state)
{
    char text[4096];
    int n, i, more;

    (void)state;
    for (more = 0; more < 2; more++) {
        n = snprintf(text, sizeof(text), "GET / HTTP/1.1\r\nHost: a\r\n");
        for (i = 1; i < HTTP_HEADERS_MAX + more; i++)
            n += snprintf(text + n, sizeof(text) - (size_t)n, "X%d: %d\r\n", i, i);
        snprintf(text + n, sizeof(text) - (size_t)n, "\r\n");
        assert_int_equal(verdict(text), more ? -431 : 1);
    }
}

static void test_answers_parse_too(void **state)
{
    struct http_head h;
    size_t total;

    (void)state;
    http_head_init(&h, true);
    assert_int_equal(
        feed(&h, "HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\n{}", 3, &total), 1);
    assert_int_equal(h.status, 401);
    assert_int_equal(h.length, 2);
    http_head_fini(&h);
    assert_int_equal(verdict_of(true, "HTTP/1.1 101\r\n\r\n"), 1);
    assert_int_equal(verdict_of(true, "HTTP/1.1 10x no\r\n\r\n"), -400);
    assert_int_equal(verdict_of(true, "SSH-2.0-OpenSSH\r\n\r\n"), -400);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_request_torn_at_each_byte_reads_the_same),
        cmocka_unit_test(test_two_requests_in_one_packet_stay_two),
        cmocka_unit_test(test_bodies_are_refused_as_the_bounds_say),
        cmocka_unit_test(test_lengths_are_digits_and_nothing_else),
        cmocka_unit_test(test_line_tricks_are_refused),
        cmocka_unit_test(test_a_nul_byte_is_refused),
        cmocka_unit_test(test_first_lines_are_strict),
        cmocka_unit_test(test_http_1_0_needs_no_host_and_1_1_does),
        cmocka_unit_test(test_only_the_expectation_we_know_is_met),
        cmocka_unit_test(test_ten_thousand_bytes_of_headers_are_too_many),
        cmocka_unit_test(test_sixty_four_headers_are_the_limit),
        cmocka_unit_test(test_answers_parse_too),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
