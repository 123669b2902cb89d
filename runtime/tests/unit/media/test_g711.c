/* SPDX-License-Identifier: Apache-2.0 */
/* The law over every input there is, against the standard's rule written out step by step. */
#include "media/g711.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

/* Decoder values from the formula: segment e, step m. */
static int ulaw_value(unsigned byte)
{
    unsigned b = ~byte & 0xFF, e = b >> 4 & 7, m = b & 15;
    int magnitude = (int)(((2 * m + 33) << e) - 33) * 4;

    return b & 0x80 ? -magnitude : magnitude;
}

/* Table 2a as decision values: walk the segments from below until the sample fits. */
static unsigned ulaw_code(int sample)
{
    int magnitude = (sample < 0 ? ~sample : sample) >> 2;
    int low = 0, step = 2, first = 1;
    unsigned code = 0;

    for (code = 0; code < 127; code++) {
        int width = first ? 1 : step; /* the first interval is half a step: 0 lies inside it */
        if (magnitude < low + width)
            break;
        low += width;
        first = 0;
        if (code % 16 == 15)
            step *= 2;
    }
    return (sample < 0 ? 0 : 0x80) | (~code & 0x7F);
}

static void test_every_byte_decodes_to_the_value_of_the_formula(void **state)
{
    (void)state;
    for (unsigned b = 0; b < 256; b++) {
        uint8_t byte = (uint8_t)b;
        int16_t u;

        g711_ulaw_decode(&u, &byte, 1);
        assert_int_equal(u, ulaw_value(b));
    }
}

static void test_every_sample_encodes_into_the_interval_it_lies_in(void **state)
{
    (void)state;
    for (int s = -32768; s <= 32767; s++) {
        int16_t sample = (int16_t)s;
        uint8_t u;

        g711_ulaw_encode(&u, &sample, 1);
        assert_int_equal(u, ulaw_code(s));
    }
}

static void test_what_was_decoded_encodes_to_the_same_byte(void **state)
{
    (void)state;
    for (unsigned b = 0; b < 256; b++) {
        uint8_t byte = (uint8_t)b, again;
        int16_t pcm;

        g711_ulaw_decode(&pcm, &byte, 1);
        g711_ulaw_encode(&again, &pcm, 1);
        assert_int_equal(again, b == 0x7F ? 0xFF : b); /* the two zeros are one sample */
    }
}

static void test_silence_is_silent(void **state)
{
    const uint8_t ulaw = G711_ULAW_SILENCE;
    int16_t pcm;

    (void)state;
    g711_ulaw_decode(&pcm, &ulaw, 1);
    assert_int_equal(pcm, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_byte_decodes_to_the_value_of_the_formula),
        cmocka_unit_test(test_every_sample_encodes_into_the_interval_it_lies_in),
        cmocka_unit_test(test_what_was_decoded_encodes_to_the_same_byte),
        cmocka_unit_test(test_silence_is_silent),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
