/* SPDX-License-Identifier: Apache-2.0 */
/* usage.h - the bill of a response or a transcription, from OpenAI's usage objects. Pure. */
#ifndef PROVIDERS_OPENAI_USAGE_H
#define PROVIDERS_OPENAI_USAGE_H

#include "base/json.h"
#include "ports/provider.h"

/* response.done's usage. Cached tokens are part of text_in and audio_in, never more than those. */
void usage_of_response(struct provider_usage *out, const struct json_value *usage);

/* A transcription's usage: tokens, or seconds of audio. */
void usage_of_transcription(struct provider_usage *out, const struct json_value *usage);

#endif
