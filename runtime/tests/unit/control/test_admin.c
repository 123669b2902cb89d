/* SPDX-License-Identifier: Apache-2.0 */
/* The admin listener with its loop and its readers, against peers that speak HTTP by hand; the node
 * behind it says what the test wants. */
#include "base/err.h"
#include "base/log.h"
#include "control/admin.h"
#include "control/api.h"
#include "control/console_files.h"
#include "control/events.h"
#include "control/playback.h"
#include "control/polls.h"
#include "control/readers.h"
#include "io/accepter.h"
#include "io/mailbox.h"
#include "observe/alarm.h"
#include "unit/control/fake_node.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
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
#include <sys/time.h>
#include <unistd.h>

#include <cmocka.h>

enum { ANSWER = 1 << 18, CROWD = API_RUNNING + API_QUEUED + 1 };

struct world {
    struct loop *loop;
    struct settings settings;
    struct events *events;
    struct api *api;
    struct readers *readers;
    struct admin *admin;
    struct fake_node *node;
    struct mailbox *orders; /* what a peer wants done on the loop's thread */
    void (*peer)(struct world *w);
    pthread_t thread;
    char got[ANSWER];
    char data[32]; /* a folder with recordings */
};

static const char fine[] =
    "{\"status\":200,\"type\":\"application/"
    "json\",\"headers\":{\"etag\":\"\\\"7\\\"\"},\"body\":\"{\\\"a\\\":1}\"}";
static const char unknown[] =
    "{\"status\":401,\"type\":\"application/problem+json\",\"body\":\"{}\"}";

/* ---- the loop's side ---- */

static void on_unknown(void *arg, uint64_t key)
{
    admin_unknown(((struct world *)arg)->admin, key);
}

typedef void(order_fn)(struct world *w);

static void on_order(struct message *m, void *arg)
{
    order_fn *order;

    memcpy(&order, m->s[0].p, sizeof(order));
    order(arg);
    message_free(m);
}

/* Runs it on the loop's thread; soon. */
static void order(struct world *w, order_fn *fn)
{
    struct rd_str s = {(const char *)&fn, sizeof(fn)};

    assert_int_equal(mailbox_post(w->orders, message_new(MSG_STOP, 0, &s, 1)), 0);
}

static void stop(struct world *w)
{
    loop_stop(w->loop);
}

static int set_up(void **state)
{
    struct world *w = calloc(1, sizeof(*w));
    struct api_opts ao = {.on_unknown = on_unknown, .arg = w};
    struct readers_opts ro = {0};
    struct admin_opts lo = {.settings = &w->settings};

    log_config(LOG_ERROR, LOG_LOGFMT);
    w->node = calloc(1, sizeof(*w->node));
    w->node->api_result = fine;
    w->node->status =
        "{\"calls\":1,\"max_calls\":10,\"agents\":[{}],\"agent_errors\":0,\"uptime_s\":5}";
    w->node->readiness.configured = true;
    w->settings.admin_listen = (char *)(uintptr_t) "127.0.0.1:0";
    w->settings.admin_hosts = (char *)(uintptr_t) "";
    assert_int_equal(loop_new(&w->loop), 0);
    ao.loop = ro.loop = lo.loop = w->loop;
    (void)snprintf(w->data, sizeof(w->data), "/tmp/test_admin.XXXXXX");
    assert_non_null(mkdtemp(w->data));
    ao.data = w->data;
    assert_int_equal(events_new(&w->events), 0);
    assert_int_equal(api_new(&w->api, &ao), 0);
    ro.events = w->events;
    ro.api = lo.api = w->api;
    assert_int_equal(readers_new(&w->readers, &ro), 0);
    api_set_readers(w->api, w->readers);
    lo.readers = w->readers;
    assert_int_equal(admin_new(&w->admin, &lo), 0);
    admin_listen(w->admin);
    api_attach(w->api, fake_as_node(w->node));
    admin_attach(w->admin, fake_as_node(w->node));
    assert_int_equal(mailbox_new(&w->orders, w->loop, 256, on_order, w), 0);
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;

    mailbox_free(w->orders);
    admin_free(w->admin);
    readers_free(w->readers);
    api_free(w->api);
    events_free(w->events);
    loop_free(w->loop);
    free(w->node);
    (void)rmdir(w->data);
    free(w);
    return 0;
}

/* ---- the peer's side ---- */

static int dial(const struct world *w)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(admin_port(w->admin))};
    struct timeval patience = {.tv_sec = 5};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
    return fd;
}

static void say(int fd, const char *text)
{
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

/* Reads on until `until` was seen, or to the end. */
static const char *hear(int fd, char *out, size_t cap, const char *until)
{
    size_t n = strlen(out);
    ssize_t got;

    while (!(until && strstr(out, until)) && n + 1 < cap &&
           (got = recv(fd, out + n, cap - 1 - n, 0)) > 0) {
        n += (size_t)got;
        out[n] = '\0';
    }
    return out;
}

static const char *ask(struct world *w, const char *line, const char *headers)
{
    char request[4096];
    int fd = dial(w);

    (void)snprintf(request, sizeof(request), "%s HTTP/1.1\r\n%s%s\r\n", line,
                   strstr(headers, "ost:") ? "" : "Host: localhost\r\n", headers);
    w->got[0] = '\0';
    say(fd, request);
    hear(fd, w->got, sizeof(w->got), NULL);
    close(fd);
    return w->got;
}

static void want(const char *got, int status, const char *text)
{
    char head[32];

    (void)snprintf(head, sizeof(head), "HTTP/1.1 %d ", status);
    if (strncmp(got, head, strlen(head)) != 0 || !strstr(got, text))
        fail_msg("wanted %d with %s, got: %.1500s", status, text, got);
    assert_non_null(strstr(got, "\r\nx-content-type-options: nosniff\r\n"));
    assert_non_null(strstr(got, "\r\ncache-control: no-store\r\n"));
    if (status == 503)
        assert_non_null(strstr(got, "\r\nretry-after: "));
}

static void *run(void *arg)
{
    struct world *w = arg;

    w->peer(w);
    order(w, stop);
    return NULL;
}

static void play(void **state, void (*peer)(struct world *w))
{
    struct world *w = *state;

    w->peer = peer;
    assert_int_equal(pthread_create(&w->thread, NULL, run, w), 0);
    loop_run(w->loop);
    pthread_join(w->thread, NULL);
}

/* ---- requests ---- */

static void ask_plainly(struct world *w)
{
    want(ask(w, "GET /api/v1/calls?limit=5", "Authorization: Bearer rd_x\r\n"), 200, "{\"a\":1}");
    assert_non_null(strstr(w->got, "\r\netag: \"7\"\r\n"));
    assert_non_null(strstr(w->got, "\r\ncontent-type: application/json\r\n"));
    assert_non_null(strstr(w->node->api_payload, "\"query\":{\"limit\":\"5\"}"));
    assert_non_null(strstr(w->node->api_payload, "\"peer\":\"127.0.0.1\""));
    assert_null(strstr(w->node->api_payload, "\"who\""));
    assert_string_equal(w->node->api_who, "api");
    want(ask(w, "HEAD /api/v1/calls", ""), 200, "\r\ncontent-length: 7\r\n");
    assert_null(strstr(w->got, "{\"a\":1}"));
    want(ask(w, "OPTIONS /api/v1/calls", ""), 204, "\r\nallow: GET,");
    assert_null(strstr(w->got, "access-control"));
    want(ask(w, "GET /nothing", ""), 404, "no-such-path");
    want(ask(w, "GET /api/v1/a/../b", ""), 400, "/problems/path");
    want(ask(w, "POST /api/v1/a", "Content-Length: 300000\r\n"), 413, "too-long");
    want(ask(w, "BREW /api/v1/a", ""), 405, "\r\nallow: ");
}

static void test_a_request_becomes_an_operation_and_its_result_the_answer(void **state)
{
    play(state, ask_plainly);
}

/* ---- the console ---- */

static const struct console_file *console(const char *suffix)
{
    for (unsigned i = 0; i < console_n_files; i++)
        if (strstr(console_files[i].path, suffix))
            return &console_files[i];
    return NULL;
}

static void ask_for_the_console(struct world *w)
{
    const struct console_file *page = console("/index.html"), *script = console(".js");
    char line[256], tag[64], big[32];

    want(ask(w, "GET /api/v2/calls", "Accept: text/html\r\n"), 404, "no-such-path");
    want(ask(w, "GET /assets/none.js", "Accept: text/html\r\n"), 404, "no-such-path");
    want(ask(w, "GET /calls/CA1", ""), 404, "no-such-path"); /* no browser asks so */
    if (!page) {
        want(ask(w, "GET /", ""), 200, "built without the console");
        return;
    }
    assert_non_null(script);
    assert_non_null(strstr(ask(w, "GET /calls/CA1", "Accept: text/html,*/*;q=0.8\r\n"), "<title>"));
    assert_non_null(strstr(w->got, "\r\ncontent-security-policy: default-src 'none'; script-src "
                                   "'self'; style-src 'self'; "));
    assert_non_null(strstr(w->got, "\r\ncache-control: no-cache\r\n"));
    assert_null(strstr(w->got, "\r\ncontent-encoding:"));
    (void)snprintf(tag, sizeof(tag), "If-None-Match: W/\"x\", \"%sp\"\r\n", page->hash);
    assert_non_null(strstr(ask(w, "GET /", tag), " 304 "));
    assert_null(strstr(w->got, "<title>"));

    (void)snprintf(line, sizeof(line), "HEAD %s", script->path);
    (void)snprintf(big, sizeof(big), "content-length: %zu\r\n", script->forms[CONSOLE_BROTLI].n);
    ask(w, line, "Accept-Encoding: gzip, deflate, br, zstd\r\n");
    assert_non_null(strstr(w->got, "\r\ncontent-encoding: br\r\n"));
    assert_non_null(strstr(w->got, big));
    assert_non_null(strstr(w->got, "\r\ncache-control: public, max-age=31536000, immutable\r\n"));
    ask(w, line, "Accept-Encoding: br;q=0, gzip;q=0.5\r\n");
    assert_non_null(strstr(w->got, "\r\ncontent-encoding: gzip\r\n"));
    ask(w, line, "Accept-Encoding: brotli, gzipped\r\n");
    assert_null(strstr(w->got, "\r\ncontent-encoding:"));
    want(ask(w, "POST /", "Content-Length: 0\r\n"), 405, "\r\nallow: GET, HEAD\r\n");
}

static void test_the_console_is_a_page_at_each_of_its_places(void **state)
{
    play(state, ask_for_the_console);
}

static void ask_at_the_door(struct world *w)
{
    want(ask(w, "GET /api/v1/calls", "Host: evil.example\r\n"), 403, "/problems/host");
    want(ask(w, "GET /livez", "Host: evil.example\r\n"), 403, "/problems/host");
    want(ask(w, "GET /api/v1/calls", "Origin: https://evil.example\r\n"), 403, "/problems/origin");
    want(ask(w, "GET /api/v1/calls", "Authorization: Bearer a\r\nAuthorization: Bearer b\r\n"), 400,
         "/problems/header");
    assert_int_equal(w->node->api_asked, 0);
    want(ask(w, "GET /api/v1/calls", "Origin: http://localhost\r\n"), 200, "{\"a\":1}");
}

static void test_other_names_and_other_pages_are_refused(void **state)
{
    play(state, ask_at_the_door);
}

static void ask_for_headers(struct world *w)
{
    w->node->api_result =
        "{\"status\":200,\"type\":\"text/plain\",\"headers\":{\"x-a\":\"1\\r\\nset-cookie: b=c\","
        "\"Bad "
        "Name\":\"x\",\"set-cookie\":\"a=b\",\"content-length\":\"5\",\"retry-after\":7},\"body\":"
        "\"x\"}";
    want(ask(w, "GET /api/v1/calls", ""), 200, "\r\nretry-after: 7\r\n");
    assert_null(strstr(w->got, "set-cookie"));
    assert_null(strstr(w->got, "Bad"));
    assert_null(strstr(w->got, "x-a"));
    assert_non_null(strstr(w->got, "\r\ncontent-length: 1\r\n"));
}

static void test_no_header_of_a_result_becomes_two(void **state)
{
    play(state, ask_for_headers);
}

static void ask_in_vain(struct world *w)
{
    w->node->api_result = "\"no answer\"";
    want(ask(w, "GET /api/v1/calls", ""), 500, "it is written down as ");
    w->node->api_result = "{\"status\":42}";
    want(ask(w, "GET /api/v1/calls", ""), 500, "/problems/broken");
    w->node->api_rc = RD_ESCRIPT;
    w->node->api_result = "secret: attempt to index nil";
    want(ask(w, "GET /api/v1/calls", ""), 500, "/problems/broken");
    assert_null(strstr(w->got, "secret"));
    w->node->api_rc = -ETIMEDOUT;
    want(ask(w, "GET /api/v1/calls", ""), 503, "/problems/too-long");
    w->node->api_rc = RD_EGONE;
    want(ask(w, "GET /api/v1/calls", ""), 503, "/problems/starting");
    w->node->api_full = true;
    want(ask(w, "GET /api/v1/calls", ""), 503, "\r\nretry-after: 1\r\n");
}

static void test_what_goes_wrong_is_told_without_its_details(void **state)
{
    log_config(LOG_ERROR, LOG_LOGFMT);
    play(state, ask_in_vain);
}

static void let_all_go(struct world *w)
{
    struct operation_end e = {.text = rd_str(fine), .traceback = RD_STR("")};

    w->node->api_holds = false;
    for (unsigned i = 0; i < w->node->n_held; i++)
        w->node->held[i].done(w->node->held[i].arg, &e);
    w->node->n_held = 0;
}

static void crowd(struct world *w)
{
    static const char request[] = "GET /api/v1/calls HTTP/1.1\r\nHost: localhost\r\n\r\n";
    int fds[CROWD];
    unsigned served = 0, refused = 0;

    w->node->api_holds = true;
    for (int i = 0; i < CROWD; i++) {
        fds[i] = dial(w);
        say(fds[i], request);
    }
    usleep(100000);
    assert_int_equal(w->node->api_asked, API_RUNNING);
    order(w, let_all_go);
    for (int i = 0; i < CROWD; i++) {
        char got[4096] = "";

        hear(fds[i], got, sizeof(got), NULL);
        served += strncmp(got, "HTTP/1.1 200 ", 13) == 0;
        refused += strncmp(got, "HTTP/1.1 503 ", 13) == 0 && strstr(got, "\r\nretry-after: 1\r\n");
        close(fds[i]);
    }
    assert_int_equal(served, API_RUNNING + API_QUEUED);
    assert_int_equal(refused, 1);
}

static void test_sixteen_at_once_sixty_four_wait_and_the_next_is_told_so(void **state)
{
    play(state, crowd);
}

static void leave_early(struct world *w)
{
    int fd = dial(w);

    w->node->api_holds = true;
    say(fd, "GET /api/v1/calls HTTP/1.1\r\nHost: localhost\r\n\r\n");
    while (w->node->n_held == 0)
        usleep(1000);
    close(fd);
    usleep(20000);
    order(w, let_all_go);
    want(ask(w, "GET /api/v1/calls", ""), 200, "{\"a\":1}");
}

static void test_who_leaves_before_the_answer_harms_nobody(void **state)
{
    play(state, leave_early);
    assert_int_equal(api_counts(((struct world *)*state)->api).running, 0);
}

/* Asked and left: the work was done all the same. */
static void give_up_often(struct world *w)
{
    int fds[API_RUNNING];

    for (int round = 0; round < 15; round++) {
        w->node->api_holds = true;
        for (int i = 0; i < API_RUNNING; i++) {
            fds[i] = dial(w);
            say(fds[i], "GET /api/v1/calls HTTP/1.1\r\nHost: localhost\r\n"
                        "Authorization: Bearer rd_hasty\r\n\r\n");
        }
        for (int ms = 0; ms < 20 && w->node->n_held < API_RUNNING; ms++)
            usleep(1000); /* the last ones are refused */
        for (int i = 0; i < API_RUNNING; i++)
            close(fds[i]);
        usleep(5000);
        order(w, let_all_go);
        while (w->node->n_held > 0)
            usleep(1000);
    }
    assert_in_range(api_counts(w->api).refused, 1, 40); /* 200 are its burst, and it refills */
    w->node->api_holds = false;
    want(ask(w, "GET /api/v1/calls", "Authorization: Bearer rd_other\r\n"), 200, "{\"a\":1}");
}

static void test_who_gives_up_pays_as_well(void **state)
{
    play(state, give_up_often);
}

static void guess(struct world *w)
{
    int refused = 0;

    w->node->api_result = unknown;
    for (int i = 0; i < 40; i++)
        refused += strncmp(ask(w, "GET /api/v1/calls", "Authorization: Bearer rd_guess\r\n"),
                           "HTTP/1.1 429 ", 13) == 0;
    assert_in_range(refused, 15, 25); /* twenty guesses are the burst */
    assert_non_null(strstr(w->got, "\r\nretry-after: 2\r\n"));
    /* behind a proxy on this machine others are others, and probes go on */
    want(ask(w, "GET /api/v1/calls", "X-Forwarded-For: 198.51.100.7\r\n"), 401, "{}");
    want(ask(w, "GET /livez", ""), 200, "ok");
}

static void test_guessing_is_slowed(void **state)
{
    play(state, guess);
}

/* ---- probes ---- */

static void probe(struct world *w)
{
    want(ask(w, "GET /livez", ""), 200, "ok");
    want(ask(w, "GET /readyz", ""), 200, "ok");
    want(ask(w, "GET /health", ""), 200, "\"status\":\"pass\"");
    assert_non_null(strstr(w->got, "\r\ncontent-type: application/health+json\r\n"));
    want(ask(w, "POST /livez", ""), 405, "\r\nallow: GET, HEAD\r\n");
    w->node->readiness.draining = true;
    want(ask(w, "GET /readyz", ""), 503, "draining");
    want(ask(w, "GET /readyz?verbose", ""), 503, "[-] accepts calls");
    want(ask(w, "GET /livez", ""), 200, "ok");
    w->node->readiness = (struct node_readiness){false, false};
    want(ask(w, "GET /readyz", ""), 503, "no agent loads");
    w->node->status =
        "{\"calls\":10,\"max_calls\":10,\"agents\":[],\"agent_errors\":1,\"alarms\":[{}]}";
    want(ask(w, "GET /health", ""), 503, "\"status\":\"fail\"");
    w->node->status = "{\"agents\":[{}],\"alarms\":[{\"kind\":\"credentials.refused\",\"subject\":"
                      "\"openai\",\"severity\":\"critical\",\"text\":\"of +13125550100\"}]}";
    want(ask(w, "GET /health", ""), 200, "\"status\":\"warn\"");
    assert_null(strstr(w->got, "+1312"));
    w->node->status =
        "{\"agents\":[{}],\"alarms\":[{\"kind\":\"disk.low\",\"severity\":\"critical\"}],"
        "\"standing\":{\"disk_free_percent\":1}}";
    want(ask(w, "GET /health", ""), 503,
         "\"disk:free\":[{\"componentType\":\"system\",\"observedValue\":1,");
    w->node->status = "{\"agents\":[{}],\"alarms\":[],\"openai_calls\":7,"
                      "\"standing\":{\"openai_concurrency\":100}}";
    want(ask(w, "GET /health", ""), 200,
         "\"openai:concurrency\":[{\"componentType\":\"component\",\"observedValue\":7,");
    w->node->is_stuck = true;
    want(ask(w, "GET /livez", ""), 503, "a thread");
    admin_attach(w->admin, NULL);
    want(ask(w, "GET /livez", ""), 200, "ok");
    want(ask(w, "GET /readyz", ""), 503, "starting");
    want(ask(w, "GET /health", ""), 503, "\"status\":\"fail\"");
}

static void look_all_the_time(struct world *w)
{
    int refused = 0;

    want(ask(w, "GET /metrics", ""), 200, "ringdown_");
    want(ask(w, "PUT /metrics", ""), 405, "\r\nallow: GET, HEAD\r\n");
    for (int i = 0; i < 120; i++)
        refused +=
            strncmp(ask(w, i % 2 ? "GET /metrics" : "GET /health", ""), "HTTP/1.1 429 ", 13) == 0;
    assert_in_range(refused, 1, 45); /* eighty are the burst; this takes its time, too */
    want(ask(w, "GET /livez", ""), 200, "ok");
    want(ask(w, "GET /api/v1/calls", ""), 200, "{\"a\":1}");
}

static void test_a_runaway_dashboard_is_slowed_and_nobody_else(void **state)
{
    play(state, look_all_the_time);
}

static void test_probes_tell_what_is_the_matter(void **state)
{
    play(state, probe);
}

/* ---- listening ---- */

static void wait_for_port(struct world *w)
{
    for (int i = 0; i < 200 && admin_port(w->admin) == 0; i++)
        usleep(10000);
    want(ask(w, "GET /livez", ""), 200, "ok");
}

static void let_go(void *arg)
{
    close(*(int *)arg);
    *(int *)arg = -1;
}

static void test_a_port_that_another_process_is_about_to_let_go_is_waited_for(void **state)
{
    struct world *w = *state;
    struct loop_timer *later;
    struct alarm open[1];
    char address[32], why[200];
    int fd = -1;

    assert_int_equal(listen_tcp(&fd, "127.0.0.1:0", why, sizeof(why)), 0);
    (void)snprintf(address, sizeof(address), "127.0.0.1:%u", listen_port(fd));
    admin_step_aside(w->admin);
    w->settings.admin_listen = address;
    admin_listen(w->admin);
    assert_int_equal(admin_port(w->admin), 0);
    assert_int_equal(loop_timer_new(&later, w->loop, let_go, &fd), 0);
    loop_timer_in(later, 150);
    play(state, wait_for_port);
    loop_timer_free(later);
    assert_int_equal(fd, -1);
    assert_int_equal(alarm_list(open, 1), 0);
}

/* ---- streams ---- */

static const char listen_text[] =
    "GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n";
static const char stream_of_all[] = "{\"status\":200,\"stream\":{\"masked\":false}}";

static int listen_with(struct world *w, const char *headers, char *got, size_t cap)
{
    int fd = dial(w);

    got[0] = '\0';
    say(fd, listen_text);
    say(fd, headers);
    say(fd, "\r\n");
    hear(fd, got, cap, "retry: 2000\n\n");
    if (strncmp(got, "HTTP/1.1 200 ", 13) != 0)
        fail_msg("no stream: %s", got);
    return fd;
}

static void happen(struct world *w)
{
    events_add(w->events,
               RD_STR("{\"type\":\"turn\",\"agent\":\"dentist\",\"from\":\"+13125550142\",\n"
                      "\"text\":\"hello\"}"));
    readers_news(w->readers);
}

static void happen_elsewhere(struct world *w)
{
    events_add(w->events, RD_STR("{\"type\":\"turn\",\"agent\":\"plumber\",\"text\":\"there\"}"));
    events_add(w->events, RD_STR("{\"type\":\"agents\"}"));
    readers_news(w->readers);
}

static void listen_to_all(struct world *w)
{
    char id[64] = "", again[128], *at;
    int fd;

    w->node->api_result = stream_of_all;
    fd = listen_with(w, "", w->got, sizeof(w->got));
    assert_non_null(strstr(w->got, "\r\ncontent-type: text/event-stream\r\n"));
    order(w, happen);
    hear(fd, w->got, sizeof(w->got), "hello\"}\n\n");
    at = strstr(w->got, "id: ");
    assert_non_null(at);
    assert_int_equal(sscanf(at, "id: %60[0-9]", id), 1);
    assert_non_null(
        strstr(at, "\ndata: {\"type\":\"turn\",\"agent\":\"dentist\",\"from\":\"+13125550142\", "
                   "\"text\":\"hello\"}\n\n"));
    close(fd);
    order(w, happen_elsewhere);
    usleep(20000);
    (void)snprintf(again, sizeof(again), "Last-Event-ID: %s\r\n", id);
    fd = listen_with(w, again, w->got, sizeof(w->got));
    hear(fd, w->got, sizeof(w->got), "\"agents\"}\n\n");
    assert_null(strstr(w->got, "hello"));
    assert_null(strstr(w->got, "missed"));
    assert_non_null(strstr(w->got, "plumber"));
    close(fd);
    fd = listen_with(w, "Last-Event-ID: 12\r\n", w->got, sizeof(w->got)); /* of another process */
    hear(fd, w->got, sizeof(w->got), "\"agents\"}\n\n");
    assert_non_null(strstr(w->got, "event: missed\ndata: {\"from\":13,"));
    assert_non_null(strstr(w->got, "hello"));
    close(fd);
    fd = listen_with(w, "Last-Event-ID: 9000000000000000\r\n", w->got, sizeof(w->got));
    hear(fd, w->got, sizeof(w->got), "}\n\n"); /* of another process, which is further */
    assert_non_null(strstr(w->got, "event: missed\ndata: {\"from\":"));
    close(fd);
    w->node->api_result = "{\"status\":200,\"stream\":{\"masked\":false,\"after\":0}}";
    fd = listen_with(w, "", w->got, sizeof(w->got)); /* all there is */
    hear(fd, w->got, sizeof(w->got), "\"agents\"}\n\n");
    assert_null(strstr(w->got, "missed"));
    assert_non_null(strstr(w->got, "hello"));
    close(fd);
    w->node->api_result = stream_of_all;
    fd = listen_with(w, "", w->got, sizeof(w->got)); /* from now on */
    order(w, happen);
    hear(fd, w->got, sizeof(w->got), "hello\"}\n\n");
    assert_null(strstr(w->got, "plumber"));
    close(fd);
}

static void test_who_comes_back_goes_on_where_he_was(void **state)
{
    play(state, listen_to_all);
}

static void listen_to_one(struct world *w)
{
    int fd;

    w->node->api_result = "{\"status\":200,\"stream\":{\"agents\":[\"dentist\"],\"masked\":true}}";
    fd = listen_with(w, "", w->got, sizeof(w->got));
    order(w, happen_elsewhere);
    order(w, happen);
    hear(fd, w->got, sizeof(w->got), "\"}\n\n");
    assert_non_null(strstr(w->got, "\"from\":\"+1\u202642\",\"text\":\"[hidden]\"}"));
    assert_null(strstr(w->got, "plumber"));
    assert_null(strstr(w->got, "\"agents\""));
    close(fd);
    w->node->api_result =
        "{\"status\":200,\"stream\":{\"agents\":{}}}"; /* an empty list, as Lua has it */
    fd = listen_with(w, "", w->got, sizeof(w->got));
    order(w, happen);
    w->node->api_result = stream_of_all;
    close(listen_with(w, "", w->got + ANSWER / 2, ANSWER / 2));
    w->got[ANSWER / 2] = '\0';
    usleep(20000);
    assert_int_equal(recv(fd, w->got + ANSWER / 2, 100, MSG_DONTWAIT), -1); /* nothing is theirs */
    close(fd);
}

static void test_a_scope_and_a_mask_hold_for_every_event(void **state)
{
    play(state, listen_to_one);
}

static void say_more(struct world *w)
{
    char got[4096] = "";
    int fd = dial(w);

    w->node->api_result = stream_of_all;
    say(fd, "GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\nGET /livez HTTP/1.1\r\nHost: "
            "localhost\r\n\r\n");
    want(hear(fd, got, sizeof(got), NULL), 400, "/problems/http");
    close(fd);
    fd = listen_with(w, "", w->got, sizeof(w->got));
    say(fd, "GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n");
    hear(fd, w->got, sizeof(w->got), NULL);
    assert_null(strstr(w->got, "ok"));
    close(fd);
}

static void test_a_request_behind_a_stream_ends_it(void **state)
{
    play(state, say_more);
    assert_int_equal(readers_count(((struct world *)*state)->readers), 0);
}

static void come_in_numbers(struct world *w)
{
    int fds[READERS_MAX];

    w->node->api_result = stream_of_all;
    for (int i = 0; i < READERS_MAX; i++)
        fds[i] = listen_with(w, "", w->got, sizeof(w->got));
    want(ask(w, "GET /api/v1/events", ""), 503, "Too many streams");
    want(ask(w, "HEAD /api/v1/events", ""), 200, "text/event-stream");
    for (int i = 0; i < READERS_MAX; i++)
        close(fds[i]);
}

static void test_there_is_room_for_so_many_readers(void **state)
{
    play(state, come_in_numbers);
}

static void end_all(struct world *w)
{
    readers_end_all(w->readers, "another process goes on");
}

static void listen_until_the_end(struct world *w)
{
    int fd;

    w->node->api_result = "{\"status\":200,\"stream\":{\"masked\":false,\"expires_unix\":1000}}";
    fd = listen_with(w, "", w->got, sizeof(w->got));
    hear(fd, w->got, sizeof(w->got), NULL);
    assert_non_null(strstr(w->got, "event: ended\ndata: {\"why\":\"the token has expired\"}\n\n"));
    close(fd);
    w->node->api_result = stream_of_all;
    fd = listen_with(w, "", w->got, sizeof(w->got));
    order(w, end_all);
    hear(fd, w->got, sizeof(w->got), NULL);
    assert_non_null(
        strstr(w->got, "event: ended\ndata: {\"why\":\"another process goes on\"}\n\n"));
    close(fd);
}

static void test_the_end_of_a_stream_is_told(void **state)
{
    play(state, listen_until_the_end);
}

static void happen_much(struct world *w)
{
    static char event[30000];

    (void)memset(event, 'x', sizeof(event));
    memcpy(event, "{\"type\":\"", 9);
    memcpy(event + sizeof(event) - 2, "\"}", 2);
    for (int i = 0; i < 250; i++)
        events_add(w->events, (struct rd_str){event, sizeof(event)});
    readers_news(w->readers);
}

/* Eight megabytes at once: what is not taken waits in the ring, and nothing of it is lost. */
static void catch_up(struct world *w)
{
    static char all[16 << 20];
    size_t n = 0;
    ssize_t got;
    int fd, count = 0;

    w->node->api_result = stream_of_all;
    fd = listen_with(w, "", w->got, sizeof(w->got));
    order(w, happen_much);
    while (count < 250 && (got = recv(fd, all + n, sizeof(all) - n, 0)) > 0)
        for (n += (size_t)got; got > 0; got--)
            count += all[n - (size_t)got] == '}';
    assert_int_equal(count, 250);
    close(fd);
}

static void test_a_reader_who_is_behind_gets_it_all(void **state)
{
    play(state, catch_up);
}

/* ---- those who ask again and again ---- */

static const char *poll(struct world *w, const char *stream)
{
    char result[512];

    (void)snprintf(result, sizeof(result), "{\"status\":200,\"stream\":%s}", stream);
    w->node->api_result = result;
    want(ask(w, "GET /api/v1/events", ""), 200, "{\"items\":[");
    return strstr(w->got, "{\"items\":[");
}

static uint64_t next_of(const char *answer)
{
    const char *at = strstr(answer, "\"next\":");

    assert_non_null(at);
    return strtoull(at + 7, NULL, 10);
}

static void *later(void *arg)
{
    struct world *w = arg;

    usleep(30000);
    order(w, happen_elsewhere);
    order(w, happen);
    return NULL;
}

/* Nothing, all there is, what comes while it waits, and behind that. */
static void ask_again_and_again(struct world *w)
{
    char stream[256];
    pthread_t thread;
    uint64_t next;

    next = next_of(poll(w, "{\"masked\":false,\"after\":0,\"wait_s\":0}"));
    assert_non_null(strstr(w->got, "\"items\":[],"));
    assert_int_equal(pthread_create(&thread, NULL, later, w), 0);
    (void)snprintf(stream, sizeof(stream),
                   "{\"masked\":true,\"agents\":[\"dentist\"],\"after\":%" PRIu64 ",\"wait_s\":55}",
                   next);
    poll(w, stream);
    pthread_join(thread, NULL);
    assert_non_null(strstr(w->got, "\"text\":\"[hidden]\"}}],"));
    assert_non_null(strstr(w->got, "\"missed\":false,\"more\":false}"));
    assert_null(strstr(w->got, "plumber"));
    assert_int_equal(next_of(w->got), next + 3);
    assert_int_equal(next_of(poll(w, "{\"masked\":false,\"after\":0,\"wait_s\":55}")), next + 3);
    assert_non_null(strstr(w->got, "\"event\":{\"type\":\"agents\"}"));
    poll(w, "{\"masked\":false,\"after\":77,\"wait_s\":55}"); /* of another process */
    assert_non_null(strstr(w->got, "\"missed\":true"));
    (void)snprintf(stream, sizeof(stream), "{\"masked\":false,\"after\":%" PRIu64 ",\"wait_s\":55}",
                   next + 4); /* of another one, which is further */
    assert_int_equal(next_of(poll(w, stream)), next + 3);
    assert_non_null(strstr(w->got, "\"missed\":true"));
    assert_int_equal(next_of(poll(w, "{\"masked\":false,\"wait_s\":0}")), next + 3);
    assert_non_null(strstr(w->got, "\"items\":[],"));
}

static void test_who_cannot_hold_a_stream_asks_again(void **state)
{
    play(state, ask_again_and_again);
}

static void flood(struct world *w)
{
    for (int i = 0; i < 1200; i++)
        events_add(w->events, RD_STR("{\"type\":\"turn\",\"agent\":\"dentist\"}"));
    readers_news(w->readers);
}

static void ask_for_much(struct world *w)
{
    char stream[128];
    uint64_t first = next_of(poll(w, "{\"masked\":false,\"wait_s\":0}")), next = first;

    order(w, flood);
    for (int i = 0; i < 3; i++) {
        (void)snprintf(stream, sizeof(stream),
                       "{\"masked\":false,\"after\":%" PRIu64 ",\"wait_s\":5}", next);
        next = next_of(poll(w, stream));
        assert_int_equal(!strstr(w->got, "\"more\":true}"), i == 2);
    }
    assert_int_equal(next, first + 1200);
}

static void test_much_comes_in_pieces(void **state)
{
    play(state, ask_for_much);
}

/* A place is free again when its owner leaves. */
static void crowd_polls(struct world *w)
{
    int fds[POLLS_MAX];

    w->node->api_result = "{\"status\":200,\"stream\":{\"masked\":false,\"wait_s\":55}}";
    for (int i = 0; i < POLLS_MAX; i++) {
        fds[i] = dial(w);
        say(fds[i], "GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n");
    }
    for (int ms = 0; ms < 5000 && w->node->api_asked < POLLS_MAX; ms++)
        usleep(1000);
    want(ask(w, "GET /api/v1/events", ""), 503, "\r\nretry-after: ");
    order(w, happen);
    for (int i = 0; i < POLLS_MAX; i++) {
        w->got[0] = '\0';
        want(hear(fds[i], w->got, sizeof(w->got), NULL), 200, "hello");
        close(fds[i]);
    }
}

static void test_there_is_room_for_so_many_who_wait(void **state)
{
    play(state, crowd_polls);
}

/* ---- recordings ---- */

enum { SOUND_BYTES = 700001 }; /* more than is read, or queued, at once */

static const char recording[] = "recordings/2026/11/27/CA1-1795800000000000.wav";
static const char played[] = "{\"status\":200,\"file\":{\"path\":\"recordings/2026/11/27/"
                             "CA1-1795800000000000.wav\",\"name\":\"CA1-1.wav\"}}";

static char sound_at(size_t i)
{
    return (char)(i * 31 + i / 251);
}

static void make_recording(const struct world *w)
{
    static char bytes[SOUND_BYTES];
    char path[256];
    FILE *f;

    (void)snprintf(path, sizeof(path), "%s/%s", w->data, recording);
    for (char *p = path + strlen(w->data) + 1; (p = strchr(p, '/')); p++) {
        *p = '\0';
        (void)mkdir(path, 0700);
        *p = '/';
    }
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = sound_at(i);
    f = fopen(path, "w");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, sizeof(bytes), f), sizeof(bytes));
    assert_int_equal(fclose(f), 0);
}

static void remove_recordings(const struct world *w)
{
    char path[256];

    (void)snprintf(path, sizeof(path), "%s/%s", w->data, recording);
    (void)unlink(path);
    for (char *slash; (slash = strrchr(path, '/')) && slash > path + strlen(w->data) - 1;) {
        *slash = '\0';
        (void)rmdir(path);
    }
}

/* The head of the answer in w->got; how long the body is, which has to be the sound from `first` on. */
static size_t listen_to(struct world *w, const char *line, const char *headers, size_t first)
{
    static char all[SOUND_BYTES + 8192];
    char request[1024], *body;
    size_t n = 0;
    ssize_t got;
    int fd = dial(w);

    (void)snprintf(request, sizeof(request), "%s /api/v1/x HTTP/1.1\r\nHost: localhost\r\n%s\r\n",
                   line, headers);
    say(fd, request);
    while (n < sizeof(all) && (got = recv(fd, all + n, sizeof(all) - n, 0)) > 0)
        n += (size_t)got;
    close(fd);
    body = memmem(all, n, "\r\n\r\n", 4);
    assert_non_null(body);
    body[2] = '\0';
    (void)rd_str_copy(w->got, sizeof(w->got), rd_str(all));
    body += 4;
    n -= (size_t)(body - all);
    for (size_t i = 0; strstr(w->got, "audio/wav") && i < n; i++)
        if (body[i] != sound_at(first + i))
            fail_msg("byte %zu is another", i);
    return n;
}

static void want_head(const struct world *w, const char *text)
{
    if (!strstr(w->got, text))
        fail_msg("wanted %s, got: %s", text, w->got);
}

static void play_it(struct world *w)
{
    w->node->api_result = played;
    assert_int_equal(listen_to(w, "GET", "", 0), SOUND_BYTES);
    want_head(w, "HTTP/1.1 200 OK\r\n");
    want_head(w, "\r\ncontent-length: 700001\r\n");
    want_head(w, "\r\ncontent-type: audio/wav\r\n");
    want_head(w, "\r\ncache-control: private, no-store\r\n");
    want_head(w, "\r\naccept-ranges: bytes\r\n");
    want_head(w, "\r\ncontent-disposition: inline; filename=\"CA1-1.wav\"\r\n");
    want_head(w, "\r\nx-content-type-options: nosniff\r\n");
    assert_int_equal(listen_to(w, "GET", "Range: bytes=300000-699999\r\n", 300000), 400000);
    want_head(w, "HTTP/1.1 206 Partial Content\r\n");
    want_head(w, "\r\ncontent-range: bytes 300000-699999/700001\r\n");
    assert_int_equal(listen_to(w, "GET", "Range: bytes=-1\r\n", 700000), 1);
    assert_int_equal(listen_to(w, "GET", "Range: bytes=700001-\r\n", 0), 0);
    want_head(w, "HTTP/1.1 416 ");
    want_head(w, "\r\ncontent-range: bytes */700001\r\n");
    assert_int_equal(listen_to(w, "HEAD", "Range: bytes=700001-\r\n", 0), 0);
    want_head(w, "\r\ncontent-length: 0\r\n");
    assert_int_equal(listen_to(w, "GET", "Range: bytes=5-\r\nIf-Range: \"x\"\r\n", 0), SOUND_BYTES);
    assert_int_equal(listen_to(w, "HEAD", "", 0), 0);
    want_head(w, "\r\ncontent-length: 700001\r\n");
}

static void test_a_recording_is_played_whole_or_in_pieces(void **state)
{
    make_recording(*state);
    play(state, play_it);
    remove_recordings(*state);
}

static void play_what_is_none(struct world *w)
{
    w->node->api_result = played;
    want(ask(w, "GET /api/v1/x", ""), 410, "recording-gone");
    w->node->api_result = "{\"status\":200,\"file\":{\"path\":\"recordings/2026/11/27/../../../"
                          "etc/passwd\",\"name\":\"a.wav\"}}";
    want(ask(w, "GET /api/v1/x", ""), 503, "recording-unreadable");
    w->node->api_result = "{\"status\":200,\"file\":{\"path\":\"x\",\"name\":\"a\\r\\nb: c\"}}";
    want(ask(w, "GET /api/v1/x", ""), 500, "broken");
}

static void test_no_other_file_is_played(void **state)
{
    play(state, play_what_is_none);
}

/* Seventeen players who take nothing: the last is told to come later; then they leave in the middle. */
static void crowd_listens(struct world *w)
{
    static const char text[] = "GET /api/v1/x HTTP/1.1\r\nHost: localhost\r\n\r\n";
    int fds[PLAYBACK_MAX];

    w->node->api_result = played;
    for (int i = 0; i < PLAYBACK_MAX; i++) {
        int little = 4096;

        fds[i] = dial(w);
        setsockopt(fds[i], SOL_SOCKET, SO_RCVBUF, &little, sizeof(little));
        say(fds[i], text);
        w->got[0] = '\0';
        assert_non_null(strstr(hear(fds[i], w->got, 4096, "audio/wav"), "audio/wav"));
    }
    want(ask(w, "GET /api/v1/x", ""), 503, "\r\nretry-after: 10\r\n");
    for (int i = 0; i < PLAYBACK_MAX; i++)
        close(fds[i]);
    for (int i = 0; i < 200 && !strstr(ask(w, "HEAD /api/v1/x", ""), "audio/wav"); i++)
        usleep(10000);
    want_head(w, "audio/wav");
}

/* More than there are helpers: each waits for one, and hears it to its end. */
static void all_listen(struct world *w)
{
    static const char text[] = "GET /api/v1/x HTTP/1.1\r\nHost: localhost\r\n\r\n";
    static char all[SOUND_BYTES + 8192];
    int fds[PLAYBACK_MAX];

    w->node->api_result = played;
    for (int i = 0; i < PLAYBACK_MAX; i++) {
        fds[i] = dial(w);
        say(fds[i], text);
    }
    for (int i = 0; i < PLAYBACK_MAX; i++) {
        size_t n = 0;
        ssize_t got;

        while (n < sizeof(all) && (got = recv(fds[i], all + n, sizeof(all) - n, 0)) > 0)
            n += (size_t)got;
        close(fds[i]);
        assert_true(n > SOUND_BYTES);
        for (size_t k = 0; k < SOUND_BYTES; k++)
            if (all[n - SOUND_BYTES + k] != sound_at(k))
                fail_msg("byte %zu is another", k);
    }
}

static void test_all_players_hear_it_to_its_end(void **state)
{
    make_recording(*state);
    play(state, all_listen);
    remove_recordings(*state);
}

static void test_there_is_room_for_so_many_players(void **state)
{
    make_recording(*state);
    play(state, crowd_listens);
    remove_recordings(*state);
}

#define LIVES(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIVES(test_a_request_becomes_an_operation_and_its_result_the_answer),
        LIVES(test_the_console_is_a_page_at_each_of_its_places),
        LIVES(test_other_names_and_other_pages_are_refused),
        LIVES(test_no_header_of_a_result_becomes_two),
        LIVES(test_what_goes_wrong_is_told_without_its_details),
        LIVES(test_sixteen_at_once_sixty_four_wait_and_the_next_is_told_so),
        LIVES(test_who_leaves_before_the_answer_harms_nobody),
        LIVES(test_who_gives_up_pays_as_well),
        LIVES(test_guessing_is_slowed),
        LIVES(test_probes_tell_what_is_the_matter),
        LIVES(test_a_runaway_dashboard_is_slowed_and_nobody_else),
        LIVES(test_a_port_that_another_process_is_about_to_let_go_is_waited_for),
        LIVES(test_who_comes_back_goes_on_where_he_was),
        LIVES(test_a_scope_and_a_mask_hold_for_every_event),
        LIVES(test_a_request_behind_a_stream_ends_it),
        LIVES(test_there_is_room_for_so_many_readers),
        LIVES(test_the_end_of_a_stream_is_told),
        LIVES(test_a_reader_who_is_behind_gets_it_all),
        LIVES(test_who_cannot_hold_a_stream_asks_again),
        LIVES(test_much_comes_in_pieces),
        LIVES(test_there_is_room_for_so_many_who_wait),
        LIVES(test_a_recording_is_played_whole_or_in_pieces),
        LIVES(test_no_other_file_is_played),
        LIVES(test_all_players_hear_it_to_its_end),
        LIVES(test_there_is_room_for_so_many_players),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
