/* SPDX-License-Identifier: Apache-2.0 */
/* relay.c - a byte relay: one thread, one epoll, one write for each read, nothing looked at.
 *
 * A side that does not take its bytes stops the other from being read until it does. Either side's
 * end is the end of both. */
#include "sim/load/relay.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EVENTS = 256, BYTES = 64 * 1024 };

struct side {
    struct side *other;
    char *rest; /* owns: the kernel did not take it */
    size_t n_rest;
    int fd;
    bool dead;
    struct side *next_dead;
};

struct relay {
    int epoll, listener;
    struct sockaddr_in to;
    struct side *dead;
    char bytes[BYTES];
};

static void watch(struct relay *r, struct side *s, int op)
{
    struct epoll_event e = {.data.ptr = s};

    e.events = (s->other->n_rest ? 0 : (uint32_t)EPOLLIN) | (s->n_rest ? (uint32_t)EPOLLOUT : 0);
    (void)epoll_ctl(r->epoll, op, s->fd, &e);
}

static void end_side(struct relay *r, struct side *s)
{
    s->dead = true;
    (void)close(s->fd);
    s->next_dead = r->dead;
    r->dead = s;
}

static void end_both(struct relay *r, struct side *s)
{
    if (s->dead)
        return;
    end_side(r, s->other);
    end_side(r, s);
}

static void bury(struct relay *r)
{
    while (r->dead) {
        struct side *s = r->dead;

        r->dead = s->next_dead;
        free(s->rest);
        free(s);
    }
}

static void keep(struct relay *r, struct side *s, const char *p, size_t n)
{
    char *rest = malloc(n);

    if (!rest) {
        end_both(r, s);
        return;
    }
    memcpy(rest, p, n);
    free(s->rest);
    s->rest = rest;
    s->n_rest = n;
    watch(r, s, EPOLL_CTL_MOD);
    watch(r, s->other, EPOLL_CTL_MOD);
}

static void pass_on(struct relay *r, struct side *from)
{
    ssize_t n = recv(from->fd, r->bytes, BYTES, MSG_DONTWAIT), done;

    if (n <= 0) {
        if (n == 0 || (errno != EAGAIN && errno != EINTR))
            end_both(r, from);
        return;
    }
    done = send(from->other->fd, r->bytes, (size_t)n, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (done < 0 && errno != EAGAIN)
        end_both(r, from);
    else if (done < n)
        keep(r, from->other, r->bytes + (done > 0 ? done : 0), (size_t)(n - (done > 0 ? done : 0)));
}

static void push_rest(struct relay *r, struct side *s)
{
    ssize_t done = send(s->fd, s->rest, s->n_rest, MSG_NOSIGNAL | MSG_DONTWAIT);

    if (done < 0) {
        if (errno != EAGAIN)
            end_both(r, s);
        return;
    }
    s->n_rest -= (size_t)done;
    memmove(s->rest, s->rest + done, s->n_rest);
    if (s->n_rest)
        return;
    watch(r, s, EPOLL_CTL_MOD);
    watch(r, s->other, EPOLL_CTL_MOD);
}

static void join(struct relay *r, int fd)
{
    struct side *a = calloc(1, sizeof(*a)), *b = calloc(1, sizeof(*b));
    int one = 1, out = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (!a || !b || out < 0 || connect(out, (struct sockaddr *)&r->to, sizeof(r->to)) < 0) {
        free(a);
        free(b);
        (void)close(fd);
        if (out >= 0)
            (void)close(out);
        return;
    }
    *a = (struct side){.other = b, .fd = fd};
    *b = (struct side){.other = a, .fd = out};
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    (void)setsockopt(out, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    watch(r, a, EPOLL_CTL_ADD);
    watch(r, b, EPOLL_CTL_ADD);
}

static void serve(struct relay *r, const struct epoll_event *e)
{
    struct side *s = e->data.ptr;

    if (!s) {
        int fd = accept4(r->listener, NULL, NULL, SOCK_CLOEXEC);

        if (fd >= 0)
            join(r, fd);
        return;
    }
    if (!s->dead && (e->events & EPOLLOUT))
        push_rest(r, s);
    if (!s->dead && !s->other->n_rest && (e->events & (EPOLLIN | EPOLLHUP | EPOLLERR)))
        pass_on(r, s);
}

int relay_run(uint16_t from, uint16_t to)
{
    static struct relay r;
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons(from)};
    struct epoll_event e = {.events = EPOLLIN}, events[EVENTS];
    int one = 1;

    here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    r.to = here;
    r.to.sin_port = htons(to);
    r.epoll = epoll_create1(EPOLL_CLOEXEC);
    r.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    (void)setsockopt(r.listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (bind(r.listener, (struct sockaddr *)&here, sizeof(here)) < 0 ||
        listen(r.listener, 4096) < 0 || epoll_ctl(r.epoll, EPOLL_CTL_ADD, r.listener, &e) < 0)
        return -errno;
    for (;;) {
        int n = epoll_wait(r.epoll, events, EVENTS, -1);

        if (n < 0 && errno != EINTR)
            return -errno;
        for (int i = 0; i < n; i++)
            serve(&r, &events[i]);
        bury(&r);
    }
}
