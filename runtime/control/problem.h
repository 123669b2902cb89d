/* SPDX-License-Identifier: Apache-2.0 */
/* problem.h - why a request of the admin API got no answer, as RFC 9457 has it; those that are told
 * before any script is asked. scripts/ringdown/api/problem.lua has the others. */
#ifndef CONTROL_PROBLEM_H
#define CONTROL_PROBLEM_H

#include "base/buf.h"
#include "io/http_server.h"

struct problem {
    int status;
    const char *slug, *title, *detail, *fix; /* written as they are: no quotes, no backslash */
    const char *headers;                     /* more lines with CRLF; NULL: none */
};

/* What every answer of the admin listener says besides. */
#define ADMIN_HEADERS "cache-control: no-store\r\n" ADMIN_FENCE
#define ADMIN_FENCE                                                       \
    "x-content-type-options: nosniff\r\n"                                 \
    "x-frame-options: DENY\r\n"                                           \
    "referrer-policy: no-referrer\r\n"                                    \
    "content-security-policy: default-src 'none'; frame-ancestors 'none'" \
    "\r\n"                                                                \
    "cross-origin-resource-policy: same-origin\r\n"

#define PROBLEM_TYPE "application/problem+json"

/* Answers with it; `r` is gone. */
void problem_reply(struct http_request *r, const struct problem *p);

/* For http_handlers.refusal: what the HTTP server refuses by itself. */
void problem_of_http(int status, struct http_refusal *out, void *arg);

#endif
