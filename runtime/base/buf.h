/* SPDX-License-Identifier: Apache-2.0 */
/* buf.h - a growing byte buffer with a hard limit. Adding beyond the limit fails and leaves the
 * buffer as it was. Not thread-safe. */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/str.h"

#include <stdarg.h>
#include <stddef.h>

struct buf {
    char *data; /* owns; not terminated unless buf_text() was called */
    size_t n;   /* bytes used */
    size_t cap; /* bytes allocated */
    size_t max; /* never grows beyond this */
};

void buf_init(struct buf *b, size_t max);
void buf_fini(struct buf *b);
void buf_clear(struct buf *b);

/* Room for n more bytes at data + n; the caller then adds to b->n what it wrote. -ENOMEM, RD_EFULL. */
int buf_reserve(struct buf *b, size_t n);

/* 0, -ENOMEM or RD_EFULL. */
int buf_add(struct buf *b, const void *p, size_t n);
int buf_add_str(struct buf *b, const char *z);
int buf_addf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int buf_vaddf(struct buf *b, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));

/* Appends s escaped as the inside of a JSON string (no quotes). Invalid UTF-8 becomes U+FFFD. */
int buf_add_json(struct buf *b, struct rd_str s);

/* Appends s escaped for XML text and attribute values; characters XML 1.0 forbids are left out. */
int buf_add_xml(struct buf *b, struct rd_str s);

/* Drops the first n bytes. */
void buf_consume(struct buf *b, size_t n);

/* Terminates with NUL (not counted) and returns data; NULL when there is no memory. */
const char *buf_text(struct buf *b);

/* The data, now owned by the caller (free); NUL-terminated. The buffer is empty afterwards. */
char *buf_take(struct buf *b);

#endif
