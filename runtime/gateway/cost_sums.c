/* SPDX-License-Identifier: Apache-2.0 */
/* cost_sums.c - a table that grows until it is full, and its last places for all others.
 *
 * Failure: a fifth system beside those that there are is counted with the last one's. */
#include "gateway/cost_sums.h"

#include "observe/metrics.h"

static const char other[] = "other";

static struct cost_sum *find(struct cost_sums *c, struct rd_str agent, struct rd_str system)
{
    for (size_t i = 0; i < c->n; i++)
        if (rd_str_eq(rd_str(c->sums[i].agent), agent) &&
            rd_str_eq(rd_str(c->sums[i].system), system))
            return &c->sums[i];
    return NULL;
}

static struct cost_sum *make(struct cost_sums *c, struct rd_str agent, struct rd_str system)
{
    struct cost_sum *s = &c->sums[c->n++];

    (void)rd_str_copy(s->agent, sizeof(s->agent), agent);
    (void)rd_str_copy(s->system, sizeof(s->system), system);
    return s;
}

/* The last places are those of the others: there is always one. */
static struct cost_sum *sum_of(struct cost_sums *c, struct rd_str agent, struct rd_str system)
{
    struct cost_sum *s = find(c, agent, system);

    if (s)
        return s;
    if (c->n < COST_SUMS - COST_OTHERS)
        return make(c, agent, system);
    s = find(c, rd_str(other), system);
    if (s)
        return s;
    return c->n < COST_SUMS ? make(c, rd_str(other), system) : &c->sums[COST_SUMS - 1];
}

void cost_sums_begin(struct cost_sums *c)
{
    for (size_t i = 0; i < c->n; i++)
        c->sums[i].open = 0;
}

void cost_sums_add(struct cost_sums *c, struct rd_str agent, struct rd_str system, uint64_t settled,
                   uint64_t open)
{
    struct cost_sum *s = sum_of(c, agent, system);

    s->settled += settled;
    s->open += open;
}

/* Two agents that are "other" to the metrics share a series, so what is new is added and nothing is set. */
void cost_sums_show(struct cost_sums *c)
{
    for (size_t i = 0; i < c->n; i++) {
        struct cost_sum *s = &c->sums[i];
        uint64_t now = s->settled + s->open;

        if (now <= s->shown)
            continue;
        metric_count(metric_slot(F_COST_MICRO_USD, s->agent, s->system, NULL), now - s->shown);
        s->shown = now;
    }
}
