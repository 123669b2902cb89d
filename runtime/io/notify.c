/* SPDX-License-Identifier: Apache-2.0 */
/* notify.c - one datagram to the socket of NOTIFY_SOCKET: a path, or '@' and an abstract name.
 *
 * Failure modes: the manager does not read: the datagram is dropped, the next one follows soon. */
#include "io/notify.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* The environment is written before there are threads, and only read afterwards. */
static const char *env(const char *name)
{
    return getenv(name); /* NOLINT(concurrency-mt-unsafe) */
}

int notify_send(const char *lines)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    const char *name = env("NOTIFY_SOCKET");
    size_t n = name ? strlen(name) : 0;
    int fd, rc = 0;

    if (n < 2 || (name[0] != '/' && name[0] != '@'))
        return -ENOENT;
    if (n >= sizeof(a.sun_path))
        return -ENAMETOOLONG;
    memcpy(a.sun_path, name, n);
    if (name[0] == '@')
        a.sun_path[0] = '\0';
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    if (sendto(fd, lines, strlen(lines), MSG_NOSIGNAL, (struct sockaddr *)&a,
               (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n)) < 0)
        rc = -errno;
    close(fd);
    return rc;
}

uint64_t notify_watchdog_us(void)
{
    const char *us = env("WATCHDOG_USEC"), *pid = env("WATCHDOG_PID");

    if (!us || (pid && strtol(pid, NULL, 10) != (long)getpid()))
        return 0;
    return strtoull(us, NULL, 10);
}
