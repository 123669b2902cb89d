/* SPDX-License-Identifier: Apache-2.0 */
/* recording_ring.c - positions only grow; where they stand in the ring is their remainder. The
 * writer publishes an entry by storing `written` last, the reader frees it by storing `read`. */
#include "store/recording_ring.h"

#include <string.h>

static void copy_in(struct ring *r, size_t at, const void *p, size_t n)
{
    size_t from = at % RING_BYTES, first = RING_BYTES - from;

    first = n < first ? n : first;
    memcpy(r->bytes + from, p, first);
    memcpy(r->bytes, (const char *)p + first, n - first);
}

static void copy_out(const struct ring *r, size_t at, void *p, size_t n)
{
    size_t from = at % RING_BYTES, first = RING_BYTES - from;

    first = n < first ? n : first;
    memcpy(p, r->bytes + from, first);
    memcpy((char *)p + first, r->bytes, n - first);
}

static bool push(struct ring *r, struct ring_entry *e, const char *b64)
{
    size_t written = atomic_load_explicit(&r->written, memory_order_relaxed);
    size_t used = written - atomic_load_explicit(&r->read, memory_order_acquire);

    if (sizeof(*e) + e->n_b64 > RING_BYTES - used)
        return false;
    e->missing = r->missing;
    e->paused = r->paused;
    e->cleared = r->cleared;
    copy_in(r, written, e, sizeof(*e));
    if (e->n_b64 > 0)
        copy_in(r, written + sizeof(*e), b64, e->n_b64);
    atomic_store_explicit(&r->written, written + sizeof(*e) + e->n_b64, memory_order_release);
    r->missing = 0;
    r->cleared = false;
    return true;
}

void ring_sound(struct ring *r, enum ring_kind kind, uint64_t now_us, uint32_t at_ms,
                const struct audio_span *a)
{
    struct ring_entry e = {.now_us = now_us,
                           .kind = kind,
                           .at_ms = at_ms,
                           .n_b64 = (uint32_t)a->n_b64,
                           .n_bytes = a->n_bytes};

    if (a->n_b64 < RING_BYTES && push(r, &e, a->b64))
        return;
    if (kind == RING_AGENT)
        r->missing += a->n_bytes;
    else
        atomic_fetch_add_explicit(&r->lost_caller, a->n_bytes, memory_order_relaxed);
}

void ring_cleared(struct ring *r, uint64_t now_us)
{
    struct ring_entry e = {.now_us = now_us, .kind = RING_STATE};

    r->missing = 0; /* it would have been cleared as well */
    r->cleared = true;
    (void)push(r, &e, NULL);
}

void ring_paused(struct ring *r, uint64_t now_us, bool on)
{
    struct ring_entry e = {.now_us = now_us, .kind = RING_STATE};

    r->paused = on;
    (void)push(r, &e, NULL);
}

bool ring_next(struct ring *r, struct ring_entry *e, char *b64)
{
    size_t read = atomic_load_explicit(&r->read, memory_order_relaxed);

    if (atomic_load_explicit(&r->written, memory_order_acquire) == read)
        return false;
    copy_out(r, read, e, sizeof(*e));
    if (e->n_b64 > 0)
        copy_out(r, read + sizeof(*e), b64, e->n_b64);
    atomic_store_explicit(&r->read, read + sizeof(*e) + e->n_b64, memory_order_release);
    return true;
}
