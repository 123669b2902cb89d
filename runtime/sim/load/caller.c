/* SPDX-License-Identifier: Apache-2.0 */
/* caller.c - the telephone side of one call: webhook, stream, a stamped frame every 20 ms, a
 * playout clock that returns marks when their audio would have been heard.
 *
 * Failure modes: any answer but TwiML with a stream, a refused upgrade: failed; a stream that ends
 * before we end it: dropped. */
#include "base/err.h"
#include "io/tls.h"
#include "sim/carrier/form.h"
#include "sim/load/private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void load_call_over(struct load_call *c)
{
    struct load *l = c->load;

    if (c->over)
        return;
    c->over = true;
    if (c->model)
        ws_close(c->model, 1000, "");
    if (c->unruly)
        return;
    l->n_over++;
    if (c->up)
        l->n_up--;
    if (!c->up)
        l->report.failed++;
    else if (!l->silent)
        l->report.dropped++;
}

static void came_up(struct load_call *c)
{
    c->up = true;
    if (c->unruly)
        return;
    c->load->n_up++;
    c->load->report.established++;
    load_observe(&c->load->report.setup, clock_us(loop_clock()) - c->asked_us);
}

/* --- the stream --- */

static void send_text(struct load_call *c, const char *text)
{
    (void)ws_send(c->carrier, text, strlen(text));
}

static void on_open(struct ws *w, void *arg)
{
    struct load_call *c = arg;
    char start[768];

    (void)w;
    came_up(c);
    send_text(c, "{\"event\":\"connected\",\"protocol\":\"Call\",\"version\":\"1.0.0\"}");
    (void)snprintf(
        start, sizeof(start),
        "{\"event\":\"start\",\"sequenceNumber\":\"1\",\"streamSid\":\"MZ%032u\",\"start\":{"
        "\"accountSid\":\"%s\",\"streamSid\":\"MZ%032u\",\"callSid\":\"%s\",\"tracks\":["
        "\"inbound\"],"
        "\"mediaFormat\":{\"encoding\":\"audio/x-mulaw\",\"sampleRate\":8000,\"channels\":1},"
        "\"customParameters\":{}}}",
        c->number, c->load->o.account, c->number, c->sid);
    send_text(c, start);
    c->next_frame_us = clock_us(loop_clock()) + (c->number * 7919u % 20) * 1000;
}

static void send_frame(struct load_call *c, uint64_t now_us)
{
    char head[192], sound[LOAD_FRAME_CHARS + 1];
    struct iovec iov[3];
    int n;

    memset(sound, '/', LOAD_FRAME_CHARS);
    memcpy(sound + LOAD_FRAME_CHARS - 3, "w==", 4);
    load_stamp(sound, c->number, now_us);
    n = snprintf(
        head, sizeof(head),
        "{\"event\":\"media\",\"sequenceNumber\":\"%u\",\"streamSid\":\"MZ%032u\",\"media\":{"
        "\"track\":\"inbound\",\"chunk\":\"%u\",\"timestamp\":\"%u\",\"payload\":\"",
        c->chunk + 2, c->number, c->chunk + 1, c->chunk * 20);
    c->chunk++;
    iov[0] = (struct iovec){head, (size_t)n};
    iov[1] = (struct iovec){sound, LOAD_FRAME_CHARS};
    iov[2] = (struct iovec){"\"}}", 3};
    if (ws_sendv(c->carrier, iov, 3))
        return;
    c->bytes_sent += LOAD_FRAME_BYTES;
    c->load->report.frames_sent += !c->unruly;
}

static void echo_mark(struct load_call *c)
{
    char text[256];

    (void)snprintf(text, sizeof(text),
                   "{\"event\":\"mark\",\"sequenceNumber\":\"%u\",\"streamSid\":\"MZ%032u\","
                   "\"mark\":{\"name\":\"%s\"}}",
                   c->chunk + 2, c->number, c->marks[c->first_mark].name);
    c->first_mark = (c->first_mark + 1) % LOAD_MARKS;
    c->n_marks--;
    send_text(c, text);
}

static void on_media(struct load_call *c, const char *payload, uint64_t now_us)
{
    size_t chars = strcspn(payload, "\"");
    uint64_t at_us;
    uint32_t call;

    if (c->play_until_us < now_us)
        c->play_until_us = now_us;
    c->play_until_us += chars / 4 * 3 * 125; /* 8 bytes are 1 ms */
    if (!c->unruly && chars >= LOAD_STAMP_CHARS && load_read_stamp(payload, &call, &at_us)) {
        load_observe(&c->load->report.down, now_us - at_us);
        c->load->report.deltas_arrived++;
    }
}

static void on_mark(struct load_call *c, const char *name)
{
    size_t n = strcspn(name, "\"");
    uint32_t i = (c->first_mark + c->n_marks) % LOAD_MARKS;

    if (c->n_marks == LOAD_MARKS || n >= sizeof(c->marks[i].name))
        return;
    memcpy(c->marks[i].name, name, n);
    c->marks[i].name[n] = '\0';
    c->marks[i].due_us = c->play_until_us;
    c->n_marks++;
}

static void on_clear(struct load_call *c, uint64_t now_us)
{
    if (c->speech_us && !c->unruly)
        load_observe(&c->load->report.clear, now_us - c->speech_us);
    c->speech_us = 0;
    c->play_until_us = now_us;
    while (c->n_marks > 0)
        echo_mark(c);
}

/* The node's messages come in three shapes, each with its event first. */
static void on_text(struct ws *w, char *msg, size_t n, void *arg)
{
    uint64_t now_us = clock_us(loop_clock());
    struct load_call *c = arg;
    const char *p;

    (void)w;
    if (n == 0)
        return;
    msg[n - 1] = '\0';
    if ((p = strstr(msg, "\"payload\":\"")))
        on_media(c, p + 11, now_us);
    else if ((p = strstr(msg, "\"name\":\"")))
        on_mark(c, p + 8);
    else if (strstr(msg, "\"clear\""))
        on_clear(c, now_us);
}

static void on_closed(struct ws *w, const struct ws_closed *why, void *arg)
{
    struct load_call *c = arg;

    (void)w;
    (void)why;
    c->carrier = NULL;
    load_call_over(c);
}

static const struct ws_handlers handlers = {.open = on_open, .text = on_text, .closed = on_closed};

static int open_stream(struct load_call *c, const char *url)
{
    char signature[CARRIER_SIGNATURE_BYTES], header[80];
    const char *const headers[] = {header, NULL};
    struct ws_connect_opts o = {.loop = c->load->o.loop,
                                .url = url,
                                .header = headers,
                                .tls = c->load->o.tls,
                                .handlers = &handlers,
                                .arg = c};
    int rc = carrier_sign(signature, c->load->o.token, url, NULL);

    if (rc)
        return rc;
    (void)snprintf(header, sizeof(header), "X-Twilio-Signature: %s", signature);
    return ws_connect(&c->carrier, &o);
}

/* --- the webhook --- */

static void on_twiml(const struct http_result *r, void *arg)
{
    static const char wanted[] = "<Stream url=\"";
    struct load_call *c = arg;
    char *text = r->err ? NULL : strndup(r->body.p, r->body.n);
    char *url = text ? strstr(text, wanted) : NULL;

    c->request = NULL;
    if (url) {
        url += sizeof(wanted) - 1;
        url[strcspn(url, "\"")] = '\0';
    }
    if (!url || open_stream(c, url))
        load_call_over(c);
    free(text);
}

static int post(struct load_call *c, const struct carrier_form *f)
{
    char url[512], signature[CARRIER_SIGNATURE_BYTES], header[80];
    const char *const headers[] = {header, "Content-Type: application/x-www-form-urlencoded", NULL};
    struct http_call_opts o = {.method = "POST", .url = url, .header = headers};
    struct buf body;
    int rc;

    (void)snprintf(url, sizeof(url), "%s/twilio/voice", c->load->o.node_url);
    buf_init(&body, 8192);
    rc = carrier_form_write(f, &body);
    if (!rc)
        rc = carrier_sign(signature, c->load->o.token, url, f);
    if (!rc) {
        (void)snprintf(header, sizeof(header), "X-Twilio-Signature: %s", signature);
        o.body = (struct rd_str){body.data, body.n};
        rc = http_call_start(&c->request, c->load->http, &o, on_twiml, c);
    }
    buf_fini(&body);
    return rc;
}

int load_call_place(struct load_call *c)
{
    struct carrier_form f = {.n = 0};
    uint8_t random[16];
    int rc = random_bytes(random, sizeof(random));

    memcpy(c->sid, "CA", 2);
    for (size_t i = 0; i < sizeof(random); i++)
        (void)snprintf(c->sid + 2 + 2 * i, 3, "%02x", random[i]);
    c->asked_us = clock_us(loop_clock());
    if (!rc)
        rc = carrier_form_add(&f, "CallSid", c->sid);
    if (!rc)
        rc = carrier_form_add(&f, "AccountSid", c->load->o.account);
    if (!rc)
        rc = carrier_form_add(&f, "From", "+13125550142");
    if (!rc)
        rc = carrier_form_add(&f, "To", c->unruly ? c->unruly : c->load->o.to);
    if (!rc)
        rc = carrier_form_add(&f, "CallStatus", "ringing");
    if (!rc)
        rc = carrier_form_add(&f, "Direction", "inbound");
    if (!rc)
        rc = post(c, &f);
    carrier_form_fini(&f);
    return rc;
}

void load_call_tick(struct load_call *c, uint64_t now_us)
{
    if (!c->up || !c->carrier)
        return;
    while (!c->load->silent && now_us >= c->next_frame_us) {
        send_frame(c, clock_us(loop_clock()));
        c->next_frame_us += 20000;
    }
    while (c->n_marks > 0 && now_us >= c->marks[c->first_mark].due_us)
        echo_mark(c);
}

void load_call_hang_up(struct load_call *c)
{
    char stop[320];

    if (c->over || !c->carrier)
        return;
    (void)snprintf(
        stop, sizeof(stop),
        "{\"event\":\"stop\",\"sequenceNumber\":\"%u\",\"streamSid\":\"MZ%032u\",\"stop\":{"
        "\"accountSid\":\"%s\",\"callSid\":\"%s\"}}",
        c->chunk + 3, c->number, c->load->o.account, c->sid);
    send_text(c, stop);
    ws_close(c->carrier, 1000, "");
    load_call_over(c);
}
