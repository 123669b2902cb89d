/* SPDX-License-Identifier: Apache-2.0 */
/* gather.h - the keys a <Gather> has collected so far. Pure. */
#ifndef SIM_CARRIER_GATHER_H
#define SIM_CARRIER_GATHER_H

#include "sim/carrier/twiml_run.h"

#include <stdbool.h>

enum { GATHER_DIGITS_MAX = 64 };

struct gather {
    bool active;
    char digits[GATHER_DIGITS_MAX];
    unsigned max; /* 0: only the finish key or silence ends it */
    char finish;
    bool empty_too;
    unsigned timeout_ms; /* of silence, after the prompts and after each key */
    char *action;        /* owns; NULL: the document itself */
    const char *method;  /* static */
};

/* -ENOMEM. Ends what was gathered before. */
int gather_begin(struct gather *g, const struct twiml_action *a);
void gather_end(struct gather *g);

/* True when that was the last one. */
bool gather_key(struct gather *g, char key);

/* Is the action asked, now that the time is over? Else the next verb comes. */
bool gather_is_told(const struct gather *g);

#endif
