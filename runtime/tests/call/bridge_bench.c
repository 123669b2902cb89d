/* SPDX-License-Identifier: Apache-2.0 */
/* bridge_bench.c - what it costs to keep the caller's audio: frames of 400 calls in turn, each with a
 * session that takes them; nanoseconds of CPU per frame, the median of nine rounds. */
#include "call/bridge.h"
#include "media/base64.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { CALLS = 400, ROUNDS = 9, FRAMES = 1000, FRAME_BYTES = 160 };

struct caller {
    struct bridge bridge;
    char b64[BASE64_ENCODED(FRAME_BYTES)];
};

static int on_send(void *arg, const struct audio_span *a)
{
    *(uint64_t *)arg += a->n_bytes;
    return 0;
}

static double cpu_ns(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static double feed(struct caller *callers, uint32_t from)
{
    double began = cpu_ns();

    for (uint32_t n = from; n < from + FRAMES; n++) {
        for (int i = 0; i < CALLS; i++) {
            struct audio_span a = {
                .b64 = callers[i].b64, .n_b64 = sizeof(callers[i].b64), .n_bytes = FRAME_BYTES};

            bridge_feed(&callers[i].bridge, &a, n * 20);
        }
    }
    return (cpu_ns() - began) / FRAMES / CALLS;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

int main(void)
{
    static struct caller callers[CALLS];
    uint8_t sound[FRAME_BYTES];
    double rounds[ROUNDS];
    uint64_t sent = 0;

    for (int i = 0; i < CALLS; i++) {
        for (int k = 0; k < FRAME_BYTES; k++)
            sound[k] = (uint8_t)(i * 7 + k * 13);
        (void)base64_encode(callers[i].b64, sound, sizeof(sound));
        if (bridge_init(&callers[i].bridge, on_send, &sent))
            return 1;
        bridge_ready(&callers[i].bridge);
    }
    for (int r = 0; r < ROUNDS; r++)
        rounds[r] = feed(callers, (uint32_t)r * FRAMES);
    qsort(rounds, ROUNDS, sizeof(rounds[0]), compare);
    printf("%.0f ns per frame (quickest round %.0f), %d calls\n", rounds[ROUNDS / 2], rounds[0],
           CALLS);
    for (int i = 0; i < CALLS; i++)
        bridge_fini(&callers[i].bridge);
    return sent == (uint64_t)CALLS * ROUNDS * FRAMES * FRAME_BYTES ? 0 : 1;
}
