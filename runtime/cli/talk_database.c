/* SPDX-License-Identifier: Apache-2.0 */
/* talk_database.c - as gateway/books.c asks for a node, but nothing is started, migrated or kept.
 *
 * Failure: a database that is away is told to the agent as live; its tools answer accordingly. */
#include "cli/talk_database.h"

#include "store/agent_role.h"
#include "store/database.h"

enum { STATEMENT_MS = 3000, AGENT_STATEMENT_MS = 2000, AGENT_CONNECTIONS = 2 };

static struct database_opts opts_of(const struct talk_database *d)
{
    return (struct database_opts){.url = d->settings->database_url,
                                  .data = d->settings->data,
                                  .ca_file = d->settings->ca_file,
                                  .who = "ringdown talk"};
}

static int conninfo(struct buf *out, const char *role, const char *grants, char *why, size_t cap,
                    void *arg)
{
    const struct talk_database *d = arg;
    struct database_opts o = opts_of(d);

    (void)role;
    (void)grants;
    o.statement_timeout_ms = STATEMENT_MS;
    return database_conninfo(out, &o, why, cap);
}

static int agent_conninfo(struct buf *out, const char *role, const char *grants, char *why,
                          size_t cap, void *arg)
{
    const struct talk_database *d = arg;
    struct agent_role r = {.database = opts_of(d),
                           .agent = role,
                           .tables = grants,
                           .secret = d->settings->cluster_secret,
                           .statement_timeout_ms = AGENT_STATEMENT_MS};

    return agent_role_conninfo(out, &r, why, cap);
}

int talk_database_open(struct talk_database *d, const struct settings *s)
{
    struct asker_opts ours = {.threads = 1, .conninfo = conninfo, .arg = d};
    struct asker_opts agents = {
        .threads = AGENT_CONNECTIONS, .discard = true, .conninfo = agent_conninfo, .arg = d};
    int rc;

    *d = (struct talk_database){.settings = s};
    if (!s->database_url[0])
        return 0;
    rc = asker_start(&d->asker, &ours);
    return rc ? rc : asker_start(&d->agent_asker, &agents);
}

void talk_database_hush(struct talk_database *d)
{
    if (d->asker)
        asker_hush(d->asker);
    if (d->agent_asker)
        asker_hush(d->agent_asker);
}

void talk_database_close(struct talk_database *d)
{
    asker_stop(d->asker);
    asker_stop(d->agent_asker);
    *d = (struct talk_database){0};
}
