/* SPDX-License-Identifier: Apache-2.0 */
/* route.h - which system a call goes to: what its script is told for the decision, what is kept of it,
 * and Vapi's turn. For voice.c. Media thread only. */
#ifndef GATEWAY_ROUTE_H
#define GATEWAY_ROUTE_H

#include "carriers/twilio/form.h"
#include "gateway/opening.h"
#include "ports/messages.h"

/* The operator's force switch, which works with nothing else working: no slot, no script. */
bool route_is_forced_to_vapi(struct media_thread *t, const struct agent_info *agent);

/* What s[4] of MSG_CALL_OPEN is: empty for an agent that has only one system. `form`: the webhook's, as
 * JSON object; `pinned`: where the call went before, or NULL. */
int route_known(struct opening *o, struct rd_str form, const char *pinned, struct buf *out);

/* Which system the call runs on, and why; at the first offer only. NULL brief: Vapi. */
void route_keep(struct opening *o, const struct message *opened, const struct brief *brief);

/* The script decided so: kept, and Vapi answers. The slot is given back, `o` is freed. */
void route_to_vapi(struct opening *o, const struct message *opened);
/* What came of asking Vapi to begin it: {twiml}, {full}, or nothing that helps. */
void route_bypassed(struct opening *o, struct rd_str reply);
/* The same when we cannot answer, and the agent lets the other system. False: not this call. */
bool route_fail_over(struct opening *o, const char *why);

/* The same of a call that has no slot, as it came in or as it is known already. */
void route_unasked(struct media_thread *t, struct http_request *r, struct form *form,
                   const struct agent_info *agent, const char *reason);
bool route_refused(struct media_thread *t, struct http_request *r, struct form *form,
                   const struct agent_info *agent, const char *why);
void route_again(struct media_thread *t, struct http_request *r, const struct directory_view *view,
                 const struct agent_info *agent);
void route_unassigned(struct media_thread *t, struct http_request *r, struct form *form);

/* The caller was answered, and nobody here can go on: Vapi begins the call, and its document answers the
 * carrier; else the fallback. False, and nobody was answered: not this call. */
bool route_fail_over_answered(struct media_thread *t, struct http_request *r,
                              const struct directory_view *view, struct agent_set *set,
                              const struct agent_info *agent);

/* A call of this agent was for OpenAI; nobody answered the carrier, and it took the call to Vapi by itself. */
void route_fell(const char *agent);

/* Vapi can only take a call that nobody has answered. */
bool route_is_ringing(struct rd_str call_status);

#endif
