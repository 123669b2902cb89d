/* SPDX-License-Identifier: Apache-2.0 */
/* view.c - what scripts hold of the library: to call and to read, never to change.
 *
 * - A module that a script requires is a view: an empty table that looks everything up in the module. The
 *   library itself holds the module. pairs() and calling it work as they do on the module.
 * - A metatable is shown to scripts, and may be replaced by them, only when a script made it; those of the
 *   library would lead from a value to the functions behind all its like.
 *
 * A view hides the table, not what is in it: modules for scripts hold functions and plain values only.
 *
 * Failure: writing into a view, or putting another metatable on what is the library's, is an error that
 * says so. rawset() puts something before a view, for the script alone. */
#include "lua/vm_private.h"

static const char views_key = 0;      /* registry[&key]: module → its view */
static const char metatables_key = 0; /* registry[&key]: metatable of a script → true */

/* Pushes registry[key], a table that does not keep its keys alive. */
static void push_weak_table(lua_State *L, const char *key)
{
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, key) == LUA_TTABLE)
        return;
    lua_pop(L, 1);
    lua_newtable(L);
    lua_createtable(L, 0, 1);
    lua_pushliteral(L, "k");
    lua_setfield(L, -2, "__mode");
    lua_setmetatable(L, -2);
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, key);
}

static int refuse_write(lua_State *L)
{
    const char *module;

    (void)luaL_getmetafield(L, 1, "__name");
    module = lua_tostring(L, -1);
    return luaL_error(L,
                      "%s is the library's and cannot be changed; keep '%s' in a local of your own",
                      module, luaL_tolstring(L, 2, NULL));
}

/* next() of the module, which stays out of sight. */
static int next_of_module(lua_State *L)
{
    lua_settop(L, 2);
    if (lua_next(L, lua_upvalueindex(1)))
        return 2;
    lua_pushnil(L);
    return 1;
}

static int pairs_of_view(lua_State *L)
{
    (void)luaL_getmetafield(L, 1, "__index");
    lua_pushcclosure(L, next_of_module, 1);
    lua_pushvalue(L, 1);
    return 2;
}

/* Module → module, its new view. */
static void push_new_view(lua_State *L, const char *name)
{
    lua_newtable(L);
    lua_createtable(L, 0, 6);
    lua_pushvalue(L, -3);
    lua_setfield(L, -2, "__index");
    lua_pushcfunction(L, refuse_write);
    lua_setfield(L, -2, "__newindex");
    lua_pushcfunction(L, pairs_of_view);
    lua_setfield(L, -2, "__pairs");
    lua_pushstring(L, name);
    lua_setfield(L, -2, "__name");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    if (luaL_getmetafield(L, -3, "__call") != LUA_TNIL)
        lua_setfield(L, -2, "__call");
    lua_setmetatable(L, -2);
}

void view_of_module(lua_State *L, const char *name)
{
    if (!lua_istable(L, -1))
        return;
    push_weak_table(L, &views_key); /* module, views */
    lua_pushvalue(L, -2);
    if (lua_rawget(L, -2) == LUA_TNIL) {
        lua_pop(L, 1);
        lua_insert(L, -2); /* views, module */
        push_new_view(L, name);
        lua_insert(L, -2); /* views, view, module */
        lua_pushvalue(L, -2);
        lua_rawset(L, -4);
        lua_remove(L, -2);
        return;
    }
    lua_replace(L, -3);
    lua_pop(L, 1);
}

/* Is the metatable on top one that a script made? */
static bool is_of_script(lua_State *L)
{
    bool is;

    push_weak_table(L, &metatables_key);
    lua_pushvalue(L, -2);
    is = lua_rawget(L, -2) != LUA_TNIL;
    lua_pop(L, 2);
    return is;
}

int view_getmetatable(lua_State *L)
{
    luaL_checkany(L, 1);
    if (!lua_getmetatable(L, 1)) {
        lua_pushnil(L);
        return 1;
    }
    lua_pushliteral(L, "__metatable");
    if (lua_rawget(L, -2) != LUA_TNIL)
        return 1;
    lua_pop(L, 1);
    if (!is_of_script(L))
        lua_pushboolean(L, 0);
    return 1;
}

void view_check_setmetatable(lua_State *L)
{
    if (lua_getmetatable(L, 1) && !is_of_script(L))
        luaL_error(L, "cannot change a protected metatable");
    lua_settop(L, 2);
    if (lua_istable(L, 2)) {
        push_weak_table(L, &metatables_key);
        lua_pushvalue(L, 2);
        lua_pushboolean(L, 1);
        lua_rawset(L, 3);
        lua_settop(L, 2);
    }
}
