/* SPDX-License-Identifier: Apache-2.0 */
/* line.h - a call whose stream is on this thread: the call core with its two legs, its script and
 * its records plugged in. Media thread only. */
#ifndef GATEWAY_LINE_H
#define GATEWAY_LINE_H

#include "gateway/media_thread.h"

/* A WebSocket upgrade: 0 when it is the stream of a call we offered, else the HTTP status. */
int line_upgrade(struct media_thread *t, struct http_request *r, struct ws_accept *accept);

/* MSG_CALL_COMMAND; borrows. A call that is gone ignores it. */
void line_command(struct media_thread *t, struct message *m);

/* An operator ends a call whose caller is with somebody else: an errand asks the carrier to. RD_ESTATE:
 * we cannot ask it. Any thread. */
int line_end_away(struct node *n, const struct directory_view *call, const char *who);

/* A fact of a call: kept, and told to control. Any thread. */
void line_tell(struct node *n, const struct directory_view *call, const struct record *r);

struct opening;
void line_adopt(struct opening *o, struct brief *brief); /* frees o */

void line_end_all(struct media_thread *t);

/* media_thread.c: the last line may have been what the thread waited for. */
void media_thread_line_gone(struct media_thread *t);

#endif
