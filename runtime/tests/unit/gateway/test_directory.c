/* SPDX-License-Identifier: Apache-2.0 */
/* The call directory admits: slots are exact whoever asks at once, and a call's facts are numbered. */
#include "fake_directory.h"

#include "base/err.h"
#include "observe/quota.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { THREADS = 8, ROUNDS = 4000, SLOTS = 5, ENDED_KEPT = 256 };

/* --- admission --- */

static void test_the_last_slot_is_given_once(void **state)
{
    struct directory *d = directory_for(2);
    call_handle a, b, c = 0;

    (void)state;
    assert_int_equal(call_admitted(d, 1, &a), 0);
    assert_int_equal(call_admitted(d, 2, &b), 0);
    assert_int_equal(call_admitted(d, 3, &c), RD_EFULL);
    assert_int_equal(directory_counts(d).live, 2);
    assert_int_equal(directory_counts(d).full, 1);
    assert_int_equal(directory_on_openai(d), 0);
    assert_true(call_released(d, a));
    assert_int_equal(call_admitted(d, 3, &c), 0);
    assert_false(call_released(d, a)); /* not twice */
    assert_int_equal(call_admitted(d, 4, &a), RD_EFULL);
    directory_free(d);
}

static void test_a_repeated_webhook_finds_its_call_and_takes_no_slot(void **state)
{
    struct directory *d = directory_for(1);
    call_handle first, again = 0;

    (void)state;
    assert_int_equal(call_admitted(d, 1, &first), 0);
    assert_int_equal(call_admitted(d, 1, &again), RD_ESTATE);
    assert_true(first == again);
    assert_int_equal(directory_counts(d).live, 1);
    directory_free(d);
}

static void test_a_call_that_the_rate_limit_has_no_room_for_is_refused_until_one_ends(void **state)
{
    struct directory *d = directory_for(100);
    struct provider_limits told = {
        .tokens = {.limit = 2 * QUOTA_CALL_TOKENS, .remaining = 2 * QUOTA_CALL_TOKENS}};
    char text[DIRECTORY_SID];
    struct directory_admission third;
    call_handle a, b;

    (void)state;
    quota_clear();
    quota_told(QUOTA_OPENAI, &told, 7);
    assert_int_equal(call_admitted(d, 1, &a), 0);
    assert_int_equal(call_admitted(d, 2, &b), 0);
    third = call_asks(3, text, "+13125550143", "northside", 0);
    assert_int_equal(directory_admit(d, &third), RD_EFULL);
    assert_int_equal(third.refusal, REFUSAL_RATE_LIMIT);
    assert_true(call_released(d, a));
    assert_int_equal(directory_admit(d, &third), 0);
    quota_clear();
    directory_free(d);
}

static void test_a_draining_node_admits_nobody_and_keeps_who_is_there(void **state)
{
    struct directory *d = directory_for(4);
    struct directory_view view;
    call_handle a, b;

    (void)state;
    assert_int_equal(call_admitted(d, 1, &a), 0);
    directory_drain(d);
    assert_int_equal(call_admitted(d, 2, &b), RD_EFULL);
    assert_true(directory_counts(d).draining);
    assert_true(directory_get(d, a, &view));
    assert_int_equal(view.state, DIRECTORY_OPENING);
    directory_free(d);
}

static void test_a_drain_can_be_taken_back_until_the_process_leaves(void **state)
{
    struct directory *d = directory_for(4);
    call_handle a;

    (void)state;
    directory_drain(d);
    assert_int_equal(call_admitted(d, 1, &a), RD_EFULL);
    assert_int_equal(directory_undrain(d), 0);
    assert_false(directory_counts(d).draining);
    assert_int_equal(call_admitted(d, 1, &a), 0);
    directory_leave(d);
    assert_int_equal(directory_undrain(d), RD_ESTATE);
    assert_true(directory_counts(d).draining);
    assert_int_equal(call_admitted(d, 2, &a), RD_EFULL);
    directory_free(d);
}

/* Why it was refused; REFUSAL_NONE and its handle when it was not. */
static enum directory_refusal ask_in(struct directory *d, unsigned n, const char *from,
                                     const char *agent, unsigned agent_max, call_handle *out)
{
    char text[DIRECTORY_SID];
    struct directory_admission a = call_asks(n, text, from, agent, agent_max);
    int rc = directory_admit(d, &a);

    assert_int_equal(rc, a.refusal ? RD_EFULL : 0);
    *out = a.call;
    return a.refusal;
}

static void test_an_agent_takes_as_many_calls_as_it_said(void **state)
{
    struct directory *d = directory_for(8);
    call_handle a, b, c;

    (void)state;
    assert_int_equal(ask_in(d, 1, "+13125550141", "dentist", 2, &a), REFUSAL_NONE);
    assert_int_equal(ask_in(d, 2, "+13125550142", "dentist", 2, &b), REFUSAL_NONE);
    assert_int_equal(ask_in(d, 3, "+13125550143", "dentist", 2, &c), REFUSAL_AGENT_FULL);
    assert_int_equal(ask_in(d, 4, "+13125550143", "plumber", 2, &c), REFUSAL_NONE);
    assert_int_equal(directory_counts(d).live, 3);
    assert_int_equal(directory_counts(d).full, 0);
    assert_true(call_released(d, a));
    assert_int_equal(ask_in(d, 5, "+13125550143", "dentist", 2, &a), REFUSAL_NONE);
    directory_free(d);
}

static void test_a_caller_has_three_calls_whoever_answers_them(void **state)
{
    struct directory *d;
    call_handle h[4];

    (void)state;
    assert_int_equal(directory_new(&d, 8, 3), 0);
    assert_int_equal(ask_in(d, 1, "+13125550142", "dentist", 0, &h[0]), REFUSAL_NONE);
    assert_int_equal(ask_in(d, 2, "+13125550142", "plumber", 0, &h[1]), REFUSAL_NONE);
    assert_int_equal(ask_in(d, 3, "+13125550142", "dentist", 0, &h[2]), REFUSAL_NONE);
    assert_int_equal(ask_in(d, 4, "+13125550142", "baker", 0, &h[3]), REFUSAL_CALLER_FULL);
    assert_int_equal(ask_in(d, 5, "+13125550143", "baker", 0, &h[3]), REFUSAL_NONE);
    assert_true(call_released(d, h[1]));
    assert_int_equal(ask_in(d, 6, "+13125550142", "baker", 0, &h[1]), REFUSAL_NONE);
    directory_free(d);
}

static void test_who_withholds_the_number_is_nobody_in_particular(void **state)
{
    static const char *const withheld[] = {"anonymous",   "+266696687",           "",
                                           "client:anna", "sip:anna@example.com", "+0123456789"};
    struct directory *d;
    call_handle h;

    (void)state;
    assert_int_equal(directory_new(&d, 20, 1), 0);
    for (unsigned i = 0; i < 6; i++) {
        enum directory_refusal second = i == 1 ? REFUSAL_CALLER_FULL : REFUSAL_NONE;

        assert_int_equal(ask_in(d, 2 * i, withheld[i], "dentist", 0, &h), REFUSAL_NONE);
        assert_int_equal(ask_in(d, 2 * i + 1, withheld[i], "dentist", 0, &h), second);
    }
    assert_int_equal(ask_in(d, 90, "anonymous", "dentist", 11, &h), REFUSAL_AGENT_FULL);
    directory_free(d);
}

static void test_a_refusal_says_which_limit_it_was(void **state)
{
    struct directory *d;
    call_handle h;

    (void)state;
    assert_int_equal(directory_new(&d, 1, 1), 0);
    assert_int_equal(ask_in(d, 1, "+13125550142", "dentist", 1, &h), REFUSAL_NONE);
    assert_int_equal(ask_in(d, 2, "+13125550142", "dentist", 1, &h), REFUSAL_FULL);
    directory_drain(d);
    assert_int_equal(ask_in(d, 3, "+13125550142", "dentist", 1, &h), REFUSAL_DRAINING);
    assert_int_equal(directory_counts(d).full, 1);
    directory_free(d);
}

static void test_ten_thousand_callers_leave_no_count_behind(void **state)
{
    struct directory *d;
    char from[16];
    call_handle h[4];

    (void)state;
    assert_int_equal(directory_new(&d, 4, 1), 0);
    for (unsigned i = 0; i < 10000; i++) {
        (void)snprintf(from, sizeof(from), "+1312%07u", i);
        assert_int_equal(ask_in(d, i, from, from, 1, &h[i % 4]), REFUSAL_NONE);
        if (i >= 3)
            assert_true(call_released(d, h[(i + 1) % 4]));
    }
    assert_int_equal(directory_counts(d).live, 3);
    assert_int_equal(ask_in(d, 20000, from, "baker", 0, &h[0]), REFUSAL_CALLER_FULL);
    directory_free(d);
}

/* --- the numbers of a call's facts --- */

static void test_facts_are_numbered_also_after_the_end(void **state)
{
    struct directory *d = directory_for(1);
    struct directory_view view;
    uint64_t started, epoch;
    uint32_t seq;
    call_handle a;

    (void)state;
    assert_int_equal(call_admitted(d, 5, &a), 0);
    assert_true(directory_stamp(d, a, &started, &epoch, &seq));
    assert_int_equal(seq, 1);
    assert_true(directory_get(d, a, &view));
    assert_int_equal(view.admitted_unix_us, 7000005);
    assert_int_equal(started, 7000005);
    assert_int_equal(epoch, 7000005);
    assert_true(call_released(d, a));
    assert_true(directory_stamp(d, a, &started, &epoch, &seq));
    assert_int_equal(seq, 2);
    for (unsigned n = 6; n < 6 + ENDED_KEPT + 2; n++) {
        call_handle b;

        assert_int_equal(call_admitted(d, n, &b), 0);
        assert_true(directory_stamp(d, b, &started, &epoch, &seq));
        assert_int_equal(seq, 1); /* its own count, whoever had the place before */
        assert_true(call_released(d, b));
    }
    assert_false(directory_stamp(d, a, &started, &epoch, &seq));
    directory_free(d);
}

struct hammer {
    struct directory *d;
    atomic_uint *inside, *worst, *admitted, *refused;
    unsigned first;
};

/* Each admitted call counts itself while it is inside: never more than there are slots. */
static void *hammer(void *arg)
{
    struct hammer *h = arg;
    call_handle call;

    for (unsigned i = 0; i < ROUNDS; i++) {
        unsigned now, worst;

        if (call_admitted(h->d, h->first + i, &call)) {
            atomic_fetch_add(h->refused, 1);
            continue;
        }
        atomic_fetch_add(h->admitted, 1);
        now = atomic_fetch_add(h->inside, 1) + 1;
        worst = atomic_load(h->worst);
        while (now > worst && !atomic_compare_exchange_weak(h->worst, &worst, now))
            ;
        if (i % 8 == 0)
            sched_yield();
        atomic_fetch_sub(h->inside, 1);
        if (!call_released(h->d, call))
            abort();
    }
    return NULL;
}

static void test_eight_threads_never_get_more_than_max_calls(void **state)
{
    struct directory *d = directory_for(SLOTS);
    atomic_uint inside = 0, worst = 0, admitted = 0, refused = 0;
    struct hammer h[THREADS];
    pthread_t thread[THREADS];

    (void)state;
    for (unsigned i = 0; i < THREADS; i++) {
        h[i] = (struct hammer){d, &inside, &worst, &admitted, &refused, i * ROUNDS};
        assert_int_equal(pthread_create(&thread[i], NULL, hammer, &h[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);
    assert_in_range(atomic_load(&worst), 1, SLOTS);
    assert_int_equal(atomic_load(&admitted) + atomic_load(&refused), THREADS * ROUNDS);
    assert_int_equal(directory_counts(d).full, atomic_load(&refused));
    assert_int_equal(directory_counts(d).live, 0);
    directory_free(d);
}

static void *fill(void *arg)
{
    struct hammer *h = arg;
    call_handle call;

    for (unsigned i = 0; i < ROUNDS; i++)
        atomic_fetch_add(call_admitted(h->d, h->first + i, &call) ? h->refused : h->admitted, 1);
    return NULL;
}

static void test_eight_threads_fill_exactly_max_calls(void **state)
{
    struct directory *d = directory_for(1000);
    atomic_uint admitted = 0, refused = 0;
    struct hammer h[THREADS];
    pthread_t thread[THREADS];

    (void)state;
    for (unsigned i = 0; i < THREADS; i++) {
        h[i] = (struct hammer){d, NULL, NULL, &admitted, &refused, i * ROUNDS};
        assert_int_equal(pthread_create(&thread[i], NULL, fill, &h[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);
    assert_int_equal(atomic_load(&admitted), 1000);
    assert_int_equal(directory_counts(d).live, 1000);
    assert_int_equal(atomic_load(&refused), THREADS * ROUNDS - 1000);
    directory_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_last_slot_is_given_once),
        cmocka_unit_test(test_a_repeated_webhook_finds_its_call_and_takes_no_slot),
        cmocka_unit_test(test_a_call_that_the_rate_limit_has_no_room_for_is_refused_until_one_ends),
        cmocka_unit_test(test_a_draining_node_admits_nobody_and_keeps_who_is_there),
        cmocka_unit_test(test_a_drain_can_be_taken_back_until_the_process_leaves),
        cmocka_unit_test(test_an_agent_takes_as_many_calls_as_it_said),
        cmocka_unit_test(test_a_caller_has_three_calls_whoever_answers_them),
        cmocka_unit_test(test_who_withholds_the_number_is_nobody_in_particular),
        cmocka_unit_test(test_a_refusal_says_which_limit_it_was),
        cmocka_unit_test(test_ten_thousand_callers_leave_no_count_behind),
        cmocka_unit_test(test_facts_are_numbered_also_after_the_end),
        cmocka_unit_test(test_eight_threads_never_get_more_than_max_calls),
        cmocka_unit_test(test_eight_threads_fill_exactly_max_calls),
    };

    return cmocka_run_group_tests_name("directory", tests, NULL, NULL);
}
