/* SPDX-License-Identifier: Apache-2.0 */
/* fault.h - how the simulated REST API misbehaves, in the order of its requests. Pure. */
#ifndef SIM_CARRIER_FAULT_H
#define SIM_CARRIER_FAULT_H

#include <stdbool.h>
#include <stddef.h>

enum { REST_FAULTS_MAX = 32 };

enum rest_fault {
    REST_WELL,
    REST_BUSY,         /* 429 with Retry-After: 1; not done */
    REST_BROKEN,       /* 500; not done */
    REST_UNAVAILABLE,  /* 503 with Retry-After: 1; not done */
    REST_LOST,         /* done, and the connection breaks before the answer */
    REST_TIMEOUT,      /* done, and the answer never comes */
    REST_SLOW,         /* done, and answered three seconds later */
    REST_BROKEN_AFTER, /* done, and answered with 500 */
    REST_IGNORED       /* answered as if it was done; of updates of numbers */
};

/* Each kind of request has faults of its own. */
enum rest_kind {
    REST_WRITE,  /* updates of calls */
    REST_READ,   /* "get-" */
    REST_DIAL,   /* "dial-": calls that are created */
    REST_TEXT,   /* "text-": messages that are created */
    REST_NUMBER, /* "number-": updates of numbers */
    REST_KINDS,
    REST_NEVER = REST_KINDS /* has none */
};

struct rest_faults {
    struct rest_queue {
        enum rest_fault faults[REST_FAULTS_MAX];
        size_t n, at;
    } queues[REST_KINDS];
    bool stall; /* <Redirect> is never fetched: only REST can end the call */
};

/* "429,500,get-503,text-lost,dial-slow,500-after,timeout,well,stall": each request of a kind takes the
 * next word of its kind. RD_ECONFIG with a sentence in `why`. NULL or "": no faults. */
int rest_faults_read(struct rest_faults *f, const char *text, char *why, size_t cap);

enum rest_fault rest_faults_next(struct rest_faults *f, enum rest_kind kind);
const char *rest_fault_name(enum rest_fault fault);
int rest_fault_named(enum rest_fault *fault, const char *name); /* RD_ECONFIG: there is none */

#endif
