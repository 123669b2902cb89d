/* SPDX-License-Identifier: Apache-2.0 */
/* openai.h - the provider leg over the OpenAI Realtime API (GA shape). Spans are µ-law both ways,
 * whatever the session speaks (brief.audio).
 * Loop's thread only; one pool per media thread. */
#ifndef PROVIDERS_OPENAI_OPENAI_H
#define PROVIDERS_OPENAI_OPENAI_H

#include "io/loop.h"
#include "io/tls.h"
#include "ports/brief.h"
#include "ports/provider.h"

#include <stdint.h>

extern const struct provider_ops openai_provider;

struct openai_opts {
    struct loop *loop;
    struct tls_client *tls;
    const char *url, *key, *model; /* borrows; live as long as the pool */
    unsigned warm;                 /* connections kept ready: 0, 1 or 2 */
    unsigned warm_max_age_ms;      /* 0: 10 minutes */
    unsigned timeout_ms;           /* from openai_open() to on_ready; 0: 2500. Then LEG_LOST */
};

struct openai_counts {
    uint64_t dialled, warm_used, unknown_events, bad_frames, errors;
    uint64_t benign; /* errors that only say "too late": busy, nothing to cancel, audio too short */
};

struct openai_pool;

/* Starts to dial the warm connections. A refused key or model stops the dialling for a while that
 * grows (1 s to 60 s) and is logged with the remedy. -ENOMEM; RD_ECONFIG: no URL or no model, or a
 * key that cannot stand in a header. */
int openai_pool_new(struct openai_pool **out, const struct openai_opts *o);
void openai_pool_free(
    struct openai_pool *p); /* warm sockets only; legs live on, close them first */
unsigned openai_pool_warm(const struct openai_pool *p); /* ready now */

/* What a leg is opened for. */
struct openai_session {
    const struct brief *brief; /* used during the call only */
    const char *call_sid;      /* for the log; copied. NULL: none */
    unsigned number;           /* of the sessions that this call had before: 0 for the first */
};

/* A leg for one call: from a warm connection if there is one whose model fits, else a fresh dial (a
 * warm one found dead is replaced by a dial without telling). on_ready, or on_end, follows from the
 * loop, never from inside. -ENOMEM, -EINVAL (URL), RD_ECONFIG
 * (the brief's tools are no JSON array of named tools: logged). */
int openai_open(struct provider_leg **out, struct openai_pool *p, const struct openai_session *s,
                const struct provider_events *ev, void *arg);

/* Cuts every leg whose `arg` is_known() does not know; nobody hears of its end. How many: none, or
 * somebody let go of a call without its leg. */
typedef bool(openai_known_fn)(void *arg, const void *leg_arg);
unsigned openai_pool_disown(struct openai_pool *p, openai_known_fn *is_known, void *arg);
unsigned openai_pool_legs(const struct openai_pool *p);

struct openai_counts openai_pool_counts(const struct openai_pool *p);

/* When OpenAI will end the session of this leg, in Unix seconds; 0: not known yet. */
uint64_t openai_expires_unix_s(const struct provider_leg *leg);

#endif
