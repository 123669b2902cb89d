/* SPDX-License-Identifier: Apache-2.0 */
/* A whole node over loopback, without a provider: what webhooks get, and that slots, scripts and
 * sockets come back whatever the order in which things end. */
#include "gateway/node_internal.h"

#include "base/err.h"
#include "base/json.h"
#include "io/tls.h"
#include "media/base64.h"
#include "observe/metrics.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define TOKEN       "7d3f9a0c5e1b48268f40d2c1b3a69e57"
#define OTHER_TOKEN "0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f"
#define URL         "https://ringdown.test"
#define OPEN        "+13125550100"
#define BROKEN      "+13125550101"
#define SORRY       "+13125550102"

enum { MAX_CALLS = 2, ANSWER = 4096, PATIENCE_MS = 5000 };

static const char agents[] = "local agent = require 'ringdown.agent'\n"
                             "return agent { name = '%s', numbers = { '%s' }, greeting = 'Hi.',\n"
                             "  prompt = 'Be brief.', people = { office = '+13125550188' },\n"
                             "  sms = { %shelp = 'Call & ask.' },\n"
                             "  routing = function() %s end }\n";

struct story {
    struct loop *loop; /* of control, which nobody runs here */
    struct mailbox *control;
    struct settings settings;
    struct node *node;
    char folder[64], answer[ANSWER];
};

static struct story s;

/* --- a node --- */

static void write_agent(const char *name, const char *number, const char *sms, const char *routing)
{
    char path[128];
    FILE *f;

    (void)snprintf(path, sizeof(path), "%s/%s.lua", s.folder, name);
    f = fopen(path, "w");
    assert_non_null(f);
    (void)fprintf(f, agents, name, number, sms, routing);
    assert_int_equal(fclose(f), 0);
}

static void start_node(void)
{
    struct node_opts o = {.settings = &s.settings, .control = s.control};
    char why[256];

    assert_int_equal(node_start(&s.node, &o, why, sizeof(why)), 0);
}

static int set_up(void **state)
{
    (void)state;
    s = (struct story){.folder = "/tmp/node-XXXXXX"};
    assert_non_null(mkdtemp(s.folder));
    write_agent("open", OPEN, "", "");
    write_agent("broken", BROKEN, "", "error('no')");
    write_agent("sorry", SORRY, "missed = 'Sorry.', ", "");
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
                                   .openai_url = "ws://127.0.0.1:9/v1/realtime",
                                   .openai_key = "sk-double",
                                   .openai_model = "gpt-realtime-2.1",
                                   .twilio_api = "http://127.0.0.1:9",
                                   .twilio_sid = "AC5f1d0e7a29b84c36a1e0d9c7b6a59483",
                                   .twilio_tokens = {TOKEN, OTHER_TOKEN, NULL},
                                   .force = "off",
                                   .media_threads = 2,
                                   .script_threads = 1,
                                   .max_calls = MAX_CALLS,
                                   .script_deadline_ms = PATIENCE_MS};
    metrics_reset();
    assert_int_equal(loop_new(&s.loop), 0);
    assert_int_equal(mailbox_new(&s.control, s.loop, 64, NULL, NULL), 0);
    start_node();
    return 0;
}

static int tear_down(void **state)
{
    static const char *const names[] = {"open", "broken", "sorry"};
    char path[128];

    (void)state;
    node_stop(s.node);
    mailbox_free(s.control);
    loop_free(s.loop);
    for (int i = 0; i < 3; i++) {
        (void)snprintf(path, sizeof(path), "%s/%s.lua", s.folder, names[i]);
        (void)unlink(path);
    }
    (void)rmdir(s.folder);
    return 0;
}

/* --- a carrier --- */

static int dial(void)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(node_port(s.node))};
    struct timeval patience = {.tv_sec = PATIENCE_MS / 1000};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    assert_return_code(connect(fd, (struct sockaddr *)&a, sizeof(a)), errno);
    return fd;
}

/* `fields` are names and values in turn, by name, as they are signed. */
static void sign(char out[BASE64_ENCODED(20) + 1], const char *path, const char *token,
                 const char *const *fields)
{
    char text[1024];
    int n = snprintf(text, sizeof(text), "%s%s", URL, path);
    uint8_t mac[20];

    for (; *fields; fields++)
        n += snprintf(text + n, sizeof(text) - (size_t)n, "%s", *fields);
    hmac_sha1(mac, token, strlen(token), text, (size_t)n);
    out[base64_encode(out, mac, sizeof(mac))] = '\0';
}

/* Nothing needs escaping but the "+" of numbers. */
static void write_form(char *out, size_t cap, const char *const *fields)
{
    size_t n = 0;

    for (int i = 0; fields[i]; i++)
        n += (size_t)snprintf(out + n, cap - n, "%s%s%s",
                              i == 0       ? ""
                              : i % 2 == 0 ? "&"
                                           : "=",
                              fields[i][0] == '+' ? "%2B" : "", fields[i] + (fields[i][0] == '+'));
}

static int ask(const char *path, const char *signature, const char *const *fields)
{
    char form[512], request[1024];
    int fd = dial(), n;

    write_form(form, sizeof(form), fields);
    n = snprintf(request, sizeof(request),
                 "POST %s HTTP/1.1\r\nHost: x\r\n"
                 "Content-Type: application/x-www-form-urlencoded\r\n"
                 "X-Twilio-Signature: %s\r\nContent-Length: %zu\r\n\r\n%s",
                 path, signature, strlen(form), form);
    assert_int_equal(send(fd, request, (size_t)n, 0), n);
    return fd;
}

/* The status; the whole answer is in s.answer. */
static int hear(int fd)
{
    size_t n = 0;
    ssize_t got;

    while (n < sizeof(s.answer) - 1 &&
           (got = recv(fd, s.answer + n, sizeof(s.answer) - 1 - n, 0)) > 0)
        n += (size_t)got;
    s.answer[n] = '\0';
    close(fd);
    return n > 12 ? (int)strtol(s.answer + 9, NULL, 10) : 0;
}

static int post(const char *path, const char *token, const char *const *fields)
{
    char signature[BASE64_ENCODED(20) + 1];

    sign(signature, path, token, fields);
    return hear(ask(path, signature, fields));
}

static int post_voice(const char *token, const char *sid, const char *to)
{
    return post("/twilio/voice", token,
                (const char *const[]){"CallSid", sid, "From", "+13125550142", "To", to, NULL});
}

static int post_status(const char *sid, const char *status)
{
    return post("/twilio/status", TOKEN,
                (const char *const[]){"CallSid", sid, "CallStatus", status, NULL});
}

static const char *sid(unsigned n)
{
    static char text[4][40];

    (void)snprintf(text[n % 4], sizeof(text[0]), "CA%032x", n);
    return text[n % 4];
}

/* The path of the stream that the last answer offers. */
static bool offers(char path[256])
{
    const char *at = strstr(s.answer, "/twilio/media/");

    path[0] = '\0';
    return at && rd_str_copy(path, 256, (struct rd_str){at, strcspn(at, "\"")});
}

static bool is_fallback(void)
{
    return strstr(s.answer, "<Response>") && !strstr(s.answer, "<Stream");
}

static unsigned vms(void)
{
    struct json_value root, v;
    struct buf text;
    uint64_t n = 99;

    buf_init(&text, 1 << 20);
    assert_int_equal(node_status_json(s.node, &text), 0);
    assert_int_equal(json_parse((struct rd_str){text.data, text.n}, &root), 0);
    v = json_get(&root, "vms");
    assert_true(json_u64(&v, &n));
    buf_fini(&text);
    return (unsigned)n;
}

static void wait_until_no_script_runs(void)
{
    for (int i = 0; i < PATIENCE_MS / 10 && vms() > 0; i++)
        (void)nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    assert_int_equal(vms(), 0);
}

/* --- stories --- */

static void test_a_call_gets_a_stream_and_gives_everything_back(void **state)
{
    char path[256];

    (void)state;
    assert_int_equal(post_voice(TOKEN, sid(1), OPEN), 200);
    assert_true(offers(path));
    assert_non_null(strstr(s.answer, "/twilio/resume</Redirect>"));
    assert_int_equal(node_calls(s.node), 1);
    assert_int_equal(post_status(sid(1), "in-progress"), 200); /* no end */
    assert_int_equal(node_calls(s.node), 1);
    assert_int_equal(post_status(sid(1), "completed"), 200);
    assert_int_equal(post_status(sid(1), "completed"), 200); /* Twilio may say it twice */
    assert_int_equal(node_calls(s.node), 0);
    wait_until_no_script_runs();
}

static void test_a_bad_signature_costs_a_403_and_nothing_else(void **state)
{
    static const char *const fields[] = {"CallSid", "CA00000000000000000000000000000001", NULL};
    static const char *const paths[] = {"/twilio/voice", "/twilio/resume", "/twilio/status",
                                        "/twilio/sms"};

    (void)state;
    for (int i = 0; i < 4; i++) {
        assert_int_equal(hear(ask(paths[i], "AAAAAAAAAAAAAAAAAAAAAAAAAAA=", fields)), 403);
        assert_int_equal(hear(ask(paths[i], "", fields)), 403);
        assert_int_equal(post(paths[i], "another token", fields), 403);
    }
    assert_int_equal(metric_value(M_REFUSED_SIGNATURE), 12);
    assert_int_equal(node_calls(s.node), 0);
    assert_int_equal(vms(), 0);
}

static void test_both_tokens_of_a_rotation_are_good(void **state)
{
    (void)state;
    assert_int_equal(post_voice(OTHER_TOKEN, sid(1), OPEN), 200);
    assert_int_equal(post_voice(TOKEN, sid(2), OPEN), 200);
    assert_int_equal(node_calls(s.node), 2);
}

static void test_the_call_beyond_the_last_slot_gets_the_fallback(void **state)
{
    (void)state;
    assert_int_equal(post_voice(TOKEN, sid(1), OPEN), 200);
    assert_int_equal(post_voice(TOKEN, sid(2), OPEN), 200);
    assert_int_equal(post_voice(TOKEN, sid(3), OPEN), 200);
    assert_true(is_fallback());
    assert_int_equal(metric_value(M_REFUSED_FULL), 1);
    assert_int_equal(node_calls(s.node), MAX_CALLS);
    assert_int_equal(post_status(sid(1), "canceled"), 200);
    assert_int_equal(post_voice(TOKEN, sid(4), OPEN), 200);
    assert_false(is_fallback());
}

static bool only_full_journals(void *arg, const char **reason, const char **fix)
{
    unsigned *asked = arg;

    (*asked)++;
    *reason = "journal_full";
    *fix = "make room on the disk";
    return false;
}

static void test_the_gate_keeps_new_calls_out_and_known_ones_in(void **state)
{
    unsigned asked = 0;
    char path[256];

    (void)state;
    assert_int_equal(post_voice(TOKEN, sid(1), OPEN), 200);
    s.node->gate = (struct voice_gate){only_full_journals, &asked};
    assert_int_equal(post_voice(TOKEN, sid(2), OPEN), 200);
    assert_true(is_fallback());
    assert_int_equal(asked, 1);
    assert_int_equal(node_calls(s.node), 1);
    assert_int_equal(metric_value(M_CALLS_FALLBACK), 1);
    assert_int_equal(post_voice(TOKEN, sid(1), OPEN), 200); /* Twilio asks once more */
    assert_true(offers(path));
}

static void test_one_caller_cannot_take_every_line(void **state)
{
    (void)state;
    s.settings.max_calls_per_caller = 1;
    node_stop(s.node);
    start_node();
    assert_int_equal(post_voice(TOKEN, sid(1), OPEN), 200);
    assert_false(is_fallback());
    assert_int_equal(post_voice(TOKEN, sid(2), OPEN), 200);
    assert_true(is_fallback());
    assert_int_equal(metric_value(M_REFUSED_CALLER_FULL), 1);
    assert_int_equal(metric_value(M_REFUSED_FULL), 0);
    assert_int_equal(post_status(sid(1), "completed"), 200);
    assert_int_equal(post_voice(TOKEN, sid(3), OPEN), 200);
    assert_false(is_fallback());
}

static void test_a_repeated_webhook_gets_a_new_address_for_the_same_call(void **state)
{
    char first[256], second[256];

    (void)state;
    assert_int_equal(post_voice(TOKEN, sid(1), OPEN), 200);
    assert_true(offers(first));
    assert_int_equal(post_voice(TOKEN, sid(1), OPEN), 200);
    assert_true(offers(second));
    assert_string_not_equal(first, second);
    assert_int_equal(node_calls(s.node), 1);
    assert_int_equal(vms(), 1);
    assert_int_equal(post_status(sid(1), "completed"), 200);
    assert_int_equal(post_voice(TOKEN, sid(1), OPEN), 200); /* and does not rise again */
    assert_true(is_fallback());
    wait_until_no_script_runs();
}

static void test_a_script_that_fails_gives_the_fallback_and_the_slot_back(void **state)
{
    (void)state;
    assert_int_equal(post_voice(TOKEN, sid(1), BROKEN), 200);
    assert_true(is_fallback());
    assert_int_equal(node_calls(s.node), 0);
    wait_until_no_script_runs();
}

static void test_a_number_nobody_has_gets_the_default_words(void **state)
{
    (void)state;
    assert_int_equal(post_voice(TOKEN, sid(1), "+13125559999"), 200);
    assert_true(is_fallback());
    assert_int_equal(metric_value(M_REFUSED_NO_AGENT), 1);
    assert_int_equal(post_voice(TOKEN, "CA1", OPEN), 400);
    assert_int_equal(node_calls(s.node), 0);
}

static void test_after_an_unknown_stream_comes_the_fallback(void **state)
{
    (void)state;
    assert_int_equal(
        post("/twilio/resume", TOKEN, (const char *const[]){"CallSid", sid(1), "To", OPEN, NULL}),
        200);
    assert_true(is_fallback());
}

static void test_after_a_dial_the_caller_is_done_or_hears_the_fallback(void **state)
{
    static const char *const taken[] = {"completed", "answered"};
    static const char *const not_taken[] = {"busy", "no-answer", "failed", "canceled", "odd"};

    (void)state;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(post("/twilio/resume", TOKEN,
                              (const char *const[]){"CallSid", sid(1), "DialCallStatus", taken[i],
                                                    "To", OPEN, NULL}),
                         200);
        assert_non_null(strstr(s.answer, "<Response><Hangup/></Response>"));
    }
    assert_int_equal(metric_value(M_CALLS_FALLBACK), 0);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(post("/twilio/resume", TOKEN,
                              (const char *const[]){"CallSid", sid(1), "DialCallStatus",
                                                    not_taken[i], "To", OPEN, NULL}),
                         200);
        assert_null(strstr(s.answer, "<Response><Hangup/></Response>"));
        assert_true(is_fallback());
    }
    assert_int_equal(metric_value(M_CALLS_FALLBACK), 5);
}

static bool says(const char *words)
{
    return strstr(s.answer, words) != NULL;
}

static void test_after_the_dial_of_a_fallback_nobody_is_dialled_again(void **state)
{
    static const struct {
        const char *dial;
        bool taken;
    } cases[] = {{"completed", true}, {"answered", true}, {"busy", false}, {"no-answer", false}};

    (void)state;
    assert_int_equal(post_voice(TOKEN, sid(1), BROKEN), 200);
    assert_true(says("action=\"/twilio/resume?after=fallback\""));
    assert_int_equal(metric_value(M_CALLS_FALLBACK), 1);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(post("/twilio/resume?after=fallback", TOKEN,
                              (const char *const[]){"CallSid", sid(1), "DialCallStatus",
                                                    cases[i].dial, "To", BROKEN, NULL}),
                         200);
        assert_int_equal(says("<Response><Hangup/></Response>"), cases[i].taken);
        assert_int_equal(says("</Say><Hangup/></Response>"), !cases[i].taken);
        assert_false(says("<Dial"));
    }
    assert_int_equal(metric_value(M_CALLS_FALLBACK), 1);
}

static int post_resume(unsigned n, const char *status, const char *dial)
{
    return post("/twilio/resume?attempt=1", TOKEN,
                (const char *const[]){"CallSid", sid(n), "CallStatus", status, "DialCallStatus",
                                      dial, "To", OPEN, NULL});
}

/* As line.c does it when the carrier has taken the caller. */
static void go_away(unsigned n)
{
    struct directory_claim claim;
    struct directory_view view;
    struct message *m;

    assert_int_equal(post_voice(TOKEN, sid(n), OPEN), 200);
    assert_true(directory_find(s.node->directory, rd_str(sid(n)), &view));
    assert_int_equal(directory_claim(s.node->directory, view.call, view.nonce, 0, &claim), 0);
    brief_unref(claim.brief);
    m = message_new(MSG_CALL_EVENT, view.call, NULL, 0);
    assert_non_null(m);
    m->kind = AGENT_AWAY;
    assert_int_equal(credits_post(claim.credits, m, true), 0);
    assert_true(directory_away(s.node->directory, view.call, claim.credits, 1));
}

static void test_a_caller_whom_nobody_takes_gets_a_new_stream(void **state)
{
    char path[256], again[256];

    (void)state;
    go_away(1);
    assert_int_equal(post_resume(1, "in-progress", "busy"), 200);
    assert_true(offers(path));
    assert_int_equal(post_resume(1, "in-progress", "busy"), 200); /* Twilio had no answer */
    assert_true(offers(again));
    assert_string_not_equal(path, again);
    assert_int_equal(node_calls(s.node), 1);
    assert_int_equal(metric_value(M_CALLS_FALLBACK), 0);
    assert_int_equal(post_status(sid(1), "completed"), 200);
    assert_int_equal(node_calls(s.node), 0);
    wait_until_no_script_runs();
}

static int post_stream_over(unsigned n)
{
    return post(
        "/twilio/resume", TOKEN,
        (const char *const[]){"CallSid", sid(n), "CallStatus", "in-progress", "To", OPEN, NULL});
}

/* As line.c does it when the stream of that address breaks. */
static void stream_breaks(unsigned n)
{
    struct directory_claim claim;
    struct directory_view view;

    assert_true(directory_find(s.node->directory, rd_str(sid(n)), &view));
    assert_int_equal(directory_claim(s.node->directory, view.call, view.nonce, 0, &claim), 0);
    brief_unref(claim.brief);
    directory_intent(s.node->directory, view.call, INTENT_RESUME);
    assert_true(directory_away(s.node->directory, view.call, claim.credits, 1));
}

static void test_a_broken_stream_is_followed_by_another_but_not_for_ever(void **state)
{
    char path[256];

    (void)state;
    assert_int_equal(post_voice(TOKEN, sid(1), OPEN), 200);
    for (unsigned i = 0; i < RESUMES_MAX; i++) {
        stream_breaks(1);
        assert_int_equal(post_stream_over(1), 200);
        assert_true(offers(path));
        assert_int_equal(node_calls(s.node), 1);
    }
    stream_breaks(1);
    assert_int_equal(post_stream_over(1), 200);
    assert_true(is_fallback());
    assert_int_equal(node_calls(s.node), 0);
    wait_until_no_script_runs();
}

static void test_a_caller_who_had_a_person_is_hung_up_on_however_often_it_is_asked(void **state)
{
    (void)state;
    go_away(1);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(post_resume(1, "in-progress", "completed"), 200);
        assert_non_null(strstr(s.answer, "<Response><Hangup/></Response>"));
        assert_int_equal(node_calls(s.node), 0);
    }
    wait_until_no_script_runs();
}

static void test_a_caller_who_hangs_up_while_it_rings_is_gone(void **state)
{
    (void)state;
    go_away(1);
    assert_int_equal(post_resume(1, "completed", "canceled"), 200);
    assert_non_null(strstr(s.answer, "<Hangup/>"));
    assert_int_equal(node_calls(s.node), 0);
    go_away(2);
    assert_int_equal(post_status(sid(2), "completed"), 200);
    assert_int_equal(node_calls(s.node), 0);
    wait_until_no_script_runs();
}

/* The question overtook the end of the stream. */
static void test_a_question_waits_until_the_end_of_the_stream_was_seen(void **state)
{
    struct directory_claim claim;
    struct directory_view view;
    char signature[BASE64_ENCODED(20) + 1];
    const char *const fields[] = {"CallSid", sid(1), "DialCallStatus", "busy", "To", OPEN, NULL};
    char path[256];
    int fd;

    (void)state;
    assert_int_equal(post_voice(TOKEN, sid(1), OPEN), 200);
    assert_true(directory_find(s.node->directory, rd_str(sid(1)), &view));
    assert_int_equal(directory_claim(s.node->directory, view.call, view.nonce, 0, &claim), 0);
    brief_unref(claim.brief);
    sign(signature, "/twilio/resume", TOKEN, fields);
    fd = ask("/twilio/resume", signature, fields);
    (void)nanosleep(&(struct timespec){.tv_nsec = 60000000}, NULL);
    assert_true(directory_away(s.node->directory, view.call, claim.credits, 1));
    assert_int_equal(hear(fd), 200);
    assert_true(offers(path));
}

static void test_who_was_dialled_is_asked_only_for_a_call_that_waits(void **state)
{
    (void)state;
    assert_int_equal(post("/twilio/accept?rule=x", TOKEN,
                          (const char *const[]){"CallSid", sid(3), "ParentCallSid", sid(1), NULL}),
                     200);
    assert_non_null(strstr(s.answer, "<Response><Hangup/></Response>"));
    go_away(1);
    assert_int_equal(post("/twilio/accept?rule=x", TOKEN,
                          (const char *const[]){"CallSid", sid(3), "ParentCallSid", sid(1), NULL}),
                     200);
    assert_non_null(strstr(s.answer, "<Response><Hangup/></Response>")); /* nobody asked for it */
    assert_int_equal(node_calls(s.node), 1);                             /* the caller waits on */
    assert_int_equal(
        post("/twilio/accept", "wrong", (const char *const[]){"CallSid", sid(3), NULL}), 403);
}

static void test_who_was_rung_by_an_errand_that_is_over_is_hung_up_on(void **state)
{
    static const char *const paths[] = {"/twilio/accept?errand=0.99", "/twilio/accept?errand=999.1",
                                        "/twilio/accept?errand=x"};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(
            post(paths[i], TOKEN, (const char *const[]){"CallSid", sid(3), "Digits", "1", NULL}),
            200);
        assert_non_null(strstr(s.answer, "<Response><Hangup/></Response>"));
    }
}

static void test_a_node_that_ends_lets_go_of_callers_who_are_away(void **state)
{
    (void)state;
    go_away(1);
    assert_int_equal(node_calls(s.node), 1);
    node_stop(s.node); /* a leak would be found */
    s.node = NULL;
    assert_int_equal(metric_value(M_ZOMBIE_VM), 0);
}

static void test_a_draining_node_keeps_its_calls_and_takes_no_others(void **state)
{
    (void)state;
    assert_int_equal(post_voice(TOKEN, sid(1), OPEN), 200);
    node_drain(s.node);
    assert_int_equal(post_voice(TOKEN, sid(2), OPEN), 200);
    assert_true(is_fallback());
    assert_int_equal(metric_value(M_REFUSED_DRAINING), 1);
    assert_int_equal(node_calls(s.node), 1);
}

static void test_a_carrier_that_leaves_before_the_answer_leaves_nothing(void **state)
{
    char signature[BASE64_ENCODED(20) + 1];
    const char *const fields[] = {"CallSid", sid(1), "To", OPEN, NULL};

    (void)state;
    sign(signature, "/twilio/voice", TOKEN, fields);
    for (int i = 0; i < 20; i++)
        close(ask("/twilio/voice", signature, fields));
    assert_int_equal(post_status(sid(1), "completed"), 200);
    for (int i = 0; i < PATIENCE_MS / 10 && node_calls(s.node) > 0; i++)
        (void)nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    assert_int_equal(node_calls(s.node), 0);
    wait_until_no_script_runs();
}

/* tear_down() stops the node while a call is offered, one is asked for and a request is half sent:
 * whoever waits is told, nothing is touched after it was freed. */
static void test_a_node_may_end_in_the_middle_of_everything(void **state)
{
    char signature[BASE64_ENCODED(20) + 1];
    const char *const fields[] = {"CallSid", sid(2), "To", OPEN, NULL};
    int half, asked;

    (void)state;
    assert_int_equal(post_voice(TOKEN, sid(1), OPEN), 200);
    half = dial();
    assert_int_equal(send(half, "POST /twil", 10, 0), 10);
    sign(signature, "/twilio/voice", TOKEN, fields);
    asked = ask("/twilio/voice", signature, fields);
    node_stop(s.node);
    s.node = NULL;
    close(half);
    close(asked);
}

static int post_text_to(const char *to, const char *id, const char *body)
{
    return post("/twilio/sms", TOKEN,
                (const char *const[]){"Body", body, "From", "+13125550142", "MessageSid", id, "To",
                                      to, NULL});
}

static int post_text(const char *id, const char *body)
{
    return post_text_to(OPEN, id, body);
}

static void test_a_text_is_taken_once_and_only_help_is_answered_here(void **state)
{
    (void)state;
    assert_int_equal(post_text("SM00000000000000000000000000000001", "Hello"), 200);
    assert_true(says("\r\n\r\n<Response/>"));
    assert_int_equal(post_text("SM00000000000000000000000000000001", "Hello"), 200);
    assert_true(says("<Response/>"));
    assert_int_equal(metric_value(M_TEXTS_IN), 1);
    assert_int_equal(post_text("SM00000000000000000000000000000002", "STOP"), 200);
    assert_true(says("<Response/>"));
    assert_int_equal(post_text("SM00000000000000000000000000000003", "help"), 200);
    assert_true(says("<Message>Call &amp; ask.</Message>"));
    assert_int_equal(metric_value(M_TEXTS_IN), 3);
    assert_int_equal(post_text("SM1", "Hello"), 400);
    wait_until_no_script_runs();
}

static void test_help_is_answered_also_where_no_agent_is(void **state)
{
    static const char nobodys[] = "+13125550177";

    (void)state;
    assert_int_equal(post_text_to(nobodys, "SM00000000000000000000000000000004", "HELP"), 200);
    assert_true(says("<Message>Nobody reads texts to this number."));
    assert_int_equal(post_text_to(nobodys, "SM00000000000000000000000000000005", "Hello"), 200);
    assert_true(says("<Response/>"));
    assert_int_equal(post_text_to(nobodys, "SM00000000000000000000000000000006", "STOP"), 200);
    assert_true(says("<Response/>"));
}

static void test_how_far_a_text_came_is_no_call(void **state)
{
    const char *const fields[] = {"MessageSid", "SM00000000000000000000000000000001",
                                  "MessageStatus", "delivered", NULL};

    (void)state;
    assert_int_equal(post("/twilio/status?text=missed-CA1", TOKEN, fields), 200);
    assert_int_equal(post("/twilio/status", TOKEN, fields), 200);
    assert_int_equal(post("/twilio/status?text=%zz", TOKEN, fields), 200);
    assert_int_equal(
        post("/twilio/status", TOKEN, (const char *const[]){"MessageSid", "SM1", NULL}), 400);
    assert_int_equal(metric_value(M_MISSED), 0);
}

/* Whoever is texted, is so by a script that outlives the call: nobody waits for it here. */
static void test_callers_who_do_not_get_through_are_counted_once_each(void **state)
{
    (void)state;
    assert_int_equal(post_voice(TOKEN, sid(1), SORRY), 200);
    assert_int_equal(post_status(sid(1), "completed"), 200); /* before any stream */
    assert_int_equal(post_status(sid(1), "completed"), 200);
    assert_int_equal(metric_value(M_MISSED), 1);
    assert_int_equal(post_voice(TOKEN, sid(2), BROKEN), 200);
    assert_int_equal(post_status(sid(2), "completed"), 200);
    assert_int_equal(metric_value(M_MISSED), 2);
    assert_int_equal(post_voice(TOKEN, sid(3), SORRY), 200);
    assert_int_equal(post_voice(TOKEN, sid(4), SORRY), 200);
    assert_int_equal(post_voice(TOKEN, sid(5), SORRY), 200); /* no slot */
    assert_int_equal(metric_value(M_MISSED), 3);
    assert_int_equal(post("/twilio/status", TOKEN,
                          (const char *const[]){"CallSid", sid(6), "CallStatus", "no-answer", "To",
                                                SORRY, NULL}),
                     200);
    assert_int_equal(metric_value(M_MISSED), 4);
}

#define STORY(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(test_a_call_gets_a_stream_and_gives_everything_back),
        STORY(test_a_bad_signature_costs_a_403_and_nothing_else),
        STORY(test_both_tokens_of_a_rotation_are_good),
        STORY(test_the_call_beyond_the_last_slot_gets_the_fallback),
        STORY(test_the_gate_keeps_new_calls_out_and_known_ones_in),
        STORY(test_one_caller_cannot_take_every_line),
        STORY(test_a_repeated_webhook_gets_a_new_address_for_the_same_call),
        STORY(test_a_script_that_fails_gives_the_fallback_and_the_slot_back),
        STORY(test_a_number_nobody_has_gets_the_default_words),
        STORY(test_after_an_unknown_stream_comes_the_fallback),
        STORY(test_after_a_dial_the_caller_is_done_or_hears_the_fallback),
        STORY(test_after_the_dial_of_a_fallback_nobody_is_dialled_again),
        STORY(test_a_broken_stream_is_followed_by_another_but_not_for_ever),
        STORY(test_a_caller_whom_nobody_takes_gets_a_new_stream),
        STORY(test_a_caller_who_had_a_person_is_hung_up_on_however_often_it_is_asked),
        STORY(test_a_caller_who_hangs_up_while_it_rings_is_gone),
        STORY(test_a_question_waits_until_the_end_of_the_stream_was_seen),
        STORY(test_who_was_dialled_is_asked_only_for_a_call_that_waits),
        STORY(test_who_was_rung_by_an_errand_that_is_over_is_hung_up_on),
        STORY(test_a_node_that_ends_lets_go_of_callers_who_are_away),
        STORY(test_a_draining_node_keeps_its_calls_and_takes_no_others),
        STORY(test_a_carrier_that_leaves_before_the_answer_leaves_nothing),
        STORY(test_a_text_is_taken_once_and_only_help_is_answered_here),
        STORY(test_help_is_answered_also_where_no_agent_is),
        STORY(test_how_far_a_text_came_is_no_call),
        STORY(test_callers_who_do_not_get_through_are_counted_once_each),
        STORY(test_a_node_may_end_in_the_middle_of_everything),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
