/* SPDX-License-Identifier: Apache-2.0 */
/* redact_json.c - copies JSON token by token. json_parse() has checked the grammar before, so that a
 * quote begins a string and a digit a number, and nothing else needs to be understood. A string
 * without anything to hide goes out byte by byte as it came.
 *
 * Identifiers are hexadecimal by chance, and one in some thousands has thirteen digits that pass for a card: a
 * row of its own for half of what is told of one text. A whole value that can be nothing else is left alone. */
#include "base/redact.h"

#include "base/err.h"
#include "base/json.h"

enum { EXPONENT_DIGITS = 12, SID_BYTES = 34, CARD_DIGITS = 13 };

struct copy {
    struct buf *out;
    struct buf plain, clean; /* of one string */
    const char *end;
    struct rd_str name; /* of the members read last */
};

static const char *string_end(const char *p)
{
    for (p++; *p != '"'; p++)
        p += *p == '\\';
    return p;
}

static bool is_name(const char *p, const char *end)
{
    while (p < end && strchr(" \t\r\n", *p))
        p++;
    return p < end && *p == ':';
}

static int add_quoted(struct copy *c)
{
    int rc = buf_add_str(c->out, "\"");

    if (!rc)
        rc = buf_add_json(c->out, (struct rd_str){c->clean.data, c->clean.n});
    return rc ? rc : buf_add_str(c->out, "\"");
}

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

static size_t hex_from(struct rd_str s, size_t at)
{
    size_t n = 0;

    while (at + n < s.n && is_hex(s.p[at + n]))
        n++;
    return n;
}

/* ".1795832090.1" behind a sid: times and counters, each too short for a card, as are two of them together. */
static bool is_suffix(struct rd_str s, size_t at)
{
    size_t digits = 0;

    for (; at < s.n; at++) {
        if (s.p[at] != '.' && (s.p[at] < '0' || s.p[at] > '9'))
            return false;
        digits += s.p[at] != '.';
    }
    return digits < CARD_DIGITS;
}

/* CA, SM, … and 32 digits, as the carrier names things. */
static bool is_sid(struct rd_str s)
{
    return s.n >= SID_BYTES && s.p[0] >= 'A' && s.p[0] <= 'Z' && s.p[1] >= 'A' && s.p[1] <= 'Z' &&
           hex_from(s, 2) == SID_BYTES - 2 &&
           (s.n == SID_BYTES || (s.p[SID_BYTES] == '.' && is_suffix(s, SID_BYTES)));
}

static bool is_uuid(struct rd_str s)
{
    static const size_t groups[] = {8, 4, 4, 4, 12};
    size_t at = 0;

    for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
        if (hex_from(s, at) != groups[i])
            return false;
        at += groups[i];
        if (i + 1 < sizeof(groups) / sizeof(groups[0]) && (at >= s.n || s.p[at++] != '-'))
            return false;
    }
    return at == s.n;
}

/* p stands at the quote, q at the closing one. */
static int copy_string(struct copy *c, const char *p, const char *q)
{
    struct json_value v;
    struct rd_str whole = {p, (size_t)(q + 1 - p)}, text;
    bool name = is_name(q + 1, c->end);
    int rc = json_parse(whole, &v);

    buf_clear(&c->plain);
    buf_clear(&c->clean);
    if (!rc)
        rc = json_unescape(&v, &c->plain);
    text = (struct rd_str){c->plain.data, c->plain.n};
    if (!rc && (is_sid(text) || is_uuid(text)))
        rc = buf_add(&c->clean, text.p, text.n);
    else if (!rc)
        rc = redact_named(&c->clean, name ? RD_STR("") : c->name, text);
    if (rc)
        return rc;
    if (name)
        c->name = v.raw;
    if (rd_str_eq(text, (struct rd_str){c->clean.data, c->clean.n}))
        return buf_add(c->out, whole.p, whole.n);
    return add_quoted(c);
}

/* A library without big integers writes 4.1111111111111e+15: most of a card all the same. */
static bool is_long_exponential(struct rd_str n)
{
    size_t digits = 0;

    for (size_t i = 0; i < n.n; i++) {
        if (n.p[i] == 'e' || n.p[i] == 'E')
            return digits >= EXPONENT_DIGITS && memchr(n.p + i, '-', n.n - i) == NULL;
        digits += n.p[i] >= '0' && n.p[i] <= '9';
    }
    return false;
}

/* What stands behind the point is a measure, never a card. */
static int copy_number(struct copy *c, struct rd_str n)
{
    const char *point = memchr(n.p, '.', n.n);
    struct rd_str whole = {n.p, point ? (size_t)(point - n.p) : n.n};
    int rc;

    buf_clear(&c->clean);
    if (is_long_exponential(n))
        rc = buf_add_str(&c->clean, "[digits]");
    else
        rc = redact_named(&c->clean, c->name, whole);
    if (rc)
        return rc;
    if (rd_str_eq(whole, (struct rd_str){c->clean.data, c->clean.n}))
        return buf_add(c->out, n.p, n.n);
    return add_quoted(c);
}

static int copy_all(struct copy *c, const char *p)
{
    int rc = 0;

    while (p < c->end && !rc) {
        const char *q = p;

        if (*p == '"') {
            q = string_end(p);
            rc = copy_string(c, p, q);
            q++;
        } else if (*p == '-' || (*p >= '0' && *p <= '9')) {
            while (q < c->end && *q && strchr("+-.0123456789eE", *q))
                q++;
            rc = copy_number(c, (struct rd_str){p, (size_t)(q - p)});
        } else {
            rc = buf_add(c->out, q++, 1);
        }
        p = q;
    }
    return rc;
}

int redact_json(struct buf *out, struct rd_str json)
{
    struct copy c = {.out = out, .end = json.p + json.n};
    struct json_value root;
    int rc;

    if (json_parse(json, &root))
        return redact_text(out, json);
    buf_init(&c.plain, json.n + 16);
    buf_init(&c.clean, 8 * json.n + 64);
    rc = copy_all(&c, json.p);
    buf_fini(&c.plain);
    buf_fini(&c.clean);
    return rc;
}
