/* SPDX-License-Identifier: Apache-2.0 */
/* heap.h - how the process holds memory that it does not use. One thread, except where it says so. */
#ifndef BASE_HEAP_H
#define BASE_HEAP_H

#include <stdbool.h>

/* Once, before there are threads. */
void heap_begin(void);

struct heap_watch {
    unsigned most;  /* calls, since it was last tidied */
    unsigned looks; /* since then */
};

/* Now and then, with the number of calls that there are: what calls left behind goes back to the
 * system once most of them are over. True: it did. Other threads that want memory meanwhile may wait
 * for some milliseconds. */
bool heap_look(struct heap_watch *w, unsigned calls);

/* At once. */
void heap_tidy(void);

#endif
