/* SPDX-License-Identifier: Apache-2.0 */
/* sign.c - headers that authenticate a body; see sign.h. */
#include "sim/vapi/sign.h"

#include "base/buf.h"
#include "base/err.h"
#include "io/tls.h"
#include "sim/speech/sound.h"

#include <inttypes.h>
#include <stdio.h>

enum { SIGNED_MAX = 16 << 20 };

int vapi_sign_read(struct vapi_sign *s, const char *word, const char *secret)
{
    static const char *const words[] = {"bearer",      "secret",  "hmac", "hmac-base64",
                                        "hmac-prefix", "hmac-ms", "none"};

    if (!rd_str_copy(s->secret, sizeof(s->secret), rd_str(secret)))
        return RD_ECONFIG;
    s->how = VAPI_BEARER;
    if (!word)
        return 0;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcmp(words[i], word) != 0)
            continue;
        s->how = (enum vapi_signing)i;
        return 0;
    }
    return RD_ECONFIG;
}

static void sign(char out[2][VAPI_SIGN_HEADER], const struct vapi_sign *s, struct rd_str body,
                 int64_t stamp)
{
    char text[80];
    uint8_t mac[32];
    struct buf plain;

    buf_init(&plain, SIGNED_MAX);
    if (buf_addf(&plain, "%" PRId64 ".", stamp) || buf_add(&plain, body.p, body.n)) {
        buf_fini(&plain);
        return;
    }
    hmac_sha256(mac, s->secret, strlen(s->secret), plain.data, plain.n);
    buf_fini(&plain);
    if (s->how == VAPI_HMAC_BASE64)
        text[sim_base64_encode(text, mac, sizeof(mac))] = '\0';
    else
        rd_hex(text, mac, sizeof(mac));
    snprintf(out[0], VAPI_SIGN_HEADER, "x-signature: %s%s",
             s->how == VAPI_HMAC_PREFIX ? "sha256=" : "", text);
    snprintf(out[1], VAPI_SIGN_HEADER, "x-timestamp: %" PRId64, stamp);
}

void vapi_sign_headers(char out[2][VAPI_SIGN_HEADER], const struct vapi_sign *s, struct rd_str body,
                       int64_t unix_ms)
{
    out[0][0] = out[1][0] = '\0';
    switch (s->how) {
    case VAPI_BEARER:
        snprintf(out[0], VAPI_SIGN_HEADER, "Authorization: Bearer %s", s->secret);
        break;
    case VAPI_SECRET:
        snprintf(out[0], VAPI_SIGN_HEADER, "X-Vapi-Secret: %s", s->secret);
        break;
    case VAPI_UNSIGNED:
        break;
    default:
        sign(out, s, body, s->how == VAPI_HMAC_MS ? unix_ms : unix_ms / 1000);
        break;
    }
}
