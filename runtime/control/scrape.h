/* SPDX-License-Identifier: Apache-2.0 */
/* scrape.h - GET /metrics, for every listener of the control thread. */
#ifndef CONTROL_SCRAPE_H
#define CONTROL_SCRAPE_H

#include "io/http_server.h"

/* True when the request was for /metrics: then it is answered. Nothing in it is personal, so nobody is
 * asked who he is. */
bool scrape_serve(struct http_request *r);

#endif
