/* SPDX-License-Identifier: Apache-2.0 */
/* The voice of the Vapi double, over its WebSocket and over Twilio's stream: it speaks, is spoken to, is
 * spoken over, and obeys. */
#include "fake_vapi.h"

#include "io/ws.h"
#include "sim/carrier/double.h"
#include "sim/speech/sound.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char name[] = "desk", caller_number[] = "+13125550142", our_number[] = "+13125550100";
static char asks[] = "What time is breakfast?", answers[] = "From seven.";
static char books[] = "Nine is good.", slot[] = "{\"time\":\"09:00\"}", tool[] = "book";
static char booked[] = "Booked.", ends[] = "end_call";

static struct scenario_reply replies[] = {
    {.hears = asks, .says = answers},
    {.hears = books, .tool = tool, .arguments = slot, .then_says = booked, .then_tool = ends}};
static struct scenario scenario = {.name = name,
                                   .from = caller_number,
                                   .to = our_number,
                                   .replies = replies,
                                   .n_replies = 2,
                                   .max_ms = 8000,
                                   .expect = {.barge_ins = -1}};
static struct scenario *scenarios[] = {&scenario};

static int set_up(void **state)
{
    struct vapi_double_opts o = {.scenarios = scenarios, .n_scenarios = 1};

    desk_set_up_with(state, o);
    desk_ask(*state, "PATCH", "/assistant/" VAPI_DOUBLE_ASSISTANT,
             "{\"firstMessage\":\"Front desk.\",\"metadata\":{\"a\":1}}");
    return 0;
}

/* ---- the other end of a WebSocket ---- */

struct talk {
    struct desk *d;
    struct ws *ws;
    bool open, closed;
    int code;
    size_t bytes;
    json_t *told;      /* owns; client messages, oldest first */
    const char *until; /* leaves the loop when such a message comes */
};

static void on_open(struct ws *w, void *arg)
{
    struct talk *t = arg;

    (void)w;
    t->open = true;
}

static void on_text(struct ws *w, char *msg, size_t n, void *arg)
{
    struct talk *t = arg;
    json_t *message = json_loadb(msg, n, 0, NULL);

    (void)w;
    assert_non_null(message);
    json_array_append(t->told, message);
    if (t->until && strcmp(json_at(message, "type"), t->until) == 0)
        loop_stop(t->d->loop);
    json_decref(message);
}

static void on_binary(struct ws *w, char *msg, size_t n, void *arg)
{
    struct talk *t = arg;

    (void)w;
    (void)msg;
    t->bytes += n;
}

static void on_closed(struct ws *w, const struct ws_closed *c, void *arg)
{
    struct talk *t = arg;

    (void)w;
    t->closed = true;
    t->code = c->code;
    if (t->until)
        loop_stop(t->d->loop);
}

static const struct ws_handlers client = {
    .open = on_open, .text = on_text, .closed = on_closed, .binary = on_binary};

static void connect_to(struct talk *t, const char *url, const char *key)
{
    char header[120];
    const char *const headers[] = {key ? header : NULL, NULL};
    struct ws_connect_opts o = {
        .loop = t->d->loop, .url = url, .header = headers, .handlers = &client, .arg = t};

    snprintf(header, sizeof(header), "Authorization: Bearer %s", key ? key : "");
    assert_int_equal(ws_connect(&t->ws, &o), 0);
}

/* A call over a WebSocket, connected. */
static void talk_begin(struct desk *d, struct talk *t)
{
    desk_ask(d, "POST", "/call",
             "{\"assistantId\":\"" VAPI_DOUBLE_ASSISTANT
             "\",\"transport\":{\"provider\":\"vapi.websocket\",\"audioFormat\":{\"format\":"
             "\"mulaw\",\"container\":\"raw\",\"sampleRate\":8000}}}");
    assert_int_equal(d->status, 201);
    *t = (struct talk){.d = d, .told = json_array()};
    connect_to(t, desk_at(d, "transport.websocketCallUrl"), VAPI_DOUBLE_KEY);
}

static void until(struct talk *t, const char *type)
{
    t->until = type;
    loop_timer_in(t->d->give_up, DESK_GIVE_UP_MS);
    loop_run(t->d->loop);
    loop_timer_stop(t->d->give_up);
    assert_false(t->d->gave_up);
    t->until = NULL;
}

static void until_closed(struct talk *t)
{
    while (!t->closed)
        until(t, "nothing");
}

static void talk_end(struct talk *t)
{
    json_decref(t->told);
}

static void tell(struct talk *t, const char *text)
{
    assert_int_equal(ws_send(t->ws, text, strlen(text)), 0);
}

/* Faster than anybody speaks: the double's ears count samples. */
static void say(struct talk *t, const char *words)
{
    struct sound pcm;
    uint8_t frame[160];

    assert_int_equal(sound_say(&pcm, words, NULL), 0);
    for (size_t at = 0; at < pcm.n + 8000; at += sizeof(frame)) {
        for (size_t i = 0; i < sizeof(frame); i++)
            frame[i] = sim_ulaw_encode(at + i < pcm.n ? pcm.pcm[at + i] : 0);
        assert_int_equal(ws_send_binary(t->ws, frame, sizeof(frame)), 0);
    }
    sound_fini(&pcm);
}

/* The newest client message of a type. */
static const json_t *told(const struct talk *t, const char *type)
{
    for (size_t i = json_array_size(t->told); i > 0; i--) {
        const json_t *one = json_array_get(t->told, i - 1);
        if (strcmp(json_at(one, "type"), type) == 0)
            return one;
    }
    return NULL;
}

static const char *on_tool(const char *type, const json_t *message)
{
    static char text[300];

    if (strcmp(type, "tool-calls") != 0)
        return NULL;
    snprintf(text, sizeof(text),
             "{\"results\":[{\"toolCallId\":\"%s\",\"name\":\"book\",\"result\":\"done\"}]}",
             json_at(message, "toolCallList.0.id"));
    return text;
}

/* ---- stories ---- */

static void test_a_conversation_over_a_websocket(void **state)
{
    struct desk *d = *state;
    char model[300];
    static struct talk t; /* outlives a story that fails */

    d->answer = on_tool;
    snprintf(model, sizeof(model),
             "{\"model\":{\"provider\":\"openai\",\"model\":\"gpt-4o\",\"tools\":[{\"type\":"
             "\"function\",\"function\":{\"name\":\"book\"},\"server\":{\"url\":"
             "\"%s/vapi/events\"}}]}}",
             d->url);
    desk_ask(d, "PATCH", "/assistant/" VAPI_DOUBLE_ASSISTANT, model);
    talk_begin(d, &t);
    until(&t, "transcript");
    assert_string_equal(json_at(told(&t, "status-update"), "status"), "in-progress");
    assert_string_equal(json_at(told(&t, "transcript"), "transcript"), "Front desk.");
    assert_true(t.bytes > 4000); /* half a second and more */
    say(&t, asks);
    until(&t, "conversation-update");
    assert_string_equal(json_at(told(&t, "transcript"), "transcript"), asks);
    until(&t, "transcript");
    assert_string_equal(json_at(told(&t, "transcript"), "transcript"), answers);
    say(&t, books);
    until_closed(&t);
    assert_int_equal(t.code, 1000);
    assert_string_equal(
        json_at(desk_message(d, "tool-calls", 0), "toolCallList.0.function.arguments"), slot);
    assert_string_equal(json_at(told(&t, "transcript"), "transcript"), booked);
    assert_string_equal(json_at(told(&t, "status-update"), "endedReason"), "assistant-ended-call");
    desk_ask(d, "GET", "/call", NULL);
    assert_string_equal(desk_at(d, "0.status"), "ended");
    assert_string_equal(desk_at(d, "0.artifact.performanceMetrics.turnLatencies.1.modelLatency"),
                        "420");
    talk_end(&t);
}

static void test_it_falls_silent_when_it_is_spoken_over(void **state)
{
    struct desk *d = *state;
    size_t bytes;
    static struct talk t; /* outlives a story that fails */

    talk_begin(d, &t);
    until(&t, "speech-update");
    desk_wait(d, 200);
    say(&t, asks);
    until(&t, "user-interrupted");
    bytes = t.bytes;
    assert_true(bytes < 4000);
    until(&t, "conversation-update");
    assert_int_equal(t.bytes, bytes); /* not a sound since */
    desk_wait(d, 20);
    assert_non_null(desk_message(d, "user-interrupted", 0));
    ws_close(t.ws, 1000, "");
    until_closed(&t);
    desk_ask(d, "GET", "/call", NULL);
    assert_string_equal(desk_at(d, "0.endedReason"), "customer-ended-call");
    assert_string_equal(desk_at(d, "0.artifact.performanceMetrics.numAssistantInterrupted"), "1");
    talk_end(&t);
}

static void test_it_obeys_while_the_call_is_live(void **state)
{
    struct desk *d = *state;
    static struct talk t; /* outlives a story that fails */

    desk_ask(d, "POST", "/control/faults", "{\"words\":\"burst\"}");
    talk_begin(d, &t);
    until(&t, "speech-update");
    desk_wait(d, 50);
    assert_true(t.bytes > 4000); /* all at once */
    until(&t, "transcript");
    tell(&t, "{\"type\":\"control\",\"control\":\"mute-assistant\"}");
    tell(&t, "{\"type\":\"say\",\"content\":\"One.\"}");
    desk_wait(d, 50);
    t.bytes = 0;
    until(&t, "transcript");
    assert_string_equal(json_at(told(&t, "transcript"), "transcript"), "One.");
    assert_int_equal(t.bytes, 0);
    tell(&t,
         "{\"type\":\"add-message\",\"message\":{\"role\":\"system\",\"content\":\"Be brief.\"}}");
    tell(&t, "{\"type\":\"add-message\",\"content\":\"Be loud.\"}"); /* no message: nothing */
    tell(&t, "{\"type\":\"end-call\"}");
    until_closed(&t);
    desk_ask(d, "GET", "/call", NULL);
    assert_string_equal(desk_at(d, "0.endedReason"), "manually-canceled");
    assert_non_null(strstr(d->text, "\"message\":\"Be brief.\""));
    assert_null(strstr(d->text, "Be loud."));
    talk_end(&t);
}

static void test_a_tool_without_a_server_is_the_clients(void **state)
{
    struct desk *d = *state;
    static struct talk t; /* outlives a story that fails */

    desk_ask(
        d, "PATCH", "/assistant/" VAPI_DOUBLE_ASSISTANT,
        "{\"firstMessageMode\":\"assistant-waits-for-user\",\"clientMessages\":[\"tool-calls\","
        "\"transcript\",\"status-update\"]}");
    talk_begin(d, &t);
    until(&t, "status-update");
    say(&t, books);
    until(&t, "tool-calls");
    assert_string_equal(json_at(told(&t, "tool-calls"), "toolCallList.0.function.name"), tool);
    tell(&t, "{\"type\":\"add-message\",\"message\":{\"role\":\"system\",\"content\":\"The tool "
             "returned: done\"},\"triggerResponseEnabled\":false}");
    desk_wait(d, 50);
    assert_int_equal(t.bytes, 0);
    tell(&t, "{\"type\":\"add-message\",\"message\":{\"role\":\"system\",\"content\":\"Answer "
             "now.\"},\"triggerResponseEnabled\":true}");
    until_closed(&t);
    assert_string_equal(json_at(told(&t, "transcript"), "transcript"), booked);
    assert_null(told(&t, "speech-update")); /* nobody asked for it */
    assert_null(desk_message(d, "tool-calls", 0));
    talk_end(&t);
}

static void test_a_line_that_is_dropped_has_no_goodbye(void **state)
{
    struct desk *d = *state;
    static struct talk t; /* outlives a story that fails */

    talk_begin(d, &t);
    until(&t, "status-update");
    desk_ask(d, "POST", "/control/drop", "{}");
    assert_int_equal(d->status, 202);
    if (!t.closed)
        until_closed(&t);
    assert_int_equal(t.code, 0);
    desk_ask(d, "GET", "/call", NULL);
    assert_string_equal(desk_at(d, "0.endedReason"), "phone-call-provider-closed-websocket");
    talk_end(&t);
}

static void test_strangers_neither_talk_nor_listen_nor_command(void **state)
{
    struct desk *d = *state;
    char control[120], listen[160];
    static struct talk t, other;

    other = (struct talk){.d = d};
    desk_ask(d, "PATCH", "/assistant/" VAPI_DOUBLE_ASSISTANT,
             "{\"monitorPlan\":{\"listenAuthenticationEnabled\":true,"
             "\"controlAuthenticationEnabled\":true}}");
    talk_begin(d, &t);
    snprintf(control, sizeof(control), "%s",
             strchr(desk_at(d, "monitor.controlUrl") + strlen("http://"), '/'));
    snprintf(listen, sizeof(listen), "%s", desk_at(d, "monitor.listenUrl"));
    until(&t, "status-update");
    desk_ask_as(d, NULL, "POST", control, "{\"type\":\"end-call\"}");
    assert_int_equal(d->status, 401);
    connect_to(&other, listen, NULL);
    until_closed(&other);
    assert_int_equal(other.code, 401);
    other = (struct talk){.d = d};
    connect_to(&other, listen, VAPI_DOUBLE_PUBLIC_KEY);
    until(&t, "transcript");
    assert_true(other.bytes > 8000); /* 16-bit samples */
    desk_ask_as(d, VAPI_DOUBLE_PUBLIC_KEY, "POST", control, "{\"type\":\"shout\"}");
    assert_int_equal(d->status, 400);
    desk_ask_as(d, VAPI_DOUBLE_PUBLIC_KEY, "POST", control, "{\"type\":\"end-call\"}");
    assert_int_equal(d->status, 200);
    until_closed(&t);
    until_closed(&other);
    talk_end(&t);
}

/* ---- a telephone ---- */

static struct call_report report;

static void on_report(const struct call_report *r, void *arg)
{
    struct desk *d = arg;

    report = *r;
    loop_stop(d->loop);
}

/* A caller whom the node redirects, until the call is over. */
static void telephone(struct desk *d, struct scenario_step *steps, size_t n)
{
    struct carrier_double_opts o = {.loop = d->loop, .node_url = d->url};
    struct carrier_double *carrier;
    char page[300], why[200];

    snprintf(
        page, sizeof(page),
        "<Response><Redirect method=\"POST\">http://%s/twilio/inbound_call</Redirect></Response>",
        d->origin);
    d->page = page;
    scenario.steps = steps;
    scenario.n_steps = n;
    assert_int_equal(carrier_double_start(&carrier, &o, why, sizeof(why)), 0);
    assert_int_equal(carrier_double_call(carrier, &scenario, NULL, NULL, on_report, d), 0);
    loop_timer_in(d->give_up, DESK_GIVE_UP_MS);
    loop_run(d->loop);
    loop_timer_stop(d->give_up);
    carrier_double_stop(carrier);
    d->page = NULL;
    scenario.steps = NULL;
    scenario.n_steps = 0;
}

static void test_a_redirected_caller_is_greeted_and_understood(void **state)
{
    struct scenario_step steps[] = {{.after = true, .say = asks}, {.after = true, .hangup = true}};
    struct desk *d = *state;

    telephone(d, steps, 2);
    assert_string_equal(report.ended_by, "caller");
    assert_string_equal(report.verbs, "Redirect,Connect");
    assert_true(report.played_ms > 1000);
    desk_wait(d, 100);
    desk_ask(d, "GET", "/call", NULL);
    assert_string_equal(desk_at(d, "0.phoneCallProviderId"), report.call_sid);
    assert_string_equal(desk_at(d, "0.endedReason"), "customer-ended-call");
    assert_non_null(
        strstr(desk_at(d, "0.artifact.transcript"), "User: What time is breakfast?\nAI: From"));
    assert_non_null(desk_message(d, "end-of-call-report", 0));
}

static void test_an_assistant_that_never_joins_leaves_the_caller_in_silence(void **state)
{
    struct scenario_step steps[] = {{.wait_ms = 500}, {.hangup = true}};
    struct desk *d = *state;

    desk_ask(d, "POST", "/control/faults", "{\"words\":\"no-join\"}");
    telephone(d, steps, 2);
    assert_int_equal(report.media_received, 0);
    desk_wait(d, 100);
    assert_string_equal(json_at(json_array_get(d->messages, 0), "status"),
                        "ended"); /* the first of all */
    desk_ask(d, "GET", "/call", NULL);
    assert_string_equal(desk_at(d, "0.endedReason"), "assistant-join-timed-out");
    assert_string_equal(desk_at(d, "0.startedAt"), "");
}

#define STORY(test) cmocka_unit_test_setup_teardown(test, set_up, desk_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(test_a_conversation_over_a_websocket),
        STORY(test_it_falls_silent_when_it_is_spoken_over),
        STORY(test_it_obeys_while_the_call_is_live),
        STORY(test_a_tool_without_a_server_is_the_clients),
        STORY(test_a_line_that_is_dropped_has_no_goodbye),
        STORY(test_strangers_neither_talk_nor_listen_nor_command),
        STORY(test_a_redirected_caller_is_greeted_and_understood),
        STORY(test_an_assistant_that_never_joins_leaves_the_caller_in_silence),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
