/* SPDX-License-Identifier: Apache-2.0 */
/* listener.h - an HTTP and WebSocket server on a loop of ours: what a double listens with. */
#ifndef SIM_LISTENER_H
#define SIM_LISTENER_H

#include "io/http_server.h"

#include <stdint.h>

struct listener;

/* fd listens already (io/accepter.h) and is ours from now on, also on error. */
int listener_start(struct listener **out, const struct http_server_opts *o, int fd);

/* No new connections afterwards; upgraded sockets live on. NULL is fine. */
void listener_stop(struct listener *l);
uint16_t listener_port(const struct listener *l);

#endif
