/* SPDX-License-Identifier: Apache-2.0 */
/* api_http.c - requests to Twilio's REST API for scripts/ringdown/twilio/rest.lua. The address and
 * the credentials stay here: a script names a path below its account, nothing else. */
#include "agent/activity.h"
#include "agent/api/api.h"
#include "base/err.h"
#include "base/now.h"
#include "base/retry.h"

#include <errno.h>
#include <stdlib.h>

enum { BODY_MAX = 64 * 1024, TIMEOUT_MS = 8000 };

struct request {
    struct task *task;
    struct http_call *http;
};

static void cancel_request(void *arg)
{
    struct request *r = arg;

    http_call_cancel(r->http);
    free(r);
}

/* Whether the peer may have done what it was asked: that decides who may ask again. */
static int push_failure(lua_State *L, const char *why, bool was_sent)
{
    lua_pushnil(L);
    lua_pushstring(L, why);
    lua_pushstring(L, was_sent ? "unknown" : "not_sent");
    return 3;
}

static int push_response(lua_State *L)
{
    const struct http_result *h = lua_touserdata(L, 1);

    lua_settop(L, 0);
    if (h->err)
        return push_failure(L, h->text ? h->text : rd_strerror(h->err),
                            h->err != -ECONNREFUSED && h->err != RD_ETLS);
    lua_createtable(L, 0, 3);
    lua_pushinteger(L, h->status);
    lua_setfield(L, -2, "status");
    lua_pushlstring(L, h->body.p ? h->body.p : "", h->body.n);
    lua_setfield(L, -2, "body");
    lua_pushinteger(L, retry_after_ms(h->retry_after, unix_ms()));
    lua_setfield(L, -2, "retry_after_ms");
    lua_pushnil(L);
    lua_pushnil(L);
    return 3;
}

static void on_response(const struct http_result *h, void *arg)
{
    struct request *r = arg;
    struct task *t = r->task;
    lua_State *L = vm_lua(task_vm(t));

    free(r);
    lua_pushcfunction(L, push_response);
    lua_pushlightuserdata(L, (void *)h);
    if (lua_pcall(L, 1, 3, 0) != LUA_OK) {
        lua_pushnil(L);
        lua_insert(L, -2); /* nil, the error's text */
        lua_pushnil(L);
    }
    lua_xmove(L, task_lua(t), 3);
    task_resume(t, 3);
}

static const struct script_opts *opts_of(lua_State *L)
{
    struct activity *a = vm_user(vm_of(L));

    return &a->thread->pool->opts;
}

static bool is_set(const char *text)
{
    return text && *text;
}

/* host.twilio_ready() -> boolean: are there credentials? */
static int host_twilio_ready(lua_State *L)
{
    const struct script_opts *o = opts_of(L);

    lua_pushboolean(L, is_set(o->twilio_api) && is_set(o->twilio_sid) && is_set(o->twilio_token));
    return 1;
}

static void check_path(lua_State *L, const char *path)
{
    for (const char *p = path; *p; p++)
        luaL_argcheck(L,
                      (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') ||
                          (*p >= '0' && *p <= '9') || strchr("/._-", *p),
                      2, "letters, digits and / . _ - only");
    luaL_argcheck(L, !strstr(path, "..") && *path, 2, "a path below the account");
}

/* host.twilio(method:string, path:string, [form:string])
 *   -> {status, body, retry_after_ms} | nil, message, "not_sent"|"unknown"      (waits) */
static int host_twilio(lua_State *L)
{
    static const char *const form_header[] = {"Content-Type: application/x-www-form-urlencoded",
                                              NULL};
    struct task *t = task_check_wait(L);
    struct activity *a = vm_user(vm_of(L));
    const struct script_opts *o = opts_of(L);
    struct http_call_opts h = {.method = luaL_checkstring(L, 1), .timeout_ms = TIMEOUT_MS};
    const char *path = luaL_checkstring(L, 2);
    struct http_client *client;
    struct request *r;
    int rc = -ENOMEM;

    check_path(L, path);
    h.body.p = luaL_optlstring(L, 3, "", &h.body.n);
    luaL_argcheck(L, h.body.n <= BODY_MAX, 3, "longer than 64 KiB");
    h.header = form_header;
    h.max_body = BODY_MAX;
    h.url = lua_pushfstring(L, "%s/2010-04-01/Accounts/%s/%s", o->twilio_api, o->twilio_sid, path);
    h.user_password = lua_pushfstring(L, "%s:%s", o->twilio_sid, o->twilio_token);
    client = thread_http(a->thread);
    r = client ? calloc(1, sizeof(*r)) : NULL;
    if (r) {
        r->task = t;
        rc = http_call_start(&r->http, client, &h, on_response, r);
    }
    if (rc) {
        free(r);
        return push_failure(L, rd_strerror(rc), false);
    }
    return task_wait(L, cancel_request, r);
}

/* host.resume_url() -> text: where the carrier asks what comes next, in public */
static int host_resume_url(lua_State *L)
{
    const char *url = opts_of(L)->resume_url;

    lua_pushstring(L, url ? url : "");
    return 1;
}

static const luaL_Reg functions[] = {
    {"twilio", host_twilio},
    {"twilio_ready", host_twilio_ready},
    {"resume_url", host_resume_url},
    {NULL, NULL},
};

void api_http_register(lua_State *L)
{
    luaL_setfuncs(L, functions, 0);
}
