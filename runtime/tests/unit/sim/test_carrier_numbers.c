/* SPDX-License-Identifier: Apache-2.0 */
/* The account's numbers in the simulated REST API: listed page by page, fetched, changed. */
#include "fake_node.h"

#include "base/err.h"
#include "sim/carrier/numbers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define LIST "/IncomingPhoneNumbers.json"

static int five_numbers(void **state)
{
    return node_set_up_numbers(state, "5", "number-429,number-ignored,number-500-after");
}

/* The path of a number, as the list tells it. */
static void path_of(struct node *n, const char *number, char path[80])
{
    char query[80];
    json_t *tree, *first;

    snprintf(query, sizeof(query), LIST "?PhoneNumber=%%2B%s", number + 1);
    node_rest(n, "GET", query, "");
    tree = json_loads(n->rest_body, 0, NULL);
    first = json_array_get(json_object_get(tree, "incoming_phone_numbers"), 0);
    assert_string_equal(json_string_value(json_object_get(first, "phone_number")), number);
    snprintf(path, 80, "/IncomingPhoneNumbers/%s.json",
             json_string_value(json_object_get(first, "sid")));
    json_decref(tree);
}

static void assert_shown(struct node *n, const char *path, const char *part)
{
    node_rest(n, "GET", path, "");
    if (!strstr(n->rest_body, part))
        fail_msg("no %s in %s", part, n->rest_body);
}

static void test_numbers_are_listed_page_by_page(void **state)
{
    struct node *n = *state;
    char path[300] = LIST "?PageSize=2";
    size_t pages = 0, numbers = 0;

    while (path[0]) {
        json_t *tree, *next;
        node_rest(n, "GET", path, "");
        assert_int_equal(n->rest_status, 200);
        tree = json_loads(n->rest_body, 0, NULL);
        numbers += json_array_size(json_object_get(tree, "incoming_phone_numbers"));
        pages++;
        next = json_object_get(tree, "next_page_uri");
        path[0] = '\0';
        if (json_is_string(next))
            snprintf(path, sizeof(path), "%s",
                     json_string_value(next) +
                         strlen("/2010-04-01/Accounts/" CARRIER_DOUBLE_ACCOUNT));
        json_decref(tree);
    }
    assert_int_equal(pages, 3);
    assert_int_equal(numbers, 5);
    assert_shown(n, LIST "?PhoneNumber=%2B1312555010*", "+13125550104");
    assert_shown(n, LIST "?PhoneNumber=%2B1999*", "\"incoming_phone_numbers\":[]");
    node_rest(n, "GET", LIST "?Colour=red", "");
    assert_int_equal(n->rest_code, 20001);
}

static void test_an_update_changes_what_it_names(void **state)
{
    struct node *n = *state;
    char path[80];

    path_of(n, "+13125550101", path);
    assert_shown(n, path, "\"voice_url\":\"https://api.vapi.ai/twilio/inbound_call\"");
    node_rest(n, "POST", path, "VoiceUrl=https://calls.example.com/twilio/voice");
    assert_int_equal(n->rest_status, 429);
    assert_shown(n, path, "\"voice_url\":\"https://api.vapi.ai/twilio/inbound_call\"");
    node_rest(n, "POST", path, "VoiceUrl=https://calls.example.com/twilio/voice");
    assert_int_equal(n->rest_status, 200); /* so it says */
    assert_non_null(
        strstr(n->rest_body, "\"voice_url\":\"https://calls.example.com/twilio/voice\""));
    assert_shown(n, path, "\"voice_url\":\"https://api.vapi.ai/twilio/inbound_call\"");
    node_rest(n, "POST", path, "VoiceUrl=https://calls.example.com/twilio/voice");
    assert_int_equal(n->rest_status, 500); /* done, all the same */
    assert_shown(n, path, "\"voice_url\":\"https://calls.example.com/twilio/voice\"");
    node_rest(
        n, "POST", path,
        "VoiceFallbackUrl=https://api.vapi.ai/twilio/inbound_call&VoiceFallbackMethod=GET&SmsUrl=");
    assert_int_equal(n->rest_status, 200);
    assert_shown(n, path, "\"voice_fallback_method\":\"GET\"");
    assert_shown(n, path, "\"sms_url\":\"\"");
    assert_shown(n, path, "\"status_callback\":\"https://api.vapi.ai/twilio/status\"");
    assert_non_null(strstr(n->events, "number.updated"));
}

static void test_what_twilio_refuses_is_refused(void **state)
{
    static const struct {
        const char *body;
        int code;
    } cases[] = {
        {"VoiceUrl=nonsense", 21402},
        {"VoiceMethod=PUT", 21403},
        {"VoiceUrl=&VoiceFallbackUrl=https://x.example", 21405},
        {"SmsUrl=&SmsFallbackUrl=https://x.example", 21406},
        {"VoiceApplicationSid=AP1", 20001},
        {"TrunkSid=TKx", 20001},
        {"voice_url=https://x.example", 20001},
        {"VoiceReceiveMode=fax", 20001},
    };
    struct node *n = *state;
    char path[80];

    path_of(n, "+13125550100", path);
    for (int i = 0; i < 3; i++) /* the list of faults */
        node_rest(n, "POST", path, "FriendlyName=x");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        node_rest(n, "POST", path, cases[i].body);
        if (n->rest_status != 400 || n->rest_code != cases[i].code)
            fail_msg("%s: %d %d", cases[i].body, n->rest_status, n->rest_code);
    }
    assert_shown(n, path, "\"voice_url\":\"https://api.vapi.ai/twilio/inbound_call\"");
    node_rest(n, "POST", LIST, "");
    assert_int_equal(n->rest_code, 20004);
    node_rest(n, "DELETE", path, "");
    assert_int_equal(n->rest_code, 20004);
    node_rest(n, "GET", "/IncomingPhoneNumbers/PN00000000000000000000000000000000.json", "");
    assert_int_equal(n->rest_code, 20404);
}

static void test_a_call_to_a_number_goes_where_the_number_says(void **state)
{
    struct node *n = *state;
    const char *form;
    char path[80], body[200];
    size_t at = 0;

    path_of(n, "+13125550102", path);
    for (int i = 0; i < 3; i++) /* the list of faults */
        node_rest(n, "POST", path, "FriendlyName=x");
    snprintf(body, sizeof(body), "VoiceUrl=%s/here", n->url);
    node_rest(n, "POST", path, body);
    assert_int_equal(n->rest_status, 200);
    node_page(n, "/here", "<Response><Pause length='60'/></Response>");
    node_rest(n, "POST", "/Calls.json",
              "To=%2B13125550102&From=%2B13125550103&Twiml=%3CResponse/%3E");
    assert_int_equal(n->rest_status, 201);
    node_wait(n, 500);
    form = node_form(n, &at, "To", "+13125550102");
    assert_non_null(form);
    assert_field(form, "From", "+13125550103");
    assert_field(form, "Direction", "inbound");
    assert_field(form, "CallStatus", "ringing");
    assert_non_null(strstr(n->asked, "/here"));
}

static void read_text(struct carrier_numbers *n, const char *text, int want, char *why, size_t cap)
{
    char path[] = "/tmp/ringdown-numbers-XXXXXX";
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
    assert_int_equal(carrier_numbers_read(n, path, why, cap), want);
    unlink(path);
}

static void test_a_file_tells_numbers_that_are_different(void **state)
{
    struct carrier_numbers n;
    char why[200] = "";

    (void)state;
    read_text(&n,
              "[{\"phone_number\":\"+13125550100\",\"voice_url\":\"https://old.example\","
              "\"sms_url\":\"\",\"always\":\"500\"},{\"phone_number\":\"+442071838750\"}]",
              0, why, sizeof(why));
    assert_int_equal(n.n, 2);
    assert_string_equal(carrier_number_get(&n.all[0], "voice_url"), "https://old.example");
    assert_string_equal(carrier_number_get(&n.all[0], "sms_url"), "");
    assert_int_equal(n.all[0].always, REST_BROKEN);
    assert_ptr_equal(carrier_number_of(&n, "+442071838750"), &n.all[1]);
    assert_ptr_equal(carrier_number_by_sid(&n, n.all[1].sid), &n.all[1]);
    carrier_numbers_fini(&n);
    read_text(&n, "[{\"phone_number\":\"+13125550100\"},{\"phone_number\":\"+13125550100\"}]",
              RD_ECONFIG, why, sizeof(why));
    assert_non_null(strstr(why, "entry 2"));
    carrier_numbers_fini(&n);
    read_text(&n, "[{\"phone_number\":\"+13125550100\",\"colour\":\"red\"}]", RD_ECONFIG, why,
              sizeof(why));
    assert_non_null(strstr(why, "\"colour\""));
    carrier_numbers_fini(&n);
    read_text(&n, "{", RD_ECONFIG, why, sizeof(why));
    carrier_numbers_fini(&n);
    assert_int_equal(carrier_numbers_read(&n, "10001", why, sizeof(why)), RD_ECONFIG);
}

#define STORY(fn) cmocka_unit_test_setup_teardown(fn, five_numbers, node_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(test_numbers_are_listed_page_by_page),
        STORY(test_an_update_changes_what_it_names),
        STORY(test_what_twilio_refuses_is_refused),
        STORY(test_a_call_to_a_number_goes_where_the_number_says),
        cmocka_unit_test(test_a_file_tells_numbers_that_are_different),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
