/* SPDX-License-Identifier: Apache-2.0 */
/* WebSockets over real sockets, our client with our server. Peers that do what they want are in
 * test_ws_peers.c. */
#include "base/err.h"
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

static void echo(struct fake_side *s, char *msg, size_t n)
{
    assert_int_equal(ws_send(s->ws, msg, n), 0);
}

static void say_bye(struct fake_side *s, char *msg, size_t n)
{
    (void)msg;
    (void)n;
    ws_close(s->ws, 4001, "that is all");
}

static void hear_and_hang_up(struct fake_ws *s)
{
    s->client.on_open = fake_ws_hello;
    s->client.on_text = say_bye;
    s->server.on_text = echo;
    fake_ws_dial(s, NULL);
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
    struct fake_ws *s = fake_ws_begin(false, false);

    (void)state;
    hear_and_hang_up(s);
    assert_int_equal(http_server_counts(s->node.http).upgrades, 1);
    fake_ws_end(s);
}

static const uint8_t sound[] = {0x00, 0xff, 0x7f, 0x81, 0x00};

static void on_sound(struct ws *w, char *msg, size_t n, void *arg)
{
    struct fake_side *s = arg;

    assert_int_equal(n, sizeof(sound));
    assert_memory_equal(msg, sound, n);
    if (s == &s->story->server)
        assert_int_equal(ws_send_binary(w, msg, n), 0);
    else
        ws_close(w, 1000, NULL);
    s->bytes += n;
}

static struct ws_handlers with_sound;

static void listen_and_send(struct fake_side *s)
{
    with_sound = fake_ws_handlers;
    with_sound.binary = on_sound;
    ws_set_handlers(s->ws, &with_sound, s);
    if (s == &s->story->client)
        assert_int_equal(ws_send_binary(s->ws, sound, sizeof(sound)), 0);
}

static void test_binary_messages_go_to_whoever_takes_them(void **state)
{
    struct fake_ws *s = fake_ws_begin(false, false);

    (void)state;
    s->client.on_open = s->server.on_open = listen_and_send;
    fake_ws_dial(s, NULL);
    loop_run(s->node.loop);
    assert_int_equal(s->server.bytes, sizeof(sound));
    assert_int_equal(s->client.bytes, sizeof(sound));
    assert_int_equal(s->server.closed.code, 1000);
    assert_int_equal(s->server.texts + s->client.texts, 0);
    fake_ws_end(s);
}

static void test_the_same_over_tls(void **state)
{
    struct fake_ws *s = fake_ws_begin(true, false);

    (void)state;
    hear_and_hang_up(s);
    fake_ws_end(s);
}

static void test_the_server_may_close_first(void **state)
{
    struct fake_ws *s = fake_ws_begin(false, false);

    (void)state;
    s->client.on_open = fake_ws_hello;
    s->server.on_text = say_bye;
    fake_ws_dial(s, NULL);
    loop_run(s->node.loop);
    assert_int_equal(s->server.closed.why, WS_END_US);
    assert_int_equal(s->client.closed.why, WS_END_PEER);
    assert_int_equal(s->client.closed.code, 4001);
    assert_string_equal(s->client.reason, "that is all");
    fake_ws_end(s);
}

static void open_and_close(struct fake_side *s)
{
    assert_int_equal(ws_send(s->ws, "last words", 10), 0);
    ws_close(s->ws, 1000, NULL);
    assert_int_equal(ws_send(s->ws, "x", 1), RD_ESTATE);
}

static void test_last_words_before_a_close_arrive(void **state)
{
    struct fake_ws *s = fake_ws_begin(true, false);

    (void)state;
    s->server.on_open = open_and_close;
    fake_ws_dial(s, NULL);
    loop_run(s->node.loop);
    assert_string_equal(s->client.last, "last words");
    assert_int_equal(s->client.closed.why, WS_END_PEER);
    assert_int_equal(s->client.closed.code, 1000);
    fake_ws_end(s);
}

static void drop(struct fake_side *s)
{
    ws_drop(s->ws);
    assert_int_equal(s->closes, 0); /* not inside our stack */
}

static void drop_on_text(struct fake_side *s, char *msg, size_t n)
{
    (void)n;
    msg[0] = 'x'; /* still ours */
    drop(s);
    msg[0] = 'y';
}

static void two_texts(struct fake_side *s)
{
    fake_ws_hello(s);
    fake_ws_hello(s);
}

static void test_a_side_that_drops_in_its_callback_hears_nothing_more(void **state)
{
    struct fake_ws *s = fake_ws_begin(false, false);

    (void)state;
    s->client.on_open = two_texts;
    s->server.on_text = drop_on_text;
    fake_ws_dial(s, NULL);
    loop_run(s->node.loop);
    assert_int_equal(s->server.texts, 1);
    assert_int_equal(s->server.closed.why, WS_END_US);
    assert_int_equal(s->client.closed.why, WS_END_LOST);
    fake_ws_end(s);
}

static void test_dropping_in_open_is_fine_on_either_side(void **state)
{
    struct fake_ws *s = fake_ws_begin(false, false);

    (void)state;
    s->client.on_open = drop;
    s->server.on_open = drop;
    fake_ws_dial(s, NULL);
    loop_run(s->node.loop);
    assert_int_equal(s->client.closes, 1);
    fake_ws_end(s);
}

static void test_a_dial_given_up_at_once_ends_once(void **state)
{
    struct fake_ws *s = fake_ws_begin(false, false);

    (void)state;
    ws_drop(fake_ws_dial(s, NULL));
    assert_int_equal(s->client.closes, 0);
    fake_node_for(&s->node, 1);
    assert_int_equal(s->client.closes, 1);
    assert_int_equal(s->client.closed.why, WS_END_US);
    s->client = (struct fake_side){.story = s};
    ws_close(fake_ws_dial(s, NULL), 1000, "never mind");
    fake_node_for(&s->node, 1);
    assert_int_equal(s->client.closes, 1);
    fake_ws_end(s);
}

static void test_freeing_the_loop_ends_what_is_open(void **state)
{
    struct fake_ws *s = fake_ws_begin(true, false);

    (void)state;
    fake_ws_dial(s, NULL);
    while (!s->server.opens || !s->client.opens)
        fake_node_for(&s->node, 1);
    fake_ws_end(s); /* asserts that both heard of it, once */
}

/* --- amounts ---------------------------------------------------------------------------------- */

static void send_megabyte(struct fake_side *s)
{
    char *p = fake_ws_megabyte();
    struct iovec iov[3] = {{p, 7}, {p + 7, MEGABYTE - 8}, {p + MEGABYTE - 1, 1}};

    assert_int_equal(ws_sendv(s->ws, iov, 3), 0);
    free(p);
}

static void test_a_megabyte_goes_there_and_back(void **state)
{
    struct fake_ws *s;
    int tls;

    (void)state;
    for (tls = 0; tls < 2; tls++) {
        s = fake_ws_begin(tls, false);
        s->max_message = MEGABYTE;
        s->max_output = MEGABYTE + 64;
        s->client.on_open = send_megabyte;
        s->server.on_text = echo;
        s->client.on_text = say_bye;
        fake_ws_dial(s, NULL);
        loop_run(s->node.loop);
        assert_int_equal(s->server.bytes, MEGABYTE);
        assert_int_equal(s->client.bytes, MEGABYTE);
        fake_ws_end(s);
    }
}

static void send_3000(struct fake_side *s)
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
    struct fake_ws *s = fake_ws_begin(false, false);

    (void)state;
    s->client.on_open = send_3000;
    fake_ws_dial(s, NULL);
    loop_run(s->node.loop);
    assert_int_equal(s->server.texts, 3000);
    assert_string_equal(s->server.last, "message 2999");
    fake_ws_end(s);
}

static void test_a_message_above_the_limit_ends_with_1009(void **state)
{
    struct fake_ws *s = fake_ws_begin(false, false);

    (void)state;
    s->max_message = 1000;
    s->max_output = (size_t)2 * MEGABYTE;
    s->client.on_open = send_megabyte;
    fake_ws_dial(s, NULL);
    loop_run(s->node.loop);
    assert_int_equal(s->server.closed.why, WS_END_PROTOCOL);
    assert_int_equal(s->server.closed.code, 1009);
    assert_int_equal(s->client.closed.why, WS_END_PEER);
    assert_int_equal(s->client.closed.code, 1009);
    fake_ws_end(s);
}

static void ping_pong(struct fake_side *s, char *msg, size_t n)
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

static void ping_pong_counted(struct fake_side *s, char *msg, size_t n)
{
    if (s->story->frames_left == 19000)
        at_1000 = allocations;
    if (s->story->frames_left == 0)
        at_1000 = allocations - at_1000;
    ping_pong(s, msg, n);
}

static void frame_sized(struct fake_side *s)
{
    char text[420];

    memset(text, 'f', sizeof(text));
    assert_int_equal(ws_send(s->ws, text, sizeof(text)), 0);
}

/* Without TLS: OpenSSL takes and returns a few small blocks for every record. */
static void test_ten_thousand_frames_each_way_allocate_nothing(void **state)
{
    struct fake_ws *s;

    (void)state;
    if (!__sanitizer_install_malloc_and_free_hooks) {
        skip();
        return;
    }
    __sanitizer_install_malloc_and_free_hooks(count_malloc, count_free);
    s = fake_ws_begin(false, false);
    s->frames_left = 20000;
    s->client.on_open = frame_sized;
    s->client.on_text = s->server.on_text = ping_pong_counted;
    fake_ws_dial(s, NULL);
    loop_run(s->node.loop);
    assert_true(s->server.texts >= 10000);
    assert_int_equal(at_1000, 0);
    fake_ws_end(s);
}

/* --- refusals --------------------------------------------------------------------------------- */

static void test_a_refused_upgrade_tells_its_status(void **state)
{
    struct fake_ws *s = fake_ws_begin(false, false);

    (void)state;
    s->refuse_with = 403;
    fake_ws_dial(s, NULL);
    loop_run(s->node.loop);
    assert_int_equal(s->client.opens, 0);
    assert_int_equal(s->client.closed.why, WS_END_REFUSED);
    assert_int_equal(s->client.closed.code, 403);
    assert_int_equal(http_server_counts(s->node.http).upgrades, 0);
    assert_int_equal(http_server_counts(s->node.http).refused, 0); /* not by the server */
    fake_ws_end(s);
}

static void test_nobody_listening_is_told_as_such(void **state)
{
    struct fake_ws *s = fake_ws_begin(false, false);

    (void)state;
    fake_ws_dial(s, "ws://127.0.0.1:1/");
    loop_run(s->node.loop);
    assert_int_equal(s->client.closed.why, WS_END_LOST);
    assert_int_equal(s->client.closed.err, -ECONNREFUSED);
    fake_ws_end(s);
}

static void test_urls_that_are_none_are_refused_at_once(void **state)
{
    static const char *const bad[] = {
        "http://a/", "ws://",       "ws:///x",       "wss://a/", /* without a tls_client */
        "ws://u@a/", "ws://a:x/",   "ws://a:70000/", "ws://[::1/",
        "ws://a b/", "ws://a/\r\n", "ws://a/#frag"};
    struct fake_ws *s = fake_ws_begin(false, false);
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        struct ws_connect_opts o = {
            .loop = s->node.loop, .url = bad[i], .handlers = &fake_ws_handlers};
        struct ws *w;

        assert_int_equal(ws_connect(&w, &o), -EINVAL);
    }
    fake_ws_end(s);
}

static void test_a_header_with_a_line_break_is_refused(void **state)
{
    static const char *const header[] = {"A: b", "C: d\r\nE: f", NULL};
    struct fake_ws *s = fake_ws_begin(false, false);
    struct ws_connect_opts o = {
        .loop = s->node.loop, .url = s->node.url, .header = header, .handlers = &fake_ws_handlers};
    struct ws *w;

    (void)state;
    assert_int_equal(ws_connect(&w, &o), -EINVAL);
    fake_ws_end(s);
}

static void expect_tls_failure(struct fake_ws *s)
{
    fake_ws_dial(s, NULL);
    loop_run(s->node.loop);
    assert_int_equal(s->client.opens, 0);
    assert_int_equal(s->client.closed.why, WS_END_LOST);
    assert_int_equal(s->client.closed.err, RD_ETLS);
    assert_true(s->client.closed.reason.n > 0);
    fake_ws_end(s);
}

static void test_a_certificate_nobody_vouches_for_is_refused(void **state)
{
    struct fake_ws *s = fake_ws_begin(true, false);
    char why[256];

    (void)state;
    tls_client_free(s->tls_client);
    assert_int_equal(tls_client_new(&s->tls_client, s->certs.other_ca, why, sizeof(why)), 0);
    expect_tls_failure(s);
}

static void test_a_certificate_for_another_name_is_refused(void **state)
{
    (void)state;
    expect_tls_failure(fake_ws_begin(true, true));
}

static void test_a_certificate_may_name_an_address(void **state)
{
    struct fake_ws *s = fake_ws_begin(true, false);

    (void)state;
    snprintf(s->node.url, sizeof(s->node.url), "wss://127.0.0.1:%u/", s->node.port);
    hear_and_hang_up(s);
    fake_ws_end(s);
}

static void test_a_new_certificate_serves_new_connections(void **state)
{
    struct fake_ws *s = fake_ws_begin(true, false);
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
    s->client = (struct fake_side){.story = s};
    expect_tls_failure(s); /* names another host now, broken file or not */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_conversation_ends_with_the_clients_close),
        cmocka_unit_test(test_binary_messages_go_to_whoever_takes_them),
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
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
