/* SPDX-License-Identifier: Apache-2.0 */
/* texts.h - texts that come in, what the carrier says about those that went out, and those that
 * wait for the morning. Media threads, but for texts_new() and texts_free(). */
#ifndef GATEWAY_TEXTS_H
#define GATEWAY_TEXTS_H

#include "carriers/twilio/form.h"
#include "gateway/media_thread.h"

#include <stdbool.h>

enum { TEXTS_DUE_EVERY = 30 }; /* seconds */

struct texts;

int texts_new(struct texts **out);

/* Waits for the database's last answer: hushed before. NULL is fine. */
void texts_free(struct texts *x);

/* POST /twilio/sms. */
void texts_request(struct media_thread *t, struct http_request *r, struct form *form);

/* POST /twilio/status about a text: answered, and true. */
bool texts_status(struct media_thread *t, struct http_request *r, struct form *form);

/* Asks the database which texts are due, and sends them when it answers. */
void texts_ask_due(struct node *n);

/* What one word as a whole text means, whatever its case and the dots around it. */
enum text_word { TEXT_WORDS, TEXT_STOP, TEXT_START, TEXT_YES, TEXT_HELP };
enum text_word text_word_of(struct rd_str body);

#endif
