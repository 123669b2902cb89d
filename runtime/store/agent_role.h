/* SPDX-License-Identifier: Apache-2.0 */
/* agent_role.h - the login role as which an agent asks the database: `ringdown_agent_<name>`, who may
 * use the tables that the agent's file declares, and nothing else. A role of its own, because
 * whatever a session could take off by SQL (SET ROLE) an agent could take off.
 *
 * Its password comes out of cluster.secret, so every node knows it and nobody has to. Blocking. */
#ifndef STORE_AGENT_ROLE_H
#define STORE_AGENT_ROLE_H

#include "store/database.h"

struct agent_role {
    struct database_opts database;
    const char *agent;  /* its name */
    const char *tables; /* {"price_list":"read","visits":"write"} */
    const char *secret; /* cluster.secret */
    unsigned statement_timeout_ms;
};

/* Makes the role if there is none, gives it exactly these tables, and writes the connection string
 * to be it. RD_ECONFIG: a table is missing, or may not be given away; RD_EAUTH: database.url's user
 * may not make roles. `why` says what to run then. */
int agent_role_conninfo(struct buf *out, const struct agent_role *r, char *why, size_t cap);

#endif
