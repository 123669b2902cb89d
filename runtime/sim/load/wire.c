/* SPDX-License-Identifier: Apache-2.0 */
/* wire.c - see wire.h.
 *
 * - A connection has one epoll entry, level-triggered; it asks for writability only while something
 *   waits to be written, or while it connects.
 * - A connection that was closed stays until the end of the round: events of the same round may
 *   still point at it.
 *
 * Failure modes: any error of a socket closes it and says so once; a peer that does not read makes
 * its queue grow up to QUEUE_MAX, then it is closed. */
#include "sim/load/wire.h"
#include "sim/load/wire_tls.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { EVENTS = 256, READ_BYTES = 256 * 1024, QUEUE_MAX = 8 << 20 };

struct wire_conn {
    struct wire *wire;
    struct wire_conn *next, **prev; /* all that live, or all that are to be freed */
    const struct wire_handlers *h;
    void *arg;
    wire_accept_fn *accepted; /* a listening socket */
    char *rest;               /* owns: read and not used up */
    char *queue;              /* owns: to be written */
    size_t n_rest, n_queue, queue_cap;
    int fd;
    struct ssl_st *ssl;   /* owns; NULL: plain */
    struct wire_tls *tls; /* a listening socket: whose connections are encrypted */
    bool connecting, dead, watching;
    bool held; /* writing waits for something to be read: a handshake */
};

struct wire {
    int epoll;
    struct wire_conn *live, *dead;
    char *read; /* owns: READ_BYTES */
};

static void link_in(struct wire_conn **list, struct wire_conn *c)
{
    c->next = *list;
    c->prev = list;
    if (c->next)
        c->next->prev = &c->next;
    *list = c;
}

static void link_out(struct wire_conn *c)
{
    *c->prev = c->next;
    if (c->next)
        c->next->prev = c->prev;
}

int wire_new(struct wire **out)
{
    struct wire *w = calloc(1, sizeof(*w));

    if (!w)
        return -ENOMEM;
    w->read = malloc(READ_BYTES);
    w->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (!w->read || w->epoll < 0) {
        wire_free(w);
        return -ENOMEM;
    }
    *out = w;
    return 0;
}

void wire_close(struct wire_conn *c)
{
    if (!c || c->dead)
        return;
    c->dead = true;
    (void)close(c->fd);
    link_out(c);
    link_in(&c->wire->dead, c);
}

static void bury(struct wire *w)
{
    struct wire_conn *c;

    while ((c = w->dead)) {
        link_out(c);
        wire_ssl_free(c->ssl);
        free(c->rest);
        free(c->queue);
        free(c);
    }
}

void wire_hang_up(struct wire_conn *c)
{
    if (c->dead)
        return;
    wire_close(c);
    if (c->h && c->h->closed)
        c->h->closed(c, c->arg);
}

void wire_free(struct wire *w)
{
    if (!w)
        return;
    while (w->live)
        wire_hang_up(w->live);
    bury(w);
    if (w->epoll >= 0)
        (void)close(w->epoll);
    free(w->read);
    free(w);
}

static void watch(struct wire_conn *c, int op)
{
    bool out = c->connecting || (c->n_queue > 0 && !c->held);
    struct epoll_event e = {.events = EPOLLIN | (out ? (uint32_t)EPOLLOUT : 0), .data.ptr = c};

    if (op == EPOLL_CTL_MOD && out == c->watching)
        return;
    c->watching = out;
    (void)epoll_ctl(c->wire->epoll, op, c->fd, &e);
}

static int conn_new(struct wire_conn **out, struct wire *w, int fd)
{
    struct wire_conn *c = calloc(1, sizeof(*c));
    int one = 1;

    if (!c) {
        (void)close(fd);
        return -ENOMEM;
    }
    c->wire = w;
    c->fd = fd;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    link_in(&w->live, c);
    *out = c;
    return 0;
}

int wire_listen(struct wire *w, int fd, struct wire_tls *tls, wire_accept_fn *accepted, void *arg)
{
    struct wire_conn *c;
    int rc = conn_new(&c, w, fd);

    if (rc)
        return rc;
    c->accepted = accepted;
    c->tls = tls;
    c->arg = arg;
    watch(c, EPOLL_CTL_ADD);
    return listen(fd, 4096) < 0 ? -errno : 0;
}

void wire_handle(struct wire_conn *c, const struct wire_handlers *h, void *arg)
{
    c->h = h;
    c->arg = arg;
}

int wire_dial(struct wire_conn **out, struct wire *w, const struct sockaddr_in *to,
              struct wire_tls *tls, const struct wire_handlers *h, void *arg)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int rc = fd < 0 ? -errno : conn_new(out, w, fd);

    if (rc)
        return rc;
    wire_handle(*out, h, arg);
    (*out)->ssl = wire_ssl_new(tls, fd, true);
    if (connect(fd, (const struct sockaddr *)to, sizeof(*to)) < 0 && errno != EINPROGRESS) {
        rc = -errno;
        wire_close(*out);
        *out = NULL;
        return rc;
    }
    (*out)->connecting = true;
    watch(*out, EPOLL_CTL_ADD);
    return 0;
}

static void accept_all(struct wire_conn *listener)
{
    struct wire_conn *c;
    int fd;

    while ((fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        if (conn_new(&c, listener->wire, fd))
            return;
        c->ssl = wire_ssl_new(listener->tls, fd, false);
        listener->accepted(c, listener->arg);
        watch(c, EPOLL_CTL_ADD);
    }
}

/* --- bytes --- */

static ssize_t push(struct wire_conn *c, const char *p, size_t n)
{
    ssize_t done;

    if (c->connecting)
        return 0;
    if (c->ssl)
        return wire_ssl_write(c->ssl, p, n, &c->held);
    done = send(c->fd, p, n, MSG_NOSIGNAL);
    if (done >= 0)
        return done;
    return errno == EAGAIN || errno == EINTR ? 0 : -errno;
}

/* -EAGAIN: nothing there; 0: the end. */
static ssize_t pull(struct wire_conn *c, char *p, size_t cap)
{
    ssize_t n;

    if (c->ssl)
        return wire_ssl_read(c->ssl, p, cap);
    n = recv(c->fd, p, cap, 0);
    if (n >= 0)
        return n;
    return errno == EINTR ? -EAGAIN : -errno;
}

static bool keep(struct wire_conn *c, const char *p, size_t n)
{
    if (c->n_queue + n > c->queue_cap) {
        size_t cap = (c->n_queue + n) * 2;
        char *q = cap > QUEUE_MAX ? NULL : realloc(c->queue, cap);

        if (!q)
            return false;
        c->queue = q;
        c->queue_cap = cap;
    }
    memcpy(c->queue + c->n_queue, p, n);
    c->n_queue += n;
    watch(c, EPOLL_CTL_MOD);
    return true;
}

void wire_send(struct wire_conn *c, const void *data, size_t n)
{
    ssize_t done = 0;

    if (c->dead)
        return;
    if (c->n_queue == 0)
        done = push(c, data, n);
    if (done < 0 || ((size_t)done < n && !keep(c, (const char *)data + done, n - (size_t)done)))
        (void)shutdown(c->fd, SHUT_RDWR); /* told when the loop comes to it, never from in here */
}

static void on_writable(struct wire_conn *c)
{
    ssize_t done;
    int err = 0;
    socklen_t n = sizeof(err);

    if (c->connecting) {
        (void)getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &err, &n);
        if (err) {
            wire_hang_up(c);
            return;
        }
        c->connecting = false;
    }
    done = c->n_queue ? push(c, c->queue, c->n_queue) : 0;
    if (done < 0) {
        wire_hang_up(c);
        return;
    }
    c->n_queue -= (size_t)done;
    if (c->n_queue)
        memmove(c->queue, c->queue + done, c->n_queue);
    watch(c, EPOLL_CTL_MOD);
}

static bool keep_rest(struct wire_conn *c, const char *p, size_t n)
{
    char *rest = n > READ_BYTES / 2 ? NULL : realloc(c->rest, n);

    if (!rest)
        return false;
    c->rest = rest;
    c->n_rest = n;
    memcpy(rest, p, n);
    return true;
}

/* What was left over stands in front of what is read now, so a message is always in one piece. */
static void on_readable(struct wire_conn *c)
{
    char *buffer = c->wire->read;
    size_t all, used;
    ssize_t n;

    if (c->n_rest)
        memcpy(buffer, c->rest, c->n_rest);
    n = pull(c, buffer + c->n_rest, READ_BYTES - c->n_rest);
    if (c->held) {
        c->held = false;
        on_writable(c);
    }
    if (n == -EAGAIN || c->dead)
        return;
    if (n <= 0 || !c->h) {
        wire_hang_up(c);
        return;
    }
    all = c->n_rest + (size_t)n;
    c->n_rest = 0;
    used = c->h->bytes(c, buffer, all, c->arg);
    if (!c->dead && used < all && !keep_rest(c, buffer + used, all - used))
        wire_hang_up(c);
}

void wire_poll(struct wire *w, int64_t timeout_us)
{
    struct timespec t = {timeout_us > 0 ? timeout_us / 1000000 : 0,
                         timeout_us > 0 ? timeout_us % 1000000 * 1000 : 0};
    struct epoll_event events[EVENTS];
    int n = epoll_pwait2(w->epoll, events, EVENTS, &t, NULL);

    for (int i = 0; i < n; i++) {
        struct wire_conn *c = events[i].data.ptr;

        if (!c->dead && c->accepted) {
            accept_all(c);
            continue;
        }
        if (!c->dead && (events[i].events & EPOLLOUT))
            on_writable(c);
        if (!c->dead && (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)))
            on_readable(c);
    }
    if (w->dead)
        bury(w);
}
