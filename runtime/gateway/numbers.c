/* SPDX-License-Identifier: Apache-2.0 */
/* numbers.c - numbers and sites, as gateway/follower.c has them.
 *
 * Numbers that Vapi answers too come with an empty agent: nobody assigned those, so an agent's own
 * `numbers` go before them. */
#include "gateway/numbers.h"

#include "gateway/follower.h"
#include "gateway/numbers_copy.h"

#include <errno.h>
#include <stdlib.h>

enum { EVERY_MS = 3000, BYTES_MAX = 40 << 20 };

static const char version_sql[] = "select version from numbers_version";

static const char all_sql[] =
    "with v as (select version::text from numbers_version), "
    "s as (select distinct on (s.agent, s.site) s.site as key, s.agent, site_facts(s)::text as "
    "value from sites s join phone_numbers p using (agent, site)), "
    "n as (select number::text as key, agent, site::text as value from phone_numbers union all "
    "select number::text, '', null from numbers_at_vapi where number not in "
    "(select number from phone_numbers)) "
    "select version, kind, key, agent, value from v left join ("
    "select 1 as rank, 's' as kind, key, agent, value from s union all "
    "select 2, 'n', key, agent, value from n) rows on true order by rank, key";

struct numbers {
    struct follower *follower; /* owns */
};

bool numbers_find(struct numbers *n, struct rd_str number, struct numbers_hit *out)
{
    struct numbers_copy *c = n ? (struct numbers_copy *)follower_copy(n->follower) : NULL;

    if (!c || !numbers_copy_find(c, number, &out->agent, &out->site)) {
        numbers_copy_unref(c);
        return false;
    }
    out->copy = c;
    return true;
}

void numbers_let_go(struct numbers_hit *hit)
{
    numbers_copy_unref(hit->copy);
    hit->copy = NULL;
}

uint64_t numbers_refresh(struct numbers *n)
{
    return n ? follower_refresh(n->follower) : 0;
}

static int make(struct followed **out, struct answer *a)
{
    return numbers_copy_new((struct numbers_copy **)out, a);
}

int numbers_start(struct numbers **out, const struct numbers_opts *o)
{
    struct follower_opts f = {.name = "numbers",
                              .magic = NUMBERS_MAGIC,
                              .version = version_sql,
                              .all = all_sql,
                              .n_columns = NUMBERS_COLUMNS,
                              .rows_max = 2 * NUMBERS_MAX + NUMBERS_SITES_MAX + 1,
                              .bytes_max = BYTES_MAX,
                              .every_ms = o->every_ms ? o->every_ms : EVERY_MS,
                              .make = make,
                              .asker = o->asker,
                              .data = o->data,
                              .secret = o->secret};
    struct numbers *n = calloc(1, sizeof(*n));
    int rc = n ? follower_start(&n->follower, &f) : -ENOMEM;

    if (rc)
        free(n);
    else
        *out = n;
    return rc;
}

void numbers_stop(struct numbers *n)
{
    if (!n)
        return;
    follower_stop(n->follower);
    free(n);
}
