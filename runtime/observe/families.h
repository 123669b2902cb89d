/* SPDX-License-Identifier: Apache-2.0 */
/* families.h - numbers that are told apart by labels: by agent, by system, by tool.
 *
 * Whoever counts finds the place of his number once, when a call begins (`metric_slot()`, a short lock,
 * no allocation), and from then on adds to it: one relaxed atomic add in the thread's own shard, two for
 * a histogram. What may stand in a label is known before: closed lists here, and the names of the loaded
 * agents and of their tools (`metric_label()`). Everything else is counted as "other", so that neither a
 * caller nor a model nor a peer can make a new series. Never a call, a number, an address, words.
 *
 * Histograms have fixed edges (units of the number itself); their count is the sum of their buckets, so
 * the two cannot differ. Any thread. */
#ifndef OBSERVE_FAMILIES_H
#define OBSERVE_FAMILIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    METRIC_LABELS = 3,
    METRIC_EDGES = 15,
    METRIC_AGENTS = 64,      /* told apart unless metric_agents_max() says otherwise */
    METRIC_AGENTS_MAX = 500, /* and the most that it may say */
    METRIC_TOOLS = 250,
    METRIC_VALUE = 65 /* of a label, with its end */
};

enum metric_label {
    LABEL_NONE,
    LABEL_AGENT, /* open: those that were loaded */
    LABEL_TOOL,  /* open: those of the agents that were loaded */
    LABEL_SYSTEM,
    LABEL_OUTCOME,
    LABEL_RESULT,
    LABEL_CLASS,
    LABEL_DIRECTION,
    LABEL_STATUS,
    LABEL_BUDGET,
    LABEL_MAILBOX,
    LABEL_NODES,
    LABEL_COUNT
};

enum metric_family {
    F_NONE,
    F_CALLS,           /* agent, system, outcome */
    F_ACTIVE,          /* agent, system; level */
    F_DURATION_MS,     /* system; histogram */
    F_FIRST_AUDIO_MS,  /* agent, system; histogram */
    F_TURN_MS,         /* agent, system; histogram */
    F_TOOL_CALLS,      /* tool, result */
    F_TOOL_MS,         /* tool; histogram */
    F_PROVIDER_ERRORS, /* system, class */
    F_TEXTS,           /* direction, status */
    F_COST_MICRO_USD,  /* agent, system */
    F_BUDGETS,         /* agent, budget */
    F_MAILBOX,         /* mailbox; level */
    F_NODES,           /* state; level */
    METRIC_FAMILY_COUNT
};

struct metric_slot {
    uint32_t cell;
    uint16_t family; /* F_NONE, as in a zeroed one: counting there is harmless and seen by nobody */
};

/* The place of the number with these labels, in the order above; NULL for those it has not. */
struct metric_slot metric_slot(enum metric_family f, const char *a, const char *b, const char *c);

void metric_count(struct metric_slot s, uint64_t n);
void metric_measure(struct metric_slot s, uint64_t value); /* histograms */
void metric_level(struct metric_slot s, int64_t value);    /* levels; whoever is last is right */
void metric_level_add(struct metric_slot s, int64_t delta);
void metric_levels_clear(enum metric_family f); /* all of the family's to 0 */

/* Now an agent or a tool of this name may be told apart. False: there are too many, it is "other". */
bool metric_label(enum metric_label l, const char *value);

/* How many agents; before the first. 0: as before. */
void metric_agents_max(unsigned n);

/* --- for those who show them --- */

const char *metric_label_name(enum metric_label l);

struct metric_family_info {
    const uint64_t *edges; /* NULL: no histogram */
    unsigned n_edges;
    enum metric_label labels[METRIC_LABELS];
};
const struct metric_family_info *metric_family_info(enum metric_family f);

struct metric_series {
    const char *values[METRIC_LABELS]; /* NULL from the first that it has not */
    uint64_t value;                    /* a level: as int64_t */
    uint64_t buckets[METRIC_EDGES + 1], sum;
};

/* Calls `fn` for each series of a family; stops at and returns what it returns when that is not 0. */
int metric_each(enum metric_family f, int (*fn)(void *arg, const struct metric_series *s),
                void *arg);

/* Values that found no room. */
uint64_t metric_labels_refused(void);

/* Numbers back to 0, names stay; for tests (metrics_reset() does it too). */
void metric_families_reset(void);

/* The calling thread's shard. */
enum { METRIC_SHARDS = 8 };
unsigned metric_shard(void);

#endif
