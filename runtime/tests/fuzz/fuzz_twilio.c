/* SPDX-License-Identifier: Apache-2.0. module: carriers */
/* fuzz_twilio.c - a whole Media Streams conversation, one message per line, against the real leg on
 * a socket that only counts. Besides not crashing: what is taken for like the frame before reads the
 * same, on_start and on_end come at most once, nothing comes after on_end, audio is base64 of the size it says, and nothing is sent before start. */
#include "base/err.h"
#include "carriers/twilio/alike.h"
#include "carriers/twilio/frame.h"
#include "carriers/twilio/stream.h"
#include "media/base64.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool held)
{
    if (!held)
        abort();
}

/* The socket: these take the place of io/ws.c and of io/loop.c's timers. */
struct loop_timer {
    int unused;
};

int ws_connect(struct ws **out, const struct ws_connect_opts *o)
{
    (void)out;
    (void)o;
    return RD_ESTATE;
}

void ws_set_handlers(struct ws *w, const struct ws_handlers *h, void *arg)
{
    (void)w;
    (void)h;
    (void)arg;
}

int ws_sendv(struct ws *w, const struct iovec *iov, int n)
{
    (void)w;
    check(n == 3 && iov[0].iov_len > 0);
    return 0;
}

int ws_send(struct ws *w, const char *text, size_t n)
{
    (void)w;
    check(n > 0 && text[0] == '{' && text[n - 1] == '}');
    return 0;
}

size_t ws_queued(const struct ws *w)
{
    (void)w;
    return 0;
}

void ws_close(struct ws *w, int code, const char *reason)
{
    (void)w;
    check(code >= 1000 && reason);
}

void ws_drop(struct ws *w)
{
    (void)w;
}

int loop_timer_new(struct loop_timer **out, struct loop *l, loop_timer_cb *cb, void *arg)
{
    (void)l;
    (void)cb;
    (void)arg;
    *out = calloc(1, sizeof(**out));
    return *out ? 0 : RD_EFULL;
}

void loop_timer_at(struct loop_timer *t, uint64_t at_ms)
{
    (void)t;
    (void)at_ms;
}

void loop_timer_in(struct loop_timer *t, uint64_t delay_ms)
{
    (void)t;
    (void)delay_ms;
}

void loop_timer_stop(struct loop_timer *t)
{
    (void)t;
}

void loop_timer_free(struct loop_timer *t)
{
    free(t);
}

/* Whoever says that a message is like one before it has found what reading it finds. */
static void try_alike(struct twilio_alike *alike, const char *text, size_t n)
{
    struct rd_str all = {text, n};
    struct twilio_numbers numbers;
    uint64_t sequence = 0, told = 0, chunk = 0;
    struct audio_span span;
    struct twilio_frame f;
    struct twilio_media m;
    uint32_t at_ms = 0;
    bool like = twilio_alike_read(alike, all, &sequence, &at_ms, &span);
    bool read = twilio_frame_read(&f, all) && json_is(&f.event, "media") &&
                f.body.type == JSON_OBJECT && json_u64(&f.sequence, &told) &&
                twilio_frame_media(&m, &f.body) == 0;

    if (like) {
        check(read && told == sequence && m.at_ms == at_ms && !m.rewritten);
        check(m.span.b64 == span.b64 && m.span.n_b64 == span.n_b64 &&
              m.span.n_bytes == span.n_bytes);
    }
    if (!read || m.rewritten || !json_u64(&m.chunk, &chunk))
        return;
    numbers = (struct twilio_numbers){.at = {[ALIKE_SEQUENCE] = f.sequence.raw,
                                             [ALIKE_CHUNK] = m.chunk.raw,
                                             [ALIKE_TIMESTAMP] = m.timestamp.raw}};
    twilio_alike_learn(alike, f.text, &numbers, (struct rd_str){m.span.b64, m.span.n_b64});
}

/* The call, which talks back. */
struct listener {
    struct carrier_leg *leg;
    int starts, ends;
};

static void on_start(void *arg, const struct carrier_start *s)
{
    struct listener *l = arg;

    check(++l->starts == 1 && l->ends == 0 && s->call_sid.n > 0 && s->stream_sid.n > 0);
    check(twilio_carrier.clear(l->leg) == 0);
}

static void on_audio(void *arg, const struct audio_span *a, uint32_t at_ms)
{
    struct listener *l = arg;
    const struct carrier_mark m = {1, at_ms, a->n_bytes};

    check(l->starts == 1 && l->ends == 0 && a->n_bytes > 0);
    check(base64_check(a->b64, a->n_b64) == (ssize_t)a->n_bytes);
    check(twilio_carrier.audio(l->leg, a) == 0 && twilio_carrier.mark(l->leg, &m) == 0);
}

static void on_mark(void *arg, const struct carrier_mark *m)
{
    struct listener *l = arg;

    check(l->starts == 1 && l->ends == 0 && m->generation <= 1);
}

static void on_dtmf(void *arg, char digit)
{
    struct listener *l = arg;

    check(l->starts == 1 && l->ends == 0 && digit && strchr("0123456789*#ABCD", digit));
    if (digit == 'D')
        twilio_carrier.close(l->leg);
}

static void on_end(void *arg, enum leg_end why)
{
    struct listener *l = arg;

    (void)why;
    check(++l->ends == 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct carrier_events events = {on_start, on_audio, on_mark, on_dtmf, on_end};
    const char *p = (const char *)data, *end = p + size;
    const struct ws_closed lost = {.why = WS_END_LOST};
    struct twilio_alike alike = {0};
    struct listener l = {0};
    struct ws_accept accept;
    struct ws *w = (struct ws *)&l; /* never looked into */

    if (twilio_stream_new(&l.leg, NULL, &events, &l))
        return 0;
    twilio_stream_accept(l.leg, &accept);
    accept.handlers->open(w, accept.arg);
    while (p < end) {
        const char *line = memchr(p, '\n', (size_t)(end - p));
        size_t n = (size_t)((line ? line : end) - p);
        char *message = malloc(n ? n : 1); /* its own block, so that ASan sees its end */

        check(message);
        memcpy(message, p, n);
        try_alike(&alike, message, n);
        memcpy(message, p, n);
        accept.handlers->text(w, message, n, accept.arg);
        free(message);
        p += n + (line ? 1 : 0);
    }
    accept.handlers->closed(w, &lost, accept.arg);
    check(l.ends == 1);
    return 0;
}
