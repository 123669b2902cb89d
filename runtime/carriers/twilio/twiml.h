/* SPDX-License-Identifier: Apache-2.0 */
/* twiml.h - the few documents C answers itself; everything else is rendered by Lua. Each function
 * fills `out` with a whole document, from `<?xml` on. -ENOMEM, RD_EFULL. Pure; any thread. */
#ifndef CARRIERS_TWILIO_TWIML_H
#define CARRIERS_TWILIO_TWIML_H

#include "base/buf.h"

/* <Connect><Stream url/></Connect><Redirect>resume</Redirect>: the stream without `action`, so that
 * whatever ends it, Twilio asks /twilio/resume what to do next. */
int twiml_stream(struct buf *out, const char *stream_url, const char *resume_url);
int twiml_hangup(struct buf *out);
int twiml_say_hangup(struct buf *out, const char *words);
int twiml_redirect(struct buf *out, const char *url);
int twiml_nothing(struct buf *out); /* who was dialled is put through */

/* Words, then a key within ten seconds, which `action` is told; without one: hung up. */
int twiml_press_key(struct buf *out, const char *words, const char *action);

/* Is this one well-formed element <Response>, starting with <?xml or <Response, below 64 KiB? What
 * scripts render is checked with it before it may be served. */
int twiml_check(struct rd_str xml);

#endif
