/* SPDX-License-Identifier: Apache-2.0 */
/* accepter.h - the one listening socket: its own small thread takes connections and hands the raw
 * sockets on. The socket is inherited (LISTEN_FDS of systemd) or bound here, without SO_REUSEPORT,
 * so that a second process on the same port is told so. */
#ifndef IO_ACCEPTER_H
#define IO_ACCEPTER_H

#include <stddef.h>
#include <stdint.h>

struct accepter;

/* Gets the socket, nonblocking with TCP_NODELAY; must take it or close it. Accepter's thread. */
typedef void(accepter_fn)(int fd, const char *peer, void *arg);

/* Binds and listens; `address` is "host:port", "[v6]:port". -EADDRINUSE and friends with a sentence
 * in `why`. Port 0 picks one. */
int listen_tcp(int *fd, const char *address, char *why, size_t cap);

/* The inherited listening socket (LISTEN_PID, LISTEN_FDS): the one called "public" in LISTEN_FDNAMES,
 * else the first. -1: none. Unsets the variables. */
int listen_inherited(void);

/* The port a listening socket is bound to. */
uint16_t listen_port(int fd);

int accepter_start(struct accepter **out, int listen_fd, accepter_fn *fn, void *arg);

/* No new connections after this returned; joins the thread and closes the socket. */
void accepter_stop(struct accepter *a);

#endif
