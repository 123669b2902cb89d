/* SPDX-License-Identifier: Apache-2.0 */
/* stream.c - Twilio Media Streams on one WebSocket.
 *
 *   WAITING --upgrade--> OPEN --connected--> CONNECTED --start--> LIVE --stop, close(), error-->
 * CLOSING
 *
 *   in:  a frame is walked in place (frame.c), or held against the one before it (alike.c); a media
 *        payload goes up as the base64 it came as
 *   out: every frame is two or three pieces: text prepared at `start`, the payload or the mark's
 *        numbers, and the closing braces. Twilio drops frames with a field too many, so there is
 * none
 *
 *   - not JSON, unknown, out of order, of another stream: counted, ignored
 *   - a payload that is not base64: counted, dropped; the call core sees a gap and fills it
 *   - start without connected, twice, late, or with a format other than µ-law 8000 mono:
 * LEG_PROTOCOL
 *   - a frame above 64 KiB: the WebSocket ends, LEG_PROTOCOL; the socket is lost: LEG_LOST
 *   - output that the peer does not take for ten seconds: LEG_LOST, so that it may come again
 *   - an echo of a mark whose name is not ours: counted, dropped
 *
 * Nothing here allocates or logs per frame. After on_end the leg stays, mute, until its socket is
 * closed; then it frees itself. */
#include "carriers/twilio/stream.h"

#include "base/err.h"
#include "base/json.h"
#include "carriers/twilio/alike.h"
#include "carriers/twilio/frame.h"
#include "observe/metrics.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    MAX_MESSAGE = 64 * 1024,
    MAX_OUTPUT = 2 * 1024 * 1024, /* two minutes of audio that Twilio has not yet taken */
    MAX_PAYLOAD = 60000,          /* characters per frame out; a multiple of 4 */
    START_TIMEOUT_MS = 5000,
    MAX_WAIT_MS = 10000, /* Twilio takes what we send at once, and plays it in its time */
    FRAME_HEAD_BYTES = 160,
    WS_NORMAL = 1000,
    TOO_BIG = 1009,
    WS_POLICY = 1008
};

enum stream_state { WAITING, OPEN, CONNECTED, LIVE, CLOSING };

#define IN(state) (1u << (state))

/* Text that is the same for every frame of a stream, prepared at `start`. */
struct head {
    char text[FRAME_HEAD_BYTES];
    size_t n;
};

struct carrier_leg {
    enum stream_state state;
    const struct carrier_events *events; /* borrows; NULL once on_end was told */
    void *arg;
    struct ws *ws;                  /* borrows; NULL before open */
    struct loop_timer *start_timer; /* owns */
    char stream_sid[TWILIO_SID_BYTES];
    char call_sid[TWILIO_SID_BYTES];
    struct head media, mark, clear;
    struct twilio_alike alike; /* what the caller's last frame looked like */
    uint64_t next_sequence;
    uint32_t generation; /* of the last mark sent */
    bool marked;
    struct twilio_counts counts;
};

static const char frame_tail[] = "\"}}";

/* Ending ----------------------------------------------------------------------------------------
 */

static void tell_end(struct carrier_leg *leg, enum leg_end why)
{
    const struct carrier_events *ev = leg->events;

    leg->state = CLOSING;
    leg->events = NULL;
    loop_timer_stop(leg->start_timer);
    if (ev && ev->on_end)
        ev->on_end(leg->arg, why);
}

static void break_off(struct carrier_leg *leg, const char *reason)
{
    metric_add(M_STREAM_PROTOCOL, 1);
    ws_close(leg->ws, WS_POLICY, reason);
    tell_end(leg, LEG_PROTOCOL);
}

static void on_start_timeout(void *arg)
{
    break_off(arg, "no start");
}

/* Messages in -----------------------------------------------------------------------------------
 */

static void on_connected(struct carrier_leg *leg, const struct twilio_frame *f)
{
    (void)f;
    leg->state = CONNECTED;
}

static void prepare(struct head *h, const char *event, const char *sid, const char *rest)
{
    int n = snprintf(h->text, sizeof(h->text), "{\"event\":\"%s\",\"streamSid\":\"%s\"%s", event,
                     sid, rest);

    h->n = (size_t)n; /* always fits: sids are shorter than TWILIO_SID_BYTES */
}

static void on_start(struct carrier_leg *leg, const struct twilio_frame *f)
{
    struct json_value call_sid = json_get(&f->body, "callSid");
    struct json_value stream_sid = json_get(&f->body, "streamSid");
    struct carrier_start start;

    if (!twilio_frame_sid(leg->call_sid, &call_sid) ||
        !twilio_frame_sid(leg->stream_sid, &stream_sid) ||
        !json_is(&f->stream_sid, leg->stream_sid)) {
        break_off(leg, "start without sids");
        return;
    }
    if (!twilio_frame_format_ok(&f->body)) {
        break_off(leg, "media format is not audio/x-mulaw 8000 1");
        return;
    }
    prepare(&leg->media, "media", leg->stream_sid, ",\"media\":{\"payload\":\"");
    prepare(&leg->mark, "mark", leg->stream_sid, ",\"mark\":{\"name\":\"");
    prepare(&leg->clear, "clear", leg->stream_sid, "}");
    loop_timer_stop(leg->start_timer);
    leg->state = LIVE;
    start.call_sid = rd_str(leg->call_sid);
    start.stream_sid = rd_str(leg->stream_sid);
    if (leg->events->on_start)
        leg->events->on_start(leg->arg, &start);
}

static void take_audio(struct carrier_leg *leg, const struct audio_span *span, uint32_t at_ms)
{
    leg->counts.frames_in++;
    if (leg->events->on_audio)
        leg->events->on_audio(leg->arg, span, at_ms);
}

/* The next frames will look like this one. */
static void learn(struct carrier_leg *leg, const struct twilio_frame *f,
                  const struct twilio_media *m)
{
    struct twilio_numbers numbers = {.at = {[ALIKE_SEQUENCE] = f->sequence.raw,
                                            [ALIKE_CHUNK] = m->chunk.raw,
                                            [ALIKE_TIMESTAMP] = m->timestamp.raw}};
    uint64_t n;

    if (!m->rewritten && json_u64(&f->sequence, &n) && json_u64(&m->chunk, &n))
        twilio_alike_learn(&leg->alike, f->text, &numbers,
                           (struct rd_str){m->span.b64, m->span.n_b64});
}

static void on_media(struct carrier_leg *leg, const struct twilio_frame *f)
{
    struct twilio_media m;
    int rc = twilio_frame_media(&m, &f->body);

    if (rc) {
        leg->counts.bad++;
        leg->counts.bad_payloads += rc == RD_EREFUSED;
        return;
    }
    learn(leg, f, &m);
    take_audio(leg, &m.span, m.at_ms);
}

static void on_mark(struct carrier_leg *leg, const struct twilio_frame *f)
{
    struct json_value name = json_get(&f->body, "name");
    struct carrier_mark m;

    if (name.type != JSON_STRING) {
        leg->counts.bad++;
        return;
    }
    if (name.escaped || !twilio_mark_read(&m, name.raw) || !leg->marked ||
        m.generation > leg->generation) {
        leg->counts.stale_marks++;
        return;
    }
    if (leg->events->on_mark)
        leg->events->on_mark(leg->arg, &m);
}

static void on_dtmf(struct carrier_leg *leg, const struct twilio_frame *f)
{
    char digit = twilio_frame_digit(&f->body);

    if (!digit) {
        leg->counts.bad++;
        return;
    }
    if (leg->events->on_dtmf)
        leg->events->on_dtmf(leg->arg, digit);
}

static void on_stop(struct carrier_leg *leg, const struct twilio_frame *f)
{
    (void)f;
    /* Twilio closes the socket next; our close frame only makes sure that it ends. */
    ws_close(leg->ws, WS_NORMAL, "stop");
    tell_end(leg, LEG_CLOSED_BY_PEER);
}

typedef void(on_message)(struct carrier_leg *leg, const struct twilio_frame *f);

static const struct handler {
    const char *event;
    unsigned states; /* where it may come */
    bool fatal;      /* anywhere else the stream is not what we think it is */
    bool has_body;
    on_message *fn;
} handlers[] = {
    {"media", IN(LIVE), false, true, on_media},
    {"mark", IN(LIVE), false, true, on_mark},
    {"dtmf", IN(LIVE), false, true, on_dtmf},
    {"stop", IN(LIVE), false, false, on_stop},
    {"start", IN(CONNECTED), true, true, on_start},
    {"connected", IN(OPEN), false, false, on_connected},
};

static const struct handler *find_handler(const struct json_value *event)
{
    for (size_t i = 0; i < sizeof(handlers) / sizeof(handlers[0]); i++)
        if (json_is(event, handlers[i].event))
            return &handlers[i];
    return NULL;
}

static void count_sequence(struct carrier_leg *leg, uint64_t n)
{
    if (leg->state == LIVE && n != leg->next_sequence)
        leg->counts.sequence_gaps++;
    leg->next_sequence = n + 1;
}

static void on_text(struct ws *w, char *msg, size_t n, void *arg)
{
    struct carrier_leg *leg = arg;
    const struct handler *h;
    struct audio_span span;
    struct twilio_frame f;
    uint64_t sequence;
    uint32_t at_ms;

    (void)w;
    if (leg->state == CLOSING)
        return;
    if (leg->state == LIVE &&
        twilio_alike_read(&leg->alike, (struct rd_str){msg, n}, &sequence, &at_ms, &span)) {
        count_sequence(leg, sequence);
        take_audio(leg, &span, at_ms);
        return;
    }
    if (!twilio_frame_read(&f, (struct rd_str){msg, n})) {
        leg->counts.bad++;
        return;
    }
    h = find_handler(&f.event);
    if (h && h->fatal && !(h->states & IN(leg->state))) {
        leg->counts.bad++;
        break_off(leg, "start out of order");
        return;
    }
    if (leg->state == LIVE && !json_is(&f.stream_sid, leg->stream_sid)) {
        leg->counts.bad++;
        return;
    }
    if (json_u64(&f.sequence, &sequence))
        count_sequence(leg, sequence);
    if (!h || !(h->states & IN(leg->state)) || (h->has_body && f.body.type != JSON_OBJECT)) {
        leg->counts.bad++;
        return;
    }
    h->fn(leg, &f);
}

/* The socket ------------------------------------------------------------------------------------
 */

static void on_open(struct ws *w, void *arg)
{
    struct carrier_leg *leg = arg;

    leg->ws = w;
    if (leg->state == CLOSING) { /* the call ended while the upgrade was being accepted */
        ws_close(w, WS_NORMAL, "");
        return;
    }
    leg->state = OPEN;
    loop_timer_in(leg->start_timer, START_TIMEOUT_MS);
}

static enum leg_end why_closed(enum ws_end why)
{
    switch (why) {
    case WS_END_US:
        return LEG_CLOSED_BY_US;
    case WS_END_PEER: /* a stream that is over says `stop` first */
        return LEG_LOST;
    case WS_END_PROTOCOL:
        return LEG_PROTOCOL;
    default:
        return LEG_LOST;
    }
}

/* Those that are the peer's fault, and no network's. */
static void count_end(const struct ws_closed *c)
{
    if (c->why == WS_END_OVERFLOW)
        metric_add(M_STREAM_STALLED, 1);
    else if (c->why == WS_END_PROTOCOL)
        metric_add(c->code == TOO_BIG ? M_STREAM_TOO_BIG : M_STREAM_PROTOCOL, 1);
}

static void leg_free(struct carrier_leg *leg)
{
    loop_timer_free(leg->start_timer);
    free(leg);
}

static void on_closed(struct ws *w, const struct ws_closed *c, void *arg)
{
    struct carrier_leg *leg = arg;

    (void)w;
    leg->ws = NULL;
    if (leg->state != CLOSING)
        count_end(c);
    tell_end(leg, leg->state == CLOSING ? LEG_CLOSED_BY_US : why_closed(c->why));
    leg_free(leg);
}

static const struct ws_handlers handlers_of_ws = {
    .open = on_open, .text = on_text, .closed = on_closed};

int twilio_stream_new(struct carrier_leg **out, struct loop *l, const struct carrier_events *ev,
                      void *arg)
{
    struct carrier_leg *leg = calloc(1, sizeof(*leg));
    int rc;

    if (!leg)
        return -ENOMEM;
    rc = loop_timer_new(&leg->start_timer, l, on_start_timeout, leg);
    if (rc)
        goto fail;
    leg->events = ev;
    leg->arg = arg;
    *out = leg;
    return 0;
fail:
    free(leg);
    return rc;
}

void twilio_stream_accept(struct carrier_leg *leg, struct ws_accept *accept)
{
    *accept = (struct ws_accept){.handlers = &handlers_of_ws,
                                 .arg = leg,
                                 .max_message = MAX_MESSAGE,
                                 .max_output = MAX_OUTPUT,
                                 .max_wait_ms = MAX_WAIT_MS};
}

void twilio_stream_free(struct carrier_leg *leg)
{
    if (!leg)
        return;
    leg->events = NULL;
    if (leg->ws)
        ws_drop(leg->ws); /* on_closed frees */
    else
        leg_free(leg);
}

void twilio_stream_set_events(struct carrier_leg *leg, const struct carrier_events *ev, void *arg)
{
    if (leg->state == CLOSING && !leg->events)
        return; /* on_end was told; nobody may hear from this leg again */
    leg->events = ev;
    leg->arg = arg;
}

struct twilio_counts twilio_stream_counts(const struct carrier_leg *leg)
{
    return leg->counts;
}

/* Messages out ----------------------------------------------------------------------------------
 */

static int send_framed(struct carrier_leg *leg, struct head *h, const char *middle, size_t n)
{
    struct iovec iov[] = {
        {h->text, h->n},
        {(char *)middle, n},
        {(char *)frame_tail, sizeof(frame_tail) - 1},
    };

    return ws_sendv(leg->ws, iov, 3);
}

/* One frame, or several for a span larger than what is safe in one. */
static int stream_audio(struct carrier_leg *leg, const struct audio_span *a)
{
    size_t done = 0;
    int rc = 0;

    if (leg->state != LIVE)
        return RD_ESTATE;
    while (done < a->n_b64 && !rc) {
        size_t n = a->n_b64 - done < MAX_PAYLOAD ? a->n_b64 - done : MAX_PAYLOAD;

        rc = send_framed(leg, &leg->media, a->b64 + done, n);
        done += n;
        if (!rc)
            leg->counts.frames_out++;
    }
    return rc;
}

static int stream_mark(struct carrier_leg *leg, const struct carrier_mark *m)
{
    char name[TWILIO_MARK_BYTES];

    if (leg->state != LIVE)
        return RD_ESTATE;
    if (!leg->marked || m->generation > leg->generation)
        leg->generation = m->generation;
    leg->marked = true;
    return send_framed(leg, &leg->mark, name, twilio_mark_print(name, m));
}

static int stream_clear(struct carrier_leg *leg)
{
    if (leg->state != LIVE)
        return RD_ESTATE;
    return ws_send(leg->ws, leg->clear.text, leg->clear.n);
}

static void stream_close(struct carrier_leg *leg)
{
    if (leg->state == CLOSING)
        return;
    leg->state = CLOSING;
    loop_timer_stop(leg->start_timer);
    if (leg->ws)
        ws_close(leg->ws, WS_NORMAL, "");
}

static void stream_abort(struct carrier_leg *leg)
{
    leg->state = CLOSING;
    loop_timer_stop(leg->start_timer);
    if (leg->ws)
        ws_drop(leg->ws);
}

const struct carrier_ops twilio_carrier = {
    .name = "twilio",
    .formats = AUDIO_PCMU,
    .audio = stream_audio,
    .mark = stream_mark,
    .clear = stream_clear,
    .close = stream_close,
    .abort = stream_abort,
};
