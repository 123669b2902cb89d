/* SPDX-License-Identifier: Apache-2.0 */
/* The HTTP client against our own server, over TLS too, and against nobody. */
#include "base/err.h"
#include "io/http_client.h"
#include "unit/io/fake_certs.h"
#include "unit/io/fake_node.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct story {
    struct fake_node node;
    struct http_client *client;
    struct http_call *call;
    struct http_request *kept[4];
    int n_kept;
    char url[128];
    char asked[512]; /* as the server saw it */

    int answers, want;
    int err, status;
    char type[64], body[256], text[256], retry_after[64];
};

static void put(char *out, size_t cap, struct rd_str s)
{
    rd_str_copy(out, cap, s);
}

static void on_request(struct http_request *r, void *arg)
{
    struct story *s = arg;
    struct rd_str path = http_path(r);
    static char large[5000];

    snprintf(s->asked, sizeof(s->asked),
             RD_STR_FMT " " RD_STR_FMT " " RD_STR_FMT "|" RD_STR_FMT "|" RD_STR_FMT,
             RD_STR_ARG(http_method(r)), RD_STR_ARG(http_target(r)), RD_STR_ARG(http_body(r)),
             RD_STR_ARG(http_header(r, "x-test")), RD_STR_ARG(http_header(r, "authorization")));
    if (rd_str_eq(path, RD_STR("/never"))) {
        s->kept[s->n_kept++] = r;
        if (s->n_kept == s->want)
            loop_stop(s->node.loop);
    } else if (rd_str_eq(path, RD_STR("/large"))) {
        memset(large, 'l', sizeof(large));
        http_reply(r, 200, "text/plain", (struct rd_str){large, sizeof(large)});
    } else if (rd_str_eq(path, RD_STR("/busy"))) {
        http_reply_with(r, 429, "text/plain", "Retry-After: 7\r\n", RD_STR("later"));
    } else if (rd_str_eq(path, RD_STR("/lost"))) {
        http_hang_up(r);
    } else if (rd_str_eq(path, RD_STR("/moved"))) {
        http_reply(r, 302, "text/plain", RD_STR("elsewhere"));
    } else {
        http_reply(r, 200, "application/json", RD_STR("{\"ok\":true}"));
    }
}

static void on_gone(struct http_request *r, void *arg)
{
    (void)r;
    (void)arg;
}

static const struct http_handlers handlers = {.on_request = on_request, .on_gone = on_gone};

static void on_done(const struct http_result *r, void *arg)
{
    struct story *s = arg;

    s->answers++;
    s->err = r->err;
    s->status = r->status;
    put(s->type, sizeof(s->type), r->content_type);
    put(s->body, sizeof(s->body), r->body);
    put(s->text, sizeof(s->text), rd_str(r->text));
    put(s->retry_after, sizeof(s->retry_after), r->retry_after);
    if (s->answers >= s->want)
        loop_stop(s->node.loop);
}

static struct story *begin(struct tls_server *tls, const char *ca_file)
{
    struct story *s = calloc(1, sizeof(*s));
    struct http_server_opts o = {.handlers = &handlers, .arg = s, .tls = tls};

    fake_node_init(&s->node, &o);
    snprintf(s->url, sizeof(s->url), "%s://localhost:%u", tls ? "https" : "http", s->node.port);
    assert_int_equal(http_client_new(&s->client, s->node.loop, ca_file), 0);
    s->want = 1;
    return s;
}

static void end(struct story *s)
{
    http_client_free(s->client);
    fake_node_fini(&s->node);
    free(s);
}

static void ask(struct story *s, const char *path, struct http_call_opts o)
{
    char url[256];

    snprintf(url, sizeof(url), "%s%s", s->url, path);
    o.url = url;
    assert_int_equal(http_call_start(&s->call, s->client, &o, on_done, s), 0);
    assert_int_equal(s->answers, 0); /* never from inside */
    loop_run(s->node.loop);
}

static void test_a_get_is_answered(void **state)
{
    struct story *s = begin(NULL, NULL);

    (void)state;
    ask(s, "/a?b=c", (struct http_call_opts){.method = "GET"});
    assert_int_equal(s->err, 0);
    assert_int_equal(s->status, 200);
    assert_string_equal(s->type, "application/json");
    assert_string_equal(s->body, "{\"ok\":true}");
    assert_string_equal(s->asked, "GET /a?b=c ||");
    end(s);
}

/* Whoever sets these would read what agents ask, and reach what the fence keeps from them. */
static void test_no_proxy_of_the_environment_is_asked(void **state)
{
    static const char *const names[] = {"http_proxy", "https_proxy", "all_proxy", "ALL_PROXY"};
    struct story *s = begin(NULL, NULL);

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        assert_int_equal(setenv(names[i], "http://127.0.0.1:1", 1), 0);
    ask(s, "/a", (struct http_call_opts){.method = "GET"});
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        unsetenv(names[i]);
    assert_int_equal(s->err, 0);
    assert_int_equal(s->status, 200);
    end(s);
}

static void test_a_post_carries_body_headers_and_password(void **state)
{
    static const char *const header[] = {"X-Test: yes", "Content-Type: application/json", NULL};
    struct story *s = begin(NULL, NULL);

    (void)state;
    ask(s, "/p",
        (struct http_call_opts){.method = "POST",
                                .header = header,
                                .body = RD_STR("{\"a\":1}"),
                                .user_password = "user:pass"});
    assert_string_equal(s->asked, "POST /p {\"a\":1}|yes|Basic dXNlcjpwYXNz");
    end(s);
}

static void test_other_methods_work(void **state)
{
    static const char *const methods[] = {"DELETE", "PUT", "PATCH", "HEAD"};
    char want[32];
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(methods) / sizeof(*methods); i++) {
        struct story *s = begin(NULL, NULL);

        ask(s, "/m", (struct http_call_opts){.method = methods[i]});
        assert_int_equal(s->status, 200);
        snprintf(want, sizeof(want), "%s /m ||", methods[i]);
        assert_string_equal(s->asked, want);
        end(s);
    }
}

static void test_a_redirect_is_handed_up_not_followed(void **state)
{
    struct story *s = begin(NULL, NULL);

    (void)state;
    ask(s, "/moved", (struct http_call_opts){.method = "GET"});
    assert_int_equal(s->status, 302);
    end(s);
}

static void test_retry_after_is_handed_up(void **state)
{
    struct story *s = begin(NULL, NULL);

    (void)state;
    ask(s, "/busy", (struct http_call_opts){.method = "POST"});
    assert_int_equal(s->status, 429);
    assert_string_equal(s->retry_after, "7");
    s->answers = 0;
    ask(s, "/other", (struct http_call_opts){.method = "POST"});
    assert_string_equal(s->retry_after, "");
    end(s);
}

/* Nobody knows whether it was done, unlike what is refused. */
static void test_an_answer_that_is_lost_is_no_refusal(void **state)
{
    struct story *s = begin(NULL, NULL);

    (void)state;
    ask(s, "/lost", (struct http_call_opts){.method = "POST"});
    assert_int_equal(s->err, -EIO);
    end(s);
}

static void test_an_answer_above_the_limit_is_an_error(void **state)
{
    struct story *s = begin(NULL, NULL);

    (void)state;
    ask(s, "/large", (struct http_call_opts){.method = "GET", .max_body = 4999});
    assert_int_equal(s->err, RD_ETOOBIG);
    s->answers = 0;
    ask(s, "/large", (struct http_call_opts){.method = "GET", .max_body = 5000});
    assert_int_equal(s->err, 0);
    end(s);
}

static void test_an_answer_that_never_comes_times_out(void **state)
{
    struct http_call_opts o = {.method = "GET", .timeout_ms = 50};
    struct story *s = begin(NULL, NULL);
    char url[256];

    (void)state;
    s->want = 9;
    snprintf(url, sizeof(url), "%s/never", s->url);
    o.url = url;
    assert_int_equal(http_call_start(&s->call, s->client, &o, on_done, s), 0);
    while (!s->answers)
        fake_node_for(&s->node, 10);
    assert_int_equal(s->err, -ETIMEDOUT);
    assert_true(strlen(s->text) > 0);
    end(s);
}

static void test_nobody_there_is_refused(void **state)
{
    struct story *s = begin(NULL, NULL);

    (void)state;
    snprintf(s->url, sizeof(s->url), "http://127.0.0.1:1");
    ask(s, "/", (struct http_call_opts){.method = "GET"});
    assert_int_equal(s->err, -ECONNREFUSED);
    end(s);
}

static void test_other_protocols_are_no_way_in(void **state)
{
    struct story *s = begin(NULL, NULL);

    (void)state;
    snprintf(s->url, sizeof(s->url), "file:///etc/hostname");
    ask(s, "", (struct http_call_opts){.method = "GET"});
    assert_int_equal(s->err, -EIO);
    assert_string_equal(s->body, "");
    end(s);
}

static void test_a_header_or_method_with_a_line_break_never_starts(void **state)
{
    static const char *const header[] = {"X: a\r\nY: b", NULL};
    struct story *s = begin(NULL, NULL);
    struct http_call_opts o = {.method = "GET", .url = s->url, .header = header};

    (void)state;
    assert_int_equal(http_call_start(&s->call, s->client, &o, on_done, s), -EINVAL);
    o = (struct http_call_opts){.method = "GET /x\r\n", .url = s->url};
    assert_int_equal(http_call_start(&s->call, s->client, &o, on_done, s), -EINVAL);
    end(s);
}

static void start_three_that_wait(struct story *s)
{
    char url[256];
    int i;

    snprintf(url, sizeof(url), "%s/never", s->url);
    s->want = 3;
    for (i = 0; i < 3; i++)
        assert_int_equal(http_call_start(&s->call, s->client,
                                         &(struct http_call_opts){.method = "GET", .url = url},
                                         on_done, s),
                         0);
    loop_run(s->node.loop); /* until the server has all three */
}

static void test_a_cancelled_call_is_never_heard_of(void **state)
{
    struct story *s = begin(NULL, NULL);
    int i;

    (void)state;
    start_three_that_wait(s);
    http_call_cancel(s->call);
    for (i = 0; i < 3; i++)
        http_reply(s->kept[i], 200, NULL, (struct rd_str){"", 0});
    s->want = 2;
    loop_run(s->node.loop);
    fake_node_for(&s->node, 5);
    assert_int_equal(s->answers, 2);
    end(s);
}

static void test_freeing_the_client_cancels_all(void **state)
{
    struct story *s = begin(NULL, NULL);

    (void)state;
    start_three_that_wait(s);
    end(s);
}

static void free_in_callback(const struct http_result *r, void *arg)
{
    struct story *s = arg;

    assert_int_equal(r->err, 0);
    http_client_free(s->client);
    s->client = NULL;
    loop_stop(s->node.loop);
}

static void test_a_client_may_be_freed_by_its_own_callback(void **state)
{
    struct story *s = begin(NULL, NULL);

    (void)state;
    assert_int_equal(http_call_start(NULL, s->client,
                                     &(struct http_call_opts){.method = "GET", .url = s->url},
                                     free_in_callback, s),
                     0);
    loop_run(s->node.loop);
    assert_null(s->client);
    end(s);
}

static void test_https_needs_a_certificate_we_trust(void **state)
{
    struct fake_certs certs;
    struct tls_server *tls;
    struct story *s;
    char why[256];

    (void)state;
    fake_certs_init(&certs);
    assert_int_equal(tls_server_new(&tls, certs.cert, certs.key, why, sizeof(why)), 0);
    s = begin(tls, certs.ca);
    ask(s, "/", (struct http_call_opts){.method = "GET"});
    assert_int_equal(s->err, 0);
    assert_int_equal(s->status, 200);
    end(s);
    s = begin(tls, certs.other_ca);
    ask(s, "/", (struct http_call_opts){.method = "GET"});
    assert_int_equal(s->err, RD_ETLS);
    assert_string_equal(s->asked, "");
    end(s);
    tls_server_free(tls);
    fake_certs_fini(&certs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_get_is_answered),
        cmocka_unit_test(test_no_proxy_of_the_environment_is_asked),
        cmocka_unit_test(test_a_post_carries_body_headers_and_password),
        cmocka_unit_test(test_other_methods_work),
        cmocka_unit_test(test_a_redirect_is_handed_up_not_followed),
        cmocka_unit_test(test_retry_after_is_handed_up),
        cmocka_unit_test(test_an_answer_that_is_lost_is_no_refusal),
        cmocka_unit_test(test_an_answer_above_the_limit_is_an_error),
        cmocka_unit_test(test_an_answer_that_never_comes_times_out),
        cmocka_unit_test(test_nobody_there_is_refused),
        cmocka_unit_test(test_other_protocols_are_no_way_in),
        cmocka_unit_test(test_a_header_or_method_with_a_line_break_never_starts),
        cmocka_unit_test(test_a_cancelled_call_is_never_heard_of),
        cmocka_unit_test(test_freeing_the_client_cancels_all),
        cmocka_unit_test(test_a_client_may_be_freed_by_its_own_callback),
        cmocka_unit_test(test_https_needs_a_certificate_we_trust),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
