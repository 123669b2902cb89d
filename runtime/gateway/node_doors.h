/* SPDX-License-Identifier: Apache-2.0 */
/* node_doors.h - the part of node.h about its listening socket, for who starts a node. */
#ifndef GATEWAY_NODE_DOORS_H
#define GATEWAY_NODE_DOORS_H

#include "gateway/node_internal.h"

/* Listens and accepts; a socket that was handed over waits for node_accept(). The media threads run. */
int node_open_doors(struct node *n, char *why, size_t cap);

#endif
