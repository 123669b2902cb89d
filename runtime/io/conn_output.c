/* SPDX-License-Identifier: Apache-2.0 */
/* conn_output.c - a connection's output: one buffer, bounded, that is emptied once per turn.
 *
 * - It grows by doubling and keeps its size, so that a steady stream allocates nothing; a large one
 *   goes back when it is empty, a small one when the connection idles (conn_trim).
 * - When one turn makes more than fits, the kernel is offered what waits before anybody is refused.
 *
 * Failure modes: RD_EFULL means that the peer does not read; what broke the socket shows at the end
 * of the turn, not in the caller's stack. */
#include "io/conn.h"

#include "base/err.h"
#include "io/conn_private.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>

enum {
    OUT_FIRST = 1024, /* first size of the buffer */
    OUT_KEEP = 32768, /* larger ones go back when they are empty */
    NOT_SENT_BYTES = 32768
};

int conn_write_out(struct conn *c, const char **text)
{
    c->want_write = false;
    while (c->start < c->end) {
        size_t want = c->end - c->start;
        ssize_t n;

        if (c->ssl) {
            n = conn_tls_write(c, c->out + c->start, want, text);
        } else {
            n = send(c->fd, c->out + c->start, want, MSG_NOSIGNAL);
            if (n < 0 && errno == EINTR)
                continue;
            if (n < 0)
                n = errno == EAGAIN || errno == EWOULDBLOCK ? 0 : -errno;
        }
        if (n < 0)
            return (int)n;
        c->start += (size_t)n;
        if (n == 0 || (!c->ssl && (size_t)n < want)) {
            if (c->waits_since_ms == 0)
                c->waits_since_ms = loop_now_ms(c->loop);
            c->want_write = !c->write_on_read;
            return 0;
        }
    }
    c->start = c->end = 0;
    c->waits_since_ms = 0;
    if (c->cap > OUT_KEEP) {
        free(c->out);
        c->out = NULL;
        c->cap = 0;
    }
    return 0;
}

/* Makes room behind c->end, moving or growing. */
static int make_room(struct conn *c, size_t n)
{
    size_t used = c->end - c->start, cap = c->cap ? c->cap : OUT_FIRST;
    char *fresh;

    if (c->cap - c->end >= n)
        return 0;
    if (c->cap >= used + n) {
        memmove(c->out, c->out + c->start, used);
    } else {
        while (cap < used + n)
            cap *= 2;
        fresh = malloc(cap);
        if (!fresh)
            return -ENOMEM;
        if (used > 0)
            memcpy(fresh, c->out + c->start, used);
        free(c->out);
        c->out = fresh;
        c->cap = cap;
    }
    c->start = 0;
    c->end = used;
    return 0;
}

int conn_reserve(struct conn *c, size_t n, char **p)
{
    int rc;

    if (n > c->max)
        return RD_EFULL;
    if (c->end - c->start > c->max - n && c->state == CONN_OPEN && !c->want_write) {
        const char *text = NULL;

        /* One turn made more than fits: see what the kernel takes. An error shows again later. */
        if (conn_write_out(c, &text) == 0)
            conn_rearm(c);
    }
    if (c->end - c->start > c->max - n)
        return RD_EFULL;
    rc = make_room(c, n);
    if (rc)
        return rc;
    *p = c->out + c->end;
    return 0;
}

void conn_commit(struct conn *c, size_t n)
{
    c->end += n;
    /* While the socket is full, POLLOUT will flush. */
    if (!c->want_write)
        loop_flush_later(c->loop, &c->flush);
}

int conn_write(struct conn *c, const void *p, size_t n)
{
    char *to;
    int rc = conn_reserve(c, n, &to);

    if (rc)
        return rc;
    memcpy(to, p, n);
    conn_commit(c, n);
    return 0;
}

size_t conn_queued(const struct conn *c)
{
    return c->end - c->start;
}

uint64_t conn_waits_ms(const struct conn *c)
{
    return c->waits_since_ms ? loop_now_ms(c->loop) - c->waits_since_ms : 0;
}

void conn_give_little(struct conn *c)
{
    int bytes = NOT_SENT_BYTES;

    (void)setsockopt(c->fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &bytes, sizeof(bytes));
}

void conn_trim(struct conn *c)
{
    if (c->start < c->end)
        return;
    free(c->out);
    c->out = NULL;
    c->start = c->end = c->cap = 0;
}
