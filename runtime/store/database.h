/* SPDX-License-Identifier: Apache-2.0 */
/* database.h - which PostgreSQL is ours: the one of database.url, or a private cluster under the
 * data folder (store/cluster.h). Blocking; never on a media or script thread. */
#ifndef STORE_DATABASE_H
#define STORE_DATABASE_H

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>

struct database_opts {
    const char *url;     /* database.url; "": the private cluster */
    const char *data;    /* the data folder */
    const char *ca_file; /* whom to trust; "": the system's list */
    const char *who;     /* application_name, "ringdown serve" */
};

/* The connection string for libpq: the URL with what it leaves open filled in (application_name,
 * connect_timeout, keepalives, statement_timeout, sslmode: verify-full towards other machines unless
 * the URL says another), or the private cluster's socket. RD_ECONFIG with a sentence in `why`. */
int database_conninfo(struct buf *out, const struct database_opts *o, char *why, size_t cap);

/* Makes sure that there is a server to connect to: starts or adopts the private cluster (its
 * database and role included); does nothing for a URL. May take seconds. */
int database_up(const struct database_opts *o, char *why, size_t cap);

/* The last node of this data folder is leaving: stops the private cluster unless somebody else
 * holds it. Does nothing for a URL. */
void database_down(const struct database_opts *o);

#endif
