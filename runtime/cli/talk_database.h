/* SPDX-License-Identifier: Apache-2.0 */
/* talk_database.h - the configured database, for the agent of a call that is typed: it books and looks
 * up what is really there. Without database.url there is none. */
#ifndef CLI_TALK_DATABASE_H
#define CLI_TALK_DATABASE_H

#include "gateway/settings.h"
#include "store/asker.h"

struct talk_database {
    const struct settings *settings;   /* borrows */
    struct asker *asker, *agent_asker; /* NULL: none */
};

int talk_database_open(struct talk_database *d, const struct settings *s);
void talk_database_hush(struct talk_database *d); /* before the scripts stop */
void talk_database_close(struct talk_database *d);

#endif
