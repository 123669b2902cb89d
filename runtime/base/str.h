/* SPDX-License-Identifier: Apache-2.0 */
/* str.h - a borrowed run of bytes. Not terminated; valid as long as what it points into. */
#ifndef BASE_STR_H
#define BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct rd_str {
    const char *p;
    size_t n;
};

#define RD_STR(literal) ((struct rd_str){"" literal, sizeof(literal) - 1})
#define RD_STR_FMT      "%.*s"
#define RD_STR_ARG(s)   (int)(s).n, (s).p

static inline struct rd_str rd_str(const char *z)
{
    return (struct rd_str){z, z ? strlen(z) : 0};
}

static inline bool rd_str_eq(struct rd_str a, struct rd_str b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

/* Copies into a fixed array, always terminated. False when it did not fit (then it is cut). */
static inline bool rd_str_copy(char *out, size_t cap, struct rd_str s)
{
    size_t n = s.n < cap ? s.n : cap - 1;

    if (n > 0)
        memcpy(out, s.p, n);
    out[n] = '\0';
    return n == s.n;
}

/* Constant time in the length of b; for secrets and signatures. */
bool rd_str_same_secret(struct rd_str a, struct rd_str b);

/* Writes n bytes as 2n hexadecimal digits and a terminator. */
static inline void rd_hex(char *out, const uint8_t *bytes, size_t n)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < n; i++) {
        out[2 * i] = digits[bytes[i] >> 4];
        out[2 * i + 1] = digits[bytes[i] & 15];
    }
    out[2 * n] = '\0';
}

/* Length of the well-formed UTF-8 sequence that n > 0 bytes begin with; 0 when there is none. */
size_t rd_utf8_sequence(const char *p, size_t n);

#endif
