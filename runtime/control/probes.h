/* SPDX-License-Identifier: Apache-2.0 */
/* probes.h - what machines ask an admin listener without a token: /livez, /readyz, /health, /metrics.
 * Nothing in them is personal. */
#ifndef CONTROL_PROBES_H
#define CONTROL_PROBES_H

#include "gateway/node.h"
#include "io/http_server.h"

#include <stdbool.h>

/* Answers, if the path is one of those. `n` NULL: the node starts or ends. */
bool probes_serve(struct http_request *r, struct node *n);

#endif
