/* SPDX-License-Identifier: Apache-2.0 */
/* sandbox.c - the globals of an agent's script: the language, text, tables, numbers and the clock.
 *
 * Left out, and why: io, os (but time, clock, date, difftime), package, dofile, loadfile: nothing
 * outside the agent. debug, string.dump, bytecode: they break the VM. __gc: it runs where no hook
 * can stop it. coroutine: a waiting call yields the whole task, an inner coroutine would swallow
 * that. New globals are refused, as a forgotten `local` is the commonest mistake.
 *
 * The library has globals of its own, equal but not the same: whatever a script does to `tostring` or
 * `string.format`, the library's stay what they were. Its modules scripts see as views (view.c). */
#include "lua/vm_private.h"

#include <lualib.h>
#include <string.h>

static const char library_globals_key = 0;

/* setmetatable without __gc. */
static int safe_setmetatable(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    luaL_argexpected(L, lua_isnil(L, 2) || lua_istable(L, 2), 2, "nil or table");
    if (lua_istable(L, 2)) {
        lua_pushliteral(L, "__gc");
        if (lua_rawget(L, 2) != LUA_TNIL)
            return luaL_error(L, "setmetatable: __gc is not available to scripts");
        lua_pop(L, 1);
    }
    if (luaL_getmetafield(L, 1, "__metatable") != LUA_TNIL)
        return luaL_error(L, "cannot change a protected metatable");
    lua_settop(L, 2);
    lua_setmetatable(L, 1);
    return 1;
}

/* The same for scripts, who get at their own metatables only. */
static int scripts_setmetatable(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    view_check_setmetatable(L);
    return safe_setmetatable(L);
}

/* load(text, [name], [mode], [env]): text only, and the chunk's name is never the script's choice.
 */
static int safe_load(lua_State *L)
{
    size_t n;
    const char *text = luaL_checklstring(L, 1, &n);
    int status;

    lua_settop(L, 4);
    status = luaL_loadbufferx(L, text, n, "=load", "t");
    if (status != LUA_OK) {
        lua_pushnil(L);
        lua_insert(L, -2);
        return 2;
    }
    if (!lua_isnil(L, 4)) {
        lua_pushvalue(L, 4);
        if (!lua_setupvalue(L, -2, 1))
            lua_pop(L, 1);
    }
    return 1;
}

static int finish_xpcall(lua_State *L, int status, lua_KContext ctx)
{
    (void)ctx;
    if (status == LUA_OK || status == LUA_YIELD) {
        lua_pushboolean(L, 1);
        lua_replace(L, 2); /* handler, true, results… → true, results… */
        return lua_gettop(L) - 1;
    }
    lua_pushvalue(L, 1);
    lua_insert(L, -2);
    lua_call(L, 1, 1);
    lua_pushboolean(L, 0);
    lua_insert(L, -2);
    return 2;
}

/* xpcall(f, handler, …). The handler runs after the stack was unwound: a real message handler would
 * run inside the hook that stopped the script, where no hook stops it. */
static int safe_xpcall(lua_State *L)
{
    luaL_checktype(L, 2, LUA_TFUNCTION);
    lua_pushvalue(L, 2);
    lua_insert(L, 1); /* handler, f, handler, arguments… */
    lua_pushvalue(L, 2);
    lua_replace(L, 3); /* handler, f, f, arguments… */
    return finish_xpcall(L, lua_pcallk(L, lua_gettop(L) - 3, LUA_MULTRET, 0, 0, finish_xpcall), 0);
}

static int refuse_global(lua_State *L)
{
    const char *name = luaL_tolstring(L, 2, NULL);

    return luaL_error(L, "'%s' is not defined; write `local %s` (scripts have no global variables)",
                      name, name);
}

static void keep_only(lua_State *L, const char *library, const char *const *names)
{
    lua_getglobal(L, library);
    lua_newtable(L);
    for (; *names; names++) {
        lua_getfield(L, -2, *names);
        lua_setfield(L, -2, *names);
    }
    lua_setglobal(L, library);
    lua_pop(L, 1);
}

static void remove_globals(lua_State *L, const char *const *names)
{
    for (; *names; names++) {
        lua_pushnil(L);
        lua_setglobal(L, *names);
    }
}

static void protect_strings(lua_State *L)
{
    lua_pushliteral(L, "");
    lua_getmetatable(L, -1);
    lua_pushliteral(L, "string");
    lua_setfield(L, -2, "__metatable");
    lua_pop(L, 2);
    lua_getglobal(L, "string");
    lua_pushnil(L);
    lua_setfield(L, -2, "dump");
    lua_pop(L, 1);
}

/* Table → table, copy. */
static void push_copy(lua_State *L)
{
    lua_newtable(L);
    lua_pushnil(L);
    while (lua_next(L, -3)) {
        lua_pushvalue(L, -2);
        lua_insert(L, -2);
        lua_rawset(L, -4);
    }
}

/* The library keeps the originals, which are also behind ("text"):upper(). */
static void part_scripts_from_library(lua_State *L)
{
    static const char *const shared[] = {LUA_TABLIBNAME,  LUA_STRLIBNAME, LUA_MATHLIBNAME,
                                         LUA_UTF8LIBNAME, LUA_OSLIBNAME,  NULL};
    static const luaL_Reg for_scripts[] = {
        {"getmetatable", view_getmetatable},
        {"setmetatable", scripts_setmetatable},
        {NULL, NULL},
    };

    lua_pushglobaltable(L);
    push_copy(L);
    lua_pushvalue(L, -1);
    lua_setfield(L, -2, LUA_GNAME);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &library_globals_key);
    for (const char *const *name = shared; *name; name++) {
        lua_getfield(L, -1, *name);
        push_copy(L);
        lua_setfield(L, -3, *name);
        lua_pop(L, 1);
    }
    luaL_setfuncs(L, for_scripts, 0);
    lua_pop(L, 1);
    require_open_scripts(L);
}

void sandbox_is_library(lua_State *L)
{
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, &library_globals_key) != LUA_TTABLE ||
        !lua_setupvalue(L, -2, 1))
        lua_pop(L, 1);
}

static void protect_globals(lua_State *L)
{
    lua_pushglobaltable(L);
    lua_createtable(L, 0, 3);
    lua_pushcfunction(L, refuse_global);
    lua_setfield(L, -2, "__newindex");
    lua_pushcfunction(L, refuse_global);
    lua_setfield(L, -2, "__index");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    lua_setmetatable(L, -2);
    lua_pop(L, 1);
}

int sandbox_open(lua_State *L)
{
    static const luaL_Reg libraries[] = {
        {LUA_GNAME, luaopen_base},        {LUA_TABLIBNAME, luaopen_table},
        {LUA_STRLIBNAME, luaopen_string}, {LUA_MATHLIBNAME, luaopen_math},
        {LUA_UTF8LIBNAME, luaopen_utf8},  {LUA_OSLIBNAME, luaopen_os},
    };
    static const luaL_Reg replaced[] = {
        {"setmetatable", safe_setmetatable},
        {"load", safe_load},
        {"xpcall", safe_xpcall},
        {NULL, NULL},
    };
    static const char *const clock_only[] = {"time", "clock", "date", "difftime", NULL};
    static const char *const removed[] = {"dofile", "loadfile", "collectgarbage",
                                          "warn",   "print",    NULL};

    for (size_t i = 0; i < sizeof(libraries) / sizeof(libraries[0]); i++) {
        luaL_requiref(L, libraries[i].name, libraries[i].func, 1);
        lua_pop(L, 1);
    }
    keep_only(L, LUA_OSLIBNAME, clock_only);
    remove_globals(L, removed);
    lua_pushglobaltable(L);
    luaL_setfuncs(L, replaced, 0);
    lua_pop(L, 1);
    protect_strings(L);
    fence_open(L);
    require_open(L);
    part_scripts_from_library(L);
    protect_globals(L);
    return 0;
}

int sandbox_open_trusted(lua_State *L)
{
    luaL_openlibs(L);
    return require_open_trusted(L);
}
