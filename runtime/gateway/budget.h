/* SPDX-License-Identifier: Apache-2.0 */
/* budget.h - which agents may cost no more today, and which calls no more at all, as the leader found
 * (scripts/ringdown/stats/budgets.lua). Answers at once from memory; follows within a second. */
#ifndef GATEWAY_BUDGET_H
#define GATEWAY_BUDGET_H

#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

struct asker;
struct budget;

struct budget_opts {
    struct asker *asker; /* borrows; hushed before budget_stop() */
    const char *data;    /* the data folder */
    const char *secret;  /* seals the copy there */

    /* This call has cost what it may: it is told so again and again until it ends. The follower's thread. */
    void (*spent)(void *arg, const char *call_sid);
    void *arg;
};

int budget_start(struct budget **out, const struct budget_opts *o);
void budget_stop(struct budget *b); /* NULL is fine */

/* Its own cap, or that of all together, is reached, and the day is not over. NULL: no caps. Any thread. */
bool budget_is_spent(struct budget *b, struct rd_str agent, uint64_t now_unix_s);

#endif
