/* SPDX-License-Identifier: Apache-2.0 */
/* notify.h - tells the service manager (systemd, or whoever set NOTIFY_SOCKET) how far we are. Without
 * one, nothing is done. Any thread. */
#ifndef IO_NOTIFY_H
#define IO_NOTIFY_H

#include <stdint.h>

/* Lines as of sd_notify(3): "READY=1", "STOPPING=1\nSTATUS=…". Never waits: 0, -ENOENT when nobody
 * listens, -errno. */
int notify_send(const char *lines);

/* How long the manager waits for a WATCHDOG=1, in µs (WATCHDOG_USEC and WATCHDOG_PID); 0: it does not. */
uint64_t notify_watchdog_us(void);

#endif
