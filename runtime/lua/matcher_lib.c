/* SPDX-License-Identifier: Apache-2.0 */
/* matcher_lib.c - string.find, match, gmatch and gsub on our matcher: the same arguments and results
 * as Lua's own, and an end.
 *
 * - A call of find, match or gsub, and each round of gmatch, has STEPS_MAX steps.
 * - A function that gsub calls costs many, because it cannot step aside for other calls.
 *
 * Failure: a broken pattern, or one that is out of steps, raises a sentence. */
#include "lua/matcher.h"

#include "lua/vm_private.h"

#include <lauxlib.h>
#include <stdbool.h>
#include <string.h>

enum { STEPS_MAX = 1000000, STEPS_PER_CALLBACK = 100 };

static const char specials[] = "^$*+?.([%-";

/* The next library call sees how much work this one was. */
static void charge(lua_State *L, const struct matcher *m)
{
    vm_of(L)->work += STEPS_MAX - m->steps;
}

static void raise(lua_State *L, const struct matcher *m, enum match r)
{
    charge(L, m);
    if (r == MATCH_LONG)
        luaL_error(L, "this pattern %s (%d bytes)", m->why, (int)(m->text_end - m->text));
    luaL_error(L, "%s", m->why);
}

/* --- captures as results --- */

static void push_capture(lua_State *L, const struct matcher *m, int i, const char *begin,
                         const char *end)
{
    if (i >= m->n_captures) {
        if (i != 0)
            luaL_error(L, "invalid capture index %%%d", i + 1);
        lua_pushlstring(L, begin, (size_t)(end - begin)); /* no captures: the whole match */
    } else if (m->captures[i].length == CAPTURE_POSITION) {
        lua_pushinteger(L, m->captures[i].begin - m->text + 1);
    } else if (m->captures[i].length == CAPTURE_OPEN) {
        luaL_error(L, "unfinished capture");
    } else {
        lua_pushlstring(L, m->captures[i].begin, (size_t)m->captures[i].length);
    }
}

static int push_captures(lua_State *L, const struct matcher *m, const char *begin, const char *end,
                         bool whole)
{
    int n = m->n_captures == 0 && whole ? 1 : m->n_captures;

    luaL_checkstack(L, n, "too many captures");
    for (int i = 0; i < n; i++)
        push_capture(L, m, i, begin, end);
    return n;
}

/* --- find and match --- */

/* Where `init` points to in a text of n bytes, from 0; n + 1: behind its end. */
static size_t offset_of(lua_Integer init, size_t n)
{
    if (init > 0)
        return (lua_Unsigned)init - 1 > n ? n + 1 : (size_t)init - 1;
    if (init == 0 || (lua_Unsigned)0 - (lua_Unsigned)init > n)
        return 0;
    return n - (size_t)((lua_Unsigned)0 - (lua_Unsigned)init);
}

static bool has_specials(const char *pattern, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (pattern[i] && strchr(specials, pattern[i]))
            return true;
    return false;
}

static int find_plain(lua_State *L, const char *text, size_t n, size_t from, const char *wanted,
                      size_t n_wanted)
{
    const char *found = memmem(text + from, n - from, wanted, n_wanted);

    if (!found) {
        luaL_pushfail(L);
        return 1;
    }
    lua_pushinteger(L, found - text + 1);
    lua_pushinteger(L, found - text + (lua_Integer)n_wanted);
    return 2;
}

static int find_or_match(lua_State *L, bool find)
{
    size_t n, n_pattern, from;
    const char *text = luaL_checklstring(L, 1, &n);
    const char *pattern = luaL_checklstring(L, 2, &n_pattern);
    bool anchored = n_pattern > 0 && *pattern == '^';
    const char *begin, *end;
    struct matcher m;
    enum match r;

    from = offset_of(luaL_optinteger(L, 3, 1), n);
    if (from > n) {
        luaL_pushfail(L);
        return 1;
    }
    if (find && (lua_toboolean(L, 4) || !has_specials(pattern, n_pattern)))
        return find_plain(L, text, n, from, pattern, n_pattern);
    matcher_init(&m, text, n, pattern + anchored, n_pattern - anchored, STEPS_MAX);
    begin = text + from;
    r = anchored ? matcher_at(&m, begin, &end) : matcher_search(&m, begin, &begin, &end);
    charge(L, &m);
    if (r == MATCH_NO) {
        luaL_pushfail(L);
        return 1;
    }
    if (r != MATCH_YES)
        raise(L, &m, r);
    if (!find)
        return push_captures(L, &m, begin, end, true);
    lua_pushinteger(L, begin - text + 1);
    lua_pushinteger(L, end - text);
    return push_captures(L, &m, begin, end, false) + 2;
}

static int string_find(lua_State *L)
{
    return find_or_match(L, true);
}

static int string_match(lua_State *L)
{
    return find_or_match(L, false);
}

/* --- gmatch --- */

/* Upvalues: text, pattern, where to go on (from 0), end of the last match (-1: none). */
static int gmatch_next(lua_State *L)
{
    size_t n, n_pattern;
    const char *text = lua_tolstring(L, lua_upvalueindex(1), &n);
    const char *pattern = lua_tolstring(L, lua_upvalueindex(2), &n_pattern);
    lua_Integer from = lua_tointeger(L, lua_upvalueindex(3));
    lua_Integer last = lua_tointeger(L, lua_upvalueindex(4));
    const char *begin, *end;
    struct matcher m;
    enum match r;

    if ((size_t)from > n)
        return 0;
    matcher_init(&m, text, n, pattern, n_pattern, STEPS_MAX);
    r = matcher_search(&m, text + from, &begin, &end);
    if (r == MATCH_YES && end - text == last) /* an empty one where the last one ended */
        r = matcher_search(&m, begin + 1, &begin, &end);
    charge(L, &m);
    if (r == MATCH_NO)
        return 0;
    if (r != MATCH_YES)
        raise(L, &m, r);
    lua_pushinteger(L, end - text);
    lua_copy(L, -1, lua_upvalueindex(3));
    lua_replace(L, lua_upvalueindex(4));
    return push_captures(L, &m, begin, end, true);
}

static int string_gmatch(lua_State *L)
{
    size_t n;

    luaL_checklstring(L, 1, &n);
    luaL_checkstring(L, 2);
    lua_pushinteger(L, (lua_Integer)offset_of(luaL_optinteger(L, 3, 1), n));
    lua_replace(L, 3);
    lua_settop(L, 3);
    lua_pushinteger(L, -1);
    lua_pushcclosure(L, gmatch_next, 4);
    return 1;
}

/* --- gsub --- */

static void add_text(lua_State *L, luaL_Buffer *b, const struct matcher *m, const char *begin,
                     const char *end)
{
    size_t n;
    const char *r = lua_tolstring(L, 3, &n), *r_end = r + n;

    for (; r < r_end; r++) {
        if (*r != '%') {
            luaL_addchar(b, *r);
            continue;
        }
        r++;
        if (r < r_end && *r == '%') {
            luaL_addchar(b, '%');
        } else if (r < r_end && *r == '0') {
            luaL_addlstring(b, begin, (size_t)(end - begin));
        } else if (r < r_end && *r >= '1' && *r <= '9') {
            push_capture(L, m, *r - '1', begin, end);
            luaL_tolstring(L, -1, NULL);
            lua_remove(L, -2);
            luaL_addvalue(b);
        } else {
            luaL_error(L, "invalid use of '%%' in replacement string");
        }
    }
}

/* What a table or function says instead of the match; it may say nothing. True: it was changed. */
static bool add_value(lua_State *L, luaL_Buffer *b, struct matcher *m, const char *begin,
                      const char *end)
{
    int n;

    if (lua_type(L, 3) == LUA_TFUNCTION) {
        m->steps = m->steps > STEPS_PER_CALLBACK ? m->steps - STEPS_PER_CALLBACK : 0;
        lua_pushvalue(L, 3);
        n = push_captures(L, m, begin, end, true);
        lua_call(L, n, 1);
    } else {
        push_capture(L, m, 0, begin, end);
        lua_gettable(L, 3);
    }
    if (!lua_toboolean(L, -1)) {
        lua_pop(L, 1);
        luaL_addlstring(b, begin, (size_t)(end - begin));
        return false;
    }
    if (!lua_isstring(L, -1))
        luaL_error(L, "invalid replacement value (a %s)", luaL_typename(L, -1));
    luaL_addvalue(b);
    return true;
}

static bool replace(lua_State *L, luaL_Buffer *b, struct matcher *m, const char *begin,
                    const char *end)
{
    if (lua_type(L, 3) != LUA_TSTRING)
        return add_value(L, b, m, begin, end);
    add_text(L, b, m, begin, end);
    return true;
}

static int string_gsub(lua_State *L)
{
    size_t n, n_pattern;
    const char *at = luaL_checklstring(L, 1, &n), *last = NULL, *end;
    const char *pattern = luaL_checklstring(L, 2, &n_pattern);
    lua_Integer max = luaL_optinteger(L, 4, (lua_Integer)n + 1), count = 0;
    bool anchored = n_pattern > 0 && *pattern == '^', changed = false;
    struct matcher m;
    luaL_Buffer b;

    if (lua_type(L, 3) == LUA_TNUMBER)
        lua_tostring(L, 3);
    luaL_argexpected(L, lua_isstring(L, 3) || lua_istable(L, 3) || lua_type(L, 3) == LUA_TFUNCTION,
                     3, "string/function/table");
    lua_settop(L, 3);
    luaL_buffinit(L, &b);
    matcher_init(&m, at, n, pattern + anchored, n_pattern - anchored, STEPS_MAX);
    while (count < max) {
        enum match r = matcher_at(&m, at, &end);

        if (r == MATCH_YES && end != last) {
            count++;
            changed = replace(L, &b, &m, at, end) || changed;
            at = last = end;
        } else if (r == MATCH_BROKEN || r == MATCH_LONG) {
            raise(L, &m, r);
        } else if (at < m.text_end) {
            luaL_addchar(&b, *at++);
        } else {
            break;
        }
        if (anchored)
            break;
    }
    charge(L, &m);
    if (changed) {
        luaL_addlstring(&b, at, (size_t)(m.text_end - at));
        luaL_pushresult(&b);
    } else {
        lua_pushvalue(L, 1);
    }
    lua_pushinteger(L, count);
    return 2;
}

void matcher_register(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"find", string_find},
        {"match", string_match},
        {"gmatch", string_gmatch},
        {"gsub", string_gsub},
        {NULL, NULL},
    };

    luaL_setfuncs(L, functions, 0);
}
