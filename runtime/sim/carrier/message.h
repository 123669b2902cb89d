/* SPDX-License-Identifier: Apache-2.0 */
/* message.h - the Media Streams messages, both ways: what the other side sends is taken
 * apart strictly, what we send is put together with numbers as strings. Pure. */
#ifndef SIM_CARRIER_MESSAGE_H
#define SIM_CARRIER_MESSAGE_H

#include "base/buf.h"

#include <stddef.h>
#include <stdint.h>

enum carrier_message_kind { CARRIER_MEDIA, CARRIER_MARK, CARRIER_CLEAR };

enum { CARRIER_MARK_NAME_MAX = 256 };

struct carrier_message {
    enum carrier_message_kind kind;
    uint8_t *audio; /* owns; µ-law */
    size_t n_audio;
    char mark[CARRIER_MARK_NAME_MAX];
};

/* 0, or the Twilio warning (31951, 31930) under which the message is dropped, with a sentence. */
int carrier_message_read(struct carrier_message *out, const char *text, size_t n,
                         const char *stream_sid, char *why, size_t cap);
void carrier_message_fini(struct carrier_message *m);

/* One side's identity, and the counters of a stream. */
struct carrier_stream_ids {
    const char *account_sid, *call_sid, *stream_sid;
    uint64_t sequence; /* of the message sent last */
    uint64_t chunk;
};

struct twiml_action;

/* Each clears `b` and writes one message. 0, -ENOMEM, RD_EFULL. */
int carrier_write_connected(struct buf *b);
int carrier_write_start(struct buf *b, struct carrier_stream_ids *ids,
                        const struct twiml_action *stream);
int carrier_write_media(struct buf *b, struct carrier_stream_ids *ids, uint64_t timestamp_ms,
                        const uint8_t *ulaw, size_t n);
int carrier_write_dtmf(struct buf *b, struct carrier_stream_ids *ids, char digit);
int carrier_write_mark(struct buf *b, struct carrier_stream_ids *ids, const char *name);
int carrier_write_stop(struct buf *b, struct carrier_stream_ids *ids);

#endif
