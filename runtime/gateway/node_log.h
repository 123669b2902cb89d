/* SPDX-License-Identifier: Apache-2.0 */
/* node_log.h - what the log of a running node shows, and who wanted it so. */
#ifndef GATEWAY_NODE_LOG_H
#define GATEWAY_NODE_LOG_H

#include "base/buf.h"
#include "base/log.h"

struct node;

enum { NODE_LOG_LEVEL_S_MAX = 24 * 3600, NODE_LOG_CALL_S_MAX = 3600 };

struct node_log_order {
    enum log_level level; /* for all calls, without `call` */
    const char *call;     /* debug lines of this call; NULL: none */
    uint64_t seconds;     /* 0: as configured again; of a call: no more */
    const char *who;      /* goes into the audit */
};

/* 0, RD_EFULL: too many calls are watched; RD_ETOOBIG: that is no call's id, or too long. NULL node: it
 * starts or ends, and the audit does not hear of it. */
int node_log(struct node *n, const struct node_log_order *o);

/* {"configured":"info","level":"debug","left_s":599,"calls":[{"call":"CA…","left_s":60,"lines":12,"dropped":0}]} */
int node_log_json(struct buf *out);

#endif
