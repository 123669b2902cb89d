/* SPDX-License-Identifier: Apache-2.0 */
/* figures.c - see figures.h. */
#include "sim/load/figures.h"

#include "sim/speech/sound.h"

#include <string.h>

enum { FIRST_BITS = 7, STEP_BITS = 6 }; /* 128 exact buckets are the first two rows of 64 */

static unsigned bucket_of(uint64_t us)
{
    unsigned shift, i;

    if (us < (1u << FIRST_BITS))
        return (unsigned)us;
    shift = 63u - (unsigned)__builtin_clzll(us) - STEP_BITS;
    if (shift > 19)
        return LOAD_BUCKETS - 1;
    i = (shift + 1) * LOAD_STEPS + (unsigned)(us >> shift) - LOAD_STEPS;
    return i < LOAD_BUCKETS ? i : LOAD_BUCKETS - 1;
}

uint32_t load_bucket_us(unsigned i)
{
    unsigned shift = i / LOAD_STEPS;

    if (shift < 2)
        return i;
    return ((i % LOAD_STEPS + LOAD_STEPS + 1) << (shift - 1)) - 1;
}

void load_observe(struct load_histogram *h, uint64_t us)
{
    h->counts[bucket_of(us)]++;
    h->n++;
    h->sum_us += us;
    if (us > h->max_us)
        h->max_us = us < UINT32_MAX ? (uint32_t)us : UINT32_MAX;
}

uint32_t load_quantile_us(const struct load_histogram *h, double q)
{
    uint64_t wanted = (uint64_t)((double)h->n * q), seen = 0;

    for (unsigned i = 0; i < LOAD_BUCKETS - 1; i++) {
        seen += h->counts[i];
        if (seen > wanted)
            return load_bucket_us(i) < h->max_us ? load_bucket_us(i) : h->max_us;
    }
    return h->max_us;
}

/* --- stamps --- */

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static void put(uint8_t *b, uint64_t v, int n)
{
    for (int i = 0; i < n; i++)
        b[i] = (uint8_t)(v >> (8 * (n - 1 - i)));
}

static uint64_t get(const uint8_t *b, int n)
{
    uint64_t v = 0;

    for (int i = 0; i < n; i++)
        v = v << 8 | b[i];
    return v;
}

void load_stamp_write(char out[LOAD_STAMP_CHARS], const struct load_stamp *s)
{
    uint8_t b[LOAD_STAMP_BYTES] = {'R', 'D'};

    put(b + 2, s->call, 2);
    put(b + 4, s->life, 2);
    put(b + 6, s->seq, 4);
    put(b + 10, s->at_us, 8);
    for (int i = 0; i < LOAD_STAMP_BYTES / 3; i++) {
        uint32_t v = (uint32_t)get(b + (ptrdiff_t)3 * i, 3);

        for (int k = 0; k < 4; k++)
            out[4 * i + k] = alphabet[(v >> (18 - 6 * k)) & 63];
    }
}

bool load_stamp_read_bytes(const uint8_t *b, struct load_stamp *s)
{
    if (b[0] != 'R' || b[1] != 'D')
        return false;
    s->call = (uint16_t)get(b + 2, 2);
    s->life = (uint16_t)get(b + 4, 2);
    s->seq = (uint32_t)get(b + 6, 4);
    s->at_us = get(b + 10, 8);
    return true;
}

bool load_stamp_read(const char *text, struct load_stamp *s)
{
    uint8_t b[LOAD_STAMP_BYTES];

    return load_base64_read(b, sizeof(b), text, LOAD_STAMP_CHARS) == sizeof(b) &&
           load_stamp_read_bytes(b, s);
}

size_t load_base64_read(uint8_t *out, size_t cap, const char *text, size_t n)
{
    uint32_t v = 0;
    size_t done = 0;
    int bits = 0;

    for (size_t i = 0; i < n && done < cap; i++) {
        int six = sim_base64_sextet(text[i]);

        if (six < 0)
            break;
        v = v << 6 | (uint32_t)six;
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            out[done++] = (uint8_t)(v >> bits);
        }
    }
    return done;
}

/* --- the account --- */

static void come_late(struct load_order *o, uint32_t seq)
{
    uint32_t back = o->next - 1 - seq;
    bool known = back >= 64 || (o->seen >> back & 1);

    if (known) {
        o->duplicated++;
        return;
    }
    o->seen |= 1ull << back;
    o->arrived++;
    o->reordered++;
    if (o->lost > 0)
        o->lost--;
}

void load_order_see(struct load_order *o, uint32_t seq)
{
    uint32_t ahead;

    if (seq < o->next) {
        come_late(o, seq);
        return;
    }
    ahead = seq - o->next + 1;
    o->lost += ahead - 1;
    o->seen = ahead >= 64 ? 0 : o->seen << ahead;
    o->seen |= 1;
    o->next = seq + 1;
    o->arrived++;
}

void load_order_forgive(struct load_order *o, uint32_t before)
{
    if (o->next >= before)
        return;
    o->seen = ~0ull;
    o->next = before;
}

void load_order_end(struct load_order *o, uint32_t sent)
{
    if (sent > o->next)
        o->lost += sent - o->next;
    o->next = sent;
}

void load_order_add(struct load_order *sum, const struct load_order *o)
{
    sum->arrived += o->arrived;
    sum->lost += o->lost;
    sum->duplicated += o->duplicated;
    sum->reordered += o->reordered;
}
