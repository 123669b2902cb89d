/* SPDX-License-Identifier: Apache-2.0 */
/* Answers that go on: who listens gets what is written, and whoever does anything else is gone. */
#include "base/err.h"
#include "io/http_server.h"
#include "unit/io/fake_node.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum { QUEUED_MAX = 4096 };

struct story {
    struct fake_node node;
    struct http_request *listener;
    struct loop_timer *timer;
    int rc, gone, written;
    const char *text; /* what the peer sends first */
    const char *more; /* and once it hears something; NULL: nothing */
    char got[65536];
};

static void on_request(struct http_request *r, void *arg)
{
    struct story *s = arg;

    if (!rd_str_eq(http_path(r), RD_STR("/events"))) {
        http_reply(r, 200, "text/plain", RD_STR("fine"));
        return;
    }
    s->rc = http_stream(r, "text/event-stream", "x-kind: live\r\n", QUEUED_MAX);
    if (s->rc) {
        http_reply(r, 400, NULL, RD_STR(""));
        return;
    }
    s->listener = r;
    assert_int_equal(http_stream_write(r, RD_STR("data: 1\n\n")), 0);
    assert_int_equal(http_stream(r, "text/plain", NULL, 1), RD_ESTATE);
    http_reply(r, 200, NULL, RD_STR("")); /* is answered already: nothing happens */
    loop_timer_in(s->timer, 10);
}

static void on_gone(struct http_request *r, void *arg)
{
    struct story *s = arg;

    assert_int_equal(http_stream_write(r, RD_STR("x")), RD_ESTATE);
    if (r == s->listener)
        s->listener = NULL;
    s->gone++;
}

static void refusal(int status, struct http_refusal *out, void *arg)
{
    (void)arg;
    *out = (struct http_refusal){.type = "application/problem+json",
                                 .extra = "x-content-type-options: nosniff\r\n",
                                 .body = status == 413 ? RD_STR("{\"long\":true}") : RD_STR("{}")};
}

static const struct http_handlers handlers = {
    .on_request = on_request, .on_gone = on_gone, .refusal = refusal};

/* Three pieces, then it is over. */
static void write_and_end(void *arg)
{
    struct story *s = arg;

    if (!s->listener)
        return;
    if (s->written++ < 3) {
        assert_int_equal(http_stream_write(s->listener, RD_STR("data: 2\n\n")), 0);
        loop_timer_in(s->timer, 5);
        return;
    }
    http_stream_end(s->listener);
    s->listener = NULL;
}

/* Until the peer has not read for long enough. */
static void write_much(void *arg)
{
    struct story *s = arg;
    char piece[1024];

    memset(piece, 'x', sizeof(piece));
    for (int i = 0; s->listener && i < 64 && !s->rc; i++) {
        s->rc = http_stream_write(s->listener, (struct rd_str){piece, sizeof(piece)});
        s->written++;
    }
    if (s->rc) {
        http_stream_end(s->listener);
        s->listener = NULL;
        loop_stop(s->node.loop);
        return;
    }
    loop_timer_in(s->timer, 1);
}

static struct story *begin(void (*timer)(void *))
{
    struct story *s = calloc(1, sizeof(*s));
    struct http_server_opts o = {
        .max_body = 1000, .max_connections = 2, .handlers = &handlers, .arg = s};

    fake_node_init(&s->node, &o);
    assert_int_equal(loop_timer_new(&s->timer, s->node.loop, timer, s), 0);
    return s;
}

static void end(struct story *s)
{
    loop_timer_free(s->timer);
    fake_node_fini(&s->node);
    free(s);
}

static void peer(void *arg)
{
    struct story *s = arg;
    int fd = fake_peer_connect(s->node.port);

    fake_peer_send(fd, s->text, strlen(s->text));
    if (s->more) {
        fake_peer_read(fd, s->got, sizeof(s->got), "data: 1\n\n");
        fake_peer_send(fd, s->more, strlen(s->more));
    }
    fake_peer_read(fd, s->got, sizeof(s->got), NULL);
    close(fd);
}

static const char listen_text[] = "GET /events HTTP/1.1\r\nHost: x\r\n\r\n";

static void test_who_listens_gets_what_is_written_until_it_ends(void **state)
{
    struct story *s = begin(write_and_end);

    (void)state;
    s->text = listen_text;
    fake_node_while(&s->node, peer, s);
    assert_int_equal(strncmp(s->got, "HTTP/1.1 200 OK\r\n", 17), 0);
    assert_non_null(strstr(s->got, "\r\ncontent-type: text/event-stream\r\n"));
    assert_non_null(strstr(s->got, "\r\nx-kind: live\r\n"));
    assert_null(strstr(s->got, "content-length"));
    assert_string_equal(strstr(s->got, "\r\n\r\n") + 4,
                        "data: 1\n\ndata: 2\n\ndata: 2\n\ndata: 2\n\n");
    assert_int_equal(s->gone, 0);
    end(s);
}

static void test_a_request_behind_it_in_one_packet_is_refused(void **state)
{
    struct story *s = begin(write_and_end);

    (void)state;
    s->text = "GET /events HTTP/1.1\r\nHost: x\r\n\r\nGET /a HTTP/1.1\r\nHost: x\r\n\r\n";
    fake_node_while(&s->node, peer, s);
    assert_int_equal(s->rc, RD_EPROTO);
    assert_int_equal(strncmp(s->got, "HTTP/1.1 400 ", 13), 0);
    s->text = "POST /events HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nab";
    fake_node_while(&s->node, peer, s);
    assert_int_equal(s->rc, RD_EPROTO);
    end(s);
}

static void test_a_listener_that_says_more_is_gone(void **state)
{
    struct story *s = begin(write_and_end);

    (void)state;
    s->written = -1000000; /* it would go on */
    s->text = listen_text;
    s->more = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n";
    fake_node_while(&s->node, peer, s);
    assert_int_equal(s->gone, 1);
    assert_null(strstr(s->got, "HTTP/1.1"));
    end(s);
}

static void deaf_peer(void *arg)
{
    struct story *s = arg;
    int fd = fake_peer_connect(s->node.port);

    fake_peer_send(fd, listen_text, strlen(listen_text));
    usleep(200000); /* the kernel's buffers are large; ours are not */
    close(fd);
}

static void test_a_slow_reader_costs_a_bounded_amount(void **state)
{
    struct story *s = begin(write_much);

    (void)state;
    fake_node_while(&s->node, deaf_peer, s);
    assert_true(s->rc == RD_EFULL || s->gone == 1);
    assert_true(s->written > 3);
    end(s);
}

/* Two places, both with listeners: the third is told so, and they stay. */
static void three_peers(void *arg)
{
    struct story *s = arg;
    int a = fake_peer_connect(s->node.port), b, c;
    char heard[2048];

    fake_peer_send(a, listen_text, strlen(listen_text));
    fake_peer_read(a, heard, sizeof(heard), "data: 1\n\n");
    b = fake_peer_connect(s->node.port);
    fake_peer_send(b, listen_text, strlen(listen_text));
    fake_peer_read(b, heard, sizeof(heard), "data: 1\n\n");
    s->written = s->gone;
    c = fake_peer_connect(s->node.port);
    fake_peer_send(c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n", 26);
    fake_peer_read(c, s->got, sizeof(s->got), NULL);
    s->written = s->gone - s->written;
    close(a);
    close(b);
    close(c);
}

static void do_nothing(void *arg)
{
    (void)arg;
}

static void test_listeners_are_not_displaced(void **state)
{
    struct story *s = begin(do_nothing);

    (void)state;
    fake_node_while(&s->node, three_peers, s);
    assert_int_equal(strncmp(s->got, "HTTP/1.1 503 ", 13), 0);
    assert_int_equal(s->written, 0);
    assert_int_equal(http_server_counts(s->node.http).displaced, 0);
    end(s);
}

static void test_refusals_say_what_the_handler_wants_said(void **state)
{
    struct story *s = begin(do_nothing);

    (void)state;
    s->text = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\n\r\n";
    fake_node_while(&s->node, peer, s);
    assert_int_equal(strncmp(s->got, "HTTP/1.1 413 ", 13), 0);
    assert_non_null(strstr(s->got, "\r\ncontent-type: application/problem+json\r\n"));
    assert_non_null(strstr(s->got, "\r\nx-content-type-options: nosniff\r\n"));
    assert_string_equal(strstr(s->got, "\r\n\r\n") + 4, "{\"long\":true}");
    end(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_who_listens_gets_what_is_written_until_it_ends),
        cmocka_unit_test(test_a_request_behind_it_in_one_packet_is_refused),
        cmocka_unit_test(test_a_listener_that_says_more_is_gone),
        cmocka_unit_test(test_a_slow_reader_costs_a_bounded_amount),
        cmocka_unit_test(test_listeners_are_not_displaced),
        cmocka_unit_test(test_refusals_say_what_the_handler_wants_said),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
