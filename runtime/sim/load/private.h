/* SPDX-License-Identifier: Apache-2.0 */
/* private.h - a load and its calls, shared by load.c (run and report), caller.c (the telephone side)
 * and model.c (the model's side). */
#ifndef SIM_LOAD_PRIVATE_H
#define SIM_LOAD_PRIVATE_H

#include "base/now.h"
#include "sim/load/load.h"
#include "sim/load/wire.h"

enum {
    LOAD_FRAME_BYTES = 160,
    LOAD_FRAME_CHARS = 216,
    LOAD_DELTA_CHARS = 2136, /* 200 ms */
    LOAD_FRAMES_A_SECOND = 50,
    LOAD_MARKS = 64
};

enum load_kind { LOAD_COUNTS, LOAD_UNRULY, LOAD_BEYOND };

struct load_call {
    struct load *load;
    uint16_t number, life;
    enum load_kind kind;
    enum load_profile profile;
    const char *to; /* borrows: the number it calls */
    char sid[40];

    /* Telephone side: caller.c */
    struct wire_conn *carrier; /* first the webhook, then the stream */
    char path[512], host[64];  /* of the stream */
    uint64_t asked_us, play_until_us;
    struct {
        char name[40];
        uint64_t due_us;
    } marks[LOAD_MARKS]; /* ring, wait for their audio to have played */
    uint32_t first_mark, n_marks;
    uint64_t bytes_sent;
    uint32_t up_seq;
    struct load_order down_order;
    unsigned age;               /* frames sent */
    unsigned end_age, drop_age; /* when it ends, when it loses an end; 0: never */
    unsigned quiet, gone;       /* visits since no more audio is sent, since it is over */
    bool up, over, heard;
    bool disturbed; /* lost an end: what arrived of it says nothing */

    /* Model's side: model.c */
    struct wire_conn *model;
    unsigned wait;      /* visits until the next turn */
    unsigned step;      /* visits until the next delta */
    uint64_t speech_us; /* speech_started went out, clear is awaited; 0: no */
    uint64_t tool_us;   /* a function call went out, its output is awaited; 0: no */
    bool caller_speaks;
    unsigned turn, deltas_left;
    uint32_t down_seq, cut_seq; /* deltas from cut_seq on were cut off by the last barge-in */
    uint64_t bytes_arrived;
    struct load_order up_order;
};

struct load {
    struct load_opts o;
    struct load_report report;
    struct load_events events;
    struct wire *wire;
    struct wire_tls *model_tls, *carrier_tls; /* NULL: plain */
    struct load_call *calls;
    unsigned n_placed, n_over; /* without the unruly ones */
    unsigned n_beyond;         /* placed of those */
    bool unruly_placed, measuring;
    uint64_t started_us, all_up_us, measure_us, silent_us; /* 0: not yet */
};

/* load.c */
void load_call_renew(struct load_call *c); /* it is over: another one begins in its place */

/* caller.c */
int load_call_place(struct load_call *c);
void load_call_visit(struct load_call *c, uint64_t now_us); /* every 20 ms */
void load_call_hang_up(struct load_call *c);
void load_call_over(struct load_call *c);

/* model.c */
int load_model_start(struct load *l, int fd);
void load_model_drop(struct load_call *c);
void load_model_visit(struct load_call *c, uint64_t now_us); /* every 20 ms */

#endif
