/* SPDX-License-Identifier: Apache-2.0 */
/* random.c - asks the kernel. Before it has gathered entropy, soon after boot, everybody gets the
 * middle: then a delay has no jitter, which does no harm for once. */
#include "base/random.h"

#include <sys/random.h>

uint32_t rd_random_bits(void)
{
    uint32_t bits = 0;

    if (getrandom(&bits, sizeof(bits), GRND_NONBLOCK) != (ssize_t)sizeof(bits))
        bits = UINT32_MAX / 2;
    return bits;
}
