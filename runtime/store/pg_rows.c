/* SPDX-License-Identifier: Apache-2.0 */
/* pg_rows.c - an answer row by row (libpq's single-row mode), with one deadline for all of it.
 *
 * - a row that is not wanted any more ends the connection: reading the rest just to throw it away
 *   could take for ever, and the server notices by itself
 * - a failure after some rows is a failure: whoever keeps rows throws them away then */
#include "store/pg_private.h"

#include "base/err.h"
#include "base/now.h"

#include <stdio.h>
#include <stdlib.h>

/* The next piece: 0 and *out (NULL: that was all), or RD_EGONE. */
static int next_result(struct pg *p, uint64_t deadline_ms, PGresult **out)
{
    if (!pg_wait(p, deadline_ms))
        return pg_lose_patience(p);
    *out = PQgetResult(p->conn);
    return 0;
}

static void drain(struct pg *p, uint64_t deadline_ms)
{
    PGresult *more = NULL;

    while (next_result(p, deadline_ms, &more) == 0 && more)
        PQclear(more);
}

static int too_big(struct pg *p)
{
    p->given_up = true;
    (void)snprintf(p->message, sizeof(p->message), "the answer is larger than what may be read");
    return RD_ETOOBIG;
}

static int read_rows(struct pg *p, uint64_t deadline_ms, pg_row_fn *row, void *arg)
{
    PGresult *r = NULL;
    int rc;

    for (;;) {
        rc = next_result(p, deadline_ms, &r);
        if (rc)
            return rc;
        PQclear(p->result);
        p->result = r;
        if (PQresultStatus(r) != PGRES_SINGLE_TUPLE)
            break;
        if (!row(p, arg))
            return too_big(p);
    }
    p->result = NULL;
    rc = pg_settle(p, r);
    if (r)
        drain(p, deadline_ms);
    return rc;
}

int pg_query_rows(struct pg *p, const struct pg_statement *s, pg_row_fn *row, void *arg)
{
    uint64_t deadline_ms = monotonic_ms() + p->timeout_ms;

    pg_forget(p);
    if (p->given_up)
        return RD_EGONE;
    if (!PQsendQueryParams(p->conn, s->sql, s->n_params, NULL, s->params, NULL, NULL, 0))
        return pg_settle(p, NULL);
    (void)PQsetSingleRowMode(p->conn);
    return read_rows(p, deadline_ms, row, arg);
}

uint64_t pg_affected(const struct pg *p)
{
    return p->result ? strtoull(PQcmdTuples(p->result), NULL, 10) : 0;
}

int pg_columns(const struct pg *p)
{
    return PQnfields(p->result);
}

const char *pg_column(const struct pg *p, int column)
{
    const char *name = PQfname(p->result, column);

    return name ? name : "";
}

uint32_t pg_type(const struct pg *p, int column)
{
    return PQftype(p->result, column);
}

struct rd_str pg_cell(const struct pg *p, int column)
{
    if (PQgetisnull(p->result, 0, column))
        return (struct rd_str){NULL, 0};
    return (struct rd_str){PQgetvalue(p->result, 0, column),
                           (size_t)PQgetlength(p->result, 0, column)};
}
