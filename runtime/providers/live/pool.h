/* SPDX-License-Identifier: Apache-2.0 */
/* pool.h - what the legs need from their pool. Loop's thread only. */
#ifndef PROVIDERS_LIVE_POOL_H
#define PROVIDERS_LIVE_POOL_H

#include "io/ws.h"
#include "providers/live/live.h"

/* What GPT-Live is in observe/targets.h: not the Realtime API, which may work while this does not. */
#define LIVE_TARGET "openai-live"

struct live_link {
    struct provider_leg *prev, *next;
};

/* A leg as its pool sees it: session.c. */
struct live_link *live_leg_link(struct provider_leg *leg);
const void *live_leg_arg(const struct provider_leg *leg);
void live_leg_disown(struct provider_leg *leg); /* it ends, and tells nobody */
bool live_leg_is_forgotten(const struct provider_leg *leg);
void live_leg_orphan(struct provider_leg *leg); /* the pool is going */

void live_pool_join(struct live_pool *p, struct provider_leg *leg);
void live_pool_leave(struct live_pool *p, struct provider_leg *leg);

/* Starts a connection. Errors as ws_connect(). */
int live_pool_dial(struct ws **out, struct live_pool *p, unsigned timeout_ms,
                   const struct ws_handlers *handlers, void *arg);

const struct live_opts *live_pool_opts(const struct live_pool *p);
struct live_counts *live_pool_own_counts(struct live_pool *p);

#endif
