/* SPDX-License-Identifier: Apache-2.0 */
/* api_number.c - phone numbers for tables that outlive "erase this caller": a keyed hash tells that
 * it is the same number, not which; and at which site one of ours is. */
#include "agent/activity.h"
#include "agent/api/api.h"
#include "io/tls.h"

enum { NUMBER_MAX = 128, SITE_MAX = 64 * 1024 };

/* host.number_hash(number:string) -> 64 hexadecimal digits */
static int host_number_hash(lua_State *L)
{
    const struct activity *a = vm_user(vm_of(L));
    const char *key = a->thread->pool->opts.number_key;
    char hash[NUMBER_HASH];
    struct rd_str number;

    number.p = luaL_checklstring(L, 1, &number.n);
    luaL_argcheck(L, number.n > 0 && number.n <= NUMBER_MAX, 1, "no number");
    number_hash(hash, key ? key : "", number);
    lua_pushstring(L, hash);
    return 1;
}

/* host.site(agent:string, number:string) -> JSON | nil: of that number of the agent's */
static int host_site(lua_State *L)
{
    const struct activity *a = vm_user(vm_of(L));
    const struct script_opts *o = &a->thread->pool->opts;
    const char *agent = luaL_checkstring(L, 1);
    struct rd_str number;
    struct buf site;
    bool known;

    number.p = luaL_checklstring(L, 2, &number.n);
    buf_init(&site, SITE_MAX);
    known = o->site_of && o->site_of(o->arg, agent, number, &site) && buf_text(&site);
    lua_pushlstring(L, known ? site.data : "", known ? site.n : 0);
    buf_fini(&site);
    if (!known)
        lua_pushnil(L);
    return 1;
}

void api_number_register(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"number_hash", host_number_hash}, {"site", host_site}, {NULL, NULL}};

    luaL_setfuncs(L, functions, 0);
}
