/* SPDX-License-Identifier: Apache-2.0 */
/* http_range.h - which bytes a Range header asks for (RFC 9110 §14). Pure. */
#ifndef IO_HTTP_RANGE_H
#define IO_HTTP_RANGE_H

#include "base/str.h"

#include <stdint.h>

/* Of `size` bytes: from `first`, `n` of them, n > 0 unless size is 0. */
struct http_range {
    uint64_t first, n;
};

/* 200: all of it, because the header is absent (p NULL), of another unit, asks for several pieces, or is
 * no range; 206: a piece; 416: none of these bytes are there. */
int http_range_read(struct http_range *out, struct rd_str header, uint64_t size);

#endif
