/* SPDX-License-Identifier: Apache-2.0 */
/* http_range.c - "bytes=0-499", "bytes=500-", "bytes=-500". Whatever else somebody writes there is left
 * out of account, as the RFC allows: they get the whole. */
#include "io/http_range.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

enum { DIGITS_MAX = 18 };

/* False: something else than digits. No digits at all: *is_there false. */
static bool read_number(struct rd_str s, uint64_t *out, bool *is_there)
{
    *out = 0;
    *is_there = s.n > 0;
    if (s.n > DIGITS_MAX)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
        *out = *out * 10 + (uint64_t)(s.p[i] - '0');
    }
    return true;
}

static struct rd_str trimmed(struct rd_str s)
{
    while (s.n > 0 && (*s.p == ' ' || *s.p == '\t')) {
        s.p++;
        s.n--;
    }
    while (s.n > 0 && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
        s.n--;
    return s;
}

int http_range_read(struct http_range *out, struct rd_str header, uint64_t size)
{
    static const char unit[] = "bytes=";
    const size_t n_unit = sizeof(unit) - 1;
    uint64_t first, last;
    bool has_first, has_last;
    const char *dash;
    struct rd_str s;

    *out = (struct http_range){0, size};
    if (!header.p || header.n <= n_unit || strncasecmp(header.p, unit, n_unit) != 0)
        return 200;
    s = trimmed((struct rd_str){header.p + n_unit, header.n - n_unit});
    dash = s.n > 0 ? memchr(s.p, '-', s.n) : NULL;
    if (!dash || !read_number((struct rd_str){s.p, (size_t)(dash - s.p)}, &first, &has_first) ||
        !read_number((struct rd_str){dash + 1, s.n - (size_t)(dash - s.p) - 1}, &last, &has_last) ||
        (!has_first && !has_last) || (has_first && has_last && last < first))
        return 200;
    if (!has_first) { /* the last so many */
        first = last < size ? size - last : 0;
        if (last == 0 || size == 0)
            return 416;
        last = size - 1;
    } else if (!has_last || last >= size) {
        last = size - 1;
    }
    if (first >= size)
        return 416;
    *out = (struct http_range){first, last - first + 1};
    return 206;
}
