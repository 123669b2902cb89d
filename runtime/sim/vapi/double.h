/* SPDX-License-Identifier: Apache-2.0 */
/* double.h - a peer that behaves as Vapi does: its REST API, the address that Twilio fetches, the server
 * messages it posts, the audio it takes and gives, its live controls. Refuses what Vapi refuses, and
 * misbehaves on request (fault.h).
 *
 * What its assistants answer comes from the same scenarios as what OpenAI's double answers, found by
 * the sound of what was said.
 *
 * Beyond the real API, with the same key: /control/… (control.c) for tests. */
#ifndef SIM_VAPI_DOUBLE_H
#define SIM_VAPI_DOUBLE_H

#include "io/loop.h"
#include "sim/scenario.h"

#include <stdint.h>

struct vapi_double;

/* What the doubles, the demo and the tests agree on. Nobody's. */
#define VAPI_DOUBLE_KEY        "vapi-double"
#define VAPI_DOUBLE_PUBLIC_KEY "vapi-double-public"
#define VAPI_DOUBLE_SECRET     "vapi-double-secret"

/* There from the start: an assistant, and the number that all scenarios call, imported with it. */
#define VAPI_DOUBLE_ASSISTANT "5a3c0f7e-1d42-4b8e-9f60-2c7d8e9a1b30"
#define VAPI_DOUBLE_NUMBER_ID "8e1b6d24-73a5-4c0f-b2d9-4f5a6c7e8d91"
#define VAPI_DOUBLE_NUMBER    "+13125550100"
#define VAPI_DOUBLE_ORG       "c0ffee00-0f1e-4d2c-8b3a-5a6978879665"

struct vapi_double_opts {
    struct loop *loop;
    const char *listen;  /* "127.0.0.1:0" */
    const char *account; /* Twilio's account that the number is imported from */
    const char *
        server; /* where its server messages go unless a number or an assistant says; NULL: nowhere */
    const char *sign;   /* how these are authenticated, sign.h; NULL: by bearer */
    const char *secret; /* with what; NULL: VAPI_DOUBLE_SECRET */
    const char *fault;  /* how it misbehaves, fault.h; NULL: not at all */
    const char *ca_file;
    struct scenario **scenarios;
    size_t n_scenarios;
    const char *log; /* NDJSON of all that was asked, posted, heard and said; NULL: none */
};

int vapi_double_start(struct vapi_double **out, const struct vapi_double_opts *o, char *why,
                      size_t cap);

/* Drops what is left. On the loop's thread; NULL is fine. */
void vapi_double_stop(struct vapi_double *d);
uint16_t vapi_double_port(const struct vapi_double *d);

#endif
