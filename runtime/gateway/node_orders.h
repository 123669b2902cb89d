/* SPDX-License-Identifier: Apache-2.0 */
/* node_orders.h - what the inside of a node wants of its calls; the rest is in node.h. */
#ifndef GATEWAY_NODE_ORDERS_H
#define GATEWAY_NODE_ORDERS_H

#include "gateway/node_internal.h"

/* A budget is spent, as struct budget_opts has it: the call hears of it, if it is still there. */
void node_spent(void *node, const char *call_sid);

#endif
