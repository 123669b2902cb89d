/* SPDX-License-Identifier: Apache-2.0 */
/* audience.h - what of the events somebody may hear: of which agents, and whether masked. */
#ifndef CONTROL_AUDIENCE_H
#define CONTROL_AUDIENCE_H

#include "base/buf.h"
#include "base/json.h"

#include <stdbool.h>

enum { AUDIENCE_AGENTS = 64, AUDIENCE_NAME = 65 };

struct audience {
    bool masked, scoped;
    unsigned n_agents;
    char agents[AUDIENCE_AGENTS][AUDIENCE_NAME];
};

/* Of what ringdown.api answered: { agents = list or nothing, masked }. What is doubtful is not seen. */
void audience_read(struct audience *a, const struct json_value *stream);

/* To whoever hears some agents only, an event without an agent, or of another, never was. */
bool audience_hears(const struct audience *a, struct rd_str event);

/* Appends it on one line, masked where it has to be. Non-zero: nobody is shown half of it, or what could
 * not be masked. */
int audience_write(const struct audience *a, struct buf *out, struct rd_str event);

#endif
