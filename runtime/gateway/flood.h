/* SPDX-License-Identifier: Apache-2.0 */
/* flood.h - numbers that call on and on although they have as many calls as they may: the first few
 * hear the fallback, as a business with one number for all its telephones should; a flood is told
 * that the line is busy, before it is answered, so that it costs nothing. Any thread. */
#ifndef GATEWAY_FLOOD_H
#define GATEWAY_FLOOD_H

#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

struct flood;

/* So many calls of one number in a minute, beyond its limit, are no flood yet. 0: nothing ever is. */
int flood_new(struct flood **out, unsigned per_minute);
void flood_free(struct flood *f); /* NULL is fine */

/* One more call beyond the number's limit. True: it is part of a flood, which goes on until the
 * number has called less for a minute. */
bool flood_counts(struct flood *f, struct rd_str from, uint64_t now_ms);

/* There is an emergency in a call of this number: for an hour nothing of it is a flood. */
void flood_spare(struct flood *f, struct rd_str from, uint64_t now_ms);

/* Was a call of this number told that the line is busy, some minutes ago at most? */
bool flood_was_busy(struct flood *f, struct rd_str from, uint64_t now_ms);

#endif
