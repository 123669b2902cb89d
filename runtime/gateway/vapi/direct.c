/* SPDX-License-Identifier: Apache-2.0 */
/* direct.c - numbers are looked up in the copy that each node has, and in the agents' own files: what a
 * caller says to Vapi is searched for emergencies also while there is no database. */
#include "gateway/vapi/direct.h"

#include "agent/host.h"
#include "gateway/numbers.h"

#include <stdio.h>

/* NULL: nobody, or an agent that is not here; `known`: Vapi has the number and we know of it. */
static const struct agent_info *agent_of_number(struct media_thread *t, const struct agent_set *set,
                                                struct rd_str number, bool *known)
{
    const struct agent_info *agent = NULL;
    struct numbers_hit hit;

    *known = numbers_find(t->node->numbers, number, &hit);
    if (*known) {
        agent = hit.agent.n > 0 ? agent_by_name(set, hit.agent) : NULL;
        numbers_let_go(&hit);
    }
    return agent ? agent : agent_by_number(set, number);
}

bool vapi_direct_find(struct media_thread *t, const struct vapi_message *m, const char *number,
                      struct vapi_call *out)
{
    struct agent_set *set = script_pool_agents(t->node->scripts);
    const struct agent_info *agent = NULL;
    const char *to = m->to[0] ? m->to : number;
    bool known = false;

    *out = (struct vapi_call){.direct = true};
    if (to[0])
        agent = agent_of_number(t, set, rd_str(to), &known);
    if (!agent)
        agent = agent_by_assistant(set, m->assistant);
    known = known || agent;
    if (known && vapi_known_name(out->sid, m)) {
        (void)snprintf(out->id, sizeof(out->id), "%s", m->id);
        (void)snprintf(out->agent, sizeof(out->agent), "%s", agent ? agent->name : "");
        (void)snprintf(out->from, sizeof(out->from), "%s", m->from);
        (void)snprintf(out->to, sizeof(out->to), "%s", to);
        (void)snprintf(out->control, sizeof(out->control), "%s", m->control);
    } else {
        known = false;
    }
    agent_set_unref(set);
    return known;
}
