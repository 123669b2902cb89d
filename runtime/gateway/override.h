/* SPDX-License-Identifier: Apache-2.0 */
/* override.h - what was ordered at this machine while the database was away: force, rollback, kill.
 * A file of the data folder, <data>/kept/override.json, written whole and renamed:
 *
 *   {"version":1,"who":"alice","force":"vapi","agents":{"sales":{"rollback":0,"force":"vapi"}}}
 *
 * force and rollback of an agent are two orders: taking back the first leaves the second. Beside each is
 * who gave it, when and why, for the database (scripts/ringdown/rollout/override.lua).
 *
 * It wins over what the database said last, until whoever wrote it has written it there and takes it
 * away. Any thread. */
#ifndef GATEWAY_OVERRIDE_H
#define GATEWAY_OVERRIDE_H

#include "base/str.h"

#include <stdbool.h>

struct override;

/* `data` NULL: there is no data folder, and never an order. */
int override_new(struct override **out, const char *data);
void override_free(struct override *o); /* NULL is fine */

/* Reads the file when it is another than at the last look. A broken one changes nothing and is logged,
 * once. Blocking. */
void override_look(struct override *o);

struct override_order {
    const char *force; /* as override_force() */
    bool has_rollback;
    int rollback_bp; /* so much at most */
};

/* "openai", "vapi", "off" (nothing is forced, whatever the database says), or NULL: nothing said. */
const char *override_force(struct override *o);
/* False: nothing was ordered for this agent. */
bool override_of(struct override *o, struct rd_str agent, struct override_order *out);

#endif
