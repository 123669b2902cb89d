/* SPDX-License-Identifier: Apache-2.0 */
/* A request that another process answers. Here both servers are on one loop: `front` as the client sees
 * it, `back` behind a Unix socket. */
#include "io/accepter.h"
#include "io/http_server.h"
#include "unit/io/fake_node.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

struct story {
    struct fake_node node; /* the front */
    struct http_server *back;
    struct loop_timer *look; /* takes what waits at the Unix socket */
    int listen_fd;
    char path[64];
    int refused, back_asked, gone;
    char seen[256]; /* by the back */
    struct http_request *waiting;
    const char *text;
    char got[4096];
};

/* --- the back --- */

static void on_back_request(struct http_request *r, void *arg)
{
    struct story *s = arg;

    s->back_asked++;
    assert_true(http_is_local(r));
    snprintf(s->seen, sizeof(s->seen), RD_STR_FMT " " RD_STR_FMT " sig=" RD_STR_FMT " " RD_STR_FMT,
             RD_STR_ARG(http_method(r)), RD_STR_ARG(http_target(r)),
             RD_STR_ARG(http_header(r, "x-twilio-signature")), RD_STR_ARG(http_body(r)));
    if (rd_str_eq(http_path(r), RD_STR("/foreign")))
        http_reply(r, 421, "text/plain", RD_STR("not mine"));
    else if (rd_str_eq(http_path(r), RD_STR("/never")))
        s->waiting = r;
    else if (rd_str_eq(http_path(r), RD_STR("/dies")))
        http_hang_up(r);
    else
        http_reply(r, 200, "text/plain", RD_STR("from the back"));
}

static void on_back_gone(struct http_request *r, void *arg)
{
    struct story *s = arg;

    assert_ptr_equal(r, s->waiting);
    s->gone++;
    loop_stop(s->node.loop);
}

static const struct http_handlers back_handlers = {.on_request = on_back_request,
                                                   .on_gone = on_back_gone};

static void on_look(void *arg)
{
    struct story *s = arg;
    int fd = accept4(s->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

    if (fd >= 0)
        http_server_adopt(s->back, fd);
    loop_timer_in(s->look, 1);
}

/* --- the front --- */

static void on_refused(struct http_request *r, void *arg)
{
    struct story *s = arg;

    s->refused++;
    http_reply(r, 200, "text/plain", RD_STR("from the front"));
}

static void on_request(struct http_request *r, void *arg)
{
    struct story *s = arg;

    if (http_forward(r, s->path, on_refused, s))
        http_reply(r, 200, "text/plain", RD_STR("nobody there"));
}

static void on_gone(struct http_request *r, void *arg)
{
    (void)r;
    (void)arg;
    fail_msg("nobody here waited for this request");
}

static int on_upgrade(struct http_request *r, struct ws_accept *accept, void *arg)
{
    struct story *s = arg;

    (void)accept;
    return http_forward(r, s->path, NULL, NULL) ? 404 : 0;
}

static const struct http_handlers handlers = {
    .on_request = on_request, .on_gone = on_gone, .on_upgrade = on_upgrade};

/* --- stories --- */

static struct story *begin(bool with_back)
{
    struct story *s = calloc(1, sizeof(*s));
    struct http_server_opts o = {.handlers = &handlers, .arg = s};
    struct sockaddr_un a = {.sun_family = AF_UNIX};

    fake_node_init(&s->node, &o);
    snprintf(s->path, sizeof(s->path), "/tmp/forward-%d.sock", (int)getpid());
    unlink(s->path);
    s->listen_fd = -1;
    if (!with_back)
        return s;
    o = (struct http_server_opts){.loop = s->node.loop, .handlers = &back_handlers, .arg = s};
    assert_int_equal(http_server_new(&s->back, &o), 0);
    s->listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    memcpy(a.sun_path, s->path, sizeof(s->path));
    assert_int_equal(bind(s->listen_fd, (struct sockaddr *)&a, sizeof(a)), 0);
    assert_int_equal(listen(s->listen_fd, 8), 0);
    assert_int_equal(loop_timer_new(&s->look, s->node.loop, on_look, s), 0);
    loop_timer_in(s->look, 1);
    return s;
}

static void end(struct story *s)
{
    http_server_free(s->back);
    loop_timer_free(s->look);
    if (s->listen_fd >= 0)
        close(s->listen_fd);
    unlink(s->path);
    fake_node_fini(&s->node);
    free(s);
}

static void peer(void *arg)
{
    struct story *s = arg;
    int fd = fake_peer_connect(s->node.port);

    fake_peer_send(fd, s->text, strlen(s->text));
    fake_peer_read(fd, s->got, sizeof(s->got), NULL);
    close(fd);
}

static const char *ask(struct story *s, const char *text)
{
    s->text = text;
    memset(s->got, 0, sizeof(s->got));
    fake_node_while(&s->node, peer, s);
    return s->got;
}

static void test_it_arrives_as_it_was_sent_and_the_answer_comes_back(void **state)
{
    struct story *s = begin(true);

    (void)state;
    assert_non_null(
        strstr(ask(s, "POST /twilio/resume?x=1 HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
                      "X-Twilio-Signature: abc=\r\nContent-Length: 5\r\n\r\na=b&c"),
               "from the back"));
    assert_string_equal(s->seen, "POST /twilio/resume?x=1 sig=abc= a=b&c");
    assert_int_equal(s->refused, 0);
    end(s);
}

static void test_what_is_not_theirs_comes_back_to_us(void **state)
{
    struct story *s = begin(true);

    (void)state;
    assert_non_null(strstr(ask(s, "GET /foreign HTTP/1.1\r\nHost: x\r\n\r\n"), "from the front"));
    assert_int_equal(s->back_asked, 1);
    assert_int_equal(s->refused, 1);
    end(s);
}

static void test_who_dies_before_the_answer_has_refused(void **state)
{
    struct story *s = begin(true);

    (void)state;
    assert_non_null(strstr(ask(s, "GET /dies HTTP/1.1\r\nHost: x\r\n\r\n"), "from the front"));
    end(s);
}

static void test_where_nobody_listens_the_request_stays(void **state)
{
    struct story *s = begin(false);

    (void)state;
    assert_non_null(strstr(ask(s, "GET /a HTTP/1.1\r\nHost: x\r\n\r\n"), "nobody there"));
    end(s);
}

static void leave(void *arg)
{
    struct story *s = arg;
    int fd = fake_peer_connect(s->node.port);

    fake_peer_send(fd, s->text, strlen(s->text));
    usleep(50000); /* until the back has it; it never answers */
    close(fd);
    usleep(50000);
}

static void test_a_client_that_leaves_is_gone_for_the_other_one_too(void **state)
{
    struct story *s = begin(true);

    (void)state;
    s->text = "GET /never HTTP/1.1\r\nHost: x\r\n\r\n";
    fake_node_while(&s->node, leave, s);
    fake_node_for(&s->node, 100);
    assert_int_equal(s->gone, 1);
    end(s);
}

static void test_an_upgrade_is_passed_on_with_its_first_bytes(void **state)
{
    struct story *s = begin(true);
    const char *got = ask(s, "GET /twilio/media/t HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\n"
                             "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                             "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\nframe");

    (void)state;
    assert_memory_equal(got, "HTTP/1.1 404", 12); /* the back takes no upgrades: its word */
    end(s);
}

static void test_a_server_that_ends_leaves_nothing_behind(void **state)
{
    struct story *s = begin(true);

    (void)state;
    s->text = "GET /never HTTP/1.1\r\nHost: x\r\n\r\n";
    fake_node_while(&s->node, leave, s); /* while the sanitizers look */
    end(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_it_arrives_as_it_was_sent_and_the_answer_comes_back),
        cmocka_unit_test(test_what_is_not_theirs_comes_back_to_us),
        cmocka_unit_test(test_who_dies_before_the_answer_has_refused),
        cmocka_unit_test(test_where_nobody_listens_the_request_stays),
        cmocka_unit_test(test_a_client_that_leaves_is_gone_for_the_other_one_too),
        cmocka_unit_test(test_an_upgrade_is_passed_on_with_its_first_bytes),
        cmocka_unit_test(test_a_server_that_ends_leaves_nothing_behind),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
