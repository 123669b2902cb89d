/* SPDX-License-Identifier: Apache-2.0 */
/* http_client.h - HTTP requests that do not block, on a loop (libcurl multi). Loop's thread. */
#ifndef IO_HTTP_CLIENT_H
#define IO_HTTP_CLIENT_H

#include "base/str.h"
#include "io/http_fence.h"
#include "io/loop.h"

#include <stddef.h>

struct http_client;
struct http_call;

struct http_call_opts {
    const char *method;                      /* "GET", "POST"… */
    const char *url;                         /* http or https */
    const char *const *header;               /* "Name: value", NULL-terminated; may be NULL */
    struct rd_str body;                      /* copied */
    const char *user_password;               /* "user:password" for Basic; may be NULL */
    unsigned connect_timeout_ms, timeout_ms; /* 0: 5000, 15000 */
    size_t max_body;                         /* 0: 1 MiB, counted after decompression */
    const char *const *hosts; /* of a fenced client: where it may go; copied, NULL-terminated */
    char *why;                /* HTTP_WHY_MAX bytes for the reason of -EACCES; may be NULL */
};

struct http_result {
    /* 0, -ETIMEDOUT, RD_ETOOBIG or -EIO: nobody knows what the peer has done; -ECONNREFUSED or
     * RD_ETLS: it has not even heard of the request; -EACCES: the fence is in the way */
    int err;
    bool was_sent;    /* with -EACCES: somebody got it, and sent us where we do not go */
    const char *text; /* libcurl's words when err */
    int status;       /* when err is 0 */
    struct rd_str content_type;
    struct rd_str retry_after; /* the header's value; base/retry.h reads it */
    struct rd_str head;        /* "Name: value" lines as they came, without the status line */
    struct rd_str body;        /* borrowed during the callback, like all of these */
};
typedef void(http_done_fn)(const struct http_result *r, void *arg);

/* ca_file NULL: the system's store. */
int http_client_new(struct http_client **out, struct loop *l, const char *ca_file);
void http_client_free(struct http_client *c); /* cancels what is running, without callbacks */

/* From now on requests need `hosts`, stay within the fence, and redirects within it are followed.
 * Borrows what the fence points to. Without it, redirects are handed up. */
void http_client_fence(struct http_client *c, const struct http_fence *f);

/* 0: `done` is called once from the loop. Anything else: never. */
int http_call_start(struct http_call **out, struct http_client *c, const struct http_call_opts *o,
                    http_done_fn *done, void *arg);
void http_call_cancel(struct http_call *h); /* no callback any more */

#endif
