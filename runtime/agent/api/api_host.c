/* SPDX-License-Identifier: Apache-2.0 */
/* api_host.c - what the library needs of the machine, with or without a call: the agent's own
 * files, time zones, where a line of the agent is, and the log. */
#include "agent/activity.h"
#include "agent/api/api.h"
#include "base/err.h"
#include "base/log.h"
#include "lua/vm.h"

#include <stdio.h>
#include <string.h>

enum { ZONE_MAX = 64 * 1024, FIELDS_MAX = 12 };

int api_push_failure(lua_State *L, const char *why, const char *code)
{
    lua_pushnil(L);
    lua_pushstring(L, why);
    lua_pushstring(L, code);
    return 3;
}

void api_resume(struct task *t, int n_args)
{
    lua_State *L = vm_lua(task_vm(t));

    if (lua_pcall(L, n_args, 3, 0) != LUA_OK) {
        lua_pushnil(L);
        lua_insert(L, -2); /* nil, the error's text */
        lua_pushnil(L);
    }
    lua_xmove(L, task_lua(t), 3);
    task_resume(t, 3);
}

/* host.file(name:string) -> text | nil, message */
static int host_file(lua_State *L)
{
    struct rd_str text;
    int rc = chunks_file(vm_chunks(vm_of(L)), luaL_checkstring(L, 1), &text);

    if (rc) {
        lua_pushnil(L);
        lua_pushstring(L, rc == RD_ECONFIG ? "must be a file below the agents' folder"
                                           : rd_strerror(rc));
        return 2;
    }
    lua_pushlstring(L, text.p, text.n);
    return 1;
}

/* host.source(module:string) -> text, "" when it is not known any more */
static int host_source(lua_State *L)
{
    struct rd_str text = chunks_source(vm_chunks(vm_of(L)), luaL_checkstring(L, 1));

    lua_pushlstring(L, text.p ? text.p : "", text.n);
    return 1;
}

/* host.shown(module:string) -> its file as messages name it, "agents/x.lua" */
static int host_shown(lua_State *L)
{
    lua_pushstring(L, chunks_shown(vm_chunks(vm_of(L)), luaL_checkstring(L, 1)));
    return 1;
}

static bool good_zone(const char *name)
{
    for (const char *p = name; *p; p++)
        if (!strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/", *p))
            return false;
    return *name && *name != '/';
}

/* host.zone(name:string) -> bytes of the compiled time zone | nil */
static int host_zone(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1);
    char path[256], *bytes;
    luaL_Buffer b;
    size_t n;
    FILE *f;

    if (!good_zone(name) ||
        snprintf(path, sizeof(path), "/usr/share/zoneinfo/%s", name) >= (int)sizeof(path))
        return 0;
    bytes = luaL_buffinitsize(L, &b, ZONE_MAX); /* may raise: before the file is open */
    f = fopen(path, "re");
    if (!f)
        return 0;
    n = fread(bytes, 1, ZONE_MAX, f);
    fclose(f);
    luaL_pushresultsize(&b, n);
    return 1;
}

/* host.where() -> file:string, line:integer of the nearest caller outside the library | nothing */
static int host_where(lua_State *L)
{
    lua_Debug ar;

    for (int level = 1; lua_getstack(L, level, &ar); level++) {
        lua_getinfo(L, "Sl", &ar);
        if (*ar.what == 'C' || *ar.source != '@' || strncmp(ar.source, "@ringdown/", 10) == 0)
            continue;
        lua_pushstring(L, ar.source + 1);
        lua_pushinteger(L, ar.currentline);
        return 2;
    }
    return 0;
}

static enum log_type field_type(const char *name)
{
    if (strcmp(name, "int") == 0)
        return LOG_T_INT;
    if (strcmp(name, "phone") == 0)
        return LOG_T_PHONE;
    if (strcmp(name, "words") == 0)
        return LOG_T_WORDS;
    return strcmp(name, "str") == 0 ? LOG_T_STR : LOG_T_SECRET;
}

static const char *string_at(lua_State *L, int list, int i)
{
    const char *text;

    lua_rawgeti(L, list, i);
    text = lua_tostring(L, -1);
    lua_pop(L, 1); /* the table keeps it alive */
    return text ? text : "";
}

/* host.log(level:string, event:string, fields: {key, type, value, key, type, value…}) */
static int host_log(lua_State *L)
{
    struct log_field f[FIELDS_MAX];
    enum log_level level;
    int n = 0;

    if (log_level_parse(luaL_checkstring(L, 1), &level))
        return luaL_argerror(L, 1, "debug, info, warn or error");
    luaL_checkstring(L, 2);
    luaL_checktype(L, 3, LUA_TTABLE);
    if (!log_on(level))
        return 0;
    for (int i = 1; n < FIELDS_MAX && i + 2 <= (int)lua_rawlen(L, 3); i += 3, n++) {
        f[n] = (struct log_field){.key = string_at(L, 3, i),
                                  .type = field_type(string_at(L, 3, i + 1)),
                                  .str = string_at(L, 3, i + 2)};
        if (f[n].type == LOG_T_INT) {
            lua_rawgeti(L, 3, i + 2);
            f[n].num = lua_tointeger(L, -1);
            lua_pop(L, 1);
        }
    }
    log_fields(level, lua_tostring(L, 2), f, n);
    return 0;
}

static const luaL_Reg functions[] = {
    {"file", host_file},   {"source", host_source}, {"shown", host_shown}, {"zone", host_zone},
    {"where", host_where}, {"log", host_log},       {NULL, NULL},
};

void api_host_register(lua_State *L)
{
    luaL_setfuncs(L, functions, 0);
}

int api_open_loading(lua_State *L)
{
    lua_newtable(L);
    api_host_register(L);
    lua_pushboolean(L, 1);
    lua_setfield(L, -2, "loading");
    return 1;
}

int api_open_call(lua_State *L)
{
    lua_newtable(L);
    api_host_register(L);
    api_call_register(L);
    api_http_register(L);
    api_fetch_register(L);
    api_durable_register(L);
    api_query_register(L);
    api_retry_register(L);
    api_number_register(L);
    api_fact_register(L);
    api_inbox_register(L);
    api_line_register(L);
    api_alarm_register(L);
    api_vapi_register(L);
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "loading");
    return 1;
}

/* -> nil, message, code */
static int not_for_real(lua_State *L)
{
    return api_push_failure(L, "this is a synthetic call: nothing may come of it", "harmless");
}

static int not_there(lua_State *L)
{
    lua_pushboolean(L, 0);
    return 1;
}

/* What reads, speaks to the caller of the same call, or counts for nobody else. All that is not named here is
 * refused, also what somebody adds later. */
static bool is_harmless(const char *name)
{
    static const char *const kept[] = {
        "file",        "source",  "shown",    "zone",  "where",  "log",    "say",
        "hang_up",     "pause",   "deadline", "sleep", "now_ms", "digest", "retry_delay",
        "breaker_ask", "durable", "redacted", "site",  "agent"};

    for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
        if (strcmp(name, kept[i]) == 0)
            return true;
    return false;
}

static lua_CFunction instead_of(const char *name)
{
    size_t n = strlen(name);

    return n > 6 && strcmp(name + n - 6, "_ready") == 0 ? not_there : not_for_real;
}

/* The library does not ask for any of these then (scripts/ringdown/harmless.lua); that it cannot have them
 * does not depend on that. */
int api_open_harmless(lua_State *L)
{
    (void)api_open_call(L);
    lua_pushnil(L);
    while (lua_next(L, -2) != 0) {
        const char *name = lua_tostring(L, -2); /* all keys are texts */

        if (lua_isfunction(L, -1) && !is_harmless(name)) {
            lua_pushcfunction(L, instead_of(name));
            lua_setfield(L, -4, name); /* of a key that is there: the walk goes on */
        }
        lua_pop(L, 1);
    }
    return 1;
}

int api_open_operation(lua_State *L)
{
    struct activity *a = vm_user(vm_of(L));
    const struct script_lent *lent = a->thread->pool->opts.lent;

    lua_newtable(L);
    api_host_register(L);
    api_nap_register(L);
    api_http_register(L);
    api_rows_register(L);
    api_retry_register(L);
    api_number_register(L);
    api_fact_register(L);
    api_durable_register(L);
    api_alarm_register(L);
    api_operation_register(L);
    api_kept_register(L);
    if (lent) {
        api_node_push(L, lent);
        lua_setfield(L, -2, "node");
    }
    api_alert_register(L);
    api_probe_register(L);
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "loading");
    return 1;
}
