/* SPDX-License-Identifier: Apache-2.0 */
/* energy.c - mean square of a frame in dB below full scale, held at -96 (16 bits have no less). */
#include "media/energy.h"

#include "media/g711.h"

#include <math.h>

#define FLOOR_DBFS (-96.0f)

static float dbfs(double sum_of_squares, size_t n)
{
    double mean = n > 0 ? sum_of_squares / (double)n / (32768.0 * 32768.0) : 0;
    float db = mean > 0 ? (float)(10.0 * log10(mean)) : FLOOR_DBFS;

    return db < FLOOR_DBFS ? FLOOR_DBFS : db;
}

float energy_dbfs(const int16_t *pcm, size_t n)
{
    double sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += (double)pcm[i] * pcm[i];
    return dbfs(sum, n);
}

float energy_ulaw_dbfs(const uint8_t *ulaw, size_t n)
{
    int16_t pcm[160];
    double sum = 0;

    for (size_t done = 0; done < n;) {
        size_t k = n - done < 160 ? n - done : 160;

        g711_ulaw_decode(pcm, ulaw + done, k);
        for (size_t i = 0; i < k; i++)
            sum += (double)pcm[i] * pcm[i];
        done += k;
    }
    return dbfs(sum, n);
}
