/* SPDX-License-Identifier: Apache-2.0 */
/* Texts as the network carries them: parts, statuses, STOP, answers, and what REST refuses. */
#include "fake_node.h"
#include "sim/carrier/texts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define TO   "To=%2B13125550188"
#define FROM "&From=%2B13125550100"
#define SOME TO FROM "&Body=Hello"

static char on_call[] = "+13125550188", agent[] = "+13125550100", empty[] = "";

static struct scenario_person phone(int text)
{
    return (struct scenario_person){.number = on_call, .presses = empty, .text = text};
}

static void assert_parts(const char *character, size_t n, unsigned want)
{
    size_t size = strlen(character);
    char *body = malloc(n * size + 1);

    body[0] = '\0';
    for (size_t i = 0; i < n; i++)
        memcpy(body + i * size, character, size + 1);
    if (text_segments(body) != want)
        fail_msg("%zu of %s are %u parts, not %u", n, character, text_segments(body), want);
    free(body);
}

static void test_parts_are_counted_as_they_are_billed(void **state)
{
    (void)state;
    assert_parts("a", 0, 1);
    assert_parts("a", 160, 1);
    assert_parts("a", 161, 2);
    assert_parts("a", 306, 2);
    assert_parts("a", 307, 3);
    assert_parts("\xC3\xB1", 160, 1);    /* n with a tilde is in the table */
    assert_parts("\xE2\x82\xAC", 80, 1); /* the euro sign takes two */
    assert_parts("\xE2\x82\xAC", 81, 2);
    assert_parts("\xC3\xA1", 70, 1); /* a with an acute is not */
    assert_parts("\xC3\xA1", 71, 2);
    assert_parts("\xF0\x9F\x94\xA5", 35, 1); /* a flame takes two units */
    assert_parts("\xF0\x9F\x94\xA5", 36, 2);
    assert_int_equal(text_characters("\xF0\x9F\x94\xA5\xC3\xA1x"), 3);
}

/* Sends one text, with a callback to /told, and waits until it has arrived or not. */
static void send_one(struct node *n)
{
    char body[300];

    node_page(n, "/told", "");
    snprintf(body, sizeof(body), "%s&StatusCallback=%s/told", SOME, n->url);
    node_rest(n, "POST", "/Messages.json", body);
    assert_int_equal(n->rest_status, 201);
    node_wait(n, 600);
}

static size_t count_told(const struct node *n, const char *status)
{
    size_t at = 0, count = 0;

    while (node_form(n, &at, "MessageStatus", status))
        count++;
    return count;
}

static void test_a_text_is_queued_sent_and_delivered(void **state)
{
    struct node *n = *state;
    const char *form;
    size_t at = 0;

    send_one(n);
    assert_non_null(strstr(n->rest_body, "\"status\":\"queued\""));
    assert_non_null(strstr(n->rest_body, "\"num_segments\":\"1\""));
    assert_int_equal(count_told(n, "queued"), 1);
    assert_int_equal(count_told(n, "sent"), 1);
    form = node_form(n, &at, "MessageStatus", "delivered");
    assert_non_null(form);
    assert_field(form, "To", on_call);
    assert_false(n->unsigned_request);
    node_rest(n, "GET", "/Messages.json?To=%2B13125550188&PageSize=1", "");
    assert_non_null(strstr(n->rest_body, "\"status\":\"delivered\""));
}

static void test_a_landline_is_told_of_later(void **state)
{
    struct node *n = *state;
    struct scenario_person people[] = {phone(30006)};
    const char *form;
    size_t at = 0;

    n->scenario.people = people;
    n->scenario.n_people = 1;
    send_one(n);
    form = node_form(n, &at, "MessageStatus", "undelivered");
    assert_non_null(form);
    assert_field(form, "ErrorCode", "30006");
    assert_int_equal(count_told(n, "delivered"), 0);
}

static void test_a_text_is_deleted_once_nothing_more_comes_of_it(void **state)
{
    struct node *n = *state;
    struct scenario_person people[] = {phone(0)};
    const char *sid;
    char path[60];

    n->scenario.people = people;
    n->scenario.n_people = 1;
    node_rest(n, "POST", "/Messages.json", SOME);
    sid = strstr(n->rest_body, "\"sid\":\"SM");
    assert_non_null(sid);
    snprintf(path, sizeof(path), "/Messages/%.34s.json", sid + 7);
    node_rest(n, "DELETE", path, "");
    assert_int_equal(n->rest_status, 409);
    node_wait(n, 400);
    node_rest(n, "DELETE", path, "");
    assert_int_equal(n->rest_status, 204);
    node_rest(n, "GET", path, "");
    assert_int_equal(n->rest_status, 404);
    node_rest(n, "GET", "/Messages.json", "");
    assert_null(strstr(n->rest_body, "\"sid\":"));
}

static void test_callbacks_come_twice_backwards_or_never(void **state)
{
    static const struct {
        enum scenario_callbacks how;
        size_t told;
    } cases[] = {{SCENARIO_TWICE, 2}, {SCENARIO_BACKWARDS, 1}, {SCENARIO_NONE, 0}};
    struct node *n = *state;
    struct scenario_person people[] = {phone(0)};

    n->scenario.people = people;
    n->scenario.n_people = 1;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        people[0].callbacks = cases[i].how;
        n->n_forms = 0;
        send_one(n);
        assert_int_equal(count_told(n, "delivered"), cases[i].told);
        assert_int_equal(count_told(n, "queued"), cases[i].told);
    }
}

static void test_whoever_got_it_answers_and_the_node_replies(void **state)
{
    struct node *n = *state;
    char yes[] = "1";
    struct scenario_text replies[] = {{.body = yes, .at_ms = 10}};
    struct scenario_person people[] = {phone(0)};
    const char *form;
    size_t at = 0;

    people[0].replies = replies;
    people[0].n_replies = 1;
    n->scenario.people = people;
    n->scenario.n_people = 1;
    node_page(n, "/twilio/sms", "<Response><Message>Thank you &amp; bye</Message></Response>");
    send_one(n);
    form = node_form(n, &at, "Body", "1");
    assert_non_null(form);
    assert_field(form, "From", on_call);
    assert_field(form, "To", agent);
    assert_field(form, "NumMedia", "0");
    assert_false(n->unsigned_request);
    assert_non_null(strstr(n->events, "Thank you & bye"));
    assert_non_null(strstr(n->events, "outbound-reply"));
}

/* A caller's own telephone texts while his call rings. */
static void text_from_caller(struct node *n, char *body)
{
    struct scenario_text texts[] = {{.body = body}};

    n->scenario.texts = texts;
    n->scenario.n_texts = 1;
    node_page(n, "/twilio/voice", "<Response><Hangup/></Response>");
    node_page(n, "/twilio/sms", "<Response/>");
    node_call(n);
    n->scenario.n_texts = 0;
    node_wait(n, 50);
}

static void test_after_stop_nothing_goes_there_until_start(void **state)
{
    static const char text[] = "To=%2B13125550142&From=%2B13125550100&Body=Hello";
    struct node *n = *state;
    char stop[] = " stop ", start[] = "START", talk[] = "stop it please";
    const char *form;
    size_t at = 0;

    text_from_caller(n, stop);
    form = node_form(n, &at, "Body", stop);
    assert_non_null(form);
    assert_field(form, "OptOutType", "STOP");
    node_rest(n, "POST", "/Messages.json", text);
    assert_int_equal(n->rest_code, 21610);
    text_from_caller(n, start);
    node_rest(n, "POST", "/Messages.json", text);
    assert_int_equal(n->rest_status, 201);
    text_from_caller(n, talk); /* no word of its own */
    node_rest(n, "POST", "/Messages.json", text);
    assert_int_equal(n->rest_status, 201);
}

static void test_what_twilio_refuses_is_refused(void **state)
{
    static const struct {
        const char *body;
        int code;
    } cases[] = {
        {FROM "&Body=x", 21604},
        {TO "&Body=x", 21603},
        {TO FROM, 21619},
        {"To=12" FROM "&Body=x", 21211},
        {TO "&From=12&Body=x", 21212},
        {"To=%2B13125550100" FROM "&Body=x", 21266},
        {SOME "&Colour=red", 20001},
        {SOME "&MediaUrl=http://x", 20001},
        {SOME "&ValidityPeriod=0", 20001},
        {SOME "&StatusCallback=x", 21609},
        {TO "&MessagingServiceSid=x&Body=x", 21701},
    };
    struct node *n = *state;
    char longest[1700] = TO FROM "&Body=";

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        node_rest(n, "POST", "/Messages.json", cases[i].body);
        if (n->rest_status != 400 || n->rest_code != cases[i].code)
            fail_msg("%s: %d %d", cases[i].body, n->rest_status, n->rest_code);
    }
    memset(longest + strlen(longest), 'x', 1601);
    node_rest(n, "POST", "/Messages.json", longest);
    assert_int_equal(n->rest_code, 21617);
    node_rest(n, "POST", "/Messages/SM00000000000000000000000000000000.json", "Body=");
    assert_int_equal(n->rest_status, 405);
    node_rest(n, "GET", "/Messages/SM00000000000000000000000000000000.json", "");
    assert_int_equal(n->rest_status, 404);
    node_rest(n, "GET", "/Messages.json?Colour=red", "");
    assert_int_equal(n->rest_code, 20001);
}

static void test_a_telephone_that_texts_are_refused_to(void **state)
{
    static const int codes[] = {21211, 21408, 21608, 21610, 21614};
    struct node *n = *state;
    struct scenario_person people[] = {phone(0)};

    n->scenario.people = people;
    n->scenario.n_people = 1;
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        people[0].text = codes[i];
        node_rest(n, "POST", "/Messages.json", SOME);
        assert_int_equal(n->rest_status, 400);
        assert_int_equal(n->rest_code, codes[i]);
    }
}

static int set_up_with_faults(void **state)
{
    return node_set_up_with(state, "text-429,text-503,text-500-after,text-lost,text-slow");
}

static size_t texts_there(struct node *n)
{
    json_t *tree;
    size_t count;

    node_rest(n, "GET", "/Messages.json", "");
    tree = json_loads(n->rest_body, 0, NULL);
    count = json_array_size(json_object_get(tree, "messages"));
    json_decref(tree);
    return count;
}

static void test_rest_misbehaves_before_and_after_it_sends(void **state)
{
    struct node *n = *state;

    node_rest(n, "POST", "/Messages.json", SOME);
    assert_int_equal(n->rest_status, 429);
    node_rest(n, "POST", "/Messages.json", SOME);
    assert_int_equal(n->rest_status, 503);
    assert_int_equal(texts_there(n), 0);
    node_rest(n, "POST", "/Messages.json", SOME);
    assert_int_equal(n->rest_status, 500);
    assert_int_equal(texts_there(n), 1);
    node_rest(n, "POST", "/Messages.json", SOME);
    assert_int_not_equal(n->rest_err, 0);
    assert_int_equal(texts_there(n), 2);
    node_rest(n, "POST", "/Messages.json", SOME);
    assert_int_equal(n->rest_status, 201); /* late */
}

#define STORY(fn) cmocka_unit_test_setup_teardown(fn, node_set_up, node_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parts_are_counted_as_they_are_billed),
        STORY(test_a_text_is_queued_sent_and_delivered),
        STORY(test_a_landline_is_told_of_later),
        STORY(test_a_text_is_deleted_once_nothing_more_comes_of_it),
        STORY(test_callbacks_come_twice_backwards_or_never),
        STORY(test_whoever_got_it_answers_and_the_node_replies),
        STORY(test_after_stop_nothing_goes_there_until_start),
        STORY(test_what_twilio_refuses_is_refused),
        STORY(test_a_telephone_that_texts_are_refused_to),
        cmocka_unit_test_setup_teardown(test_rest_misbehaves_before_and_after_it_sends,
                                        set_up_with_faults, node_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
