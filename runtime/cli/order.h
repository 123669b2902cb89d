/* SPDX-License-Identifier: Apache-2.0 */
/* order.h - events in the order in which they make sense to read. What the caller said arrives as
 * words only after what it caused: lines about deeds wait a moment, so that the words stand first.
 * The time is the user's own, in milliseconds. */
#ifndef CLI_ORDER_H
#define CLI_ORDER_H

#include "base/json.h"

#include <stdint.h>

enum { ORDER_WAIT_MS = 1500 };

struct order;

typedef void(order_show_cb)(const struct json_value *event, void *arg);

/* 0 or -ENOMEM. */
int order_new(struct order **out, order_show_cb *show, void *arg);
void order_free(struct order *o); /* what still waits is not shown */

/* Takes an event as it was recorded; shows it now or holds a copy back. Events of one call only
 * change places when the caller's words go ahead of deeds younger than ORDER_WAIT_MS. */
void order_take(struct order *o, const struct json_value *event, uint64_t now_ms);

/* Shows what has waited long enough. Returns how long until something else has; 0: nothing waits. */
unsigned order_due(struct order *o, uint64_t now_ms);

/* Shows all that waits. */
void order_flush(struct order *o);

#endif
