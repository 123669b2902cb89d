/* SPDX-License-Identifier: Apache-2.0 */
/* What of a request reaches a script, and what never does. */
#include "control/api_request.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* SHA-256 of "rd_abc". */
static const char abc_digest[] = "0b3b4c70a211f4aa5d9ae113420f03d327901ec0bf90d041199f41b8f2bbd2af";

static char said[8192];

/* The payload, or "STATUS slug". */
static const char *read_as(const struct api_request *in)
{
    struct api_asker asker;
    const struct problem *why;
    struct buf out;

    buf_init(&out, 1 << 20);
    why = api_request_payload(&out, in, &asker);
    if (why)
        (void)snprintf(said, sizeof(said), "%d %s", why->status, why->slug);
    else
        (void)snprintf(said, sizeof(said), "%s", buf_text(&out));
    buf_fini(&out);
    return said;
}

static const char *get(const char *target)
{
    struct api_request in = {
        .method = RD_STR("GET"), .target = rd_str(target), .peer = "127.0.0.1"};

    return read_as(&in);
}

static const char *post(const char *type, const char *body, size_t n)
{
    struct api_request in = {.method = RD_STR("POST"),
                             .target = RD_STR("/api/v1/sites"),
                             .body = {body, n},
                             .content_type = rd_str(type),
                             .peer = "127.0.0.1"};

    return read_as(&in);
}

static void test_a_request_arrives_decoded_once(void **state)
{
    (void)state;
    assert_string_equal(
        get("/api/v1/numbers/%2B13125550142?q=caf%C3%A9+noir&x=%2541&e="),
        "{\"method\":\"GET\",\"path\":\"/numbers/"
        "+13125550142\",\"peer\":\"127.0.0.1\",\"body\":\"\","
        "\"query\":{\"q\":\"caf\xc3\xa9 noir\",\"x\":\"%41\",\"e\":\"\"},\"headers\":{}}");
    assert_non_null(strstr(get("/api/v1"), "\"path\":\"/\""));
    assert_non_null(strstr(get("/api/v1/"), "\"path\":\"/\""));
    assert_non_null(strstr(get("/api/v1/a+b"), "\"path\":\"/a+b\""));
    assert_non_null(strstr(get("/api/v1/a?&&b=1&"), "\"query\":{\"b\":\"1\"}"));
}

static void test_ways_around_a_path_are_refused(void **state)
{
    static const char *const bad[] = {
        "/api/v1/../v1/calls",   "/api/v1/calls/..",   "/api/v1/calls/%2e%2e/x",
        "/api/v1/./calls",       "/api/v1//calls",     "/api/v1/calls/",
        "/api/v1/calls%2fx",     "/api/v1/calls%5cx",  "/api/v1/a%",
        "/api/v1/a%4",           "/api/v1/a%zz",       "/api/v1/a%00b",
        "/api/v1/a%0d%0ab",      "/api/v1/a%c3%28",    "/api/v1/a%ff",
        "/api/v1/a\xff",         "/api/v1/a%ed%a0%80", "/api/v1/a#b",
        "/api/v1x/calls",        "/api/v2/calls",      "/API/v1/calls",
        "http://x/api/v1/calls",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        if (strcmp(get(bad[i]), "400 path") != 0)
            fail_msg("%s: %s", bad[i], said);
    assert_non_null(strstr(get("/api/v1/..."), "\"path\":\"/...\"")); /* a name like others */
}

static void test_a_parameter_comes_once_and_is_text(void **state)
{
    char many[2048] = "/api/v1/calls?", one[16];

    (void)state;
    assert_string_equal(get("/api/v1/calls?a=1&a=2"), "400 query");
    assert_string_equal(get("/api/v1/calls?a=1&%61=2"), "400 query");
    assert_string_equal(get("/api/v1/calls?=1"), "400 query");
    assert_string_equal(get("/api/v1/calls?a=%0a"), "400 query");
    assert_string_equal(get("/api/v1/calls?a=%fe"), "400 query");
    assert_string_equal(get("/api/v1/calls?a=%"), "400 query");
    assert_non_null(strstr(get("/api/v1/calls?a=b=c?d/e"), "{\"a\":\"b=c?d/e\"}"));
    for (int i = 0; i < 33; i++) {
        (void)snprintf(one, sizeof(one), "p%d=1&", i);
        strcat(many, one);
    }
    assert_string_equal(get(many), "400 query");
}

static void test_a_token_in_an_address_is_told_to_be_spoilt(void **state)
{
    static const char *const bad[] = {
        "/api/v1/calls?token=rd_1", "/api/v1/calls?a=1&access_token=x",
        "/api/v1/calls?Token=x",    "/api/v1/calls?%74oken=x",
        "/api/v1/calls?api_key=",   "/api/v1/calls?authorization=x",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        if (strcmp(get(bad[i]), "400 token-in-url") != 0)
            fail_msg("%s: %s", bad[i], said);
}

static void test_secrets_leave_as_their_digests(void **state)
{
    struct api_request in = {.method = RD_STR("GET"),
                             .target = RD_STR("/api/v1/events?ticket=rt_abc&after=1"),
                             .authorization = RD_STR("Bearer  rd_abc"),
                             .peer = "::1"};
    const char *digest = "\"token_sha256\":\"", *at;

    (void)state;
    at = strstr(read_as(&in), digest);
    assert_non_null(at);
    at += strlen(digest);
    assert_memory_equal(at, abc_digest, 64);
    assert_non_null(strstr(said, "\"ticket_sha256\":\""));
    assert_null(strstr(said, "rd_abc"));
    assert_null(strstr(said, "rt_abc"));
    assert_non_null(strstr(said, "\"query\":{\"after\":\"1\"}"));
    in.authorization = RD_STR("bearer rd_abc");
    assert_non_null(strstr(read_as(&in), "token_sha256"));
}

static void test_what_is_no_token_is_none(void **state)
{
    static const char *const bad[] = {
        "", "Bearer", "Bearer ", "Basic cmQ6eA==", "rd_abc", "Bearer a b"};
    struct api_request in = {
        .method = RD_STR("GET"), .target = RD_STR("/api/v1/calls"), .peer = "::1"};

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        in.authorization = rd_str(bad[i]);
        if (strstr(read_as(&in), "token_sha256"))
            fail_msg("\"%s\": %s", bad[i], said);
    }
}

static void test_bodies_are_text_of_a_type_that_pages_cannot_send(void **state)
{
    (void)state;
    assert_non_null(
        strstr(post("application/json; charset=utf-8", "{\"a\":1}", 7), "{\\\"a\\\":1}"));
    assert_non_null(strstr(post("text/csv", "a,b\n", 4), "\"body\":\"a,b\\n\""));
    assert_string_equal(post("text/plain", "{}", 2), "415 media-type");
    assert_string_equal(post("application/x-www-form-urlencoded", "a=1", 3), "415 media-type");
    assert_string_equal(post("application/jsonx", "{}", 2), "415 media-type");
    assert_string_equal(post(NULL, "{}", 2), "415 media-type");
    assert_string_equal(post("application/json", "\xff\xfe", 2), "400 body");
    assert_string_equal(post("application/json", "a\0b", 3), "400 body");
    assert_string_equal(post("application/json", "\xed\xa0\x80", 3), "400 body");
    assert_non_null(strstr(post(NULL, "", 0), "\"body\":\"\""));
}

static void test_headers_are_short_texts(void **state)
{
    static char long_text[600];
    struct api_request in = {.method = RD_STR("PUT"),
                             .target = RD_STR("/api/v1/sites/x"),
                             .if_match = RD_STR("\"7\""),
                             .idempotency_key = RD_STR("k-1"),
                             .accept = RD_STR("*/*"),
                             .last_event_id = RD_STR("12"),
                             .peer = "::1",
                             .who = "control socket uid 0"};

    (void)state;
    assert_non_null(strstr(read_as(&in),
                           "\"headers\":{\"if-match\":\"\\\"7\\\"\",\"idempotency-key\":"
                           "\"k-1\",\"accept\":\"*/*\",\"last-event-id\":\"12\"}"));
    assert_non_null(strstr(said, "\"who\":\"control socket uid 0\""));
    in.accept = RD_STR("a\x01");
    assert_string_equal(read_as(&in), "400 header");
    in.accept = RD_STR("a\xff");
    assert_string_equal(read_as(&in), "400 header");
    memset(long_text, 'x', sizeof(long_text));
    in.accept = (struct rd_str){long_text, sizeof(long_text)};
    assert_string_equal(read_as(&in), "400 header");
}

static void test_only_known_methods_get_in(void **state)
{
    struct api_request in = {
        .method = RD_STR("HEAD"), .target = RD_STR("/api/v1/calls"), .peer = "::1"};

    (void)state;
    assert_non_null(strstr(read_as(&in), "\"method\":\"GET\""));
    in.method = RD_STR("TRACE");
    assert_string_equal(read_as(&in), "405 method");
    in.method = RD_STR("get");
    assert_string_equal(read_as(&in), "405 method");
}

static void test_files_may_be_longer_and_take_longer(void **state)
{
    struct api_limits l = api_request_limits(RD_STR("POST"), RD_STR("/api/v1/customers/import"));

    (void)state;
    assert_int_equal(l.body_max, 8 << 20);
    assert_int_equal(l.budget_ms, 30000);
    l = api_request_limits(RD_STR("PUT"), RD_STR("/api/v1/customers/import"));
    assert_int_equal(l.body_max, 256 << 10);
    assert_int_equal(l.budget_ms, 10000);
    l = api_request_limits(RD_STR("GET"), RD_STR("/api/v1/calls/export"));
    assert_int_equal(l.budget_ms, 30000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_request_arrives_decoded_once),
        cmocka_unit_test(test_ways_around_a_path_are_refused),
        cmocka_unit_test(test_a_parameter_comes_once_and_is_text),
        cmocka_unit_test(test_a_token_in_an_address_is_told_to_be_spoilt),
        cmocka_unit_test(test_secrets_leave_as_their_digests),
        cmocka_unit_test(test_what_is_no_token_is_none),
        cmocka_unit_test(test_bodies_are_text_of_a_type_that_pages_cannot_send),
        cmocka_unit_test(test_headers_are_short_texts),
        cmocka_unit_test(test_only_known_methods_get_in),
        cmocka_unit_test(test_files_may_be_longer_and_take_longer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
