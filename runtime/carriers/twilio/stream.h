/* SPDX-License-Identifier: Apache-2.0 */
/* stream.h - the carrier leg over Twilio Media Streams: frames in, frames out, nothing decoded.
 * Loop's thread only. Source of every shape: Twilio "Media Streams WebSocket messages". */
#ifndef CARRIERS_TWILIO_STREAM_H
#define CARRIERS_TWILIO_STREAM_H

#include "io/loop.h"
#include "io/ws.h"
#include "ports/carrier.h"

#include <stdint.h>

extern const struct carrier_ops twilio_carrier;

struct twilio_counts {
    uint64_t frames_in, frames_out; /* media messages */
    uint64_t bad;                   /* unknown, malformed or out-of-order messages, ignored */
    uint64_t bad_payloads;          /* of those: media whose payload is not base64 */
    uint64_t stale_marks;           /* echoes of names we did not send */
    uint64_t sequence_gaps;         /* sequenceNumber was not the next one */
};

/* A leg that waits for its socket: pass twilio_stream_accept() what on_upgrade must fill in. If the
 * upgrade is then not accepted, twilio_stream_free(), which tells nobody. Once the socket is open
 * the leg frees itself after on_end. No `start` within 5 s of opening: LEG_PROTOCOL. on_end comes
 * from the loop, never from inside the ops; at Twilio's `stop` it comes at once, while the socket
 * still says goodbye. */
int twilio_stream_new(struct carrier_leg **out, struct loop *l, const struct carrier_events *ev,
                      void *arg);
void twilio_stream_accept(struct carrier_leg *leg, struct ws_accept *accept);
void twilio_stream_free(struct carrier_leg *leg);

/* Replaces the receiver of events, before on_start returned or later. Members may be NULL. */
void twilio_stream_set_events(struct carrier_leg *leg, const struct carrier_events *ev, void *arg);

struct twilio_counts twilio_stream_counts(const struct carrier_leg *leg);

#endif
