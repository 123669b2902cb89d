/* SPDX-License-Identifier: Apache-2.0 */
/* listen.c - makes or inherits the listening socket. "host:port", "[v6]:port", ":port" (any
 * address). SO_REUSEADDR lets a restarted node bind while old connections time out; without
 * SO_REUSEPORT a second listener on the same port is an error, told in a sentence. */
#include "io/accepter.h"

#include "base/err.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { FIRST_INHERITED_FD = 3, INHERITED_MAX = 16, BACKLOG = 1024 };

static int say(char *why, size_t cap, int err, const char *address, const char *text)
{
    if (why && cap > 0)
        snprintf(why, cap, "%s: %s", address, text);
    return err;
}

/* Splits into host and port; false when it is neither form. */
static bool split(const char *address, char *host, size_t cap, const char **port)
{
    const char *colon = strrchr(address, ':');
    const char *from = address, *end;

    if (!colon || !colon[1] || strspn(colon + 1, "0123456789") != strlen(colon + 1) ||
        strtol(colon + 1, NULL, 10) > 65535)
        return false;
    end = colon;
    if (*from == '[') {
        if (end - from < 2 || end[-1] != ']')
            return false;
        from++;
        end--;
    } else if (memchr(from, ':', (size_t)(end - from))) {
        return false; /* IPv6 wants its brackets */
    }
    if ((size_t)(end - from) >= cap)
        return false;
    memcpy(host, from, (size_t)(end - from));
    host[end - from] = '\0';
    *port = colon + 1;
    return true;
}

static int bind_one(int *out, const struct addrinfo *ai)
{
    int on = 1, fd, err;

    fd = socket(ai->ai_family, ai->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, ai->ai_protocol);
    if (fd < 0)
        return -errno;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (bind(fd, ai->ai_addr, ai->ai_addrlen) || listen(fd, BACKLOG)) {
        err = -errno;
        close(fd);
        return err;
    }
    *out = fd;
    return 0;
}

int listen_tcp(int *fd, const char *address, char *why, size_t cap)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
    struct addrinfo *list = NULL;
    char host[256];
    const char *port;
    int rc;

    if (!split(address, host, sizeof(host), &port))
        return say(why, cap, RD_ECONFIG, address, "expected host:port or [IPv6 address]:port");
    rc = getaddrinfo(*host && strcmp(host, "*") != 0 ? host : NULL, port, &hints, &list);
    if (rc)
        return say(why, cap, RD_ECONFIG, address, gai_strerror(rc));
    rc = bind_one(fd, list);
    freeaddrinfo(list);
    if (rc == -EADDRINUSE)
        return say(
            why, cap, rc, address,
            "the port is taken, perhaps by another Ringdown; stop that one or listen elsewhere");
    if (rc == -EACCES)
        return say(why, cap, rc, address, "not allowed; ports below 1024 need a privilege");
    if (rc == -EADDRNOTAVAIL)
        return say(why, cap, rc, address, "this machine has no such address");
    if (rc)
        return say(why, cap, rc, address, rd_strerror(rc));
    return 0;
}

/* The environment as it was given to us; before there are threads. */
static const char *env(const char *name)
{
    return getenv(name); /* NOLINT(concurrency-mt-unsafe) */
}

/* Which of `count` sockets is called "public" in "admin:public"; without such a name the first. */
static int named_public(const char *names, int count)
{
    for (int i = 0; names && i < count; i++) {
        size_t n = strcspn(names, ":");

        if (n == strlen("public") && memcmp(names, "public", n) == 0)
            return i;
        names = names[n] ? names + n + 1 : NULL;
    }
    return 0;
}

int listen_inherited(void)
{
    const char *pid = env("LISTEN_PID"), *fds = env("LISTEN_FDS");
    int count = fds ? (int)strtol(fds, NULL, 10) : 0, fd = -1;

    if (pid && strtol(pid, NULL, 10) == (long)getpid() && count > 0 && count <= INHERITED_MAX)
        fd = FIRST_INHERITED_FD + named_public(env("LISTEN_FDNAMES"), count);
    unsetenv("LISTEN_PID");                    /* NOLINT(concurrency-mt-unsafe) */
    unsetenv("LISTEN_FDS");                    /* NOLINT(concurrency-mt-unsafe) */
    unsetenv("LISTEN_FDNAMES");                /* NOLINT(concurrency-mt-unsafe) */
    for (int i = 0; fd >= 0 && i < count; i++) /* programs we start get none of them */
        if (fcntl(FIRST_INHERITED_FD + i, F_SETFD, FD_CLOEXEC) < 0)
            return -1;
    if (fd >= 0)
        fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
}

uint16_t listen_port(int fd)
{
    struct sockaddr_storage a = {0};
    socklen_t n = sizeof(a);

    if (getsockname(fd, (struct sockaddr *)&a, &n))
        return 0;
    if (a.ss_family == AF_INET)
        return ntohs(((struct sockaddr_in *)&a)->sin_port);
    if (a.ss_family == AF_INET6)
        return ntohs(((struct sockaddr_in6 *)&a)->sin6_port);
    return 0;
}
