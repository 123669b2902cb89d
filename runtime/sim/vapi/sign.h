/* SPDX-License-Identifier: Apache-2.0 */
/* sign.h - how a server message proves that it is Vapi's: a credential's authenticationPlan in one word.
 *
 *   bearer        Authorization: Bearer SECRET
 *   secret        X-Vapi-Secret: SECRET
 *   hmac          x-signature: hex of HMAC-SHA256 over "TIMESTAMP.BODY", x-timestamp in seconds
 *   hmac-base64   the same in base64          hmac-prefix   "sha256=" and hex
 *   hmac-ms       hex, the timestamp in milliseconds
 *   none          nothing
 *
 * Pure. */
#ifndef SIM_VAPI_SIGN_H
#define SIM_VAPI_SIGN_H

#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

enum vapi_signing {
    VAPI_BEARER,
    VAPI_SECRET,
    VAPI_HMAC,
    VAPI_HMAC_BASE64,
    VAPI_HMAC_PREFIX,
    VAPI_HMAC_MS,
    VAPI_UNSIGNED
};

struct vapi_sign {
    enum vapi_signing how;
    char secret[128];
};

/* NULL: bearer. RD_ECONFIG: no such word, or the secret is too long. */
int vapi_sign_read(struct vapi_sign *s, const char *word, const char *secret);

enum { VAPI_SIGN_HEADER = 192 };

/* Up to two header lines without CRLF, "" for none. */
void vapi_sign_headers(char out[2][VAPI_SIGN_HEADER], const struct vapi_sign *s, struct rd_str body,
                       int64_t unix_ms);

#endif
