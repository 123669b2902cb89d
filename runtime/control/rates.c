/* SPDX-License-Identifier: Apache-2.0 */
/* rates.c - buckets in sets of WAYS; a key has its place in one set. Levels are in thousandths, so
 * that a bucket fills by whole numbers each ms. */
#include "control/rates.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

enum { SETS = 1024, WAYS = 4, UNIT = 1000 };

struct bucket {
    uint64_t key, at_ms; /* at_ms: level is of then; 0: this place is free */
    int64_t level;
};

struct rates {
    int64_t burst, per_ms;
    struct bucket sets[SETS][WAYS];
};

int rates_new(struct rates **out, uint32_t burst, uint32_t per_second)
{
    struct rates *r = calloc(1, sizeof(*r));

    if (!r)
        return -ENOMEM;
    r->burst = (int64_t)burst * UNIT;
    r->per_ms = (int64_t)per_second; /* UNIT / 1000 of it each ms */
    *out = r;
    return 0;
}

void rates_free(struct rates *r)
{
    free(r);
}

static const struct bucket *set_of(const struct rates *r, uint64_t key)
{
    return r->sets[(key * 0x9e3779b97f4a7c15u) >> 54];
}

static int64_t level_at(const struct rates *r, const struct bucket *b, uint64_t now_ms)
{
    uint64_t passed = now_ms > b->at_ms ? now_ms - b->at_ms : 0;
    int64_t room = r->burst - b->level;

    if (b->at_ms == 0 || passed > (uint64_t)(room / r->per_ms))
        return r->burst;
    return b->level + (int64_t)passed * r->per_ms;
}

static const struct bucket *find(const struct rates *r, uint64_t key)
{
    const struct bucket *set = set_of(r, key);

    for (int i = 0; i < WAYS; i++)
        if (set[i].at_ms != 0 && set[i].key == key)
            return &set[i];
    return NULL;
}

uint32_t rates_wait_ms(const struct rates *r, uint64_t key, uint64_t now_ms)
{
    const struct bucket *b = find(r, key);
    int64_t level = b ? level_at(r, b, now_ms) : r->burst;

    return level >= UNIT ? 0 : (uint32_t)((UNIT - level + r->per_ms - 1) / r->per_ms);
}

/* The key's own place, or that of whoever has most left. */
static struct bucket *place_of(struct rates *r, uint64_t key, uint64_t now_ms)
{
    struct bucket *set = (struct bucket *)(uintptr_t)set_of(r, key), *best = &set[0];

    for (int i = 0; i < WAYS; i++) {
        if (set[i].at_ms != 0 && set[i].key == key)
            return &set[i];
        if (level_at(r, &set[i], now_ms) > level_at(r, best, now_ms))
            best = &set[i];
    }
    *best = (struct bucket){.key = key, .at_ms = now_ms, .level = r->burst};
    return best;
}

void rates_charge(struct rates *r, uint64_t key, uint32_t cost, uint64_t now_ms)
{
    struct bucket *b = place_of(r, key, now_ms);

    b->level = level_at(r, b, now_ms) - (int64_t)cost * UNIT;
    if (b->level < -r->burst)
        b->level = -r->burst;
    b->at_ms = now_ms;
}
