/* SPDX-License-Identifier: Apache-2.0 */
/* fake_node.c - accepts on the loop itself, so that a test is one thread and its helper. */
#include "unit/io/fake_node.h"

#include "io/accepter.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

static void on_connection(uv_poll_t *h, int status, int events)
{
    struct fake_node *n = h->data;
    int fd = accept4(n->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

    (void)status;
    (void)events;
    if (fd >= 0)
        http_server_adopt(n->http, fd);
}

void fake_node_init(struct fake_node *n, const struct http_server_opts *o)
{
    struct http_server_opts with_loop = *o;
    char why[128];
    uv_poll_t *poll = malloc(sizeof(*poll));

    if (!poll || loop_new(&n->loop) || listen_tcp(&n->listen_fd, "127.0.0.1:0", why, sizeof(why)))
        abort();
    n->port = listen_port(n->listen_fd);
    with_loop.loop = n->loop;
    if (http_server_new(&n->http, &with_loop))
        abort();
    snprintf(n->url, sizeof(n->url), "%s:%u/x", o->tls ? "wss://localhost" : "ws://127.0.0.1",
             n->port);
    uv_poll_init(loop_uv(n->loop), poll, n->listen_fd);
    poll->data = n;
    uv_poll_start(poll, UV_READABLE, on_connection);
    n->listening = poll;
}

static void free_handle(uv_handle_t *h)
{
    free(h);
}

void fake_node_fini(struct fake_node *n)
{
    http_server_free(n->http);
    uv_close(n->listening, free_handle);
    loop_free(n->loop);
    close(n->listen_fd);
}

struct job {
    struct fake_node *node;
    loop_work_fn *work;
    void *arg;
    int done;
};

static void job_done(void *arg)
{
    struct job *j = arg;

    j->done = 1;
    loop_stop(j->node->loop);
}

static void job_run(void *arg)
{
    struct job *j = arg;

    j->work(j->arg);
}

void fake_node_while(struct fake_node *n, loop_work_fn *work, void *arg)
{
    struct job j = {.node = n, .work = work, .arg = arg};

    if (loop_work(n->loop, job_run, job_done, &j))
        abort();
    while (!j.done)
        loop_run(n->loop); /* others may stop it too */
}

void fake_node_for(struct fake_node *n, unsigned ms)
{
    struct job j = {.node = n};
    struct loop_timer *t;

    if (loop_timer_new(&t, n->loop, job_done, &j))
        abort();
    loop_timer_in(t, ms);
    while (!j.done)
        loop_run(n->loop);
    loop_timer_free(t);
}

static void patience(int fd)
{
    struct timeval tv = {.tv_sec = 5};

    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
}

int fake_peer_connect(uint16_t port)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(fd, (struct sockaddr *)&to, sizeof(to)))
        abort();
    patience(fd);
    return fd;
}

int fake_peer_accept(int listen_fd)
{
    struct pollfd p = {.fd = listen_fd, .events = POLLIN};
    int fd;

    poll(&p, 1, 5000);
    fd = accept(listen_fd, NULL, NULL);
    if (fd < 0)
        abort();
    patience(fd);
    return fd;
}

void fake_peer_send(int fd, const void *p, size_t n)
{
    size_t at = 0;

    while (at < n) {
        ssize_t sent = send(fd, (const char *)p + at, n - at, MSG_NOSIGNAL);

        if (sent <= 0)
            return; /* the other side has ended; what it said tells */
        at += (size_t)sent;
    }
}

size_t fake_peer_read(int fd, char *out, size_t cap, const char *until)
{
    size_t n = 0;

    out[0] = '\0';
    while (n + 1 < cap && !(until && strstr(out, until))) {
        ssize_t got = recv(fd, out + n, cap - 1 - n, 0);

        if (got <= 0)
            break;
        n += (size_t)got;
        out[n] = '\0';
    }
    return n;
}
