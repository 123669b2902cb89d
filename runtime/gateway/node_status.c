/* SPDX-License-Identifier: Apache-2.0 */
/* node_status.c - how a node is: as JSON for status, health and the list of calls, and as numbers.
 * Reads gauges that other threads write; nothing is stopped for it. */
#include "base/json_out.h"
#include "gateway/books.h"
#include "gateway/media_thread.h"
#include "gateway/node_metrics.h"
#include "gateway/peers.h"
#include "gateway/ringing.h"
#include "gateway/routing.h"
#include "gateway/standing.h"
#include "gateway/sweep.h"
#include "observe/alarm.h"
#include "observe/metrics.h"
#include "observe/targets.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    CALLS_MAX = 4096,
    STUCK_MS = 10000 /* a thread that did not come round for so long */
};

static int add_agent(struct buf *out, const struct agent_info *a)
{
    int rc = buf_add_str(out, "{");

    if (!rc)
        rc = json_members(out, JSON_MEMBERS(J_STR("name", a->name), J_STR("version", a->version)),
                          true);
    if (rc >= 0)
        rc = buf_add_str(out, ",\"numbers\":[");
    for (int i = 0; !rc && a->numbers[i]; i++)
        rc = buf_addf(out, "%s\"%s\"", i ? "," : "", a->numbers[i]);
    return rc ? rc : buf_add_str(out, "]}");
}

static int add_agents(struct buf *out, struct node *n)
{
    struct agent_set *set = script_pool_agents(n->scripts);
    int rc = buf_addf(out, ",\"agent_errors\":%zu,\"agents\":[", agent_set_errors(set));

    for (size_t i = 0; !rc && i < agent_set_count(set); i++) {
        if (i > 0)
            rc = buf_add_str(out, ",");
        if (!rc)
            rc = add_agent(out, agent_set_at(set, i));
    }
    agent_set_unref(set);
    return rc ? rc : buf_add_str(out, "]");
}

static int add_media(struct buf *out, struct node *n)
{
    int rc = buf_add_str(out, ",\"media_threads\":[");

    for (unsigned i = 0; !rc && i < n->n_media; i++) {
        struct media_thread *t = n->media[i];

        rc = buf_addf(out, "%s{\"calls\":%u,\"warm\":%u,\"lag_worst_us\":%u}", i ? "," : "",
                      atomic_load(&t->n_lines), atomic_load(&t->warm),
                      atomic_load(&t->lag_worst_us));
    }
    return rc ? rc : buf_add_str(out, "]");
}

static int add_scripts(struct buf *out, struct node *n)
{
    size_t depth = 0;

    for (unsigned i = 0; i < script_pool_size(n->scripts); i++)
        depth += mailbox_depth(script_pool_mailbox(n->scripts, i));
    return buf_addf(out, ",\"script_threads\":%u,\"vms\":%u,\"script_queue\":%zu",
                    script_pool_size(n->scripts), script_pool_vms(n->scripts), depth);
}

static int add_targets(struct buf *out)
{
    int rc = buf_add_str(out, ",\"targets\":");

    return rc ? rc : targets_to_json(out);
}

/* The lines of metrics_to_json() as one array. */
static int add_metrics(struct buf *out)
{
    struct buf lines;
    int rc;

    buf_init(&lines, 64 * 1024);
    rc = metrics_to_json(&lines);
    for (size_t i = 0; i + 1 < lines.n; i++)
        if (lines.data[i] == '\n')
            lines.data[i] = ',';
    if (!rc && lines.n > 0 && lines.data[lines.n - 1] == '\n')
        lines.n--;
    if (!rc)
        rc = buf_add_str(out, ",\"metrics\":[");
    if (!rc)
        rc = buf_add(out, lines.data, lines.n);
    buf_fini(&lines);
    return rc ? rc : buf_add_str(out, "]");
}

static int add_alarm(struct buf *out, const struct alarm *a)
{
    bool critical = a->severity == ALARM_CRITICAL;

    return json_add_object(out, JSON_MEMBERS(J_STR("kind", a->kind), J_STR("subject", a->subject),
                                             J_STR("severity", critical ? "critical" : "warning"),
                                             J_STR("text", a->text), J_STR("fix", a->fix),
                                             J_INT("count", a->count),
                                             J_INT("since_unix_s", a->raised_unix_us / 1000000)));
}

/* Those that are open now, oldest first. */
static int add_alarms(struct buf *out)
{
    struct alarm *open = calloc(ALARMS_MAX, sizeof(*open));
    size_t n = open ? alarm_list(open, ALARMS_MAX) : 0;
    int rc = open ? buf_add_str(out, ",\"alarms\":[") : -ENOMEM;

    for (size_t i = 0; !rc && i < n; i++) {
        if (i > 0)
            rc = buf_add_str(out, ",");
        if (!rc)
            rc = add_alarm(out, &open[i]);
    }
    free(open);
    return rc ? rc : buf_add_str(out, "]");
}

static const char *forced(struct node *n)
{
    const char *system = routing_force(n->routing);

    return system ? system : "";
}

static int add_self(struct buf *out, struct node *n, const struct directory_counts *c)
{
    uint64_t up_ms = clock_ms(loop_clock()) - n->started_ms;
    int rc = json_members(
        out,
        JSON_MEMBERS(J_STR("version", RD_VERSION), J_STR("public_url", n->settings->public_url),
                     J_INT("pid", getpid()), J_INT("port", n->port),
                     J_BOOL("tls", n->tls_server != NULL), J_INT("uptime_s", up_ms / 1000),
                     J_INT("calls", c->live), J_INT("max_calls", c->max),
                     J_INT("openai_calls", directory_on_openai(n->directory)),
                     J_INT("refused_full", c->full), J_BOOL("draining", c->draining),
                     J_INT("draining_beside", node_peers(n)), J_STR("force", forced(n)),
                     J_INT("zombies", sweep_found()), J_STR("node", n->settings->node_name)),
        true);

    return rc < 0 ? rc : 0;
}

int node_status_json(struct node *n, struct buf *out)
{
    struct directory_counts c = directory_counts(n->directory);
    int rc = buf_add_str(out, "{");

    if (!rc)
        rc = add_self(out, n, &c);
    if (!rc)
        rc = add_agents(out, n);
    if (!rc)
        rc = add_media(out, n);
    if (!rc)
        rc = add_scripts(out, n);
    if (!rc && n->books)
        rc = buf_add_str(out, ",");
    if (!rc && n->books)
        rc = books_json(n->books, out);
    if (!rc)
        rc = add_targets(out);
    if (!rc)
        rc = add_alarms(out);
    node_metrics_collect(n);
    if (!rc)
        rc = add_metrics(out);
    if (!rc && n->tls_server)
        rc = buf_addf(out, ",\"certificate_expires_in_s\":%" PRId64,
                      tls_server_expires_in(n->tls_server));
    if (!rc)
        rc = buf_add_str(out, ",\"standing\":");
    if (!rc)
        rc = standing_json(n->settings, out);
    if (!rc)
        rc = buf_add_str(out, ",\"synthetic\":");
    if (!rc)
        rc = ringing_add(n->ringing, out);
    return rc ? rc : buf_add_str(out, "}");
}

void node_readiness(struct node *n, struct node_readiness *out)
{
    struct agent_set *set = script_pool_agents(n->scripts);

    out->draining = directory_counts(n->directory).draining;
    out->configured = agent_set_count(set) > 0 || agent_set_errors(set) == 0;
    agent_set_unref(set);
}

static int add_call(struct buf *out, const struct directory_view *v, uint64_t now_ms)
{
    const char *system = v->system == DIRECTORY_VAPI ? "vapi" : "openai";

    return json_add_object(out, JSON_MEMBERS(J_STR("call", v->sid),
                                             J_STR("state", directory_state_name(v->state)),
                                             J_INT("seconds", (now_ms - v->admitted_ms) / 1000),
                                             J_STR("system", system), J_STR("agent", v->agent),
                                             J_STR("from", v->from), J_STR("to", v->to)));
}

int node_calls_json(struct node *n, struct buf *out)
{
    struct directory_view *views = calloc(CALLS_MAX, sizeof(*views));
    uint64_t now_ms = clock_ms(loop_clock());
    size_t count;
    int rc;

    if (!views)
        return -ENOMEM;
    count = directory_list(n->directory, views, CALLS_MAX);
    rc = buf_add_str(out, "[");
    for (size_t i = 0; !rc && i < count; i++) {
        if (i > 0)
            rc = buf_add_str(out, ",");
        if (!rc)
            rc = add_call(out, &views[i], now_ms);
    }
    free(views);
    return rc ? rc : buf_add_str(out, "]");
}

bool node_is_alive(struct node *n)
{
    uint64_t now_ms = clock_ms(loop_clock());
    bool alive = true;

    for (unsigned i = 0; i < n->n_media; i++)
        alive = alive && now_ms - atomic_load(&n->media[i]->pulse_ms) < STUCK_MS;
    return alive && script_pool_is_alive(n->scripts, now_ms);
}

unsigned node_calls(struct node *n)
{
    return directory_counts(n->directory).live;
}

unsigned node_busy(struct node *n)
{
    unsigned calls = node_calls(n), scripts = script_pool_vms(n->scripts);

    return calls > scripts ? calls : scripts;
}

unsigned node_peers(struct node *n)
{
    return peers_count(n->peers);
}

uint16_t node_port(struct node *n)
{
    return n->port;
}
