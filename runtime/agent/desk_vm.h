/* SPDX-License-Identifier: Apache-2.0 */
/* desk_vm.h - the VM of a triage desk: the library and an agent's rules, nothing of the agent. Same
 * thread as its desk; for agent/ and its bench. */
#ifndef AGENT_DESK_VM_H
#define AGENT_DESK_VM_H

#include "agent/agents.h"
#include "lua/vm.h"

/* 0, -ENOMEM, RD_ESCRIPT, RD_EBUDGET with `why`. */
int desk_vm_open(struct vm **out, const struct agent_info *agent, struct buf *why);

/* A function of ringdown.desk; its result is on the VM's stack. No garbage is collected meanwhile:
 * that is for desk_vm_tidy(), once the answer is on its way. */
int desk_vm_ask(struct vm *v, const char *function, const struct rd_str *args, int n,
                struct buf *why);

/* A bounded piece of the collector's work. */
void desk_vm_tidy(struct vm *v);

#endif
