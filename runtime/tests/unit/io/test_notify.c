/* SPDX-License-Identifier: Apache-2.0 */
/* What a service manager hears. */
#include "io/notify.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

static int manager(const char *name)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    memcpy(a.sun_path, name, strlen(name));
    if (name[0] == '@')
        a.sun_path[0] = '\0';
    assert_int_equal(bind(fd, (struct sockaddr *)&a,
                          (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name))),
                     0);
    setenv("NOTIFY_SOCKET", name, 1);
    return fd;
}

static void assert_hears(const char *name)
{
    char got[64] = "";
    int fd = manager(name);

    assert_int_equal(notify_send("READY=1\nMAINPID=7"), 0);
    assert_int_equal(recv(fd, got, sizeof(got) - 1, 0), 17);
    assert_string_equal(got, "READY=1\nMAINPID=7");
    close(fd);
}

static void test_it_hears_on_a_path_and_on_an_abstract_name(void **state)
{
    char path[64];

    (void)state;
    snprintf(path, sizeof(path), "/tmp/notify-%d.sock", (int)getpid());
    assert_hears(path);
    unlink(path);
    snprintf(path, sizeof(path), "@ringdown-notify-%d", (int)getpid());
    assert_hears(path);
}

static void test_without_one_nothing_is_done(void **state)
{
    (void)state;
    unsetenv("NOTIFY_SOCKET");
    assert_int_equal(notify_send("READY=1"), -ENOENT);
    setenv("NOTIFY_SOCKET", "vsock:2:1234", 1); /* of a virtual machine's host: not spoken */
    assert_int_equal(notify_send("READY=1"), -ENOENT);
}

static void test_a_watchdog_is_ours_only_when_it_says_so(void **state)
{
    char pid[16];

    (void)state;
    unsetenv("WATCHDOG_USEC");
    assert_int_equal(notify_watchdog_us(), 0);
    setenv("WATCHDOG_USEC", "30000000", 1);
    setenv("WATCHDOG_PID", "1", 1);
    assert_int_equal(notify_watchdog_us(), 0);
    snprintf(pid, sizeof(pid), "%d", (int)getpid());
    setenv("WATCHDOG_PID", pid, 1);
    assert_int_equal(notify_watchdog_us(), 30000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_it_hears_on_a_path_and_on_an_abstract_name),
        cmocka_unit_test(test_without_one_nothing_is_done),
        cmocka_unit_test(test_a_watchdog_is_ours_only_when_it_says_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
