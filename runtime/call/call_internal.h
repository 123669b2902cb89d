/* SPDX-License-Identifier: Apache-2.0 */
/* call_internal.h - the struct behind call.h, shared by the few files that are the call: call.c
 * (its life), hear.c (what comes from the caller), speak.c (what comes from the provider). */
#ifndef CALL_CALL_INTERNAL_H
#define CALL_CALL_INTERNAL_H

#include "base/buf.h"
#include "call/bridge.h"
#include "call/call.h"
#include "call/ledger.h"
#include "call/toolcall.h"
#include "call/transcript.h"
#include "call/turn.h"

enum call_state { CALL_CONNECTING, CALL_LIVE, CALL_LEAVING, CALL_CLOSING, CALL_ENDED };

enum {
    CALL_CONNECT_MS =
        2800,              /* provider not ready by then: the caller gets the fallback within 3 s */
    CALL_ANSWER_MS = 4000, /* the model owes an answer: ask again; twice: fallback */
    CALL_LEAVE_MS = 12000, /* a goodbye that is never acknowledged */
    CALL_CLOSE_MS = 5000,  /* legs that do not let go */
    CALL_OWN_WORDS = 2048,
    CALL_ERRORS_TOLD = 10 /* of a provider, in the log and the records; the others are counted */
};

/* Words of our own (opening, silence prompt, goodbye) that wait for their turn. */
struct own_words {
    char text[CALL_OWN_WORDS];
    bool pending; /* not yet begun by the provider */
    bool asked;   /* response.create was sent for them */
    bool exact;   /* say exactly this; else: answer following this */
    bool aside;   /* beside the conversation: the model need not know that it was said */
};

/* The carrier's and the provider's events, one table each: hear.c, speak.c. */
void call_on_carrier_end(void *arg, enum leg_end why);
void call_on_provider_end(void *arg, enum leg_end why);

struct call {
    struct call_opts o;
    char sid[64];
    enum call_state state;
    enum call_end_reason reason;
    struct brief *brief; /* refs */

    struct carrier_leg *carrier; /* borrows; NULL once gone */
    const struct provider_ops *provider_ops;
    struct provider_leg *provider; /* borrows; NULL once gone */

    struct ledger ledger;
    struct turn turn;
    struct bridge bridge;
    struct transcript transcript;
    struct toolcalls tools;
    struct own_words own;

    uint64_t start_ms;      /* monotonic: the stream started */
    uint64_t last_frame_ms; /* a caller frame came */
    uint64_t quiet_since_ms;
    uint64_t answer_by_ms; /* 0: the model owes nothing */
    uint64_t leave_by_ms;
    uint64_t close_by_ms;
    uint32_t silences, answers_missed;
    bool time_up;
    bool spoke; /* the agent was heard since the caller last spoke */
    int held;   /* inside an event: the call may end, but stays until it is released */
    struct call_totals totals;
};

/* call.c */
void call_record(struct call *c, const struct record *r);
void call_tell_agent(struct call *c, enum agent_event_type type, struct rd_str id,
                     struct rd_str name, struct rd_str text, uint32_t number);

/* Around every event and verb that may end the call or move a deadline. call_release() sets the
 * timer anew, or frees the call when both legs have let go. */
void call_hold(struct call *c);
void call_release(struct call *c);

uint64_t call_now(const struct call *c);
void call_provider_gone(struct call *c, const char *what);

void call_go_live(struct call *c); /* from CONNECTING, or LEAVING after all */

/* speak.c: lets turns out whose audio was heard to the end. */
void call_settle_heard(struct call *c);

/* speak.c: asks the provider for what is due, if it is our turn. */
void call_speak_next(struct call *c);
void call_own_words(struct call *c, struct rd_str words, bool exact, bool aside);
void call_maybe_leave(struct call *c); /* hangs up when the goodbye was heard */

#endif
