/* SPDX-License-Identifier: Apache-2.0 */
/* token.h - the last path segment of a stream address: which node, which call, until when, signed
 * with cluster.secret and bound to the CallSid. Single use is the directory's matter. Pure; any
 * thread.
 *
 *   <node 8 hex>.<call 16 hex>.<nonce 16 hex>.<expiry, unix s, hex>.<CallSid>.<HMAC-SHA256, 32 hex>
 */
#ifndef GATEWAY_TOKEN_H
#define GATEWAY_TOKEN_H

#include "base/str.h"
#include "ports/messages.h"

#include <stdint.h>

enum { TOKEN_MAX = 192, TOKEN_LIFE_S = 60 };

struct token {
    uint32_t node;
    call_handle call;
    uint64_t nonce;
    uint64_t expires_unix_s;
    char call_sid[40];
};

/* Writes the text, terminated. RD_EAUTH without a secret, RD_EPROTO for a CallSid that is none. */
int token_write(char out[TOKEN_MAX], const struct token *t, struct rd_str secret);

/* RD_EAUTH for anything but a token of ours that has not expired. */
int token_read(struct token *out, struct rd_str text, struct rd_str secret, uint64_t now_unix_s);

#endif
