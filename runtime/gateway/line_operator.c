/* SPDX-License-Identifier: Apache-2.0 */
/* line_operator.c - what operators want of a call, and who takes its caller. An operator's wish is a
 * fact of the call first, with who had it, and then done.
 *
 * Failure modes: a call that cannot do it (not live yet, ending) says so in its log; a transfer also
 * in its records, where the operator waits for it. Only the carrier can end a call whose caller is with
 * somebody else: that it did not is in the log (watchdog.not_ended). */
#include "gateway/line_private.h"

#include "base/err.h"
#include "base/log.h"
#include "base/now.h"
#include "observe/catalogue.h"

#include <errno.h>

enum { ORDER_MAX = 256 };

static void note(struct line *l, const char *action, struct rd_str detail, struct rd_str who)
{
    call_record(l->call,
                &(struct record){
                    .type = RECORD_OPERATOR, .name = rd_str(action), .text = detail, .id = who});
    log_info("call.operator", F_CALL(l->view.sid), F_STR("action", action), F_STR("who", who.p));
}

static void whisper(struct line *l, const struct message *m)
{
    int rc;

    note(l, "whisper", m->s[0], m->s[1]);
    rc = call_whisper(l->call, m->s[0], m->number != 0);
    if (rc)
        log_warn("call.whisper_lost", F_CALL(l->view.sid), F_ERR(rc),
                 F_FIX("the call was not live: whisper again once it is"));
}

int line_end_away(struct node *n, const struct directory_view *call, const char *who)
{
    struct buf json;
    int rc;

    if (!n->settings->twilio_sid[0] || !n->settings->twilio_tokens[0])
        return RD_ESTATE;
    buf_init(&json, ORDER_MAX);
    rc = json_add_object(&json, JSON_MEMBERS(J_STR("call", call->sid)));
    if (!rc)
        rc = buf_text(&json)
                 ? script_pool_errand(n->scripts, call->agent, "hang_up", json.data, 0, 0)
                 : -ENOMEM;
    buf_fini(&json);
    if (rc)
        return rc;
    (void)directory_settle(n->directory, call->call); /* missed it is not */
    line_tell(n, call,
              &(struct record){.type = RECORD_OPERATOR,
                               .at_ms = monotonic_us() / 1000 - call->admitted_ms,
                               .name = RD_STR("hang_up"),
                               .id = rd_str(who)});
    log_info("call.operator", F_CALL(call->sid), F_STR("action", "hang_up"), F_STR("who", who));
    return 0;
}

/* Nobody in particular: the agent. */
static void transfer(struct line *l, const struct message *m)
{
    if (m->s[1].n == 0) {
        call_transfer_when_heard(l->call, m->s[0]);
        return;
    }
    note(l, "transfer", m->s[0], m->s[1]);
    call_transfer(l->call, m->s[0]);
}

static void refused(struct line *l, const struct message *m)
{
    log_warn("call.transfer_refused", F_CALL(l->view.sid), F_STR("reason", m->s[0].p),
             F_FIX("the call goes on; correct what the reason says and transfer again"));
    call_transfer_refused(l->call, m->s[0], m->s[1], m->number != 0);
}

/* Said again and again until it has ended. */
static void spent(struct line *l)
{
    if (!call_spent(l->call))
        return;
    note(l, "hang_up", RD_STR("it has cost what a call may cost"), RD_STR("budget"));
    log_warn("call.spent", F_CALL(l->view.sid), F_FIX(catalogue_fix("call.", "spent")));
}

void line_operator(struct line *l, const struct message *m)
{
    switch (m->kind) {
    case CMD_OPERATOR_END:
        note(l, "hang_up", RD_STR(""), m->s[0]);
        call_hang_up(l->call, CALL_END_OPERATOR);
        break;
    case CMD_SPENT:
        spent(l);
        break;
    case CMD_WHISPER:
        whisper(l, m);
        break;
    case CMD_TRANSFER:
        transfer(l, m);
        break;
    case CMD_TRANSFER_BEGUN:
        call_transfer_begun(l->call, m->s[0]);
        break;
    case CMD_TRANSFER_REFUSED:
        refused(l, m);
        break;
    default:
        break;
    }
}
