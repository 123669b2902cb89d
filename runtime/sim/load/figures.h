/* SPDX-License-Identifier: Apache-2.0 */
/* figures.h - what a load run is made of, as pure values: histograms of delays, the stamp that every
 * frame carries in its sound, and the account of what became of a direction's frames. */
#ifndef SIM_LOAD_FIGURES_H
#define SIM_LOAD_FIGURES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Log-linear microseconds: 1 µs wide up to 128 µs, then 64 steps to each doubling (1.6 %), up to
 * 67 s; the last takes the rest. */
enum { LOAD_STEPS = 64, LOAD_BUCKETS = LOAD_STEPS * 21 };

struct load_histogram {
    uint64_t counts[LOAD_BUCKETS], n, sum_us;
    uint32_t max_us;
};
void load_observe(struct load_histogram *h, uint64_t us);
uint32_t load_quantile_us(const struct load_histogram *h, double q); /* upper edge; 0 when empty */
uint32_t load_bucket_us(unsigned i);                                 /* upper edge of a bucket */

/* The first 18 bytes of a frame's sound, as base64 text: survives whoever passes sound through. */
enum { LOAD_STAMP_CHARS = 24, LOAD_STAMP_BYTES = 18 };

struct load_stamp {
    uint16_t call, life; /* a call that ended and its successor share a number, not a life */
    uint32_t seq;        /* from 0 in each life and direction */
    uint64_t at_us;
};
void load_stamp_write(char out[LOAD_STAMP_CHARS], const struct load_stamp *s);
bool load_stamp_read(const char *text, struct load_stamp *s);       /* LOAD_STAMP_CHARS of text */
bool load_stamp_read_bytes(const uint8_t *b, struct load_stamp *s); /* LOAD_STAMP_BYTES */

/* Base64 text to bytes, padding or none; stops at what is no base64. Returns how many. */
size_t load_base64_read(uint8_t *out, size_t cap, const char *text, size_t n);

/* What arrived of frames that are numbered from 0. A frame that is passed by others is lost until
 * it comes after all, then it was reordered; a late one is known for 64 frames. */
struct load_order {
    uint32_t next; /* one above the highest that came */
    uint64_t seen; /* bit i: next - 1 - i came */
    uint64_t arrived, lost, duplicated, reordered;
};
void load_order_see(struct load_order *o, uint32_t seq);
void load_order_forgive(struct load_order *o,
                        uint32_t before); /* those in front were cut off, not lost */
void load_order_end(struct load_order *o, uint32_t sent); /* what never came is lost */
void load_order_add(struct load_order *sum, const struct load_order *o);

#endif
