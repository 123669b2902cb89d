/* SPDX-License-Identifier: Apache-2.0 */
/* hear.c - what comes from the carrier: the caller's audio, marks, keys, and the end.
 *
 * A frame goes straight through the bridge. A mark moves the ledger, which may mean that a goodbye
 * was heard. A start frame for another call than the token was made for ends this one: refused. */
#include "call/call_internal.h"

#include "base/log.h"

static void on_start(void *arg, const struct carrier_start *s)
{
    struct call *c = arg;

    /* It ended before the stream was open, when there was nothing to close yet. */
    if (c->state >= CALL_CLOSING) {
        c->o.carrier_ops->close(c->carrier);
        return;
    }
    if (rd_str_eq(s->call_sid, rd_str(c->sid)))
        return;
    log_warn(
        "stream.wrong_call", F_CALL(c->sid),
        F_FIX("the start frame named another call than its token; if it recurs, somebody tries"));
    call_end(c, CALL_END_REFUSED);
}

/* Per frame: no timer, no log, no allocation. */
static void on_audio(void *arg, const struct audio_span *a, uint32_t at_ms)
{
    struct call *c = arg;

    if (c->state >= CALL_CLOSING)
        return;
    c->last_frame_ms = call_now(c);
    keeping_caller(c, a, at_ms);
    bridge_feed(&c->bridge, a, at_ms);
}

static void on_mark(void *arg, const struct carrier_mark *m)
{
    struct call *c = arg;
    bool was_playing = ledger_playing(&c->ledger);

    if (!ledger_ack(&c->ledger, m, clock_us(c->o.clock)) || c->state >= CALL_CLOSING)
        return;
    call_hold(c);
    if (was_playing && !ledger_playing(&c->ledger))
        c->quiet_since_ms = call_now(c);
    call_settle_heard(c);
    call_when_heard(c);
    call_release(c);
}

static void on_dtmf(void *arg, char digit)
{
    struct call *c = arg;
    struct rd_str text = {&digit, 1};

    if (c->state >= CALL_CLOSING)
        return;
    call_hold(c);
    c->quiet_since_ms = call_now(c);
    c->silences = 0;
    /* Which key it was may be a card number: only the script learns it. */
    call_record(c, &(struct record){.type = RECORD_DTMF, .text = RD_STR("*")});
    call_tell_agent(c, AGENT_DTMF, RD_STR(""), RD_STR(""), text, 0);
    call_release(c);
}

const struct carrier_events call_carrier_events = {
    .on_start = on_start,
    .on_audio = on_audio,
    .on_mark = on_mark,
    .on_dtmf = on_dtmf,
    .on_end = call_on_carrier_end,
};
