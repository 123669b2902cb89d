/* SPDX-License-Identifier: Apache-2.0 */
/* floor.h - who has the floor on a GPT-Live leg, from the little that it tells: sound that never ends, and
 * words without turns. Made here of it: responses, items, turns, with ids. Loop's thread only; time comes
 * from outside.
 *
 *   agent:  silent ──sound loud enough to be speech──▶ speaks ──700 ms without, cancelled──▶ silent
 *   caller: silent ──words──▶ speaks ──1 s without words, or the agent speaks or acts──▶ silent
 *
 * Words of the caller over an agent who speaks on are no turn: the model alone decides whether it stops. It
 * has stopped once it was silent for 300 ms; what of it still plays is cleared then, which is little, as it
 * sends in real time. */
#ifndef PROVIDERS_LIVE_FLOOR_H
#define PROVIDERS_LIVE_FLOOR_H

#include "base/buf.h"
#include "ports/provider.h"
#include "providers/live/live.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    FLOOR_ID = 40,
    FLOOR_PREFIX = 16,
    FLOOR_PROMPTS = 8,
    FLOOR_WORDS_MAX = 16 * 1024,
    FLOOR_SILENT_MS = 700,  /* the agent has finished */
    FLOOR_YIELDED_MS = 300, /* and so long after its last sound a caller who speaks has the floor */
    FLOOR_PAUSE_MS = 1000,  /* without words: the caller has finished */
    FLOOR_LATE_MS = 800,    /* words that trail behind are still of the turn, or of the response */
    FLOOR_EARLY_MS = 1500,  /* words that come before their sound wait so long for it */
    FLOOR_PROMPT_MS = 4000, /* for the answer to a prompt to begin */
    FLOOR_SOON_MS = 1500,   /* …and so long the caller does not take the floor from it */
    FLOOR_DETECT_MS = 800,  /* words are told some time after they were begun */
};

struct floor_prompt {
    uint32_t tag;
    uint64_t asked_ms;
};

struct floor_agent {
    bool open, dead;     /* it speaks; what comes of it is dropped */
    uint64_t audible_ms; /* its last sound */
    struct floor_prompt prompt;
    uint32_t number; /* of the response and its item */
    char item[FLOOR_ID], response[FLOOR_ID];
    struct buf words;      /* owns; of the response, or of the next one */
    uint64_t early_ms;     /* when words came that belong to the next */
    bool owes_words;       /* the item was not told its final words yet */
    uint64_t words_due_ms; /* by then; 0: not before the response is over */
};

struct floor_caller {
    bool open;        /* there is an item whose words are not final */
    bool told;        /* the core knows that the caller speaks */
    uint64_t last_ms; /* of the last words */
    uint64_t due_ms;  /* the turn is over, and its words are final by then; 0: it goes on */
    uint32_t number, stop_ms;
    char item[FLOOR_ID];
    struct buf words; /* owns */
};

struct floor {
    const struct provider_events *up; /* borrows; NULL: nobody listens */
    void *up_arg;
    struct live_counts *counts; /* borrows */
    char prefix[FLOOR_PREFIX];  /* no two sessions of a call have the same ids */
    char placed[FLOOR_ID];      /* the item that took its place last */
    struct floor_prompt asked[FLOOR_PROMPTS];
    unsigned n_asked;
    struct floor_agent agent;
    struct floor_caller caller;
    uint64_t fed_bytes; /* of caller audio */
};

void floor_init(struct floor *f, unsigned session, struct live_counts *counts);
void floor_fini(struct floor *f);

/* What GPT-Live sends. Whoever is told may set `up` to NULL: then nothing more is told. */
void floor_sound(struct floor *f, const struct audio_span *a, bool audible, uint64_t now_ms);
void floor_words(struct floor *f, enum provider_role role, struct rd_str text, uint64_t now_ms);
void floor_acts(struct floor *f, uint64_t now_ms); /* it calls a function */

/* What the core wants. */
void floor_asked(struct floor *f, uint32_t tag, uint64_t now_ms);
int floor_cancel(struct floor *f, struct rd_str response_id); /* RD_EGONE: another session's */
void floor_fed(struct floor *f, size_t n_bytes);

/* An id of GPT-Live's as it is told, and back again. False: it is of another session, or too long. */
bool floor_told_id(const struct floor *f, struct rd_str own, char *out, size_t cap);
bool floor_own_id(const struct floor *f, struct rd_str told, struct rd_str *own);

/* Time passes. When it wants to be told again; 0: nothing waits. */
void floor_tick(struct floor *f, uint64_t now_ms);
uint64_t floor_due_ms(const struct floor *f, uint64_t now_ms);

/* The session is over, and what was said in it. */
void floor_over(struct floor *f, uint64_t now_ms);

#endif
