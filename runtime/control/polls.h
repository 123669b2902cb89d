/* SPDX-License-Identifier: Apache-2.0 */
/* polls.h - what happens, for those who cannot hold a stream: GET /api/v1/events?after=N&wait_s=S is
 * answered once there is something behind N, or after S seconds.
 *
 *   {"items":[{"id":N,"event":{…}}],"next":N,"missed":false,"more":false}
 *
 * For readers.c, whose numbers they have. Loop's thread only. */
#ifndef CONTROL_POLLS_H
#define CONTROL_POLLS_H

#include "base/json.h"
#include "control/events.h"
#include "io/http_server.h"
#include "io/loop.h"

enum { POLLS_MAX = 64, POLLS_OF_ONE = POLLS_MAX / 4 };

struct polls;

/* `base`: what an event's number is added to, to make its id. */
int polls_new(struct polls **out, struct loop *l, const struct events *events, uint64_t base);
void polls_free(struct polls *p); /* after the HTTP servers; NULL is fine */

/* `stream` as for readers_open(), with wait_s; `after` may be missing: behind the last. 0: in hand;
 * RD_EFULL, -EDQUOT, -ENOMEM: the request is as it was. */
int polls_open(struct polls *p, struct http_request *r, const struct json_value *stream);
void polls_gone(struct polls *p, const struct http_request *r);
void polls_news(struct polls *p);
void polls_end_all(struct polls *p); /* each hears what there is */

#endif
