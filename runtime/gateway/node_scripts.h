/* SPDX-License-Identifier: Apache-2.0 */
/* node_scripts.h - starts the script threads of a node, with its first agents. */
#ifndef GATEWAY_NODE_SCRIPTS_H
#define GATEWAY_NODE_SCRIPTS_H

#include "gateway/node_internal.h"

int node_start_scripts(struct node *n, char *why, size_t cap);

#endif
