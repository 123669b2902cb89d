/* SPDX-License-Identifier: Apache-2.0 */
/* box.c - sandboxed agents inside a trusted VM.
 *
 * - box.open(agent, host, version): the agent is loaded and checked as a node would, or it is one of a
 *   set that was offered by that name; then a VM is made from its chunks as for a call. Its "ringdown.host" has the functions of a call where the host table has
 *   one of that name; each becomes a call of that function, in the spec's own VM.
 * - box:ask(function, …) calls a function of ringdown.runtime in the sandbox.
 *
 * Failure: what the agent raises, a broken limit and mistakes in its file raise in the spec, with the
 * traceback. */
#include "agent/box.h"

#include "agent/agents_private.h"
#include "agent/api/api.h"
#include "base/err.h"

#include <stdlib.h>
#include <string.h>

enum { DEPTH_MAX = 16, WHY_MAX = 65536 };

static const char type_name[] = "ringdown.box", sets_key[] = "ringdown.box.sets";

struct box {
    struct agent_entry *entry; /* refs */
    struct vm *vm;             /* owns */
    lua_State *spec;           /* whose ask() runs now; the host table is its second argument */
    int host;                  /* reference to the host table, in the registry of the spec's VM */
};

/* --- plain data from one VM to the other --- */

static void copy_value(lua_State *from, int at, lua_State *to, int depth);

static void copy_table(lua_State *from, int at, lua_State *to, int depth)
{
    luaL_checkstack(from, 4, "too deep");
    lua_newtable(to);
    lua_pushnil(from);
    while (lua_next(from, at)) {
        copy_value(from, lua_gettop(from) - 1, to, depth + 1);
        copy_value(from, lua_gettop(from), to, depth + 1);
        lua_rawset(to, -3);
        lua_pop(from, 1);
    }
}

/* Functions and the like become nil: they stay where they are. */
static void copy_value(lua_State *from, int at, lua_State *to, int depth)
{
    size_t n;
    const char *text;

    luaL_checkstack(to, 4, "too deep");
    switch (lua_type(from, at)) {
    case LUA_TBOOLEAN:
        lua_pushboolean(to, lua_toboolean(from, at));
        break;
    case LUA_TNUMBER:
        if (lua_isinteger(from, at))
            lua_pushinteger(to, lua_tointeger(from, at));
        else
            lua_pushnumber(to, lua_tonumber(from, at));
        break;
    case LUA_TSTRING:
        text = lua_tolstring(from, at, &n);
        lua_pushlstring(to, text, n);
        break;
    case LUA_TTABLE:
        if (depth < DEPTH_MAX)
            copy_table(from, at, to, depth);
        else
            lua_pushnil(to);
        break;
    default:
        lua_pushnil(to);
    }
}

static void copy_values(lua_State *from, int first, int last, lua_State *to)
{
    for (int i = first; i <= last; i++)
        copy_value(from, i, to, 0);
}

/* --- what the sandbox asks of its host --- */

/* Upvalue: the function's name. */
static int ask_host(lua_State *L)
{
    struct box *b = vm_user(vm_of(L));
    lua_State *spec = b->spec;
    int top = lua_gettop(spec), n_args = lua_gettop(L), n_results;

    luaL_checkstack(spec, n_args + 4, "too many arguments");
    lua_rawgeti(spec, LUA_REGISTRYINDEX, b->host);
    lua_getfield(spec, -1, lua_tostring(L, lua_upvalueindex(1)));
    lua_remove(spec, -2);
    copy_values(L, 1, n_args, spec);
    if (lua_pcall(spec, n_args, LUA_MULTRET, 0) != LUA_OK) {
        copy_value(spec, -1, L, 0);
        lua_settop(spec, top);
        return lua_error(L);
    }
    n_results = lua_gettop(spec) - top;
    luaL_checkstack(L, n_results, "too many results");
    copy_values(spec, top + 1, top + n_results, L);
    lua_settop(spec, top);
    return n_results;
}

/* Files, zones and positions are the sandbox's own: they are what is tested. */
static bool stays_inside(const char *name)
{
    static const char *const own[] = {"file", "source", "shown", "zone", "where", "digest"};

    for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
        if (strcmp(own[i], name) == 0)
            return true;
    return false;
}

/* The host of a call, with the spec's functions behind it. */
static int open_host(lua_State *L)
{
    struct box *b = vm_user(vm_of(L));
    lua_State *spec = b->spec;

    lua_newtable(L);
    api_host_register(L);
    api_digest_register(L);
    lua_rawgeti(spec, LUA_REGISTRYINDEX, b->host);
    lua_pushnil(spec);
    while (lua_next(spec, -2)) {
        if (lua_type(spec, -2) == LUA_TSTRING && lua_isfunction(spec, -1) &&
            !stays_inside(lua_tostring(spec, -2))) {
            lua_pushstring(L, lua_tostring(spec, -2));
            lua_pushvalue(L, -1);
            lua_pushcclosure(L, ask_host, 1);
            lua_rawset(L, -3);
        }
        lua_pop(spec, 1);
    }
    lua_pop(spec, 1);
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "loading");
    return 1;
}

/* --- the module --- */

static struct box *check_box(lua_State *L)
{
    return luaL_checkudata(L, 1, type_name);
}

static int raise(lua_State *L, struct buf *why, int rc)
{
    const char *text = buf_text(why);

    lua_pushstring(L, text && why->n ? text : rd_strerror(rc));
    buf_fini(why);
    return lua_error(L);
}

/* box:ask(function:string, …) -> what it returned */
static int box_ask(lua_State *L)
{
    struct box *b = check_box(L);
    const char *function = luaL_checkstring(L, 2);
    int n_args = lua_gettop(L) - 2, base, n, rc;
    lua_State *inner;
    struct buf why;

    if (!b->vm)
        return luaL_error(L, "the box is closed");
    buf_init(&why, WHY_MAX);
    b->spec = L;
    inner = vm_lua(b->vm);
    base = lua_gettop(inner);
    copy_values(L, 3, lua_gettop(L), inner);
    rc = vm_call_module(b->vm, "ringdown.runtime", function, n_args, LUA_MULTRET, &why);
    if (rc)
        return raise(L, &why, rc);
    buf_fini(&why);
    n = lua_gettop(inner) - base;
    luaL_checkstack(L, n, "too many results");
    copy_values(inner, base + 1, base + n, L);
    lua_settop(inner, base);
    return n;
}

static int box_close(lua_State *L)
{
    struct box *b = check_box(L);

    if (b->vm) {
        b->spec = L;
        vm_free(b->vm);
        agent_entry_unref(b->entry);
        luaL_unref(L, LUA_REGISTRYINDEX, b->host);
        b->vm = NULL;
    }
    return 0;
}

/* box:broken() -> which limit the agent broke, or nil */
static int box_broken(lua_State *L)
{
    struct box *b = check_box(L);

    if (b->vm && vm_spent(b->vm))
        lua_pushstring(L, vm_spent_why(b->vm));
    else
        lua_pushnil(L);
    return 1;
}

/* box:module() -> the agent's module, which open() of ringdown.runtime wants first */
static int box_module(lua_State *L)
{
    struct box *b = check_box(L);

    lua_pushstring(L, b->vm ? b->entry->module : "");
    return 1;
}

/* box:about() -> what is known of the agent without asking it: version, rules (JSON or nil), needs */
static int box_about(lua_State *L)
{
    struct box *b = check_box(L);
    const struct agent_info *info = &b->entry->info;
    const char *const *const lists[] = {info->hosts, info->secrets};
    static const char *const names[] = {"hosts", "secrets"};

    lua_newtable(L);
    lua_pushstring(L, info->version);
    lua_setfield(L, -2, "version");
    lua_pushstring(L, info->rules);
    lua_setfield(L, -2, "rules");
    lua_newtable(L);
    for (int i = 0; i < 2; i++) {
        lua_newtable(L);
        for (int k = 0; lists[i] && lists[i][k]; k++) {
            lua_pushstring(L, lists[i][k]);
            lua_rawseti(L, -2, k + 1);
        }
        lua_setfield(L, -2, names[i]);
    }
    lua_setfield(L, -2, "needs");
    return 1;
}

/* Out of a set that somebody offered. */
static int take(lua_State *L, struct box *b, const char *agent, const char *version)
{
    struct agent_set *set;
    const struct agent_info *info;

    lua_getfield(L, LUA_REGISTRYINDEX, sets_key);
    lua_getfield(L, -1, version);
    set = lua_touserdata(L, -1);
    lua_pop(L, 2);
    info = set ? agent_by_name(set, rd_str(agent)) : NULL;
    if (!info)
        return luaL_error(L, "there is no agent '%s' in %s", agent, version);
    b->entry = agent_entry_ref((struct agent_entry *)(uintptr_t)info); /* its first member */
    return 0;
}

/* Every box loads its agent anew, as a node that has just been told of it. */
static int load(lua_State *L, struct box *b, const char *agent)
{
    struct buf complaints;
    int rc;

    buf_init(&complaints, WHY_MAX);
    rc = agent_entry_load_folder(&b->entry, agent, lua_tostring(L, lua_upvalueindex(1)),
                                 lua_tostring(L, lua_upvalueindex(2)), &complaints);
    if (rc)
        return raise(L, &complaints, rc);
    buf_fini(&complaints);
    return 0;
}

/* box.open(agent:string, host:table, version:string|nil) -> box; raises the agent's mistakes, all of them */
static int open_box(lua_State *L)
{
    const char *agent = luaL_checkstring(L, 1);
    struct vm_opts o = {0};
    struct box *b;

    luaL_checktype(L, 2, LUA_TTABLE);
    b = lua_newuserdatauv(L, sizeof(*b), 0);
    memset(b, 0, sizeof(*b));
    b->host = LUA_NOREF;
    if (lua_isstring(L, 3))
        take(L, b, agent, lua_tostring(L, 3));
    else
        load(L, b, agent);
    o.chunks = b->entry->chunks;
    o.user = b;
    if (vm_new(&b->vm, &o)) {
        agent_entry_unref(b->entry);
        return luaL_error(L, "not enough memory");
    }
    b->spec = L;
    lua_pushvalue(L, 2);
    b->host = luaL_ref(L, LUA_REGISTRYINDEX);
    luaL_setmetatable(L, type_name);
    (void)vm_preload(b->vm, "ringdown.host", open_host);
    return 1;
}

static const luaL_Reg methods[] = {
    {"ask", box_ask},     {"module", box_module}, {"broken", box_broken}, {"about", box_about},
    {"close", box_close}, {"__gc", box_close},    {NULL, NULL},
};

/* The registry has the two paths: box_preload() put them there. */
static int open_module(lua_State *L)
{
    luaL_newmetatable(L, type_name);
    luaL_setfuncs(L, methods, 0);
    lua_pushvalue(L, -1);
    lua_setfield(L, -2, "__index");
    lua_newtable(L);
    lua_getfield(L, LUA_REGISTRYINDEX, "ringdown.box.agents");
    lua_getfield(L, LUA_REGISTRYINDEX, "ringdown.box.library");
    lua_pushcclosure(L, open_box, 2);
    lua_setfield(L, -2, "open");
    return 1;
}

int box_offer(struct vm *trusted, const char *version, struct agent_set *set)
{
    lua_State *L = vm_lua(trusted);

    luaL_getsubtable(L, LUA_REGISTRYINDEX, sets_key);
    lua_pushlightuserdata(L, set);
    lua_setfield(L, -2, version);
    lua_pop(L, 1);
    return 0;
}

int box_preload(struct vm *trusted, const char *agents_path, const char *library_path)
{
    lua_State *L = vm_lua(trusted);

    lua_pushstring(L, agents_path);
    lua_setfield(L, LUA_REGISTRYINDEX, "ringdown.box.agents");
    lua_pushstring(L, library_path);
    lua_setfield(L, LUA_REGISTRYINDEX, "ringdown.box.library");
    luaL_getsubtable(L, LUA_REGISTRYINDEX, sets_key);
    lua_pop(L, 1);
    return vm_preload(trusted, "ringdown.box", open_module);
}
