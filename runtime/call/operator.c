/* SPDX-License-Identifier: Apache-2.0 */
/* operator.c - what somebody outside the conversation wants of a call: that the model knows
 * something, that nothing of ours ends it, that another process or somebody else takes the caller.
 *
 * A transfer is the carrier's work; the script asks it to:
 *
 *   call_transfer() ─▶ "asked" ─▶ script ─▶ carrier ─▶ ends the stream: the call was TRANSFERRED
 *        ▲                          └──── refused ───▶ "refused", why; the call goes on
 *        └── what is being said was heard, or 12 s ◀── call_transfer_when_heard(): the agent's own
 *
 * From "asked" on an end of the stream is taken for the carrier's yes, because it may come before
 * the script hears of it; and we do not close the stream ourselves, or the carrier could move on to
 * what follows it instead of to the new leg. What the caller says meanwhile is not answered, or they
 * would hear the first words of it; it is, once they stay.
 *
 * What the agent wanted is not over for the model before it knows: of a refusal it is told.
 *
 * Failure modes: nobody hears anything any more: after 30 s the call is an ordinary one again. */
#include "call/call_internal.h"

#include "base/err.h"

int call_whisper(struct call *c, struct rd_str text, bool now)
{
    int rc;

    if (c->state != CALL_LIVE || !call_has_model(c))
        return RD_ESTATE;
    call_hold(c);
    rc = c->provider_ops->note(c->provider, text);
    if (!rc && now) {
        turn_want(&c->turn);
        call_speak_next(c);
    }
    call_release(c);
    return rc;
}

void call_keep_open(struct call *c, bool on)
{
    call_hold(c);
    c->kept_open = on;
    c->silences = 0;
    if (on && c->state == CALL_LEAVING && c->reason != CALL_END_OPERATOR)
        call_go_live(c);
    call_release(c);
}

void call_hand_on(struct call *c, bool all)
{
    if (all || !c->kept_open)
        call_end(c, CALL_END_NODE_DRAINED);
}

bool call_is_transferring(const struct call *c)
{
    return c->transfer_until_ms != 0;
}

bool call_will_transfer(const struct call *c)
{
    return c->transfer_by_ms != 0;
}

static void record_transfer(struct call *c, const char *state, struct rd_str to, struct rd_str why)
{
    call_record(
        c, &(struct record){.type = RECORD_TRANSFER, .id = rd_str(state), .name = to, .text = why});
}

/* From here on the end of the stream is the carrier's yes. */
static void begin_transfer(struct call *c, struct rd_str to)
{
    c->transfer_by_ms = 0; /* whoever asks first */
    if (c->debt.since_ms)
        debt_forgive(c);
    c->transfer_until_ms = call_now(c) + CALL_TRANSFER_MS;
    c->transfer_then[0] = '\0';
    (void)rd_str_copy(c->transfer_to, sizeof(c->transfer_to), to);
    record_transfer(c, "asked", to, RD_STR(""));
}

void call_transfer(struct call *c, struct rd_str to)
{
    struct rd_str why = RD_STR("the call is not live: it begins, or ends already");

    if (call_is_transferring(c))
        why = RD_STR("a transfer is under way: wait until it is done or refused");
    if (c->state != CALL_LIVE || call_is_transferring(c)) {
        record_transfer(c, "refused", to, why);
        return;
    }
    call_hold(c);
    begin_transfer(c, to);
    call_tell_agent(c, AGENT_TRANSFER, RD_STR(""), RD_STR(""), to, 0);
    call_release(c);
}

void call_transfer_begun(struct call *c, struct rd_str to)
{
    if (c->state < CALL_LIVE || c->state >= CALL_CLOSING)
        return;
    call_hold(c);
    if (c->state == CALL_LEAVING)
        call_go_live(c); /* the carrier ends the stream now, not we */
    begin_transfer(c, to);
    call_release(c);
}

void call_transfer_when_heard(struct call *c, struct rd_str to)
{
    if (c->state != CALL_LIVE || call_is_transferring(c) || call_will_transfer(c)) {
        call_transfer(c, to); /* which says why not */
        return;
    }
    call_hold(c);
    c->transfer_by_ms = call_now(c) + CALL_LEAVE_MS;
    (void)rd_str_copy(c->transfer_to, sizeof(c->transfer_to), to);
    call_when_heard(c);
    call_release(c);
}

void call_transfer_due(struct call *c)
{
    char to[CALL_TRANSFER_TO];

    c->transfer_by_ms = 0;
    (void)rd_str_copy(to, sizeof(to), rd_str(c->transfer_to));
    call_transfer(c, rd_str(to));
}

static void go_on(struct call *c)
{
    c->transfer_until_ms = 0;
    c->quiet_since_ms = call_now(c);
    if (c->transfer_then[0] && c->state == CALL_LIVE)
        call_own_words(c, rd_str(c->transfer_then), OWN_NEWS);
    c->transfer_then[0] = '\0';
    if ((c->turn.wanted || c->turn.state != TURN_IDLE) && !c->answer_by_ms)
        debt_owe(c);
    call_speak_next(c);
}

void call_transfer_refused(struct call *c, struct rd_str why, struct rd_str then, bool unknown)
{
    if (!call_is_transferring(c) || c->state >= CALL_CLOSING)
        return;
    call_hold(c);
    record_transfer(c, "refused", rd_str(c->transfer_to), why);
    (void)rd_str_copy(c->transfer_then, sizeof(c->transfer_then), then);
    if (!unknown)
        go_on(c);
    else if (then.n > 0)
        c->transfer_until_ms = call_now(c) + CALL_DOUBT_MS;
    call_release(c);
}

void call_transfer_expired(struct call *c)
{
    go_on(c);
}
