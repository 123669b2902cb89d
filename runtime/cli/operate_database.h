/* SPDX-License-Identifier: Apache-2.0 */
/* operate_database.h - the database of an operation in a command's own process. */
#ifndef CLI_OPERATE_DATABASE_H
#define CLI_OPERATE_DATABASE_H

#include "agent/tree.h"
#include "gateway/settings.h"
#include "store/asker.h"
#include "store/database.h"

struct operate_database {
    const struct settings *settings; /* borrows */
    struct database *database;       /* owns */
    struct asker *asker;             /* owns */
    struct tree
        *release;   /* refs: the agents, where agents.source is the database; NULL: not there */
    bool hurries;   /* as operate_opts */
    char down[512]; /* why it cannot be asked, and what to do; "": it can */
};

/* A database that is away or not ours is no failure: each question is answered with `down` then. One
 * that is slow is away, to whoever hurries. 0 or -ENOMEM. */
int operate_database_open(struct operate_database *d, const struct settings *s, bool hurries);
void operate_database_close(struct operate_database *d);

#endif
