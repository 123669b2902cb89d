/* SPDX-License-Identifier: Apache-2.0 */
/* flood.c - a debt for each number that calls beyond its limit: every call adds a share of a minute,
 * time pays it back. More than a minute's worth is a flood; twice as much is remembered, so that a
 * flood that goes on is not let through once a minute.
 *
 * Numbers lie in a table of fixed size, a few places for each hash. Where all are taken, the one that
 * was heard of longest ago gives way, those with an emergency last.
 *
 * Failure modes: many numbers at once push each other out and hear the fallback, as without any of
 * this; none is ever taken for a flood by what others did. */
#include "gateway/flood.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

enum {
    SETS = 256,
    WAYS = 4,
    NUMBER_BYTES = 32,
    FLOOD_MS = 60000,
    DEBT_MAX_MS = 2 * FLOOD_MS,
    SPARED_MS = 3600000,
    BUSY_MS = 600000
};

struct number {
    char name[NUMBER_BYTES]; /* "": free */
    uint64_t debt_ms;        /* at heard_ms */
    uint64_t heard_ms;
    uint64_t busy_ms;         /* when it was last told; 0: never */
    uint64_t spared_until_ms; /* 0: nothing is wrong there */
};

struct flood {
    pthread_mutex_t lock;
    uint64_t share_ms; /* what a call adds; 0: nothing is a flood */
    struct number numbers[SETS][WAYS];
};

int flood_new(struct flood **out, unsigned per_minute)
{
    struct flood *f = calloc(1, sizeof(*f));

    if (!f)
        return -ENOMEM;
    pthread_mutex_init(&f->lock, NULL);
    f->share_ms = per_minute ? FLOOD_MS / per_minute : 0;
    if (per_minute > FLOOD_MS)
        f->share_ms = 1;
    *out = f;
    return 0;
}

void flood_free(struct flood *f)
{
    if (!f)
        return;
    pthread_mutex_destroy(&f->lock);
    free(f);
}

/* FNV-1a */
static struct number *set_of(struct flood *f, struct rd_str from)
{
    uint32_t h = 2166136261u;

    for (size_t i = 0; i < from.n; i++)
        h = (h ^ (unsigned char)from.p[i]) * 16777619u;
    return f->numbers[(h ^ h >> 16) % SETS];
}

static struct number *find(struct flood *f, struct rd_str from)
{
    struct number *set = set_of(f, from);

    for (int i = 0; i < WAYS; i++)
        if (set[i].name[0] && rd_str_eq(rd_str(set[i].name), from))
            return &set[i];
    return NULL;
}

/* Which of the two gives way first? */
static bool goes_before(const struct number *a, const struct number *b, uint64_t now_ms)
{
    bool a_spared = a->spared_until_ms > now_ms, b_spared = b->spared_until_ms > now_ms;

    return a_spared != b_spared ? b_spared : a->heard_ms < b->heard_ms;
}

/* NULL: it is no number. */
static struct number *find_or_make(struct flood *f, struct rd_str from, uint64_t now_ms)
{
    struct number *set = set_of(f, from), *n = find(f, from);

    if (n || from.n == 0 || from.n >= NUMBER_BYTES)
        return n;
    n = &set[0];
    for (int i = 1; i < WAYS; i++)
        if (n->name[0] && (!set[i].name[0] || goes_before(&set[i], n, now_ms)))
            n = &set[i];
    *n = (struct number){.heard_ms = now_ms};
    (void)rd_str_copy(n->name, sizeof(n->name), from);
    return n;
}

static void add(struct number *n, uint64_t share_ms, uint64_t now_ms)
{
    uint64_t paid_ms = now_ms - n->heard_ms;

    n->debt_ms = n->debt_ms > paid_ms ? n->debt_ms - paid_ms : 0;
    n->debt_ms += share_ms;
    if (n->debt_ms > DEBT_MAX_MS)
        n->debt_ms = DEBT_MAX_MS;
    n->heard_ms = now_ms;
}

bool flood_counts(struct flood *f, struct rd_str from, uint64_t now_ms)
{
    struct number *n;
    bool is_flood = false;

    if (f->share_ms == 0)
        return false;
    pthread_mutex_lock(&f->lock);
    n = find_or_make(f, from, now_ms);
    if (n) {
        add(n, f->share_ms, now_ms);
        is_flood = n->debt_ms > FLOOD_MS && n->spared_until_ms <= now_ms;
    }
    if (is_flood)
        n->busy_ms = now_ms;
    pthread_mutex_unlock(&f->lock);
    return is_flood;
}

void flood_spare(struct flood *f, struct rd_str from, uint64_t now_ms)
{
    struct number *n;

    pthread_mutex_lock(&f->lock);
    n = find_or_make(f, from, now_ms);
    if (n)
        n->spared_until_ms = now_ms + SPARED_MS;
    pthread_mutex_unlock(&f->lock);
}

bool flood_was_busy(struct flood *f, struct rd_str from, uint64_t now_ms)
{
    struct number *n;
    bool was;

    pthread_mutex_lock(&f->lock);
    n = find(f, from);
    was = n && n->busy_ms > 0 && now_ms - n->busy_ms < BUSY_MS;
    pthread_mutex_unlock(&f->lock);
    return was;
}
