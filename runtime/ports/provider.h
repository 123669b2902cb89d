/* SPDX-License-Identifier: Apache-2.0 */
/* provider.h - the shape of a provider leg: an AI voice that hears the caller and speaks.
 * All functions and events on the leg's media thread. Events may call back into the ops; after
 * on_end nothing may be called and no event follows. Strings and spans are borrowed for the call.
 *
 * A call may have several legs in a row, and two at once while it changes from one to the next. Ids of
 * responses, items and tool calls are never the same in two of them, whatever the provider repeats. */
#ifndef PORTS_PROVIDER_H
#define PORTS_PROVIDER_H

#include "base/history.h"
#include "base/str.h"
#include "ports/audio.h"
#include "ports/brief.h"
#include "ports/carrier.h" /* enum leg_end */

#include <stdbool.h>
#include <stdint.h>

struct provider_leg;

enum provider_billing { PROVIDER_BILLS_TOKENS, PROVIDER_BILLS_SECONDS };

/* What a provider can do; the call core asks instead of assuming. */
struct provider_caps {
    bool client_truncation; /* truncate() means something: the model knows what was not heard */
    bool turn_events;       /* it tells when the caller starts and stops speaking */
    bool exact_words;       /* respond() can speak given words, also beside the conversation */
    bool own_voice;  /* it speaks by itself when it likes: that words of ours were what it said is
                             * known from its transcript alone */
    bool resumable;  /* a session that is lost is worth another one */
    bool slow_start; /* it takes seconds until on_ready */
    enum provider_billing billing_unit;
    uint32_t
        formats; /* audio_format bits of the spans it takes and tells; what its own line carries
                       * is the leg's matter */
};

/* One piece of agent speech: which response, which conversation item, which part of it. */
struct provider_item {
    struct rd_str response_id;
    struct rd_str item_id;
    uint32_t content_index;
};

enum provider_role { PROVIDER_CALLER, PROVIDER_AGENT, PROVIDER_TOOL, PROVIDER_SYSTEM };

/* An item took its place in the conversation, behind previous_id (empty: at the front or unknown). */
struct provider_placed {
    struct rd_str item_id;
    struct rd_str previous_id;
    enum provider_role role;
};

struct provider_words {
    struct rd_str item_id;
    enum provider_role role;
    struct rd_str text; /* UTF-8; a fragment unless final */
    bool final;
    bool failed; /* final, and there are no words: unintelligible */
};

struct provider_tool_call {
    struct rd_str call_id, item_id, response_id, name;
    struct rd_str arguments; /* JSON text as the model wrote it: may be empty or broken */
};

enum provider_response_state {
    PROVIDER_RESPONSE_STARTED,
    PROVIDER_RESPONSE_COMPLETED,
    PROVIDER_RESPONSE_CANCELLED,
    PROVIDER_RESPONSE_INCOMPLETE,
    PROVIDER_RESPONSE_FAILED
};

/* Any of these may be missing (0) in what the provider reports. */
struct provider_usage {
    uint64_t text_in, text_in_cached, audio_in, audio_in_cached, text_out, audio_out;
    double seconds;     /* for providers that bill time, and transcription by duration */
    bool transcription; /* of what the caller said, billed by a model of its own: */
    const char *model;  /* NULL: the call's. Static */
};

struct provider_response {
    struct rd_str response_id;
    uint32_t tag; /* of the prompt it answers; 0: nobody asked for it (the provider's own turn) */
    enum provider_response_state state;
    bool out_of_band;            /* not part of the conversation: fixed words */
    bool limited;                /* FAILED, and a rate limit is why: it passes */
    struct provider_usage usage; /* zero while STARTED */
    struct rd_str raw_usage;     /* the provider's own JSON, kept for the record; may be empty */
    struct rd_str error_code, error_message;
};

/* A rate limit as the provider tells it; limit 0: it did not. */
struct provider_limit {
    uint64_t limit, remaining;
    uint32_t reset_ms; /* until all of it is there again */
};

struct provider_limits {
    struct provider_limit requests, tokens;
};

struct provider_error {
    struct rd_str code, message;
    uint32_t tag;    /* of the prompt it refuses; 0: of none */
    bool busy;       /* a response was already running: not an error, retry when it is done */
    bool benign;     /* nothing to cancel, truncate beyond the audio…: counted, ignored */
    bool fatal;      /* the session cannot go on: credentials, quota, model */
    const char *fix; /* what the operator can do; NULL when nothing */
};

struct provider_events {
    void (*on_ready)(void *arg); /* configured: audio may flow */
    /* What the provider calls this session, for its bills and its log. Before on_ready; may be left out. */
    void (*on_named)(void *arg, struct rd_str id);
    /* The provider ends this session by itself, in so many ms. Before on_ready; may repeat. */
    void (*on_expiry)(void *arg, uint64_t in_ms);
    void (*on_audio)(void *arg, const struct provider_item *it, const struct audio_span *a);
    void (*on_audio_done)(void *arg, const struct provider_item *it);
    /* at_ms: position in the caller audio of this session, as the provider counts it. */
    void (*on_speech_started)(void *arg, uint32_t at_ms, struct rd_str item_id);
    void (*on_speech_stopped)(void *arg, uint32_t at_ms, struct rd_str item_id);
    /* The caller audio up to here belongs to an item; it need not be re-fed after a resume. No item: its
     * words were told already. */
    void (*on_committed)(void *arg, struct rd_str item_id);
    void (*on_placed)(void *arg, const struct provider_placed *p);
    void (*on_words)(void *arg, const struct provider_words *w);
    void (*on_tool_call)(void *arg, const struct provider_tool_call *t);
    void (*on_response)(void *arg, const struct provider_response *r);
    void (*on_usage)(void *arg, const struct provider_usage *u, struct rd_str raw);
    void (*on_limits)(void *arg, const struct provider_limits *l);
    void (*on_error)(void *arg, const struct provider_error *e);
    /* The agent itself ended the conversation: the call is over once what it said was heard. */
    void (*on_hang_up)(void *arg);
    void (*on_end)(void *arg, enum leg_end why); /* once, last; the leg is freed afterwards */
};

/* What respond() should make the model do. */
struct provider_prompt {
    uint32_t tag;               /* comes back in the response, or in the error; never 0 */
    struct rd_str exact_words;  /* say exactly this, nothing else; empty: let the model answer */
    struct rd_str instructions; /* or: answer following this; empty: as the session says */
    bool out_of_band;           /* with exact_words: beside the conversation, may run in parallel */
};

struct provider_ops {
    const char *name;
    struct provider_caps caps;
    /* Never before on_ready, except close. 0, or RD_EFULL when the bounded output is full (the leg
     * then ends by itself). */
    int (*audio)(struct provider_leg *leg, const struct audio_span *a);
    int (*respond)(struct provider_leg *leg, const struct provider_prompt *p);
    /* RD_EGONE from these three: the id is of another session. */
    int (*cancel)(struct provider_leg *leg, struct rd_str response_id);
    int (*truncate)(struct provider_leg *leg, struct rd_str item_id, uint32_t content_index,
                    uint32_t audio_end_ms);
    int (*tool_result)(struct provider_leg *leg, struct rd_str call_id, struct rd_str output);
    /* Something the model shall know from now on and the caller does not hear. */
    int (*note)(struct provider_leg *leg, struct rd_str text);
    /* Something that was said or done before this session; in order, before anything is asked. A tool
     * that still runs is passed over: tell it again when its output is known. */
    int (*remember)(struct provider_leg *leg, const struct history_item *it);
    /* Who is told of what follows. */
    void (*set_events)(struct provider_leg *leg, const struct provider_events *ev, void *arg);
    void (*forget)(struct provider_leg *leg); /* closes; nobody is told anything any more */
    /* Orderly; on_end follows, at most 2 s later. Before it only on_usage may come: what the session has
     * cost, where only its end tells. */
    void (*close)(struct provider_leg *leg);
    void (*abort)(struct provider_leg *leg); /* whatever it waits for: on_end follows at once */
};

#endif
