/* SPDX-License-Identifier: Apache-2.0 */
/* pg_private.h - a connection's inside, for the files that ask through it. */
#ifndef STORE_PG_PRIVATE_H
#define STORE_PG_PRIVATE_H

#include "store/pg.h"

#include <libpq-fe.h>

enum { PG_MESSAGE_MAX = 512 };

struct pg {
    PGconn *conn;     /* owns */
    PGresult *result; /* owns; of the last query */
    char sqlstate[6];
    char message[PG_MESSAGE_MAX];

    uint32_t timeout_ms; /* 0: no patience was asked for, libpq waits */
    pg_give_up_fn *give_up;
    void *arg;
    bool given_up; /* the connection is of no use, whatever libpq says */
};

void pg_forget(struct pg *p); /* the last result and its failure */

/* Makes `result` (taken over; NULL: nothing came) the last one: 0, RD_EREFUSED or RD_EGONE. */
int pg_settle(struct pg *p, PGresult *result);

/* Until something is there to be fetched, or the connection is known to be broken. False: it is
 * that late, or somebody gave up. */
bool pg_wait(struct pg *p, uint64_t deadline_ms);
int pg_lose_patience(struct pg *p); /* RD_EGONE, and its words */

#endif
