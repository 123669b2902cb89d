/* SPDX-License-Identifier: Apache-2.0 */
/* vapi.h - the provider leg over Vapi's WebSocket transport, µ-law both ways: Vapi's assistant speaks,
 * our line, ledger and records stay. Loop's thread only; one pool per media thread.
 *
 * What it cannot: forget words that were not heard, stop a sentence, speak beside the conversation. It
 * does by itself what the first needs (it hears the caller cut in); the others are done to its audio here. */
#ifndef PROVIDERS_VAPI_VAPI_H
#define PROVIDERS_VAPI_VAPI_H

#include "io/loop.h"
#include "io/tls.h"
#include "ports/brief.h"
#include "ports/provider.h"

#include <stdint.h>

extern const struct provider_ops vapi_provider;

struct vapi_opts {
    struct loop *loop;
    struct tls_client *tls;
    const char *ca_file;   /* borrows, like the next two; NULL: the system's */
    const char *api, *key; /* "https://api.vapi.ai" */
    unsigned timeout_ms;   /* from vapi_open() to on_ready; 0: 4000. Then LEG_LOST */
};

struct vapi_counts {
    uint64_t dialled, unknown_events, bad_frames, errors;
    uint64_t hangs;         /* the assistant did not answer in time, as Vapi says */
    uint64_t dropped_bytes; /* of agent audio: noise between sentences, and what came too late */
};

struct vapi_pool;

int vapi_pool_new(struct vapi_pool **out, const struct vapi_opts *o); /* -ENOMEM */

/* Legs live on, close them first: what is being dialled ends, lost. */
void vapi_pool_free(struct vapi_pool *p);

/* What a leg is opened for. */
struct vapi_session {
    const struct brief *brief; /* used during the call only, like the strings */
    const char *call_sid, *from;
    unsigned number; /* of the sessions that this call had before: 0 for the first */
};

/* A leg for one call. on_ready, or on_end, follows from the loop, never from inside. -ENOMEM; RD_ECONFIG:
 * no key, or the brief names no assistant (logged). */
int vapi_open(struct provider_leg **out, struct vapi_pool *p, const struct vapi_session *s,
              const struct provider_events *ev, void *arg);

/* Cuts every leg whose `arg` is_known() does not know; nobody hears of its end. How many. */
typedef bool(vapi_known_fn)(void *arg, const void *leg_arg);
unsigned vapi_pool_disown(struct vapi_pool *p, vapi_known_fn *is_known, void *arg);
unsigned vapi_pool_legs(const struct vapi_pool *p);

struct vapi_counts vapi_pool_counts(const struct vapi_pool *p);

#endif
