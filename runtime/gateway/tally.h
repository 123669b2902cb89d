/* SPDX-License-Identifier: Apache-2.0 */
/* tally.h - how many calls each agent and each caller has now: counts by name in O(1), bounded by
 * the number of calls. Not thread-safe: the directory's lock guards it. */
#ifndef GATEWAY_TALLY_H
#define GATEWAY_TALLY_H

#include "base/str.h"

struct tally;

/* Room for `max` names that are counted at once. */
int tally_new(struct tally **out, unsigned max);
void tally_free(struct tally *t);

unsigned tally_count(const struct tally *t, struct rd_str name);

/* One more: its place, which tally_give() takes back. TALLY_NONE when there is no room. */
enum { TALLY_NONE = -1 };
int tally_take(struct tally *t, struct rd_str name);
void tally_give(struct tally *t, int place); /* TALLY_NONE is fine */

#endif
