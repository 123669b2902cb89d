/* SPDX-License-Identifier: Apache-2.0 */
/* sound_wav.h - RIFF WAVE files in memory: 16-bit PCM, 8 to 48 kHz, one or two channels. Pure. */
#ifndef SIM_SPEECH_SOUND_WAV_H
#define SIM_SPEECH_SOUND_WAV_H

#include "sim/speech/sound.h"

/* The file's samples at its own rate, two channels mixed into one. A data chunk that claims more
 * than there is (as a program writing to a pipe must) ends where the bytes end. RD_EPROTO, -ENOMEM.
 */
int sound_wav_parse(struct sound *out, unsigned *rate_hz, const uint8_t *bytes, size_t n);

/* Header of a 16-bit PCM file. */
enum { SOUND_WAV_HEADER = 44 };
void sound_wav_header(uint8_t out[SOUND_WAV_HEADER], unsigned channels, unsigned rate_hz,
                      uint32_t n_bytes);

#endif
