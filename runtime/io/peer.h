/* SPDX-License-Identifier: Apache-2.0 */
/* peer.h - who is at the other end, as people read it: an address without the port (IPv4 inside IPv6
 * is shown as IPv4), or on a Unix socket the user. */
#ifndef IO_PEER_H
#define IO_PEER_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

enum { PEER_CAP = INET6_ADDRSTRLEN };

/* Unix sockets and others give "local". */
static inline void peer_text(char out[PEER_CAP], const struct sockaddr_storage *a)
{
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)a;
    const char *done = NULL;

    if (a->ss_family == AF_INET)
        done = inet_ntop(AF_INET, &((const struct sockaddr_in *)a)->sin_addr, out, PEER_CAP);
    else if (a->ss_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr))
        done = inet_ntop(AF_INET, v6->sin6_addr.s6_addr + 12, out, PEER_CAP);
    else if (a->ss_family == AF_INET6)
        done = inet_ntop(AF_INET6, &v6->sin6_addr, out, PEER_CAP);
    if (!done)
        memcpy(out, "local", sizeof("local"));
}

/* "uid 1000" */
static inline void peer_user(char out[PEER_CAP], int fd)
{
    struct ucred user;
    socklen_t n = sizeof(user);

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &user, &n) == 0 && n == sizeof(user))
        (void)snprintf(out, PEER_CAP, "uid %u", (unsigned)user.uid);
    else
        memcpy(out, "local", sizeof("local"));
}

#endif
