/* SPDX-License-Identifier: Apache-2.0 */
/* recognise_bands.h - a sound as energies in dB: one row per 12.5 ms, one column per mel-like band
 * from 200 to 3800 Hz. Pure. */
#ifndef SIM_SPEECH_RECOGNISE_BANDS_H
#define SIM_SPEECH_RECOGNISE_BANDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { BANDS_N = 18, BANDS_HOP = 100 };

struct bands {
    float (*row)[BANDS_N]; /* owns; dB over the sound's own floor, 0 is silence */
    bool *loud;            /* owns; rows in which somebody speaks */
    size_t n;
};

/* Energies relative to the loudness of what is loud in this sound; `gain_db` is added before the
 * floor is cut, for sounds whose loudest part is something else. -ENOMEM. */
int bands_make(struct bands *out, const int16_t *pcm, size_t n, float gain_db);
void bands_fini(struct bands *b);

struct bands_match {
    float distance;  /* mean difference in dB per row of the needle; BANDS_FAR: none */
    size_t from, to; /* rows of the hay it took */
    size_t hole;     /* most rows the needle speaks during one silence of the hay */
};
#define BANDS_FAR 99.0F

/* The best place of `needle` in `hay`. -ENOMEM. */
int bands_align(struct bands_match *out, const struct bands *needle, const struct bands *hay);

#endif
