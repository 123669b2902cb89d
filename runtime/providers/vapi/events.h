/* SPDX-License-Identifier: Apache-2.0 */
/* events.h - reads the text messages on Vapi's socket. Parsed in place, nothing in them is trusted.
 * Loop's thread only.
 *
 * Fuzzed by tests/fuzz/fuzz_vapi.c. */
#ifndef PROVIDERS_VAPI_EVENTS_H
#define PROVIDERS_VAPI_EVENTS_H

#include "base/buf.h"
#include "base/json.h"
#include "providers/vapi/speech.h"

#include <stdbool.h>

enum { VAPI_TEXT_MAX = 64 * 1024, VAPI_ID = 96, VAPI_TOOLS = 8 };

struct vapi_events {
    struct speech *speech; /* borrows */
    struct vapi_counts *counts;
    /* Vapi ends the call, for this reason; may repeat. */
    void (*on_over)(void *arg, struct rd_str reason);
    void *arg;
    bool runs_tools;    /* else somebody else does */
    struct buf text;    /* owns: a string with its escapes resolved, this event's */
    uint32_t n_unnamed; /* tool calls that came without an id */
    const char *call;   /* borrows; for the log; NULL: of none */
    bool said_unknown;  /* the first unknown type was logged */
};

void vapi_events_init(struct vapi_events *e, struct speech *s, struct vapi_counts *counts);
void vapi_events_fini(struct vapi_events *e);

/* One message. 0; RD_EPROTO when it is no event at all (counted, nothing was told). */
int vapi_events_feed(struct vapi_events *e, struct rd_str message, uint64_t now_us);

/* Did the conversation end as it should, or did something break? */
bool vapi_ended_well(struct rd_str reason);

#endif
