/* SPDX-License-Identifier: Apache-2.0 */
/* families.c - the places of labelled numbers.
 *
 *   metric_slot(F_TURN_MS, "plumber", "openai") ─▶ series ─▶ cells: one per bucket, then the sum
 *   metric_measure(slot, 640)                   ─▶ shard of this thread: cell + bucket, cell + sum
 *
 * Series are made when they are first asked for and stay: a number that vanished would look like a
 * restart. They are found by a small hash table behind a lock that nobody holds for longer than one look.
 * A chain per family leads through them; it grows at its head, so that a reader needs no lock.
 *
 * Failure modes
 *   - a value that nobody announced: counted as "other"
 *   - no room for another series (CELLS, SERIES): counted in the family's series whose labels are all
 *     "other", which is made at the start and always there */
#include "observe/families.h"

#include "base/str.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

enum { CELLS = 32768, SERIES = 8192, HASH = 2 * SERIES, TRASH = METRIC_EDGES + 2, OTHER = 0 };

#define EDGES(...)                            \
    .edges = (const uint64_t[]){__VA_ARGS__}, \
    .n_edges = sizeof((const uint64_t[]){__VA_ARGS__}) / sizeof(uint64_t)

#define LATENCY_MS \
    EDGES(200, 300, 400, 500, 650, 800, 1000, 1250, 1500, 2000, 2500, 3000, 5000, 10000)

static const struct metric_family_info families[METRIC_FAMILY_COUNT] = {
    [F_CALLS] = {.labels = {LABEL_AGENT, LABEL_SYSTEM, LABEL_OUTCOME}},
    [F_ACTIVE] = {.labels = {LABEL_AGENT, LABEL_SYSTEM}},
    [F_DURATION_MS] = {.labels = {LABEL_SYSTEM},
                       EDGES(5000, 15000, 30000, 60000, 120000, 300000, 600000, 1200000, 1800000,
                             3600000)},
    [F_FIRST_AUDIO_MS] = {.labels = {LABEL_AGENT, LABEL_SYSTEM}, LATENCY_MS},
    [F_TURN_MS] = {.labels = {LABEL_AGENT, LABEL_SYSTEM}, LATENCY_MS},
    [F_TOOL_CALLS] = {.labels = {LABEL_TOOL, LABEL_RESULT}},
    [F_TOOL_MS] = {.labels = {LABEL_TOOL}, EDGES(50, 100, 250, 500, 1000, 2000, 4000, 8000, 20000)},
    [F_PROVIDER_ERRORS] = {.labels = {LABEL_SYSTEM, LABEL_CLASS}},
    [F_TEXTS] = {.labels = {LABEL_DIRECTION, LABEL_STATUS}},
    [F_COST_MICRO_USD] = {.labels = {LABEL_AGENT, LABEL_SYSTEM}},
    [F_BUDGETS] = {.labels = {LABEL_AGENT, LABEL_BUDGET}},
    [F_MAILBOX] = {.labels = {LABEL_MAILBOX}},
    [F_NODES] = {.labels = {LABEL_NODES}},
};

/* NULL-terminated: what may stand there. NULL: what metric_label() was told. */
static const struct {
    const char *name;
    const char *const *values;
} labels[LABEL_COUNT] = {
    [LABEL_AGENT] = {"agent", NULL},
    [LABEL_TOOL] = {"tool", NULL},
    [LABEL_SYSTEM] = {"system", (const char *const[]){"openai", "vapi", "fallback", NULL}},
    [LABEL_OUTCOME] = {"outcome",
                       (const char *const[]){"caller_hangup", "agent_hangup", "silence",
                                             "max_duration", "provider_failed", "carrier_lost",
                                             "script_failed", "refused", "shutdown", "operator",
                                             "transferred", "node_drained", "fallback", "busy",
                                             "sent", NULL}},
    [LABEL_RESULT] = {"result", (const char *const[]){"ok", "no", "failed", "late", NULL}},
    [LABEL_CLASS] = {"class", (const char *const[]){"rate_limit", "quota", "credentials", "request",
                                                    "server", "connection", "late", NULL}},
    [LABEL_DIRECTION] = {"direction", (const char *const[]){"in", "out", NULL}},
    [LABEL_STATUS] = {"status", (const char *const[]){"received", "scheduled", "queued", "sending",
                                                      "sent", "delivered", "undelivered", "failed",
                                                      "canceled", NULL}},
    [LABEL_BUDGET] = {"budget", (const char *const[]){"memory", "time", "instructions", NULL}},
    [LABEL_MAILBOX] = {"mailbox", (const char *const[]){"media", "script", "control", NULL}},
    [LABEL_NODES] = {"state", (const char *const[]){"serving", "draining", "lost", NULL}},
};

struct series {
    uint16_t family;
    uint16_t ids[METRIC_LABELS];
    uint32_t cell;
    uint32_t next; /* of its family, index + 1; 0: the last */
};

struct names {
    unsigned n, max;
    char text[METRIC_AGENTS_MAX][METRIC_VALUE];
};

static _Alignas(64) _Atomic uint64_t cells[METRIC_SHARDS][CELLS];

static struct {
    pthread_mutex_t lock;
    struct names agents, tools;
    struct series series[SERIES];
    unsigned n_series;
    uint16_t found[HASH]; /* index + 1 */
    uint32_t n_cells;
    _Atomic uint32_t heads[METRIC_FAMILY_COUNT];
    _Atomic uint64_t refused;
} all = {.lock = PTHREAD_MUTEX_INITIALIZER,
         .agents.max = METRIC_AGENTS,
         .tools.max = METRIC_TOOLS,
         .n_cells = TRASH};

static _Atomic unsigned next_shard;
static pthread_once_t made = PTHREAD_ONCE_INIT;

unsigned metric_shard(void)
{
    static _Thread_local unsigned mine; /* + 1 */

    if (!mine)
        mine = atomic_fetch_add_explicit(&next_shard, 1, memory_order_relaxed) % METRIC_SHARDS + 1;
    return mine - 1;
}

/* --- labels --- */

const char *metric_label_name(enum metric_label l)
{
    return labels[l].name;
}

static struct names *names_of(enum metric_label l)
{
    return l == LABEL_AGENT ? &all.agents : l == LABEL_TOOL ? &all.tools : NULL;
}

static bool is_value(const char *known, const char *value)
{
    return strncmp(known, value, METRIC_VALUE - 1) == 0;
}

/* With the lock held. OTHER: it is none of those that are told apart. */
static uint16_t id_of(enum metric_label l, const char *value)
{
    const struct names *n = names_of(l);
    const char *const *v = labels[l].values;

    if (!value)
        return OTHER;
    for (uint16_t i = 0; n && i < n->n; i++)
        if (is_value(n->text[i], value))
            return i + 1;
    for (uint16_t i = 0; v && v[i]; i++)
        if (strcmp(v[i], value) == 0)
            return i + 1;
    return OTHER;
}

static const char *value_of(enum metric_label l, uint16_t id)
{
    const struct names *n = names_of(l);

    if (id == OTHER)
        return "other";
    return n ? n->text[id - 1] : labels[l].values[id - 1];
}

/* --- series --- */

static unsigned cells_of(enum metric_family f)
{
    return families[f].edges ? families[f].n_edges + 2 : 1;
}

static unsigned place_of(const struct series *s)
{
    uint64_t h = s->family;

    for (int i = 0; i < METRIC_LABELS; i++)
        h = (h ^ s->ids[i]) * UINT64_C(0x9e3779b97f4a7c15) >> 7;
    return (unsigned)(h % HASH);
}

static bool is_same(const struct series *a, const struct series *b)
{
    return a->family == b->family && memcmp(a->ids, b->ids, sizeof(a->ids)) == 0;
}

/* With the lock held; NULL: there is none, and *free_place is where it would be. */
static const struct series *find(const struct series *wanted, unsigned *free_place)
{
    unsigned i = place_of(wanted);

    while (all.found[i] && !is_same(&all.series[all.found[i] - 1], wanted))
        i = (i + 1) % HASH;
    *free_place = i;
    return all.found[i] ? &all.series[all.found[i] - 1] : NULL;
}

/* With the lock held. NULL: no room. */
static const struct series *find_or_make(struct series wanted)
{
    unsigned place, n = cells_of((enum metric_family)wanted.family);
    const struct series *s = find(&wanted, &place);

    if (s)
        return s;
    if (all.n_series == SERIES || all.n_cells + n > CELLS)
        return NULL;
    wanted.cell = all.n_cells;
    wanted.next = atomic_load_explicit(&all.heads[wanted.family], memory_order_relaxed);
    all.n_cells += n;
    all.series[all.n_series++] = wanted;
    all.found[place] = (uint16_t)all.n_series;
    atomic_store_explicit(&all.heads[wanted.family], all.n_series, memory_order_release);
    return &all.series[all.n_series - 1];
}

/* With the lock held or before there are threads. */
static void make(enum metric_family f, const char *a, const char *b)
{
    const enum metric_label *l = families[f].labels;

    (void)find_or_make(
        (struct series){.family = (uint16_t)f, .ids = {id_of(l[0], a), id_of(l[1], b)}});
}

static void make_each(enum metric_family f, const char *first, enum metric_label second)
{
    for (const char *const *v = labels[second].values; *v; v++)
        make(f, first, *v);
}

/* What there may be is there from the start, at 0; and of each family the series for all that finds no
 * room. */
static void make_known(void)
{
    for (int f = F_NONE + 1; f < METRIC_FAMILY_COUNT; f++) {
        enum metric_label only = families[f].labels[1] ? LABEL_NONE : families[f].labels[0];

        (void)find_or_make((struct series){.family = (uint16_t)f});
        for (const char *const *v = labels[only].values; v && *v; v++)
            make((enum metric_family)f, *v, NULL);
    }
    make_each(F_PROVIDER_ERRORS, "openai", LABEL_CLASS);
    make_each(F_PROVIDER_ERRORS, "vapi", LABEL_CLASS);
    make(F_TEXTS, "in", "received");
    for (const char *const *v = labels[LABEL_STATUS].values + 1; *v; v++)
        make(F_TEXTS, "out", *v);
}

struct metric_slot metric_slot(enum metric_family f, const char *a, const char *b, const char *c)
{
    const enum metric_label *l = families[f].labels;
    const char *values[METRIC_LABELS] = {a, b, c};
    struct series wanted = {.family = (uint16_t)f};
    const struct series *s;
    unsigned place;

    (void)pthread_once(&made, make_known);
    pthread_mutex_lock(&all.lock);
    for (int i = 0; i < METRIC_LABELS && l[i]; i++)
        wanted.ids[i] = id_of(l[i], values[i]);
    s = find_or_make(wanted);
    if (!s)
        s = find(&(struct series){.family = (uint16_t)f}, &place);
    pthread_mutex_unlock(&all.lock);
    return s ? (struct metric_slot){s->cell, s->family} : (struct metric_slot){0, F_NONE};
}

/* What goes wrong is at 0 before it goes wrong the first time, or nobody sees the first time. */
static void prepare_agent(const char *agent)
{
    static const char *const bad[] = {"provider_failed", "script_failed", "carrier_lost",
                                      "fallback"};

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        (void)metric_slot(F_CALLS, agent, i < 3 ? "openai" : "fallback", bad[i]);
    (void)metric_slot(F_CALLS, agent, "openai", "caller_hangup");
    (void)metric_slot(F_ACTIVE, agent, "openai", NULL);
    for (const char *const *v = labels[LABEL_BUDGET].values; *v; v++)
        (void)metric_slot(F_BUDGETS, agent, *v, NULL);
}

static void prepare_tool(const char *tool)
{
    for (const char *const *v = labels[LABEL_RESULT].values; *v; v++)
        (void)metric_slot(F_TOOL_CALLS, tool, *v, NULL);
}

bool metric_label(enum metric_label l, const char *value)
{
    struct names *n = names_of(l);
    bool known, fits = true;

    if (!n || !value || !*value)
        return false;
    pthread_mutex_lock(&all.lock);
    known = id_of(l, value) != OTHER;
    if (!known && n->n < n->max)
        (void)rd_str_copy(n->text[n->n++], METRIC_VALUE, rd_str(value));
    else
        fits = known;
    pthread_mutex_unlock(&all.lock);
    if (!fits)
        atomic_fetch_add_explicit(&all.refused, 1, memory_order_relaxed);
    else if (!known && l == LABEL_AGENT)
        prepare_agent(value);
    else if (!known)
        prepare_tool(value);
    return fits;
}

void metric_agents_max(unsigned n)
{
    pthread_mutex_lock(&all.lock);
    if (n > 0)
        all.agents.max = n < METRIC_AGENTS_MAX ? n : METRIC_AGENTS_MAX;
    pthread_mutex_unlock(&all.lock);
}

uint64_t metric_labels_refused(void)
{
    return atomic_load_explicit(&all.refused, memory_order_relaxed);
}

/* --- counting --- */

static void add(uint32_t cell, uint64_t n)
{
    atomic_fetch_add_explicit(&cells[metric_shard()][cell], n, memory_order_relaxed);
}

void metric_count(struct metric_slot s, uint64_t n)
{
    add(s.cell, n);
}

void metric_measure(struct metric_slot s, uint64_t value)
{
    const struct metric_family_info *f = &families[s.family];
    unsigned i = 0;

    while (i < f->n_edges && value > f->edges[i])
        i++;
    add(s.cell + i, 1);
    add(s.cell + f->n_edges + 1, value);
}

/* A level is the sum of its shards: this one's is what the others' leave. */
void metric_level(struct metric_slot s, int64_t value)
{
    for (int i = 1; i < METRIC_SHARDS; i++)
        atomic_store_explicit(&cells[i][s.cell], 0, memory_order_relaxed);
    atomic_store_explicit(&cells[0][s.cell], (uint64_t)value, memory_order_relaxed);
}

void metric_level_add(struct metric_slot s, int64_t delta)
{
    add(s.cell, (uint64_t)delta);
}

void metric_levels_clear(enum metric_family f)
{
    uint32_t i = atomic_load_explicit(&all.heads[f], memory_order_acquire);

    for (; i; i = all.series[i - 1].next)
        metric_level((struct metric_slot){all.series[i - 1].cell, (uint16_t)f}, 0);
}

/* --- showing --- */

const struct metric_family_info *metric_family_info(enum metric_family f)
{
    return &families[f];
}

static uint64_t read_cell(uint32_t cell)
{
    uint64_t sum = 0;

    for (int i = 0; i < METRIC_SHARDS; i++)
        sum += atomic_load_explicit(&cells[i][cell], memory_order_relaxed);
    return sum;
}

static void read_series(const struct series *s, struct metric_series *out)
{
    const struct metric_family_info *f = &families[s->family];

    *out = (struct metric_series){.value = 0};
    for (int i = 0; i < METRIC_LABELS && f->labels[i]; i++)
        out->values[i] = value_of(f->labels[i], s->ids[i]);
    if (!f->edges) {
        out->value = read_cell(s->cell);
        return;
    }
    for (unsigned i = 0; i <= f->n_edges; i++)
        out->buckets[i] = read_cell(s->cell + i);
    out->sum = read_cell(s->cell + f->n_edges + 1);
}

/* That of the nameless only once it has something. */
static bool is_worth_showing(const struct series *s, const struct metric_series *now)
{
    bool something = now->value != 0;

    for (unsigned i = 0; i <= METRIC_EDGES; i++)
        something = something || now->buckets[i] != 0;
    for (int i = 0; i < METRIC_LABELS; i++)
        something = something || s->ids[i] != OTHER;
    return something;
}

int metric_each(enum metric_family f, int (*fn)(void *arg, const struct metric_series *s),
                void *arg)
{
    struct metric_series out;
    uint32_t i;
    int rc = 0;

    (void)pthread_once(&made, make_known);
    i = atomic_load_explicit(&all.heads[f], memory_order_acquire);
    for (; i && !rc; i = all.series[i - 1].next) {
        read_series(&all.series[i - 1], &out);
        if (is_worth_showing(&all.series[i - 1], &out))
            rc = fn(arg, &out);
    }
    return rc;
}

void metric_families_reset(void)
{
    for (int i = 0; i < METRIC_SHARDS; i++)
        for (int k = 0; k < CELLS; k++)
            atomic_store_explicit(&cells[i][k], 0, memory_order_relaxed);
    atomic_store(&all.refused, 0);
}
