/* SPDX-License-Identifier: Apache-2.0 */
/* sign.c - see sign.h. Vapi's documents do not say in which unit the timestamp is: both are taken. */
#include "gateway/vapi/sign.h"

#include "base/buf.h"
#include "io/tls.h"
#include "media/base64.h"

#include <strings.h>

enum { STAMP_DIGITS_MAX = 13, SIGNED_MAX = 16 << 20 };

static bool is_set(const char *text)
{
    return text && *text;
}

static bool begins(struct rd_str s, const char *with)
{
    size_t n = strlen(with);

    return s.n >= n && strncasecmp(s.p, with, n) == 0;
}

static struct rd_str behind(struct rd_str s, size_t n)
{
    return (struct rd_str){s.p + n, s.n - n};
}

static bool has_secret(const struct vapi_auth *a, const struct vapi_proof *p)
{
    struct rd_str secret = rd_str(a->secret), bearer = p->authorization;
    bool by_bearer, by_header;

    if (!is_set(a->secret))
        return false;
    if (begins(bearer, "Bearer "))
        bearer = behind(bearer, strlen("Bearer "));
    by_bearer = rd_str_same_secret(bearer, secret);
    by_header = rd_str_same_secret(p->secret, secret);
    return by_bearer || by_header;
}

/* Seconds or milliseconds since 1970; false when it is neither. */
static bool read_stamp(struct rd_str s, uint64_t *unix_ms)
{
    uint64_t n = 0;

    if (s.n == 0 || s.n > STAMP_DIGITS_MAX)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
        n = n * 10 + (uint64_t)(s.p[i] - '0');
    }
    *unix_ms = s.n > 11 ? n : n * 1000;
    return true;
}

static bool is_now(uint64_t unix_ms, uint64_t now_unix_ms)
{
    uint64_t apart = unix_ms > now_unix_ms ? unix_ms - now_unix_ms : now_unix_ms - unix_ms;

    return apart <= VAPI_WINDOW_MS;
}

static bool mac_of(const char *key, struct rd_str stamp, struct rd_str body, uint8_t mac[VAPI_MAC])
{
    struct buf text;
    int rc;

    buf_init(&text, SIGNED_MAX);
    rc = buf_add(&text, stamp.p, stamp.n);
    if (!rc)
        rc = buf_add(&text, ".", 1);
    if (!rc)
        rc = buf_add(&text, body.p, body.n);
    if (!rc)
        hmac_sha256(mac, key, strlen(key), text.data, text.n);
    buf_fini(&text);
    return rc == 0;
}

/* Hexadecimal digits may be large: a copy in small ones is compared. */
static bool same_hex(struct rd_str given, const uint8_t mac[VAPI_MAC])
{
    char expected[2 * VAPI_MAC + 1], small[2 * VAPI_MAC];

    rd_hex(expected, mac, VAPI_MAC);
    if (given.n != sizeof(small))
        return false;
    for (size_t i = 0; i < given.n; i++)
        small[i] = (char)(given.p[i] >= 'A' && given.p[i] <= 'F' ? given.p[i] + 32 : given.p[i]);
    return rd_str_same_secret((struct rd_str){small, sizeof(small)}, rd_str(expected));
}

static bool same_base64(struct rd_str given, const uint8_t mac[VAPI_MAC])
{
    char expected[BASE64_ENCODED(VAPI_MAC) + 1];
    size_t n = base64_encode(expected, mac, VAPI_MAC);

    return rd_str_same_secret(given, (struct rd_str){expected, n});
}

static bool has_signature(const struct vapi_auth *a, const struct vapi_proof *p, struct rd_str body,
                          uint64_t now_unix_ms, uint8_t mac[VAPI_MAC])
{
    struct rd_str given = p->signature;
    uint64_t at_ms;

    if (!is_set(a->hmac) || given.n == 0 || !read_stamp(p->timestamp, &at_ms) ||
        !is_now(at_ms, now_unix_ms) || !mac_of(a->hmac, p->timestamp, body, mac))
        return false;
    if (begins(given, "sha256="))
        given = behind(given, strlen("sha256="));
    return same_hex(given, mac) || same_base64(given, mac);
}

enum vapi_trust vapi_sign_check(const struct vapi_auth *a, const struct vapi_proof *p,
                                struct rd_str body, uint64_t now_unix_ms, uint8_t mac[VAPI_MAC])
{
    memset(mac, 0, VAPI_MAC);
    if (has_signature(a, p, body, now_unix_ms, mac))
        return VAPI_BY_HMAC;
    return has_secret(a, p) ? VAPI_BY_SECRET : VAPI_REFUSED;
}

/* As long as a SHA-256 is in one of the spellings. */
static bool could_be_a_mac(struct rd_str given)
{
    if (begins(given, "sha256="))
        given = behind(given, strlen("sha256="));
    return given.n == 2 * (size_t)VAPI_MAC || given.n == BASE64_ENCODED(VAPI_MAC);
}

enum vapi_trust vapi_sign_could_be(const struct vapi_auth *a, const struct vapi_proof *p,
                                   uint64_t now_unix_ms)
{
    uint64_t at_ms;

    if (has_secret(a, p))
        return VAPI_BY_SECRET;
    return is_set(a->hmac) && could_be_a_mac(p->signature) && read_stamp(p->timestamp, &at_ms) &&
                   is_now(at_ms, now_unix_ms)
               ? VAPI_BY_HMAC
               : VAPI_REFUSED;
}
