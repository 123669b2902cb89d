/* SPDX-License-Identifier: Apache-2.0 */
/* pool.h - what the legs need from their pool. Loop's thread only. */
#ifndef PROVIDERS_OPENAI_POOL_H
#define PROVIDERS_OPENAI_POOL_H

#include "io/ws.h"
#include "providers/openai/openai.h"
#include "providers/openai/verdict.h"

#include <stdbool.h>

/* Starts a connection. `model` NULL or empty: the pool's. Errors as ws_connect(). */
int pool_dial(struct ws **out, struct openai_pool *p, const char *model,
              const struct ws_handlers *handlers, void *arg);

/* A connection that has had session.created, now the caller's (ws_set_handlers); NULL when there is
 * none for this model. Its place is filled again. */
struct ws *pool_take(struct openai_pool *p, const char *model, uint64_t *expires_unix_s);

/* A leg became ready: whatever kept the pool from dialling is over. */
void pool_served(struct openai_pool *p);

/* What OpenAI is in observe/targets.h. */
#define POOL_TARGET "openai"

/* Why OpenAI was given up: the last failure, for a leg that is not dialled because of it. */
void pool_trouble_is(struct openai_pool *p, const struct verdict *v);
struct verdict pool_trouble(const struct openai_pool *p); /* p may be NULL */

/* Lets go of a connection: closes it, and nobody hears of it any more. */
void pool_forget(struct ws *w, bool politely);

/* Legs tell when they come and go, so that a pool may be freed before them. */
void pool_join(struct openai_pool *p, struct provider_leg *leg);
void pool_leave(struct openai_pool *p, struct provider_leg *leg);

const struct openai_opts *pool_opts(const struct openai_pool *p);
struct openai_counts *pool_counts(struct openai_pool *p);

#endif
