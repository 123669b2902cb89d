/* SPDX-License-Identifier: Apache-2.0 */
/* log_route.h - /api/v1/log on the control socket, for `ringdown log`. */
#ifndef CONTROL_LOG_ROUTE_H
#define CONTROL_LOG_ROUTE_H

#include "gateway/node.h"
#include "io/http_server.h"

/* True when the request was for it: then it is answered. GET tells how it is; POST takes
 * {"level":"debug","seconds":600} or {"call":"CA…","seconds":600}; 0 seconds: as configured. */
bool log_serve(struct http_request *r, struct node *n, const char *who);

#endif
