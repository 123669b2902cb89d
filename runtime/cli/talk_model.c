/* SPDX-License-Identifier: Apache-2.0 */
/* talk_model.c - one WebSocket, one session in text.
 *
 * - session.created ─▶ session.update (instructions, tools, text only) ─▶ session.updated: ready
 * - what was said before it was ready waits in the conversation: items are sent in order
 * - one response at a time; who wants one meanwhile gets it when that is done, and only when every
 *   function that was called has its result
 *
 * Failure: an error event is told; a response that failed, too. The connection breaks: `over`, once. */
#include "cli/talk_model.h"

#include "base/err.h"
#include "io/ws.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { URL_MAX = 2048, KEY_MAX = 1024, WHY_MAX = 512 };

struct talk_model {
    struct talk_model_opts o;
    struct ws *ws;       /* borrows; NULL: closed */
    json_t *configured;  /* owns; session.update, until it was sent */
    json_t *waiting;     /* owns; events until the session is ready */
    bool ready, active;  /* active: a response is being made */
    bool wants_response; /* once it may */
    unsigned n_calls;    /* functions without result */
    bool closed;         /* by us: free when the socket is gone */
};

/* --- what goes out --- */

static void send_json(struct talk_model *m, json_t *event)
{
    char *text = event ? json_dumps(event, JSON_COMPACT) : NULL;

    if (text && m->ws)
        (void)ws_send(m->ws, text, strlen(text));
    free(text);
    json_decref(event);
}

/* Owns the event. */
static void put(struct talk_model *m, json_t *event)
{
    if (m->ready)
        send_json(m, event);
    else
        (void)json_array_append_new(m->waiting, event);
}

static void respond(struct talk_model *m)
{
    m->wants_response = true;
    if (!m->ready || m->active || m->n_calls > 0)
        return;
    m->wants_response = false;
    m->active = true;
    send_json(m, json_pack("{s:s}", "type", "response.create"));
}

static void put_message(struct talk_model *m, const char *role, const char *kind, const char *text)
{
    put(m, json_pack("{s:s,s:{s:s,s:s,s:[{s:s,s:s}]}}", "type", "conversation.item.create", "item",
                     "type", "message", "role", role, "content", "type", kind, "text", text));
}

void talk_model_hear(struct talk_model *m, const char *text)
{
    put_message(m, "user", "input_text", text);
    respond(m);
}

void talk_model_spoke(struct talk_model *m, const char *text)
{
    put_message(m, "assistant", "output_text", text);
}

void talk_model_told(struct talk_model *m, const char *text, bool answers)
{
    put_message(m, "system", "input_text", text);
    if (answers)
        respond(m);
}

void talk_model_result(struct talk_model *m, const char *id, const char *output, bool goes_on)
{
    if (m->n_calls == 0)
        return; /* of a model from before */
    m->n_calls--;
    put(m, json_pack("{s:s,s:{s:s,s:s,s:s}}", "type", "conversation.item.create", "item", "type",
                     "function_call_output", "call_id", id, "output", output));
    if (goes_on || m->wants_response)
        respond(m);
}

bool talk_model_idle(const struct talk_model *m)
{
    return m->ready && !m->active && m->n_calls == 0;
}

static json_t *tools_of(const struct brief *b)
{
    json_t *tools = json_loads(b->tools_json, 0, NULL), *tool;
    size_t i;

    json_array_foreach(tools, i, tool)
    {
        (void)json_object_set_new(tool, "type", json_string("function"));
    }
    return tools ? tools : json_array();
}

static json_t *configuration(const struct brief *b)
{
    return json_pack("{s:s,s:{s:s,s:[s],s:s,s:o,s:s}}", "type", "session.update", "session", "type",
                     "realtime", "output_modalities", "text", "instructions", b->instructions,
                     "tools", tools_of(b), "tool_choice", "auto");
}

/* --- what comes in --- */

static const char *text_at(const json_t *o, const char *key)
{
    const char *z = json_string_value(json_object_get(o, key));

    return z ? z : "";
}

static void on_ready(struct talk_model *m)
{
    json_t *event;
    size_t i;

    if (m->ready)
        return;
    m->ready = true;
    json_array_foreach(m->waiting, i, event)
    {
        send_json(m, json_incref(event));
    }
    (void)json_array_clear(m->waiting);
    if (m->wants_response)
        respond(m);
}

static void on_created(struct talk_model *m, const json_t *event)
{
    (void)event;
    send_json(m, m->configured);
    m->configured = NULL;
}

static void on_updated(struct talk_model *m, const json_t *event)
{
    (void)event;
    on_ready(m);
    if (!m->active)
        m->o.events->settled(m->o.arg);
}

static void on_words(struct talk_model *m, const json_t *event)
{
    m->o.events->said(text_at(event, "text"), m->o.arg);
}

static void on_item(struct talk_model *m, const json_t *event)
{
    const json_t *item = json_object_get(event, "item");

    if (strcmp(text_at(item, "type"), "function_call") != 0)
        return;
    m->n_calls++;
    m->o.events->called(text_at(item, "call_id"), text_at(item, "name"), text_at(item, "arguments"),
                        m->o.arg);
}

static void complain(struct talk_model *m, const json_t *error)
{
    const char *why = text_at(error, "message");

    m->o.events->complained(*why ? why : "an error without a message", m->o.arg);
}

static void on_done(struct talk_model *m, const json_t *event)
{
    const json_t *response = json_object_get(event, "response");

    m->active = false;
    if (strcmp(text_at(response, "status"), "failed") == 0)
        complain(m, json_object_get(json_object_get(response, "status_details"), "error"));
    if (m->wants_response)
        respond(m);
    if (talk_model_idle(m))
        m->o.events->settled(m->o.arg);
}

static void on_error(struct talk_model *m, const json_t *event)
{
    complain(m, json_object_get(event, "error"));
}

static const struct {
    const char *type;
    void (*on)(struct talk_model *m, const json_t *event);
} handlers[] = {
    {"session.created", on_created},
    {"session.updated", on_updated},
    {"response.output_text.done", on_words},
    {"response.output_item.done", on_item},
    {"response.done", on_done},
    {"error", on_error},
};

static void on_text(struct ws *w, char *msg, size_t n, void *arg)
{
    struct talk_model *m = arg;
    json_t *event = json_loadb(msg, n, 0, NULL);

    (void)w;
    for (size_t i = 0; !m->closed && i < sizeof(handlers) / sizeof(handlers[0]); i++)
        if (strcmp(text_at(event, "type"), handlers[i].type) == 0)
            handlers[i].on(m, event);
    json_decref(event);
}

/* --- the connection --- */

static void model_free(struct talk_model *m)
{
    json_decref(m->configured);
    json_decref(m->waiting);
    free(m);
}

static void on_closed(struct ws *w, const struct ws_closed *c, void *arg)
{
    struct talk_model *m = arg;
    char why[WHY_MAX];

    (void)w;
    m->ws = NULL;
    if (m->closed) {
        model_free(m);
        return;
    }
    (void)snprintf(
        why, sizeof(why), "%s%.*s%s(%d)",
        c->why == WS_END_REFUSED ? "refused: " : "the connection broke: ", (int)c->reason.n,
        c->reason.n ? c->reason.p : "", c->err ? rd_strerror(c->err) : "", c->code);
    m->o.events->over(why, m->o.arg);
}

static int connect_to(struct talk_model *m)
{
    static const struct ws_handlers events = {.text = on_text, .closed = on_closed};
    char url[URL_MAX], key[KEY_MAX];
    const char *const header[] = {key, NULL};
    struct ws_connect_opts o = {.loop = m->o.loop,
                                .url = url,
                                .header = header,
                                .tls = m->o.tls,
                                .handlers = &events,
                                .arg = m};

    if (snprintf(url, sizeof(url), "%s?model=%s", m->o.url, m->o.model) >= URL_MAX ||
        snprintf(key, sizeof(key), "Authorization: Bearer %s", m->o.key) >= KEY_MAX)
        return RD_ETOOBIG;
    return ws_connect(&m->ws, &o);
}

int talk_model_open(struct talk_model **out, const struct talk_model_opts *o, const struct brief *b)
{
    struct talk_model *m = calloc(1, sizeof(*m));
    int rc;

    if (!m)
        return -ENOMEM;
    m->o = *o;
    m->waiting = json_array();
    m->configured = configuration(b);
    rc = m->waiting && m->configured ? connect_to(m) : -ENOMEM;
    if (rc) {
        model_free(m);
        return rc;
    }
    if (b->opening[0])
        talk_model_spoke(m, b->opening);
    else
        respond(m);
    *out = m;
    return 0;
}

void talk_model_close(struct talk_model *m)
{
    if (!m)
        return;
    m->closed = true;
    if (m->ws)
        ws_close(m->ws, 1000, "");
    else
        model_free(m);
}
