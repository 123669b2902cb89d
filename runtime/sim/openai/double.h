/* SPDX-License-Identifier: Apache-2.0 */
/* double.h - a peer that behaves as OpenAI's Realtime API does (GA shape): checks every
 * event it receives, hears what the caller really said, speaks, calls functions, and misbehaves on
 * request.
 *
 * It shares nothing with the carrier double but the scenarios: an utterance is recognised from the
 * audio that arrives, or not at all. A fault is chosen by the path,
 * wss://host/fault/<name>/v1/realtime, or by a scenario's reply. fault.c lists them. */
#ifndef SIM_OPENAI_DOUBLE_H
#define SIM_OPENAI_DOUBLE_H

#include "io/loop.h"
#include "io/tls.h"
#include "sim/scenario.h"

#include <stdint.h>

struct openai_double;

struct openai_double_opts {
    struct loop *loop;
    const char *listen;     /* "127.0.0.1:0" */
    struct tls_server *tls; /* NULL: plain */
    struct scenario **scenarios;
    size_t n_scenarios;
    const char *record; /* NDJSON of every client event received; NULL: none */
    const char *log;    /* NDJSON of what it did (heard, said, truncated…); NULL: none */
};

int openai_double_start(struct openai_double **out, const struct openai_double_opts *o, char *why,
                        size_t cap);
void openai_double_stop(struct openai_double *d);
uint16_t openai_double_port(const struct openai_double *d);

/* Messages received that the API would refuse whatever the timing, since the start: wrong form, ids
 * that do not exist, truncation beyond the audio. A test's first question. */
uint64_t openai_double_violations(const struct openai_double *d);

#endif
