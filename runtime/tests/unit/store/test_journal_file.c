/* SPDX-License-Identifier: Apache-2.0 */
/* One journal file: order, ownership, dead letters, erasing, damage. Real files. */
#include "fake_folder.h"
#include "observe/alarm.h"
#include "store/journal_folder.h"
#include "store/journal_salvage.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { MANY = 3000 };

static struct journal_file *create(const char *folder)
{
    struct journal_file *f = NULL;

    assert_int_equal(0, journal_file_create(&f, folder));
    return f;
}

static void append(struct journal_file *f, const char *stream, uint32_t seq)
{
    const struct journal_event *e = fake_event(stream, seq);

    assert_int_equal(0, journal_file_append(f, &e, 1));
}

static void append_many(struct journal_file *f, const char *stream, uint32_t n)
{
    static struct journal_event events[MANY];
    static const struct journal_event *all[MANY];

    for (uint32_t seq = 1; seq <= n; seq++) {
        events[seq - 1] = *fake_event(stream, seq);
        all[seq - 1] = &events[seq - 1];
    }
    assert_int_equal(0, journal_file_append(f, all, n));
}

static struct journal_counts counts(struct journal_file *f)
{
    struct journal_counts c;

    assert_int_equal(0, journal_file_counts(f, &c));
    return c;
}

static struct journal_row *first_row(struct journal_file *f, int64_t after)
{
    struct journal_row *row = NULL;

    assert_int_equal(1, journal_file_read(f, after, 1, SIZE_MAX, &row));
    return row;
}

static void test_events_come_out_as_they_went_in(void **state)
{
    struct journal_file *f = create(*state);
    struct journal_row *rows[3];

    append(f, "CA1", 1);
    append(f, "CA2", 1);
    append(f, "CA1", 2);
    assert_int_equal(3, journal_file_read(f, 0, 3, SIZE_MAX, rows));
    assert_string_equal("CA2", rows[1]->event.stream.p);
    assert_int_equal(2, rows[2]->event.seq);
    assert_string_equal("turn", rows[2]->event.type);
    assert_string_equal("{\"n\":2}", rows[2]->event.body.p);
    assert_true(rows[2]->event.started_us == 1790000000000000);
    assert_true(rows[2]->event.epoch == 1790000000000001);
    assert_true(rows[2]->event.at_us == 1790000000000002);
    assert_int_equal(0, rows[2]->tries);
    journal_rows_free(rows, 3);
    assert_int_equal(3, counts(f).events);
    assert_true(counts(f).oldest_us == 1790000000000001);
    journal_file_close(f);
}

static void test_ids_are_never_used_twice(void **state)
{
    struct journal_file *f = create(*state);
    struct journal_row *row;

    append(f, "CA1", 1);
    assert_int_equal(0, journal_file_acknowledge(f, 1));
    append(f, "CA1", 2);
    row = first_row(f, 0);
    assert_int_equal(2, row->id);
    free(row);
    assert_int_equal(1, counts(f).events);
    journal_file_close(f);
}

static void test_a_file_has_one_owner(void **state)
{
    struct journal_file *f = create(*state), *other = NULL;
    const char *path = journal_file_path(f);
    struct stat st;

    assert_true(journal_locked(path));
    assert_int_equal(-EBUSY, journal_file_adopt(&other, path));
    assert_int_equal(0, stat(path, &st));
    assert_int_equal(0600, st.st_mode & 0777);
    append(f, "CA1", 1);
    journal_file_close(f);

    path = fake_file(*state, 0);
    assert_false(journal_locked(path));
    assert_int_equal(0, journal_file_adopt(&other, path));
    assert_int_equal(1, counts(other).events);
    journal_file_close(other);
}

static void test_a_killed_process_leaves_its_events_to_one_heir(void **state)
{
    struct journal_file *one = NULL, *two = NULL;
    int ready[2], status;
    char byte;
    pid_t child;

    assert_int_equal(0, pipe(ready));
    child = fork();
    if (child == 0) {
        struct journal_file *f = NULL;
        const struct journal_event *e = fake_event("CA1", 1);

        if (journal_file_create(&f, *state) || journal_file_append(f, &e, 1))
            _exit(1);
        (void)!write(ready[1], "x", 1);
        for (;;)
            (void)pause();
    }
    assert_int_equal(1, read(ready[0], &byte, 1));
    assert_int_equal(-EBUSY, journal_file_adopt(&one, fake_file(*state, 0)));
    (void)kill(child, SIGKILL);
    assert_int_equal(child, waitpid(child, &status, 0));
    assert_int_equal(0, journal_file_adopt(&one, fake_file(*state, 0)));
    assert_int_equal(-EBUSY, journal_file_adopt(&two, fake_file(*state, 0)));
    assert_int_equal(1, counts(one).events);
    journal_file_close(one);
    close(ready[0]);
    close(ready[1]);
}

static void test_what_is_shipped_entirely_is_removed_with_everything_beside_it(void **state)
{
    struct journal_file *f = create(*state);
    char command[PATH_MAX];

    append(f, "CA1", 1);
    journal_file_finish(f);
    assert_int_equal(1, fake_files(*state));

    assert_int_equal(0, journal_file_adopt(&f, fake_file(*state, 0)));
    assert_int_equal(0, journal_file_acknowledge(f, 1));
    journal_file_finish(f);
    (void)snprintf(command, sizeof(command), "test -z \"$(ls '%s')\"", (char *)*state);
    assert_int_equal(0, system(command)); /* NOLINT(bugprone-command-processor) */
    assert_int_equal(-ENOENT, journal_file_adopt(&f, "/nowhere/1790000000000000-1.db"));
}

static void test_a_dead_letter_keeps_its_reason_and_comes_back_behind_the_others(void **state)
{
    struct journal_file *f = create(*state);
    struct journal_row *row = NULL;

    append(f, "CA1", 1);
    append(f, "CA1", 2);
    assert_int_equal(0, journal_file_bury(f, 1, "23514: no such state"));
    assert_int_equal(1, counts(f).events);
    assert_int_equal(1, counts(f).dead);
    assert_int_equal(1, journal_file_dead(f, 0, 1, &row));
    assert_string_equal("23514: no such state", row->reason);
    assert_string_equal("{\"n\":1}", row->event.body.p);
    assert_int_equal(1, row->tries);
    assert_true(row->dead_us > 1700000000000000);
    free(row);

    assert_int_equal(1, journal_file_retry(f, 0));
    assert_int_equal(0, counts(f).dead);
    row = first_row(f, 2);
    assert_int_equal(3, row->id);
    assert_int_equal(1, row->event.seq);
    free(row);
    assert_int_equal(0, journal_file_bury(f, 3, "again"));
    assert_int_equal(1, journal_file_dead(f, 0, 1, &row));
    assert_int_equal(2, row->tries);
    assert_int_equal(1, journal_file_retry(f, row->id));
    assert_int_equal(0, journal_file_retry(f, row->id));
    free(row);
    journal_file_close(f);
}

static bool file_contains(const char *path, const char *needle)
{
    char command[PATH_MAX + 100];

    (void)snprintf(command, sizeof(command), "cat '%s' '%s-wal' 2>/dev/null | grep -qaF '%s'", path,
                   path, needle);
    return system(command) == 0; /* NOLINT(bugprone-command-processor) */
}

static void test_an_erased_caller_leaves_no_bytes_behind(void **state)
{
    static const char *const streams[] = {"CA1"};
    struct journal_file *f = create(*state);
    struct journal_event e = *fake_event("CA2", 1);
    const struct journal_event *p = &e;
    struct journal_row *row;

    e.body = RD_STR("{\"from\":\"+13125550142\"}");
    assert_int_equal(0, journal_file_append(f, &p, 1));
    append(f, "CA3", 1);
    e.stream = RD_STR("CA1"), e.body = RD_STR("{\"text\":\"my secret sorrow\"}");
    assert_int_equal(0, journal_file_append(f, &p, 1));
    e.seq = 2;
    assert_int_equal(0, journal_file_append(f, &p, 1));
    assert_int_equal(0, journal_file_bury(f, 4, "because of +13125550142"));
    assert_true(file_contains(journal_file_path(f), "secret sorrow"));

    assert_int_equal(3, journal_file_scrub(f, streams, 1, "+13125550142"));
    assert_false(file_contains(journal_file_path(f), "secret sorrow"));
    assert_false(file_contains(journal_file_path(f), "+13125550142"));
    row = first_row(f, 0);
    assert_string_equal("{\"erased\":true}", row->event.body.p);
    free(row);
    row = first_row(f, 1);
    assert_string_equal("{\"n\":1}", row->event.body.p);
    free(row);
    journal_file_close(f);
}

/* ---- damage ---- */

/* The page that holds the middle one of the pages with events. */
static off_t middle_page(const char *path)
{
    static char page[4096];
    off_t pages[1000] = {0}, at = 0;
    size_t n = 0;
    int fd = open(path, O_RDONLY);

    while (pread(fd, page, sizeof(page), at) == (ssize_t)sizeof(page)) {
        if (n < 1000 && memmem(page, sizeof(page), "CA1", 3))
            pages[n++] = at;
        at += (off_t)sizeof(page);
    }
    close(fd);
    assert_true(n > 10);
    return pages[n / 2];
}

static struct journal_file *damaged_in_the_middle(const char *folder)
{
    struct journal_file *f = create(folder);
    unsigned char junk[4096];
    int fd;

    append_many(f, "CA1", MANY);
    assert_int_equal(0, journal_file_bury(f, 1, "for the dead table"));
    journal_file_close(f);
    memset(junk, 0xA5, sizeof(junk));
    fd = open(fake_file(folder, 0), O_WRONLY);
    assert_int_equal(sizeof(junk),
                     pwrite(fd, junk, sizeof(junk), middle_page(fake_file(folder, 0))));
    close(fd);
    assert_int_equal(0, journal_file_adopt(&f, fake_file(folder, 0)));
    return f;
}

static void test_around_a_damaged_page_everything_else_is_read(void **state)
{
    struct journal_file *f = damaged_in_the_middle(*state);
    struct journal_salvaged out;
    struct alarm alarms[4];
    static uint32_t seqs[MANY];
    char why[100];
    size_t n;

    alarm_reset();
    assert_int_equal(-EUCLEAN, journal_file_verify(f, why, sizeof(why)));
    assert_int_equal(0, journal_salvage(&f, &out));
    assert_int_equal(MANY - 1, out.events + out.unreadable);
    assert_in_range(out.unreadable, 1, 200);
    assert_int_equal(1, out.dead);
    assert_int_equal(0, access(out.aside, R_OK));
    assert_int_equal(1, journal_folder_damaged(*state));
    assert_int_equal(1, alarm_list(alarms, 4));
    assert_string_equal("journal.damaged", alarms[0].kind);

    assert_int_equal(0, journal_file_verify(f, why, sizeof(why)));
    assert_int_equal(out.events, counts(f).events);
    n = fake_seqs(journal_file_path(f), "CA1", seqs, MANY);
    assert_int_equal(out.events, n);
    for (size_t i = 1; i < n; i++)
        assert_true(seqs[i - 1] < seqs[i]);
    assert_int_equal(MANY, seqs[n - 1]);
    journal_file_close(f);
    assert_int_equal(1, fake_files(*state));
    alarm_reset();
}

static void test_a_file_without_a_readable_header_is_kept_for_a_person(void **state)
{
    struct journal_file *f = create(*state);
    struct journal_salvaged out;
    char why[100];
    int fd;

    append(f, "CA1", 1);
    journal_file_close(f);
    fd = open(fake_file(*state, 0), O_WRONLY);
    assert_int_equal(16, pwrite(fd, "no database here", 16, 0));
    close(fd);
    assert_int_equal(0, journal_file_adopt(&f, fake_file(*state, 0)));
    assert_int_equal(-EUCLEAN, journal_file_verify(f, why, sizeof(why)));
    assert_int_equal(0, journal_salvage(&f, &out));
    assert_int_equal(0, out.events);
    assert_int_equal(0, access(out.aside, R_OK));
    journal_file_finish(f);
    assert_int_equal(0, fake_files(*state));
    alarm_reset();
}

static void test_a_new_file_sorts_behind_the_old_ones(void **state)
{
    struct journal_file *one = create(*state), *two = create(*state);

    assert_string_equal(journal_file_path(one), fake_file(*state, 0));
    assert_string_equal(journal_file_path(two), fake_file(*state, 1));
    journal_file_finish(one);
    journal_file_finish(two);
}

#define T(name) cmocka_unit_test_setup_teardown(name, fake_folder_make, fake_folder_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_events_come_out_as_they_went_in),
        T(test_ids_are_never_used_twice),
        T(test_a_file_has_one_owner),
        T(test_a_killed_process_leaves_its_events_to_one_heir),
        T(test_what_is_shipped_entirely_is_removed_with_everything_beside_it),
        T(test_a_dead_letter_keeps_its_reason_and_comes_back_behind_the_others),
        T(test_an_erased_caller_leaves_no_bytes_behind),
        T(test_around_a_damaged_page_everything_else_is_read),
        T(test_a_file_without_a_readable_header_is_kept_for_a_person),
        T(test_a_new_file_sorts_behind_the_old_ones),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
