/* SPDX-License-Identifier: Apache-2.0 */
/* A server that accepts connections and says nothing: whoever has no time does not wait for it. */
#include "base/now.h"
#include "store/pg.h"

#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum { PATIENCE_MS = 200, BUSY_MS = 15000 };

static char why[512];

static uint64_t open_within(int port, int expected)
{
    char conninfo[128];
    uint64_t began_ms = monotonic_ms();
    struct pg *pg;

    (void)snprintf(conninfo, sizeof(conninfo), "host=127.0.0.1 port=%d dbname=x connect_timeout=20",
                   port);
    assert_int_equal(pg_open_within(&pg, conninfo, PATIENCE_MS, why, sizeof(why)), expected);
    return monotonic_ms() - began_ms;
}

/* The kernel accepts for it. */
static int silent_server(int *port)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof(at);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
    assert_int_equal(listen(fd, 8), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &n), 0);
    *port = ntohs(at.sin_port);
    return fd;
}

static void test_who_has_no_time_does_not_wait_for_a_server_that_says_nothing(void **state)
{
    int port, fd = silent_server(&port);
    uint64_t took_ms = open_within(port, -ECONNREFUSED);

    (void)state;
    assert_in_range(took_ms, PATIENCE_MS, BUSY_MS);
    assert_string_equal(why, "the database did not answer in 200 ms");
    (void)close(fd);
}

static void test_who_is_refused_knows_at_once_and_why(void **state)
{
    int port, fd = silent_server(&port);

    (void)state;
    (void)close(fd);
    assert_in_range(open_within(port, -ECONNREFUSED), 0, BUSY_MS);
    assert_non_null(strstr(why, "Connection refused"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_who_has_no_time_does_not_wait_for_a_server_that_says_nothing),
        cmocka_unit_test(test_who_is_refused_knows_at_once_and_why),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
