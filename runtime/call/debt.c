/* SPDX-License-Identifier: Apache-2.0 */
/* debt.c - the answer that the model owes, and what the caller gets when it does not come.
 *
 *   caller stopped ─ 2.5 s ─▶ "One moment, please." ─ 4 s ─▶ asked again ─ 6.5 s ─▶ the fallback
 *
 * All deadlines count from when the caller began to wait, whatever is asked again in between: sound, or
 * a tool call, pays the debt; a caller who speaks again forgives it.
 *
 * - The moment is words beside the conversation. A response that is running may still come: it goes on,
 *   and when it sounds, what is missing of the moment is dropped, or two voices would be mixed. Where
 *   nothing is running the answer is asked for again right behind the moment.
 * - A response that failed is asked for again at once, or as soon as the provider's rate limit allows.
 *
 * A caller whom the carrier is asked to take is owed nothing: nobody begins to talk to them now.
 *
 * Failure modes: the moment does not come either: the answer is asked for after 1.5 s all the same; a
 * limit that lasts longer than the caller can wait, a second failure in a row: the fallback at once. */
#include "call/call_internal.h"

#include "base/log.h"

enum {
    MOMENT_MS = 1500,     /* for the first sound of the moment */
    RETRY_ROOM_MS = 1500, /* what a retry needs before the fallback is due */
    NEARLY_USED_UP = 10   /* a tenth is left: that limit is the one we ran into */
};

void debt_owe(struct call *c)
{
    if (call_is_transferring(c))
        return;
    if (c->debt.since_ms == 0)
        c->debt.since_ms = call_now(c);
    c->answer_by_ms = c->debt.since_ms + (c->debt.asked_again ? CALL_FALLBACK_MS
                                          : c->debt.excused   ? CALL_AGAIN_MS
                                                              : CALL_ANSWER_MS);
}

void debt_forgive(struct call *c)
{
    c->debt.since_ms = c->debt.retry_at_ms = c->answer_by_ms = 0;
    c->debt.moment_due = c->debt.excused = c->debt.asked_again = false;
}

void debt_pay(struct call *c)
{
    debt_forgive(c);
    c->answers_missed = 0;
    c->answer_by_ms = call_now(c) + CALL_UNFINISHED_MS;
}

/* --- rate limits --- */

static uint32_t wait_for(const struct provider_limit *l)
{
    return l->limit > 0 && l->remaining <= l->limit / NEARLY_USED_UP ? l->reset_ms : 0;
}

void call_on_limits(void *arg, const struct provider_limits *l)
{
    struct call *c = arg;
    uint32_t requests_ms = wait_for(&l->requests), tokens_ms = wait_for(&l->tokens);

    c->debt.limit_until_ms = call_now(c) + (requests_ms > tokens_ms ? requests_ms : tokens_ms);
}

bool debt_waits(const struct call *c)
{
    return c->debt.retry_at_ms > call_now(c);
}

/* False when the caller cannot wait that long. */
static bool wait_for_the_limit(struct call *c)
{
    debt_owe(c);
    c->debt.retry_at_ms = c->debt.limit_until_ms;
    return c->debt.retry_at_ms + RETRY_ROOM_MS <= c->debt.since_ms + CALL_FALLBACK_MS;
}

void debt_failed(struct call *c, const struct provider_response *r)
{
    bool again = call_is_transferring(c) ||
                 (c->answers_missed++ == 0 && (!r->limited || wait_for_the_limit(c)));

    c->totals.errors++;
    log_warn("provider.response_failed", F_CALL(c->sid), F_INT("again", again),
             F_FIX(r->limited ? "raise the rate limit at the provider, or lower max_calls"
                              : "nothing, unless it repeats: see the provider's status page"));
    call_record(
        c, &(struct record){.type = RECORD_ERROR, .name = r->error_code, .text = r->error_message});
    if (!again)
        call_provider_gone(c, r->limited ? "rate limit" : "responses fail");
}

/* --- when nothing comes back --- */

bool debt_ask_moment(struct call *c)
{
    struct provider_prompt p = {.out_of_band = true, .exact_words = rd_str(c->brief->moment)};

    if (!c->debt.moment_due || p.exact_words.n == 0)
        return false;
    c->debt.moment_due = false;
    if (!turn_ask_beside(&c->turn)) /* the caller hears other words, or speaks */
        return false;
    p.tag = c->debt.moment_tag = call_next_tag(c);
    (void)c->provider_ops->respond(c->provider, &p);
    c->aside_by_ms = call_now(c) + MOMENT_MS;
    return true;
}

bool debt_is_moment(const struct call *c, uint32_t tag)
{
    return tag != 0 && tag == c->debt.moment_tag;
}

/* What we asked for is given up, so that it can be asked for again. */
static void give_up_response(struct call *c)
{
    struct rd_str id = turn_kill(&c->turn);

    if (id.n > 0 && c->provider)
        (void)c->provider_ops->cancel(c->provider, id);
    turn_reset(&c->turn);
    turn_aside_finished(&c->turn);
    c->aside_by_ms = 0;
}

/* There was sound, and then neither more of it nor an end. What was heard stands. */
static void on_unfinished(struct call *c)
{
    log_warn("call.response_unfinished", F_CALL(c->sid),
             F_FIX("the provider did not end its response; the call goes on"));
    give_up_response(c);
    ledger_done_all(&c->ledger);
    c->quiet_since_ms = call_now(c);
    call_speak_next(c);
}

static bool has_own_words(const struct call *c)
{
    return c->own.state != OWN_NONE && c->own.kind != OWN_ASIDE;
}

static void excuse(struct call *c)
{
    c->debt.moment_due = !c->debt.excused && !has_own_words(c) && c->state == CALL_LIVE;
    c->debt.excused = true;
}

static void ask_again(struct call *c)
{
    c->totals.errors++;
    log_warn("call.no_answer", F_CALL(c->sid), F_FIX("the provider is slow; asked again"));
    excuse(c);
    c->debt.asked_again = true;
    give_up_response(c);
    if (has_own_words(c))
        c->own.state = OWN_WAITING;
    else
        turn_want(&c->turn);
}

void call_on_no_answer(struct call *c)
{
    c->answer_by_ms = 0;
    if (c->turn.state == TURN_ACTIVE && c->produced) {
        on_unfinished(c);
    } else if (c->state == CALL_CONNECTING || c->debt.asked_again) {
        log_error(
            "call.no_answer", F_CALL(c->sid),
            F_FIX("the provider stays silent: see its status page; the caller gets the fallback"));
        call_provider_gone(c, c->state == CALL_CONNECTING ? "not ready in time" : "no answer");
    } else {
        if (c->turn.state == TURN_ACTIVE && !c->debt.excused)
            excuse(c);
        else
            ask_again(c);
        debt_owe(c);
        call_speak_next(c);
    }
}

void call_on_no_aside(struct call *c)
{
    c->aside_by_ms = 0;
    turn_aside_finished(&c->turn);
    if (c->own.kind == OWN_ASIDE)
        c->own.state = OWN_NONE;
    call_speak_next(c);
    call_when_heard(c);
}
