/* SPDX-License-Identifier: Apache-2.0 */
/* ringing.h - the synthetic call, as far as a node has to do with it: whoever runs the node lends it a telephone
 * (cli/ringer.h), the library says when it rings and judges how it was (scripts/ringdown/synthetic.lua).
 * Any thread; nothing waits. */
#ifndef GATEWAY_RINGING_H
#define GATEWAY_RINGING_H

#include "base/buf.h"

#include <stdbool.h>

/* A telephone. */
struct node_ringer {
    int (*ring)(void *arg, const char *json); /* {"to", "system"}; -EALREADY: it rings */
    int (*rung)(void *arg, struct buf *out);  /* how it was, as JSON; -EAGAIN: it goes on */
    void *arg;
};

struct ringing;
int ringing_new(struct ringing **out, const struct node_ringer *r); /* r NULL: there is none */
void ringing_free(struct ringing *r);

/* As struct node_ringer; -ENOSYS without a telephone. */
int ringing_ring(struct ringing *r, const char *json);
int ringing_rung(struct ringing *r, struct buf *out);

/* What the library thinks of the last one: counted, and shown by status. `json` is an object. */
void ringing_judged(struct ringing *r, bool good, struct rd_str json);
int ringing_add(struct ringing *r, struct buf *out); /* the object, or null */

#endif
