/* SPDX-License-Identifier: Apache-2.0 */
/* pg.h - one blocking connection to PostgreSQL. One thread at a time, and never a media or script
 * thread: whoever calls this may wait as long as the network lets it (see the timeouts that
 * store/database.h puts into the connection string).
 *
 * A statement ends in one of three ways, and callers must tell them apart: done (0), refused by the
 * server (RD_EREFUSED: pg_sqlstate() and pg_message() say why, nothing was changed), or the
 * connection broke (RD_EGONE: nobody knows whether it was done). */
#ifndef STORE_PG_H
#define STORE_PG_H

#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pg;

/* Opens and waits for the server. -ECONNREFUSED when it cannot be reached (starting up and shutting
 * down included), RD_EAUTH when it knows us and says no, RD_ECONFIG for a broken connection string;
 * `why` is a sentence for the operator without the password. */
int pg_open(struct pg **out, const char *conninfo, char *why, size_t cap);

/* For whoever cannot wait as long as the connection string says: -ECONNREFUSED after timeout_ms (0: as it
 * says). Looking up the server's name is not in that time. */
int pg_open_within(struct pg **out, const char *conninfo, uint32_t timeout_ms, char *why,
                   size_t cap);
void pg_close(struct pg *p); /* NULL is fine */

/* From now on a statement takes at most timeout_ms (0: for ever) before the connection is given up:
 * RD_EGONE. For servers that neither answer nor go, where the server's own timeouts do not help.
 * give_up (may be NULL) is asked several times a second; true gives up at once. */
typedef bool(pg_give_up_fn)(void *arg);
void pg_patience(struct pg *p, uint32_t timeout_ms, pg_give_up_fn *give_up, void *arg);

/* One statement; parameters as text, NULL for SQL's null. The result stays with p until the next
 * call. */
int pg_query(struct pg *p, const char *sql, int n, const char *const *params);

struct pg_statement {
    const char *sql;
    int n_params;
    const char *const *params;
};

/* Several statements in one round trip, as one transaction unless the text says otherwise. */
int pg_script(struct pg *p, const char *sql);

/* The rows of the last pg_query(). pg_text() is NULL for null and outside the result. */
int pg_rows(const struct pg *p);
const char *pg_text(const struct pg *p, int row, int column);

/* One statement whose answer may be of any size: each row is shown and forgotten, so that memory
 * stays small. In row() the columns of that row are read, as row 0; false from it ends the reading,
 * and the connection with it: RD_ETOOBIG. After 0, pg_affected() tells. Needs pg_patience(). */
typedef bool(pg_row_fn)(const struct pg *p, void *arg);
int pg_query_rows(struct pg *p, const struct pg_statement *s, pg_row_fn *row, void *arg);
uint64_t pg_affected(const struct pg *p); /* rows that were read or changed */

/* Of the row that is shown. The type is PostgreSQL's number for it (20: bigint). */
int pg_columns(const struct pg *p);
const char *pg_column(const struct pg *p, int column);
uint32_t pg_type(const struct pg *p, int column);
struct rd_str pg_cell(const struct pg *p, int column); /* p is NULL for null */

/* Of the last failure: five characters, "" when the server did not say; one line, never empty. */
const char *pg_sqlstate(const struct pg *p);
const char *pg_message(const struct pg *p);

/* False once the connection broke: close it and open another. */
bool pg_alive(const struct pg *p);

/* A transaction was begun and not ended: the next statement would be part of it. */
bool pg_in_transaction(const struct pg *p);

/* The socket, for poll(2) while waiting for notifications; and whether one came (it is consumed). */
int pg_socket(const struct pg *p);
bool pg_notified(struct pg *p);

#endif
