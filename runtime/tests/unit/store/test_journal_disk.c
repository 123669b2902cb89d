/* SPDX-License-Identifier: Apache-2.0 */
/* The journal on a disk that really is full: a small file system of the test's own, which only root
 * may mount; others skip this. */
#include "fake_folder.h"
#include "observe/alarm.h"
#include "store/journal_reader.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum { WAIT_MS = 10000, LARGE = 60000, MEMORY_MAX = 4 << 20, BODIES_MAX = 400 };

static char large[LARGE + 32];

static bool mounted;

static int make(void **state)
{
    if (fake_folder_make(state))
        return -1;
    mounted = mount("tmpfs", *state, "tmpfs", 0, "size=7m") == 0;
    (void)snprintf(large, sizeof(large), "{\"text\":\"%0*d\"}", LARGE, 0);
    return 0;
}

static int tear_down(void **state)
{
    if (mounted)
        (void)umount2(*state, MNT_DETACH);
    alarm_reset();
    return fake_folder_remove(state);
}

static struct journal_gauges gauges(struct journal *j)
{
    struct journal_gauges g;

    journal_gauges(j, &g);
    return g;
}

static void nap(void)
{
    struct timespec t = {.tv_nsec = 2000000};

    (void)nanosleep(&t, NULL);
}

static int append_large(struct journal *j, uint32_t seq)
{
    struct journal_event e = *fake_event("CA1", seq);

    e.body = rd_str(large);
    return journal_append(j, &e);
}

/* How many until the memory that may wait is half full: from then on no call is taken. */
static uint32_t fill(struct journal *j)
{
    uint32_t n = 0;

    while (journal_accepts(j) && n < BODIES_MAX) {
        assert_int_equal(0, append_large(j, ++n));
        nap();
    }
    return n;
}

static void wait_until_durable(struct journal *j)
{
    for (int i = 0; i < WAIT_MS / 2 && gauges(j).waiting > 0; i++)
        nap();
    assert_int_equal(0, gauges(j).waiting);
}

static bool is_alarmed(const char *kind)
{
    struct alarm open[ALARMS_MAX];
    size_t n = alarm_list(open, ALARMS_MAX);

    for (size_t i = 0; i < n; i++)
        if (strcmp(open[i].kind, kind) == 0)
            return true;
    return false;
}

static void test_a_full_disk_stops_new_calls_loses_nothing_and_goes_on_when_there_is_room(
    void **state)
{
    struct journal_opts o = {.folder = *state, .memory_max = MEMORY_MAX};
    static uint32_t seqs[BODIES_MAX];
    struct journal *j = NULL;
    char why[200];
    uint32_t n;

    if (!mounted)
        skip();
    assert_int_equal(0, journal_start(&j, &o, why, sizeof(why)));
    n = fill(j);
    assert_true(n < BODIES_MAX);
    assert_false(journal_accepts(j));
    assert_int_equal(-ENOSPC, gauges(j).disk);
    assert_true(is_alarmed("journal.disk"));
    assert_int_equal(0, append_large(j, ++n)); /* what a call that goes on has to say still fits */
    assert_int_equal(0, gauges(j).lost);

    assert_int_equal(0, mount("tmpfs", *state, "tmpfs", MS_REMOUNT, "size=64m"));
    wait_until_durable(j);
    for (int i = 0; i < WAIT_MS / 2 && !journal_accepts(j); i++)
        nap(); /* the memory is given back a moment after the commit */
    assert_true(journal_accepts(j));
    assert_int_equal(0, gauges(j).disk);
    assert_false(is_alarmed("journal.disk"));
    journal_stop(j);
    {
        size_t found = 0;

        for (int i = 0; i < fake_files(*state); i++)
            found += fake_seqs(fake_file(*state, i), "CA1", seqs + found, BODIES_MAX - found);
        assert_int_equal(n, found);
        for (uint32_t i = 0; i < n; i++)
            assert_int_equal(i + 1, seqs[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            test_a_full_disk_stops_new_calls_loses_nothing_and_goes_on_when_there_is_room, make,
            tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
