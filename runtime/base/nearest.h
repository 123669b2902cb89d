/* SPDX-License-Identifier: Apache-2.0 */
/* nearest.h - "did you mean": the known word closest to a mistyped one. Pure; any thread. */
#ifndef BASE_NEAREST_H
#define BASE_NEAREST_H

#include <stddef.h>

/* How many letters must be changed, added, dropped or swapped with the neighbour. Words beyond 63
 * letters are too far from everything. */
unsigned word_distance(const char *a, const char *b);

struct nearest {
    const char *word;  /* borrows the typed one */
    const char *best;  /* borrows; NULL: nothing is near */
    unsigned distance; /* of best; starts at what is still near enough */
};

void nearest_init(struct nearest *n, const char *word);
void nearest_offer(struct nearest *n, const char *candidate);

#endif
