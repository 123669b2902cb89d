/* SPDX-License-Identifier: Apache-2.0 */
/* notice.c - the notice (this is a machine, the call is recorded) must be heard.
 *
 * - It is the beginning of the opening. How much of the opening's sound it takes, its share of the
 *   words tells once all of that sound is there; before that, the pace of slow speech.
 * - Heard whole, as the ledger knows it: the call may be kept from then on (keeping.c).
 * - The caller talked over it, or the model broke off: it is said again after the next answer, at most
 *   twice.
 * - A provider that also speaks when it likes may have said something else: there it counts once the
 *   transcript has most of its words, in their order.
 *
 * Failure modes: a notice that is never heard whole leaves a call of which no words are kept. */
#include "call/call_internal.h"

#include <ctype.h>

enum {
    NOTICE_REPEATS = 2,
    NOTICE_MS_PER_CHAR = 75,
    NOTICE_MARGIN_MS = 250,
    NOTICE_WORDS_PERCENT = 60 /* transcripts write numbers and names in their own way */
};

enum said { SAID, NOT_SAID, UNKNOWN_YET };

static bool is_letter(char ch)
{
    return isalnum((unsigned char)ch) || (unsigned char)ch >= 0x80;
}

/* The next word of the text, which moves on behind it; empty: there is none. */
static struct rd_str next_word(struct rd_str *text)
{
    struct rd_str word;

    while (text->n > 0 && !is_letter(text->p[0]))
        *text = (struct rd_str){text->p + 1, text->n - 1};
    word = (struct rd_str){text->p, 0};
    while (word.n < text->n && is_letter(text->p[word.n]))
        word.n++;
    *text = (struct rd_str){text->p + word.n, text->n - word.n};
    return word;
}

static bool same_word(struct rd_str a, struct rd_str b)
{
    return a.n == b.n && strncasecmp(a.p, b.p, a.n) == 0;
}

/* Are most of its words there, in their order? */
static bool holds_words(struct rd_str spoken, struct rd_str wanted)
{
    uint32_t n = 0, found = 0;

    for (struct rd_str word = next_word(&wanted); word.n > 0; word = next_word(&wanted)) {
        struct rd_str rest = spoken, other;

        n++;
        do
            other = next_word(&rest);
        while (other.n > 0 && !same_word(word, other));
        found += other.n > 0;
        spoken = other.n > 0 ? rest : spoken;
    }
    return found * 100 >= n * NOTICE_WORDS_PERCENT;
}

static enum said was_said(const struct call *c)
{
    struct rd_str words;
    bool final;

    if (!c->provider_ops->caps.own_voice)
        return SAID;
    if (!transcript_find(&c->transcript, rd_str(c->notice.item), &words, &final))
        return NOT_SAID;
    if (holds_words(words, rd_str(c->brief->notice)))
        return SAID;
    return final ? NOT_SAID : UNKNOWN_YET;
}

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
    if (cut->heard_ms >= needed_ms(c, cut->received_ms, cut->done) && was_said(c) == SAID)
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
    enum said said;

    if (!c->notice.item[0] || (said = was_said(c)) == UNKNOWN_YET)
        return;
    if (said == NOT_SAID) {
        not_heard(c);
        return;
    }
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
