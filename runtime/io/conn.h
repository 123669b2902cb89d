/* SPDX-License-Identifier: Apache-2.0 */
/* conn.h - one nonblocking socket, plain or TLS, for ws.c and http_server.c.
 *
 * The owner hears of it through conn_ops, always from the loop. Any of its functions may be called
 * from any of the callbacks, conn_close() too: the memory stays until libuv has let go, and no
 * callback follows a close. Loop's thread only. */
#ifndef IO_CONN_H
#define IO_CONN_H

#include "io/loop.h"
#include "io/tls.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

struct conn;

struct conn_ops {
    /* Connected, and TLS is up. */
    void (*ready)(struct conn *c, void *owner);

    /* Bytes in the loop's scratch buffer, writable, valid during the call. */
    void (*data)(struct conn *c, char *p, size_t n, void *owner);

    /* Over: err 0 when the peer ended it, else -errno or RD_ETLS with a static text (may be NULL).
     * The owner closes. */
    void (*broken)(struct conn *c, int err, const char *text, void *owner);

    /* After conn_finish(): all was sent and the peer is done, or time was up. Closed already. */
    void (*finished)(struct conn *c, void *owner);
};

/* An accepted socket; owned from now on, also on error. tls NULL: plain. `ready` follows from the
 * loop; max_output bounds what waits for the kernel. */
struct conn_opts {
    struct loop *loop;
    const struct conn_ops *ops;
    void *owner;
    size_t max_output;
};
int conn_adopt(struct conn **out, const struct conn_opts *o, int fd, struct tls_server *tls);

/* Connects. tls NULL: plain; else `host` is whom the certificate must name. -errno at once when the
 * kernel refuses at once. */
int conn_dial(struct conn **out, const struct conn_opts *o, const struct sockaddr *to, socklen_t n,
              struct tls_client *tls, const char *host);

/* Another owner, as when an upgraded socket changes hands. */
void conn_set_owner(struct conn *c, const struct conn_ops *ops, void *owner, size_t max_output);

/* Room for n bytes at *p, then conn_commit() what was put there: it leaves at the end of the turn.
 * RD_EFULL when the peer does not take what waits already, -ENOMEM. */
int conn_reserve(struct conn *c, size_t n, char **p);
void conn_commit(struct conn *c, size_t n);
int conn_write(struct conn *c, const void *p, size_t n);

size_t conn_queued(const struct conn *c);

/* For how long something has been queued without a moment in which all of it was out. */
uint64_t conn_waits_ms(const struct conn *c);

/* The kernel takes little more than what it can send at once, so that what a peer does not read is
 * queued here, where it is bounded and seen. */
void conn_give_little(struct conn *c);

/* No more `data`; the kernel's buffers fill up and stop the peer. */
void conn_stop_reading(struct conn *c);

/* Gives buffers back that an idle connection does not need. */
void conn_trim(struct conn *c);

/* Sends what is queued within write_ms, says that no more comes, lets the peer finish within
 * linger_ms (so that it reads our answer instead of a reset) and closes. Input is thrown away. The
 * owner may be NULL from now on (conn_set_owner) and hears `finished`. On error it is closed
 * already and nothing follows. */
int conn_finish(struct conn *c, unsigned write_ms, unsigned linger_ms);

/* At once. NULL is fine. */
void conn_close(struct conn *c);

#endif
