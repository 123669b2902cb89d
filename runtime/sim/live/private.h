/* SPDX-License-Identifier: Apache-2.0 */
/* private.h - what the files of the GPT-Live double share: double.c (the door), session.c (one session),
 * check.c (what it accepts). */
#ifndef SIM_LIVE_PRIVATE_H
#define SIM_LIVE_PRIVATE_H

#include "io/ws.h"
#include "sim/live/double.h"
#include "sim/openai/ears.h"
#include "sim/openai/script.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

enum { SAYINGS_MAX = 16, CALLS_MAX = 8, WHY_MAX = 160 };

enum live_fault {
    LIVE_GOOD,
    LIVE_NO_START,
    LIVE_STUCK,
    LIVE_DROP_FIRST,
    LIVE_EXPIRE_FIRST,
    LIVE_NOISE,
    LIVE_HUGE
};

struct live_double {
    struct loop *loop;            /* borrows */
    struct listener *listener;    /* owns; NULL once stopped */
    struct openai_script *script; /* owns */
    struct live_peer *peers;      /* own themselves */
    FILE *log;                    /* owns; NULL: none */
    unsigned n_sessions, n_faulty;
    bool stopped;
};

/* A function that the backend called, and waits for. */
struct live_call {
    char id[32];
    const struct scenario_reply *reply;
    bool answered;
};

struct live_peer {
    struct live_peer *next;
    struct live_double *home; /* borrows */
    struct ws *ws;            /* borrows; NULL: closed */
    struct loop_timer *clock; /* owns */
    struct ears *ears;        /* owns */
    enum live_fault fault;
    unsigned number; /* of the double's sessions, */
    unsigned nth;    /* and of those that misbehave */
    unsigned jobs, ticks, next_id;
    bool started, closing;
    uint64_t started_ms;

    char *sayings[SAYINGS_MAX]; /* own; the first is being said, or made */
    unsigned n_sayings;
    bool making;
    uint8_t *speech; /* owns; µ-law of the first */
    size_t n_speech, sent, text_sent;

    uint64_t heard_from_ms;
    struct openai_cue cue;
    struct live_call calls[CALLS_MAX];
    unsigned n_calls;
};

/* 0, or -1 with what the service would say: an unknown member, a wrong type, a text that is too long. */
int live_check(const json_t *event, bool started, char why[WHY_MAX]);

int live_peer_new(struct live_peer **out, struct live_double *d, enum live_fault fault);
void live_peer_maybe_free(struct live_peer *p);
extern const struct ws_handlers live_peer_events;

/* Owns fact. */
void live_fact(struct live_double *d, json_t *fact);
void live_double_maybe_free(struct live_double *d);

#endif
