/* SPDX-License-Identifier: Apache-2.0 */
/* replay.h - recorded calls run again: the functions of scripts/ringdown/replay.lua in a trusted VM, the
 * agents they call in sandboxes of their own (box.h). Nothing leaves the process. One thread. */
#ifndef AGENT_REPLAY_H
#define AGENT_REPLAY_H

#include "base/buf.h"

#include <stddef.h>

struct replay;
struct agent_set;

int replay_new(struct replay **out, const char *library_path, struct buf *why);
void replay_free(struct replay *r); /* NULL is fine */

/* Agents that a recording can be played on, by a name. Borrows the set until replay_free(). */
int replay_offer(struct replay *r, const char *name, struct agent_set *set);

/* Calls a function with texts; its two results are texts too ("" when it has fewer). RD_ESCRIPT with the
 * traceback in `why`. */
int replay_ask(struct replay *r, const char *function, const char *const *args, size_t n,
               struct buf *first, struct buf *second, struct buf *why);

#endif
