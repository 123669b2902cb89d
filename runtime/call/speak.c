/* SPDX-License-Identifier: Apache-2.0 */
/* speak.c - what comes from the provider.
 *
 * - An audio delta is dropped when its response is dead, else cut at mark boundaries and passed on.
 * - The caller starts to speak while agent audio plays: clear first, then cancel, then truncate
 * each unheard item at what was heard. Keyed on playout, not on generation: it works long after the
 * model has finished.
 * - Tool calls go to the script; when all results are in, one answer is asked for (ask.c).
 *
 * How responses begin, end and fail is in response.c. */
#include "call/call_internal.h"

#include "base/err.h"
#include "base/log.h"

#include <stdio.h>

/* --- the agent's audio --- */

/* One piece and its mark. False when the carrier takes no more. */
static bool send_piece(struct call *c, struct ledger_item *it, const struct audio_span *a)
{
    struct carrier_mark m;

    if (c->o.carrier_ops->audio(c->carrier, a))
        return false;
    ledger_sent(it, a->n_bytes);
    keeping_agent(c, a);
    c->totals.frames_out++;
    c->totals.bytes_out += a->n_bytes;
    m = ledger_mark(&c->ledger, it);
    return c->o.carrier_ops->mark(c->carrier, &m) == 0;
}

/* Cuts at multiples of 3 bytes, where base64 text can be cut without being decoded. */
static void play(struct call *c, struct ledger_item *it, struct audio_span rest)
{
    uint32_t limit = ledger_playing(&c->ledger) ? LEDGER_MARK_BYTES : LEDGER_FIRST_BYTES;

    ledger_received(it, rest.n_bytes);
    while (rest.n_bytes > 0) {
        struct audio_span piece = rest;

        if (rest.n_bytes > limit) {
            piece.n_bytes = limit - limit % 3;
            piece.n_b64 = piece.n_bytes / 3 * 4;
        }
        if (!send_piece(c, it, &piece))
            return;
        rest.b64 += piece.n_b64;
        rest.n_b64 -= piece.n_b64;
        rest.n_bytes -= piece.n_bytes;
        limit = LEDGER_MARK_BYTES;
    }
}

/* Whose usage this will be. */
static void note_sounding(struct call *c, const struct provider_item *item)
{
    struct sounding *s = &c->sounding;

    if (s->response[0] && rd_str_eq(item->response_id, rd_str(s->response)))
        return;
    (void)rd_str_copy(s->response, sizeof(s->response), item->response_id);
    (void)rd_str_copy(s->item, sizeof(s->item), item->item_id);
}

/* Per delta: no timer, no log, no allocation. */
static void on_audio(void *arg, const struct provider_item *item, const struct audio_span *a)
{
    struct call *c = arg;
    struct ledger_item *it;
    bool aside;

    if (c->state >= CALL_CLOSING || !c->carrier)
        return;
    if (turn_is_dead(&c->turn, item->response_id)) {
        c->totals.late_deltas++;
        return;
    }
    aside = c->turn.aside_id[0] && rd_str_eq(rd_str(c->turn.aside_id), item->response_id);
    it = ledger_begin(&c->ledger, item->item_id, item->content_index, aside);
    if (!it) {
        c->totals.bad_frames++;
        return;
    }
    if (c->totals.first_audio_ms == 0)
        c->totals.first_audio_ms = (uint32_t)(call_now(c) - c->start_ms) + 1;
    c->spoke = true;
    if (aside) {
        c->aside_by_ms = call_now(c) + CALL_UNFINISHED_MS;
    } else {
        debt_pay(c);
        waiting_over(c, item->item_id);
        c->produced = c->heard.answered = true;
        call_drop_aside(c);
    }
    response_is_heard(c, item);
    note_sounding(c, item);
    turn_mark(TURN_AUDIO);
    play(c, it, *a);
}

static void on_audio_done(void *arg, const struct provider_item *item)
{
    struct call *c = arg;

    if (c->state >= CALL_CLOSING)
        return;
    call_hold(c);
    ledger_done(&c->ledger, item->item_id, item->content_index);
    call_settle_heard(c);
    call_when_heard(c);
    call_release(c);
}

/* --- barge-in --- */

static void record_barge_in(struct call *c, const struct ledger_cut *cut)
{
    c->totals.barge_ins++;
    call_record(c, &(struct record){
                       .type = RECORD_BARGE_IN, .id = rd_str(cut->id), .heard_ms = cut->heard_ms});
}

/* A caller who has something to say is not hung up on; one whose time is up is. */
static void stay_after_all(struct call *c)
{
    if (c->state == CALL_LEAVING && !c->time_up &&
        (c->reason == CALL_END_AGENT_HANGUP || c->reason == CALL_END_SILENCE))
        call_go_live(c);
}

/* A session that came after these words was told all of them. */
static void tell_what_was_heard(struct call *c, const struct ledger_cut *cut)
{
    char note[160];

    (void)snprintf(note, sizeof(note),
                   "The caller cut in: of your words before the connection broke they heard only "
                   "the first %u of %u seconds.",
                   (cut->heard_ms + 500) / 1000, (cut->received_ms + 500) / 1000);
    (void)c->provider_ops->note(c->provider, rd_str(note));
}

static void cut_short(struct call *c, const struct ledger_cut *cut)
{
    notice_was_cut(c, cut);
    if (!cut->truncate) {
        transcript_heard(&c->transcript, rd_str(cut->id));
        return;
    }
    if (call_has_model(c) && c->provider_ops->caps.client_truncation &&
        c->provider_ops->truncate(c->provider, rd_str(cut->id), cut->content_index,
                                  cut->heard_ms) == RD_EGONE)
        tell_what_was_heard(c, cut);
    transcript_cut(&c->transcript, rd_str(cut->id), cut->heard_ms, cut->received_ms);
}

static void interrupt(struct call *c)
{
    struct ledger_cut cuts[LEDGER_ITEMS];
    bool playing = ledger_playing(&c->ledger);
    struct rd_str response;
    int n;

    if (playing) {
        (void)c->o.carrier_ops->clear(c->carrier);
        turn_mark(TURN_BARGE_IN);
        keeping_cleared(c);
    }
    response = turn_kill(&c->turn);
    if (response.n > 0)
        (void)c->provider_ops->cancel(c->provider, response);
    own_put_off(c);
    n = ledger_interrupt(&c->ledger, clock_us(c->o.clock), cuts);
    for (int i = 0; i < n; i++)
        cut_short(c, &cuts[i]);
    if (playing && n > 0)
        record_barge_in(c, &cuts[0]);
}

static void on_speech_started(void *arg, uint32_t at_ms, struct rd_str item_id)
{
    struct call *c = arg;

    (void)item_id;
    if (c->state >= CALL_CLOSING || !c->carrier)
        return;
    call_hold(c);
    heard_caller_starts(c, at_ms);
    turn_caller_speaks(&c->turn);
    if (!heard_is_no_barge_in(c, at_ms)) {
        interrupt(c);
        stay_after_all(c);
    }
    c->spoke = false;
    waiting_forget(c);
    c->silences = 0;
    debt_forgive(c);
    call_release(c);
}

static void on_speech_stopped(void *arg, uint32_t at_ms, struct rd_str item_id)
{
    struct call *c = arg;

    (void)item_id;
    if (c->state >= CALL_CLOSING)
        return;
    call_hold(c);
    heard_caller_stops(c, at_ms);
    turn_caller_stopped(&c->turn);
    c->quiet_since_ms = call_now(c);
    waiting_begin(c);
    debt_forgive(c);
    debt_owe(c);
    call_release(c);
}

/* --- the conversation --- */

static void begin_talking(struct call *c)
{
    if (c->o.resumed) {
        resume_adopted(c);
        return;
    }
    call_tell_agent(c, AGENT_STARTED, RD_STR(""), RD_STR(""), RD_STR(""), 0);
    if (c->brief->opening[0])
        call_own_words(c, rd_str(c->brief->opening), OWN_OPENING);
    else
        turn_want(&c->turn);
}

static void on_ready(void *arg)
{
    struct call *c = arg;

    if (c->resume.why)
        resume_ready(c);
    if (c->state != CALL_CONNECTING)
        return;
    call_hold(c);
    c->answer_by_ms = 0;
    failover_not_needed(c);
    call_go_live(c);
    bridge_ready(&c->bridge);
    keeping_live(c);
    begin_talking(c);
    call_speak_next(c);
    call_release(c);
}

static void on_named(void *arg, struct rd_str id)
{
    struct call *c = arg;

    if (c->state < CALL_CLOSING)
        call_record(c, &(struct record){
                           .type = RECORD_NAMED, .id = id, .name = rd_str(c->provider_ops->name)});
}

/* Its goodbye was said, or there is none. */
static void on_hang_up(void *arg)
{
    struct call *c = arg;

    if (c->state >= CALL_CLOSING)
        return;
    call_hold(c);
    call_hang_up(c, CALL_END_AGENT_HANGUP);
    c->turn.wanted = false;
    call_when_heard(c);
    call_release(c);
}

static void on_placed(void *arg, const struct provider_placed *p)
{
    struct call *c = arg;

    if (c->state < CALL_CLOSING)
        transcript_place(&c->transcript, p, call_now(c));
}

static void on_words(void *arg, const struct provider_words *w)
{
    struct call *c = arg;

    if (c->state >= CALL_CLOSING)
        return;
    call_hold(c);
    transcript_words(&c->transcript, w, call_now(c));
    if (w->role == PROVIDER_CALLER && w->final)
        heard_understood(c, w->item_id);
    if (w->role == PROVIDER_CALLER && w->final && w->text.n > 0)
        call_tell_agent(c, AGENT_UTTERANCE, w->item_id, RD_STR(""), w->text, 0);
    if (c->state < CALL_CLOSING)
        call_settle_heard(c);
    call_release(c);
}

void call_settle_heard(struct call *c)
{
    notice_settle(c);
    /* Only the oldest turns matter: what is behind an unheard one cannot come out anyway. */
    for (uint32_t i = 0; i < c->transcript.n; i++) {
        struct transcript_slot *s = c->transcript.slots[i];

        if (s->role != PROVIDER_AGENT || s->settled || !s->final)
            continue;
        if (ledger_item_open(&c->ledger, rd_str(s->id)))
            break;
        s->settled = true;
    }
    transcript_flush(&c->transcript, call_now(c));
}

/* It is not called, and the model hears why. */
static void refuse_tool(struct call *c, struct rd_str id, struct rd_str why)
{
    struct toolcall none = {0};

    (void)rd_str_copy(none.id, sizeof(none.id), id);
    call_tell_result(c, &none, why);
}

static void on_tool_call(void *arg, const struct provider_tool_call *t)
{
    struct call *c = arg;

    if (c->state >= CALL_CLOSING)
        return;
    if (heard_is_spared(c, t->response_id)) {
        refuse_tool(c, t->call_id, RD_STR("{\"error\":\"It was called already; go on.\"}"));
        return;
    }
    call_hold(c);
    debt_pay(c);
    if (c->turn.state != TURN_ACTIVE)
        c->answer_by_ms = 0;
    c->produced = c->heard.answered = true;
    c->totals.tool_calls++;
    call_record(c,
                &(struct record){
                    .type = RECORD_TOOL, .id = t->call_id, .name = t->name, .text = t->arguments});
    transcript_tool(&c->transcript, t, call_now(c));
    if (toolcall_begin(&c->tools, t->call_id, t->name, call_now(c))) {
        waiting_tools(c);
        call_tell_agent(c, AGENT_TOOL_CALL, t->call_id, t->name, t->arguments, 0);
    } else {
        refuse_tool(c, t->call_id, RD_STR("{\"error\":\"Too many calls at once; ask again.\"}"));
        turn_want(&c->turn);
    }
    call_release(c);
}

void call_tell_result(struct call *c, const struct toolcall *t, struct rd_str output)
{
    past_tool_output(c, rd_str(t->id), output);
    if (!call_has_model(c))
        return; /* the next session is told */
    if (t->carried)
        past_tell_tool(c, rd_str(t->id));
    else
        (void)c->provider_ops->tool_result(c->provider, rd_str(t->id), output);
}

void call_tool_result(struct call *c, struct rd_str id, struct rd_str output, bool go_on)
{
    struct toolcall t;

    if (c->state >= CALL_CLOSING || !toolcall_take(&c->tools, id, &t))
        return;
    call_hold(c);
    waiting_tools(c);
    call_record(c, &(struct record){.type = RECORD_TOOL,
                                    .id = id,
                                    .name = rd_str(t.name),
                                    .text = output,
                                    .done = true,
                                    .took_ms = (uint32_t)(call_now(c) - t.began_ms)});
    call_tell_result(c, &t, output);
    if (go_on && !(c->state == CALL_LEAVING && c->spoke))
        turn_want(&c->turn);
    c->quiet_since_ms = call_now(c);
    call_speak_next(c);
    call_when_heard(c);
    call_release(c);
}

const struct provider_events call_provider_events = {
    .on_ready = on_ready,
    .on_named = on_named,
    .on_expiry = resume_on_expiry,
    .on_audio = on_audio,
    .on_audio_done = on_audio_done,
    .on_speech_started = on_speech_started,
    .on_speech_stopped = on_speech_stopped,
    .on_committed = heard_committed,
    .on_placed = on_placed,
    .on_words = on_words,
    .on_tool_call = on_tool_call,
    .on_response = call_on_response,
    .on_usage = call_on_usage,
    .on_limits = call_on_limits,
    .on_error = call_on_error,
    .on_hang_up = on_hang_up,
    .on_end = call_on_provider_end,
};
