/* SPDX-License-Identifier: Apache-2.0 */
/* sound_codec.c - G.711 and base64 written a second time, for the doubles only.
 *
 * The product has its own in media/. These are written from the recommendations' formulas instead
 * of tables, so that a mistake in one is seen as noise or garbage by the other.
 *   - base64: strict, padded, no white space; anything else is RD_EPROTO and nothing is promised
 *     about the output. */
#include "sim/speech/sound.h"

#include "base/err.h"

enum { ULAW_BIAS = 132, ULAW_CLIP = 32635 };

uint8_t sim_ulaw_encode(int16_t pcm)
{
    int sign = pcm < 0 ? 0x80 : 0;
    int magnitude = pcm < 0 ? -(int)pcm : pcm;
    int segment = 7;

    if (magnitude > ULAW_CLIP)
        magnitude = ULAW_CLIP;
    magnitude += ULAW_BIAS;
    while (segment > 0 && magnitude < (1 << (segment + 7)))
        segment--;
    return (uint8_t) ~(sign | (segment << 4) | ((magnitude >> (segment + 3)) & 0x0f));
}

int16_t sim_ulaw_decode(uint8_t u)
{
    int code = ~u & 0xff;
    int segment = (code >> 4) & 7;
    int magnitude = ((((code & 0x0f) << 3) + ULAW_BIAS) << segment) - ULAW_BIAS;

    return (int16_t)(code & 0x80 ? -magnitude : magnitude);
}

uint8_t sim_alaw_encode(int16_t pcm)
{
    int positive = pcm >= 0;
    int magnitude = (positive ? pcm : -(int)pcm - 1) >> 3;
    int segment = 0;
    int code;

    if (magnitude > 0xfff)
        magnitude = 0xfff;
    while (segment < 7 && (magnitude >> (segment + 5)) != 0)
        segment++;
    code = segment << 4 | ((magnitude >> (segment < 2 ? 1 : segment)) & 0x0f);
    return (uint8_t)((code | (positive ? 0x80 : 0)) ^ 0x55);
}

int16_t sim_alaw_decode(uint8_t a)
{
    int code = a ^ 0x55;
    int segment = (code >> 4) & 7;
    int magnitude = ((code & 0x0f) << 4) + 8;

    if (segment > 0)
        magnitude = (magnitude + 0x100) << (segment - 1);
    return (int16_t)(code & 0x80 ? magnitude : -magnitude);
}

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

size_t sim_base64_encode(char *out, const uint8_t *in, size_t n)
{
    char *p = out;

    for (size_t i = 0; i < n; i += 3) {
        size_t left = n - i;
        uint32_t word = (uint32_t)in[i] << 16;

        if (left > 1)
            word |= (uint32_t)in[i + 1] << 8;
        if (left > 2)
            word |= in[i + 2];
        *p++ = alphabet[word >> 18];
        *p++ = alphabet[(word >> 12) & 63];
        *p++ = left > 1 ? alphabet[(word >> 6) & 63] : '=';
        *p++ = left > 2 ? alphabet[word & 63] : '=';
    }
    return (size_t)(p - out);
}

int sim_base64_sextet(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == '+')
        return 62;
    return c == '/' ? 63 : -1;
}

ssize_t sim_base64_decode(uint8_t *out, const char *in, size_t n)
{
    uint8_t *p = out;
    size_t padding = 0;

    if (n % 4 != 0)
        return RD_EPROTO;
    if (n > 0 && in[n - 1] == '=')
        padding = in[n - 2] == '=' ? 2 : 1;
    for (size_t i = 0; i < n; i += 4) {
        size_t skip = i + 4 == n ? padding : 0;
        uint32_t word = 0;

        for (size_t k = 0; k < 4; k++) {
            int v = k < 4 - skip ? sim_base64_sextet(in[i + k]) : 0;
            if (v < 0)
                return RD_EPROTO;
            word = word << 6 | (uint32_t)v;
        }
        *p++ = (uint8_t)(word >> 16);
        if (skip < 2)
            *p++ = (uint8_t)(word >> 8);
        if (skip < 1)
            *p++ = (uint8_t)word;
    }
    return p - out;
}
