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
