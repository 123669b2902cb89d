/* SPDX-License-Identifier: Apache-2.0 */
/* inbox.h - what an errand waits for: letters, in the order they came.
 *
 * A letter is a kind and a JSON object. One that is a question (the carrier waits for TwiML) has a
 * ticket, and is answered once: by the script, or with the fallback when the errand goes.
 * Script thread only; for agent/ only. */
#ifndef AGENT_INBOX_H
#define AGENT_INBOX_H

#include "agent/script_thread.h"
#include "lua/task.h"

struct inbox;

int inbox_new(struct inbox **out, struct script_thread *t);
void inbox_free(struct inbox *b); /* questions get the fallback; NULL is fine */

/* Copies both. RD_EFULL when nobody reads. */
int inbox_put(struct inbox *b, struct rd_str kind, struct rd_str json);

/* MSG_RESUME becomes a letter with a ticket. Borrows m. */
int inbox_ask(struct inbox *b, const struct message *m);

/* Answers a question: "twiml" (text: the document), "hang_up", "fallback" (text: why); "agent" hands
 * it on to the call's own script (text: the form to hand on; empty: as it came). RD_ESTATE: no such
 * ticket, or answered already. */
int inbox_answer(struct inbox *b, uint64_t ticket, struct rd_str how, struct rd_str text);

/* For host.wait(): results of the next letter, now or when the task is resumed; nothing after
 * timeout_ms. One task at a time: RD_ESTATE. */
int inbox_wait(struct inbox *b, lua_State *L, struct task *t, uint32_t timeout_ms);

#endif
