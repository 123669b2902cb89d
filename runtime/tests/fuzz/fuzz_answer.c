/* SPDX-License-Identifier: Apache-2.0. module: agent */
/* fuzz_answer.c - what any server answers a script's request: the script gets a status, a body as long as it was and
 * headers in lower case; secrets that went out do not come back. Lines of the input until an empty one: head;
 * the rest: body. */
#include "check.h"

#include "agent/api/fetch_answer.h"

#include <ctype.h>
#include <lauxlib.h>
#include <stdlib.h>

static const char secret[] = "sk-live-5f1d0e7a";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool tells_secret(lua_State *L, int at)
{
    size_t n;
    const char *text = lua_tolstring(L, at, &n);

    check(text != NULL);
    return memmem(text, n, secret, sizeof(secret) - 1) != NULL;
}

static void check_headers(lua_State *L)
{
    lua_pushnil(L);
    while (lua_next(L, -2)) {
        const char *name = lua_tostring(L, -2);

        check(name && *name && !tells_secret(L, -1));
        for (; *name; name++)
            check(!isupper((unsigned char)*name) && *name != '\n' && *name != ':');
        lua_pop(L, 1);
    }
}

static int push(lua_State *L)
{
    const struct buf *masks = lua_touserdata(L, 2);

    return fetch_push_answer(L, lua_touserdata(L, 1), masks);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static lua_State *L;
    struct rd_str text = {(const char *)data, size};
    const char *blank = size > 0 ? memmem(text.p, text.n, "\n\n", 2) : NULL;
    size_t n_head = blank ? (size_t)(blank - text.p) : 0;
    struct http_result r = {.status = 200,
                            .head = {text.p, n_head},
                            .retry_after = {text.p, n_head},
                            .body = {text.p + n_head, size - n_head}};
    struct buf masks;

    L = L ? L : luaL_newstate();
    check(L != NULL);
    buf_init(&masks, 256);
    check(buf_add(&masks, secret, sizeof(secret)) == 0 && buf_add(&masks, "abc", 4) == 0);
    lua_pushcfunction(L, push);
    lua_pushlightuserdata(L, &r);
    lua_pushlightuserdata(L, &masks);
    check(lua_pcall(L, 2, 3, 0) == LUA_OK);
    check(lua_istable(L, 1) && lua_isnil(L, 2) && lua_isnil(L, 3));
    lua_getfield(L, 1, "body");
    check(lua_rawlen(L, -1) == r.body.n && !tells_secret(L, -1));
    lua_getfield(L, 1, "headers");
    check_headers(L);
    lua_getfield(L, 1, "retry_after_ms");
    check(lua_tointeger(L, -1) >= 0 && lua_tointeger(L, -1) <= 3600000);
    lua_settop(L, 0);
    buf_fini(&masks);
    return 0;
}
