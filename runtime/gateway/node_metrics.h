/* SPDX-License-Identifier: Apache-2.0 */
/* node_metrics.h - the levels of a node, taken when somebody looks. */
#ifndef GATEWAY_NODE_METRICS_H
#define GATEWAY_NODE_METRICS_H

#include "gateway/node_internal.h"

/* metrics_collect_fn; arg: the node. Control thread. */
void node_metrics_collect(void *arg);

#endif
