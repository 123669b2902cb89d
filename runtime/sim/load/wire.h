/* SPDX-License-Identifier: Apache-2.0 */
/* wire.h - many TCP connections on one epoll, and as much of WebSocket as both ends of a load run
 * need. Written for little CPU per frame: one read into a buffer that all share, one write straight
 * from the caller's buffer; only what did not fit is copied. One thread. */
#ifndef SIM_LOAD_WIRE_H
#define SIM_LOAD_WIRE_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct wire; /* the epoll and its connections */
struct wire_conn;
struct wire_tls; /* a certificate, or none: whose connections are encrypted */

/* PEM files. RD_ETLS: they cannot be read. */
int wire_tls_server(struct wire_tls **out, const char *cert, const char *key);
int wire_tls_client(struct wire_tls **out); /* trusts anybody */
void wire_tls_free(struct wire_tls *t);     /* after the connections */

struct wire_handlers {
    /* Bytes stand at p, writable; returns how many were used up, the rest comes again with more. */
    size_t (*bytes)(struct wire_conn *c, char *p, size_t n, void *arg);
    void (*closed)(struct wire_conn *c, void *arg); /* by the peer, or an error; not by ourselves */
};

int wire_new(struct wire **out);
void wire_free(struct wire *w); /* all that are left are told that they are closed */

/* Waits at most so long and serves what is there. */
void wire_poll(struct wire *w, int64_t timeout_us);

/* Listens on a bound socket; `accepted` gives a new connection its handlers. */
typedef void(wire_accept_fn)(struct wire_conn *c, void *arg);
int wire_listen(struct wire *w, int fd, struct wire_tls *tls, wire_accept_fn *accepted, void *arg);

int wire_dial(struct wire_conn **out, struct wire *w, const struct sockaddr_in *to,
              struct wire_tls *tls, const struct wire_handlers *h, void *arg);
void wire_handle(struct wire_conn *c, const struct wire_handlers *h, void *arg);

/* Never blocks: what the kernel does not take is kept. */
void wire_send(struct wire_conn *c, const void *data, size_t n);
void wire_hang_up(struct wire_conn *c); /* and tell `closed` */
void wire_close(struct wire_conn *c);   /* NULL is fine; no callback */

/* --- WebSocket --- */

enum { WIRE_HEADER_MAX = 8 };

struct wire_message {
    int op; /* 1 text, 8 close, 9 ping, 10 pong */
    char *p;
    size_t n;
};

/* The first whole frame at p, unmasked in place; returns its size with the header, 0: not there
 * yet. Fragments are told as they come. */
size_t wire_ws_read(char *p, size_t n, struct wire_message *out);

/* The header of a text frame that ends right before `payload`; returns its size. A client's is
 * masked with 0, which changes nothing and costs nothing. */
size_t wire_ws_header(char *payload, size_t n, int op, bool client);

void wire_ws_send(struct wire_conn *c, const char *text, size_t n, bool client);
void wire_ws_pong(struct wire_conn *c, const struct wire_message *ping, bool client);

/* The end of an HTTP head at p: its size with the blank line, 0: not there yet. */
size_t wire_head(const char *p, size_t n);

/* Answers an upgrade request. False: it is none. */
bool wire_ws_accept(struct wire_conn *c, char *head, size_t n);

#endif
