/* SPDX-License-Identifier: Apache-2.0 */
/* whose.h - which call a webhook is about, and whether its signature is new, where one process alone cannot
 * say. Media thread. */
#ifndef GATEWAY_VAPI_WHOSE_H
#define GATEWAY_VAPI_WHOSE_H

#include "gateway/opening.h"
#include "gateway/vapi/wait.h"
#include "ports/messages.h"

/* vapi_hooks_go_on() or vapi_hooks_refuse() follows, perhaps before it returns. */
void whose_ask(struct opening *o);

void whose_told(struct opening *o, const struct message *m); /* MSG_VAPI_KNOWN */

/* What its signature was for has been done, by a script or by nobody else; or not, and it may come again,
 * to any node. Any thread. */
void whose_over(struct node *n, const struct vapi_wait *w, bool done);

/* What Vapi says of a call that it has by itself (vapi.shown); "": nobody could be asked. */
void whose_shown(struct opening *o, struct rd_str json);

#endif
