/* SPDX-License-Identifier: Apache-2.0 */
/* recognise.h - which of a few known sentences is this? By comparing log-band energies along the
 * best alignment, never by anything but the sound.
 *
 * Survives lost 20 ms frames and resampling; refuses what a caller could not have understood
 * either: swapped laws, a wrong rate, holes. Scores are mean differences in dB per frame, 0 is the
 * same sound; recognised means below RECOGNISE_MAX_DB and clearly better than every other text. A
 * recogniser is built once and may then be asked from any thread.
 * Damage that falls into a pause is not noticed: test with sentences of a second or more. */
#ifndef SIM_SPEECH_RECOGNISE_H
#define SIM_SPEECH_RECOGNISE_H

#include "sim/speech/sound.h"

#define RECOGNISE_MAX_DB    4.2F
#define RECOGNISE_MARGIN_DB 0.8F

struct recogniser;

int recogniser_new(struct recogniser **out);
void recogniser_free(struct recogniser *r);

/* Learns a sentence: what espeak-ng makes of it (see sound_say(): it may run a program), or a WAV
 * file. The same text in the same voice keeps its first index. Index, or a negative error. */
int recogniser_add(struct recogniser *r, const char *text, const char *voice);
int recogniser_add_file(struct recogniser *r, const char *path);

/* What an index was learnt as: the text, or the file's path. */
const char *recogniser_text(const struct recogniser *r, int index);

/* The sentence that these 8 kHz samples are, all of them: other speech around it counts against it.
 * Index or -1; `score` (may be NULL) of the best, recognised or not. */
int recogniser_best(const struct recogniser *r, const int16_t *pcm, size_t n, float *score);

/* Does a long recording contain this text spoken by this voice? 1, 0, or a negative error. `score`
 * (may be NULL) of the best place. */
int recognise_sound(const struct sound *heard, const char *text, const char *voice, float *score);

#endif
