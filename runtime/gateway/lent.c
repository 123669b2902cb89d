/* SPDX-License-Identifier: Apache-2.0 */
/* lent.c - a node's own functions as a table that agent/ may call without knowing nodes. */
#include "gateway/lent.h"

#include "gateway/node.h"

_Static_assert((int)SCRIPT_DRILL_ID >= (int)NODE_DRILL_ID, "a drill's number must fit");

static int lend_status(void *arg, struct buf *out)
{
    return node_status_json(arg, out);
}

static int lend_calls(void *arg, struct buf *out)
{
    return node_calls_json(arg, out);
}

static int lend_agents(void *arg, struct buf *out)
{
    return node_agents_json(arg, out);
}

static int lend_agent(void *arg, const char *name, struct buf *out)
{
    return node_agent_json(arg, name, out);
}

static uint64_t lend_reload(void *arg)
{
    return node_reload(arg);
}

static int lend_reloaded(void *arg, uint64_t ticket, struct buf *out)
{
    return node_reloaded(arg, ticket, out);
}

static int lend_hang_up(void *arg, const char *sid, const char *who)
{
    return node_hang_up(arg, sid, who);
}

static int lend_whisper(void *arg, const char *sid, const char *text, bool now, const char *who)
{
    return node_whisper(arg, sid, text, now, who);
}

static int lend_transfer(void *arg, const char *sid, const char *to, const char *who)
{
    return node_transfer(arg, sid, to, who);
}

static int lend_drill(void *arg, const char *agent, const char *rule, const char *who,
                      char id[SCRIPT_DRILL_ID])
{
    return node_drill(arg, agent, rule, who, id);
}

static uint64_t lend_refresh_numbers(void *arg)
{
    return node_refresh_numbers(arg);
}

static void lend_drain(void *arg)
{
    node_drain(arg);
}

static int lend_undrain(void *arg)
{
    return node_undrain(arg);
}

static int lend_operate(void *arg, const char *kind, const char *json)
{
    return node_operate(arg, kind, json);
}

static int lend_ring(void *arg, const char *json)
{
    return node_ring(arg, json);
}

static int lend_rung(void *arg, struct buf *out)
{
    return node_rung(arg, out);
}

static void lend_ring_judged(void *arg, bool good, struct rd_str json)
{
    node_ring_judged(arg, good, json);
}

const struct script_node node_lent = {
    .status = lend_status,
    .calls = lend_calls,
    .agents = lend_agents,
    .agent = lend_agent,
    .reload = lend_reload,
    .reloaded = lend_reloaded,
    .hang_up = lend_hang_up,
    .whisper = lend_whisper,
    .transfer = lend_transfer,
    .drill = lend_drill,
    .refresh_numbers = lend_refresh_numbers,
    .drain = lend_drain,
    .undrain = lend_undrain,
    .operate = lend_operate,
    .ring = lend_ring,
    .rung = lend_rung,
    .ring_judged = lend_ring_judged,
};
