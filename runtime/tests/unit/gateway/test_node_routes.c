/* SPDX-License-Identifier: Apache-2.0 */
/* A whole node over loopback, with an agent that has both systems: where its calls go, also when we
 * cannot answer them, and that the same call gets the same answer. */
#include "fake_node.h"

#include "base/log.h"
#include "base/now.h"
#include "observe/alarm.h"
#include "observe/metrics.h"
#include "observe/targets.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define BOTH           "+13125550103" /* its function sends TO_VAPI there */
#define PROUD          "+13125550104" /* the same, but would rather not */
#define BYPASSED       "+13125550105" /* the same two; Vapi is asked to begin the call */
#define BYPASSED_PROUD "+13125550106"
#define TO_VAPI        "+13125550142"
#define TO_US          "+13125550143"

static int silent_fd;
static char openai_url[64];
static char vapi_api[] = "https://api.vapi.ai";

static const char agent_text[] =
    "local a = require 'ringdown.agent' {\n"
    "  name = '%s', numbers = { '%s' }, greeting = 'Hi.', prompt = 'Be brief.', openai = {}, %s\n"
    "  vapi = { assistant = '5f0c2d1e-7a34-4b6f-9c1d-2e8a6b0f4d11', %s },\n"
    "  routing = function(call)\n"
    "    if call.caller.number == '+13125550144' then error('none for ' .. call.caller.number) "
    "end\n"
    "    if call.caller.number == '" TO_VAPI
    "' then return 'vapi', 'as ' .. call.caller.number end\n"
    "  end }\n"
    "if a.apart and %s then error('no') end\n"
    "return a\n";

/* What scripts say of a caller is content. */
static _Atomic int numbers_logged;

static void look_for_numbers(enum log_level level, const char *event, const struct log_field *f,
                             int n)
{
    (void)level;
    (void)event;
    for (int i = 0; i < n; i++)
        if (f[i].type == LOG_T_STR && f[i].str && strstr(f[i].str, "+1312555014"))
            numbers_logged++;
}

static void write_agent_at(const char *name, const char *number, const char *more,
                           const char *at_vapi, const char *breaks)
{
    char path[128];
    FILE *f;

    (void)snprintf(path, sizeof(path), "%s/%s.lua", s.folder, name);
    f = fopen(path, "we");
    assert_non_null(f);
    (void)fprintf(f, agent_text, name, number, more, at_vapi, breaks);
    assert_int_equal(fclose(f), 0);
}

static void write_agent(const char *name, const char *number, const char *more, const char *breaks)
{
    write_agent_at(name, number, more, "", breaks);
}

static int listen_somewhere(unsigned *port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof(a);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_equal(bind(fd, (struct sockaddr *)&a, n), 0);
    assert_int_equal(listen(fd, 64), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &n), 0);
    *port = ntohs(a.sin_port);
    return fd;
}

/* An OpenAI that answers nothing: one that refuses would soon be given up. */
static void be_silent_openai(void)
{
    unsigned port;

    silent_fd = listen_somewhere(&port);
    (void)snprintf(openai_url, sizeof(openai_url), "ws://127.0.0.1:%u/v1/realtime", port);
    s.settings.openai_url = openai_url;
}

static void restart(void)
{
    node_stop(s.node);
    story_start_node();
}

static int set_up(void **state)
{
    char path[128];

    if (story_set_up(state))
        return -1;
    targets_reset();
    alarm_reset();
    write_agent("both", BOTH, "", "false");
    write_agent("proud", PROUD, "failover = false,", "false");
    (void)snprintf(path, sizeof(path), "%s/kept", s.folder);
    assert_int_equal(mkdir(path, 0700), 0);
    s.settings.data = s.folder;
    s.settings.vapi_api = vapi_api;
    be_silent_openai();
    restart();
    targets_reset();
    return 0;
}

static void order(const char *json)
{
    char path[128], part[136];
    FILE *f;

    (void)snprintf(path, sizeof(path), "%s/kept/override.json", s.folder);
    if (!json) {
        (void)unlink(path);
        return;
    }
    (void)snprintf(part, sizeof(part), "%s.part", path);
    f = fopen(part, "we");
    assert_non_null(f);
    (void)fputs(json, f);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(rename(part, path), 0);
}

static int tear_down(void **state)
{
    static const char *const names[] = {"both.lua", "proud.lua"};
    char path[128];

    order(NULL);
    for (int i = 0; i < 2; i++) {
        (void)snprintf(path, sizeof(path), "%s/%s", s.folder, names[i]);
        (void)unlink(path);
    }
    (void)snprintf(path, sizeof(path), "%s/kept", s.folder);
    (void)rmdir(path);
    targets_reset();
    alarm_reset();
    close(silent_fd);
    return story_tear_down(state);
}

static void ask(unsigned n, const char *from, const char *to, const char *status)
{
    assert_int_equal(story_post("/twilio/voice", TOKEN,
                                (const char *const[]){"CallSid", story_sid(n), "CallStatus", status,
                                                      "From", from, "To", to, NULL}),
                     200);
}

static bool goes_to_vapi(void)
{
    return story_says("<Response><Redirect method=\"POST\">https://api.vapi.ai/twilio/inbound_call"
                      "</Redirect></Response>");
}

static bool goes_to_us(void)
{
    char path[256];

    return story_offers(path);
}

static bool is_told_a_number(void)
{
    struct alarm alarms[ALARMS_MAX];
    size_t n = alarm_list(alarms, ALARMS_MAX);

    for (size_t i = 0; i < n; i++)
        if (strstr(alarms[i].text, "+1312555014"))
            return true;
    return numbers_logged > 0;
}

static bool is_alarmed(const char *kind, const char *subject)
{
    struct alarm alarms[ALARMS_MAX];
    size_t n = alarm_list(alarms, ALARMS_MAX);

    for (size_t i = 0; i < n; i++)
        if (strcmp(alarms[i].kind, kind) == 0 && strcmp(alarms[i].subject, subject) == 0)
            return true;
    return false;
}

static void test_a_call_for_vapi_leaves_nothing_here_and_is_not_missed(void **state)
{
    (void)state;
    ask(1, TO_VAPI, BOTH, "ringing");
    assert_true(goes_to_vapi());
    assert_int_equal(node_calls(s.node), 0);
    story_wait_until_no_script_runs();
    assert_int_equal(story_post_status(story_sid(1), "completed"), 200);
    assert_int_equal(metric_value(M_MISSED), 0);
    assert_int_equal(metric_value(M_CALLS_TO_VAPI), 1);
    assert_false(is_told_a_number());
}

static void test_the_same_call_gets_the_same_answer_whatever_was_ordered_since(void **state)
{
    (void)state;
    ask(1, TO_US, BOTH, "ringing");
    assert_true(goes_to_us());
    ask(2, TO_VAPI, BOTH, "ringing");
    assert_true(goes_to_vapi());
    order("{\"version\":1,\"force\":\"vapi\"}");
    for (unsigned i = 3; i < 200 && !goes_to_vapi(); i++) {
        (void)nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
        ask(i, TO_US, BOTH, "ringing");
        if (goes_to_us())
            assert_int_equal(story_post_status(story_sid(i), "completed"), 200);
    }
    assert_true(goes_to_vapi());
    ask(1, TO_US, BOTH, "ringing");
    assert_true(goes_to_us());
    order("{\"version\":2,\"force\":\"openai\"}");
    (void)nanosleep(&(struct timespec){.tv_nsec = 900000000}, NULL);
    ask(2, TO_VAPI, BOTH, "ringing");
    assert_true(goes_to_vapi());
    ask(900, TO_VAPI, BOTH, "ringing");
    assert_true(goes_to_us());
}

static void test_the_force_switch_needs_neither_slot_nor_script(void **state)
{
    (void)state;
    s.settings.force = "vapi";
    write_agent("both", BOTH, "", "true"); /* it would break */
    restart();
    node_drain(s.node);
    ask(1, TO_US, BOTH, "ringing");
    assert_true(goes_to_vapi());
    ask(2, TO_US, OPEN, "ringing"); /* an agent that is not at Vapi */
    assert_true(story_is_fallback());
    assert_false(goes_to_vapi());
}

static void test_who_finds_no_slot_is_answered_by_the_other_system(void **state)
{
    (void)state;
    ask(1, TO_US, OPEN, "ringing");
    ask(2, TO_US, OPEN, "ringing");
    ask(3, TO_US, BOTH, "ringing");
    assert_true(goes_to_vapi());
    assert_true(is_alarmed("routing.failover", "both/openai"));
    assert_int_equal(metric_value(M_CALLS_FAILED_OVER), 1);
    ask(4, TO_US, PROUD, "ringing");
    assert_true(story_is_fallback());
    assert_false(goes_to_vapi());
    ask(5, TO_US, BOTH, "in-progress"); /* Vapi would refuse it */
    assert_false(goes_to_vapi());
    assert_int_equal(story_post_status(story_sid(1), "completed"), 200);
    ask(6, TO_US, BOTH, "ringing");
    assert_true(goes_to_us());
    assert_false(is_alarmed("routing.failover", "both/openai"));
}

static void test_whose_script_fails_is_answered_by_the_other_system(void **state)
{
    (void)state;
    write_agent("both", BOTH, "", "true");
    write_agent("proud", PROUD, "failover = false,", "true");
    restart();
    ask(1, TO_US, BOTH, "ringing");
    assert_true(goes_to_vapi());
    assert_int_equal(node_calls(s.node), 0);
    assert_true(is_alarmed("routing.failover", "both/openai"));
    ask(2, TO_US, PROUD, "ringing");
    assert_false(goes_to_vapi());
    ask(3, TO_US, BOTH, "in-progress");
    assert_false(goes_to_vapi());
    story_wait_until_no_script_runs();
}

static void give_up(const char *target)
{
    for (int i = 0; i < 50; i++)
        target_seen(target, false, "refused", clock_ms(loop_clock()));
    assert_true(target_wait_ms(target, clock_ms(loop_clock())) > 0);
}

static void test_a_system_that_is_given_up_gets_no_calls(void **state)
{
    (void)state;
    give_up("openai");
    ask(1, TO_US, BOTH, "ringing");
    assert_true(goes_to_vapi());
    ask(2, TO_US, PROUD, "ringing");
    assert_true(goes_to_us());
    give_up("vapi"); /* both: then it is as if none were */
    ask(3, TO_US, BOTH, "ringing");
    assert_true(goes_to_us());
}

/* ---- a Vapi that is asked, and is full ---- */

static struct {
    pthread_t thread;
    int fd;
    char url[64];
    _Atomic int begun; /* calls that were to begin there */
} vapi;

/* Head and body, whatever they say; the first word is kept. */
static bool hear_request(int fd, char *head, size_t cap)
{
    size_t n = 0, want = 0;
    const char *end = NULL, *length;

    while (n < cap - 1 && (!end || n < want)) {
        ssize_t got = read(fd, head + n, cap - 1 - n);

        if (got <= 0)
            return false;
        n += (size_t)got;
        head[n] = '\0';
        end = end ? end : strstr(head, "\r\n\r\n");
        length = end ? strcasestr(head, "content-length:") : NULL;
        if (end)
            want = (size_t)(end + 4 - head) + (length ? strtoul(length + 15, NULL, 10) : 0);
    }
    return true;
}

static void answer_vapi(int fd)
{
    static const char full[] = "{\"message\":\"Over Concurrency Limit.\",\"statusCode\":400}";
    static const char numbers[] = "[{\"id\":\"n1\",\"number\":\"" BYPASSED "\"},"
                                  "{\"id\":\"n2\",\"number\":\"" BYPASSED_PROUD "\"}]";
    char head[16384], text[1024];
    bool begins;
    int n;

    if (!hear_request(fd, head, sizeof(head)))
        return;
    begins = strncmp(head, "POST /call", 10) == 0;
    vapi.begun += begins;
    n = snprintf(text, sizeof(text),
                 "HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n"
                 "Connection: close\r\n\r\n%s",
                 begins ? "400 Bad Request" : "200 OK", strlen(begins ? full : numbers),
                 begins ? full : numbers);
    assert_int_equal(write(fd, text, (size_t)n), n);
}

static void *run_vapi(void *arg)
{
    int fd;

    while ((fd = accept4(vapi.fd, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
        answer_vapi(fd);
        close(fd);
    }
    return arg;
}

static void be_full_vapi(void)
{
    static char key[] = "a key";
    unsigned port;

    vapi.fd = listen_somewhere(&port);
    (void)snprintf(vapi.url, sizeof(vapi.url), "http://127.0.0.1:%u", port);
    vapi.begun = 0;
    assert_int_equal(pthread_create(&vapi.thread, NULL, run_vapi, NULL), 0);
    s.settings.vapi_api = vapi.url;
    s.settings.vapi_key = key;
    write_agent_at("both", BYPASSED, "", "route = 'bypass'", "false");
    write_agent_at("proud", BYPASSED_PROUD, "failover = false,", "route = 'bypass'", "false");
    restart();
}

static void be_gone_vapi(void)
{
    (void)shutdown(vapi.fd, SHUT_RDWR);
    (void)pthread_join(vapi.thread, NULL);
    close(vapi.fd);
}

/* No call begins there: its script, which was over, is asked once more, and knows. */
static void test_a_vapi_that_is_full_leaves_its_call_to_us(void **state)
{
    (void)state;
    be_full_vapi();
    ask(1, TO_VAPI, BYPASSED, "ringing");
    assert_true(goes_to_us());
    assert_int_equal(vapi.begun, 1);
    assert_true(is_alarmed("routing.failover", "both/vapi"));
    assert_int_equal(metric_value(M_CALLS_FAILED_OVER), 1);
    assert_int_equal(node_calls(s.node), 1);
    assert_int_equal(story_post_status(story_sid(1), "completed"), 200);
    story_wait_until_no_script_runs();
    ask(2, TO_VAPI, BYPASSED_PROUD, "ringing"); /* would rather wait for a place there */
    assert_true(story_says("/twilio/inbound_call</Redirect>"));
    assert_int_equal(vapi.begun, 2);
    story_wait_until_no_script_runs();
    be_gone_vapi();
}

static void test_an_answered_call_cannot_go_to_vapi(void **state)
{
    (void)state;
    ask(1, TO_VAPI, BOTH, "in-progress");
    assert_true(goes_to_us());
    assert_true(is_alarmed("routing.failover", "both/vapi"));
}

static void test_a_function_that_breaks_costs_no_call_and_is_told(void **state)
{
    (void)state;
    ask(1, "+13125550144", BOTH, "ringing");
    assert_true(goes_to_vapi());
    assert_true(is_alarmed("routing.error", "both"));
    assert_false(is_told_a_number());
    ask(2, TO_US, BOTH, "ringing");
    assert_false(is_alarmed("routing.error", "both"));
}

static void test_a_rollback_ordered_here_is_obeyed(void **state)
{
    (void)state;
    order("{\"version\":1,\"agents\":{\"both\":{\"rollback\":0}}}");
    restart();
    ask(1, TO_US, BOTH, "ringing");
    assert_true(goes_to_vapi());
    ask(2, TO_US, PROUD, "ringing");
    assert_true(goes_to_us());
}

#undef STORY
#define STORY(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(test_a_call_for_vapi_leaves_nothing_here_and_is_not_missed),
        STORY(test_the_same_call_gets_the_same_answer_whatever_was_ordered_since),
        STORY(test_the_force_switch_needs_neither_slot_nor_script),
        STORY(test_who_finds_no_slot_is_answered_by_the_other_system),
        STORY(test_whose_script_fails_is_answered_by_the_other_system),
        STORY(test_a_system_that_is_given_up_gets_no_calls),
        STORY(test_a_vapi_that_is_full_leaves_its_call_to_us),
        STORY(test_an_answered_call_cannot_go_to_vapi),
        STORY(test_a_function_that_breaks_costs_no_call_and_is_told),
        STORY(test_a_rollback_ordered_here_is_obeyed),
    };

    log_take(look_for_numbers);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
