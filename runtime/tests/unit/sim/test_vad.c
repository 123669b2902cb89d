/* SPDX-License-Identifier: Apache-2.0 */
/* test_vad.c - turns found in the audio that arrives, in its own time. */
#include "sim/speech/vad.h"

#include "sim/speech/sound.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct vad_opts usual = {
    .threshold = 0.5F, .prefix_padding_ms = 300, .silence_duration_ms = 500};

struct seen {
    unsigned started, stopped;
    uint64_t started_ms, stopped_ms;
};

static void hear(struct vad *v, struct seen *seen, const int16_t *pcm, size_t n)
{
    for (size_t i = 0; i + VAD_FRAME <= n; i += VAD_FRAME) {
        uint64_t at_ms = 0;
        enum vad_event e = vad_frame(v, pcm + i, &at_ms);

        if (e == VAD_STARTED) {
            seen->started++;
            seen->started_ms = at_ms;
        } else if (e == VAD_STOPPED) {
            seen->stopped++;
            seen->stopped_ms = at_ms;
        }
    }
}

static void silence(struct vad *v, struct seen *seen, unsigned ms)
{
    int16_t quiet[VAD_FRAME] = {0};

    for (unsigned i = 0; i < ms; i += 10)
        hear(v, seen, quiet, VAD_FRAME);
}

static void noise(struct vad *v, struct seen *seen, unsigned ms, int amplitude)
{
    int16_t pcm[VAD_FRAME];
    static uint32_t x = 1;

    for (unsigned i = 0; i < ms; i += 10) {
        for (int k = 0; k < VAD_FRAME; k++) {
            x = x * 1664525u + 1013904223u;
            pcm[k] = (int16_t)((int)((x >> 8) % (unsigned)(2 * amplitude)) - amplitude);
        }
        hear(v, seen, pcm, VAD_FRAME);
    }
}

static void test_a_sentence_is_one_turn(void **state)
{
    struct seen seen = {0};
    struct sound s;
    struct vad v;

    (void)state;
    assert_int_equal(0, sound_say(&s, "Hi, I need a plumber. Can you come tomorrow?", NULL));
    vad_init(&v, &usual);
    silence(&v, &seen, 1000);
    hear(&v, &seen, s.pcm, s.n);
    assert_int_equal(0, seen.stopped);
    silence(&v, &seen, 1000);
    assert_int_equal(1, seen.started);
    assert_int_equal(1, seen.stopped);
    assert_in_range(seen.started_ms, 600, 800); /* a second, less the padding and a bit */
    assert_in_range(seen.stopped_ms, 1000 + s.n / 8 + 350, 1000 + s.n / 8 + 500);
    sound_fini(&s);
}

static void test_silence_lasts_as_long_as_configured(void **state)
{
    struct vad_opts patient = usual;
    struct seen seen = {0};
    struct vad v;

    (void)state;
    patient.silence_duration_ms = 1200;
    vad_init(&v, &patient);
    silence(&v, &seen, 500);
    noise(&v, &seen, 500, 4000);
    silence(&v, &seen, 1190);
    assert_int_equal(0, seen.stopped);
    silence(&v, &seen, 10);
    assert_int_equal(1, seen.stopped);
    assert_int_equal(2200, seen.stopped_ms);
}

static void test_a_click_is_no_turn(void **state)
{
    struct seen seen = {0};
    struct vad v;

    (void)state;
    vad_init(&v, &usual);
    silence(&v, &seen, 500);
    noise(&v, &seen, 20, 12000);
    silence(&v, &seen, 500);
    assert_int_equal(0, seen.started);
}

static void test_line_noise_is_no_turn(void **state)
{
    struct seen seen = {0};
    struct vad v;

    (void)state;
    vad_init(&v, &usual);
    noise(&v, &seen, 5000, 60);
    assert_int_equal(0, seen.started);
}

static void test_steady_noise_becomes_the_floor(void **state)
{
    struct seen seen = {0};
    struct vad v;

    (void)state;
    vad_init(&v, &usual);
    noise(&v, &seen, 40000, 600);
    assert_int_equal(1, seen.started);
    assert_int_equal(1, seen.stopped);
    noise(&v, &seen, 1000, 9000);
    assert_int_equal(2, seen.started);
}

static void test_a_constant_is_silence(void **state)
{
    struct seen seen = {0};
    int16_t flat[VAD_FRAME];
    struct vad v;

    (void)state;
    vad_init(&v, &usual);
    for (int i = 0; i < VAD_FRAME; i++)
        flat[i] = 9000;
    for (int i = 0; i < 100; i++)
        hear(&v, &seen, flat, VAD_FRAME);
    assert_int_equal(0, seen.started);
}

static void test_the_padding_never_begins_before_the_call(void **state)
{
    struct seen seen = {0};
    struct vad v;

    (void)state;
    vad_init(&v, &usual);
    noise(&v, &seen, 200, 8000);
    assert_int_equal(1, seen.started);
    assert_int_equal(0, seen.started_ms);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_sentence_is_one_turn),
        cmocka_unit_test(test_silence_lasts_as_long_as_configured),
        cmocka_unit_test(test_a_click_is_no_turn),
        cmocka_unit_test(test_line_noise_is_no_turn),
        cmocka_unit_test(test_steady_noise_becomes_the_floor),
        cmocka_unit_test(test_a_constant_is_silence),
        cmocka_unit_test(test_the_padding_never_begins_before_the_call),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
