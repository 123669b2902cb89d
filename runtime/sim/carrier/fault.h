/* SPDX-License-Identifier: Apache-2.0 */
/* fault.h - how the simulated REST API misbehaves, in the order of its requests. Pure. */
#ifndef SIM_CARRIER_FAULT_H
#define SIM_CARRIER_FAULT_H

#include <stdbool.h>
#include <stddef.h>

enum { REST_FAULTS_MAX = 32 };

enum rest_fault {
    REST_WELL,
    REST_BUSY,        /* 429 with Retry-After: 1; not done */
    REST_BROKEN,      /* 500; not done */
    REST_UNAVAILABLE, /* 503 with Retry-After: 1; not done */
    REST_LOST,        /* done, and the connection breaks before the answer */
    REST_TIMEOUT      /* done, and the answer never comes */
};

struct rest_queue {
    enum rest_fault faults[REST_FAULTS_MAX];
    size_t n, at;
};

struct rest_faults {
    struct rest_queue reads, writes;
    bool stall; /* <Redirect> is never fetched: only REST can end the call */
};

/* "429,500,get-503,lost,timeout,well,stall": writes, with get- reads, take one each. RD_ECONFIG with
 * a sentence in `why`. NULL or "": no faults. */
int rest_faults_read(struct rest_faults *f, const char *text, char *why, size_t cap);

enum rest_fault rest_faults_next(struct rest_faults *f, bool write);
const char *rest_fault_name(enum rest_fault fault);

#endif
