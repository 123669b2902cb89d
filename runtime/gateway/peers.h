/* SPDX-License-Identifier: Apache-2.0 */
/* peers.h - other processes on this data folder that still have calls: those that a newer binary took
 * the listening socket from. What Twilio asks about their calls reaches the newer one, which passes it
 * on to <data>/peer-<node>.sock; each stays until its last call is over.
 *
 * A process answers what comes by its socket as if Twilio had sent it, signature and all, and says
 * 421 to what is not about a call of its own. */
#ifndef GATEWAY_PEERS_H
#define GATEWAY_PEERS_H

#include "carriers/twilio/form.h"
#include "gateway/media_thread.h"

#include <stdint.h>

struct peers;

int peers_new(struct peers **out, struct node *n);
void peers_deafen(struct peers *p); /* nobody passes anything on to us any more; NULL is fine */
void peers_free(struct peers *p);

/* Looks who is there. Before anything is accepted. */
void peers_find(struct peers *p);
unsigned peers_count(struct peers *p); /* those that are there now; any thread */

/* Listens for what newer processes pass on; each socket goes to `fn`. Any thread, once. */
int peers_listen(struct peers *p, accepter_fn *fn, void *arg);

/* True: not a call of ours, and somebody else is being asked; on_refused() of webhook.h gets it back.
 * Or: it came from another process and is not ours: answered. Media thread. */
bool peers_take(struct media_thread *t, struct http_request *r, struct form *form,
                http_refused_fn *refused);

/* A stream whose address another process made. */
bool peers_take_stream(struct media_thread *t, struct http_request *r, uint32_t node);

#endif
