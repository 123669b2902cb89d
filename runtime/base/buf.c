/* SPDX-License-Identifier: Apache-2.0 */
/* buf.c - a growing byte buffer with a hard limit.
 *
 * Room doubles until it reaches the limit; buf_clear() keeps it, so that a buffer that is used
 * again and again stops allocating. Every add either happens whole or leaves the buffer as it was:
 * the escaping ones remember where they started and step back.
 *   - no memory: -ENOMEM
 *   - more than max: RD_EFULL */
#include "base/buf.h"

#include "base/err.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { FIRST_CAP = 64 };

static const char replacement[] = "\xEF\xBF\xBD"; /* U+FFFD */

void buf_init(struct buf *b, size_t max)
{
    *b = (struct buf){.max = max};
}

void buf_fini(struct buf *b)
{
    free(b->data);
    *b = (struct buf){.max = b->max};
}

void buf_clear(struct buf *b)
{
    b->n = 0;
}

/* `cap` may be one above max: the terminator of buf_text() does not count. */
static int grow_to(struct buf *b, size_t cap)
{
    size_t want = b->cap ? b->cap : FIRST_CAP;
    char *data;

    if (cap <= b->cap)
        return 0;
    while (want < cap)
        want = want > SIZE_MAX / 2 ? cap : want * 2;
    if (want > b->max && b->max >= cap)
        want = b->max;
    data = realloc(b->data, want);
    if (!data)
        return -ENOMEM;
    b->data = data;
    b->cap = want;
    return 0;
}

int buf_reserve(struct buf *b, size_t n)
{
    if (n > b->max || b->n > b->max - n)
        return RD_EFULL;
    return grow_to(b, b->n + n);
}

int buf_add(struct buf *b, const void *p, size_t n)
{
    int rc = buf_reserve(b, n);

    if (rc)
        return rc;
    if (n > 0)
        memcpy(b->data + b->n, p, n);
    b->n += n;
    return 0;
}

int buf_add_str(struct buf *b, const char *z)
{
    return buf_add(b, z, strlen(z));
}

int buf_vaddf(struct buf *b, const char *fmt, va_list ap)
{
    va_list again;
    int n, rc;

    va_copy(again, ap);
    n = vsnprintf(NULL, 0, fmt, again);
    va_end(again);
    if (n < 0)
        return -EINVAL;
    rc = buf_reserve(b, (size_t)n);
    if (!rc)
        rc = grow_to(b, b->n + (size_t)n + 1); /* vsnprintf() writes a terminator */
    if (rc)
        return rc;
    vsnprintf(b->data + b->n, (size_t)n + 1, fmt, ap);
    b->n += (size_t)n;
    return 0;
}

int buf_addf(struct buf *b, const char *fmt, ...)
{
    va_list ap;
    int rc;

    va_start(ap, fmt);
    rc = buf_vaddf(b, fmt, ap);
    va_end(ap);
    return rc;
}

/* How one ASCII character is written; NULL: as it is. `hex` has room for \u00XX. */
static const char *json_ascii(uint8_t c, char hex[8])
{
    static const char digits[] = "0123456789abcdef";

    switch (c) {
    case '"':
        return "\\\"";
    case '\\':
        return "\\\\";
    case '\n':
        return "\\n";
    case '\r':
        return "\\r";
    case '\t':
        return "\\t";
    case '\0':
        return replacement; /* legal, but PostgreSQL takes no JSON with it */
    default:
        break;
    }
    if (c >= 0x20 && c != 0x7F)
        return NULL;
    memcpy(hex, "\\u00", 4);
    hex[4] = digits[c >> 4];
    hex[5] = digits[c & 15];
    hex[6] = '\0';
    return hex;
}

static const char *xml_ascii(uint8_t c, char hex[8])
{
    (void)hex;
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&apos;";
    case '\t':
        return "&#9;"; /* attribute values would be normalised to spaces otherwise */
    case '\n':
        return "&#10;";
    case '\r':
        return "&#13;";
    default:
        return c < 0x20 || c == 0x7F ? "" : NULL;
    }
}

/* U+FFFE and U+FFFF are well-formed UTF-8 but no XML characters. */
static bool xml_forbids(const uint8_t *p, size_t len)
{
    return len == 3 && p[0] == 0xEF && p[1] == 0xBF && p[2] >= 0xBE;
}

typedef const char *(escape_fn)(uint8_t c, char hex[8]);

/* Runs that need no escaping are copied at once. */
static int add_escaped(struct buf *b, struct rd_str s, escape_fn *escape, bool xml)
{
    const uint8_t *p = (const uint8_t *)s.p;
    size_t start = b->n, run = 0, i = 0;
    char hex[8];
    int rc = 0;

    while (i < s.n) {
        size_t len = rd_utf8_sequence(s.p + i, s.n - i);
        const char *text = len == 0 ? replacement : len == 1 ? escape(p[i], hex) : NULL;

        if (xml && xml_forbids(p + i, len))
            text = "";
        if (len == 0)
            len = 1;
        if (text) {
            rc = buf_add(b, s.p + run, i - run);
            if (!rc)
                rc = buf_add_str(b, text);
            if (rc)
                goto fail;
            run = i + len;
        }
        i += len;
    }
    if (s.n > run)
        rc = buf_add(b, s.p + run, s.n - run);
    if (!rc)
        return 0;
fail:
    b->n = start;
    return rc;
}

int buf_add_json(struct buf *b, struct rd_str s)
{
    return add_escaped(b, s, json_ascii, false);
}

int buf_add_xml(struct buf *b, struct rd_str s)
{
    return add_escaped(b, s, xml_ascii, true);
}

void buf_consume(struct buf *b, size_t n)
{
    if (n > b->n)
        n = b->n;
    if (n > 0 && n < b->n)
        memmove(b->data, b->data + n, b->n - n);
    b->n -= n;
}

const char *buf_text(struct buf *b)
{
    if (grow_to(b, b->n + 1))
        return NULL;
    b->data[b->n] = '\0';
    return b->data;
}

char *buf_take(struct buf *b)
{
    char *data = NULL;

    if (buf_text(b)) {
        data = b->data;
        b->data = NULL;
        b->n = b->cap = 0;
    }
    return data;
}
