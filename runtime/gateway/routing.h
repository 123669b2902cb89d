/* SPDX-License-Identifier: Apache-2.0 */
/* routing.h - where the operators want calls to go: rollouts, their lists of callers, the force switch.
 * Answers at once from memory, follows the database within half a second, and works without it: from
 * the last good copy in the data folder, and by orders given at this machine (override.h). What is
 * decided from it is scripts/ringdown/routing.lua. Any thread. */
#ifndef GATEWAY_ROUTING_H
#define GATEWAY_ROUTING_H

#include "base/buf.h"
#include "base/str.h"

#include <stdbool.h>

struct agent_set;
struct asker;
struct routing;

struct routing_opts {
    struct asker *asker; /* borrows; hushed before routing_stop(). NULL: there is no database */
    const char *data;    /* the data folder */
    const char *secret;  /* seals the copy there */
    const char *force;   /* of the configuration: wins over everything; "", "off": nothing */

    /* Refs: those whose file begins with a share get the first version of their rollout. */
    struct agent_set *(*agents)(void *arg);
    void *arg;
};

int routing_start(struct routing **out, const struct routing_opts *o);
void routing_hush(struct routing *r); /* joins; who asks it gets what it knew. NULL is fine */
void routing_stop(struct routing *r); /* and frees; NULL is fine */

/* "openai" or "vapi": where every new call goes. NULL: nothing is forced. */
const char *routing_force(struct routing *r);

struct routing_call {
    struct rd_str agent, from;
    const char *pinned;                  /* where it went when the carrier asked before; or NULL */
    const char *openai_down, *vapi_down; /* why that system cannot take it; or NULL */
};

/* What there is to know for this call's decision, as ringdown.routing.known. */
int routing_known(struct routing *r, const struct routing_call *call, struct buf *out);

#endif
