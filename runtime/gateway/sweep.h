/* SPDX-License-Identifier: Apache-2.0 */
/* sweep.h - once every ten seconds each thread looks whether what it has should be there: slots
 * without a stream, calls that wait or go on longer than possible, provider connections and scripts
 * without a call. There should be none, ever: each is counted, told, and cleaned up. */
#ifndef GATEWAY_SWEEP_H
#define GATEWAY_SWEEP_H

#include "gateway/media_thread.h"

/* On the media thread itself. The first one also looks at calls that no thread has yet, and asks
 * the script threads. */
void sweep_media(struct media_thread *t);

/* Asks all threads now; what they find is in the metrics a little later. Any thread. */
void sweep_all(struct node *n);

/* Of all kinds, since the node started. */
uint64_t sweep_found(void);

#endif
