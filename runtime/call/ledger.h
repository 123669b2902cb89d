/* SPDX-License-Identifier: Apache-2.0 */
/* ledger.h - what was sent to the carrier and what the caller has really heard. The only source of
 * truth for barge-in, truncation and "may we hang up now". Pure, no allocation; loop thread only.
 *
 *   provider ──received──▶ item ──sent──▶ carrier ──played──▶ caller
 *                                            └──── mark ────▶ acknowledged
 *
 * Numbers are bytes of G.711 (8 bytes are 1 ms). An item is one piece of agent speech; items play
 * in the order they were begun. Invariant, whatever the order of events: heard <= acknowledged +
 * what can have played since <= sent <= received. Why time counts only between two marks of
 * unbroken playback: a carrier that ran dry plays later than we sent, and we must not claim what it
 * has not played yet. */
#ifndef CALL_LEDGER_H
#define CALL_LEDGER_H

#include "base/str.h"
#include "ports/carrier.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    LEDGER_ITEMS = 16,        /* unheard items at most; beyond that the oldest counts as heard */
    LEDGER_MARKS = 256,       /* marks that are out, 50 s of audio; beyond, time proves nothing */
    LEDGER_ID = 96,           /* longest provider id, terminator included */
    LEDGER_MARK_BYTES = 1600, /* a mark at least every 200 ms */
    LEDGER_FIRST_BYTES = 160, /* after silence a first mark comes early: it starts the clock */
    LEDGER_JITTER_MS = 20,    /* playback may lag behind its acknowledgement by a frame */
    LEDGER_TAIL_MS = 100      /* servers count an item a little shorter than its bytes */
};

struct ledger_item {
    char id[LEDGER_ID];
    uint32_t content_index;
    uint32_t number;   /* ours; in the marks */
    uint32_t received; /* bytes from the provider */
    uint32_t sent;     /* bytes handed to the carrier */
    uint32_t marked;   /* bytes covered by the newest mark */
    uint32_t acked;    /* bytes the carrier said it had played */
    bool spoken_aside; /* not part of the conversation: never truncated */
    bool done;         /* the provider has no more for it */
};

struct ledger_mark {
    uint32_t item, bytes;
};

struct ledger {
    struct ledger_item items[LEDGER_ITEMS]; /* ring, oldest first */
    uint32_t first, count;
    struct ledger_mark marks[LEDGER_MARKS]; /* ring of marks that are out, oldest first */
    uint32_t first_mark, n_marks;
    uint32_t next_number;
    uint32_t generation;  /* grows with each clear */
    uint64_t ack_us;      /* when the newest mark came back; 0: the clock stands */
    uint64_t heard_bytes; /* of items that are over */
    uint64_t cut_bytes;   /* sent, then cleared before it was heard */
    uint32_t given_up;    /* items dropped because there were too many */
};

/* What must be told to the provider about one item after an interruption. */
struct ledger_cut {
    const char *id; /* borrows from the ledger until the next ledger_ call */
    uint32_t content_index;
    uint32_t heard_ms, received_ms;
    bool truncate; /* the provider must forget the rest */
    bool done;     /* received_ms is all there was to be heard */
};

void ledger_init(struct ledger *l);

/* The item with this id and part, begun now if it is new. NULL when the id is too long. */
struct ledger_item *ledger_begin(struct ledger *l, struct rd_str id, uint32_t content_index,
                                 bool aside);

void ledger_received(struct ledger_item *it, uint32_t n_bytes);
void ledger_sent(struct ledger_item *it, uint32_t n_bytes);

/* The mark for everything sent of this item so far. */
struct carrier_mark ledger_mark(struct ledger *l, struct ledger_item *it);

/* A mark came back. False when it was not from this generation, or nonsense: ignored. */
bool ledger_ack(struct ledger *l, const struct carrier_mark *m, uint64_t now_us);

/* The provider has no more audio for this item. */
void ledger_done(struct ledger *l, struct rd_str id, uint32_t content_index);

/* Whatever was begun in the conversation is done: its response is over. */
void ledger_done_all(struct ledger *l);

/* The session is over: nothing more comes for anything. */
void ledger_session_over(struct ledger *l);

/* Does the conversation expect more sound of anything that was begun? */
bool ledger_unfinished(const struct ledger *l);

/* Is there agent audio the caller may still be hearing? */
bool ledger_playing(const struct ledger *l);

/* May more of this item be heard: is it still being generated, or playing? */
bool ledger_item_open(const struct ledger *l, struct rd_str id);

struct ledger_progress {
    uint32_t received_ms;
    uint32_t heard_ms; /* acknowledged; time since proves nothing here */
    bool done;         /* received_ms is all there is to be heard */
};

/* How far the item got. False: it is not here, or not any more: heard to its end, or cut. */
bool ledger_progress(const struct ledger *l, struct rd_str id, struct ledger_progress *out);

/* What the caller has heard of the item now, in bytes. */
uint32_t ledger_heard(const struct ledger *l, const struct ledger_item *it, uint64_t now_us);

/* The caller cut in and `clear` was sent: fills `cuts` (room for LEDGER_ITEMS) in playing order,
 * starts the next generation and forgets all items. Returns how many. */
int ledger_interrupt(struct ledger *l, uint64_t now_us, struct ledger_cut *cuts);

#endif
