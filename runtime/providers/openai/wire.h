/* SPDX-License-Identifier: Apache-2.0 */
/* wire.h - the client events of the Realtime API, GA shape, as JSON text. Pure; any thread.
 *
 * Each takes the number its event_id shall carry ("truncate-7"), response.create the prompt's tag;
 * the word before the number tells an error's reader which event failed. All replace what is in
 * `out`; 0, -ENOMEM, RD_EFULL. */
#ifndef PROVIDERS_OPENAI_WIRE_H
#define PROVIDERS_OPENAI_WIRE_H

#include "base/buf.h"
#include "ports/brief.h"
#include "ports/provider.h"

#include <stdbool.h>
#include <stdint.h>

/* What turns the caller's speech into words; asked for in session.update, billed by itself. */
#define OPENAI_TRANSCRIPTION_MODEL "gpt-transcribe"

/* What stands around the base64 text of input_audio_buffer.append, which alone has no event_id. */
#define WIRE_APPEND_HEAD "{\"type\":\"input_audio_buffer.append\",\"audio\":\""
#define WIRE_APPEND_TAIL "\"}"

/* What stands around the words that shall be spoken as they are. Typographic quotes, because the
 * words themselves may hold straight ones. */
#define WIRE_SAY_EXACTLY                                                                     \
    "Speak the quoted words in the language they are written in, word for word, then stop. " \
    "Add nothing. Say exactly: \xe2\x80\x9c"
#define WIRE_SAY_END "\xe2\x80\x9d"

/* The key in a response's metadata under which its prompt's tag stands, in digits. */
#define WIRE_TAG "rd"

/* The session hears and speaks 16-bit PCM at 24 kHz; otherwise what the telephone does. */
bool wire_is_pcm(const struct brief *b);

/* keep_tokens: what the model keeps behind its instructions. RD_ECONFIG when tools_json is no array of
 * {"name", "description", "parameters"}. */
int wire_session_update(struct buf *out, uint64_t number, const struct brief *b,
                        uint32_t keep_tokens);

/* `instructions`: the session's own, in front of p->instructions, which would replace them. */
int wire_respond(struct buf *out, const struct provider_prompt *p, struct rd_str instructions);

/* Only fixed words can stand beside the conversation. */
bool wire_is_aside(const struct provider_prompt *p);

/* The tag that metadata gives back, and that in the event_id of a response.create; 0: none. */
uint32_t wire_tag(struct rd_str digits);
uint32_t wire_respond_tag(struct rd_str event_id);

int wire_cancel(struct buf *out, uint64_t number, struct rd_str response_id);
int wire_truncate(struct buf *out, uint64_t number, struct rd_str item_id, uint32_t content_index,
                  uint32_t audio_end_ms);
int wire_tool_result(struct buf *out, uint64_t number, struct rd_str call_id, struct rd_str output);
int wire_note(struct buf *out, uint64_t number, struct rd_str text);

/* What the ids begin with that we give to items: they are none of the conversation's own. */
#define WIRE_TOLD "told_"

/* Something that was said or done before the session: one turn, or the calling of a tool; what came
 * of it is a second event, wire_tool_result(). */
int wire_remember(struct buf *out, uint64_t number, const struct history_item *it);

#endif
