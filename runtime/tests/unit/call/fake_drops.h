/* SPDX-License-Identifier: Apache-2.0 */
/* fake_drops.h - a model whose sessions are lost, in the conversation that test_drops.c plays on virtual time:
 * one world, drawn from one seed. A word is 200 ms of sound of its own, so that one that is lost, or fed
 * twice, shows. */
#ifndef TESTS_FAKE_DROPS_H
#define TESTS_FAKE_DROPS_H

#include "fake_call.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum {
    WORD_MS = 200,
    TURNS = 8,
    WORDS_MAX = 64,
    DROPS = 3 /* a fourth within a minute is the fallback's */
};

struct words {
    int n, at[WORDS_MAX];
};

struct caller {
    int first[TURNS + 1]; /* word of each turn; the last one: behind all */
    bool asks_tool[TURNS], cuts_in[TURNS];
    int turn;             /* that is next, or is being spoken */
    uint64_t since_ms;    /* speaks since; 0: does not */
    uint64_t silent_ms;   /* since then */
    bool answered;        /* something was heard since */
    uint64_t heard_ms;    /* the agent began to be heard, of late */
    uint32_t patience_ms; /* this time */
};

struct line {         /* to the caller's ear */
    uint32_t waiting; /* bytes not played yet */
    struct {
        struct carrier_mark mark;
        uint32_t behind; /* bytes that play before it */
    } marks[FAKE_MARKS];
    int n_marks;
};

enum voice_state { SILENT, ASKED, BEGUN };

struct voice { /* a response */
    enum voice_state state;
    uint64_t next_ms;
    uint32_t tag, left_ms;
    char response[16], item[16];
    bool cancelled, tells; /* fixed words, or instructions */
};

struct utterance {
    char item[16];
    struct words words;
    uint64_t understood_ms;
};

struct session {
    int number;
    const struct provider_events *ev;
    uint64_t ready_ms;
    bool ready, fails;
    /* ears */
    uint32_t heard, from, to; /* bytes: all, and of the sound that is being heard */
    bool sounding, told_start, told_stop;
    struct words current;
    struct utterance waiting[4]; /* committed, not understood */
    int n_waiting;
    /* voice: in the conversation, and beside it */
    struct voice voice[2];
    bool owes; /* a turn was committed while it spoke */
    uint32_t busy_tag;
    int names; /* so far */
    /* mind */
    unsigned knows[WORDS_MAX]; /* how often it was told, or heard, a word */
    bool knows_tool[TURNS];
    int last_word;
};

struct tool {
    char id[16];
    uint64_t due_ms; /* 0: none */
};

struct world {
    unsigned seed, random;
    uint64_t now_ms, timer_ms, started_ms;
    struct call *call;
    struct caller caller;
    struct line line;
    struct session model;
    int sessions, drops, resumed;
    uint64_t drop_ms[DROPS], lost_ms;
    struct tool tools[TURNS];
    unsigned runs[TURNS];
    struct words understood; /* as the records have it */
    uint32_t seq;
    bool answered; /* the last turn that was recorded is the agent's */
    char ended[32];
};

extern struct world w;

#define CHECK(what, ...)                                                                      \
    do {                                                                                      \
        if (!(what)) {                                                                        \
            print_message("seed %u at %u ms: ", w.seed, (unsigned)(w.now_ms - w.started_ms)); \
            fail_msg(__VA_ARGS__);                                                            \
        }                                                                                     \
    } while (0)

/* The world's own chance, from `from` to `to`. */
uint32_t drops_random(uint32_t from, uint32_t to);

/* The words of "w1 w2"; which turn of the caller a word is of. */
void drops_add_words(struct words *to, struct rd_str text);
int drops_turn_of(int word);

/* The model: a session is opened, is lost, and does what is due. */
extern const struct provider_ops drops_provider;
struct provider_leg *drops_open_session(void *arg, const struct provider_ops **ops,
                                        const struct provider_events *ev, struct call *c);
void drops_lose_session(void);
void drops_session_goes_on(struct session *m);

#endif
