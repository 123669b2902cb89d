/* SPDX-License-Identifier: Apache-2.0 */
/* control.h - what somebody outside wants to happen to a session at this very moment, or at the next
 * that is right for it:
 *
 *   POST /control/drop?pick=370          the connection of one of the sessions breaks; 370 of 1000
 *                                        through the list of those that were not told of one before
 *   POST /control/1011-in-answer         the next answer is broken off in its middle, with 1011
 *   POST /control/drop-in-tool           the next session that waits for a function's result breaks
 *   POST /control/fault/503?ms=3000      whoever connects within the next three seconds has a session
 *                                        with that fault (fault.c), or none; ms=0: that is over
 *
 * Answered with 202; 409 when nobody is on the line, 404 when it is none of these. Pure. */
#ifndef SIM_OPENAI_CONTROL_H
#define SIM_OPENAI_CONTROL_H

#include "base/str.h"
#include "sim/openai/session.h"

struct openai_order {
    enum openai_moment moment;
    int code;      /* how it breaks; 0: without a word */
    unsigned pick; /* of 1000 */
    struct openai_misery misery;
    uint32_t for_ms; /* of MOMENT_DOOR */
};

/* 0, or 404. */
int openai_control_read(struct openai_order *out, struct rd_str target);

#endif
