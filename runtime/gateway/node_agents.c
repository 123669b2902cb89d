/* SPDX-License-Identifier: Apache-2.0 */
/* node_agents.c - the node's agents as JSON, for `ringdown agents`: those in use, older versions that
 * calls still have, what did not load. */
#include "base/err.h"
#include "gateway/node_internal.h"
#include "gateway/reload.h"

#include <errno.h>
#include <stdlib.h>

enum { LIVING_MAX = 512 };

static unsigned calls_of(const struct agent_version *living, size_t n, const struct agent_info *a)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(living[i].name, a->name) == 0 && strcmp(living[i].version, a->version) == 0)
            return living[i].calls;
    return 0;
}

static int add_agent(struct buf *out, const struct agent_info *a, unsigned calls)
{
    int rc = buf_add_str(out, "{");

    if (!rc)
        rc = json_members(out,
                          JSON_MEMBERS(J_STR("name", a->name), J_STR("version", a->version),
                                       J_INT("calls", calls),
                                       J_INT("since_unix_s", a->loaded_unix_ms / 1000)),
                          true);
    if (rc >= 0)
        rc = buf_add_str(out, ",\"numbers\":[");
    for (int i = 0; !rc && a->numbers[i]; i++)
        rc = buf_addf(out, "%s\"%s\"", i ? "," : "", a->numbers[i]);
    return rc ? rc : buf_add_str(out, "]}");
}

/* What calls have beside the versions in use. */
static int add_older(struct buf *out, const struct agent_set *set, const struct agent_version *v,
                     size_t n)
{
    int rc = buf_add_str(out, "],\"older\":["), first = 1;

    for (size_t i = 0; !rc && i < n; i++) {
        const struct agent_info *a = agent_by_name(set, rd_str(v[i].name));

        if (v[i].calls == 0 || (a && strcmp(a->version, v[i].version) == 0))
            continue;
        if (!first)
            rc = buf_add_str(out, ",");
        if (!rc)
            rc = json_add_object(out, JSON_MEMBERS(J_STR("name", v[i].name),
                                                   J_STR("version", v[i].version),
                                                   J_INT("calls", v[i].calls)));
        first = 0;
    }
    return rc ? rc : buf_add_str(out, "]}");
}

int node_agents_json(struct node *n, struct buf *out)
{
    struct agent_version *living = calloc(LIVING_MAX, sizeof(*living));
    struct agent_set *set;
    size_t n_living;
    int rc;

    if (!living)
        return -ENOMEM;
    set = script_pool_agents(n->scripts);
    n_living = agent_living(living, LIVING_MAX);
    rc = buf_add_str(out, "{");
    if (!rc)
        rc = reload_json(n->reload, out);
    if (!rc)
        rc = buf_addf(out, ",\"versions\":%zu,\"agents\":[", agent_living_count());
    for (size_t i = 0; !rc && i < agent_set_count(set); i++) {
        const struct agent_info *a = agent_set_at(set, i);

        if (i)
            rc = buf_add_str(out, ",");
        if (!rc)
            rc = add_agent(out, a, calls_of(living, n_living, a));
    }
    if (!rc)
        rc = add_older(out, set, living, n_living);
    agent_set_unref(set);
    free(living);
    return rc;
}

int node_agent_json(struct node *n, const char *name, struct buf *out)
{
    struct agent_set *set = script_pool_agents(n->scripts);
    const struct agent_info *a = agent_by_name(set, rd_str(name));
    int rc = a ? buf_add_str(out, a->shown) : RD_EGONE;

    agent_set_unref(set);
    return rc;
}
