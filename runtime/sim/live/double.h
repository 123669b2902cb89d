/* SPDX-License-Identifier: Apache-2.0 */
/* double.h - a peer that behaves as GPT-Live is said to: hears and speaks at the same time, over one
 * WebSocket, in real time, and never pauses. Strict about what it is sent; what it answers comes from the
 * scenarios, found by the sound of what was said.
 *
 * A fault is chosen by the path, ws://host/fault/<name>/v1/live/sessions:
 *   401, 403, 429, 500, 503   refuses the connection
 *   no-start                  refuses every session.start
 *   stuck                     never says session.started
 *   drop-first                breaks its first session after 6 s, without a word
 *   expire-first              ends its first session after 6 s, and says so
 *   noise                     types that nobody knows, null members, words without sound
 *   huge                      one frame of 2 MiB after 3 s */
#ifndef SIM_LIVE_DOUBLE_H
#define SIM_LIVE_DOUBLE_H

#include "io/loop.h"
#include "sim/scenario.h"

#include <stdint.h>

struct live_double;

struct live_double_opts {
    struct loop *loop;
    const char *listen; /* "127.0.0.1:0" */
    struct scenario **scenarios;
    size_t n_scenarios;
    const char *log; /* NDJSON of what it heard, said and was sent, but for audio; NULL: none */
};

int live_double_start(struct live_double **out, const struct live_double_opts *o, char *why,
                      size_t cap);
void live_double_stop(struct live_double *d); /* NULL is fine */
uint16_t live_double_port(const struct live_double *d);

#endif
