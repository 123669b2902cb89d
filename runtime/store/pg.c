/* SPDX-License-Identifier: Apache-2.0 */
/* pg.c - libpq, with its many endings folded into three. The server's message is kept as one line,
 * because it goes into logs, dead letters and sentences for the operator; without the rows it quotes. */
#include "store/pg_private.h"

#include "base/err.h"
#include "base/now.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LOOK_MS = 200 };

static void one_line(char *out, size_t cap, const char *text)
{
    size_t n = 0;

    for (const char *p = text ? text : ""; *p && n + 1 < cap; p++)
        out[n++] = (*p == '\n' || *p == '\t') ? ' ' : *p;
    while (n > 0 && out[n - 1] == ' ')
        n--;
    out[n] = '\0';
    if (n == 0)
        (void)snprintf(out, cap, "the database gave no reason");
}

void pg_forget(struct pg *p)
{
    PQclear(p->result);
    p->result = NULL;
    p->sqlstate[0] = '\0';
    p->message[0] = '\0';
}

/* 28…: not this user, not this password. 3D…: no such database. Anything else may pass. */
static int open_error(PGconn *conn)
{
    const char *text = PQerrorMessage(conn);

    if (PQconnectionNeedsPassword(conn) || PQconnectionUsedPassword(conn))
        return strstr(text, "authentication") || strstr(text, "password") ? RD_EAUTH
                                                                          : -ECONNREFUSED;
    if (strstr(text, "does not exist") || strstr(text, "no pg_hba.conf entry") ||
        strstr(text, "authentication failed"))
        return RD_EAUTH;
    return -ECONNREFUSED;
}

/* libpq would print them. */
static void ignore_notice(void *arg, const PGresult *notice)
{
    (void)arg;
    (void)notice;
}

/* libpq's own limit is in whole seconds, and two at least. False: not in time. */
static bool connected_by(PGconn *conn, uint64_t deadline_ms)
{
    PostgresPollingStatusType next = PGRES_POLLING_WRITING;

    while (next != PGRES_POLLING_OK && next != PGRES_POLLING_FAILED) {
        struct pollfd fd = {.fd = PQsocket(conn),
                            .events = next == PGRES_POLLING_READING ? POLLIN : POLLOUT};
        uint64_t now = monotonic_ms();

        if (PQstatus(conn) == CONNECTION_BAD)
            return true; /* and it says why */
        if (now >= deadline_ms)
            return false;
        if (poll(&fd, 1, (int)(deadline_ms - now)) > 0)
            next = PQconnectPoll(conn);
    }
    return true;
}

static int connection_failed(struct pg *p, char *why, size_t cap)
{
    int rc = open_error(p->conn);

    one_line(why, cap, PQerrorMessage(p->conn));
    pg_close(p);
    return rc;
}

int pg_open(struct pg **out, const char *conninfo, char *why, size_t cap)
{
    return pg_open_within(out, conninfo, 0, why, cap);
}

int pg_open_within(struct pg **out, const char *conninfo, uint32_t timeout_ms, char *why,
                   size_t cap)
{
    char *parse_error = NULL;
    PQconninfoOption *options = PQconninfoParse(conninfo, &parse_error);
    struct pg *p;

    if (!options) {
        one_line(why, cap, parse_error);
        PQfreemem(parse_error);
        return RD_ECONFIG;
    }
    PQconninfoFree(options);
    p = calloc(1, sizeof(*p));
    if (!p)
        return -ENOMEM;
    p->conn = timeout_ms ? PQconnectStart(conninfo) : PQconnectdb(conninfo);
    if (timeout_ms && !connected_by(p->conn, monotonic_ms() + timeout_ms)) {
        pg_close(p);
        (void)snprintf(why, cap, "the database did not answer in %u ms", timeout_ms);
        return -ECONNREFUSED;
    }
    (void)PQsetNoticeReceiver(p->conn, ignore_notice, NULL);
    if (PQstatus(p->conn) == CONNECTION_OK) {
        *out = p;
        return 0;
    }
    return connection_failed(p, why, cap);
}

void pg_close(struct pg *p)
{
    if (!p)
        return;
    PQclear(p->result);
    PQfinish(p->conn);
    free(p);
}

/* What went wrong and what helps. Not the detail and not the context: those quote rows and parameters, that
 * is numbers of callers and what they said, and this goes to the log. */
static void keep_message(struct pg *p, const PGresult *result)
{
    const char *words = result ? PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY) : NULL;
    const char *hint = words ? PQresultErrorField(result, PG_DIAG_MESSAGE_HINT) : NULL;
    char text[PG_MESSAGE_MAX];

    (void)snprintf(text, sizeof(text), "%s%s%s", words ? words : PQerrorMessage(p->conn),
                   hint ? "; " : "", hint ? hint : "");
    one_line(p->message, sizeof(p->message), text);
}

/* Takes the result over. */
int pg_settle(struct pg *p, PGresult *result)
{
    ExecStatusType status = PQresultStatus(result);
    const char *state;

    p->result = result;
    if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK || status == PGRES_EMPTY_QUERY)
        return 0;
    state = result ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL;
    (void)snprintf(p->sqlstate, sizeof(p->sqlstate), "%s", state ? state : "");
    keep_message(p, result);
    /* 57P01…: the server is being shut down and takes the connection with it. */
    if (PQstatus(p->conn) != CONNECTION_OK || !state || strncmp(state, "57P0", 4) == 0)
        return RD_EGONE;
    return RD_EREFUSED;
}

/* ---- with patience ---- */

void pg_patience(struct pg *p, uint32_t timeout_ms, pg_give_up_fn *give_up, void *arg)
{
    p->timeout_ms = timeout_ms;
    p->give_up = give_up;
    p->arg = arg;
    /* Or sending a large statement to a server that does not read would wait inside libpq. */
    (void)PQsetnonblocking(p->conn, timeout_ms != 0);
}

/* True: sent and answered, or the connection is known to be broken. */
static bool answered(struct pg *p, int *unsent)
{
    if (*unsent)
        *unsent = PQflush(p->conn);
    return *unsent < 0 || (*unsent == 0 && !PQisBusy(p->conn));
}

bool pg_wait(struct pg *p, uint64_t deadline_ms)
{
    int unsent = 1;

    while (!answered(p, &unsent)) {
        struct pollfd fd = {.fd = PQsocket(p->conn),
                            .events = (short)(POLLIN | (unsent ? POLLOUT : 0))};

        if (monotonic_ms() >= deadline_ms || (p->give_up && p->give_up(p->arg)))
            return false;
        if (poll(&fd, 1, LOOK_MS) > 0 && (fd.revents & (POLLIN | POLLHUP | POLLERR)) &&
            !PQconsumeInput(p->conn))
            return true;
    }
    return true;
}

int pg_lose_patience(struct pg *p)
{
    p->given_up = true;
    (void)snprintf(p->message, sizeof(p->message), "the database did not answer in %u ms",
                   p->timeout_ms);
    return RD_EGONE;
}

static int query_patiently(struct pg *p, const char *sql, int n, const char *const *params)
{
    PGresult *result, *more;

    if (!PQsendQueryParams(p->conn, sql, n, NULL, params, NULL, NULL, 0))
        return pg_settle(p, NULL);
    if (!pg_wait(p, monotonic_ms() + p->timeout_ms))
        return pg_lose_patience(p);
    result = PQgetResult(p->conn);
    while (result && (more = PQgetResult(p->conn)) != NULL)
        PQclear(more);
    return pg_settle(p, result);
}

int pg_query(struct pg *p, const char *sql, int n, const char *const *params)
{
    pg_forget(p);
    if (p->given_up)
        return RD_EGONE;
    if (p->timeout_ms)
        return query_patiently(p, sql, n, params);
    return pg_settle(p, PQexecParams(p->conn, sql, n, NULL, params, NULL, NULL, 0));
}

int pg_script(struct pg *p, const char *sql)
{
    pg_forget(p);
    return pg_settle(p, PQexec(p->conn, sql));
}

int pg_rows(const struct pg *p)
{
    return p->result ? PQntuples(p->result) : 0;
}

const char *pg_text(const struct pg *p, int row, int column)
{
    if (row < 0 || row >= pg_rows(p) || column < 0 || column >= PQnfields(p->result) ||
        PQgetisnull(p->result, row, column))
        return NULL;
    return PQgetvalue(p->result, row, column);
}

const char *pg_sqlstate(const struct pg *p)
{
    return p->sqlstate;
}

const char *pg_message(const struct pg *p)
{
    return p->message;
}

bool pg_alive(const struct pg *p)
{
    return !p->given_up && PQstatus(p->conn) == CONNECTION_OK;
}

bool pg_in_transaction(const struct pg *p)
{
    PGTransactionStatusType status = PQtransactionStatus(p->conn);

    return status != PQTRANS_IDLE && status != PQTRANS_UNKNOWN;
}

int pg_socket(const struct pg *p)
{
    return PQsocket(p->conn);
}

bool pg_notified(struct pg *p)
{
    PGnotify *n;
    bool any = false;

    (void)PQconsumeInput(p->conn);
    while ((n = PQnotifies(p->conn)) != NULL) {
        any = true;
        PQfreemem(n);
    }
    return any;
}
