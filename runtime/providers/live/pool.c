/* SPDX-License-Identifier: Apache-2.0 */
/* pool.c - the legs of one media thread. No connection is kept warm: a session is billed by the second,
 * whether somebody speaks or not. */
#include "providers/live/pool.h"

#include "base/err.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OUTPUT_BYTES = 1 << 20, MESSAGE_MAX = 1 << 20 };

struct live_pool {
    struct live_opts o; /* borrows the strings in it */
    struct provider_leg *legs;
    struct live_counts counts;
};

int live_pool_new(struct live_pool **out, const struct live_opts *o)
{
    struct live_pool *p = calloc(1, sizeof(*p));

    if (!p)
        return -ENOMEM;
    p->o = *o;
    *out = p;
    return 0;
}

void live_pool_free(struct live_pool *p)
{
    if (!p)
        return;
    while (p->legs) {
        struct provider_leg *leg = p->legs;

        live_pool_leave(p, leg);
        live_leg_orphan(leg);
    }
    free(p);
}

int live_pool_dial(struct ws **out, struct live_pool *p, unsigned timeout_ms,
                   const struct ws_handlers *handlers, void *arg)
{
    const char *header[] = {NULL, NULL};
    char *bearer = NULL;
    struct ws_connect_opts o = {
        .loop = p->o.loop,
        .url = p->o.url,
        .header = header,
        .tls = p->o.tls,
        .timeout_ms = timeout_ms,
        .max_output = OUTPUT_BYTES,
        .max_message = MESSAGE_MAX,
        .handlers = handlers,
        .arg = arg,
    };
    int rc;

    if (asprintf(&bearer, "Authorization: Bearer %s", p->o.key) < 0)
        return -ENOMEM;
    header[0] = bearer;
    rc = ws_connect(out, &o);
    if (!rc)
        p->counts.dialled++;
    explicit_bzero(bearer, strlen(bearer));
    free(bearer);
    return rc;
}

void live_pool_join(struct live_pool *p, struct provider_leg *leg)
{
    struct live_link *l = live_leg_link(leg);

    l->prev = NULL;
    l->next = p->legs;
    if (p->legs)
        live_leg_link(p->legs)->prev = leg;
    p->legs = leg;
}

void live_pool_leave(struct live_pool *p, struct provider_leg *leg)
{
    struct live_link *l = live_leg_link(leg);

    if (l->prev)
        live_leg_link(l->prev)->next = l->next;
    else
        p->legs = l->next;
    if (l->next)
        live_leg_link(l->next)->prev = l->prev;
}

unsigned live_pool_disown(struct live_pool *p, live_known_fn *is_known, void *arg)
{
    unsigned n = 0;

    for (struct provider_leg *leg = p->legs; leg; leg = live_leg_link(leg)->next) {
        if (live_leg_is_forgotten(leg) || is_known(arg, live_leg_arg(leg)))
            continue;
        live_leg_disown(leg); /* it leaves the list from the loop, not from here */
        n++;
    }
    return n;
}

unsigned live_pool_legs(const struct live_pool *p)
{
    unsigned n = 0;

    for (struct provider_leg *leg = p->legs; leg; leg = live_leg_link(leg)->next)
        n++;
    return n;
}

const struct live_opts *live_pool_opts(const struct live_pool *p)
{
    return &p->o;
}

struct live_counts *live_pool_own_counts(struct live_pool *p)
{
    return &p->counts;
}

struct live_counts live_pool_counts(const struct live_pool *p)
{
    return p->counts;
}
