/* SPDX-License-Identifier: Apache-2.0 */
/* fence.c - library functions that can run for minutes inside C, where no instruction hook stops
 * them, get an estimate of their worst case first and raise when it is too long:
 *
 * - patterns: text of n bytes with k open repetitions costs up to n^(k+1) steps (n^k when
 * anchored);
 * - string.rep of nothing, table functions over a huge or made-up length.
 *
 * Failure: an honest but expensive pattern is refused; the message says what to shorten. */
#include "lua/vm_private.h"

#include <string.h>

static const double steps_max = 2e8; /* about a second */
static const lua_Integer items_max = 1000000;

/* Repetitions that may backtrack: * + - after a single item, outside of a set. */
static unsigned count_repetitions(const char *p, size_t n)
{
    unsigned count = 0;
    bool in_set = false;

    for (size_t i = 0; i < n; i++) {
        if (p[i] == '%') {
            i++;
        } else if (in_set) {
            if (p[i] == ']')
                in_set = false;
        } else if (p[i] == '[') {
            in_set = true;
            if (i + 1 < n && p[i + 1] == '^')
                i++;
            if (i + 1 < n && p[i + 1] == ']')
                i++;
        } else if (i > 0 && (p[i] == '*' || p[i] == '+' || p[i] == '-')) {
            count++;
        }
    }
    return count;
}

/* In how many ways k repetitions can share at most n bytes: (n + k) over k. */
static double count_ways(size_t n, unsigned k)
{
    double ways = 1;

    for (unsigned i = 1; i <= k && ways <= steps_max; i++)
        ways *= ((double)n + i) / i;
    return ways;
}

static void check_pattern(lua_State *L)
{
    size_t n_text, n_pattern;
    const char *pattern = luaL_checklstring(L, 2, &n_pattern);
    unsigned repetitions = count_repetitions(pattern, n_pattern);

    luaL_checklstring(L, 1, &n_text);
    if (n_pattern == 0 || pattern[0] != '^')
        repetitions++; /* the start is one more thing to try */
    if (count_ways(n_text, repetitions) > steps_max)
        luaL_error(L,
                   "this pattern could take very long on a text of %d bytes; use fewer "
                   "repetitions (* + -) or a shorter text",
                   (int)n_text);
}

static int call_original(lua_State *L)
{
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
    return lua_gettop(L);
}

static int fenced_pattern(lua_State *L)
{
    check_pattern(L);
    return call_original(L);
}

static int fenced_find(lua_State *L)
{
    if (!lua_toboolean(L, 4))
        check_pattern(L);
    return call_original(L);
}

static int fenced_rep(lua_State *L)
{
    size_t n, n_separator = 0;

    luaL_checklstring(L, 1, &n);
    luaL_optlstring(L, 3, "", &n_separator);
    if (n + n_separator == 0) {
        lua_pushliteral(L, "");
        return 1;
    }
    return call_original(L);
}

/* A table whose length the script can make up would keep C busy for as long as it likes. */
static int fenced_table(lua_State *L)
{
    if (lua_istable(L, 1) && luaL_getmetafield(L, 1, "__len") != LUA_TNIL)
        return luaL_error(L, "not for tables with a __len metamethod");
    return call_original(L);
}

static int fenced_move(lua_State *L)
{
    lua_Integer from = luaL_checkinteger(L, 2), to = luaL_checkinteger(L, 3);

    if (to >= from && (lua_Unsigned)to - (lua_Unsigned)from > (lua_Unsigned)items_max)
        return luaL_error(L, "table.move: more than %d items", (int)items_max);
    return fenced_table(L);
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
    wrap(L, "string", "find", fenced_find);
    wrap(L, "string", "match", fenced_pattern);
    wrap(L, "string", "gmatch", fenced_pattern);
    wrap(L, "string", "gsub", fenced_pattern);
    wrap(L, "string", "rep", fenced_rep);
    wrap(L, "table", "insert", fenced_table);
    wrap(L, "table", "remove", fenced_table);
    wrap(L, "table", "concat", fenced_table);
    wrap(L, "table", "sort", fenced_table);
    wrap(L, "table", "unpack", fenced_table);
    wrap(L, "table", "move", fenced_move);
}
