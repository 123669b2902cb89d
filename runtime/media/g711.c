/* SPDX-License-Identifier: Apache-2.0 */
/* g711.c - the law of telephone sound.
 *
 * µ-law is eight straight segments per sign, each twice as steep as the one before: a byte is sign,
 * segment (3 bits) and step (4 bits). Decoding looks the byte up; encoding finds the segment from
 * the position of the highest bit, which is shorter than any table of 65536 and as fast. Magnitudes
 * are 14 bits plus a bias of 33, all bits inverted on the line.
 * The table is the standard's decoder output scaled to 16 bits; the unit test computes it anew from
 * the formula and compares the encoder over all 65536 inputs. */
#include "media/g711.h"

enum { ULAW_BIAS = 33, ULAW_CLIP = 8158 };

/* clang-format off */
static const int16_t ulaw_pcm[256] = {
    -32124, -31100, -30076, -29052, -28028, -27004, -25980, -24956, -23932, -22908, -21884, -20860,
    -19836, -18812, -17788, -16764, -15996, -15484, -14972, -14460, -13948, -13436, -12924, -12412,
    -11900, -11388, -10876, -10364, -9852, -9340, -8828, -8316, -7932, -7676, -7420, -7164,
    -6908, -6652, -6396, -6140, -5884, -5628, -5372, -5116, -4860, -4604, -4348, -4092,
    -3900, -3772, -3644, -3516, -3388, -3260, -3132, -3004, -2876, -2748, -2620, -2492,
    -2364, -2236, -2108, -1980, -1884, -1820, -1756, -1692, -1628, -1564, -1500, -1436,
    -1372, -1308, -1244, -1180, -1116, -1052, -988, -924, -876, -844, -812, -780,
    -748, -716, -684, -652, -620, -588, -556, -524, -492, -460, -428, -396,
    -372, -356, -340, -324, -308, -292, -276, -260, -244, -228, -212, -196,
    -180, -164, -148, -132, -120, -112, -104, -96, -88, -80, -72, -64,
    -56, -48, -40, -32, -24, -16, -8, 0, 32124, 31100, 30076, 29052,
    28028, 27004, 25980, 24956, 23932, 22908, 21884, 20860, 19836, 18812, 17788, 16764,
    15996, 15484, 14972, 14460, 13948, 13436, 12924, 12412, 11900, 11388, 10876, 10364,
    9852, 9340, 8828, 8316, 7932, 7676, 7420, 7164, 6908, 6652, 6396, 6140,
    5884, 5628, 5372, 5116, 4860, 4604, 4348, 4092, 3900, 3772, 3644, 3516,
    3388, 3260, 3132, 3004, 2876, 2748, 2620, 2492, 2364, 2236, 2108, 1980,
    1884, 1820, 1756, 1692, 1628, 1564, 1500, 1436, 1372, 1308, 1244, 1180,
    1116, 1052, 988, 924, 876, 844, 812, 780, 748, 716, 684, 652,
    620, 588, 556, 524, 492, 460, 428, 396, 372, 356, 340, 324,
    308, 292, 276, 260, 244, 228, 212, 196, 180, 164, 148, 132,
    120, 112, 104, 96, 88, 80, 72, 64, 56, 48, 40, 32,
    24, 16, 8, 0,
};
/* clang-format on */

/* Index of the highest set bit; v is not 0. */
static unsigned top_bit(unsigned v)
{
    return 31u - (unsigned)__builtin_clz(v);
}

static uint8_t ulaw_byte(int16_t sample)
{
    /* G.191 works on 14-bit values in one's complement: -1 and 0 are the two zeros. */
    int s = sample >> 2;
    unsigned sign = s < 0 ? 0 : 0x80;
    unsigned magnitude = (unsigned)(s < 0 ? ~s : s);
    unsigned segment;

    if (magnitude > ULAW_CLIP)
        magnitude = ULAW_CLIP;
    magnitude += ULAW_BIAS;
    segment = top_bit(magnitude) - 5;
    return (uint8_t)(sign | ((~(segment << 4 | (magnitude >> (segment + 1) & 15))) & 0x7F));
}

void g711_ulaw_decode(int16_t *pcm, const uint8_t *in, size_t n)
{
    for (size_t i = 0; i < n; i++)
        pcm[i] = ulaw_pcm[in[i]];
}

void g711_ulaw_encode(uint8_t *out, const int16_t *pcm, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = ulaw_byte(pcm[i]);
}
