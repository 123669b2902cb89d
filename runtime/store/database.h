/* SPDX-License-Identifier: Apache-2.0 */
/* database.h - which PostgreSQL is ours: the one of database.url, or a private cluster under the
 * data folder (store/cluster.h). Blocking; never on a media or script thread. */
#ifndef STORE_DATABASE_H
#define STORE_DATABASE_H

#include "base/buf.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

struct database_opts {
    const char *url;         /* database.url; "" or NULL: the private cluster */
    const char *data;        /* the data folder */
    const char *ca_file;     /* whom to trust; "" or NULL: the system's list */
    const char *who;         /* application_name, "ringdown serve" */
    const atomic_bool *stop; /* NULL, or: when it becomes true, database_up() gives up */

    /* For database_conninfo(): somebody else than the URL's user, and another limit than its. */
    const char *user, *password; /* NULL: as the URL says */
    unsigned statement_timeout_ms;
};

/* The connection string for libpq: the URL with what it leaves open filled in (application_name,
 * connect_timeout, keepalives, statement_timeout, sslmode: verify-full towards other machines unless
 * the URL says another), or the private cluster's socket (RD_ESTATE before its first database_up()).
 * RD_ECONFIG with a sentence in `why`. The text may hold a password: it goes to pg_open() only. */
int database_conninfo(struct buf *out, const struct database_opts *o, char *why, size_t cap);

/* Whether libpq can read it; `why` never repeats a part of it. */
bool database_url_valid(const char *url, char *why, size_t cap);

/* An address for people and psql: the URL as it is, or that of the private cluster. */
int database_url(struct buf *out, const struct database_opts *o, char *why, size_t cap);

/* Makes sure that there is a server to connect to: starts or adopts the private cluster (its
 * database and role included) and holds it; for a URL there is nothing to do. May take seconds. */
struct database;
int database_up(struct database **out, const struct database_opts *o, char *why, size_t cap);

/* For whoever holds it, every few seconds and when connecting fails: starts the private cluster again
 * if it died. Quick when all is well; 0 for a URL. One thread at a time for the same handle. */
int database_tend(struct database *d, char *why, size_t cap);

/* Lets it go; the last one of this data folder stops the private cluster, which may take half
 * a minute. NULL is fine. */
void database_down(struct database *d);

/* Adds to libpq's words, as pg_open() gave them, what the operator can do. */
void database_explain(char *why, size_t cap);

#endif
