/* SPDX-License-Identifier: Apache-2.0. module: lua */
/* fuzz_matcher.c - any pattern over any text: it ends after as many steps as it was given, and as long as it
 * was not stopped it says what Lua's own string.find says, captures included. First line: pattern; the
 * rest: text. */
#include "check.h"

#include "lua/matcher.h"

#include <lauxlib.h>
#include <lualib.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* So few that Lua's own, which nobody stops, ends soon as well. */
enum { STEPS = 20000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void same_capture(lua_State *L, int at, const struct matcher *m, int i)
{
    ptrdiff_t n = m->captures[i].length;
    size_t theirs;
    const char *text;

    if (n == CAPTURE_POSITION) {
        check(lua_isinteger(L, at) && lua_tointeger(L, at) == m->captures[i].begin - m->text + 1);
        return;
    }
    text = lua_tolstring(L, at, &theirs);
    check(text && n >= 0 && (size_t)n == theirs);
    check(n == 0 || memcmp(text, m->captures[i].begin, theirs) == 0);
}

static bool has_open(const struct matcher *m)
{
    for (int i = 0; i < m->n_captures; i++)
        if (m->captures[i].length == CAPTURE_OPEN)
            return true;
    return false;
}

/* What Lua found is on the stack. */
static void compare(lua_State *L, bool raised, enum match r, const struct matcher *m,
                    const char *begin, const char *end)
{
    if (raised) {
        /* Lua finds fewer texts simple enough, and an open capture only when it is asked for it */
        check(r == MATCH_BROKEN || (r == MATCH_YES && has_open(m)) ||
              strstr(lua_tostring(L, -1), "too complex"));
        return;
    }
    check(r != MATCH_BROKEN);
    if (r == MATCH_NO) {
        check(lua_isnil(L, 1));
        return;
    }
    check(lua_tointeger(L, 1) == begin - m->text + 1 && lua_tointeger(L, 2) == end - m->text);
    check(lua_gettop(L) == 2 + m->n_captures);
    for (int i = 0; i < m->n_captures; i++)
        same_capture(L, 3 + i, m, i);
}

/* Without any of these Lua searches for the text itself, and never looks whether it is a pattern. */
static bool is_plain(const char *pattern, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (pattern[i] && strchr("^$*+?.([%-", pattern[i]))
            return false;
    return true;
}

static lua_State *theirs(void)
{
    static lua_State *L;

    if (!L) {
        L = luaL_newstate();
        check(L != NULL);
        luaL_requiref(L, "string", luaopen_string, 1);
        lua_settop(L, 0);
    }
    return L;
}

static void try_pattern(const char *pattern, size_t n_pattern, const char *text, size_t n_text)
{
    bool anchored = n_pattern > 0 && pattern[0] == '^';
    const char *begin = text, *end = text;
    lua_State *L = theirs();
    struct matcher m;
    enum match r;
    int status;

    matcher_init(&m, text, n_text, pattern + anchored, n_pattern - anchored, STEPS);
    r = anchored ? matcher_at(&m, text, &end) : matcher_search(&m, text, &begin, &end);
    check(m.steps <= STEPS);
    if (r == MATCH_LONG || r == MATCH_BROKEN)
        check(m.why && m.why[0]);
    if (r == MATCH_LONG || is_plain(pattern, n_pattern))
        return;
    if (r == MATCH_YES)
        check(begin >= text && begin <= end && end <= text + n_text);
    lua_getglobal(L, "string");
    lua_getfield(L, -1, "find");
    lua_remove(L, -2);
    lua_pushlstring(L, text, n_text);
    lua_pushlstring(L, pattern, n_pattern);
    status = lua_pcall(L, 2, LUA_MULTRET, 0);
    compare(L, status != LUA_OK, r, &m, begin, end);
    lua_settop(L, 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *line = size > 0 ? memchr(data, '\n', size) : NULL;
    size_t n_pattern = line ? (size_t)(line - data) : size;
    size_t n_text = line ? size - n_pattern - 1 : 0;
    char *pattern = malloc(n_pattern + 1), *text = malloc(n_text + 1);

    check(pattern && text);
    if (n_pattern > 0)
        memcpy(pattern, data, n_pattern);
    if (n_text > 0)
        memcpy(text, line + 1, n_text);
    /* Lua reads the zero behind a text; ours must not, so theirs is a copy */
    pattern[n_pattern] = text[n_text] = '\0';
    try_pattern(pattern, n_pattern, text, n_text);
    free(pattern);
    free(text);
    return 0;
}
