/* SPDX-License-Identifier: Apache-2.0 */
/* heard.c - what the caller said, until there are words for it.
 *
 * - a session takes a stretch of audio for a turn: remembered with its place in the bridge, which keeps it
 *   until the words are there.
 * - the session is lost: what has no words yet is fed to the next one, whose own turn detection makes a
 *   turn of it.
 * - it was answered already, by sound or by a tool: then it is fed again for its words only. It interrupts
 *   nobody, what the next session begins to say to it is cancelled, and its words take the place that they
 *   would have had. The answer goes on where it broke (resume.c).
 *
 * Failure modes: more turns without words than are remembered: the oldest counts as understood; a session
 * that hears another end than the one before, by more than a moment: the caller said more, which is
 * answered. */
#include "call/call_internal.h"

enum { SLACK_BYTES = 400 * AUDIO_BYTES_PER_MS }; /* a moment */

static void drop_first(struct heard_turn *turns, uint32_t *n)
{
    memmove(&turns[0], &turns[1], --*n * sizeof(turns[0]));
}

static bool was_heard_before(const struct call *c, uint32_t at_ms)
{
    return bridge_place(&c->bridge, at_ms) < c->heard.again_until;
}

/* The caller has something new to say: what was before is over. */
static void is_news(struct call *c)
{
    c->heard.served = false;
    c->heard.n_again = 0;
    c->resume.broken = false;
}

void heard_caller_starts(struct call *c, uint32_t at_ms)
{
    c->resume.listen_until_ms = 0;
    bridge_keep_all(&c->bridge);
    if (c->heard.n_turns == 0)
        bridge_let_go(&c->bridge, bridge_place(&c->bridge, at_ms));
    if (!was_heard_before(c, at_ms))
        is_news(c);
}

void heard_caller_stops(struct call *c, uint32_t at_ms)
{
    c->heard.speech_end = bridge_place(&c->bridge, at_ms);
}

/* What sounds is of a session before, or nothing does: it may be the answer to this. */
bool heard_is_no_barge_in(const struct call *c, uint32_t at_ms)
{
    return was_heard_before(c, at_ms) && c->turn.state == TURN_IDLE && !c->turn.aside;
}

void heard_committed(void *arg, struct rd_str item_id)
{
    struct call *c = arg;
    struct heard *h = &c->heard;
    struct heard_turn *t;

    h->spare = h->served && h->speech_end <= h->again_until + SLACK_BYTES;
    if (!h->spare) {
        is_news(c);
        h->answered = false;
    } else if (h->n_again > 0 && item_id.n > 0) {
        transcript_rename(&c->transcript, rd_str(h->again[0].item), item_id);
        drop_first(h->again, &h->n_again);
    }
    if (h->n_turns == CALL_HEARD_TURNS)
        drop_first(h->turns, &h->n_turns);
    t = &h->turns[h->n_turns++];
    t->end = h->speech_end;
    (void)rd_str_copy(t->item, sizeof(t->item), item_id);
    if (item_id.n == 0)
        heard_understood(c, item_id);
}

/* Turns get their words in any order; audio is let go from the front. */
void heard_understood(struct call *c, struct rd_str item_id)
{
    struct heard *h = &c->heard;

    for (uint32_t i = 0; i < h->n_turns; i++)
        if (rd_str_eq(rd_str(h->turns[i].item), item_id))
            h->turns[i].item[0] = '\0';
    while (h->n_turns > 0 && !h->turns[0].item[0]) {
        bridge_let_go(&c->bridge, h->turns[0].end);
        drop_first(h->turns, &h->n_turns);
    }
    if (h->n_turns == 0 && !c->turn.caller_speaking)
        bridge_keep_recent(&c->bridge);
}

/* --- one session after the other --- */

/* In front of those that the last session was fed again and had not come to. */
static void feed_again(struct heard *h)
{
    struct heard_turn turns[2 * CALL_HEARD_TURNS];
    uint32_t n = 0;

    for (uint32_t i = 0; i < h->n_turns; i++)
        if (h->turns[i].item[0])
            turns[n++] = h->turns[i];
    for (uint32_t i = 0; i < h->n_again; i++)
        turns[n++] = h->again[i];
    h->n_again = n < CALL_HEARD_TURNS ? n : CALL_HEARD_TURNS;
    memcpy(h->again, turns, h->n_again * sizeof(turns[0]));
}

bool heard_session_over(struct call *c, bool whole)
{
    struct heard *h = &c->heard;
    bool refeed = c->turn.caller_speaking || h->n_turns > 0;

    if (h->n_turns > 0) {
        if (h->again_until < h->turns[h->n_turns - 1].end)
            h->again_until = h->turns[h->n_turns - 1].end;
        h->served = h->answered && !c->turn.caller_speaking && whole;
        feed_again(h);
    }
    if (!h->served) {
        h->n_again = 0;
        transcript_forget_wordless(&c->transcript);
    }
    h->n_turns = 0;
    h->spare = false;
    return refeed;
}

bool heard_spares(struct call *c, struct rd_str response_id)
{
    struct heard *h = &c->heard;
    bool wanted = c->turn.wanted;

    if (!h->spare)
        return false;
    h->spare = false;
    (void)rd_str_copy(h->spared, sizeof(h->spared), response_id);
    turn_started(&c->turn, response_id);
    (void)turn_kill(&c->turn);
    (void)c->provider_ops->cancel(c->provider, response_id);
    c->turn.wanted = wanted;
    resume_finish_sentence(c);
    return true;
}

bool heard_is_spared(const struct call *c, struct rd_str response_id)
{
    return response_id.n > 0 && rd_str_eq(rd_str(c->heard.spared), response_id);
}
