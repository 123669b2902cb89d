/* SPDX-License-Identifier: Apache-2.0 */
/* Who fails is left alone for a while, and asked by one at a time whether he is back. */
#include "base/breaker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct breaker_policy policy = {.failures = 3,
                                             .percent = 50,
                                             .window_ms = 10000,
                                             .open_ms = 1000,
                                             .open_max_ms = 4000,
                                             .probe_ms = 5000};

static struct breaker b;
static uint64_t now;

static int begin(void **state)
{
    (void)state;
    now = 1000000;
    breaker_init(&b, &policy, now);
    return 0;
}

static void ask_and_tell(enum breaker_result r)
{
    uint32_t ticket = breaker_ask(&b, now);

    assert_int_not_equal(ticket, 0);
    breaker_tell(&b, ticket, r, now, 0);
}

static void open_it(void)
{
    for (unsigned i = 0; i < policy.failures; i++)
        ask_and_tell(BREAKER_FAILED);
    assert_int_equal(b.state, BREAKER_OPEN);
}

static void test_it_opens_after_so_many_failures_and_then_nobody_asks(void **state)
{
    (void)state;
    ask_and_tell(BREAKER_FAILED);
    ask_and_tell(BREAKER_FAILED);
    assert_int_equal(b.state, BREAKER_CLOSED);
    ask_and_tell(BREAKER_FAILED);
    assert_int_equal(b.state, BREAKER_OPEN);
    assert_int_equal(breaker_ask(&b, now + 999), 0);
    assert_int_equal(breaker_wait_ms(&b, now + 400), 600);
    assert_int_not_equal(breaker_ask(&b, now + 1000), 0);
}

static void test_failures_among_many_successes_do_not_open_it(void **state)
{
    (void)state;
    for (int i = 0; i < 50; i++) {
        ask_and_tell(BREAKER_WORKED);
        ask_and_tell(BREAKER_WORKED);
        ask_and_tell(BREAKER_FAILED);
    }
    assert_int_equal(b.state, BREAKER_CLOSED);
}

static void test_failures_of_long_ago_are_forgotten(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++) {
        ask_and_tell(BREAKER_FAILED);
        now += 5001;
    }
    assert_int_equal(b.state, BREAKER_CLOSED);
    ask_and_tell(BREAKER_FAILED);
    ask_and_tell(BREAKER_FAILED);
    assert_int_equal(b.state, BREAKER_OPEN); /* with the one of the half before */
}

static void test_half_open_there_is_one_probe(void **state)
{
    uint32_t probe;

    (void)state;
    open_it();
    now += 1000;
    probe = breaker_ask(&b, now);
    assert_int_not_equal(probe, 0);
    assert_int_equal(breaker_ask(&b, now), 0);
    assert_int_equal(breaker_ask(&b, now + 4999), 0);
    breaker_tell(&b, probe, BREAKER_WORKED, now, 0);
    assert_int_equal(b.state, BREAKER_CLOSED);
    assert_int_not_equal(breaker_ask(&b, now), 0);
}

static void test_each_probe_that_fails_doubles_the_wait_up_to_a_limit(void **state)
{
    static const uint64_t waits[] = {2000, 4000, 4000};

    (void)state;
    open_it();
    now += 1000;
    for (int i = 0; i < 3; i++) {
        ask_and_tell(BREAKER_FAILED);
        assert_int_equal(breaker_ask(&b, now + waits[i] - 1), 0);
        now += waits[i];
    }
    ask_and_tell(BREAKER_WORKED);
    open_it();
    assert_int_equal(breaker_wait_ms(&b, now), 1000);
}

static void test_a_probe_that_was_given_up_lets_the_next_one_go(void **state)
{
    (void)state;
    open_it();
    now += 1000;
    ask_and_tell(BREAKER_UNKNOWN);
    ask_and_tell(BREAKER_WORKED);
    assert_int_equal(b.state, BREAKER_CLOSED);
}

static void test_a_probe_that_never_tells_does_not_block_for_ever(void **state)
{
    uint32_t lost;

    (void)state;
    open_it();
    now += 1000;
    lost = breaker_ask(&b, now);
    now += 5000;
    assert_int_not_equal(breaker_ask(&b, now), 0);
    breaker_tell(&b, lost, BREAKER_WORKED, now, 0); /* too late: it is the other's turn */
    assert_int_equal(b.state, BREAKER_HALF_OPEN);
}

static void test_answers_from_before_it_opened_say_nothing(void **state)
{
    uint32_t old = breaker_ask(&b, now);

    (void)state;
    open_it();
    breaker_tell(&b, old, BREAKER_WORKED, now, 0);
    assert_int_equal(b.state, BREAKER_OPEN);
    now += 1000;
    assert_int_not_equal(breaker_ask(&b, now), 0);
    breaker_tell(&b, old, BREAKER_FAILED, now, 0);
    breaker_tell(&b, old, BREAKER_WORKED, now, 0);
    assert_int_equal(b.state, BREAKER_HALF_OPEN);
}

static void test_what_works_in_the_background_closes_it(void **state)
{
    (void)state;
    open_it();
    breaker_close(&b, now);
    ask_and_tell(BREAKER_FAILED);
    assert_int_equal(b.state, BREAKER_CLOSED); /* its count began anew */
}

static uint32_t bits(void)
{
    return (uint32_t)random() * 2u + (uint32_t)(random() & 1);
}

struct asked {
    uint32_t ticket;
    bool probe;
};

/* Somebody asks, tells, forgets to tell, and lets time pass, in any order. */
static void wander(unsigned steps)
{
    struct asked open[8] = {{0, false}};
    uint64_t opened_at = 0;
    unsigned probes;

    for (unsigned n = 0; n < steps; n++) {
        struct asked *a = &open[random() % 8];
        enum breaker_state before = b.state;

        now += (uint64_t)(random() % 4 ? random() % 300 : random() % 6000);
        if (a->ticket && random() % 3) {
            breaker_tell(&b, a->ticket, (enum breaker_result)(random() % 3), now, bits());
            a->ticket = 0;
        } else if (!a->ticket) {
            a->ticket = breaker_ask(&b, now);
            a->probe = b.state == BREAKER_HALF_OPEN;
            assert_true(a->ticket == 0 || a->ticket == b.ticket);
        }
        if (b.state == BREAKER_OPEN && before != BREAKER_OPEN)
            opened_at = now;
        if (b.state == BREAKER_OPEN)
            assert_in_range(b.until_ms, opened_at, opened_at + policy.open_max_ms);
        probes = 0;
        for (int i = 0; i < 8; i++)
            probes += b.state == BREAKER_HALF_OPEN && open[i].ticket == b.ticket;
        assert_in_range(probes, 0, 1);
    }
}

static void test_never_more_than_one_probe_whatever_happens(void **state)
{
    for (unsigned seed = 1; seed <= 200; seed++) {
        srandom(seed);
        begin(state);
        wander(2000);
    }
}

static void test_the_wait_is_drawn_from_its_upper_half(void **state)
{
    srandom(3);
    for (int i = 0; i < 10000; i++) {
        begin(state);
        for (int k = 0; k < 3; k++)
            breaker_tell(&b, breaker_ask(&b, now), BREAKER_FAILED, now, bits());
        assert_in_range(breaker_wait_ms(&b, now), 500, 1000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_it_opens_after_so_many_failures_and_then_nobody_asks, begin),
        cmocka_unit_test_setup(test_failures_among_many_successes_do_not_open_it, begin),
        cmocka_unit_test_setup(test_failures_of_long_ago_are_forgotten, begin),
        cmocka_unit_test_setup(test_half_open_there_is_one_probe, begin),
        cmocka_unit_test_setup(test_each_probe_that_fails_doubles_the_wait_up_to_a_limit, begin),
        cmocka_unit_test_setup(test_a_probe_that_was_given_up_lets_the_next_one_go, begin),
        cmocka_unit_test_setup(test_a_probe_that_never_tells_does_not_block_for_ever, begin),
        cmocka_unit_test_setup(test_answers_from_before_it_opened_say_nothing, begin),
        cmocka_unit_test_setup(test_what_works_in_the_background_closes_it, begin),
        cmocka_unit_test_setup(test_never_more_than_one_probe_whatever_happens, begin),
        cmocka_unit_test_setup(test_the_wait_is_drawn_from_its_upper_half, begin),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
