/* SPDX-License-Identifier: Apache-2.0 */
/* routing.c - rollouts and the force switch, as gateway/follower.c has them, and over them what was
 * ordered at this machine.
 *
 *   configuration ▶ <data>/kept/override.json ▶ the database, or its last good copy
 *
 * The first of these that says something about the force switch, or about an agent, is it.
 *
 * An agent whose file says `routing = { split = … }` gets that as version 1 of its rollout, once the
 * database answers; any node may be the one that writes it. Without a database it goes by its file. */
#include "gateway/routing.h"

#include "agent/agents.h"
#include "base/err.h"
#include "base/json_out.h"
#include "gateway/follower.h"
#include "gateway/override.h"
#include "gateway/routing_copy.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { EVERY_MS = 400, ROWS_MAX = 400000, BYTES_MAX = 40 << 20, SEED_MAX = 256 * 1024 };

static const char version_sql[] = "select version from routing_version";

static const char all_sql[] =
    "with v as (select version::text from routing_version), "
    "rows as ("
    "select 'f' as kind, system as key, null as agent, null as value from force_now union all "
    "select 'r', agent, null, jsonb_strip_nulls(jsonb_build_object('version', version, 'salt', "
    "salt, "
    "'unit', unit, 'mode', mode, 'percent_bp', percent_bp, 'state', state, 'kill', kill, "
    "'schedule', "
    "schedule))::text from rollout_now union all "
    "select 'a', number, agent, null from rollout_now, unnest(allow) number union all "
    "select 'd', number, agent, null from rollout_now, unnest(deny) number) "
    "select version, kind, key, agent, value from v left join rows on true";

static const char seed_sql[] = "select rollouts_seed($1::jsonb)";

struct routing {
    struct routing_opts o;
    const char *forced;        /* by the configuration; or NULL */
    struct override *override; /* owns */
    struct follower *follower; /* owns */
    uint64_t seeded_at;        /* the version at which shares were looked for last */
    struct agent_set *seeded;  /* refs: the agents they were looked for in */
};

static const char *system_of(struct rd_str word)
{
    static const char *const systems[] = {"openai", "vapi"};

    for (size_t i = 0; i < sizeof(systems) / sizeof(systems[0]); i++)
        if (rd_str_eq(word, rd_str(systems[i])))
            return systems[i];
    return NULL;
}

const char *routing_force(struct routing *r)
{
    const char *said = r->forced ? r->forced : override_force(r->override), *force;
    struct followed *c;

    if (said)
        return system_of(rd_str(said));
    c = follower_copy(r->follower);
    force = system_of(routing_copy_force((struct routing_copy *)c));
    followed_unref(c);
    return force;
}

/* {} stands for nothing; then it is left out. */
static struct rd_str object_of(const struct buf *b)
{
    return b->n > 2 ? (struct rd_str){b->data, b->n} : (struct rd_str){NULL, 0};
}

static int add_order(struct buf *out, struct routing *r, struct rd_str agent)
{
    struct override_order order;
    char rollback[16];

    if (!override_of(r->override, agent, &order))
        return 0;
    (void)snprintf(rollback, sizeof(rollback), "%d", order.rollback_bp);
    return json_add_object(
        out, JSON_MEMBERS(J_RAW("rollback", rd_str(order.has_rollback ? rollback : NULL)),
                          J_STR("force", order.force)));
}

int routing_known(struct routing *r, const struct routing_call *call, struct buf *out)
{
    struct followed *f = follower_copy(r->follower);
    const struct routing_copy *c = (const struct routing_copy *)f;
    struct buf order, down;
    int rc;

    buf_init(&order, 256);
    buf_init(&down, 256);
    rc = add_order(&order, r, call->agent);
    if (!rc)
        rc = json_add_object(&down, JSON_MEMBERS(J_STR("openai", call->openai_down),
                                                 J_STR("vapi", call->vapi_down)));
    if (!rc)
        rc = json_add_object(
            out,
            JSON_MEMBERS(J_RAW("record", routing_copy_plan(c, call->agent)),
                         J_RAW("override", object_of(&order)), J_STR("force", routing_force(r)),
                         J_STR("listed", routing_copy_listed(c, call->agent, call->from)),
                         J_STR("pinned", call->pinned), J_RAW("down", object_of(&down))));
    buf_fini(&order);
    buf_fini(&down);
    followed_unref(f);
    return rc;
}

/* ---- first versions ---- */

/* {"sales":2500} of those that have no rollout; "" when there are none. */
static int missing_shares(const struct routing_copy *c, struct agent_set *set, struct buf *out)
{
    int rc = 0;

    for (size_t i = 0; rc >= 0 && i < agent_set_count(set); i++) {
        const struct agent_info *a = agent_set_at(set, i);

        if (a->split_bp < 0 || !a->vapi_twiml || routing_copy_plan(c, rd_str(a->name)).p)
            continue;
        rc = buf_addf(out, "%s\"%s\":%d", out->n ? "," : "{", a->name, a->split_bp);
    }
    if (rc >= 0 && out->n > 0)
        rc = buf_add_str(out, "}");
    return rc < 0 ? rc : buf_text(out) ? 0 : -ENOMEM;
}

/* What it wrote comes back with the next look. */
static void on_seeded(void *arg, struct answer *a)
{
    (void)arg;
    answer_free(a);
}

static void seed(struct routing *r, const struct routing_copy *c, struct agent_set *set)
{
    struct buf shares;
    const char *param;
    struct question q = {.sql = seed_sql, .params = &param, .n_params = 1, .done = on_seeded};

    buf_init(&shares, SEED_MAX);
    if (missing_shares(c, set, &shares) == 0 && shares.n > 0) {
        param = shares.data;
        (void)asker_ask(r->o.asker, &q);
    }
    buf_fini(&shares);
}

static void seed_what_is_new(struct routing *r)
{
    struct followed *c = follower_copy(r->follower);
    struct agent_set *set = r->o.agents ? r->o.agents(r->o.arg) : NULL;

    if (set && c && (set != r->seeded || c->version != r->seeded_at)) {
        seed(r, (struct routing_copy *)c, set);
        agent_set_unref(r->seeded);
        r->seeded = agent_set_ref(set);
        r->seeded_at = c->version;
    }
    agent_set_unref(set);
    followed_unref(c);
}

/* ---- life ---- */

/* The follower's thread. */
static void on_turn(void *arg)
{
    struct routing *r = arg;

    override_look(r->override);
    if (r->o.asker && r->follower && follower_has_asked(r->follower))
        seed_what_is_new(r);
}

int routing_start(struct routing **out, const struct routing_opts *o)
{
    struct follower_opts f = {.name = "routing",
                              .magic = ROUTING_MAGIC,
                              .version = version_sql,
                              .all = all_sql,
                              .n_columns = ROUTING_COLUMNS,
                              .rows_max = ROWS_MAX,
                              .bytes_max = BYTES_MAX,
                              .every_ms = EVERY_MS,
                              .make = routing_copy_new,
                              .turn = on_turn,
                              .asker = o->asker,
                              .data = o->data,
                              .secret = o->secret};
    struct routing *r = calloc(1, sizeof(*r));
    int rc;

    if (!r)
        return -ENOMEM;
    r->o = *o;
    r->forced = system_of(rd_str(o->force));
    f.arg = r;
    rc = override_new(&r->override, o->data);
    if (!rc) {
        override_look(r->override); /* before the first call */
        rc = follower_start(&r->follower, &f);
    }
    if (rc)
        routing_stop(r);
    else
        *out = r;
    return rc;
}

void routing_hush(struct routing *r)
{
    if (r)
        follower_hush(r->follower);
}

void routing_stop(struct routing *r)
{
    if (!r)
        return;
    follower_stop(r->follower);
    override_free(r->override);
    agent_set_unref(r->seeded);
    free(r);
}
