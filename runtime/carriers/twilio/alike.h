/* SPDX-License-Identifier: Apache-2.0 */
/* alike.h - a caller's frame that looks like the one before it: fifty a second differ in their
 * numbers and their sound alone, so the rest is compared and not read again.
 *
 * It only ever says yes to what twilio_frame_read() and twilio_frame_media() would find as well, with
 * the same values (tests/fuzz/fuzz_twilio.c holds it to that). For stream.c. Pure; one stream each. */
#ifndef CARRIERS_TWILIO_ALIKE_H
#define CARRIERS_TWILIO_ALIKE_H

#include "base/str.h"
#include "ports/audio.h"

#include <stdbool.h>
#include <stdint.h>

enum { ALIKE_NUMBERS = 3, ALIKE_BYTES = 256 };

/* Zero: nothing is known yet. */
struct twilio_alike {
    uint16_t
        n[ALIKE_NUMBERS + 2]; /* what stands before each number, before the sound, and after it */
    uint8_t number[ALIKE_NUMBERS]; /* which of them that is: an index of struct twilio_numbers */
    char text[ALIKE_BYTES];        /* all of these, one after the other */
};

/* The digits of a frame, without quotes. */
struct twilio_numbers {
    struct rd_str at[ALIKE_NUMBERS];
};
enum { ALIKE_SEQUENCE, ALIKE_CHUNK, ALIKE_TIMESTAMP };

/* What the next ones are held against: `text` was read, and is in order. A frame without one of the
 * numbers, or with anything behind its sound that changes, is no pattern: then nothing is known. */
void twilio_alike_learn(struct twilio_alike *a, struct rd_str text,
                        const struct twilio_numbers *numbers, struct rd_str payload);

/* False: not known to be alike, read it. */
bool twilio_alike_read(const struct twilio_alike *a, struct rd_str text, uint64_t *sequence,
                       uint32_t *at_ms, struct audio_span *out);

#endif
