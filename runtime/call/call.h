/* SPDX-License-Identifier: Apache-2.0 */
/* call.h - one call: a carrier leg, a provider leg, an agent, and the rules between them. No
 * sockets, no Lua, no SQL, no clock of its own: everything comes through ports/, so that tests own
 * time. All functions on the call's media thread.
 *
 * A provider session that is lost is replaced meanwhile (call/resume.c): the state stays what it is.
 *
 *   CONNECTING --provider ready--> LIVE --goodbye to be heard--> LEAVING
 *        \____________\________________________\___ anything ends it --> CLOSING --legs gone-->
 * ENDED
 */
#ifndef CALL_CALL_H
#define CALL_CALL_H

#include "base/history.h"
#include "observe/families.h"
#include "ports/agent.h"
#include "ports/brief.h"
#include "ports/carrier.h"
#include "ports/clock.h"
#include "ports/provider.h"
#include "ports/records.h"
#include "ports/tap.h"

struct call;

struct call_opts {
    const char *call_sid;      /* copied */
    struct brief *brief;       /* refs */
    const struct clock *clock; /* borrows */
    const struct carrier_ops *carrier_ops;
    struct carrier_leg *carrier; /* its events must go to call_carrier_events, arg: the call */

    /* Another provider leg for the same brief, or NULL: there is none to be had now. NULL instead of the
     * function: a call is not resumed. */
    struct provider_leg *(*reopen)(void *arg, const struct provider_ops **ops,
                                   const struct provider_events *ev, struct call *c);

    /* The same with the other provider, because this one cannot go on; from then on `reopen` is about that
     * one. NULL: there is none, or it had its turn. NULL instead of the function: the same. */
    struct provider_leg *(*other)(void *arg, const struct provider_ops **ops,
                                  const struct provider_events *ev, struct call *c);
    struct history *history; /* takes, unless it fails; NULL: nothing was said yet */
    uint32_t resumes;        /* of this call within the last minute, elsewhere */
    bool resumed;      /* it goes on: no opening, no hooks, but the thread is taken up again */
    bool notice_heard; /* before; what is said may be kept */

    agent_post_fn *agent; /* to the script */
    record_fn *record;    /* to the records */

    const struct call_tap *tap; /* borrows until `ended`; NULL: nobody keeps the sound */

    /* Asks for call_tick() at this time (monotonic ms); 0: no more. */
    void (*timer)(void *arg, uint64_t at_ms);

    /* The call is about to let go of the carrier, for this reason: what Twilio will ask next must
     * find its answer. Before the stream is closed; once. */
    void (*closing)(void *arg, enum call_end_reason why);

    /* Nothing of the call is used any more; it is freed when this returns. Once. */
    void (*ended)(void *arg, enum call_end_reason why);
    void *arg;
};

extern const struct carrier_events call_carrier_events;
extern const struct provider_events call_provider_events;

/* -ENOMEM. The caller's audio is kept from now on. */
int call_new(struct call **out, const struct call_opts *o);

/* The provider leg being opened with call_provider_events; NULL: it could not be, the call ends. */
void call_set_provider(struct call *c, const struct provider_ops *ops, struct provider_leg *leg);

/* Where it counts how long the caller waits for each answer: of this agent, with this provider. */
void call_meter(struct call *c, struct metric_slot turns_ms);

void call_tick(struct call *c);

/* From the agent's script. */
void call_tool_result(struct call *c, struct rd_str tool_call_id, struct rd_str output, bool go_on);
void call_say(struct call *c, struct rd_str words);
void call_instruct(struct call *c, struct rd_str instructions);

/* The caller says what must not be kept (card data): until it is off again the provider hears silence,
 * the caller's turns come out without words, and the tap hears nothing. Ends by itself after 3
 * minutes. Keys still reach the script. `who` is for the record. */
void call_pause(struct call *c, bool on, struct rd_str who);

/* May anything of what is said be kept: was the notice heard whole, or is none owed? */
bool call_may_store(const struct call *c);

/* From outside: what the model shall know, which shapes its next answers; `now`: it answers at once.
 * RD_ESTATE when the call is not live. */
int call_whisper(struct call *c, struct rd_str text, bool now);

/* The carrier shall dial somebody else for the caller: the script asks it to, and the carrier takes
 * the caller by ending the stream. Each is told as RECORD_TRANSFER, refused ones with the reason. */
void call_transfer(struct call *c, struct rd_str to);

/* The same when the script asks the carrier already, by itself; whatever else was under way. */
void call_transfer_begun(struct call *c, struct rd_str to);

/* The agent itself wants it: the same once what is being said was heard, at most 12 s later. */
void call_transfer_when_heard(struct call *c, struct rd_str to);

/* The script could not have it done. `then`: what the model is told once it is sure; empty: nothing.
 * `unknown`: perhaps it will be all the same. */
void call_transfer_refused(struct call *c, struct rd_str why, struct rd_str then, bool unknown);

/* A fact about the call that others know, in its place among the call's own. */
void call_record(struct call *c, const struct record *r);

/* Ends the call once what is being said was heard, at most 12 s later. A caller who cuts in is
 * listened to: the call goes on, unless time is up. */
void call_hang_up(struct call *c, enum call_end_reason why);

/* Somebody's life may hang on this call: while on, neither silence nor its length nor its agent ends
 * it, and a goodbye under way is taken back. The caller, an operator and the carrier still do. */
void call_keep_open(struct call *c, bool on);

/* It has cost what it may: ends politely, as one that has been as long as it may. False: it is kept open,
 * or ends already. */
bool call_spent(struct call *c);

/* The process leaves: another one takes the call over. One that is kept open stays, unless `all`. */
void call_hand_on(struct call *c, bool all);

/* Ends the call now. One owner, one way: everything that ends a call comes here. */
void call_end(struct call *c, enum call_end_reason why);

/* It was ended, and its legs are letting go. */
bool call_is_ending(const struct call *c);

/* For how long it has been going on past the longest that its brief allows; 0: it has not. */
uint64_t call_overdue_ms(const struct call *c);

const char *call_state_name(const struct call *c);
const char *call_end_name(enum call_end_reason why);
struct call_totals call_totals(const struct call *c);

#endif
