/* SPDX-License-Identifier: Apache-2.0 */
/* load.h - many calls against one node, cheap enough to be one process: it plays both the telephone
 * network and the model, stamps every frame with its call and the time, and measures what the node
 * adds on the way. One loop; for the thread that owns it.
 *
 *   caller legs ──frames, 20 ms──▶ node ──▶ model legs          up: caller to model
 *   caller legs ◀──deltas, 200 ms── node ◀── model legs          down: model to caller
 *   model leg: speech_started ──▶ node ──▶ clear: caller leg     barge-in
 */
#ifndef SIM_LOAD_LOAD_H
#define SIM_LOAD_LOAD_H

#include "io/loop.h"
#include "io/tls.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct load;

enum { LOAD_BUCKETS = 400 };

/* Microseconds, 10 µs wide up to 2 ms, then 250 µs wide up to 52 ms; the last takes the rest. */
struct load_histogram {
    uint64_t counts[LOAD_BUCKETS], n;
    uint32_t max_us;
};
void load_observe(struct load_histogram *h, uint64_t us);
uint32_t load_quantile_us(const struct load_histogram *h, double q); /* upper edge; 0 when empty */

struct load_opts {
    struct loop *loop;
    const char *node_url;        /* where webhooks go, also what the node believes to be its URL */
    const char *account, *token; /* Twilio's */
    const char *to;              /* the number called */
    struct tls_client *tls;      /* NULL: plain only */
    unsigned calls;
    unsigned per_second; /* new calls */
    unsigned seconds;    /* of audio, once all are up */

    /* The model calls the agent's tool `steady` once in a turn, and its answer is timed. */
    bool work;

    /* One more call to each of these numbers, once the others are up; not in the report. The model
     * calls the agent's tool `unruly`, many times at once. */
    const char *const *unruly;
    unsigned n_unruly;
};

struct load_report {
    unsigned attempted, established, failed, dropped; /* dropped: ended before we ended it */
    uint64_t frames_sent, bytes_sent, bytes_arrived;  /* caller audio, both ends of the node */
    uint64_t deltas_sent, deltas_arrived;             /* agent audio not cut off by a barge-in */
    unsigned barge_ins, clears_missed;
    struct load_histogram up, down, clear, setup; /* setup: webhook out to stream open */
    struct load_histogram tool;                   /* function call out to its output, with `work` */
    struct load_histogram lag; /* of our own loop; a p99 above 500: the run says little */
};
typedef void(load_done_fn)(const struct load_report *r, void *arg);

/* The model listens on model_fd, which the node must have as its provider. */
int load_start(struct load **out, const struct load_opts *o, int model_fd, load_done_fn *done,
               void *arg);

/* Lets go of the loop; then the loop is freed, which ends the connections that are left; then the
 * load. */
void load_stop(struct load *l);
void load_free(struct load *l);

/* For progress: calls up now, and the report so far. */
unsigned load_up(const struct load *l);
const struct load_report *load_so_far(const struct load *l);

#endif
