/* SPDX-License-Identifier: Apache-2.0 */
/* adopt.h - a call that another node had, or this one before it was started again: the carrier asks
 * here how it goes on, or connects its stream here. Media threads, except where it says otherwise. */
#ifndef GATEWAY_ADOPT_H
#define GATEWAY_ADOPT_H

#include "carriers/twilio/form.h"
#include "gateway/media_thread.h"
#include "gateway/opening.h"
#include "gateway/token.h"

/* /twilio/resume for a call that nobody here knows: true when it will be answered. False: nobody can be
 * asked about it. */
bool adopt_request(struct media_thread *t, struct http_request *r, struct form *form);

/* A stream whose token is right, of a call of another node: true when the upgrade will be answered. */
bool adopt_stream(struct media_thread *t, struct http_request *r, const struct token *token);

/* What waits is a stream, which no document answers. */
bool adopt_is_stream(const struct opening *o);

void adopt_answered(struct media_thread *t, struct message *m); /* MSG_ADOPTED; borrows */
void adopt_opened(struct opening *o, const struct message *m);  /* MSG_CALL_OPENED; borrows */

/* Until the database has answered all questions; it must have been hushed. Any thread. */
void adopt_wait(struct node *n);

#endif
