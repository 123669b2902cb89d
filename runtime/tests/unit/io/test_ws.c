/* SPDX-License-Identifier: Apache-2.0 */
/* WebSockets over real sockets: our client with our server, and either with a peer that does what
 * it wants. */
#include "base/err.h"
#include "io/accepter.h"
#include "io/http_server.h"
#include "io/ws.h"
#include "io/ws_codec.h"
#include "unit/io/fake_certs.h"
#include "unit/io/fake_node.h"

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

enum { MEGABYTE = 1 << 20 };

/* One end of a connection and what it heard. */
struct side {
    struct story *story;
    struct ws *ws;
    int opens, texts, closes;
    size_t bytes;
    char last[64];
    struct ws_closed closed;
    char reason[1100];
    void (*on_text)(struct side *s, char *msg, size_t n);
    void (*on_open)(struct side *s);
};

struct story {
    struct fake_node node;
    struct fake_certs certs;
    struct tls_server *tls_server;
    struct tls_client *tls_client;
    struct side client, server;
    int refuse_with;
    size_t max_message, max_output;
    int frames_left;

    /* for a raw peer */
    int listen_fd, fd;
    const char *raw;
    size_t n_raw;
    char got[4096];
    size_t n_got;
};

static void on_open(struct ws *w, void *arg)
{
    struct side *s = arg;

    s->ws = w;
    s->opens++;
    if (s->on_open)
        s->on_open(s);
}

static void on_text(struct ws *w, char *msg, size_t n, void *arg)
{
    struct side *s = arg;

    assert_ptr_equal(w, s->ws);
    s->texts++;
    s->bytes += n;
    rd_str_copy(s->last, sizeof(s->last), (struct rd_str){msg, n});
    if (s->on_text)
        s->on_text(s, msg, n);
}

static void on_closed(struct ws *w, const struct ws_closed *c, void *arg)
{
    struct side *s = arg, *other = s == &s->story->client ? &s->story->server : &s->story->client;

    if (s->ws)
        assert_ptr_equal(w, s->ws);
    assert_int_equal(ws_send(w, "x", 1), RD_ESTATE);
    ws_close(w, 1000, NULL);
    ws_drop(w);
    s->ws = NULL;
    s->closes++;
    s->closed = *c;
    rd_str_copy(s->reason, sizeof(s->reason), c->reason);
    if (other->opens == other->closes)
        loop_stop(s->story->node.loop);
}

static const struct ws_handlers ws_handlers = {
    .open = on_open, .text = on_text, .closed = on_closed};

static int on_upgrade(struct http_request *r, struct ws_accept *a, void *arg)
{
    struct story *s = arg;

    (void)r;
    if (s->refuse_with)
        return s->refuse_with;
    a->handlers = &ws_handlers;
    a->arg = &s->server;
    a->max_message = s->max_message;
    a->max_output = s->max_output;
    return 0;
}

static void on_request(struct http_request *r, void *arg)
{
    (void)arg;
    http_reply(r, 404, NULL, (struct rd_str){"", 0});
}

static const struct http_handlers http_handlers = {.on_request = on_request,
                                                   .on_upgrade = on_upgrade};

static struct story *begin_with(bool tls, bool elsewhere)
{
    struct story *s = calloc(1, sizeof(*s));
    struct http_server_opts o = {.handlers = &http_handlers, .arg = s};
    char why[256];

    s->client.story = s->server.story = s;
    s->listen_fd = -1;
    if (tls) {
        fake_certs_init(&s->certs);
        assert_int_equal(tls_server_new(&s->tls_server,
                                        elsewhere ? s->certs.elsewhere_cert : s->certs.cert,
                                        s->certs.key, why, sizeof(why)),
                         0);
        assert_int_equal(tls_client_new(&s->tls_client, s->certs.ca, why, sizeof(why)), 0);
        o.tls = s->tls_server;
    }
    fake_node_init(&s->node, &o);
    return s;
}

static struct story *begin(void)
{
    return begin_with(false, false);
}

static void end(struct story *s)
{
    fake_node_fini(&s->node);
    assert_int_equal(s->client.opens <= s->client.closes, 1);
    assert_int_equal(s->server.opens, s->server.closes);
    if (s->tls_server)
        fake_certs_fini(&s->certs);
    tls_server_free(s->tls_server);
    tls_client_free(s->tls_client);
    free(s);
}

static struct ws *dial(struct story *s, const char *url)
{
    struct ws_connect_opts o = {.loop = s->node.loop,
                                .url = url ? url : s->node.url,
                                .tls = s->tls_client,
                                .max_message = s->max_message,
                                .max_output = s->max_output,
                                .handlers = &ws_handlers,
                                .arg = &s->client};

    assert_int_equal(ws_connect(&s->client.ws, &o), 0);
    assert_int_equal(s->client.closes, 0);
    return s->client.ws;
}

static void hello(struct side *s)
{
    assert_int_equal(ws_send(s->ws, "hello", 5), 0);
}

static void echo(struct side *s, char *msg, size_t n)
{
    assert_int_equal(ws_send(s->ws, msg, n), 0);
}

static void say_bye(struct side *s, char *msg, size_t n)
{
    (void)msg;
    (void)n;
    ws_close(s->ws, 4001, "that is all");
}

static void hear_and_hang_up(struct story *s)
{
    s->client.on_open = hello;
    s->client.on_text = say_bye;
    s->server.on_text = echo;
    dial(s, NULL);
    loop_run(s->node.loop);
    assert_int_equal(s->server.texts, 1);
    assert_string_equal(s->client.last, "hello");
    assert_int_equal(s->client.closes, 1);
    assert_int_equal(s->client.closed.why, WS_END_US);
    assert_int_equal(s->client.closed.code, 4001);
    assert_int_equal(s->server.closes, 1);
    assert_int_equal(s->server.closed.why, WS_END_PEER);
    assert_int_equal(s->server.closed.code, 4001);
    assert_string_equal(s->server.reason, "that is all");
}

static void test_a_conversation_ends_with_the_clients_close(void **state)
{
    struct story *s = begin();

    (void)state;
    hear_and_hang_up(s);
    assert_int_equal(http_server_counts(s->node.http).upgrades, 1);
    end(s);
}

static void test_the_same_over_tls(void **state)
{
    struct story *s = begin_with(true, false);

    (void)state;
    hear_and_hang_up(s);
    end(s);
}

static void test_the_server_may_close_first(void **state)
{
    struct story *s = begin();

    (void)state;
    s->client.on_open = hello;
    s->server.on_text = say_bye;
    dial(s, NULL);
    loop_run(s->node.loop);
    assert_int_equal(s->server.closed.why, WS_END_US);
    assert_int_equal(s->client.closed.why, WS_END_PEER);
    assert_int_equal(s->client.closed.code, 4001);
    assert_string_equal(s->client.reason, "that is all");
    end(s);
}

static void open_and_close(struct side *s)
{
    assert_int_equal(ws_send(s->ws, "last words", 10), 0);
    ws_close(s->ws, 1000, NULL);
    assert_int_equal(ws_send(s->ws, "x", 1), RD_ESTATE);
}

static void test_last_words_before_a_close_arrive(void **state)
{
    struct story *s = begin_with(true, false);

    (void)state;
    s->server.on_open = open_and_close;
    dial(s, NULL);
    loop_run(s->node.loop);
    assert_string_equal(s->client.last, "last words");
    assert_int_equal(s->client.closed.why, WS_END_PEER);
    assert_int_equal(s->client.closed.code, 1000);
    end(s);
}

static void drop(struct side *s)
{
    ws_drop(s->ws);
    assert_int_equal(s->closes, 0); /* not inside our stack */
}

static void drop_on_text(struct side *s, char *msg, size_t n)
{
    (void)n;
    msg[0] = 'x'; /* still ours */
    drop(s);
    msg[0] = 'y';
}

static void two_texts(struct side *s)
{
    hello(s);
    hello(s);
}

static void test_a_side_that_drops_in_its_callback_hears_nothing_more(void **state)
{
    struct story *s = begin();

    (void)state;
    s->client.on_open = two_texts;
    s->server.on_text = drop_on_text;
    dial(s, NULL);
    loop_run(s->node.loop);
    assert_int_equal(s->server.texts, 1);
    assert_int_equal(s->server.closed.why, WS_END_US);
    assert_int_equal(s->client.closed.why, WS_END_LOST);
    end(s);
}

static void test_dropping_in_open_is_fine_on_either_side(void **state)
{
    struct story *s = begin();

    (void)state;
    s->client.on_open = drop;
    s->server.on_open = drop;
    dial(s, NULL);
    loop_run(s->node.loop);
    assert_int_equal(s->client.closes, 1);
    end(s);
}

static void test_a_dial_given_up_at_once_ends_once(void **state)
{
    struct story *s = begin();

    (void)state;
    ws_drop(dial(s, NULL));
    assert_int_equal(s->client.closes, 0);
    fake_node_for(&s->node, 1);
    assert_int_equal(s->client.closes, 1);
    assert_int_equal(s->client.closed.why, WS_END_US);
    s->client = (struct side){.story = s};
    ws_close(dial(s, NULL), 1000, "never mind");
    fake_node_for(&s->node, 1);
    assert_int_equal(s->client.closes, 1);
    end(s);
}

static void test_freeing_the_loop_ends_what_is_open(void **state)
{
    struct story *s = begin_with(true, false);

    (void)state;
    dial(s, NULL);
    while (!s->server.opens || !s->client.opens)
        fake_node_for(&s->node, 1);
    end(s); /* asserts that both heard of it, once */
}

/* --- amounts ---------------------------------------------------------------------------------- */

static char *megabyte(void)
{
    char *p = malloc(MEGABYTE);

    memset(p, 'm', MEGABYTE);
    return p;
}

static void send_megabyte(struct side *s)
{
    char *p = megabyte();
    struct iovec iov[3] = {
        {p,                7           },
        {p + 7,            MEGABYTE - 8},
        {p + MEGABYTE - 1, 1           }
    };

    assert_int_equal(ws_sendv(s->ws, iov, 3), 0);
    free(p);
}

static void test_a_megabyte_goes_there_and_back(void **state)
{
    struct story *s;
    int tls;

    (void)state;
    for (tls = 0; tls < 2; tls++) {
        s = begin_with(tls, false);
        s->max_message = MEGABYTE;
        s->max_output = MEGABYTE + 64;
        s->client.on_open = send_megabyte;
        s->server.on_text = echo;
        s->client.on_text = say_bye;
        dial(s, NULL);
        loop_run(s->node.loop);
        assert_int_equal(s->server.bytes, MEGABYTE);
        assert_int_equal(s->client.bytes, MEGABYTE);
        end(s);
    }
}

static void send_3000(struct side *s)
{
    char text[32];
    int i;

    for (i = 0; i < 3000; i++)
        assert_int_equal(
            ws_send(s->ws, text, (size_t)snprintf(text, sizeof(text), "message %d", i)), 0);
    ws_close(s->ws, 1000, NULL);
}

static void test_many_small_messages_in_one_turn_all_arrive_in_order(void **state)
{
    struct story *s = begin();

    (void)state;
    s->client.on_open = send_3000;
    dial(s, NULL);
    loop_run(s->node.loop);
    assert_int_equal(s->server.texts, 3000);
    assert_string_equal(s->server.last, "message 2999");
    end(s);
}

static void test_a_message_above_the_limit_ends_with_1009(void **state)
{
    struct story *s = begin();

    (void)state;
    s->max_message = 1000;
    s->max_output = 2 * MEGABYTE;
    s->client.on_open = send_megabyte;
    dial(s, NULL);
    loop_run(s->node.loop);
    assert_int_equal(s->server.closed.why, WS_END_PROTOCOL);
    assert_int_equal(s->server.closed.code, 1009);
    assert_int_equal(s->client.closed.why, WS_END_PEER);
    assert_int_equal(s->client.closed.code, 1009);
    end(s);
}

static void ping_pong(struct side *s, char *msg, size_t n)
{
    if (s->story->frames_left-- <= 0)
        ws_close(s->ws, 1000, NULL);
    else
        assert_int_equal(ws_send(s->ws, msg, n), 0);
}

/* Present when the test was built with AddressSanitizer. */
int __sanitizer_install_malloc_and_free_hooks(void (*on_malloc)(const volatile void *, size_t),
                                              void (*on_free)(const volatile void *))
    __attribute__((weak));

static _Atomic int allocations;

static void count_malloc(const volatile void *p, size_t n)
{
    (void)p;
    (void)n;
    allocations++;
}

static void count_free(const volatile void *p)
{
    (void)p;
}

static int at_1000;

static void ping_pong_counted(struct side *s, char *msg, size_t n)
{
    if (s->story->frames_left == 19000)
        at_1000 = allocations;
    if (s->story->frames_left == 0)
        at_1000 = allocations - at_1000;
    ping_pong(s, msg, n);
}

static void frame_sized(struct side *s)
{
    char text[420];

    memset(text, 'f', sizeof(text));
    assert_int_equal(ws_send(s->ws, text, sizeof(text)), 0);
}

/* Without TLS: OpenSSL takes and returns a few small blocks for every record. */
static void test_ten_thousand_frames_each_way_allocate_nothing(void **state)
{
    struct story *s;

    (void)state;
    if (!__sanitizer_install_malloc_and_free_hooks)
        skip();
    __sanitizer_install_malloc_and_free_hooks(count_malloc, count_free);
    s = begin();
    s->frames_left = 20000;
    s->client.on_open = frame_sized;
    s->client.on_text = s->server.on_text = ping_pong_counted;
    dial(s, NULL);
    loop_run(s->node.loop);
    assert_true(s->server.texts >= 10000);
    assert_int_equal(at_1000, 0);
    end(s);
}

/* --- refusals --------------------------------------------------------------------------------- */

static void test_a_refused_upgrade_tells_its_status(void **state)
{
    struct story *s = begin();

    (void)state;
    s->refuse_with = 403;
    dial(s, NULL);
    loop_run(s->node.loop);
    assert_int_equal(s->client.opens, 0);
    assert_int_equal(s->client.closed.why, WS_END_REFUSED);
    assert_int_equal(s->client.closed.code, 403);
    assert_int_equal(http_server_counts(s->node.http).refused, 1);
    end(s);
}

static void test_nobody_listening_is_told_as_such(void **state)
{
    struct story *s = begin();

    (void)state;
    dial(s, "ws://127.0.0.1:1/");
    loop_run(s->node.loop);
    assert_int_equal(s->client.closed.why, WS_END_LOST);
    assert_int_equal(s->client.closed.err, -ECONNREFUSED);
    end(s);
}

static void test_urls_that_are_none_are_refused_at_once(void **state)
{
    static const char *const bad[] = {
        "http://a/", "ws://",       "ws:///x",       "wss://a/", /* without a tls_client */
        "ws://u@a/", "ws://a:x/",   "ws://a:70000/", "ws://[::1/",
        "ws://a b/", "ws://a/\r\n", "ws://a/#frag"};
    struct story *s = begin();
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        struct ws_connect_opts o = {.loop = s->node.loop, .url = bad[i], .handlers = &ws_handlers};
        struct ws *w;

        assert_int_equal(ws_connect(&w, &o), -EINVAL);
    }
    end(s);
}

static void test_a_header_with_a_line_break_is_refused(void **state)
{
    static const char *const header[] = {"A: b", "C: d\r\nE: f", NULL};
    struct story *s = begin();
    struct ws_connect_opts o = {
        .loop = s->node.loop, .url = s->node.url, .header = header, .handlers = &ws_handlers};
    struct ws *w;

    (void)state;
    assert_int_equal(ws_connect(&w, &o), -EINVAL);
    end(s);
}

static void expect_tls_failure(struct story *s)
{
    dial(s, NULL);
    loop_run(s->node.loop);
    assert_int_equal(s->client.opens, 0);
    assert_int_equal(s->client.closed.why, WS_END_LOST);
    assert_int_equal(s->client.closed.err, RD_ETLS);
    assert_true(s->client.closed.reason.n > 0);
    end(s);
}

static void test_a_certificate_nobody_vouches_for_is_refused(void **state)
{
    struct story *s = begin_with(true, false);
    char why[256];

    (void)state;
    tls_client_free(s->tls_client);
    assert_int_equal(tls_client_new(&s->tls_client, s->certs.other_ca, why, sizeof(why)), 0);
    expect_tls_failure(s);
}

static void test_a_certificate_for_another_name_is_refused(void **state)
{
    (void)state;
    expect_tls_failure(begin_with(true, true));
}

static void test_a_certificate_may_name_an_address(void **state)
{
    struct story *s = begin_with(true, false);

    (void)state;
    snprintf(s->node.url, sizeof(s->node.url), "wss://127.0.0.1:%u/", s->node.port);
    hear_and_hang_up(s);
    end(s);
}

static void test_a_new_certificate_serves_new_connections(void **state)
{
    struct story *s = begin_with(true, false);
    char why[256], cut[200];

    (void)state;
    assert_true(tls_server_expires_in(s->tls_server) > 80000);
    assert_int_equal(tls_server_reload(s->tls_server, why, sizeof(why)), 0);
    assert_int_equal(rename(s->certs.elsewhere_cert, s->certs.cert), 0);
    hear_and_hang_up(s); /* still the old one */
    assert_int_equal(tls_server_reload(s->tls_server, why, sizeof(why)), 0);
    assert_int_equal(truncate(s->certs.cert, 100), 0);
    assert_int_equal(tls_server_reload(s->tls_server, why, sizeof(why)), RD_ETLS);
    snprintf(cut, sizeof(cut), "certificate %s:", s->certs.cert);
    assert_memory_equal(why, cut, strlen(cut));
    s->client = (struct side){.story = s};
    expect_tls_failure(s); /* names another host now, broken file or not */
}

/* --- raw peers -------------------------------------------------------------------------------- */

static void raw_client(void *arg)
{
    static const char upgrade[] = "GET /x HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
                                  "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                                  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    struct story *s = arg;
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

static void expect_close_frame(struct story *s, int code)
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
    struct story *s = begin();

    (void)state;
    RAW(s, 0x81, 0x82, 0, 0, 0, 0, 'h', 'i', 0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe9);
    expect_close_frame(s, 1001);
    assert_string_equal(s->server.last, "hi");
    assert_int_equal(s->server.closed.why, WS_END_PEER);
    end(s);
}

static void test_an_unmasked_frame_ends_with_1002(void **state)
{
    struct story *s = begin();

    (void)state;
    RAW(s, 0x81, 0x02, 'h', 'i');
    expect_close_frame(s, 1002);
    assert_int_equal(s->server.closed.why, WS_END_PROTOCOL);
    assert_int_equal(s->server.texts, 0);
    end(s);
}

static void test_a_binary_message_ends_with_1003(void **state)
{
    struct story *s = begin();

    (void)state;
    RAW(s, 0x82, 0x81, 0, 0, 0, 0, 'b');
    expect_close_frame(s, 1003);
    end(s);
}

static void test_text_that_is_no_utf8_ends_with_1007(void **state)
{
    struct story *s = begin();

    (void)state;
    RAW(s, 0x81, 0x81, 0, 0, 0, 0, 0xff);
    expect_close_frame(s, 1007);
    end(s);
}

static void test_a_ping_is_answered_with_its_own_bytes(void **state)
{
    struct story *s = begin();

    (void)state;
    RAW(s, 0x89, 0x82, 0, 0, 0, 0, 'h', 'i', 0x88, 0x80, 0, 0, 0, 0);
    fake_node_while(&s->node, raw_client, s);
    assert_int_equal(s->n_got, 6);
    assert_memory_equal(s->got, "\x8a\x02hi\x88\x00", 6);
    assert_int_equal(s->server.closed.code, 1005);
    end(s);
}

/* A server that answers the upgrade with `raw` ("%s" in it is the accept key), then keeps silent.
 */
static void raw_server(void *arg)
{
    struct story *s = arg;
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

static struct story *begin_raw_server(const char *answer)
{
    struct story *s = begin();
    char why[128];

    assert_int_equal(listen_tcp(&s->listen_fd, "127.0.0.1:0", why, sizeof(why)), 0);
    snprintf(s->node.url, sizeof(s->node.url), "ws://127.0.0.1:%u?model=x",
             listen_port(s->listen_fd));
    s->raw = answer;
    dial(s, NULL);
    fake_node_while(&s->node, raw_server, s);
    return s;
}

static void end_raw_server(struct story *s)
{
    close(s->fd);
    close(s->listen_fd);
    end(s);
}

static void finish(struct story *s)
{
    if (!s->client.closes)
        loop_run(s->node.loop);
    assert_int_equal(s->client.closes, 1);
}

static void test_the_request_says_what_the_rfc_asks_for(void **state)
{
    struct story *s = begin_raw_server(SWITCHING "Sec-WebSocket-Accept: %s\r\n\r\n\x81\x02hi");
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
    struct story *s = begin_raw_server(SWITCHING "Sec-WebSocket-Accept: x%s\r\n\r\n");

    (void)state;
    finish(s);
    assert_int_equal(s->client.opens, 0);
    assert_int_equal(s->client.closed.why, WS_END_PROTOCOL);
    end_raw_server(s);
}

static void test_an_extension_we_did_not_ask_for_is_refused(void **state)
{
    struct story *s = begin_raw_server(SWITCHING "Sec-WebSocket-Accept: %s\r\n"
                                                 "Sec-WebSocket-Extensions: x\r\n\r\n");

    (void)state;
    finish(s);
    assert_int_equal(s->client.closed.why, WS_END_PROTOCOL);
    end_raw_server(s);
}

static void test_the_body_of_a_refusal_is_handed_up(void **state)
{
    struct story *s = begin_raw_server(
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
    struct story *s = begin_raw_server("HTTP/1.1 429 Too Many\r\nTransfer-Encoding: chunked\r\n\r\n"
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
    struct story *s = begin_raw_server("SSH-2.0-OpenSSH_9.2\r\n");

    (void)state;
    finish(s);
    assert_int_equal(s->client.closed.why, WS_END_PROTOCOL);
    end_raw_server(s);
}

static void test_a_server_that_masks_is_refused(void **state)
{
    struct story *s = begin_raw_server(SWITCHING "Sec-WebSocket-Accept: %s\r\n\r\n\x81\x82zzzzhi");

    (void)state;
    finish(s);
    assert_int_equal(s->client.closed.why, WS_END_PROTOCOL);
    assert_int_equal(s->client.closed.code, 1002);
    end_raw_server(s);
}

static void test_a_peer_that_does_not_read_is_dropped_at_the_limit(void **state)
{
    struct story *s;
    char *p = megabyte();
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

static void test_a_close_that_is_not_answered_ends_all_the_same(void **state)
{
    struct story *s = begin_raw_server(SWITCHING "Sec-WebSocket-Accept: %s\r\n\r\n");

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
    struct story *s = begin_raw_server("HTTP/1.1 1%.0s");

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
    static const struct ws_handlers others = {.text = on_warm_text, .closed = on_closed};
    struct story *s = begin();

    (void)state;
    dial(s, NULL);
    while (!s->client.opens || !s->server.opens)
        fake_node_for(&s->node, 1);
    ws_set_handlers(s->client.ws, &others, &s->client);
    hello(&s->server);
    while (!warm_texts)
        fake_node_for(&s->node, 1);
    assert_int_equal(s->client.texts, 0);
    end(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_conversation_ends_with_the_clients_close),
        cmocka_unit_test(test_the_same_over_tls),
        cmocka_unit_test(test_the_server_may_close_first),
        cmocka_unit_test(test_last_words_before_a_close_arrive),
        cmocka_unit_test(test_a_side_that_drops_in_its_callback_hears_nothing_more),
        cmocka_unit_test(test_dropping_in_open_is_fine_on_either_side),
        cmocka_unit_test(test_a_dial_given_up_at_once_ends_once),
        cmocka_unit_test(test_freeing_the_loop_ends_what_is_open),
        cmocka_unit_test(test_a_megabyte_goes_there_and_back),
        cmocka_unit_test(test_many_small_messages_in_one_turn_all_arrive_in_order),
        cmocka_unit_test(test_a_message_above_the_limit_ends_with_1009),
        cmocka_unit_test(test_ten_thousand_frames_each_way_allocate_nothing),
        cmocka_unit_test(test_a_refused_upgrade_tells_its_status),
        cmocka_unit_test(test_nobody_listening_is_told_as_such),
        cmocka_unit_test(test_urls_that_are_none_are_refused_at_once),
        cmocka_unit_test(test_a_header_with_a_line_break_is_refused),
        cmocka_unit_test(test_a_certificate_nobody_vouches_for_is_refused),
        cmocka_unit_test(test_a_certificate_for_another_name_is_refused),
        cmocka_unit_test(test_a_certificate_may_name_an_address),
        cmocka_unit_test(test_a_new_certificate_serves_new_connections),
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
        cmocka_unit_test(test_a_close_that_is_not_answered_ends_all_the_same),
        cmocka_unit_test(test_a_server_that_hangs_up_before_answering_is_lost),
        cmocka_unit_test(test_a_warm_connection_changes_hands),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
