/* SPDX-License-Identifier: Apache-2.0 */
/* beat.h - every few seconds this process tells the database that it is there, and hears what there
 * is to do about nodes that are not. */
#ifndef GATEWAY_BEAT_H
#define GATEWAY_BEAT_H

#include "gateway/node_internal.h"

/* Asks and returns; the answer is dealt with on a thread of the database's. Any thread; until
 * adopt_wait(). */
void beat_tell(struct node *n);

#endif
