/* SPDX-License-Identifier: Apache-2.0 */
/* ears.c - appended bytes become 8 kHz samples, and samples become turns.
 *
 *   bytes ─▶ µ-law | A-law | PCM 24 kHz ▶ 8 kHz ─▶ pcm[] ─▶ VAD frame by frame ─▶ started, stopped
 *
 *   - time is counted in samples that arrived: a gap in the sending is no gap here
 *   - bytes sent before the format was agreed are decoded in the default one and are noise
 *   - PCM that jumps from sample to sample as no telephone's speech does is noise: told to whoever asks.
 *     That is what µ-law, half samples or swapped bytes taken for PCM sound like
 *   - between turns only the last KEEP_MS stay, enough for any prefix padding. */
#include "sim/openai/ears.h"

#include <errno.h>
#include <speex/speex_resampler.h>
#include <stdlib.h>
#include <string.h>

enum { PER_MS = 8, KEEP_MS = 3000, LOOK = 2400, LOOK_MS = 100, QUIET = 200 };

struct ears {
    enum ears_format format;
    bool vad_on;
    struct vad vad;
    SpeexResamplerState *down; /* owns; 24 to 8 kHz */
    int16_t *pcm;              /* owns */
    size_t n, cap;
    uint64_t first;  /* number of pcm[0] since the session began */
    uint64_t looked; /* samples the VAD has seen */
    uint64_t taken;  /* samples before this were committed or cleared */
    uint8_t odd;     /* half a 16-bit sample */
    bool has_odd;
    int16_t before; /* the last sample of PCM, and what was looked at since the last verdict */
    unsigned n_look;
    double power, jumps;
    uint32_t noisy_ms;
};

int ears_new(struct ears **out)
{
    struct ears *e = calloc(1, sizeof(*e));
    int err = 0;

    if (!e)
        return -ENOMEM;
    e->down = speex_resampler_init(1, 24000, 8000, 5, &err);
    if (!e->down) {
        free(e);
        return -ENOMEM;
    }
    vad_init(&e->vad, &(struct vad_opts){.threshold = 0.5F});
    *out = e;
    return 0;
}

void ears_free(struct ears *e)
{
    if (!e)
        return;
    speex_resampler_destroy(e->down);
    free(e->pcm);
    free(e);
}

void ears_tune(struct ears *e, enum ears_format format, const struct vad_opts *vad)
{
    if (format != e->format)
        e->has_odd = false;
    e->format = format;
    if (vad && !e->vad_on)
        e->looked = e->first + e->n;
    e->vad_on = vad != NULL;
    if (vad)
        vad_tune(&e->vad, vad);
}

static int make_room(struct ears *e, size_t n)
{
    size_t cap = e->cap ? e->cap : 8192;
    int16_t *more;

    while (cap < e->n + n)
        cap *= 2;
    if (cap == e->cap)
        return 0;
    more = realloc(e->pcm, cap * sizeof(*more));
    if (!more)
        return -ENOMEM;
    e->pcm = more;
    e->cap = cap;
    return 0;
}

static void forget(struct ears *e, size_t n)
{
    memmove(e->pcm, e->pcm + n, (e->n - n) * sizeof(*e->pcm));
    e->n -= n;
    e->first += n;
}

static void tidy(struct ears *e)
{
    size_t keep = e->vad_on && !e->vad.speaking ? KEEP_MS : EARS_MAX_MS;

    keep *= PER_MS;
    if (e->n > 2 * keep)
        forget(e, e->n - keep);
}

/* Up to 3.4 kHz, which is what a telephone carries, the jumps have at most 0.75 of the power; white noise
 * has twice of it. */
static void look_for_noise(struct ears *e, const int16_t *in, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        double jump = in[i] - e->before;

        e->before = in[i];
        e->power += (double)in[i] * in[i];
        e->jumps += jump * jump;
        if (++e->n_look < LOOK)
            continue;
        if (e->power > (double)LOOK * QUIET * QUIET && e->jumps > e->power)
            e->noisy_ms += LOOK_MS;
        e->n_look = 0;
        e->power = e->jumps = 0;
    }
}

static size_t append_pcm24(struct ears *e, const uint8_t *bytes, size_t n)
{
    size_t done = 0;

    for (size_t i = 0; i < n;) {
        int16_t in[480];
        spx_uint32_t n_in = 0, n_out = 480;

        for (; i < n && n_in < 480; i++) {
            if (e->has_odd)
                in[n_in++] = (int16_t)(e->odd | bytes[i] << 8);
            e->odd = bytes[i];
            e->has_odd = !e->has_odd;
        }
        look_for_noise(e, in, n_in);
        for (spx_uint32_t used = 0; used < n_in;) {
            spx_uint32_t left = n_in - used;
            n_out = 480;
            speex_resampler_process_int(e->down, 0, in + used, &left, e->pcm + e->n + done, &n_out);
            used += left;
            done += n_out;
            if (left == 0 && n_out == 0)
                break;
        }
    }
    return done;
}

int ears_append(struct ears *e, const uint8_t *bytes, size_t n)
{
    int rc;

    tidy(e);
    rc = make_room(e, n + 1024);
    if (rc)
        return rc;
    if (e->format == EARS_PCM24) {
        e->n += append_pcm24(e, bytes, n);
        return 0;
    }
    for (size_t i = 0; i < n; i++)
        e->pcm[e->n++] =
            e->format == EARS_ULAW ? sim_ulaw_decode(bytes[i]) : sim_alaw_decode(bytes[i]);
    return 0;
}

enum vad_event ears_next(struct ears *e, uint64_t *at_ms)
{
    enum vad_event event = VAD_NOTHING;

    while (e->vad_on && event == VAD_NOTHING && e->looked + VAD_FRAME <= e->first + e->n) {
        if (e->looked < e->first)
            e->looked = e->first;
        e->vad.now_ms = e->looked / PER_MS;
        event = vad_frame(&e->vad, e->pcm + (e->looked - e->first), at_ms);
        e->looked += VAD_FRAME;
    }
    return event;
}

int ears_take(struct ears *e, struct sound *out, uint64_t from_ms, uint64_t to_ms)
{
    uint64_t from = from_ms * PER_MS, to = to_ms * PER_MS;
    struct sound s = {0};

    if (from < e->first)
        from = e->first;
    if (from < e->taken)
        from = e->taken;
    if (to > e->first + e->n)
        to = e->first + e->n;
    s.n = to > from ? (size_t)(to - from) : 0;
    s.pcm = malloc(s.n ? s.n * sizeof(*s.pcm) : 1);
    if (!s.pcm)
        return -ENOMEM;
    if (s.n)
        memcpy(s.pcm, e->pcm + (from - e->first), s.n * sizeof(*s.pcm));
    e->taken = to;
    *out = s;
    return 0;
}

uint64_t ears_now_ms(const struct ears *e)
{
    return (e->first + e->n) / PER_MS;
}

uint64_t ears_waiting_ms(const struct ears *e)
{
    uint64_t from = e->taken > e->first ? e->taken : e->first;

    return (e->first + e->n - from) / PER_MS;
}

uint32_t ears_noisy_ms(const struct ears *e)
{
    return e->noisy_ms;
}

void ears_clear(struct ears *e)
{
    e->taken = e->first + e->n;
    e->looked = e->taken;
    e->vad.speaking = false;
    e->vad.recent = 0;
}
