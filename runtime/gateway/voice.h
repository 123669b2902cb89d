/* SPDX-License-Identifier: Apache-2.0 */
/* voice.h - the voice webhook, from Twilio's question to the TwiML that answers it. Media thread
 * only. */
#ifndef GATEWAY_VOICE_H
#define GATEWAY_VOICE_H

#include "carriers/twilio/form.h"
#include "gateway/media_thread.h"

void voice_request(struct media_thread *t, struct http_request *r, struct form *form);
void voice_opened(struct media_thread *t, struct message *m); /* MSG_CALL_OPENED; borrows */
void voice_pinned(struct media_thread *t, struct message *m); /* MSG_PINNED; borrows */

/* Asks a script thread for a VM; MSG_CALL_OPENED answers. `form` as JSON object; `known`: what another
 * node knew of the call, or empty. */
struct opening;
int voice_ask_script(struct opening *o, struct rd_str to, struct rd_str form, struct rd_str known);

/* Vapi is full: where else may this call go? The script is asked again. */
int voice_ask_again(struct opening *o);

#endif
