/* SPDX-License-Identifier: Apache-2.0 */
/* digests.c - their own first bytes say where they are: buckets of eight places. */
#include "gateway/vapi/digests.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { WAYS = 8 };

struct place {
    uint64_t until_ms; /* 0: free */
    uint8_t key[DIGEST];
};

struct digests {
    pthread_mutex_t lock;
    size_t buckets;
    struct place places[];
};

int digests_new(struct digests **out, size_t places)
{
    size_t buckets = places / WAYS > 0 ? places / WAYS : 1;
    struct digests *s = calloc(1, sizeof(*s) + buckets * WAYS * sizeof(struct place));

    if (!s)
        return -ENOMEM;
    s->buckets = buckets;
    (void)pthread_mutex_init(&s->lock, NULL);
    *out = s;
    return 0;
}

void digests_free(struct digests *s)
{
    if (!s)
        return;
    (void)pthread_mutex_destroy(&s->lock);
    free(s);
}

static struct place *bucket_of(struct digests *s, const uint8_t key[DIGEST])
{
    uint64_t n;

    memcpy(&n, key, sizeof(n));
    return &s->places[n % s->buckets * WAYS];
}

static struct place *find(struct place *bucket, const uint8_t key[DIGEST])
{
    for (size_t i = 0; i < WAYS; i++)
        if (bucket[i].until_ms > 0 && memcmp(bucket[i].key, key, DIGEST) == 0)
            return &bucket[i];
    return NULL;
}

static struct place *oldest(struct place *bucket)
{
    struct place *p = bucket;

    for (size_t i = 1; i < WAYS; i++)
        if (bucket[i].until_ms < p->until_ms)
            p = &bucket[i];
    return p;
}

bool digests_first(struct digests *s, const uint8_t key[DIGEST], uint64_t now_ms, uint64_t until_ms)
{
    struct place *bucket = bucket_of(s, key), *p;
    bool first;

    (void)pthread_mutex_lock(&s->lock);
    p = find(bucket, key);
    first = !p || p->until_ms <= now_ms;
    if (!p)
        p = oldest(bucket);
    if (first) {
        memcpy(p->key, key, DIGEST);
        p->until_ms = until_ms;
    }
    (void)pthread_mutex_unlock(&s->lock);
    return first;
}

bool digests_has(struct digests *s, const uint8_t key[DIGEST], uint64_t now_ms)
{
    const struct place *p;
    bool has;

    (void)pthread_mutex_lock(&s->lock);
    p = find(bucket_of(s, key), key);
    has = p && p->until_ms > now_ms;
    (void)pthread_mutex_unlock(&s->lock);
    return has;
}

void digests_forget(struct digests *s, const uint8_t key[DIGEST])
{
    struct place *p;

    (void)pthread_mutex_lock(&s->lock);
    p = find(bucket_of(s, key), key);
    if (p)
        p->until_ms = 0;
    (void)pthread_mutex_unlock(&s->lock);
}
