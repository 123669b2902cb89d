/* SPDX-License-Identifier: Apache-2.0 */
/* beat.c - one beat: node_beat() in PostgreSQL keeps who is there, and says who leads.
 *
 *   pulse ─▶ node_beat() ─▶ a follower: nothing more
 *                       └─▶ the leader: what only one must do
 *                             calls of a dead process      ─▶ an errand asks the carrier about them
 *                             emergencies nobody follows   ─▶ an errand of their agent goes on with them
 *                             a node died, agents differ   ─▶ alarms, closed when it is over
 *                             what is due                  ─▶ operations (gateway/timetable.h)
 *
 * Failure modes: with the database away nobody leads, and what a node does then is begun (it is the
 * shipper's alarm), also while a beat still waits for a database that hangs. What it does not get in time is "journal.behind".
 * An errand that finds no room is asked for again by a later beat. */
#include "gateway/beat.h"

#include "agent/tree.h"
#include "base/err.h"
#include "base/json.h"
#include "base/json_out.h"
#include "base/log.h"
#include "gateway/books.h"
#include "gateway/timetable.h"
#include "observe/alarm.h"
#include "observe/catalogue.h"
#include "observe/metrics.h"
#include "store/asker.h"
#include "store/journal.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { BEAT_MAX = 2048, ORDER_MAX = 4096, TEXT_MAX = 256 };
enum { BEHIND_MS = 300000, CAUGHT_UP_MS = 60000 };

static const char differ_kind[] = "nodes.differ", died_kind[] = "node.lost";
static const char behind_kind[] = "journal.behind";

/* --- telling --- */

static int write_beat(struct node *n, struct buf *out)
{
    struct agent_set *set = script_pool_agents(n->scripts);
    struct tree *tree = agent_set_tree(set);
    struct directory_counts c = directory_counts(n->directory);
    char host[65] = "";
    int rc;

    (void)gethostname(host, sizeof(host) - 1);
    rc = json_add_object(out,
                         JSON_MEMBERS(J_STR("node", n->name), J_INT("epoch", keep_process(n->keep)),
                                      J_STR("version", RD_VERSION),
                                      J_STR("host", host[0] ? host : NULL), J_INT("pid", getpid()),
                                      J_INT("calls", c.live), J_BOOL("draining", c.draining),
                                      J_STR("agents", tree ? tree_hash(tree) : NULL)));
    agent_set_unref(set);
    return !rc && !buf_text(out) ? -1 : rc;
}

/* --- what only one must do --- */

/* The library asks; whose VM it does that in makes no difference. */
static void ask_carrier(struct node *n, const struct json_value *calls)
{
    struct agent_set *set = script_pool_agents(n->scripts);
    struct buf order;
    int rc = -1;

    buf_init(&order, ORDER_MAX);
    if (agent_set_count(set) > 0 &&
        buf_addf(&order, "{\"node\":\"%s\",\"calls\":%.*s}", n->name, RD_STR_ARG(calls->raw)) ==
            0 &&
        buf_text(&order))
        rc = script_pool_errand(n->scripts, agent_set_at(set, 0)->name, "lost_calls", order.data, 0,
                                0);
    if (rc)
        log_info("node.lost_calls_later", F_INT("rc", rc));
    buf_fini(&order);
    agent_set_unref(set);
}

static bool is_some(const struct json_value *list)
{
    struct json_value each;
    struct json_iter it;
    struct rd_str key;

    if (list->type != JSON_ARRAY)
        return false;
    json_iter_init(&it, list);
    return json_next(&it, &key, &each);
}

static void follow_emergencies(struct node *n, const struct json_value *agents)
{
    char order[ORDER_MAX], agent[DIRECTORY_AGENT];
    struct json_value each;
    struct json_iter it;
    struct rd_str key;

    (void)snprintf(order, sizeof(order), "{\"node\":\"%s\",\"process\":\"%llu\"}", n->name,
                   (unsigned long long)keep_process(n->keep));
    json_iter_init(&it, agents);
    while (json_next(&it, &key, &each))
        if (json_copy(&each, agent, sizeof(agent)) == 0 &&
            script_pool_errand(n->scripts, agent, "left_open", order, 0, 0))
            log_error("errand.not_run", F_STR("agent", agent), F_STR("kind", "left_open"),
                      F_FIX(catalogue_fix("errand.", "not_run")));
}

/* --- alarms --- */

static void alarm_differ(const struct json_value *said)
{
    char nodes[TEXT_MAX / 2], text[TEXT_MAX];

    if (said->type != JSON_STRING || json_copy(said, nodes, sizeof(nodes))) {
        alarm_clear(differ_kind, NULL);
        return;
    }
    (void)snprintf(text, sizeof(text), "nodes run different agents: %s", nodes);
    alarm_raise(ALARM_WARNING, differ_kind, NULL, text, catalogue_fix("nodes.", "differ"));
}

static bool has_node(const struct json_value *died, const char *node)
{
    struct json_value each, name;
    struct json_iter it;
    struct rd_str key;

    if (died->type != JSON_ARRAY)
        return false;
    json_iter_init(&it, died);
    while (json_next(&it, &key, &each)) {
        name = json_get(&each, "node");
        if (json_is(&name, node))
            return true;
    }
    return false;
}

/* `died` of type JSON_NONE: none, as far as it is ours to say. */
static void clear_returned(const struct json_value *died)
{
    struct alarm *open = calloc(ALARMS_MAX, sizeof(*open));
    size_t n = open ? alarm_list(open, ALARMS_MAX) : 0;

    for (size_t i = 0; i < n; i++)
        if (strcmp(open[i].kind, died_kind) == 0 && !has_node(died, open[i].subject))
            alarm_clear(died_kind, open[i].subject);
    free(open);
}

static void alarm_died(const struct json_value *died)
{
    struct json_value each, name;
    char node[ALARM_SUBJECT];
    struct json_iter it;
    struct rd_str key;

    clear_returned(died);
    if (died->type != JSON_ARRAY)
        return;
    json_iter_init(&it, died);
    while (json_next(&it, &key, &each)) {
        name = json_get(&each, "node");
        if (json_copy(&name, node, sizeof(node)) == 0)
            alarm_raise(ALARM_WARNING, died_kind, node, "a node is gone, and did not say goodbye",
                        catalogue_fix("node.", "lost"));
    }
}

/* What was recorded waits for too long, whatever the reason. */
static void alarm_behind(struct node *n)
{
    struct journal_gauges g;
    char text[TEXT_MAX];

    journal_gauges(n->journal, &g);
    if (g.oldest_age_ms < CAUGHT_UP_MS)
        alarm_clear(behind_kind, NULL);
    if (g.oldest_age_ms < BEHIND_MS)
        return;
    (void)snprintf(
        text, sizeof(text), "%llu events wait for PostgreSQL, the oldest for %llu minutes",
        (unsigned long long)g.kept + g.waiting, (unsigned long long)g.oldest_age_ms / 60000);
    alarm_raise(ALARM_WARNING, behind_kind, NULL, text, catalogue_fix("journal.", "behind"));
}

/* --- the answer --- */

static void lead(struct node *n, const struct json_value *said)
{
    struct json_value lost = json_get(said, "lost"), left = json_get(said, "left_open");
    struct json_value differ = json_get(said, "differ"), died = json_get(said, "died");

    if (is_some(&lost))
        ask_carrier(n, &lost);
    if (is_some(&left))
        follow_emergencies(n, &left);
    alarm_differ(&differ);
    alarm_died(&died);
}

static void follow(void)
{
    struct json_value none = {.type = JSON_NONE};

    alarm_differ(&none);
    alarm_died(&none);
}

/* A thread of the asker. */
static void on_answer(void *arg, struct answer *a)
{
    struct node *n = arg;
    struct json_value said, leader;
    size_t at = 0;

    if (a && a->rc == 0 && a->n_rows == 1 && json_parse(answer_cell(a, &at), &said) == 0) {
        leader = json_get(&said, "leader");
        if (leader.type == JSON_TRUE)
            lead(n, &said);
        else
            follow();
        metric_gauge_set(G_LEADER, leader.type == JSON_TRUE);
        timetable_beat(n->timetable, leader.type == JSON_TRUE);
    } else {
        if (a && a->rc == RD_EREFUSED)
            log_warn("node.beat_refused", F_STR("why", a->why),
                     F_FIX(catalogue_fix("node.", "beat_refused")));
        timetable_beat_alone(n->timetable);
    }
    answer_free(a);
    atomic_store(&n->beating, false);
    atomic_fetch_sub(&n->adopting, 1);
}

void beat_tell(struct node *n)
{
    struct question q = {
        .sql = "select node_beat($1::jsonb)::text", .n_params = 1, .done = on_answer, .arg = n};
    const char *param;
    struct buf beat;
    int rc;

    if (!n->books)
        return;
    if (atomic_exchange(&n->beating, true)) {
        timetable_beat_alone(n->timetable); /* the last one is not answered yet */
        return;
    }
    alarm_behind(n);
    atomic_fetch_add(&n->adopting, 1);
    buf_init(&beat, BEAT_MAX);
    rc = write_beat(n, &beat);
    param = beat.data;
    q.params = &param;
    if (!rc)
        rc = asker_ask(books_asker(n->books), &q);
    if (rc) {
        timetable_beat_alone(n->timetable);
        atomic_store(&n->beating, false);
        atomic_fetch_sub(&n->adopting, 1);
    }
    buf_fini(&beat);
}
