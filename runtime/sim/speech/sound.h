/* SPDX-License-Identifier: Apache-2.0 */
/* sound.h - speech for the doubles: 8 kHz mono PCM from espeak-ng or WAV files, and the doubles'
 * own µ-law and base64, sharing no code with the product so that a common mistake cannot hide. */
#ifndef SIM_SPEECH_SOUND_H
#define SIM_SPEECH_SOUND_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct sound {
    int16_t *pcm; /* owns; 8 kHz mono */
    size_t n;     /* samples */
};

/* Speaks `text` with espeak-ng (voice as in `espeak-ng -v`, NULL: "en-us"). Runs a program: call it
 * from loop_work(), or before the loop starts. Cached by (voice, text) for the life of the process;
 * thread-safe. -ENOENT when espeak-ng is not installed, -EIO. */
int sound_say(struct sound *out, const char *text, const char *voice);

/* PCM WAV, 8 to 48 kHz, 1 or 2 channels (mixed). -ENOENT, RD_EPROTO. */
int sound_load(struct sound *out, const char *path);
void sound_fini(struct sound *s);

/* Stereo 16-bit WAV of two 8 kHz sides, padded to the longer. */
int sound_save_stereo(const char *path, const struct sound *left, const struct sound *right);

/* Any rate to any other, low-passed, without delay. -ENOMEM, -EINVAL. */
int sound_resample(struct sound *out, const int16_t *in, size_t n, unsigned from_hz,
                   unsigned to_hz);

uint8_t sim_ulaw_encode(int16_t pcm);
int16_t sim_ulaw_decode(uint8_t u);
uint8_t sim_alaw_encode(int16_t pcm);
int16_t sim_alaw_decode(uint8_t a);
size_t sim_base64_encode(char *out, const uint8_t *in, size_t n);  /* no terminator */
ssize_t sim_base64_decode(uint8_t *out, const char *in, size_t n); /* RD_EPROTO */
int sim_base64_sextet(char c);                                     /* -1: not of base64 */

#endif
