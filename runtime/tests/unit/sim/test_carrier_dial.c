/* SPDX-License-Identifier: Apache-2.0 */
/* <Dial> and <Gather> as the network runs them: who answers, who takes the call, who is told what. */
#include "fake_node.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char anna[] = "+13125550181", ben[] = "+13125550182", cleo[] = "+13125550183";
static char one[] = "1", nothing[] = "";

static struct scenario_person human(char *number, unsigned after_ms, char *presses)
{
    return (struct scenario_person){.number = number,
                                    .answers = SCENARIO_HUMAN,
                                    .after_ms = after_ms,
                                    .thinks_ms = 50,
                                    .talks_ms = 300,
                                    .presses = presses};
}

static struct scenario_person nobody(char *number, enum scenario_answer answers)
{
    return (struct scenario_person){
        .number = number, .answers = answers, .after_ms = 3600000, .presses = nothing};
}

/* Three people, asked before they are put through, told about in every step. */
static void three_numbers(struct node *n)
{
    static const char number[] = "<Number url='/screen' statusCallback='/leg' "
                                 "statusCallbackEvent='initiated ringing answered completed'>";
    static char twiml[1024];

    snprintf(twiml, sizeof(twiml),
             "<Response><Dial action='/after' timeout='1' callerId='+13125550100'>"
             "%s%s</Number>%s%s</Number>%s%s</Number></Dial></Response>",
             number, anna, number, ben, number, cleo);
    node_page(n, "/twilio/voice", twiml);
    node_page(n, "/screen",
              "<Response><Gather numDigits='1' timeout='1' action='/accept'><Say>Press 1.</Say>"
              "</Gather><Hangup/></Response>");
    node_page(n, "/accept", "<Response/>");
    node_page(n, "/after", "<Response><Pause length='0'/></Response>");
    node_page(n, "/leg", "");
}

/* The last thing that the status callback of a number was told. */
static void assert_told(const struct node *n, const char *number, const char *status)
{
    const char *form, *last = NULL;
    size_t at = 0;

    while ((form = node_form(n, &at, "To", number))) {
        if (strstr(form, "SequenceNumber"))
            last = form;
    }
    assert_non_null(last);
    assert_field(last, "CallStatus", status);
    assert_field(last, "Direction", "outbound-dial");
    assert_field(last, "ParentCallSid", n->report.call_sid);
    assert_field(last, "From", "+13125550100");
}

static void test_the_first_who_takes_the_call_gets_it_and_the_others_stop_ringing(void **state)
{
    struct node *n = *state;
    struct scenario_person people[] = {human(anna, 0, nothing), human(ben, 100, one),
                                       nobody(cleo, SCENARIO_NO_ANSWER)};
    const char *form;
    size_t at = 0;

    n->scenario.people = people;
    n->scenario.n_people = 3;
    three_numbers(n);
    node_call(n);
    assert_string_equal(n->report.verbs, "Dial,Pause");
    assert_string_equal(n->report.ended_by, "transfer");
    form = node_form(n, &at, "Digits", "1");
    assert_non_null(form);
    assert_field(form, "To", ben);
    assert_field(form, "CallStatus", "in-progress");
    assert_field(form, "ParentCallSid", n->report.call_sid);
    assert_null(node_form(n, &at, "Digits", "1"));
    at = 0;
    form = node_form(n, &at, "DialBridged", "true");
    assert_non_null(form);
    assert_field(form, "DialCallStatus", "completed");
    assert_field(form, "DialCallDuration", "1");
    assert_field(form, "CallSid", n->report.call_sid);
    assert_told(n, anna, "completed");
    assert_told(n, ben, "completed");
    assert_told(n, cleo, "canceled");
    assert_false(n->unsigned_request);
}

static void test_a_voicemail_answers_and_takes_nothing(void **state)
{
    struct node *n = *state;
    struct scenario_person people[] = {human(anna, 0, nothing), nobody(ben, SCENARIO_BUSY),
                                       nobody(cleo, SCENARIO_NO_ANSWER)};
    const char *form;
    size_t at = 0;

    people[1].after_ms = 50;
    n->scenario.people = people;
    n->scenario.n_people = 3;
    three_numbers(n);
    node_call(n);
    form = node_form(n, &at, "DialBridged", "false");
    assert_non_null(form);
    assert_field(form, "DialCallStatus", "completed"); /* it was answered; no more than that */
    assert_told(n, ben, "busy");
    assert_told(n, cleo, "no-answer");
    assert_string_equal(n->report.ended_by, "agent");
    assert_non_null(strstr(n->events, "leg.hears"));
}

static void test_what_is_no_number_fails_alone(void **state)
{
    struct node *n = *state;

    node_page(n, "/twilio/voice",
              "<Response><Dial action='/after'><Number>office</Number></Dial></Response>");
    node_page(n, "/after", "<Response/>");
    node_call(n);
    assert_field(n->last_voice, "DialCallStatus", "failed");
    assert_non_null(strstr(n->events, "13224"));
}

static void test_a_caller_who_hangs_up_stops_the_ringing(void **state)
{
    struct node *n = *state;
    struct scenario_person people[] = {nobody(anna, SCENARIO_NO_ANSWER),
                                       nobody(ben, SCENARIO_NO_ANSWER),
                                       nobody(cleo, SCENARIO_NO_ANSWER)};
    struct scenario_step leaves[] = {{.at_ms = 300, .hangup = true}};
    const char *form;
    size_t at = 0;

    n->scenario.people = people;
    n->scenario.n_people = 3;
    n->scenario.steps = leaves;
    n->scenario.n_steps = 1;
    three_numbers(n);
    node_call(n);
    assert_string_equal(n->report.ended_by, "caller");
    assert_string_equal(n->report.verbs, "Dial");
    assert_told(n, anna, "canceled");
    form = node_form(n, &at, "DialCallStatus", "canceled");
    assert_non_null(form);
    assert_field(form, "CallStatus", "completed");
}

/* As soon as somebody rings, REST wants the caller elsewhere. */
static void elsewhere(struct node *n, const char *event)
{
    json_t *e = json_loads(event, 0, NULL);
    char path[100];

    if (strcmp(json_string_value(json_object_get(e, "ev")), "leg.ringing") == 0 && n->step == 0) {
        n->step = 1;
        snprintf(path, sizeof(path), "/Calls/%s.json",
                 json_string_value(json_object_get(e, "call")));
        node_ask(n, "POST", path,
                 "Twiml=%3CResponse%3E%3CPause%20length=%220%22/%3E%3C/Response%3E");
    }
    json_decref(e);
}

static void test_rest_takes_a_caller_off_a_dial(void **state)
{
    struct node *n = *state;
    struct scenario_person people[] = {nobody(anna, SCENARIO_NO_ANSWER),
                                       nobody(ben, SCENARIO_NO_ANSWER),
                                       nobody(cleo, SCENARIO_NO_ANSWER)};

    n->scenario.people = people;
    n->scenario.n_people = 3;
    n->watch = elsewhere;
    three_numbers(n);
    node_call(n);
    assert_int_equal(n->rest_status, 200);
    assert_string_equal(n->report.verbs, "Dial,Pause");
    assert_null(strstr(n->asked, "/after"));
    assert_told(n, anna, "canceled");
}

static void test_a_caller_presses_keys(void **state)
{
    struct node *n = *state;
    char digits[] = "42#";
    struct scenario_step presses[] = {{.at_ms = 40, .digits = digits}};

    n->scenario.steps = presses;
    n->scenario.n_steps = 1;
    node_page(n, "/twilio/voice",
              "<Response><Gather action='/menu'><Pause length='2'/></Gather></Response>");
    node_page(n, "/menu", "<Response><Hangup/></Response>");
    node_call(n);
    assert_string_equal(n->report.verbs, "Gather,Hangup");
    assert_field(n->last_voice, "Digits", "42");
}

static void test_who_presses_nothing_gets_the_next_verb(void **state)
{
    struct node *n = *state;

    node_page(n, "/twilio/voice",
              "<Response><Gather timeout='0' action='/menu'/><Hangup/></Response>");
    node_call(n);
    assert_string_equal(n->report.verbs, "Gather,Hangup");
    assert_string_equal(n->asked, "/twilio/voice /twilio/status ");
}

#define STORY(fn) cmocka_unit_test_setup_teardown(fn, node_set_up, node_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(test_the_first_who_takes_the_call_gets_it_and_the_others_stop_ringing),
        STORY(test_a_voicemail_answers_and_takes_nothing),
        STORY(test_what_is_no_number_fails_alone),
        STORY(test_a_caller_who_hangs_up_stops_the_ringing),
        STORY(test_rest_takes_a_caller_off_a_dial),
        STORY(test_a_caller_presses_keys),
        STORY(test_who_presses_nothing_gets_the_next_verb),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
