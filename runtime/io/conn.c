/* SPDX-License-Identifier: Apache-2.0 */
/* conn.c - one socket on uv_poll.
 *
 *   CONNECTING ─▶ STARTING ─▶ OPEN ─conn_finish─▶ FLUSHING ─all out─▶ LINGERING ─▶ CLOSED
 *        └────────────┴─────────┴── broken, conn_close ──┴────────────────┴──────────▲
 *
 * - Reading: one recv() per wake-up into the thread's scratch buffer; the owner parses it there.
 * - Writing: everything of a turn is put together in `out` and leaves with one send() at the end of
 *   the turn. POLLOUT is waited for only after a send was short: arming it costs system calls.
 * - Ending: conn_finish() writes, shuts down our side and throws input away until the peer ends its
 *   own. Closing with unread input would send a reset that can overtake our answer.
 * - conn_close() may come from any callback. It takes everything away at once except the struct,
 *   which libuv frees after the current callbacks; c->state says so to whoever is still in them.
 *
 * Failure modes: `broken` with -errno or RD_ETLS. A failed send first reads what the peer still
 * said, because that tells more than EPIPE. */
#include "io/conn.h"

#include "base/err.h"
#include "io/conn_private.h"
#include "io/tls_private.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void on_poll(uv_poll_t *h, int status, int events);
static void finish_step(struct conn *c);

/* --- what uv_poll waits for ------------------------------------------------------------------- */

void conn_rearm(struct conn *c)
{
    int want = 0;

    if (c->state == CONN_CLOSED)
        return;
    if (c->state != CONN_CONNECTING && !c->deaf && !c->peer_done)
        want |= UV_READABLE;
    if (c->state == CONN_CONNECTING || c->want_write || c->read_on_write)
        want |= UV_WRITABLE;
    if (want == c->armed)
        return;
    c->armed = want;
    if (want)
        uv_poll_start(&c->poll, want, on_poll);
    else
        uv_poll_stop(&c->poll);
}

static void broken(struct conn *c, int err, const char *text)
{
    if (c->state == CONN_CLOSED)
        return;
    if (c->owner && c->state < CONN_FLUSHING) {
        c->ops->broken(c, err, text, c->owner);
        return;
    }
    if (c->owner && c->ops->finished) {
        void *owner = c->owner;
        const struct conn_ops *ops = c->ops;

        conn_close(c);
        ops->finished(c, owner);
        return;
    }
    conn_close(c);
}

static int socket_error(const struct conn *c)
{
    int err = 0;
    socklen_t n = sizeof(err);

    if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &err, &n))
        return -errno;
    return -err;
}

/* --- writing (conn_output.c has the buffer)
 * ---------------------------------------------------------------------------------- */

static void read_once(struct conn *c);

static void flush(struct conn *c)
{
    const char *text = NULL;
    int rc;

    if (c->state == CONN_CONNECTING || c->state == CONN_STARTING || c->state == CONN_CLOSED)
        return;
    rc = conn_write_out(c, &text);
    if (rc) {
        c->start = c->end = 0;
        if (!c->peer_done)
            read_once(c);
        broken(c, rc, text);
        return;
    }
    if (c->state == CONN_FLUSHING)
        finish_step(c);
    conn_rearm(c);
}

static void on_flush(struct loop_flush *f)
{
    flush((struct conn *)((char *)f - offsetof(struct conn, flush)));
}

/* --- reading ---------------------------------------------------------------------------------- */

static void peer_ended(struct conn *c)
{
    c->peer_done = true;
    if (c->state == CONN_FLUSHING)
        conn_rearm(c); /* it may still read what we have for it */
    else
        broken(c, 0, NULL);
}

static void discard(struct conn *c)
{
    char *buf = loop_scratch(c->loop);
    ssize_t n = recv(c->fd, buf, LOOP_SCRATCH_BYTES, 0);

    if (n == 0)
        peer_ended(c);
    else if (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)
        broken(c, -errno, NULL);
}

static void read_plain(struct conn *c)
{
    char *buf = loop_scratch(c->loop);
    ssize_t n;

    do {
        n = recv(c->fd, buf, LOOP_SCRATCH_BYTES, 0);
    } while (n < 0 && errno == EINTR);
    if (n > 0)
        c->ops->data(c, buf, (size_t)n, c->owner);
    else if (n == 0)
        peer_ended(c);
    else if (errno != EAGAIN && errno != EWOULDBLOCK)
        broken(c, -errno, NULL);
}

/* Hands up all that OpenSSL can make of the wire bytes. */
static void take_tls(struct conn *c)
{
    while (c->state == CONN_OPEN) {
        const char *text = NULL;
        ssize_t n = conn_tls_read(c, loop_scratch(c->loop), LOOP_SCRATCH_BYTES, &text);

        if (n > 0) {
            c->ops->data(c, loop_scratch(c->loop), (size_t)n, c->owner);
            continue;
        }
        if (n == -EPIPE)
            peer_ended(c);
        else if (n < 0)
            broken(c, (int)n, text);
        else
            conn_rearm(c);
        return;
    }
}

static void become_open(struct conn *c)
{
    c->state = CONN_OPEN;
    conn_rearm(c);
    if (conn_queued(c) > 0)
        loop_flush_later(c->loop, &c->flush);
    c->ops->ready(c, c->owner);
}

static void shake_hands(struct conn *c)
{
    const char *text = NULL;
    int rc = conn_tls_handshake(c, &text);

    if (rc < 0) {
        broken(c, rc, text);
        return;
    }
    if (rc == 0) {
        if (c->peer_done)
            broken(c, 0, NULL);
        else
            conn_rearm(c);
        return;
    }
    become_open(c);
    take_tls(c); /* the first bytes may have come along */
}

static void read_tls(struct conn *c)
{
    ssize_t n = conn_tls_fill(c);

    if (n == -EAGAIN || n == -EWOULDBLOCK)
        return;
    if (n < 0) {
        broken(c, (int)n, NULL);
        return;
    }
    if (c->state == CONN_STARTING)
        shake_hands(c);
    else
        take_tls(c);
    c->n_wire = 0;
    if (c->state != CONN_CLOSED && c->write_on_read)
        loop_flush_later(c->loop, &c->flush);
}

static void read_once(struct conn *c)
{
    if (c->state == CONN_FLUSHING || c->state == CONN_LINGERING)
        discard(c);
    else if (c->ssl)
        read_tls(c);
    else if (c->state == CONN_OPEN)
        read_plain(c);
}

/* --- events ----------------------------------------------------------------------------------- */

static void connected(struct conn *c)
{
    int err = socket_error(c);

    if (err) {
        broken(c, err, NULL);
        return;
    }
    c->state = CONN_STARTING;
    if (c->ssl)
        shake_hands(c);
    else
        become_open(c);
}

static void on_poll(uv_poll_t *h, int status, int events)
{
    struct conn *c = h->data;

    loop_woke(c->loop);
    if (status) {
        /* libuv has stopped polling and does not say why. Read what came before the error. */
        int err = socket_error(c);

        c->armed = 0;
        if (c->state == CONN_OPEN)
            read_once(c);
        broken(c, err ? err : -ECONNRESET, NULL);
        return;
    }
    if (c->state == CONN_CONNECTING) {
        connected(c);
        return;
    }
    if (events & UV_READABLE)
        read_once(c);
    if (!(events & UV_WRITABLE) || c->state == CONN_CLOSED)
        return;
    if (c->read_on_write && c->state == CONN_STARTING)
        shake_hands(c);
    else if (c->read_on_write)
        take_tls(c);
    if (c->state != CONN_CLOSED)
        flush(c);
}

/* An adopted plain socket is ready, but its owner hears it from the loop. */
static void on_first_flush(struct loop_flush *f)
{
    struct conn *c = (struct conn *)((char *)f - offsetof(struct conn, flush));

    f->flush = on_flush;
    if (c->state == CONN_STARTING && !c->ssl)
        become_open(c);
}

static void leave(struct loop_guest *g)
{
    struct conn *c = (struct conn *)((char *)g - offsetof(struct conn, guest));

    broken(c, -ECANCELED, NULL);
    conn_close(c);
}

/* --- life ------------------------------------------------------------------------------------- */

static int conn_new(struct conn **out, const struct conn_opts *o, int fd)
{
    struct conn *c;
    int on = 1, rc;

    if (loop_leaving(o->loop))
        return -ECANCELED;
    c = calloc(1, sizeof(*c));
    if (!c)
        return -ENOMEM;
    c->loop = o->loop;
    c->ops = o->ops;
    c->owner = o->owner;
    c->max = o->max_output;
    c->fd = fd;
    c->flush.flush = on_flush;
    c->guest.leave = leave;
    rc = uv_poll_init(loop_uv(o->loop), &c->poll, fd); /* makes it nonblocking */
    if (rc) {
        free(c);
        return rc;
    }
    c->poll.data = c;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    loop_guest_add(o->loop, &c->guest);
    *out = c;
    return 0;
}

int conn_adopt(struct conn **out, const struct conn_opts *o, int fd, struct tls_server *tls)
{
    struct conn *c = NULL;
    int rc = conn_new(&c, o, fd);

    if (rc) {
        close(fd);
        return rc;
    }
    c->state = CONN_STARTING;
    if (tls) {
        SSL *ssl = tls_server_ssl(tls);

        rc = ssl ? conn_tls_attach(c, ssl) : -ENOMEM;
        if (rc) {
            conn_close(c);
            return rc;
        }
    } else {
        c->flush.flush = on_first_flush;
        loop_flush_later(c->loop, &c->flush);
    }
    conn_rearm(c);
    *out = c;
    return 0;
}

int conn_dial(struct conn **out, const struct conn_opts *o, const struct sockaddr *to, socklen_t n,
              struct tls_client *tls, const char *host)
{
    int fd = socket(to->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct conn *c = NULL;
    int rc;

    if (fd < 0)
        return -errno;
    if (connect(fd, to, n) && errno != EINPROGRESS) {
        rc = -errno;
        close(fd);
        return rc;
    }
    rc = conn_new(&c, o, fd);
    if (rc) {
        close(fd);
        return rc;
    }
    c->state = CONN_CONNECTING;
    if (tls) {
        SSL *ssl = tls_client_ssl(tls, host);

        rc = ssl ? conn_tls_attach(c, ssl) : -ENOMEM;
        if (rc) {
            conn_close(c);
            return rc;
        }
    }
    conn_rearm(c);
    *out = c;
    return 0;
}

void conn_set_owner(struct conn *c, const struct conn_ops *ops, void *owner, size_t max_output)
{
    c->ops = ops;
    c->owner = owner;
    c->max = max_output;
}

void conn_stop_reading(struct conn *c)
{
    c->deaf = true;
    conn_rearm(c);
}

static void on_finish_timer(void *arg)
{
    broken(arg, -ETIMEDOUT, NULL);
}

/* All is out: say so, then wait for the peer's end. */
static void finish_step(struct conn *c)
{
    if (c->start < c->end)
        return;
    if (c->ssl)
        conn_tls_bye(c);
    shutdown(c->fd, SHUT_WR);
    c->state = CONN_LINGERING;
    if (c->peer_done) {
        broken(c, 0, NULL);
        return;
    }
    loop_timer_in(c->timer, c->linger_ms);
}

int conn_finish(struct conn *c, unsigned write_ms, unsigned linger_ms)
{
    int rc = RD_ESTATE;

    if (c->state >= CONN_FLUSHING)
        return 0;
    if (c->state == CONN_CONNECTING || (c->state == CONN_STARTING && c->ssl))
        goto fail;
    rc = loop_timer_new(&c->timer, c->loop, on_finish_timer, c);
    if (rc)
        goto fail;
    c->state = CONN_FLUSHING;
    c->flush.flush = on_flush;
    c->linger_ms = linger_ms;
    c->deaf = false;
    c->read_on_write = c->write_on_read = false;
    loop_timer_in(c->timer, write_ms);
    loop_flush_later(c->loop, &c->flush);
    conn_rearm(c);
    return 0;
fail:
    conn_close(c);
    return rc;
}

static void free_conn(uv_handle_t *h)
{
    free(h->data);
}

void conn_close(struct conn *c)
{
    if (!c || c->state == CONN_CLOSED)
        return;
    c->state = CONN_CLOSED;
    c->owner = NULL;
    loop_flush_cancel(c->loop, &c->flush);
    loop_guest_remove(&c->guest);
    loop_timer_free(c->timer);
    if (c->ssl)
        SSL_free(c->ssl);
    c->ssl = NULL;
    uv_close((uv_handle_t *)&c->poll, free_conn);
    close(c->fd);
    free(c->out);
    c->out = NULL;
    c->start = c->end = c->cap = 0;
}
