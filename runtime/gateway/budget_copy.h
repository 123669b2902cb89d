/* SPDX-License-Identifier: Apache-2.0 */
/* budget_copy.h - what the database said about budgets, for gateway/budget.c. */
#ifndef GATEWAY_BUDGET_COPY_H
#define GATEWAY_BUDGET_COPY_H

#include "gateway/follower.h"

#define BUDGET_MAGIC "ringdown budgets 1"
enum { BUDGET_COLUMNS = 4 }; /* version, kind ('a' agent, 'c' call), its name, unix seconds until */

int budget_copy_new(struct followed **out, struct answer *a); /* as follower_opts.make */

/* NULL: nothing is known. */
bool budget_copy_is_spent(const struct followed *f, struct rd_str agent, uint64_t now_unix_s);
size_t budget_copy_calls(const struct followed *f);
struct rd_str budget_copy_call(const struct followed *f, size_t i);

#endif
