/* SPDX-License-Identifier: Apache-2.0 */
/* rates.h - a token bucket for each of many keys, in a table of fixed size. Where it is crowded, the
 * bucket that is fullest makes room: who is forgotten had little to lose. One thread. */
#ifndef CONTROL_RATES_H
#define CONTROL_RATES_H

#include <stdint.h>

struct rates;

int rates_new(struct rates **out, uint32_t burst, uint32_t per_second);
void rates_free(struct rates *r); /* NULL is fine */

/* May this one ask now? 0, or after how many ms. Nothing is taken. */
uint32_t rates_wait_ms(const struct rates *r, uint64_t key, uint64_t now_ms);

/* Takes so much; more than there is makes the wait longer, up to one whole burst of it. */
void rates_charge(struct rates *r, uint64_t key, uint32_t cost, uint64_t now_ms);

#endif
