/* SPDX-License-Identifier: Apache-2.0 */
/* override.h - what was ordered at this machine while the database was away: force, rollback, kill.
 * A file of the data folder, <data>/kept/override.json, written whole and renamed:
 *
 *   {"version":1,"at":"…","who":"alice","reason":"…","force":"vapi","agents":{"sales":{"percent_bp":0,"kill":true}}}
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
    bool has_percent, has_kill, kill;
    int percent_bp;
};

/* "openai", "vapi", "off" (nothing is forced, whatever the database says), or NULL: nothing said. */
const char *override_force(struct override *o);
/* False: nothing was ordered for this agent. */
bool override_of(struct override *o, struct rd_str agent, struct override_order *out);

#endif
