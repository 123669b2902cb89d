/* SPDX-License-Identifier: Apache-2.0 */
/* asker.h - questions to PostgreSQL from threads that must not wait: asked from any thread, put to
 * the server on a few threads of its own, answered on one of those.
 *
 * A question is asked as somebody: "" is Ringdown itself, any other role has connections of its
 * own. Questions that wait are bounded, so are connections, rows and bytes of an answer, and time:
 * whoever asks is answered, also when the server neither answers nor goes. */
#ifndef STORE_ASKER_H
#define STORE_ASKER_H

#include "base/buf.h"
#include "store/pg.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

struct asker;

struct asker_opts {
    unsigned threads;     /* questions at once; 0: 3 */
    unsigned per_role;    /* of those, as the same role; 0: all */
    unsigned connections; /* open at once; 0: as many as threads */
    unsigned queue;       /* questions that may wait; 0: 256 */
    uint32_t patience_ms; /* for one answer; 0: 4000. The server's own limit should be shorter */
    uint32_t connect_ms;  /* for a connection; 0: as the connection string says */
    uint32_t idle_ms;     /* then a connection is closed; 0: 60000 */
    bool discard;         /* what a question left in the session is thrown away afterwards */

    /* The connection string for a role; may wait. `grants` is what its questions said last. */
    int (*conninfo)(struct buf *out, const char *role, const char *grants, char *why, size_t cap,
                    void *arg);
    void *arg;
};

int asker_start(struct asker **out, const struct asker_opts *o);

/* From now on nobody waits: what was asked and what will be ends at once with RD_EGONE. */
void asker_hush(struct asker *a);
void asker_stop(struct asker *a); /* hushes, joins, frees. NULL is fine */

/* What came of a question; whoever is told owns it. */
struct answer {
    int rc; /* 0; RD_EREFUSED: the server said no (sqlstate); RD_ETOOBIG: more rows or bytes than
             * allowed; RD_EGONE: nobody knows whether it was done; others: no connection */
    char sqlstate[6];
    char why[512];     /* a sentence without rows or parameters; "" for 0 */
    uint64_t affected; /* rows that were read or changed */
    int n_columns;
    uint32_t n_rows;
    struct buf columns; /* of each: type (uint32_t), then name and NUL */
    struct buf cells;   /* of each, row by row: length (int32_t, -1: null), then its bytes */
};
void answer_free(struct answer *a); /* NULL is fine */

/* Read in their order; *at begins with 0. The cell's p is NULL for null. */
struct rd_str answer_cell(const struct answer *a, size_t *at);
const char *answer_column(const struct answer *a, size_t *at, uint32_t *type);

typedef void(answer_fn)(void *arg, struct answer *a); /* NULL: no memory for one */
struct question {
    const char *role, *grants; /* NULL: Ringdown itself */
    const char *sql;
    const char *const *params; /* NULL for null */
    int n_params;
    uint32_t rows_max; /* 0: 1000 */
    size_t bytes_max;  /* 0: 256 KiB */
    atomic_bool
        *begun; /* becomes true when it has not to wait for others any more; NULL: nobody asks */
    answer_fn *done; /* exactly once after 0, on a thread of the asker; takes the answer */
    void *arg;
};

/* Everything is copied. RD_EFULL: too many wait already; -ENOMEM; RD_EGONE: hushed. */
int asker_ask(struct asker *a, const struct question *q);

#endif
