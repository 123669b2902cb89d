/* SPDX-License-Identifier: Apache-2.0 */
/* test_openai_pcm.c - a session that speaks 16-bit PCM at 24 kHz: what goes on its wire, and what the
 * call core is told of it, which is µ-law and nothing else. */
#include "base/err.h"
#include "media/base64.h"
#include "media/energy.h"
#include "media/g711.h"
#include "unit/providers/fake_leg_story.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { FRAME = 160, SECOND = 8000, WIDE_SECOND = 24000, SKIP = 200 };

static struct {
    uint8_t ulaw[2 * SECOND];
    size_t n;
    unsigned spans, padded, longest;
} heard;

static void on_audio(void *arg, const struct provider_item *it, const struct audio_span *a)
{
    assert_int_equal(base64_check(a->b64, a->n_b64), a->n_bytes);
    assert_true(heard.n + a->n_bytes <= sizeof(heard.ulaw));
    heard.n += base64_decode_checked(heard.ulaw + heard.n, a->b64, a->n_b64);
    heard.spans++;
    heard.padded += a->n_bytes % 3 != 0;
    if (a->n_bytes > heard.longest)
        heard.longest = a->n_bytes;
    fake_core_events.on_audio(arg, it, a);
}

static struct provider_events events;

static struct provider_leg *pcm_leg_numbered(unsigned number)
{
    struct brief b = fake_agent;
    struct provider_leg *leg;
    unsigned i = fake_dials();

    b.audio = "pcm";
    memset(&heard, 0, sizeof(heard));
    events = fake_core_events;
    events.on_audio = on_audio;
    assert_int_equal(openai_open(&leg, pool,
                                 &(struct openai_session){.brief = &b, .number = number}, &events,
                                 &core),
                     0);
    core.leg = leg;
    fake_open(i);
    fake_text(i, CREATED);
    fake_text(i, UPDATED);
    assert_string_equal(core_last(&core), "ready");
    core_forget(&core);
    return leg;
}

static struct provider_leg *pcm_leg(void)
{
    return pcm_leg_numbered(0);
}

static void tone(int16_t *pcm, size_t n, uint32_t rate_hz, double hz)
{
    for (size_t i = 0; i < n; i++)
        pcm[i] = (int16_t)lrint(8000 * sin(2 * M_PI * hz * (double)i / rate_hz));
}

/* The sound of the model, cut as the test likes. */
static void delta(const char *item, const uint8_t *bytes, size_t n)
{
    static char b64[BASE64_ENCODED(2 * WIDE_SECOND) + 1], text[sizeof(b64) + 256];

    b64[base64_encode(b64, bytes, n)] = '\0';
    (void)snprintf(text, sizeof(text),
                   "{\"type\":\"response.output_audio.delta\",\"response_id\":\"r\",\"item_id\":"
                   "\"%s\",\"content_index\":0,\"delta\":\"%s\"}",
                   item, b64);
    fake_text(0, text);
}

static void done(const char *item)
{
    char text[256];

    (void)snprintf(text, sizeof(text),
                   "{\"type\":\"response.output_audio.done\",\"response_id\":\"r\",\"item_id\":"
                   "\"%s\",\"content_index\":0}",
                   item);
    fake_text(0, text);
}

static void as_bytes(uint8_t *out, const int16_t *pcm, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        out[2 * i] = (uint8_t)(pcm[i] & 255);
        out[2 * i + 1] = (uint8_t)(pcm[i] >> 8 & 255);
    }
}

static void second_of_tone(uint8_t out[2 * WIDE_SECOND])
{
    static int16_t pcm[WIDE_SECOND];

    tone(pcm, WIDE_SECOND, WIDE_SECOND, 1000);
    as_bytes(out, pcm, WIDE_SECOND);
}

/* Samples of the appends that were sent, from the n-th message on. */
static size_t appended(int16_t *pcm, unsigned n)
{
    static uint8_t bytes[2 * WIDE_SECOND];
    size_t made = 0;

    for (; n < fake_sent_count(0); n++) {
        const char *b64 = strstr(fake_sent(0, n), "\"audio\":\"");
        ssize_t k;

        assert_non_null(b64);
        b64 += strlen("\"audio\":\"");
        k = base64_decode(bytes, b64, strcspn(b64, "\""));
        assert_true(k > 0 && k % 6 == 0);
        for (ssize_t i = 0; i < k; i += 2)
            pcm[made++] = (int16_t)(bytes[i] | bytes[i + 1] << 8);
    }
    return made;
}

static void say(struct provider_leg *leg, const uint8_t *ulaw, size_t n)
{
    char b64[BASE64_ENCODED(SECOND)];
    struct audio_span a = {.b64 = b64, .n_bytes = (uint32_t)n};

    a.n_b64 = base64_encode(b64, ulaw, n);
    assert_int_equal(openai_provider.audio(leg, &a), 0);
}

/* --- both ways ------------------------------------------------------------------------------- */

static void test_both_formats_are_asked_for(void **state)
{
    struct provider_leg *leg = pcm_leg();
    const char *update = fake_sent(0, 0);

    (void)state;
    assert_non_null(
        strstr(update, "\"input\":{\"format\":{\"type\":\"audio/pcm\",\"rate\":24000},"));
    assert_non_null(
        strstr(update, "\"output\":{\"format\":{\"type\":\"audio/pcm\",\"rate\":24000},"));
    assert_null(strstr(update, "audio/pcmu"));
    fake_put_away(leg, &core, pool);
}

/* Half a second: of more messages than that the fake keeps no record. */
static void test_the_caller_goes_up_without_a_seam(void **state)
{
    enum { N = SECOND / 2 };
    static int16_t pcm[N], wide[3 * N];
    static uint8_t ulaw[N];
    struct provider_leg *leg = pcm_leg();
    double most = 0;

    (void)state;
    tone(pcm, N, SECOND, 1000);
    g711_ulaw_encode(ulaw, pcm, N);
    for (size_t at = 0; at < N; at += FRAME)
        say(leg, ulaw + at, FRAME);
    assert_int_equal(fake_sent_count(0), 1 + N / FRAME); /* a message a frame */
    assert_int_equal(appended(wide, 1), 3 * N);
    assert_true(fabs(energy_dbfs(wide + SKIP, 3 * N - SKIP) - energy_dbfs(pcm, N)) < 0.2);
    for (size_t i = SKIP; i < 3 * N; i++)
        most = fmax(most, fabs(wide[i] - 8000 * sin(2 * M_PI * ((double)i - 36) / 24)));
    assert_true(most < 260); /* half a step of µ-law at that level */
    fake_put_away(leg, &core, pool);
}

static void test_frames_of_any_length_go_up_whole(void **state)
{
    static const size_t cuts[] = {1, 2, 159, 161, 162, 163, 487, 2865};
    static int16_t one[3 * 4000], many[3 * 4000];
    static uint8_t ulaw[4000];
    struct provider_leg *leg = pcm_leg();
    size_t at = 0;

    (void)state;
    for (size_t i = 0; i < sizeof(ulaw); i++)
        ulaw[i] = (uint8_t)(rand() & 255);
    for (size_t i = 0; i < sizeof(cuts) / sizeof(cuts[0]); at += cuts[i++])
        say(leg, ulaw + at, cuts[i]);
    assert_int_equal(at, 4000);
    assert_int_equal(appended(many, 1), 3 * 4000);
    fake_put_away(leg, &core, pool);
    (void)leg_set_up(state);
    leg = pcm_leg();
    say(leg, ulaw, 4000);
    assert_int_equal(appended(one, 1), 3 * 4000);
    assert_memory_equal(one, many, sizeof(one));
    fake_put_away(leg, &core, pool);
}

static void test_the_agent_comes_down_without_a_seam(void **state)
{
    static uint8_t bytes[2 * WIDE_SECOND];
    static int16_t pcm[SECOND];
    struct provider_leg *leg = pcm_leg();
    double most = 0;

    (void)state;
    second_of_tone(bytes);
    for (size_t at = 0; at < sizeof(bytes); at += 9600) /* 200 ms */
        delta("i", bytes + at, 9600);
    assert_int_equal(heard.spans, 5); /* one message each */
    assert_int_equal(heard.padded, 0);
    done("i");
    assert_int_equal(heard.n, SECOND);
    assert_in_range(heard.longest, 1, 1599);
    g711_ulaw_decode(pcm, heard.ulaw, SECOND);
    for (size_t i = SKIP; i < SECOND - SKIP; i++)
        most = fmax(most, fabs(pcm[i] - 8000 * sin(2 * M_PI * (double)i / 8)));
    assert_true(most < 260);
    assert_string_equal(core_last(&core), "audio_done r i");
    fake_put_away(leg, &core, pool);
}

/* --- how the model cuts its audio ------------------------------------------------------------ */

static void test_any_cut_gives_the_same_bytes(void **state)
{
    static const size_t cuts[] = {1, 2, 3, 5, 960, 961, 4801, 9600, 48000};
    static uint8_t bytes[2 * WIDE_SECOND], first[SECOND];
    struct provider_leg *leg = pcm_leg();
    char item[16];

    (void)state;
    second_of_tone(bytes);
    core.quiet = true;
    for (unsigned i = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++) {
        size_t n = cuts[i] < 10 ? 4800 : sizeof(bytes); /* 100 ms are many small ones */

        memset(&heard, 0, sizeof(heard));
        (void)snprintf(item, sizeof(item), "i%u", i);
        for (size_t at = 0; at < n; at += cuts[i])
            delta(item, bytes + at, n - at < cuts[i] ? n - at : cuts[i]);
        done(item);
        assert_int_equal(heard.n, n / 6);
        if (n == 4800)
            continue; /* the last sample hears what follows */
        if (cuts[i] == 960)
            memcpy(first, heard.ulaw, sizeof(first));
        assert_memory_equal(heard.ulaw, first, sizeof(first));
    }
    memset(&heard, 0, sizeof(heard));
    for (size_t at = 0; at < sizeof(bytes); at += 7)
        delta("j", bytes + at, sizeof(bytes) - at < 7 ? sizeof(bytes) - at : 7);
    done("j");
    assert_memory_equal(heard.ulaw, first, sizeof(first));
    core.quiet = false;
    fake_put_away(leg, &core, pool);
}

/* Words of our own beside an answer: each has its own half sample. */
static void test_items_that_take_turns_do_not_mix(void **state)
{
    static uint8_t bytes[9600], alone[1600];
    struct provider_leg *leg = pcm_leg();
    static int16_t pcm[4800], got[3200];

    (void)state;
    tone(pcm, 4800, WIDE_SECOND, 1000);
    as_bytes(bytes, pcm, 4800);
    delta("a", bytes, 9600);
    done("a");
    assert_int_equal(heard.n, 1600);
    memcpy(alone, heard.ulaw, sizeof(alone));
    memset(&heard, 0, sizeof(heard));
    for (size_t at = 0; at < 9600; at += 1921) {
        size_t n = 9600 - at < 1921 ? 9600 - at : 1921;

        delta("b", bytes + at, n);
        delta("c", bytes + at, n);
    }
    done("b");
    done("c");
    assert_int_equal(heard.n, 3200);
    g711_ulaw_decode(got, heard.ulaw, 3200);
    /* A sample that was put together of two halves that do not belong is loud noise. */
    assert_true(fabs(energy_dbfs(got, 3200) - energy_dbfs(pcm, 4800)) < 0.5);
    assert_memory_equal(heard.ulaw, alone, 300);
    fake_put_away(leg, &core, pool);
}

static void test_a_barge_in_forgets_what_waited(void **state)
{
    static const uint8_t loud[301] = {[300] = 0x7F};
    static uint8_t silence[960];
    struct provider_leg *leg = pcm_leg();

    (void)state;
    delta("i", loud, 301); /* 150 samples and half of one */
    assert_int_equal(heard.n, 0);
    assert_int_equal(openai_provider.truncate(leg, RD_STR("i"), 0, 0), 0);
    done("i");
    assert_int_equal(heard.n, 0); /* no tail of what was cut off */
    delta("i", silence, 960);     /* one that was late: the core knows that it is dead */
    done("i");
    assert_int_equal(heard.n, 160);
    for (int k = 0; k < 160; k++)
        assert_int_equal(heard.ulaw[k], G711_ULAW_SILENCE);
    fake_put_away(leg, &core, pool);
}

/* In a later session the ids that the core knows are others than OpenAI's. */
static void test_a_later_session_forgets_by_the_id_that_is_told(void **state)
{
    static const uint8_t some[300];
    struct provider_leg *leg = pcm_leg_numbered(1);

    (void)state;
    delta("i", some, 300);
    assert_int_equal(openai_provider.truncate(leg, RD_STR("2.i"), 0, 0), 0);
    assert_non_null(strstr(fake_last(0), "\"item_id\":\"i\""));
    done("i");
    assert_int_equal(heard.n, 0);
    fake_put_away(leg, &core, pool);
}

/* A position of the telephone is one of the model: a byte is three samples, and never one too many. */
static void test_no_position_lies_behind_the_models_end(void **state)
{
    static uint8_t bytes[2000];
    struct provider_leg *leg = pcm_leg();
    char item[16];

    (void)state;
    core.quiet = true;
    for (unsigned n = 1; n < 1000; n += 7) {
        memset(&heard, 0, sizeof(heard));
        (void)snprintf(item, sizeof(item), "i%u", n);
        delta(item, bytes, 2 * n);
        done(item);
        assert_int_equal(heard.n, n / 3);
        assert_true(heard.n / 8 <= n / 24);
    }
    core.quiet = false;
    fake_put_away(leg, &core, pool);
}

static void test_what_is_no_base64_is_counted_and_no_sound(void **state)
{
    struct provider_leg *leg = pcm_leg();

    (void)state;
    fake_text(0, "{\"type\":\"response.output_audio.delta\",\"response_id\":\"r\",\"item_id\":"
                 "\"i\",\"content_index\":0,\"delta\":\"AAA\"}");
    fake_text(0, "{\"type\":\"response.output_audio.delta\",\"response_id\":\"r\",\"item_id\":"
                 "\"i\",\"content_index\":0,\"delta\":\"AA*A\"}");
    assert_int_equal(openai_pool_counts(pool).bad_frames, 2);
    done("i");
    assert_string_equal(core_last(&core), "audio_done r i");
    assert_int_equal(heard.n, 0);
    fake_put_away(leg, &core, pool);
}

static void test_a_call_may_close_between_two_pieces(void **state)
{
    static uint8_t bytes[2 * WIDE_SECOND];
    struct provider_leg *leg = pcm_leg();

    (void)state;
    core.close_on = "audio";
    delta("i", bytes, sizeof(bytes));
    assert_int_equal(heard.spans, 1); /* of the other four nobody wants to hear */
    fake_turn();
    assert_true(core.ended);
    fake_put_away(NULL, &core, pool);
    (void)leg;
}

/* --- allocations ----------------------------------------------------------------------------- */

#if defined(__SANITIZE_ADDRESS__)
int __sanitizer_install_malloc_and_free_hooks(void (*on_malloc)(const volatile void *, size_t),
                                              void (*on_free)(const volatile void *));

static unsigned long allocations;

static void on_malloc(const volatile void *p, size_t n)
{
    (void)p, (void)n;
    allocations++;
}

static void on_free(const volatile void *p)
{
    (void)p;
}

static void test_no_frame_costs_an_allocation(void **state)
{
    static uint8_t bytes[9600], ulaw[FRAME];
    struct provider_leg *leg = pcm_leg();

    (void)state;
    core.quiet = true;
    fake_keep_messages(false);
    assert_true(__sanitizer_install_malloc_and_free_hooks(on_malloc, on_free) > 0);
    allocations = 0;
    for (unsigned i = 0; i < 1000; i++) {
        say(leg, ulaw, FRAME);
        if (i % 10 == 0) {
            heard.n = 0;
            delta("i", bytes, 9600);
        }
        if (i % 100 == 99)
            done("i");
    }
    assert_int_equal(allocations, 110); /* the fake's own, one per message */
    core.quiet = false;
    fake_put_away(leg, &core, pool);
}
#else
static void test_no_frame_costs_an_allocation(void **state)
{
    (void)state;
    openai_pool_free(pool);
    fake_io_reset();
    skip(); /* counted by the allocator of the address sanitizer, preset dev */
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(test_both_formats_are_asked_for),
        STORY(test_the_caller_goes_up_without_a_seam),
        STORY(test_frames_of_any_length_go_up_whole),
        STORY(test_the_agent_comes_down_without_a_seam),
        STORY(test_any_cut_gives_the_same_bytes),
        STORY(test_items_that_take_turns_do_not_mix),
        STORY(test_a_barge_in_forgets_what_waited),
        STORY(test_a_later_session_forgets_by_the_id_that_is_told),
        STORY(test_no_position_lies_behind_the_models_end),
        STORY(test_what_is_no_base64_is_counted_and_no_sound),
        STORY(test_a_call_may_close_between_two_pieces),
        STORY(test_no_frame_costs_an_allocation),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
