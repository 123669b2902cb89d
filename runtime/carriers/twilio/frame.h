/* SPDX-License-Identifier: Apache-2.0 */
/* frame.h - reading one Media Streams message in place, without knowing what came before it.
 * For stream.c. Pure; any thread. Source: Twilio "Media Streams WebSocket messages". */
#ifndef CARRIERS_TWILIO_FRAME_H
#define CARRIERS_TWILIO_FRAME_H

#include "base/json.h"
#include "ports/audio.h"
#include "ports/carrier.h"

#include <stdbool.h>
#include <stdint.h>

enum { TWILIO_SID_BYTES = 64, TWILIO_MARK_BYTES = 40 };

struct twilio_frame {
    struct rd_str text; /* all of it, but white space around it */
    struct json_value event, stream_sid, sequence;
    struct json_value body; /* the member called like the event */
};

/* False when the text is not one JSON object. All values point into it. */
bool twilio_frame_read(struct twilio_frame *f, struct rd_str text);

/* A sid of letters and digits, terminated: it is put into every frame we send without escaping. */
bool twilio_frame_sid(char out[TWILIO_SID_BYTES], const struct json_value *v);

/* Is the start's mediaFormat the one there is: audio/x-mulaw, 8000, 1? */
bool twilio_frame_format_ok(const struct json_value *start);

/* What twilio_frame_media() found. */
struct twilio_media {
    struct audio_span span;
    uint32_t at_ms;
    struct json_value chunk, timestamp;
    bool rewritten; /* the message is no longer what it was: escapes were resolved in it */
};

/* The caller's audio. RD_EPROTO: a field is missing or wrong; RD_EREFUSED: the payload is not
 * base64. May rewrite escapes inside the message. */
int twilio_frame_media(struct twilio_media *out, const struct json_value *media);

/* One of 0-9*#A-D, or 0. */
char twilio_frame_digit(const struct json_value *dtmf);

/* Marks are called "g<generation>.<item>.<bytes>". Printing returns the length. */
size_t twilio_mark_print(char out[TWILIO_MARK_BYTES], const struct carrier_mark *m);
bool twilio_mark_read(struct carrier_mark *out, struct rd_str name);

#endif
