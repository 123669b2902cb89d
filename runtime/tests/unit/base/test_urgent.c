/* SPDX-License-Identifier: Apache-2.0 */
/* test_urgent.c - who started the process says how nice it is; its threads differ from that. */
#include "base/urgent.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>

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
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_audio_keeps_what_the_process_was_started_with),
        cmocka_unit_test(test_others_are_nicer_than_that),
        cmocka_unit_test(test_who_becomes_nice_twice_is_not_twice_as_nice),
    };

    started_with = getpriority(PRIO_PROCESS, 0);
    started_with = nicer_by(3);
    (void)setpriority(PRIO_PROCESS, 0, started_with);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
