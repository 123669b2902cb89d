/* SPDX-License-Identifier: Apache-2.0 */
/* The admin listener: what becomes of a request, who is refused at the door, and probes. Streams are in
 * test_readers.c, recordings in test_playback.c. */
#include "base/err.h"
#include "base/log.h"
#include "control/console_files.h"
#include "io/accepter.h"
#include "observe/alarm.h"
#include "unit/control/fake_admin.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { CROWD = API_RUNNING + API_QUEUED + 1 };

static const char unknown[] =
    "{\"status\":401,\"type\":\"application/problem+json\",\"body\":\"{}\"}";

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
    struct operation_end e = {.text = rd_str(w->node->api_result), .traceback = RD_STR("")};

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

static void crowd_of_one(struct world *w)
{
    static const char request[] = "GET /api/v1/calls HTTP/1.1\r\nHost: localhost\r\n"
                                  "Authorization: Bearer rd_%s\r\n\r\n";
    int fds[API_OF_ONE + 2];
    unsigned served = 0, refused = 0;

    w->node->api_holds = true;
    for (int i = 0; i < API_OF_ONE + 2; i++) {
        char text[256];

        (void)snprintf(text, sizeof(text), request, i <= API_OF_ONE ? "eager" : "other");
        fds[i] = dial(w);
        say(fds[i], text);
    }
    for (int ms = 0;
         ms < 20000 && (w->node->n_held <= API_RUNNING_OF_ONE || api_counts(w->api).refused == 0);
         ms++)
        usleep(1000);
    assert_int_equal(w->node->n_held, API_RUNNING_OF_ONE + 1); /* the other before all who wait */
    order(w, let_all_go);
    for (int i = 0; i < API_OF_ONE + 2; i++) {
        char got[4096] = "";

        hear(fds[i], got, sizeof(got), NULL);
        served += strncmp(got, "HTTP/1.1 200 ", 13) == 0;
        refused += strncmp(got, "HTTP/1.1 429 ", 13) == 0 && strstr(got, "too-many-at-once") &&
                   strstr(got, "\r\nretry-after: 1\r\n");
        close(fds[i]);
    }
    assert_int_equal(served, API_OF_ONE + 1);
    assert_int_equal(refused, 1);
}

static void test_one_token_takes_no_places_from_others(void **state)
{
    play(state, crowd_of_one);
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
    int fds[API_RUNNING_OF_ONE];

    for (int round = 0; round < 30; round++) {
        w->node->api_holds = true;
        for (int i = 0; i < API_RUNNING_OF_ONE; i++) {
            fds[i] = dial(w);
            say(fds[i], "GET /api/v1/calls HTTP/1.1\r\nHost: localhost\r\n"
                        "Authorization: Bearer rd_hasty\r\n\r\n");
        }
        for (int ms = 0; ms < 20 && w->node->n_held < API_RUNNING_OF_ONE; ms++)
            usleep(1000); /* the last ones are refused */
        for (int i = 0; i < API_RUNNING_OF_ONE; i++)
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIVES(test_a_request_becomes_an_operation_and_its_result_the_answer),
        LIVES(test_the_console_is_a_page_at_each_of_its_places),
        LIVES(test_other_names_and_other_pages_are_refused),
        LIVES(test_no_header_of_a_result_becomes_two),
        LIVES(test_what_goes_wrong_is_told_without_its_details),
        LIVES(test_sixteen_at_once_sixty_four_wait_and_the_next_is_told_so),
        LIVES(test_one_token_takes_no_places_from_others),
        LIVES(test_who_leaves_before_the_answer_harms_nobody),
        LIVES(test_who_gives_up_pays_as_well),
        LIVES(test_guessing_is_slowed),
        LIVES(test_probes_tell_what_is_the_matter),
        LIVES(test_a_runaway_dashboard_is_slowed_and_nobody_else),
        LIVES(test_a_port_that_another_process_is_about_to_let_go_is_waited_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
