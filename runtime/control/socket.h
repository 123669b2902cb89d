/* SPDX-License-Identifier: Apache-2.0 */
/* socket.h - the Unix socket in the data folder, and the lock that says whose folder it is. */
#ifndef CONTROL_SOCKET_H
#define CONTROL_SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct control_socket {
    int lock_fd;   /* <data>/lock, locked as long as it is open; -1: none */
    int listen_fd; /* nonblocking; -1: handed on or none */
    char path[108];
};

/* Locks the folder, unless the lock was handed over (lock_fd > 0; takes it when it returns 0).
 * -EADDRINUSE when a live process has the folder, else -errno; `why` is a sentence with the remedy,
 * here and below. */
int control_socket_open(struct control_socket *s, const char *data, int lock_fd, char *why,
                        size_t cap);

/* Listens at <data>/control.sock with mode 0600, in place of whatever lies there. */
int control_socket_listen(struct control_socket *s, const char *data, char *why, size_t cap);

/* The folder is another process's: lets its lock go and listens at <data>/draining-<pid>.sock. */
int control_socket_aside(struct control_socket *s, const char *data, pid_t pid);

/* The same for any path: nobody ever finds no socket there. */
int control_listen_at(int *fd, const char *path);

/* Removes the socket's name and gives the lock back. Closes listen_fd unless it is -1. */
void control_socket_close(struct control_socket *s);

/* True when the process at the other end runs as this user or as root. */
bool control_peer_allowed(int fd);

#endif
