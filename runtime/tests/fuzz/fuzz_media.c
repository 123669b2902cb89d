/* SPDX-License-Identifier: Apache-2.0. module: media */
/* fuzz_media.c - sound as strangers send it. Base64: what is accepted decodes to the size that was told and
 * encodes to the same text again. G.711: what was decoded encodes to what it was, but for the second zero.
 * Resampling in any pieces gives as many samples as the whole, give or take one a piece. A recording's track
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

enum { PIECE_MAX = 960, DELAY_MS = 4 /* before the first sample comes out */ };

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
    g711_alaw_decode(pcm, data, size);
    g711_alaw_encode(back, pcm, size);
    check(size == 0 || memcmp(back, data, size) == 0);
    g711_ulaw_decode(pcm, data, size);
    g711_ulaw_encode(back, pcm, size);
    for (size_t i = 0; i < size; i++)
        check(back[i] == data[i] || (data[i] == 0x7f && back[i] == 0xff));
    check(energy_ulaw_dbfs(data, size) <= 0.1F && energy_dbfs(pcm, size) <= 0.1F);
    free(pcm);
    free(back);
}

static void try_resample(uint8_t which, const uint8_t *data, size_t size)
{
    static const uint32_t rates[] = {8000, 16000, 24000};
    const uint32_t from = rates[which % 3], to = rates[which / 3 % 3];
    int16_t *in = malloc((size / 2 + 1) * sizeof(*in));
    size_t n = size / 2, at = 0, got = 0, pieces = 0;
    struct resample *r;

    check(in && resample_new(&r, from, to) == 0);
    if (n > 0)
        memcpy(in, data, 2 * n);
    while (at < n) {
        size_t piece = 1 + data[at] * 4U % PIECE_MAX, room, m;
        int16_t *out;

        piece = piece < n - at ? piece : n - at;
        room = resample_max_out(r, piece);
        out = malloc((room + 1) * sizeof(*out));
        check(out != NULL);
        m = resample_feed(r, out, room, in + at, piece);
        check(m <= room);
        got += m;
        at += piece;
        pieces++;
        free(out);
    }
    check(got <= n * to / from + pieces + 1);
    check(got + pieces + 1 + to / 1000 * DELAY_MS >= n * to / from);
    resample_free(r);
    free(in);
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
    try_resample(data[0], data + 1, size - 1);
    try_track(data + 1, size - 1);
    return 0;
}
