/* SPDX-License-Identifier: Apache-2.0 */
/* bridge.c - the path of every caller frame.
 *
 * - always: decoded into the ring. A jump of the carrier's clock is filled with µ-law silence.
 * - ready: the span goes on untouched.
 * - a session becomes ready, the first or a later one: what the ring holds is handed over in frames of
 *   60 ms.
 * - muted: µ-law silence of the same length goes on instead, so that the provider's turn detection sees
 *   a caller who says nothing, not a line that broke.
 *
 * Failure modes: more than the ring holds drops the oldest (lost_bytes, if no session heard it; never
 * in practice, see BRIDGE_KEEP_BYTES); no memory for the large ring: the small one goes on; a clock that runs backwards or jumps by more than 10 s is believed, not
 * filled. */
#include "call/bridge.h"

#include "media/base64.h"
#include "media/g711.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { SILENCE_MS = 60, SILENCE_BYTES = SILENCE_MS * 8, HANDOVER_BYTES = 480 };

/* 480 bytes of 0xFF are 640 characters without padding: all ones, so each character is '/'. */
static const char silence_b64[BASE64_ENCODED(SILENCE_BYTES) + 1] =
#define S32  "////////////////////////////////"
#define S160 S32 S32 S32 S32 S32
    S160 S160 S160 S160;
#undef S160
#undef S32

int bridge_init(struct bridge *b, bridge_send_fn *send, void *arg)
{
    memset(b, 0, sizeof(*b));
    b->send = send;
    b->arg = arg;
    b->kept = malloc(BRIDGE_KEEP_BYTES);
    b->kept_cap = BRIDGE_KEEP_BYTES;
    return b->kept ? 0 : -ENOMEM;
}

void bridge_fini(struct bridge *b)
{
    free(b->kept);
    b->kept = NULL;
}

/* The newest bytes move over; without memory the ring stays as it is. */
static void resize(struct bridge *b, uint32_t cap)
{
    uint32_t n = b->kept_n < cap ? b->kept_n : cap, from = b->kept_first + b->kept_n - n;
    uint8_t *kept = cap == b->kept_cap ? NULL : malloc(cap);

    if (!kept)
        return;
    for (uint32_t i = 0; i < n; i++)
        kept[i] = b->kept[(from + i) % b->kept_cap];
    free(b->kept);
    b->kept = kept;
    b->kept_cap = cap;
    b->kept_first = 0;
    b->kept_n = n;
}

/* Pieces that do not wrap around. */
static void put(struct bridge *b, const uint8_t *p, uint32_t n)
{
    while (n > 0) {
        uint32_t at = (b->kept_first + b->kept_n) % b->kept_cap;
        uint32_t piece = n < b->kept_cap - at ? n : b->kept_cap - at;

        memcpy(b->kept + at, p, piece);
        b->kept_n += piece;
        p += piece;
        n -= piece;
    }
}

static void drop_oldest(struct bridge *b, uint32_t n)
{
    b->kept_first = (b->kept_first + n) % b->kept_cap;
    b->kept_n -= n;
}

/* n is less than the ring. */
static void keep(struct bridge *b, const uint8_t *p, uint32_t n)
{
    uint32_t room = b->kept_cap - b->kept_n;

    if (n > room) {
        if (!b->ready)
            b->lost_bytes += n - room;
        drop_oldest(b, n - room);
    }
    put(b, p, n);
    b->end += n;
}

static void keep_silence(struct bridge *b, uint32_t n)
{
    uint8_t frame[SILENCE_BYTES];

    memset(frame, G711_ULAW_SILENCE, sizeof(frame));
    while (n > 0) {
        uint32_t now = n < sizeof(frame) ? n : (uint32_t)sizeof(frame);

        keep(b, frame, now);
        n -= now;
    }
}

/* Multiples of 3 bytes, cut from one constant. */
static void send_silence(struct bridge *b, uint32_t n)
{
    while (n > 0) {
        uint32_t now = n < SILENCE_BYTES ? n : SILENCE_BYTES;
        struct audio_span a = {.b64 = silence_b64, .n_b64 = now / 3 * 4, .n_bytes = now};

        (void)b->send(b->arg, &a);
        n -= now;
    }
}

static void fill(struct bridge *b, uint32_t ms)
{
    uint32_t n = ms * AUDIO_BYTES_PER_MS;

    b->gap_ms += ms;
    if (b->ready) {
        n = n / 3 * 3;
        send_silence(b, n);
    }
    keep_silence(b, n);
}

/* In place of a frame. What does not fill a group of 3 bytes comes with the next one. */
static void silence_span(struct bridge *b, uint32_t n_bytes)
{
    if (!b->ready) {
        keep_silence(b, n_bytes);
        return;
    }
    b->owed += n_bytes;
    send_silence(b, b->owed / 3 * 3);
    keep_silence(b, b->owed / 3 * 3);
    b->owed %= 3;
}

static void fill_gap_before(struct bridge *b, uint32_t at_ms)
{
    uint32_t gap = b->begun && at_ms > b->next_ms ? at_ms - b->next_ms : 0;
    uint32_t owed = gap < b->ahead_ms ? gap : b->ahead_ms;

    b->ahead_ms -= owed;
    gap -= owed;
    if (gap > 0 && gap <= BRIDGE_GAP_MAX_MS)
        fill(b, gap);
}

static void keep_span(struct bridge *b, const struct audio_span *a)
{
    uint8_t bytes[3072];

    for (size_t i = 0; i < a->n_b64; i += 4096) {
        size_t chars = a->n_b64 - i < 4096 ? a->n_b64 - i : 4096;
        ssize_t n = base64_decode(bytes, a->b64 + i, chars);

        if (n > 0)
            keep(b, bytes, (uint32_t)n);
    }
}

void bridge_feed(struct bridge *b, const struct audio_span *a, uint32_t at_ms)
{
    fill_gap_before(b, at_ms);
    b->begun = true;
    b->next_ms = at_ms + a->n_bytes / AUDIO_BYTES_PER_MS;
    b->frames++;
    b->bytes += a->n_bytes;
    if (b->muted) {
        silence_span(b, a->n_bytes);
        return;
    }
    keep_span(b, a);
    if (b->ready)
        (void)b->send(b->arg, a);
}

void bridge_mute(struct bridge *b, bool on)
{
    b->muted = on;
}

void bridge_stalled(struct bridge *b)
{
    b->ahead_ms += BRIDGE_STALL_FILL_MS;
    fill(b, BRIDGE_STALL_FILL_MS);
}

void bridge_ready(struct bridge *b)
{
    char b64[BASE64_ENCODED(HANDOVER_BYTES)];
    uint8_t bytes[HANDOVER_BYTES];

    b->ready = true;
    b->base = b->end - b->kept_n;
    for (uint32_t at = 0; at < b->kept_n; at += HANDOVER_BYTES) {
        uint32_t left = b->kept_n - at, n = left < HANDOVER_BYTES ? left : HANDOVER_BYTES;
        struct audio_span a = {.b64 = b64, .n_bytes = n};

        for (uint32_t i = 0; i < n; i++)
            bytes[i] = b->kept[(b->kept_first + at + i) % b->kept_cap];
        a.n_b64 = base64_encode(b64, bytes, n);
        (void)b->send(b->arg, &a);
    }
    if (b->kept_n <= BRIDGE_IDLE_BYTES)
        bridge_keep_recent(b);
}

void bridge_lost(struct bridge *b)
{
    b->ready = false;
    b->ahead_ms = b->owed = 0;
    bridge_keep_all(b);
}

void bridge_keep_all(struct bridge *b)
{
    resize(b, BRIDGE_KEEP_BYTES);
}

void bridge_keep_recent(struct bridge *b)
{
    if (b->ready)
        resize(b, BRIDGE_IDLE_BYTES);
}

uint64_t bridge_place(const struct bridge *b, uint32_t session_ms)
{
    return b->base + (uint64_t)session_ms * AUDIO_BYTES_PER_MS;
}

void bridge_let_go(struct bridge *b, uint64_t place)
{
    uint64_t oldest = b->end - b->kept_n;

    if (place > b->end)
        place = b->end;
    if (place > oldest)
        drop_oldest(b, (uint32_t)(place - oldest));
}
