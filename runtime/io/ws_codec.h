/* SPDX-License-Identifier: Apache-2.0 */
/* ws_codec.h - RFC 6455 frames and handshake keys, without sockets. Pure; one thread per object.
 * Fuzzed by tests/fuzz/fuzz_ws.c. */
#ifndef IO_WS_CODEC_H
#define IO_WS_CODEC_H

#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum ws_op {
    WS_OP_MORE = 0x0,
    WS_OP_TEXT = 0x1,
    WS_OP_BINARY = 0x2,
    WS_OP_CLOSE = 0x8,
    WS_OP_PING = 0x9,
    WS_OP_PONG = 0xA
};

enum { WS_HEADER_MAX = 14, WS_CONTROL_MAX = 125, WS_KEY_CAP = 32 };

/* A growing array that keeps its size between messages. */
struct ws_bytes {
    char *p; /* owns */
    size_t n, cap;
};

struct ws_decoder {
    bool server;     /* frames must be masked; a client's must not */
    bool in_message; /* between the first and the last fragment */
    bool used;       /* what the last event showed is in `partial` and done with */
    int message_op;
    size_t max;              /* bytes per message */
    struct ws_bytes partial; /* the beginning of a frame whose rest has not arrived */
    struct ws_bytes message; /* the fragments so far */
};

/* A whole message (TEXT, BINARY) or control frame (PING, PONG, CLOSE). */
struct ws_event {
    enum ws_op op;
    char *data; /* writable, valid until the next call; never NULL */
    size_t n;   /* CLOSE: bytes of the reason */
    int code;   /* CLOSE: 1005 when the peer gave none */
};

void ws_decoder_init(struct ws_decoder *d, bool server, size_t max_message);
void ws_decoder_fini(struct ws_decoder *d);

/* Takes bytes from *p, *n (unmasking them in place) until there is an event: 1. All taken: 0.
 * Broken: RD_EPROTO, -EILSEQ (text that is no UTF-8), RD_ETOOBIG, -ENOMEM; then no more calls. */
int ws_decode(struct ws_decoder *d, char **p, size_t *n, struct ws_event *out);

/* Gives back what an idle connection does not need. */
void ws_decoder_trim(struct ws_decoder *d);

/* The close code that tells the peer of an error from ws_decode(). */
int ws_close_code(int err);

/* Header of an unfragmented frame; mask NULL: none. Returns its length. */
size_t ws_header(uint8_t out[WS_HEADER_MAX], enum ws_op op, size_t n, const uint32_t *mask);
size_t ws_header_size(size_t n, bool masked);

/* Copies n bytes XORed with the mask, whose first byte meets payload byte `at`. dst may be src. */
void ws_mask(char *dst, const char *src, size_t n, uint32_t mask, size_t at);

/* The answer to a Sec-WebSocket-Key, terminated. False when OpenSSL fails. */
bool ws_accept_key(char out[WS_KEY_CAP], struct rd_str key);

bool ws_utf8_valid(const char *p, size_t n);

#endif
