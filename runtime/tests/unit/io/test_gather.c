/* SPDX-License-Identifier: Apache-2.0 */
/* test_gather.c - a loop with many frames looks seldom enough to find several at once. */
#include "io/gather.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { SECOND_US = 1000000, TURN_US = 10 };

struct heard {
    uint32_t turns, frames;
    uint64_t worst_us; /* from a frame's arrival to the turn that takes it */
};

/* A loop, and frames that arrive evenly, for a second of virtual time; a turn takes 10 µs and 8 for each
 * frame beyond the first. */
static struct heard second_of(struct gather *g, uint64_t *now_us, uint32_t frames_per_s)
{
    uint64_t begin_us = *now_us, end_us = begin_us + SECOND_US, next_us = begin_us;
    uint64_t every_us = SECOND_US / frames_per_s;
    struct heard h = {0};

    while (*now_us < end_us) {
        uint64_t began_us;

        if (*now_us < next_us) /* nothing to do: it waits for the first */
            *now_us = next_us;
        began_us = *now_us;
        h.turns++;
        for (*now_us += TURN_US - 8; next_us <= began_us; next_us += every_us) {
            if (began_us - next_us > h.worst_us)
                h.worst_us = began_us - next_us;
            gather_event(g);
            h.frames++;
            *now_us += 8;
        }
        *now_us += gather_pause_us(g, began_us, *now_us);
    }
    return h;
}

static void test_few_frames_wait_for_nobody(void **state)
{
    struct gather g = {0};
    uint64_t now_us = 5 * SECOND_US;
    struct heard h;

    (void)state;
    (void)second_of(&g, &now_us, 9000); /* 150 calls */
    h = second_of(&g, &now_us, 9000);
    assert_true(h.frames > 8900);
    assert_int_equal(h.turns, h.frames);
    assert_int_equal(h.worst_us, 0);
}

static void test_many_are_found_several_at_once_and_none_waits_long(void **state)
{
    struct gather g = {0};
    uint64_t now_us = 5 * SECOND_US;
    struct heard h;

    (void)state;
    (void)second_of(&g, &now_us, 25000); /* four hundred calls */
    h = second_of(&g, &now_us, 25000);
    assert_true(h.frames > 24900);
    assert_true(h.turns * 3 < h.frames);
    assert_true(h.worst_us <= GATHER_US);
}

static void test_turns_that_take_long_gather_by_themselves(void **state)
{
    struct gather g = {.much = true, .window_us = SECOND_US};

    (void)state;
    assert_int_equal(gather_pause_us(&g, SECOND_US, SECOND_US + GATHER_US), 0);
    assert_int_equal(gather_pause_us(&g, SECOND_US, SECOND_US + GATHER_US + 1000), 0);
    assert_int_equal(gather_pause_us(&g, SECOND_US, SECOND_US + 1), GATHER_US - 1);
}

static void test_it_ends_when_the_calls_end(void **state)
{
    struct gather g = {0};
    uint64_t now_us = 5 * SECOND_US;

    (void)state;
    (void)second_of(&g, &now_us, 25000);
    assert_true(g.much);
    (void)second_of(&g, &now_us, 13000); /* a few less: it does not flap */
    assert_true(g.much);
    (void)second_of(&g, &now_us, 6000);
    assert_false(g.much);
}

static void test_a_long_silence_is_no_flood(void **state)
{
    struct gather g = {.much = true, .window_us = SECOND_US, .n = 5000};

    (void)state;
    assert_int_equal(gather_pause_us(&g, 10 * SECOND_US, 10 * SECOND_US + 1), 0);
    assert_false(g.much);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_few_frames_wait_for_nobody),
        cmocka_unit_test(test_many_are_found_several_at_once_and_none_waits_long),
        cmocka_unit_test(test_turns_that_take_long_gather_by_themselves),
        cmocka_unit_test(test_it_ends_when_the_calls_end),
        cmocka_unit_test(test_a_long_silence_is_no_flood),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
