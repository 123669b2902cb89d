/* SPDX-License-Identifier: Apache-2.0 */
/* metrics.c - the numbers themselves.
 *
 * Each thread is given a shard the first time it counts (families.c), round robin; with more threads than shards
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
    SHARDS = METRIC_SHARDS,
    LINE = 64,
    SUB_BITS = 3, /* 8 buckets per power of two */
    SUBS = 1 << SUB_BITS,
    MAX_BITS = 40,
    BUCKETS = (MAX_BITS - SUB_BITS + 1) * SUBS + 1
};

struct histogram {
    _Atomic uint64_t count, sum, max;
    _Atomic uint64_t buckets[BUCKETS];
    _Atomic uint64_t fixed[METRIC_EDGES + 1];
};

static struct shard {
    _Alignas(LINE) _Atomic uint64_t counters[METRIC_COUNTER_COUNT];
    struct histogram histograms[METRIC_HISTOGRAM_COUNT];
} shards[SHARDS];

static _Atomic int64_t gauges[METRIC_GAUGE_COUNT];
#define X(id, name, about) name,
static const char *const counter_names[] = {METRIC_COUNTERS(X)};
static const char *const gauge_names[] = {METRIC_GAUGES(X)};
static const char *const histogram_names[] = {METRIC_HISTOGRAMS(X)};
#undef X

#define EDGES(...)                                                     \
    {                                                                  \
        (const uint64_t[]){__VA_ARGS__},                               \
            sizeof((const uint64_t[]){__VA_ARGS__}) / sizeof(uint64_t) \
    }

/* Where somebody draws a line: what is promised, what is alarmed at. In the number's own unit. */
static const struct {
    const uint64_t *at;
    unsigned n;
} edges[METRIC_HISTOGRAM_COUNT] = {
    [H_FIRST_AUDIO_MS] =
        EDGES(100, 200, 300, 400, 500, 650, 800, 1000, 1250, 1500, 2000, 3000, 5000, 10000),
    [H_WEBHOOK_US] = EDGES(5000, 10000, 25000, 50000, 100000, 250000, 500000, 1000000, 2500000,
                           5000000, 10000000, 15000000),
    [H_LOOP_LAG_US] =
        EDGES(500, 1000, 2000, 5000, 10000, 20000, 50000, 100000, 250000, 500000, 1000000),
    [H_JOURNAL_APPEND_US] =
        EDGES(1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000, 1000000, 5000000),
    [H_TRIAGE_US] = EDGES(100, 250, 500, 1000, 2500, 5000, 10000, 50000, 250000),
    [H_TRIAGE_HANDLED_MS] =
        EDGES(10000, 20000, 30000, 45000, 60000, 90000, 120000, 180000, 300000, 600000, 1800000),
    [H_FRAME_DELAY_US] = EDGES(50, 100, 250, 500, 1000, 2000, 5000, 10000, 20000, 50000, 100000),
    [H_BARGE_IN_US] = EDGES(50, 100, 250, 500, 1000, 2000, 5000, 10000, 20000, 50000, 100000),
    [H_VM_BYTES] = EDGES(65536, 102400, 153600, 262144, 524288, 1048576, 2097152, 4194304, 8388608),
};

static struct shard *my_shard(void)
{
    return &shards[metric_shard()];
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

/* The first whose edge is not below it; behind the last one when there is none. */
static unsigned fixed_of(enum metric_histogram m, uint64_t value)
{
    unsigned i = 0;

    while (i < edges[m].n && value > edges[m].at[i])
        i++;
    return i;
}

void metric_observe(enum metric_histogram m, uint64_t value)
{
    struct histogram *h = &my_shard()->histograms[m];
    uint64_t max = get(&h->max);

    add(&h->buckets[bucket_of(value)], 1);
    add(&h->fixed[fixed_of(m, value)], 1);
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

struct metric_buckets metric_buckets(enum metric_histogram m)
{
    struct metric_buckets b = {.edges = edges[m].at, .n_edges = edges[m].n};

    for (int i = 0; i < SHARDS; i++) {
        const struct histogram *h = &shards[i].histograms[m];

        b.sum += get(&h->sum);
        for (unsigned k = 0; k <= b.n_edges; k++)
            b.counts[k] += get(&h->fixed[k]);
    }
    return b;
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
    for (unsigned k = 0; k <= METRIC_EDGES; k++)
        atomic_store(&h->fixed[k], 0);
}

void metrics_reset(void)
{
    metric_families_reset();
    for (int i = 0; i < SHARDS; i++) {
        for (int k = 0; k < METRIC_COUNTER_COUNT; k++)
            atomic_store(&shards[i].counters[k], 0);
        for (int k = 0; k < METRIC_HISTOGRAM_COUNT; k++)
            reset_histogram(&shards[i].histograms[k]);
    }
    for (int k = 0; k < METRIC_GAUGE_COUNT; k++)
        atomic_store(&gauges[k], 0);
}
