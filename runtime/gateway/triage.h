/* SPDX-License-Identifier: Apache-2.0 */
/* triage.h - emergencies as the node sees them: facts about them are counted on their way into the
 * journal, and what an earlier process left open is gone on with. */
#ifndef GATEWAY_TRIAGE_H
#define GATEWAY_TRIAGE_H

#include "agent/host.h"

struct node;

/* script_opts.keep_fact; arg: the node. Script threads. */
void triage_keep_fact(void *arg, const struct script_fact *f);

/* Once, when the node has started and no process before it has calls any more (those follow their own
 * emergencies): each agent with rules looks for what was open before. Asked again and again. */
void triage_look_back(struct node *n);

#endif
