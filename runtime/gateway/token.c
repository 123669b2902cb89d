/* SPDX-License-Identifier: Apache-2.0 */
/* token.c - the signature is checked before anything else is believed; an empty secret signs and
 * accepts nothing. */
#include "gateway/token.h"

#include "base/err.h"
#include "io/tls.h"

#include <inttypes.h>
#include <stdio.h>

enum { MAC_BYTES = 16, MAC_HEX = 2 * MAC_BYTES };

static void sign(char hex[MAC_HEX + 1], struct rd_str secret, struct rd_str text)
{
    uint8_t mac[32];

    hmac_sha256(mac, secret.p, secret.n, text.p, text.n);
    rd_hex(hex, mac, MAC_BYTES);
}

int token_write(char out[TOKEN_MAX], const struct token *t, struct rd_str secret)
{
    char mac[MAC_HEX + 1];
    int n;

    if (secret.n == 0)
        return RD_EAUTH;
    if (!t->call_sid[0] || strchr(t->call_sid, '.'))
        return RD_EPROTO;
    n = snprintf(out, TOKEN_MAX - MAC_HEX - 2,
                 "%08" PRIx32 ".%016" PRIx64 ".%016" PRIx64 ".%" PRIx64 ".%s", t->node, t->call,
                 t->nonce, t->expires_unix_s, t->call_sid);
    if (n < 0 || n >= TOKEN_MAX - MAC_HEX - 2)
        return RD_ETOOBIG;
    sign(mac, secret, (struct rd_str){out, (size_t)n});
    (void)snprintf(out + n, TOKEN_MAX - (size_t)n, ".%s", mac);
    return 0;
}

int token_read(struct token *out, struct rd_str text, struct rd_str secret, uint64_t now_unix_s)
{
    char mac[MAC_HEX + 1], copy[TOKEN_MAX];
    struct rd_str body = {text.p, text.n - MAC_HEX - 1};
    int used = 0;

    if (secret.n == 0 || text.n <= MAC_HEX + 1 || !rd_str_copy(copy, sizeof(copy), text))
        return RD_EAUTH;
    sign(mac, secret, body);
    if (text.p[body.n] != '.' || !rd_str_same_secret((struct rd_str){text.p + body.n + 1, MAC_HEX},
                                                     (struct rd_str){mac, MAC_HEX}))
        return RD_EAUTH;
    if (sscanf(copy, "%8" SCNx32 ".%16" SCNx64 ".%16" SCNx64 ".%16" SCNx64 ".%39[^.].%n",
               &out->node, &out->call, &out->nonce, &out->expires_unix_s, out->call_sid,
               &used) != 5 ||
        (size_t)used != body.n + 1)
        return RD_EAUTH;
    return now_unix_s <= out->expires_unix_s ? 0 : RD_EAUTH;
}
