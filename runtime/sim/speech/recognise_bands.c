/* SPDX-License-Identifier: Apache-2.0 */
/* recognise_bands.c - what a sound looks like, and how far two of them are apart.
 *
 *   samples ─▶ pre-emphasis ─▶ 25 ms Hann windows ─▶ FFT ─▶ 18 triangles on the mel scale ─▶ dB
 *
 * Energies are taken relative to the sound's own loudness and cut off FLOOR_DB below, so that gain,
 * line noise and the codec's noise do not count.
 *
 * Alignment is dynamic time warping over a subsequence of the hay:
 *
 *     D[i][j] = d(i,j) + min( D[i-1][j-1],              in step
 *                             D[i-1][j-2] + WARP,       the hay has a row too many
 *                             D[i-2][j-1] + WARP + d )  the hay lost a row
 *
 * A telephone line does not stretch speech, so leaving the diagonal has a price: a sound at half or
 * twice the rate cannot buy its way to a small distance. A hole in the hay is counted beside the
 * distance, because a few lost frames spread over a sentence may cost as much but do less harm. */
#include "sim/speech/recognise_bands.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { RATE_HZ = 8000, WINDOW = 200, FFT_N = 256, FFT_BITS = 8 };

#define FLOOR_DB  26.0F
#define WARP_DB   6.0F
#define LOUD_DB   22.0F /* a row within this of the loudest is speech */
#define FAR       1e9F
#define SILENT_DB 3.0F /* mean of a row above the floor, at most: nothing is heard */
#define SPOKEN_DB 7.0F /* at least: something is said */
#define PI        3.14159265358979323846
#define FIRST_HZ  200.0
#define LAST_HZ   3800.0

struct shapes {
    float window[WINDOW];
    float cosine[FFT_N / 2], sine[FFT_N / 2];
    float band[BANDS_N][FFT_N / 2];
};

static double mel(double hz)
{
    return 1127.0 * log(1.0 + hz / 700.0);
}

static void shapes_init(struct shapes *s)
{
    double first = mel(FIRST_HZ), step = (mel(LAST_HZ) - first) / (BANDS_N + 1);

    for (int i = 0; i < WINDOW; i++)
        s->window[i] = (float)(0.5 - 0.5 * cos(2 * PI * (i + 0.5) / WINDOW));
    for (int i = 0; i < FFT_N / 2; i++) {
        s->cosine[i] = (float)cos(2 * PI * i / FFT_N);
        s->sine[i] = (float)-sin(2 * PI * i / FFT_N);
    }
    for (int b = 0; b < BANDS_N; b++)
        for (int k = 0; k < FFT_N / 2; k++) {
            double at = (mel((double)k * RATE_HZ / FFT_N) - first) / step - b;
            s->band[b][k] = (float)fmax(0, 1 - fabs(at - 1));
        }
}

static void fft(const struct shapes *s, float *re, float *im)
{
    for (unsigned i = 0; i < FFT_N; i++) {
        unsigned j = 0;

        for (unsigned bit = 0; bit < FFT_BITS; bit++)
            j |= ((i >> bit) & 1u) << (FFT_BITS - 1 - bit);
        if (i < j) {
            float t = re[i];
            re[i] = re[j];
            re[j] = t;
        }
    }
    memset(im, 0, FFT_N * sizeof(*im));
    for (int half = 1; half < FFT_N; half *= 2)
        for (int start = 0; start < FFT_N; start += 2 * half)
            for (int k = 0; k < half; k++) {
                int w = k * (FFT_N / 2 / half), a = start + k, b = a + half;
                float r = re[b] * s->cosine[w] - im[b] * s->sine[w];
                float q = re[b] * s->sine[w] + im[b] * s->cosine[w];

                re[b] = re[a] - r;
                im[b] = im[a] - q;
                re[a] += r;
                im[a] += q;
            }
}

static void row_energies(const struct shapes *s, float *row, const int16_t *pcm)
{
    float re[FFT_N] = {0}, im[FFT_N], power[FFT_N / 2];

    for (int i = 0; i < WINDOW; i++) {
        float before = i ? (float)pcm[i - 1] : (float)pcm[0];
        re[i] = ((float)pcm[i] - 0.95F * before) * s->window[i];
    }
    fft(s, re, im);
    for (int k = 0; k < FFT_N / 2; k++)
        power[k] = re[k] * re[k] + im[k] * im[k];
    for (int b = 0; b < BANDS_N; b++) {
        float sum = 1.0F;
        for (int k = 0; k < FFT_N / 2; k++)
            sum += s->band[b][k] * power[k];
        row[b] = 10.0F * log10f(sum);
    }
}

static float row_mean(const float *row)
{
    float sum = 0;

    for (int b = 0; b < BANDS_N; b++)
        sum += row[b];
    return sum / BANDS_N;
}

/* Marks what is loud, and takes the loudness of that as the sound's reference. */
static void normalise(struct bands *out, float gain_db)
{
    float loudest = -FAR, sum = 0, reference;
    size_t n_loud = 0;

    for (size_t i = 0; i < out->n; i++)
        loudest = fmaxf(loudest, row_mean(out->row[i]));
    for (size_t i = 0; i < out->n; i++) {
        float mean = row_mean(out->row[i]);
        out->loud[i] = mean > loudest - LOUD_DB;
        if (out->loud[i]) {
            sum += mean;
            n_loud++;
        }
    }
    reference = (n_loud ? sum / (float)n_loud : 0) - gain_db;
    for (size_t i = 0; i < out->n; i++)
        for (int b = 0; b < BANDS_N; b++)
            out->row[i][b] = fmaxf(0, out->row[i][b] - reference + FLOOR_DB);
}

int bands_make(struct bands *out, const int16_t *pcm, size_t n, float gain_db)
{
    struct bands made = {.n = n >= WINDOW ? (n - WINDOW) / BANDS_HOP + 1 : 0};
    struct shapes *s = malloc(sizeof(*s));

    made.row = malloc((made.n + 1) * sizeof(*made.row));
    made.loud = calloc(made.n + 1, sizeof(*made.loud));
    if (!s || !made.row || !made.loud) {
        free(s);
        bands_fini(&made);
        return -ENOMEM;
    }
    shapes_init(s);
    for (size_t i = 0; i < made.n; i++)
        row_energies(s, made.row[i], pcm + i * BANDS_HOP);
    free(s);
    normalise(&made, gain_db);
    *out = made;
    return 0;
}

void bands_fini(struct bands *b)
{
    free(b->row);
    free(b->loud);
    *b = (struct bands){0};
}

static float row_distance(const float *a, const float *b)
{
    float sum = 0;

    for (int i = 0; i < BANDS_N; i++)
        sum += fabsf(a[i] - b[i]);
    return sum / BANDS_N;
}

/* The table's cells: the cost so far, in which row of the hay the alignment began, and holes. */
struct cell {
    float cost;
    uint32_t start;
    uint16_t lost, hole; /* rows spoken in this silence of the hay; the most in any silence */
};

static void count_hole(struct cell *c, bool spoken, bool silent)
{
    c->lost = silent ? (uint16_t)(c->lost + spoken) : 0;
    if (c->lost > c->hole)
        c->hole = c->lost;
}

/* Leads from `before` to `to` if that is cheaper than what leads there already. */
static void step(struct cell *to, const struct cell *before, float cost)
{
    if (before->cost + cost >= to->cost)
        return;
    *to = *before;
    to->cost += cost;
}

/* The cells of a row that can lie on an alignment: a line does not drift by more than an eighth. */
struct reach {
    size_t first, end;
};

static struct reach reach_of(size_t i, const struct bands *needle, const struct bands *hay)
{
    size_t drift = needle->n / 8 + 4;
    size_t end = hay->n + i + drift > needle->n ? hay->n + i + drift - needle->n : 0;

    return (struct reach){.first = i > drift ? i - drift : 0, .end = end < hay->n ? end : hay->n};
}

static void fill(struct cell *now, const struct cell *one, const struct cell *two,
                 const float *needle, const struct bands *hay, const bool *silent,
                 const struct reach *at)
{
    bool spoken = row_mean(needle) > SPOKEN_DB;

    for (size_t j = 0; j < hay->n; j++)
        now[j] = (struct cell){.cost = FAR};
    for (size_t j = at->first; j < at->end; j++) {
        float d = row_distance(needle, hay->row[j]);

        now[j] = (struct cell){.cost = one ? FAR : d, .start = (uint32_t)j};
        if (one && j >= 1)
            step(&now[j], &one[j - 1], d);
        if (one && j >= 2)
            step(&now[j], &one[j - 2], d + WARP_DB);
        if (two && j >= 1)
            step(&now[j], &two[j - 1], 2 * d + WARP_DB);
        count_hole(&now[j], spoken, silent[j]);
    }
}

int bands_align(struct bands_match *out, const struct bands *needle, const struct bands *hay)
{
    struct cell *cells = malloc((hay->n * 3 + 1) * sizeof(*cells));
    bool *silent = malloc(hay->n + 1);
    struct cell *row[3], *last, *best = NULL;

    *out = (struct bands_match){.distance = BANDS_FAR};
    if (!cells || !silent) {
        free(cells);
        free(silent);
        return -ENOMEM;
    }
    for (size_t k = 0; k < 3; k++)
        row[k] = cells + k * hay->n;
    for (size_t j = 0; j < hay->n; j++)
        silent[j] = row_mean(hay->row[j]) < SILENT_DB;
    for (size_t i = 0; i < needle->n; i++) {
        struct reach at = reach_of(i, needle, hay);
        fill(row[i % 3], i ? row[(i + 2) % 3] : NULL, i > 1 ? row[(i + 1) % 3] : NULL,
             needle->row[i], hay, silent, &at);
    }
    last = needle->n ? row[(needle->n - 1) % 3] : NULL;
    for (size_t j = 0; last && j < hay->n; j++)
        if (last[j].cost < FAR && (!best || last[j].cost < best->cost))
            best = &last[j];
    if (best)
        *out = (struct bands_match){.distance = best->cost / (float)needle->n,
                                    .from = best->start,
                                    .to = (size_t)(best - last),
                                    .hole = best->hole};
    free(cells);
    free(silent);
    return 0;
}
