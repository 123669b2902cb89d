/* SPDX-License-Identifier: Apache-2.0 */
/* failover.c - the provider cannot go on: the other one takes the call over.
 *
 *   refused, gone, silent ──▶ let go of ──▶ the other one's leg ──ready──▶ told what was (past.c), fed again
 *                                                 │                with what nobody understood, goes on
 *                                                 └── not within 5 s, refused: the fallback
 *
 * - before the conversation began: the other one begins it.
 * - in the middle: as with a new session of the same provider (resume.c), which is what it is to the call.
 *   What the agent had sent plays on, tools run on, the caller's audio is kept.
 *
 * Who the other one is, and whether the call may go there, its owner knows (call_opts.other). Each is told
 * as an alarm and a fact. */
#include "call/call_internal.h"

#include "base/log.h"
#include "observe/alarm.h"
#include "observe/catalogue.h"

#include <stdio.h>

static void tell(struct call *c, const char *from, const char *to, const char *why)
{
    const char *fix = catalogue_fix("call.", "failover");
    char text[ALARM_TEXT];

    log_error("call.failover", F_CALL(c->sid), F_STR("agent", c->brief->agent), F_STR("from", from),
              F_STR("to", to), F_STR("reason", why), F_FIX(fix));
    (void)snprintf(text, sizeof(text), "a call of %s went on with %s, because of %s: %s",
                   c->brief->agent, to, from, why);
    alarm_raise(ALARM_CRITICAL, "call.failover", from, text, fix);
    call_record(c, &(struct record){.type = RECORD_FAILOVER,
                                    .name = rd_str(from),
                                    .id = rd_str(to),
                                    .text = rd_str(why)});
}

static void let_go(struct call *c)
{
    struct provider_leg *old = c->provider;

    resume_forget(c);
    c->provider = NULL;
    if (old)
        c->provider_ops->forget(old);
}

void failover_not_needed(struct call *c)
{
    alarm_clear("call.failover", c->provider_ops->name);
}

bool failover_begin(struct call *c, const char *why)
{
    const struct provider_ops *ops = NULL;
    const char *from = c->provider_ops->name;
    struct provider_leg *leg;

    if (!c->o.other || c->state >= CALL_CLOSING)
        return false;
    leg = c->o.other(c->o.arg, &ops, &call_provider_events, c);
    if (!leg)
        return false;
    if (!call_fits(c, ops)) {
        ops->forget(leg);
        return false;
    }
    let_go(c);
    tell(c, from, ops->name, why);
    if (c->state == CALL_CONNECTING) {
        c->provider_ops = ops;
        c->provider = leg;
        c->answer_by_ms = call_now(c) + CALL_OTHER_MS;
    } else {
        resume_with(c, ops, leg);
    }
    return true;
}
