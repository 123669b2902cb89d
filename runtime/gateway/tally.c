/* SPDX-License-Identifier: Apache-2.0 */
/* tally.c - a hash of names over a fixed array of places. A place lives as long as somebody is
 * counted in it, so there are never more than the calls that are counted.
 *
 * Failure modes: a name longer than a place holds is counted under its beginning; that can only
 * make a limit stricter. */
#include "gateway/tally.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

enum { NAME_BYTES = 64 };

struct place {
    char name[NAME_BYTES];
    unsigned count;
    int next; /* in its bucket, or in the free list; -1: last */
};

struct tally {
    struct place *places;
    int *buckets;
    unsigned max;
    int first_free;
};

int tally_new(struct tally **out, unsigned max)
{
    struct tally *t = calloc(1, sizeof(*t));

    if (!t)
        return -ENOMEM;
    t->max = max;
    t->places = calloc(max, sizeof(*t->places));
    t->buckets = calloc(max, sizeof(*t->buckets));
    if (!t->places || !t->buckets) {
        tally_free(t);
        return -ENOMEM;
    }
    for (unsigned i = 0; i < max; i++) {
        t->buckets[i] = -1;
        t->places[i].next = i + 1 < max ? (int)i + 1 : -1;
    }
    *out = t;
    return 0;
}

void tally_free(struct tally *t)
{
    if (!t)
        return;
    free(t->places);
    free(t->buckets);
    free(t);
}

static struct rd_str shortened(struct rd_str name)
{
    return (struct rd_str){name.p, name.n < NAME_BYTES ? name.n : NAME_BYTES - 1};
}

/* FNV-1a */
static int *bucket_of(const struct tally *t, struct rd_str name)
{
    uint32_t h = 2166136261u;

    for (size_t i = 0; i < name.n; i++)
        h = (h ^ (unsigned char)name.p[i]) * 16777619u;
    return &t->buckets[h % t->max];
}

static int find(const struct tally *t, struct rd_str name)
{
    int i = *bucket_of(t, name);

    while (i >= 0 && !rd_str_eq(rd_str(t->places[i].name), name))
        i = t->places[i].next;
    return i;
}

unsigned tally_count(const struct tally *t, struct rd_str name)
{
    int i = find(t, shortened(name));

    return i >= 0 ? t->places[i].count : 0;
}

int tally_take(struct tally *t, struct rd_str name)
{
    struct rd_str key = shortened(name);
    int i = find(t, key), *bucket;

    if (i < 0) {
        i = t->first_free;
        if (i < 0)
            return TALLY_NONE;
        t->first_free = t->places[i].next;
        (void)rd_str_copy(t->places[i].name, NAME_BYTES, key);
        bucket = bucket_of(t, key);
        t->places[i].next = *bucket;
        *bucket = i;
    }
    t->places[i].count++;
    return i;
}

void tally_give(struct tally *t, int place)
{
    struct place *p = place >= 0 ? &t->places[place] : NULL;
    int *link;

    if (!p || --p->count > 0)
        return;
    link = bucket_of(t, rd_str(p->name));
    while (*link != place)
        link = &t->places[*link].next;
    *link = p->next;
    p->next = t->first_free;
    t->first_free = place;
}
