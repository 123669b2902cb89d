/* SPDX-License-Identifier: Apache-2.0 */
/* The HTTP server against peers that are honest, hostile, slow or gone. */
#include "io/http_server.h"
#include "unit/io/fake_certs.h"
#include "unit/io/fake_node.h"

#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum { BIG = 300000 };

struct story {
    struct fake_node node;
    struct http_request *waiting;
    int asked, gone, upgrades;
    char seen[512]; /* "METHOD target body" of the last request */

    /* what the peer does */
    const char *text;
    size_t cut; /* sends so many bytes first */
    size_t n;
    int fd;
    char got[BIG + 4096];
};

static char big[BIG];

static void on_request(struct http_request *r, void *arg)
{
    struct story *s = arg;
    struct rd_str path = http_path(r), body = http_body(r);

    s->asked++;
    snprintf(s->seen, sizeof(s->seen), RD_STR_FMT " " RD_STR_FMT " " RD_STR_FMT,
             RD_STR_ARG(http_method(r)), RD_STR_ARG(http_target(r)), RD_STR_ARG(body));
    assert_string_equal(http_peer(r), "127.0.0.1");
    http_set_user(r, s);
    assert_ptr_equal(http_user(r), s);
    if (rd_str_eq(path, RD_STR("/wait")))
        s->waiting = r;
    else if (rd_str_eq(path, RD_STR("/none")))
        http_reply(r, 204, NULL, (struct rd_str){"", 0});
    else if (rd_str_eq(path, RD_STR("/big")))
        http_reply(r, 200, "text/plain", (struct rd_str){big, sizeof(big)});
    else
        http_reply(r, 200, "text/plain", RD_STR("fine"));
}

static void on_gone(struct http_request *r, void *arg)
{
    struct story *s = arg;

    assert_ptr_equal(r, s->waiting);
    http_reply(r, 200, NULL, (struct rd_str){"", 0}); /* too late: nothing happens */
    s->waiting = NULL;
    s->gone++;
    loop_stop(s->node.loop);
}

static const struct http_handlers handlers = {.on_request = on_request, .on_gone = on_gone};

static struct story *begin_with(struct http_server_opts o)
{
    struct story *s = calloc(1, sizeof(*s));

    o.handlers = &handlers;
    o.arg = s;
    fake_node_init(&s->node, &o);
    return s;
}

static struct story *begin(void)
{
    return begin_with((struct http_server_opts){.max_body = 1000});
}

static void end(struct story *s)
{
    fake_node_fini(&s->node);
    free(s);
}

static void peer(void *arg)
{
    struct story *s = arg;
    size_t n = s->n ? s->n : strlen(s->text);

    s->fd = fake_peer_connect(s->node.port);
    if (s->cut > 0 && s->cut < n) {
        fake_peer_send(s->fd, s->text, s->cut);
        usleep(200); /* so that it arrives in two pieces; nothing depends on it */
    }
    fake_peer_send(s->fd, s->text + s->cut, n - s->cut);
    fake_peer_read(s->fd, s->got, sizeof(s->got), NULL);
    close(s->fd);
}

/* What the server answers to exactly these bytes, to the end of the connection. */
static const char *ask(struct story *s, const char *text)
{
    s->text = text;
    fake_node_while(&s->node, peer, s);
    return s->got;
}

static void assert_status(const char *answer, int status)
{
    char want[32];

    snprintf(want, sizeof(want), "HTTP/1.1 %d ", status);
    if (strncmp(answer, want, strlen(want)) != 0)
        fail_msg("wanted %d, got: %.200s", status, answer);
    assert_non_null(strstr(answer, "\r\nconnection: close\r\n"));
}

static int count(const char *text, const char *word)
{
    int n = 0;

    for (; (text = strstr(text, word)); text += strlen(word))
        n++;
    return n;
}

static void test_a_request_is_answered_and_the_connection_closed(void **state)
{
    struct story *s = begin();
    const char *got = ask(s, "GET /a?b=c HTTP/1.1\r\nHost: x\r\n\r\n");

    (void)state;
    assert_status(got, 200);
    assert_non_null(strstr(got, "\r\ncontent-type: text/plain\r\n"));
    assert_non_null(strstr(got, "\r\ncontent-length: 4\r\n"));
    assert_non_null(strstr(got, "\r\ndate: "));
    assert_string_equal(strstr(got, "\r\n\r\n"), "\r\n\r\nfine");
    assert_string_equal(s->seen, "GET /a?b=c ");
    assert_int_equal(http_server_counts(s->node.http).requests, 1);
    end(s);
}

static void test_answers_without_a_body_have_none(void **state)
{
    struct story *s = begin();
    const char *got = ask(s, "HEAD /a HTTP/1.1\r\nHost: x\r\n\r\n");

    (void)state;
    assert_status(got, 200);
    assert_non_null(strstr(got, "\r\ncontent-length: 4\r\n"));
    assert_string_equal(strstr(got, "\r\n\r\n"), "\r\n\r\n");
    got = ask(s, "POST /none HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_status(got, 204);
    assert_null(strstr(got, "content-length"));
    end(s);
}

static void test_http_1_0_is_answered(void **state)
{
    struct story *s = begin();

    (void)state;
    assert_status(ask(s, "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"), 200);
    end(s);
}

static void test_a_post_torn_at_each_byte_is_one_request(void **state)
{
    static const char text[] =
        "POST /p HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\n\r\nhello=world";
    struct story *s = begin();

    (void)state;
    for (s->cut = 1; s->cut < sizeof(text) - 1; s->cut++) {
        assert_status(ask(s, text), 200);
        assert_string_equal(s->seen, "POST /p hello=world");
    }
    assert_int_equal(s->asked, sizeof(text) - 2);
    end(s);
}

static void test_two_requests_in_one_packet_get_one_answer(void **state)
{
    struct story *s = begin();

    (void)state;
    assert_status(ask(s, "POST /1 HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\na"
                         "POST /2 HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nb"),
                  200);
    assert_int_equal(s->asked, 1);
    assert_string_equal(s->seen, "POST /1 a");
    assert_int_equal(count(s->got, "HTTP/1.1"), 1);
    assert_status(ask(s, "GET /1 HTTP/1.1\r\nHost: x\r\n\r\nPOST /2 HTTP/1.1\r\nHost: x\r\n"
                         "Content-Length: 1\r\n\r\nb"),
                  200);
    assert_int_equal(s->asked, 2);
    end(s);
}

static void test_a_post_without_a_length_has_an_empty_body(void **state)
{
    struct story *s = begin();

    (void)state;
    assert_status(ask(s, "POST /p HTTP/1.1\r\nHost: x\r\n\r\nignored"), 200);
    assert_string_equal(s->seen, "POST /p ");
    end(s);
}

static void test_what_breaks_the_bounds_is_refused_with_its_status(void **state)
{
    struct story *s = begin();
    char *text = malloc(12000);
    int n = snprintf(text, 12000, "GET / HTTP/1.1\r\nHost: x\r\nX: ");

    (void)state;
    memset(text + n, 'x', 10000);
    memcpy(text + n + 10000, "\r\n\r\n", 5);
    assert_status(ask(s, text), 431);
    free(text);
    assert_status(ask(s, "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                         "1\r\na\r\n0\r\n\r\n"),
                  411);
    assert_status(ask(s, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\n\r\n"), 413);
    assert_status(ask(s, "GARBAGE\r\n\r\n"), 400);
    assert_status(ask(s, "GET / HTTP/3.0\r\nHost: x\r\n\r\n"), 505);
    assert_int_equal(s->asked, 0);
    assert_int_equal(http_server_counts(s->node.http).refused, 3);
    assert_int_equal(http_server_counts(s->node.http).too_big, 2);
    end(s);
}

static size_t two_thousand_for_long(struct http_request *r, void *arg)
{
    (void)arg;
    return rd_str_eq(http_path(r), RD_STR("/long")) ? 2000 : 0;
}

/* One path may be posted more to than the others. */
static void test_a_long_body_is_read_where_it_is_allowed(void **state)
{
    static const struct http_handlers with_long = {
        .on_request = on_request, .on_gone = on_gone, .body_max = two_thousand_for_long};
    struct story *s = calloc(1, sizeof(*s));
    struct http_server_opts o = {.max_body = 1000, .handlers = &with_long, .arg = s};
    char text[4096];
    int n = snprintf(text, sizeof(text),
                     "POST /long HTTP/1.1\r\nHost: x\r\nContent-Length: 2000\r\n\r\n");

    (void)state;
    memset(text + n, 'x', 2000);
    text[n + 2000] = '\0';
    fake_node_init(&s->node, &o);
    for (int i = 0; i < 40; i++) /* each gives its place back */
        assert_status(ask(s, text), 200);
    assert_status(ask(s, "POST /long HTTP/1.1\r\nHost: x\r\nContent-Length: 2001\r\n\r\n"), 413);
    assert_status(ask(s, "POST /p HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\n\r\n"), 413);
    end(s);
}

static void patient_peer(void *arg)
{
    static const char head[] =
        "POST /p HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n";
    struct story *s = arg;

    s->fd = fake_peer_connect(s->node.port);
    fake_peer_send(s->fd, head, sizeof(head) - 1);
    fake_peer_read(s->fd, s->seen, sizeof(s->seen), "\r\n\r\n");
    s->cut = strcmp(s->seen, "HTTP/1.1 100 Continue\r\n\r\n") == 0;
    fake_peer_send(s->fd, "hi", 2);
    fake_peer_read(s->fd, s->got, sizeof(s->got), NULL);
    close(s->fd);
}

static void test_a_client_that_waits_for_100_gets_it(void **state)
{
    struct story *s = begin();

    (void)state;
    fake_node_while(&s->node, patient_peer, s);
    assert_true(s->cut);
    assert_status(s->got, 200);
    assert_string_equal(s->seen, "POST /p hi");
    end(s);
}

static void test_a_long_answer_arrives_whole_however_much_more_the_peer_sent(void **state)
{
    static const char head[] = "GET /big HTTP/1.1\r\nHost: x\r\n\r\n";
    struct story *s = begin();
    char *text = malloc(200000);

    (void)state;
    memset(text, 'y', 200000);
    memcpy(text, head, sizeof(head) - 1);
    memset(big, 'z', sizeof(big));
    s->n = 200000;
    assert_status(ask(s, text), 200);
    assert_memory_equal(strstr(s->got, "\r\n\r\n") + 4, big, sizeof(big));
    free(text);
    end(s);
}

static void late_peer(void *arg)
{
    struct story *s = arg;

    s->fd = fake_peer_connect(s->node.port);
    fake_peer_send(s->fd, s->text, strlen(s->text));
}

static void read_answer(void *arg)
{
    struct story *s = arg;

    fake_peer_read(s->fd, s->got, sizeof(s->got), NULL);
    close(s->fd);
}

static void wait_for_request(struct story *s)
{
    int tries = 0;

    s->text = "GET /wait HTTP/1.1\r\nHost: x\r\n\r\n";
    fake_node_while(&s->node, late_peer, s);
    while (!s->waiting && tries++ < 100)
        fake_node_for(&s->node, 5);
    assert_non_null(s->waiting);
}

static void test_a_handler_may_answer_later(void **state)
{
    struct story *s = begin();

    (void)state;
    wait_for_request(s);
    http_reply(s->waiting, 200, "text/plain", RD_STR("at last"));
    fake_node_while(&s->node, read_answer, s);
    assert_status(s->got, 200);
    assert_non_null(strstr(s->got, "at last"));
    assert_int_equal(s->gone, 0);
    end(s);
}

static void test_a_peer_that_leaves_before_the_answer_is_told_once(void **state)
{
    struct story *s = begin();

    (void)state;
    wait_for_request(s);
    close(s->fd);
    loop_run(s->node.loop);
    assert_int_equal(s->gone, 1);
    end(s);
}

static void test_freeing_the_server_tells_who_was_waiting(void **state)
{
    struct story *s = begin();

    (void)state;
    wait_for_request(s);
    fake_node_fini(&s->node);
    assert_int_equal(s->gone, 1);
    close(s->fd);
    free(s);
}

static void test_one_connection_too_many_gets_503_at_once(void **state)
{
    struct story *s = begin_with((struct http_server_opts){.max_connections = 1});
    int first;

    (void)state;
    wait_for_request(s);
    first = s->fd;
    assert_status(ask(s, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"), 503);
    http_reply(s->waiting, 200, NULL, (struct rd_str){"", 0});
    s->fd = first;
    fake_node_while(&s->node, read_answer, s);
    assert_status(s->got, 200);
    end(s);
}

enum { SILENT = 4 };

/* Peers that connect and say nothing; a new one each time, the first are the oldest. */
struct silent {
    struct fake_node *node;
    uint32_t address[SILENT];
    int fd[SILENT];
    int n;
};

static void connect_in_silence(void *arg)
{
    struct silent *all = arg;

    for (int i = 0; i < all->n; i++) {
        struct sockaddr_in from = {.sin_family = AF_INET};
        struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(all->node->port)};

        from.sin_addr.s_addr = htonl(all->address[i]);
        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        all->fd[i] = socket(AF_INET, SOCK_STREAM, 0);
        assert_return_code(bind(all->fd[i], (struct sockaddr *)&from, sizeof(from)), errno);
        assert_return_code(connect(all->fd[i], (struct sockaddr *)&to, sizeof(to)), errno);
    }
}

/* Whether the server has ended it. */
static bool was_displaced(int fd)
{
    char byte;

    return recv(fd, &byte, 1, MSG_DONTWAIT) == 0;
}

static void close_all(const struct silent *all)
{
    for (int i = 0; i < all->n; i++)
        close(all->fd[i]);
}

static void test_peers_that_say_nothing_make_room_for_a_request(void **state)
{
    struct story *s = begin_with((struct http_server_opts){.max_connections = SILENT});
    struct silent all = {.node = &s->node, .n = SILENT};

    (void)state;
    for (int i = 0; i < SILENT; i++)
        all.address[i] = INADDR_LOOPBACK + 1;
    fake_node_while(&s->node, connect_in_silence, &all);
    fake_node_for(&s->node, 50);
    assert_int_equal(http_server_counts(s->node.http).displaced, 0);
    assert_status(ask(s, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"), 200);
    assert_int_equal(http_server_counts(s->node.http).displaced, 1);
    assert_true(was_displaced(all.fd[0]));
    assert_false(was_displaced(all.fd[1]));
    close_all(&all);
    end(s);
}

static void test_a_flood_displaces_its_own_connections_first(void **state)
{
    struct story *s = begin_with((struct http_server_opts){.max_connections = 3});
    struct silent all = {.node = &s->node, .n = SILENT};

    (void)state;
    all.address[0] = INADDR_LOOPBACK + 2; /* somebody else, slow but first */
    for (int i = 1; i < SILENT; i++)
        all.address[i] = INADDR_LOOPBACK + 1;
    fake_node_while(&s->node, connect_in_silence, &all);
    fake_node_for(&s->node, 50);
    assert_int_equal(http_server_counts(s->node.http).displaced, 1);
    assert_false(was_displaced(all.fd[0]));
    assert_true(was_displaced(all.fd[1]));
    assert_false(was_displaced(all.fd[2]));
    close_all(&all);
    end(s);
}

static void test_slow_heads_and_bodies_time_out(void **state)
{
    struct story *s = begin_with((struct http_server_opts){.head_ms = 20, .body_ms = 20});

    (void)state;
    assert_status(ask(s, "GET / HTTP/1.1\r\nHo"), 408);
    assert_status(ask(s, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhal"), 408);
    s->cut = 0;
    assert_string_equal(ask(s, ""), ""); /* said nothing, hears nothing */
    assert_int_equal(http_server_counts(s->node.http).timeouts, 3);
    assert_int_equal(s->asked, 0);
    end(s);
}

static void test_upgrades_with_a_broken_handshake_are_refused(void **state)
{
    struct story *s = begin();

    (void)state;
#define UPGRADE "GET /x HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
    assert_status(ask(s, UPGRADE "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\r\n"), 400);
    assert_status(ask(s, UPGRADE "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                                 "Sec-WebSocket-Key: c2hvcnQ=\r\n\r\n"),
                  400);
    assert_status(ask(s, UPGRADE "Sec-WebSocket-Version: 13\r\n"
                                 "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"),
                  400);
    assert_status(ask(s, UPGRADE "Connection: Upgrade\r\nSec-WebSocket-Version: 8\r\n"
                                 "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"),
                  426);
    assert_non_null(strstr(s->got, "\r\nsec-websocket-version: 13\r\n"));
    assert_status(ask(s, UPGRADE "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                                 "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"),
                  404); /* nobody here takes upgrades */
    assert_int_equal(s->asked, 0);
    end(s);
}

static void test_plain_http_on_a_tls_port_ends_and_harms_nobody(void **state)
{
    struct fake_certs certs;
    struct tls_server *tls;
    struct story *s;
    char why[256];

    (void)state;
    fake_certs_init(&certs);
    assert_int_equal(tls_server_new(&tls, certs.cert, certs.key, why, sizeof(why)), 0);
    s = begin_with((struct http_server_opts){.tls = tls});
    ask(s, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_null(strstr(s->got, "200"));
    assert_int_equal(s->asked, 0);
    end(s);
    tls_server_free(tls);
    fake_certs_fini(&certs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_request_is_answered_and_the_connection_closed),
        cmocka_unit_test(test_answers_without_a_body_have_none),
        cmocka_unit_test(test_http_1_0_is_answered),
        cmocka_unit_test(test_a_post_torn_at_each_byte_is_one_request),
        cmocka_unit_test(test_two_requests_in_one_packet_get_one_answer),
        cmocka_unit_test(test_a_post_without_a_length_has_an_empty_body),
        cmocka_unit_test(test_what_breaks_the_bounds_is_refused_with_its_status),
        cmocka_unit_test(test_a_client_that_waits_for_100_gets_it),
        cmocka_unit_test(test_a_long_answer_arrives_whole_however_much_more_the_peer_sent),
        cmocka_unit_test(test_a_handler_may_answer_later),
        cmocka_unit_test(test_a_peer_that_leaves_before_the_answer_is_told_once),
        cmocka_unit_test(test_freeing_the_server_tells_who_was_waiting),
        cmocka_unit_test(test_one_connection_too_many_gets_503_at_once),
        cmocka_unit_test(test_peers_that_say_nothing_make_room_for_a_request),
        cmocka_unit_test(test_a_flood_displaces_its_own_connections_first),
        cmocka_unit_test(test_slow_heads_and_bodies_time_out),
        cmocka_unit_test(test_a_long_body_is_read_where_it_is_allowed),
        cmocka_unit_test(test_upgrades_with_a_broken_handshake_are_refused),
        cmocka_unit_test(test_plain_http_on_a_tls_port_ends_and_harms_nobody),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
