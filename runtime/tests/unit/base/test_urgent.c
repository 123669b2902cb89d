/* SPDX-License-Identifier: Apache-2.0 */
/* test_urgent.c - who started the process says how nice it is; its threads differ from that. */
#include "base/urgent.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { MAX_NICE = 19 };

static int started_with;

static int nicer_by(int more)
{
    return started_with + more < MAX_NICE ? started_with + more : MAX_NICE;
}

static void *nice_after(void *become)
{
    ((void (*)(void))become)();
    return (void *)(intptr_t)getpriority(PRIO_PROCESS, 0);
}

/* A new thread's niceness, once it is what it wants to be. */
static int niceness_of(void (*become)(void))
{
    pthread_t t;
    void *nice;

    assert_int_equal(pthread_create(&t, NULL, nice_after, (void *)become), 0);
    assert_int_equal(pthread_join(t, &nice), 0);
    return (int)(intptr_t)nice;
}

static void test_audio_keeps_what_the_process_was_started_with(void **state)
{
    (void)state;
    assert_int_equal(niceness_of(urgent_thread), started_with);
}

/* In a process of its own, because the first look at the niceness is what counts. */
enum { IS_ORDINARY = 10, IS_INHERITED = 11, IS_PREEMPTING = 12, IS_FORBIDDEN = 13 };

static bool may_preempt(void)
{
    struct sched_param lowest = {.sched_priority = 1}, none = {0};

    return sched_setscheduler(0, SCHED_RR, &lowest) == 0 &&
           sched_setscheduler(0, SCHED_OTHER, &none) == 0;
}

static void *policy_now(void *arg)
{
    (void)arg;
    return (void *)(intptr_t)(sched_getscheduler(0) & ~SCHED_RESET_ON_FORK);
}

static int urgent_process(int niceness)
{
    pthread_t t;
    void *policy;

    if (!may_preempt() || setpriority(PRIO_PROCESS, 0, niceness))
        return IS_FORBIDDEN;
    urgent_thread();
    if (policy_now(NULL) != (void *)(intptr_t)SCHED_RR)
        return IS_ORDINARY;
    if (pthread_create(&t, NULL, policy_now, NULL) || pthread_join(t, &policy))
        return EXIT_FAILURE;
    return policy == (void *)(intptr_t)SCHED_OTHER ? IS_PREEMPTING : IS_INHERITED;
}

static int status_of(int niceness)
{
    int status = 0;
    pid_t pid = fork();

    if (pid == 0)
        _exit(urgent_process(niceness));
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WEXITSTATUS(status);
}

static void test_audio_preempts_where_it_may_and_what_it_starts_does_not(void **state)
{
    int status = status_of(0);

    (void)state;
    if (status == IS_FORBIDDEN)
        skip();
    assert_int_equal(status, IS_PREEMPTING);
}

static void test_who_was_started_nicer_lets_others_go_first(void **state)
{
    int status = status_of(1);

    (void)state;
    if (status == IS_FORBIDDEN)
        skip();
    assert_int_equal(status, IS_ORDINARY);
}

static void test_others_are_nicer_than_that(void **state)
{
    (void)state;
    assert_int_equal(niceness_of(patient_thread), nicer_by(PATIENT_NICE));
    assert_int_equal(niceness_of(breathing_thread), nicer_by(PATIENT_NICE));
    assert_int_equal(niceness_of(background_thread), nicer_by(BACKGROUND_NICE));
}

static void test_who_becomes_nice_twice_is_not_twice_as_nice(void **state)
{
    (void)state;
    patient_thread();
    patient_thread();
    assert_int_equal(getpriority(PRIO_PROCESS, 0), nicer_by(PATIENT_NICE));
}

int main(void)
{
    const struct CMUnitTest policies[] = {
        cmocka_unit_test(test_audio_preempts_where_it_may_and_what_it_starts_does_not),
        cmocka_unit_test(test_who_was_started_nicer_lets_others_go_first),
    };
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_audio_keeps_what_the_process_was_started_with),
        cmocka_unit_test(test_others_are_nicer_than_that),
        cmocka_unit_test(test_who_becomes_nice_twice_is_not_twice_as_nice),
    };
    int failed = cmocka_run_group_tests(policies, NULL, NULL);

    started_with = getpriority(PRIO_PROCESS, 0);
    started_with = nicer_by(3);
    (void)setpriority(PRIO_PROCESS, 0, started_with);
    return failed + cmocka_run_group_tests(tests, NULL, NULL);
}
