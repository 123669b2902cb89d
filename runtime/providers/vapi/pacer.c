/* SPDX-License-Identifier: Apache-2.0 */
/* pacer.c - a queue of bytes and one time: until when what was handed on plays.
 *
 * - add: behind the rest; what was handed on is dropped from the front when the queue would grow.
 * - take: as long as less than PACER_AHEAD_MS is out. Each piece moves the time by its own length, from
 *   now if the line had run dry: no timer can make it drift.
 *
 * Failure modes: more than the queue may hold is refused, so that an endless burst costs its own words. */
#include "providers/vapi/pacer.h"

#include "ports/audio.h"

enum { USUAL_BYTES = 16 * 1024 };

int pacer_init(struct pacer *p)
{
    *p = (struct pacer){.at = 0};
    buf_init(&p->queue, PACER_MAX);
    return buf_reserve(&p->queue, USUAL_BYTES);
}

void pacer_fini(struct pacer *p)
{
    buf_fini(&p->queue);
}

static size_t waiting(const struct pacer *p)
{
    return p->queue.n - p->at;
}

int pacer_add(struct pacer *p, const uint8_t *bytes, size_t n)
{
    if (p->at > 0 && p->queue.n + n > p->queue.cap) {
        buf_consume(&p->queue, p->at);
        p->at = 0;
    }
    return buf_add(&p->queue, bytes, n);
}

static uint64_t ahead_from_us(const struct pacer *p)
{
    uint64_t ahead_us = PACER_AHEAD_MS * 1000;

    return p->plays_until_us > ahead_us ? p->plays_until_us - ahead_us : 1;
}

const uint8_t *pacer_take(struct pacer *p, bool rest, uint64_t now_us, size_t *n)
{
    size_t size = waiting(p) < PACER_PIECE ? waiting(p) : PACER_PIECE;
    const uint8_t *piece = (const uint8_t *)p->queue.data + p->at;

    if (!rest)
        size -= size % 3;
    if (size == 0 || now_us < ahead_from_us(p))
        return NULL;
    if (p->plays_until_us < now_us)
        p->plays_until_us = now_us;
    p->plays_until_us += (uint64_t)size * 1000 / AUDIO_BYTES_PER_MS;
    p->at += size;
    *n = size;
    return piece;
}

uint64_t pacer_due_us(const struct pacer *p, bool rest)
{
    return waiting(p) >= (rest ? 1 : 3) ? ahead_from_us(p) : 0;
}

void pacer_drop(struct pacer *p)
{
    buf_clear(&p->queue);
    p->at = 0;
    p->plays_until_us = 0;
}

bool pacer_waits(const struct pacer *p)
{
    return waiting(p) > 0;
}

bool pacer_plays(const struct pacer *p, uint64_t now_us)
{
    return waiting(p) >= 3 || now_us < p->plays_until_us;
}
