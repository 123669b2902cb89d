/* SPDX-License-Identifier: Apache-2.0 */
/* heap.c - what to ask of the C library's allocator.
 *
 * - Large blocks are mapped, always: what a table does not use of them is never touched, and they are
 *   gone when they are freed. By itself the library stops to do that after the first large block was
 *   freed, takes the next from the heap, and then the tables of a start are memory for good.
 * - What is free between blocks stays with the process until somebody asks for it. After a start, and
 *   after a rush, that is half of all there is.
 *
 * It is asked when less than half of the calls are left that there were, and once a minute when there
 * are none: not while calls come as they go, which would only fetch again what was given away. */
#include "base/heap.h"

#include <malloc.h>

enum {
    MAPPED_BYTES = 128 << 10,
    TOP_BYTES = 512 << 10, /* less at the end of the heap is not worth a system call */
    IDLE_LOOKS = 6
};

void heap_begin(void)
{
    (void)mallopt(M_MMAP_THRESHOLD, MAPPED_BYTES);
    (void)mallopt(M_TRIM_THRESHOLD, TOP_BYTES);
}

void heap_tidy(void)
{
    (void)malloc_trim(0);
}

bool heap_look(struct heap_watch *w, unsigned calls)
{
    if (calls > w->most)
        w->most = calls;
    w->looks++;
    if (w->most > 0 ? calls * 2 > w->most : w->looks < IDLE_LOOKS)
        return false;
    heap_tidy();
    *w = (struct heap_watch){.most = calls};
    return true;
}
