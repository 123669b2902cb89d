/* SPDX-License-Identifier: Apache-2.0 */
/* http_server.h - HTTP/1.1 for webhooks, the admin API and WebSocket upgrades: one request per
 * connection, answered and closed (`connection: close`), whatever else the peer had sent. An answer
 * may also be a stream, which goes on until either side ends it.
 *
 * At max_connections a new one takes the place of the oldest that has asked nothing yet or has its
 * answer, one of the same peer if there is one: so a flood displaces itself, and a request that
 * comes whole is served all the same. When all of them wait for answers of ours, it is told 503.
 *
 * Bounded: request line and headers 8 KiB together (431), 64 headers, body by `max_body` (413), the
 * head within 5 s, the body within 10 s, the reply written within 10 s. A body needs
 * Content-Length; none is an empty body, chunked is 411, both, or two different lengths, are 400.
 *
 * Loop's thread only. */
#ifndef IO_HTTP_SERVER_H
#define IO_HTTP_SERVER_H

#include "base/str.h"
#include "io/loop.h"
#include "io/tls.h"
#include "io/ws.h"

#include <stdbool.h>
#include <stddef.h>

struct http_server;
struct http_request;

/* on_upgrade cannot say yet: http_upgrade() or http_reply() follows, or on_gone. */
enum { HTTP_UPGRADE_LATER = -1 };

struct http_refusal {
    const char *type, *extra; /* extra: lines with CRLF; NULL: none */
    struct rd_str body;
};

struct http_handlers {
    /* A whole request. The handler answers with http_reply() now or later; `r` lives until it does
     * or until on_gone. Never called for upgrades. */
    void (*on_request)(struct http_request *r, void *arg);

    /* The peer left before it was answered: forget r. */
    void (*on_gone)(struct http_request *r, void *arg);

    /* A WebSocket upgrade with a valid handshake. Return 0 and fill in handlers and limits to
     * accept
     * (`ws->open` is called next), or an HTTP status to refuse (403, 404, 503). */
    int (*on_upgrade)(struct http_request *r, struct ws_accept *accept, void *arg);

    /* How long the body of this request may be, once its head is there; no less than `max_body`. Few of
     * those that are longer are read at once; 503 for the others. NULL: all have the same. */
    size_t (*body_max)(struct http_request *r, void *arg);

    /* What a request is told that this server refuses by itself (400, 408, 413 …), besides the status:
     * type, more header lines, a body; all static. NULL: nothing. */
    void (*refusal)(int status, struct http_refusal *out, void *arg);
};

struct http_server_opts {
    struct loop *loop;
    struct tls_server *tls; /* borrows; NULL: plain */
    const struct http_handlers *handlers;
    void *arg;
    unsigned head_ms, body_ms; /* 0: 5000, 10000 */
    size_t max_body;           /* 0: 64 KiB */
    unsigned max_long;         /* bodies beyond max_body at once; 0: 16 */
    unsigned max_connections;  /* in progress; upgraded sockets not counted */
};

int http_server_new(struct http_server **out, const struct http_server_opts *o);

/* Takes a connected socket (owns it from now on, also on error). */
int http_server_adopt(struct http_server *s, int fd);

/* Closes what is open (on_gone for each unanswered request) and frees. Upgraded sockets live on. */
void http_server_free(struct http_server *s);

/* The request. All borrowed from it. */
struct rd_str http_method(const struct http_request *r);
struct rd_str http_target(const struct http_request *r); /* raw: path and query as sent */
struct rd_str http_path(const struct http_request *r);   /* raw, up to the '?' */
struct rd_str http_body(const struct http_request *r);
/* Header by its lower-case name; p is NULL when absent. Two of the same name: the first. */
struct rd_str http_header(const struct http_request *r, const char *name);
unsigned http_header_count(const struct http_request *r, const char *name);
const char *http_peer(const struct http_request *r); /* "192.0.2.1"; on a Unix socket "uid 0" */

bool http_is_local(const struct http_request *r); /* came by a Unix socket */

/* A place for the handler's own pointer. */
void http_set_user(struct http_request *r, void *user);
void *http_user(const struct http_request *r);

/* Answers and closes after the bytes are out. `r` is gone when it returns. type may be NULL with an
 * empty body. */
void http_reply(struct http_request *r, int status, const char *type, struct rd_str body);

/* The same with more header lines, each with CRLF. */
void http_reply_with(struct http_request *r, int status, const char *type, const char *extra,
                     struct rd_str body);

/* An answer without an end: its head now, its bytes by http_stream_write(). `r` lives until
 * http_stream_end() or on_gone; a peer that sends anything more is gone. At most `max_queued` bytes
 * wait for a peer that does not read: RD_EFULL, and nothing was added. RD_EPROTO: something was sent
 * behind the request already; `r` is as it was. */
int http_stream(struct http_request *r, const char *type, const char *extra, size_t max_queued);
/* The same with an end: `n_body` bytes follow, in pieces, then http_stream_end(). What a peer sends behind
 * its request is thrown away. */
int http_pieces(struct http_request *r, int status, const char *type, const char *extra,
                uint64_t n_body, size_t max_queued);
int http_stream_write(struct http_request *r, struct rd_str bytes);
size_t http_stream_queued(const struct http_request *r);
void http_stream_end(struct http_request *r); /* what is queued still goes out; `r` is gone */

/* The answer to an upgrade that was to come later; `r` is gone when it returns. Non-zero: it could not
 * be, and nothing of `accept` was used. */
int http_upgrade(struct http_request *r, const struct ws_accept *accept);

/* Closes without an answer. `r` is gone when it returns, and on_gone is not called. */
void http_hang_up(struct http_request *r);

/* Another process answers: the server that listens at the Unix socket `path`. What both sides send is
 * passed on until either ends, an upgrade's frames too. Answered with 421 (it is not theirs), or not
 * answered at all, `refused` gets the request back; with an upgrade that cannot happen. 0: in hand,
 * return from the handler (on_upgrade with any status); -errno: nobody listens, `r` is as it was. */
typedef void(http_refused_fn)(struct http_request *r, void *arg);
int http_forward(struct http_request *r, const char *path, http_refused_fn *refused, void *arg);

/* Counters since the start, for metrics and tests. What a handler refuses is its own to count. */
struct http_counts {
    uint64_t requests, upgrades;
    uint64_t refused;   /* broken requests */
    uint64_t too_big;   /* head or body */
    uint64_t no_room;   /* told 503, or closed at once */
    uint64_t timeouts;  /* told 408, or closed */
    uint64_t displaced; /* closed for a newer one */
};
struct http_counts http_server_counts(const struct http_server *s);

#endif
