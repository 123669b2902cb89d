/* SPDX-License-Identifier: Apache-2.0 */
/* api_alert.c - what tells people of alerts: mail, a request to an address that the operator
 * configured, a signature, and what is wrong in this process now (scripts/ringdown/alerts/).
 *
 * Both ways out wait without holding up the thread: a mail has a helper thread (io/mail.h), a request is
 * the loop's. Redirects are not followed: what was signed for one address is not for another.
 *
 * Failure: `nil, why, code`; "not_sent": nobody got it, "refused": nor will anybody as it is, "unknown":
 * somebody may have it. Neither repeats an address with a password in it. */
#include "agent/activity.h"
#include "agent/api/api.h"
#include "base/err.h"
#include "base/now.h"
#include "base/retry.h"
#include "io/mail.h"
#include "io/tls.h"
#include "observe/alarm.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    URL_MAX = 2048,
    HEADERS_MAX = 8,
    HEADER_MAX = 1024,
    BODY_MAX = 256 * 1024,
    ANSWER_MAX = 4096,
    POST_MAX_MS = 20000,
    POST_MS = 5000,
    FILE_MAX = 256 * 1024
};

static const struct script_opts *opts_of(lua_State *L)
{
    struct activity *a = vm_user(vm_of(L));

    return &a->thread->pool->opts;
}

static const char *text_at(lua_State *L, const char *name, const char *otherwise)
{
    const char *text = otherwise;
    size_t n = 0;

    if (lua_getfield(L, 1, name) != LUA_TNIL) {
        if (lua_type(L, -1) != LUA_TSTRING)
            luaL_error(L, "'%s' must be a text", name);
        text = lua_tolstring(L, -1, &n);
        if (strlen(text) != n)
            luaL_error(L, "'%s' holds a zero byte", name);
    }
    lua_pop(L, 1); /* the table keeps it alive */
    return text;
}

/* --- mail --- */

struct mailing {
    struct task *task;
    struct mail *mail;
};

static void cancel_mailing(void *arg)
{
    struct mailing *m = arg;

    mail_cancel(m->mail);
    free(m);
}

static void on_mailed(const struct mail_result *r, void *arg)
{
    struct mailing *m = arg;
    struct task *t = m->task;

    free(m);
    if (r->err) {
        task_resume(t, api_push_failure(task_lua(t), r->why, r->code));
        return;
    }
    lua_pushboolean(task_lua(t), 1);
    task_resume(t, 1);
}

/* The list of texts `to`, which stay alive in their table. */
static void read_recipients(lua_State *L, const char *to[MAIL_TO_MAX + 1])
{
    lua_Integer n;

    lua_getfield(L, 1, "to");
    luaL_argcheck(L, lua_istable(L, -1), 1, "'to' must be a list of addresses");
    n = (lua_Integer)lua_rawlen(L, -1);
    luaL_argcheck(L, n >= 1 && n <= MAIL_TO_MAX, 1, "'to' has 1 to 16 addresses");
    for (lua_Integer i = 0; i < n; i++) {
        size_t bytes = 0;

        lua_rawgeti(L, -1, i + 1);
        to[i] = lua_type(L, -1) == LUA_TSTRING ? lua_tolstring(L, -1, &bytes) : NULL;
        lua_pop(L, 1);
        luaL_argcheck(L, to[i] && strlen(to[i]) == bytes, 1, "'to' must be a list of addresses");
    }
    to[n] = NULL;
    lua_pop(L, 1);
}

/* host.mail{to, subject, text, [html], [id], [answers]} -> true | nil, message, code      (waits) */
static int host_mail(lua_State *L)
{
    struct task *t = task_check_wait(L);
    const struct activity *a = vm_user(vm_of(L));
    const struct script_opts *o = opts_of(L);
    const char *to[MAIL_TO_MAX + 1];
    struct mail_letter letter = {.from = o->smtp_from, .to = to};
    struct mail_server server = {.url = o->smtp_url, .ca_file = o->smtp_ca};
    char why[MAIL_WHY_MAX];
    struct mailing *m;
    int rc;

    luaL_checktype(L, 1, LUA_TTABLE);
    read_recipients(L, to);
    letter.subject = text_at(L, "subject", "");
    letter.text = text_at(L, "text", "");
    letter.html = text_at(L, "html", NULL);
    letter.id = text_at(L, "id", NULL);
    letter.answers = text_at(L, "answers", NULL);
    if (!server.url || !*server.url || !letter.from || !*letter.from)
        return api_push_failure(L, "there is no mail server: set smtp.url and smtp.from",
                                "refused");
    m = calloc(1, sizeof(*m));
    if (!m)
        return api_push_failure(L, rd_strerror(-ENOMEM), "not_sent");
    m->task = t;
    rc = mail_send(&m->mail, a->thread->loop, &server, &letter, on_mailed, m, why, sizeof(why));
    if (rc) {
        free(m);
        return api_push_failure(L, why, rc == -EINVAL ? "refused" : "not_sent");
    }
    return task_wait(L, cancel_mailing, m);
}

/* host.mail_ready() -> boolean, from: is there a server to give mails to, and whom they come from */
static int host_mail_ready(lua_State *L)
{
    const struct script_opts *o = opts_of(L);

    lua_pushboolean(L, o->smtp_url && *o->smtp_url && o->smtp_from && *o->smtp_from);
    lua_pushstring(L, o->smtp_from ? o->smtp_from : "");
    return 2;
}

/* --- requests --- */

struct posting {
    struct task *task;
    struct http_call *http;
};

static void cancel_posting(void *arg)
{
    struct posting *p = arg;

    http_call_cancel(p->http);
    free(p);
}

static bool was_not_sent(int err)
{
    return err == -ECONNREFUSED || err == RD_ETLS || err == -EACCES;
}

/* Called through lua_pcall. */
static int push_posted(lua_State *L)
{
    const struct http_result *r = lua_touserdata(L, 1);

    lua_settop(L, 0);
    if (r->err)
        return api_push_failure(L, rd_strerror(r->err),
                                was_not_sent(r->err) ? "not_sent" : "unknown");
    lua_createtable(L, 0, 3);
    lua_pushinteger(L, r->status);
    lua_setfield(L, -2, "status");
    lua_pushlstring(L, r->body.p ? r->body.p : "", r->body.n);
    lua_setfield(L, -2, "body");
    lua_pushinteger(L, retry_after_ms(r->retry_after, unix_ms()));
    lua_setfield(L, -2, "retry_after_ms");
    lua_pushnil(L);
    lua_pushnil(L);
    return 3;
}

static void on_posted(const struct http_result *r, void *arg)
{
    struct posting *p = arg;
    struct task *t = p->task;
    lua_State *L = vm_lua(task_vm(t));

    free(p);
    lua_pushcfunction(L, push_posted);
    lua_pushlightuserdata(L, (void *)r);
    api_resume(t, 1);
}

/* The list `header` of "Name: value" lines, which stay alive in their table; -1: something else. */
static int read_headers(lua_State *L, const char *header[HEADERS_MAX + 1])
{
    int n = 0;

    if (lua_getfield(L, 1, "header") == LUA_TTABLE) {
        for (; n < HEADERS_MAX && lua_rawgeti(L, -1, n + 1) == LUA_TSTRING; n++, lua_pop(L, 1)) {
            size_t bytes;

            header[n] = lua_tolstring(L, -1, &bytes);
            if (bytes > HEADER_MAX || strlen(header[n]) != bytes || strpbrk(header[n], "\r\n") ||
                !strchr(header[n], ':'))
                return luaL_error(L, "a header must be one line, Name: value");
        }
        lua_pop(L, n < HEADERS_MAX);
    }
    lua_pop(L, 1);
    header[n] = NULL;
    return n;
}

/* host.post{url, body, [header: list of lines], [timeout_ms]} -> {status, body, retry_after_ms}
 *   | nil, message, code                                                          (waits) */
static int host_post(lua_State *L)
{
    struct task *t = task_check_wait(L);
    const struct activity *a = vm_user(vm_of(L));
    struct http_client *client = thread_http(a->thread);
    const char *header[HEADERS_MAX + 1] = {NULL};
    struct http_call_opts h = {.method = "POST", .header = header, .max_body = ANSWER_MAX};
    struct posting *p;
    lua_Integer timeout_ms;
    int rc = -ENOMEM;

    luaL_checktype(L, 1, LUA_TTABLE);
    h.url = text_at(L, "url", "");
    luaL_argcheck(L, strlen(h.url) <= URL_MAX, 1, "a longer address than 2048 bytes");
    h.body = rd_str(text_at(L, "body", ""));
    luaL_argcheck(L, h.body.n <= BODY_MAX, 1, "a body of more than 256 KiB");
    (void)read_headers(L, header);
    lua_getfield(L, 1, "timeout_ms");
    timeout_ms = luaL_optinteger(L, -1, POST_MS);
    lua_pop(L, 1);
    luaL_argcheck(L, timeout_ms > 0 && timeout_ms <= POST_MAX_MS, 1, "'timeout_ms' is 1 to 20000");
    h.timeout_ms = (unsigned)timeout_ms;
    p = client ? calloc(1, sizeof(*p)) : NULL;
    if (p) {
        p->task = t;
        rc = http_call_start(&p->http, client, &h, on_posted, p);
    }
    if (rc) {
        free(p);
        return api_push_failure(L, rd_strerror(rc), "not_sent");
    }
    return task_wait(L, cancel_posting, p);
}

/* host.hmac(key:string, text:string) -> 64 hex digits, HMAC-SHA256 */
static int host_hmac(lua_State *L)
{
    size_t n_key, n;
    const char *key = luaL_checklstring(L, 1, &n_key), *text = luaL_checklstring(L, 2, &n);
    uint8_t mac[32];
    char hex[2 * sizeof(mac) + 1];

    hmac_sha256(mac, key, n_key, text, n);
    rd_hex(hex, mac, sizeof(mac));
    lua_pushstring(L, hex);
    return 1;
}

/* host.unix_ms() -> integer: by the calendar */
static int host_unix_ms(lua_State *L)
{
    lua_pushinteger(L, (lua_Integer)unix_ms());
    return 1;
}

/* --- what is wrong now --- */

static void set_text(lua_State *L, const char *key, const char *text)
{
    lua_pushstring(L, text);
    lua_setfield(L, -2, key);
}

static int push_alarms(lua_State *L)
{
    const struct alarm *list = lua_touserdata(L, 1);
    lua_Integer n = lua_tointeger(L, 2);

    lua_settop(L, 0);
    lua_createtable(L, (int)n, 0);
    for (lua_Integer i = 0; i < n; i++) {
        lua_createtable(L, 0, 6);
        set_text(L, "kind", list[i].kind);
        set_text(L, "subject", list[i].subject);
        set_text(L, "text", list[i].text);
        set_text(L, "fix", list[i].fix);
        set_text(L, "severity", list[i].severity == ALARM_CRITICAL ? "critical" : "warning");
        lua_pushinteger(L, (lua_Integer)(list[i].raised_unix_us / 1000));
        lua_setfield(L, -2, "since_ms");
        lua_rawseti(L, -2, i + 1);
    }
    return 1;
}

/* host.open_alarms() -> list of {kind, subject, text, fix, severity, since_ms}: open in this process, oldest
 * first */
static int host_alarms(lua_State *L)
{
    struct alarm *list = calloc(ALARMS_MAX, sizeof(*list));
    int status;

    if (!list)
        return luaL_error(L, "not enough memory");
    lua_settop(L, 0);
    lua_pushcfunction(L, push_alarms);
    lua_pushlightuserdata(L, list);
    lua_pushinteger(L, (lua_Integer)alarm_list(list, ALARMS_MAX));
    status = lua_pcall(L, 2, 1, 0);
    free(list);
    return status == LUA_OK ? 1 : lua_error(L);
}

/* --- what the operator configured --- */

/* The operator's file, read anew each time, so that an edit counts without a restart. */
static char *read_rules(const char *path, size_t *n, const char **why)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat st;
    char *text = NULL;
    ssize_t got = -1;

    if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size <= FILE_MAX) {
        text = malloc((size_t)st.st_size + 1);
        got = text ? read(fd, text, (size_t)st.st_size) : -1;
    }
    if (got < 0) {
        *why = rd_strerror(fd < 0 ? -errno : RD_ETOOBIG);
        free(text);
        text = NULL;
    }
    if (fd >= 0)
        (void)close(fd);
    *n = got < 0 ? 0 : (size_t)got;
    return text;
}

/* Called through lua_pcall. */
static int push_bytes(lua_State *L)
{
    const struct rd_str *s = lua_touserdata(L, 1);

    lua_settop(L, 0);
    lua_pushlstring(L, s->p, s->n);
    return 1;
}

/* host.alert_rules() -> path, text | nothing: no file is set | path, nil, why */
static int host_alert_rules(lua_State *L)
{
    const char *path = opts_of(L)->alert_rules, *why = NULL;
    struct rd_str text;
    char *bytes;
    int status;

    if (!path || !*path)
        return 0;
    lua_pushstring(L, path);
    bytes = read_rules(path, &text.n, &why);
    if (!bytes) {
        lua_pushnil(L);
        lua_pushstring(L, why);
        return 3;
    }
    text.p = bytes;
    lua_pushcfunction(L, push_bytes);
    lua_pushlightuserdata(L, &text);
    status = lua_pcall(L, 1, 1, 0);
    free(bytes);
    return status == LUA_OK ? 2 : lua_error(L);
}

/* host.alert_channels() -> JSON list, "" when none are set */
static int host_alert_channels(lua_State *L)
{
    const char *channels = opts_of(L)->alert_channels;

    lua_pushstring(L, channels ? channels : "");
    return 1;
}

void api_alert_register(lua_State *L)
{
    static const luaL_Reg functions[] = {{"mail", host_mail},
                                         {"mail_ready", host_mail_ready},
                                         {"post", host_post},
                                         {"hmac", host_hmac},
                                         {"unix_ms", host_unix_ms},
                                         {"open_alarms", host_alarms},
                                         {"alert_rules", host_alert_rules},
                                         {"alert_channels", host_alert_channels},
                                         {NULL, NULL}};

    luaL_setfuncs(L, functions, 0);
}
