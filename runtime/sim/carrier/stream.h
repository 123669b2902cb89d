/* SPDX-License-Identifier: Apache-2.0 */
/* stream.h - one Media Streams connection, the network's end of it. Loop's thread. */
#ifndef SIM_CARRIER_STREAM_H
#define SIM_CARRIER_STREAM_H

#include "io/loop.h"
#include "io/tls.h"
#include "sim/carrier/message.h"
#include "sim/carrier/twiml_run.h"

#include <stddef.h>
#include <stdint.h>

struct carrier_stream;

struct carrier_stream_events {
    void (*on_open)(void *arg); /* connected and start are sent */
    void (*on_message)(const struct carrier_message *m, void *arg);
    void (*on_refused)(int code, const char *why, void *arg); /* a message was dropped */
    /* Over, and not by carrier_stream_end(). code: 0 closed as agreed, else what the debugger says.
     */
    void (*on_closed)(int code, const char *why, void *arg);
};

struct carrier_stream_opts {
    struct loop *loop;
    struct tls_client *tls;
    const char *token, *account_sid, *call_sid, *stream_sid; /* borrowed until it is over */
    const struct twiml_action *action;                       /* the same */
    const char *url;                                         /* where action->url is really found */
    const struct carrier_stream_events *events;
    void *arg;
};

int carrier_stream_open(struct carrier_stream **out, const struct carrier_stream_opts *o);

/* Nothing happens before on_open. */
void carrier_stream_audio(struct carrier_stream *s, const uint8_t *ulaw, size_t n);
void carrier_stream_digit(struct carrier_stream *s, char digit);
void carrier_stream_mark(struct carrier_stream *s, const char *name);
uint32_t carrier_stream_frames(const struct carrier_stream *s); /* sent */

/* The network ends it: stop, then close. `s` is not yours any more and no event follows. */
void carrier_stream_end(struct carrier_stream *s);

/* The network loses it: no `stop`, no close frame. */
void carrier_stream_break(struct carrier_stream *s);

#endif
