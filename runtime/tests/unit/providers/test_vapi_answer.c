/* SPDX-License-Identifier: Apache-2.0 */
/* test_vapi_answer.c - what is made of Vapi's answer to POST /call, and where our key goes. */
#include "providers/vapi/address.h"
#include "providers/vapi/answer.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define API "https://api.vapi.ai"

static bool ok(const char *api, const char *url)
{
    return vapi_address_ok(rd_str(api), rd_str(url));
}

static void test_our_key_goes_to_vapi_alone(void **state)
{
    (void)state;
    assert_true(ok(API, "wss://api.vapi.ai/c1/transport"));
    assert_true(ok(API, "wss://API.vapi.ai:443/c1/transport"));
    assert_true(ok(API, "wss://phone-call-ws.eu.vapi.ai/c1"));
    assert_true(ok("https://vapi.example:8443/", "wss://vapi.example:8443/c1"));
    assert_true(ok("http://127.0.0.1:4000", "ws://127.0.0.1:4000/c1"));
    assert_false(ok(API, "ws://api.vapi.ai/c1"));
    assert_false(ok(API, "wss://api.vapi.ai.evil.example/c1"));
    assert_false(ok(API, "wss://evilvapi.ai/c1"));
    assert_false(ok(API, "wss://vapi.ai/c1"));
    assert_false(ok(API, "wss://x.vapi.ai:8443/c1"));
    assert_false(ok(API, "wss://api.vapi.ai@evil.example/c1"));
    assert_false(ok(API, "wss://evil.example#.vapi.ai/c1"));
    assert_false(ok(API, "wss://evil.example/.vapi.ai"));
    assert_false(ok(API, "wss://evil.example?.vapi.ai"));
    assert_false(ok(API, "wss://evil.example\\.vapi.ai/"));
    assert_false(ok(API, "wss:///c1"));
    assert_false(ok(API, "wss://x'y.vapi.ai/c1"));
    assert_false(ok(API, "https://api.vapi.ai/c1"));
    assert_false(ok(API, ""));
    assert_false(ok("http://127.0.0.1:4000", "ws://127.0.0.1:4001/c1"));
    assert_false(ok("http://127.0.0.1:4000", "ws://10.0.0.1:4000/c1"));
}

static bool read_answer(struct vapi_answer *a, int status, const char *body)
{
    const struct http_result r = {.status = status, .body = rd_str(body)};

    return vapi_answer_read(a, &r, RD_STR(API));
}

static void test_an_answer_has_a_socket(void **state)
{
    struct vapi_answer a;

    (void)state;
    assert_true(read_answer(&a, 201,
                            "{\"id\":\"c-1\",\"type\":\"vapi.websocketCall\",\"status\":\"queued\","
                            "\"transport\":{\"provider\":\"vapi.websocket\","
                            "\"websocketCallUrl\":\"wss:\\/\\/api.vapi.ai\\/c-1\\/transport\"}}"));
    assert_string_equal(a.id, "c-1");
    assert_string_equal(a.url, "wss://api.vapi.ai/c-1/transport");
}

static const struct {
    const char *body, *code, *message;
    int status;
    enum leg_end end;
} refusals[] = {
    {"{\"message\":\"Invalid Key.\",\"statusCode\":401}", "unauthorized", "Invalid Key.", 401,
     LEG_REFUSED},
    {"{\"message\":[\"assistantId must be a UUID\",\"x\"]}", "bad_request",
     "assistantId must be a UUID", 400, LEG_REFUSED},
    {"{\"error\":\"Over Concurrency Limit\"}", "concurrency", "Over Concurrency Limit", 400,
     LEG_REFUSED},
    {"{\"message\":\"Insufficient credits\"}", "credit", "Insufficient credits", 400, LEG_REFUSED},
    {"", "credit", "", 402, LEG_REFUSED},
    {"{\"message\":\"Rate limit exceeded\"}", "rate_limit", "Rate limit exceeded", 429, LEG_LOST},
    {"<html>", "server_error", "", 500, LEG_LOST},
    {"", "server_error", "", 302, LEG_LOST},
    {"{}", "no_socket", "", 201, LEG_REFUSED},
    {"{\"id\":\"c\",\"phoneCallProviderDetails\":{\"twiml\":\"<Response/>\"}}", "no_socket", "",
     201, LEG_REFUSED},
    {"{\"id\":\"c\",\"transport\":{\"websocketCallUrl\":\"wss://evil.example/c\"}}",
     "foreign_socket", "", 201, LEG_REFUSED},
};

static void test_a_refusal_has_a_name(void **state)
{
    struct vapi_answer a;

    (void)state;
    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        assert_false(read_answer(&a, refusals[i].status, refusals[i].body));
        assert_string_equal(a.code, refusals[i].code);
        assert_string_equal(a.message, refusals[i].message);
        assert_int_equal(a.end, refusals[i].end);
        assert_string_equal(a.url, "");
    }
}

static void test_no_answer_is_worth_another_try(void **state)
{
    struct http_result r = {.err = -ETIMEDOUT, .text = "too slow"};
    struct vapi_answer a;

    (void)state;
    assert_false(vapi_answer_read(&a, &r, RD_STR(API)));
    assert_string_equal(a.code, "timeout");
    r.err = -ECONNREFUSED;
    assert_false(vapi_answer_read(&a, &r, RD_STR(API)));
    assert_string_equal(a.code, "unreachable");
    assert_int_equal(a.end, LEG_LOST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_our_key_goes_to_vapi_alone),
        cmocka_unit_test(test_an_answer_has_a_socket),
        cmocka_unit_test(test_a_refusal_has_a_name),
        cmocka_unit_test(test_no_answer_is_worth_another_try),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
