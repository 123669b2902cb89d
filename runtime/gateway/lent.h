/* SPDX-License-Identifier: Apache-2.0 */
/* lent.h - what of a node is lent to scripts that are of no call: host.node of operations, and the
 * routes of the control socket. `arg` is the struct node. */
#ifndef GATEWAY_LENT_H
#define GATEWAY_LENT_H

#include "agent/host.h"

extern const struct script_node node_lent;

#endif
