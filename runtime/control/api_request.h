/* SPDX-License-Identifier: Apache-2.0 */
/* api_request.h - a request of the admin API as the operation `api` wants it: decoded once, bounded,
 * valid UTF-8, secrets as their digests. Pure; fuzzed by tests/fuzz/fuzz_api.c. */
#ifndef CONTROL_API_REQUEST_H
#define CONTROL_API_REQUEST_H

#include "base/buf.h"
#include "base/str.h"
#include "control/problem.h"

#include <stdbool.h>
#include <stdint.h>

#define API_PREFIX "/api/v1"

enum {
    API_BODY_MAX = 256 << 10,
    API_FILE_MAX = 8 << 20,     /* where files are sent: api_route_limits() */
    API_PAYLOAD_MAX = 32 << 20, /* of the JSON; escapes make a body longer */
    API_QUERY_MAX = 32,         /* parameters */
    API_DIGEST = 65
};

/* Headers: p is NULL when absent. All borrowed. */
struct api_request {
    struct rd_str method, target, body;
    struct rd_str authorization, if_match, idempotency_key, content_type, accept, last_event_id;
    const char *peer; /* an address, or "uid 0" */
    const char *who;  /* by the control socket; NULL: a token must say */
};

/* Who asks, as far as the request says it. */
struct api_asker {
    char token_sha256[API_DIGEST]; /* hex; "": none */
};

/* Appends the payload. NULL, or why not; then `out` is of no use. */
const struct problem *api_request_payload(struct buf *out, const struct api_request *in,
                                          struct api_asker *asker);

/* Is it below API_PREFIX? */
bool api_request_is_ours(struct rd_str path);

/* How long the body may be, and how long the whole may take. */
struct api_limits {
    size_t body_max;
    uint32_t budget_ms;
};
struct api_limits api_request_limits(struct rd_str method, struct rd_str path);

/* The payload that asks whether a token is still good: GET /me. */
int api_request_me(struct buf *out, const char token_sha256[API_DIGEST]);

#endif
