/* SPDX-License-Identifier: Apache-2.0. module: media */
/* fuzz_media.c - sound as strangers send it. Base64: what is accepted decodes to the size that was told and
 * encodes to the same text again. G.711: what was decoded encodes to what it was, but for the second zero.
 * Resampling in any pieces gives what the whole gives, and a third of it on the way down. A recording's track
 * gives each moment once, whatever came when. */
#include "check.h"

#include "base/err.h"
#include "media/base64.h"
#include "media/energy.h"
#include "media/g711.h"
#include "media/resample.h"
#include "media/track.h"

#include <stdlib.h>
#include <string.h>

enum { PIECE_MAX = 960 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_base64(const uint8_t *data, size_t size)
{
    ssize_t told = base64_check((const char *)data, size), n;
    uint8_t *out = malloc(size / 4 * 3 + 1);
    char *again = malloc(BASE64_ENCODED(size) + 1);

    check(out && again);
    n = base64_decode(out, (const char *)data, size);
    check(n == told || (n < 0 && told < 0));
    if (n >= 0) {
        size_t m = base64_encode(again, out, (size_t)n);

        /* the unused bits of the last character may differ, and nothing else */
        check(m == size && (m < 2 || memcmp(again, data, m - (m > 3 ? 3 : m)) == 0));
    }
    free(again);
    again = malloc(BASE64_ENCODED(size) + 1);
    check(again && base64_encode(again, data, size) == BASE64_ENCODED(size));
    check(base64_check(again, BASE64_ENCODED(size)) == (ssize_t)size);
    free(out);
    out = malloc(size + 3);
    check(out && base64_decode(out, again, BASE64_ENCODED(size)) == (ssize_t)size);
    check(size == 0 || memcmp(out, data, size) == 0);
    free(out);
    free(again);
}

static void try_g711(const uint8_t *data, size_t size)
{
    int16_t *pcm = malloc((size + 1) * sizeof(*pcm));
    uint8_t *back = malloc(size + 1);

    check(pcm && back);
    g711_ulaw_decode(pcm, data, size);
    g711_ulaw_encode(back, pcm, size);
    for (size_t i = 0; i < size; i++)
        check(back[i] == data[i] || (data[i] == 0x7f && back[i] == 0xff));
    check(energy_ulaw_dbfs(data, size) <= 0.1F && energy_dbfs(pcm, size) <= 0.1F);
    free(pcm);
    free(back);
}

static size_t down(int16_t *out, const int16_t *in, size_t n, const uint8_t *cuts)
{
    struct resample_down d;
    size_t got = 0, piece;

    resample_down_init(&d);
    for (size_t at = 0; at < n; at += piece) {
        piece = cuts ? 1 + cuts[at] * 4U % PIECE_MAX : n;
        piece = piece < n - at ? piece : n - at;
        got += resample_down(&d, out + got, in + at, piece);
    }
    return got + resample_down_end(&d, out + got);
}

static void up(int16_t *out, const int16_t *in, size_t n, const uint8_t *cuts)
{
    struct resample_up u;
    size_t piece;

    resample_up_init(&u);
    for (size_t at = 0; at < n; at += piece) {
        piece = cuts ? 1 + cuts[at] * 4U % PIECE_MAX : n;
        piece = piece < n - at ? piece : n - at;
        resample_up(&u, out + RESAMPLE_RATIO * at, in + at, piece);
    }
}

static void try_resample(const uint8_t *data, size_t size)
{
    size_t n = size / 2, room = RESAMPLE_RATIO * n + RESAMPLE_TAIL + 2, whole, cut;
    int16_t *in = malloc((n + 1) * sizeof(*in));
    int16_t *a = calloc(room, sizeof(*a)), *b = calloc(room, sizeof(*b));

    check(in && a && b);
    if (n > 0)
        memcpy(in, data, 2 * n);
    whole = down(a, in, n, NULL);
    cut = down(b, in, n, data);
    check(whole == cut && memcmp(a, b, whole * sizeof(*a)) == 0);
    check(whole >= n / RESAMPLE_RATIO && whole <= (n + 2) / RESAMPLE_RATIO);
    up(a, in, n, NULL);
    up(b, in, n, data);
    check(memcmp(a, b, RESAMPLE_RATIO * n * sizeof(*a)) == 0);
    free(in);
    free(a);
    free(b);
}

/* Each step is six bytes: what, when, how long, at what time of the carrier. */
static void try_track(const uint8_t *data, size_t size)
{
    static const uint8_t sound[PIECE_MAX];
    uint8_t out[2 * PIECE_MAX];
    uint64_t now_ms = 0, taken = 0;
    struct track t;

    track_init(&t);
    for (size_t i = 0; i + 6 <= size; i += 6) {
        const uint8_t *d = data + i;
        size_t n = (size_t)(d[2] << 2) % PIECE_MAX;
        uint32_t at_ms = ((uint32_t)d[3] << (d[4] % 25)) + d[5];

        now_ms += d[1];
        if (d[0] % 8 == 0)
            track_cleared(&t, now_ms);
        else if (d[0] % 8 == 1)
            track_pause(&t, now_ms, d[3] & 1);
        else if (d[0] % 8 == 2)
            track_agent_lost(&t, now_ms, n);
        else if (d[0] % 8 < 5)
            track_agent(&t, now_ms, sound, n);
        else
            track_caller(&t, now_ms, at_ms, sound, n);
        taken += track_take(&t, now_ms > 500 ? now_ms - 500 : 0, out, PIECE_MAX);
        check(taken == t.taken && taken <= now_ms * TRACK_SAMPLES_PER_MS);
        check(t.capacity <= (size_t)2 * TRACK_AHEAD_MS * TRACK_SAMPLES_PER_MS);
        check(track_paused_ms(&t, now_ms) <= now_ms);
    }
    track_fini(&t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    try_base64(data + 1, size - 1);
    try_g711(data + 1, size - 1);
    try_resample(data + 1, size - 1);
    try_track(data + 1, size - 1);
    return 0;
}
