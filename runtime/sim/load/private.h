/* SPDX-License-Identifier: Apache-2.0 */
/* private.h - a load and its calls, shared by load.c (run and report), load_caller.c (the
 * telephone side) and load_model.c (the model's side). */
#ifndef SIM_LOAD_PRIVATE_H
#define SIM_LOAD_PRIVATE_H

#include "io/http_client.h"
#include "io/ws.h"
#include "sim/listener.h"
#include "sim/load/load.h"

enum {
    LOAD_FRAME_BYTES = 160,
    LOAD_FRAME_CHARS = 216,
    LOAD_DELTA_CHARS = 2136,
    LOAD_STAMP_CHARS = 16, /* 12 bytes: magic, call, time in µs */
    LOAD_MARKS = 64
};

/* The first 12 bytes of a frame's sound, as base64 text: survives a node that passes sound through.
 */
void load_stamp(char out[LOAD_STAMP_CHARS], uint32_t call, uint64_t now_us);
bool load_read_stamp(const char *text, uint32_t *call, uint64_t *at_us);

struct load_call {
    struct load *load;
    uint32_t number;
    const char *unruly; /* borrows: the number it calls; NULL: one of those that count */
    char sid[40];

    /* Telephone side: load_caller.c */
    struct http_call *request;
    struct ws *carrier;
    uint64_t asked_us, next_frame_us, play_until_us;
    struct {
        char name[40];
        uint64_t due_us;
    } marks[LOAD_MARKS]; /* ring, wait for their audio to have played */
    uint32_t first_mark, n_marks;
    uint64_t bytes_sent;
    unsigned chunk;
    bool up, over;

    /* Model's side: load_model.c */
    struct ws *model;
    uint64_t next_turn_us, next_delta_us;
    uint64_t speech_us; /* speech_started went out, clear is awaited; 0: no */
    uint64_t tool_us;   /* a function call went out, its output is awaited; 0: no */
    bool caller_speaks;
    unsigned turn, deltas_left;
    uint64_t bytes_arrived;
};

struct load {
    struct load_opts o;
    struct load_report report;
    load_done_fn *done;
    void *arg;
    struct load_call *calls;
    unsigned n_placed, n_up, n_over; /* without the unruly ones */
    bool unruly_placed;
    struct loop_timer *tick;
    struct http_client *http;
    struct listener *listener;
    uint64_t started_us, all_up_us, stop_us;
    bool silent; /* the audio is over; what is under way may still arrive */
};

/* load_caller.c */
int load_call_place(struct load_call *c);
void load_call_tick(struct load_call *c, uint64_t now_us); /* every few ms */
void load_call_hang_up(struct load_call *c);
void load_call_over(struct load_call *c);

/* load_model.c */
int load_model_start(struct load *l, int fd);
void load_model_stop(struct load *l);
void load_model_tick(struct load_call *c, uint64_t now_us);

#endif
