/* SPDX-License-Identifier: Apache-2.0 */
/* events.h - reads the server events of GPT-Live. Parsed in place, nothing in them is trusted. Loop's
 * thread only.
 *
 * Fuzzed by tests/fuzz/fuzz_live.c. */
#ifndef PROVIDERS_LIVE_EVENTS_H
#define PROVIDERS_LIVE_EVENTS_H

#include "base/buf.h"
#include "base/json.h"
#include "providers/live/floor.h"

#include <stdbool.h>

enum { LIVE_ID_CHARS = 96, LIVE_TEXT_MAX = 256 * 1024, LIVE_CALLS = 16 };

/* An `error` object; each may be empty. */
struct live_error {
    struct rd_str type, code, message;
};

/* What concerns the session itself. */
struct live_events_owner {
    void (*on_started)(void *arg, struct rd_str id, uint64_t expires_unix_s);
    void (*on_seconds)(void *arg, double seconds); /* since the session began; may go back */
    void (*on_closed)(void *arg, struct rd_str reason);
    void (*on_error)(void *arg, const struct live_error *e);
    /* A function that cannot be handed on, one too many or without a name: it wants an answer all the same. */
    void (*on_unusable)(void *arg, struct rd_str call_id);
    /* Every function that the backend called was answered, and it waits to go on. */
    void (*on_answered)(void *arg);
};

struct live_events {
    struct floor *floor; /* borrows */
    const struct live_events_owner *owner;
    void *arg;
    struct live_counts *counts;
    struct buf text;             /* owns: a string with its escapes resolved, this event's */
    struct buf sound;            /* owns: audio as bytes, this event's */
    char backend[LIVE_ID_CHARS]; /* whose tokens these are if it does not say */
    char open[LIVE_CALLS][LIVE_ID_CHARS]; /* calls that wait for their output */
    unsigned n_open, n_answered;          /* of this round */
    bool backend_runs;                    /* a response of it goes on */
    const char *call;                     /* borrows; for the log; NULL: of none */
    bool said_unknown;                    /* the first unknown type was logged */
};

int live_events_init(struct live_events *e, struct floor *f,
                     struct live_counts *counts); /* -ENOMEM */
void live_events_fini(struct live_events *e);

/* One message. 0; RD_EPROTO when it is no event at all (counted, nothing was told). */
int live_events_feed(struct live_events *e, struct rd_str message, uint64_t now_ms);

/* The output of a call goes out; may tell on_answered. */
void live_events_answered(struct live_events *e, struct rd_str call_id);

#endif
