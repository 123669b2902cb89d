/* SPDX-License-Identifier: Apache-2.0 */
/* keeping.c - what of a call may be kept: its words as records, its sound through the tap.
 *
 * - The notice comes first. Until it was heard whole, finished turns wait in memory and the tap hears
 *   nothing of the caller. Then its wording is recorded, the turns that waited follow in order, the tap begins.
 *   The script learns everything at once all the same: emergencies do not wait for a notice.
 * - While the caller says what must not be kept (card data), the provider gets silence instead, turns
 *   come out without their words and the tap hears nothing of the caller.
 *
 * Failure modes: a notice that is never heard whole: its call's turns come out at the end, without
 * words; more of them than memory is given to: the oldest likewise; a pause that nobody ends: ends by
 * itself, and its record says so. */
#include "call/call_internal.h"

#include "base/log.h"

#include <stdlib.h>

enum { HELD_TURNS = 128, HELD_BYTES = 256 * 1024 };

struct held_turn {
    struct held_turn *next;
    struct record record; /* its strings are in `words` */
    size_t n_words;
    char words[];
};

static struct rd_str put(char **at, struct rd_str s)
{
    struct rd_str copy = {*at, s.n};

    if (s.n > 0)
        memcpy(*at, s.p, s.n);
    *at += s.n;
    return copy;
}

static struct held_turn *held_turn_new(const struct record *r)
{
    size_t n = r->id.n + r->text.n + r->said.n;
    struct held_turn *h = malloc(sizeof(*h) + n);
    char *at;

    if (!h)
        return NULL;
    *h = (struct held_turn){.record = *r, .n_words = n};
    at = h->words;
    h->record.id = put(&at, r->id);
    h->record.text = put(&at, r->text);
    h->record.said = put(&at, r->said);
    return h;
}

static void tell_without_words(struct call *c, const struct record *r, const char *why)
{
    struct record bare = *r;

    bare.text = bare.said = RD_STR("");
    bare.withheld = why;
    call_record(c, &bare);
}

static void let_out_first(struct call *c)
{
    struct keeping *k = &c->keeping;
    struct held_turn *h = k->first;

    k->first = h->next;
    k->n_held--;
    k->held_bytes -= h->n_words;
    if (k->allowed || h->record.withheld)
        call_record(c, &h->record);
    else
        tell_without_words(c, &h->record, "before_notice");
    free(h);
}

static void hold_turn(struct call *c, const struct record *r)
{
    struct keeping *k = &c->keeping;
    struct held_turn *h = held_turn_new(r), **last = &k->first;

    while (k->n_held >= HELD_TURNS || (k->first && !h))
        let_out_first(c);
    if (!h) {
        tell_without_words(c, r, "before_notice");
        return;
    }
    while (*last)
        last = &(*last)->next;
    *last = h;
    k->n_held++;
    k->held_bytes += h->n_words;
    while (k->held_bytes > HELD_BYTES)
        let_out_first(c);
}

void keeping_init(struct call *c)
{
    c->keeping = (struct keeping){.allowed = c->brief->notice[0] == '\0' || c->o.notice_heard};
}

void keeping_turn(struct call *c, const struct record *r, bool paused)
{
    struct record turn = *r;

    turn.at_ms = call_now(c) - c->start_ms;
    if (paused && r->role == PROVIDER_CALLER) {
        turn.text = turn.said = RD_STR("");
        turn.withheld = "paused";
    }
    if (c->keeping.allowed)
        call_record(c, &turn);
    else
        hold_turn(c, &turn);
}

void keeping_live(struct call *c)
{
    struct keeping *k = &c->keeping;

    if (!k->allowed || k->begun)
        return;
    k->begun = true;
    k->tapped = c->o.tap && !k->paused;
    if (!c->o.tap)
        return;
    c->o.tap->begin(c->o.tap->arg, (uint32_t)(call_now(c) - c->start_ms));
    if (k->paused)
        c->o.tap->pause(c->o.tap->arg, true);
}

void keeping_notice_heard(struct call *c)
{
    if (c->keeping.allowed)
        return;
    c->keeping.allowed = true;
    call_record(c, &(struct record){.type = RECORD_NOTICE, .text = rd_str(c->brief->notice)});
    while (c->keeping.first)
        let_out_first(c);
    keeping_live(c);
}

void keeping_finish(struct call *c)
{
    while (c->keeping.first)
        let_out_first(c);
    c->keeping.tapped = false;
}

bool call_may_store(const struct call *c)
{
    return c->keeping.allowed;
}

/* --- the pause --- */

void call_pause(struct call *c, bool on, struct rd_str who)
{
    struct keeping *k = &c->keeping;

    if (c->state >= CALL_CLOSING || on == k->paused)
        return;
    call_hold(c);
    k->paused = on;
    k->resume_by_ms = on ? call_now(c) + CALL_PAUSE_MS : 0;
    k->tapped = k->begun && c->o.tap && !on;
    c->transcript.paused = on;
    bridge_mute(&c->bridge, on);
    c->quiet_since_ms = call_now(c);
    c->silences = 0;
    if (k->begun && c->o.tap)
        c->o.tap->pause(c->o.tap->arg, on);
    call_record(c, &(struct record){.type = RECORD_PAUSE, .on = on, .name = who});
    call_release(c);
}

void keeping_on_pause_over(struct call *c)
{
    log_warn("call.pause_over", F_CALL(c->sid), F_STR("agent", c->brief->agent),
             F_FIX("the agent paused the call and did not resume it: call call:resume()"));
    call_pause(c, false, RD_STR("limit"));
}

/* --- the tap: per frame, no lock, no allocation --- */

void keeping_caller(struct call *c, const struct audio_span *a, uint32_t at_ms)
{
    if (c->keeping.tapped)
        c->o.tap->caller(c->o.tap->arg, at_ms, a);
}

/* Also before it begins and while paused: what was sent then may still play when it is kept. */
void keeping_agent(struct call *c, const struct audio_span *a)
{
    if (c->o.tap)
        c->o.tap->agent(c->o.tap->arg, a);
}

void keeping_cleared(struct call *c)
{
    if (c->o.tap)
        c->o.tap->cleared(c->o.tap->arg);
}
