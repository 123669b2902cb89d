/* SPDX-License-Identifier: Apache-2.0 */
/* resume.h - what Twilio asks while a call goes on without its stream: how it goes on once a <Dial>
 * is over, and whether who was dialled takes it. Media thread only. */
#ifndef GATEWAY_RESUME_H
#define GATEWAY_RESUME_H

#include "carriers/twilio/form.h"
#include "gateway/media_thread.h"

void resume_request(struct media_thread *t, struct http_request *r, struct form *form);
void resume_screening(struct media_thread *t, struct http_request *r, struct form *form);
void resume_answered(struct media_thread *t, struct message *m); /* MSG_RESUMED; borrows */

void resume_hang_up(struct http_request *r); /* answers so */

/* A call that is AWAY is over: its slot is given back, its script is told. False when it is not
 * AWAY. Any thread that may post to scripts. */
bool resume_over(struct node *n, call_handle call, const char *why);

/* All of them, at the end of the node. */
void resume_end_all(struct node *n);

#endif
