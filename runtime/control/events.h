/* SPDX-License-Identifier: Apache-2.0 */
/* events.h - the last facts of all calls, numbered from 1, as the JSON they came in. Bounded by
 * number and bytes; the oldest go first. One thread. */
#ifndef CONTROL_EVENTS_H
#define CONTROL_EVENTS_H

#include "base/buf.h"
#include "base/str.h"

#include <stdint.h>

enum { EVENTS_MAX = 2000, EVENT_MAX_BYTES = 32 << 10, EVENTS_MAX_BYTES = 8 << 20 };

struct events;

int events_new(struct events **out);
void events_free(struct events *e);

/* Keeps a copy of a JSON object. Its number, or RD_EPROTO (no JSON object), RD_ETOOBIG, -ENOMEM;
 * then it is only counted. */
int64_t events_add(struct events *e, struct rd_str json);

/* Appends the array of events behind number `after`, each with "event": its number in front.
 * Returns how many, or an error of buf_add. At most as many as fit; asking again from the last
 * gives more. */
int events_after(const struct events *e, uint64_t after, struct buf *out);

uint64_t events_first(const struct events *e); /* the oldest that is kept */
uint64_t events_last(const struct events *e);  /* 0: none yet */
uint64_t events_refused(const struct events *e);

/* The n-th oldest that is kept, from 0; p is NULL behind the last. */
struct rd_str events_at(const struct events *e, unsigned n);

#endif
