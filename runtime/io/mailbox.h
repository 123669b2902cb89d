/* SPDX-License-Identifier: Apache-2.0 */
/* mailbox.h - how threads talk: a bounded queue of messages into one loop.
 *
 * Must-arrive messages use credits, reserved when a call is admitted: the mailbox counts reserved
 * room as used, so a post with a credit cannot fail. Everything else takes what is left and may be
 * refused (RD_EFULL). Posting is thread-safe, holds a lock for O(1) and never blocks on I/O. */
#ifndef IO_MAILBOX_H
#define IO_MAILBOX_H

#include "io/loop.h"
#include "ports/messages.h"

#include <stddef.h>

struct mailbox;
struct credits;

/* `receive` runs on the loop's thread, once per message, and owns it then. */
typedef void(mailbox_receive_fn)(struct message *m, void *arg);

int mailbox_new(struct mailbox **out, struct loop *l, size_t capacity, mailbox_receive_fn *receive,
                void *arg);

/* After the last poster is gone. On the loop's thread; frees what is still queued. */
void mailbox_free(struct mailbox *mb);

/* Without a credit: 0, or RD_EFULL / RD_EGONE (closed); then the message is freed. */
int mailbox_post(struct mailbox *mb, struct message *m);

/* Refuses posts from now on. Any thread. */
void mailbox_close(struct mailbox *mb);

/* Reserves n places for one call; RD_EFULL when so many are not free. */
int credits_new(struct credits **out, struct mailbox *mb, unsigned n);

/* Uses a credit, which returns when the message was received. RD_EFULL when none of this call's are
 * left (its receiver lags); the message is freed then. The last one is kept for `final` messages.
 */
int credits_post(struct credits *c, struct message *m, bool final);

/* Gives the reservation back; messages still queued keep theirs until received. Any thread, once.
 */
void credits_free(struct credits *c);

/* Messages queued now and room reserved, for status. Any thread. */
size_t mailbox_depth(struct mailbox *mb);
size_t mailbox_reserved(struct mailbox *mb);

/* The most that were queued at once in this window of time or the one before; a window takes at least
 * so long, and until somebody looks. Any thread. */
size_t mailbox_worst(struct mailbox *mb, uint64_t now_ms, uint64_t window_ms);

/* Copies the strings (n <= MESSAGE_STRINGS; each may be empty) into the message's own block, each
 * NUL-terminated. fd is -1. NULL when there is no memory. */
struct message *message_new(enum message_type type, call_handle call, const struct rd_str *s,
                            int n);
void message_free(struct message *m); /* unrefs its brief, closes fd >= 0; NULL is fine */

#endif
