/* SPDX-License-Identifier: Apache-2.0 */
/* What outlives its call is found and cleaned up: each kind is planted in a running node and looked
 * for. And of what belongs there nothing is touched. */
#include "gateway/sweep.h"

#include "base/err.h"
#include "base/log.h"
#include "call/call_internal.h"
#include "gateway/line_private.h"
#include "media/base64.h"
#include "observe/alarm.h"
#include "observe/metrics.h"

#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define URL    "https://calls.example.com"
#define TOKEN  "0123456789abcdef0123456789abcdef"
#define NUMBER "+13125550100"
#define SID    "CA00000000000000000000000000000001"
#define OTHER  "CA00000000000000000000000000000002"

enum { PATIENCE_MS = 5000 };

static const char agent[] =
    "local agent = require 'ringdown.agent'\n"
    "return agent { name = 'open', numbers = { '" NUMBER "' }, greeting = 'Hi.', prompt = 'Help.',"
    " max_call = '10s' }";

static struct story {
    char folder[64], openai_url[64], answer[8192];
    struct settings settings;
    struct loop *loop;
    struct mailbox *control;
    struct node *node;
    int model; /* listens and never answers: calls wait for it */
    int stream;
} s;

/* --- a node --- */

static void listen_as_model(void)
{
    struct sockaddr_in a = {.sin_family = AF_INET};
    socklen_t n = sizeof(a);

    s.model = socket(AF_INET, SOCK_STREAM, 0);
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_return_code(bind(s.model, (struct sockaddr *)&a, n), errno);
    assert_return_code(listen(s.model, 16), errno);
    assert_return_code(getsockname(s.model, (struct sockaddr *)&a, &n), errno);
    (void)snprintf(s.openai_url, sizeof(s.openai_url), "ws://127.0.0.1:%u/v1/realtime",
                   ntohs(a.sin_port));
}

static void write_agent(void)
{
    char path[128];
    FILE *f;

    (void)snprintf(path, sizeof(path), "%s/open.lua", s.folder);
    f = fopen(path, "w");
    assert_non_null(f);
    (void)fputs(agent, f);
    assert_int_equal(fclose(f), 0);
}

static int set_up(void **state)
{
    struct node_opts o = {.settings = &s.settings};
    char why[256];

    (void)state;
    s = (struct story){.folder = "/tmp/sweep-XXXXXX", .stream = -1};
    assert_non_null(mkdtemp(s.folder));
    write_agent();
    listen_as_model();
    s.settings = (struct settings){.public_listen = "127.0.0.1:0",
                                   .public_url = URL,
                                   .certificate = "",
                                   .private_key = "",
                                   .ca_file = "",
                                   .agents_path = s.folder,
                                   .agents_source = "folder",
                                   .agents_watch = "off",
                                   .library_path = "scripts",
                                   .cluster_secret = "5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e",
                                   .openai_url = s.openai_url,
                                   .openai_key = "sk-double",
                                   .openai_model = "gpt-realtime-2.1",
                                   .twilio_api = "",
                                   .twilio_sid = "",
                                   .twilio_tokens = {TOKEN, NULL},
                                   .force = "off",
                                   .media_threads = 1,
                                   .script_threads = 1,
                                   .max_calls = 4,
                                   .script_deadline_ms = PATIENCE_MS};
    metrics_reset();
    alarm_reset();
    assert_int_equal(loop_new(&s.loop), 0);
    assert_int_equal(mailbox_new(&s.control, s.loop, 64, NULL, NULL), 0);
    o.control = s.control;
    assert_int_equal(node_start(&s.node, &o, why, sizeof(why)), 0);
    return 0;
}

static int tear_down(void **state)
{
    char path[128];

    (void)state;
    if (s.stream >= 0)
        close(s.stream);
    node_stop(s.node);
    mailbox_free(s.control);
    loop_free(s.loop);
    close(s.model);
    (void)snprintf(path, sizeof(path), "%s/open.lua", s.folder);
    (void)unlink(path);
    (void)rmdir(s.folder);
    return 0;
}

/* --- time --- */

static void nap(void)
{
    (void)nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
}

static void wait_for(enum metric_counter m, uint64_t wanted)
{
    for (int i = 0; i < PATIENCE_MS / 5 && metric_value(m) < wanted; i++)
        nap();
    assert_int_equal(metric_value(m), wanted);
}

static void wait_until_no_call_is_left(void)
{
    for (int i = 0; i < PATIENCE_MS / 5 && node_calls(s.node) > 0; i++)
        nap();
    assert_int_equal(node_calls(s.node), 0);
}

static void wait_for_vms(unsigned n)
{
    for (int i = 0; i < PATIENCE_MS / 5 && script_pool_vms(s.node->scripts) != n; i++)
        nap();
    assert_int_equal(script_pool_vms(s.node->scripts), n);
}

/* --- a carrier --- */

static int dial(void)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(node_port(s.node))};
    struct timeval patience = {.tv_sec = 60};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    assert_return_code(connect(fd, (struct sockaddr *)&a, sizeof(a)), errno);
    return fd;
}

static const char *signature_of(const char *text)
{
    static char out[BASE64_ENCODED(20) + 1];
    uint8_t mac[20];

    hmac_sha1(mac, TOKEN, strlen(TOKEN), text, strlen(text));
    out[base64_encode(out, mac, sizeof(mac))] = '\0';
    return out;
}

/* Until `until` was heard or the peer is done. */
static void hear(int fd, const char *until)
{
    size_t n = 0;
    ssize_t got;

    s.answer[0] = '\0';
    while (n < sizeof(s.answer) - 1 && !(until && strstr(s.answer, until)) &&
           (got = recv(fd, s.answer + n, sizeof(s.answer) - 1 - n, 0)) > 0) {
        n += (size_t)got;
        s.answer[n] = '\0';
    }
}

static void post_voice(void)
{
    static const char form[] = "CallSid=" SID "&From=%2B13125550142&To=%2B13125550100";
    char request[1024];
    int fd = dial(), n;

    n = snprintf(request, sizeof(request),
                 "POST /twilio/voice HTTP/1.1\r\nHost: x\r\n"
                 "Content-Type: application/x-www-form-urlencoded\r\n"
                 "X-Twilio-Signature: %s\r\nContent-Length: %zu\r\n\r\n%s",
                 signature_of(URL "/twilio/voiceCallSid" SID "From+13125550142To" NUMBER),
                 strlen(form), form);
    assert_int_equal(send(fd, request, (size_t)n, 0), n);
    hear(fd, NULL);
    close(fd);
}

/* A call whose stream is here; its model keeps it waiting for 2.5 s. */
static void stream_call(void)
{
    char path[512], signed_url[600], request[2048];
    const char *at;
    int n;

    post_voice();
    at = strstr(s.answer, "/twilio/media/");
    assert_non_null(at);
    (void)rd_str_copy(path, sizeof(path), (struct rd_str){at, strcspn(at, "\"")});
    (void)snprintf(signed_url, sizeof(signed_url), "wss://calls.example.com%s", path);
    n = snprintf(request, sizeof(request),
                 "GET %s HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                 "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
                 "X-Twilio-Signature: %s\r\n\r\n",
                 path, signature_of(signed_url));
    s.stream = dial();
    assert_int_equal(send(s.stream, request, (size_t)n, 0), n);
    hear(s.stream, "\r\n\r\n");
    assert_non_null(strstr(s.answer, "101"));
}

static call_handle the_call(void)
{
    struct directory_view view;

    assert_true(directory_find(s.node->directory, rd_str(SID), &view));
    return view.call;
}

/* --- planting --- */

static call_handle admit_as(const char *sid, uint64_t age_ms)
{
    struct directory_admission a = {.sid = rd_str(sid),
                                    .agent = RD_STR("open"),
                                    .from = RD_STR("+13125550142"),
                                    .to = RD_STR(NUMBER),
                                    .now_ms = clock_ms(loop_clock()) - age_ms,
                                    .now_unix_us = 1};

    assert_int_equal(directory_admit(s.node->directory, &a), 0);
    return a.call;
}

static call_handle admit(uint64_t age_ms)
{
    return admit_as(SID, age_ms);
}

static void assert_told(const char *kind)
{
    struct alarm open[4];

    for (int i = 0; i < PATIENCE_MS / 5 && alarm_list(open, 4) == 0; i++)
        nap();
    assert_int_equal(alarm_list(open, 4), 1);
    assert_string_equal(open[0].kind, "zombie");
    assert_string_equal(open[0].subject, kind);
    assert_int_equal(sweep_found(), 1);
}

/* --- stories --- */

static void test_a_slot_without_a_stream_is_given_back(void **state)
{
    struct directory_claim claim;
    call_handle call = admit(0);

    (void)state;
    assert_int_equal(directory_offer(s.node->directory, call, NULL, 7, 8), 0);
    assert_int_equal(directory_claim(s.node->directory, call, 7, 0, &claim), 0);
    sweep_all(s.node);
    wait_for(M_ZOMBIE_SLOT, 1);
    wait_until_no_call_is_left();
    assert_told("slot");
}

static void test_a_call_that_waits_for_ever_is_given_up(void **state)
{
    call_handle call;

    (void)state;
    (void)admit(PATIENCE_MS + 31000); /* OPENING */
    sweep_all(s.node);
    wait_for(M_ZOMBIE_WAITING, 1);
    wait_until_no_call_is_left();
    assert_told("waiting");
    call = admit_as(OTHER, 121000);
    assert_int_equal(directory_offer(s.node->directory, call, NULL, 7, 8), 0);
    sweep_all(s.node);
    wait_for(M_ZOMBIE_WAITING, 2);
    wait_until_no_call_is_left();
}

static void test_a_script_without_a_call_is_freed_at_the_second_look(void **state)
{
    struct mailbox *mb = script_pool_mailbox(s.node->scripts, 0);
    struct message *m =
        message_new(MSG_CALL_OPEN, 77, (struct rd_str[]){RD_STR("open"), RD_STR("{}")}, 2);

    (void)state;
    assert_int_equal(mailbox_post(mb, m), 0);
    wait_for_vms(1);
    sweep_all(s.node);
    sweep_all(s.node);
    wait_for(M_ZOMBIE_VM, 1);
    wait_for_vms(0);
    assert_told("vm");
}

static void test_a_stream_whose_call_is_over_is_closed(void **state)
{
    struct directory_view view;
    struct credits *credits;

    (void)state;
    stream_call();
    assert_true(directory_release(s.node->directory, the_call(), false, &credits, &view));
    sweep_all(s.node);
    wait_for(M_ZOMBIE_LINE, 1);
    hear(s.stream, NULL);
    wait_for_vms(0);
    assert_told("line");
}

static void test_a_call_past_its_longest_time_is_ended(void **state)
{
    (void)state;
    stream_call();
    sweep_all(s.node);
    assert_int_equal(node_calls(s.node), 1);
    /* As if it had begun long ago, and its own timer had been lost. */
    s.node->media[0]->lines->call->start_ms -= 10000 + 61000;
    sweep_all(s.node);
    wait_for(M_ZOMBIE_LONG, 1);
    wait_until_no_call_is_left();
    assert_told("long");
}

/* A caller who has been with somebody else for so long. */
static call_handle admit_away(const char *sid, uint64_t age_ms)
{
    struct directory_claim claim;
    call_handle call = admit_as(sid, age_ms);

    assert_int_equal(directory_offer(s.node->directory, call, NULL, 7, 8), 0);
    assert_int_equal(directory_claim(s.node->directory, call, 7, 0, &claim), 0);
    assert_true(directory_away(s.node->directory, call, NULL, clock_ms(loop_clock()) - age_ms));
    return call;
}

static void test_a_caller_who_is_away_is_waited_for_as_long_as_a_dial_may_last(void **state)
{
    (void)state;
    (void)admit_away(SID, 4 * 3600 * 1000);
    sweep_all(s.node);
    nap();
    nap();
    assert_int_equal(node_calls(s.node), 1);
    (void)admit_away(OTHER, 251 * 60000);
    sweep_all(s.node);
    for (int i = 0; i < PATIENCE_MS / 5 && node_calls(s.node) > 1; i++)
        nap();
    assert_int_equal(node_calls(s.node), 1);
    assert_int_equal(sweep_found(), 0); /* no fault of ours */
}

static void test_a_node_that_is_to_end_lets_go_of_who_has_a_person(void **state)
{
    (void)state;
    (void)admit_away(SID, 130 * 1000);
    sweep_all(s.node);
    nap();
    nap();
    assert_int_equal(node_calls(s.node), 1);
    node_drain(s.node);
    sweep_all(s.node);
    wait_until_no_call_is_left();
    assert_int_equal(sweep_found(), 0);
}

static void test_what_belongs_there_stays(void **state)
{
    (void)state;
    stream_call();
    for (int i = 0; i < 5; i++)
        sweep_all(s.node);
    nap();
    assert_int_equal(node_calls(s.node), 1);
    assert_int_equal(script_pool_vms(s.node->scripts), 1);
    node_stop(s.node); /* the last look */
    s.node = NULL;
    assert_int_equal(sweep_found(), 0);
}

#define STORY(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(test_a_slot_without_a_stream_is_given_back),
        STORY(test_a_call_that_waits_for_ever_is_given_up),
        STORY(test_a_script_without_a_call_is_freed_at_the_second_look),
        STORY(test_a_stream_whose_call_is_over_is_closed),
        STORY(test_a_call_past_its_longest_time_is_ended),
        STORY(test_a_caller_who_is_away_is_waited_for_as_long_as_a_dial_may_last),
        STORY(test_a_node_that_is_to_end_lets_go_of_who_has_a_person),
        STORY(test_what_belongs_there_stays),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
