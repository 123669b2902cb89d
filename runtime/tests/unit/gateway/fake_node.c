/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_node.h"

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

struct story s;

static const char agents[] =
    "local agent = require 'ringdown.agent'\n"
    "local a = agent { name = '%s', numbers = { '%s' }, greeting = 'Hi.',\n"
    "  prompt = 'Be brief.', people = { office = '+13125550188' },\n"
    "  sms = { %shelp = 'Call & ask.' } }\n"
    "%s return a\n";

/* Loads, and breaks in each call. */
#define BREAKS "if a.apart then error('no') end"

/* --- a node --- */

static void story_write_agent(const char *name, const char *number, const char *sms,
                              const char *more)
{
    char path[128];
    FILE *f;

    (void)snprintf(path, sizeof(path), "%s/%s.lua", s.folder, name);
    f = fopen(path, "w");
    assert_non_null(f);
    (void)fprintf(f, agents, name, number, sms, more);
    assert_int_equal(fclose(f), 0);
}

void story_start_node(void)
{
    struct node_opts o = {.settings = &s.settings, .control = s.control};
    char why[256];

    assert_int_equal(node_start(&s.node, &o, why, sizeof(why)), 0);
}

int story_set_up(void **state)
{
    (void)state;
    s = (struct story){.folder = "/tmp/node-XXXXXX"};
    assert_non_null(mkdtemp(s.folder));
    story_write_agent("open", OPEN, "", "");
    story_write_agent("broken", BROKEN, "", BREAKS);
    story_write_agent("sorry", SORRY, "missed = 'Sorry.', ", "");
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
    story_start_node();
    return 0;
}

int story_tear_down(void **state)
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

int story_dial(void)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(node_port(s.node))};
    struct timeval patience = {.tv_sec = 60};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    assert_return_code(connect(fd, (struct sockaddr *)&a, sizeof(a)), errno);
    return fd;
}

void story_sign(char out[BASE64_ENCODED(20) + 1], const char *path, const char *token,
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
static void story_write_form(char *out, size_t cap, const char *const *fields)
{
    size_t n = 0;

    for (int i = 0; fields[i]; i++)
        n += (size_t)snprintf(out + n, cap - n, "%s%s%s",
                              i == 0       ? ""
                              : i % 2 == 0 ? "&"
                                           : "=",
                              fields[i][0] == '+' ? "%2B" : "", fields[i] + (fields[i][0] == '+'));
}

int story_ask(const char *path, const char *signature, const char *const *fields)
{
    char form[512], request[1024];
    int fd = story_dial(), n;

    story_write_form(form, sizeof(form), fields);
    n = snprintf(request, sizeof(request),
                 "POST %s HTTP/1.1\r\nHost: x\r\n"
                 "Content-Type: application/x-www-form-urlencoded\r\n"
                 "X-Twilio-Signature: %s\r\nContent-Length: %zu\r\n\r\n%s",
                 path, signature, strlen(form), form);
    assert_int_equal(send(fd, request, (size_t)n, 0), n);
    return fd;
}

int story_hear(int fd)
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

int story_post(const char *path, const char *token, const char *const *fields)
{
    char signature[BASE64_ENCODED(20) + 1];

    story_sign(signature, path, token, fields);
    return story_hear(story_ask(path, signature, fields));
}

int story_post_voice(const char *token, const char *sid, const char *to)
{
    return story_post(
        "/twilio/voice", token,
        (const char *const[]){"CallSid", sid, "From", "+13125550142", "To", to, NULL});
}

int story_post_status(const char *sid, const char *status)
{
    return story_post("/twilio/status", TOKEN,
                      (const char *const[]){"CallSid", sid, "CallStatus", status, NULL});
}

const char *story_sid(unsigned n)
{
    static char text[4][40];

    (void)snprintf(text[n % 4], sizeof(text[0]), "CA%032x", n);
    return text[n % 4];
}

bool story_offers(char path[256])
{
    const char *at = strstr(s.answer, "/twilio/media/");

    path[0] = '\0';
    return at && rd_str_copy(path, 256, (struct rd_str){at, strcspn(at, "\"")});
}

bool story_is_fallback(void)
{
    return strstr(s.answer, "<Response>") && !strstr(s.answer, "<Stream");
}

bool story_says(const char *words)
{
    return strstr(s.answer, words) != NULL;
}

unsigned story_vms(void)
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

/* That it was so once is what counts: an errand of the same call may begin a moment later. */
void story_wait_until_no_script_runs(void)
{
    unsigned running = story_vms();

    for (int i = 0; i < PATIENCE_MS / 10 && running > 0; i++) {
        (void)nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
        running = story_vms();
    }
    assert_int_equal(running, 0);
}
