/* SPDX-License-Identifier: Apache-2.0 */
/* One process gives, another takes: the socket, the lock, and who has them when something dies. */
#include "base/err.h"
#include "base/log.h"
#include "control/handover.h"
#include "control/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

struct world {
    char dir[32];
    struct control_socket socket;
    struct handover *old;
    int listening; /* stands for the public socket */
    atomic_int given;
};

static int fds(void *arg, int out[2])
{
    struct world *w = arg;

    out[0] = w->listening;
    out[1] = w->socket.lock_fd;
    return 0;
}

static int give(void *arg)
{
    struct world *w = arg;

    atomic_fetch_add(&w->given, 1);
    return 0;
}

static int begin(void **state)
{
    struct world *w = calloc(1, sizeof(*w));
    struct handover_opts o = {
        .data = w->dir, .fds = fds, .give = give, .arg = w, .watchdog_us = 30000000};
    char why[256];

    strcpy(w->dir, "/tmp/handover.XXXXXX");
    assert_non_null(mkdtemp(w->dir));
    assert_int_equal(control_socket_open(&w->socket, w->dir, 0, why, sizeof(why)), 0);
    w->listening = open("/dev/null", O_RDONLY | O_CLOEXEC);
    assert_int_equal(handover_offer(&w->old, &o, why, sizeof(why)), 0);
    *state = w;
    return 0;
}

static int end(void **state)
{
    struct world *w = *state;
    char command[64];

    handover_free(w->old);
    control_socket_close(&w->socket);
    close(w->listening);
    (void)snprintf(command, sizeof(command), "rm -r %s", w->dir);
    assert_int_equal(system(command), 0);
    free(w);
    return 0;
}

/* Could anybody else have the folder? */
static bool is_locked(const struct world *w)
{
    char path[64];
    bool locked;
    int fd;

    (void)snprintf(path, sizeof(path), "%s/lock", w->dir);
    fd = open(path, O_RDWR | O_CLOEXEC);
    locked = flock(fd, LOCK_EX | LOCK_NB) != 0;
    close(fd);
    return locked;
}

static void test_the_lock_goes_over_without_being_let_go(void **state)
{
    struct world *w = *state;
    struct handed h;
    struct stat ours, theirs;
    char why[256];

    assert_int_equal(handover_ask(&h, w->dir, why, sizeof(why)), 0);
    assert_int_equal(h.pid, getpid());
    assert_int_equal(h.watchdog_us, 30000000);
    assert_int_equal(fstat(h.listen_fd, &theirs), 0);
    assert_int_equal(fstat(w->listening, &ours), 0);
    assert_int_equal(theirs.st_rdev, ours.st_rdev);
    assert_int_equal(atomic_load(&w->given), 0); /* not before everything is ready */
    handover_take(&h);
    assert_int_equal(atomic_load(&w->given), 1);
    control_socket_close(&w->socket); /* the old one lets go, and ends */
    assert_true(is_locked(w));
    handed_close(&h);
    assert_false(is_locked(w));
}

static void test_a_newcomer_that_dies_changes_nothing(void **state)
{
    struct world *w = *state;
    struct handed h;
    char why[256];

    assert_int_equal(handover_ask(&h, w->dir, why, sizeof(why)), 0);
    handed_close(&h);
    assert_int_equal(handover_ask(&h, w->dir, why, sizeof(why)), 0); /* the next one may try */
    assert_int_equal(atomic_load(&w->given), 0);
    handed_close(&h);
}

static void test_only_one_gets_it(void **state)
{
    struct world *w = *state;
    struct handed first, second;
    char why[256] = "";

    assert_int_equal(handover_ask(&first, w->dir, why, sizeof(why)), 0);
    handover_take(&first);
    assert_int_equal(handover_ask(&second, w->dir, why, sizeof(why)), -EPIPE);
    assert_non_null(strstr(why, "does not hand over"));
    assert_int_equal(atomic_load(&w->given), 1);
    handed_close(&first);
}

static void test_an_old_one_that_dies_has_given_all_the_same(void **state)
{
    struct world *w = *state;
    struct handed h;
    char why[256];

    assert_int_equal(handover_ask(&h, w->dir, why, sizeof(why)), 0);
    handover_free(w->old);
    w->old = NULL;
    handover_take(&h); /* returns, says so in the log */
    assert_true(h.listen_fd >= 0 && h.lock_fd >= 0);
    handed_close(&h);
}

static void test_where_nobody_runs_there_is_nothing_to_take(void **state)
{
    struct handed h;
    char why[256];

    (void)state;
    assert_int_equal(handover_ask(&h, "/tmp/no-such-folder", why, sizeof(why)), -ENOENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_the_lock_goes_over_without_being_let_go, begin, end),
        cmocka_unit_test_setup_teardown(test_a_newcomer_that_dies_changes_nothing, begin, end),
        cmocka_unit_test_setup_teardown(test_only_one_gets_it, begin, end),
        cmocka_unit_test_setup_teardown(test_an_old_one_that_dies_has_given_all_the_same, begin,
                                        end),
        cmocka_unit_test(test_where_nobody_runs_there_is_nothing_to_take),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
