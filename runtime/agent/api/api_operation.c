/* SPDX-License-Identifier: Apache-2.0 */
/* api_operation.c - what an operation knows and says besides its work: lines for whoever asked, whether
 * it is time to end, for whom it works, the agents of this process and its addresses. */
#include "agent/agents.h"
#include "agent/api/api.h"
#include "agent/operation.h"
#include "base/str.h"
#include "io/tls.h"

#include <string.h>

enum { TOLD_MAX = 4 << 20, RANDOM_BYTES = 32 };

static struct activity *self(lua_State *L)
{
    return vm_user(vm_of(L));
}

/* host.tell(json:string an object) */
static int host_tell(lua_State *L)
{
    struct rd_str json;

    json.p = luaL_checklstring(L, 1, &json.n);
    luaL_argcheck(L, json.n <= TOLD_MAX, 1, "longer than 4 MiB");
    operation_tell(self(L)->operation, json);
    return 0;
}

/* host.stopping() -> boolean: whoever asked wants it to end; finish the step and return */
static int host_stopping(lua_State *L)
{
    lua_pushboolean(L, operation_stopping(self(L)->operation));
    return 1;
}

/* host.who() -> text: for the audit */
static int host_who(lua_State *L)
{
    lua_pushstring(L, operation_who(self(L)->operation));
    return 1;
}

/* host.acts_for(who:string): for whom it works turned out only now; host.who() says so from here on */
static int host_acts_for(lua_State *L)
{
    struct rd_str who;

    who.p = luaL_checklstring(L, 1, &who.n);
    luaL_argcheck(L, operation_act_for(self(L)->operation, who), 1, "longer than 63 bytes");
    return 0;
}

/* host.random() -> 64 hex digits: 256 bits that nobody can guess, for secrets */
static int host_random(lua_State *L)
{
    uint8_t bytes[RANDOM_BYTES];
    char hex[2 * sizeof(bytes) + 1];

    if (random_bytes(bytes, sizeof(bytes)))
        return luaL_error(L, "this machine has no random numbers now");
    rd_hex(hex, bytes, sizeof(bytes));
    lua_pushstring(L, hex);
    return 1;
}

static void set_text(lua_State *L, const char *key, const char *text)
{
    if (!text)
        return;
    lua_pushstring(L, text);
    lua_setfield(L, -2, key);
}

static void set_texts(lua_State *L, const char *key, const char *const *list)
{
    lua_newtable(L);
    for (int i = 0; list && list[i]; i++) {
        lua_pushstring(L, list[i]);
        lua_rawseti(L, -2, i + 1);
    }
    lua_setfield(L, -2, key);
}

static void push_agent(lua_State *L, const struct agent_info *a)
{
    lua_createtable(L, 0, 9);
    set_text(L, "name", a->name);
    set_text(L, "version", a->version);
    set_texts(L, "numbers", a->numbers);
    set_text(L, "shown", a->shown);
    set_text(L, "rules", a->rules);
    set_text(L, "warnings", a->warnings);
    set_text(L, "countries", a->countries);
    lua_pushboolean(L, a->vapi_twiml != NULL);
    lua_setfield(L, -2, "has_vapi");
}

static void push_error(lua_State *L, const struct agent_error *e)
{
    lua_createtable(L, 0, 3);
    set_text(L, "module", e->module);
    set_text(L, "lines", e->lines);
    set_text(L, "version", e->version);
}

/* Called through lua_pcall: the set is held meanwhile. */
static int push_agents(lua_State *L)
{
    const struct agent_set *s = lua_touserdata(L, 1);

    lua_settop(L, 0);
    lua_newtable(L);
    for (size_t i = 0; s && i < agent_set_count(s); i++) {
        push_agent(L, agent_set_at(s, i));
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    lua_newtable(L);
    for (size_t i = 0; s && i < agent_set_errors(s); i++) {
        struct agent_error e = agent_set_error(s, i);

        push_error(L, &e);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    return 2;
}

/* host.agents() -> list of {name, version, numbers, shown: JSON, rules: JSON|nil, warnings|nil, countries: JSON|nil,
 *                          has_vapi},
 *                  list of {module, lines, version|nil} that do not load */
static int host_agents(lua_State *L)
{
    struct agent_set *s = script_pool_agents(self(L)->thread->pool);
    int status;

    lua_settop(L, 0);
    lua_pushcfunction(L, push_agents);
    lua_pushlightuserdata(L, s);
    status = lua_pcall(L, 1, 2, 0);
    agent_set_unref(s);
    return status == LUA_OK ? 2 : lua_error(L);
}

/* host.ours() -> {public_url, twilio_api, vapi_api}: addresses, "" for those that are not set */
static int host_ours(lua_State *L)
{
    const struct script_opts *o = &self(L)->thread->pool->opts;

    lua_createtable(L, 0, 3);
    set_text(L, "public_url", o->public_url ? o->public_url : "");
    set_text(L, "twilio_api", o->twilio_api ? o->twilio_api : "");
    set_text(L, "vapi_api", o->vapi_api ? o->vapi_api : "");
    return 1;
}

void api_operation_register(lua_State *L)
{
    static const luaL_Reg functions[] = {{"tell", host_tell},     {"stopping", host_stopping},
                                         {"who", host_who},       {"agents", host_agents},
                                         {"ours", host_ours},     {"acts_for", host_acts_for},
                                         {"random", host_random}, {NULL, NULL}};

    luaL_setfuncs(L, functions, 0);
    api_digest_register(L);
}
