/* SPDX-License-Identifier: Apache-2.0 */
/* live.h - the provider leg over GPT-Live (experimental): a model that hears and speaks at the same
 * time, billed by the second. Spans are µ-law both ways. Loop's thread only; one pool per media thread.
 *
 * What it cannot: forget words, stop a sentence, tell who speaks, promise exact words. docs/gpt-live.md
 * has what is known of it, and from where. */
#ifndef PROVIDERS_LIVE_LIVE_H
#define PROVIDERS_LIVE_LIVE_H

#include "io/loop.h"
#include "io/tls.h"
#include "ports/brief.h"
#include "ports/provider.h"

#include <stdint.h>

extern const struct provider_ops live_provider;

struct live_opts {
    struct loop *loop;
    struct tls_client *tls;
    const char *url, *key; /* borrows; live as long as the pool */
    unsigned timeout_ms;   /* from live_open() to on_ready; 0: 4000. Then LEG_LOST */
};

struct live_counts {
    uint64_t dialled, unknown_events, bad_frames, errors;
    uint64_t dropped_bytes; /* of agent audio: silence between sentences, and what was cancelled */
};

struct live_pool;

int live_pool_new(struct live_pool **out, const struct live_opts *o); /* -ENOMEM */
void live_pool_free(struct live_pool *p);                             /* legs live on without it */

/* What a leg is opened for. */
struct live_session {
    const struct brief *brief; /* used during the call only */
    const char *call_sid;      /* for the log; copied */
    unsigned number;           /* of the sessions that this call had before: 0 for the first */
};

/* A leg for one call. on_ready, or on_end, follows from the loop, never from inside. -ENOMEM, -EINVAL
 * (URL); RD_ECONFIG: no key, a prompt that is too long, tools that are none (logged). */
int live_open(struct provider_leg **out, struct live_pool *p, const struct live_session *s,
              const struct provider_events *ev, void *arg);

/* Cuts every leg whose `arg` is_known() does not know; nobody hears of its end. How many. */
typedef bool(live_known_fn)(void *arg, const void *leg_arg);
unsigned live_pool_disown(struct live_pool *p, live_known_fn *is_known, void *arg);
unsigned live_pool_legs(const struct live_pool *p);

struct live_counts live_pool_counts(const struct live_pool *p);

#endif
