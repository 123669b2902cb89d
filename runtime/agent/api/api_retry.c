/* SPDX-License-Identifier: Apache-2.0 */
/* api_retry.c - when scripts try again, and whether asking is worth it now: the same delays and the
 * same breakers as in C (base/retry.h, observe/targets.h), for scripts/ringdown/retry.lua. */
#include "agent/api/api.h"
#include "base/random.h"
#include "base/retry.h"
#include "io/loop.h"
#include "observe/targets.h"

#include <lauxlib.h>

uint64_t api_now_ms(void)
{
    return clock_ms(loop_clock());
}

/* host.now_ms() -> integer, of a clock that only ever goes forward */
static int host_now_ms(lua_State *L)
{
    lua_pushinteger(L, (lua_Integer)api_now_ms());
    return 1;
}

static uint32_t field(lua_State *L, int table, const char *name)
{
    lua_Integer n;

    lua_getfield(L, table, name);
    n = luaL_optinteger(L, -1, 0);
    lua_pop(L, 1);
    luaL_argcheck(L, n >= 0 && n <= INT32_MAX, table, "numbers from 0 to 2147483647");
    return (uint32_t)n;
}

/* host.retry_delay(policy:{first_ms, max_ms, attempts, budget_ms}, failures:integer,
 *                  began_ms:integer, after_ms:integer) -> ms until the next attempt | nil: give up */
static int host_retry_delay(lua_State *L)
{
    lua_Integer failures = luaL_checkinteger(L, 2), began = luaL_checkinteger(L, 3);
    lua_Integer after = luaL_checkinteger(L, 4);
    struct retry_policy p;
    struct retry r;
    int64_t delay;

    luaL_checktype(L, 1, LUA_TTABLE);
    luaL_argcheck(L, failures >= 1 && failures <= INT32_MAX, 2, "at least 1");
    luaL_argcheck(L, began >= 0, 3, "a time of host.api_now_ms()");
    luaL_argcheck(L, after >= 0 && after <= INT32_MAX, 4, "ms, not negative");
    p = (struct retry_policy){.first_ms = field(L, 1, "first_ms"),
                              .max_ms = field(L, 1, "max_ms"),
                              .attempts = field(L, 1, "attempts"),
                              .budget_ms = field(L, 1, "budget_ms")};
    retry_init(&r, &p, (uint64_t)began);
    r.failures = (uint32_t)failures - 1;
    delay = retry_failed(&r, api_now_ms(), (uint32_t)after, rd_random_bits());
    if (delay < 0)
        lua_pushnil(L);
    else
        lua_pushinteger(L, delay);
    return 1;
}

static const char *check_target(lua_State *L)
{
    size_t n;
    const char *name = luaL_checklstring(L, 1, &n);

    luaL_argcheck(L, n > 0 && n < TARGET_NAME, 1, "a name of 1 to 63 characters");
    return name;
}

/* host.breaker_ask(target:string) -> ticket:integer | nil, wait_ms:integer */
static int host_breaker_ask(lua_State *L)
{
    const char *name = check_target(L);
    uint32_t ticket = target_ask(name, api_now_ms());

    if (ticket) {
        lua_pushinteger(L, ticket);
        return 1;
    }
    lua_pushnil(L);
    lua_pushinteger(L, (lua_Integer)target_wait_ms(name, api_now_ms()));
    return 2;
}

/* host.breaker_tell(target:string, ticket:integer, how:"worked"|"failed"|"unknown", [why:string]) */
static int host_breaker_tell(lua_State *L)
{
    static const char *const names[] = {"worked", "failed", "unknown", NULL};
    static const enum breaker_result results[] = {BREAKER_WORKED, BREAKER_FAILED, BREAKER_UNKNOWN};
    const char *name = check_target(L);
    lua_Integer ticket = luaL_checkinteger(L, 2);
    int how = luaL_checkoption(L, 3, NULL, names);

    luaL_argcheck(L, ticket > 0 && ticket <= UINT32_MAX, 2, "of host.breaker_ask()");
    target_tell(name, (uint32_t)ticket, results[how], luaL_optstring(L, 4, NULL), api_now_ms());
    return 0;
}

static const luaL_Reg functions[] = {
    {"now_ms", host_now_ms},
    {"retry_delay", host_retry_delay},
    {"breaker_ask", host_breaker_ask},
    {"breaker_tell", host_breaker_tell},
    {NULL, NULL},
};

void api_retry_register(lua_State *L)
{
    luaL_setfuncs(L, functions, 0);
}
