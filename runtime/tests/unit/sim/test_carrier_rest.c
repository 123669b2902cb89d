/* SPDX-License-Identifier: Apache-2.0 */
/* Calls of the REST API beyond those that came in by themselves: created, changed, listed. */
#include "fake_node.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define WHO "To=%2B13125550188&From=%2B13125550100"

static char on_call[] = "+13125550188", one[] = "1";

/* Who answers after 50 ms and presses 1. */
static struct scenario_person somebody(enum scenario_answer answers)
{
    return (struct scenario_person){
        .number = on_call, .answers = answers, .after_ms = 50, .thinks_ms = 20, .presses = one};
}

static void created_sid(const struct node *n, char path[60])
{
    json_t *tree = json_loads(n->rest_body, 0, NULL);

    snprintf(path, 60, "/Calls/%s.json", json_string_value(json_object_get(tree, "sid")));
    json_decref(tree);
}

static void create(struct node *n, char path[60], const char *more)
{
    char body[600];

    snprintf(body, sizeof(body),
             "%s&Url=%s/alarm&StatusCallback=%s/told&StatusCallbackEvent=answered&"
             "StatusCallbackEvent=completed%s",
             WHO, n->url, n->url, more);
    node_page(n, "/told", "");
    node_rest(n, "POST", "/Calls.json", body);
    assert_int_equal(n->rest_status, 201);
    created_sid(n, path);
}

static void test_a_created_call_runs_its_document_to_who_answers(void **state)
{
    struct node *n = *state;
    struct scenario_person people[] = {somebody(SCENARIO_HUMAN)};
    const char *form;
    char path[60];
    size_t at = 0;

    n->scenario.people = people;
    n->scenario.n_people = 1;
    node_page(n, "/alarm",
              "<Response><Gather numDigits='1' action='/confirm'><Say>Gas leak. Press 1.</Say>"
              "</Gather></Response>");
    node_page(n, "/confirm", "<Response><Hangup/></Response>");
    create(n, path, "");
    assert_non_null(strstr(n->rest_body, "\"status\":\"queued\""));
    assert_non_null(strstr(n->rest_body, "\"direction\":\"outbound-api\""));
    node_wait(n, 300);
    form = node_form(n, &at, "Digits", "1");
    assert_non_null(form);
    assert_field(form, "Direction", "outbound-api");
    at = 0;
    assert_non_null(node_form(n, &at, "SequenceNumber", "0"));
    assert_field(n->forms[at - 1], "CallStatus", "in-progress");
    assert_non_null(node_form(n, &at, "SequenceNumber", "1"));
    assert_field(n->forms[at - 1], "CallStatus", "completed");
    node_rest(n, "GET", path, "");
    assert_non_null(strstr(n->rest_body, "\"status\":\"completed\""));
    node_rest(n, "POST", path, "Status=completed");
    assert_int_equal(n->rest_code, 21220);
    assert_false(n->unsigned_request);
}

static void test_a_created_call_that_nobody_takes(void **state)
{
    static const struct {
        enum scenario_answer answers;
        const char *status;
    } cases[] = {
        {SCENARIO_BUSY, "busy"}, {SCENARIO_FAILED, "failed"}, {SCENARIO_NO_ANSWER, "no-answer"}};
    struct node *n = *state;
    struct scenario_person people[] = {somebody(SCENARIO_BUSY)};
    char path[60], want[40];

    n->scenario.people = people;
    n->scenario.n_people = 1;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        people[0].answers = cases[i].answers;
        create(n, path, "&Timeout=1");
        node_wait(n, 150);
        node_rest(n, "GET", path, "");
        snprintf(want, sizeof(want), "\"status\":\"%s\"", cases[i].status);
        if (!strstr(n->rest_body, want))
            fail_msg("not %s: %s", want, n->rest_body);
    }
}

static void test_a_created_call_is_cancelled_or_changed(void **state)
{
    struct node *n = *state;
    struct scenario_person people[] = {somebody(SCENARIO_HUMAN)};
    char path[60];

    people[0].after_ms = 300;
    n->scenario.people = people;
    n->scenario.n_people = 1;
    node_page(n, "/alarm", "<Response><Pause length='60'/></Response>");
    create(n, path, "");
    node_rest(n, "POST", path, "Twiml=%3CResponse/%3E");
    assert_int_equal(n->rest_code, 21220); /* not yet answered */
    node_rest(n, "POST", path, "Status=canceled");
    assert_int_equal(n->rest_status, 200);
    node_rest(n, "GET", path, "");
    assert_non_null(strstr(n->rest_body, "\"status\":\"canceled\""));
    people[0].after_ms = 0;
    create(n, path, "");
    node_wait(n, 100);
    node_rest(n, "POST", path, "Status=canceled");
    assert_int_equal(n->rest_code, 21220); /* it is answered */
    node_rest(n, "POST", path, "Twiml=%3CResponse/%3E");
    assert_int_equal(n->rest_status, 200);
    node_rest(n, "GET", path, "");
    assert_non_null(strstr(n->rest_body, "\"status\":\"completed\""));
}

static void test_a_call_is_deleted_once_it_is_over(void **state)
{
    struct node *n = *state;
    struct scenario_person people[] = {somebody(SCENARIO_HUMAN)};
    char path[60];

    n->scenario.people = people;
    n->scenario.n_people = 1;
    node_page(n, "/alarm", "<Response><Pause length='60'/></Response>");
    create(n, path, "");
    node_rest(n, "DELETE", path, "");
    assert_int_equal(n->rest_status, 409);
    assert_int_equal(n->rest_code, 20009);
    node_wait(n, 100);
    node_rest(n, "POST", path, "Status=completed");
    node_wait(n, 100);
    node_rest(n, "DELETE", path, "");
    assert_int_equal(n->rest_status, 204);
    node_rest(n, "GET", path, "");
    assert_int_equal(n->rest_status, 404);
    node_rest(n, "GET", "/Calls.json", "");
    assert_null(strstr(n->rest_body, "\"sid\":"));
    node_rest(n, "DELETE", path, "");
    assert_int_equal(n->rest_status, 404);
    node_rest(n, "DELETE", "/Calls.json", "");
    assert_int_equal(n->rest_status, 405);
}

static void test_what_twilio_refuses_is_refused(void **state)
{
    static const struct {
        const char *body;
        int code;
    } cases[] = {
        {"From=%2B13125550100&Twiml=x", 21201},
        {"To=12&From=%2B13125550100&Twiml=x", 21211},
        {"To=%2B13125550188&Twiml=x", 21213},
        {"To=%2B13125550188&From=1&Twiml=x", 21212},
        {WHO, 21205},
        {WHO "&Url=x", 21205},
        {WHO "&Twiml=x&Url=http://x", 20001},
        {WHO "&Twiml=x&Timeout=601", 20001},
        {WHO "&Twiml=x&Colour=red", 20001},
        {WHO "&Twiml=x&Record=true", 20001},
        {WHO "&Twiml=x&StatusCallbackEvent=over", 20001},
    };
    struct node *n = *state;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        node_rest(n, "POST", "/Calls.json", cases[i].body);
        if (n->rest_status != 400 || n->rest_code != cases[i].code)
            fail_msg("%s: %d %d", cases[i].body, n->rest_status, n->rest_code);
    }
}

static void test_a_list_is_filtered_and_paged(void **state)
{
    struct node *n = *state;
    struct scenario_person people[] = {somebody(SCENARIO_BUSY)};
    char path[60], next[300];
    json_t *tree;

    n->scenario.people = people;
    n->scenario.n_people = 1;
    for (int i = 0; i < 3; i++)
        create(n, path, "");
    node_wait(n, 150);
    node_rest(n, "GET", "/Calls.json?Status=busy&PageSize=2", "");
    tree = json_loads(n->rest_body, 0, NULL);
    assert_int_equal(json_array_size(json_object_get(tree, "calls")), 2);
    snprintf(next, sizeof(next), "%s",
             json_string_value(json_object_get(tree, "next_page_uri")) +
                 strlen("/2010-04-01/Accounts/" CARRIER_DOUBLE_ACCOUNT));
    json_decref(tree);
    node_rest(n, "GET", next, "");
    tree = json_loads(n->rest_body, 0, NULL);
    assert_int_equal(json_array_size(json_object_get(tree, "calls")), 1);
    assert_true(json_is_null(json_object_get(tree, "next_page_uri")));
    json_decref(tree);
    node_rest(n, "GET", "/Calls.json?Status=completed", "");
    assert_non_null(strstr(n->rest_body, "\"calls\":[]"));
    node_rest(n, "GET", "/Calls.json?StartTime%3E=2999-01-01", "");
    assert_non_null(strstr(n->rest_body, "\"calls\":[]"));
    node_rest(n, "GET", "/Calls.json?Page=1", ""); /* nobody was led there */
    assert_int_equal(n->rest_code, 20001);
}

#define STORY(fn) cmocka_unit_test_setup_teardown(fn, node_set_up, node_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(test_a_created_call_runs_its_document_to_who_answers),
        STORY(test_a_created_call_that_nobody_takes),
        STORY(test_a_created_call_is_cancelled_or_changed),
        STORY(test_a_call_is_deleted_once_it_is_over),
        STORY(test_what_twilio_refuses_is_refused),
        STORY(test_a_list_is_filtered_and_paged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
