/* SPDX-License-Identifier: Apache-2.0 */
/* test_recognise.c - what the doubles' ears must survive and what they must refuse, with several
 * sentences, voices and seeds; each test prints how far it stayed from the limit. */
#include "sim/speech/recognise.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { N_SENTENCES = 5, N_VOICES = 2, N_PROMPTS = 2, SEEDS = 3, FRAME = 160 };
enum { N_KNOWN = N_SENTENCES * N_VOICES + N_PROMPTS };

#define DAYLIGHT_DB 1.0F /* between what is understood, the limit, and what is not */

static const char *const sentences[N_SENTENCES] = {
    "Hi, I need a plumber tomorrow at nine.",
    "Wait, make it ten in the morning.",
    "No thanks, goodbye.",
    "What are your opening hours on Saturday?",
    "There is water all over my kitchen floor!",
};
static const char *const voices[N_VOICES] = {"en-us", "en-gb+f3"};
#define PROMPTS "/usr/share/asterisk/sounds/en_US_f_Allison/"
static const char *const prompts[N_PROMPTS] = {PROMPTS "all-circuits-busy-now.wav",
                                               PROMPTS "check-number-dial-again.wav"};

struct fixture {
    struct recogniser *ears[N_VOICES + 1]; /* a scenario speaks with one voice; the last: prompts */
    struct sound known[N_KNOWN];
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    size_t n = 0;

    assert_non_null(f);
    for (size_t v = 0; v < N_VOICES; v++) {
        assert_int_equal(0, recogniser_new(&f->ears[v]));
        for (size_t i = 0; i < N_SENTENCES; i++, n++) {
            assert_int_equal(i, recogniser_add(f->ears[v], sentences[i], voices[v]));
            assert_int_equal(0, sound_say(&f->known[n], sentences[i], voices[v]));
        }
    }
    assert_int_equal(0, recogniser_new(&f->ears[N_VOICES]));
    for (size_t i = 0; i < N_PROMPTS; i++, n++) {
        assert_int_equal(i, recogniser_add_file(f->ears[N_VOICES], prompts[i]));
        assert_int_equal(0, sound_load(&f->known[n], prompts[i]));
    }
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    for (size_t i = 0; i <= N_VOICES; i++)
        recogniser_free(f->ears[i]);
    for (size_t i = 0; i < N_KNOWN; i++)
        sound_fini(&f->known[i]);
    free(f);
    return 0;
}

/* ---- what happens on the way ---- */

static uint32_t random_next(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

/* As a turn arrives: silence before and after, µ-law. */
static struct sound line(const struct sound *s)
{
    struct sound out = {.n = s->n + 2400 + 4000};

    out.pcm = calloc(out.n, sizeof(*out.pcm));
    assert_non_null(out.pcm);
    memcpy(out.pcm + 2400, s->pcm, s->n * sizeof(*s->pcm));
    for (size_t i = 0; i < out.n; i++)
        out.pcm[i] = sim_ulaw_decode(sim_ulaw_encode(out.pcm[i]));
    return out;
}

static struct sound plain(const struct sound *s, uint32_t seed)
{
    (void)seed;
    return line(s);
}

static void lose_frames(struct sound *s, uint32_t seed)
{
    for (size_t i = 0; i + FRAME <= s->n; i += FRAME)
        if (random_next(&seed) % 100 < 5)
            memset(s->pcm + i, 0, FRAME * sizeof(*s->pcm));
}

static struct sound lossy(const struct sound *s, uint32_t seed)
{
    struct sound out = line(s);

    lose_frames(&out, seed);
    return out;
}

/* Frames that vanish instead: what follows comes earlier. */
static struct sound shortened(const struct sound *s, uint32_t seed)
{
    struct sound out = line(s);
    size_t kept = 0;

    for (size_t i = 0; i + FRAME <= out.n; i += FRAME)
        if (random_next(&seed) % 100 >= 5) {
            memmove(out.pcm + kept, out.pcm + i, FRAME * sizeof(*out.pcm));
            kept += FRAME;
        }
    out.n = kept;
    return out;
}

static struct sound there_and_back(const struct sound *s, unsigned rate_hz, uint32_t seed)
{
    struct sound out = line(s), wide, narrow;

    assert_int_equal(0, sound_resample(&wide, out.pcm, out.n, 8000, rate_hz));
    assert_int_equal(0, sound_resample(&narrow, wide.pcm, wide.n, rate_hz, 8000));
    sound_fini(&out);
    sound_fini(&wide);
    out = line(&narrow);
    sound_fini(&narrow);
    lose_frames(&out, seed);
    return out;
}

static struct sound by_16k(const struct sound *s, uint32_t seed)
{
    return there_and_back(s, 16000, seed);
}

static struct sound by_24k(const struct sound *s, uint32_t seed)
{
    return there_and_back(s, 24000, seed);
}

static struct sound ulaw_as_alaw(const struct sound *s, uint32_t seed)
{
    struct sound out = line(s);

    (void)seed;
    for (size_t i = 0; i < out.n; i++)
        out.pcm[i] = sim_alaw_decode(sim_ulaw_encode(out.pcm[i]));
    return out;
}

static struct sound alaw_as_ulaw(const struct sound *s, uint32_t seed)
{
    struct sound out = line(s);

    (void)seed;
    for (size_t i = 0; i < out.n; i++)
        out.pcm[i] = sim_ulaw_decode(sim_alaw_encode(out.pcm[i]));
    return out;
}

static struct sound at_rate(const struct sound *s, unsigned from_hz, unsigned to_hz)
{
    struct sound in = line(s), out;

    assert_int_equal(0, sound_resample(&out, in.pcm, in.n, from_hz, to_hz));
    sound_fini(&in);
    return out;
}

static struct sound half_speed(const struct sound *s, uint32_t seed)
{
    (void)seed;
    return at_rate(s, 8000, 16000);
}

static struct sound double_speed(const struct sound *s, uint32_t seed)
{
    (void)seed;
    return at_rate(s, 16000, 8000);
}

/* 200 ms of nothing in every 600 ms. */
static struct sound with_holes(const struct sound *s, uint32_t seed)
{
    struct sound out = line(s);
    size_t phase = random_next(&seed) % 4800;

    for (size_t i = 0; i < out.n; i++)
        if ((i + phase) % 4800 < 1600)
            out.pcm[i] = 0;
    return out;
}

/* ---- the judge ---- */

typedef struct sound(line_fn)(const struct sound *s, uint32_t seed);

static void judge(struct fixture *f, const char *name, line_fn *way, uint32_t seeds,
                  bool recognised)
{
    float nearest = recognised ? 0 : 1e9F;

    for (size_t k = 0; k < N_KNOWN; k++)
        for (uint32_t seed = 1; seed <= seeds; seed++) {
            const struct recogniser *ears = f->ears[k / N_SENTENCES];
            int index = (int)(k % N_SENTENCES);
            struct sound heard = way(&f->known[k], seed * 7919 + (uint32_t)k);
            float score = 0;
            int got = recogniser_best(ears, heard.pcm, heard.n, &score);

            sound_fini(&heard);
            if (got != (recognised ? index : -1))
                print_error("%s: \"%s\" heard as %d (%.2f dB)\n", name,
                            recogniser_text(ears, index), got, (double)score);
            assert_int_equal(recognised ? index : -1, got);
            nearest = recognised ? fmaxf(nearest, score) : fminf(nearest, score);
        }
    if (recognised)
        assert_true(nearest < RECOGNISE_MAX_DB - DAYLIGHT_DB);
    else
        assert_true(nearest > RECOGNISE_MAX_DB + DAYLIGHT_DB);
    print_message("  %-24s %s %.2f dB (limit %.2f)\n", name, recognised ? "worst" : "nearest",
                  (double)nearest, (double)RECOGNISE_MAX_DB);
}

static void test_a_clean_line_is_understood(void **state)
{
    judge(*state, "clean", plain, 1, true);
}

static void test_five_percent_of_lost_frames_are_survived(void **state)
{
    judge(*state, "5 % of frames silent", lossy, SEEDS, true);
    judge(*state, "5 % of frames missing", shortened, SEEDS, true);
}

static void test_resampling_is_survived_with_loss(void **state)
{
    judge(*state, "8-16-8 kHz and loss", by_16k, SEEDS, true);
    judge(*state, "8-24-8 kHz and loss", by_24k, SEEDS, true);
}

static void test_swapped_laws_are_refused(void **state)
{
    judge(*state, "u-law read as A-law", ulaw_as_alaw, 1, false);
    judge(*state, "A-law read as u-law", alaw_as_ulaw, 1, false);
}

static void test_a_wrong_rate_is_refused(void **state)
{
    judge(*state, "half speed", half_speed, 1, false);
    judge(*state, "double speed", double_speed, 1, false);
}

static void test_holes_of_200_ms_are_refused(void **state)
{
    judge(*state, "200 ms holes", with_holes, SEEDS, false);
}

/* Each sentence is played to ears that know only the others. */
static void test_no_sentence_is_taken_for_another(void **state)
{
    struct fixture *f = *state;
    float nearest = 1e9F;

    for (size_t k = 0; k < N_SENTENCES * N_VOICES; k++) {
        struct recogniser *others;
        struct sound heard = line(&f->known[k]);
        float score;

        assert_int_equal(0, recogniser_new(&others));
        for (size_t i = 0; i < N_SENTENCES; i++)
            if (i != k % N_SENTENCES)
                assert_true(recogniser_add(others, sentences[i], voices[k / N_SENTENCES]) >= 0);
        assert_int_equal(-1, recogniser_best(others, heard.pcm, heard.n, &score));
        nearest = fminf(nearest, score);
        sound_fini(&heard);
        recogniser_free(others);
    }
    print_message("  nearest other sentence   %.2f dB (limit %.2f)\n", (double)nearest,
                  (double)RECOGNISE_MAX_DB);
}

static void test_near_twins_are_told_apart_or_not_at_all(void **state)
{
    struct recogniser *r;
    struct sound nine, heard;

    (void)state;
    assert_int_equal(0, recogniser_new(&r));
    assert_int_equal(0, recogniser_add(r, "I would like to come at nine.", NULL));
    assert_int_equal(1, recogniser_add(r, "I would like to come at five.", NULL));
    assert_int_equal(0, sound_say(&nine, "I would like to come at nine.", NULL));
    heard = line(&nine);
    assert_int_not_equal(1, recogniser_best(r, heard.pcm, heard.n, NULL));
    sound_fini(&nine);
    sound_fini(&heard);
    recogniser_free(r);
}

static void test_silence_noise_and_nothing_are_not_speech(void **state)
{
    struct fixture *f = *state;
    int16_t noise[16000];
    uint32_t seed = 4711;

    memset(noise, 0, sizeof(noise));
    assert_int_equal(-1, recogniser_best(f->ears[0], noise, 0, NULL));
    assert_int_equal(-1, recogniser_best(f->ears[0], noise, 100, NULL));
    assert_int_equal(-1, recogniser_best(f->ears[0], noise, 16000, NULL));
    for (size_t i = 0; i < 16000; i++)
        noise[i] = (int16_t)((int)(random_next(&seed) % 6000) - 3000);
    assert_int_equal(-1, recogniser_best(f->ears[0], noise, 16000, NULL));
}

static void test_a_sentence_is_found_in_a_long_recording(void **state)
{
    struct fixture *f = *state;
    const struct sound *parts[] = {&f->known[3], &f->known[0], &f->known[4]};
    struct sound tape = {.n = 0};
    float in, out, other_voice;

    for (size_t i = 0; i < 3; i++)
        tape.n += parts[i]->n + 8000;
    tape.pcm = calloc(tape.n, sizeof(*tape.pcm));
    assert_non_null(tape.pcm);
    for (size_t i = 0, at = 4000; i < 3; at += parts[i]->n + 4000, i++)
        memcpy(tape.pcm + at, parts[i]->pcm, parts[i]->n * sizeof(*tape.pcm));
    lose_frames(&tape, 5);
    assert_int_equal(1, recognise_sound(&tape, sentences[0], voices[0], &in));
    assert_int_equal(0, recognise_sound(&tape, sentences[2], voices[0], &out));
    assert_true(recognise_sound(&tape, sentences[0], voices[1], &other_voice) >= 0);
    assert_true(other_voice > 2 * in);
    print_message("  on a tape: %.2f dB; not on it: %.2f dB; another voice: %.2f dB\n", (double)in,
                  (double)out, (double)other_voice);
    sound_fini(&tape);
}

static void test_the_same_words_are_learnt_once(void **state)
{
    struct recogniser *r;

    (void)state;
    assert_int_equal(0, recogniser_new(&r));
    assert_int_equal(0, recogniser_add(r, "Yes please.", NULL));
    assert_int_equal(0, recogniser_add(r, "Yes please.", NULL));
    assert_int_equal(1, recogniser_add(r, "Yes please.", "en-gb"));
    assert_string_equal("Yes please.", recogniser_text(r, 1));
    assert_null(recogniser_text(r, 2));
    recogniser_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_clean_line_is_understood),
        cmocka_unit_test(test_five_percent_of_lost_frames_are_survived),
        cmocka_unit_test(test_resampling_is_survived_with_loss),
        cmocka_unit_test(test_swapped_laws_are_refused),
        cmocka_unit_test(test_a_wrong_rate_is_refused),
        cmocka_unit_test(test_holes_of_200_ms_are_refused),
        cmocka_unit_test(test_no_sentence_is_taken_for_another),
        cmocka_unit_test(test_near_twins_are_told_apart_or_not_at_all),
        cmocka_unit_test(test_silence_noise_and_nothing_are_not_speech),
        cmocka_unit_test(test_a_sentence_is_found_in_a_long_recording),
        cmocka_unit_test(test_the_same_words_are_learnt_once),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
