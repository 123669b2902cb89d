/* SPDX-License-Identifier: Apache-2.0 */
/* direct.h - calls that Vapi has, but not from us: of numbers that the carrier still sends there, or sends
 * there when we do not answer; and those that somebody begins at Vapi. Their assistant is ours, so they
 * have our tools and triage. Media thread. */
#ifndef GATEWAY_VAPI_DIRECT_H
#define GATEWAY_VAPI_DIRECT_H

#include "gateway/media_thread.h"
#include "gateway/vapi/known.h"

/* Whose is it: the agent of its number, else the agent whose assistant answers. `number`: as the database
 * calls the one that the message names by Vapi's id, or "". False: neither is known here, or the call has
 * no id. The number may be known and have no agent: then the call's is "". */
bool vapi_direct_find(struct media_thread *t, const struct vapi_message *m, const char *number,
                      struct vapi_call *out);

#endif
