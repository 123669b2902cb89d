/* SPDX-License-Identifier: Apache-2.0 */
/* fake_line.c - see fake_line.h. */
#include "fake_line.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void heard_start(void *arg, const struct carrier_start *s)
{
    struct heard *h = arg;

    h->starts++;
    rd_str_copy(h->call_sid, sizeof(h->call_sid), s->call_sid);
    rd_str_copy(h->stream_sid, sizeof(h->stream_sid), s->stream_sid);
    if (h->close_at_start)
        twilio_carrier.close(h->close_at_start);
}

static void heard_audio(void *arg, const struct audio_span *a, uint32_t at_ms)
{
    struct heard *h = arg;

    h->audios++;
    rd_str_copy(h->payload, sizeof(h->payload), (struct rd_str){a->b64, a->n_b64});
    h->n_bytes = a->n_bytes;
    h->at_ms = at_ms;
}

static void heard_mark(void *arg, const struct carrier_mark *m)
{
    struct heard *h = arg;

    h->marks++;
    h->mark = *m;
}

static void heard_dtmf(void *arg, char digit)
{
    struct heard *h = arg;

    h->digits++;
    h->digit = digit;
}

static void heard_end(void *arg, enum leg_end why)
{
    struct heard *h = arg;

    h->ends++;
    h->why = why;
}

const struct carrier_events heard_events = {heard_start, heard_audio, heard_mark, heard_dtmf,
                                            heard_end};

void line_open(struct line *l)
{
    struct ws_accept accept = {0};

    memset(l, 0, sizeof(*l));
    l->ws = calloc(1, sizeof(*l->ws));
    assert_non_null(l->ws);
    assert_int_equal(twilio_stream_new(&l->leg, NULL, &heard_events, &l->heard), 0);
    twilio_stream_accept(l->leg, &accept);
    fake_ws_open(l->ws, &accept);
}

void line_live(struct line *l)
{
    line_open(l);
    fake_ws_says(l->ws, CONNECTED);
    fake_ws_says(l->ws, START);
    assert_int_equal(l->heard.starts, 1);
}

void line_gone(struct line *l, enum ws_end why, enum leg_end expected)
{
    fake_ws_closed(l->ws, why, 0);
    assert_int_equal(l->heard.ends, 1);
    assert_int_equal(l->heard.why, expected);
    assert_int_equal(fake_timers_alive(), 0);
    free(l->ws);
}
