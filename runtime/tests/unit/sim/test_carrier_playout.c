/* SPDX-License-Identifier: Apache-2.0 */
/* The caller's ear: one frame per 20 ms, marks when their audio was heard, clear at once. */
#include "sim/carrier/playout.h"

#include "base/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct ear {
    struct playout *p;
    char echoed[4096]; /* names, each with a space behind */
};

static void on_mark(const char *name, void *arg)
{
    struct ear *e = arg;

    strcat(e->echoed, name);
    strcat(e->echoed, " ");
}

static int set_up(void **state)
{
    struct ear *e = calloc(1, sizeof(*e));

    *state = e;
    return playout_new(&e->p, on_mark, e);
}

static int tear_down(void **state)
{
    struct ear *e = *state;

    playout_free(e->p);
    free(e);
    return 0;
}

static void send_ms(struct ear *e, size_t ms)
{
    uint8_t *audio = malloc(ms * 8);

    memset(audio, 0x55, ms * 8);
    assert_int_equal(playout_audio(e->p, audio, ms * 8), 0);
    free(audio);
}

static size_t hear_ms(struct ear *e, size_t ms)
{
    uint8_t frame[PLAYOUT_FRAME];
    size_t n = 0;

    for (size_t i = 0; i < ms; i += 20)
        n += playout_tick(e->p, frame);
    return n;
}

static void test_a_mark_on_an_empty_queue_comes_back_at_once(void **state)
{
    struct ear *e = *state;

    assert_int_equal(playout_mark(e->p, "a"), 0);
    assert_string_equal(e->echoed, "a ");
}

static void test_a_mark_waits_until_all_before_it_was_heard(void **state)
{
    struct ear *e = *state;

    send_ms(e, 100);
    playout_mark(e->p, "first");
    send_ms(e, 40);
    playout_mark(e->p, "second");
    hear_ms(e, 100);
    assert_string_equal(e->echoed, ""); /* the fifth frame is being heard just now */
    hear_ms(e, 20);
    assert_string_equal(e->echoed, "first ");
    hear_ms(e, 40);
    assert_string_equal(e->echoed, "first second ");
    assert_int_equal(playout_played(e->p), 140 * 8);
    assert_true(playout_idle(e->p));
}

static void test_a_clear_echoes_all_marks_at_once_in_order(void **state)
{
    struct ear *e = *state;

    send_ms(e, 200);
    playout_mark(e->p, "a");
    send_ms(e, 200);
    playout_mark(e->p, "b");
    hear_ms(e, 60);
    assert_int_equal(playout_clear(e->p), 340 * 8);
    assert_string_equal(e->echoed, "a b ");
    assert_int_equal(playout_cleared(e->p), 340 * 8);
}

static void test_the_frame_being_heard_at_a_clear_counts_as_played(void **state)
{
    struct ear *e = *state;

    send_ms(e, 200);
    hear_ms(e, 60);
    playout_clear(e->p);
    assert_false(playout_idle(e->p));
    assert_int_equal(hear_ms(e, 20), 0);
    assert_int_equal(playout_played(e->p), 60 * 8);
    assert_true(playout_idle(e->p));
}

static void test_marks_after_a_clear_count_from_there(void **state)
{
    struct ear *e = *state;

    send_ms(e, 1000);
    hear_ms(e, 100);
    playout_clear(e->p);
    send_ms(e, 40);
    playout_mark(e->p, "later");
    hear_ms(e, 40);
    assert_string_equal(e->echoed, "");
    hear_ms(e, 20);
    assert_string_equal(e->echoed, "later ");
}

static void test_silence_fills_what_is_missing(void **state)
{
    struct ear *e = *state;
    uint8_t frame[PLAYOUT_FRAME];

    send_ms(e, 5);
    assert_int_equal(playout_tick(e->p, frame), 40);
    assert_int_equal(frame[39], 0x55);
    assert_int_equal(frame[40], 0xFF);
    assert_int_equal(frame[159], 0xFF);
}

static void test_audio_comes_out_in_the_order_it_went_in(void **state)
{
    struct ear *e = *state;
    uint8_t in[1000], frame[PLAYOUT_FRAME];
    unsigned next_in = 0, next_out = 0;

    for (int round = 0; round < 300; round++) {
        size_t n = (size_t)(round * 7 % 320);
        for (size_t i = 0; i < n; i++)
            in[i] = (uint8_t)(next_in++ % 251);
        assert_int_equal(playout_audio(e->p, in, n), 0);
        n = playout_tick(e->p, frame);
        for (size_t i = 0; i < n; i++)
            assert_int_equal(frame[i], next_out++ % 251);
    }
    assert_true(next_out > 20000);
}

static void test_more_than_ten_minutes_are_refused(void **state)
{
    struct ear *e = *state;
    uint8_t one = 0;

    for (int i = 0; i < 10; i++)
        send_ms(e, 60000);
    assert_int_equal(playout_audio(e->p, &one, 1), RD_EFULL);
    hear_ms(e, 20);
    assert_int_equal(playout_audio(e->p, &one, 1), 0);
}

static void test_too_many_marks_are_refused(void **state)
{
    struct ear *e = *state;

    send_ms(e, 20);
    for (int i = 0; i < PLAYOUT_MARKS_MAX; i++)
        assert_int_equal(playout_mark(e->p, ""), 0);
    assert_int_equal(playout_mark(e->p, "x"), RD_EFULL);
    playout_reset(e->p); /* no echoes: nobody is there to hear them */
    assert_string_equal(e->echoed, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_mark_on_an_empty_queue_comes_back_at_once, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_a_mark_waits_until_all_before_it_was_heard, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_a_clear_echoes_all_marks_at_once_in_order, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_the_frame_being_heard_at_a_clear_counts_as_played,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_marks_after_a_clear_count_from_there, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_silence_fills_what_is_missing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_audio_comes_out_in_the_order_it_went_in, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_more_than_ten_minutes_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_too_many_marks_are_refused, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
