/* SPDX-License-Identifier: Apache-2.0 */
/* ringer.h - one call to our own public address, as Twilio would place it and a caller would speak in it: the
 * synthetic call. It says in its webhook what it is (gateway/trial.h), so that nothing may come of it, and is sent
 * nowhere else, whatever the node answers. */
#ifndef CLI_RINGER_H
#define CLI_RINGER_H

#include "base/buf.h"
#include "gateway/ringing.h"
#include "gateway/settings.h"

#include <stdatomic.h>

/* Rings `to`, speaks, listens, hangs up: on the calling thread, for a minute at most. `out` gets how it was as a JSON
 * object, whatever happened (scripts/ringdown/synthetic.lua judges it); -ENOMEM only. `stop`: gives up soon. */
int ring_once(const struct settings *s, const char *to, const char *system, const atomic_bool *stop,
              struct buf *out);

/* The same for a node: each call on a thread of its own, one at a time. */
struct ringer;
int ringer_new(struct ringer **out, const struct settings *s); /* borrows s */
void ringer_free(struct ringer *r); /* after the node; what rings is given up. NULL is fine */
struct node_ringer ringer_lend(struct ringer *r);

#endif
