/* SPDX-License-Identifier: Apache-2.0 */
/* node_metrics.c - reads what other threads wrote and sets levels; nothing is stopped for it. Calls are
 * read in pieces, so that the directory's lock is never held for long.
 *
 * The deepest a mailbox was is remembered for two windows of WINDOW_MS, so that two who look do not take
 * it from each other. */
#include "gateway/node_metrics.h"

#include "gateway/media_thread.h"
#include "gateway/meters_kept.h"
#include "observe/alarm.h"
#include "observe/metrics.h"

#include <stdlib.h>

enum { VIEWS = 64, WINDOW_MS = 15000 };

static void set_journal(struct node *n)
{
    struct journal_gauges g;

    if (!n->journal)
        return;
    journal_gauges(n->journal, &g);
    metric_gauge_set(G_JOURNAL_EVENTS, (int64_t)(g.waiting + g.kept));
    metric_gauge_set(G_JOURNAL_AGE_MS, (int64_t)g.oldest_age_ms);
    metric_gauge_set(G_JOURNAL_DEAD, (int64_t)g.dead);
}

static const char *system_of(const struct directory_view *v)
{
    return v->system == DIRECTORY_VAPI ? "vapi" : v->system == DIRECTORY_OPENAI ? "openai" : NULL;
}

static void set_calls(struct node *n)
{
    struct directory_view views[VIEWS];
    unsigned place = 0;
    bool more = true;
    size_t count;

    metric_levels_clear(F_ACTIVE);
    while (more) {
        more = directory_walk(n->directory, &place, views, VIEWS, &count);
        for (size_t i = 0; i < count; i++)
            if (views[i].state != DIRECTORY_OVER)
                metric_level_add(metric_slot(F_ACTIVE, views[i].agent, system_of(&views[i]), NULL),
                                 1);
    }
}

static void set_slots(struct node *n)
{
    struct directory_counts c = directory_counts(n->directory);

    metric_gauge_set(G_CALLS, c.live);
    metric_gauge_set(G_SLOTS_FREE, c.max > c.live ? c.max - c.live : 0);
    metric_gauge_set(G_READY, c.draining ? 0 : 1);
    metric_gauge_set(G_DRAINING, c.draining);
}

static void set_agents(struct node *n)
{
    struct agent_set *set = script_pool_agents(n->scripts);

    metric_gauge_set(G_AGENTS, (int64_t)agent_set_count(set));
    metric_gauge_set(G_AGENT_ERRORS, (int64_t)agent_set_errors(set));
    agent_set_unref(set);
    metric_gauge_set(G_VMS, script_pool_vms(n->scripts));
    metric_gauge_set(G_VM_BYTES, (int64_t)script_pool_vm_bytes(n->scripts));
}

static void set_warm(struct node *n)
{
    unsigned warm = 0;

    for (unsigned i = 0; i < n->n_media; i++)
        warm += atomic_load(&n->media[i]->warm);
    metric_gauge_set(G_WARM_CONNECTIONS, warm);
}

static void set_alarms(void)
{
    struct alarm *open = calloc(ALARMS_MAX, sizeof(*open));
    size_t n = open ? alarm_list(open, ALARMS_MAX) : 0, critical = 0;

    for (size_t i = 0; i < n; i++)
        critical += open[i].severity == ALARM_CRITICAL;
    free(open);
    metric_gauge_set(G_ALARMS_CRITICAL, (int64_t)critical);
    metric_gauge_set(G_ALARMS_WARNING, (int64_t)(n - critical));
}

/* --- mailboxes --- */

static size_t deepest(size_t a, struct mailbox *mb, uint64_t now_ms)
{
    size_t b = mb ? mailbox_worst(mb, now_ms, WINDOW_MS) : 0;

    return a > b ? a : b;
}

static void set_mailboxes(struct node *n)
{
    uint64_t now_ms = clock_ms(loop_clock());
    size_t media = 0, script = 0;

    for (unsigned i = 0; i < n->n_media; i++)
        media = deepest(media, n->media[i]->mailbox, now_ms);
    for (unsigned i = 0; i < script_pool_size(n->scripts); i++)
        script = deepest(script, script_pool_mailbox(n->scripts, i), now_ms);
    metric_level(metric_slot(F_MAILBOX, "media", NULL, NULL), (int64_t)media);
    metric_level(metric_slot(F_MAILBOX, "script", NULL, NULL), (int64_t)script);
    metric_level(metric_slot(F_MAILBOX, "control", NULL, NULL),
                 (int64_t)deepest(0, n->control, now_ms));
}

void node_metrics_collect(void *arg)
{
    struct node *n = arg;

    set_slots(n);
    set_calls(n);
    set_agents(n);
    set_warm(n);
    set_journal(n);
    set_alarms();
    set_mailboxes(n);
    meters_kept_ask(n->meters);
}
