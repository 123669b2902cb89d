/* SPDX-License-Identifier: Apache-2.0 */
/* wait.h - condition variables with a limit, on the monotonic clock: setting the wall clock neither
 * wakes anybody nor makes them oversleep. */
#ifndef BASE_WAIT_H
#define BASE_WAIT_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

void wait_init(pthread_cond_t *c);

/* With `lock` held; at_us as monotonic_us() counts. False: it is that late. True: somebody called,
 * or nobody (see pthread_cond_wait). */
bool wait_until(pthread_cond_t *c, pthread_mutex_t *lock, uint64_t at_us);

#endif
