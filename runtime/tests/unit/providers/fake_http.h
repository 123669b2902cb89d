/* SPDX-License-Identifier: Apache-2.0 */
/* fake_http.h - HTTP requests that a test answers by hand, in the order in which they were asked. Stands in
 * for io/http_client.h. */
#ifndef TESTS_FAKE_HTTP_H
#define TESTS_FAKE_HTTP_H

#include "io/http_client.h"

#include <stdbool.h>

void fake_http_reset(void); /* checks that nobody waits any more, and that no client is left */

unsigned fake_http_asked(void);
const char *fake_http_url(void); /* of the last request, like the next two */
const char *fake_http_body(void);
bool fake_http_has_header(const char *line);
bool fake_http_waits(void); /* it was neither answered nor cancelled */

void fake_http_answer(int status, const char *body);
void fake_http_breaks(int err);

#endif
