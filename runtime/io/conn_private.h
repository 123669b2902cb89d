/* SPDX-License-Identifier: Apache-2.0 */
/* conn_private.h - the inside of a connection, shared by conn.c (events, reading, ending),
 * conn_output.c and conn_tls.c (the TLS between socket and owner). */
#ifndef IO_CONN_PRIVATE_H
#define IO_CONN_PRIVATE_H

#include "io/conn.h"
#include "io/loop_private.h"

#include <openssl/ssl.h>

enum conn_state {
    CONN_CONNECTING, /* the kernel is at it */
    CONN_STARTING,   /* `ready` or the TLS handshake is due */
    CONN_OPEN,
    CONN_FLUSHING,  /* conn_finish(): output still leaves */
    CONN_LINGERING, /* all sent, the peer may read and end */
    CONN_CLOSED
};

struct conn {
    struct loop *loop;
    const struct conn_ops *ops;
    void *owner; /* borrows */
    int fd;      /* owns */
    enum conn_state state;
    int armed; /* what uv_poll waits for now */
    bool deaf; /* conn_stop_reading() */
    bool want_write;
    bool peer_done;     /* read end of file */
    bool read_on_write; /* TLS wants to write before it can read on */
    bool write_on_read; /* and the other way round */
    unsigned linger_ms;

    SSL *ssl;         /* owns; NULL: plain */
    const char *wire; /* bytes just received that TLS has not taken yet; in loop_wire() */
    size_t n_wire;

    char *out; /* owns: bytes at [start, end) wait for the kernel */
    size_t start, end, cap, max;
    uint64_t waits_since_ms; /* the kernel did not take all; 0: it did */

    struct loop_flush flush;
    struct loop_guest guest;
    struct loop_timer *timer; /* owns; while finishing */
    uv_poll_t poll;
};

/* conn.c: waits for what the state asks for. */
void conn_rearm(struct conn *c);

/* conn_output.c: sends until all is out or the socket is full. 0, or what broke. */
int conn_write_out(struct conn *c, const char **text);

/* conn_tls.c. Each returns 0 or more, or a negative error with a static text in *text. */

/* Puts TLS on a fresh connection; takes ssl also on error. */
int conn_tls_attach(struct conn *c, SSL *ssl);

/* Receives once into the wire buffer: bytes, 0 at end of file, -EAGAIN. */
ssize_t conn_tls_fill(struct conn *c);

/* 1 when the handshake is complete, 0 while it goes on. */
int conn_tls_handshake(struct conn *c, const char **text);

/* Plain bytes into buf; 0 when more must arrive first; -EPIPE when the peer said goodbye. */
ssize_t conn_tls_read(struct conn *c, char *buf, size_t cap, const char **text);

/* Bytes taken; 0 when the socket is full. */
ssize_t conn_tls_write(struct conn *c, const char *p, size_t n, const char **text);

/* Says goodbye, if the socket takes it. */
void conn_tls_bye(struct conn *c);

#endif
