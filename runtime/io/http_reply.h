/* SPDX-License-Identifier: Apache-2.0 */
/* http_reply.h - puts answers into a connection's output, for http_server.c only. */
#ifndef IO_HTTP_REPLY_H
#define IO_HTTP_REPLY_H

#include "base/str.h"
#include "io/conn.h"

#include <stdbool.h>
#include <stdint.h>

/* A whole answer with `connection: close`. extra: more header lines, each with CRLF, or NULL.
 * send_body false: the answer to HEAD. 0, RD_EFULL, -ENOMEM. */
int http_reply_write(struct conn *c, int status, const char *type, const char *extra,
                     struct rd_str body, bool send_body);

/* The head of an answer whose body of n_body bytes comes by itself; HTTP_ENDLESS: it ends when the
 * connection does. */
#define HTTP_ENDLESS UINT64_MAX
int http_reply_stream(struct conn *c, int status, const char *type, const char *extra,
                      uint64_t n_body);

/* 101 with the accept key. */
int http_reply_upgrade(struct conn *c, const char *key);

#endif
