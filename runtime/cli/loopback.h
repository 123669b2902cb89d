/* SPDX-License-Identifier: Apache-2.0 */
/* loopback.h - ports on this machine, for commands that start other parts of this program. */
#ifndef CLI_LOOPBACK_H
#define CLI_LOOPBACK_H

#include <stddef.h>
#include <sys/types.h>

/* "127.0.0.1:PORT" with a port that is free now. */
int loopback_address(char *address, size_t cap);

/* 0 once somebody listens there; -ECHILD when `child` went before it did, -ETIMEDOUT. Waits. */
int loopback_wait(const char *address, pid_t child);

#endif
