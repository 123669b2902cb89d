/* SPDX-License-Identifier: Apache-2.0 */
/* fence.c - library functions that work inside C, where the instruction hook does not see them, made
 * to behave towards the other calls of the thread:
 *
 * - patterns run on a matcher that counts (matcher.c);
 * - whatever handles a long text or table looks at the clock first, as the hook does: a task that had
 *   its share steps aside, one that used its slice ends. Many such calls in a row are only a few
 *   instructions;
 * - what is long by itself has a limit: sorting, compiling, moving (table.insert and remove, too).
 *
 * Failure: beyond a limit is an error that says which. */
#include "lua/matcher.h"
#include "lua/vm_private.h"

#include <lualib.h>
#include <string.h>

enum {
    LONG_BYTES = 2048, /* from here on a look at the clock costs nothing in comparison */
    SORT_MAX = 10000,  /* a few milliseconds */
    LOAD_MAX = 64 << 10,
    ITEMS_MAX = 100000, /* that are moved or unpacked in one go */
};

/* Bytes and items that the arguments bring along. */
static size_t weight(lua_State *L)
{
    size_t sum = 0, n;

    for (int i = 1; i <= lua_gettop(L) && i <= 4; i++) {
        if (lua_type(L, i) == LUA_TSTRING) {
            (void)lua_tolstring(L, i, &n);
            sum += n;
        } else if (lua_type(L, i) == LUA_TTABLE) {
            sum += lua_rawlen(L, i) * sizeof(void *);
        }
    }
    return sum;
}

static int call_original(lua_State *L)
{
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
    return lua_gettop(L);
}

static int went_on(lua_State *L, int status, lua_KContext ctx)
{
    (void)status;
    (void)ctx;
    return call_original(L);
}

static bool should_step_aside(lua_State *L, size_t n)
{
    struct vm *v = vm_of(L);

    v->work += n;
    return v->work >= LONG_BYTES && vm_has_had_its_share(L);
}

static int fenced(lua_State *L)
{
    if (should_step_aside(L, weight(L)))
        return lua_yieldk(L, 0, 0, went_on);
    return call_original(L);
}

/* "".rep costs nothing and takes for ever. */
static int fenced_rep(lua_State *L)
{
    size_t n, n_separator = 0;
    lua_Number sum;

    luaL_checklstring(L, 1, &n);
    luaL_optlstring(L, 3, "", &n_separator);
    if (n + n_separator == 0) {
        lua_pushliteral(L, "");
        return 1;
    }
    sum = (lua_Number)(n + n_separator) * (lua_Number)luaL_checkinteger(L, 2);
    if (should_step_aside(L, sum >= LONG_BYTES ? LONG_BYTES : 0))
        return lua_yieldk(L, 0, 0, went_on);
    return call_original(L);
}

/* A table whose length the script can make up would keep C busy for as long as it likes. */
static int fenced_table(lua_State *L)
{
    if (lua_istable(L, 1) && luaL_getmetafield(L, 1, "__len") != LUA_TNIL)
        return luaL_error(L, "not for tables with a __len metamethod");
    return fenced(L);
}

static int fenced_sort(lua_State *L)
{
    if (lua_istable(L, 1) && lua_rawlen(L, 1) > SORT_MAX)
        return luaL_error(L, "table.sort: more than %d items; let the database sort them",
                          SORT_MAX);
    return fenced_table(L);
}

static void check_range(lua_State *L, const char *what, lua_Integer from, lua_Integer to)
{
    if (to >= from && (lua_Unsigned)to - (lua_Unsigned)from >= (lua_Unsigned)ITEMS_MAX)
        luaL_error(L, "%s: more than %d items", what, ITEMS_MAX);
}

static int fenced_move(lua_State *L)
{
    check_range(L, "table.move", luaL_checkinteger(L, 2), luaL_checkinteger(L, 3));
    return fenced_table(L);
}

/* table.insert and table.remove move what is behind their place. */
static int fenced_shift(lua_State *L, const char *what, lua_Integer at)
{
    if (lua_istable(L, 1))
        check_range(L, what, at, (lua_Integer)lua_rawlen(L, 1));
    return fenced_table(L);
}

static int fenced_insert(lua_State *L)
{
    bool inside = lua_gettop(L) > 2;

    return inside ? fenced_shift(L, "table.insert", luaL_checkinteger(L, 2)) : fenced_table(L);
}

static int fenced_remove(lua_State *L)
{
    bool inside = lua_gettop(L) > 1;

    return inside ? fenced_shift(L, "table.remove", luaL_checkinteger(L, 2)) : fenced_table(L);
}

static int fenced_unpack(lua_State *L)
{
    lua_Integer n = lua_istable(L, 1) ? (lua_Integer)lua_rawlen(L, 1) : 0;

    check_range(L, "table.unpack", luaL_optinteger(L, 2, 1), luaL_optinteger(L, 3, n));
    return fenced_table(L);
}

static int fenced_load(lua_State *L)
{
    size_t n;

    luaL_checklstring(L, 1, &n);
    if (n > LOAD_MAX)
        return luaL_error(L, "load: more than %d bytes", LOAD_MAX);
    return fenced(L);
}

static void wrap(lua_State *L, const char *library, const char *name, lua_CFunction fence)
{
    lua_getglobal(L, library);
    lua_getfield(L, -1, name);
    lua_pushcclosure(L, fence, 1);
    lua_setfield(L, -2, name);
    lua_pop(L, 1);
}

void fence_open(lua_State *L)
{
    static const struct {
        const char *library, *name;
        lua_CFunction fence;
    } fences[] = {
        {"string", "byte", fenced},         {"string", "format", fenced},
        {"string", "find", fenced},         {"string", "match", fenced},
        {"string", "gsub", fenced},         {"string", "gmatch", fenced},
        {"string", "lower", fenced},        {"string", "upper", fenced},
        {"string", "reverse", fenced},      {"string", "sub", fenced},
        {"string", "rep", fenced_rep},      {"string", "unpack", fenced},
        {"string", "pack", fenced},         {"table", "insert", fenced_insert},
        {"table", "remove", fenced_remove}, {"table", "concat", fenced_table},
        {"table", "sort", fenced_sort},     {"table", "unpack", fenced_unpack},
        {"table", "move", fenced_move},     {"utf8", "len", fenced},
        {"utf8", "codepoint", fenced},      {"utf8", "offset", fenced},
        {LUA_GNAME, "load", fenced_load},   {LUA_GNAME, "tonumber", fenced},
    };

    lua_getglobal(L, "string");
    matcher_register(L);
    lua_pop(L, 1);
    for (size_t i = 0; i < sizeof(fences) / sizeof(fences[0]); i++)
        wrap(L, fences[i].library, fences[i].name, fences[i].fence);
}
