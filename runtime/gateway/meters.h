/* SPDX-License-Identifier: Apache-2.0 */
/* meters.h - what happens to calls, texts and emergencies, counted where it happens. */
#ifndef GATEWAY_METERS_H
#define GATEWAY_METERS_H

#include "base/str.h"
#include "observe/metrics.h"
#include "ports/records.h"

/* A fact of a call with a stream. `first`: the call's first stream; how later ones end is not another
 * call. Media thread, never per frame. */
struct metered_call {
    const char *agent, *system;
    bool first;
};
void meter_record(const struct metered_call *call, const struct record *r);

/* A call that got no stream here: "fallback", or "sent" to Vapi. agent NULL: nobody's. */
void meter_without_stream(const char *agent, const char *outcome);

/* A text, how far it is. Status NULL or empty: nothing is known. Any thread. */
void meter_text(struct rd_str direction, struct rd_str status);

/* An emergency: "open", "handled", "abandoned"; rule and call tell which. Any thread. */
void meter_triage(struct rd_str sid, struct rd_str rule, struct rd_str state);

#endif
