/* SPDX-License-Identifier: Apache-2.0 */
/* webhook.h - what Twilio asks by HTTP: who answers a call, what comes after the stream, how it
 * ended. Media thread only. */
#ifndef GATEWAY_WEBHOOK_H
#define GATEWAY_WEBHOOK_H

#include "gateway/media_thread.h"

void webhook_request(struct media_thread *t, struct http_request *r);
void webhook_gone(struct media_thread *t, struct http_request *r);
void webhook_opened(struct media_thread *t, struct message *m); /* MSG_CALL_OPENED; borrows */
void webhook_forget_all(struct media_thread *t);

#endif
