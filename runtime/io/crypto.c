/* SPDX-License-Identifier: Apache-2.0 */
/* crypto.c - HMAC, SHA-256 and random bytes: one call each into OpenSSL, no state of our own. The
 * digests cannot fail with inputs that are in memory; if OpenSSL fails all the same, the result is
 * zeros of no use to anyone who compares it in constant time with a real one. */
#include "io/tls.h"

#include <errno.h>
#include <limits.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <string.h>

static void hmac(uint8_t *out, size_t n_out, const EVP_MD *md, const void *key, size_t n_key,
                 const void *data, size_t n)
{
    uint8_t digest[EVP_MAX_MD_SIZE];

    memset(out, 0, n_out);
    if (n_key > INT_MAX || !HMAC(md, n_key > 0 ? key : "", (int)n_key, data, n, digest, NULL))
        return;
    memcpy(out, digest, n_out);
}

void hmac_sha1(uint8_t out[20], const void *key, size_t n_key, const void *data, size_t n)
{
    hmac(out, 20, EVP_sha1(), key, n_key, data, n);
}

void hmac_sha256(uint8_t out[32], const void *key, size_t n_key, const void *data, size_t n)
{
    hmac(out, 32, EVP_sha256(), key, n_key, data, n);
}

void sha256(uint8_t out[32], const void *data, size_t n)
{
    memset(out, 0, 32);
    EVP_Digest(data, n, out, NULL, EVP_sha256(), NULL);
}

int random_bytes(void *out, size_t n)
{
    if (n > INT_MAX)
        return -EIO;
    return RAND_bytes(out, (int)n) == 1 ? 0 : -EIO;
}

void number_hash(char out[NUMBER_HASH], const char *secret, struct rd_str number)
{
    uint8_t mac[32];

    hmac_sha256(mac, secret, strlen(secret), number.p, number.n);
    rd_hex(out, mac, sizeof(mac));
}
