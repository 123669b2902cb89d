/* SPDX-License-Identifier: Apache-2.0 */
/* api_fact.c - a script's facts on their way into the journal: of its call, or of the node when it
 * has none. Texts in them are redacted like everything else that is kept. They are in order; whoever
 * needs them on the disk says host.durable() next. */
#include "agent/activity.h"
#include "agent/api/api.h"
#include "base/err.h"
#include "base/json.h"
#include "base/redact.h"

#include <string.h>

enum { FACT_MAX = 32 * 1024, REDACTED_MAX = 128 * 1024, TYPE_MAX = 32 };

static void check_type(lua_State *L, const char *type)
{
    size_t n = strspn(type, "abcdefghijklmnopqrstuvwxyz_");

    luaL_argcheck(L, n > 0 && n < TYPE_MAX && type[n] == '\0' && type[0] != '_', 1,
                  "a name of lower case letters and _");
}

static bool is_object(struct rd_str json)
{
    struct json_value root;

    return json_parse(json, &root) == 0 && root.type == JSON_OBJECT;
}

/* What stands between the outermost braces of an object. */
static struct rd_str inside(struct rd_str object)
{
    const char *from = memchr(object.p, '{', object.n);
    size_t n = object.n;

    while (n > 0 && object.p[n - 1] != '}')
        n--;
    for (from++; from < object.p + n - 1 && strchr(" \t\r\n", *from);)
        from++;
    return (struct rd_str){from, (size_t)(object.p + n - 1 - from)};
}

static int keep(const struct activity *a, struct script_fact f, struct rd_str json)
{
    const struct script_opts *o = &a->thread->pool->opts;
    struct buf clean;
    int rc;

    buf_init(&clean, REDACTED_MAX);
    rc = redact_json(&clean, json);
    if (!rc && !is_object((struct rd_str){clean.data, clean.n}))
        rc = RD_EPROTO;
    if (!rc) {
        f.members = inside((struct rd_str){clean.data, clean.n});
        if (o->keep_fact)
            o->keep_fact(o->arg, &f);
    }
    buf_fini(&clean);
    return rc;
}

/* host.fact(type:string, json:string an object, [call:string, agent:string])
 *   -> true | nil, message: an operation has no call and no agent, and says whose it is */
static int host_fact(lua_State *L)
{
    struct activity *a = vm_user(vm_of(L));
    const char *type = luaL_checkstring(L, 1);
    struct script_fact f = {.call = a->handle, .sid = a->sid, .type = type};
    struct rd_str json;
    int rc;

    if (a->operation)
        f.sid = luaL_optstring(L, 3, "");
    f.agent = a->agent ? a->agent->name : luaL_optstring(L, 4, "");
    json.p = luaL_checklstring(L, 2, &json.n);
    check_type(L, type);
    luaL_argcheck(L, json.n <= FACT_MAX, 2, "longer than 32 KiB");
    luaL_argcheck(L, is_object(json), 2, "no JSON object");
    rc = keep(a, f, json);
    if (rc) {
        lua_pushnil(L);
        lua_pushstring(L, rd_strerror(rc));
        return 2;
    }
    lua_pushboolean(L, 1);
    return 1;
}

/* host.redacted(json:string) -> json:string as it may be kept | nil, message */
static int host_redacted(lua_State *L)
{
    struct rd_str json;
    struct buf clean;
    int rc;

    json.p = luaL_checklstring(L, 1, &json.n);
    luaL_argcheck(L, json.n <= REDACTED_MAX, 1, "longer than 128 KiB");
    buf_init(&clean, 2 * REDACTED_MAX);
    rc = redact_json(&clean, json);
    if (rc) {
        buf_fini(&clean);
        lua_pushnil(L);
        lua_pushstring(L, rd_strerror(rc));
        return 2;
    }
    lua_pushlstring(L, clean.data, clean.n);
    buf_fini(&clean);
    return 1;
}

void api_fact_register(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"fact", host_fact}, {"redacted", host_redacted}, {NULL, NULL}};

    luaL_setfuncs(L, functions, 0);
}
