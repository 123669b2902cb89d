/* SPDX-License-Identifier: Apache-2.0 */
/* api_inbox.c - how an errand hears of the world: letters it waits for, questions of the carrier it
 * answers, people whose texts it expects. Texts are delivered from any script. */
#include "agent/api/api.h"
#include "agent/errand.h"
#include "agent/expected.h"
#include "base/err.h"

enum { WAIT_MAX_MS = 3600000, TWIML_MAX = 65536, BODY_MAX = 4096 };

static struct activity *self(lua_State *L)
{
    return vm_user(vm_of(L));
}

static struct activity *check_errand(lua_State *L)
{
    struct activity *a = self(L);

    if (!a->errand)
        luaL_error(L, "only errands have an inbox");
    return a;
}

static int push_done(lua_State *L, int rc)
{
    if (rc >= 0) {
        lua_pushboolean(L, 1);
        return 1;
    }
    lua_pushnil(L);
    lua_pushstring(L, rd_strerror(rc));
    return 2;
}

/* host.wait(timeout_ms:integer) -> kind:string, json:string, ticket:integer|nil | nothing (waits) */
static int host_wait(lua_State *L)
{
    struct task *t = task_check_wait(L);
    struct activity *a = check_errand(L);
    lua_Number ms = luaL_checknumber(L, 1);
    int rc;

    luaL_argcheck(L, ms >= 0 && ms <= WAIT_MAX_MS, 1, "0 to 3600000");
    rc = inbox_wait(errand_inbox(a->errand), L, t, (uint32_t)ms);
    return rc < 0 ? luaL_error(L, "somebody waits already") : rc;
}

/* host.answer(ticket:integer, how:"twiml"|"hang_up"|"fallback"|"agent", [text:string])
 *   -> true | nil, message: the document; why; for the agent, the form to go on with */
static int host_answer(lua_State *L)
{
    static const char *const names[] = {"twiml", "hang_up", "fallback", "agent", NULL};
    struct activity *a = check_errand(L);
    lua_Integer ticket = luaL_checkinteger(L, 1);
    int how = luaL_checkoption(L, 2, NULL, names);
    struct rd_str text;

    text.p = luaL_optlstring(L, 3, "", &text.n);
    luaL_argcheck(L, text.n <= TWIML_MAX, 3, "longer than 64 KiB");
    return push_done(
        L, inbox_answer(errand_inbox(a->errand), (uint64_t)ticket, rd_str(names[how]), text));
}

/* host.expect_text(number:string) -> code:integer 1 to 9, which the text should begin with
 *   | nil, message */
static int host_expect_text(lua_State *L)
{
    struct activity *a = check_errand(L);
    struct rd_str number;
    int rc;

    number.p = luaL_checklstring(L, 1, &number.n);
    rc = expected_add(a->thread->pool->expected, rd_str(a->agent->name), number, a->thread,
                      errand_id(a->errand));
    if (rc < 0)
        return push_done(L, rc);
    lua_pushinteger(L, rc);
    return 1;
}

/* host.address() -> string: names this errand in addresses that the carrier calls ("errand=…"); what
 * comes there is a letter of it */
static int host_address(lua_State *L)
{
    struct errand_place at = errand_place(check_errand(L)->errand);
    char text[ERRAND_PLACE_TEXT];

    errand_place_write(&at, text);
    lua_pushstring(L, text);
    return 1;
}

/* host.deliver_text(agent:string, from:string, body:string) -> boolean: an errand waits for it */
static int host_deliver_text(lua_State *L)
{
    struct rd_str agent, from, body;

    agent.p = luaL_checklstring(L, 1, &agent.n);
    from.p = luaL_checklstring(L, 2, &from.n);
    body.p = luaL_checklstring(L, 3, &body.n);
    if (body.n > BODY_MAX)
        body.n = BODY_MAX;
    lua_pushboolean(L, expected_deliver(self(L)->thread->pool->expected, agent, from, body));
    return 1;
}

static const luaL_Reg functions[] = {
    {"wait", host_wait},
    {"answer", host_answer},
    {"expect_text", host_expect_text},
    {"address", host_address},
    {"deliver_text", host_deliver_text},
    {NULL, NULL},
};

void api_inbox_register(lua_State *L)
{
    luaL_setfuncs(L, functions, 0);
}
