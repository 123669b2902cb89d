/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_http.c - module: io. HTTP heads, requests and answers, whole and torn: the verdict must be
 * the same however the bytes are cut. First byte: kind and cut; the rest: wire. */
#include "io/http_parse.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static void check(const struct http_head *h)
{
    unsigned i;

    if (h->n > HTTP_HEAD_MAX || h->n_headers > HTTP_HEADERS_MAX)
        abort();
    for (i = 0; i < h->n_headers; i++) {
        struct rd_str name = http_head_str(h, h->name[i]), value = http_head_str(h, h->value[i]);

        if (name.p + name.n > h->buf + h->n || value.p + value.n > h->buf + h->n)
            abort();
        if (memchr(value.p, '\r', value.n) || memchr(value.p, '\n', value.n) ||
            memchr(value.p, '\0', value.n))
            abort();
    }
    http_head_has_token(h, "connection", "upgrade");
    http_head_get(h, "host");
    if (!h->response && memchr(http_head_str(h, h->target).p, ' ', h->target.n))
        abort();
}

static int run(const uint8_t *data, size_t n, bool response, size_t step, size_t *used)
{
    struct http_head h;
    size_t at = 0;
    int rc = 0;

    *used = 0;
    http_head_init(&h, response);
    while (at < n && rc == 0) {
        size_t len = n - at < step ? n - at : step, took;
        char *piece = malloc(len);

        if (!piece)
            abort();
        memcpy(piece, data + at, len);
        at += len;
        rc = http_head_feed(&h, piece, len, &took);
        if (took > len || (rc == 0 && took != len))
            abort();
        *used += took;
        free(piece);
    }
    if (rc == 1)
        check(&h);
    http_head_fini(&h);
    return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    size_t used_whole, used_torn;
    int whole, torn;

    if (n < 2)
        return 0;
    whole = run(data + 1, n - 1, data[0] & 1, n, &used_whole);
    torn = run(data + 1, n - 1, data[0] & 1, 1 + (data[0] >> 1) % 16, &used_torn);
    if (whole != torn || (whole == 1 && used_whole != used_torn))
        abort();
    return 0;
}
