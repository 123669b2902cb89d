/* SPDX-License-Identifier: Apache-2.0 */
/* node_orders.c - what others want of a node while it runs: operators of a call of it, the control
 * socket and the admin API of the node itself. Each is passed to whoever can do it and returns at
 * once; a call's thread gets it as a message. Any thread. */
#include "gateway/node_orders.h"

#include "base/err.h"
#include "base/log.h"
#include "gateway/line.h"
#include "gateway/media_thread.h"
#include "gateway/numbers.h"
#include "gateway/reload.h"
#include "gateway/ringing.h"

#include <errno.h>
#include <stdlib.h>

static int command(struct node *n, const char *call_sid, enum call_command kind,
                   const char *const words[2], uint32_t number)
{
    struct rd_str s[] = {rd_str(words[0]), rd_str(words[1])};
    struct directory_view view;
    struct message *m;

    if (!directory_find(n->directory, rd_str(call_sid), &view))
        return RD_EGONE;
    if (view.state != DIRECTORY_TAKEN)
        return view.state == DIRECTORY_AWAY ? RD_ESTATE : RD_EGONE;
    m = message_new(MSG_CALL_COMMAND, view.call, s, 2);
    if (!m)
        return -ENOMEM;
    m->kind = (int)kind;
    m->number = number;
    return mailbox_post(n->media[view.media_thread]->mailbox, m);
}

void node_spent(void *node, const char *call_sid)
{
    (void)command(node, call_sid, CMD_SPENT, (const char *const[]){"", ""}, 0);
}

int node_hang_up(struct node *n, const char *call_sid, const char *who)
{
    struct directory_view view;

    if (directory_find(n->directory, rd_str(call_sid), &view) && view.state == DIRECTORY_AWAY)
        return line_end_away(n, &view, who);
    return command(n, call_sid, CMD_OPERATOR_END, (const char *const[]){who, ""}, 0);
}

unsigned node_hand_on(struct node *n, bool all)
{
    struct directory_view *views = calloc((size_t)n->settings->max_calls, sizeof(*views));
    size_t count = views ? directory_list(n->directory, views, (size_t)n->settings->max_calls) : 0;
    unsigned asked = 0;

    for (size_t i = 0; i < count; i++)
        if (views[i].state == DIRECTORY_TAKEN &&
            command(n, views[i].sid, CMD_HAND_ON, (const char *const[]){"", ""}, all) == 0)
            asked++;
    free(views);
    return asked;
}

int node_whisper(struct node *n, const char *call_sid, const char *text, bool now, const char *who)
{
    return command(n, call_sid, CMD_WHISPER, (const char *const[]){text, who}, now);
}

int node_transfer(struct node *n, const char *call_sid, const char *to, const char *who)
{
    return command(n, call_sid, CMD_TRANSFER, (const char *const[]){to, who}, 0);
}

void node_drain(struct node *n)
{
    directory_drain(n->directory);
}

int node_undrain(struct node *n)
{
    return directory_undrain(n->directory);
}

void node_leave(struct node *n)
{
    directory_leave(n->directory);
}

uint64_t node_reload(struct node *n)
{
    char why[256];

    if (n->tls_server && tls_server_reload(n->tls_server, why, sizeof(why)))
        log_error("tls.not_reloaded", F_STR("why", why),
                  F_FIX("the old certificate stays in use; mend the files"));
    return reload_ask(n->reload);
}

int node_reloaded(struct node *n, uint64_t ticket, struct buf *out)
{
    return reload_answer(n->reload, ticket, out);
}

uint64_t node_refresh_numbers(struct node *n)
{
    return numbers_refresh(n->numbers);
}

int node_ring(struct node *n, const char *json)
{
    return ringing_ring(n->ringing, json);
}

int node_rung(struct node *n, struct buf *out)
{
    return ringing_rung(n->ringing, out);
}

void node_ring_judged(struct node *n, bool good, struct rd_str json)
{
    ringing_judged(n->ringing, good, json);
}

int node_ask(struct node *n, const struct operation_order *o)
{
    return script_pool_operate(n->scripts, o);
}
