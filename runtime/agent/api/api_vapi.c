/* SPDX-License-Identifier: Apache-2.0 */
/* api_vapi.c - what an errand needs that does for a call on Vapi what a call's own script does here: it
 * answers a webhook, hears what the caller said, and does once what must be done once. */
#include "agent/api/api.h"
#include "agent/desk.h"
#include "agent/errand.h"
#include "base/err.h"
#include "io/tls.h"

enum {
    REPLY_MAX = 256 * 1024,
    WORDS_MAX = 16 * 1024,
    FOUND_MAX = 256 * 1024,
    KEY_MAX = 1024,
    DAY_MS = 86400000
};

static struct activity *check_errand(lua_State *L)
{
    struct activity *a = vm_user(vm_of(L));

    if (!a->errand)
        luaL_error(L, "only errands do this");
    return a;
}

static int push_failed(lua_State *L, int rc)
{
    lua_pushnil(L);
    lua_pushstring(L, rd_strerror(rc));
    return 2;
}

/* host.reply(document:string) -> true | nil, message: to whom this errand was begun for; once */
static int host_reply(lua_State *L)
{
    struct activity *a = check_errand(L);
    struct rd_str document;
    int rc;

    document.p = luaL_checklstring(L, 1, &document.n);
    luaL_argcheck(L, document.n > 0 && document.n <= REPLY_MAX, 1, "1 byte to 256 KiB");
    rc = errand_reply(a->errand, document);
    if (rc)
        return push_failed(L, rc);
    lua_pushboolean(L, 1);
    return 1;
}

static struct rd_str check_words(lua_State *L, int arg)
{
    struct rd_str words;

    words.p = luaL_checklstring(L, arg, &words.n);
    luaL_argcheck(L, words.n <= WORDS_MAX, arg, "longer than 16 KiB");
    return words;
}

static int push_found(lua_State *L, struct activity *a, const char *function,
                      const struct rd_str *args, int n)
{
    struct buf found;
    int rc;

    buf_init(&found, FOUND_MAX);
    rc = desk_find(a, function, args, n, &found);
    if (rc) {
        buf_fini(&found);
        return push_failed(L, rc);
    }
    lua_pushlstring(L, found.data ? found.data : "[]", found.data ? found.n : 2);
    buf_fini(&found);
    return 1;
}

/* host.find(words:string) -> json:string, what the agent's rules make of what the caller said
 *   | nil, message. Nothing is done about it. */
static int host_find(lua_State *L)
{
    struct rd_str words = check_words(L, 1);

    return push_found(L, check_errand(L), "hear", &words, 1);
}

/* host.find_reported(kind:string, severity:string, words:string): the same of what the model reports */
static int host_find_reported(lua_State *L)
{
    struct rd_str args[] = {check_words(L, 1), check_words(L, 2), check_words(L, 3)};

    return push_found(L, check_errand(L), "report", args, 3);
}

static void check_what(lua_State *L, uint8_t key[32])
{
    size_t n;
    const char *what = luaL_checklstring(L, 1, &n);

    luaL_argcheck(L, n <= KEY_MAX, 1, "longer than 1 KiB");
    sha256(key, what, n);
}

/* host.first(what:string, [ms:integer]) -> boolean: nobody in this process said so within that time, a day */
static int host_first(lua_State *L)
{
    const struct script_opts *o = &check_errand(L)->thread->pool->opts;
    lua_Integer ms = luaL_optinteger(L, 2, DAY_MS);
    uint8_t key[32];

    luaL_argcheck(L, ms > 0 && ms <= DAY_MS, 2, "1 ms to a day");
    check_what(L, key);
    lua_pushboolean(L, !o->first_time || o->first_time(o->arg, key, (uint32_t)ms));
    return 1;
}

/* host.was_first(what:string) -> boolean: somebody did, by host.first(), and its time is not over */
static int host_was_first(lua_State *L)
{
    const struct script_opts *o = &check_errand(L)->thread->pool->opts;
    uint8_t key[32];

    check_what(L, key);
    lua_pushboolean(L, o->was_there && o->was_there(o->arg, key));
    return 1;
}

void api_vapi_register(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"reply", host_reply}, {"find", host_find},           {"find_reported", host_find_reported},
        {"first", host_first}, {"was_first", host_was_first}, {NULL, NULL}};

    luaL_setfuncs(L, functions, 0);
}
