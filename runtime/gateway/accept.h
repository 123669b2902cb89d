/* SPDX-License-Identifier: Apache-2.0 */
/* accept.h - who was dialled for a caller picked up, and the carrier asks here whether they take the
 * call, which another node has. Media thread only. */
#ifndef GATEWAY_ACCEPT_H
#define GATEWAY_ACCEPT_H

#include "carriers/twilio/form.h"
#include "gateway/media_thread.h"

/* /twilio/accept about a call that nobody here knows: true when it will be answered. False: nobody can
 * be asked about it. */
bool accept_request(struct media_thread *t, struct http_request *r, struct form *form);

void accept_answered(struct media_thread *t, struct message *m); /* MSG_ACCEPTED; borrows */

#endif
