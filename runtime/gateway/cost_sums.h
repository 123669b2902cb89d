/* SPDX-License-Identifier: Apache-2.0 */
/* cost_sums.h - what calls cost, agent by agent, from answers of the database to the counter that shows it.
 *
 *   cost_sums_begin() ─ cost_sums_add() for each row ─ cost_sums_show(): the counters grow by what is new
 *
 * Not thread-safe: whoever has the answer has these. */
#ifndef GATEWAY_COST_SUMS_H
#define GATEWAY_COST_SUMS_H

#include "base/str.h"
#include "observe/families.h"

#include <stddef.h>
#include <stdint.h>

/* Agents that find no place share one for each system, whose label is "other": no money is left out. */
enum { COST_OTHERS = 4, COST_SUMS = 3 * METRIC_AGENTS_MAX + COST_OTHERS, COST_SYSTEM = 16 };

struct cost_sums {
    struct cost_sum {
        char agent[METRIC_VALUE], system[COST_SYSTEM];
        uint64_t settled, open, shown; /* micro-dollars; settled: for good, open: in this answer */
    } sums[COST_SUMS];
    size_t n;
};

void cost_sums_begin(struct cost_sums *c);

/* `settled` comes once, `open` in each answer until it settles. */
void cost_sums_add(struct cost_sums *c, struct rd_str agent, struct rd_str system, uint64_t settled,
                   uint64_t open);

/* Never less than before: a counter that falls would look like a restart. */
void cost_sums_show(struct cost_sums *c);

#endif
