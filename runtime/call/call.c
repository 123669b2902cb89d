/* SPDX-License-Identifier: Apache-2.0 */
/* call.c - the life of a call: how it begins, which deadlines it has, and the one way it ends.
 *
 * - new: the caller's audio is kept; ready within 2.8 s, or the caller gets the fallback.
 * - live: hear.c and speak.c do the work; tick() watches the deadlines.
 * - end: the reason is told (so that the carrier's next question finds its answer), both legs are
 *   closed, the script is told, the totals are recorded, and when both legs have let go the call is
 *   freed; a leg that has not after 5 s is cut off. Whatever ends a call comes through call_end(), once; late events find it closing.
 *
 * Failure modes: a provider that is lost, silent or refuses: CALL_END_PROVIDER_FAILED; a script
 * that does not take its events: CALL_END_SCRIPT_FAILED; both lead to the number's fallback. */
#include "call/call_internal.h"

#include "base/err.h"
#include "base/log.h"

#include <errno.h>
#include <stdlib.h>

#define BIT(state) (1u << (state))

static const struct {
    const char *name;
    uint32_t next;
} states[] = {
    [CALL_CONNECTING] = {"connecting", BIT(CALL_LIVE) | BIT(CALL_CLOSING)},
    [CALL_LIVE] = {"live", BIT(CALL_LEAVING) | BIT(CALL_CLOSING)},
    [CALL_LEAVING] = {"leaving", BIT(CALL_LIVE) | BIT(CALL_CLOSING)},
    [CALL_CLOSING] = {"closing", BIT(CALL_ENDED)},
    [CALL_ENDED] = {"ended", 0},
};

static const char *const end_names[] = {
    [CALL_END_CALLER_HANGUP] = "caller_hangup",
    [CALL_END_AGENT_HANGUP] = "agent_hangup",
    [CALL_END_SILENCE] = "silence",
    [CALL_END_MAX_DURATION] = "max_duration",
    [CALL_END_PROVIDER_FAILED] = "provider_failed",
    [CALL_END_CARRIER_LOST] = "carrier_lost",
    [CALL_END_SCRIPT_FAILED] = "script_failed",
    [CALL_END_REFUSED] = "refused",
    [CALL_END_SHUTDOWN] = "shutdown",
    [CALL_END_OPERATOR] = "operator",
    [CALL_END_TRANSFERRED] = "transferred",
    [CALL_END_NODE_DRAINED] = "node_drained",
};

const char *call_end_name(enum call_end_reason why)
{
    return end_names[why];
}

const char *call_state_name(const struct call *c)
{
    return states[c->state].name;
}

uint64_t call_now(const struct call *c)
{
    return clock_ms(c->o.clock);
}

void call_record(struct call *c, const struct record *r)
{
    struct record copy = *r;

    if (copy.at_ms == 0)
        copy.at_ms = call_now(c) - c->start_ms;
    c->o.record(c->o.arg, &copy);
}

/* False when the table does not allow it: a late event cannot revive a call. */
static bool enter(struct call *c, enum call_state next)
{
    if (!(states[c->state].next & BIT(next)))
        return false;
    c->state = next;
    call_record(c, &(struct record){.type = RECORD_STATE, .text = rd_str(states[next].name)});
    return true;
}

void call_go_live(struct call *c)
{
    (void)enter(c, CALL_LIVE);
}

void call_tell_agent(struct call *c, enum agent_event_type type, struct rd_str id,
                     struct rd_str name, struct rd_str text, uint32_t number)
{
    struct agent_event e = {.type = type, .id = id, .name = name, .text = text, .number = number};

    if (c->o.agent(c->o.arg, &e) == 0 || type == AGENT_ENDED || type == AGENT_AWAY)
        return;
    log_error("call.script_lags", F_CALL(c->sid), F_STR("agent", c->brief->agent),
              F_FIX("the agent's hooks or tools do not keep up: look for loops and slow tools"));
    call_end(c, CALL_END_SCRIPT_FAILED);
}

bool call_fits(const struct call *c, const struct provider_ops *p)
{
    return (c->o.carrier_ops->formats & p->caps.formats & AUDIO_PCMU) != 0;
}

/* bridge_send_fn */
static int send_to_provider(void *arg, const struct audio_span *a)
{
    struct call *c = arg;

    return c->provider ? c->provider_ops->audio(c->provider, a) : RD_ESTATE;
}

/* What is let out at the end, unheard, does not count; what the caller said always does. */
static bool got_through(const struct call *c, const struct transcript_turn *t)
{
    if (t->role == PROVIDER_AGENT)
        return !t->interrupted && c->totals.first_audio_ms > 0 && c->state < CALL_CLOSING;
    return t->paused || t->text[0] != '\0';
}

/* transcript_fn */
static void on_turn(void *arg, const struct transcript_turn *t)
{
    struct call *c = arg;

    c->totals.turns++;
    if (t->role == PROVIDER_CALLER)
        heard_understood(c, rd_str(t->item_id)); /* or waited for in vain */
    past_turn(c, t);
    c->totals.opening_heard |= got_through(c, t);
    keeping_turn(c,
                 &(struct record){.type = RECORD_TURN,
                                  .role = t->role,
                                  .seq = t->seq,
                                  .id = rd_str(t->item_id),
                                  .text = rd_str(t->text),
                                  .said = rd_str(t->said),
                                  .interrupted = t->interrupted,
                                  .wait = t->wait},
                 t->paused);
    if (t->role == PROVIDER_AGENT && c->state < CALL_CLOSING)
        call_tell_agent(c, AGENT_SAID, rd_str(t->item_id), RD_STR(""), rd_str(t->text), t->seq);
}

static void rearm(struct call *c);

int call_new(struct call **out, const struct call_opts *o)
{
    struct call *c = calloc(1, sizeof(*c));

    if (!c)
        return -ENOMEM;
    c->o = *o;
    c->history = o->history ? o->history : history_new();
    if (!c->history || bridge_init(&c->bridge, send_to_provider, c)) {
        if (!o->history)
            history_free(c->history);
        free(c);
        return -ENOMEM;
    }
    (void)rd_str_copy(c->sid, sizeof(c->sid), rd_str(o->call_sid));
    c->brief = brief_ref(o->brief);
    c->carrier = o->carrier;
    ledger_init(&c->ledger);
    turn_init(&c->turn);
    transcript_init(&c->transcript, on_turn, c);
    c->transcript.tool = past_on_tool;
    keeping_init(c);
    c->start_ms = c->quiet_since_ms = c->last_frame_ms = call_now(c);
    c->answer_by_ms = c->start_ms + CALL_CONNECT_MS;
    call_record(c, &(struct record){.type = RECORD_STATE, .text = rd_str(call_state_name(c))});
    rearm(c);
    *out = c;
    return 0;
}

static void call_free(struct call *c)
{
    transcript_fini(&c->transcript);
    bridge_fini(&c->bridge);
    history_free(c->history);
    brief_unref(c->brief);
    free(c);
}

void call_set_provider(struct call *c, const struct provider_ops *ops, struct provider_leg *leg)
{
    call_hold(c);
    c->provider_ops = ops;
    if (leg && call_fits(c, ops)) {
        c->provider = leg;
        if (ops->caps.slow_start)
            c->answer_by_ms = c->start_ms + CALL_OTHER_MS;
    } else {
        if (leg)
            ops->close(leg);
        if (!failover_begin(c, "not opened"))
            call_end(c, CALL_END_PROVIDER_FAILED);
    }
    call_release(c); /* NOLINT(clang-analyzer-unix.Malloc): it is held, so it is still there */
}

struct call_totals call_totals(const struct call *c)
{
    struct call_totals t = c->totals;

    t.frames_in = c->bridge.frames;
    t.bytes_in = c->bridge.bytes;
    t.gap_ms = c->bridge.gap_ms;
    t.duration_ms = (uint32_t)(call_now(c) - c->start_ms);
    return t;
}

/* What was still playing counts as heard as far as the ledger knows. */
static void settle_what_was_heard(struct call *c)
{
    struct ledger_cut cuts[LEDGER_ITEMS];
    int n = ledger_interrupt(&c->ledger, clock_us(c->o.clock), cuts);

    for (int i = 0; i < n; i++) {
        notice_was_cut(c, &cuts[i]);
        if (cuts[i].truncate)
            transcript_cut(&c->transcript, rd_str(cuts[i].id), cuts[i].heard_ms,
                           cuts[i].received_ms);
    }
    transcript_finish(&c->transcript);
    keeping_finish(c);
}

static void record_end(struct call *c)
{
    struct call_totals totals = call_totals(c);

    call_record(c, &(struct record){.type = RECORD_ENDED,
                                    .reason = c->reason,
                                    .text = rd_str(call_end_name(c->reason)),
                                    .totals = &totals});
}

/* The stream is over, the caller is not gone: they are with somebody else, or their line broke and
 * the carrier asks what next. */
static bool goes_on(enum call_end_reason why)
{
    return why == CALL_END_TRANSFERRED || why == CALL_END_CARRIER_LOST;
}

void call_end(struct call *c, enum call_end_reason why)
{
    /* A goodbye was under way: that is what ended it. */
    if (why == CALL_END_CARRIER_LOST && c->state == CALL_LEAVING)
        why = c->reason;
    if (!enter(c, CALL_CLOSING))
        return;
    call_hold(c);
    c->reason = why;
    c->close_by_ms = call_now(c) + CALL_CLOSE_MS;
    settle_what_was_heard(c);
    resume_forget(c);
    c->o.closing(c->o.arg, why);
    if (c->provider)
        c->provider_ops->close(c->provider);
    if (c->carrier)
        c->o.carrier_ops->close(c->carrier);
    record_end(c);
    call_tell_agent(c, goes_on(why) ? AGENT_AWAY : AGENT_ENDED, RD_STR(""), RD_STR(""),
                    rd_str(call_end_name(why)), call_may_store(c));
    call_release(c);
}

void call_hang_up(struct call *c, enum call_end_reason why)
{
    if (c->state == CALL_CONNECTING) {
        call_end(c, why);
        return;
    }
    if (c->kept_open && why != CALL_END_OPERATOR)
        return;
    /* It was decided before the caller cut in: they have something to say. */
    if (why == CALL_END_AGENT_HANGUP && c->turn.caller_speaking)
        return;
    /* The carrier is about to end the stream; if we did, the caller could be lost in between. */
    if (why != CALL_END_OPERATOR && (call_is_transferring(c) || call_will_transfer(c)))
        return;
    if (!enter(c, CALL_LEAVING))
        return;
    call_hold(c);
    c->reason = why;
    c->leave_by_ms = call_now(c) + CALL_LEAVE_MS;
    /* Usually the goodbye was said with the request to hang up; if not, it is asked for. */
    c->turn.wanted = why == CALL_END_AGENT_HANGUP && !c->spoke;
    call_speak_next(c);
    call_when_heard(c);
    call_release(c);
}

/* The goodbye needs no model any more when it is already on its way to the caller. */
void call_provider_gone(struct call *c, const char *what)
{
    if (c->state == CALL_LEAVING && c->turn.state == TURN_IDLE && c->own.state == OWN_NONE) {
        call_when_heard(c);
        return;
    }
    c->totals.errors++;
    call_record(c, &(struct record){
                       .type = RECORD_ERROR, .name = RD_STR("provider"), .text = rd_str(what)});
    if (failover_begin(c, what))
        return;
    call_end(c, CALL_END_PROVIDER_FAILED);
}

/* --- the carrier leg's and the provider leg's last words --- */

void call_on_carrier_end(void *arg, enum leg_end why)
{
    static const enum call_end_reason reasons[] = {
        [LEG_CLOSED_BY_US] = CALL_END_CARRIER_LOST, [LEG_CLOSED_BY_PEER] = CALL_END_CALLER_HANGUP,
        [LEG_LOST] = CALL_END_CARRIER_LOST,         [LEG_REFUSED] = CALL_END_REFUSED,
        [LEG_PROTOCOL] = CALL_END_REFUSED,
    };
    struct call *c = arg;
    bool taken = (why == LEG_CLOSED_BY_PEER || why == LEG_LOST) && call_is_transferring(c);

    call_hold(c);
    c->carrier = NULL;
    /* Does nothing when that is why the leg ended. */
    call_end(c, taken ? CALL_END_TRANSFERRED : reasons[why]);
    /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): call_hold() above keeps it alive until here */
    call_release(c);
}

/* A goodbye that is on its way already needs no model. */
static bool is_worth_another(struct call *c, enum leg_end why)
{
    bool lost = why == LEG_LOST || why == LEG_CLOSED_BY_PEER;
    bool said = c->state == CALL_LEAVING && c->turn.state == TURN_IDLE && !c->turn.wanted &&
                c->own.state == OWN_NONE;

    if (!lost || said)
        return false;
    if (!c->provider_ops->caps.resumable && failover_begin(c, "connection lost"))
        return true;
    return resume_begin(c, "provider_lost");
}

void call_on_provider_end(void *arg, enum leg_end why)
{
    struct call *c = arg;

    call_hold(c);
    c->provider = NULL;
    if (c->state < CALL_CLOSING && !resume_retries(c, why) && !is_worth_another(c, why))
        call_provider_gone(c, why == LEG_REFUSED ? "refused" : "connection lost");
    /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): call_hold() above keeps it alive until here */
    call_release(c);
}

/* --- deadlines --- */

bool call_is_quiet(const struct call *c)
{
    return c->state == CALL_LIVE && call_has_model(c) && !c->keeping.paused &&
           !c->turn.caller_speaking && c->turn.state == TURN_IDLE && !c->turn.aside &&
           !c->turn.wanted && c->own.state == OWN_NONE && c->tools.n == 0 &&
           !ledger_playing(&c->ledger) && !call_is_transferring(c) && !call_will_transfer(c);
}

static void on_silence(struct call *c)
{
    c->quiet_since_ms = call_now(c);
    if (!c->kept_open && ++c->silences > c->brief->silence_times) {
        call_own_words(c, rd_str(c->brief->silence_bye), OWN_WORDS);
        call_hang_up(c, CALL_END_SILENCE);
        return;
    }
    call_tell_agent(c, AGENT_SILENCE, RD_STR(""), RD_STR(""), RD_STR(""), c->silences);
    if (c->state != CALL_LIVE) /* NOLINT(clang-analyzer-unix.Malloc): held, see call_tick() */
        return;
    call_own_words(c, rd_str(c->brief->still_there), OWN_WORDS);
    call_speak_next(c);
}

static void on_time_up(struct call *c)
{
    c->time_up = true;
    if (c->state == CALL_LEAVING)
        return; /* a goodbye is on its way already */
    call_own_words(c, rd_str(c->brief->time_up), OWN_WORDS);
    call_hang_up(c, CALL_END_MAX_DURATION);
}

bool call_spent(struct call *c)
{
    if (c->state != CALL_LIVE || c->time_up || c->kept_open)
        return false;
    on_time_up(c);
    return true;
}

static void on_late_tool(struct call *c, const struct toolcall *t)
{
    c->totals.errors++;
    log_error("tool.no_result", F_CALL(c->sid), F_STR("tool", t->name),
              F_FIX("the script thread did not answer; see its errors above"));
    call_tell_result(c, t, RD_STR("{\"error\":\"The tool did not answer.\"}"));
    c->quiet_since_ms = call_now(c);
    turn_want(&c->turn);
}

/* A leg that waits for its peer longer than it may is cut off: a call is over when it ended. */
static void on_stuck(struct call *c)
{
    c->close_by_ms = 0;
    log_error("call.stuck", F_CALL(c->sid), F_INT("carrier", c->carrier != NULL),
              F_INT("provider", c->provider != NULL),
              F_FIX("none, its connections were cut; often: the machine is too slow, look at "
                    "lag_worst_us in status"));
    if (c->provider)
        c->provider_ops->abort(c->provider);
    if (c->carrier)
        c->o.carrier_ops->abort(c->carrier);
}

bool call_is_ending(const struct call *c)
{
    return c->state >= CALL_CLOSING;
}

uint64_t call_overdue_ms(const struct call *c)
{
    uint64_t allowed = c->start_ms + c->brief->max_call_ms, now = call_now(c);

    return !c->kept_open && c->brief->max_call_ms > 0 && now > allowed ? now - allowed : 0;
}

uint64_t call_earlier(uint64_t a, uint64_t b)
{
    if (a == 0 || b == 0)
        return a + b;
    return a < b ? a : b;
}

static uint64_t stall_deadline_ms(const struct call *c)
{
    return c->turn.caller_speaking ? c->last_frame_ms + BRIDGE_STALL_MS : 0;
}

static uint64_t silence_deadline_ms(const struct call *c)
{
    return c->brief->silence_ms && call_is_quiet(c) ? c->quiet_since_ms + c->brief->silence_ms : 0;
}

static uint64_t time_up_ms(const struct call *c)
{
    uint64_t at = c->start_ms + c->brief->max_call_ms;

    if (c->time_up || c->kept_open || !c->brief->max_call_ms)
        return 0;
    at = at > c->transfer_by_ms ? at : c->transfer_by_ms;
    return at > c->transfer_until_ms ? at : c->transfer_until_ms;
}

static void rearm(struct call *c)
{
    uint64_t at = 0;

    if (c->state == CALL_CLOSING) {
        at = c->close_by_ms;
    } else {
        at = call_earlier(c->answer_by_ms, c->state == CALL_LEAVING ? c->leave_by_ms : 0);
        at = call_earlier(at, c->aside_by_ms);
        at = call_earlier(at, debt_waits(c) ? c->debt.retry_at_ms : 0);
        at = call_earlier(at, stall_deadline_ms(c));
        at = call_earlier(at, silence_deadline_ms(c));
        at = call_earlier(at, time_up_ms(c));
        at = call_earlier(at, resume_deadline_ms(c));
        at = call_earlier(at, c->keeping.resume_by_ms);
        at = call_earlier(at, c->transfer_until_ms);
        at = call_earlier(at, c->transfer_by_ms);
        at = call_earlier(at, toolcall_deadline_ms(&c->tools));
        at = call_earlier(at, transcript_deadline_ms(&c->transcript));
    }
    c->o.timer(c->o.arg, at);
}

void call_hold(struct call *c)
{
    c->held++;
}

/* One place knows when it is over. */
void call_release(struct call *c)
{
    if (--c->held > 0)
        return;
    if (c->state != CALL_CLOSING || c->carrier || c->provider) {
        rearm(c);
        return;
    }
    (void)enter(c, CALL_ENDED);
    c->o.timer(c->o.arg, 0);
    c->o.ended(c->o.arg, c->reason);
    call_free(c);
}

bool call_due(uint64_t at_ms, uint64_t now_ms)
{
    return at_ms != 0 && now_ms >= at_ms;
}

/* Those that leave the call alive; each looks at the state anew, because one may end the call. */
static void tick_live(struct call *c, uint64_t now)
{
    struct toolcall late;

    transcript_flush(&c->transcript, now);
    if (call_due(c->keeping.resume_by_ms, now))
        keeping_on_pause_over(c);
    if (call_due(c->transfer_until_ms, now))
        call_transfer_expired(c);
    if (call_due(c->transfer_by_ms, now))
        call_transfer_due(c);
    if (call_due(stall_deadline_ms(c), now)) {
        c->last_frame_ms = now;
        bridge_stalled(&c->bridge);
    }
    while (toolcall_take_late(&c->tools, now, &late))
        on_late_tool(c, &late);
    resume_tick(c, now);
    if (call_due(silence_deadline_ms(c), now))
        on_silence(c);
    /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): call_tick() holds it */
    call_speak_next(c);
}

void call_meter(struct call *c, struct metric_slot turns_ms)
{
    c->waiting.measured = turns_ms;
}

void call_tick(struct call *c)
{
    uint64_t now = call_now(c);

    call_hold(c);
    if (c->state == CALL_CLOSING) {
        if (call_due(c->close_by_ms, now))
            on_stuck(c);
    } else if (c->state == CALL_LEAVING && call_due(c->leave_by_ms, now)) {
        call_end(c, c->reason);
    } else if (call_due(c->answer_by_ms, now)) {
        call_on_no_answer(c);
    } else if (call_due(c->aside_by_ms, now)) {
        call_on_no_aside(c);
    } else if (call_due(time_up_ms(c), now)) {
        on_time_up(c);
    } else {
        tick_live(c, now);
    }
    /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): call_hold() above keeps it alive until here */
    call_release(c);
}
