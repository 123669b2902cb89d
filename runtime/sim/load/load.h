/* SPDX-License-Identifier: Apache-2.0 */
/* load.h - many calls against one node, cheap enough for one processor: it plays both the telephone
 * network and the model, stamps every frame with its call, its number and the time, and measures
 * what the node adds on the way. One thread, one epoll.
 *
 *   caller legs ──frames, 20 ms──▶ node ──▶ model legs          up: caller to model
 *   caller legs ◀──deltas──────── node ◀── model legs           down: model to caller
 *   model leg: speech_started ──▶ node ──▶ clear: caller leg    barge-in
 *
 * Against a byte relay (`relay`) the same two ends talk to each other through it: that is the floor. */
#ifndef SIM_LOAD_LOAD_H
#define SIM_LOAD_LOAD_H

#include "sim/load/figures.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a call is like. */
enum load_profile {
    LOAD_TALK, /* the agent speaks in turns, 200 ms at a time, and is cut in upon in every second */
    LOAD_LISTEN, /* it greets, and then the caller speaks */
    LOAD_BARGE,  /* it is cut in upon in every turn */
    LOAD_TOOL,   /* it calls its tool `steady` in every turn */
    LOAD_PASS,   /* one frame each 20 ms in both directions, and nothing else */
    LOAD_PROFILES
};

/* Shares of the calls, in any unit. */
struct load_mix {
    unsigned share[LOAD_PROFILES];
};

/* "talk=60,listen=20,barge=10,tool=10", or one name. RD_EPROTO for anything else. */
int load_mix_read(struct load_mix *m, const char *text);
enum load_profile load_mix_of(const struct load_mix *m, unsigned call); /* even over few calls */

struct load_opts {
    const char *node_url;        /* where webhooks go, also what the node believes to be its URL */
    uint16_t relay;              /* not 0: no node, no webhooks; streams go to this port */
    const char *account, *token; /* Twilio's */
    const char *to;              /* the number called */
    struct load_mix mix;
    unsigned calls;
    unsigned per_second;   /* new calls */
    unsigned warm_seconds; /* of audio that is not measured, once all are up */
    unsigned seconds;      /* of audio that is */

    unsigned duration_s; /* not 0: calls end after about so long, and others come instead */
    unsigned drops; /* of 100 calls, so many lose one end without a word; others come instead */
    const char *model_cert, *model_key; /* PEM files: the model is behind TLS; NULL: plain */
    bool carrier_tls;                   /* node_url is https; whose certificate is not looked at */

    /* The model calls the agent's tool `steady` once in a turn, and its answer is timed. */
    bool work;

    /* So many calls more than the node takes, while it is measured; they must hear its apology. */
    unsigned n_beyond;

    /* One more call to each of these numbers, once the others are up; not in the report. The model
     * calls the agent's tool `unruly`, many times at once. */
    const char *const *unruly;
    unsigned n_unruly;
};

struct load_report {
    unsigned attempted, established, failed, dropped; /* dropped: ended before we ended it */
    unsigned now_up;
    unsigned vanished, models_cut, models_back;          /* by `drops`; back: the node asked anew */
    unsigned beyond, beyond_apologised, beyond_admitted; /* calls more than it takes */
    double setup_per_s;                                  /* calls up per second until all were */
    uint64_t frames_sent, bytes_sent, bytes_arrived;     /* caller audio, both ends of the node */
    uint64_t deltas_sent;
    struct load_order up_order, down_order;
    unsigned barge_ins, clears_missed;
    struct load_histogram up, down, clear;
    struct load_histogram setup;   /* webhook out to stream open */
    struct load_histogram first;   /* webhook out to the first of the agent's audio */
    struct load_histogram tool;    /* function call out to its output, with `work` */
    struct load_histogram lag;     /* of our own clock; a p99 above 500: the run says little */
    struct load_histogram lag_now; /* the same in the second that is running */
    double harness_cpu_s, seconds; /* ours, and how long it was, while it was measured */
};

/* What the run tells while it is under way; any may be NULL. */
struct load_events {
    void (*measuring)(void *arg); /* all are up and warm: from now on it counts */
    void (*measured)(void *arg);  /* no more audio; the calls are still up */
    void (*second)(const struct load_report *so_far, void *arg);
    void *arg;
};

/* Runs to its end. The model listens on model_fd (taken), which the node must have as its provider. */
int load_run(const struct load_opts *o, int model_fd, const struct load_events *events,
             struct load_report *out);

#endif
