/* SPDX-License-Identifier: Apache-2.0 */
/* agents_private.h - what loading an agent leaves behind. For agent/ only. */
#ifndef AGENT_AGENTS_PRIVATE_H
#define AGENT_AGENTS_PRIVATE_H

#include "agent/agents.h"
#include "agent/tree.h"
#include "lua/vm.h"

#include <stdatomic.h>

struct agent_entry {
    struct agent_info info; /* points into the strings below; first, see agent_chunks() */
    _Atomic int refs;       /* the sets that hold it, and its calls */
    _Atomic unsigned calls; /* that run on it */
    struct chunks *chunks;  /* owns; frozen */
    char *module;           /* owns */
    char *name, *fallback, *nobody, *vapi, *assistant, *help, *tables, *countries, *rules,
        *warnings, *shown;
    char **numbers; /* NULL-terminated, like the next two */
    char **hosts, **secrets;
    char version[17];
    struct agent_entry *older, *newer; /* all there are; see agent_living() */
};

/* What one agent is made of. */
struct agent_source {
    const char *module;
    struct chunks_shelf library, own;
};

/* Loads one agent: runs its file, collects its mistakes. RD_ECONFIG with lines in `complaints`. */
int agent_entry_load(struct agent_entry **out, const struct agent_source *source,
                     struct buf *complaints);
int agent_entry_load_folder(struct agent_entry **out, const char *module, const char *agents_path,
                            const char *library_path, struct buf *complaints);
bool agent_entry_same(const struct agent_entry *e, const struct agent_source *source);
struct agent_entry *agent_entry_ref(struct agent_entry *e);
void agent_entry_unref(struct agent_entry *e);

/* The compiled modules and the module name of an agent. */
struct chunks *agent_chunks(const struct agent_info *a);

/* A call's VM was opened: what only the beginning needed goes. It is loaded again for who comes back. */
void agent_settle(struct vm *v);
const char *agent_module(const struct agent_info *a);

#endif
