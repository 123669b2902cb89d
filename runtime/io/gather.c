/* SPDX-License-Identifier: Apache-2.0 */
/* gather.c - waking up costs about as much as a frame. A loop that wakes for each frame of several hundred
 * calls pays it thousands of times a second; one that looks at most every 150 µs finds four or eight at once.
 *
 * - few events (below some 250 calls on one loop): nobody waits, because there would be nothing to gather
 * - many: a turn that took less than 150 µs waits for the rest of them. What arrives meanwhile is that
 *   much later at worst; what arrives while the loop has nothing to do is handled at once, as ever
 * - so many that turns take longer than that: nobody waits, they gather by themselves */
#include "io/gather.h"

uint32_t gather_pause_us(struct gather *g, uint64_t began_us, uint64_t now_us)
{
    if (now_us - g->window_us >= GATHER_WINDOW_US) {
        /* A window that lasted longer had nobody to end it: its events were few. */
        g->much = now_us - g->window_us < 2 * GATHER_WINDOW_US &&
                  g->n >= (g->much ? GATHER_UNTIL : GATHER_FROM);
        g->window_us = now_us;
        g->n = 0;
    }
    if (!g->much || now_us - began_us >= GATHER_US)
        return 0;
    return (uint32_t)(GATHER_US - (now_us - began_us));
}
