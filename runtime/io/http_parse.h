/* SPDX-License-Identifier: Apache-2.0 */
/* http_parse.h - the head of an HTTP/1 message, in any chunking, strictly. Pure.
 * Fuzzed by tests/fuzz/fuzz_http.c. */
#ifndef IO_HTTP_PARSE_H
#define IO_HTTP_PARSE_H

#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HTTP_HEAD_MAX = 8192, HTTP_HEADERS_MAX = 64 };

struct http_span {
    uint16_t at, n;
};

struct http_head {
    bool response; /* set by init: a status line is expected */
    bool done;

    /* A request: its words. A response: status. */
    struct http_span method, target, path;
    int status;
    int minor; /* HTTP/1.minor */

    unsigned n_headers;
    struct http_span name[HTTP_HEADERS_MAX]; /* in lower case */
    struct http_span value[HTTP_HEADERS_MAX];

    bool has_length, chunked, expects_continue, has_host;
    uint64_t length; /* Content-Length */

    char *buf; /* owns: the bytes so far */
    size_t n, cap;
    size_t line;  /* where the current line begins */
    bool started; /* the first line is there */
};

void http_head_init(struct http_head *h, bool response);
void http_head_fini(struct http_head *h);

/* Takes bytes up to the end of the head; *used of them. 1: the head is whole; 0: more; negative:
 * the status to refuse with, as -400, -411, -417, -431, -501, -505; -500 without memory. */
int http_head_feed(struct http_head *h, const char *p, size_t n, size_t *used);

struct rd_str http_head_str(const struct http_head *h, struct http_span s);

/* The first header of that (lower-case) name; p is NULL when absent. */
struct rd_str http_head_get(const struct http_head *h, const char *name);

/* Whether a comma-separated header, all lines of it, has the token (any case). */
bool http_head_has_token(const struct http_head *h, const char *name, const char *token);

#endif
