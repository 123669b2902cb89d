/* SPDX-License-Identifier: Apache-2.0 */
/* How many parts a text has, reckoned by the network's own table of GSM 03.38.
 *
 * Happy path: every character is in the basic table (one septet) or its extension (two).
 * Failure modes: any other makes the whole text UCS-2, where a character beyond the basic plane takes
 * two. Broken UTF-8 counts as UCS-2, a unit per byte.
 */
#include "sim/carrier/texts.h"

#include <string.h>

static const unsigned basic[] = {
    0x0040, 0x00A3, 0x0024, 0x00A5, 0x00E8, 0x00E9, 0x00F9, 0x00EC, 0x00F2, 0x00C7, 0x000A,
    0x00D8, 0x00F8, 0x000D, 0x00C5, 0x00E5, 0x0394, 0x005F, 0x03A6, 0x0393, 0x039B, 0x03A9,
    0x03A0, 0x03A8, 0x03A3, 0x0398, 0x039E, 0x00C6, 0x00E6, 0x00DF, 0x00C9, 0x00A4, 0x00A1,
    0x00C4, 0x00D6, 0x00D1, 0x00DC, 0x00A7, 0x00BF, 0x00E4, 0x00F6, 0x00F1, 0x00FC, 0x00E0};
static const unsigned extension[] = {0x000C, 0x005E, 0x007B, 0x007D, 0x005C,
                                     0x005B, 0x007E, 0x005D, 0x007C, 0x20AC};

static bool holds(const unsigned *table, size_t n, unsigned c)
{
    for (size_t i = 0; i < n; i++) {
        if (table[i] == c)
            return true;
    }
    return false;
}

/* Septets of a character; 0: it has none. */
static unsigned septets(unsigned c)
{
    bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    bool mark = c >= 0x20 && c <= 0x3F; /* space to question mark, the dollar in the table */

    if (letter || mark || holds(basic, sizeof(basic) / sizeof(basic[0]), c))
        return 1;
    return holds(extension, sizeof(extension) / sizeof(extension[0]), c) ? 2 : 0;
}

/* The character at *p, which moves on. */
static unsigned next_character(const unsigned char **p)
{
    unsigned c = *(*p)++;
    unsigned more = c >= 0xF0 ? 3 : c >= 0xE0 ? 2 : c >= 0xC0 ? 1 : 0;

    c = more == 3 ? c & 7u : more == 2 ? c & 15u : more == 1 ? c & 31u : c;
    for (; more > 0 && (**p & 0xC0) == 0x80; more--)
        c = c << 6 | (*(*p)++ & 63u);
    return c;
}

size_t text_characters(const char *body)
{
    const unsigned char *p = (const unsigned char *)body;
    size_t n = 0;

    while (*p) {
        next_character(&p);
        n++;
    }
    return n;
}

static unsigned parts(unsigned n, unsigned alone, unsigned joined)
{
    return n <= alone ? 1 : (n + joined - 1) / joined;
}

unsigned text_segments(const char *body)
{
    const unsigned char *p = (const unsigned char *)body;
    unsigned gsm = 0, ucs = 0;
    bool is_gsm = true;

    while (*p) {
        unsigned c = next_character(&p), n = septets(c);
        is_gsm = is_gsm && n > 0;
        gsm += n;
        ucs += c > 0xFFFF ? 2 : 1;
    }
    return is_gsm ? parts(gsm, 160, 153) : parts(ucs, 70, 67);
}
