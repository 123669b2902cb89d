/* SPDX-License-Identifier: Apache-2.0 */
/* ears.h - the input audio buffer of one session: decodes what is appended in the session's
 * input format, finds speech in it, and keeps what may still be committed. Pure. */
#ifndef SIM_OPENAI_EARS_H
#define SIM_OPENAI_EARS_H

#include "sim/speech/sound.h"
#include "sim/speech/vad.h"

#include <stdbool.h>

enum ears_format { EARS_PCM24, EARS_ULAW, EARS_ALAW };

struct ears;

int ears_new(struct ears **out);
void ears_free(struct ears *e);

/* From the next byte on. `vad` NULL: nobody listens for turns, ears_commit() makes them. */
void ears_tune(struct ears *e, enum ears_format format, const struct vad_opts *vad);

/* Appends audio bytes. At most EARS_MAX_MS are kept. -ENOMEM. */
enum { EARS_MAX_MS = 60000 };
int ears_append(struct ears *e, const uint8_t *bytes, size_t n);

/* The next thing in what was appended, until VAD_NOTHING: call it after each append. */
enum vad_event ears_next(struct ears *e, uint64_t *at_ms);

/* The samples of an utterance that began at `from_ms` and ends at `to_ms`; forgets them. -ENOMEM.
 */
int ears_take(struct ears *e, struct sound *out, uint64_t from_ms, uint64_t to_ms);

/* Milliseconds not committed yet, and appended in all. */
uint64_t ears_waiting_ms(const struct ears *e);
uint64_t ears_now_ms(const struct ears *e);
void ears_clear(struct ears *e);

/* Of what was appended as PCM, how much cannot be a voice on a telephone: in steps of 100 ms. */
uint32_t ears_noisy_ms(const struct ears *e);

#endif
