/* SPDX-License-Identifier: Apache-2.0 */
#include "media/energy.h"
#include "media/resample.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

enum { SECOND = 24000 };

static void tone(int16_t *pcm, size_t n, uint32_t rate_hz, double hz)
{
    for (size_t i = 0; i < n; i++)
        pcm[i] = (int16_t)lrint(10000 * sin(2 * M_PI * hz * (double)i / rate_hz));
}

/* One second in frames of 20 ms; returns samples out. */
static size_t through(uint32_t from_hz, uint32_t to_hz, double hz, int16_t *out)
{
    int16_t in[SECOND];
    struct resample *r;
    size_t made = 0, frame = from_hz / 50;

    tone(in, from_hz, from_hz, hz);
    assert_int_equal(resample_new(&r, from_hz, to_hz), 0);
    for (size_t at = 0; at < from_hz; at += frame) {
        size_t k = resample_feed(r, out + made, resample_max_out(r, frame), in + at, frame);
        assert_in_range(k, 0, resample_max_out(r, frame));
        made += k;
    }
    resample_free(r);
    return made;
}

static void test_a_second_stays_a_second_between_all_rates(void **state)
{
    static const uint32_t rates[] = {8000, 16000, 24000};
    int16_t out[SECOND + 100];

    (void)state;
    for (int i = 0; i < 3; i++) {
        for (int k = 0; k < 3; k++) {
            size_t n = through(rates[i], rates[k], 440, out);
            assert_in_range(n, rates[k] - rates[k] / 100, rates[k] + 1);
        }
    }
}

static void test_a_tone_keeps_its_loudness_and_pitch(void **state)
{
    int16_t out[SECOND + 100];
    size_t n = through(24000, 8000, 1000, out);
    int crossings = 0;

    (void)state;
    for (size_t i = 1; i < n; i++)
        crossings += out[i - 1] < 0 && out[i] >= 0;
    assert_in_range(crossings, 985, 1001);
    assert_true(fabsf(energy_dbfs(out + 100, n - 200) - -13.3f) < 0.5f);
}

static void test_what_the_lower_rate_cannot_carry_is_gone(void **state)
{
    int16_t out[SECOND + 100];
    size_t n = through(24000, 8000, 6000, out);

    (void)state;
    assert_true(energy_dbfs(out + 100, n - 200) < -45.0f);
}

static void test_equal_rates_copy_and_wrong_rates_are_refused(void **state)
{
    int16_t in[80], out[80];
    struct resample *r;

    (void)state;
    tone(in, 80, 8000, 300);
    assert_int_equal(resample_new(&r, 8000, 8000), 0);
    assert_int_equal(resample_feed(r, out, 80, in, 80), 80);
    assert_memory_equal(in, out, sizeof(in));
    resample_reset(r);
    resample_free(r);
    assert_int_equal(resample_new(&r, 8000, 44100), -EINVAL);
    assert_int_equal(resample_new(&r, 0, 8000), -EINVAL);
    resample_free(NULL);
}

static void test_a_reset_forgets_what_was_heard(void **state)
{
    int16_t in[160], first[480], again[480];
    struct resample *r;
    size_t n, m;

    (void)state;
    tone(in, 160, 8000, 700);
    assert_int_equal(resample_new(&r, 8000, 24000), 0);
    n = resample_feed(r, first, 480, in, 160);
    resample_reset(r);
    m = resample_feed(r, again, 480, in, 160);
    assert_int_equal(n, m);
    assert_memory_equal(first, again, n * sizeof(*first));
    resample_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_second_stays_a_second_between_all_rates),
        cmocka_unit_test(test_a_tone_keeps_its_loudness_and_pitch),
        cmocka_unit_test(test_what_the_lower_rate_cannot_carry_is_gone),
        cmocka_unit_test(test_equal_rates_copy_and_wrong_rates_are_refused),
        cmocka_unit_test(test_a_reset_forgets_what_was_heard),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
