/* SPDX-License-Identifier: Apache-2.0 */
/* health.h - what /health says: application/health+json, without personal data. */
#ifndef CONTROL_HEALTH_H
#define CONTROL_HEALTH_H

#include "base/buf.h"
#include "gateway/node.h"

#define HEALTH_TYPE "application/health+json"

/* Appends it. `n` NULL: the node starts or ends. 0, -ENOMEM, RD_EFULL. */
int health_json(struct node *n, struct buf *out);

#endif
