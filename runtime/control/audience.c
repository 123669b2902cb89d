/* SPDX-License-Identifier: Apache-2.0 */
/* audience.c - the one place that decides what of an event leaves, for streams and for those who poll. */
#include "control/audience.h"

#include "control/mask.h"

/* Too many, or a name that is none: then none of them is seen. */
static void read_agents(struct audience *a, const struct json_value *agents)
{
    struct json_value name;
    struct json_iter it;
    struct rd_str key;

    a->n_agents = 0;
    a->scoped = agents->type == JSON_ARRAY || agents->type == JSON_OBJECT;
    if (agents->type != JSON_ARRAY)
        return;
    json_iter_init(&it, agents);
    while (json_next(&it, &key, &name) && a->n_agents < AUDIENCE_AGENTS)
        if (json_copy(&name, a->agents[a->n_agents], AUDIENCE_NAME) == 0)
            a->n_agents++;
}

void audience_read(struct audience *a, const struct json_value *stream)
{
    struct json_value masked = json_get(stream, "masked"), agents = json_get(stream, "agents");

    read_agents(a, &agents);
    a->masked = masked.type != JSON_FALSE; /* whoever forgets to say so masks */
}

bool audience_hears(const struct audience *a, struct rd_str event)
{
    struct json_value v, agent;

    if (!a->scoped)
        return true;
    if (json_parse(event, &v) != 0)
        return false;
    agent = json_get(&v, "agent");
    for (unsigned i = 0; agent.type == JSON_STRING && i < a->n_agents; i++)
        if (json_is(&agent, a->agents[i]))
            return true;
    return false;
}

/* Between members JSON may have line ends. */
static int add_line(struct buf *out, struct rd_str json)
{
    size_t from = out->n;
    int rc = buf_add(out, json.p, json.n);

    for (size_t i = from; !rc && i < out->n; i++)
        if (out->data[i] == '\n' || out->data[i] == '\r')
            out->data[i] = ' ';
    return rc;
}

int audience_write(const struct audience *a, struct buf *out, struct rd_str event)
{
    return a->masked ? mask_event(out, event) : add_line(out, event);
}
