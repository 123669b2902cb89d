/* SPDX-License-Identifier: Apache-2.0 */
/* WebSockets with peers that do what they want: break the protocol, answer oddly, do not read, fall
 * silent. */
#include "base/err.h"
#include "io/accepter.h"
#include "io/ws_codec.h"
#include "io/ws_private.h"
#include "unit/io/fake_ws.h"

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

static void raw_client(void *arg)
{
    static const char upgrade[] = "GET /x HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
                                  "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                                  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    struct fake_ws *s = arg;
    char both[2048], *frames;

    s->fd = fake_peer_connect(s->node.port);
    /* Frames right behind the request, in one packet. */
    memcpy(both, upgrade, sizeof(upgrade) - 1);
    memcpy(both + sizeof(upgrade) - 1, s->raw, s->n_raw);
    fake_peer_send(s->fd, both, sizeof(upgrade) - 1 + s->n_raw);
    s->n_got = fake_peer_read(s->fd, s->got, sizeof(s->got), NULL);
    close(s->fd);
    /* The frames behind the answer. */
    frames = strstr(s->got, "\r\n\r\n");
    if (!frames)
        abort();
    s->n_got -= (size_t)(frames + 4 - s->got);
    memmove(s->got, frames + 4, s->n_got);
}

#define RAW(s, ...)                                   \
    do {                                              \
        static const uint8_t bytes[] = {__VA_ARGS__}; \
        (s)->raw = (const char *)bytes;               \
        (s)->n_raw = sizeof(bytes);                   \
    } while (0)

static void expect_close_frame(struct fake_ws *s, int code)
{
    const uint8_t *got = (const uint8_t *)s->got;

    fake_node_while(&s->node, raw_client, s);
    assert_true(s->n_got >= 4);
    got += s->n_got - 4;
    assert_int_equal(got[0], 0x88);
    assert_int_equal(got[1], 2);
    assert_int_equal(got[2] << 8 | got[3], code);
    assert_int_equal(s->server.closes, 1);
}

static void test_frames_behind_the_upgrade_request_are_read(void **state)
{
    struct fake_ws *s = fake_ws_begin(false, false);

    (void)state;
    RAW(s, 0x81, 0x82, 0, 0, 0, 0, 'h', 'i', 0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe9);
    expect_close_frame(s, 1001);
    assert_string_equal(s->server.last, "hi");
    assert_int_equal(s->server.closed.why, WS_END_PEER);
    fake_ws_end(s);
}

static void test_an_unmasked_frame_ends_with_1002(void **state)
{
    struct fake_ws *s = fake_ws_begin(false, false);

    (void)state;
    RAW(s, 0x81, 0x02, 'h', 'i');
    expect_close_frame(s, 1002);
    assert_int_equal(s->server.closed.why, WS_END_PROTOCOL);
    assert_int_equal(s->server.texts, 0);
    fake_ws_end(s);
}

static void test_a_binary_message_ends_with_1003(void **state)
{
    struct fake_ws *s = fake_ws_begin(false, false);

    (void)state;
    RAW(s, 0x82, 0x81, 0, 0, 0, 0, 'b');
    expect_close_frame(s, 1003);
    fake_ws_end(s);
}

static void test_text_that_is_no_utf8_ends_with_1007(void **state)
{
    struct fake_ws *s = fake_ws_begin(false, false);

    (void)state;
    RAW(s, 0x81, 0x81, 0, 0, 0, 0, 0xff);
    expect_close_frame(s, 1007);
    fake_ws_end(s);
}

static void test_a_ping_is_answered_with_its_own_bytes(void **state)
{
    struct fake_ws *s = fake_ws_begin(false, false);

    (void)state;
    RAW(s, 0x89, 0x82, 0, 0, 0, 0, 'h', 'i', 0x88, 0x80, 0, 0, 0, 0);
    fake_node_while(&s->node, raw_client, s);
    assert_int_equal(s->n_got, 6);
    assert_memory_equal(s->got, "\x8a\x02hi\x88\x00", 6);
    assert_int_equal(s->server.closed.code, 1005);
    fake_ws_end(s);
}

/* A server that answers the upgrade with `raw` ("%s" in it is the accept key), then keeps silent.
 */
static void raw_server(void *arg)
{
    struct fake_ws *s = arg;
    char text[4096], key[WS_KEY_CAP];
    const char *at;
    int n;

    s->fd = fake_peer_accept(s->listen_fd);
    fake_peer_read(s->fd, s->got, sizeof(s->got), "\r\n\r\n");
    at = strstr(s->got, "Sec-WebSocket-Key: ");
    if (!at || !ws_accept_key(key, (struct rd_str){at + 19, 24}))
        abort();
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    n = snprintf(text, sizeof(text), s->raw, key);
#pragma GCC diagnostic pop
    fake_peer_send(s->fd, text, (size_t)n);
}

#define SWITCHING \
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\nConnection: upgrade\r\n"

static struct fake_ws *begin_raw_server(const char *answer)
{
    struct fake_ws *s = fake_ws_begin(false, false);
    char why[128];

    assert_int_equal(listen_tcp(&s->listen_fd, "127.0.0.1:0", why, sizeof(why)), 0);
    snprintf(s->node.url, sizeof(s->node.url), "ws://127.0.0.1:%u?model=x",
             listen_port(s->listen_fd));
    s->raw = answer;
    fake_ws_dial(s, NULL);
    fake_node_while(&s->node, raw_server, s);
    return s;
}

static void end_raw_server(struct fake_ws *s)
{
    close(s->fd);
    close(s->listen_fd);
    fake_ws_end(s);
}

static void finish(struct fake_ws *s)
{
    if (!s->client.closes)
        loop_run(s->node.loop);
    assert_int_equal(s->client.closes, 1);
}

static void test_the_request_says_what_the_rfc_asks_for(void **state)
{
    struct fake_ws *s = begin_raw_server(SWITCHING "Sec-WebSocket-Accept: %s\r\n\r\n\x81\x02hi");
    char host[64];

    (void)state;
    snprintf(host, sizeof(host), "\r\nHost: 127.0.0.1:%u\r\n", listen_port(s->listen_fd));
    assert_memory_equal(s->got, "GET /?model=x HTTP/1.1\r\n", 24);
    assert_non_null(strstr(s->got, host));
    assert_non_null(strstr(s->got, "\r\nUpgrade: websocket\r\n"));
    assert_non_null(strstr(s->got, "\r\nSec-WebSocket-Version: 13\r\n"));
    while (!s->client.texts)
        fake_node_for(&s->node, 1);
    assert_string_equal(s->client.last, "hi"); /* came along with the answer */
    end_raw_server(s);
}

static void test_a_wrong_accept_key_is_no_websocket(void **state)
{
    struct fake_ws *s = begin_raw_server(SWITCHING "Sec-WebSocket-Accept: x%s\r\n\r\n");

    (void)state;
    finish(s);
    assert_int_equal(s->client.opens, 0);
    assert_int_equal(s->client.closed.why, WS_END_PROTOCOL);
    end_raw_server(s);
}

static void test_an_extension_we_did_not_ask_for_is_refused(void **state)
{
    struct fake_ws *s = begin_raw_server(SWITCHING "Sec-WebSocket-Accept: %s\r\n"
                                                   "Sec-WebSocket-Extensions: x\r\n\r\n");

    (void)state;
    finish(s);
    assert_int_equal(s->client.closed.why, WS_END_PROTOCOL);
    end_raw_server(s);
}

static void test_the_body_of_a_refusal_is_handed_up(void **state)
{
    struct fake_ws *s = begin_raw_server(
        "HTTP/1.1 401 Unauthorized\r\nContent-Length: 19\r\n\r\n{\"error\":\"bad key\"}more");

    (void)state;
    finish(s);
    assert_int_equal(s->client.closed.why, WS_END_REFUSED);
    assert_int_equal(s->client.closed.code, 401);
    assert_memory_equal(s->client.reason, "{\"error\":\"bad key\"}", 19);
    end_raw_server(s);
}

static void test_a_chunked_refusal_is_read_too(void **state)
{
    struct fake_ws *s =
        begin_raw_server("HTTP/1.1 429 Too Many\r\nTransfer-Encoding: chunked\r\n\r\n"
                         "5\r\nslow \r\n4\r\ndown\r\n0\r\n\r\n");

    (void)state;
    shutdown(s->fd, SHUT_WR);
    finish(s);
    assert_int_equal(s->client.closed.code, 429);
    assert_string_equal(s->client.reason, "slow down");
    end_raw_server(s);
}

static void test_an_answer_that_is_no_http_ends_it(void **state)
{
    struct fake_ws *s = begin_raw_server("SSH-2.0-OpenSSH_9.2\r\n");

    (void)state;
    finish(s);
    assert_int_equal(s->client.closed.why, WS_END_PROTOCOL);
    end_raw_server(s);
}

static void test_a_server_that_masks_is_refused(void **state)
{
    struct fake_ws *s =
        begin_raw_server(SWITCHING "Sec-WebSocket-Accept: %s\r\n\r\n\x81\x82zzzzhi");

    (void)state;
    finish(s);
    assert_int_equal(s->client.closed.why, WS_END_PROTOCOL);
    assert_int_equal(s->client.closed.code, 1002);
    end_raw_server(s);
}

static void test_a_peer_that_does_not_read_is_dropped_at_the_limit(void **state)
{
    struct fake_ws *s;
    char *p = fake_ws_megabyte();
    int i, rc = 0;

    (void)state;
    s = begin_raw_server(SWITCHING "Sec-WebSocket-Accept: %s\r\n\r\n");
    while (!s->client.opens)
        fake_node_for(&s->node, 1);
    for (i = 0; i < 64 && rc == 0; i++) {
        rc = ws_send(s->client.ws, p, MEGABYTE / 2);
        if (rc == 0)
            assert_true(ws_queued(s->client.ws) <= MEGABYTE);
    }
    assert_int_equal(rc, RD_EFULL);
    assert_int_equal(s->client.closes, 0);
    assert_int_equal(ws_send(s->client.ws, "x", 1), RD_ESTATE);
    finish(s);
    assert_int_equal(s->client.closed.why, WS_END_OVERFLOW);
    free(p);
    end_raw_server(s);
}

static void test_a_peer_that_does_not_read_is_waited_for_so_long(void **state)
{
    struct fake_ws *s = begin_raw_server(SWITCHING "Sec-WebSocket-Accept: %s\r\n\r\n");
    char *p = fake_ws_megabyte();
    int little = 4096;

    (void)state;
    while (!s->client.opens)
        fake_node_for(&s->node, 1);
    setsockopt(s->fd, SOL_SOCKET, SO_RCVBUF, &little, sizeof(little));
    conn_give_little(s->client.ws->conn);
    s->client.ws->max_wait_ms = 200;
    for (int i = 0; i < 256 && ws_queued(s->client.ws) == 0; i++) {
        assert_int_equal(ws_send(s->client.ws, p, MEGABYTE / 16), 0);
        fake_node_for(&s->node, 20);
    }
    assert_true(ws_queued(s->client.ws) > 0);
    fake_node_for(&s->node, 300);
    assert_int_equal(ws_send(s->client.ws, "x", 1), RD_EFULL);
    finish(s);
    assert_int_equal(s->client.closed.why, WS_END_OVERFLOW);
    assert_int_equal(s->client.closed.err, -ETIMEDOUT);
    end_raw_server(s);
    free(p);
}

static void test_a_close_that_is_not_answered_ends_all_the_same(void **state)
{
    struct fake_ws *s = begin_raw_server(SWITCHING "Sec-WebSocket-Accept: %s\r\n\r\n");

    (void)state;
    while (!s->client.opens)
        fake_node_for(&s->node, 1);
    ws_close(s->client.ws, 1000, "bye");
    ws_close(s->client.ws, 1000, "bye"); /* repeating is fine */
    shutdown(s->fd, SHUT_RDWR);
    finish(s);
    assert_int_equal(s->client.closed.why, WS_END_US);
    assert_int_equal(s->client.closed.code, 1000);
    end_raw_server(s);
}

static void test_a_server_that_hangs_up_before_answering_is_lost(void **state)
{
    struct fake_ws *s = begin_raw_server("HTTP/1.1 1%.0s");

    (void)state;
    shutdown(s->fd, SHUT_RDWR);
    finish(s);
    assert_int_equal(s->client.closed.why, WS_END_LOST);
    assert_true(s->client.closed.err < 0);
    end_raw_server(s);
}

static int warm_texts;

static void on_warm_text(struct ws *w, char *msg, size_t n, void *arg)
{
    (void)w;
    (void)msg;
    (void)n;
    (void)arg;
    warm_texts++;
}

static void test_a_warm_connection_changes_hands(void **state)
{
    struct ws_handlers others = fake_ws_handlers;
    struct fake_ws *s = fake_ws_begin(false, false);

    (void)state;
    fake_ws_dial(s, NULL);
    while (!s->client.opens || !s->server.opens)
        fake_node_for(&s->node, 1);
    others.text = on_warm_text;
    ws_set_handlers(s->client.ws, &others, &s->client);
    fake_ws_hello(&s->server);
    while (!warm_texts)
        fake_node_for(&s->node, 1);
    assert_int_equal(s->client.texts, 0);
    fake_ws_end(s);
}

static void in_a_hurry(struct fake_side *s)
{
    s->ws->ping_after_ms = 5;
    s->ws->give_up_after_ms = 10;
}

static void read_frames(void *arg)
{
    struct fake_ws *s = arg;

    s->n_got = fake_peer_read(s->fd, s->got, sizeof(s->got), NULL);
}

static void test_a_silent_peer_is_pinged_then_given_up(void **state)
{
    struct fake_ws *s = fake_ws_begin(false, false);
    char why[128];

    (void)state;
    assert_int_equal(listen_tcp(&s->listen_fd, "127.0.0.1:0", why, sizeof(why)), 0);
    snprintf(s->node.url, sizeof(s->node.url), "ws://127.0.0.1:%u", listen_port(s->listen_fd));
    s->raw = SWITCHING "Sec-WebSocket-Accept: %s\r\n\r\n";
    s->client.on_open = in_a_hurry;
    fake_ws_dial(s, NULL);
    fake_node_while(&s->node, raw_server, s);
    fake_node_while(&s->node, read_frames, s);
    assert_int_equal(s->n_got, 6); /* one ping, masked */
    assert_memory_equal(s->got, "\x89\x80", 2);
    assert_int_equal(s->client.closes, 1);
    assert_int_equal(s->client.closed.why, WS_END_LOST);
    assert_int_equal(s->client.closed.err, -ETIMEDOUT);
    end_raw_server(s);
}

static void test_a_peer_that_answers_pings_stays(void **state)
{
    struct fake_ws *s = fake_ws_begin(false, false);

    (void)state;
    s->client.on_open = in_a_hurry;
    fake_ws_dial(s, NULL);
    fake_node_for(&s->node, 60);
    assert_int_equal(s->client.opens, 1);
    assert_int_equal(s->client.closes, 0);
    fake_ws_end(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_frames_behind_the_upgrade_request_are_read),
        cmocka_unit_test(test_an_unmasked_frame_ends_with_1002),
        cmocka_unit_test(test_a_binary_message_ends_with_1003),
        cmocka_unit_test(test_text_that_is_no_utf8_ends_with_1007),
        cmocka_unit_test(test_a_ping_is_answered_with_its_own_bytes),
        cmocka_unit_test(test_the_request_says_what_the_rfc_asks_for),
        cmocka_unit_test(test_a_wrong_accept_key_is_no_websocket),
        cmocka_unit_test(test_an_extension_we_did_not_ask_for_is_refused),
        cmocka_unit_test(test_the_body_of_a_refusal_is_handed_up),
        cmocka_unit_test(test_a_chunked_refusal_is_read_too),
        cmocka_unit_test(test_an_answer_that_is_no_http_ends_it),
        cmocka_unit_test(test_a_server_that_masks_is_refused),
        cmocka_unit_test(test_a_peer_that_does_not_read_is_dropped_at_the_limit),
        cmocka_unit_test(test_a_peer_that_does_not_read_is_waited_for_so_long),
        cmocka_unit_test(test_a_close_that_is_not_answered_ends_all_the_same),
        cmocka_unit_test(test_a_server_that_hangs_up_before_answering_is_lost),
        cmocka_unit_test(test_a_warm_connection_changes_hands),
        cmocka_unit_test(test_a_silent_peer_is_pinged_then_given_up),
        cmocka_unit_test(test_a_peer_that_answers_pings_stays),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
