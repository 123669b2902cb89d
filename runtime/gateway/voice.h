/* SPDX-License-Identifier: Apache-2.0 */
/* voice.h - the voice webhook, from Twilio's question to the TwiML that answers it. Media thread
 * only. */
#ifndef GATEWAY_VOICE_H
#define GATEWAY_VOICE_H

#include "carriers/twilio/form.h"
#include "gateway/media_thread.h"

void voice_request(struct media_thread *t, struct http_request *r, struct form *form);
void voice_gone(struct media_thread *t, struct http_request *r); /* Twilio left before the answer */
void voice_opened(struct media_thread *t, struct message *m);    /* MSG_CALL_OPENED; borrows */

/* The node ends: who waits gets the fallback, what was offered is taken back, scripts are told. */
void voice_end_all(struct media_thread *t);

#endif
