/* SPDX-License-Identifier: Apache-2.0 */
/* sites.h - what `ringdown numbers` and `ringdown sites` have in common. */
#ifndef CLI_SITES_H
#define CLI_SITES_H

#include "cli/ask.h"
#include "gateway/settings.h"

/* Who changes: for the audit. Static. */
const char *sites_who(void);

/* The only agent that loads; NULL after a complaint that asks for --agent. Owned by the caller. */
char *sites_only_agent(const struct settings *s, const char *command);

/* Where the agent's people may be called, JSON; NULL: anywhere. Owned by the caller. False: no such
 * agent loads here. */
bool sites_countries(const struct settings *s, const char *agent, char **out);

/* May the agent, as its file is now, call the people of this site, which was imported earlier? What is
 * wrong is told. True as well when no such agent loads here. */
bool sites_people_allowed(struct asking *a, const struct settings *s, const char *agent,
                          const char *site);

/* Waits a moment until the node of this data folder has what the database has, and says from when
 * on the change holds. */
void sites_tell_node(struct asking *a, const struct settings *s);

#endif
