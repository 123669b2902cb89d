/* SPDX-License-Identifier: Apache-2.0 */
#include "media/energy.h"
#include "media/g711.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void test_silence_is_at_the_floor(void **state)
{
    int16_t pcm[160] = {0};
    uint8_t ulaw[160];

    (void)state;
    memset(ulaw, G711_ULAW_SILENCE, sizeof(ulaw));
    assert_true(energy_dbfs(pcm, 160) == -96.0f);
    assert_true(energy_ulaw_dbfs(ulaw, 160) == -96.0f);
    assert_true(energy_dbfs(pcm, 0) == -96.0f);
    assert_true(energy_ulaw_dbfs(ulaw, 0) == -96.0f);
}

static void test_a_full_square_wave_is_zero(void **state)
{
    int16_t pcm[400];

    (void)state;
    for (int i = 0; i < 400; i++)
        pcm[i] = i % 8 < 4 ? INT16_MIN : INT16_MAX;
    assert_true(fabsf(energy_dbfs(pcm, 400)) < 0.01f);
}

static void test_both_scales_agree_on_a_tone(void **state)
{
    int16_t pcm[400];
    uint8_t ulaw[400];

    (void)state;
    for (int i = 0; i < 400; i++)
        pcm[i] = (int16_t)lrint(3276.8 * sin(i * 0.7));
    g711_ulaw_encode(ulaw, pcm, 400);
    assert_true(fabsf(energy_dbfs(pcm, 400) - -23.0f) < 0.2f);
    assert_true(fabsf(energy_dbfs(pcm, 400) - energy_ulaw_dbfs(ulaw, 400)) < 0.2f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_silence_is_at_the_floor),
        cmocka_unit_test(test_a_full_square_wave_is_zero),
        cmocka_unit_test(test_both_scales_agree_on_a_tone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
