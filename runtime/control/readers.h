/* SPDX-License-Identifier: Apache-2.0 */
/* readers.h - those who listen to what happens: GET /api/v1/events as server-sent events, out of the
 * ring of events.
 *
 *   ring ─▶ of their agents only ─▶ masked, where they may not see more ─▶ id:, data:
 *
 * Besides records they hear `missed` (what is between these two numbers is gone), `ended` (the token is
 * no good any more, or the node ends) and `slow` (what they did not read in time), then it is over. */
#ifndef CONTROL_READERS_H
#define CONTROL_READERS_H

#include "base/json.h"
#include "control/events.h"
#include "io/http_server.h"
#include "io/loop.h"

enum { READERS_MAX = 64, READERS_OF_ONE = READERS_MAX / 4 };

struct api;
struct readers;

struct readers_opts {
    struct loop *loop;
    const struct events *events; /* borrows */
    struct api *api;             /* borrows; who says whether a token is still good */
};

int readers_new(struct readers **out, const struct readers_opts *o);
void readers_free(
    struct readers *r); /* NULL is fine; after the HTTP servers, so that nobody listens */

struct reader_place {
    const char *last_event_id; /* the header's text; "": there was none */
    bool is_local;             /* by the control socket: no token to ask for */
};

/* `stream` is what ringdown.api answered: { agents = list or nothing, masked, after, expires_unix,
 * token_sha256, holder }; with wait_s it is a poll (polls.h), answered by itself. `holder`: the number of the
 * token that it comes of, which has READERS_OF_ONE places and no more; without one there is no such bound.
 * 0: it is a stream now; RD_EPROTO: something came behind the request; RD_EFULL; -EDQUOT: no more for this
 * one; the request is as it was. */
int readers_open(struct readers *r, struct http_request *request, const struct json_value *stream,
                 const struct reader_place *at);
void readers_gone(struct readers *r, const struct http_request *request);

/* Something is new in the ring. */
void readers_news(struct readers *r);

/* Everybody hears `ended`, and why. */
void readers_end_all(struct readers *r, const char *why);

unsigned readers_count(const struct readers *r);

#endif
