/* SPDX-License-Identifier: Apache-2.0 */
/* accepter.c - a thread that waits for connections and hands them on.
 *
 * Nothing but poll() on two descriptors: the listening socket and the one that says stop. It takes
 * what is there, at most a batch per wake-up, and calls `fn`, which passes the socket to a media
 * thread. When descriptors run out, accepting pauses for a moment (connections wait in the kernel's
 * backlog) and one line says so, instead of a thread that spins. */
#include "io/accepter.h"

#include "base/log.h"
#include "io/peer.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BATCH = 64, PAUSE_MS = 100 };

struct accepter {
    pthread_t thread;
    int listen_fd; /* owns */
    int stop_fd;   /* owns */
    accepter_fn *fn;
    void *arg;
    bool told; /* that descriptors ran out */
};

/* False: pause, the kernel has no descriptor or memory for us now. */
static bool accept_some(struct accepter *a)
{
    int n;

    for (n = 0; n < BATCH; n++) {
        struct sockaddr_storage from = {0};
        socklen_t len = sizeof(from);
        char peer[PEER_CAP];
        int on = 1;
        int fd =
            accept4(a->listen_fd, (struct sockaddr *)&from, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);

        if (fd < 0)
            return errno != EMFILE && errno != ENFILE && errno != ENOBUFS && errno != ENOMEM;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        peer_text(peer, &from);
        a->fn(fd, peer, a->arg);
    }
    return true;
}

static void *run(void *arg)
{
    struct accepter *a = arg;
    struct pollfd p[2] = {{.fd = a->stop_fd, .events = POLLIN},
                          {.fd = a->listen_fd, .events = POLLIN}};
    bool paused = false;

    (void)pthread_setname_np(pthread_self(), "accepter");
    for (;;) {
        int n = poll(p, paused ? 1 : 2, paused ? PAUSE_MS : -1);

        if (n < 0 && errno != EINTR)
            break;
        if (p[0].revents)
            break;
        paused = !accept_some(a);
        if (paused && !a->told) {
            a->told = true;
            log_error("accept.paused", F_ERR(-errno),
                      F_FIX("raise the limit of open files (ulimit -n, LimitNOFILE=)"));
        }
    }
    return NULL;
}

int accepter_start(struct accepter **out, int listen_fd, accepter_fn *fn, void *arg)
{
    struct accepter *a = calloc(1, sizeof(*a));
    int rc;

    if (!a)
        return -ENOMEM;
    a->listen_fd = listen_fd;
    a->fn = fn;
    a->arg = arg;
    a->stop_fd = eventfd(0, EFD_CLOEXEC);
    if (a->stop_fd < 0) {
        rc = -errno;
        goto fail;
    }
    rc = -pthread_create(&a->thread, NULL, run, a);
    if (rc)
        goto fail;
    *out = a;
    return 0;
fail:
    if (a->stop_fd >= 0)
        close(a->stop_fd);
    free(a);
    return rc;
}

void accepter_stop(struct accepter *a)
{
    if (!a)
        return;
    eventfd_write(a->stop_fd, 1);
    pthread_join(a->thread, NULL);
    close(a->stop_fd);
    close(a->listen_fd);
    free(a);
}
