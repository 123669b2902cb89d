/* SPDX-License-Identifier: Apache-2.0 */
/* http_parse.c - one line at a time, each checked when its LF arrives.
 *
 *   first line ─▶ header, header … ─▶ empty line ─▶ checks across headers ─▶ whole
 *
 * Everything that two parsers could understand differently is refused: bare CR or LF, white space
 * before a colon, folded lines, control characters, two Content-Lengths, Content-Length beside
 * Transfer-Encoding, two Hosts. Bodies come by Content-Length only. Spans are offsets, because the
 * buffer moves while it grows to its 8 KiB. */
#include "io/http_parse.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { BUF_FIRST = 1024 };

void http_head_init(struct http_head *h, bool response)
{
    *h = (struct http_head){.response = response};
}

void http_head_fini(struct http_head *h)
{
    free(h->buf);
    h->buf = NULL;
}

struct rd_str http_head_str(const struct http_head *h, struct http_span s)
{
    return (struct rd_str){h->buf + s.at, s.n};
}

struct rd_str http_head_get(const struct http_head *h, const char *name)
{
    size_t n = strlen(name);
    unsigned i;

    for (i = 0; i < h->n_headers; i++) {
        if (h->name[i].n == n && memcmp(h->buf + h->name[i].at, name, n) == 0)
            return http_head_str(h, h->value[i]);
    }
    return (struct rd_str){NULL, 0};
}

static bool list_has(struct rd_str list, const char *token)
{
    const char *p = list.p, *end = list.p + list.n;
    size_t n = strlen(token);

    while (p < end) {
        const char *comma = memchr(p, ',', (size_t)(end - p));
        const char *stop = comma ? comma : end, *last = stop;

        while (p < last && (*p == ' ' || *p == '\t'))
            p++;
        while (last > p && (last[-1] == ' ' || last[-1] == '\t'))
            last--;
        if ((size_t)(last - p) == n && strncasecmp(p, token, n) == 0)
            return true;
        p = stop + 1;
    }
    return false;
}

bool http_head_has_token(const struct http_head *h, const char *name, const char *token)
{
    size_t n = strlen(name);
    unsigned i;

    for (i = 0; i < h->n_headers; i++) {
        if (h->name[i].n == n && memcmp(h->buf + h->name[i].at, name, n) == 0 &&
            list_has(http_head_str(h, h->value[i]), token))
            return true;
    }
    return false;
}

/* --- lines ------------------------------------------------------------------------------------ */

static bool is_token_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("!#$%&'*+-.^_`|~", c));
}

static bool is_token(const char *p, size_t n)
{
    size_t i;

    for (i = 0; i < n; i++) {
        if (!is_token_char(p[i]))
            return false;
    }
    return n > 0;
}

static struct http_span span(const struct http_head *h, const char *p, size_t n)
{
    return (struct http_span){(uint16_t)(p - h->buf), (uint16_t)n};
}

/* "HTTP/1.1" at p, exactly n bytes. */
static int parse_version(struct http_head *h, const char *p, size_t n)
{
    if (n != 8 || memcmp(p, "HTTP/", 5) != 0 || p[6] != '.' || p[5] < '0' || p[5] > '9' ||
        p[7] < '0' || p[7] > '9')
        return -400;
    if (p[5] != '1')
        return -505;
    h->minor = p[7] == '0' ? 0 : 1;
    return 0;
}

static int parse_request_line(struct http_head *h, const char *p, size_t n)
{
    const char *end = p + n, *space = memchr(p, ' ', n), *target, *query;
    size_t i, n_target;

    if (!space || space - p > 16 || !is_token(p, (size_t)(space - p)))
        return -400;
    h->method = span(h, p, (size_t)(space - p));
    target = space + 1;
    space = memchr(target, ' ', (size_t)(end - target));
    if (!space || space == target)
        return -400;
    n_target = (size_t)(space - target);
    /* Origin form, or "*": we are no proxy. */
    if (target[0] != '/' && !(n_target == 1 && target[0] == '*'))
        return -400;
    for (i = 0; i < n_target; i++) {
        if ((unsigned char)target[i] <= 0x20 || (unsigned char)target[i] >= 0x7F)
            return -400;
    }
    h->target = span(h, target, n_target);
    query = memchr(target, '?', n_target);
    h->path = span(h, target, query ? (size_t)(query - target) : n_target);
    return parse_version(h, space + 1, (size_t)(end - space - 1));
}

static int parse_status_line(struct http_head *h, const char *p, size_t n)
{
    int rc = n < 12 ? -400 : parse_version(h, p, 8);
    int i;

    if (rc)
        return rc;
    if (p[8] != ' ' || (n > 12 && p[12] != ' '))
        return -400;
    for (i = 9; i < 12; i++) {
        if (p[i] < '0' || p[i] > '9')
            return -400;
        h->status = h->status * 10 + (p[i] - '0');
    }
    return 0;
}

static int parse_length(struct http_head *h, struct rd_str v)
{
    size_t i;

    if (h->has_length || v.n == 0 || v.n > 18)
        return -400;
    for (i = 0; i < v.n; i++) {
        if (v.p[i] < '0' || v.p[i] > '9')
            return -400;
        h->length = h->length * 10 + (uint64_t)(v.p[i] - '0');
    }
    h->has_length = true;
    return 0;
}

static bool same(struct rd_str a, const char *z)
{
    return a.n == strlen(z) && strncasecmp(a.p, z, a.n) == 0;
}

/* Headers that decide how the message is read. */
static int note_header(struct http_head *h, struct rd_str name, struct rd_str value)
{
    if (rd_str_eq(name, RD_STR("content-length")))
        return parse_length(h, value);
    if (rd_str_eq(name, RD_STR("transfer-encoding"))) {
        if (h->chunked || !same(value, "chunked"))
            return h->chunked ? -400 : -501;
        h->chunked = true;
    } else if (rd_str_eq(name, RD_STR("host"))) {
        if (h->has_host)
            return -400;
        h->has_host = true;
    } else if (rd_str_eq(name, RD_STR("expect"))) {
        if (!same(value, "100-continue"))
            return -417;
        h->expects_continue = true;
    }
    return 0;
}

static int parse_header(struct http_head *h, char *p, size_t n)
{
    char *colon = memchr(p, ':', n), *end = p + n, *from, *c;
    unsigned i = h->n_headers;

    /* A folded line begins with white space, which no token does. */
    if (!colon || !is_token(p, (size_t)(colon - p)))
        return -400;
    if (i == HTTP_HEADERS_MAX)
        return -431;
    for (c = p; c < colon; c++) {
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c | 0x20);
    }
    for (from = colon + 1; from < end && (*from == ' ' || *from == '\t');)
        from++;
    while (end > from && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    for (c = from; c < end; c++) {
        if (((unsigned char)*c < 0x20 && *c != '\t') || *c == 0x7F)
            return -400;
    }
    h->name[i] = span(h, p, (size_t)(colon - p));
    h->value[i] = span(h, from, (size_t)(end - from));
    h->n_headers++;
    return note_header(h, http_head_str(h, h->name[i]), http_head_str(h, h->value[i]));
}

/* The checks that need all headers. */
static int finish(struct http_head *h)
{
    h->done = true;
    if (h->chunked && h->has_length)
        return -400;
    if (h->response)
        return 1;
    if (h->minor >= 1 && !h->has_host)
        return -400;
    if (h->chunked)
        return h->minor >= 1 ? -411 : -400;
    if (h->minor == 0)
        h->expects_continue = false;
    return 1;
}

/* The line that ends at h->n (its LF is there). */
static int take_line(struct http_head *h)
{
    char *p = h->buf + h->line;
    size_t n = h->n - h->line;

    h->line = h->n;
    if (n < 2 || p[n - 2] != '\r')
        return -400;
    n -= 2;
    if (memchr(p, '\r', n))
        return -400;
    if (n == 0) {
        if (h->started)
            return finish(h);
        return h->n == 2 ? 0 : -400; /* one empty line before the first is forgiven */
    }
    if (h->started)
        return parse_header(h, p, n);
    h->started = true;
    return h->response ? parse_status_line(h, p, n) : parse_request_line(h, p, n);
}

static int grow(struct http_head *h, size_t n)
{
    size_t cap = h->cap ? h->cap : BUF_FIRST;
    char *fresh;

    if (n <= h->cap)
        return 0;
    while (cap < n)
        cap *= 2;
    fresh = realloc(h->buf, cap);
    if (!fresh)
        return -500;
    h->buf = fresh;
    h->cap = cap;
    return 0;
}

int http_head_feed(struct http_head *h, const char *p, size_t n, size_t *used)
{
    *used = 0;
    while (*used < n && !h->done) {
        const char *from = p + *used, *lf = memchr(from, '\n', n - *used);
        size_t take = lf ? (size_t)(lf - from) + 1 : n - *used;
        int rc;

        if (h->n + take > HTTP_HEAD_MAX)
            return -431;
        rc = grow(h, h->n + take);
        if (rc)
            return rc;
        memcpy(h->buf + h->n, from, take);
        h->n += take;
        *used += take;
        if (!lf)
            break;
        rc = take_line(h);
        if (rc)
            return rc;
    }
    return h->done ? 1 : 0;
}
