/* SPDX-License-Identifier: Apache-2.0 */
/* playback.h - recorded calls as answers of the admin API: whole, or the piece that Range asks for.
 *
 *   ringdown.api says which file ─▶ helper thread: open, read a piece ─▶ loop: send it ─▶ the next one
 *
 * Loop's thread only. */
#ifndef CONTROL_PLAYBACK_H
#define CONTROL_PLAYBACK_H

#include "base/json.h"
#include "io/http_server.h"
#include "io/loop.h"

enum { PLAYBACK_MAX = 16, PLAYBACK_OF_ONE = PLAYBACK_MAX / 2 };

struct playback;

/* `data`: the data folder; copied. */
int playback_new(struct playback **out, struct loop *l, const char *data);
void playback_free(struct playback *p); /* after the HTTP servers; NULL is fine */

/* `file` is what ringdown.api answered: { path, name, holder }, the last of which is as readers_open()
 * has it. 0: in hand, the request is answered; RD_EFULL: too many are; -EDQUOT; RD_EPROTO: that is no recording; -ENOMEM. */
int playback_serve(struct playback *p, struct http_request *r, const struct json_value *file);
void playback_gone(struct playback *p, const struct http_request *r);

#endif
