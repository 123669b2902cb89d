/* SPDX-License-Identifier: Apache-2.0 */
/* lanes.h - sixteen bytes at once, for what looks at every byte of a message: JSON, base64, UTF-8,
 * masks. Written with the compiler's vectors, so that it works on every processor; a comparison of
 * two gives 0xFF in the lanes where it holds, 0 in the others. */
#ifndef BASE_LANES_H
#define BASE_LANES_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum { LANES = 16 };
typedef uint8_t lanes __attribute__((vector_size(LANES)));

/* Sixteen bytes from anywhere. */
static inline lanes lanes_load(const void *p)
{
    lanes v;

    memcpy(&v, p, sizeof(v));
    return v;
}

static inline void lanes_store(void *p, lanes v)
{
    memcpy(p, &v, sizeof(v));
}

/* The same eight bytes twice. */
static inline lanes lanes_of(uint64_t eight)
{
    const uint64_t twice[2] = {eight, eight};

    return lanes_load(twice);
}

/* The first lane of a comparison that holds, LANES when none does. */
static inline size_t lanes_first(lanes v)
{
#ifdef __SSE2__
    return (size_t)__builtin_ctz((unsigned)_mm_movemask_epi8((__m128i)v) | 1u << LANES);
#else
    for (size_t i = 0; i < LANES; i++)
        if (v[i])
            return i;
    return LANES;
#endif
}

/* Of a comparison: does it hold anywhere? */
static inline bool lanes_any(lanes v)
{
    return lanes_first(v) < LANES;
}

#endif
