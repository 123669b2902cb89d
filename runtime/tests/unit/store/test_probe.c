/* SPDX-License-Identifier: Apache-2.0 */
/* A database that says nothing, is not there, or says no: what the probe makes of it. */
#include "base/now.h"
#include "store/probe.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum { SILENT_MS = 300, PATIENCE_MS = 20000 };

static struct {
    int port;
    atomic_uint silent, answers, asked;
    char why[256];
} world;

static int conninfo(struct buf *out, char *why, size_t cap, void *arg)
{
    (void)arg;
    (void)snprintf(why, cap, "no memory");
    atomic_fetch_add(&world.asked, 1);
    return buf_addf(out, "host=127.0.0.1 port=%d dbname=x user=y sslmode=disable", world.port);
}

static void on_silent(void *arg, const char *why)
{
    (void)arg;
    if (atomic_load(&world.silent) == 0)
        (void)snprintf(world.why, sizeof(world.why), "%s", why);
    atomic_fetch_add(&world.silent, 1);
}

static void on_answers(void *arg)
{
    (void)arg;
    atomic_fetch_add(&world.answers, 1);
}

static int listening(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof(at);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
    assert_int_equal(listen(fd, 64), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &n), 0);
    world.port = ntohs(at.sin_port);
    return fd;
}

static struct probe *start(void)
{
    const struct probe_opts o = {.conninfo = conninfo,
                                 .silent = on_silent,
                                 .answers = on_answers,
                                 .every_ms = 40,
                                 .answer_ms = 120,
                                 .silent_ms = SILENT_MS};
    struct probe *p = NULL;

    atomic_store(&world.silent, 0);
    atomic_store(&world.answers, 0);
    atomic_store(&world.asked, 0);
    assert_int_equal(probe_start(&p, &o), 0);
    return p;
}

static void wait_for(atomic_uint *what, unsigned n)
{
    for (int i = 0; i < PATIENCE_MS / 10 && atomic_load(what) < n; i++)
        (void)usleep(10000);
    assert_true(atomic_load(what) >= n);
}

static void test_a_server_that_accepts_and_says_nothing_is_silent(void **state)
{
    int fd = listening(); /* the kernel accepts for it */
    uint64_t began_ms = monotonic_ms();
    struct probe *p = start();

    (void)state;
    wait_for(&world.silent, 1);
    assert_true(monotonic_ms() - began_ms >= SILENT_MS - 1);
    assert_non_null(strstr(world.why, "did not answer in"));
    wait_for(&world.silent, 2); /* told again: its words may change */
    assert_int_equal(atomic_load(&world.answers), 0);
    probe_stop(p);
    (void)close(fd);
}

static void test_one_that_is_not_there_is_silent_too_but_not_at_once(void **state)
{
    int fd = listening();
    struct probe *p;

    (void)state;
    (void)close(fd);
    p = start();
    wait_for(&world.silent, 1);
    assert_true(atomic_load(&world.asked) > 2);
    probe_stop(p);
}

#define SAYS(code, words) \
    "E\0\0\0\0"           \
    "SFATAL\0C" code "\0M" words "\0"

/* What a server says to somebody whom it does not let in, as the protocol has it; n without the last NUL. */
static void refuse(int fd, const char *no, size_t n)
{
    char request[1024], answer[256];
    int at = accept(fd, NULL, NULL);

    assert_true(at >= 0 && n < sizeof(answer));
    (void)!read(at, request, sizeof(request));
    memcpy(answer, no, n + 1);
    answer[4] = (char)n; /* without the letter, with the last NUL */
    (void)!send(at, answer, n + 1, MSG_NOSIGNAL);
    (void)close(at);
}

static void expect_an_answer(const char *no, size_t n)
{
    int fd = listening();
    struct probe *p = start();

    wait_for(&world.silent, 1);
    for (int i = 0; i < 100 && atomic_load(&world.answers) == 0; i++)
        refuse(fd, no, n);
    assert_int_not_equal(atomic_load(&world.answers), 0);
    probe_stop(p);
    (void)close(fd);
}

static void test_a_server_that_says_no_has_answered(void **state)
{
    static const char unknown[] =
        SAYS("28000", "no pg_hba.conf entry for host \"127.0.0.1\", user \"y\", database \"x\"");

    (void)state;
    expect_an_answer(unknown, sizeof(unknown) - 1);
}

static void test_a_server_that_is_full_has_answered(void **state)
{
    static const char full[] = SAYS("53300", "sorry, too many clients already");
    static const char reserved[] = SAYS("53300", "remaining connection slots are reserved for x");

    (void)state;
    expect_an_answer(full, sizeof(full) - 1);
    expect_an_answer(reserved, sizeof(reserved) - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_server_that_accepts_and_says_nothing_is_silent),
        cmocka_unit_test(test_one_that_is_not_there_is_silent_too_but_not_at_once),
        cmocka_unit_test(test_a_server_that_says_no_has_answered),
        cmocka_unit_test(test_a_server_that_is_full_has_answered),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
