/* SPDX-License-Identifier: Apache-2.0 */
/* TwiML as the network runs it: verb by verb, and what it refuses. */
#include "sim/carrier/twiml_run.h"
#include "sim/carrier/twiml_xml.h"

#include "base/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void count_warning(int code, const char *text, void *arg)
{
    (void)text;
    if (arg)
        *(int *)arg = code;
}

static struct twiml *read_ok(const char *text, int *warning)
{
    char why[200];
    struct twiml *t = NULL;
    int rc = twiml_read(&t, rd_str(text), count_warning, warning, why, sizeof(why));

    if (rc)
        fail_msg("%s: %s", text, why);
    return t;
}

static void assert_refused(const char *text, const char *reason)
{
    char why[200];
    struct twiml *t = NULL;

    assert_int_equal(twiml_read(&t, rd_str(text), count_warning, NULL, why, sizeof(why)),
                     RD_EPROTO);
    if (!strstr(why, reason))
        fail_msg("%s: said \"%s\", not \"%s\"", text, why, reason);
}

static void test_a_stream_gets_its_address_and_parameters(void **state)
{
    struct twiml *t = read_ok("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response>\n <Connect>"
                              "<Stream url=\"wss://gw.example.com/twilio/media/t0\">"
                              "<Parameter name=\"token\" value=\"a&amp;&quot;b&#x41;\"/>"
                              "<Parameter name='agent' value='reception' /></Stream></Connect>"
                              "<Redirect method=\"POST\"> /twilio/resume </Redirect></Response>",
                              NULL);
    const struct twiml_action *a = twiml_next(t);

    (void)state;
    assert_int_equal(a->kind, TWIML_STREAM);
    assert_string_equal(a->verb, "Connect");
    assert_string_equal(a->url, "wss://gw.example.com/twilio/media/t0");
    assert_int_equal(a->n_params, 2);
    assert_string_equal(a->params[0].name, "token");
    assert_string_equal(a->params[0].value, "a&\"bA");
    assert_string_equal(a->params[1].value, "reception");
    assert_null(a->action);
    a = twiml_next(t);
    assert_int_equal(a->kind, TWIML_REDIRECT);
    assert_string_equal(a->text, "/twilio/resume");
    assert_int_equal(twiml_next(t)->kind, TWIML_END);
    twiml_free(t);
}

static void test_verbs_run_top_to_bottom(void **state)
{
    struct twiml *t = read_ok("<Response><Say voice=\"Polly.Joanna\">One &lt;moment&gt;</Say>"
                              "<Pause length=\"2\"/><Play digits=\"1w2#\"/>"
                              "<Dial><Number>+13125550188</Number></Dial><Hangup/>"
                              "<Say>never</Say></Response>",
                              NULL);
    const struct twiml_action *a = twiml_next(t);

    (void)state;
    assert_int_equal(a->kind, TWIML_SAY);
    assert_string_equal(a->text, "One <moment>");
    a = twiml_next(t);
    assert_int_equal(a->kind, TWIML_PAUSE);
    assert_int_equal(a->seconds, 2);
    a = twiml_next(t);
    assert_int_equal(a->kind, TWIML_DIGITS);
    assert_string_equal(a->text, "1w2#");
    a = twiml_next(t);
    assert_int_equal(a->kind, TWIML_DIAL);
    assert_string_equal(a->text, "+13125550188");
    assert_int_equal(twiml_next(t)->kind, TWIML_HANGUP);
    assert_int_equal(twiml_next(t)->kind, TWIML_END);
    twiml_free(t);
}

static void test_a_dial_rings_each_of_its_numbers(void **state)
{
    struct twiml *t = read_ok(
        "<Response><Dial timeout='20' action='/after' callerId='+1312'><Number url='/screen' "
        "statusCallback='/leg' statusCallbackEvent='ringing completed'> +13125550181 "
        "</Number><Number>+13125550182</Number></Dial></Response>",
        NULL);
    const struct twiml_action *a = twiml_next(t);

    (void)state;
    assert_int_equal(a->kind, TWIML_DIAL);
    assert_int_equal(a->n_targets, 2);
    assert_int_equal(a->seconds, 20);
    assert_string_equal(a->caller_id, "+1312");
    assert_string_equal(a->action, "/after");
    assert_string_equal(a->targets[0].number, "+13125550181");
    assert_string_equal(a->targets[0].url, "/screen");
    assert_string_equal(a->targets[0].events, "ringing completed");
    assert_string_equal(a->targets[1].number, "+13125550182");
    assert_null(a->targets[1].url);
    twiml_free(t);
}

static void test_a_gather_has_prompts(void **state)
{
    struct twiml *t = read_ok("<Response><Gather numDigits='1' timeout='3' finishOnKey=''>"
                              "<Say loop='2'>Press 1.</Say><Pause length='4'/></Gather></Response>",
                              NULL);
    const struct twiml_action *a = twiml_next(t);

    (void)state;
    assert_int_equal(a->kind, TWIML_GATHER);
    assert_int_equal(a->max_digits, 1);
    assert_int_equal(a->seconds, 3);
    assert_int_equal(a->finish, '\0');
    assert_int_equal(a->n_prompts, 2);
    assert_string_equal(a->prompts[0].text, "Press 1.");
    assert_int_equal(a->prompts[0].loop, 2);
    assert_int_equal(a->prompts[1].seconds, 4);
    twiml_free(t);
}

static void test_an_empty_response_ends_the_call(void **state)
{
    struct twiml *t = read_ok("<Response/>", NULL);

    (void)state;
    assert_int_equal(twiml_next(t)->kind, TWIML_END);
    twiml_free(t);
}

static void test_what_is_not_well_formed_is_refused(void **state)
{
    static const struct {
        const char *text, *reason;
    } cases[] = {
        {"", "no root"},
        {" <?xml version=\"1.0\"?><Response/>", "declaration"},
        {"x<Response/>", "outside"},
        {"<Response/><Response/>", "second root"},
        {"<Response><Say>a & b</Say></Response>", "bare '&'"},
        {"<Response><Say>&nbsp;</Say></Response>", "unknown entity"},
        {"<Response><Say>a</say></Response>", "closes what is not"},
        {"<Response><Say>a</Response>", "closes what is not"},
        {"<Response><Say>a</Say>", "never closed"},
        {"<Response><Pause length=1/></Response>", "quotes"},
        {"<Response><Pause length=\"1\" length=\"2\"/></Response>", "twice"},
        {"<Response><Pause length/></Response>", "without a value"},
        {"<Response><Say voice=\"<\">a</Say></Response>", "'<' in an attribute"},
        {"<!DOCTYPE x [<!ENTITY a \"b\">]><Response/>", "declaration"},
        {"<Response><Say>\xC3(</Say></Response>", "UTF-8"},
        {"<Response><Say>\xED\xA0\x80</Say></Response>", "does not allow"},
        {"<Response><Say>\x01</Say></Response>", "does not allow"},
        {"<Response><Say>&#0;</Say></Response>", "does not allow"},
        {"<Response><Say>&#x110000;</Say></Response>", "beyond Unicode"},
        {"<Response><Say>]]></Say></Response>", "]]> in text"},
        {"<Response><!-- never", "comment"},
        {"<response/>", "not <Response>"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_refused(cases[i].text, cases[i].reason);
}

static void test_every_prefix_of_a_document_is_refused(void **state)
{
    static const char text[] = "<?xml version=\"1.0\"?><Response><Connect><Stream url='wss://a/b'>"
                               "<Parameter name=\"a\" value=\"&amp;\"/></Stream></Connect>"
                               "<![CDATA[ ]]><!-- c --></Response>";
    char why[200];

    (void)state;
    for (size_t n = 0; n < sizeof(text) - 1; n++) {
        struct xml_doc *d = NULL;
        char *cut = malloc(n + 1); /* so that reading past the end is seen */
        memcpy(cut, text, n);
        assert_int_equal(xml_parse(&d, (struct rd_str){cut, n}, why, sizeof(why)), RD_EPROTO);
        free(cut);
    }
}

static void test_depth_and_number_of_elements_are_bounded(void **state)
{
    char text[16384] = "";

    (void)state;
    for (int i = 0; i < XML_DEPTH_MAX + 1; i++)
        strcat(text, "<a>");
    assert_refused(text, "too deep");
    strcpy(text, "<Response>");
    for (int i = 0; i < XML_ELEMENTS_MAX; i++)
        strcat(text, "<Pause/>");
    assert_refused(text, "too many");
}

static void assert_bad(const char *verbs, int code)
{
    char text[2048];
    struct twiml *t;
    const struct twiml_action *a;

    snprintf(text, sizeof(text), "<Response>%s<Hangup/></Response>", verbs);
    t = read_ok(text, NULL);
    a = twiml_next(t);
    if (a->kind != TWIML_BAD || a->code != code)
        fail_msg("%s: kind %d, code %d", verbs, (int)a->kind, a->code);
    assert_int_equal(twiml_next(t)->kind, TWIML_END);
    twiml_free(t);
}

static void test_verbs_the_network_would_not_run(void **state)
{
    char parameter[900], value[520];

    (void)state;
    assert_bad("<Sing>la</Sing>", TWILIO_SCHEMA);
    assert_bad("<say>hello</say>", TWILIO_SCHEMA);
    assert_bad("<Connect/>", TWILIO_SCHEMA);
    assert_bad("<Connect><Stream/></Connect>", TWILIO_NOT_WSS);
    assert_bad("<Connect><Stream url=\"https://a/b\"/></Connect>", TWILIO_NOT_WSS);
    assert_bad("<Connect><Stream url=\"wss://a/b\" track=\"both_tracks\"/></Connect>",
               TWILIO_TRACK);
    assert_bad("<Connect><Stream url=\"wss://a/b\"><Say>x</Say></Stream></Connect>", TWILIO_SCHEMA);
    assert_bad("<Dial></Dial>", TWILIO_SCHEMA);
    assert_bad("<Dial><Number/></Dial>", TWILIO_SCHEMA);
    assert_bad("<Dial><Conference>room</Conference></Dial>", TWILIO_SCHEMA);
    assert_bad("<Gather input=\"speech\"/>", TWILIO_SCHEMA);
    assert_bad("<Gather><Dial>+13125550188</Dial></Gather>", TWILIO_SCHEMA);
    assert_bad("<Gather><Play>https://example.com/a.mp3</Play></Gather>", TWILIO_SCHEMA);
    assert_bad("<Record/>", TWILIO_SCHEMA);
    assert_bad("<Play>https://example.com/a.mp3</Play>", TWILIO_SCHEMA);
    memset(value, 'x', sizeof(value) - 1);
    value[500] = '\0';
    snprintf(parameter, sizeof(parameter),
             "<Connect><Stream url=\"wss://a/b\"><Parameter name=\"a\" value=\"%s\"/></Stream>"
             "</Connect>",
             value);
    assert_bad(parameter, TWILIO_SCHEMA);
}

static void test_reject_only_as_the_first_verb(void **state)
{
    struct twiml *t = read_ok("<Response><Reject reason=\"busy\"/></Response>", NULL);

    (void)state;
    assert_int_equal(twiml_next(t)->kind, TWIML_REJECT);
    twiml_free(t);
    t = read_ok("<Response><Pause/><Reject/></Response>", NULL);
    twiml_next(t);
    assert_int_equal(twiml_next(t)->kind, TWIML_BAD);
    twiml_free(t);
}

static void test_odd_attributes_are_warned_about_and_dials_are_not(void **state)
{
    int warning = 0;
    struct twiml *t = read_ok("<Response><Dial nonsense=\"1\">+1312</Dial>"
                              "<Connect><Stream url=\"wss://a/b?c=d\"/></Connect>"
                              "<Pause len=\"1\"/></Response>",
                              &warning);
    const struct twiml_action *a;

    (void)state;
    twiml_next(t);
    assert_int_equal(warning, 0);
    a = twiml_next(t);
    assert_string_equal(a->url, "wss://a/b"); /* everything from the '?' is dropped */
    assert_int_equal(warning, TWILIO_NOT_WSS);
    twiml_next(t);
    assert_int_equal(warning, TWILIO_SCHEMA);
    twiml_free(t);
}

static void test_addresses_are_resolved_against_the_document(void **state)
{
    static const struct {
        const char *base, *ref, *want;
    } cases[] = {
        {"https://a.b:81/x/y?q=1", "/r", "https://a.b:81/r"},
        {"https://a.b:81/x/y?q=1", "r?s=/t", "https://a.b:81/x/r?s=/t"},
        {"https://a.b", "r", "https://a.b/r"},
        {"https://a.b/x", "", "https://a.b/x"},
        {"https://a.b/x", "http://c.d/e", "http://c.d/e"},
        {"https://a.b/x", "r?u=http://c.d/", "https://a.b/r?u=http://c.d/"},
    };
    char out[100];

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(twiml_resolve(out, sizeof(out), cases[i].base, cases[i].ref), 0);
        assert_string_equal(out, cases[i].want);
    }
    assert_int_equal(twiml_resolve(out, 10, "https://a.b/x", "/r"), RD_ETOOBIG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_stream_gets_its_address_and_parameters),
        cmocka_unit_test(test_verbs_run_top_to_bottom),
        cmocka_unit_test(test_a_dial_rings_each_of_its_numbers),
        cmocka_unit_test(test_a_gather_has_prompts),
        cmocka_unit_test(test_an_empty_response_ends_the_call),
        cmocka_unit_test(test_what_is_not_well_formed_is_refused),
        cmocka_unit_test(test_every_prefix_of_a_document_is_refused),
        cmocka_unit_test(test_depth_and_number_of_elements_are_bounded),
        cmocka_unit_test(test_verbs_the_network_would_not_run),
        cmocka_unit_test(test_reject_only_as_the_first_verb),
        cmocka_unit_test(test_odd_attributes_are_warned_about_and_dials_are_not),
        cmocka_unit_test(test_addresses_are_resolved_against_the_document),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
