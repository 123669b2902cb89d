/* SPDX-License-Identifier: Apache-2.0 */
/* settings_list.c - a setting that is a list of tables, as JSON: whoever uses it is written in Lua and
 * knows what must be in it.
 *
 * Failure: functions and other values that a text cannot hold, a table with both names and places, one that
 * holds itself (by its depth). */
#include "base/buf.h"
#include "base/err.h"
#include "gateway/settings_table.h"
#include "lua/vm.h"

enum { DEPTH_MAX = 4, MEMBERS_MAX = 64, SLOTS = 8 };

static int add_value(lua_State *L, struct buf *out, int depth);

static int add_text(lua_State *L, struct buf *out, int at)
{
    struct rd_str s;
    int rc = buf_add_str(out, "\"");

    s.p = lua_tolstring(L, at, &s.n);
    if (memchr(s.p, '\0', s.n))
        return RD_EPROTO;
    if (!rc)
        rc = buf_add_json(out, s);
    return rc ? rc : buf_add_str(out, "\"");
}

static int add_list(lua_State *L, struct buf *out, int depth)
{
    lua_Integer n = (lua_Integer)lua_rawlen(L, -1);
    lua_Integer n_all = 0;
    int rc = buf_add_str(out, "[");

    if (n > MEMBERS_MAX)
        return RD_ETOOBIG;
    for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1))
        n_all++;
    if (n_all != n)
        return RD_EPROTO;
    for (lua_Integer i = 1; i <= n && !rc; i++) {
        if (i > 1)
            rc = buf_add_str(out, ",");
        lua_rawgeti(L, -1, i);
        if (!rc)
            rc = add_value(L, out, depth + 1);
        lua_pop(L, 1);
    }
    return rc ? rc : buf_add_str(out, "]");
}

static int add_table(lua_State *L, struct buf *out, int depth)
{
    int rc = buf_add_str(out, "{"), n = 0;

    lua_pushnil(L);
    while (lua_next(L, -2)) {
        if (!rc && (lua_type(L, -2) != LUA_TSTRING || ++n > MEMBERS_MAX))
            rc = RD_EPROTO;
        if (!rc && n > 1)
            rc = buf_add_str(out, ",");
        if (!rc)
            rc = add_text(L, out, -2);
        if (!rc)
            rc = buf_add_str(out, ":");
        if (!rc)
            rc = add_value(L, out, depth + 1);
        lua_pop(L, 1);
    }
    return rc ? rc : buf_add_str(out, "}");
}

static int add_value(lua_State *L, struct buf *out, int depth)
{
    switch (lua_type(L, -1)) {
    case LUA_TSTRING:
        return add_text(L, out, -1);
    case LUA_TNUMBER: /* a copy: a key that is turned into text would confuse lua_next() */
        if (lua_isinteger(L, -1))
            return buf_addf(out, "%lld", (long long)lua_tointeger(L, -1));
        return buf_addf(out, "%.14g", lua_tonumber(L, -1));
    case LUA_TBOOLEAN:
        return buf_add_str(out, lua_toboolean(L, -1) ? "true" : "false");
    case LUA_TTABLE:
        if (depth >= DEPTH_MAX || !lua_checkstack(L, SLOTS))
            return RD_ETOOBIG;
        return lua_rawlen(L, -1) > 0 ? add_list(L, out, depth) : add_table(L, out, depth);
    default:
        return RD_EPROTO;
    }
}

int settings_list_json(lua_State *L, struct buf *out)
{
    return add_list(L, out, 0);
}
