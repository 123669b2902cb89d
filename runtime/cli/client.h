/* SPDX-License-Identifier: Apache-2.0 */
/* client.h - one request to the live node over its control socket. Blocking, bounded. */
#ifndef CLI_CLIENT_H
#define CLI_CLIENT_H

#include "base/buf.h"

#include <stddef.h>

enum { CLIENT_BODY_MAX = 16 << 20 };

/* Sends `method target` to <data>/control.sock and puts the answer's body into `body` (initialised
 * by the caller). Returns the HTTP status; negative when there is no answer, with a sentence and
 * its remedy in `why`. */
int client_request(const char *data, const char *method, const char *target, struct buf *body,
                   char *why, size_t cap);

/* The same with a body of JSON. */
int client_send(const char *data, const char *method, const char *target, struct rd_str json,
                struct buf *body, char *why, size_t cap);

/* client_request() to another socket of the folder: a process that drains. */
int client_request_at(const char *data, const char *name, const char *method, const char *target,
                      struct buf *body, char *why, size_t cap);

/* Tells on stderr why `command` got no good answer: `why`, or what the node says in its body. */
void client_complain(const char *command, int http, const struct buf *body, const char *why);

#endif
