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

enum load_mix {
    LOAD_TALK, /* the agent speaks in turns, 200 ms at a time, and is cut in upon in every second */
    LOAD_PASS  /* one frame each 20 ms in both directions, and nothing else */
};

struct load_opts {
    const char *node_url;        /* where webhooks go, also what the node believes to be its URL */
    uint16_t relay;              /* not 0: no node, no webhooks; streams go to this port */
    const char *account, *token; /* Twilio's */
    const char *to;              /* the number called */
    enum load_mix mix;
    unsigned calls;
    unsigned per_second;   /* new calls */
    unsigned warm_seconds; /* of audio that is not measured, once all are up */
    unsigned seconds;      /* of audio that is */

    /* The model calls the agent's tool `steady` once in a turn, and its answer is timed. */
    bool work;

    /* One more call to each of these numbers, once the others are up; not in the report. The model
     * calls the agent's tool `unruly`, many times at once. */
    const char *const *unruly;
    unsigned n_unruly;
};

struct load_report {
    unsigned attempted, established, failed, dropped; /* dropped: ended before we ended it */
    unsigned now_up;
    uint64_t frames_sent, bytes_sent, bytes_arrived; /* caller audio, both ends of the node */
    uint64_t deltas_sent;
    struct load_order up_order, down_order;
    unsigned barge_ins, clears_missed;
    struct load_histogram up, down, clear;
    struct load_histogram setup;   /* webhook out to stream open */
    struct load_histogram tool;    /* function call out to its output, with `work` */
    struct load_histogram lag;     /* of our own clock; a p99 above 500: the run says little */
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
