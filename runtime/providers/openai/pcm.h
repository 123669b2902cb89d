/* SPDX-License-Identifier: Apache-2.0 */
/* pcm.h - between the telephone's µ-law and a session that hears and speaks 16-bit PCM at 24 kHz: the
 * call core and the carrier know nothing of it. One per leg, made with it; nothing is allocated per
 * frame. Loop's thread only.
 *
 * Up is one stream. Down is one stream for each item that the model speaks: a delta may end in the
 * middle of a sample, and deltas of two items may take turns. */
#ifndef PROVIDERS_OPENAI_PCM_H
#define PROVIDERS_OPENAI_PCM_H

#include "base/str.h"
#include "ports/audio.h"
#include "ports/provider.h"

#include <stdbool.h>

struct openai_pcm;

struct openai_pcm *pcm_new(void); /* NULL: no memory */
void pcm_free(struct openai_pcm *p);

/* Takes some of *b64, µ-law that passed base64_check(), and writes its PCM as base64 into *out, which
 * is valid until the next call. False: there was nothing left. */
bool pcm_up(struct openai_pcm *p, struct rd_str *b64, struct rd_str *out);

/* The same the other way, for an item. Pieces are as long as the audio between two marks and have no
 * padding; less than 10 ms may wait for the item's next delta, or its end. */
bool pcm_down(struct openai_pcm *p, const struct provider_item *it, struct rd_str *b64,
              struct audio_span *out);

/* The item ends: what waited. False: nothing did. */
bool pcm_end(struct openai_pcm *p, const struct provider_item *it, struct audio_span *out);

/* Nobody will hear the rest of it. */
void pcm_forget(struct openai_pcm *p, struct rd_str item_id, uint32_t content_index);

#endif
