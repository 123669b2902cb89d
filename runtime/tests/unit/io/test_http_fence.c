/* SPDX-License-Identifier: Apache-2.0 */
/* Requests of scripts against a server that means no good. DNS is ours here: getaddrinfo() below is
 * the one that libcurl finds. */
#include "base/err.h"
#include "io/http_client.h"
#include "unit/io/fake_certs.h"
#include "unit/io/fake_node.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* 8 MiB of zeros, twice through gzip. */
static const char bomb[] =
    "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xed\xd7\xb1\x0d\x82\x40\x00\x85\xe1\x3b"
    "\x2e\x26\x17\x46\xb0\x21\x26\xee\xc0\x04\xce\xc1\x2a\x24\x94\x36\x0e\xe0\x0e\x2c"
    "\x60\xc3\x0a\xb4\xac\x40\x18\x41\x3c\xc6\xc0\x7c\x5f\xf5\xd7\xaf\x7b\xcd\x33\x87"
    "\x43\x95\xd6\x29\xc6\x12\xfd\xeb\x3b\x6e\xb9\x0e\x00\x00\x00\xc0\x9f\xeb\x97\x21"
    "\x55\x47\xdc\xf6\xae\xbd\xdb\x03\x00\x00\x00\x4e\xe0\x7d\x79\x7c\xe6\x6b\xb9\xf5"
    "\xe1\x07\xdb\x19\xd4\xa7\xef\x1f\x00\x00";

struct story {
    struct fake_node node;
    struct http_client *client;
    struct http_request *kept;
    char resolve[256];
    uint16_t own_ports[2];
    char seen[8][256]; /* as the server saw it */
    int n_seen;
    bool answered, was_sent;
    int err, status;
    char body[256], text[256], head[256], why[HTTP_WHY_MAX];
};

static const char *const hosts[] = {"api.example",  "files.example", "inside.example",
                                    "slow.example", "localhost",     NULL};

static int n_asked; /* of DNS */

/* inside.example is 127.0.0.1, slow.example takes its time, others do not exist. */
int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
                struct addrinfo **out)
{
    struct addrinfo *a;
    struct sockaddr_in *in;

    (void)hints;
    if (strcmp(name, "127.0.0.1") != 0)
        __atomic_add_fetch(&n_asked, 1, __ATOMIC_RELAXED);
    if (strcmp(name, "slow.example") == 0)
        sleep(2);
    else if (strcmp(name, "inside.example") != 0 && strcmp(name, "127.0.0.1") != 0)
        return EAI_NONAME;
    a = calloc(1, sizeof(*a) + sizeof(*in));
    if (!a)
        return EAI_MEMORY;
    in = (struct sockaddr_in *)(void *)(a + 1);
    in->sin_family = AF_INET;
    in->sin_port = htons((uint16_t)atoi(service ? service : "0"));
    in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    *a = (struct addrinfo){.ai_family = AF_INET,
                           .ai_socktype = SOCK_STREAM,
                           .ai_addr = (struct sockaddr *)in,
                           .ai_addrlen = sizeof(*in)};
    *out = a;
    return 0;
}

void freeaddrinfo(struct addrinfo *a)
{
    free(a);
}

static void reply_moved(struct http_request *r, int status, const char *to)
{
    char line[256];

    snprintf(line, sizeof(line), "Location: %s\r\n", to);
    http_reply_with(r, status, "text/plain", line, RD_STR("go"));
}

static void on_request(struct http_request *r, void *arg)
{
    struct story *s = arg;
    struct rd_str path = http_path(r);

    snprintf(s->seen[s->n_seen++ % 8], sizeof(s->seen[0]),
             RD_STR_FMT " " RD_STR_FMT RD_STR_FMT " " RD_STR_FMT "|" RD_STR_FMT "|" RD_STR_FMT,
             RD_STR_ARG(http_method(r)), RD_STR_ARG(http_header(r, "host")),
             RD_STR_ARG(http_target(r)), RD_STR_ARG(http_body(r)),
             RD_STR_ARG(http_header(r, "authorization")), RD_STR_ARG(http_header(r, "x-key")));
    if (rd_str_eq(path, RD_STR("/never")))
        s->kept = r;
    else if (rd_str_eq(path, RD_STR("/here")))
        reply_moved(r, 302, "/done");
    else if (rd_str_eq(path, RD_STR("/see-other")))
        reply_moved(r, 303, "/done");
    else if (rd_str_eq(path, RD_STR("/again")))
        reply_moved(r, 307, "/done");
    else if (rd_str_eq(path, RD_STR("/round")))
        reply_moved(r, 302, "/round");
    else if (rd_str_eq(path, RD_STR("/files")))
        reply_moved(r, 307, "http://files.example/done");
    else if (rd_str_eq(path, RD_STR("/loopback")))
        reply_moved(r, 302, "http://127.0.0.1:1/");
    else if (rd_str_eq(path, RD_STR("/metadata")))
        reply_moved(r, 302, "https://169.254.169.254/latest/meta-data/");
    else if (rd_str_eq(path, RD_STR("/inside")))
        reply_moved(r, 302, "https://inside.example/");
    else if (rd_str_eq(path, RD_STR("/file")))
        reply_moved(r, 302, "file:///etc/passwd");
    else if (rd_str_eq(path, RD_STR("/bomb")))
        http_reply_with(r, 200, "text/plain", "Content-Encoding: gzip, gzip\r\n",
                        (struct rd_str){bomb, sizeof(bomb) - 1});
    else
        http_reply_with(r, 200, "text/plain", "X-Extra: yes\r\n", RD_STR("done"));
}

static void on_gone(struct http_request *r, void *arg)
{
    (void)r;
    ((struct story *)arg)->kept = NULL;
}

static const struct http_handlers handlers = {.on_request = on_request, .on_gone = on_gone};

static void on_done(const struct http_result *r, void *arg)
{
    struct story *s = arg;

    s->answered = true;
    s->err = r->err;
    s->status = r->status;
    s->was_sent = r->was_sent;
    rd_str_copy(s->body, sizeof(s->body), r->body);
    rd_str_copy(s->text, sizeof(s->text), rd_str(r->text));
    rd_str_copy(s->head, sizeof(s->head), r->head);
    loop_stop(s->node.loop);
}

static struct story *begin(struct tls_server *tls, const char *ca_file)
{
    struct story *s = calloc(1, sizeof(*s));
    struct http_server_opts o = {.handlers = &handlers, .arg = s, .tls = tls};
    struct http_fence fence = {.resolve = s->resolve, .own_ports = s->own_ports};

    fake_node_init(&s->node, &o);
    snprintf(s->resolve, sizeof(s->resolve),
             "api.example=127.0.0.1:%u\nfiles.example=127.0.0.1:%u\nlocalhost=127.0.0.1:%u",
             s->node.port, s->node.port, s->node.port);
    assert_int_equal(http_client_new(&s->client, s->node.loop, ca_file), 0);
    http_client_fence(s->client, &fence);
    return s;
}

static void end(struct story *s)
{
    http_client_free(s->client);
    fake_node_fini(&s->node);
    free(s);
}

static int start(struct story *s, struct http_call_opts o)
{
    o.hosts = hosts;
    o.why = s->why;
    o.method = o.method ? o.method : "GET";
    return http_call_start(NULL, s->client, &o, on_done, s);
}

static void ask(struct story *s, struct http_call_opts o)
{
    assert_int_equal(start(s, o), 0);
    loop_run(s->node.loop);
    assert_true(s->answered);
}

static void expect_refused(struct story *s, const char *url, const char *why)
{
    assert_int_equal(start(s, (struct http_call_opts){.url = url}), -EACCES);
    if (!strstr(s->why, why))
        fail_msg("%s: '%s' is not in '%s'", url, why, s->why);
}

static void test_a_pointed_host_is_reached_under_its_own_name(void **state)
{
    struct story *s = begin(NULL, NULL);

    (void)state;
    ask(s, (struct http_call_opts){.url = "http://api.example/a?b=c"});
    assert_int_equal(s->err, 0);
    assert_string_equal(s->body, "done");
    assert_non_null(strstr(s->head, "X-Extra: yes\r\n"));
    assert_string_equal(s->seen[0], "GET api.example/a?b=c ||");
    assert_int_equal(n_asked, 0);
    end(s);
}

static void test_urls_that_lead_elsewhere_never_start(void **state)
{
    struct story *s = begin(NULL, NULL);

    (void)state;
    expect_refused(s, "https://other.example/", "other.example is not in needs.hosts");
    expect_refused(s, "https://api.example.evil/", "not in needs.hosts");
    expect_refused(s, "https://127.0.0.1/", "not in needs.hosts");
    expect_refused(s, "https://2130706433/", "127.0.0.1 is not in needs.hosts");
    expect_refused(s, "https://[::1]/", "not in needs.hosts");
    expect_refused(s, "https://api.example@evil.example/", "must not hold a user");
    expect_refused(s, "http://inside.example/", "must be asked by https://");
    expect_refused(s, "file:///etc/passwd", "URL");
    expect_refused(s, "ftp://api.example/", "ftp:// is not allowed");
    expect_refused(s, "gopher://api.example/", "gopher:// is not allowed");
    expect_refused(s, "api.example/a", "https://host/path");
    expect_refused(s, "", "https://host/path");
    assert_int_equal(s->n_seen, 0);
    end(s);
}

static void test_a_client_with_a_fence_asks_for_hosts(void **state)
{
    struct story *s = begin(NULL, NULL);
    struct http_call_opts o = {.method = "GET", .url = "http://api.example/"};

    (void)state;
    assert_int_equal(http_call_start(NULL, s->client, &o, on_done, s), -EACCES);
    end(s);
}

static void test_a_name_that_leads_inside_is_not_connected_to(void **state)
{
    struct story *s = begin(NULL, NULL);
    char url[64];

    (void)state;
    snprintf(url, sizeof(url), "https://inside.example:%u/", s->node.port);
    ask(s, (struct http_call_opts){.url = url});
    assert_int_equal(s->err, -EACCES);
    assert_false(s->was_sent);
    assert_non_null(strstr(s->text, "inside.example leads to a loopback address"));
    assert_int_equal(s->n_seen, 0);
    end(s);
}

static void test_our_own_ports_stay_closed(void **state)
{
    struct story *s = begin(NULL, NULL);

    (void)state;
    s->own_ports[0] = s->node.port;
    ask(s, (struct http_call_opts){.url = "http://api.example/"});
    assert_int_equal(s->err, -EACCES);
    assert_non_null(strstr(s->text, "one of this node's own ports"));
    assert_int_equal(s->n_seen, 0);
    end(s);
}

static void test_redirects_are_followed_three_times(void **state)
{
    struct story *s = begin(NULL, NULL);

    (void)state;
    ask(s, (struct http_call_opts){.url = "http://api.example/here"});
    assert_int_equal(s->err, 0);
    assert_string_equal(s->body, "done");
    ask(s, (struct http_call_opts){.url = "http://api.example/round"});
    assert_int_equal(s->err, -EACCES);
    assert_true(s->was_sent);
    assert_non_null(strstr(s->text, "three"));
    assert_int_equal(s->n_seen, 2 + 4);
    end(s);
}

static void test_a_redirect_leads_nowhere_else(void **state)
{
    static const struct {
        const char *from, *why;
    } cases[] = {
        {"/loopback", "127.0.0.1 is not in needs.hosts"},
        {"/metadata", "169.254.169.254 is not in needs.hosts"},
        {"/file", "a redirect was not followed"},
        {"/inside", "inside.example leads to a loopback address"},
    };
    char url[64];

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct story *s = begin(NULL, NULL);

        snprintf(url, sizeof(url), "http://api.example%s", cases[i].from);
        ask(s, (struct http_call_opts){.url = url});
        assert_int_equal(s->err, -EACCES);
        assert_true(s->was_sent);
        if (!strstr(s->text, cases[i].why))
            fail_msg("'%s' is not in '%s'", cases[i].why, s->text);
        assert_int_equal(s->n_seen, 1);
        end(s);
    }
}

static void test_credentials_do_not_travel(void **state)
{
    static const char *const header[] = {"X-Key: secret", "Authorization: Bearer secret", NULL};
    struct story *s = begin(NULL, NULL);

    (void)state;
    ask(s, (struct http_call_opts){.url = "http://api.example/here", .header = header});
    assert_string_equal(s->seen[1], "GET api.example/done |Bearer secret|secret");
    ask(s, (struct http_call_opts){.method = "POST",
                                   .body = RD_STR("b"),
                                   .url = "http://api.example/files",
                                   .header = header});
    assert_string_equal(s->seen[2], "POST api.example/files b|Bearer secret|secret");
    assert_string_equal(s->seen[3], "POST files.example/done b||");
    ask(s, (struct http_call_opts){.url = "http://api.example/files", .user_password = "u:p"});
    assert_string_equal(s->seen[5], "GET files.example/done ||");
    end(s);
}

static void test_a_post_goes_on_as_the_answer_says(void **state)
{
    static const char *const from[] = {"/here", "/see-other", "/again"};
    static const char *const then[] = {"GET api.example/done ||", "GET api.example/done ||",
                                       "POST api.example/done b||"};
    char url[64];

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct story *s = begin(NULL, NULL);

        snprintf(url, sizeof(url), "http://api.example%s", from[i]);
        ask(s, (struct http_call_opts){.method = "POST", .body = RD_STR("b"), .url = url});
        assert_string_equal(s->seen[1], then[i]);
        end(s);
    }
}

static void test_a_bomb_is_stopped_while_it_unfolds(void **state)
{
    struct story *s = begin(NULL, NULL);

    (void)state;
    ask(s, (struct http_call_opts){.url = "http://api.example/bomb", .max_body = 100000});
    assert_int_equal(s->err, RD_ETOOBIG);
    ask(s, (struct http_call_opts){.url = "http://api.example/bomb", .max_body = 9 << 20});
    assert_int_equal(s->err, 0); /* it was one */
    end(s);
}

/* Sends header lines until it is hung up on. */
static void send_endless_head(void *arg)
{
    char request[1024], line[256];
    int fd = fake_peer_accept(*(int *)arg);

    fake_peer_read(fd, request, sizeof(request), "\r\n\r\n");
    fake_peer_send(fd, "HTTP/1.1 200 OK\r\n", 17);
    snprintf(line, sizeof(line), "X-Line: %0200d\r\n", 0);
    for (int i = 0; i < 1000; i++)
        if (send(fd, line, strlen(line), MSG_NOSIGNAL) < 0)
            break;
    close(fd);
}

static void test_an_endless_head_is_an_error(void **state)
{
    struct story *s = begin(NULL, NULL);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof(at);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    (void)state;
    assert_int_equal(bind(fd, (struct sockaddr *)&at, n), 0);
    assert_int_equal(listen(fd, 1), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &n), 0);
    snprintf(s->resolve, sizeof(s->resolve), "api.example=127.0.0.1:%u", ntohs(at.sin_port));
    assert_int_equal(start(s, (struct http_call_opts){.url = "http://api.example/"}), 0);
    fake_node_while(&s->node, send_endless_head, &fd);
    assert_true(s->answered);
    assert_int_equal(s->err, RD_ETOOBIG);
    close(fd);
    end(s);
}

static void test_time_is_up_however_slow_it_is(void **state)
{
    struct story *s = begin(NULL, NULL);

    (void)state;
    ask(s, (struct http_call_opts){.url = "http://api.example/never", .timeout_ms = 50});
    assert_int_equal(s->err, -ETIMEDOUT);
    end(s);
}

/* The resolver's thread goes on for two seconds; nobody waits for it. */
static void test_slow_dns_holds_up_nobody(void **state)
{
    struct story *s = begin(NULL, NULL);
    uint64_t began = clock_ms(loop_clock());

    (void)state;
    ask(s, (struct http_call_opts){.url = "https://slow.example/", .timeout_ms = 50});
    assert_int_equal(s->err, -ETIMEDOUT);
    assert_int_equal(start(s, (struct http_call_opts){.url = "https://slow.example/"}), 0);
    fake_node_for(&s->node, 20);
    end(s);
    assert_true(clock_ms(loop_clock()) - began < 1500);
    sleep(2); /* the threads go before the sanitizer counts what is left */
}

static void test_a_pointed_host_must_show_its_certificate(void **state)
{
    struct fake_certs certs;
    struct tls_server *tls;
    struct story *s;
    char why[256];

    (void)state;
    fake_certs_init(&certs);
    assert_int_equal(tls_server_new(&tls, certs.cert, certs.key, why, sizeof(why)), 0);
    s = begin(tls, certs.ca);
    ask(s, (struct http_call_opts){.url = "https://localhost/"});
    assert_int_equal(s->err, 0);
    ask(s, (struct http_call_opts){.url = "https://api.example/"}); /* the name is another */
    assert_int_equal(s->err, RD_ETLS);
    end(s);
    tls_server_free(tls);
    fake_certs_fini(&certs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_pointed_host_is_reached_under_its_own_name),
        cmocka_unit_test(test_urls_that_lead_elsewhere_never_start),
        cmocka_unit_test(test_a_client_with_a_fence_asks_for_hosts),
        cmocka_unit_test(test_a_name_that_leads_inside_is_not_connected_to),
        cmocka_unit_test(test_our_own_ports_stay_closed),
        cmocka_unit_test(test_redirects_are_followed_three_times),
        cmocka_unit_test(test_a_redirect_leads_nowhere_else),
        cmocka_unit_test(test_credentials_do_not_travel),
        cmocka_unit_test(test_a_post_goes_on_as_the_answer_says),
        cmocka_unit_test(test_a_bomb_is_stopped_while_it_unfolds),
        cmocka_unit_test(test_an_endless_head_is_an_error),
        cmocka_unit_test(test_time_is_up_however_slow_it_is),
        cmocka_unit_test(test_slow_dns_holds_up_nobody),
        cmocka_unit_test(test_a_pointed_host_must_show_its_certificate),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
