/* SPDX-License-Identifier: Apache-2.0 */
/* triage.c - counts emergencies by what became of them; lets agents look for those an earlier process
 * left open (scripts/ringdown/emergency/left_open.lua waits for the database).
 *
 * Failure: an agent whose look cannot be begun is told in the log; `ringdown why` shows what is open. */
#include "gateway/triage.h"

#include "base/json.h"
#include "base/json_out.h"
#include "base/log.h"
#include "base/now.h"
#include "gateway/node_internal.h"
#include "observe/catalogue.h"
#include "observe/metrics.h"

enum { ORDER_MAX = 1024, FACT_MAX = 128 * 1024 };

static void count(struct rd_str members)
{
    struct json_value root, state;
    struct buf object;

    buf_init(&object, FACT_MAX);
    if (buf_addf(&object, "{%.*s}", RD_STR_ARG(members)) == 0 &&
        json_parse((struct rd_str){object.data, object.n}, &root) == 0) {
        state = json_get(&root, "state");
        if (json_is(&state, "handled"))
            metric_add(M_TRIAGE_HANDLED, 1);
        else if (json_is(&state, "abandoned"))
            metric_add(M_TRIAGE_ABANDONED, 1);
    }
    buf_fini(&object);
}

void triage_keep_fact(void *arg, const struct script_fact *f)
{
    struct node *n = arg;

    if (strcmp(f->type, "triage") == 0)
        count(f->members);
    keep_told(n->keep, f->call, f->sid, f->agent, f->type, f->members);
}

void triage_look_back(struct node *n)
{
    struct agent_set *set = script_pool_agents(n->scripts);
    uint64_t now_us = unix_us();
    struct buf order;
    int rc;

    for (size_t i = 0; i < agent_set_count(set); i++) {
        const struct agent_info *a = agent_set_at(set, i);

        if (!a->rules)
            continue;
        buf_init(&order, ORDER_MAX);
        rc = json_add_object(&order,
                             JSON_MEMBERS(J_STR("node", n->name), J_INT("before_us", now_us)));
        if (!rc)
            rc = script_pool_errand(n->scripts, a->name, "left_open", buf_text(&order), 0, 0);
        if (rc)
            log_error("errand.not_run", F_STR("agent", a->name), F_STR("kind", "left_open"),
                      F_ERR(rc), F_FIX(catalogue_fix("errand.", "not_run")));
        buf_fini(&order);
    }
    agent_set_unref(set);
}
