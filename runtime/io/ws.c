/* SPDX-License-Identifier: Apache-2.0 */
/* ws.c - an open WebSocket, either side.
 *
 *   DIALLING ─▶ OPEN ─ws_close─▶ CLOSING ─▶ ENDED ─end of turn─▶ `closed`, freed
 *       └────────┴── peer's close, broken, protocol, overflow ──▲
 *
 * - Bytes come in the thread's scratch buffer; the decoder shows whole messages, most of them in
 *   place. Messages go out through the connection's buffer, masked while they are copied.
 * - ws_end() is the only way to the end. It lets go of the socket and queues the one `closed`
 *   callback for the end of the turn, so that no caller's stack sees it and w stays valid in all
 *   callbacks before.
 * - One timer per connection looks at most every 20 s whether the peer has been silent; it is not
 *   touched per frame. */
#include "io/ws_private.h"

#include "base/err.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    PING_AFTER_MS = 20000,
    GIVE_UP_AFTER_MS = 30000, /* after the ping */
    CLOSE_WAIT_MS = 2000,
    LINGER_MS = 1000,
    MAX_OUTPUT = 1 << 20,
    MAX_MESSAGE = 64 << 10,
    REASON_MAX = WS_CONTROL_MAX - 2
};

static const struct rd_str nothing = {"", 0};

/* --- the end ---------------------------------------------------------------------------------- */

static void ws_free(struct ws *w)
{
    loop_guest_remove(&w->guest);
    loop_flush_cancel(w->loop, &w->ending);
    loop_timer_free(w->timer);
    ws_dial_free(w->dial);
    ws_decoder_fini(&w->decoder);
    conn_close(w->conn);
    free((char *)w->closed.reason.p);
    free(w);
}

static void on_ending(struct loop_flush *f)
{
    struct ws *w = (struct ws *)((char *)f - offsetof(struct ws, ending));
    struct ws_closed closed = w->closed;

    if (!closed.reason.p)
        closed.reason = nothing;
    w->handlers->closed(w, &closed, w->arg);
    ws_free(w);
}

void ws_end(struct ws *w, enum ws_end why, int code, int err, struct rd_str reason, bool polite)
{
    char *copy;

    if (w->state == WS_ENDED)
        return;
    w->state = WS_ENDED;
    w->closed = (struct ws_closed){.why = why, .code = code, .err = err};
    copy = reason.n > 0 ? malloc(reason.n) : NULL;
    if (copy) {
        memcpy(copy, reason.p, reason.n);
        w->closed.reason = (struct rd_str){copy, reason.n};
    }
    loop_timer_stop(w->timer);
    if (w->conn && polite) {
        conn_set_owner(w->conn, NULL, NULL, w->max_output);
        conn_finish(w->conn, CLOSE_WAIT_MS, LINGER_MS);
    } else {
        conn_close(w->conn);
    }
    w->conn = NULL;
    loop_flush_later(w->loop, &w->ending);
}

static void on_leave(struct loop_guest *g)
{
    struct ws *w = (struct ws *)((char *)g - offsetof(struct ws, guest));

    ws_end(w, WS_END_LOST, 0, -ECANCELED, nothing, false);
}

/* --- sending ---------------------------------------------------------------------------------- */

static int send_frame(struct ws *w, enum ws_op op, const struct iovec *iov, int n)
{
    size_t total = 0, at = 0, header;
    uint32_t mask = 0;
    char *to;
    int i, rc;

    for (i = 0; i < n; i++)
        total += iov[i].iov_len;
    header = ws_header_size(total, !w->server);
    if (!w->server) {
        rc = loop_random32(w->loop, &mask);
        if (rc)
            return rc;
    }
    rc = conn_reserve(w->conn, header + total, &to);
    if (rc)
        return rc;
    ws_header((uint8_t *)to, op, total, w->server ? NULL : &mask);
    to += header;
    for (i = 0; i < n; i++) {
        if (w->server && iov[i].iov_len > 0)
            memcpy(to + at, iov[i].iov_base, iov[i].iov_len);
        else if (iov[i].iov_len > 0)
            ws_mask(to + at, iov[i].iov_base, iov[i].iov_len, mask, at);
        at += iov[i].iov_len;
    }
    conn_commit(w->conn, header + total);
    return 0;
}

/* A peer that does not read, or so slowly that what waits never gets less. */
static bool gave_up_waiting(struct ws *w)
{
    if (w->max_wait_ms == 0 || conn_waits_ms(w->conn) < w->max_wait_ms)
        return false;
    ws_end(w, WS_END_OVERFLOW, 0, -ETIMEDOUT, nothing, false);
    return true;
}

static int send_message(struct ws *w, enum ws_op op, const struct iovec *iov, int n)
{
    int rc;

    if (w->state != WS_OPEN)
        return RD_ESTATE;
    if (gave_up_waiting(w))
        return RD_EFULL;
    rc = send_frame(w, op, iov, n);
    if (rc)
        ws_end(w, rc == RD_EFULL ? WS_END_OVERFLOW : WS_END_LOST, 0, rc, nothing, false);
    return rc;
}

int ws_sendv(struct ws *w, const struct iovec *iov, int n)
{
    return send_message(w, WS_OP_TEXT, iov, n);
}

int ws_send(struct ws *w, const char *text, size_t n)
{
    struct iovec iov = {.iov_base = (void *)text, .iov_len = n};

    return ws_sendv(w, &iov, 1);
}

int ws_send_binary(struct ws *w, const void *bytes, size_t n)
{
    struct iovec iov = {.iov_base = (void *)bytes, .iov_len = n};

    return send_message(w, WS_OP_BINARY, &iov, 1);
}

size_t ws_queued(const struct ws *w)
{
    return w->conn ? conn_queued(w->conn) : 0;
}

/* A control frame; when there is no room even for that, the peer does not read. */
static bool send_control(struct ws *w, enum ws_op op, const void *p, size_t n)
{
    struct iovec iov = {.iov_base = (void *)p, .iov_len = n};
    int rc = send_frame(w, op, &iov, 1);

    if (rc)
        ws_end(w, rc == RD_EFULL ? WS_END_OVERFLOW : WS_END_LOST, 0, rc, nothing, false);
    return rc == 0;
}

/* The reason is cut where a character ends. */
static bool send_close(struct ws *w, int code, struct rd_str reason)
{
    uint8_t body[WS_CONTROL_MAX];
    size_t n = reason.n;

    if (code == 1005)
        return send_control(w, WS_OP_CLOSE, "", 0);
    if (n > REASON_MAX) {
        n = REASON_MAX;
        while (n > 0 && ((uint8_t)reason.p[n] & 0xC0) == 0x80)
            n--;
    }
    body[0] = (uint8_t)(code >> 8);
    body[1] = (uint8_t)code;
    if (n > 0)
        memcpy(body + 2, reason.p, n);
    return send_control(w, WS_OP_CLOSE, body, 2 + n);
}

void ws_close(struct ws *w, int code, const char *reason)
{
    if (w->state == WS_DIALLING)
        ws_end(w, WS_END_US, 0, 0, nothing, false);
    if (w->state != WS_OPEN || !send_close(w, code, rd_str(reason)))
        return;
    w->state = WS_CLOSING;
    w->closed.code = code;
    loop_timer_in(w->timer, CLOSE_WAIT_MS);
}

void ws_drop(struct ws *w)
{
    ws_end(w, WS_END_US, 0, 0, nothing, false);
}

/* --- receiving -------------------------------------------------------------------------------- */

static void protocol_error(struct ws *w, int code, int err)
{
    if (w->state == WS_OPEN && !send_close(w, code, nothing))
        return;
    ws_end(w, WS_END_PROTOCOL, code, err, nothing, true);
}

static void peer_closes(struct ws *w, const struct ws_event *ev)
{
    if (w->state == WS_CLOSING) {
        ws_end(w, WS_END_US, w->closed.code, 0, nothing, true);
        return;
    }
    if (send_close(w, ev->code, nothing))
        ws_end(w, WS_END_PEER, ev->code, 0, (struct rd_str){ev->data, ev->n}, true);
}

static void on_event(struct ws *w, struct ws_event *ev)
{
    if (ev->op == WS_OP_CLOSE) {
        peer_closes(w, ev);
        return;
    }
    if (w->state != WS_OPEN)
        return; /* we are closing: the rest is of no interest */
    if (ev->op == WS_OP_TEXT)
        w->handlers->text(w, ev->data, ev->n, w->arg);
    else if (ev->op == WS_OP_BINARY && w->handlers->binary)
        w->handlers->binary(w, ev->data, ev->n, w->arg);
    else if (ev->op == WS_OP_BINARY)
        protocol_error(w, 1003, RD_EPROTO);
    else if (ev->op == WS_OP_PING)
        send_control(w, WS_OP_PONG, ev->data, ev->n);
}

static void on_data(struct conn *c, char *p, size_t n, void *owner)
{
    struct ws *w = owner;
    struct ws_event ev;
    int rc;

    (void)c;
    w->last_rx_ms = loop_now_ms(w->loop);
    if (w->pinged) {
        w->pinged = false;
        if (w->state == WS_OPEN)
            loop_timer_at(w->timer, w->last_rx_ms + w->ping_after_ms);
    }
    while ((rc = ws_decode(&w->decoder, &p, &n, &ev)) > 0) {
        on_event(w, &ev);
        if (w->state == WS_ENDED)
            return;
    }
    if (rc < 0)
        protocol_error(w, ws_close_code(rc), rc);
    else
        (void)gave_up_waiting(w);
}

static void on_broken(struct conn *c, int err, const char *text, void *owner)
{
    struct ws *w = owner;

    (void)c;
    if (w->state == WS_CLOSING)
        ws_end(w, WS_END_US, w->closed.code, err, nothing, false);
    else
        ws_end(w, WS_END_LOST, 0, err, rd_str(text), false);
}

static void on_ready(struct conn *c, void *owner)
{
    (void)c;
    (void)owner;
}

static const struct conn_ops ops = {
    .ready = on_ready,
    .data = on_data,
    .broken = on_broken,
};

/* --- time ------------------------------------------------------------------------------------- */

static void on_timer(void *arg)
{
    struct ws *w = arg;
    uint64_t now_ms = loop_now_ms(w->loop);

    if (w->state == WS_DIALLING) {
        ws_dial_timeout(w->dial);
    } else if (w->state == WS_CLOSING) {
        ws_end(w, WS_END_US, w->closed.code, -ETIMEDOUT, nothing, false);
    } else if (w->pinged) {
        ws_end(w, WS_END_LOST, 0, -ETIMEDOUT, nothing, false);
    } else if (now_ms < w->last_rx_ms + w->ping_after_ms) {
        loop_timer_at(w->timer, w->last_rx_ms + w->ping_after_ms);
    } else if (w->state == WS_OPEN) {
        conn_trim(w->conn);
        ws_decoder_trim(&w->decoder);
        if (!send_control(w, WS_OP_PING, "", 0))
            return;
        w->pinged = true;
        loop_timer_in(w->timer, w->give_up_after_ms);
    }
}

/* --- life ------------------------------------------------------------------------------------- */

int ws_make(struct ws **out, struct loop *l, bool server)
{
    struct ws *w;
    int rc;

    if (loop_leaving(l))
        return -ECANCELED;
    w = calloc(1, sizeof(*w));
    if (!w)
        return -ENOMEM;
    w->loop = l;
    w->server = server;
    w->ping_after_ms = PING_AFTER_MS;
    w->give_up_after_ms = GIVE_UP_AFTER_MS;
    w->ending.flush = on_ending;
    w->guest.leave = on_leave;
    rc = loop_timer_new(&w->timer, l, on_timer, w);
    if (rc) {
        free(w);
        return rc;
    }
    loop_guest_add(l, &w->guest);
    *out = w;
    return 0;
}

void ws_discard(struct ws *w)
{
    if (w)
        ws_free(w);
}

void ws_begin(struct ws *w, struct conn *c, size_t max_message, char *p, size_t n)
{
    if (w->max_output == 0)
        w->max_output = MAX_OUTPUT;
    w->conn = c;
    conn_set_owner(c, &ops, w, w->max_output);
    if (w->max_wait_ms > 0)
        conn_give_little(c);
    ws_decoder_init(&w->decoder, w->server, max_message ? max_message : MAX_MESSAGE);
    w->state = WS_OPEN;
    w->last_rx_ms = loop_now_ms(w->loop);
    loop_timer_stop(w->timer); /* the dialling deadline */
    if (w->handlers->open)
        w->handlers->open(w, w->arg);
    if (w->state == WS_OPEN)
        loop_timer_at(w->timer, w->last_rx_ms + w->ping_after_ms);
    if (n > 0 && (w->state == WS_OPEN || w->state == WS_CLOSING))
        on_data(c, p, n, w);
}

void ws_set_handlers(struct ws *w, const struct ws_handlers *h, void *arg)
{
    w->handlers = h;
    w->arg = arg;
}
