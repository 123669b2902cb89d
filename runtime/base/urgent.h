/* SPDX-License-Identifier: Apache-2.0 */
/* urgent.h - a thread whose work is short and late at once if it waits: those that carry audio. */
#ifndef BASE_URGENT_H
#define BASE_URGENT_H

/* From now on the calling thread, when it wakes up, runs before others that have been at it for a
 * while. Needs no privilege; where the kernel does not know how (before Linux 6.12), nothing happens. */
void urgent_thread(void);

#endif
