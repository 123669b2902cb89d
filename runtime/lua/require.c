/* SPDX-License-Identifier: Apache-2.0 */
/* require.c - how a script gets at modules: each is loaded once per VM, from what C preloaded or
 * from the VM's chunks. Yields pass through, so a slow module does not hold up its neighbours.
 *
 * There are two functions called `require`: the library's opens every module, the one in a script's
 * globals only what is meant for agents, as views (view.c), and a script's own. Which one somebody holds
 * decides, not who calls it: a script that makes the library call its `require` gets no further than by
 * itself. */
#include "base/err.h"
#include "base/nearest.h"
#include "lua/vm_private.h"

#include <lualib.h>
#include <string.h>

/* lua-cjson has it, its header does not say so. */
int luaopen_cjson_safe(lua_State *L);

const char require_preload_key = 0;
static const char loaded_key = 0;
static const char busy_key = 0;

/* Of the library's modules, those that docs/lua/ describes; all others are its own doors. */
static const char *const public_modules[] = {
    "agent", "call",  "db",       "fake", "http", "json",  "log",    "routing", "secret",
    "sms",   "store", "template", "time", "tool", "tools", "triage", "verify",
};

static const char library_prefix[] = "ringdown.";

static bool is_library(const char *name)
{
    return strncmp(name, library_prefix, sizeof(library_prefix) - 1) == 0;
}

static bool is_private(const char *name)
{
    size_t n = sizeof(library_prefix) - 1;

    if (!is_library(name))
        return strcmp(name, "cjson") == 0 || strncmp(name, "cjson.", 6) == 0;
    for (size_t i = 0; i < sizeof(public_modules) / sizeof(public_modules[0]); i++)
        if (strcmp(name + n, public_modules[i]) == 0)
            return false;
    return true;
}

/* Pushes the function that makes the module, or raises what is wrong. */
static void push_loader(lua_State *L, const char *name)
{
    struct vm *v = vm_of(L);
    struct buf why;
    int rc = -1;

    lua_rawgetp(L, LUA_REGISTRYINDEX, &require_preload_key);
    lua_getfield(L, -1, name);
    lua_remove(L, -2);
    if (lua_isfunction(L, -1))
        return;
    lua_pop(L, 1);
    buf_init(&why, 4096);
    if (v->chunks)
        rc = chunks_load(v->chunks, L, name, &why);
    else
        buf_addf(&why, "module '%s' not found", name);
    if (rc)
        lua_pushlstring(L, why.data ? why.data : "", why.n);
    buf_fini(&why);
    if (rc)
        lua_error(L);
}

enum { FOR_LIBRARY, FOR_SCRIPT };

/* Stack: name, table of loaded modules, the module. */
static int hand_out(lua_State *L, lua_KContext whom)
{
    if (whom == FOR_SCRIPT && is_library(lua_tostring(L, 1)))
        view_of_module(L, lua_tostring(L, 1));
    return 1;
}

/* Stack: name, table of loaded modules, result. */
static int finish_require(lua_State *L, int status, lua_KContext whom)
{
    (void)status;
    if (lua_isnil(L, 3)) {
        lua_pop(L, 1);
        lua_pushboolean(L, 1);
    }
    lua_pushvalue(L, 1);
    lua_pushvalue(L, 3);
    lua_rawset(L, 2);
    return hand_out(L, whom);
}

static int require_for(lua_State *L, lua_KContext whom)
{
    const char *name = luaL_checkstring(L, 1);

    lua_settop(L, 1);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &loaded_key);
    lua_pushvalue(L, 1);
    lua_rawget(L, 2);
    if (lua_islightuserdata(L, 3) && lua_touserdata(L, 3) == (void *)&busy_key)
        return luaL_error(L, "module '%s' requires itself, directly or through others", name);
    if (!lua_isnil(L, 3))
        return hand_out(L, whom);
    lua_pop(L, 1);
    push_loader(L, name);
    lua_pushvalue(L, 1);
    lua_pushlightuserdata(L, (void *)&busy_key);
    lua_rawset(L, 2);
    lua_pushvalue(L, 1);
    lua_callk(L, 1, 1, whom, finish_require);
    return finish_require(L, LUA_OK, whom);
}

static int require_module(lua_State *L)
{
    return require_for(L, FOR_LIBRARY);
}

/* A module that is not for agents, or does not exist: which one was meant. */
static int refuse(lua_State *L, const char *name)
{
    struct nearest near;

    if (!is_library(name))
        return luaL_error(L, "module '%s' is for the library only", name);
    nearest_init(&near, name + sizeof(library_prefix) - 1);
    for (size_t i = 0; i < sizeof(public_modules) / sizeof(public_modules[0]); i++)
        nearest_offer(&near, public_modules[i]);
    if (near.best)
        return luaL_error(L, "agents have no module '%s'; did you mean '%s%s'?", name,
                          library_prefix, near.best);
    return luaL_error(L,
                      "module '%s' is for the library only, if there is one; docs/lua/ has those "
                      "for agents",
                      name);
}

/* What scripts have as `require`. */
static int require_public(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1);

    if (is_private(name))
        return refuse(L, name);
    return require_for(L, FOR_SCRIPT);
}

void vm_forget(struct vm *v, const char *name)
{
    lua_State *L = vm_lua(v);

    lua_rawgetp(L, LUA_REGISTRYINDEX, &loaded_key);
    lua_pushnil(L);
    lua_setfield(L, -2, name);
    lua_pop(L, 1);
}

int require_open(lua_State *L)
{
    lua_newtable(L);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &loaded_key);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &require_preload_key);
    lua_pushcfunction(L, luaopen_cjson_safe);
    lua_setfield(L, -2, "cjson.safe");
    lua_pushcfunction(L, require_module);
    lua_pushvalue(L, -1);
    lua_setglobal(L, "require");
    lua_setfield(L, -2, " require"); /* for vm_call_module(); no module has a space in its name */
    return 0;
}

int require_open_scripts(lua_State *L)
{
    lua_pushcfunction(L, require_public);
    lua_setglobal(L, "require");
    return 0;
}

/* package.searchers entry for trusted VMs: what C preloaded, then the chunks. */
static int search_ours(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1);
    struct vm *v = vm_of(L);
    struct buf why;

    lua_rawgetp(L, LUA_REGISTRYINDEX, &require_preload_key);
    lua_getfield(L, -1, name);
    if (lua_isfunction(L, -1))
        return 1;
    lua_settop(L, 1);
    buf_init(&why, 4096);
    if (!v->chunks || chunks_load(v->chunks, L, name, &why))
        lua_pushfstring(L, "\n\tno Ringdown module '%s'", name);
    buf_fini(&why);
    return 1;
}

int require_open_trusted(lua_State *L)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &require_preload_key);
    lua_pushcfunction(L, luaopen_cjson_safe);
    lua_setfield(L, -2, "cjson.safe");
    lua_getglobal(L, "require");
    lua_setfield(L, -2, " require");
    lua_getglobal(L, "package");
    lua_getfield(L, -1, "searchers");
    lua_pushcfunction(L, search_ours);
    lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
    return 0;
}
