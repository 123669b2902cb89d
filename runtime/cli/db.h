/* SPDX-License-Identifier: Apache-2.0 */
/* db.h - what the verbs of `ringdown db` have in common. */
#ifndef CLI_DB_H
#define CLI_DB_H

#include "store/database.h"
#include "store/pg.h"

#include <stdbool.h>

struct db_order {
    struct database_opts database; /* borrows the settings */
    const char *library;           /* scripts/; sql/ lies beside it */
    bool json, dry_run;
};

/* A complaint on stderr, EXIT_FAILED. */
int db_complain(const char *verb, const char *why);

/* The private cluster up and left running; nothing for a URL. `why` is a sentence. */
int db_start(const struct db_order *o, char *why, size_t cap);

/* A connection; `why` is a sentence with a remedy. */
int db_connect(const struct db_order *o, struct pg **out, char *why, size_t cap);

/* Verbs: exit codes. db_status() says EXIT_FAILED when the database does not answer. */
int db_status(const struct db_order *o);
int db_migrate(const struct db_order *o);

#endif
