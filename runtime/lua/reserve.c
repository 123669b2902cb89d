/* SPDX-License-Identifier: Apache-2.0 */
/* reserve.c - one block for the process. Whoever has no memory gives it back and tries again; the next VM that
 * is made lays another aside. */
#include "lua/reserve.h"

#include <stdatomic.h>
#include <stdlib.h>

enum { RESERVE_BYTES = 256 << 10 };

static _Atomic(void *) reserve;

void reserve_keep(void)
{
    void *none = NULL, *fresh;

    if (atomic_load(&reserve))
        return;
    fresh = malloc(RESERVE_BYTES);
    if (fresh && !atomic_compare_exchange_strong(&reserve, &none, fresh))
        free(fresh);
}

void *reserve_realloc(void *ptr, size_t size)
{
    free(atomic_exchange(&reserve, NULL));
    return realloc(ptr, size);
}
