/* SPDX-License-Identifier: Apache-2.0 */
/* socket.c - one process per data folder, told apart by a lock and not by the socket.
 *
 * - the lock is flock() on <data>/lock: it goes with its process, however that ends
 * - who has the lock may put his socket in place of one that lies there: its maker is dead, or has
 *   handed over the folder. The new one is there before the old name goes: nobody finds nothing
 * - the socket is bound with a umask-proof mode: the folder may be open to readers, the socket is
 * not; besides, each peer's credentials are checked */
#include "control/socket.h"

#include "base/err.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static int lock_folder(const char *data, char *why, size_t cap)
{
    char path[512];
    int fd, rc;

    snprintf(path, sizeof(path), "%s/lock", data);
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        rc = -errno;
        snprintf(why, cap, "cannot open %s: %s", path, rd_strerror(rc));
        return rc;
    }
    if (flock(fd, LOCK_EX | LOCK_NB) == 0)
        return fd;
    rc = errno == EWOULDBLOCK ? -EADDRINUSE : -errno;
    if (rc == -EADDRINUSE)
        snprintf(why, cap,
                 "another ringdown serves the data folder %s; stop it, or give this one its own "
                 "(RINGDOWN_DATA)",
                 data);
    else
        snprintf(why, cap, "cannot lock %s: %s", path, rd_strerror(rc));
    close(fd);
    return rc;
}

int control_listen_at(int *out, const char *path)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int rc = 0, fd, n = snprintf(a.sun_path, sizeof(a.sun_path), "%s~", path);

    if (n < 0 || (size_t)n >= sizeof(a.sun_path))
        return -ENAMETOOLONG;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    unlink(a.sun_path);
    /* fchmod before bind: the name never exists with a wider mode. */
    if (fchmod(fd, 0600) != 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) != 0 ||
        chmod(a.sun_path, 0600) != 0 || listen(fd, 64) != 0 || rename(a.sun_path, path) != 0) {
        rc = -errno;
        close(fd);
        return rc;
    }
    *out = fd;
    return 0;
}

static int too_long(const char *data, char *why, size_t cap)
{
    snprintf(why, cap, "the data folder's name is too long for a socket: %.80s...", data);
    return -ENAMETOOLONG;
}

int control_socket_open(struct control_socket *s, const char *data, int lock_fd, char *why,
                        size_t cap)
{
    char longest[sizeof(s->path)];
    int n, rc = 0;

    *s = (struct control_socket){.lock_fd = lock_fd, .listen_fd = -1};
    n = snprintf(longest, sizeof(longest), "%s/draining-2147483647.sock~", data);
    if (n < 0 || (size_t)n >= sizeof(longest))
        return too_long(data, why, cap);
    if (lock_fd > 0)
        return 0;
    s->lock_fd = lock_folder(data, why, cap);
    if (s->lock_fd < 0) {
        rc = s->lock_fd;
        s->lock_fd = -1;
    }
    return rc;
}

int control_socket_listen(struct control_socket *s, const char *data, char *why, size_t cap)
{
    int rc;

    (void)snprintf(s->path, sizeof(s->path), "%s/control.sock", data);
    rc = control_listen_at(&s->listen_fd, s->path);
    if (rc) {
        snprintf(why, cap, "cannot listen on %s: %s", s->path, rd_strerror(rc));
        s->path[0] = '\0'; /* not ours to remove */
    }
    return rc;
}

int control_socket_aside(struct control_socket *s, const char *data, pid_t pid)
{
    if (s->lock_fd >= 0)
        close(s->lock_fd);
    s->lock_fd = -1;
    (void)snprintf(s->path, sizeof(s->path), "%s/draining-%d.sock", data, (int)pid);
    return control_listen_at(&s->listen_fd, s->path);
}

void control_socket_close(struct control_socket *s)
{
    if (s->path[0])
        unlink(s->path);
    if (s->listen_fd >= 0)
        close(s->listen_fd);
    if (s->lock_fd >= 0)
        close(s->lock_fd);
    *s = (struct control_socket){.lock_fd = -1, .listen_fd = -1};
}

bool control_peer_allowed(int fd)
{
    struct ucred peer;
    socklen_t n = sizeof(peer);

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &n) != 0 || n != sizeof(peer))
        return false;
    return peer.uid == geteuid() || peer.uid == 0;
}
