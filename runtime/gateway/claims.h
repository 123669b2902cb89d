/* SPDX-License-Identifier: Apache-2.0 */
/* claims.h - calls of ours that another node has taken over (adopt.h), or heard of their end while their
 * caller was with somebody else. */
#ifndef GATEWAY_CLAIMS_H
#define GATEWAY_CLAIMS_H

struct node;

/* Once a second: asks PostgreSQL which, and closes them here without a word. Any thread. */
void claims_look(struct node *n);

#endif
