/* SPDX-License-Identifier: Apache-2.0 */
/* desk.h - the triage desk: every finished utterance of a caller is held against the agent's rules of
 * `emergencies`, before the agent's own hook and outside its budget.
 *
 *   AGENT_UTTERANCE ─▶ desk's own VM (library and compiled rules, no agent code) ─▶ match: fact, errand
 *                                                                              ├─▶ ask: the model asks
 *                                                                              └─▶ near miss: fact
 *
 * One desk per agent version and script thread, shared by its calls. Each call acts on a rule once,
 * whoever finds it. Script thread only; for agent/ only. */
#ifndef AGENT_DESK_H
#define AGENT_DESK_H

#include "agent/activity.h"

struct desk;

/* The desk of this call's agent; NULL: the agent has no rules, or there is no memory (then there is
 * an alarm). Give it back. */
struct desk *desk_take(struct activity *a);
void desk_give(struct desk *d); /* NULL is fine */

/* What the caller said. */
void desk_hear(struct activity *a, struct rd_str words);

/* Only what the rules make of it, a JSON array, where somebody else decides what is done: "hear" with
 * words, or "report" with kind, severity and words. A deaf desk finds nothing, and is an alarm.
 * RD_ESTATE: there can be none. */
int desk_find(struct activity *a, const char *function, const struct rd_str *args, int n,
              struct buf *out);

/* The model says that there is an emergency of this kind: a rule's id, or another word. 1: a rule is
 * acted on now; 0: it was already, or there is no such rule (told as a near miss); or an error. */
int desk_report(struct activity *a, struct rd_str kind, struct rd_str severity,
                struct rd_str words);

#endif
