/* SPDX-License-Identifier: Apache-2.0 */
/* directory.h - every call of this node, from its first webhook until a while after its end: who
 * has it, how far it is, and what the carrier is told when it asks again. The one table all threads
 * share; each operation holds the lock for O(1) and never across I/O.
 *
 *   admit ──▶ OPENING ──offer──▶ OFFERED ──claim (once, by token)──▶ TAKEN ──release──▶ OVER
 *                │                │   ▲                               │                 ▲
 *                │                │   └──offer──── AWAY ◀────away─────┘                 │
 *                └────────────────┴────────────────┴───────── release ──────────────────┘
 *
 * AWAY: the caller is with somebody else, or rings there; or their stream broke, and the carrier is
 * about to ask how the call goes on. The stream is over, the call is not: it keeps its slots, its
 * script and the room there, until it is taken back or over.
 *
 * admit is also the admission: it takes a slot of the node, of the agent and of the caller, at once,
 * or says which of them is missing. A call that is over gives its slots back and stays findable
 * until its place is needed. */
#ifndef GATEWAY_DIRECTORY_H
#define GATEWAY_DIRECTORY_H

#include "base/buf.h"
#include "io/mailbox.h"
#include "ports/brief.h"
#include "ports/messages.h"
#include "ports/provider.h"

#include <stdbool.h>
#include <stdint.h>

struct directory;

enum directory_state {
    DIRECTORY_FREE,
    DIRECTORY_OPENING,
    DIRECTORY_OFFERED,
    DIRECTORY_TAKEN,
    DIRECTORY_AWAY,
    DIRECTORY_OVER
};

/* What /twilio/resume answers. */
enum directory_intent {
    INTENT_NONE,
    INTENT_HANG_UP,
    INTENT_FALLBACK,
    INTENT_AFTER_TRANSFER, /* hang up if somebody answered, else the fallback */
    INTENT_RESUME,         /* the stream broke, the call did not: a new stream */
    INTENT_HAND_ON /* another process goes on with it; here, if we are asked: the fallback */
};

/* So many streams are tried again within so long. */
enum { RESUMES_MAX = 3, RESUMES_WITHIN_MS = 60000 };

enum { DIRECTORY_SID = 40, DIRECTORY_AGENT = 64, DIRECTORY_NUMBER = 32, DIRECTORY_VERSTAT = 32 };

/* Where the call was sent. */
enum directory_system { DIRECTORY_UNDECIDED, DIRECTORY_OPENAI, DIRECTORY_VAPI };

/* A copy of one entry. */
struct directory_view {
    call_handle call;
    enum directory_state state;
    enum directory_intent intent;
    enum directory_system system;
    unsigned legs; /* streams it has had */
    char sid[DIRECTORY_SID];
    char agent[DIRECTORY_AGENT];
    char from[DIRECTORY_NUMBER], to[DIRECTORY_NUMBER];
    char verstat[DIRECTORY_VERSTAT]; /* what the carriers say about the caller's number */
    int trial;                       /* enum trial: we made this call ourselves */
    unsigned script_thread, media_thread;
    uint64_t nonce;            /* of the token that was handed out */
    uint64_t since_ms;         /* monotonic: it is in its state */
    uint64_t admitted_ms;      /* monotonic */
    uint64_t admitted_unix_us; /* the same moment by the calendar; adopted: when the call began */
    uint64_t epoch;            /* in which its facts are counted here */
};

/* max_per_caller 0: no limit. */
int directory_new(struct directory **out, unsigned max_calls, unsigned max_per_caller);
void directory_free(struct directory *d);

enum directory_refusal {
    REFUSAL_NONE,
    REFUSAL_DRAINING,
    REFUSAL_FULL,        /* all of max_calls */
    REFUSAL_AGENT_FULL,  /* the agent's own limit */
    REFUSAL_CALLER_FULL, /* max_per_caller */
    REFUSAL_RATE_LIMIT   /* the provider's tokens per minute (observe/quota.h) */
};

/* Who asks to be let in. Callers who withhold their number (whatever is no E.164) are nobody in
 * particular: only the agent's limit and the node's hold for them. */
struct directory_admission {
    struct rd_str sid, agent, from, to, verstat;
    unsigned agent_max; /* calls at once this agent takes; 0: no limit */
    int trial;          /* enum trial */
    uint64_t now_ms, now_unix_us;
    uint64_t
        epoch; /* of a call that was another process's, begun at now_unix_us; 0: it begins now */

    call_handle call;               /* out: the call, with 0 and RD_ESTATE */
    enum directory_refusal refusal; /* out: with RD_EFULL */
};

/* New call: 0. Known already (a repeated webhook): RD_ESTATE. No slot, or draining: RD_EFULL. */
int directory_admit(struct directory *d, struct directory_admission *a);

/* The caller got through, or did not: true for the first who says either. */
bool directory_settle(struct directory *d, call_handle h);

/* What the call used, before it is released: the next calls' share in the rate limit is learnt from
 * it. */
void directory_used(struct directory *d, call_handle h, const struct provider_usage *used,
                    uint64_t duration_ms);

/* The next number of the call's facts, 1, 2, 3…, for as long as the call is findable; when its
 * stream of facts began, and the epoch in which the numbers count. Unix µs. */
bool directory_stamp(struct directory *d, call_handle h, uint64_t *started_us, uint64_t *epoch,
                     uint32_t *seq);

/* Which script thread has the call, and the room reserved there: the entry owns it from now on.
 * False when the call is over already (Twilio may say so on another thread): then it stays the
 * caller's.
 */
bool directory_set_script(struct directory *d, call_handle h, unsigned script_thread,
                          struct credits *c);

/* The script will not have it after all; its room is the caller's again. NULL: the call is over. */
struct credits *directory_unset_script(struct directory *d, call_handle h);

/* The script agreed: a stream with this nonce may claim the call. Refs the brief. A second offer (a
 * repeated webhook) replaces the nonce. RD_EGONE, RD_ESTATE when it is taken or over. */
int directory_offer(struct directory *d, call_handle h, struct brief *brief, uint64_t nonce,
                    uint64_t now_ms);

/* What a claim hands over; the caller owns both from now on. */
struct directory_claim {
    struct directory_view view;
    struct brief *brief;
    struct credits *credits;
};

/* The stream is here. Once: RD_EAUTH when the nonce is old or used, RD_EGONE when the call is over.
 */
int directory_claim(struct directory *d, call_handle h, uint64_t nonce, unsigned media_thread,
                    struct directory_claim *out);

/* The caller is with somebody else; the room at the script comes back to the entry. False when the
 * call is not TAKEN any more: then the room stays the caller's. */
bool directory_away(struct directory *d, call_handle h, struct credits *credits, uint64_t now_ms);

/* Still AWAY, from now on anew: somebody else is tried. */
void directory_still_away(struct directory *d, call_handle h, uint64_t now_ms);

/* One more stream for a call whose last one broke: which attempt it is within the last minute, 1, 2…;
 * 0: too many (something is wrong that a new stream does not mend), or the call is not there. */
unsigned directory_resume(struct directory *d, call_handle h, uint64_t now_ms);

bool directory_get(struct directory *d, call_handle h, struct directory_view *out);
bool directory_find(struct directory *d, struct rd_str sid, struct directory_view *out);

void directory_intent(struct directory *d, call_handle h, enum directory_intent intent);
void directory_route(struct directory *d, call_handle h, enum directory_system system);

/* The call is over: gives the slot back, keeps the intent. With only_unclaimed, does nothing once a
 * stream has the call. True when it was released by this call: then `credits` (may be NULL) is what
 * the entry still owned. */
bool directory_release(struct directory *d, call_handle h, bool only_unclaimed,
                       struct credits **credits, struct directory_view *view);

/* Another process has this call: it is not found by its sid any more, and may come back as a new one.
 * Whoever has the handle can still use it. */
void directory_forget(struct directory *d, call_handle h);

/* No new calls from now on, until directory_undrain(). */
void directory_drain(struct directory *d);
/* New calls again. RD_ESTATE after directory_leave(): who leaves does not come back. */
int directory_undrain(struct directory *d);
void directory_leave(struct directory *d);

struct directory_counts {
    unsigned live, max, full; /* full: refused because no slot of the node was left */
    bool draining;
};
struct directory_counts directory_counts(struct directory *d);

/* Calls that are not over and that OpenAI has. Walks over all places. */
unsigned directory_on_openai(struct directory *d);

/* Calls that are not over; returns how many were written. */
size_t directory_list(struct directory *d, struct directory_view *out, size_t max);
/* The same in pieces, so that the lock is never held for long: start with *place 0; false when the
 * end was reached. At most `max` entries are written, *n says how many. */
bool directory_walk(struct directory *d, unsigned *place, struct directory_view *out, size_t max,
                    size_t *n);
const char *directory_state_name(enum directory_state s);

#endif
