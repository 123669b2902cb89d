/* SPDX-License-Identifier: Apache-2.0 */
/* meters_kept.c - the sum of what calls cost, without adding up all of them each time.
 *
 *   started:  ... settled ...... | between `from` and `until` | since then, open for two hours
 *             in `sums`          | added to `sums` now        | counted anew each time
 *
 * A cost comes minutes after its call, and is corrected when the bill says otherwise; after two hours it
 * counts as it is. What is corrected later is in `ringdown cost` and not here: a counter that falls looks
 * like a restart.
 *
 * Calls from before this process began are not in it: the process before has counted them, and a counter
 * that began with them would count them twice. What those of them cost that were told later is in `ringdown cost`.
 *
 * Failure: the database is away or slow: the numbers stay, and it is asked again with the next look. */
#include "gateway/meters_kept.h"

#include "base/err.h"
#include "base/log.h"
#include "base/now.h"
#include "gateway/books.h"
#include "gateway/cost_sums.h"
#include "observe/catalogue.h"
#include "observe/metrics.h"
#include "store/asker.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define HOUR_US UINT64_C(3600000000)

enum { SETTLED_AFTER_H = 2, NUMBER = 24, ROWS = 4000 };

static const char sql[] =
    "select 'cost', coalesce(c.agent, ''), coalesce(c.system, 'fallback'),"
    " coalesce(sum(k.micro_usd) filter (where c.started_at < to_timestamp($3::bigint / "
    "1000000.0)), 0)"
    "::bigint,"
    " coalesce(sum(k.micro_usd) filter (where c.started_at >= to_timestamp($3::bigint / "
    "1000000.0)), 0)"
    "::bigint"
    " from calls c join call_costs k using (call)"
    " where c.node = $1 and c.started_at >= to_timestamp($2::bigint / 1000000.0)"
    " and k.micro_usd is not null group by 2, 3"
    " union all select 'node', x ->> 'state', '', count(*), 0"
    " from jsonb_array_elements(nodes_shown()) x group by 2";

struct meters_kept {
    struct node *node; /* borrows */
    atomic_bool asking;
    uint64_t from_us, until_us; /* of the question; by the calendar. Of whoever set `asking` */
    _Atomic uint64_t next_ms;   /* not before; several threads look */
    struct cost_sums costs;
};

int meters_kept_new(struct meters_kept **out, struct node *n)
{
    struct meters_kept *k = calloc(1, sizeof(*k));

    if (!k)
        return -ENOMEM;
    k->node = n;
    k->from_us = unix_us();
    *out = k;
    return 0;
}

void meters_kept_free(struct meters_kept *k)
{
    free(k);
}

static uint64_t number_of(struct rd_str cell)
{
    char text[NUMBER];

    return cell.p && rd_str_copy(text, sizeof(text), cell) && text[0] != '-'
               ? strtoull(text, NULL, 10)
               : 0;
}

static const char *state_of(struct rd_str state)
{
    return rd_str_eq(state, RD_STR("live"))       ? "serving"
           : rd_str_eq(state, RD_STR("draining")) ? "draining"
           : rd_str_eq(state, RD_STR("lost"))     ? "lost"
                                                  : NULL;
}

static void take_row(struct meters_kept *k, const struct answer *a, size_t *at)
{
    struct rd_str kind = answer_cell(a, at), first = answer_cell(a, at);
    struct rd_str second = answer_cell(a, at);
    uint64_t x = number_of(answer_cell(a, at)), y = number_of(answer_cell(a, at));

    if (rd_str_eq(kind, RD_STR("cost")))
        cost_sums_add(&k->costs, first, second, x, y);
    else if (state_of(first))
        metric_level(metric_slot(F_NODES, state_of(first), NULL, NULL), (int64_t)x);
}

/* A thread of the asker. */
static void on_answer(void *arg, struct answer *a)
{
    struct meters_kept *k = arg;
    struct node *n = k->node;
    size_t at = 0;

    if (a && a->rc == 0) {
        metric_levels_clear(F_NODES);
        cost_sums_begin(&k->costs);
        for (uint32_t i = 0; i < a->n_rows; i++)
            take_row(k, a, &at);
        cost_sums_show(&k->costs);
        k->from_us = k->until_us;
    } else if (a && a->rc == RD_EREFUSED) {
        log_warn("metrics.not_asked", F_STR("why", a->why),
                 F_FIX(catalogue_fix("metrics.", "not_asked")));
    }
    answer_free(a);
    atomic_store(&k->asking, false);
    atomic_fetch_sub(&n->adopting, 1);
}

void meters_kept_ask(struct meters_kept *k)
{
    struct node *n = k->node;
    char from[NUMBER], until[NUMBER];
    const char *params[] = {n->name, from, until};
    struct question q = {
        .sql = sql, .params = params, .n_params = 3, .rows_max = ROWS, .done = on_answer, .arg = k};
    uint64_t settled_us = unix_us() - SETTLED_AFTER_H * HOUR_US, now_ms = monotonic_ms();

    if (!n->books || now_ms < atomic_load(&k->next_ms) || atomic_exchange(&k->asking, true))
        return;
    atomic_store(&k->next_ms, now_ms + METERS_KEPT_MS);
    k->until_us = settled_us > k->from_us ? settled_us : k->from_us;
    (void)snprintf(from, sizeof(from), "%" PRIu64, k->from_us);
    (void)snprintf(until, sizeof(until), "%" PRIu64, k->until_us);
    atomic_fetch_add(&n->adopting, 1);
    if (asker_ask(books_asker(n->books), &q)) {
        atomic_store(&k->asking, false);
        atomic_fetch_sub(&n->adopting, 1);
    }
}
