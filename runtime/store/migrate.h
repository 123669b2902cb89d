/* SPDX-License-Identifier: Apache-2.0 */
/* migrate.h - brings a database to the schema of this binary: the files of sql/ in order, each in a
 * transaction of its own, only forward. Blocking; one thread at a time. */
#ifndef STORE_MIGRATE_H
#define STORE_MIGRATE_H

#include "store/migration.h"
#include "store/pg.h"

#include <stddef.h>
#include <stdint.h>

struct migrate_opts {
    const char *folder; /* sql/, beside the library's folder scripts/ */
    const char *binary; /* our version; NULL: RD_VERSION */
    uint32_t wait_ms;   /* for another process that migrates; 0: 10 s */
};

/* Told of each migration: one that waits, or one that was just applied. migrate_run() takes NULL. */
typedef void(migrate_told_fn)(void *arg, const struct migration *m);

/* All return 0 or, with a sentence for the operator in `why`:
 * RD_ECONFIG  the files or the history are not what they should be
 * RD_ESTATE   the schema is too new for us, or (migrate_check) too old
 * RD_EAUTH    the database's role lacks a right
 * RD_ELATE    somebody else is migrating, or the tables are too busy
 * RD_EREFUSED a migration failed; nothing of it was kept, those before it were
 * RD_EGONE    the connection broke */

/* The dry run: tells what migrate_run() would apply. Changes nothing, waits for nobody. */
int migrate_plan(struct pg *p, const struct migrate_opts *o, migrate_told_fn *told, void *arg,
                 char *why, size_t cap);

/* Applies what waits. Many may call it at once: one works, the others find it done. */
int migrate_run(struct pg *p, const struct migrate_opts *o, migrate_told_fn *told, void *arg,
                char *why, size_t cap);

/* May this binary work with that database? What a node asks before it starts. */
int migrate_check(struct pg *p, const struct migrate_opts *o, char *why, size_t cap);

#endif
