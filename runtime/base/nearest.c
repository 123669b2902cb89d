/* SPDX-License-Identifier: Apache-2.0 */
/* nearest.c - edit distance with neighbour swaps (optimal string alignment) over short words.
 *
 * - three rows of the usual table suffice, because a swap looks back two rows
 * - near enough is a third of the word, and never more than three letters: a suggestion that is
 *   wrong costs more than none */
#include "base/nearest.h"

#include <string.h>

enum { WORD_MAX = 63, FAR = 1000 };

static unsigned min3(unsigned a, unsigned b, unsigned c)
{
    unsigned m = a < b ? a : b;

    return m < c ? m : c;
}

unsigned word_distance(const char *a, const char *b)
{
    size_t n = strlen(a), m = strlen(b);
    unsigned rows[3][WORD_MAX + 1];

    if (n > WORD_MAX || m > WORD_MAX)
        return FAR;
    for (size_t j = 0; j <= m; j++)
        rows[0][j] = (unsigned)j;
    for (size_t i = 1; i <= n; i++) {
        unsigned *now = rows[i % 3], *before = rows[(i - 1) % 3], *two_before = rows[(i + 1) % 3];

        now[0] = (unsigned)i;
        for (size_t j = 1; j <= m; j++) {
            unsigned change = before[j - 1] + (a[i - 1] != b[j - 1]);

            now[j] = min3(before[j] + 1, now[j - 1] + 1, change);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                now[j] = min3(now[j], two_before[j - 2] + 1, FAR);
        }
    }
    return rows[n % 3][m];
}

void nearest_init(struct nearest *n, const char *word)
{
    size_t third = strlen(word) / 3;

    n->word = word;
    n->best = NULL;
    n->distance = (unsigned)(third > 3 ? 3 : third < 1 ? 1 : third) + 1;
}

void nearest_offer(struct nearest *n, const char *candidate)
{
    unsigned d = word_distance(n->word, candidate);

    if (d < n->distance) {
        n->distance = d;
        n->best = candidate;
    }
}
