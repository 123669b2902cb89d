/* SPDX-License-Identifier: Apache-2.0 */
/* triage.c - counts emergencies and texts by what became of them; lets agents look for those an earlier process
 * left open (scripts/ringdown/emergency/left_open.lua waits for the database); begins drills, which
 * whoever follows the node's events sees as they go.
 *
 * Failure: an agent whose look cannot be begun is told in the log; `ringdown why` shows what is open. */
#include "gateway/triage.h"

#include "base/err.h"
#include "base/json.h"
#include "base/json_out.h"
#include "base/log.h"
#include "base/now.h"
#include "gateway/flood.h"
#include "gateway/meters.h"
#include "gateway/peers.h"
#include "observe/catalogue.h"
#include "observe/metrics.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

enum { ORDER_MAX = 1024, FACT_MAX = 128 * 1024, SUBJECT_MAX = 256, WORD_MAX = 80 };

static struct rd_str word(const struct json_value *root, const char *key, char *out, size_t cap)
{
    struct json_value v = json_get(root, key);

    return json_copy(&v, out, cap) == 0 ? rd_str(out) : RD_STR("");
}

/* Emergencies of calls of our own are counted by the desk when they begin. */
static void count_triage(const struct script_fact *f, const struct json_value *root)
{
    char call[WORD_MAX], rule[WORD_MAX], state[WORD_MAX];
    struct rd_str sid = word(root, "call", call, sizeof(call));
    struct rd_str now = word(root, "state", state, sizeof(state));

    if (f->call == 0 && rd_str_eq(now, RD_STR("open")))
        metric_add(M_TRIAGE_MATCHES, 1);
    meter_triage(sid.n > 0 ? sid : rd_str(f->sid), word(root, "rule", rule, sizeof(rule)), now);
}

static void count_text(const struct json_value *root)
{
    char direction[WORD_MAX], status[WORD_MAX];
    struct rd_str way = word(root, "direction", direction, sizeof(direction));

    meter_text(way.n > 0 ? way : RD_STR("out"), word(root, "status", status, sizeof(status)));
}

static void count(const struct script_fact *f)
{
    struct json_value root;
    struct buf object;

    buf_init(&object, FACT_MAX);
    if (buf_addf(&object, "{%.*s}", RD_STR_ARG(f->members)) == 0 &&
        json_parse((struct rd_str){object.data, object.n}, &root) == 0) {
        if (strcmp(f->type, "triage") == 0)
            count_triage(f, &root);
        else
            count_text(&root);
    }
    buf_fini(&object);
}

/* Whoever watches a drill sees it as it goes. */
static void show_drill(struct node *n, const struct script_fact *f)
{
    struct message *m = NULL;
    struct rd_str text;
    struct buf json;

    buf_init(&json, FACT_MAX);
    if (buf_addf(&json, "{\"type\":\"drill\",\"agent\":\"%s\",%.*s}", f->agent,
                 RD_STR_ARG(f->members)) == 0) {
        text = (struct rd_str){json.data, json.n};
        m = message_new(MSG_RECORD, 0, &text, 1);
    }
    buf_fini(&json);
    if (m)
        (void)mailbox_post(n->control, m);
}

/* Whoever has an emergency may ring as often as they do. */
static void spare_caller(struct node *n, call_handle call)
{
    struct directory_view view;

    if (directory_get(n->directory, call, &view))
        flood_spare(n->flood, rd_str(view.from), clock_ms(loop_clock()));
}

void triage_keep_fact(void *arg, const struct script_fact *f)
{
    struct node *n = arg;

    if (strcmp(f->type, "drill") == 0)
        show_drill(n, f);
    if (strcmp(f->type, "triage") == 0 || strcmp(f->type, "text") == 0)
        count(f);
    if (strcmp(f->type, "triage") == 0)
        spare_caller(n, f->call);
    keep_told(n->keep, f->call, f->sid, f->agent, f->type, f->members);
}

static int post_drill(struct node *n, const char *agent, const char *rule, const char *who,
                      const char *id)
{
    struct buf order;
    int rc;

    buf_init(&order, ORDER_MAX);
    rc = json_add_object(&order,
                         JSON_MEMBERS(J_STR("drill", id), J_STR("rule", rule), J_STR("who", who)));
    if (!rc)
        rc = buf_text(&order) ? script_pool_errand(n->scripts, agent, "drill", order.data, 0, 0)
                              : -ENOMEM;
    buf_fini(&order);
    return rc;
}

int node_drill(struct node *n, const char *agent, const char *rule, const char *who,
               char id[NODE_DRILL_ID])
{
    struct agent_set *set = script_pool_agents(n->scripts);
    bool known = agent_by_name(set, rd_str(agent)) != NULL;
    char subject[SUBJECT_MAX];

    agent_set_unref(set);
    if (!known)
        return RD_EGONE;
    (void)snprintf(id, NODE_DRILL_ID, "%" PRIx64, unix_us());
    (void)snprintf(subject, sizeof(subject), "%s %s", agent, rule);
    keep_node(n->keep, "audit",
              JSON_MEMBERS(J_STR("who", who), J_STR("what", "drill"), J_STR("subject", subject)));
    return post_drill(n, agent, rule, who, id);
}

static void look_back(struct node *n)
{
    struct agent_set *set = script_pool_agents(n->scripts);
    char process[24];
    struct buf order;
    int rc;

    (void)snprintf(process, sizeof(process), "%" PRIu64, keep_process(n->keep));
    for (size_t i = 0; i < agent_set_count(set); i++) {
        const struct agent_info *a = agent_set_at(set, i);

        if (!a->rules)
            continue;
        buf_init(&order, ORDER_MAX);
        rc = json_add_object(&order, JSON_MEMBERS(J_STR("node", n->name), J_STR("process", process),
                                                  J_INT("before_us", n->accepting_us)));
        if (!rc)
            rc = script_pool_errand(n->scripts, a->name, "left_open", buf_text(&order), 0, 0);
        if (rc)
            log_error("errand.not_run", F_STR("agent", a->name), F_STR("kind", "left_open"),
                      F_ERR(rc), F_FIX(catalogue_fix("errand.", "not_run")));
        buf_fini(&order);
    }
    agent_set_unref(set);
}

void triage_look_back(struct node *n)
{
    if (atomic_load(&n->look_back) && peers_count(n->peers) == 0 &&
        atomic_exchange(&n->look_back, false))
        look_back(n);
}
