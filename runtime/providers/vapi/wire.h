/* SPDX-License-Identifier: Apache-2.0 */
/* wire.h - what we tell Vapi, as JSON text: the call that is asked for, and the messages on its socket.
 * Pure; any thread. All replace what is in `out`; 0, -ENOMEM, RD_EFULL. */
#ifndef PROVIDERS_VAPI_WIRE_H
#define PROVIDERS_VAPI_WIRE_H

#include "base/buf.h"
#include "ports/provider.h"
#include "providers/vapi/vapi.h"

#include <stdbool.h>

/* POST /call. The assistant waits for us to begin, is silent between its sentences and tells us the little
 * that we want to know. */
int vapi_wire_call(struct buf *out, const struct vapi_session *s);

/* The assistant's tools have no server: they are called over this socket. */
bool vapi_runs_tools(const struct brief *b);

/* Exactly these words, over whatever it is saying. */
int vapi_wire_say(struct buf *out, struct rd_str words);

/* Something it shall know; `answer`: and answer to at once. */
int vapi_wire_note(struct buf *out, struct rd_str text, bool answer);

/* An answer to what is in the conversation; `first`: it begins it. */
int vapi_wire_answer(struct buf *out, bool first);

/* What was said or done before. */
int vapi_wire_remember(struct buf *out, const struct history_item *it);

int vapi_wire_tool_result(struct buf *out, struct rd_str call_id, struct rd_str output);
int vapi_wire_end(struct buf *out);

#endif
