/* SPDX-License-Identifier: Apache-2.0 */
/* claims.h - who has a call, as PostgreSQL knows it: calls of ours that another node has taken over
 * (adopt.h), or heard of their end; streams that have begun; calls that we could not take after all. */
#ifndef GATEWAY_CLAIMS_H
#define GATEWAY_CLAIMS_H

#include "gateway/directory.h"

#include <stdbool.h>
#include <stdint.h>

struct node;

/* Once a second: asks PostgreSQL which of ours are not ours any more, and closes them here without a
 * word. Any thread, but always the same. */
void claims_look(struct node *n);

/* The last answer is of a moment ago: who slept, or has no database, does not know what is still its
 * own. Any thread. */
bool claims_are_known(const struct node *n);

/* The stream of this address is here: no other node takes it any more. Any thread. */
void claims_stream_begins(struct node *n, const char *sid, uint64_t nonce);

/* Whoever had the call before adopt_call() has it again. Any thread. */
void claims_give_back(struct node *n, const char *sid);

enum { CLAIMS_NONCE = 17 };
void claims_write_nonce(char out[CLAIMS_NONCE], uint64_t nonce);

#endif
