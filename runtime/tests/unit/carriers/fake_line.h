/* SPDX-License-Identifier: Apache-2.0 */
/* fake_line.h - a Twilio leg on a fake socket, with somebody who remembers what it told. */
#ifndef TESTS_FAKE_LINE_H
#define TESTS_FAKE_LINE_H

#include "carriers/twilio/stream.h"
#include "fake_ws.h"

#define SID       "MZ0123456789abcdef0123456789abcdef"
#define CONNECTED "{\"event\":\"connected\",\"protocol\":\"Call\",\"version\":\"1.0.0\"}"
#define START_AS(format)                                                                  \
    "{\"event\":\"start\",\"sequenceNumber\":\"1\",\"streamSid\":\"" SID "\",\"start\":{" \
    "\"accountSid\":\"AC1\",\"streamSid\":\"" SID "\",\"callSid\":\"CA77\","              \
    "\"tracks\":[\"inbound\"],\"mediaFormat\":" format ",\"customParameters\":{}}}"
#define START START_AS("{\"encoding\":\"audio/x-mulaw\",\"sampleRate\":8000,\"channels\":1}")
#define MEDIA(inner) \
    "{\"event\":\"media\",\"sequenceNumber\":\"2\",\"streamSid\":\"" SID "\",\"media\":{" inner "}}"
#define MARK(name) "{\"event\":\"mark\",\"streamSid\":\"" SID "\",\"mark\":{\"name\":\"" name "\"}}"
#define DTMF(digit)                            \
    "{\"event\":\"dtmf\",\"streamSid\":\"" SID \
    "\",\"dtmf\":{\"track\":\"inbound_track\",\"digit\":" digit "}}"
#define STOP                                                            \
    "{\"event\":\"stop\",\"sequenceNumber\":\"9\",\"streamSid\":\"" SID \
    "\",\"stop\":{\"callSid\":\"CA77\"}}"
#define GOOD "\"track\":\"inbound\",\"chunk\":\"1\",\"timestamp\":\"20\",\"payload\":\"//8=\""

struct heard {
    int starts, audios, marks, digits, ends;
    char call_sid[64], stream_sid[64], payload[256], digit;
    uint32_t n_bytes, at_ms;
    struct carrier_mark mark;
    enum leg_end why;
    struct carrier_leg *close_at_start;
};

extern const struct carrier_events heard_events;

struct line {
    struct carrier_leg *leg;
    struct fake_ws *ws;
    struct heard heard;
};

void line_open(struct line *l);
void line_live(struct line *l); /* connected and start are behind it */

/* The socket ends; the leg must have told its end exactly once and be gone with its timer. */
void line_gone(struct line *l, enum ws_end why, enum leg_end expected);

#endif
