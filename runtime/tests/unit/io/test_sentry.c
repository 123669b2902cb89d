/* SPDX-License-Identifier: Apache-2.0 */
/* Errors on their way to a Sentry that takes, limits, refuses, hangs or talks nonsense. */
#include "base/json.h"
#include "base/log.h"
#include "base/now.h"
#include "io/sentry.h"
#include "observe/families.h"
#include "observe/metrics.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zlib.h>

#include <cmocka.h>

enum { REQUEST_MAX = 256 * 1024, SAYS_MAX = 4 };

/* A server with one answer after the other, the last one for all that follow; NULL: it hangs. */
struct server {
    const char *says[SAYS_MAX];
    int fd;
    char dsn[64];
    pthread_t thread;
    _Atomic unsigned requests;
    char head[4096];
    char body[REQUEST_MAX]; /* of the last request, unpacked */
    size_t n_body;
};

static struct server srv;

#define OK_ANSWER "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"

static void unpack(const char *p, size_t n)
{
    z_stream z = {.next_in = (Bytef *)(uintptr_t)p, .avail_in = (uInt)n};

    if (!strstr(srv.head, "Content-Encoding: gzip")) {
        memcpy(srv.body, p, n);
        srv.n_body = n;
        return;
    }
    z.next_out = (Bytef *)srv.body;
    z.avail_out = sizeof(srv.body) - 1;
    assert_int_equal(inflateInit2(&z, 15 + 16), Z_OK);
    assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
    srv.n_body = z.total_out;
    inflateEnd(&z);
}

static void read_request(int fd)
{
    static char text[REQUEST_MAX];
    const char *end = NULL, *length;
    size_t n = 0, want = SIZE_MAX, head;

    memset(text, 0, sizeof(text));
    while (n < want) {
        ssize_t k = recv(fd, text + n, sizeof(text) - 1 - n, 0);

        if (k <= 0)
            return;
        n += (size_t)k;
        end = strstr(text, "\r\n\r\n");
        length = end ? strcasestr(text, "content-length:") : NULL;
        if (length)
            want = (size_t)(end + 4 - text) + strtoul(length + 15, NULL, 10);
    }
    head = (size_t)(end + 4 - text);
    snprintf(srv.head, sizeof(srv.head), "%.*s", (int)head, text);
    unpack(text + head, n - head);
    srv.body[srv.n_body] = '\0';
}

static void *serve(void *arg)
{
    int fd;

    (void)arg;
    while ((fd = accept(srv.fd, NULL, NULL)) >= 0) {
        unsigned i = atomic_load(&srv.requests);
        const char *says;

        while (i > 0 && (i >= SAYS_MAX || !srv.says[i]))
            i--;
        says = srv.says[i];
        read_request(fd);
        atomic_fetch_add(&srv.requests, 1);
        if (says) {
            (void)!write(fd, says, strlen(says));
            close(fd);
        } /* else it stays open, and silent */
    }
    return NULL;
}

static void start_server(const char *first, const char *second)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof(a);

    memset(&srv, 0, sizeof(srv));
    srv.says[0] = first;
    srv.says[1] = second;
    srv.fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(srv.fd, (struct sockaddr *)&a, sizeof(a)), 0);
    assert_int_equal(listen(srv.fd, 8), 0);
    assert_int_equal(getsockname(srv.fd, (struct sockaddr *)&a, &n), 0);
    snprintf(srv.dsn, sizeof(srv.dsn), "http://pub:sec@127.0.0.1:%u/pre/7", ntohs(a.sin_port));
    assert_int_equal(pthread_create(&srv.thread, NULL, serve, NULL), 0);
}

static void stop_server(void)
{
    shutdown(srv.fd, SHUT_RDWR);
    pthread_join(srv.thread, NULL);
    close(srv.fd);
}

static struct sentry *start(const char *first, const char *second)
{
    struct sentry_opts o = {.release = "ringdown@1",
                            .environment = "test",
                            .node = "box",
                            .secret = "00",
                            .failed_calls = 3};
    struct sentry *s = NULL;
    char why[256];

    metrics_reset();
    start_server(first, second);
    o.dsn = srv.dsn;
    assert_int_equal(sentry_start(&s, &o, why, sizeof(why)), 0);
    assert_non_null(s);
    return s;
}

/* What the server's thread wrote before may be read, and what was read may be written. */
static unsigned meet_server(void)
{
    return atomic_fetch_add(&srv.requests, 0);
}

static void wait_until(enum metric_counter m, uint64_t value)
{
    for (int i = 0; i < 500 && metric_value(m) < value; i++)
        usleep(10000);
    assert_int_equal(metric_value(m), value);
    (void)meet_server();
}

/* --- the grammar: header LF { item header LF payload LF }, one event at most --- */

static size_t line_of(const char *p, size_t left, struct json_value *out)
{
    const char *lf = memchr(p, '\n', left);

    assert_non_null(lf);
    assert_int_equal(json_parse((struct rd_str){p, (size_t)(lf - p)}, out), 0);
    assert_int_equal(out->type, JSON_OBJECT);
    return (size_t)(lf - p) + 1;
}

static size_t item_of(const char *p, size_t left, struct json_value *payload, bool *event)
{
    struct json_value head, type, length;
    size_t at = line_of(p, left, &head);
    uint64_t n;

    type = json_get(&head, "type");
    length = json_get(&head, "length");
    *event = json_is(&type, "event");
    assert_true(*event || json_is(&type, "client_report"));
    assert_true(json_u64(&length, &n));
    assert_true(at + n < left);
    assert_int_equal(p[at + n], '\n');
    assert_int_equal(json_parse((struct rd_str){p + at, n}, payload), 0);
    return at + n + 1;
}

/* The last request's event. */
static struct json_value parse_envelope(void)
{
    struct json_value head, id, sent, payload = {JSON_NONE, {NULL, 0}, false}, inner;
    size_t at = line_of(srv.body, srv.n_body, &head);
    unsigned events = 0;
    bool event;

    while (at < srv.n_body) {
        at += item_of(srv.body + at, srv.n_body - at, &payload, &event);
        events += event;
    }
    assert_int_equal(at, srv.n_body);
    assert_true(events <= 1);
    if (events) {
        id = json_get(&head, "event_id");
        sent = json_get(&head, "sent_at");
        inner = json_get(&payload, "event_id");
        assert_int_equal(id.raw.n, 32);
        assert_int_equal(strspn(id.raw.p, "0123456789abcdef"), 32);
        assert_true(rd_str_eq(id.raw, inner.raw));
        assert_int_equal(sent.raw.n, strlen("2026-11-22T16:47:51.123Z"));
    }
    return payload;
}

/* --- the stories --- */

static void test_an_error_arrives_whole(void **state)
{
    struct sentry *s = start(OK_ANSWER, NULL);
    struct json_value event, level;
    char why[1500];

    (void)state;
    memset(why, 'x', sizeof(why) - 1);
    why[sizeof(why) - 1] = '\0';
    log_error("disk.bad", F_INT("small", 1));
    wait_until(M_SENTRY_SENT, 1);
    assert_null(strstr(srv.head, "Content-Encoding"));
    assert_non_null(strstr(srv.head, "POST /pre/api/7/envelope/ HTTP/1.1\r\n"));
    assert_non_null(strstr(srv.head, "Content-Type: application/x-sentry-envelope\r\n"));
    assert_non_null(strstr(srv.head, "sentry_version=7, sentry_client=ringdown/"));
    assert_non_null(strstr(srv.head, "sentry_key=pub, sentry_secret=sec\r\n"));
    event = parse_envelope();
    level = json_get(&event, "level");
    assert_true(json_is(&level, "error"));

    (void)meet_server();
    log_error("disk.worse", F_STR("why", why));
    wait_until(M_SENTRY_SENT, 2);
    assert_non_null(strstr(srv.head, "Content-Encoding: gzip\r\n"));
    event = parse_envelope();
    assert_int_equal(event.type, JSON_OBJECT);
    sentry_stop(s);
    stop_server();
}

static void test_after_a_429_nothing_is_sent_and_all_is_counted(void **state)
{
    struct sentry *s = start("HTTP/1.1 429 No\r\nX-Sentry-Rate-Limits: 60:error:key\r\n"
                             "Content-Length: 0\r\n\r\n",
                             OK_ANSWER);

    (void)state;
    log_error("disk.bad", F_INT("n", 1));
    for (int i = 0; i < 500 && atomic_load(&srv.requests) < 1; i++)
        usleep(10000);
    usleep(200000); /* until the answer is heard */
    log_error("disk.worse", F_INT("n", 1));
    wait_until(M_SENTRY_LIMITED, 1);
    assert_int_equal(atomic_load(&srv.requests), 1);
    sentry_stop(s); /* the report is no error, and may go */
    assert_int_equal(meet_server(), 2);
    assert_non_null(strstr(srv.body, "{\"reason\":\"ratelimit_backoff\",\"category\":\"error\","
                                     "\"quantity\":1}"));
    assert_null(strstr(srv.body, "send_error"));
    (void)parse_envelope();
    stop_server();
}

static void test_what_is_refused_or_answered_with_nonsense_is_not_sent_again(void **state)
{
    struct sentry *s = start("HTTP/1.1 400 Bad\r\nX-Sentry-Error: x\r\nContent-Length: 0\r\n\r\n",
                             "\x01\x02 nonsense\r\n\r\n");

    (void)state;
    log_error("disk.bad", F_INT("n", 1));
    wait_until(M_SENTRY_REFUSED, 1);
    log_error("disk.worse", F_INT("n", 1));
    wait_until(M_SENTRY_NETWORK, 1);
    assert_int_equal(atomic_load(&srv.requests), 2);
    sentry_stop(s);
    stop_server();
}

static void test_a_redirect_is_not_followed(void **state)
{
    struct sentry *s = start("HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\n"
                             "Content-Length: 0\r\n\r\n",
                             OK_ANSWER);

    (void)state;
    log_error("disk.bad", F_INT("n", 1));
    wait_until(M_SENTRY_REFUSED, 1);
    assert_int_equal(atomic_load(&srv.requests), 1);
    sentry_stop(s);
    stop_server();
}

static void test_one_that_hangs_holds_nobody_up(void **state)
{
    struct sentry *s = start(NULL, NULL);
    uint64_t began, took;

    (void)state;
    began = monotonic_ms();
    for (int i = 0; i < 1000; i++) {
        char why[3] = {(char)('a' + i % 26), (char)('a' + i / 26 % 26), '\0'};

        log_error("disk.bad", F_STR("why", why));
    }
    took = monotonic_ms() - began;
    assert_true(took < 20000); /* each of them would have waited for seconds */
    assert_true(metric_value(M_SENTRY_OVERFLOW) > 500);
    began = monotonic_ms();
    sentry_stop(s);
    took = monotonic_ms() - began;
    if (took > 20000)
        fail_msg("it took %llu ms to stop", (unsigned long long)took);
    assert_int_equal(metric_value(M_SENTRY_SENT), 0);
    assert_true(metric_value(M_SENTRY_NETWORK) > 10);
    stop_server();
}

static void test_what_waits_at_the_end_is_sent(void **state)
{
    struct sentry *s = start(OK_ANSWER, NULL);

    (void)state;
    log_error("disk.bad", F_INT("n", 1));
    log_error("disk.worse", F_INT("n", 1));
    sentry_stop(s);
    assert_int_equal(metric_value(M_SENTRY_SENT), 2);
    stop_server();
}

static void calls_end(const char *outcome, unsigned n)
{
    metric_count(metric_slot(F_CALLS, NULL, "openai", outcome), n);
}

static void test_too_many_failed_calls_are_an_error(void **state)
{
    struct sentry *s = start(OK_ANSWER, NULL);

    (void)state;
    calls_end("caller_hangup", 7);
    calls_end("script_failed", 2);
    calls_end("provider_failed", 1);
    log_error("disk.bad", F_INT("n", 1)); /* wakes the worker */
    wait_until(M_SENTRY_SENT, 2);
    (void)parse_envelope();
    assert_non_null(strstr(srv.body, "\"type\":\"calls.failing\""));
    assert_non_null(strstr(srv.body, "\"failed\":3,\"calls\":10,\"threshold\":3"));
    sentry_stop(s);
    stop_server();
}

static void test_fewer_failed_calls_are_life(void **state)
{
    struct sentry *s = start(OK_ANSWER, NULL);

    (void)state;
    calls_end("script_failed", 2);
    log_error("disk.bad", F_INT("n", 1));
    sentry_stop(s);
    assert_int_equal(metric_value(M_SENTRY_SENT), 1);
    stop_server();
}

/* --- crashes --- */

static char crash_folder[64];

static bool a_note_is_there(void)
{
    char path[100];

    (void)snprintf(path, sizeof(path), "%s/crash-1795329401-7", crash_folder);
    return access(path, F_OK) == 0;
}

static void leave_a_note(void)
{
    char path[100];
    FILE *f;

    (void)snprintf(crash_folder, sizeof(crash_folder), "/tmp/sentry-XXXXXX");
    assert_non_null(mkdtemp(crash_folder));
    (void)snprintf(path, sizeof(path), "%s/crash-1795329401-7", crash_folder);
    f = fopen(path, "we");
    assert_non_null(f);
    assert_true(fputs("ringdown crash 1\nnode box\nrelease ringdown@0\nsignal 11 1\naddress 10\n"
                      "thread media\ntime 1795329401\nframe 7f001b3 1b3 ringdown 0f3e\nend\n",
                      f) >= 0);
    assert_int_equal(fclose(f), 0);
}

static void remove_folder(void)
{
    char path[100];

    (void)snprintf(path, sizeof(path), "%s/crash-1795329401-7", crash_folder);
    (void)unlink(path);
    assert_int_equal(rmdir(crash_folder), 0);
}

static void test_a_crash_is_sent_and_its_note_goes_once_it_was_taken(void **state)
{
    struct sentry *s = start(OK_ANSWER, NULL);
    struct json_value event, level;

    (void)state;
    leave_a_note();
    sentry_crashes(s, crash_folder);
    wait_until(M_SENTRY_SENT, 1);
    event = parse_envelope();
    level = json_get(&event, "level");
    assert_true(json_is(&level, "fatal"));
    assert_non_null(strstr(srv.body, "\"release\":\"ringdown@0\""));
    assert_non_null(strstr(srv.body, "\"function\":\"ringdown+0x1b3\""));
    for (int i = 0; i < 500 && a_note_is_there(); i++)
        usleep(10000);
    assert_false(a_note_is_there());
    sentry_stop(s);
    stop_server();
    remove_folder();
}

static void wait_for_requests(unsigned n)
{
    for (int i = 0; i < 500 && atomic_load(&srv.requests) < n; i++)
        usleep(10000);
    assert_int_equal(atomic_load(&srv.requests), n);
}

static void test_a_crash_that_sentry_cannot_take_now_waits_and_one_it_refuses_goes(void **state)
{
    struct sentry *s = start("HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n", NULL);

    (void)state;
    leave_a_note();
    sentry_crashes(s, crash_folder);
    wait_for_requests(1);
    sentry_stop(s); /* at once, and not tried again */
    stop_server();
    assert_true(a_note_is_there());
    assert_int_equal(metric_value(M_SENTRY_NETWORK), 0); /* it is not gone */
    s = start("HTTP/1.1 400 Bad\r\nContent-Length: 0\r\n\r\n", OK_ANSWER);
    sentry_crashes(s, crash_folder);
    wait_until(M_SENTRY_REFUSED, 1);
    sentry_stop(s);
    stop_server();
    assert_false(a_note_is_there());
    remove_folder();
}

static void test_without_a_dsn_nothing_starts_and_a_wrong_one_is_told(void **state)
{
    struct sentry_opts o = {.dsn = "", .release = "r", .environment = "e", .node = "n"};
    struct sentry *s = NULL;
    char why[256] = "";

    (void)state;
    assert_int_equal(sentry_start(&s, &o, why, sizeof(why)), 0);
    assert_null(s);
    o.dsn = "https://sentry.example.com/1";
    assert_int_equal(sentry_start(&s, &o, why, sizeof(why)), -EINVAL);
    assert_non_null(strstr(why, "https://key@host/project"));
    assert_null(s);
    sentry_stop(NULL);
}

static void quiet(enum log_level level, const char *event, const struct log_field *f, int n)
{
    (void)level;
    (void)event;
    (void)f;
    (void)n;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_error_arrives_whole),
        cmocka_unit_test(test_after_a_429_nothing_is_sent_and_all_is_counted),
        cmocka_unit_test(test_what_is_refused_or_answered_with_nonsense_is_not_sent_again),
        cmocka_unit_test(test_a_redirect_is_not_followed),
        cmocka_unit_test(test_one_that_hangs_holds_nobody_up),
        cmocka_unit_test(test_what_waits_at_the_end_is_sent),
        cmocka_unit_test(test_too_many_failed_calls_are_an_error),
        cmocka_unit_test(test_fewer_failed_calls_are_life),
        cmocka_unit_test(test_a_crash_is_sent_and_its_note_goes_once_it_was_taken),
        cmocka_unit_test(test_a_crash_that_sentry_cannot_take_now_waits_and_one_it_refuses_goes),
        cmocka_unit_test(test_without_a_dsn_nothing_starts_and_a_wrong_one_is_told),
    };

    log_take(quiet);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
