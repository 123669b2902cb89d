/* SPDX-License-Identifier: Apache-2.0 */
/* gather.h - when a loop that hears from many sockets should look a moment later, so that it finds several
 * of them ready at once. Pure: times come from outside. One per loop. */
#ifndef IO_GATHER_H
#define IO_GATHER_H

#include <stdbool.h>
#include <stdint.h>

enum {
    GATHER_US = 150,           /* the least between two looks, once there is much to hear */
    GATHER_WINDOW_US = 100000, /* how much there is, is counted anew this often */
    GATHER_FROM = 1500,        /* events in a window that are much: 15,000 a second */
    GATHER_UNTIL = 1200        /* and those that no longer are */
};

struct gather {
    uint64_t window_us; /* when this one began */
    uint32_t n;         /* events in it */
    bool much;          /* there were many in the one before */
};

static inline void gather_event(struct gather *g)
{
    g->n++;
}

/* How long to wait before looking again, when the turn that began at began_us is over; mostly 0. */
uint32_t gather_pause_us(struct gather *g, uint64_t began_us, uint64_t now_us);

#endif
