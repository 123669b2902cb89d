/* SPDX-License-Identifier: Apache-2.0 */
/* base64.c - RFC 4648 section 4, strict.
 *
 * Every caller frame is checked before it is passed on, so the check is the part that must be
 * quick: four characters are looked up at a time, and as only wrong ones have the top bit set in
 * the table, one OR over the whole text and one test at the end tell whether all were right. Strict
 * means: no white space, padding required, and the bits that padding leaves over are zero, so that
 * a text has one meaning only.
 *   - wrong character, length or padding: RD_EPROTO */
#include "media/base64.h"

#include "base/err.h"
#include "base/lanes.h"

#include <string.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* clang-format off */
static const uint8_t values[256] = {
    255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
    255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
    255, 255, 255, 62, 255, 255, 255, 63, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 255, 255,
    255, 255, 255, 255, 255, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14,
    15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 255, 255, 255, 255, 255, 255, 26, 27, 28,
    29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48,
    49, 50, 51, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
    255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
    255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
    255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
    255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
    255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
    255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
};
/* clang-format on */

size_t base64_encode(char *out, const uint8_t *in, size_t n)
{
    char *o = out;
    size_t i = 0;

    for (; i + 3 <= n; i += 3, o += 4) {
        uint32_t w = (uint32_t)in[i] << 16 | (uint32_t)in[i + 1] << 8 | in[i + 2];
        o[0] = alphabet[w >> 18];
        o[1] = alphabet[w >> 12 & 63];
        o[2] = alphabet[w >> 6 & 63];
        o[3] = alphabet[w & 63];
    }
    if (i < n) {
        uint32_t w = (uint32_t)in[i] << 16 | (i + 1 < n ? (uint32_t)in[i + 1] << 8 : 0);
        o[0] = alphabet[w >> 18];
        o[1] = alphabet[w >> 12 & 63];
        o[2] = i + 1 < n ? alphabet[w >> 6 & 63] : '=';
        o[3] = '=';
        o += 4;
    }
    return (size_t)(o - out);
}

/* Padding characters at the end (0 to 2); n is not 0. */
static size_t padding(const char *in, size_t n)
{
    if (in[n - 1] != '=')
        return 0;
    return in[n - 2] == '=' ? 2 : 1;
}

/* Letters of both cases, '/' and the digits behind it, '+': what is left after as many whole lanes as there
 * are, or NULL when one of them holds something else. */
static const uint8_t *skip_alphabet(const uint8_t *p, const uint8_t *end)
{
    lanes good = ~(lanes){0};

    for (; end - p >= LANES; p += LANES) {
        lanes v = lanes_load(p);

        good &= (lanes)(((v | 0x20) - 'a' < 26) | (v - '/' < 11) | (v == '+'));
    }
    return lanes_any(~good) ? NULL : p;
}

ssize_t base64_check(const char *in, size_t n)
{
    const uint8_t *p = (const uint8_t *)in, *end = p + n;
    uint8_t seen = 0;
    size_t pad;

    if (n == 0)
        return 0;
    if (n % 4 != 0)
        return RD_EPROTO;
    pad = padding(in, n);
    p = skip_alphabet(p, end - 4);
    if (!p)
        return RD_EPROTO;
    for (; p < end - pad; p++)
        seen |= values[*p];
    if (seen & 0x80)
        return RD_EPROTO;
    if ((pad == 2 && values[end[-3]] & 15) || (pad == 1 && values[end[-2]] & 3))
        return RD_EPROTO;
    return (ssize_t)(n / 4 * 3 - pad);
}

/* Four checked characters. Padding looks up as 0xFF; what it adds lies in bytes nobody keeps. */
static void decode_group(uint8_t out[3], const uint8_t *p)
{
    uint32_t w = (uint32_t)(values[p[0]] & 63) << 18 | (uint32_t)(values[p[1]] & 63) << 12 |
                 (uint32_t)(values[p[2]] & 63) << 6 | (values[p[3]] & 63u);

    out[0] = (uint8_t)(w >> 16);
    out[1] = (uint8_t)(w >> 8);
    out[2] = (uint8_t)w;
}

size_t base64_decode_checked(uint8_t *out, const char *in, size_t n)
{
    const uint8_t *p = (const uint8_t *)in;
    size_t n_bytes = n > 0 ? n / 4 * 3 - padding(in, n) : 0, rest;
    uint8_t last[3];

    for (rest = n_bytes; rest >= 3; rest -= 3, out += 3, p += 4)
        decode_group(out, p);
    if (rest > 0) {
        decode_group(last, p);
        memcpy(out, last, rest);
    }
    return n_bytes;
}

ssize_t base64_decode(uint8_t *out, const char *in, size_t n)
{
    ssize_t n_bytes = base64_check(in, n);

    return n_bytes <= 0 ? n_bytes : (ssize_t)base64_decode_checked(out, in, n);
}
