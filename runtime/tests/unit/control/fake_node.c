/* SPDX-License-Identifier: Apache-2.0 */
/* fake_node.c - a node that says what the test wants. */
#include "unit/control/fake_node.h"

#include "agent/host.h"
#include "base/err.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

int node_status_json(struct node *n, struct buf *out)
{
    return buf_add_str(out, fake_of(n)->status);
}

int node_calls_json(struct node *n, struct buf *out)
{
    return buf_add_str(out, fake_of(n)->calls);
}

/* Writes down what was asked for and by whom. */
static int take(struct fake_node *f, const char *call_sid, const char *what)
{
    rd_str_copy(f->asked_of, sizeof(f->asked_of), rd_str(call_sid));
    rd_str_copy(f->asked, sizeof(f->asked), rd_str(what));
    return strcmp(call_sid, "CAlive") == 0 ? 0 : RD_EGONE;
}

int node_hang_up(struct node *n, const char *call_sid, const char *who)
{
    char what[256];

    snprintf(what, sizeof(what), "hang up by %s", who);
    return take(fake_of(n), call_sid, what);
}

int node_whisper(struct node *n, const char *call_sid, const char *text, bool now, const char *who)
{
    char what[256];

    snprintf(what, sizeof(what), "whisper %s%s by %s", text, now ? " now" : "", who);
    return take(fake_of(n), call_sid, what);
}

int node_transfer(struct node *n, const char *call_sid, const char *to, const char *who)
{
    char what[256];

    snprintf(what, sizeof(what), "transfer to %s by %s", to, who);
    return take(fake_of(n), call_sid, what);
}

int node_drill(struct node *n, const char *agent, const char *rule, const char *who,
               char id[NODE_DRILL_ID])
{
    char what[256];

    snprintf(what, sizeof(what), "drill %s by %s", rule, who);
    (void)take(fake_of(n), agent, what);
    snprintf(id, NODE_DRILL_ID, "d1");
    return 0;
}

uint64_t node_refresh_numbers(struct node *n)
{
    (void)n;
    return 7;
}

int node_agents_json(struct node *n, struct buf *out)
{
    (void)n;
    return buf_add_str(out, "{\"agents\":[]}");
}

int node_agent_json(struct node *n, const char *name, struct buf *out)
{
    (void)n;
    return strcmp(name, "dentist") == 0 ? buf_add_str(out, "{\"name\":\"dentist\"}") : RD_EGONE;
}

uint64_t node_reload(struct node *n)
{
    return ++fake_of(n)->reloads;
}

/* The second is not done yet. */
int node_reloaded(struct node *n, uint64_t ticket, struct buf *out)
{
    (void)n;
    return ticket == 1 ? buf_add_str(out, "{\"taken\":true}") : -EAGAIN;
}

void node_drain(struct node *n)
{
    (void)take(fake_of(n), "", "drain");
}

int node_undrain(struct node *n)
{
    return take(fake_of(n), "", "undrain");
}

int node_operate(struct node *n, const char *kind, const char *json)
{
    (void)json;
    return take(fake_of(n), "CAlive", kind);
}

/* Answers at once, as the script thread would later. */
int node_ask(struct node *n, const struct operation_order *o)
{
    struct fake_node *f = fake_of(n);
    struct operation_end e = {
        .rc = f->api_rc, .text = rd_str(f->api_result), .traceback = RD_STR("")};

    rd_str_copy(f->api_payload, sizeof(f->api_payload), o->json);
    rd_str_copy(f->api_who, sizeof(f->api_who), rd_str(o->who));
    f->api_asked++;
    if (f->api_full)
        return RD_EFULL;
    if (f->api_holds) { /* until the test says so */
        f->held[f->n_held++] = *o;
        return 0;
    }
    o->done(o->arg, &e);
    return 0;
}

void node_readiness(struct node *n, struct node_readiness *out)
{
    *out = fake_of(n)->readiness;
}

bool node_is_alive(struct node *n)
{
    return !fake_of(n)->is_stuck;
}

/* It has no telephone. */
int node_ring(struct node *n, const char *json)
{
    (void)n;
    (void)json;
    return -ENOSYS;
}

int node_rung(struct node *n, struct buf *out)
{
    (void)n;
    (void)out;
    return -ENOSYS;
}

void node_ring_judged(struct node *n, bool good, struct rd_str json)
{
    (void)n;
    (void)good;
    (void)json;
}
