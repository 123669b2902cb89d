/* SPDX-License-Identifier: Apache-2.0 */
/* Processes that die, and what they leave. Each dies in a child of this one. */
#include "base/crash.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
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
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { NOTE_MAX = 16384, EXIT_OF_THE_OTHER = 42 };

static char folder[64], note[NOTE_MAX];

static int set_up(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof(folder), "/tmp/crash-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int tear_down(void **state)
{
    char command[100];

    (void)state;
    (void)snprintf(command, sizeof(command), "rm -rf %s", folder);
    return system(command);
}

/* --- dying --- */

/* Nobody may read it, and no sanitizer knows better. */
static volatile char *forbidden(void)
{
    return mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void fault(void)
{
    volatile char *p = forbidden();

    *p = 1;
}

static void *fault_aside(void *arg)
{
    (void)arg;
    (void)pthread_setname_np(pthread_self(), "media 7");
    crash_thread();
    fault();
    return NULL;
}

static void in_a_thread(void)
{
    pthread_t t;

    (void)pthread_create(&t, NULL, fault_aside, NULL);
    (void)pthread_join(t, NULL);
}

static void in_two_threads(void)
{
    pthread_t a, b;

    (void)pthread_create(&a, NULL, fault_aside, NULL);
    (void)pthread_create(&b, NULL, fault_aside, NULL);
    (void)pthread_join(a, NULL);
    (void)pthread_join(b, NULL);
}

static volatile int depth_wanted = 1 << 30;

static int deeper(int depth) /* NOLINT(misc-no-recursion): that is what it is about */
{
    volatile char room[512];

    room[0] = (char)depth;
    return depth < depth_wanted ? deeper(depth + 1) + room[0] : 0;
}

static void *run_out_of_stack(void *arg)
{
    (void)pthread_setname_np(pthread_self(), "script");
    crash_thread();
    *(int *)arg = deeper(0);
    return NULL;
}

static void without_stack(void)
{
    pthread_attr_t small;
    pthread_t t;
    int n = 0;

    (void)pthread_attr_init(&small);
    (void)pthread_attr_setstacksize(&small, (size_t)256 * 1024);
    (void)pthread_create(&t, &small, run_out_of_stack, &n);
    (void)pthread_join(t, NULL);
}

static void send_segv(void)
{
    (void)kill(getpid(), SIGSEGV);
}

static void the_other(int number, siginfo_t *info, void *context)
{
    (void)number;
    (void)context;
    _exit(info->si_code > 0 && info->si_addr ? EXIT_OF_THE_OTHER : 1);
}

/* Neither cmocka's handlers nor a sanitizer's: these crashes are meant. */
static void quiet_signals(void)
{
    static const int all[] = {SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL};
    const struct rlimit none = {0, 0};

    (void)setrlimit(RLIMIT_CORE, &none);
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        (void)signal(all[i], SIG_DFL);
}

static int die(void (*how)(void), bool another)
{
    const struct sigaction other = {.sa_sigaction = the_other, .sa_flags = SA_SIGINFO};
    pid_t child = fork();
    int status = 0;

    assert_true(child >= 0);
    if (child == 0) {
        quiet_signals();
        if (another)
            (void)sigaction(SIGSEGV, &other, NULL);
        if (crash_start(folder, "box\nsignal 9 1", "ringdown@1.2.3"))
            _exit(3);
        how();
        _exit(4);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

/* The only note there is, which is then gone. */
static void read_note(void)
{
    DIR *d = opendir(folder);
    const struct dirent *e;
    unsigned notes = 0;
    char path[400];

    assert_non_null(d);
    while ((e = readdir(d))) {
        ssize_t n;
        int fd;

        if (strncmp(e->d_name, CRASH_PREFIX, strlen(CRASH_PREFIX)) != 0)
            continue;
        (void)snprintf(path, sizeof(path), "%s/%s", folder, e->d_name);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        n = read(fd, note, sizeof(note) - 1);
        assert_true(n > 0);
        note[n] = '\0';
        (void)close(fd);
        (void)unlink(path);
        notes++;
    }
    (void)closedir(d);
    assert_int_equal(notes, 1);
}

static void holds(const char *what)
{
    if (!strstr(note, what))
        fail_msg("%s is not in\n%s", what, note);
}

static unsigned frames(void)
{
    unsigned n = 0;

    for (const char *p = note; (p = strstr(p, "\nframe ")); p++)
        n++;
    return n;
}

/* --- the stories --- */

static void test_a_fault_leaves_where_it_was_and_kills_as_ever(void **state)
{
    int status = die(fault, false);

    (void)state;
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGSEGV);
    read_note();
    assert_int_equal(strncmp(note, "ringdown crash 1\n", 17), 0);
    holds("\nnode box signal 9 1\n"); /* a name has no lines */
    holds("\nrelease ringdown@1.2.3\n");
    holds("\nsignal 11 1\n");
    holds("\nthread test_crash\n");
    holds(" test_crash ");
    assert_true(frames() >= 3);
    assert_null(strstr(note, "\naddress 0\n"));
    assert_string_equal(note + strlen(note) - 5, "\nend\n");
}

static void test_a_thread_is_told_by_its_name(void **state)
{
    (void)state;
    assert_true(WIFSIGNALED(die(in_a_thread, false)));
    read_note();
    holds("\nthread media 7\n");
    holds("\nend\n");
}

static void test_two_threads_at_once_leave_one_note(void **state)
{
    (void)state;
    assert_true(WIFSIGNALED(die(in_two_threads, false)));
    read_note();
    holds("\nend\n");
}

static void test_a_full_stack_leaves_a_note_too(void **state)
{
    int status = die(without_stack, false);

    (void)state;
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGSEGV);
    read_note();
    holds("\nthread script\n");
    assert_true(frames() > CRASH_FRAMES / 2);
    holds("\nend\n");
}

static void test_abort_and_what_somebody_sends_are_noted(void **state)
{
    int status = die(abort, false);

    (void)state;
    assert_int_equal(WTERMSIG(status), SIGABRT);
    read_note();
    holds("\nsignal 6 1\n"); /* our own doing: nobody sent it */
    holds("\naddress 0\n");
    holds("\nend\n");
    status = die(send_segv, false);
    assert_int_equal(WTERMSIG(status), SIGSEGV);
    read_note();
    holds("\nsignal 11 0\n");
    holds("\naddress 0\n");
}

static void test_who_had_the_signal_before_gets_it_as_it_came(void **state)
{
    int status = die(fault, true);

    (void)state;
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), EXIT_OF_THE_OTHER);
    read_note();
    holds("\nend\n");
    /* But not what somebody sent: that is no fault to be explained. */
    status = die(send_segv, true);
    assert_true(WIFSIGNALED(status));
    read_note();
}

static void test_without_a_folder_it_dies_all_the_same(void **state)
{
    (void)state;
    (void)rmdir(folder);
    assert_int_equal(WTERMSIG(die(fault, false)), SIGSEGV);
}

int main(void)
{
#define IN_A_FOLDER(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        IN_A_FOLDER(test_a_fault_leaves_where_it_was_and_kills_as_ever),
        IN_A_FOLDER(test_a_thread_is_told_by_its_name),
        IN_A_FOLDER(test_two_threads_at_once_leave_one_note),
        IN_A_FOLDER(test_a_full_stack_leaves_a_note_too),
        IN_A_FOLDER(test_abort_and_what_somebody_sends_are_noted),
        IN_A_FOLDER(test_who_had_the_signal_before_gets_it_as_it_came),
        IN_A_FOLDER(test_without_a_folder_it_dies_all_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
