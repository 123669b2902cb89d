/* SPDX-License-Identifier: Apache-2.0 */
/* wire.h - the client events of GPT-Live as JSON text. Pure; any thread. All replace what is in `out`;
 * 0, -ENOMEM, RD_EFULL. */
#ifndef PROVIDERS_LIVE_WIRE_H
#define PROVIDERS_LIVE_WIRE_H

#include "base/buf.h"
#include "ports/brief.h"
#include "ports/provider.h"

#include <stdbool.h>

/* What an agent has that names none. */
#define LIVE_MODEL   "gpt-live-1.1"
#define LIVE_BACKEND "gpt-5.5"

enum {
    LIVE_INSTRUCTIONS_MAX = 48 * 1024, /* of 16,384 tokens, three bytes each */
    LIVE_APPEND_BYTES = 1500,          /* of 500 tokens, counted the same way */
    LIVE_APPENDS = 12                  /* of one text; what is longer is refused */
};

/* What stands around the base64 text of session.input_audio.append. */
#define LIVE_AUDIO_HEAD "{\"type\":\"session.input_audio.append\",\"audio\":\""
#define LIVE_AUDIO_TAIL "\"}"

/* The first message, with nothing in it that the service does not know. RD_ECONFIG: the instructions are
 * too long, or tools_json is no array of {"name", "description", "parameters"}. */
int live_wire_start(struct buf *out, const struct brief *b);

/* Each kind holds 500 tokens at most: a text is taken piece by piece, `text` moves on behind what was
 * written. RD_ETOOBIG, at once: all of it would need more pieces than LIVE_APPENDS. */
enum live_append { LIVE_KNOW, LIVE_SAY_EXACTLY, LIVE_SAY };
int live_wire_append(struct buf *out, enum live_append kind, bool first, struct rd_str *text);

/* What was said or done before, as one text to be known. */
int live_wire_past(struct buf *out, const struct history_item *it);

int live_wire_tool_result(struct buf *out, struct rd_str call_id, struct rd_str output);
int live_wire_continue(struct buf *out); /* the backend goes on with the results */
int live_wire_close(struct buf *out);

#endif
