/* SPDX-License-Identifier: Apache-2.0 */
/* handover.c - the dialog between an old process and the new one that takes over.
 *
 * - one at a time, on a thread of its own (the accepter's), so that a slow newcomer keeps nobody up
 * - who may ask: this user and root, as with the control socket
 *
 * Failure modes: the newcomer dies, or is not ready within READY_MS: nothing has changed, the old one
 * goes on. The old one dies: its sockets are ours already. */
#include "control/handover.h"

#include "base/err.h"
#include "base/log.h"
#include "control/socket.h"
#include "io/accepter.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { READY_MS = 120000, WORD_MS = 10000, LOOK_MS = 100, LINE = 128 };

static const char hello[] = "take over 1\n", ready[] = "ready\n", yours[] = "yours\n";

struct handover {
    struct handover_opts o;
    struct accepter *accepter; /* owns */
    char path[108];
    atomic_bool stopping, given;
};

static int path_of(char path[108], const char *data)
{
    int n = snprintf(path, 108, "%s/handover.sock", data);

    return n < 0 || n >= 108 ? -ENAMETOOLONG : 0;
}

/* A line within so long; what it says. -EPIPE: the other side is gone. */
static int read_line(int fd, char line[LINE], unsigned within_ms, const atomic_bool *stop)
{
    size_t n = 0;

    for (unsigned waited = 0; waited <= within_ms && !(stop && atomic_load(stop));) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        ssize_t got;

        if (poll(&p, 1, LOOK_MS) == 0) {
            waited += LOOK_MS;
            continue;
        }
        got = recv(fd, line + n, 1, 0);
        if (got < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (got <= 0)
            return -EPIPE;
        if (++n == LINE - 1)
            return RD_EPROTO;
        line[n] = '\0';
        if (line[n - 1] == '\n')
            return 0;
    }
    return -ETIMEDOUT;
}

static int say(int fd, const char *line)
{
    return send(fd, line, strlen(line), MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/* ---- the old one ---- */

static int send_fds(int to, const char *line, const int fds[2])
{
    char room[CMSG_SPACE(2 * sizeof(int))] = {0};
    struct iovec iov = {(void *)line, strlen(line)};
    struct msghdr m = {
        .msg_iov = &iov, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof(room)};
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);

    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(2 * sizeof(int));
    memcpy(CMSG_DATA(c), fds, 2 * sizeof(int));
    return sendmsg(to, &m, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

static int dialog(struct handover *h, int fd)
{
    char line[LINE];
    int fds[2], rc = read_line(fd, line, WORD_MS, &h->stopping);

    if (!rc && strcmp(line, hello) != 0)
        rc = RD_EPROTO;
    if (!rc)
        rc = h->o.fds(h->o.arg, fds);
    if (rc)
        return rc;
    (void)snprintf(line, sizeof(line), "%d %" PRIu64 "\n", (int)getpid(), h->o.watchdog_us);
    rc = send_fds(fd, line, fds);
    if (!rc)
        rc = read_line(fd, line, READY_MS, &h->stopping);
    if (!rc && strcmp(line, ready) != 0)
        rc = RD_EPROTO;
    if (!rc)
        rc = h->o.give(h->o.arg);
    if (rc)
        return rc;
    atomic_store(&h->given, true);
    (void)say(fd, yours);
    return 0;
}

static void on_newcomer(int fd, const char *peer, void *arg)
{
    struct handover *h = arg;
    int rc;

    (void)peer;
    rc = control_peer_allowed(fd) && !atomic_load(&h->given) ? dialog(h, fd) : RD_EAUTH;
    if (rc)
        log_warn("handover.failed", F_ERR(rc),
                 F_FIX("this process goes on as before; see what the new one complained about"));
    close(fd);
}

int handover_offer(struct handover **out, const struct handover_opts *o, char *why, size_t cap)
{
    struct handover *h = calloc(1, sizeof(*h));
    int fd = -1, rc = h ? path_of(h->path, o->data) : -ENOMEM;

    if (!rc) {
        h->o = *o;
        rc = control_listen_at(&fd, h->path);
    }
    if (!rc)
        rc = accepter_start(&h->accepter, fd, on_newcomer, h);
    if (rc) {
        (void)snprintf(why, cap, "nobody could take over from this process (%s/handover.sock: %s)",
                       o->data, rd_strerror(rc));
        if (fd >= 0)
            close(fd);
        free(h);
        return rc;
    }
    *out = h;
    return 0;
}

void handover_free(struct handover *h)
{
    if (!h)
        return;
    atomic_store(&h->stopping, true);
    accepter_stop(h->accepter);
    if (!atomic_load(&h->given))
        (void)unlink(h->path); /* else it is another one's by now */
    free(h);
}

/* ---- the new one ---- */

static int receive_fds(struct handed *out)
{
    char room[CMSG_SPACE(2 * sizeof(int))] = {0}, line[LINE] = "";
    struct iovec iov = {line, sizeof(line) - 1};
    struct msghdr m = {
        .msg_iov = &iov, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof(room)};
    struct pollfd p = {.fd = out->dialog, .events = POLLIN};
    struct cmsghdr *c;
    int fds[2], pid;

    if (poll(&p, 1, WORD_MS) != 1)
        return -ETIMEDOUT;
    if (recvmsg(out->dialog, &m, MSG_CMSG_CLOEXEC) <= 0)
        return -EPIPE;
    c = CMSG_FIRSTHDR(&m);
    if (!c || c->cmsg_type != SCM_RIGHTS || c->cmsg_len != CMSG_LEN(sizeof(fds)))
        return RD_EPROTO;
    memcpy(fds, CMSG_DATA(c), sizeof(fds));
    out->listen_fd = fds[0];
    out->lock_fd = fds[1];
    if (sscanf(line, "%d %" SCNu64, &pid, &out->watchdog_us) != 2)
        return RD_EPROTO;
    out->pid = pid;
    return 0;
}

int handover_ask(struct handed *out, const char *data, char *why, size_t cap)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int rc = path_of(a.sun_path, data);

    *out = (struct handed){.dialog = -1, .listen_fd = -1, .lock_fd = -1};
    if (!rc) {
        out->dialog = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        rc = out->dialog < 0 ? -errno : 0;
    }
    if (!rc && connect(out->dialog, (struct sockaddr *)&a, sizeof(a)) != 0)
        rc = errno == ECONNREFUSED ? -ENOENT : -errno;
    if (!rc)
        rc = say(out->dialog, hello);
    if (!rc)
        rc = receive_fds(out);
    if (rc) {
        handed_close(out);
        (void)snprintf(why, cap,
                       "the ringdown that serves the data folder %s does not hand over (%s); is "
                       "another deploy under way? Its log says why",
                       data, rd_strerror(rc));
    }
    return rc;
}

void handover_take(struct handed *h)
{
    char line[LINE];
    int rc = say(h->dialog, ready);

    if (!rc)
        rc = read_line(h->dialog, line, WORD_MS, NULL);
    if (rc)
        log_warn("handover.not_confirmed", F_INT("pid", h->pid), F_ERR(rc),
                 F_FIX("the old process ended, or does not answer; this one serves"));
    close(h->dialog);
    h->dialog = -1;
}

void handed_close(struct handed *h)
{
    int *const fds[] = {&h->dialog, &h->listen_fd, &h->lock_fd};

    for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
        if (*fds[i] >= 0)
            close(*fds[i]);
        *fds[i] = -1;
    }
}
