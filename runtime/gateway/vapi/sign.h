/* SPDX-License-Identifier: Apache-2.0 */
/* sign.h - is this webhook Vapi's? Two ways that Vapi offers, either is enough; nothing configured, or
 * nothing right: no.
 *
 * - the shared secret, as `Authorization: Bearer …` or `X-Vapi-Secret: …`
 * - HMAC-SHA256 over "<timestamp>.<body>" in `X-Signature` (hex or base64, with or without "sha256="),
 *   with `X-Timestamp` in seconds or milliseconds, at most five minutes from now
 *
 * Pure; any thread. Compares in constant time. */
#ifndef GATEWAY_VAPI_SIGN_H
#define GATEWAY_VAPI_SIGN_H

#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

enum { VAPI_MAC = 32, VAPI_WINDOW_MS = 300000 };

struct vapi_auth {
    const char *secret, *hmac; /* borrows; "" or NULL: not configured */
};

struct vapi_proof { /* headers; borrow */
    struct rd_str authorization, secret, signature, timestamp;
};

enum vapi_trust {
    VAPI_REFUSED,
    VAPI_BY_SECRET, /* may be said again and again */
    VAPI_BY_HMAC    /* good once: mac tells it from others */
};

enum vapi_trust vapi_sign_check(const struct vapi_auth *a, const struct vapi_proof *p,
                                struct rd_str body, uint64_t now_unix_ms, uint8_t mac[VAPI_MAC]);

/* The same before the body is there: what it can be at best. A secret is in the head; of a signature there
 * are only its moment and its shape. */
enum vapi_trust vapi_sign_could_be(const struct vapi_auth *a, const struct vapi_proof *p,
                                   uint64_t now_unix_ms);

#endif
