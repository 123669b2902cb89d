/* SPDX-License-Identifier: Apache-2.0 */
/* ws.h - WebSocket connections (RFC 6455), server and client, plain and TLS.
 *
 * Reading: one shared buffer per thread, frames parsed and unmasked in place; a whole text message
 * is handed up without a copy when it arrived whole. Writing: messages are put together in the
 * connection's own output buffer and leave with one write per connection and loop turn. The output
 * is bounded: beyond it the connection is dropped (WS_END_OVERFLOW), because a peer that does not
 * read must not cost memory. No allocation per message once the buffers have their size.
 *
 * Pings are answered; our own go out after 20 s without any data from the peer, and 30 s without
 * anything after that ends the connection. Extensions are not offered. Loop's thread only. */
#ifndef IO_WS_H
#define IO_WS_H

#include "base/str.h"
#include "io/loop.h"
#include "io/tls.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

struct ws;

enum ws_end {
    WS_END_US,      /* we closed it and the peer agreed (or did not within 2 s) */
    WS_END_PEER,    /* the peer sent a close frame; code and reason are its own */
    WS_END_LOST,    /* the connection broke, or timed out */
    WS_END_REFUSED, /* client: the upgrade was answered with something else; code is the HTTP status
                     */
    WS_END_PROTOCOL, /* the peer broke the protocol, or a message was above the limit */
    WS_END_OVERFLOW  /* the peer does not read */
};

struct ws_closed {
    enum ws_end why;
    int code;             /* close code, or HTTP status for WS_END_REFUSED, else 0 */
    int err;              /* the error underneath: errno, RD_ETLS, UV_EAI_…; 0 when none */
    struct rd_str reason; /* close reason, or the first bytes (<= 1 KiB) of the HTTP error body */
};

struct ws_handlers {
    void (*open)(struct ws *w, void *arg); /* may be NULL */

    /* A whole text message, valid during the call and writable in place. */
    void (*text)(struct ws *w, char *msg, size_t n, void *arg);

    /* Exactly once per ws that was handed out, last. w is freed when it returns. Never called from
     * inside ws_connect(), ws_send(), ws_close() or ws_drop(): always from the loop. */
    void (*closed)(struct ws *w, const struct ws_closed *c, void *arg);

    /* The same for binary messages. NULL: they end the connection with 1003. */
    void (*binary)(struct ws *w, char *msg, size_t n, void *arg);
};

/* Filled in by http_handlers.on_upgrade. */
struct ws_accept {
    const struct ws_handlers *handlers;
    void *arg;
    size_t max_message; /* 0: 64 KiB */
    size_t max_output;  /* 0: 1 MiB */

    /* How long output may wait for the kernel until it ends with WS_END_OVERFLOW; looked at with each
     * message from or to the peer. The kernel is given little in advance then. 0: for ever. */
    unsigned max_wait_ms;

    /* For a refusal: its body and media type. Borrowed until on_upgrade has returned and its status
     * was sent, which is at once: point into something that outlives the handler. */
    const char *refusal_type;
    struct rd_str refusal;
};

struct ws_connect_opts {
    struct loop *loop;
    const char *url;           /* ws:// or wss://, host, optional port, path and query */
    const char *const *header; /* "Name: value", NULL-terminated; may be NULL */
    struct tls_client *tls;    /* borrows; required for wss */
    unsigned timeout_ms;       /* for resolving, connecting, TLS and upgrade together; 0: 5000 */
    size_t max_message;        /* 0: 16 MiB */
    size_t max_output;         /* 0: 1 MiB */
    const struct ws_handlers *handlers;
    void *arg;
};

/* 0: `closed` will be called once, perhaps without `open` before. Names are resolved off the loop.
 * -EINVAL for a URL that is none; -ENOMEM. */
int ws_connect(struct ws **out, const struct ws_connect_opts *o);

/* Hands a connection to other handlers, as when a warm one is taken into use. */
void ws_set_handlers(struct ws *w, const struct ws_handlers *h, void *arg);

/* Sends one text message made of pieces. 0; RD_ESTATE when not open; RD_EFULL when the bounded
 * output is full (the connection then ends by itself). */
int ws_sendv(struct ws *w, const struct iovec *iov, int n);
int ws_send(struct ws *w, const char *text, size_t n);
int ws_send_binary(struct ws *w, const void *bytes, size_t n);

/* Bytes that wait for the kernel to take them. */
size_t ws_queued(const struct ws *w);

/* Close frame, wait for the peer's (at most 2 s), then `closed`. Repeating is fine. */
void ws_close(struct ws *w, int code, const char *reason);

/* Ends at once, without a close frame; `closed` still follows from the loop. */
void ws_drop(struct ws *w);

#endif
