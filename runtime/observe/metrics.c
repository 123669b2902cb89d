/* SPDX-License-Identifier: Apache-2.0 */
/* metrics.c - the numbers themselves.
 *
 * Each thread is given a shard the first time it counts, round robin; with more threads than shards
 * two share one, which costs a little and is still right. Adding is relaxed: the numbers say how
 * much, never what happened first. A reader may therefore see a histogram's count one ahead of its
 * sum for an instant, which no screen can show.
 *
 * A process has one set of numbers, like it has one stderr; that is why they are not in a struct
 * that everybody would have to carry. */
#include "observe/metrics.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <string.h>

enum {
    SHARDS = 8,
    LINE = 64,
    SUB_BITS = 3, /* 8 buckets per power of two */
    SUBS = 1 << SUB_BITS,
    MAX_BITS = 40,
    BUCKETS = (MAX_BITS - SUB_BITS + 1) * SUBS + 1
};

struct histogram {
    _Atomic uint64_t count, sum, max;
    _Atomic uint64_t buckets[BUCKETS];
};

static struct shard {
    _Alignas(LINE) _Atomic uint64_t counters[METRIC_COUNTER_COUNT];
    struct histogram histograms[METRIC_HISTOGRAM_COUNT];
} shards[SHARDS];

static _Atomic int64_t gauges[METRIC_GAUGE_COUNT];
static _Atomic unsigned next_shard;

#define X(id, name, about) name,
static const char *const counter_names[] = {METRIC_COUNTERS(X)};
static const char *const gauge_names[] = {METRIC_GAUGES(X)};
static const char *const histogram_names[] = {METRIC_HISTOGRAMS(X)};
#undef X

static struct shard *my_shard(void)
{
    static _Thread_local struct shard *mine;

    if (!mine)
        mine = &shards[atomic_fetch_add_explicit(&next_shard, 1, memory_order_relaxed) % SHARDS];
    return mine;
}

static void add(_Atomic uint64_t *where, uint64_t n)
{
    atomic_fetch_add_explicit(where, n, memory_order_relaxed);
}

static uint64_t get(const _Atomic uint64_t *where)
{
    return atomic_load_explicit(where, memory_order_relaxed);
}

void metric_add(enum metric_counter m, uint64_t n)
{
    add(&my_shard()->counters[m], n);
}

uint64_t metric_value(enum metric_counter m)
{
    uint64_t sum = 0;

    for (int i = 0; i < SHARDS; i++)
        sum += get(&shards[i].counters[m]);
    return sum;
}

void metric_gauge_set(enum metric_gauge m, int64_t value)
{
    atomic_store_explicit(&gauges[m], value, memory_order_relaxed);
}

void metric_gauge_add(enum metric_gauge m, int64_t delta)
{
    atomic_fetch_add_explicit(&gauges[m], delta, memory_order_relaxed);
}

int64_t metric_gauge_value(enum metric_gauge m)
{
    return atomic_load_explicit(&gauges[m], memory_order_relaxed);
}

/* Values below 8 have a bucket each; above, the three bits behind the leading one choose. */
static unsigned bucket_of(uint64_t value)
{
    unsigned top;

    if (value < SUBS)
        return (unsigned)value;
    if (value >> MAX_BITS)
        return BUCKETS - 1;
    top = 63u - (unsigned)__builtin_clzll(value);
    return (top - SUB_BITS + 1) * SUBS + (unsigned)(value >> (top - SUB_BITS) & (SUBS - 1));
}

/* The largest value a bucket holds. */
static uint64_t bucket_edge(unsigned bucket)
{
    unsigned shift;

    if (bucket < SUBS)
        return bucket;
    if (bucket == BUCKETS - 1)
        return UINT64_C(1) << MAX_BITS;
    shift = bucket / SUBS - 1;
    return ((SUBS + (uint64_t)(bucket % SUBS) + 1) << shift) - 1;
}

void metric_observe(enum metric_histogram m, uint64_t value)
{
    struct histogram *h = &my_shard()->histograms[m];
    uint64_t max = get(&h->max);

    add(&h->buckets[bucket_of(value)], 1);
    add(&h->sum, value);
    add(&h->count, 1);
    while (value > max && !atomic_compare_exchange_weak_explicit(
                              &h->max, &max, value, memory_order_relaxed, memory_order_relaxed))
        ;
}

/* The value that at least `percent` of all are not above. */
static uint64_t quantile(const uint64_t *buckets, uint64_t count, unsigned percent)
{
    uint64_t want = (count * percent + 99) / 100, seen = 0;

    for (unsigned i = 0; i < BUCKETS; i++) {
        seen += buckets[i];
        if (seen >= want)
            return bucket_edge(i);
    }
    return 0;
}

static uint64_t at_most(uint64_t value, uint64_t max)
{
    return value < max ? value : max;
}

struct metric_summary metric_summarise(enum metric_histogram m)
{
    struct metric_summary s = {0};
    uint64_t buckets[BUCKETS] = {0}, in_buckets = 0;

    for (int i = 0; i < SHARDS; i++) {
        const struct histogram *h = &shards[i].histograms[m];
        uint64_t max = get(&h->max);

        s.count += get(&h->count);
        s.sum += get(&h->sum);
        s.max = max > s.max ? max : s.max;
        for (unsigned k = 0; k < BUCKETS; k++)
            buckets[k] += get(&h->buckets[k]);
    }
    for (unsigned k = 0; k < BUCKETS; k++)
        in_buckets += buckets[k];
    if (in_buckets == 0)
        return s;
    s.p50 = at_most(quantile(buckets, in_buckets, 50), s.max);
    s.p90 = at_most(quantile(buckets, in_buckets, 90), s.max);
    s.p99 = at_most(quantile(buckets, in_buckets, 99), s.max);
    return s;
}

static int add_histogram(struct buf *out, enum metric_histogram m)
{
    struct metric_summary s = metric_summarise(m);

    return buf_addf(out,
                    "{\"name\":\"%s\",\"type\":\"histogram\",\"count\":%" PRIu64 ",\"sum\":%" PRIu64
                    ",\"max\":%" PRIu64 ",\"p50\":%" PRIu64 ",\"p90\":%" PRIu64 ",\"p99\":%" PRIu64
                    "}\n",
                    histogram_names[m], s.count, s.sum, s.max, s.p50, s.p90, s.p99);
}

int metrics_to_json(struct buf *out)
{
    size_t start = out->n;
    int rc = 0;

    for (int i = 0; i < METRIC_COUNTER_COUNT && !rc; i++)
        rc = buf_addf(out, "{\"name\":\"%s\",\"type\":\"counter\",\"value\":%" PRIu64 "}\n",
                      counter_names[i], metric_value((enum metric_counter)i));
    for (int i = 0; i < METRIC_GAUGE_COUNT && !rc; i++)
        rc = buf_addf(out, "{\"name\":\"%s\",\"type\":\"gauge\",\"value\":%" PRId64 "}\n",
                      gauge_names[i], metric_gauge_value((enum metric_gauge)i));
    for (int i = 0; i < METRIC_HISTOGRAM_COUNT && !rc; i++)
        rc = add_histogram(out, (enum metric_histogram)i);
    if (rc)
        out->n = start;
    return rc;
}

static void reset_histogram(struct histogram *h)
{
    atomic_store(&h->count, 0);
    atomic_store(&h->sum, 0);
    atomic_store(&h->max, 0);
    for (unsigned k = 0; k < BUCKETS; k++)
        atomic_store(&h->buckets[k], 0);
}

void metrics_reset(void)
{
    for (int i = 0; i < SHARDS; i++) {
        for (int k = 0; k < METRIC_COUNTER_COUNT; k++)
            atomic_store(&shards[i].counters[k], 0);
        for (int k = 0; k < METRIC_HISTOGRAM_COUNT; k++)
            reset_histogram(&shards[i].histograms[k]);
    }
    for (int k = 0; k < METRIC_GAUGE_COUNT; k++)
        atomic_store(&gauges[k], 0);
}
