/* SPDX-License-Identifier: Apache-2.0 */
/* reload.h - keeps the agents in use the same as their source: a folder that is watched, or the
 * release in the database (gateway/releases.h offers it). A thread of its own; the rest is for any
 * thread.
 *
 *   file saved ─▶ 100 ms of quiet ─▶ read as one moment ─▶ load aside ─▶ swap: the next call has it
 *
 * What does not load changes nothing: the versions from before answer, and an alarm, the log and
 * `ringdown agents list` say so until it is mended. */
#ifndef GATEWAY_RELOAD_H
#define GATEWAY_RELOAD_H

#include "agent/host.h"
#include "agent/tree.h"
#include "gateway/keep.h"
#include "gateway/settings.h"

#include <stdbool.h>
#include <stdint.h>

struct reload;

struct reload_opts {
    const struct settings
        *settings;           /* borrows: agents_path, agents_source, agents_watch, library_path */
    struct keep *keep;       /* borrows */
    struct mailbox *control; /* borrows; is told when agents were looked at. NULL: nobody */
    unsigned poll_ms;        /* how often the folder is looked at besides; 0: 3000 */
};

int reload_new(struct reload **out, const struct reload_opts *o);

/* The agents to begin with: of the folder, or of `release` (then `id` is its number; NULL: there is
 * none yet, and no agents). Refs for the caller. Not after reload_start(). */
int reload_first(struct reload *r, struct tree *release, int64_t id, struct agent_set **out,
                 char *why, size_t cap);

/* From now on the pool (borrowed) gets what changes. */
int reload_start(struct reload *r, struct script_pool *scripts);
void reload_hush(struct reload *r); /* joins; who asks it is not answered any more. NULL is fine */
void reload_stop(struct reload *r); /* and frees; NULL is fine */

/* Look now, whatever the source. The ticket asks for the outcome. */
uint64_t reload_ask(struct reload *r);

/* The outcome as one JSON object; -EAGAIN: not yet. */
int reload_answer(struct reload *r, uint64_t ticket, struct buf *out);

/* Another release is the current one. Refs the tree. */
void reload_offer(struct reload *r, struct tree *release, int64_t id);

/* "source":"folder","release":7,"tree":"1f…","watching":true,"errors":[…] of what is in use. */
int reload_json(struct reload *r, struct buf *out);

/* What is in use, once for each time that it changed (for one asker): refs, or NULL. For keeping what
 * was loaded. And the release it is; 0: none. */
struct agent_set *reload_unkept(struct reload *r);
int64_t reload_release(struct reload *r);

/* What each agent of a set is made of: {"name":{"version":"…","numbers":[…],"files":["a.lua"]}} */
int reload_agents_json(const struct agent_set *set, struct buf *out);

#endif
