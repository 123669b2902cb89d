/* SPDX-License-Identifier: Apache-2.0 */
/* The Vapi double's server messages: who gets them, how they are signed, what is made of the answers. */
#include "fake_vapi.h"

#include "base/now.h"
#include "io/tls.h"
#include "sim/vapi/answers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void call_begins(struct desk *d)
{
    desk_ask(d, "POST", "/control/call", "{\"sid\":\"CA1\",\"from\":\"+13125550142\"}");
    assert_int_equal(d->status, 201);
    desk_wait_messages(d, 1);
}

static void test_a_call_is_told_from_its_beginning_to_its_report(void **state)
{
    struct desk *d = *state;
    const json_t *report;

    call_begins(d);
    assert_string_equal(d->proof, "Bearer " VAPI_DOUBLE_SECRET);
    desk_ask(d, "POST", "/control/end", "{\"call\":\"CA1\",\"reason\":\"silence-timed-out\"}");
    desk_wait_messages(d, 3);
    assert_string_equal(json_at(desk_message(d, "status-update", 0), "status"), "in-progress");
    assert_string_equal(json_at(desk_message(d, "status-update", 1), "endedReason"),
                        "silence-timed-out");
    report = desk_message(d, "end-of-call-report", 0);
    assert_string_equal(json_at(report, "call.phoneCallProviderId"), "CA1");
    assert_string_equal(json_at(report, "endedReason"), "silence-timed-out");
    assert_true(json_is_array(json_object_get(report, "costs")));
    assert_string_equal(json_at(report, "phoneNumber.number"), VAPI_DOUBLE_NUMBER);
    assert_string_equal(json_at(report, "customer.number"), "+13125550142");
}

static void test_the_next_server_is_asked_only_when_the_nearer_says_nothing(void **state)
{
    struct desk *d = *state;
    char body[300];

    snprintf(body, sizeof(body),
             "{\"server\":{\"url\":\"%s/elsewhere\",\"headers\":{\"X-Desk\":\"1\"}}}", d->url);
    desk_ask(d, "PATCH", "/phone-number/" VAPI_DOUBLE_NUMBER_ID, body);
    desk_ask(d, "POST", "/control/call", "{\"sid\":\"CA1\"}");
    desk_ask(d, "POST", "/control/hook", "{\"type\":\"hang\"}");
    assert_non_null(strstr(desk_at(d, "url"), "/elsewhere"));
    assert_int_equal(json_array_size(d->messages), 0);
    snprintf(body, sizeof(body), "{\"server\":{\"url\":\"%s/vapi/events\"}}", d->url);
    desk_ask(d, "PATCH", "/assistant/" VAPI_DOUBLE_ASSISTANT, body);
    call_begins(d);
}

static void test_a_transcript_is_told_to_whoever_asked_for_it(void **state)
{
    struct desk *d = *state;

    call_begins(d);
    desk_ask(d, "POST", "/control/hook", "{\"type\":\"transcript\",\"fields\":{}}");
    assert_true(json_is_true(json_object_get(d->json, "unsent")));
    desk_ask(d, "PATCH", "/assistant/" VAPI_DOUBLE_ASSISTANT,
             "{\"serverMessages\":[\"transcript[transcriptType=\\\"final\\\"]\"]}");
    desk_ask(d, "POST", "/control/call", "{\"sid\":\"CA2\"}");
    desk_ask(d, "POST", "/control/hook",
             "{\"type\":\"transcript\",\"fields\":{\"role\":\"user\",\"transcriptType\":\"final\","
             "\"transcript\":\"Hi\"}}");
    assert_string_equal(desk_at(d, "message.type"), "transcript[transcriptType=\"final\"]");
}

/* ---- tools ---- */

static const char *right(const char *type, const json_t *message)
{
    static char text[400];
    const json_t *call = json_array_get(json_object_get(message, "toolCallList"), 0);

    if (strcmp(type, "function-call") == 0)
        return "{\"result\":\"eight, nine\"}";
    if (!call)
        return NULL;
    snprintf(
        text, sizeof(text),
        "{\"results\":[{\"toolCallId\":\"%s\",\"name\":\"get_slots\",\"result\":\"eight, nine\"}]}",
        json_at(call, "id"));
    return text;
}

static void test_tools_are_called_in_every_shape_that_was_published(void **state)
{
    static const struct {
        const char *shape, *arguments;
    } shapes[] = {{"openapi", "toolCallList.0.function.arguments"},
                  {"custom", "toolCallList.0.arguments.day"},
                  {"events", "toolCallList.0.parameters.day"},
                  {"legacy", "functionCall.parameters.day"}};
    struct desk *d = *state;
    char order[200];

    d->answer = right;
    call_begins(d);
    for (size_t i = 0; i < 4; i++) {
        snprintf(order, sizeof(order),
                 "{\"type\":\"tool-calls\",\"shape\":\"%s\",\"name\":\"get_slots\",\"arguments\":{"
                 "\"day\":"
                 "\"mon\"}}",
                 shapes[i].shape);
        desk_ask(d, "POST", "/control/hook", order);
        assert_string_equal(desk_at(d, "wrong"), "");
        assert_int_equal(d->status, 200);
        assert_string_equal(json_at(json_object_get(d->json, "message"), shapes[i].arguments),
                            i == 0 ? "{\"day\":\"mon\"}" : "mon");
    }
}

/* What the verdict on an answer is. */
static const char *verdict(const char *message, int status, const char *answer)
{
    static char wrong[256];
    json_t *m = json_loads(message, 0, NULL), *a = answer ? json_loads(answer, 0, NULL) : NULL;

    assert_non_null(m);
    vapi_answer_check(wrong, sizeof(wrong), m, status, a);
    json_decref(m);
    json_decref(a);
    return wrong;
}

static void test_a_result_that_vapi_would_ignore_is_found_out(void **state)
{
    static const char calls[] = "{\"type\":\"tool-calls\",\"toolCallList\":[{\"id\":\"c1\","
                                "\"name\":\"slots\"},{\"id\":\"c2\","
                                "\"function\":{\"name\":\"book\",\"arguments\":\"{}\"}}]}";
#define FIRST        "{\"toolCallId\":\"c1\",\"name\":\"slots\",\"result\":\"one\"}"
#define SECOND(rest) "{\"toolCallId\":\"c2\",\"name\":\"book\"," rest "}"
    (void)state;
    assert_string_equal(
        verdict(calls, 200, "{\"results\":[" FIRST "," SECOND("\"error\":\"no\"") "]}"), "");
    assert_string_equal(verdict(calls, 500, "{\"results\":[" FIRST "]}"),
                        "answered with status 500: ignored entirely");
    assert_string_equal(verdict(calls, 200, "{\"results\":[" FIRST "]}"), "no result for c2");
    assert_string_equal(
        verdict(calls, 200, "{\"results\":[" FIRST "," SECOND("\"result\":\"a\\nb\"") "]}"),
        "result must be a string without line breaks");
    assert_string_equal(
        verdict(calls, 200, "{\"results\":[" FIRST "," SECOND("\"result\":{\"a\":1}") "]}"),
        "result must be a string without line breaks");
    assert_string_equal(
        verdict(calls, 200, "{\"results\":[" FIRST ",{\"toolCallId\":\"c2\",\"result\":\"x\"}]}"),
        "name must be the tool's");
    assert_string_equal(verdict(calls, 200,
                                "{\"results\":[" FIRST
                                "," SECOND("\"result\":\"a\",\"say\":\"b\"") "]}"),
                        "property say should not exist");
    assert_string_equal(verdict(calls, 200, NULL), "the answer must be a JSON object");
}

static void test_an_assistant_is_picked_in_one_way(void **state)
{
    static const char request[] = "{\"type\":\"assistant-request\"}";

    (void)state;
    assert_string_equal(verdict(request, 200, "{\"assistantId\":\"" VAPI_DOUBLE_ASSISTANT "\"}"),
                        "");
    assert_string_equal(
        verdict(request, 200,
                "{\"destination\":{\"type\":\"number\",\"number\":\"+13125550188\"}}"),
        "");
    assert_string_equal(verdict(request, 200, "{\"assistantId\":\"front\"}"),
                        "assistantId must be a UUID");
    assert_string_equal(verdict(request, 200, "{\"assistant\":{\"greeting\":\"Hi\"}}"),
                        "property greeting should not exist");
    assert_non_null(strstr(verdict(request, 200, "{\"error\":\"\"}"), "Unknown Error"));
    assert_non_null(strstr(verdict(request, 200, "{}"), "exactly one of"));
    assert_non_null(strstr(verdict("{\"type\":\"transfer-destination-request\"}", 200, "{}"),
                           "exactly one of destination and error"));
    assert_string_equal(verdict("{\"type\":\"hang\"}", 204, NULL), "");
    assert_non_null(strstr(verdict("{\"type\":\"hang\"}", 200, "{\"ok\":true}"), "{} is enough"));
}

/* ---- a number without an assistant ---- */

static const char *decision;

static const char *decides(const char *type, const json_t *message)
{
    (void)message;
    return strcmp(type, "assistant-request") == 0 ? decision : NULL;
}

static void ring(struct desk *d, const char *sid)
{
    char form[300];

    snprintf(
        form, sizeof(form),
        "CallStatus=ringing&Direction=inbound&From=%%2B13125550142&To=%%2B13125550100&CallSid=%s"
        "&AccountSid=AC5f1d0e7a29b84c36a1e0d9c7b6a59483",
        sid);
    desk_form(d, "/twilio/inbound_call", form);
    assert_int_equal(d->status, 200);
}

static void test_a_bare_number_asks_who_shall_answer(void **state)
{
    struct desk *d = *state;

    d->answer = decides;
    desk_ask(d, "PATCH", "/phone-number/" VAPI_DOUBLE_NUMBER_ID, "{\"assistantId\":null}");
    decision = "{\"assistantId\":\"" VAPI_DOUBLE_ASSISTANT "\"}";
    ring(d, "CA1");
    assert_non_null(strstr(d->text, "<Connect><Stream url=\"ws://"));
    assert_string_equal(
        json_at(desk_message(d, "assistant-request", 0), "call.phoneCallProviderId"), "CA1");
    decision = "{\"destination\":{\"type\":\"number\",\"number\":\"+13125550188\"}}";
    ring(d, "CA2");
    assert_non_null(strstr(d->text, "<Dial>+13125550188</Dial></Response>"));
    decision = "{\"error\":\"We are closed.\"}";
    ring(d, "CA3");
    assert_non_null(strstr(d->text, "<Say>We are closed.</Say><Hangup/></Response>"));
    decision = "{\"error\":\"\"}";
    ring(d, "CA4");
    assert_non_null(strstr(d->text, "Unknown Error. Contact Support."));
    d->answer_status = 500;
    ring(d, "CA5");
    assert_non_null(strstr(d->text, "<Hangup/>"));
    desk_ask(d, "GET", "/call", NULL);
    assert_string_equal(desk_at(d, "0.endedReason"), "assistant-request-failed");
    assert_string_equal(desk_at(d, "1.endedReason"), "assistant-request-returned-error");
}

/* ---- proofs ---- */

static bool is_proven(const struct desk *d, const char *prefix)
{
    uint8_t mac[32];
    char want[100], *plain = malloc(strlen(d->body) + 64);

    sprintf(plain, "%s.%s", d->stamp, d->body);
    hmac_sha256(mac, VAPI_DOUBLE_SECRET, strlen(VAPI_DOUBLE_SECRET), plain, strlen(plain));
    free(plain);
    snprintf(want, sizeof(want), "%s", prefix);
    rd_hex(want + strlen(want), mac, sizeof(mac));
    return strcmp(want, d->proof) == 0;
}

static void test_messages_prove_whose_they_are(void **state)
{
    struct desk *d = *state;

    call_begins(d);
    desk_ask(d, "POST", "/control/server", "{\"sign\":\"secret\"}");
    desk_ask(d, "POST", "/control/hook", "{\"type\":\"hang\"}");
    assert_string_equal(d->proof, VAPI_DOUBLE_SECRET);
    desk_ask(d, "POST", "/control/server", "{\"sign\":\"hmac\"}");
    desk_ask(d, "POST", "/control/hook", "{\"type\":\"hang\"}");
    assert_true(is_proven(d, ""));
    assert_true(llabs(strtoll(d->stamp, NULL, 10) - unix_ms() / 1000) < 10);
    desk_ask(d, "POST", "/control/server", "{\"sign\":\"hmac-prefix\"}");
    desk_ask(d, "POST", "/control/hook", "{\"type\":\"hang\"}");
    assert_true(is_proven(d, "sha256="));
    desk_ask(d, "POST", "/control/server", "{\"sign\":\"hmac-ms\"}");
    desk_ask(d, "POST", "/control/faults", "{\"words\":\"old\"}");
    desk_ask(d, "POST", "/control/hook", "{\"type\":\"hang\"}");
    assert_true(is_proven(d, ""));
    assert_true(llabs(strtoll(d->stamp, NULL, 10) - (unix_ms() - 600000)) < 10000);
    desk_ask(d, "POST", "/control/faults", "{\"words\":\"forged\"}");
    desk_ask(d, "POST", "/control/hook", "{\"type\":\"hang\"}");
    assert_false(is_proven(d, ""));
    desk_ask(d, "POST", "/control/server", "{\"sign\":\"wax\"}");
    assert_int_equal(d->status, 400);
}

/* ---- what goes wrong ---- */

static void test_messages_come_twice_backwards_or_not_at_all(void **state)
{
    struct desk *d = *state;

    desk_ask(d, "POST", "/control/faults", "{\"words\":\"twice\"}");
    desk_ask(d, "POST", "/control/call", "{\"sid\":\"CA1\"}");
    desk_wait_messages(d, 2);
    assert_true(d->bodies_alike);
    desk_ask(d, "POST", "/control/faults", "{\"words\":\"backwards\"}");
    desk_ask(d, "POST", "/control/call", "{\"sid\":\"CA2\"}");
    desk_ask(d, "POST", "/control/end", "{\"call\":\"CA2\"}");
    desk_wait_messages(d, 4);
    assert_string_equal(json_at(json_array_get(d->messages, 2), "status"), "ended");
    assert_string_equal(json_at(json_array_get(d->messages, 3), "status"), "in-progress");
    desk_ask(d, "POST", "/control/faults", "{\"words\":\"no-report\"}");
    desk_ask(d, "POST", "/control/end", "{\"call\":\"CA1\"}");
    desk_wait(d, 500);
    assert_int_equal(json_array_size(d->messages), 6); /* that of CA2 was held; CA1's end */
    desk_ask(d, "POST", "/control/faults", "{\"words\":\"no-hooks\"}");
    desk_ask(d, "POST", "/control/call", "{\"sid\":\"CA3\"}");
    desk_ask(d, "GET", "/control/hooks?type=status-update", NULL);
    assert_true(json_is_true(
        json_object_get(json_array_get(d->json, json_array_size(d->json) - 1), "unsent")));
}

static void test_a_server_with_a_plan_is_asked_again(void **state)
{
    struct desk *d = *state;
    char body[300];

    call_begins(d);
    d->answer_status = 503;
    snprintf(body, sizeof(body),
             "{\"url\":\"%s/vapi/events\",\"backoffPlan\":{\"type\":\"fixed\",\"maxRetries\":2,"
             "\"baseDelaySeconds\":0}}",
             d->url);
    desk_ask(d, "POST", "/control/server", body);
    desk_ask(d, "POST", "/control/hook", "{\"type\":\"hang\"}");
    assert_string_equal(desk_at(d, "attempt"), "3");
    assert_string_equal(desk_at(d, "wrong"), "answered with status 503");
    assert_int_equal(json_array_size(d->messages), 4);
}

#define STORY(test) cmocka_unit_test_setup_teardown(test, desk_set_up, desk_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(test_a_call_is_told_from_its_beginning_to_its_report),
        STORY(test_the_next_server_is_asked_only_when_the_nearer_says_nothing),
        STORY(test_a_transcript_is_told_to_whoever_asked_for_it),
        STORY(test_tools_are_called_in_every_shape_that_was_published),
        cmocka_unit_test(test_a_result_that_vapi_would_ignore_is_found_out),
        cmocka_unit_test(test_an_assistant_is_picked_in_one_way),
        STORY(test_a_bare_number_asks_who_shall_answer),
        STORY(test_messages_prove_whose_they_are),
        STORY(test_messages_come_twice_backwards_or_not_at_all),
        STORY(test_a_server_with_a_plan_is_asked_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
