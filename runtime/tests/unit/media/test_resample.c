/* SPDX-License-Identifier: Apache-2.0 */
/* test_resample.c - 8 kHz to 24 kHz and back: level, length, borders, and the tables from their
 * formula, told by what the filter answers to a single sample. */
#include "media/energy.h"
#include "media/resample.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { NARROW = 8000, WIDE = 24000, SKIP = 100 };

static void tone(int16_t *pcm, size_t n, uint32_t rate_hz, double hz)
{
    for (size_t i = 0; i < n; i++)
        pcm[i] = (int16_t)lrint(10000 * sin(2 * M_PI * hz * (double)i / rate_hz));
}

/* In frames of so many samples. */
static void up(int16_t *out, const int16_t *in, size_t n, size_t frame)
{
    struct resample_up u;

    resample_up_init(&u);
    for (size_t at = 0; at < n; at += frame)
        resample_up(&u, out + 3 * at, in + at, n - at < frame ? n - at : frame);
}

static size_t down(int16_t *out, const int16_t *in, size_t n, size_t frame)
{
    struct resample_down d;
    size_t made = 0;

    resample_down_init(&d);
    for (size_t at = 0; at < n; at += frame) {
        size_t k = n - at < frame ? n - at : frame, got;

        got = resample_down(&d, out + made, in + at, k);
        assert_in_range(got, 0, (k + 2) / 3);
        made += got;
    }
    return made + resample_down_end(&d, out + made);
}

/* How far the loudest sample is from the same tone computed. */
static int worst(const int16_t *pcm, size_t from, size_t to, uint32_t rate_hz, double hz,
                 double delay)
{
    double most = 0;

    for (size_t i = from; i < to; i++) {
        double want = 10000 * sin(2 * M_PI * hz * ((double)i - delay) / rate_hz);

        most = fmax(most, fabs(pcm[i] - want));
    }
    return (int)most;
}

/* A jump at a border of two frames would be a sample that is far from the tone. */
static void test_a_tone_goes_up_without_a_seam(void **state)
{
    static const double tones[] = {300, 1000, 2000, 3400};
    static int16_t in[NARROW], out[WIDE];

    (void)state;
    for (int i = 0; i < 4; i++) {
        tone(in, NARROW, NARROW, tones[i]);
        up(out, in, NARROW, 160);
        assert_in_range(worst(out, SKIP, WIDE, WIDE, tones[i], RESAMPLE_DELAY), 0, 30);
    }
}

static void test_a_tone_comes_down_without_a_seam_and_in_time(void **state)
{
    static const double tones[] = {300, 1000, 2000, 3400};
    static int16_t in[WIDE], out[NARROW];

    (void)state;
    for (int i = 0; i < 4; i++) {
        tone(in, WIDE, WIDE, tones[i]);
        assert_int_equal(down(out, in, WIDE, 480), NARROW);
        assert_in_range(worst(out, SKIP, NARROW - SKIP, NARROW, tones[i], 0), 0, 30);
    }
}

static void test_what_a_telephone_cannot_carry_is_gone(void **state)
{
    static const double tones[] = {4600, 6000, 7000, 9000, 11500};
    static int16_t in[WIDE], out[NARROW];

    (void)state;
    for (int i = 0; i < 5; i++) {
        tone(in, WIDE, WIDE, tones[i]);
        down(out, in, WIDE, 480);
        assert_true(energy_dbfs(out + SKIP, NARROW - 2 * SKIP) < -13.3f - 58.0f);
    }
}

static void test_any_cut_of_the_input_gives_the_same(void **state)
{
    static const size_t frames[] = {1, 2, 3, 7, 100, 161, 479, 481, 2399};
    static int16_t in[2400], out[7200], again[7200];

    (void)state;
    for (int i = 0; i < 2400; i++)
        in[i] = (int16_t)(rand() % 40000 - 20000);
    up(out, in, 2400, 2400);
    for (int i = 0; i < 9; i++) {
        up(again, in, 2400, frames[i]);
        assert_memory_equal(out, again, sizeof(out));
    }
    assert_int_equal(down(out, in, 2400, 2400), 800);
    for (int i = 0; i < 9; i++) {
        assert_int_equal(down(again, in, 2400, frames[i]), 800);
        assert_memory_equal(out, again, 800 * sizeof(*out));
    }
}

/* A third of a sample too many would be a position behind the end of what the model said. */
static void test_a_third_comes_out_and_never_more(void **state)
{
    int16_t in[200] = {0}, out[100];

    (void)state;
    for (size_t n = 0; n <= 200; n++)
        assert_int_equal(down(out, in, n, 16), n / 3);
}

static void test_the_loudest_sound_is_cut_off_and_does_not_turn_over(void **state)
{
    static int16_t in[2400], out[7200];
    size_t n;

    (void)state;
    for (int i = 0; i < 2400; i++)
        in[i] = i / 40 % 2 ? INT16_MIN : INT16_MAX;
    up(out, in, 2400, 160);
    for (int i = 200; i < 7000; i++) /* but where the sign changes */
        if ((i - RESAMPLE_DELAY) % 120 > 6 && (i - RESAMPLE_DELAY) % 120 < 112)
            assert_int_equal(out[i] > 20000, (i - RESAMPLE_DELAY) / 120 % 2 == 0);
    n = down(out, in, 2400, 480);
    for (size_t i = 20; i < n - 20; i++)
        if (3 * i % 40 > 3 && 3 * i % 40 < 36)
            assert_int_equal(out[i] > 20000, 3 * i / 40 % 2 == 0);
}

static double bessel(double x)
{
    double sum = 1, term = 1;

    for (int k = 1; k < 40; k++) {
        term *= (x / 2 / k) * (x / 2 / k);
        sum += term;
    }
    return sum;
}

static double tap(int d)
{
    double window = bessel(5.65 * sqrt(1 - d * d / 1296.0)) / bessel(5.65);

    return d == 0 ? 1 : d % 3 == 0 ? 0 : window * sin(M_PI * d / 3) / (M_PI * d / 3);
}

static void test_the_tables_are_what_the_formula_says(void **state)
{
    enum { AT = 30, LOUD = 16384 };
    double sums[3] = {1, 0, 0};
    int16_t in[60] = {0}, out[180];

    (void)state;
    for (int d = -35; d <= 35; d++)
        if (d % 3 != 0)
            sums[(d + 36) % 3] += tap(d);
    in[AT] = LOUD;
    up(out, in, 60, 60);
    for (int d = -35; d <= 35; d++)
        assert_in_range(out[3 * AT + 36 + d] - (int)lrint(tap(d) / sums[(d + 36) % 3] * LOUD) + 1,
                        0, 2);
    for (int phase = 0; phase < 3; phase++) { /* one of three samples at a time */
        int16_t wide[180] = {0}, narrow[60];

        wide[90 + phase] = LOUD;
        assert_int_equal(down(narrow, wide, 180, 180), 60);
        for (int i = 0; i < 60; i++) {
            int d = 3 * i - (90 + phase);
            double want = abs(d) > 35 ? 0 : tap(d) / (sums[0] + sums[1] + sums[2]);

            assert_in_range(narrow[i] - (int)lrint(want * LOUD) + 1, 0, 2);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_tone_goes_up_without_a_seam),
        cmocka_unit_test(test_a_tone_comes_down_without_a_seam_and_in_time),
        cmocka_unit_test(test_what_a_telephone_cannot_carry_is_gone),
        cmocka_unit_test(test_any_cut_of_the_input_gives_the_same),
        cmocka_unit_test(test_a_third_comes_out_and_never_more),
        cmocka_unit_test(test_the_loudest_sound_is_cut_off_and_does_not_turn_over),
        cmocka_unit_test(test_the_tables_are_what_the_formula_says),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
