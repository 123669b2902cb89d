/* SPDX-License-Identifier: Apache-2.0 */
/* api_http.c - requests to Twilio's REST API for scripts/ringdown/twilio/rest.lua, and to Vapi's for
 * scripts/ringdown/vapi/rest.lua. The addresses and the credentials stay here: a script names a path
 * (of Twilio: below its account), nothing else. */
#include "agent/activity.h"
#include "agent/api/api.h"
#include "base/err.h"
#include "base/now.h"
#include "base/retry.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

enum {
    BODY_MAX = 64 * 1024,
    ANSWER_MAX = 1 << 20,      /* of a call's script */
    LONG_ANSWER_MAX = 8 << 20, /* of an operation: a page of a hundred calls */
    TIMEOUT_MS = 8000,
    VAPI_TIMEOUT_MS = 15000,
    CONTROL_TIMEOUT_MS = 4000,
    TIMEOUT_MAX_MS = 60000
};

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

/* When the peer answered, by his own clock; 0: he does not say. */
static int64_t date_ms(struct rd_str head)
{
    static const char name[] = "date:";
    struct tm tm = {0};
    char text[64];

    for (size_t at = 0; at + sizeof(name) < head.n;) {
        const char *line = head.p + at, *end = memchr(line, '\n', head.n - at);
        size_t n = end ? (size_t)(end - line) : head.n - at;

        at += n + 1;
        if (n < sizeof(name) || n >= sizeof(text) || strncasecmp(line, name, sizeof(name) - 1) != 0)
            continue;
        (void)rd_str_copy(text, sizeof(text), (struct rd_str){line, n});
        return strptime(text + sizeof(name) - 1, " %a, %d %b %Y %H:%M:%S GMT", &tm)
                   ? (int64_t)timegm(&tm) * 1000
                   : 0;
    }
    return 0;
}

static int push_response(lua_State *L)
{
    const struct http_result *h = lua_touserdata(L, 1);

    lua_settop(L, 0);
    if (h->err)
        return push_failure(L, h->text ? h->text : rd_strerror(h->err),
                            h->err != -ECONNREFUSED && h->err != RD_ETLS);
    lua_createtable(L, 0, 4);
    lua_pushinteger(L, date_ms(h->head));
    lua_setfield(L, -2, "date_ms");
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
    api_resume(t, 1);
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

static bool only(const char *text, const char *marks)
{
    for (; *text; text++)
        if (!isalnum((unsigned char)*text) && !strchr(marks, *text))
            return false;
    return true;
}

static void check_path(lua_State *L, const char *path)
{
    luaL_argcheck(L, only(path, "/._-"), 2, "letters, digits and / . _ - only");
    luaL_argcheck(L, !strstr(path, "..") && *path, 2, "a path below the account");
}

static size_t answer_max(const struct activity *a)
{
    return a->operation ? LONG_ANSWER_MAX : ANSWER_MAX;
}

static int start_and_wait(lua_State *L, struct task *t, const struct http_call_opts *h)
{
    struct activity *a = vm_user(vm_of(L));
    struct http_client *client = thread_http(a->thread);
    struct request *r = client ? calloc(1, sizeof(*r)) : NULL;
    int rc = -ENOMEM;

    if (r) {
        r->task = t;
        rc = http_call_start(&r->http, client, h, on_response, r);
    }
    if (rc) {
        free(r);
        return push_failure(L, rd_strerror(rc), false);
    }
    return task_wait(L, cancel_request, r);
}

/* The path, with what a GET asks behind it. */
static const char *push_target(lua_State *L, const char *method, const char *path,
                               struct rd_str *form)
{
    if (strcmp(method, "GET") != 0 || form->n == 0)
        return path;
    luaL_argcheck(L, only(form->p, "=&._-~%"), 3, "an encoded form");
    path = lua_pushfstring(L, "%s?%s", path, form->p);
    form->n = 0;
    return path;
}

/* host.twilio(method:string, path:string, [form:string]) -- GET: the form is what it asks for
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

    check_path(L, path);
    h.body.p = luaL_optlstring(L, 3, "", &h.body.n);
    luaL_argcheck(L, h.body.n <= BODY_MAX, 3, "longer than 64 KiB");
    h.header = form_header;
    h.max_body = answer_max(a);
    path = push_target(L, h.method, path, &h.body);
    h.url = lua_pushfstring(L, "%s/2010-04-01/Accounts/%s/%s", o->twilio_api, o->twilio_sid, path);
    h.user_password = lua_pushfstring(L, "%s:%s", o->twilio_sid, o->twilio_token);
    return start_and_wait(L, t, &h);
}

/* host.vapi_ready() -> boolean: is there a key? */
static int host_vapi_ready(lua_State *L)
{
    const struct script_opts *o = opts_of(L);

    lua_pushboolean(L, is_set(o->vapi_api) && is_set(o->vapi_key));
    return 1;
}

/* host.vapi(method:string, path:string, [json:string], [timeout_ms:integer]) -- "/call?limit=100"
 *   -> {status, body, retry_after_ms} | nil, message, "not_sent"|"unknown"      (waits) */
static int host_vapi(lua_State *L)
{
    struct task *t = task_check_wait(L);
    struct activity *a = vm_user(vm_of(L));
    const struct script_opts *o = opts_of(L);
    const char *header[] = {"Content-Type: application/json", "Accept: application/json", NULL,
                            NULL};
    struct http_call_opts h = {.method = luaL_checkstring(L, 1), .max_body = answer_max(a)};
    const char *path = luaL_checkstring(L, 2);
    lua_Integer timeout_ms = luaL_optinteger(L, 4, VAPI_TIMEOUT_MS);

    luaL_argcheck(L, *path == '/' && only(path, "/._-?=&%:+") && !strstr(path, ".."), 2,
                  "a path like /call?limit=100");
    luaL_argcheck(L, timeout_ms > 0 && timeout_ms <= TIMEOUT_MAX_MS, 4, "1 to 60000");
    h.body.p = luaL_optlstring(L, 3, "", &h.body.n);
    luaL_argcheck(L, h.body.n <= answer_max(a), 3, "too long");
    if (!is_set(o->vapi_api) || !is_set(o->vapi_key))
        return push_failure(L, "there is no key for Vapi: set vapi.key (VAPI_API_KEY)", false);
    h.timeout_ms = (unsigned)timeout_ms;
    h.url = lua_pushfstring(L, "%s%s", o->vapi_api, path);
    header[2] = lua_pushfstring(L, "Authorization: Bearer %s", o->vapi_key);
    h.header = header;
    return start_and_wait(L, t, &h);
}

/* host.openai_ready() -> boolean: is there a key? */
static int host_openai_ready(lua_State *L)
{
    const struct script_opts *o = opts_of(L);

    lua_pushboolean(L, is_set(o->openai_url) && is_set(o->openai_key));
    return 1;
}

/* The Realtime address is below that of the REST API: wss://api.openai.com/v1 /realtime. */
static void push_openai_base(lua_State *L, const char *url)
{
    static const char tail[] = "/realtime";
    bool secure = strncmp(url, "wss://", 6) == 0;
    const char *rest = url + (secure ? 6 : 5), *end = strstr(rest, tail);

    lua_pushstring(L, secure ? "https://" : "http://");
    lua_pushlstring(L, rest, end ? (size_t)(end - rest) : strcspn(rest, "?"));
    lua_concat(L, 2);
}

/* host.openai(path:string) -- GET "/models": looked at, nothing is changed and nothing is billed
 *   -> {status, body, date_ms, retry_after_ms} | nil, message, "not_sent"|"unknown"      (waits) */
static int host_openai(lua_State *L)
{
    struct task *t = task_check_wait(L);
    struct activity *a = vm_user(vm_of(L));
    const struct script_opts *o = opts_of(L);
    const char *header[] = {"Accept: application/json", NULL, NULL};
    struct http_call_opts h = {.method = "GET", .timeout_ms = TIMEOUT_MS};
    const char *path = luaL_checkstring(L, 1);

    luaL_argcheck(L, *path == '/' && only(path, "/._-") && !strstr(path, ".."), 1,
                  "a path like /models");
    if (!is_set(o->openai_url) || !is_set(o->openai_key))
        return push_failure(L, "there is no key for OpenAI: set openai.key (OPENAI_API_KEY)",
                            false);
    push_openai_base(L, o->openai_url);
    h.url = lua_pushfstring(L, "%s%s", lua_tostring(L, -1), path);
    header[1] = lua_pushfstring(L, "Authorization: Bearer %s", o->openai_key);
    h.header = header;
    h.max_body = answer_max(a);
    return start_and_wait(L, t, &h);
}

/* host.outside() -> {status, body, date_ms, retry_after_ms} | nil, message, "not_sent"|"unknown"
 * What public.url answers to GET /livez: is it us? (waits) */
static int host_outside(lua_State *L)
{
    struct task *t = task_check_wait(L);
    const struct script_opts *o = opts_of(L);
    struct http_call_opts h = {.method = "GET", .timeout_ms = TIMEOUT_MS, .max_body = BODY_MAX};

    if (!is_set(o->public_url))
        return push_failure(L, "public.url is not set", false);
    h.url = lua_pushfstring(L, "%s/livez", o->public_url);
    return start_and_wait(L, t, &h);
}

/* host.heartbeat(json:string): to the watcher of heartbeat.url
 *   -> {status, body, date_ms, retry_after_ms} | nil, message, "not_sent"|"unknown"      (waits) */
static int host_heartbeat(lua_State *L)
{
    static const char *const header[] = {"Content-Type: application/json", NULL};
    struct task *t = task_check_wait(L);
    const struct script_opts *o = opts_of(L);
    struct http_call_opts h = {.method = "POST",
                               .url = o->heartbeat_url,
                               .header = header,
                               .timeout_ms = TIMEOUT_MS,
                               .max_body = BODY_MAX};

    h.body.p = luaL_checklstring(L, 1, &h.body.n);
    luaL_argcheck(L, h.body.n <= BODY_MAX, 1, "too long");
    if (!is_set(h.url))
        return push_failure(L, "heartbeat.url is not set", false);
    return start_and_wait(L, t, &h);
}

/* A call's control address comes from Vapi, and is of Vapi's or below the address that vapi.api has. */
static bool is_of_vapi(const char *url, const char *api)
{
    static const char domain[] = ".vapi.ai";
    size_t n = strlen(api), host;

    if (!only(url, ":/._-?=&%"))
        return false;
    if (n > 0 && strncmp(url, api, n) == 0 && url[n] == '/')
        return true;
    if (strncmp(url, "https://", 8) != 0)
        return false;
    host = strcspn(url + 8, "/?");
    return host > sizeof(domain) - 1 && !memchr(url + 8, ':', host) &&
           memcmp(url + 8 + host - (sizeof(domain) - 1), domain, sizeof(domain) - 1) == 0;
}

/* host.vapi_control(url:string, json:string): tells a call of Vapi what to do
 *   -> {status, body, retry_after_ms} | nil, message, "not_sent"|"unknown"      (waits) */
static int host_vapi_control(lua_State *L)
{
    static const char *const header[] = {"Content-Type: application/json", NULL};
    struct task *t = task_check_wait(L);
    const struct script_opts *o = opts_of(L);
    struct http_call_opts h = {.method = "POST",
                               .url = luaL_checkstring(L, 1),
                               .header = header,
                               .timeout_ms = CONTROL_TIMEOUT_MS,
                               .max_body = BODY_MAX};

    h.body.p = luaL_checklstring(L, 2, &h.body.n);
    luaL_argcheck(L, h.body.n <= BODY_MAX, 2, "too long");
    if (!is_of_vapi(h.url, o->vapi_api ? o->vapi_api : ""))
        return push_failure(L, "the call's control address is none of Vapi's", false);
    return start_and_wait(L, t, &h);
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
    {"vapi", host_vapi},
    {"vapi_ready", host_vapi_ready},
    {"vapi_control", host_vapi_control},
    {"heartbeat", host_heartbeat},
    {"outside", host_outside},
    {"openai", host_openai},
    {"openai_ready", host_openai_ready},
    {"resume_url", host_resume_url},
    {NULL, NULL},
};

void api_http_register(lua_State *L)
{
    luaL_setfuncs(L, functions, 0);
}
