/* SPDX-License-Identifier: Apache-2.0 */
/* pcm_bench.c - what transcoding costs: frames of 20 ms of 100 calls in turn, up to a session that speaks
 * PCM, and deltas of 200 ms down from it; nanoseconds of CPU per 20 ms, the median of nine rounds.
 *
 *   pcm_bench             both, and what they cost together
 *   pcm_bench up 1000     so many frames and no more, for callgrind: compare with `up 0`
 *   pcm_bench down 1000   the same */
#include "media/base64.h"
#include "media/g711.h"
#include "providers/openai/pcm.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { CALLS = 100, ROUNDS = 9, FRAMES = 200, ULAW = 160, DELTA = 9600, DELTA_FRAMES = 10 };

static char frame[BASE64_ENCODED(ULAW)], delta[BASE64_ENCODED(DELTA)];
static struct openai_pcm *calls[CALLS];
static uint64_t sum; /* so that nothing is left out */

static void make_sounds(void)
{
    uint8_t ulaw[ULAW], wide[DELTA];

    for (int i = 0; i < ULAW; i++)
        ulaw[i] = (uint8_t)(rand() & 255);
    for (int i = 0; i < DELTA; i++)
        wide[i] = (uint8_t)(rand() & (i % 2 ? 31 : 255));
    (void)base64_encode(frame, ulaw, ULAW);
    (void)base64_encode(delta, wide, DELTA);
}

static void up(struct openai_pcm *p)
{
    struct rd_str b64 = {frame, sizeof(frame)}, out;

    while (pcm_up(p, &b64, &out))
        sum += out.n + (uint8_t)out.p[7];
}

/* With the check that events.c makes of every delta, µ-law or not. */
static void down(struct openai_pcm *p)
{
    const struct provider_item it = {.item_id = RD_STR("item_CNi0xQ0nK1bLr0Nq5s3zT")};
    struct rd_str b64 = {delta, sizeof(delta)};
    struct audio_span out;

    if (base64_check(b64.p, b64.n) <= 0)
        abort();
    while (pcm_down(p, &it, &b64, &out))
        sum += out.n_b64 + (uint8_t)out.b64[7];
}

static double cpu_ns(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* Per 20 ms of one call. */
static double measure(void (*what)(struct openai_pcm *), int frames_each)
{
    double rounds[ROUNDS];

    for (int r = 0; r < ROUNDS; r++) {
        double began = cpu_ns();

        for (int n = 0; n < FRAMES; n += frames_each)
            for (int i = 0; i < CALLS; i++)
                what(calls[i]);
        rounds[r] = (cpu_ns() - began) / FRAMES / CALLS;
    }
    qsort(rounds, ROUNDS, sizeof(rounds[0]), compare);
    return rounds[ROUNDS / 2];
}

int main(int argc, char **argv)
{
    int frames = argc > 2 ? atoi(argv[2]) : 0;
    double ns[2];

    make_sounds();
    for (int i = 0; i < CALLS; i++)
        if (!(calls[i] = pcm_new()))
            return 1;
    if (argc > 2) {
        bool is_up = argv[1][0] == 'u';

        for (int n = 0; n < frames; n += is_up ? 1 : DELTA_FRAMES)
            (is_up ? up : down)(calls[0]);
    } else {
        ns[0] = measure(up, 1);
        ns[1] = measure(down, DELTA_FRAMES);
        printf("up %.0f ns, down %.0f ns, both %.0f ns per 20 ms of a call (%llx)\n", ns[0], ns[1],
               ns[0] + ns[1], (unsigned long long)sum);
    }
    for (int i = 0; i < CALLS; i++)
        pcm_free(calls[i]);
    return 0;
}
