/* SPDX-License-Identifier: Apache-2.0 */
/* budget.c - budgets, as gateway/follower.c has them.
 *
 * Failure modes: the database away: what was known last holds, at the longest until that agent's day
 * is over; nobody learns of money that is spent meanwhile, and calls are taken. No leader: the same. */
#include "gateway/budget.h"

#include "gateway/budget_copy.h"
#include "gateway/directory.h"

#include <errno.h>
#include <stdlib.h>

enum { EVERY_MS = 1000, ROWS_MAX = 20000, BYTES_MAX = 4 << 20 };

static const char version_sql[] = "select version from budget_version";

static const char all_sql[] =
    "with v as (select version::text from budget_version), rows as ("
    "select 'a' as kind, agent::text as key, extract(epoch from until)::bigint::text as until "
    "from budget_states where state = 'over' union all "
    "select 'c', call, null from budget_calls) "
    "select version, kind, key, until from v left join rows on true";

struct budget {
    struct budget_opts o;
    struct follower *follower; /* owns */
};

/* The follower's thread. */
static void on_turn(void *arg)
{
    struct budget *b = arg;
    struct followed *f = b->follower ? follower_copy(b->follower) : NULL;
    char sid[DIRECTORY_SID];

    for (size_t i = 0; i < budget_copy_calls(f); i++)
        if (rd_str_copy(sid, sizeof(sid), budget_copy_call(f, i)))
            b->o.spent(b->o.arg, sid);
    followed_unref(f);
}

bool budget_is_spent(struct budget *b, struct rd_str agent, uint64_t now_unix_s)
{
    struct followed *f = b ? follower_copy(b->follower) : NULL;
    bool spent = budget_copy_is_spent(f, agent, now_unix_s);

    followed_unref(f);
    return spent;
}

int budget_start(struct budget **out, const struct budget_opts *o)
{
    struct follower_opts f = {.name = "budget",
                              .magic = BUDGET_MAGIC,
                              .version = version_sql,
                              .all = all_sql,
                              .n_columns = BUDGET_COLUMNS,
                              .rows_max = ROWS_MAX,
                              .bytes_max = BYTES_MAX,
                              .every_ms = EVERY_MS,
                              .make = budget_copy_new,
                              .turn = on_turn,
                              .asker = o->asker,
                              .data = o->data,
                              .secret = o->secret};
    struct budget *b = calloc(1, sizeof(*b));
    int rc;

    if (!b)
        return -ENOMEM;
    b->o = *o;
    f.arg = b;
    rc = follower_start(&b->follower, &f);
    if (rc)
        free(b);
    else
        *out = b;
    return rc;
}

void budget_stop(struct budget *b)
{
    if (!b)
        return;
    follower_stop(b->follower);
    free(b);
}
