/* SPDX-License-Identifier: Apache-2.0 */
/* line.c - the sockets of a call.
 *
 *   /<id>/transport   Twilio's Media Streams for a call that Twilio brings: JSON, µ-law in base64, marks, clear;
 *                     for a call over WebSocket: µ-law as binary messages, JSON as text
 *   /<id>/listen      monitor.listenUrl: both voices as 16-bit PCM at 8 kHz, and nothing is listened to
 *
 * Happy path: the socket opens, the assistant joins, audio goes both ways, one side ends.
 *
 * Failure modes: no such call, or one that is over: 404; a key that is wrong, or missing where the assistant
 * asks for one: 401; a second transport of the same call: 409; text that is no JSON: 1003; the socket breaks:
 * the call is over. */
#include "sim/vapi/check.h"
#include "sim/vapi/double.h"
#include "sim/vapi/private.h"

#include <stdlib.h>
#include <string.h>

enum { OUTPUT_MAX = 8 << 20, MESSAGE_MAX = 1 << 20, TEXT_MAX = 4096, FRAME = 160 };

enum line_kind { LINE_TWILIO, LINE_SOCKET, LINE_LISTENER };

struct vapi_line {
    struct vapi_call *c; /* borrows; NULL: of no interest any more */
    struct ws *ws;
    enum line_kind kind;
    char stream_sid[64];
};

/* ---- out ---- */

static void send_json(struct vapi_line *l, json_t *message)
{
    char *text = message ? json_dumps(message, JSON_COMPACT) : NULL;

    if (text)
        ws_send(l->ws, text, strlen(text));
    free(text);
    json_decref(message);
}

static void send_media(struct vapi_line *l, const uint8_t *ulaw, size_t n)
{
    char payload[FRAME * 2];

    for (size_t at = 0; at < n; at += FRAME) {
        size_t part = n - at < FRAME ? n - at : FRAME;
        size_t length = sim_base64_encode(payload, ulaw + at, part);
        send_json(l, json_pack("{s:s, s:s, s:{s:s%}}", "event", "media", "streamSid", l->stream_sid,
                               "media", "payload", payload, length));
    }
}

static void send_pcm(struct vapi_line *l, const uint8_t *ulaw, size_t n)
{
    uint8_t pcm[2 * FRAME];

    for (size_t at = 0; at < n;) {
        size_t k = 0;
        for (; k < FRAME && at < n; k++, at++) {
            uint16_t sample = (uint16_t)sim_ulaw_decode(ulaw[at]);
            pcm[2 * k] = (uint8_t)sample;
            pcm[2 * k + 1] = (uint8_t)(sample >> 8);
        }
        ws_send_binary(l->ws, pcm, 2 * k);
    }
}

void vapi_line_audio(struct vapi_call *c, const uint8_t *ulaw, size_t n, bool assistant)
{
    if (c->listener)
        send_pcm(c->listener, ulaw, n);
    if (!c->line || !assistant)
        return;
    if (c->line->kind == LINE_TWILIO)
        send_media(c->line, ulaw, n);
    else
        ws_send_binary(c->line->ws, ulaw, n);
}

void vapi_line_clear(struct vapi_call *c)
{
    if (c->line && c->line->kind == LINE_TWILIO)
        send_json(c->line,
                  json_pack("{s:s, s:s}", "event", "clear", "streamSid", c->line->stream_sid));
}

bool vapi_line_has_client(const struct vapi_call *c)
{
    return c->line && c->line->kind == LINE_SOCKET;
}

void vapi_line_tell(struct vapi_call *c, const char *type, const json_t *fields)
{
    json_t *message;

    if (!vapi_line_has_client(c) || !vapi_is_for_client(c, type))
        return;
    message = json_pack("{s:s}", "type", type);
    json_object_update(message, (json_t *)fields);
    vapi_note(c->d, "told", json_pack("{s:s, s:O}", "call", c->id, "message", message));
    send_json(c->line, message);
}

static void let_go(struct vapi_line **at, bool politely)
{
    struct vapi_line *l = *at;

    *at = NULL;
    if (!l)
        return;
    l->c = NULL;
    if (politely)
        ws_close(l->ws, 1000, "");
    else
        ws_drop(l->ws);
}

void vapi_line_close(struct vapi_call *c)
{
    let_go(&c->line, true);
    let_go(&c->listener, true);
}

void vapi_line_drop(struct vapi_call *c)
{
    let_go(&c->line, false);
    let_go(&c->listener, false);
}

/* ---- in ---- */

static void hear_media(struct vapi_line *l, const json_t *message)
{
    uint8_t audio[TEXT_MAX];
    const json_t *payload = json_object_get(json_object_get(message, "media"), "payload");
    size_t n = json_string_length(payload);
    ssize_t got = n < sizeof(audio) ? sim_base64_decode(audio, json_string_value(payload), n) : -1;

    if (got > 0)
        vapi_voice_hear(l->c, audio, (size_t)got);
}

static void on_twilio(struct vapi_line *l, const json_t *message)
{
    const char *event = vapi_text(message, "event");

    if (strcmp(event, "media") == 0) {
        hear_media(l, message);
    } else if (strcmp(event, "start") == 0) {
        (void)rd_str_copy(l->stream_sid, sizeof(l->stream_sid),
                          rd_str(vapi_text(message, "streamSid")));
        vapi_voice_start(l->c);
    } else if (strcmp(event, "stop") == 0) {
        vapi_call_end(l->c, l->c->started_ms ? "customer-ended-call" : "assistant-join-timed-out");
    }
}

static void on_text(struct ws *w, char *msg, size_t n, void *arg)
{
    struct vapi_line *l = arg;
    json_t *message = l->c ? json_loadb(msg, n, 0, NULL) : NULL;

    if (!l->c || l->kind == LINE_LISTENER) {
        json_decref(message);
        return;
    }
    if (!json_is_object(message)) {
        ws_close(w, 1003, "text messages are JSON objects");
    } else if (l->kind == LINE_TWILIO) {
        on_twilio(l, message);
    } else {
        json_t *complaints = json_array();
        vapi_order(l->c, message, complaints);
        json_decref(complaints);
    }
    json_decref(message);
}

static void on_binary(struct ws *w, char *msg, size_t n, void *arg)
{
    struct vapi_line *l = arg;

    if (l->c && l->kind == LINE_SOCKET)
        vapi_voice_hear(l->c, (const uint8_t *)msg, n);
    else if (l->c && l->kind == LINE_TWILIO)
        ws_close(w, 1003, "");
}

static void on_open(struct ws *w, void *arg)
{
    struct vapi_line *l = arg;

    l->ws = w;
    if (!l->c)
        return;
    vapi_note(l->c->d, "line.open", json_pack("{s:s, s:i}", "call", l->c->id, "kind", l->kind));
    if (l->kind == LINE_LISTENER)
        l->c->listener = l;
    else
        l->c->line = l;
    if (l->kind == LINE_SOCKET)
        vapi_voice_start(l->c);
}

static void on_closed(struct ws *w, const struct ws_closed *closed, void *arg)
{
    struct vapi_line *l = arg;
    struct vapi_call *c = l->c;

    (void)w;
    if (c && c->listener == l) {
        c->listener = NULL;
    } else if (c && c->line == l) {
        c->line = NULL;
        vapi_note(c->d, "line.closed",
                  json_pack("{s:s, s:i}", "call", c->id, "code", closed->code));
        vapi_call_end(c, !c->started_ms               ? "assistant-join-timed-out"
                         : closed->why == WS_END_PEER ? "customer-ended-call"
                                                      : "phone-call-provider-closed-websocket");
    }
    free(l);
}

static const struct ws_handlers line_events = {
    .open = on_open, .text = on_text, .closed = on_closed, .binary = on_binary};

/* ---- upgrades ---- */

static bool asks_for_key(const struct vapi_call *c)
{
    const json_t *plan = json_object_get(c->assistant, "monitorPlan");

    return json_is_true(json_object_get(plan, "listenAuthenticationEnabled"));
}

static int check(const struct vapi_call *c, const struct http_request *r, enum line_kind kind)
{
    bool has_key = http_header(r, "authorization").p != NULL;

    if (!vapi_call_live(c))
        return 404;
    if (kind == LINE_LISTENER)
        return c->listener                                                  ? 409
               : asks_for_key(c) && !vapi_is_key(r, VAPI_DOUBLE_PUBLIC_KEY) ? 401
                                                                            : 0;
    if (c->line)
        return 409;
    return kind == LINE_SOCKET && has_key && !vapi_is_key(r, VAPI_DOUBLE_KEY) ? 401 : 0;
}

int vapi_upgrade(struct vapi_double *d, struct http_request *r, struct ws_accept *accept)
{
    char path[80] = "";
    struct vapi_call *c = NULL;
    struct vapi_line *l;
    enum line_kind kind;
    int status;

    if (rd_str_copy(path, sizeof(path), http_path(r)) && strlen(path) > VAPI_ID &&
        path[VAPI_ID] == '/') {
        path[VAPI_ID] = '\0';
        c = vapi_is_uuid(path + 1) ? vapi_call_find(d, path + 1) : NULL;
    }
    if (!c ||
        (strcmp(path + VAPI_ID + 1, "transport") != 0 && strcmp(path + VAPI_ID + 1, "listen") != 0))
        return 404;
    kind = path[VAPI_ID + 1] == 'l'                     ? LINE_LISTENER
           : strcmp(c->type, "vapi.websocketCall") == 0 ? LINE_SOCKET
                                                        : LINE_TWILIO;
    status = check(c, r, kind);
    l = status ? NULL : calloc(1, sizeof(*l));
    if (!l)
        return status ? status : 503;
    l->c = c;
    l->kind = kind;
    *accept = (struct ws_accept){
        .handlers = &line_events, .arg = l, .max_message = MESSAGE_MAX, .max_output = OUTPUT_MAX};
    return 0;
}
