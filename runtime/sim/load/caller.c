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

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    TEXT_MAX = 1024,
    NEAR = 320,  /* where the node's events say what they are */
    SETTLE = 25, /* visits */
    GONE = 10
};

void load_call_over(struct load_call *c)
{
    struct load *l = c->load;

    if (c->over)
        return;
    c->over = true;
    c->model = NULL; /* the node, or the relay, ends that connection */
    if (c->kind != LOAD_COUNTS)
        return;
    l->n_over++;
    if (c->up)
        l->report.now_up--;
    if (!c->up && l->silent_us)
        l->report.attempted--; /* the run ended before it could come up */
    else if (!c->up)
        l->report.failed++;
    else if (!l->silent_us && !c->quiet && !c->disturbed)
        l->report.dropped++;
}

/* --- frames --- */

static char *put_text(char *p, const char *text, size_t n)
{
    memcpy(p, text, n);
    return p + n;
}

static char *put_number(char *p, uint32_t v)
{
    char digits[10];
    int n = 0;

    do
        digits[n++] = (char)('0' + v % 10);
    while (v /= 10);
    while (n)
        *p++ = digits[--n];
    return p;
}

#define PUT(p, text) put_text(p, text, sizeof(text) - 1)

static void send_frame(struct load_call *c, uint64_t now_us)
{
    static char frame[WIRE_HEADER_MAX + TEXT_MAX];
    struct load_stamp stamp = {c->number, c->life, c->up_seq, now_us};
    char *begin = frame + WIRE_HEADER_MAX, *p;
    size_t head, n;

    p = PUT(begin, "{\"event\":\"media\",\"sequenceNumber\":\"");
    p = put_number(p, c->up_seq + 2);
    p = PUT(p, "\",\"streamSid\":\"MZ");
    p = put_text(p, c->sid + 2, 32);
    p = PUT(p, "\",\"media\":{\"track\":\"inbound\",\"chunk\":\"");
    p = put_number(p, c->up_seq + 1);
    p = PUT(p, "\",\"timestamp\":\"");
    p = put_number(p, c->up_seq * 20);
    p = PUT(p, "\",\"payload\":\"");
    load_stamp_write(p, &stamp);
    memset(p + LOAD_STAMP_CHARS, '/', LOAD_FRAME_CHARS - LOAD_STAMP_CHARS - 3);
    p = put_text(p + LOAD_FRAME_CHARS - 3, "w==\"}}", 6);
    n = (size_t)(p - begin);
    head = wire_ws_header(begin, n, 1, true);
    wire_send(c->carrier, begin - head, head + n);
    c->up_seq++;
    c->age++;
    c->bytes_sent += LOAD_FRAME_BYTES;
    c->load->report.frames_sent += c->kind == LOAD_COUNTS;
}

static void send_text(struct load_call *c, const char *text)
{
    wire_ws_send(c->carrier, text, strlen(text), true);
}

static void echo_mark(struct load_call *c)
{
    char text[256];

    (void)snprintf(text, sizeof(text),
                   "{\"event\":\"mark\",\"sequenceNumber\":\"%u\",\"streamSid\":\"MZ%s\","
                   "\"mark\":{\"name\":\"%s\"}}",
                   c->up_seq + 2, c->sid + 2, c->marks[c->first_mark].name);
    c->first_mark = (c->first_mark + 1) % LOAD_MARKS;
    c->n_marks--;
    send_text(c, text);
}

/* --- what the node says --- */

static void on_media(struct load_call *c, const char *payload, size_t n, uint64_t now_us)
{
    const char *end = memchr(payload, '"', n);
    size_t chars = end ? (size_t)(end - payload) : 0;
    struct load_stamp s;

    if (c->play_until_us < now_us)
        c->play_until_us = now_us;
    c->play_until_us += chars / 4 * 3 * 125; /* 8 bytes are 1 ms */
    if (c->kind != LOAD_COUNTS || c->disturbed || chars < LOAD_STAMP_CHARS ||
        !load_stamp_read(payload, &s) || s.call != c->number || s.life != c->life)
        return;
    if (!c->heard)
        load_observe(&c->load->report.first, now_us - c->asked_us);
    c->heard = true;
    if (s.seq > c->cut_seq)
        load_order_forgive(&c->down_order, c->cut_seq);
    load_order_see(&c->down_order, s.seq);
    if (c->load->measure_us && s.at_us >= c->load->measure_us)
        load_observe(&c->load->report.down, now_us - s.at_us);
}

static void on_mark(struct load_call *c, const char *name, size_t left)
{
    const char *end = memchr(name, '"', left);
    size_t n = end ? (size_t)(end - name) : sizeof(c->marks[0].name);
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
    if (c->speech_us && c->kind == LOAD_COUNTS && c->speech_us >= c->load->measure_us &&
        c->load->measure_us)
        load_observe(&c->load->report.clear, now_us - c->speech_us);
    c->speech_us = 0;
    c->play_until_us = now_us;
    while (c->n_marks > 0)
        echo_mark(c);
}

static const char *after(const char *p, size_t n, const char *what, size_t n_what)
{
    const char *at = memmem(p, n < NEAR ? n : NEAR, what, n_what);

    return at ? at + n_what : NULL;
}

#define AFTER(m, what) after((m)->p, (m)->n, what, sizeof(what) - 1)

/* A node's messages come in three shapes; through a relay the model's own come as they are. */
static void on_message(struct load_call *c, const struct wire_message *m)
{
    uint64_t now_us = monotonic_us();
    const char *p;

    if (m->op == 9) {
        wire_ws_pong(c->carrier, m, true);
    } else if (c->load->o.relay) {
        if ((p = AFTER(m, "\"delta\":\"")))
            on_media(c, p, m->n - (size_t)(p - m->p), now_us);
        else if (AFTER(m, "speech_started"))
            on_clear(c, now_us);
    } else if ((p = AFTER(m, "\"payload\":\""))) {
        on_media(c, p, m->n - (size_t)(p - m->p), now_us);
    } else if ((p = AFTER(m, "\"name\":\""))) {
        on_mark(c, p, m->n - (size_t)(p - m->p));
    } else if (AFTER(m, "\"clear\"")) {
        on_clear(c, now_us);
    }
}

/* --- the stream --- */

static void on_closed(struct wire_conn *w, void *arg)
{
    struct load_call *c = arg;

    (void)w;
    c->carrier = NULL;
    load_call_over(c);
}

static size_t on_stream(struct wire_conn *w, char *p, size_t n, void *arg)
{
    struct load_call *c = arg;
    struct wire_message m;
    size_t used = 0, size;

    while (c->carrier == w && (size = wire_ws_read(p + used, n - used, &m)) > 0) {
        used += size;
        on_message(c, &m);
    }
    return used;
}

static const struct wire_handlers stream = {.bytes = on_stream, .closed = on_closed};

static void came_up(struct load_call *c)
{
    char start[768];

    c->up = true;
    send_text(c, "{\"event\":\"connected\",\"protocol\":\"Call\",\"version\":\"1.0.0\"}");
    (void)snprintf(
        start, sizeof(start),
        "{\"event\":\"start\",\"sequenceNumber\":\"1\",\"streamSid\":\"MZ%s\",\"start\":{"
        "\"accountSid\":\"%s\",\"streamSid\":\"MZ%s\",\"callSid\":\"%s\",\"tracks\":["
        "\"inbound\"],"
        "\"mediaFormat\":{\"encoding\":\"audio/x-mulaw\",\"sampleRate\":8000,\"channels\":1},"
        "\"customParameters\":{}}}",
        c->sid + 2, c->load->o.account, c->sid + 2, c->sid);
    send_text(c, start);
    if (c->kind == LOAD_BEYOND)
        c->load->report.beyond_admitted++;
    if (c->kind != LOAD_COUNTS)
        return;
    c->load->report.now_up++;
    c->load->report.established++;
    load_observe(&c->load->report.setup, monotonic_us() - c->asked_us);
}

static size_t on_upgrade(struct wire_conn *w, char *p, size_t n, void *arg)
{
    size_t head = wire_head(p, n);
    struct load_call *c = arg;

    if (!head)
        return 0;
    if (memcmp(p, "HTTP/1.1 101", 12) != 0) {
        wire_close(w);
        on_closed(w, c);
        return n;
    }
    wire_handle(w, &stream, c);
    came_up(c);
    return head + on_stream(w, p + head, n - head, c);
}

static const struct wire_handlers upgrade = {.bytes = on_upgrade, .closed = on_closed};

static int dial(struct load_call *c, const char *host, const struct wire_handlers *h)
{
    struct sockaddr_in to = {.sin_family = AF_INET};
    char address[64];
    const char *port = strchr(host, ':');

    if (!port || (size_t)(port - host) >= sizeof(address))
        return RD_EPROTO;
    memcpy(address, host, (size_t)(port - host));
    address[port - host] = '\0';
    to.sin_port = htons((uint16_t)atoi(port + 1));
    if (inet_pton(AF_INET, address, &to.sin_addr) != 1)
        return RD_EPROTO;
    return wire_dial(&c->carrier, c->load->wire, &to, c->load->carrier_tls, h, c);
}

static int open_stream(struct load_call *c, const char *signature)
{
    char head[1024];
    int n, rc = dial(c, c->host, &upgrade);

    if (rc)
        return rc;
    n = snprintf(head, sizeof(head),
                 "GET %s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                 "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                 "X-Twilio-Signature: %s\r\n\r\n",
                 c->path, c->host, signature);
    wire_send(c->carrier, head, (size_t)n);
    return 0;
}

/* --- the webhook --- */

/* ws://HOST/PATH in the TwiML, or NULL. */
static int read_twiml(struct load_call *c, char *text)
{
    static const char wanted[] = "<Stream url=\"";
    char *url = strstr(text, wanted), *host, *path, signature[CARRIER_SIGNATURE_BYTES];
    int rc;

    if (!url)
        return RD_EPROTO;
    url += sizeof(wanted) - 1;
    url[strcspn(url, "\"")] = '\0';
    host = strstr(url, "://");
    path = host ? strchr(host + 3, '/') : NULL;
    if (!path || (size_t)(path - host - 3) >= sizeof(c->host) || strlen(path) >= sizeof(c->path))
        return RD_EPROTO;
    rc = carrier_sign(signature, c->load->o.token, url, NULL);
    if (rc)
        return rc;
    memcpy(c->path, path, strlen(path) + 1);
    memcpy(c->host, host + 3, (size_t)(path - host - 3));
    c->host[path - host - 3] = '\0';
    return open_stream(c, signature);
}

/* A document that tells the telephone network what the caller is to hear, and no stream. */
static bool is_apology(const char *answer)
{
    return strncmp(answer, "HTTP/1.1 200", 12) == 0 && strstr(answer, "<Response>") &&
           !strstr(answer, "<Stream");
}

static size_t on_twiml(struct wire_conn *w, char *p, size_t n, void *arg)
{
    size_t head = wire_head(p, n);
    struct load_call *c = arg;
    char *length, *text;

    if (!head)
        return 0;
    text = strndup(p, n);
    length = text ? strcasestr(text, "\r\nContent-Length:") : NULL;
    if (length && n < head + strtoul(length + 17, NULL, 10)) {
        free(text);
        return 0;
    }
    wire_close(w);
    c->carrier = NULL;
    if (text && c->kind == LOAD_BEYOND && is_apology(text))
        c->load->report.beyond_apologised++;
    if (!text || read_twiml(c, text + head))
        load_call_over(c);
    free(text);
    return n;
}

static const struct wire_handlers webhook = {.bytes = on_twiml, .closed = on_closed};

static int post(struct load_call *c, const struct carrier_form *f)
{
    char url[512], signature[CARRIER_SIGNATURE_BYTES], head[512];
    const char *host = strstr(c->load->o.node_url, "://") + 3;
    struct buf body;
    int n, rc;

    (void)snprintf(url, sizeof(url), "%s/twilio/voice", c->load->o.node_url);
    buf_init(&body, 8192);
    rc = carrier_form_write(f, &body);
    if (!rc)
        rc = carrier_sign(signature, c->load->o.token, url, f);
    if (!rc)
        rc = dial(c, host, &webhook);
    if (!rc) {
        n = snprintf(head, sizeof(head),
                     "POST /twilio/voice HTTP/1.1\r\nHost: %s\r\nX-Twilio-Signature: %s\r\n"
                     "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %zu\r\n"
                     "\r\n",
                     host, signature, body.n);
        wire_send(c->carrier, head, (size_t)n);
        wire_send(c->carrier, body.data, body.n);
    }
    buf_fini(&body);
    return rc;
}

int load_call_place(struct load_call *c)
{
    const char *fields[][2] = {{"CallSid", c->sid},       {"AccountSid", c->load->o.account},
                               {"From", "+13125550142"},  {"To", c->to},
                               {"CallStatus", "ringing"}, {"Direction", "inbound"}};
    struct carrier_form f = {.n = 0};
    uint8_t random[16];
    int rc = random_bytes(random, sizeof(random));

    memcpy(c->sid, "CA", 2);
    for (size_t i = 0; i < sizeof(random); i++)
        (void)snprintf(c->sid + 2 + 2 * i, 3, "%02x", random[i]);
    c->asked_us = monotonic_us();
    if (c->load->o.relay) {
        (void)snprintf(c->host, sizeof(c->host), "127.0.0.1:%u", c->load->o.relay);
        memcpy(c->path, "/", 2);
        return open_stream(c, "none");
    }
    for (size_t i = 0; !rc && i < sizeof(fields) / sizeof(fields[0]); i++)
        rc = carrier_form_add(&f, fields[i][0], fields[i][1]);
    if (!rc)
        rc = post(c, &f);
    carrier_form_fini(&f);
    return rc;
}

/* One end of the call is gone, without a word. */
static void lose_an_end(struct load_call *c)
{
    if (c->number % 2) {
        load_model_drop(c);
        return;
    }
    c->disturbed = true;
    c->load->report.vanished++;
    wire_close(c->carrier);
    c->carrier = NULL;
    load_call_over(c);
}

static void echo_due(struct load_call *c, uint64_t now_us)
{
    while (c->n_marks > 0 && now_us >= c->marks[c->first_mark].due_us)
        echo_mark(c);
}

/* Over, and some time ago. */
static bool is_gone(struct load_call *c)
{
    return c->over && c->kind == LOAD_COUNTS && !c->load->silent_us &&
           (c->load->o.duration_s || c->load->o.drops) && ++c->gone >= GONE;
}

void load_call_visit(struct load_call *c, uint64_t now_us)
{
    if (is_gone(c)) {
        load_call_renew(c);
        return;
    }
    if (!c->up || !c->carrier)
        return;
    echo_due(c, now_us);
    if (c->load->silent_us)
        return;
    if (c->quiet) { /* what is under way may arrive */
        if (++c->quiet > SETTLE)
            load_call_hang_up(c);
        return;
    }
    send_frame(c, now_us);
    if (c->end_age && c->age >= c->end_age)
        c->quiet = 1;
    else if (c->drop_age && c->age == c->drop_age)
        lose_an_end(c);
}

void load_call_hang_up(struct load_call *c)
{
    char stop[320];

    if (c->over || !c->carrier)
        return;
    if (c->up) {
        (void)snprintf(
            stop, sizeof(stop),
            "{\"event\":\"stop\",\"sequenceNumber\":\"%u\",\"streamSid\":\"MZ%s\",\"stop\":{"
            "\"accountSid\":\"%s\",\"callSid\":\"%s\"}}",
            c->up_seq + 3, c->sid + 2, c->load->o.account, c->sid);
        send_text(c, stop);
    }
    wire_close(c->carrier);
    c->carrier = NULL;
    load_call_over(c);
}
