/* SPDX-License-Identifier: Apache-2.0 */
/* ws_codec.c - frames in, messages out.
 *
 * - A frame that arrived whole is unmasked where it lies and shown without a copy.
 * - The beginning of a frame is kept in `partial` until its rest arrives; only as many bytes are
 *   taken as the frame needs, the following ones are read in place again.
 * - Fragments are joined in `message`; control frames may stand between them.
 * - Both buffers grow with what has really arrived, never with what a header promises, and keep
 *   their size (up to a bound) so that a steady stream allocates nothing.
 *
 * Failure modes, all fatal for the connection: reserved bits or opcodes, wrong masking, fragmented
 * or long control frames, fragments out of order, lengths not in their shortest form, close frames
 * of one byte or with a forbidden code, text that is no UTF-8, a message above the limit. */
#include "io/ws_codec.h"

#include "base/err.h"
#include "base/lanes.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

enum { BYTES_FIRST = 512, BYTES_KEEP = 32768 };

struct header {
    bool fin;
    int op;
    size_t size; /* of the header */
    size_t n;    /* of the payload */
    uint32_t mask;
};

/* --- buffers ---------------------------------------------------------------------------------- */

static int bytes_add(struct ws_bytes *b, const char *p, size_t n)
{
    if (b->cap - b->n < n) {
        size_t cap = b->cap ? b->cap : BYTES_FIRST;
        char *fresh;

        while (cap < b->n + n)
            cap *= 2;
        fresh = realloc(b->p, cap);
        if (!fresh)
            return -ENOMEM;
        b->p = fresh;
        b->cap = cap;
    }
    if (n > 0)
        memcpy(b->p + b->n, p, n);
    b->n += n;
    return 0;
}

static void bytes_free(struct ws_bytes *b)
{
    free(b->p);
    *b = (struct ws_bytes){0};
}

static void bytes_clear(struct ws_bytes *b)
{
    b->n = 0;
    if (b->cap > BYTES_KEEP)
        bytes_free(b);
}

void ws_decoder_init(struct ws_decoder *d, bool server, size_t max_message)
{
    *d = (struct ws_decoder){.server = server, .max = max_message};
}

void ws_decoder_fini(struct ws_decoder *d)
{
    bytes_free(&d->partial);
    bytes_free(&d->message);
}

void ws_decoder_trim(struct ws_decoder *d)
{
    if (d->used) {
        d->used = false;
        d->partial.n = 0;
    }
    if (d->partial.n == 0)
        bytes_free(&d->partial);
    if (!d->in_message)
        bytes_free(&d->message);
}

/* --- masks and text --------------------------------------------------------------------------- */

void ws_mask(char *dst, const char *src, size_t n, uint32_t mask, size_t at)
{
    uint64_t wide;
    uint8_t key[8];
    lanes all;
    size_t i;

    for (i = 0; i < sizeof(key); i++)
        key[i] = ((const uint8_t *)&mask)[(at + i) & 3];
    memcpy(&wide, key, sizeof(wide));
    all = lanes_of(wide);
    for (i = 0; i + LANES <= n; i += LANES)
        lanes_store(dst + i, lanes_load(src + i) ^ all);
    if (i + 8 <= n) {
        uint64_t v;

        memcpy(&v, src + i, sizeof(v));
        v ^= wide;
        memcpy(dst + i, &v, sizeof(v));
        i += 8;
    }
    for (; i < n; i++)
        dst[i] = (char)((uint8_t)src[i] ^ key[i & 3]);
}

/* Length of the UTF-8 sequence at p, 0 when it is none. */
static size_t utf8_sequence(const uint8_t *p, size_t n)
{
    uint8_t a = p[0];
    size_t len = a < 0xE0 ? 2 : a < 0xF0 ? 3 : 4, i;
    uint8_t low = 0x80, high = 0xBF;

    if (a < 0xC2 || a > 0xF4 || n < len)
        return 0;
    if (a == 0xE0)
        low = 0xA0; /* overlong */
    if (a == 0xED)
        high = 0x9F; /* surrogates */
    if (a == 0xF0)
        low = 0x90; /* overlong */
    if (a == 0xF4)
        high = 0x8F; /* beyond U+10FFFF */
    if (p[1] < low || p[1] > high)
        return 0;
    for (i = 2; i < len; i++) {
        if ((p[i] & 0xC0) != 0x80)
            return 0;
    }
    return len;
}

/* What follows is plain ASCII, two lanes of it. */
static bool ascii(const uint8_t *p)
{
    return !lanes_any((lanes)((lanes_load(p) | lanes_load(p + LANES)) >= 0x80));
}

bool ws_utf8_valid(const char *text, size_t n)
{
    const uint8_t *p = (const uint8_t *)text, *end = p + n;

    while (p < end) {
        size_t len = 1;

        if (end - p >= 2 * LANES && ascii(p))
            len = 2 * LANES;
        else if (*p >= 0x80)
            len = utf8_sequence(p, (size_t)(end - p));
        if (len == 0)
            return false;
        p += len;
    }
    return true;
}

/* --- decoding --------------------------------------------------------------------------------- */

static bool known_op(int op)
{
    return op <= WS_OP_BINARY || (op >= WS_OP_CLOSE && op <= WS_OP_PONG);
}

/* Rules that the first two bytes can already break. */
static int check_start(const struct ws_decoder *d, uint8_t a, uint8_t b)
{
    int op = a & 0x0F;

    if ((a & 0x70) || !known_op(op) || ((b & 0x80) != 0) != d->server)
        return RD_EPROTO;
    if (op >= WS_OP_CLOSE)
        return (a & 0x80) && (b & 0x7F) <= WS_CONTROL_MAX ? 0 : RD_EPROTO;
    if ((op == WS_OP_MORE) != d->in_message)
        return RD_EPROTO;
    return 0;
}

static uint64_t big_endian(const uint8_t *p, size_t n)
{
    uint64_t v = 0;

    while (n-- > 0)
        v = v << 8 | *p++;
    return v;
}

/* 1 and *h when the header is whole; 0 and h->size: bytes that tell more; or an error. */
static int parse_header(const struct ws_decoder *d, const char *at, size_t n, struct header *h)
{
    const uint8_t *p = (const uint8_t *)at;
    size_t ext;
    uint64_t len;
    int rc;

    *h = (struct header){.size = 2};
    if (n < 2)
        return 0;
    rc = check_start(d, p[0], p[1]);
    if (rc)
        return rc;
    len = p[1] & 0x7F;
    ext = len == 126 ? 2 : len == 127 ? 8 : 0;
    h->size = 2 + ext + (d->server ? 4 : 0);
    if (n < h->size)
        return 0;
    if (ext > 0) {
        len = big_endian(p + 2, ext);
        if (len < (ext == 2 ? 126U : 65536U) || len >> 63)
            return RD_EPROTO;
    }
    h->fin = p[0] & 0x80;
    h->op = p[0] & 0x0F;
    if (h->op < WS_OP_CLOSE && len > d->max - (d->in_message ? d->message.n : 0))
        return RD_ETOOBIG;
    h->n = (size_t)len;
    if (d->server)
        memcpy(&h->mask, p + 2 + ext, sizeof(h->mask));
    return 1;
}

static bool close_code_allowed(int code)
{
    return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
           (code >= 3000 && code <= 4999);
}

static int close_event(struct ws_event *ev)
{
    if (ev->n == 0) {
        ev->code = 1005;
        return 1;
    }
    if (ev->n == 1)
        return RD_EPROTO;
    ev->code = (int)big_endian((const uint8_t *)ev->data, 2);
    ev->data += 2;
    ev->n -= 2;
    if (!close_code_allowed(ev->code))
        return RD_EPROTO;
    return ws_utf8_valid(ev->data, ev->n) ? 1 : -EILSEQ;
}

/* A whole frame at `frame`: 1 and an event, 0 when it was a fragment, or an error. */
static int take_frame(struct ws_decoder *d, const struct header *h, char *frame,
                      struct ws_event *ev)
{
    char *payload = frame + h->size;
    int rc;

    if (d->server)
        ws_mask(payload, payload, h->n, h->mask, 0);
    *ev = (struct ws_event){.op = (enum ws_op)h->op, .data = payload, .n = h->n};
    if (h->op == WS_OP_CLOSE)
        return close_event(ev);
    if (h->op > WS_OP_CLOSE)
        return 1;
    if (!h->fin || d->in_message) {
        if (!d->in_message)
            d->message_op = h->op;
        d->in_message = true;
        rc = bytes_add(&d->message, payload, h->n);
        if (rc || !h->fin)
            return rc;
        d->in_message = false;
        *ev = (struct ws_event){.op = (enum ws_op)d->message_op,
                                .data = d->message.p ? d->message.p : payload,
                                .n = d->message.n};
    }
    if (ev->op == WS_OP_TEXT && !ws_utf8_valid(ev->data, ev->n))
        return -EILSEQ;
    return 1;
}

/* Completes the frame in `partial`. 1: it is whole; 0: all bytes taken; or an error. */
static int complete_partial(struct ws_decoder *d, char **p, size_t *n, struct header *h)
{
    for (;;) {
        int rc = parse_header(d, d->partial.p, d->partial.n, h);
        size_t want = h->size, take;

        if (rc < 0)
            return rc;
        if (rc == 1) {
            want += h->n;
            if (d->partial.n == want)
                return 1;
        }
        if (*n == 0)
            return 0;
        take = want - d->partial.n < *n ? want - d->partial.n : *n;
        rc = bytes_add(&d->partial, *p, take);
        if (rc)
            return rc;
        *p += take;
        *n -= take;
    }
}

/* Frees what the last event showed. */
static void forget_last(struct ws_decoder *d)
{
    if (d->used) {
        d->used = false;
        bytes_clear(&d->partial);
    }
    if (!d->in_message && d->message.n > 0)
        bytes_clear(&d->message);
}

int ws_decode(struct ws_decoder *d, char **p, size_t *n, struct ws_event *out)
{
    struct header h;
    int rc;

    forget_last(d);
    while (*n > 0 || d->partial.n > 0) {
        if (d->partial.n > 0) {
            rc = complete_partial(d, p, n, &h);
            if (rc <= 0)
                return rc;
            d->used = true;
            rc = take_frame(d, &h, d->partial.p, out);
            if (rc)
                return rc;
            forget_last(d);
            continue;
        }
        rc = parse_header(d, *p, *n, &h);
        if (rc < 0)
            return rc;
        if (rc == 1 && *n - h.size >= h.n) {
            char *frame = *p;

            *p += h.size + h.n;
            *n -= h.size + h.n;
            rc = take_frame(d, &h, frame, out);
            if (rc)
                return rc;
            continue;
        }
        rc = bytes_add(&d->partial, *p, *n);
        *p += *n;
        *n = 0;
        return rc;
    }
    return 0;
}

int ws_close_code(int err)
{
    switch (err) {
    case RD_ETOOBIG:
        return 1009;
    case -EILSEQ:
        return 1007;
    case -ENOMEM:
        return 1011;
    default:
        return 1002;
    }
}

/* --- encoding --------------------------------------------------------------------------------- */

size_t ws_header_size(size_t n, bool masked)
{
    return 2U + (n > 65535 ? 8U : n > 125 ? 2U : 0U) + (masked ? 4U : 0U);
}

size_t ws_header(uint8_t out[WS_HEADER_MAX], enum ws_op op, size_t n, const uint32_t *mask)
{
    size_t ext = n > 65535 ? 8 : n > 125 ? 2 : 0, i;

    out[0] = (uint8_t)(0x80 | op);
    out[1] = (uint8_t)((mask ? 0x80U : 0U) | (ext == 8 ? 127U : ext == 2 ? 126U : n));
    for (i = 0; i < ext; i++)
        out[2 + i] = (uint8_t)((uint64_t)n >> (8 * (ext - 1 - i)));
    if (!mask)
        return 2 + ext;
    memcpy(out + 2 + ext, mask, sizeof(*mask));
    return 2 + ext + sizeof(*mask);
}

bool ws_accept_key(char out[WS_KEY_CAP], struct rd_str key)
{
    static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    uint8_t digest[EVP_MAX_MD_SIZE];
    char text[64 + sizeof(guid)];

    if (key.n > 64)
        return false;
    memcpy(text, key.p, key.n);
    memcpy(text + key.n, guid, sizeof(guid) - 1);
    if (EVP_Digest(text, key.n + sizeof(guid) - 1, digest, NULL, EVP_sha1(), NULL) != 1)
        return false;
    return EVP_EncodeBlock((unsigned char *)out, digest, 20) == 28;
}
