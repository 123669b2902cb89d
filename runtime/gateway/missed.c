/* SPDX-License-Identifier: Apache-2.0 */
/* missed.c - a caller who did not get through.
 *
 * - the stream ended before the greeting was over; or no stream came, and the carrier says that it
 *   is over; or we refused the call, or broke before it was answered
 * - that is a fact of the call, and, when the agent has a text for it, an errand
 *
 * Failure modes: no room for an errand, and the caller is not texted: said in the log. A call whose
 * ends are told twice, here or on two nodes, has one text: its id is made from the call's. */
#include "gateway/missed.h"

#include "base/log.h"
#include "base/now.h"
#include "gateway/trial.h"
#include "observe/metrics.h"

#include <errno.h>
#include <string.h>

enum { ORDER_MAX = 2048, BODY_MAX = 1024, NEVER_ANSWERED = -1 };

static const char *const names[] = {
    [MISSED_NOT] = "",
    [MISSED_GAVE_UP] = "gave_up",
    [MISSED_NOT_ANSWERED] = "not_answered",
    [MISSED_NO_CAPACITY] = "no_capacity",
    [MISSED_SCRIPT_FAILED] = "script_failed",
    [MISSED_FAILED] = "failed",
};

/* --- which calls --- */

enum missed missed_by_end(enum call_end_reason why, bool opening_heard)
{
    if (opening_heard)
        return MISSED_NOT;
    switch (why) {
    case CALL_END_CALLER_HANGUP:
        return MISSED_GAVE_UP;
    case CALL_END_SCRIPT_FAILED:
        return MISSED_SCRIPT_FAILED;
    case CALL_END_PROVIDER_FAILED:
    case CALL_END_CARRIER_LOST:
        return MISSED_FAILED;
    case CALL_END_AGENT_HANGUP:
    case CALL_END_SILENCE:
    case CALL_END_MAX_DURATION:
    case CALL_END_REFUSED:
    case CALL_END_SHUTDOWN: /* nobody is left to text */
    case CALL_END_OPERATOR:
    case CALL_END_TRANSFERRED:
    case CALL_END_NODE_DRAINED:
        break;
    }
    return MISSED_NOT;
}

/* Of callers, not of people we called. */
enum missed missed_by_status(struct rd_str status, struct rd_str direction)
{
    static const char *const not_answered[] = {"no-answer", "busy", "failed", "canceled"};

    if (direction.n > 0 && !rd_str_eq(direction, RD_STR("inbound")))
        return MISSED_NOT;
    for (size_t i = 0; i < sizeof(not_answered) / sizeof(not_answered[0]); i++)
        if (rd_str_eq(status, rd_str(not_answered[i])))
            return MISSED_NOT_ANSWERED;
    return MISSED_NOT;
}

/* A caller with too many calls at once has got through with the others. */
enum missed missed_by_refusal(const char *reason)
{
    static const struct {
        const char *reason;
        enum missed m;
    } refusals[] = {
        {"draining", MISSED_NO_CAPACITY},
        {"full", MISSED_NO_CAPACITY},
        {"agent_full", MISSED_NO_CAPACITY},
        {"rate_limit", MISSED_NO_CAPACITY},
        {"budget", MISSED_NO_CAPACITY},
        {"journal_full", MISSED_NO_CAPACITY},
        {"script_full", MISSED_NO_CAPACITY},
        {"no_memory", MISSED_NO_CAPACITY},
        {"script_failed", MISSED_SCRIPT_FAILED},
        {"script_late", MISSED_SCRIPT_FAILED},
        {"no_token", MISSED_FAILED},
        {"no_stream", MISSED_FAILED},
        {"webhook_gone", MISSED_FAILED},
    };

    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++)
        if (strcmp(refusals[i].reason, reason) == 0)
            return refusals[i].m;
    return MISSED_NOT;
}

/* --- what follows --- */

static int post(struct node *n, const struct missed_caller *c, struct json_members order)
{
    struct buf json;
    int rc;

    buf_init(&json, ORDER_MAX);
    rc = json_add_object(&json, order);
    if (!rc)
        rc = buf_text(&json) ? script_pool_errand(n->scripts, c->agent, "missed", json.data, 0, 0)
                             : -ENOMEM;
    buf_fini(&json);
    return rc;
}

static void ask_agent(struct node *n, const struct missed_caller *c, enum missed m,
                      uint64_t since_us, int64_t lasted_ms)
{
    struct agent_set *set = script_pool_agents(n->scripts);
    const struct agent_info *agent = set ? agent_by_name(set, rd_str(c->agent)) : NULL;
    char sid[DIRECTORY_SID];
    struct rd_str verstat = c->verstat.n ? c->verstat : (struct rd_str){NULL, 0};
    struct json_members order =
        JSON_MEMBERS(J_TEXT("call", c->sid), J_TEXT("from", c->from), J_TEXT("to", c->to),
                     J_STR("why", names[m]), J_INT("since_us", since_us), J_INT("ms", lasted_ms),
                     J_TEXT("verstat", verstat));
    int rc = agent && agent->answers_missed && c->trial != TRIAL_SYNTHETIC ? post(n, c, order) : 0;

    (void)rd_str_copy(sid, sizeof(sid), c->sid);
    if (rc)
        log_warn("missed.not_asked", F_CALL(sid), F_STR("agent", c->agent), F_ERR(rc),
                 F_FIX("too much is being done at once, so that caller gets no text: add a node"));
    agent_set_unref(set);
}

void missed_call(struct node *n, const struct directory_view *call, enum missed m)
{
    struct missed_caller c = {.sid = rd_str(call->sid),
                              .from = rd_str(call->from),
                              .to = rd_str(call->to),
                              .verstat = rd_str(call->verstat),
                              .agent = call->agent,
                              .trial = call->trial};
    uint64_t now_ms = monotonic_us() / 1000;

    if (!directory_settle(n->directory, call->call) || m == MISSED_NOT)
        return;
    metric_add(M_MISSED, 1);
    log_info("call.missed", F_CALL(call->sid), F_STR("agent", call->agent), F_STR("why", names[m]));
    keep_call(n->keep, call, "missed", JSON_MEMBERS(J_STR("why", names[m])));
    ask_agent(n, &c, m, call->admitted_unix_us,
              now_ms > call->admitted_ms ? (int64_t)(now_ms - call->admitted_ms) : 0);
}

static void keep_missed(struct node *n, const struct missed_caller *c, enum missed m,
                        uint64_t now_us)
{
    struct buf body;

    buf_init(&body, BODY_MAX);
    if (json_add_object(&body, JSON_MEMBERS(J_TEXT("call", c->sid), J_STR("agent", c->agent),
                                            J_TEXT("from", c->from), J_TEXT("to", c->to),
                                            J_STR("why", names[m]))) == 0)
        keep_late(n->keep, c->sid, now_us, "missed", (struct rd_str){body.data, body.n});
    buf_fini(&body);
}

void missed_caller(struct node *n, const struct missed_caller *c, enum missed m)
{
    uint64_t now_us = unix_us();
    char sid[DIRECTORY_SID];

    if (m == MISSED_NOT || !c->agent)
        return;
    (void)rd_str_copy(sid, sizeof(sid), c->sid);
    metric_add(M_MISSED, 1);
    log_info("call.missed", F_CALL(sid), F_STR("agent", c->agent), F_STR("why", names[m]));
    keep_missed(n, c, m, now_us);
    ask_agent(n, c, m, now_us, NEVER_ANSWERED);
}
