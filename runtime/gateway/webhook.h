/* SPDX-License-Identifier: Apache-2.0 */
/* webhook.h - what Twilio asks by HTTP: who answers a call, what comes after the stream, how it
 * ended. Media thread only. */
#ifndef GATEWAY_WEBHOOK_H
#define GATEWAY_WEBHOOK_H

#include "carriers/twilio/form.h"
#include "gateway/media_thread.h"
#include "gateway/missed.h"

enum { WEBHOOK_TWIML_MAX = 8192, WEBHOOK_WORD_MAX = 128 };

void webhook_request(struct media_thread *t, struct http_request *r);

/* For voice.c and resume.c, too. */
void webhook_reply_xml(struct http_request *r, struct rd_str xml);
void webhook_reply_text(struct http_request *r, int status, const char *text);

/* The agent's fallback TwiML (the default one without an agent), counted, logged with the remedy and,
 * for a call in the directory, kept as what was decided. fix NULL: the remedy of "call." + why in the
 * catalogue of errors. r NULL: nobody waits for it any more. */
void webhook_reply_fallback(struct media_thread *t, struct http_request *r,
                            const struct agent_info *agent, const char *sid, const char *why,
                            const char *fix);

/* A field of the form, as far as anybody keeps it. */
struct rd_str webhook_word(struct form *form, const char *name);

/* What the carrier told, kept with its call; with the node, when nobody here knows the call (view
 * NULL: it was another process's, or it is long over). */
void webhook_keep(struct media_thread *t, const struct directory_view *view, struct form *form,
                  const char *kind);

/* Does this CallStatus say that the call is over? And: then it is, wherever we have it. */
bool webhook_is_terminal(struct rd_str status);
void webhook_carrier_ended(struct node *n, const struct directory_view *call);

/* Nobody assigned this number, and Vapi answers it. */
bool webhook_is_vapis(struct media_thread *t, struct rd_str to);

/* A call that is not in the directory was missed, as its form tells. */
void webhook_missed(struct media_thread *t, struct form *form, const struct agent_info *agent,
                    enum missed m);
/* The same, but what the operator assigned to the number goes first. NULL as well when the agent that
 * it was assigned to is not loaded: another one would speak in a foreign name. */
const struct agent_info *webhook_agent_at(struct media_thread *t, struct agent_set *set,
                                          struct rd_str to);

/* The script has a VM for a call that will not come: it may let go. Frees the credits (NULL is
 * fine). */
void webhook_tell_ended(struct credits *c, call_handle call, const char *why);

#endif
