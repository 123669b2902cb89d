/* SPDX-License-Identifier: Apache-2.0 */
/* The journal: order, groups, barriers, a full or broken disk, restarts. Real files; the disk breaks
 * by a limit on the size of files, which makes every write fail as an I/O error. */
#include "base/err.h"
#include "base/json.h"
#include "fake_folder.h"
#include "observe/alarm.h"
#include "observe/metrics.h"
#include "store/journal_reader.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum { WAIT_MS = 10000 };

static struct journal *start(const char *folder, size_t memory_max)
{
    struct journal *j = NULL;
    char why[200];

    assert_int_equal(
        0, journal_start(&j, &(struct journal_opts){.folder = folder, .memory_max = memory_max},
                         why, sizeof(why)));
    return j;
}

static void nap(void)
{
    struct timespec t = {.tv_nsec = 2000000};

    (void)nanosleep(&t, NULL);
}

static void note(void *arg, int rc)
{
    atomic_store((atomic_int *)arg, rc ? rc : 1);
}

/* What the barrier said: 1, or an error. */
static int barrier(struct journal *j)
{
    atomic_int said = 0;

    assert_int_equal(0, journal_barrier(j, note, &said));
    for (int i = 0; i < WAIT_MS / 2 && !said; i++)
        nap();
    return said;
}

static void append(struct journal *j, const char *stream, uint32_t from, uint32_t to)
{
    for (uint32_t seq = from; seq <= to; seq++)
        assert_int_equal(0, journal_append(j, fake_event(stream, seq)));
}

static struct journal_gauges gauges(struct journal *j)
{
    struct journal_gauges g;

    journal_gauges(j, &g);
    return g;
}

static bool open_alarm(const char *kind)
{
    struct alarm alarms[ALARMS_MAX];
    size_t n = alarm_list(alarms, ALARMS_MAX);

    for (size_t i = 0; i < n; i++)
        if (strcmp(alarms[i].kind, kind) == 0)
            return true;
    return false;
}

#define EVENTUALLY(what)                                                \
    do {                                                                \
        for (int tries_ = 0; !(what) && tries_ < WAIT_MS / 2; tries_++) \
            nap();                                                      \
        assert_true(what);                                              \
    } while (0)

/* Nothing can be written any more, or everything again. */
static void break_disk(bool broken)
{
    struct rlimit r;

    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(0, getrlimit(RLIMIT_FSIZE, &r));
    r.rlim_cur = broken ? 0 : r.rlim_max;
    assert_int_equal(0, setrlimit(RLIMIT_FSIZE, &r));
}

static int mend_and_remove(void **state)
{
    break_disk(false);
    alarm_reset();
    return fake_folder_remove(state);
}

/* Adds up every file of the folder: each seq 1…n of the stream once, in the order of the files. */
static void assert_all_kept(const char *folder, const char *stream, uint32_t n)
{
    static uint32_t seqs[20000];
    size_t found = 0;

    for (int i = 0; i < fake_files(folder); i++)
        found += fake_seqs(fake_file(folder, i), stream, seqs + found, 20000 - found);
    assert_int_equal(n, found);
    for (uint32_t i = 0; i < n; i++)
        assert_int_equal(i + 1, seqs[i]);
}

/* ---- success ---- */

static void test_events_reach_the_disk_in_order_and_the_barrier_says_so(void **state)
{
    struct journal *j = start(*state, 0);

    append(j, "CA1", 1, 1000);
    assert_int_equal(1, barrier(j));
    assert_int_equal(0, gauges(j).waiting);
    assert_int_equal(0, gauges(j).disk);
    assert_all_kept(*state, "CA1", 1000);
    journal_stop(j);
    assert_all_kept(*state, "CA1", 1000);
}

static void test_what_waits_together_is_committed_together(void **state)
{
    struct journal *j = start(*state, 0);
    uint64_t generation, seen = 0, commits;
    struct journal_file *f = journal_reader_begin(j, &generation);

    assert_non_null(f);
    journal_reader_end(j);
    append(j, "CA1", 1, 5000);
    assert_int_equal(1, barrier(j));
    journal_wait(j, &seen, 0); /* `seen` is now the number of commits */
    commits = seen;
    assert_in_range(commits, 5000 / 256, 2500);
    journal_stop(j);
}

/* What a shipper tells that PostgreSQL takes events. */
static void tell_shipping(struct journal *j)
{
    journal_report(j, &(struct journal_report){.shipping = true, .database_error = ""});
}

static void ask_shared(struct journal *j, atomic_int *said)
{
    atomic_store(said, 0);
    assert_int_equal(0, journal_barrier_shared(j, note, said));
    assert_int_equal(1, barrier(j)); /* it is on the disk */
}

static void test_a_write_is_known_elsewhere_before_it_happens(void **state)
{
    struct journal *j = start(*state, 0);
    atomic_int said, later;

    tell_shipping(j);
    append(j, "CA1", 1, 3);
    ask_shared(j, &said);
    append(j, "CA1", 4, 4);
    ask_shared(j, &later);
    journal_shipped(j, 2);
    assert_int_equal(0, said);
    journal_shipped(j, 3);
    assert_int_equal(1, said);
    assert_int_equal(0, later);
    journal_shipped(j, 4);
    assert_int_equal(1, later);
    ask_shared(j, &said); /* nothing is missing there */
    assert_int_equal(1, said);
    journal_stop(j);
}

static void test_a_write_waits_for_a_slow_database_only_for_a_moment(void **state)
{
    struct journal *j = start(*state, 0);
    atomic_int said;
    int waited = 0;

    tell_shipping(j);
    append(j, "CA1", 1, 3);
    ask_shared(j, &said);
    for (; waited < WAIT_MS / 2 && !said; waited++)
        nap();
    assert_int_equal(1, said);
    assert_in_range(waited, 50,
                    2000); /* naps of two milliseconds or a little more; 300 ms are meant */
    append(j, "CA1", 4, 4);
    ask_shared(j, &said);
    journal_stop(j);
    assert_int_equal(1, said);
}

static void test_a_write_does_not_wait_for_a_database_that_is_away(void **state)
{
    struct journal *j = start(*state, 0);
    atomic_int said;

    append(j, "CA1", 1, 3);
    ask_shared(j, &said);
    assert_int_equal(1, said);
    journal_stop(j);
}

static void test_a_barrier_with_nothing_before_it_is_answered_at_once(void **state)
{
    struct journal *j = start(*state, 0);

    assert_int_equal(1, barrier(j));
    journal_stop(j);
    assert_int_equal(0, fake_files(*state));
}

static void test_stopping_writes_what_waits(void **state)
{
    struct journal *j = start(*state, 0);

    append(j, "CA1", 1, 3000);
    journal_stop(j);
    assert_all_kept(*state, "CA1", 3000);
}

static void test_a_body_above_the_limit_is_cut_and_still_json(void **state)
{
    static char body[90000];
    struct journal *j = start(*state, 0);
    struct journal_event e = *fake_event("CA1", 1);
    struct journal_file *f = NULL;
    struct journal_row *row = NULL;
    struct json_value v, bytes;
    uint64_t n = 0;

    /* Two-byte letters from an odd place on, so that a cut at 32768 would part one. */
    (void)snprintf(body, sizeof(body), "{\"t\":\"x");
    for (size_t i = 7; i + 2 < sizeof(body); i += 2)
        memcpy(body + i, "\xC3\xA9", 2);
    memcpy(body + sizeof(body) - 3, "\"}", 3);
    e.body = (struct rd_str){body, sizeof(body) - 1};
    assert_int_equal(0, journal_append(j, &e));
    memset(body, '\001', sizeof(body)); /* each becomes six */
    e.seq = 2;
    assert_int_equal(0, journal_append(j, &e));
    assert_int_equal(1, barrier(j));
    journal_stop(j);

    assert_int_equal(0, journal_file_look(&f, fake_file(*state, 0)));
    for (int i = 0; i < 2; i++) {
        assert_int_equal(1, journal_file_read(f, i, 1, SIZE_MAX, &row));
        assert_true(row->event.body.n <= JOURNAL_BODY_MAX);
        assert_int_equal(0, json_parse(row->event.body, &v));
        bytes = json_get(&v, "bytes");
        assert_true(json_u64(&bytes, &n));
        assert_int_equal(sizeof(body) - 1, n);
        assert_null(strstr(row->event.body.p, "\xEF\xBF\xBD")); /* no parted letter */
        free(row);
    }
    journal_file_close(f);
}

static void test_each_start_has_a_file_of_its_own(void **state)
{
    for (int i = 0; i < 3; i++) {
        struct journal *j = start(*state, 0);

        append(j, "CA1", (uint32_t)i + 1, (uint32_t)i + 1);
        journal_stop(j);
    }
    assert_int_equal(3, fake_files(*state));
    assert_all_kept(*state, "CA1", 3);
}

static void test_what_is_no_event_is_refused_and_counted(void **state)
{
    struct journal *j = start(*state, 0);
    struct journal_event e = *fake_event("CA1", 1);

    e.stream = RD_STR("");
    assert_int_equal(-EINVAL, journal_append(j, &e));
    e = *fake_event("a name that is far longer than any carrier's call identifier could be", 1);
    assert_int_equal(-EINVAL, journal_append(j, &e));
    e = *fake_event("CA1", 1);
    e.type = "";
    assert_int_equal(-EINVAL, journal_append(j, &e));
    assert_int_equal(3, gauges(j).lost);
    journal_stop(j);
}

/* ---- failure ---- */

static void test_a_folder_that_cannot_be_written_is_said_with_its_remedy(void **state)
{
    struct journal *j = NULL;
    char why[200];

    (void)state;
    assert_true(
        journal_start(&j, &(struct journal_opts){.folder = "/proc/journal"}, why, sizeof(why)) < 0);
    assert_non_null(strstr(why, "/proc/journal"));
    assert_null(j);
}

static void test_while_the_disk_fails_events_wait_and_then_all_arrive(void **state)
{
    struct journal *j = start(*state, 0);

    append(j, "CA1", 1, 10);
    assert_int_equal(1, barrier(j));
    break_disk(true);
    append(j, "CA1", 11, 500);
    EVENTUALLY(open_alarm("journal.disk"));
    assert_int_equal(-EIO, barrier(j));
    assert_true(gauges(j).disk < 0);
    assert_int_equal(490, gauges(j).waiting);
    break_disk(false);
    EVENTUALLY(gauges(j).waiting == 0);
    EVENTUALLY(!open_alarm("journal.disk"));
    assert_int_equal(0, gauges(j).disk);
    assert_int_equal(0, gauges(j).lost);
    journal_stop(j);
    assert_all_kept(*state, "CA1", 500);
}

static void test_half_full_takes_no_calls_and_full_refuses_and_says_so(void **state)
{
    struct journal *j = start(*state, 64 << 10);
    uint32_t seq = 0;
    int rc = 0;

    break_disk(true);
    while (journal_accepts(j))
        assert_int_equal(0, journal_append(j, fake_event("CA1", ++seq)));
    assert_int_equal(0,
                     journal_append(j, fake_event("CA1", ++seq))); /* calls that are there go on */
    while ((rc = journal_append(j, fake_event("CA1", seq + 1))) == 0)
        seq++;
    assert_int_equal(RD_EFULL, rc);
    assert_int_equal(1, gauges(j).lost);
    EVENTUALLY(open_alarm("journal.full"));
    break_disk(false);
    EVENTUALLY(journal_accepts(j));
    EVENTUALLY(!open_alarm("journal.full"));
    journal_stop(j);
    assert_all_kept(*state, "CA1", seq);
}

static void test_a_damaged_live_file_is_replaced_and_nothing_that_waits_is_lost(void **state)
{
    struct journal *j = start(*state, 0);
    char first[PATH_MAX];
    struct journal_file *f;
    uint64_t before, after;

    append(j, "CA1", 1, 10);
    assert_int_equal(1, barrier(j));
    f = journal_reader_begin(j, &before);
    (void)rd_str_copy(first, sizeof(first), rd_str(journal_file_path(f)));
    journal_reader_end(j);
    journal_reader_damaged(j); /* as the shipper does */
    append(j, "CA1", 11, 20);
    assert_int_equal(1, barrier(j));
    EVENTUALLY(open_alarm("journal.damaged"));
    f = journal_reader_begin(j, &after);
    assert_true(after > before);
    assert_string_not_equal(first, journal_file_path(f));
    journal_reader_end(j);
    journal_stop(j);
    assert_int_equal(1, fake_files(*state));
    assert_all_kept(*state, "CA1", 20);
}

/* A process appends at random, in groups, and says how far it certainly was; then it is killed. */
static uint32_t run_and_kill(const char *folder, uint32_t from, unsigned seed)
{
    int told[2], status;
    uint32_t certain = from, last;
    pid_t child;

    assert_int_equal(0, pipe(told));
    child = fork();
    if (child == 0) {
        struct journal *j = start(folder, 0);

        close(told[0]);
        for (uint32_t seq = from + 1;; seq++) {
            (void)journal_append(j, fake_event("CA1", seq));
            if (rand_r(&seed) % 20 == 0 && barrier(j) == 1)
                (void)!write(told[1], &seq, sizeof(seq));
        }
    }
    close(told[1]);
    for (int n = rand_r(&seed) % 40 + 1; n > 0; n--)
        if (read(told[0], &last, sizeof(last)) == sizeof(last))
            certain = last;
    (void)kill(child, SIGKILL);
    while (read(told[0], &last, sizeof(last)) == sizeof(last))
        certain = last;
    assert_int_equal(child, waitpid(child, &status, 0));
    close(told[0]);
    return certain;
}

static void test_kill_9_at_any_moment_loses_nothing_that_was_durable(void **state)
{
    uint32_t seqs[20000];

    for (unsigned round = 1; round <= 8; round++) {
        uint32_t certain = run_and_kill(*state, 0, round);
        size_t n = fake_seqs(fake_file(*state, (int)round - 1), "CA1", seqs, 20000);

        assert_true(n >= certain);
        for (uint32_t i = 0; i < n; i++)
            assert_int_equal(i + 1, seqs[i]); /* in order, without a gap, each once */
    }
}

#define T(name) cmocka_unit_test_setup_teardown(name, fake_folder_make, mend_and_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_events_reach_the_disk_in_order_and_the_barrier_says_so),
        T(test_a_write_is_known_elsewhere_before_it_happens),
        T(test_a_write_waits_for_a_slow_database_only_for_a_moment),
        T(test_a_write_does_not_wait_for_a_database_that_is_away),
        T(test_what_waits_together_is_committed_together),
        T(test_a_barrier_with_nothing_before_it_is_answered_at_once),
        T(test_stopping_writes_what_waits),
        T(test_a_body_above_the_limit_is_cut_and_still_json),
        T(test_each_start_has_a_file_of_its_own),
        T(test_what_is_no_event_is_refused_and_counted),
        T(test_a_folder_that_cannot_be_written_is_said_with_its_remedy),
        T(test_while_the_disk_fails_events_wait_and_then_all_arrive),
        T(test_half_full_takes_no_calls_and_full_refuses_and_says_so),
        T(test_a_damaged_live_file_is_replaced_and_nothing_that_waits_is_lost),
        T(test_kill_9_at_any_moment_loses_nothing_that_was_durable),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
