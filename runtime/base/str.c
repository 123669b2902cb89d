/* SPDX-License-Identifier: Apache-2.0 */
/* str.c - comparing secrets without telling, by the time it takes, how much of a guess was right.
 */
#include "base/str.h"

#include <stdint.h>

bool rd_str_same_secret(struct rd_str a, struct rd_str b)
{
    volatile uint8_t differ = a.n == b.n ? 0 : 1;

    /* Always walks b, whatever a is: a guess learns b's length at most. An empty secret matches
     * nothing, so that a setting that was left out cannot open a door. */
    for (size_t i = 0; i < b.n; i++)
        differ = (uint8_t)(differ | ((i < a.n ? (uint8_t)a.p[i] : 0) ^ (uint8_t)b.p[i]));
    return b.n > 0 && differ == 0;
}

/* Unicode table 3-7. */
size_t rd_utf8_sequence(const char *text, size_t n)
{
    const uint8_t *p = (const uint8_t *)text;
    uint8_t low = 0x80, high = 0xBF;
    size_t len;

    if (p[0] < 0x80)
        return 1;
    if (p[0] < 0xC2 || p[0] > 0xF4)
        return 0;
    len = p[0] < 0xE0 ? 2 : p[0] < 0xF0 ? 3 : 4;
    if (n < len)
        return 0;
    if (p[0] == 0xE0)
        low = 0xA0; /* no overlong forms */
    else if (p[0] == 0xED)
        high = 0x9F; /* no surrogates */
    else if (p[0] == 0xF0)
        low = 0x90;
    else if (p[0] == 0xF4)
        high = 0x8F; /* nothing above U+10FFFF */
    if (p[1] < low || p[1] > high)
        return 0;
    for (size_t i = 2; i < len; i++)
        if (p[i] < 0x80 || p[i] > 0xBF)
            return 0;
    return len;
}
