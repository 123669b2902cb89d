/* SPDX-License-Identifier: Apache-2.0 */
/* resample.c - one filter for both directions: a third-band low-pass of 71 taps.
 *
 *   tap(d) = sinc(d / 3) * kaiser(d / 36, beta 5.65),  d = -35 … 35
 *
 * Every third tap but the middle one is zero. So of three samples that are made of one, the first is
 * that sample itself, and the other two have the same 24 taps, once forwards and once backwards. The
 * other way it is a sum over all of them. Sums of 24 and 72 products of 16 bits are what compilers
 * make SIMD of; the tables are scaled so that no sum can leave 32 bits. The unit test computes both
 * tables anew from the formula.
 *
 * It is our own because speexdsp at its quality for telephones takes four times as many instructions,
 * and rounds the number of samples: docs/performance.md. */
#include "media/resample.h"

#include <string.h>

/* Between two samples of 8 kHz; a third behind the older one. 1 is 1 << 14. */
static const int16_t between[RESAMPLE_PHASE] = {
    -17,  39,    -76,  133,  -215, 332,  -498, 739,  -1109, 1756, -3283, 13528,
    6724, -2580, 1491, -965, 648,  -436, 289,  -184, 111,   -62,  31,    -12,
};
static const int16_t between_later[RESAMPLE_PHASE] = {
    -12,   31,    -62,  111,   -184, 289,  -436, 648,  -965, 1491, -2580, 6724,
    13528, -3283, 1756, -1109, 739,  -498, 332,  -215, 133,  -76,  39,    -17,
};

/* 1 is 1 << 15. */
static const int16_t whole[RESAMPLE_TAPS] = {
    0, -8,    -11,   0, 20,   26,   0,     -41,  -51,  0, 74,    88,    0, -123, -143,
    0, 192,   221,   0, -291, -332, 0,     432,  493,  0, -643,  -739,  0, 994,  1171,
    0, -1720, -2188, 0, 4482, 9018, 10926, 9018, 4482, 0, -2188, -1720, 0, 1171, 994,
    0, -739,  -643,  0, 493,  432,  0,     -332, -291, 0, 221,   192,   0, -143, -123,
    0, 88,    74,    0, -51,  -41,  0,     26,   20,   0, -11,   -8,
};

static int16_t clip(int32_t v)
{
    return (int16_t)(v > INT16_MAX ? INT16_MAX : v < INT16_MIN ? INT16_MIN : v);
}

static int16_t in_between(const int16_t *x, const int16_t *taps)
{
    int32_t sum = 1 << 13;

    for (int k = 0; k < RESAMPLE_PHASE; k++)
        sum += x[k] * taps[k];
    return clip(sum >> 14);
}

static int16_t over_all(const int16_t *x)
{
    int32_t sum = 1 << 14;

    for (int k = 0; k < RESAMPLE_TAPS; k++)
        sum += x[k] * whole[k];
    return clip(sum >> 15);
}

void resample_up_init(struct resample_up *u)
{
    memset(u, 0, sizeof(*u));
}

static void up_step(struct resample_up *u, int16_t *out, const int16_t *in, size_t n)
{
    int16_t *x = u->line;

    memcpy(x + RESAMPLE_PHASE - 1, in, n * sizeof(*in));
    for (size_t i = 0; i < n; i++, x++, out += RESAMPLE_RATIO) {
        out[0] = x[RESAMPLE_PHASE / 2 - 1];
        out[1] = in_between(x, between);
        out[2] = in_between(x, between_later);
    }
    memmove(u->line, x, (RESAMPLE_PHASE - 1) * sizeof(*x));
}

void resample_up(struct resample_up *u, int16_t *out, const int16_t *in, size_t n)
{
    while (n > 0) {
        size_t k = n < RESAMPLE_STEP ? n : RESAMPLE_STEP;

        up_step(u, out, in, k);
        out += RESAMPLE_RATIO * k;
        in += k;
        n -= k;
    }
}

/* Half of the taps lie before the first sample. */
void resample_down_init(struct resample_down *d)
{
    memset(d->line, 0, sizeof(d->line));
    d->n = RESAMPLE_DELAY;
}

static size_t down_step(struct resample_down *d, int16_t *out, const int16_t *in, size_t n)
{
    const int16_t *x = d->line;
    size_t made = 0;

    memcpy(d->line + d->n, in, n * sizeof(*in));
    d->n += n;
    for (; d->n >= RESAMPLE_TAPS; d->n -= RESAMPLE_RATIO, x += RESAMPLE_RATIO)
        out[made++] = over_all(x);
    memmove(d->line, x, d->n * sizeof(*x));
    return made;
}

size_t resample_down(struct resample_down *d, int16_t *out, const int16_t *in, size_t n)
{
    const size_t most = RESAMPLE_RATIO * RESAMPLE_STEP;
    size_t made = 0;

    while (n > 0) {
        size_t k = n < most ? n : most;

        made += down_step(d, out + made, in, k);
        in += k;
        n -= k;
    }
    return made;
}

/* Silence behind it, up to the last sample that three came for. */
size_t resample_down_end(struct resample_down *d, int16_t *out)
{
    static const int16_t silence[RESAMPLE_DELAY - RESAMPLE_RATIO];
    size_t made = resample_down(d, out, silence, RESAMPLE_DELAY - RESAMPLE_RATIO);

    resample_down_init(d);
    return made;
}
