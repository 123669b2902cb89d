/* SPDX-License-Identifier: Apache-2.0 */
/* box.h - agents in their own sandbox, for specs: the module "ringdown.box" of a trusted VM (the one
 * that runs busted) opens VMs exactly as a call has them, and answers what they ask of their host.
 *
 *   spec ── box:ask("tool", …) ──▶ sandboxed VM: ringdown.runtime ── host.say(…) ──▶ the spec's host table
 *
 * Only plain data crosses. One thread. */
#ifndef AGENT_BOX_H
#define AGENT_BOX_H

#include "lua/vm.h"

struct agent_set;

/* Where box.open() finds agents and library. Strings are copied. */
int box_preload(struct vm *trusted, const char *agents_path, const char *library_path);

/* box.open(agent, host, version) finds the agent there. Borrows the set for as long as the VM lives. */
int box_offer(struct vm *trusted, const char *version, struct agent_set *set);

#endif
