/* SPDX-License-Identifier: Apache-2.0 */
/* wire.h - the client events of the Realtime API, GA shape, as JSON text. Pure; any thread.
 *
 * Each takes the number its event_id shall carry ("truncate-7"); the word before the number tells
 * an error's reader which event failed. All replace what is in `out`; 0, -ENOMEM, RD_EFULL. */
#ifndef PROVIDERS_OPENAI_WIRE_H
#define PROVIDERS_OPENAI_WIRE_H

#include "base/buf.h"
#include "ports/brief.h"
#include "ports/provider.h"

#include <stdint.h>

/* What stands around the base64 text of input_audio_buffer.append, which alone has no event_id. */
#define WIRE_APPEND_HEAD "{\"type\":\"input_audio_buffer.append\",\"audio\":\""
#define WIRE_APPEND_TAIL "\"}"

/* What stands around the words that shall be spoken as they are. Typographic quotes, because the
 * words themselves may hold straight ones. */
#define WIRE_SAY_EXACTLY                                                                     \
    "Speak the quoted words in the language they are written in, word for word, then stop. " \
    "Add nothing. Say exactly: \xe2\x80\x9c"
#define WIRE_SAY_END "\xe2\x80\x9d"

/* The word in the event_id of a response beside the conversation. */
#define WIRE_ASIDE "aside"

/* RD_ECONFIG when tools_json is no array of {"name", "description", "parameters"}. */
int wire_session_update(struct buf *out, uint64_t number, const struct brief *b);

/* `instructions`: the session's own, in front of p->instructions, which would replace them. */
int wire_respond(struct buf *out, uint64_t number, const struct provider_prompt *p,
                 struct rd_str instructions);
int wire_cancel(struct buf *out, uint64_t number, struct rd_str response_id);
int wire_truncate(struct buf *out, uint64_t number, struct rd_str item_id, uint32_t content_index,
                  uint32_t audio_end_ms);
int wire_tool_result(struct buf *out, uint64_t number, struct rd_str call_id, struct rd_str output);

#endif
