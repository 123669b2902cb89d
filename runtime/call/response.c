/* SPDX-License-Identifier: Apache-2.0 */
/* response.c - how the provider's responses begin, end and fail, and what they cost.
 *
 * - begun: ours, if it carries the tag of what we asked for; else the provider's own turn. One that
 *   we asked for and that begins while the caller speaks is cancelled at once: two voices are noise.
 *   So is the provider's own turn while the carrier is asked to take the caller, who would hear its
 *   beginning: it is asked for once they stay after all.
 * - over: our own words that never made a sound wait again; a turn without sound or tool call counts
 *   as failed.
 *
 * Failure modes: what fails is asked for once more; the second failure in a row is a provider that is
 * down (debt.c). Busy is none: what was asked waits until the running response is over. */
#include "call/call_internal.h"

#include "base/log.h"

static void add_usage(struct provider_usage *sum, const struct provider_usage *u)
{
    sum->text_in += u->text_in;
    sum->text_in_cached += u->text_in_cached;
    sum->audio_in += u->audio_in;
    sum->audio_in_cached += u->audio_in_cached;
    sum->text_out += u->text_out;
    sum->audio_out += u->audio_out;
    sum->seconds += u->seconds;
}

static void tell_usage(struct call *c, const struct provider_usage *u, struct rd_str raw,
                       struct rd_str item_id, struct rd_str cut_off)
{
    /* What only the end of a session tells comes after the totals; its record is not lost. */
    if (c->state >= CALL_CLOSING && c->provider_ops->caps.billing_unit != PROVIDER_BILLS_SECONDS)
        return;
    add_usage(&c->totals.usage, u);
    call_record(c, &(struct record){.type = RECORD_USAGE,
                                    .usage = u,
                                    .id = item_id,
                                    .said = cut_off,
                                    .name = rd_str(u->model ? u->model : c->brief->model),
                                    .text = raw});
}

void call_on_usage(void *arg, const struct provider_usage *u, struct rd_str raw)
{
    tell_usage(arg, u, raw, RD_STR(""), RD_STR(""));
}

/* Of a response that made no sound, a tool call, there is no item. */
static struct rd_str sounded(const struct call *c, struct rd_str response_id)
{
    const struct sounding *s = &c->sounding;
    bool same = s->response[0] && rd_str_eq(response_id, rd_str(s->response));

    return same ? rd_str(s->item) : RD_STR("");
}

/* --- begun --- */

/* Nobody wants it any more: the caller speaks, or our words were overtaken. */
static void refuse_response(struct call *c, const struct provider_response *r, bool ours)
{
    (void)turn_kill(&c->turn);
    if (c->provider)
        (void)c->provider_ops->cancel(c->provider, r->response_id);
    if (ours)
        own_put_off(c);
    else if (!r->out_of_band)
        turn_want(&c->turn);
}

/* An answer sounds: words beside it that are still on their way are not needed any more. */
bool call_drop_aside(struct call *c)
{
    bool sounds = c->turn.state == TURN_ACTIVE && c->produced;
    struct rd_str id = sounds ? turn_drop_aside(&c->turn) : RD_STR("");

    if (id.n == 0)
        return false;
    (void)c->provider_ops->cancel(c->provider, id);
    c->aside_by_ms = 0;
    if (c->own.kind == OWN_ASIDE)
        c->own.state = OWN_NONE;
    return true;
}

static void on_started(struct call *c, const struct provider_response *r)
{
    bool ours = own_is(c, r->tag);
    bool too_late = r->tag == 0 && !r->out_of_band && call_is_transferring(c);

    if (r->tag == 0 && !r->out_of_band && heard_spares(c, r->response_id))
        return;
    if (r->out_of_band) {
        turn_aside_started(&c->turn, r->response_id);
    } else {
        turn_started(&c->turn, r->response_id);
        c->produced = false;
        if (!c->turn.caller_speaking)
            debt_owe(c);
    }
    if (r->out_of_band && call_drop_aside(c))
        return;
    if (too_late || (r->tag != 0 && c->turn.caller_speaking) ||
        (ours && c->own.state == OWN_NONE)) {
        refuse_response(c, r, ours);
        return;
    }
    if (!ours)
        return;
    c->own.state = OWN_BEGUN;
    (void)rd_str_copy(c->own.response, sizeof(c->own.response), r->response_id);
}

/* Its first sound: from here on it is a turn like any other. */
void response_is_heard(struct call *c, const struct provider_item *item)
{
    if (c->own.state != OWN_BEGUN || !rd_str_eq(rd_str(c->own.response), item->response_id))
        return;
    notice_begins(c, item);
    c->own.state = OWN_NONE;
}

/* --- over --- */

/* Our own words ended before they made a sound. */
static void own_words_unheard(struct call *c, const struct provider_response *r)
{
    if (r->state == PROVIDER_RESPONSE_CANCELLED) {
        own_put_off(c);
    } else if (c->own.kind == OWN_ASIDE) {
        c->own.state = OWN_NONE;
    } else {
        c->own.state = OWN_WAITING;
        debt_failed(c, r);
    }
}

static bool is_silent_turn(const struct call *c, const struct provider_response *r)
{
    return !r->out_of_band && r->state != PROVIDER_RESPONSE_CANCELLED &&
           !turn_is_dead(&c->turn, r->response_id) && !c->turn.caller_speaking &&
           (r->state == PROVIDER_RESPONSE_FAILED || !c->produced);
}

/* Why the model itself did not end it; "" when it did, or we cut it. */
static struct rd_str cut_off_by_model(const struct provider_response *r)
{
    if (r->state != PROVIDER_RESPONSE_INCOMPLETE)
        return RD_STR("");
    return r->error_code.n > 0 ? r->error_code : RD_STR("unknown");
}

static void on_finished(struct call *c, const struct provider_response *r)
{
    bool ours = c->own.state == OWN_BEGUN && rd_str_eq(rd_str(c->own.response), r->response_id);
    bool dead = turn_is_dead(&c->turn, r->response_id);

    if (c->provider_ops->caps.billing_unit == PROVIDER_BILLS_TOKENS)
        tell_usage(c, &r->usage, r->raw_usage, sounded(c, r->response_id), cut_off_by_model(r));
    notice_response_over(c, r);
    if (r->out_of_band) {
        turn_aside_finished(&c->turn);
        c->aside_by_ms = 0;
    } else {
        turn_finished(&c->turn, r->response_id);
        ledger_done_all(&c->ledger);
    }
    if (!r->out_of_band && !dead && c->turn.state == TURN_IDLE)
        c->answer_by_ms = 0;
    c->quiet_since_ms = call_now(c);
    if (ours) {
        own_words_unheard(c, r);
    } else if (is_silent_turn(c, r)) {
        turn_want(&c->turn);
        debt_failed(c, r);
    }
    if (c->state >= CALL_CLOSING)
        return;
    call_settle_heard(c);
    call_speak_next(c);
    if (c->turn.state == TURN_IDLE && !c->turn.wanted && c->own.state == OWN_NONE)
        debt_forgive(c);
    call_when_heard(c);
}

void call_on_response(void *arg, const struct provider_response *r)
{
    struct call *c = arg;

    if (c->state >= CALL_CLOSING)
        return;
    call_hold(c);
    if (r->state == PROVIDER_RESPONSE_STARTED)
        on_started(c, r);
    else
        on_finished(c, r);
    call_release(c);
}

/* --- errors --- */

/* A response was running already: what we asked for waits until it is done. */
static void on_busy(struct call *c, const struct provider_error *e)
{
    if (debt_is_moment(c, e->tag)) {
        call_on_no_aside(c);
        return;
    }
    turn_busy(&c->turn);
    if (!own_is(c, e->tag))
        return;
    if (c->own.state == OWN_ASKED)
        c->own.state = OWN_WAITING;
    c->turn.wanted = false;
}

/* What we asked for was refused for another reason: once more, then it is a failure. */
static void on_refused(struct call *c, const struct provider_error *e)
{
    if (debt_is_moment(c, e->tag) || (own_is(c, e->tag) && c->own.kind == OWN_ASIDE)) {
        call_on_no_aside(c);
        return;
    }
    turn_refused(&c->turn);
    if (c->answers_missed++ > 0) {
        call_provider_gone(c, "requests are refused");
        return;
    }
    if (!own_is(c, e->tag))
        turn_want(&c->turn);
    else if (c->own.state == OWN_ASKED)
        c->own.state = OWN_WAITING;
    call_speak_next(c);
}

/* The provider's own line does not know whose call it is. */
static void tell_error(struct call *c, const struct provider_error *e)
{
    char code[64];

    (void)rd_str_copy(code, sizeof(code), e->code);
    LOG_(e->fatal ? LOG_ERROR : LOG_WARN, "call.provider_error", F_CALL(c->sid),
         F_STR("code", code), F_FIX(e->fix ? e->fix : "nothing, unless it repeats"));
    call_record(c, &(struct record){.type = RECORD_ERROR, .name = e->code, .text = e->message});
}

void call_on_error(void *arg, const struct provider_error *e)
{
    struct call *c = arg;

    if (c->state >= CALL_CLOSING || e->benign)
        return;
    call_hold(c);
    if (e->busy) {
        on_busy(c, e);
    } else {
        if (c->totals.errors++ < CALL_ERRORS_TOLD || e->fatal)
            tell_error(c, e);
        if (e->fatal)
            call_provider_gone(c, "refused");
        else if (e->tag != 0)
            on_refused(c, e);
    }
    call_release(c);
}
