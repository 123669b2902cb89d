/* SPDX-License-Identifier: Apache-2.0 */
/* api_probe.c - does somebody we depend on really talk to us? Asked by `ringdown doctor`; nothing is bought, sent or
 * changed.
 *
 * - OpenAI: a session of the Realtime API is opened, greeted by `session.created`, and closed. A key with few rights may
 *   do that and not list models, and the other way round.
 * - The mail server: hello, STARTTLS, login, NOOP.
 *
 * Failure: `nil, why, code`. */
#include "agent/activity.h"
#include "agent/api/api.h"
#include "base/err.h"
#include "base/json.h"
#include "io/mail.h"
#include "io/tls.h"
#include "io/ws.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { URL_MAX = 2048, KEY_MAX = 1024, WHY_MAX = 400, OPEN_MS = 8000, GREETING_MS = 8000 };

static const struct script_opts *opts_of(lua_State *L)
{
    struct activity *a = vm_user(vm_of(L));

    return &a->thread->pool->opts;
}

/* --- a session --- */

struct session {
    struct task *task; /* NULL: nobody waits any more */
    struct ws *ws;
    struct tls_client *tls;
    struct loop_timer *timer;
    bool greeted;
    char why[WHY_MAX], code[64];
};

static void on_greeting_late(void *arg)
{
    struct session *s = arg;

    (void)snprintf(s->why, sizeof(s->why), "a connection was made, and no session came");
    (void)snprintf(s->code, sizeof(s->code), "silent");
    ws_drop(s->ws);
}

static void on_open(struct ws *w, void *arg)
{
    struct session *s = arg;

    (void)w;
    loop_timer_in(s->timer, GREETING_MS);
}

static void read_error(struct session *s, const struct json_value *event)
{
    struct json_value error = json_get(event, "error"), text = {0}, code = {0};

    if (error.type == JSON_OBJECT) {
        text = json_get(&error, "message");
        code = json_get(&error, "code");
    }
    if (text.type != JSON_STRING || json_copy(&text, s->why, sizeof(s->why)))
        (void)snprintf(s->why, sizeof(s->why), "it sent an error");
    if (code.type != JSON_STRING || json_copy(&code, s->code, sizeof(s->code)))
        (void)snprintf(s->code, sizeof(s->code), "error");
}

static void on_text(struct ws *w, char *msg, size_t n, void *arg)
{
    struct session *s = arg;
    struct json_value event, type;

    if (s->greeted || s->code[0] || json_parse((struct rd_str){msg, n}, &event))
        return;
    type = json_get(&event, "type");
    s->greeted = json_is(&type, "session.created");
    if (json_is(&type, "error"))
        read_error(s, &event);
    if (s->greeted || s->code[0])
        ws_close(w, 1000, "");
}

static void on_closed(struct ws *w, const struct ws_closed *c, void *arg)
{
    struct session *s = arg;
    struct task *t = s->task;
    lua_State *L = t ? task_lua(t) : NULL;
    int n = 1;

    (void)w;
    if (!s->greeted && !s->code[0] && c->why == WS_END_REFUSED) {
        (void)snprintf(s->why, sizeof(s->why), "the session was refused (%d)", c->code);
        (void)snprintf(s->code, sizeof(s->code), "%d", c->code);
    } else if (!s->greeted && !s->code[0]) {
        (void)snprintf(s->why, sizeof(s->why), "no connection: %s",
                       c->err ? rd_strerror(c->err) : "it was closed");
        (void)snprintf(s->code, sizeof(s->code), "lost");
    }
    if (L && s->greeted)
        lua_pushboolean(L, 1);
    else if (L)
        n = api_push_failure(L, s->why, s->code);
    loop_timer_free(s->timer);
    tls_client_free(s->tls);
    free(s);
    if (t)
        task_resume(t, n);
}

static void cancel_session(void *arg)
{
    struct session *s = arg;

    s->task = NULL;
    ws_drop(s->ws);
}

static int connect_session(struct session *s, struct loop *l, const struct script_opts *o,
                           const char *model)
{
    static const struct ws_handlers handlers = {
        .open = on_open, .text = on_text, .closed = on_closed};
    char url[URL_MAX], bearer[KEY_MAX];
    const char *const header[] = {bearer, NULL};
    struct ws_connect_opts c = {.loop = l,
                                .url = url,
                                .header = header,
                                .timeout_ms = OPEN_MS,
                                .handlers = &handlers,
                                .arg = s};
    int rc = tls_client_new(&s->tls, o->ca_file, s->why, sizeof(s->why));

    if (!rc)
        rc = loop_timer_new(&s->timer, l, on_greeting_late, s);
    if (!rc && (snprintf(url, sizeof(url), "%s%cmodel=%s", o->openai_url,
                         strchr(o->openai_url, '?') ? '&' : '?', model) >= (int)sizeof(url) ||
                snprintf(bearer, sizeof(bearer), "Authorization: Bearer %s", o->openai_key) >=
                    (int)sizeof(bearer)))
        rc = RD_ETOOBIG;
    c.tls = s->tls;
    if (!rc)
        rc = ws_connect(&s->ws, &c);
    explicit_bzero(bearer, sizeof(bearer));
    return rc;
}

/* host.openai_session(model:string) -> true | nil, message, code (the status as text, OpenAI's word, "lost",
 *                                                              "silent", "no_key")              (waits) */
static int host_openai_session(lua_State *L)
{
    struct task *t = task_check_wait(L);
    struct activity *a = vm_user(vm_of(L));
    const struct script_opts *o = opts_of(L);
    const char *model = luaL_checkstring(L, 1);
    struct session *s;
    int rc;

    luaL_argcheck(L,
                  model[strspn(model, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                      "0123456789-._:")] == '\0',
                  1, "a model's name");
    if (!o->openai_url || !*o->openai_url || !o->openai_key || !*o->openai_key)
        return api_push_failure(L, "no key is set", "no_key");
    s = calloc(1, sizeof(*s));
    if (!s)
        return api_push_failure(L, rd_strerror(-ENOMEM), "lost");
    s->task = t;
    rc = connect_session(s, a->thread->loop, o, model);
    if (rc) {
        char why[WHY_MAX];

        (void)snprintf(why, sizeof(why), "%s", s->why[0] ? s->why : rd_strerror(rc));
        loop_timer_free(s->timer);
        tls_client_free(s->tls);
        free(s);
        return api_push_failure(L, why, "lost");
    }
    return task_wait(L, cancel_session, s);
}

/* --- the mail server --- */

struct hello {
    struct task *task;
    struct mail *mail;
};

static void cancel_hello(void *arg)
{
    struct hello *h = arg;

    mail_cancel(h->mail);
    free(h);
}

static void on_hello(const struct mail_result *r, void *arg)
{
    struct hello *h = arg;
    struct task *t = h->task;

    free(h);
    if (r->err) {
        task_resume(t, api_push_failure(task_lua(t), r->why, r->code));
        return;
    }
    lua_pushboolean(task_lua(t), 1);
    task_resume(t, 1);
}

/* host.mail_hello() -> true | nil, message, code: does the mail server let us in?      (waits) */
static int host_mail_hello(lua_State *L)
{
    struct task *t = task_check_wait(L);
    struct activity *a = vm_user(vm_of(L));
    const struct script_opts *o = opts_of(L);
    struct mail_server server = {.url = o->smtp_url, .ca_file = o->smtp_ca};
    char why[MAIL_WHY_MAX];
    struct hello *h;
    int rc;

    if (!server.url || !*server.url)
        return api_push_failure(L, "there is no mail server: set smtp.url and smtp.from", "none");
    h = calloc(1, sizeof(*h));
    if (!h)
        return api_push_failure(L, rd_strerror(-ENOMEM), "not_sent");
    h->task = t;
    rc = mail_hello(&h->mail, a->thread->loop, &server, on_hello, h, why, sizeof(why));
    if (rc) {
        free(h);
        return api_push_failure(L, why, "not_sent");
    }
    return task_wait(L, cancel_hello, h);
}

void api_probe_register(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"openai_session", host_openai_session}, {"mail_hello", host_mail_hello}, {NULL, NULL}};

    luaL_setfuncs(L, functions, 0);
}
