/* SPDX-License-Identifier: Apache-2.0 */
/* call_internal.h - the struct behind call.h, shared by the few files that are the call: call.c
 * (its life), hear.c (what comes from the caller), speak.c (what comes from the provider),
 * response.c (its responses), ask.c (what is asked of it), debt.c (answers that do not come),
 * notice.c (what must be heard), heard.c (what there are no words for yet), resume.c (a session after the other), failover.c (a provider after the other), past.c (what a new one is told), keeping.c (what may be kept), operator.c (the operator's hand). */
#ifndef CALL_CALL_INTERNAL_H
#define CALL_CALL_INTERNAL_H

#include "base/buf.h"
#include "call/bridge.h"
#include "call/call.h"
#include "call/ledger.h"
#include "call/toolcall.h"
#include "call/transcript.h"
#include "call/turn.h"
#include "observe/turn.h"

enum call_state { CALL_CONNECTING, CALL_LIVE, CALL_LEAVING, CALL_CLOSING, CALL_ENDED };

enum {
    CALL_CONNECT_MS =
        2800,              /* provider not ready by then: the caller gets the fallback within 3 s */
    CALL_ANSWER_MS = 2500, /* the caller waits for an answer: a moment… */
    CALL_AGAIN_MS = 4000,  /* …a response that is running but silent is asked for again… */
    CALL_FALLBACK_MS = 6500,    /* …and then the fallback, which needs some time to be heard */
    CALL_ASIDE_MS = 4000,       /* words beside the conversation that do not come */
    CALL_UNFINISHED_MS = 15000, /* a response that made a sound, and then neither more nor an end */
    CALL_LEAVE_MS = 12000,      /* a goodbye that is never acknowledged */
    CALL_CLOSE_MS = 5000,       /* legs that do not let go */
    CALL_ERRORS_TOLD =
        10, /* provider errors in the log and the records, per call; all are counted */
    CALL_OWN_WORDS = 2048,
    CALL_RESUME_MS = 3000,      /* a new session, or the fallback */
    CALL_OTHER_MS = 5000,       /* the same with a provider that is slow to start */
    CALL_RESUME_RETRY_MS = 250, /* a leg that could not be opened is tried again */
    CALL_LISTEN_MS = 1500,      /* what was fed again must have been taken for speech by then */
    CALL_RESUMES = 3,           /* within… */
    CALL_RESUMES_MS = 60000, /* …this; one more, and something is wrong that they do not heal */
    CALL_ROTATE_MS = 60000,  /* before a session expires its successor is opened… */
    CALL_ROTATE_FORCE_MS = 10000, /* …and takes over, whatever is being said */
    CALL_ROTATE_AGAIN_MS = 5000,
    CALL_PAUSE_MS = 180000,   /* nothing kept; then it resumes by itself */
    CALL_TRANSFER_MS = 30000, /* a carrier that neither takes the caller nor refuses */
    CALL_DOUBT_MS = 5000,     /* the carrier did not say whether it will, and the caller waits */
    CALL_TRANSFER_TO = 80,
    CALL_TRANSFER_THEN = 512,
};

/* Words of our own that wait for their turn; ask.c has the picture. */
enum own_kind {
    OWN_WORDS,        /* say exactly this */
    OWN_OPENING,      /* the same, and it must be said: kept until it begins to be heard */
    OWN_INSTRUCTIONS, /* answer following this */
    OWN_NEWS,         /* the same, and it must be: what the caller waits to hear */
    OWN_ASIDE         /* exactly this, beside the conversation: the model need not know */
};

enum own_state { OWN_NONE, OWN_WAITING, OWN_ASKED, OWN_BEGUN };

struct own_words {
    char text[CALL_OWN_WORDS];
    enum own_kind kind;
    enum own_state state;
    uint32_t tag;           /* of the prompt; 0: never asked */
    char response[TURN_ID]; /* once begun */
};

/* The answer that the caller waits for; debt.c. */
struct debt {
    uint64_t since_ms;       /* 0: nothing is owed */
    uint64_t retry_at_ms;    /* nothing is asked for before */
    uint64_t limit_until_ms; /* what the provider said of its rate limit */
    uint32_t moment_tag;     /* of the prompt for the moment; 0: none */
    bool moment_due;
    bool excused;     /* the first deadline is over: the moment was asked for, if there is one */
    bool asked_again; /* the last one is the next */
};

/* The notice, while it is owed; notice.c. */
struct notice {
    char item[TURN_ID];     /* that carries it while it plays; empty: none */
    char response[TURN_ID]; /* of the item */
    uint32_t whole;         /* characters of the words that carry it */
    uint32_t repeats;
    bool due;    /* the caller talked over it: to be said again */
    bool broken; /* its response ended before all of it was spoken */
};

/* Caller audio that a session took for a turn and has not made words of yet. */
struct heard_turn {
    char item[TURN_ID]; /* empty: they came, before those of an older turn */
    uint64_t end;       /* its place in the bridge's audio */
};

enum { CALL_HEARD_TURNS = 4 };

/* What the caller said, until there are words for it; heard.c. */
struct heard {
    struct heard_turn turns[CALL_HEARD_TURNS]; /* oldest first */
    uint32_t n_turns;
    uint64_t speech_end; /* place where the caller last stopped */
    bool answered;       /* the model said or did something since the last turn was committed */

    /* What was a turn of a session before and is fed again. */
    uint64_t again_until;                      /* where it ends */
    bool served;                               /* it was answered: for its words only */
    struct heard_turn again[CALL_HEARD_TURNS]; /* then: as it was known before; oldest first */
    uint32_t n_again;
    bool spare;           /* the next answer is one too many… */
    char spared[TURN_ID]; /* …and this was one */
};

/* One provider session after the other; resume.c. */
struct resume {
    const char *why;   /* the session that was is gone; NULL: one is here */
    uint64_t since_ms; /* since then */
    uint64_t by_ms;    /* the next is here by then, or the fallback */
    uint64_t retry_at_ms;
    uint64_t recent_ms[CALL_RESUMES]; /* when the last ones began; 0: never */
    uint32_t n, attempt;
    bool refeed;              /* the caller said something that nobody understood yet */
    bool answer;              /* the model owes an answer to what is in the conversation */
    bool broken;              /* the agent was in the middle of a sentence */
    uint64_t listen_until_ms; /* what was fed again is being listened to; 0: nothing is */

    struct provider_leg *next; /* borrows: the successor while this session still lives */
    const struct provider_ops *next_ops;
    bool next_ready;
    uint64_t next_expires_ms, rotate_at_ms, force_at_ms;
};

/* The caller has spoken, and hears no answer yet; waiting.c. */
struct waiting {
    uint64_t since_ms;       /* 0: they do not wait */
    uint64_t tools_since_ms; /* tools run; 0: none does */
    uint32_t tool_ms;        /* and those that ran before */
    struct metric_slot measured;
};

/* The response that made the last sound, and the item it made it of. */
struct sounding {
    char response[TURN_ID], item[TURN_ID];
};

struct held_turn;

/* What may be kept; keeping.c. */
struct keeping {
    bool allowed; /* the notice was heard whole, or none is owed */
    bool begun;   /* the tap was told so */
    bool paused;
    bool tapped;             /* begun, and not paused: asked per frame */
    uint64_t resume_by_ms;   /* a pause ends by itself; 0: there is none */
    struct held_turn *first; /* owns; finished turns that wait for the notice, oldest first */
    size_t n_held, held_bytes;
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
    struct waiting waiting;
    struct sounding sounding;
    struct debt debt;
    struct notice notice;
    struct keeping keeping;
    struct heard heard;
    struct resume resume;
    struct history *history; /* owns */

    uint64_t start_ms;      /* monotonic: the stream started */
    uint64_t last_frame_ms; /* a caller frame came */
    uint64_t quiet_since_ms;
    uint64_t answer_by_ms; /* 0: the model owes nothing, nor the rest of a response */
    uint64_t aside_by_ms;  /* the same for words beside the conversation */
    uint64_t leave_by_ms;
    uint64_t close_by_ms;
    uint64_t transfer_until_ms; /* the carrier was asked to take the caller; 0: it was not */
    uint64_t transfer_by_ms;    /* it will be, once what is said was heard; 0: it will not */
    char transfer_to[CALL_TRANSFER_TO];
    char transfer_then[CALL_TRANSFER_THEN]; /* what the model is told if it comes to nothing */
    uint32_t silences, answers_missed;
    uint32_t last_tag; /* of our prompts */
    bool produced;     /* the running response made a sound or called a tool */
    bool kept_open;    /* nothing of ours ends it */
    bool time_up;
    bool spoke; /* the agent was heard since the caller last spoke */
    int held;   /* inside an event: the call may end, but stays until it is released */
    struct call_totals totals;
};

/* call.c */
void call_tell_agent(struct call *c, enum agent_event_type type, struct rd_str id,
                     struct rd_str name, struct rd_str text, uint32_t number);

/* Around every event and verb that may end the call or move a deadline. call_release() sets the
 * timer anew, or frees the call when both legs have let go. */
void call_hold(struct call *c);
void call_release(struct call *c);

uint64_t call_now(const struct call *c);
void call_provider_gone(struct call *c, const char *what);

void call_go_live(struct call *c); /* from CONNECTING, or LEAVING after all */

/* Is there a session that can be asked? */
bool call_has_model(const struct call *c);
bool call_is_quiet(const struct call *c); /* nobody speaks, and nothing is on its way */
uint64_t call_earlier(uint64_t a, uint64_t b);
bool call_due(uint64_t at_ms, uint64_t now_ms);

/* resume.c */
bool resume_begin(struct call *c, const char *why); /* false: not this one, not any more */
bool resume_retries(struct call *c,
                    enum leg_end why); /* the leg it waited for is gone; true: again */
void resume_ready(struct call *c);
void resume_adopted(struct call *c); /* a call that began elsewhere has its first session here */
void resume_on_expiry(void *arg, uint64_t in_ms);
uint64_t resume_deadline_ms(const struct call *c);
void resume_tick(struct call *c, uint64_t now);
void resume_forget(struct call *c);          /* the call is over */
void resume_finish_sentence(struct call *c); /* if one was broken */

void resume_with(struct call *c, const struct provider_ops *ops, struct provider_leg *leg);

/* failover.c: the other provider takes over; false: there is none. */
bool failover_begin(struct call *c, const char *why);
void failover_not_needed(
    struct call *c); /* its provider works: whatever was wrong with it is over */
bool call_fits(const struct call *c, const struct provider_ops *p); /* both speak one format */

/* heard.c */
void heard_caller_starts(struct call *c, uint32_t at_ms);
void heard_caller_stops(struct call *c, uint32_t at_ms);
bool heard_is_no_barge_in(const struct call *c, uint32_t at_ms);
void heard_committed(void *arg, struct rd_str item_id);
void heard_understood(struct call *c, struct rd_str item_id);

/* `whole`: no answer is unfinished that could not be gone on with. True: something is fed again. */
bool heard_session_over(struct call *c, bool whole);
bool heard_spares(struct call *c, struct rd_str response_id); /* true: it was cancelled */
bool heard_is_spared(const struct call *c, struct rd_str response_id);

/* past.c */
void past_turn(struct call *c, const struct transcript_turn *t);
void past_on_tool(void *arg, const struct transcript_slot *s); /* transcript_tool_fn */
void past_tool_output(struct call *c, struct rd_str id, struct rd_str output);
void past_tell_session(struct call *c);
void past_tell_tool(struct call *c, struct rd_str id); /* one that a session before called */
bool past_waits_for_answer(const struct call *c);

/* speak.c: lets turns out whose audio was heard to the end. */
void call_settle_heard(struct call *c);

void call_tell_result(struct call *c, const struct toolcall *t, struct rd_str output);

/* ask.c: what is due is asked for, if it is our turn. */
void call_speak_next(struct call *c);
void call_own_words(struct call *c, struct rd_str words, enum own_kind kind);
void own_put_off(struct call *c);                /* they were overtaken by the caller */
bool own_is(const struct call *c, uint32_t tag); /* is this the tag of our own words? */
void call_when_heard(struct call *c);            /* leaves, or transfers, when all was heard */
uint32_t call_next_tag(struct call *c);

/* waiting.c */
void waiting_begin(struct call *c);
void waiting_forget(struct call *c);
void waiting_tools(struct call *c); /* one began, or ended */
void waiting_over(struct call *c, struct rd_str item_id);

/* debt.c */
void debt_owe(struct call *c); /* the caller waits, now or since earlier: sets the deadline */
void debt_forgive(struct call *c);
void debt_pay(struct call *c);         /* a response produced something: it must go on, or end */
bool debt_waits(const struct call *c); /* for a rate limit */
bool debt_ask_moment(struct call *c);  /* true: asked for, and nothing else may be */
bool debt_is_moment(const struct call *c, uint32_t tag);
void debt_failed(struct call *c, const struct provider_response *r);
void call_on_limits(void *arg, const struct provider_limits *l);
void call_on_no_answer(struct call *c);
void call_on_no_aside(struct call *c);

/* notice.c */
void notice_begins(struct call *c, const struct provider_item *item);
void notice_was_cut(struct call *c, const struct ledger_cut *cut);
void notice_response_over(struct call *c, const struct provider_response *r);
void notice_settle(struct call *c); /* was it heard by now? */
void notice_repeat(struct call *c); /* puts it among our own words when it is due */

/* keeping.c */
void keeping_init(struct call *c);
void keeping_live(struct call *c); /* the conversation begins: what is allowed begins to be kept */
void keeping_notice_heard(struct call *c);
void keeping_turn(struct call *c, const struct record *r, bool paused);
void keeping_on_pause_over(struct call *c);
void keeping_finish(struct call *c); /* the end: what waits comes out, without words */
void keeping_caller(struct call *c, const struct audio_span *a, uint32_t at_ms);
void keeping_agent(struct call *c, const struct audio_span *a);
void keeping_cleared(struct call *c);

/* operator.c */
bool call_is_transferring(const struct call *c);
bool call_will_transfer(const struct call *c);
void call_transfer_due(struct call *c); /* what was being said was heard */
void call_transfer_expired(struct call *c);

/* response.c */
void call_on_response(void *arg, const struct provider_response *r);
void call_on_usage(void *arg, const struct provider_usage *u, struct rd_str raw);
void call_on_error(void *arg, const struct provider_error *e);
bool call_drop_aside(struct call *c);
void response_is_heard(struct call *c, const struct provider_item *item);

#endif
