/* SPDX-License-Identifier: Apache-2.0 */
/* api_fetch.c - requests to the hosts an agent needs, for scripts/ringdown/http.lua.
 *
 * - The fence (io/http_fence.h) knows the agent's hosts from its file, not from the script.
 * - A secret comes as its name and becomes a header here. Its value never enters the VM, nor does an
 *   answer that repeats it (fetch_answer.h).
 * - Per call, a few requests at once and a hundred in all: a tool storm ends in a refusal.
 *
 * Failure: `nil, why, code`; the code says what may have happened: "not_sent", "unknown" (the peer
 * may have done it), "refused" (the fence), "limit", "no_secret". */
#include "agent/activity.h"
#include "agent/api/api.h"
#include "agent/api/fetch_answer.h"
#include "agent/secret.h"
#include "base/err.h"
#include "base/now.h"
#include "base/retry.h"
#include "io/tls.h"
#include "media/base64.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

enum {
    AT_ONCE_MAX = 8,
    IN_ALL_MAX = 100,
    URL_MAX = 8192,
    HEADERS_MAX = 32,
    LINES_MAX = 64 * 1024,
    BASIC_MAX = SECRET_MAX + 512,
    BODY_MAX = 1 << 20,
    TIMEOUT_MAX_MS = 120000
};

struct fetch {
    struct activity *activity; /* borrows */
    struct task *task;
    struct http_call *http;
    struct buf lines; /* headers, each with its NUL; wiped once the request has them */
    struct buf masks; /* what must not come back, each with its NUL */
    const char *no_secret;
    char why[HTTP_WHY_MAX];
};

static void wipe(struct buf *b)
{
    if (b->data)
        explicit_bzero(b->data, b->n);
    buf_fini(b);
}

static void fetch_free(struct fetch *f)
{
    wipe(&f->lines);
    wipe(&f->masks);
    free(f);
}

static void cancel_fetch(void *arg)
{
    struct fetch *f = arg;

    f->activity->n_fetching--;
    http_call_cancel(f->http);
    fetch_free(f);
}

/* --- the answer ---------------------------------------------------------------------------------- */

static int push_answer(lua_State *L)
{
    const struct http_result *r = lua_touserdata(L, 1);
    const struct fetch *f = lua_touserdata(L, 2);

    lua_settop(L, 0);
    return fetch_push_answer(L, r, &f->masks);
}

static void on_answer(const struct http_result *r, void *arg)
{
    struct fetch *f = arg;
    struct task *t = f->task;
    lua_State *L = vm_lua(task_vm(t));

    f->activity->n_fetching--;
    lua_pushcfunction(L, push_answer);
    lua_pushlightuserdata(L, (void *)r);
    lua_pushlightuserdata(L, f);
    api_resume(t, 2);
    fetch_free(f);
}

/* --- the question: first everything is checked, which may raise ---------------------------------- */

static const char *text_field(lua_State *L, const char *name, size_t max)
{
    const char *text = "";
    size_t n = 0;

    if (lua_getfield(L, 1, name) != LUA_TNIL) {
        if (lua_type(L, -1) != LUA_TSTRING)
            luaL_error(L, "'%s' must be a text", name);
        text = lua_tolstring(L, -1, &n);
        if (n > max || strlen(text) != n)
            luaL_error(L, "'%s' must have at most %d bytes, none of them zero", name, (int)max);
    }
    lua_pop(L, 1); /* the table keeps it alive */
    return text;
}

static unsigned number_field(lua_State *L, const char *name, unsigned max)
{
    lua_Integer n;

    lua_getfield(L, 1, name);
    n = luaL_optinteger(L, -1, 0);
    lua_pop(L, 1);
    if (n < 0 || n > (lua_Integer)max)
        luaL_error(L, "'%s' must be from 0 to %d", name, (int)max);
    return (unsigned)n;
}

/* What curl or the connection decides. */
static bool is_reserved(const char *name)
{
    static const char *const reserved[] = {
        "host", "content-length", "transfer-encoding", "expect", "connection", "upgrade", "trailer",
        "te",   "keep-alive"};

    for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++)
        if (strcasecmp(name, reserved[i]) == 0)
            return true;
    return strncasecmp(name, "proxy-", 6) == 0;
}

static bool is_header_name(const char *name)
{
    size_t n = strlen(name);

    return n > 0 && n <= 64 && !is_reserved(name) &&
           strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") == n;
}

/* The text at the top of the stack. */
static bool is_header_value(lua_State *L)
{
    size_t n = 0;
    const char *value = lua_type(L, -1) == LUA_TSTRING ? lua_tolstring(L, -1, &n) : NULL;

    for (size_t i = 0; i < n; i++)
        if (((unsigned char)value[i] < 0x20 && value[i] != '\t') || value[i] == 0x7f)
            return false;
    return value && n <= URL_MAX;
}

static void check_headers(lua_State *L, const char *field)
{
    int count = 0;

    if (lua_getfield(L, 1, field) != LUA_TNIL) {
        luaL_argcheck(L, lua_istable(L, -1), 1, "headers must be a table");
        for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
            if (lua_type(L, -2) != LUA_TSTRING || !is_header_name(lua_tostring(L, -2)))
                luaL_error(L, "a header's name must be letters, digits and -, and none that the "
                              "connection sets itself");
            if (!is_header_value(L))
                luaL_error(L, "header %s: its value must be one line", lua_tostring(L, -2));
            if (++count > HEADERS_MAX)
                luaL_error(L, "more than %d headers", HEADERS_MAX);
        }
    }
    lua_pop(L, 1);
}

/* --- then it is put together, which does not raise ----------------------------------------------- */

/* The value of one of the agent's secrets, added to a line and to what is masked. */
static int add_secret(struct fetch *f, const char *name, struct buf *out)
{
    const struct script_opts *o = &f->activity->thread->pool->opts;
    const char *const *known = f->activity->agent->secrets;
    size_t from = out->n;
    int rc;

    while (*known && strcmp(*known, name) != 0)
        known++;
    rc = *known ? secret_read(o->secrets, name, out) : -ENOENT;
    if (rc == -ENOENT || rc == RD_ECONFIG)
        f->no_secret = name;
    if (!rc)
        rc = buf_add(&f->masks, out->data + from, out->n - from);
    return rc ? rc : buf_add(&f->masks, "", 1);
}

static int add_lines(lua_State *L, struct fetch *f, const char *field, bool secret)
{
    int rc = 0;

    if (lua_getfield(L, 1, field) == LUA_TTABLE) {
        for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
            const char *value = lua_tostring(L, -1);

            if (!rc)
                rc = buf_addf(&f->lines, "%s: ", lua_tostring(L, -2));
            if (!rc)
                rc = secret ? add_secret(f, value, &f->lines) : buf_add_str(&f->lines, value);
            if (!rc)
                rc = buf_add(&f->lines, "", 1);
        }
    }
    lua_pop(L, 1);
    return rc;
}

static int add_bearer(struct fetch *f, const char *name)
{
    int rc = buf_add_str(&f->lines, "Authorization: Bearer ");

    if (!rc)
        rc = add_secret(f, name, &f->lines);
    return rc ? rc : buf_add(&f->lines, "", 1);
}

/* Also what Basic makes of it is masked. Without a user, the secret is the user. */
static int add_basic(struct fetch *f, const char *user, const char *name)
{
    char encoded[BASIC_MAX * 4 / 3 + 8] = "";
    struct buf plain;
    int rc;

    buf_init(&plain, BASIC_MAX);
    rc = *user ? buf_addf(&plain, "%s:", user) : 0;
    if (!rc)
        rc = add_secret(f, name, &plain);
    if (!rc && !*user)
        rc = buf_add_str(&plain, ":");
    if (!rc) {
        base64_encode(encoded, (const uint8_t *)plain.data, plain.n);
        rc = buf_add(&f->masks, encoded, strlen(encoded) + 1);
    }
    if (!rc)
        rc = buf_addf(&f->lines, "Authorization: Basic %s", encoded);
    wipe(&plain);
    explicit_bzero(encoded, sizeof(encoded));
    return rc ? rc : buf_add(&f->lines, "", 1);
}

static int start(struct fetch *f, struct http_call_opts *o, struct http_client *client)
{
    const char *header[2 * HEADERS_MAX + 2];
    size_t n = 0;

    for (size_t at = 0; at < f->lines.n; at += strlen(f->lines.data + at) + 1)
        header[n++] = f->lines.data + at;
    header[n] = NULL;
    o->header = header;
    return http_call_start(&f->http, client, o, on_answer, f);
}

static int put_together(lua_State *L, struct fetch *f, struct http_call_opts *o, const char *bearer,
                        const char *basic)
{
    const char *user = text_field(L, "user", 256);
    struct http_client *client = thread_fetch(f->activity->thread);
    int rc = client ? 0 : -ENOMEM;

    if (!rc)
        rc = add_lines(L, f, "header", false);
    if (!rc)
        rc = add_lines(L, f, "secret_header", true);
    if (!rc && *bearer)
        rc = add_bearer(f, bearer);
    if (!rc && *basic)
        rc = add_basic(f, user, basic);
    if (!rc)
        rc = start(f, o, client);
    wipe(&f->lines);
    buf_init(&f->lines, LINES_MAX);
    return rc;
}

static int refuse(lua_State *L, struct fetch *f, int rc)
{
    char why[HTTP_WHY_MAX];
    const char *code = "not_sent";

    if (f->no_secret) {
        (void)snprintf(why, sizeof(why),
                       "secret %.64s has no value; give it in the configuration as secrets = { "
                       "%.64s = … } or in the environment",
                       f->no_secret, f->no_secret);
        code = "no_secret";
    } else if (rc == -EACCES) {
        (void)snprintf(why, sizeof(why), "%s", f->why);
        code = "refused";
    } else {
        (void)snprintf(why, sizeof(why), "%s", rd_strerror(rc));
    }
    fetch_free(f);
    return api_push_failure(L, why, code);
}

/* host.http{method, url, [header], [body], [bearer], [basic, user], [secret_header], [timeout_ms],
 *           [max_bytes]} -> {status, headers, body, retry_after_ms} | nil, message, code   (waits)
 * bearer, basic and the values of secret_header are names of secrets. */
static int host_http(lua_State *L)
{
    struct task *t = task_check_wait(L);
    struct activity *a = vm_user(vm_of(L));
    struct http_call_opts o = {.hosts = a->agent->hosts};
    const char *bearer, *basic;
    struct fetch *f;
    int rc;

    luaL_checktype(L, 1, LUA_TTABLE);
    o.method = text_field(L, "method", 16);
    o.url = text_field(L, "url", URL_MAX);
    bearer = text_field(L, "bearer", 64);
    basic = text_field(L, "basic", 64);
    (void)text_field(L, "user", 256);
    check_headers(L, "header");
    check_headers(L, "secret_header");
    o.timeout_ms = number_field(L, "timeout_ms", TIMEOUT_MAX_MS);
    o.max_body = number_field(L, "max_bytes", BODY_MAX);
    lua_getfield(L, 1, "body");
    o.body.p = luaL_optlstring(L, -1, "", &o.body.n);
    luaL_argcheck(L, o.body.n <= BODY_MAX, 1, "a body of at most 1 MiB");
    if (a->n_fetching >= AT_ONCE_MAX)
        return api_push_failure(L, "8 requests of this call are on their way already", "limit");
    if (a->n_fetched >= IN_ALL_MAX)
        return api_push_failure(L, "this call has made 100 requests, which is the limit", "limit");
    f = calloc(1, sizeof(*f));
    if (!f)
        return api_push_failure(L, rd_strerror(-ENOMEM), "not_sent");
    f->activity = a;
    f->task = t;
    o.why = f->why;
    buf_init(&f->lines, LINES_MAX);
    buf_init(&f->masks, LINES_MAX);
    rc = put_together(L, f, &o, bearer, basic);
    if (rc)
        return refuse(L, f, rc);
    a->n_fetched++;
    a->n_fetching++;
    return task_wait(L, cancel_fetch, f);
}

/* host.digest(text:string) -> 64 hex digits, SHA-256 */
static int host_digest(lua_State *L)
{
    size_t n;
    const char *text = luaL_checklstring(L, 1, &n);
    uint8_t bytes[32];
    char hex[2 * sizeof(bytes) + 1];

    sha256(bytes, text, n);
    rd_hex(hex, bytes, sizeof(bytes));
    lua_pushstring(L, hex);
    return 1;
}

void api_digest_register(lua_State *L)
{
    lua_pushcfunction(L, host_digest);
    lua_setfield(L, -2, "digest");
}

void api_fetch_register(lua_State *L)
{
    lua_pushcfunction(L, host_http);
    lua_setfield(L, -2, "http");
    api_digest_register(L);
}
