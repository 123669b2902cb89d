/* SPDX-License-Identifier: Apache-2.0 */
/* routing_copy.h - one state of rollouts and the force switch: immutable, reference-counted, any
 * thread. For gateway/routing.c. */
#ifndef GATEWAY_ROUTING_COPY_H
#define GATEWAY_ROUTING_COPY_H

#include "base/str.h"
#include "gateway/follower.h"

/* Columns of the rows it is made from: version, kind ("f": the force switch, "r": a rollout, "a", "d":
 * a number on its list of allowed or denied callers; null: there is nothing), key (system, agent,
 * number), agent (of a number), value (a rollout as JSON object). */
enum { ROUTING_COLUMNS = 5 };
#define ROUTING_MAGIC "rdroute1"

struct routing_copy;

/* Takes the answer, also when it fails: RD_EPROTO, -ENOMEM. */
int routing_copy_new(struct followed **out, struct answer *a);

/* NULL for c is nothing known. The results point into the copy. */
struct rd_str routing_copy_force(const struct routing_copy *c); /* "", "off", "openai", "vapi" */
struct rd_str routing_copy_plan(const struct routing_copy *c, struct rd_str agent); /* or empty */
/* "deny", "allow", or NULL: on neither list. `party` as the carrier writes it: a number, or a SIP URI with one. */
const char *routing_copy_listed(const struct routing_copy *c, struct rd_str agent,
                                struct rd_str party);

#endif
