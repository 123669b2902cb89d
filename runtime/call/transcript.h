/* SPDX-License-Identifier: Apache-2.0 */
/* transcript.h - who said what, in the order of the conversation. Slots are reserved when the
 * provider places an item (behind the item it names) and filled whenever words arrive; turns come
 * out at the front, complete, and only in order. Loop thread only; allocates per turn, not per
 * frame.
 *
 * A turn is complete when its words are final and, for the agent, when it is known how much of it
 * the caller heard. One that never becomes complete holds the others back for 10 s at most. */
#ifndef CALL_TRANSCRIPT_H
#define CALL_TRANSCRIPT_H

#include "base/buf.h"
#include "ports/provider.h"
#include "ports/records.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    TRANSCRIPT_SLOTS = 64,
    TRANSCRIPT_ID = 96,
    TRANSCRIPT_NAME = 65,
    TRANSCRIPT_GONE = 16,
    TRANSCRIPT_HOLD_MS = 10000,
    TRANSCRIPT_TEXT_MAX = 16384
};

struct transcript_slot {
    char id[TRANSCRIPT_ID];
    enum provider_role role;
    struct buf text; /* as heard, once it is settled; of a tool its arguments */
    struct buf said; /* the whole of what was cut; empty: nothing was. Of a tool its output */
    char tool_id[TRANSCRIPT_ID], tool[TRANSCRIPT_NAME]; /* of a tool call that was made */
    uint64_t placed_ms;
    uint64_t worded_ms; /* its first words came; 0: none */
    uint64_t asked_ms;  /* the caller began to wait for it */
    struct turn_wait wait;
    bool final;   /* words are complete */
    bool settled; /* it is known how much was heard (always true for the caller) */
    bool interrupted;
    bool paused; /* it took its place while what was said must not be kept */
};

struct transcript_turn {
    uint32_t seq;
    const char *item_id;
    enum provider_role role;
    const char *text; /* as heard; "" when there were no words */
    const char *said; /* as spoken, when that is more; else "" */
    bool interrupted, paused;
    struct turn_wait wait;
};
typedef void(transcript_fn)(void *arg, const struct transcript_turn *t);

/* A tool was called here; its slot is gone when this returns. */
typedef void(transcript_tool_fn)(void *arg, const struct transcript_slot *s);

struct transcript {
    char gone[TRANSCRIPT_GONE][TRANSCRIPT_ID]; /* ring of agent items that came out: what trails
                                                  behind a cut was never heard */
    uint32_t n_gone;
    struct transcript_slot *slots[TRANSCRIPT_SLOTS]; /* owns; conversation order, oldest first */
    uint32_t n;
    uint32_t seq;
    uint32_t forced;             /* turns let go although incomplete */
    char sounded[TRANSCRIPT_ID]; /* an item that sounds and has no place yet */
    uint64_t sounded_asked_ms;
    struct turn_wait sounded_wait;
    bool paused; /* items placed from now on are marked */
    transcript_fn *turn;
    transcript_tool_fn *tool; /* NULL: nobody cares */
    void *arg;
};

void transcript_init(struct transcript *t, transcript_fn *turn, void *arg);
void transcript_fini(struct transcript *t);

/* Repeating for a known item moves nothing. */
void transcript_place(struct transcript *t, const struct provider_placed *p, uint64_t now_ms);

/* Words of an item; a place is made at the end for an item nobody placed. Final text replaces
 * fragments. */
void transcript_words(struct transcript *t, const struct provider_words *w, uint64_t now_ms);

/* The agent's item was heard to the end, or only heard_ms of total_ms: the text is cut in
 * proportion, at a word. Final words that trail behind a cut are `said`, as long as the turn has
 * not come out. */
void transcript_heard(struct transcript *t, struct rd_str item_id);
void transcript_cut(struct transcript *t, struct rd_str item_id, uint32_t heard_ms,
                    uint32_t total_ms);

/* The item's first sound: since `asked_ms` the caller waited for it. Its place may be made later. */
void transcript_sounds(struct transcript *t, struct rd_str item_id, const struct turn_wait *wait,
                       uint64_t asked_ms);

/* The words of an item so far. False: it is not here, or has come out. */
bool transcript_find(const struct transcript *t, struct rd_str item_id, struct rd_str *words,
                     bool *final);

/* A tool was called, and what came of it. False: the call is not here (any more). */
void transcript_tool(struct transcript *t, const struct provider_tool_call *call, uint64_t now_ms);
bool transcript_tool_output(struct transcript *t, struct rd_str call_id, struct rd_str output);

/* The session is over: what the agent was saying ends here. True: in the middle of a sentence. */
bool transcript_session_over(struct transcript *t);

/* What the caller said without words yet: the next session will hear it again, and either make a turn
 * of its own of it, or the turn here gets the item of that session. */
void transcript_forget_wordless(struct transcript *t);
void transcript_rename(struct transcript *t, struct rd_str id, struct rd_str now);

/* Lets out what is complete, and what has been waited for long enough. */
void transcript_flush(struct transcript *t, uint64_t now_ms);

/* When the front turn will have been waited for; 0: nothing waits. */
uint64_t transcript_deadline_ms(const struct transcript *t);

/* The call is over: lets out everything as it is. */
void transcript_finish(struct transcript *t);

#endif
