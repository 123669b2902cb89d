/* SPDX-License-Identifier: Apache-2.0 */
/* notice.c - the notice (this is a machine, the call is recorded) must be heard.
 *
 * - It is the beginning of the opening. How much of the opening's sound it takes, its share of the
 *   words tells once all of that sound is there; before that, the pace of slow speech.
 * - Heard whole, as the ledger knows it: the call may be kept from then on (keeping.c).
 * - The caller talked over it, or the model broke off: it is said again after the next answer, at most
 *   twice.
 *
 * Failure modes: a notice that is never heard whole leaves a call of which no words are kept. */
#include "call/call_internal.h"

enum { NOTICE_REPEATS = 2, NOTICE_MS_PER_CHAR = 75, NOTICE_MARGIN_MS = 250 };

/* The item that carries it begins to be heard. */
void notice_begins(struct call *c, const struct provider_item *item)
{
    size_t n = strlen(c->brief->notice);
    struct notice *notice = &c->notice;

    if (c->own.kind != OWN_OPENING || n == 0 || strncmp(c->own.text, c->brief->notice, n) != 0)
        return;
    (void)rd_str_copy(notice->item, sizeof(notice->item), item->item_id);
    (void)rd_str_copy(notice->response, sizeof(notice->response), item->response_id);
    notice->whole = (uint32_t)strlen(c->own.text);
    notice->broken = false;
}

/* Where in the item's sound the notice is over. */
static uint64_t needed_ms(const struct call *c, uint32_t received_ms, bool done)
{
    size_t n = strlen(c->brief->notice);
    uint64_t share = (uint64_t)received_ms * n / c->notice.whole + NOTICE_MARGIN_MS;

    if (!done || c->notice.broken)
        return n * NOTICE_MS_PER_CHAR;
    return share < received_ms ? share : received_ms;
}

static void heard(struct call *c)
{
    c->notice.item[0] = '\0';
    c->notice.due = false;
    keeping_notice_heard(c);
}

static void not_heard(struct call *c)
{
    c->notice.item[0] = '\0';
    c->notice.due = !c->keeping.allowed && c->notice.repeats++ < NOTICE_REPEATS;
}

void notice_was_cut(struct call *c, const struct ledger_cut *cut)
{
    if (!c->notice.item[0] || strcmp(c->notice.item, cut->id) != 0)
        return;
    if (cut->heard_ms >= needed_ms(c, cut->received_ms, cut->done))
        heard(c);
    else
        not_heard(c);
}

void notice_response_over(struct call *c, const struct provider_response *r)
{
    if (c->notice.item[0] && r->state != PROVIDER_RESPONSE_COMPLETED &&
        rd_str_eq(rd_str(c->notice.response), r->response_id))
        c->notice.broken = true;
}

void notice_settle(struct call *c)
{
    struct ledger_progress p;

    if (!c->notice.item[0])
        return;
    if (ledger_progress(&c->ledger, rd_str(c->notice.item), &p)) {
        if (p.heard_ms >= needed_ms(c, p.received_ms, p.done))
            heard(c);
    } else if (c->notice.broken) { /* all there was of it was heard, and it was not all */
        not_heard(c);
    } else {
        heard(c);
    }
}

void notice_repeat(struct call *c)
{
    if (!c->notice.due || !c->spoke || c->own.state != OWN_NONE || c->turn.wanted ||
        c->tools.n > 0 || c->state != CALL_LIVE)
        return;
    c->notice.due = false;
    call_own_words(c, rd_str(c->brief->notice), OWN_OPENING);
}
