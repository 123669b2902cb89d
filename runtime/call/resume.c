/* SPDX-License-Identifier: Apache-2.0 */
/* resume.c - a call outlives its provider session.
 *
 *   session ──lost──▶ none ──a leg is ready──▶ session: told what was (past.c), fed again with what
 *      │                ├── opening failed: again after 250 ms     nobody understood, asked to go on
 *      │                └── 3 s: the fallback
 *      └──expires soon──▶ session, and its successor beside it ──a quiet moment──▶ the successor
 *
 * - lost: what the agent had sent plays on. A sentence that was cut is gone on with, an answer that was
 *   owed is asked for again, words of our own that did not sound are said again, tools run on.
 * - what the caller said that there are no words for yet is fed to the next session (heard.c). Until that
 *   heard a beginning nothing is asked.
 * - expiry: the successor is opened a minute before (a quarter of the session's time if that is less)
 *   and takes over when nobody speaks; ten seconds before the end (an eighth) in any case.
 *
 * Failure modes: a session that is refused: the call's end, as ever; a fourth loss within a minute, on
 * whatever node: the same, because what happens that often is not healed by another try; nobody speaks
 * in what was fed again: after 1.5 s the model answers what it knows. */
#include "call/call_internal.h"

#define GO_ON                                                                                 \
    "The connection broke while you were speaking. The caller heard your last sentence only " \
    "as far as the conversation shows. Finish that sentence: no greeting, no apology, and "   \
    "nothing that they heard already."

#define TAKE_UP                                                                               \
    "The connection to the caller was interrupted for a moment and is back. Say so in a few " \
    "words, without greeting, and go on where you were."

bool call_has_model(const struct call *c)
{
    return c->provider && !c->resume.why;
}

void resume_finish_sentence(struct call *c)
{
    if (c->resume.broken && c->own.state == OWN_NONE)
        call_own_words(c, RD_STR(GO_ON), OWN_INSTRUCTIONS);
    c->resume.broken = false;
}

/* --- the session that was -------------------------------------------------------------------- */

static uint32_t count_recent(const struct call *c)
{
    uint32_t n = call_now(c) < c->start_ms + CALL_RESUMES_MS ? c->o.resumes : 0;

    for (int i = 0; i < CALL_RESUMES; i++)
        n += c->resume.recent_ms[i] && call_now(c) < c->resume.recent_ms[i] + CALL_RESUMES_MS;
    return n;
}

/* Our own words that never sounded wait again; so does what was said beside the conversation, which may
 * be the words that matter most: from its beginning. */
static void put_back_own_words(struct call *c)
{
    struct own_words *own = &c->own;
    bool aside_cut = c->turn.aside && own->state == OWN_NONE && own->kind == OWN_ASIDE &&
                     own->response[0] && strcmp(own->response, c->turn.aside_id) == 0;

    if (own->state != OWN_NONE || aside_cut)
        own->state = OWN_WAITING;
    own->response[0] = '\0';
}

static bool is_answer_owed(const struct call *c)
{
    bool own = c->own.state != OWN_NONE && c->own.kind != OWN_ASIDE;
    bool silent = c->turn.state != TURN_IDLE && !c->produced;

    return c->turn.wanted || (!own && (silent || c->debt.since_ms != 0));
}

/* From here on nothing of it comes any more. */
static void settle_session(struct call *c)
{
    struct resume *r = &c->resume;
    bool unfinished = c->turn.state == TURN_ACTIVE && ledger_unfinished(&c->ledger);

    if (c->notice.item[0] && c->turn.state == TURN_ACTIVE &&
        strcmp(c->turn.active, c->notice.response) == 0)
        c->notice.broken = true;
    put_back_own_words(c);
    r->broken |= transcript_session_over(&c->transcript) && unfinished;
    r->refeed = heard_session_over(c, r->broken || !unfinished);
    r->answer = (!r->refeed || c->heard.served) && is_answer_owed(c);
    ledger_session_over(&c->ledger);
    toolcall_carry(&c->tools);
    turn_init(&c->turn);
    debt_forgive(c);
    c->debt.limit_until_ms = c->aside_by_ms = 0;
    c->answers_missed = 0;
    c->produced = false;
    r->listen_until_ms = r->rotate_at_ms = r->force_at_ms = 0;
    bridge_lost(&c->bridge);
    call_settle_heard(c);
}

/* --- the session that comes ------------------------------------------------------------------ */

static void open_leg(struct call *c)
{
    struct resume *r = &c->resume;

    r->retry_at_ms = 0;
    c->provider = r->next;
    if (r->next) { /* it was on its way already */
        c->provider_ops = r->next_ops;
        r->next = NULL;
        c->provider_ops->set_events(c->provider, &call_provider_events, c);
        resume_on_expiry(c, r->next_expires_ms ? r->next_expires_ms - call_now(c) : 0);
        if (r->next_ready)
            resume_ready(c);
        return;
    }
    c->provider = c->o.reopen(c->o.arg, &c->provider_ops, &call_provider_events, c);
    if (!c->provider)
        r->retry_at_ms = call_now(c) + CALL_RESUME_RETRY_MS;
}

bool resume_begin(struct call *c, const char *why)
{
    struct resume *r = &c->resume;
    uint32_t recent = count_recent(c);

    if (!c->o.reopen || recent >= CALL_RESUMES || c->state < CALL_LIVE)
        return false;
    r->why = why;
    r->since_ms = call_now(c);
    r->by_ms = r->since_ms + CALL_RESUME_MS;
    r->attempt = recent + 1;
    r->recent_ms[r->n++ % CALL_RESUMES] = r->since_ms;
    settle_session(c);
    if (c->state < CALL_CLOSING)
        open_leg(c);
    return true;
}

bool resume_retries(struct call *c, enum leg_end why)
{
    if (!c->resume.why || why == LEG_REFUSED || why == LEG_PROTOCOL)
        return false;
    c->resume.retry_at_ms = call_now(c) + CALL_RESUME_RETRY_MS;
    return true;
}

void resume_with(struct call *c, const struct provider_ops *ops, struct provider_leg *leg)
{
    struct resume *r = &c->resume;

    r->why = "failover";
    r->since_ms = call_now(c);
    r->by_ms = r->since_ms + CALL_OTHER_MS;
    r->attempt = 1;
    c->provider_ops = ops;
    c->provider = leg;
    settle_session(c);
}

/* What the model does first. What was said meanwhile (a tool's result, words of ours) counts too. */
static void take_up(struct call *c)
{
    struct resume *r = &c->resume;

    if (r->answer)
        turn_want(&c->turn);
    if (r->refeed) {
        turn_caller_speaks(&c->turn);
        r->listen_until_ms = call_now(c) + CALL_LISTEN_MS;
    } else if (!r->answer) {
        resume_finish_sentence(c);
    }
    r->broken &= r->refeed && c->heard.served;
    r->refeed = r->answer = false;
}

void resume_ready(struct call *c)
{
    struct resume *r = &c->resume;
    uint64_t now = call_now(c);

    call_hold(c);
    call_record(c, &(struct record){.type = RECORD_RESUMED,
                                    .text = rd_str(r->why),
                                    .gap_ms = (uint32_t)(now - r->since_ms),
                                    .attempt = r->attempt});
    r->why = NULL;
    r->by_ms = r->retry_at_ms = 0;
    past_tell_session(c);
    take_up(c);
    bridge_ready(&c->bridge);
    c->quiet_since_ms = now;
    call_speak_next(c);
    call_when_heard(c);
    call_release(c);
}

void resume_adopted(struct call *c)
{
    past_tell_session(c);
    if (past_waits_for_answer(c))
        turn_want(&c->turn);
    else
        call_own_words(c, RD_STR(TAKE_UP), OWN_INSTRUCTIONS);
}

/* --- before it expires ----------------------------------------------------------------------- */

void resume_on_expiry(void *arg, uint64_t in_ms)
{
    uint64_t early = in_ms / 4 < CALL_ROTATE_MS ? in_ms / 4 : CALL_ROTATE_MS;
    uint64_t late = in_ms / 8 < CALL_ROTATE_FORCE_MS ? in_ms / 8 : CALL_ROTATE_FORCE_MS;
    struct call *c = arg;

    if (in_ms == 0 || !c->o.reopen)
        return;
    call_hold(c);
    c->resume.rotate_at_ms = call_now(c) + in_ms - early;
    c->resume.force_at_ms = call_now(c) + in_ms - late;
    call_release(c);
}

static void next_ready(void *arg)
{
    struct call *c = arg;

    call_hold(c);
    c->resume.next_ready = true;
    call_release(c);
}

static void next_expiry(void *arg, uint64_t in_ms)
{
    struct call *c = arg;

    c->resume.next_expires_ms = call_now(c) + in_ms;
}

static void next_end(void *arg, enum leg_end why)
{
    struct call *c = arg;

    (void)why;
    call_hold(c);
    c->resume.next = NULL;
    c->resume.next_ready = false;
    if (c->resume.force_at_ms)
        c->resume.rotate_at_ms = call_now(c) + CALL_ROTATE_AGAIN_MS;
    call_release(c);
}

/* Nobody feeds it anything yet: what it says all the same means nothing. */
static void no_audio(void *arg, const struct provider_item *it, const struct audio_span *a)
{
    (void)arg, (void)it, (void)a;
}

static void no_audio_done(void *arg, const struct provider_item *it)
{
    (void)arg, (void)it;
}

static void no_speech(void *arg, uint32_t at_ms, struct rd_str item_id)
{
    (void)arg, (void)at_ms, (void)item_id;
}

static void no_commit(void *arg, struct rd_str item_id)
{
    (void)arg, (void)item_id;
}

static void no_place(void *arg, const struct provider_placed *p)
{
    (void)arg, (void)p;
}

static void no_words(void *arg, const struct provider_words *w)
{
    (void)arg, (void)w;
}

static void no_tool_call(void *arg, const struct provider_tool_call *t)
{
    (void)arg, (void)t;
}

static void no_response(void *arg, const struct provider_response *r)
{
    (void)arg, (void)r;
}

static void no_error(void *arg, const struct provider_error *e)
{
    (void)arg, (void)e;
}

static const struct provider_events next_events = {
    .on_ready = next_ready,
    .on_expiry = next_expiry,
    .on_audio = no_audio,
    .on_audio_done = no_audio_done,
    .on_speech_started = no_speech,
    .on_speech_stopped = no_speech,
    .on_committed = no_commit,
    .on_placed = no_place,
    .on_words = no_words,
    .on_tool_call = no_tool_call,
    .on_response = no_response,
    .on_usage = call_on_usage,
    .on_limits = call_on_limits,
    .on_error = no_error,
    .on_end = next_end,
};

static void open_next(struct call *c)
{
    struct resume *r = &c->resume;

    r->rotate_at_ms = 0;
    r->next_ready = false;
    r->next_expires_ms = 0;
    r->next = c->o.reopen(c->o.arg, &r->next_ops, &next_events, c);
    if (!r->next)
        r->rotate_at_ms = call_now(c) + CALL_ROTATE_AGAIN_MS;
}

static bool may_change_over(const struct call *c)
{
    const struct resume *r = &c->resume;

    if (!r->next || !r->next_ready || !call_has_model(c))
        return false;
    return call_due(r->force_at_ms, call_now(c)) || (call_is_quiet(c) && c->heard.n_turns == 0);
}

static void change_over(struct call *c)
{
    struct provider_leg *old = c->provider;
    const struct provider_ops *ops = c->provider_ops;

    c->provider = NULL;
    if (!resume_begin(c, "provider_expires")) { /* too many of late: it lives as long as it may */
        c->provider = old;
        resume_forget(c);
        return;
    }
    ops->forget(old);
}

/* --- deadlines ------------------------------------------------------------------------------- */

uint64_t resume_deadline_ms(const struct call *c)
{
    const struct resume *r = &c->resume;
    uint64_t at = call_earlier(r->by_ms, r->retry_at_ms);

    at = call_earlier(at, r->listen_until_ms);
    if (c->state != CALL_LIVE && c->state != CALL_LEAVING)
        return at;
    at = call_earlier(at, r->rotate_at_ms);
    if (r->next && r->next_ready)
        at = call_earlier(at, may_change_over(c) ? call_now(c) : r->force_at_ms);
    return at;
}

static void on_nothing_heard(struct call *c)
{
    c->resume.listen_until_ms = 0;
    turn_caller_stopped(&c->turn);
    if (c->heard.served)
        resume_finish_sentence(c);
    else
        turn_want(&c->turn);
}

void resume_tick(struct call *c, uint64_t now)
{
    struct resume *r = &c->resume;

    if (call_due(r->by_ms, now)) {
        r->by_ms = 0;
        call_provider_gone(c, "no new session in time");
    } else if (call_due(r->retry_at_ms, now)) {
        open_leg(c);
    } else if (call_due(r->listen_until_ms, now)) {
        on_nothing_heard(c);
    } else if (may_change_over(c)) {
        change_over(c);
    } else if (call_due(r->rotate_at_ms, now)) {
        open_next(c);
    }
}

void resume_forget(struct call *c)
{
    struct resume *r = &c->resume;

    if (r->next)
        r->next_ops->forget(r->next);
    r->next = NULL;
    r->next_ready = false;
    r->by_ms = r->retry_at_ms = r->listen_until_ms = r->rotate_at_ms = r->force_at_ms = 0;
}
