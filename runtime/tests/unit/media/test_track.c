/* SPDX-License-Identifier: Apache-2.0 */
/* A call as it sounded, on virtual time. Samples are told apart by their value. */
#include "media/g711.h"
#include "media/track.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { S = G711_ULAW_SILENCE, MAX_MS = 4000 };

static uint8_t out[2 * 8 * MAX_MS];

static void say(struct track *t, uint64_t now_ms, uint32_t ms, uint8_t value)
{
    uint8_t sound[8 * MAX_MS];

    memset(sound, value, 8 * (size_t)ms);
    track_agent(t, now_ms, sound, 8 * (size_t)ms);
}

/* A frame of 20 ms that began at at_ms by the carrier's clock. */
static void hear(struct track *t, uint64_t now_ms, uint32_t at_ms, uint8_t value)
{
    uint8_t sound[160];

    memset(sound, value, sizeof(sound));
    track_caller(t, now_ms, at_ms, sound, sizeof(sound));
}

static void take(struct track *t, uint64_t until_ms)
{
    size_t n = track_take(t, until_ms, out, sizeof(out) / 2);

    assert_int_equal(n % 8, 0);
}

static void assert_side(int side, uint32_t from_ms, uint32_t to_ms, uint8_t value)
{
    for (uint32_t i = 8 * from_ms; i < 8 * to_ms; i++)
        if (out[2 * i + (uint32_t)side] != value)
            fail_msg("side %d at %u ms: %u, not %u", side, i / 8, out[2 * i + (uint32_t)side],
                     value);
}

#define LEFT(from, to, value)  assert_side(0, from, to, value)
#define RIGHT(from, to, value) assert_side(1, from, to, value)

static void test_a_burst_plays_in_real_time_one_piece_behind_the_other(void **state)
{
    struct track t;

    (void)state;
    track_init(&t);
    say(&t, 100, 300, 1);
    say(&t, 110, 200, 2); /* long before the first has played */
    say(&t, 1000, 100, 3);
    take(&t, 1200);
    RIGHT(0, 100, S);
    RIGHT(100, 400, 1);
    RIGHT(400, 600, 2);
    RIGHT(600, 1000, S);
    RIGHT(1000, 1100, 3);
    RIGHT(1100, 1200, S);
    LEFT(0, 1200, S);
    track_fini(&t);
}

static void test_a_clear_drops_what_was_not_yet_heard(void **state)
{
    struct track t;

    (void)state;
    track_init(&t);
    say(&t, 0, 1000, 1);
    say(&t, 0, 1000, 2);
    track_cleared(&t, 300);
    say(&t, 500, 100, 3);   /* the next answer does not wait for the dead one */
    track_cleared(&t, 900); /* nothing plays */
    take(&t, 2000);
    RIGHT(0, 300, 1);
    RIGHT(300, 500, S);
    RIGHT(500, 600, 3);
    RIGHT(600, 2000, S);
    track_fini(&t);
}

static void test_frames_stand_where_the_carrier_says_and_gaps_are_silence(void **state)
{
    struct track t;

    (void)state;
    track_init(&t);
    hear(&t, 520, 7000, 1); /* the recording began later than the stream */
    hear(&t, 545, 7020, 2); /* jitter is not heard */
    hear(&t, 555, 7040, 3);
    hear(&t, 700, 7160, 4); /* a hundred ms never came */
    take(&t, 800);
    LEFT(0, 500, S);
    LEFT(500, 520, 1);
    LEFT(520, 540, 2);
    LEFT(540, 560, 3);
    LEFT(560, 660, S);
    LEFT(660, 680, 4);
    LEFT(680, 800, S);
    RIGHT(0, 800, S);
    track_fini(&t);
}

static void test_a_carrier_clock_that_jumps_is_measured_anew(void **state)
{
    struct track t;

    (void)state;
    track_init(&t);
    hear(&t, 20, 0, 1);
    hear(&t, 40, 4000000000u, 2);
    hear(&t, 60, 4000000020u, 3);
    hear(&t, 80, 5, 4);
    take(&t, 100);
    LEFT(0, 20, 1);
    LEFT(20, 40, 2);
    LEFT(40, 60, 3);
    LEFT(60, 80, 4);
    track_fini(&t);
}

static void test_a_pause_is_silence_on_both_sides(void **state)
{
    struct track t;

    (void)state;
    track_init(&t);
    say(&t, 0, 1000, 1);
    hear(&t, 20, 0, 2);
    track_pause(&t, 200, true);
    hear(&t, 320, 300, 3);
    take(&t, 400);
    LEFT(0, 20, 2);
    LEFT(300, 320, S);
    RIGHT(0, 200, 1);
    RIGHT(200, 400, S);
    assert_int_equal(track_paused_ms(&t, 400), 200);
    track_pause(&t, 500, false);
    hear(&t, 620, 600, 4);
    take(&t, 1000); /* begins at 400 */
    RIGHT(0, 100, S);
    RIGHT(100, 600, 1);
    LEFT(200, 220, 4);
    assert_int_equal(track_paused_ms(&t, 1000), 300);
    track_fini(&t);
}

static void test_what_did_not_fit_plays_as_silence_of_its_length(void **state)
{
    struct track t;

    (void)state;
    track_init(&t);
    say(&t, 0, 100, 1);
    track_agent_lost(&t, 0, 8 * 50);
    say(&t, 0, 100, 2);
    take(&t, 300);
    RIGHT(0, 100, 1);
    RIGHT(100, 150, S);
    RIGHT(150, 250, 2);
    assert_int_equal(t.lost_samples, 8 * 50);
    track_fini(&t);
}

static void test_more_than_ten_minutes_ahead_is_dropped(void **state)
{
    struct track t;

    (void)state;
    track_init(&t);
    for (int i = 0; i < 601; i++)
        say(&t, 0, 1000, 1);
    assert_int_equal(t.lost_samples, 8000);
    assert_int_equal(t.played, 8 * TRACK_AHEAD_MS);
    track_fini(&t);
}

static void test_what_was_taken_is_not_touched_and_late_frames_are_left_out(void **state)
{
    struct track t;

    (void)state;
    track_init(&t);
    hear(&t, 20, 0, 1);
    take(&t, 100);
    hear(&t, 120, 90, 2); /* half of it is too late */
    say(&t, 50, 100, 3);
    track_cleared(&t, 110);
    take(&t, 200);
    LEFT(0, 10, 2);
    RIGHT(0, 10, 3);
    RIGHT(10, 100, S);
    track_fini(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_burst_plays_in_real_time_one_piece_behind_the_other),
        cmocka_unit_test(test_a_clear_drops_what_was_not_yet_heard),
        cmocka_unit_test(test_frames_stand_where_the_carrier_says_and_gaps_are_silence),
        cmocka_unit_test(test_a_carrier_clock_that_jumps_is_measured_anew),
        cmocka_unit_test(test_a_pause_is_silence_on_both_sides),
        cmocka_unit_test(test_what_did_not_fit_plays_as_silence_of_its_length),
        cmocka_unit_test(test_more_than_ten_minutes_ahead_is_dropped),
        cmocka_unit_test(test_what_was_taken_is_not_touched_and_late_frames_are_left_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
