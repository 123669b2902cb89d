/* SPDX-License-Identifier: Apache-2.0 */
/* operator.c - what somebody outside the conversation wants of a call: that the model knows
 * something, that somebody else takes the caller.
 *
 * A transfer is the carrier's work; the script asks it to:
 *
 *   call_transfer() ─▶ "asked" ─▶ script ─▶ carrier ─▶ ends the stream: the call was TRANSFERRED
 *                                   └──── refused ───▶ "refused", why; the call goes on
 *
 * From "asked" on an end of the stream is taken for the carrier's yes, because it may come before
 * the script hears of it; and we do not close the stream ourselves, or the carrier could move on to
 * what follows it instead of to the new leg.
 *
 * Failure modes: nobody hears anything any more: after 30 s the call is an ordinary one again. */
#include "call/call_internal.h"

#include "base/err.h"

int call_whisper(struct call *c, struct rd_str text, bool now)
{
    int rc;

    if (c->state != CALL_LIVE || !c->provider)
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

bool call_is_transferring(const struct call *c)
{
    return c->transfer_until_ms != 0;
}

static void record_transfer(struct call *c, const char *state, struct rd_str to, struct rd_str why)
{
    call_record(
        c, &(struct record){.type = RECORD_TRANSFER, .id = rd_str(state), .name = to, .text = why});
}

/* From here on the end of the stream is the carrier's yes. */
static void begin_transfer(struct call *c, struct rd_str to)
{
    c->transfer_until_ms = call_now(c) + CALL_TRANSFER_MS;
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
    begin_transfer(c, to);
    call_release(c);
}

static void go_on(struct call *c)
{
    c->transfer_until_ms = 0;
    c->quiet_since_ms = call_now(c);
}

void call_transfer_refused(struct call *c, struct rd_str why, bool unknown)
{
    if (!call_is_transferring(c) || c->state >= CALL_CLOSING)
        return;
    call_hold(c);
    record_transfer(c, "refused", rd_str(c->transfer_to), why);
    if (!unknown)
        go_on(c);
    call_release(c);
}

void call_transfer_expired(struct call *c)
{
    go_on(c);
}
