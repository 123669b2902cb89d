/* SPDX-License-Identifier: Apache-2.0 */
/* test_ears.c - what is appended as PCM: a voice, or what only looks like one. */
#include "sim/openai/ears.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { SECOND = 24000 };

static void tone(uint8_t *bytes, double hz)
{
    for (int i = 0; i < SECOND; i++) {
        int v = (int)lrint(6000 * sin(2 * M_PI * hz * i / SECOND));

        bytes[2 * i] = (uint8_t)(v & 255);
        bytes[2 * i + 1] = (uint8_t)(v >> 8 & 255);
    }
}

static uint32_t noisy_ms(const uint8_t *bytes, size_t n)
{
    struct ears *e;
    uint32_t ms;

    assert_int_equal(ears_new(&e), 0);
    ears_tune(e, EARS_PCM24, NULL);
    assert_int_equal(ears_append(e, bytes, n), 0);
    ms = ears_noisy_ms(e);
    ears_free(e);
    return ms;
}

static void test_what_a_telephone_carries_is_no_noise(void **state)
{
    static uint8_t bytes[2 * SECOND];

    (void)state;
    assert_int_equal(noisy_ms(bytes, sizeof(bytes)), 0); /* silence */
    tone(bytes, 300);
    assert_int_equal(noisy_ms(bytes, sizeof(bytes)), 0);
    tone(bytes, 3400);
    assert_int_equal(noisy_ms(bytes, sizeof(bytes)), 0);
}

static void test_half_a_sample_too_much_and_mu_law_are_noise(void **state)
{
    static uint8_t bytes[2 * SECOND];

    (void)state;
    tone(bytes, 1000);
    assert_in_range(noisy_ms(bytes + 1, sizeof(bytes) - 2), 800, 1000);
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = sim_ulaw_encode((int16_t)lrint(6000 * sin(2 * M_PI * 0.13 * (double)i)));
    assert_in_range(noisy_ms(bytes, sizeof(bytes)), 800, 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_a_telephone_carries_is_no_noise),
        cmocka_unit_test(test_half_a_sample_too_much_and_mu_law_are_noise),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
