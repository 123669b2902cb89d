/* SPDX-License-Identifier: Apache-2.0 */
/* api_line.c - what an errand about an emergency may do to the caller's line, and the alarms around
 * it and around operations. One-way, like all commands to a call. */
#include "agent/api/api.h"
#include "agent/desk.h"
#include "agent/errand.h"
#include "base/err.h"
#include "observe/alarm.h"
#include "observe/catalogue.h"

enum { WORDS_MAX = 4000, NAME_MAX_BYTES = 64 };

static struct activity *self(lua_State *L)
{
    return vm_user(vm_of(L));
}

static struct errand *check_errand(lua_State *L)
{
    struct errand *e = self(L)->errand;

    if (!e)
        luaL_error(L, "only errands may do this");
    return e;
}

/* One-way to the call; true, or nil when it is over. */
static int command(lua_State *L, enum call_command c, struct rd_str words, uint32_t number)
{
    struct activity *a = self(L);

    if (!a->opened || a->ending) {
        lua_pushnil(L);
        lua_pushliteral(L, "the call is over");
        return 2;
    }
    activity_command(a, c, words, RD_STR(""), number);
    lua_pushboolean(L, 1);
    return 1;
}

static struct rd_str check_words(lua_State *L, int i)
{
    struct rd_str words;

    words.p = luaL_checklstring(L, i, &words.n);
    luaL_argcheck(L, words.n > 0 && words.n <= WORDS_MAX, i, "1 to 4000 bytes");
    return words;
}

/* host.take_line() -> true | nil: the carrier's questions come to this errand */
static int host_take_line(lua_State *L)
{
    if (!errand_take_line(check_errand(L)))
        return 0;
    lua_pushboolean(L, 1);
    return 1;
}

/* host.keep_open(on:boolean): the call does not end by itself */
static int host_keep_open(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TBOOLEAN);
    errand_keep_open(check_errand(L), lua_toboolean(L, 1));
    return 0;
}

/* host.transfer_begun(whom:string) -> true | nil, message: the carrier is asked next */
static int host_transfer_begun(lua_State *L)
{
    return command(L, CMD_TRANSFER_BEGUN, check_words(L, 1), 0);
}

/* host.transfer_refused(why:string, unknown:boolean) -> true | nil, message */
static int host_transfer_refused(lua_State *L)
{
    return command(L, CMD_TRANSFER_REFUSED, check_words(L, 1), (uint32_t)lua_toboolean(L, 2));
}

/* host.instruct(text:string) -> true | nil, message: the model's next answer follows it */
static int host_instruct(lua_State *L)
{
    return command(L, CMD_INSTRUCT, check_words(L, 1), 0);
}

/* host.fall_back(reason:string) -> true | nil, message */
static int host_fall_back(lua_State *L)
{
    return command(L, CMD_FALLBACK, check_words(L, 1), 0);
}

/* host.alarm(severity:"warning"|"critical", kind:string, subject:string, text:string)
 * `kind` is in the catalogue, which has the remedy. */
static int host_alarm(lua_State *L)
{
    static const char *const names[] = {"warning", "critical", NULL};
    int severity = luaL_checkoption(L, 1, NULL, names);
    const char *kind = luaL_checkstring(L, 2);
    const char *fix = catalogue_fix("", kind);

    alarm_raise(severity ? ALARM_CRITICAL : ALARM_WARNING, kind, luaL_checkstring(L, 3),
                luaL_checkstring(L, 4), fix ? fix : "see docs/errors.md");
    return 0;
}

/* host.alarm_over(kind:string, subject:string) */
static int host_alarm_over(lua_State *L)
{
    alarm_clear(luaL_checkstring(L, 1), luaL_checkstring(L, 2));
    return 0;
}

/* host.errand(kind:string, json:string) -> true | nil, message: of the same agent, beside no call */
static int host_errand(lua_State *L)
{
    struct activity *a = self(L);
    struct errand_order o = {.agent = rd_str(a->agent->name),
                             .kind = rd_str(luaL_checkstring(L, 1)),
                             .version = a->agent};
    int rc;

    (void)check_errand(L);
    o.json.p = luaL_checklstring(L, 2, &o.json.n);
    rc = errand_room(a->thread, o.kind.p);
    if (!rc)
        rc = errand_run(a->thread, &o);
    if (rc) {
        lua_pushnil(L);
        lua_pushstring(L, rd_strerror(rc));
        return 2;
    }
    lua_pushboolean(L, 1);
    return 1;
}

/* host.emergency(kind:string, severity:string, words:string) -> boolean: somebody is called now
 *   | nil, message: of the call's own script */
static int host_emergency(lua_State *L)
{
    struct rd_str kind = check_words(L, 1), severity = check_words(L, 2), words = check_words(L, 3);
    int rc;

    luaL_argcheck(L, kind.n < NAME_MAX_BYTES && severity.n < NAME_MAX_BYTES, 1, "a short name");
    rc = desk_report(self(L), kind, severity, words);
    if (rc < 0) {
        lua_pushnil(L);
        lua_pushstring(L, rd_strerror(rc));
        return 2;
    }
    lua_pushboolean(L, rc);
    return 1;
}

static const luaL_Reg functions[] = {
    {"take_line", host_take_line},
    {"keep_open", host_keep_open},
    {"transfer_begun", host_transfer_begun},
    {"transfer_refused", host_transfer_refused},
    {"instruct", host_instruct},
    {"fall_back", host_fall_back},
    {"emergency", host_emergency},
    {"errand", host_errand},
    {NULL, NULL},
};

void api_line_register(lua_State *L)
{
    luaL_setfuncs(L, functions, 0);
}

void api_alarm_register(lua_State *L)
{
    static const luaL_Reg alarms[] = {
        {"alarm", host_alarm}, {"alarm_over", host_alarm_over}, {NULL, NULL}};

    luaL_setfuncs(L, alarms, 0);
}
