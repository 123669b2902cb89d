/* SPDX-License-Identifier: Apache-2.0 */
/* The listening socket: whose it is, and that connections come through until it stops. */
#include "base/err.h"
#include "base/log.h"
#include "io/accepter.h"
#include "unit/io/fake_node.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static _Atomic int taken;
static char last_peer[64];

static void take(int fd, const char *peer, void *arg)
{
    assert_ptr_equal(arg, last_peer);
    assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
    snprintf(last_peer, sizeof(last_peer), "%s", peer);
    fake_peer_send(fd, "hi", 2);
    close(fd);
    taken++;
}

static void test_connections_are_handed_on_until_it_stops(void **state)
{
    struct accepter *a;
    char why[128], got[8];
    int listen_fd, i;
    uint16_t port;

    (void)state;
    assert_int_equal(listen_tcp(&listen_fd, "127.0.0.1:0", why, sizeof(why)), 0);
    port = listen_port(listen_fd);
    assert_true(port > 0);
    assert_int_equal(accepter_start(&a, listen_fd, take, last_peer), 0);
    for (i = 0; i < 20; i++) {
        int fd = fake_peer_connect(port);

        fake_peer_read(fd, got, sizeof(got), NULL);
        assert_string_equal(got, "hi");
        close(fd);
    }
    accepter_stop(a);
    assert_int_equal(taken, 20);
    assert_string_equal(last_peer, "127.0.0.1");
    assert_int_equal(listen_tcp(&listen_fd, "127.0.0.1:0", why, sizeof(why)), 0);
    close(listen_fd);
}

static _Atomic int paused;

static void on_line(enum log_level level, const char *event, const struct log_field *f, int n)
{
    (void)f;
    (void)n;
    if (level == LOG_ERROR && strcmp(event, "accept.paused") == 0)
        paused++;
}

static void wait_for(_Atomic int *what, int wanted)
{
    for (int i = 0; i < 2000 && *what < wanted; i++)
        usleep(10000);
    assert_int_equal(*what, wanted);
}

static void test_without_a_descriptor_left_it_says_so_and_goes_on_when_there_is_one(void **state)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct rlimit before, none;
    struct accepter *a;
    char why[128];
    int listen_fd, fd, taken_before = taken;

    (void)state;
    assert_int_equal(listen_tcp(&listen_fd, "127.0.0.1:0", why, sizeof(why)), 0);
    at.sin_port = htons(listen_port(listen_fd));
    assert_int_equal(accepter_start(&a, listen_fd, take, last_peer), 0);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    log_take(on_line);
    fd = fake_peer_connect(listen_port(listen_fd));
    wait_for(&taken, taken_before + 1);
    close(fd);
    fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0); /* before there is no room for it either */
    none = (struct rlimit){.rlim_cur = 3, .rlim_max = before.rlim_max}; /* those are in use */
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof(at)), 0);
    wait_for(&paused, 1);
    assert_int_equal(taken, taken_before + 1);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    wait_for(&taken, taken_before + 2);
    close(fd);
    accepter_stop(a);
    log_take(NULL);
    assert_int_equal(paused, 1); /* told once */
}

static void test_a_port_in_use_is_told_in_a_sentence(void **state)
{
    char address[32], why[256];
    int first, second;

    (void)state;
    assert_int_equal(listen_tcp(&first, "127.0.0.1:0", why, sizeof(why)), 0);
    snprintf(address, sizeof(address), "127.0.0.1:%u", listen_port(first));
    assert_int_equal(listen_tcp(&second, address, why, sizeof(why)), -EADDRINUSE);
    assert_memory_equal(why, address, strlen(address));
    assert_non_null(strstr(why, "taken"));
    close(first);
    assert_int_equal(listen_tcp(&second, address, why, sizeof(why)), 0);
    close(second);
}

static void test_addresses_that_are_none_are_refused(void **state)
{
    static const char *const bad[] = {"",        "localhost",  ":",           "a:b",
                                      "1:70000", "::1:80",     "[::1]",       "[::1:80",
                                      "host:",   "1.2.3.4:-1", "127.0.0.1:8 "};
    char why[256];
    size_t i;
    int fd;

    (void)state;
    for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        why[0] = '\0';
        assert_int_equal(listen_tcp(&fd, bad[i], why, sizeof(why)), RD_ECONFIG);
        assert_true(strlen(why) > 0);
    }
}

static void test_an_inherited_socket_is_ours_only_when_it_says_so(void **state)
{
    (void)state;
    setenv("LISTEN_PID", "1", 1);
    setenv("LISTEN_FDS", "1", 1);
    assert_int_equal(listen_inherited(), -1);
    assert_null(getenv("LISTEN_FDS")); /* nobody after us believes it either */
    assert_int_equal(listen_inherited(), -1);
}

static void test_an_inherited_socket_is_taken(void **state)
{
    char pid[16], why[128];
    int fd, saved = dup(3);

    (void)state;
    assert_int_equal(listen_tcp(&fd, "127.0.0.1:0", why, sizeof(why)), 0);
    if (fd != 3) {
        assert_int_equal(dup2(fd, 3), 3);
        close(fd);
    }
    snprintf(pid, sizeof(pid), "%d", (int)getpid());
    setenv("LISTEN_PID", pid, 1);
    setenv("LISTEN_FDS", "1", 1);
    assert_int_equal(listen_inherited(), 3);
    assert_true(listen_port(3) > 0);
    close(3);
    if (saved >= 0) {
        dup2(saved, 3);
        close(saved);
    }
}

static void test_of_several_the_one_called_public_is_taken(void **state)
{
    char pid[16], why[128];
    int fd, saved[2] = {dup(3), dup(4)};

    (void)state;
    assert_int_equal(listen_tcp(&fd, "127.0.0.1:0", why, sizeof(why)), 0);
    assert_int_equal(dup2(fd, 3), 3);
    assert_int_equal(dup2(fd, 4), 4);
    snprintf(pid, sizeof(pid), "%d", (int)getpid());
    setenv("LISTEN_PID", pid, 1);
    setenv("LISTEN_FDS", "2", 1);
    setenv("LISTEN_FDNAMES", "admin:public", 1);
    assert_int_equal(listen_inherited(), 4);
    assert_true(fcntl(3, F_GETFD) & FD_CLOEXEC);
    if (fd > 4)
        close(fd);
    for (int i = 0; i < 2; i++) {
        close(3 + i);
        if (saved[i] >= 0) {
            dup2(saved[i], 3 + i);
            close(saved[i]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_connections_are_handed_on_until_it_stops),
        cmocka_unit_test(test_without_a_descriptor_left_it_says_so_and_goes_on_when_there_is_one),
        cmocka_unit_test(test_a_port_in_use_is_told_in_a_sentence),
        cmocka_unit_test(test_addresses_that_are_none_are_refused),
        cmocka_unit_test(test_an_inherited_socket_is_ours_only_when_it_says_so),
        cmocka_unit_test(test_an_inherited_socket_is_taken),
        cmocka_unit_test(test_of_several_the_one_called_public_is_taken),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
