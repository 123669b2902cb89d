/* SPDX-License-Identifier: Apache-2.0 */
/* api_node.c - host.node: what the node around a script can do for it, for operations and for the
 * routes of the control socket. Everything returns at once; what takes longer is asked about later.
 *
 * Without a node (it starts or ends) all of them say so, with the code "starting". */
#include "agent/api/api.h"
#include "agent/host.h"
#include "base/err.h"

#include <errno.h>
#include <lauxlib.h>

enum { JSON_BYTES = 8 << 20 };

static const char text_name[] = "ringdown.node.text";

static const struct script_lent *lent_of(lua_State *L)
{
    return lua_touserdata(L, lua_upvalueindex(1));
}

static int push_failure(lua_State *L, int rc)
{
    return api_push_failure(L, rc == -ENOTCONN ? "no node is attached" : rd_strerror(rc),
                            rc == RD_EGONE    ? "gone"
                            : rc == RD_ESTATE ? "away"
                            : rc == -ENOTCONN ? "starting"
                                              : "failed");
}

/* A text on its way into Lua: its memory goes with the value, also when pushing it raises. */
static int free_text(lua_State *L)
{
    struct buf *text = lua_touserdata(L, 1);

    buf_fini(text);
    return 0;
}

static struct buf *new_text(lua_State *L)
{
    struct buf *text = lua_newuserdatauv(L, sizeof(*text), 0);

    buf_init(text, JSON_BYTES);
    if (luaL_newmetatable(L, text_name)) {
        lua_pushcfunction(L, free_text);
        lua_setfield(L, -2, "__gc");
    }
    lua_setmetatable(L, -2);
    return text;
}

static int push_text(lua_State *L, struct buf *text, int rc)
{
    if (!rc)
        lua_pushlstring(L, text->data ? text->data : "", text->n);
    buf_fini(text);
    return rc ? push_failure(L, rc) : 1;
}

static int push_done(lua_State *L, int rc)
{
    if (rc)
        return push_failure(L, rc);
    lua_pushboolean(L, 1);
    return 1;
}

/* node.status() -> json | nil, message, code */
static int node_status(lua_State *L)
{
    const struct script_lent *n = lent_of(L);
    struct buf *text = new_text(L);

    return push_text(L, text, n->arg ? n->can->status(n->arg, text) : -ENOTCONN);
}

/* node.calls() -> json | nil, message, code */
static int node_calls(lua_State *L)
{
    const struct script_lent *n = lent_of(L);
    struct buf *text = new_text(L);

    return push_text(L, text, n->arg ? n->can->calls(n->arg, text) : -ENOTCONN);
}

/* node.agents() -> json | nil, message, code */
static int node_agents(lua_State *L)
{
    const struct script_lent *n = lent_of(L);
    struct buf *text = new_text(L);

    return push_text(L, text, n->arg ? n->can->agents(n->arg, text) : -ENOTCONN);
}

/* node.agent(name:string) -> json | nil, message, code ("gone", "starting", "failed") */
static int node_agent(lua_State *L)
{
    const struct script_lent *n = lent_of(L);
    const char *name = luaL_checkstring(L, 1);
    struct buf *text = new_text(L);

    return push_text(L, text, n->arg ? n->can->agent(n->arg, name, text) : -ENOTCONN);
}

/* node.reload() -> number | nil, message, code */
static int node_reload(lua_State *L)
{
    const struct script_lent *n = lent_of(L);

    if (!n->arg)
        return push_failure(L, -ENOTCONN);
    lua_pushinteger(L, (lua_Integer)n->can->reload(n->arg));
    return 1;
}

/* node.reloaded(number:integer) -> json | nil, message, code ("failed": not yet) */
static int node_reloaded(lua_State *L)
{
    const struct script_lent *n = lent_of(L);
    lua_Integer number = luaL_checkinteger(L, 1);
    struct buf *text = new_text(L);

    return push_text(L, text,
                     n->arg ? n->can->reloaded(n->arg, (uint64_t)number, text) : -ENOTCONN);
}

/* node.hang_up(sid:string, who:string)
 *   -> true | nil, message, code ("gone", "away", "starting", "failed") */
static int node_hang_up(lua_State *L)
{
    const struct script_lent *n = lent_of(L);
    const char *sid = luaL_checkstring(L, 1), *who = luaL_checkstring(L, 2);

    return push_done(L, n->arg ? n->can->hang_up(n->arg, sid, who) : -ENOTCONN);
}

/* node.whisper(sid:string, text:string, now:boolean, who:string) -> the same */
static int node_whisper(lua_State *L)
{
    const struct script_lent *n = lent_of(L);
    const char *sid = luaL_checkstring(L, 1), *text = luaL_checkstring(L, 2);
    const char *who = luaL_checkstring(L, 4);
    bool now = lua_toboolean(L, 3);

    return push_done(L, n->arg ? n->can->whisper(n->arg, sid, text, now, who) : -ENOTCONN);
}

/* node.transfer(sid:string, to:string, who:string) -> the same */
static int node_transfer(lua_State *L)
{
    const struct script_lent *n = lent_of(L);
    const char *sid = luaL_checkstring(L, 1), *to = luaL_checkstring(L, 2);
    const char *who = luaL_checkstring(L, 3);

    return push_done(L, n->arg ? n->can->transfer(n->arg, sid, to, who) : -ENOTCONN);
}

/* node.drill(agent:string, rule:string, who:string) -> its number:string | nil, message, code */
static int node_drill(lua_State *L)
{
    const struct script_lent *n = lent_of(L);
    const char *agent = luaL_checkstring(L, 1), *rule = luaL_checkstring(L, 2);
    const char *who = luaL_checkstring(L, 3);
    char id[SCRIPT_DRILL_ID];
    int rc = n->arg ? n->can->drill(n->arg, agent, rule, who, id) : -ENOTCONN;

    if (rc)
        return push_failure(L, rc);
    lua_pushstring(L, id);
    return 1;
}

/* node.refresh_numbers() -> version:integer | nil, message, code */
static int node_refresh_numbers(lua_State *L)
{
    const struct script_lent *n = lent_of(L);

    if (!n->arg)
        return push_failure(L, -ENOTCONN);
    lua_pushinteger(L, (lua_Integer)n->can->refresh_numbers(n->arg));
    return 1;
}

/* node.drain() -> true | nil, message, code: refuses new calls from now on, keeps the others */
static int node_drain(lua_State *L)
{
    const struct script_lent *n = lent_of(L);

    if (n->arg)
        n->can->drain(n->arg);
    return push_done(L, n->arg ? 0 : -ENOTCONN);
}

/* node.undrain() -> true | nil, message, code ("away": it leaves for good) */
static int node_undrain(lua_State *L)
{
    const struct script_lent *n = lent_of(L);

    return push_done(L, n->arg ? n->can->undrain(n->arg) : -ENOTCONN);
}

/* node.operate(kind:string, json:string an object) -> true | nil, message, code
 * An operation in the background; what it tells and how it fails is logged. */
static int node_operate(lua_State *L)
{
    const struct script_lent *n = lent_of(L);
    const char *kind = luaL_checkstring(L, 1), *json = luaL_checkstring(L, 2);

    return push_done(L, n->arg ? n->can->operate(n->arg, kind, json) : -ENOTCONN);
}

/* node.ring(json:string {to, system}) -> true | nil, message, code: a synthetic call begins */
static int node_ring(lua_State *L)
{
    const struct script_lent *n = lent_of(L);
    const char *json = luaL_checkstring(L, 1);

    return push_done(L, n->arg ? n->can->ring(n->arg, json) : -ENOTCONN);
}

/* node.rung() -> json: how it was | nil, message, code ("going": it is not over) */
static int node_rung(lua_State *L)
{
    const struct script_lent *n = lent_of(L);
    struct buf *text = new_text(L);
    int rc = n->arg ? n->can->rung(n->arg, text) : -ENOTCONN;

    if (rc == -EAGAIN)
        return api_push_failure(L, "it goes on", "going");
    return push_text(L, text, rc);
}

/* node.ring_judged(good:boolean, json:string): counted, and shown by status */
static int node_ring_judged(lua_State *L)
{
    const struct script_lent *n = lent_of(L);
    struct rd_str json;

    json.p = luaL_checklstring(L, 2, &json.n);
    if (n->arg)
        n->can->ring_judged(n->arg, lua_toboolean(L, 1), json);
    return 0;
}

void api_node_push(lua_State *L, const struct script_lent *lent)
{
    static const luaL_Reg functions[] = {{"status", node_status},
                                         {"calls", node_calls},
                                         {"agents", node_agents},
                                         {"agent", node_agent},
                                         {"reload", node_reload},
                                         {"reloaded", node_reloaded},
                                         {"hang_up", node_hang_up},
                                         {"whisper", node_whisper},
                                         {"transfer", node_transfer},
                                         {"drill", node_drill},
                                         {"refresh_numbers", node_refresh_numbers},
                                         {"drain", node_drain},
                                         {"undrain", node_undrain},
                                         {"operate", node_operate},
                                         {"ring", node_ring},
                                         {"rung", node_rung},
                                         {"ring_judged", node_ring_judged},
                                         {NULL, NULL}};

    luaL_newlibtable(L, functions);
    lua_pushlightuserdata(L, (void *)(uintptr_t)lent);
    luaL_setfuncs(L, functions, 1);
}
