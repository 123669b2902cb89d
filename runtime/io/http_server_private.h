/* SPDX-License-Identifier: Apache-2.0 */
/* http_server_private.h - one request inside, shared by http_server.c (its life) and http_forward.c
 * (another process answers it). */
#ifndef IO_HTTP_SERVER_PRIVATE_H
#define IO_HTTP_SERVER_PRIVATE_H

#include "io/conn.h"
#include "io/http_parse.h"
#include "io/http_server.h"
#include "io/loop_private.h"
#include "io/peer.h"

struct forward;

enum request_state { R_STARTING, R_HEAD, R_BODY, R_HANDLER, R_STREAM, R_REPLYING, R_ENDED };

struct http_request {
    struct http_server *server; /* borrows; NULL when ended */
    struct conn *conn;          /* owns */
    enum request_state state;
    struct http_request *prev, *next;
    struct loop_timer *timer; /* owns */
    struct loop_flush ending;
    struct loop *loop;
    bool busy;     /* one too many: to be told so */
    bool is_long;  /* its body is longer than most may be */
    bool is_local; /* from a Unix socket: never TLS */
    size_t ignored;
    size_t stream_max; /* bytes that may wait in R_STREAM */
    bool has_end;      /* of a stream: its length was told */
    struct http_head head;
    char *body; /* owns */
    size_t n_body;
    void *user;
    struct forward *forward; /* it asks another process; NULL: nobody */
    char peer[PEER_CAP];
};

struct http_server {
    struct http_server_opts o;
    struct http_request requests; /* head of a ring */
    unsigned open, n_long;
    struct http_counts counts;
};

/* Lets go of everything; a connection that went elsewhere was taken out of r before. */
void http_request_end(struct http_request *r);

/* The client is gone, or the server ends, while another process was being asked. */
void forward_cancel(struct forward *f);

/* An upgrade: the client's connection goes with it, and the bytes behind its head. */
void forward_upgrade(struct forward *f, const char *p, size_t n);

#endif
