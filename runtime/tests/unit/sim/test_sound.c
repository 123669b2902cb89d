/* SPDX-License-Identifier: Apache-2.0 */
/* test_sound.c - the doubles' own codecs against known values, and speech that is fit to be sent.
 */
#include "sim/speech/sound.h"

#include "base/err.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void test_ulaw_agrees_with_the_recommendation(void **state)
{
    (void)state;
    assert_int_equal(0xff, sim_ulaw_encode(0));
    assert_int_equal(0x80, sim_ulaw_encode(32767));
    assert_int_equal(0x00, sim_ulaw_encode(-32768));
    assert_int_equal(0, sim_ulaw_decode(0xff));
    assert_int_equal(32124, sim_ulaw_decode(0x80));
    assert_int_equal(-32124, sim_ulaw_decode(0x00));
    assert_int_equal(8, sim_ulaw_decode(0xfe));
}

static void test_alaw_agrees_with_the_recommendation(void **state)
{
    (void)state;
    assert_int_equal(0xd5, sim_alaw_encode(0));
    assert_int_equal(0xaa, sim_alaw_encode(32767));
    assert_int_equal(0x2a, sim_alaw_encode(-32768));
    assert_int_equal(8, sim_alaw_decode(0xd5));
    assert_int_equal(32256, sim_alaw_decode(0xaa));
    assert_int_equal(-8, sim_alaw_decode(0x55));
}

static void test_every_code_survives_decoding_and_encoding(void **state)
{
    (void)state;
    for (int code = 0; code < 256; code++) {
        int expected = code == 0x7f ? 0xff : code; /* the two zeros of µ-law are one */
        assert_int_equal(expected, sim_ulaw_encode(sim_ulaw_decode((uint8_t)code)));
        assert_int_equal(code, sim_alaw_encode(sim_alaw_decode((uint8_t)code)));
    }
}

static void test_base64_comes_back_at_every_length(void **state)
{
    uint8_t in[64], out[64];
    char text[96];

    (void)state;
    for (size_t n = 0; n < sizeof(in); n++) {
        size_t length;

        for (size_t i = 0; i < n; i++)
            in[i] = (uint8_t)(i * 37 + n);
        length = sim_base64_encode(text, in, n);
        assert_int_equal((n + 2) / 3 * 4, length);
        assert_int_equal(n, sim_base64_decode(out, text, length));
        assert_memory_equal(in, out, n);
    }
    assert_int_equal(8, sim_base64_encode(text, (const uint8_t *)"hello", 5));
    assert_memory_equal("aGVsbG8=", text, 8);
}

static void test_base64_refuses_what_is_none(void **state)
{
    static const char *const wrong[] = {
        "abc", "ab=c", "====", "a===", "ab\ncd===", "ab c", "aGVsbG8*"};
    uint8_t out[64];

    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        assert_int_equal(RD_EPROTO, sim_base64_decode(out, wrong[i], strlen(wrong[i])));
}

static double rms(const struct sound *s)
{
    double sum = 0;

    for (size_t i = 0; i < s->n; i++)
        sum += (double)s->pcm[i] * s->pcm[i];
    return sqrt(sum / (double)s->n);
}

static void test_speech_is_trimmed_and_levelled(void **state)
{
    struct sound a, b;
    double begin = 0, end = 0;

    (void)state;
    assert_int_equal(0, sound_say(&a, "Good morning, how can I help you?", NULL));
    assert_int_equal(0, sound_say(&b, "Good morning, how can I help you?", "en-gb+m3"));
    assert_in_range(a.n, 8000, 32000);
    assert_true(rms(&a) > 1000 && rms(&a) < 4000);
    assert_true(fabs(20 * log10(rms(&a) / rms(&b))) < 3);
    for (size_t i = 0; i < 400; i++)
        begin = fmax(begin, abs(a.pcm[i]));
    for (size_t i = a.n - 800; i < a.n; i++)
        end = fmax(end, abs(a.pcm[i]));
    assert_true(begin > 200);
    assert_true(end > 50);
    sound_fini(&a);
    sound_fini(&b);
}

static void test_a_sentence_said_twice_is_the_same(void **state)
{
    struct sound a, b;

    (void)state;
    assert_int_equal(0, sound_say(&a, "-v is not an option here", "en-us+f3"));
    assert_int_equal(0, sound_say(&b, "-v is not an option here", "en-us+f3"));
    assert_int_equal(a.n, b.n);
    assert_memory_equal(a.pcm, b.pcm, a.n * 2);
    assert_ptr_not_equal(a.pcm, b.pcm);
    sound_fini(&a);
    sound_fini(&b);
}

static void test_pauses_stay_shorter_than_a_turn(void **state)
{
    struct sound s;
    size_t quiet = 0, longest = 0;

    (void)state;
    assert_int_equal(0, sound_say(&s, "No. I said no. Please stop. Thank you.", NULL));
    for (size_t i = 0; i < s.n; i++) {
        quiet = abs(s.pcm[i]) < 40 ? quiet + 1 : 0;
        longest = quiet > longest ? quiet : longest;
    }
    print_message("longest pause: %zu ms\n", longest / 8);
    assert_true(longest / 8 < 400);
    sound_fini(&s);
}

/* The low-pass is proper: a tone above the new Nyquist frequency must not come back as another. */
static void test_resampling_does_not_alias(void **state)
{
    struct sound high = {.n = 48000}, low;

    (void)state;
    high.pcm = malloc(high.n * 2);
    assert_non_null(high.pcm);
    for (size_t i = 0; i < high.n; i++)
        high.pcm[i] = (int16_t)(10000 * sin(2 * 3.14159265 * 7000 * (double)i / 24000));
    assert_int_equal(0, sound_resample(&low, high.pcm, high.n, 24000, 8000));
    assert_int_equal(16000, low.n);
    assert_true(rms(&low) < 100);
    sound_fini(&high);
    sound_fini(&low);
}

static void test_a_stereo_file_is_padded_and_mixed_when_read(void **state)
{
    int16_t l[800], r[400];
    struct sound left = {l, 800}, right = {r, 400}, back;
    char path[] = "/tmp/rd-sound-XXXXXX";
    int fd = mkstemp(path);

    (void)state;
    assert_true(fd >= 0);
    close(fd);
    for (size_t i = 0; i < 800; i++)
        l[i] = 1000;
    for (size_t i = 0; i < 400; i++)
        r[i] = -3000;
    assert_int_equal(0, sound_save_stereo(path, &left, &right));
    assert_int_equal(0, sound_load(&back, path));
    assert_int_equal(800, back.n);
    assert_int_equal(-1000, back.pcm[0]);
    assert_int_equal(500, back.pcm[799]);
    sound_fini(&back);
    unlink(path);
}

static void test_files_that_are_no_sound_are_told(void **state)
{
    struct sound s;

    (void)state;
    assert_int_equal(-ENOENT, sound_load(&s, "/nonexistent.wav"));
    assert_int_equal(RD_EPROTO, sound_load(&s, "CMakeLists.txt"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ulaw_agrees_with_the_recommendation),
        cmocka_unit_test(test_alaw_agrees_with_the_recommendation),
        cmocka_unit_test(test_every_code_survives_decoding_and_encoding),
        cmocka_unit_test(test_base64_comes_back_at_every_length),
        cmocka_unit_test(test_base64_refuses_what_is_none),
        cmocka_unit_test(test_speech_is_trimmed_and_levelled),
        cmocka_unit_test(test_a_sentence_said_twice_is_the_same),
        cmocka_unit_test(test_pauses_stay_shorter_than_a_turn),
        cmocka_unit_test(test_resampling_does_not_alias),
        cmocka_unit_test(test_a_stereo_file_is_padded_and_mixed_when_read),
        cmocka_unit_test(test_files_that_are_no_sound_are_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
