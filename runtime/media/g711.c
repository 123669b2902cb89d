/* SPDX-License-Identifier: Apache-2.0 */
/* g711.c - the two laws of telephone sound.
 *
 * Both laws are eight straight segments per sign, each twice as steep as the one before: a byte is
 * sign, segment (3 bits) and step (4 bits). Decoding looks the byte up; encoding finds the segment
 * from the position of the highest bit, which is shorter than any table of 65536 and as fast.
 *   - µ-law: magnitudes are 14 bits plus a bias of 33, all bits inverted on the line
 *   - A-law: magnitudes are 12 bits, every second bit inverted on the line
 * The tables are the standard's decoder outputs scaled to 16 bits; the unit test computes them anew
 * from the formula and compares the encoders over all 65536 inputs. */
#include "media/g711.h"

enum { ULAW_BIAS = 33, ULAW_CLIP = 8158, ALAW_MASK = 0x55 };

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

static const int16_t alaw_pcm[256] = {
    -5504, -5248, -6016, -5760, -4480, -4224, -4992, -4736, -7552, -7296, -8064, -7808,
    -6528, -6272, -7040, -6784, -2752, -2624, -3008, -2880, -2240, -2112, -2496, -2368,
    -3776, -3648, -4032, -3904, -3264, -3136, -3520, -3392, -22016, -20992, -24064, -23040,
    -17920, -16896, -19968, -18944, -30208, -29184, -32256, -31232, -26112, -25088, -28160, -27136,
    -11008, -10496, -12032, -11520, -8960, -8448, -9984, -9472, -15104, -14592, -16128, -15616,
    -13056, -12544, -14080, -13568, -344, -328, -376, -360, -280, -264, -312, -296,
    -472, -456, -504, -488, -408, -392, -440, -424, -88, -72, -120, -104,
    -24, -8, -56, -40, -216, -200, -248, -232, -152, -136, -184, -168,
    -1376, -1312, -1504, -1440, -1120, -1056, -1248, -1184, -1888, -1824, -2016, -1952,
    -1632, -1568, -1760, -1696, -688, -656, -752, -720, -560, -528, -624, -592,
    -944, -912, -1008, -976, -816, -784, -880, -848, 5504, 5248, 6016, 5760,
    4480, 4224, 4992, 4736, 7552, 7296, 8064, 7808, 6528, 6272, 7040, 6784,
    2752, 2624, 3008, 2880, 2240, 2112, 2496, 2368, 3776, 3648, 4032, 3904,
    3264, 3136, 3520, 3392, 22016, 20992, 24064, 23040, 17920, 16896, 19968, 18944,
    30208, 29184, 32256, 31232, 26112, 25088, 28160, 27136, 11008, 10496, 12032, 11520,
    8960, 8448, 9984, 9472, 15104, 14592, 16128, 15616, 13056, 12544, 14080, 13568,
    344, 328, 376, 360, 280, 264, 312, 296, 472, 456, 504, 488,
    408, 392, 440, 424, 88, 72, 120, 104, 24, 8, 56, 40,
    216, 200, 248, 232, 152, 136, 184, 168, 1376, 1312, 1504, 1440,
    1120, 1056, 1248, 1184, 1888, 1824, 2016, 1952, 1632, 1568, 1760, 1696,
    688, 656, 752, 720, 560, 528, 624, 592, 944, 912, 1008, 976,
    816, 784, 880, 848,
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

static uint8_t alaw_byte(int16_t sample)
{
    unsigned sign = sample < 0 ? 0 : 0x80;
    unsigned magnitude = (unsigned)(sample < 0 ? ~sample : sample) >> 4; /* 11 bits */
    unsigned segment = magnitude > 15 ? top_bit(magnitude) - 3 : 0;
    unsigned code = segment > 0 ? segment << 4 | (magnitude >> (segment - 1) & 15) : magnitude;

    return (uint8_t)((sign | code) ^ ALAW_MASK);
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

void g711_alaw_decode(int16_t *pcm, const uint8_t *in, size_t n)
{
    for (size_t i = 0; i < n; i++)
        pcm[i] = alaw_pcm[in[i]];
}

void g711_alaw_encode(uint8_t *out, const int16_t *pcm, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = alaw_byte(pcm[i]);
}
