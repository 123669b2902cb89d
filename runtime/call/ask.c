/* SPDX-License-Identifier: Apache-2.0 */
/* ask.c - what is asked of the provider, and when: an answer to what is in the conversation, or words
 * of our own (opening, silence prompt, goodbye, fillers).
 *
 * Our own words have one slot and a life of their own:
 *
 *   WAITING --our turn--> ASKED --response began--> BEGUN --first audio--> none
 *      ^--- busy, refused, cut off before a sound: words to keep, and once more after a failure ---'
 *
 * Each prompt has a tag that comes back in its response or its error, so that a response which the
 * provider began by itself is never mistaken for ours. */
#include "call/call_internal.h"

uint32_t call_next_tag(struct call *c)
{
    return ++c->last_tag;
}

/* --- our own words --- */

void call_own_words(struct call *c, struct rd_str words, enum own_kind kind)
{
    bool kept = c->own.state != OWN_NONE && c->own.kind == OWN_OPENING;

    if (words.n == 0 || (kept && kind != OWN_OPENING))
        return;
    (void)rd_str_copy(c->own.text, sizeof(c->own.text), words);
    c->own.kind = kind;
    c->own.state = OWN_WAITING;
    c->own.response[0] = '\0';
}

/* Back into the queue if they must be said, else forgotten: what they answered is over. */
void own_put_off(struct call *c)
{
    if (c->own.state == OWN_NONE)
        return;
    c->own.state = c->own.kind == OWN_OPENING || c->own.kind == OWN_NEWS ? OWN_WAITING : OWN_NONE;
    c->own.response[0] = '\0';
}

bool own_is(const struct call *c, uint32_t tag)
{
    return tag != 0 && tag == c->own.tag;
}

static bool ask_own_words(struct call *c)
{
    struct own_words *own = &c->own;
    bool aside = own->kind == OWN_ASIDE;
    struct provider_prompt p = {.out_of_band = aside};

    if (own->state != OWN_WAITING)
        return false;
    if (!(aside ? turn_ask_aside(&c->turn) : turn_ask_own(&c->turn)))
        return false;
    if (own->kind == OWN_INSTRUCTIONS || own->kind == OWN_NEWS)
        p.instructions = rd_str(own->text);
    else
        p.exact_words = rd_str(own->text);
    p.tag = own->tag = call_next_tag(c);
    own->state = OWN_ASKED;
    (void)c->provider_ops->respond(c->provider, &p);
    if (aside)
        c->aside_by_ms = call_now(c) + CALL_ASIDE_MS;
    else
        debt_owe(c);
    return true;
}

/* --- asking --- */

void call_speak_next(struct call *c)
{
    struct provider_prompt as_the_session_says = {.out_of_band = false};

    if ((c->state != CALL_LIVE && c->state != CALL_LEAVING) || !call_has_model(c))
        return;
    if (debt_ask_moment(c) || debt_waits(c))
        return;
    notice_repeat(c);
    if (ask_own_words(c) || c->tools.n > 0 || call_is_transferring(c) || !turn_ask(&c->turn))
        return;
    as_the_session_says.tag = call_next_tag(c);
    (void)c->provider_ops->respond(c->provider, &as_the_session_says);
    debt_owe(c);
}

void call_when_heard(struct call *c)
{
    bool leaves = c->state == CALL_LEAVING;

    if (!(leaves || (c->state == CALL_LIVE && call_will_transfer(c))) || ledger_playing(&c->ledger))
        return;
    if (c->resume.why || c->resume.listen_until_ms)
        return;
    if (c->provider &&
        (c->own.state != OWN_NONE || c->turn.state != TURN_IDLE || c->turn.aside || c->turn.wanted))
        return;
    if (leaves)
        call_end(c, c->reason);
    else if (!c->turn.caller_speaking)
        call_transfer_due(c);
}

void call_say(struct call *c, struct rd_str words)
{
    if (c->state != CALL_LIVE)
        return;
    call_hold(c);
    call_own_words(c, words, OWN_ASIDE);
    call_speak_next(c);
    call_release(c);
}

void call_instruct(struct call *c, struct rd_str instructions)
{
    if (c->state != CALL_LIVE)
        return;
    call_hold(c);
    call_own_words(c, instructions, OWN_INSTRUCTIONS);
    call_speak_next(c);
    call_release(c);
}
