/* SPDX-License-Identifier: Apache-2.0 */
/* require.c - how a script gets at modules: each is loaded once per VM, from what C preloaded or
 * from the VM's chunks. Yields pass through, so a slow module does not hold up its neighbours.
 *
 * The library's own doors ("ringdown.host", "ringdown.runtime", "ringdown.twilio.…", "cjson…") open
 * only to the library: the caller's chunk name tells, and no script can choose its chunk name. */
#include "base/err.h"
#include "lua/vm_private.h"

#include <lualib.h>
#include <string.h>

/* lua-cjson has it, its header does not say so. */
int luaopen_cjson_safe(lua_State *L);

const char require_preload_key = 0;
static const char loaded_key = 0;
static const char busy_key = 0;

static const char library_prefix[] = "@ringdown/";

static const char *const private_modules[] = {
    "ringdown.host",     "ringdown.runtime",
    "ringdown.twilio",   "ringdown.booking",
    "ringdown.calendar", "ringdown.calendar_options",
    "ringdown.current",  "ringdown.customers",
    "ringdown.def",      "ringdown.definition",
    "ringdown.loading",  "ringdown.agent_check",
    "ringdown.tool_run", "ringdown.tool_check",
    "ringdown.desk",     "ringdown.emergency",
    "ringdown.errand",   "ringdown.site",
    "ringdown.texts",    "cjson",
    "ringdown.host",     "ringdown.runtime",
    "ringdown.twilio",   "ringdown.booking",
    "ringdown.calendar", "ringdown.calendar_options",
    "ringdown.current",  "ringdown.customers",
    "ringdown.site",     "cjson",
};

static bool is_private(const char *name)
{
    for (size_t i = 0; i < sizeof(private_modules) / sizeof(private_modules[0]); i++) {
        size_t n = strlen(private_modules[i]);

        if (strncmp(name, private_modules[i], n) == 0 && (name[n] == '\0' || name[n] == '.'))
            return true;
    }
    return false;
}

/* pcall(require, …) is judged by who called pcall; C code with no Lua above it is ours. */
static bool caller_is_library(lua_State *L)
{
    lua_Debug ar;

    for (int level = 1; lua_getstack(L, level, &ar); level++) {
        lua_getinfo(L, "S", &ar);
        if (*ar.what != 'C')
            return strncmp(ar.source, library_prefix, sizeof(library_prefix) - 1) == 0;
    }
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

/* Stack: name, table of loaded modules, result. */
static int finish_require(lua_State *L, int status, lua_KContext ctx)
{
    (void)status;
    (void)ctx;
    if (lua_isnil(L, 3)) {
        lua_pop(L, 1);
        lua_pushboolean(L, 1);
    }
    lua_pushvalue(L, 1);
    lua_pushvalue(L, 3);
    lua_rawset(L, 2);
    return 1;
}

static int require_module(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1);

    if (is_private(name) && !vm_of(L)->trusted && !caller_is_library(L))
        return luaL_error(L, "module '%s' is for the library only", name);
    lua_settop(L, 1);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &loaded_key);
    lua_pushvalue(L, 1);
    lua_rawget(L, 2);
    if (lua_islightuserdata(L, 3) && lua_touserdata(L, 3) == (void *)&busy_key)
        return luaL_error(L, "module '%s' requires itself, directly or through others", name);
    if (!lua_isnil(L, 3))
        return 1;
    lua_pop(L, 1);
    push_loader(L, name);
    lua_pushvalue(L, 1);
    lua_pushlightuserdata(L, (void *)&busy_key);
    lua_rawset(L, 2);
    lua_pushvalue(L, 1);
    lua_callk(L, 1, 1, 0, finish_require);
    return finish_require(L, LUA_OK, 0);
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
