/* SPDX-License-Identifier: Apache-2.0 */
/* pool.h - a few connections to PostgreSQL, lent to threads that may wait. Any thread; but
 * pool_take() and what one does with its connection block, so never a media or script thread, nor
 * the control loop: that one asks through pool_query().
 *
 * Connections are opened when they are needed and kept. A broken one is closed when it comes back;
 * while the server cannot be reached, attempts are spaced out (base/retry.h), whoever waits. Nobody
 * waits longer than he said, but for him who happens to open one (connect_timeout). */
#ifndef STORE_POOL_H
#define STORE_POOL_H

#include "io/loop.h"
#include "store/pg.h"

#include <stddef.h>
#include <stdint.h>

struct pool;

struct pool_opts {
    const char *conninfo; /* of database_conninfo(); copied */
    unsigned max;         /* connections at once; 0: 4 */
};

int pool_new(struct pool **out, const struct pool_opts *o);

/* Closes all. Everything lent has been given back, every pool_query() been answered. NULL is fine. */
void pool_free(struct pool *p);

/* Another server from now on (the private cluster has come up): connections to the old one are
 * closed as they come back. 0, -ENOMEM. */
int pool_point(struct pool *p, const char *conninfo);

/* A connection, the caller's until pool_give(). RD_ELATE: all are lent for that long; otherwise what
 * pg_open() said last, with a sentence for the operator in `why`. */
int pool_take(struct pool *p, uint32_t timeout_ms, struct pg **out, char *why, size_t cap);
void pool_give(struct pool *p, struct pg *pg); /* a transaction that was left open is rolled back */

/* One statement without blocking the loop: taken, asked and given back on a helper thread. `done`
 * runs on the loop with 0, RD_EREFUSED (result has sqlstate and message), RD_EGONE (unknown whether
 * it was done) or pool_take()'s errors (then result is NULL); rows are read from `result`, which is
 * borrowed until done returns. `why` is never NULL. Parameters are copied. -ENOMEM: never called. */
typedef void(pool_done_fn)(void *arg, int rc, const struct pg *result, const char *why);
struct pool_statement {
    const char *sql; /* borrows until done: a literal */
    const char *const *params;
    int n_params;
    uint32_t timeout_ms; /* for a connection; 0: 2000 */
};
int pool_query(struct pool *p, struct loop *l, const struct pool_statement *s, pool_done_fn *done,
               void *arg);

struct pool_gauges {
    unsigned open, lent, waiting;
    uint64_t opened, broken; /* connections, since the start */
    uint64_t errors;         /* attempts to connect that failed */
    char last_error[256];    /* of the last attempt; "" when it worked */
};
void pool_gauges(struct pool *p, struct pool_gauges *out);

#endif
