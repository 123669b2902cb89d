/* SPDX-License-Identifier: Apache-2.0 */
/* The carrier double as a network peer: a small node on loopback answers its webhooks and streams,
 * and asks its REST API. Nothing waits longer than it takes. */
#include "fake_node.h"
#include "sim/speech/sound.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- stories ---- */

static void test_a_call_is_announced_run_and_reported(void **state)
{
    struct node *n = *state;

    node_page(n, "/twilio/voice", "<Response><Redirect>next</Redirect></Response>");
    node_page(n, "/twilio/next", "<Response><Pause length=\"0\"/><Hangup/></Response>");
    node_call(n);
    assert_string_equal(n->asked, "/twilio/voice /twilio/next /twilio/status ");
    assert_false(n->unsigned_request);
    assert_true(n->report.ok);
    assert_string_equal(n->report.ended_by, "agent");
    assert_string_equal(n->report.verbs, "Redirect,Pause,Hangup");
    assert_field(n->last_voice, "CallSid", n->report.call_sid);
    assert_field(n->last_voice, "From", "+13125550142");
    assert_field(n->last_voice, "Called", "+13125550100");
    assert_field(n->status_form, "CallStatus", "completed");
}

static void test_a_broken_answer_goes_to_the_fallback_url(void **state)
{
    static const struct {
        struct node_page answer;
        const char *code;
    } cases[] = {
        {{"/twilio/voice", "text/xml", "<Response/>", 500}, "11200"},
        {{"/twilio/voice", "text/plain", "<Response/>", 200}, "12300"},
        {{"/twilio/voice", "text/xml", "<Response>", 200}, "12100"},
        {{"/twilio/voice", "application/xml", "\n<?xml ?><a/>", 200}, "12100"},
    };
    struct node *n = *state;
    char voice[100];

    snprintf(voice, sizeof(voice), "%s/twilio/voice", n->url);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        n->pages[0] = cases[i].answer;
        node_page(n, "/fallback", "<Response><Hangup/></Response>");
        node_call(n);
        assert_string_equal(n->asked, "/twilio/voice /fallback /twilio/status ");
        assert_field(n->last_voice, "ErrorCode", cases[i].code);
        assert_field(n->last_voice, "ErrorUrl", voice);
        assert_string_equal(n->report.ended_by, "fallback");
    }
    assert_false(n->unsigned_request);
}

static void test_when_the_fallback_fails_too_the_call_is_over(void **state)
{
    struct node *n = *state;

    node_call(n); /* both 404 */
    assert_string_equal(n->report.ended_by, "error");
    assert_false(n->report.ok);
    assert_non_null(strstr(n->report.why, "11200"));
}

static void test_an_unknown_verb_ends_the_call(void **state)
{
    struct node *n = *state;

    node_page(n, "/twilio/voice", "<Response><Sing>la</Sing><Hangup/></Response>");
    node_call(n);
    assert_string_equal(n->report.ended_by, "error");
    assert_non_null(strstr(n->report.why, "12200"));
}

static void test_a_dialled_person_is_a_transfer(void **state)
{
    struct node *n = *state;

    node_page(n, "/twilio/voice", "<Response><Dial>+13125550188</Dial></Response>");
    node_call(n);
    assert_string_equal(n->report.ended_by, "transfer");
    assert_non_null(strstr(n->events, "+13125550188"));
}

static void test_a_dial_with_an_action_comes_back_with_how_it_went(void **state)
{
    static const struct {
        const char *dial, *bridged, *ended_by;
    } cases[] = {{NULL, "true", "transfer"},
                 {"busy", "false", "fallback"},
                 {"no-answer", "false", "fallback"}};
    struct node *n = *state;

    node_page(
        n, "/twilio/voice",
        "<Response><Dial timeout=\"25\" action=\"/after\"><Number>+13125550188</Number></Dial>"
        "<Say>This is never reached.</Say></Response>");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        node_page(n, "/after",
                  cases[i].dial ? "<Response><Say>Nobody.</Say></Response>"
                                : "<Response><Hangup/></Response>");
        snprintf(n->dial, sizeof(n->dial), "%s", cases[i].dial ? cases[i].dial : "");
        node_call(n);
        assert_string_equal(n->asked, "/twilio/voice /after /twilio/status ");
        assert_field(n->last_voice, "DialCallStatus", cases[i].dial ? cases[i].dial : "completed");
        assert_field(n->last_voice, "DialBridged", cases[i].bridged);
        assert_string_equal(n->report.ended_by, cases[i].ended_by);
        assert_null(strstr(n->events, "never reached"));
    }
}

static void test_after_a_dial_nobody_answers_comes_the_next_verb(void **state)
{
    struct node *n = *state;

    snprintf(n->dial, sizeof(n->dial), "busy");
    node_page(n, "/twilio/voice",
              "<Response><Dial>+13125550188</Dial><Say>Sorry.</Say></Response>");
    node_call(n);
    assert_string_equal(n->report.verbs, "Dial,Say");
    assert_string_equal(n->report.ended_by, "fallback");
}

static void stream_page(struct node *n, char *twiml, size_t cap, const char *behind)
{
    snprintf(twiml, cap,
             "<Response><Connect><Stream url=\"ws%s/media/t\"><Parameter name=\"a\" value=\"b\"/>"
             "</Stream></Connect>%s</Response>",
             n->url + strlen("http"), behind);
    node_page(n, "/twilio/voice", twiml);
}

static void send_media(struct node *n, struct ws *w, size_t ms, const char *mark)
{
    char payload[8192], text[9000];
    uint8_t audio[4000];
    int len;

    assert_true(ms * 8 <= sizeof(audio));
    memset(audio, 0x20, sizeof(audio));
    payload[sim_base64_encode(payload, audio, ms * 8)] = '\0';
    len = snprintf(text, sizeof(text),
                   "{\"event\":\"media\",\"streamSid\":\"%s\",\"media\":{\"payload\":\"%s\"}}",
                   n->stream_sid, payload);
    ws_send(w, text, (size_t)len);
    len = snprintf(text, sizeof(text),
                   "{\"event\":\"mark\",\"streamSid\":\"%s\",\"mark\":{\"name\":\"%s\"}}",
                   n->stream_sid, mark);
    ws_send(w, text, (size_t)len);
}

static void send_clear(struct node *n, struct ws *w)
{
    char text[200];
    int len =
        snprintf(text, sizeof(text), "{\"event\":\"clear\",\"streamSid\":\"%s\"}", n->stream_sid);

    ws_send(w, text, (size_t)len);
}

/* Speaks 200 ms, waits for the mark, speaks 500 ms, clears it at once, and closes at the echo. */
static void speak_and_clear(struct node *n, struct ws *w, const char *event, json_t *m)
{
    const char *name = json_string_value(json_object_get(json_object_get(m, "mark"), "name"));

    if (strcmp(event, "start") == 0) {
        ws_send(w, "{\"event\":\"hello\"}", 17);
        send_media(n, w, 200, "one");
    } else if (name && strcmp(name, "one") == 0) {
        send_media(n, w, 500, "two");
        send_media(n, w, 500, "three");
        send_clear(n, w);
    } else if (name && strcmp(name, "three") == 0) {
        ws_close(w, 1000, "");
    }
}

static void test_a_stream_plays_echoes_clears_and_goes_on(void **state)
{
    struct node *n = *state;
    char twiml[600];

    stream_page(n, twiml, sizeof(twiml), "<Redirect>/after</Redirect>");
    node_page(n, "/after", "<Response><Hangup/></Response>");
    n->on_stream = speak_and_clear;
    node_call(n);
    assert_string_equal(n->heard, "connected start mark mark mark ");
    assert_string_equal(n->asked, "/twilio/voice /after /twilio/status ");
    assert_string_equal(n->report.verbs, "Connect,Redirect,Hangup");
    assert_false(n->unsigned_request);
    assert_int_equal(n->report.media_received, 3);
    assert_int_equal(n->report.marks_received, 3);
    assert_int_equal(n->report.clears_received, 1);
    assert_int_equal(n->report.barge_ins, 1);
    assert_in_range(n->report.played_ms, 200, 240);
    assert_in_range(n->report.cleared_ms, 960, 1000);
    assert_int_equal(n->report.violations, 1); /* the hello */
    assert_false(n->report.ok);
    assert_in_range(n->media, 9, 60); /* one caller frame per 20 ms of at least 200 */
}

static void test_a_refused_upgrade_goes_to_the_next_verb(void **state)
{
    struct node *n = *state;
    char twiml[600];

    stream_page(n, twiml, sizeof(twiml), "<Hangup/>");
    node_call(n);
    assert_string_equal(n->report.verbs, "Connect,Hangup");
    assert_non_null(strstr(n->events, "31920"));
}

/* ---- REST ---- */

static void ask(struct node *n, const char *method, const char *path, const char *password,
                const char *body);

static void on_answer(const struct http_result *r, void *arg)
{
    struct node *n = arg;
    char path[200];
    json_t *tree = json_loadb(r->body.p, r->body.n, 0, NULL);

    n->rest_status = r->status;
    n->rest_code = (int)json_integer_value(json_object_get(tree, "code"));
    snprintf(n->rest_body, sizeof(n->rest_body), RD_STR_FMT, RD_STR_ARG(r->body));
    snprintf(path, sizeof(path), "/2010-04-01/Accounts/%s/Calls/%s.json", CARRIER_DOUBLE_ACCOUNT,
             json_string_value(json_object_get(tree, "sid")));
    if (n->step == 1) { /* the call is up: what must not work, then what must */
        assert_int_equal(r->status, 200);
        assert_string_equal(json_string_value(json_object_get(tree, "status")), "in-progress");
        n->step = 2;
        ask(n, "POST", path, CARRIER_DOUBLE_TOKEN, "Status=completed");
    }
    json_decref(tree);
    if (n->step == 3)
        loop_stop(n->loop);
}

static void ask(struct node *n, const char *method, const char *path, const char *password,
                const char *body)
{
    static const char *const header[] = {"Content-Type: application/x-www-form-urlencoded", NULL};
    char url[300], user[200];
    struct http_call_opts o = {.method = method,
                               .url = url,
                               .header = header,
                               .user_password = user,
                               .body = rd_str(body)};
    struct http_call *h;

    snprintf(url, sizeof(url), "http://127.0.0.1:%u%s", carrier_double_rest_port(n->carrier), path);
    snprintf(user, sizeof(user), "%s:%s", CARRIER_DOUBLE_ACCOUNT, password);
    assert_int_equal(http_call_start(&h, n->client, &o, on_answer, n), 0);
}

static void ask_and_wait(struct node *n, const char *method, const char *sid, const char *password,
                         const char *body, int status, int code)
{
    char path[200];

    snprintf(path, sizeof(path), "/2010-04-01/Accounts/%s/Calls/%s.json", CARRIER_DOUBLE_ACCOUNT,
             sid);
    n->step = 3;
    ask(n, method, path, password, body);
    loop_timer_in(n->give_up, NODE_GIVE_UP_MS);
    loop_run(n->loop);
    assert_int_equal(n->rest_status, status);
    assert_int_equal(n->rest_code, code);
}

/* At the start of the stream, somebody asks the REST API for this call. */
static void ask_at_start(struct node *n, struct ws *w, const char *event, json_t *m)
{
    const char *sid = json_string_value(json_object_get(json_object_get(m, "start"), "callSid"));
    char path[200];

    (void)w;
    if (strcmp(event, "start") != 0)
        return;
    snprintf(path, sizeof(path), "/2010-04-01/Accounts/%s/Calls/%s.json", CARRIER_DOUBLE_ACCOUNT,
             sid);
    n->step = 1;
    ask(n, "GET", path, CARRIER_DOUBLE_TOKEN, "");
}

static void test_rest_hangs_up_a_call_that_streams(void **state)
{
    struct node *n = *state;
    char twiml[600];

    stream_page(n, twiml, sizeof(twiml), "<Redirect>/never</Redirect>");
    n->on_stream = ask_at_start;
    node_call(n);
    assert_string_equal(n->report.ended_by, "agent");
    assert_string_equal(n->report.verbs, "Connect");
    assert_string_equal(n->asked, "/twilio/voice /twilio/status ");
    assert_string_equal(n->heard, "connected start stop ");
    assert_int_equal(n->rest_status, 200);
    ask_and_wait(n, "GET", n->report.call_sid, CARRIER_DOUBLE_TOKEN, "", 200, 0);
    assert_non_null(strstr(n->rest_body, "\"status\":\"completed\""));
    ask_and_wait(n, "POST", n->report.call_sid, CARRIER_DOUBLE_TOKEN, "Status=completed", 400,
                 21220);
    ask_and_wait(n, "GET", n->report.call_sid, "wrong", "", 401, 20003);
    ask_and_wait(n, "GET", "CA00000000000000000000000000000000", CARRIER_DOUBLE_TOKEN, "", 404,
                 20404);
    ask_and_wait(n, "GET", "x", CARRIER_DOUBLE_TOKEN, "", 404, 20404);
}

/* What is asked while the stream is up, one after the other; the last one is right. */
static const struct {
    const char *body;
    int status, code;
} updates[] = {
    {"Colour=red", 400, 20001},
    {"Status=over", 400, 20001},
    {"Status=canceled", 400, 21220},
    {"Twiml=%3CResponse%2F%3E&Url=http://x", 400, 20001},
    {"Url=nonsense", 400, 21205},
    {"Twiml=%zz", 400, 20001},
    {"Twiml=%3CResponse%3E%3CPause+length%3D%220%22%2F%3E%3C%2FResponse%3E", 200, 0},
};

/* Each caller frame is an occasion to ask, once the answer before is there. */
static void update_step_by_step(struct node *n, struct ws *w, const char *event, json_t *m)
{
    static char path[200];
    const char *sid = json_string_value(json_object_get(json_object_get(m, "start"), "callSid"));
    size_t k = (size_t)(n->step - 10);

    (void)w;
    (void)event;
    if (sid) {
        snprintf(path, sizeof(path), "/2010-04-01/Accounts/%s/Calls/%s.json",
                 CARRIER_DOUBLE_ACCOUNT, sid);
    } else if (n->rest_status == 0) {
        return;
    } else {
        assert_int_equal(n->rest_status, updates[k].status);
        assert_int_equal(n->rest_code, updates[k].code);
        n->step++;
        k++;
    }
    n->rest_status = 0;
    if (k < sizeof(updates) / sizeof(updates[0]) && strcmp(event, "connected") != 0)
        ask(n, "POST", path, CARRIER_DOUBLE_TOKEN, updates[k].body);
}

static void test_rest_puts_a_call_on_other_twiml(void **state)
{
    struct node *n = *state;
    char twiml[600];

    stream_page(n, twiml, sizeof(twiml), "<Redirect>/never</Redirect>");
    n->on_stream = update_step_by_step;
    n->step = 10;
    node_call(n);
    assert_in_range(n->step, 16, 17); /* up to the right one */
    assert_string_equal(n->report.verbs, "Connect,Pause");
    assert_string_equal(n->report.ended_by, "agent");
    assert_string_equal(n->heard, "connected start stop ");
}

#define STORY(fn) cmocka_unit_test_setup_teardown(fn, node_set_up, node_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(test_a_call_is_announced_run_and_reported),
        STORY(test_a_broken_answer_goes_to_the_fallback_url),
        STORY(test_when_the_fallback_fails_too_the_call_is_over),
        STORY(test_an_unknown_verb_ends_the_call),
        STORY(test_a_dialled_person_is_a_transfer),
        STORY(test_a_dial_with_an_action_comes_back_with_how_it_went),
        STORY(test_after_a_dial_nobody_answers_comes_the_next_verb),
        STORY(test_a_stream_plays_echoes_clears_and_goes_on),
        STORY(test_a_refused_upgrade_goes_to_the_next_verb),
        STORY(test_rest_hangs_up_a_call_that_streams),
        STORY(test_rest_puts_a_call_on_other_twiml),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
