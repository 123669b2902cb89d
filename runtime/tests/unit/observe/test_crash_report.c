/* SPDX-License-Identifier: Apache-2.0 */
/* Notes of crashes: real ones, cut ones, and what somebody else put there. */
#include "base/err.h"
#include "base/json.h"
#include "base/log.h"
#include "observe/alarm.h"
#include "observe/crash_report.h"
#include "observe/sentry.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[64];
static struct crash_report report;
static char paths[CRASH_REPORTS][PATH_MAX];

static struct {
    char event[64], signal[32], at[200];
    unsigned n;
} logged;

static void on_line(enum log_level level, const char *event, const struct log_field *f, int n)
{
    if (level > LOG_WARN || strcmp(event, "alarm") == 0)
        return;
    logged.n++;
    (void)snprintf(logged.event, sizeof(logged.event), "%s", event);
    for (int i = 0; i < n; i++) {
        if (strcmp(f[i].key, "signal") == 0)
            (void)snprintf(logged.signal, sizeof(logged.signal), "%s", f[i].str);
        if (strcmp(f[i].key, "at") == 0)
            (void)snprintf(logged.at, sizeof(logged.at), "%s", f[i].str);
    }
}

static int set_up(void **state)
{
    (void)state;
    memset(&logged, 0, sizeof(logged));
    alarm_reset();
    (void)snprintf(folder, sizeof(folder), "/tmp/report-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int tear_down(void **state)
{
    char command[100];

    (void)state;
    (void)snprintf(command, sizeof(command), "rm -rf %s", folder);
    return system(command);
}

static const char *put(const char *name, const char *text, size_t n)
{
    static char path[200];
    FILE *f;

    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    f = fopen(path, "we");
    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
    return path;
}

static int reads(const char *text)
{
    return crash_report_read(&report, put("crash-1-1", text, strlen(text)));
}

/* --- a real one --- */

static void trip_over_a_wire(void)
{
    volatile char *p = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    *p = 1;
}

static void crash_a_child(void)
{
    const struct rlimit none = {0, 0};
    pid_t child = fork();
    int status;

    assert_true(child >= 0);
    if (child == 0) {
        (void)setrlimit(RLIMIT_CORE, &none);
        (void)signal(SIGSEGV, SIG_DFL);
        if (crash_start(folder, "box", "ringdown@1"))
            _exit(3);
        trip_over_a_wire();
        _exit(4);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
}

/* As the process that starts again knows its own functions. */
static void know_ourselves(void)
{
    assert_int_equal(crash_start(folder, "box", "ringdown@2"), 0);
    crash_stop();
}

static void test_a_real_crash_has_the_function_it_was_in(void **state)
{
    bool found = false;

    (void)state;
    crash_a_child();
    know_ourselves();
    assert_int_equal(crash_reports(folder, paths), 1);
    assert_int_equal(crash_report_read(&report, paths[0]), 0);
    assert_int_equal(report.signal, SIGSEGV);
    assert_false(report.sent);
    assert_true(report.whole);
    assert_string_equal(report.node, "box");
    assert_string_equal(report.release, "ringdown@1");
    assert_true(report.unix_s > 1700000000);
    assert_true(report.n_frames >= 3);
    assert_string_equal(report.frames[0].function, "trip_over_a_wire");
    for (size_t i = 0; i < report.n_frames; i++)
        found |= strcmp(report.frames[i].function, "crash_a_child") == 0;
    assert_true(found);
}

static void test_it_is_told_once_in_the_log_and_as_an_alarm(void **state)
{
    struct alarm open[4];

    (void)state;
    crash_a_child();
    know_ourselves();
    log_take(on_line);
    assert_true(crash_reports_tell(folder));
    log_take(NULL);
    assert_int_equal(logged.n, 1);
    assert_string_equal(logged.event, "process.crashed");
    assert_string_equal(logged.signal, "SIGSEGV");
    assert_string_equal(logged.at, "trip_over_a_wire");
    assert_int_equal(alarm_list(open, 4), 1);
    assert_string_equal(open[0].kind, "process.crashed");
    assert_int_equal(open[0].severity, ALARM_CRITICAL);
    assert_non_null(strstr(open[0].text, "SIGSEGV in thread test_crash_repo, at trip_over"));
}

/* Sentry is away for days, and the process starts again meanwhile, as it should. */
static void test_a_note_that_waits_for_sentry_is_not_told_again(void **state)
{
    struct alarm open[4];

    (void)state;
    crash_a_child();
    log_take(on_line);
    assert_true(crash_reports_tell(folder));
    alarm_reset();
    assert_true(crash_reports_tell(folder)); /* it is there, for Sentry */
    log_take(NULL);
    assert_int_equal(logged.n, 1);
    assert_int_equal(alarm_list(open, 4), 0);
    assert_int_equal(crash_reports(folder, paths), 1);
    assert_int_equal(crash_report_read(&report, paths[0]), 0);
    assert_int_equal(report.signal, SIGSEGV);
    (void)put("crash-1-2-tolds", "x", 1); /* somebody's own */
    assert_int_equal(crash_reports(folder, paths), 1);
}

static void test_sentry_hears_a_fatal_event_the_oldest_frame_first(void **state)
{
    const struct sentry_about about = {.release = "ringdown@2",
                                       .environment = "test",
                                       .node = "other",
                                       .id = "8b81de3256e64f50ae2eaa29a5a4ea43"};
    struct json_value v;
    struct buf out;

    (void)state;
    crash_a_child();
    know_ourselves();
    assert_int_equal(crash_reports(folder, paths), 1);
    assert_int_equal(crash_report_read(&report, paths[0]), 0);
    buf_init(&out, 200 * 1024);
    assert_int_equal(sentry_crash(&out, &report, &about), 0);
    assert_non_null(buf_text(&out));
    assert_int_equal(json_parse((struct rd_str){out.data, out.n}, &v), 0);
    assert_non_null(strstr(out.data, "\"level\":\"fatal\""));
    assert_non_null(strstr(out.data, "\"release\":\"ringdown@1\"")); /* of the one that crashed */
    assert_non_null(strstr(out.data, "\"type\":\"SIGSEGV\""));
    assert_non_null(strstr(out.data, "\"handled\":false"));
    assert_true(strstr(out.data, "trip_over_a_wire") > strstr(out.data, "crash_a_child"));
    assert_non_null(strstr(out.data, "\"type\":\"elf\",\"code_id\":\""));
    assert_null(strchr(out.data, '/')); /* no folder, so nobody's name in one */
    buf_fini(&out);
}

/* --- others --- */

#define HEAD "ringdown crash 1\nnode box\nrelease r\nsignal 11 1\n"

static void test_a_note_that_is_cut_is_told_as_far_as_it_goes(void **state)
{
    (void)state;
    assert_int_equal(
        reads(HEAD "address 10\nthread media\ntime 5\nframe 7f00 1b3 ringdown 0f3e\nframe 7"), 0);
    assert_false(report.whole);
    assert_int_equal(report.address, 16);
    assert_int_equal(report.n_frames, 1);
    assert_string_equal(report.frames[0].build, "0f3e");
}

static void test_what_nobody_of_us_wrote_is_left_out(void **state)
{
    static char long_one[20000];
    char name[160];

    (void)state;
    assert_int_equal(reads("hello"), RD_EPROTO);
    assert_int_equal(reads(""), RD_EPROTO);
    assert_int_equal(reads("ringdown crash 1\nnode x\n"), RD_EPROTO); /* of no signal */
    assert_int_equal(reads("ringdown crash 1\nsignal 99999999999999999999 1\n"), RD_EPROTO);
    assert_int_equal(reads("ringdown crash 1\nsignal -11 1\n"), RD_EPROTO);
    assert_int_equal(crash_report_read(&report, put("crash-1-2", "ringdown\0crash", 14)),
                     RD_EPROTO);
    memset(long_one, 'x', sizeof(long_one));
    assert_int_equal(crash_report_read(&report, put("crash-1-3", long_one, sizeof(long_one))),
                     RD_ETOOBIG);
    assert_int_equal(reads(HEAD
                           "thread \x1b[2J\xff\" evil\nframe zz 1 m -\nframe 1\nframe 1 2 ../m\x07 "
                           "not-hex\nunknown 7\n\n"),
                     0);
    assert_string_equal(report.thread, "?[2J?\" evil");
    assert_int_equal(report.n_frames, 1);
    assert_string_equal(report.frames[0].build, "");
    crash_frame_name(&report.frames[0], name, sizeof(name));
    assert_string_equal(name, "../m?+0x2");
}

static void test_more_frames_than_there_is_room_for_are_left_out(void **state)
{
    char text[8192] = HEAD;

    (void)state;
    for (int i = 0; i < 2 * CRASH_FRAMES; i++)
        strcat(text, "frame 1 2 m 0f\n");
    assert_int_equal(reads(text), 0);
    assert_int_equal(report.n_frames, CRASH_FRAMES);
}

static void test_links_and_pipes_are_not_followed(void **state)
{
    char path[200];

    (void)state;
    (void)snprintf(path, sizeof(path), "%s/crash-1-1", folder);
    assert_int_equal(symlink("/etc/passwd", path), 0);
    assert_int_equal(crash_report_read(&report, path), -ELOOP);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(crash_report_read(&report, path), RD_EPROTO);
    log_take(on_line);
    assert_true(crash_reports_tell(folder));
    log_take(NULL);
    assert_string_equal(logged.event, "process.no_report");
    assert_int_equal(crash_reports(folder, paths), 0); /* it is looked at once */
}

static void test_of_a_process_that_crashes_all_the_time_the_last_are_kept(void **state)
{
    char name[64], last[PATH_MAX];

    (void)state;
    for (int i = 0; i < CRASH_REPORTS + 5; i++) {
        (void)snprintf(name, sizeof(name), "crash-179532%04d-77", i);
        (void)put(name, HEAD, strlen(HEAD));
    }
    (void)put("crashes.txt", "x", 1); /* somebody's own */
    assert_int_equal(crash_reports(folder, paths), CRASH_REPORTS);
    (void)snprintf(last, sizeof(last), "%s/%s", folder, name);
    assert_string_equal(paths[CRASH_REPORTS - 1], last);
    (void)snprintf(last, sizeof(last), "%s/crash-1795320000-77", folder);
    assert_int_equal(access(last, F_OK), -1);
    (void)snprintf(last, sizeof(last), "%s/crashes.txt", folder);
    assert_int_equal(access(last, F_OK), 0);
}

static void test_where_nobody_crashed_nothing_is_told(void **state)
{
    (void)state;
    assert_false(crash_reports_tell(folder));
    assert_false(crash_reports_tell("/nowhere at all"));
}

int main(void)
{
#define IN_A_FOLDER(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        IN_A_FOLDER(test_a_real_crash_has_the_function_it_was_in),
        IN_A_FOLDER(test_it_is_told_once_in_the_log_and_as_an_alarm),
        IN_A_FOLDER(test_a_note_that_waits_for_sentry_is_not_told_again),
        IN_A_FOLDER(test_sentry_hears_a_fatal_event_the_oldest_frame_first),
        IN_A_FOLDER(test_a_note_that_is_cut_is_told_as_far_as_it_goes),
        IN_A_FOLDER(test_what_nobody_of_us_wrote_is_left_out),
        IN_A_FOLDER(test_more_frames_than_there_is_room_for_are_left_out),
        IN_A_FOLDER(test_links_and_pipes_are_not_followed),
        IN_A_FOLDER(test_of_a_process_that_crashes_all_the_time_the_last_are_kept),
        IN_A_FOLDER(test_where_nobody_crashed_nothing_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
