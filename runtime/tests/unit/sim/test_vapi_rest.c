/* SPDX-License-Identifier: Apache-2.0 */
/* The REST API of the Vapi double, and what Twilio asks of it: what is taken, what is refused, and in which words. */
#include "fake_vapi.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define BYPASS                                                                            \
    "{\"phoneCallProviderBypassEnabled\":true,\"phoneNumberId\":\"" VAPI_DOUBLE_NUMBER_ID \
    "\",\"assistantId\":\"" VAPI_DOUBLE_ASSISTANT "\",\"customer\":{\"number\":"          \
    "\"+13125550142\"},\"assistantOverrides\":{\"variableValues\":{\"gwCallId\":\"CA1\"}}}"
#define FORM                                                               \
    "CallStatus=ringing&Direction=inbound&From=%2B13125550142&AccountSid=" \
    "AC5f1d0e7a29b84c36a1e0d9c7b6a59483"

static void test_nobody_is_served_without_the_key(void **state)
{
    struct desk *d = *state;

    desk_ask_as(d, NULL, "GET", "/call", NULL);
    assert_int_equal(d->status, 401);
    assert_string_equal(desk_at(d, "error"), "Unauthorized");
    desk_ask_as(d, "somebody-else", "POST", "/call", BYPASS);
    assert_int_equal(d->status, 401);
    desk_ask(d, "GET", "/calls", NULL);
    assert_int_equal(d->status, 404);
}

static void test_a_call_with_bypass_gets_a_document_for_twilio(void **state)
{
    struct desk *d = *state;
    char path[80];

    desk_ask(d, "POST", "/call", BYPASS);
    assert_int_equal(d->status, 201);
    assert_string_equal(desk_at(d, "status"), "queued");
    assert_string_equal(desk_at(d, "type"), "outboundPhoneCall");
    assert_non_null(strstr(desk_at(d, "phoneCallProviderDetails.twiml"), "<Connect><Stream url="));
    assert_string_equal(desk_at(d, "phoneCallProviderId"), ""); /* nobody knows whose it will be */
    assert_string_equal(desk_at(d, "subscriptionLimits.remainingConcurrentCalls"), "9");
    snprintf(path, sizeof(path), "/call/%s", desk_at(d, "id"));
    desk_ask(d, "PATCH", path, "{\"name\":\"moved\"}");
    desk_ask(d, "GET", path, NULL);
    assert_string_equal(desk_at(d, "name"), "moved");
    desk_ask(d, "DELETE", path, NULL);
    desk_ask(d, "GET", path, NULL);
    assert_int_equal(d->status, 404);
}

static void test_the_variables_of_a_call_are_not_its_assistants(void **state)
{
    struct desk *d = *state;

    desk_ask(d, "POST", "/call", BYPASS);
    assert_string_equal(desk_at(d, "assistantOverrides.variableValues.gwCallId"), "CA1");
    desk_ask(d, "POST", "/control/hook", "{\"type\":\"hang\"}");
    assert_string_equal(desk_at(d, "message.assistant.name"), "Front desk");
    assert_string_equal(desk_at(d, "message.assistant.variableValues.gwCallId"), "");
}

static void test_all_mistakes_of_a_call_are_told_at_once(void **state)
{
    struct desk *d = *state;

    desk_ask(
        d, "POST", "/call",
        "{\"assistantId\":\"mine\",\"colour\":1,\"customer\":{\"number\":5,\"age\":7},\"name\":"
        "\"a name that is much longer than forty characters are\"}");
    assert_int_equal(d->status, 400);
    assert_string_equal(desk_at(d, "error"), "Bad Request");
    assert_int_equal(json_array_size(json_object_get(d->json, "message")), 5);
    assert_non_null(strstr(d->text, "\"property colour should not exist\""));
    assert_non_null(strstr(d->text, "\"customer.property age should not exist\""));
    assert_non_null(strstr(d->text, "\"assistantId must be a UUID\""));
    desk_ask(d, "POST", "/call", "{\"customer\":{\"number\":\"+13125550142\"}}");
    assert_non_null(strstr(d->text, "Need Either `assistant`, `assistantId`"));
    assert_non_null(strstr(d->text, "Need either `phoneNumber` or `phoneNumberId`."));
    desk_ask(d, "POST", "/call", "[1]");
    assert_int_equal(d->status, 400);
}

static void test_a_websocket_takes_no_number_and_one_sound(void **state)
{
    struct desk *d = *state;

    desk_ask(
        d, "POST", "/call",
        "{\"assistantId\":\"" VAPI_DOUBLE_ASSISTANT "\",\"phoneNumberId\":\"" VAPI_DOUBLE_NUMBER_ID
        "\",\"transport\":{\"provider\":\"vapi.websocket\",\"audioFormat\":{\"format\":\"mulaw\","
        "\"container\":\"raw\",\"sampleRate\":16000}}}");
    assert_int_equal(d->status, 400);
    assert_int_equal(json_array_size(json_object_get(d->json, "message")), 2);
    desk_ask(d, "POST", "/call",
             "{\"assistantId\":\"" VAPI_DOUBLE_ASSISTANT "\",\"transport\":{\"provider\":"
             "\"vapi.websocket\",\"audioFormat\":{\"format\":\"mulaw\",\"container\":\"raw\","
             "\"sampleRate\":8000}}}");
    assert_int_equal(d->status, 201);
    assert_non_null(strstr(desk_at(d, "transport.websocketCallUrl"), "/transport"));
    assert_null(json_object_get(d->json, "phoneCallProvider"));
}

static void test_a_long_history_is_read_page_by_page(void **state)
{
    struct desk *d = *state;
    char path[120] = "/call?limit=100", before[40] = "";
    unsigned calls = 0;
    size_t n;

    desk_ask(d, "POST", "/control/call", "{\"sid\":\"CA1\"}"); /* today: the first of all */
    desk_ask(d, "POST", "/control/call", "{\"past\":250,\"minutes\":7}");
    do {
        desk_ask(d, "GET", path, NULL);
        n = json_array_size(d->json);
        for (size_t i = 0; i < n; i++) {
            const char *created = json_at(json_array_get(d->json, i), "createdAt");
            assert_true(!*before || strcmp(created, before) < 0); /* newest first, each once */
            snprintf(before, sizeof(before), "%s", created);
            calls++;
        }
        snprintf(path, sizeof(path), "/call?limit=100&createdAtLt=%s", before);
    } while (n == 100);
    assert_int_equal(calls, 251);
    desk_ask(d, "GET", "/call?limit=1001&createdAtLt=yesterday&offset=3", NULL);
    assert_int_equal(json_array_size(json_object_get(d->json, "message")), 3);
}

static void test_a_call_that_is_over_shows_what_it_cost(void **state)
{
    struct desk *d = *state;

    desk_ask(d, "POST", "/control/call", "{\"past\":1}");
    desk_ask(d, "GET", "/call?limit=1", NULL);
    assert_string_equal(desk_at(d, "0.status"), "ended");
    assert_string_equal(desk_at(d, "0.endedReason"), "customer-ended-call");
    assert_string_equal(desk_at(d, "0.costBreakdown.vapi"), "0.075"); /* 90 s of 0.05 a minute */
    assert_string_equal(desk_at(d, "0.costs.4.subType"), "normal");
    assert_string_equal(desk_at(d, "0.cost"), desk_at(d, "0.costBreakdown.total"));
    assert_string_equal(desk_at(d, "0.artifact.messages.0.role"), "bot");
    assert_non_null(strstr(desk_at(d, "0.artifact.transcript"), "User: I need a plumber"));
}

static void test_numbers_are_imported_changed_and_let_go(void **state)
{
    struct desk *d = *state;
    static const char import[] =
        "{\"provider\":\"twilio\",\"number\":\"+13125550177\","
        "\"twilioAccountSid\":\"AC1\",\"assistantId\":\"" VAPI_DOUBLE_ASSISTANT "\"}";
    char path[80];

    desk_ask(d, "POST", "/phone-number", "{\"provider\":\"twilio\",\"number\":\"5550177\"}");
    assert_int_equal(d->status, 400);
    assert_int_equal(json_array_size(json_object_get(d->json, "message")), 2);
    desk_ask(d, "POST", "/phone-number", import);
    assert_int_equal(d->status, 201);
    snprintf(path, sizeof(path), "/phone-number/%s", desk_at(d, "id"));
    desk_ask(d, "POST", "/phone-number", import);
    assert_int_equal(d->status, 400);
    desk_ask(d, "PATCH", path,
             "{\"assistantId\":null,\"server\":{\"url\":\"https://gw/vapi/events\"}}");
    assert_int_equal(d->status, 200);
    assert_null(json_object_get(d->json, "assistantId"));
    desk_ask(d, "GET", "/phone-number", NULL);
    assert_int_equal(json_array_size(d->json), 2);
    assert_string_equal(desk_at(d, "0.number"), "+13125550177");
    desk_ask(d, "DELETE", path, NULL);
    desk_ask(d, "GET", path, NULL);
    assert_int_equal(d->status, 404);
}

static void test_assistants_have_known_fields_alone(void **state)
{
    struct desk *d = *state;

    desk_ask(d, "GET", "/assistant/" VAPI_DOUBLE_ASSISTANT, NULL);
    assert_string_equal(desk_at(d, "name"), "Front desk");
    desk_ask(d, "PATCH", "/assistant/" VAPI_DOUBLE_ASSISTANT, "{\"serverUrl\":\"https://gw\"}");
    assert_int_equal(d->status, 400);
    desk_ask(d, "PATCH", "/assistant/" VAPI_DOUBLE_ASSISTANT,
             "{\"firstMessage\":\"Good morning.\"}");
    assert_string_equal(desk_at(d, "firstMessage"), "Good morning.");
}

static void test_twilio_is_refused_unless_the_call_rings(void **state)
{
    struct desk *d = *state;

    desk_form(d, "/twilio/inbound_call", "CallStatus=in-progress&Direction=outbound-api");
    assert_int_equal(d->status, 400);
    assert_string_equal(desk_at(d, "message.0"),
                        "CallStatus must be one of the following values: ringing");
    assert_string_equal(desk_at(d, "message.1"),
                        "Direction must be one of the following values: inbound, outbound");
    desk_form(d, "/twilio/inbound_call", FORM "&To=%2B13125550199&CallSid=CA1");
    assert_int_equal(d->status, 404);
    desk_form(d, "/twilio/inbound_call", FORM "&To=%2B13125550100&CallSid=CA1&ErrorCode=11200");
    assert_int_equal(d->status, 200);
    assert_non_null(strstr(d->text, "/transport\"/></Connect></Response>"));
    desk_ask(d, "GET", "/call", NULL);
    assert_string_equal(desk_at(d, "0.phoneCallProviderId"), "CA1");
    assert_string_equal(desk_at(d, "0.status"), "ringing");
}

static void test_it_misbehaves_on_request(void **state)
{
    struct desk *d = *state;

    desk_ask(
        d, "POST", "/control/faults",
        "{\"words\":\"call-429,call-429-after,call-array,call-full,get-503,get-lost,no-twiml\"}");
    desk_ask(d, "POST", "/call", BYPASS);
    assert_int_equal(d->status, 429);
    assert_null(strstr(d->head, "retry-after"));
    desk_ask(d, "POST", "/call", BYPASS);
    assert_non_null(strstr(d->head, "retry-after: 1"));
    desk_ask(d, "POST", "/call", BYPASS);
    assert_true(json_is_array(json_object_get(d->json, "message")));
    desk_ask(d, "POST", "/call", BYPASS);
    assert_string_equal(desk_at(d, "message"), "Over Concurrency Limit");
    desk_ask(d, "POST", "/call", BYPASS);
    assert_int_equal(d->status, 201);
    assert_null(json_object_get(d->json, "phoneCallProviderDetails"));
    desk_ask(d, "GET", "/call", NULL);
    assert_int_equal(d->status, 503);
    desk_ask(d, "GET", "/call", NULL);
    assert_int_not_equal(d->err, 0);
    desk_ask(d, "POST", "/control/faults", "{\"words\":\"call-upside-down\"}");
    assert_int_equal(d->status, 400);
    assert_non_null(strstr(d->text, "cannot be done"));
}

#define STORY(test) cmocka_unit_test_setup_teardown(test, desk_set_up, desk_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(test_nobody_is_served_without_the_key),
        STORY(test_a_call_with_bypass_gets_a_document_for_twilio),
        STORY(test_the_variables_of_a_call_are_not_its_assistants),
        STORY(test_all_mistakes_of_a_call_are_told_at_once),
        STORY(test_a_websocket_takes_no_number_and_one_sound),
        STORY(test_a_long_history_is_read_page_by_page),
        STORY(test_a_call_that_is_over_shows_what_it_cost),
        STORY(test_numbers_are_imported_changed_and_let_go),
        STORY(test_assistants_have_known_fields_alone),
        STORY(test_twilio_is_refused_unless_the_call_rings),
        STORY(test_it_misbehaves_on_request),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
