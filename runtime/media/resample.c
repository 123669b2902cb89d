/* SPDX-License-Identifier: Apache-2.0 */
/* resample.c - speexdsp behind a smaller door.
 *
 * Quality 3 is the telephony setting: 3 ms of delay. skip_zeros lets the first output begin with
 * the first input instead of with the filter's leading silence, so that lengths add up per
 * utterance. speexdsp takes less than it was given only when the output is full; resample_max_out()
 * says how much room rules that out. */
#include "media/resample.h"

#include <errno.h>
#include <speex/speex_resampler.h>
#include <stdlib.h>
#include <string.h>

enum { QUALITY = 3 };

struct resample {
    SpeexResamplerState *state; /* owns; NULL when the rates are equal */
    uint32_t from_hz, to_hz;
};

static int rate_ok(uint32_t hz)
{
    return hz == 8000 || hz == 16000 || hz == 24000;
}

int resample_new(struct resample **out, uint32_t from_hz, uint32_t to_hz)
{
    struct resample *r;
    int err = 0;

    if (!rate_ok(from_hz) || !rate_ok(to_hz))
        return -EINVAL;
    r = calloc(1, sizeof(*r));
    if (!r)
        return -ENOMEM;
    r->from_hz = from_hz;
    r->to_hz = to_hz;
    if (from_hz != to_hz) {
        r->state = speex_resampler_init(1, from_hz, to_hz, QUALITY, &err);
        if (!r->state)
            goto fail;
        speex_resampler_skip_zeros(r->state);
    }
    *out = r;
    return 0;
fail:
    resample_free(r);
    return -ENOMEM;
}

void resample_free(struct resample *r)
{
    if (!r)
        return;
    if (r->state)
        speex_resampler_destroy(r->state);
    free(r);
}

size_t resample_max_out(const struct resample *r, size_t n)
{
    return n * r->to_hz / r->from_hz + 2;
}

size_t resample_feed(struct resample *r, int16_t *out, size_t cap, const int16_t *in, size_t n)
{
    size_t taken = 0, made = 0;

    if (!r->state) {
        made = n < cap ? n : cap;
        if (made > 0)
            memcpy(out, in, made * sizeof(*in));
        return made;
    }
    while (taken < n && made < cap) {
        spx_uint32_t k_in = n - taken > 1u << 20 ? 1u << 20 : (spx_uint32_t)(n - taken);
        spx_uint32_t k_out = cap - made > 1u << 22 ? 1u << 22 : (spx_uint32_t)(cap - made);

        speex_resampler_process_int(r->state, 0, in + taken, &k_in, out + made, &k_out);
        if (k_in == 0 && k_out == 0)
            break;
        taken += k_in;
        made += k_out;
    }
    return made;
}

void resample_reset(struct resample *r)
{
    if (!r->state)
        return;
    speex_resampler_reset_mem(r->state);
    speex_resampler_skip_zeros(r->state);
}
