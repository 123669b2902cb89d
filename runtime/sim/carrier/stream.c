/* SPDX-License-Identifier: Apache-2.0 */
/* A Media Streams connection, seen from the telephone network.
 *
 * Happy path: signed upgrade, connected, start, then frames, digits and marks; at the end stop and
 * a close frame, or the other side's close frame.
 *
 *   CONNECTING --101--> OPEN --our end--> LEAVING --closed--> freed
 *        \_______________\___ closed by the peer ____________^
 *
 * Failure modes: the upgrade is refused (31920), the connection breaks (31921), the peer breaks the
 * WebSocket protocol (31924) or sends a binary frame (31950): on_closed with that code. A message
 * that is not as Twilio wants it is told by on_refused and dropped. The object outlives its owner's
 * interest until the socket is closed.
 */
#include "sim/carrier/stream.h"

#include "io/ws.h"
#include "sim/carrier/form.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MESSAGE_MAX = 16384, INCOMING_MAX = 4 << 20, OUTPUT_MAX = 4 << 20, UPGRADE_MS = 10000 };

struct carrier_stream {
    struct ws *ws;
    struct carrier_stream_events events;
    void *arg;
    const struct twiml_action *action; /* borrows, while `owned` */
    struct carrier_stream_ids ids;     /* borrows, while `owned` */
    bool owned;                        /* somebody listens to the events */
    bool open;
    struct buf out;
    uint32_t frames;
};

static void send_out(struct carrier_stream *s, int rc)
{
    if (rc == 0)
        ws_send(s->ws, s->out.data, s->out.n);
}

static void on_ws_open(struct ws *w, void *arg)
{
    struct carrier_stream *s = arg;

    (void)w;
    if (!s->owned)
        return;
    s->open = true;
    send_out(s, carrier_write_connected(&s->out));
    send_out(s, carrier_write_start(&s->out, &s->ids, s->action));
    s->events.on_open(s->arg);
}

static void on_ws_text(struct ws *w, char *msg, size_t n, void *arg)
{
    struct carrier_stream *s = arg;
    struct carrier_message m;
    char why[200];
    int code;

    (void)w;
    if (!s->owned)
        return;
    code = carrier_message_read(&m, msg, n, s->ids.stream_sid, why, sizeof(why));
    if (code) {
        s->events.on_refused(code, why, s->arg);
        return;
    }
    s->events.on_message(&m, s->arg);
    carrier_message_fini(&m);
}

static int closed_code(const struct carrier_stream *s, const struct ws_closed *c, char *why,
                       size_t cap)
{
    switch (c->why) {
    case WS_END_REFUSED:
        snprintf(why, cap, "the upgrade was answered with %d", c->code);
        return TWILIO_STREAM_REFUSED;
    case WS_END_PROTOCOL:
        snprintf(why, cap, "the stream broke the WebSocket protocol (%d)", c->code);
        return c->code == 1003 ? TWILIO_BINARY : TWILIO_STREAM_PROTOCOL;
    case WS_END_LOST:
    case WS_END_OVERFLOW:
        snprintf(why, cap, "%s", s->open ? "the connection broke" : "no connection");
        return s->open ? TWILIO_STREAM_LOST : TWILIO_STREAM_REFUSED;
    default:
        snprintf(why, cap, "closed with %d", c->code);
        return 0;
    }
}

static void on_ws_closed(struct ws *w, const struct ws_closed *c, void *arg)
{
    struct carrier_stream *s = arg;
    char why[120];
    int code = closed_code(s, c, why, sizeof(why));

    (void)w;
    if (s->owned)
        s->events.on_closed(code, why, s->arg);
    buf_fini(&s->out);
    free(s);
}

static const struct ws_handlers handlers = {
    .open = on_ws_open, .text = on_ws_text, .closed = on_ws_closed};

int carrier_stream_open(struct carrier_stream **out, const struct carrier_stream_opts *o)
{
    struct carrier_stream *s = calloc(1, sizeof(*s));
    char signature[CARRIER_SIGNATURE_BYTES], header[80];
    const char *const headers[] = {header, NULL};
    struct ws_connect_opts connect = {.loop = o->loop,
                                      .url = o->url,
                                      .header = headers,
                                      .tls = o->tls,
                                      .timeout_ms = UPGRADE_MS,
                                      .max_message = INCOMING_MAX,
                                      .max_output = OUTPUT_MAX,
                                      .handlers = &handlers,
                                      .arg = s};
    int rc;

    if (!s)
        return -ENOMEM;
    buf_init(&s->out, MESSAGE_MAX);
    s->events = *o->events;
    s->arg = o->arg;
    s->action = o->action;
    s->ids = (struct carrier_stream_ids){o->account_sid, o->call_sid, o->stream_sid, 0, 0};
    s->owned = true;
    rc = carrier_sign(signature, o->token, o->action->url, NULL);
    snprintf(header, sizeof(header), "X-Twilio-Signature: %s", rc ? "" : signature);
    if (rc == 0)
        rc = ws_connect(&s->ws, &connect);
    if (rc) {
        buf_fini(&s->out);
        free(s);
        return rc;
    }
    *out = s;
    return 0;
}

void carrier_stream_audio(struct carrier_stream *s, const uint8_t *ulaw, size_t n)
{
    if (!s->open)
        return;
    send_out(s, carrier_write_media(&s->out, &s->ids, (uint64_t)s->frames * 20, ulaw, n));
    s->frames++;
}

void carrier_stream_digit(struct carrier_stream *s, char digit)
{
    if (s->open)
        send_out(s, carrier_write_dtmf(&s->out, &s->ids, digit));
}

void carrier_stream_mark(struct carrier_stream *s, const char *name)
{
    if (s->open)
        send_out(s, carrier_write_mark(&s->out, &s->ids, name));
}

uint32_t carrier_stream_frames(const struct carrier_stream *s)
{
    return s->frames;
}

void carrier_stream_break(struct carrier_stream *s)
{
    s->owned = false;
    s->open = false;
    ws_drop(s->ws);
}

void carrier_stream_end(struct carrier_stream *s)
{
    s->owned = false;
    if (s->open) {
        send_out(s, carrier_write_stop(&s->out, &s->ids));
        ws_close(s->ws, 1000, "");
    } else {
        ws_drop(s->ws);
    }
    s->open = false;
}
