/* SPDX-License-Identifier: Apache-2.0 */
/* bridge.c - the path of every caller frame.
 *
 * - always: copied into a piece. A jump of the carrier's clock is filled with µ-law silence.
 * - ready: the span goes on untouched.
 * - a session becomes ready, the first or a later one: the pieces are handed over, oldest first.
 * - muted: µ-law silence of the same length goes on instead, so that the provider's turn detection sees
 *   a caller who says nothing, not a line that broke.
 *
 * Pieces that were used are used again before new ones: what a call costs in memory is the most that it
 * had to keep at once, usually the caller's longest sentence.
 *
 * Failure modes: more than is kept drops the oldest (lost_bytes, if no session heard it; never in
 * practice, see BRIDGE_KEEP); a clock that runs backwards or jumps by more than 10 s is believed, not
 * filled. */
#include "call/bridge.h"

#include "media/base64.h"
#include "media/g711.h"
#include "observe/turn.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { SILENCE_BYTES = 160 };

int bridge_init(struct bridge *b, bridge_send_fn *send, void *arg)
{
    memset(b, 0, sizeof(*b));
    b->send = send;
    b->arg = arg;
    b->limit = BRIDGE_KEEP;
    b->pieces = malloc(BRIDGE_KEEP * sizeof(*b->pieces)); /* a page costs when it is written to */
    return b->pieces ? 0 : -ENOMEM;
}

void bridge_fini(struct bridge *b)
{
    free(b->pieces);
    b->pieces = NULL;
}

/* --- the chain --- */

static void drop_oldest(struct bridge *b)
{
    uint16_t i = b->oldest;

    b->oldest = b->pieces[i].next;
    b->n_kept -= b->pieces[i].n_bytes;
    b->n--;
    b->pieces[i].next = b->spare;
    b->spare = i;
    b->n_spare++;
}

static void make_room(struct bridge *b)
{
    while (b->n >= b->limit) {
        if (!b->ready)
            b->lost_bytes += b->pieces[b->oldest].n_bytes;
        drop_oldest(b);
    }
}

/* There is one: the chain is shorter than there are pieces. */
static uint16_t take_spare(struct bridge *b)
{
    uint16_t i = b->spare;

    if (b->n_spare == 0)
        return b->n_touched++;
    b->spare = b->pieces[i].next;
    b->n_spare--;
    return i;
}

static void keep_piece(struct bridge *b, const char *b64, uint32_t n_b64, uint32_t n_bytes)
{
    struct bridge_piece *p;
    uint16_t i;

    make_room(b);
    i = take_spare(b);
    p = &b->pieces[i];
    p->n_b64 = (uint16_t)n_b64;
    p->n_bytes = (uint16_t)n_bytes;
    memcpy(p->b64, b64, n_b64);
    if (b->n++ == 0)
        b->oldest = i;
    else
        b->pieces[b->newest].next = i;
    b->newest = i;
    b->n_kept += n_bytes;
    b->end += n_bytes;
}

/* Four characters are three bytes, wherever they stand; only the last piece has padding. */
static void keep(struct bridge *b, struct audio_span rest)
{
    while (rest.n_b64 > BRIDGE_PIECE) {
        keep_piece(b, rest.b64, BRIDGE_PIECE, BRIDGE_PIECE / 4 * 3);
        rest.b64 += BRIDGE_PIECE;
        rest.n_b64 -= BRIDGE_PIECE;
        rest.n_bytes -= BRIDGE_PIECE / 4 * 3;
    }
    if (rest.n_b64 > 0)
        keep_piece(b, rest.b64, (uint32_t)rest.n_b64, rest.n_bytes);
}

/* --- what goes on --- */

static void pass(struct bridge *b, const struct audio_span *a)
{
    keep(b, *a);
    if (!b->ready)
        return;
    turn_mark(TURN_AUDIO);
    (void)b->send(b->arg, a);
}

static void pass_silence(struct bridge *b, uint32_t n)
{
    uint8_t bytes[SILENCE_BYTES];
    char b64[BASE64_ENCODED(SILENCE_BYTES)];

    memset(bytes, G711_ULAW_SILENCE, sizeof(bytes));
    while (n > 0) {
        struct audio_span a = {.b64 = b64, .n_bytes = n < SILENCE_BYTES ? n : SILENCE_BYTES};

        a.n_b64 = base64_encode(b64, bytes, a.n_bytes);
        pass(b, &a);
        n -= a.n_bytes;
    }
}

static void fill(struct bridge *b, uint32_t ms)
{
    b->gap_ms += ms;
    pass_silence(b, ms * AUDIO_BYTES_PER_MS);
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

void bridge_feed(struct bridge *b, const struct audio_span *a, uint32_t at_ms)
{
    fill_gap_before(b, at_ms);
    b->begun = true;
    b->next_ms = at_ms + a->n_bytes / AUDIO_BYTES_PER_MS;
    b->frames++;
    b->bytes += a->n_bytes;
    if (b->muted)
        pass_silence(b, a->n_bytes);
    else
        pass(b, a);
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
    uint16_t at = b->oldest;

    b->ready = true;
    b->base = b->end - b->n_kept;
    for (uint16_t i = 0; i < b->n; i++) {
        const struct bridge_piece *p = &b->pieces[at];
        struct audio_span a = {.b64 = p->b64, .n_b64 = p->n_b64, .n_bytes = p->n_bytes};

        (void)b->send(b->arg, &a);
        at = p->next;
    }
    if (b->n <= BRIDGE_RECENT)
        bridge_keep_recent(b);
}

void bridge_lost(struct bridge *b)
{
    b->ready = false;
    b->ahead_ms = 0;
    bridge_keep_all(b);
}

void bridge_keep_all(struct bridge *b)
{
    b->limit = BRIDGE_KEEP;
}

void bridge_keep_recent(struct bridge *b)
{
    if (!b->ready)
        return;
    b->limit = BRIDGE_RECENT;
    while (b->n > b->limit)
        drop_oldest(b);
}

uint64_t bridge_place(const struct bridge *b, uint32_t session_ms)
{
    return b->base + (uint64_t)session_ms * AUDIO_BYTES_PER_MS;
}

void bridge_let_go(struct bridge *b, uint64_t place)
{
    while (b->n > 0 && b->end - b->n_kept + b->pieces[b->oldest].n_bytes <= place)
        drop_oldest(b);
}
