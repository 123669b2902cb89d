/* SPDX-License-Identifier: Apache-2.0 */
/* usage.c - the bill of a response or a transcription.
 *
 * Every field may be missing or null and then counts as 0. Cached tokens are a part of the input
 * tokens of their kind. Where the kinds of the cached ones are not told, text takes them first:
 * instructions and tools are what repeats, and the guess never makes a call look cheaper than it
 * was. */
#include "providers/openai/usage.h"

#include "providers/openai/wire.h"

static uint64_t tokens(const struct json_value *object, const char *key)
{
    struct json_value v = json_get(object, key);
    uint64_t n = 0;

    return v.type == JSON_NUMBER && json_u64(&v, &n) ? n : 0;
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static void take_cached(struct provider_usage *out, const struct json_value *input)
{
    struct json_value kinds = json_get(input, "cached_tokens_details");
    uint64_t all = tokens(input, "cached_tokens");

    if (kinds.type == JSON_OBJECT) {
        out->text_in_cached = least(tokens(&kinds, "text_tokens"), out->text_in);
        out->audio_in_cached = least(tokens(&kinds, "audio_tokens"), out->audio_in);
    } else {
        out->text_in_cached = least(all, out->text_in);
        out->audio_in_cached = least(all - out->text_in_cached, out->audio_in);
    }
}

void usage_of_response(struct provider_usage *out, const struct json_value *usage)
{
    struct json_value input = json_get(usage, "input_token_details");
    struct json_value output = json_get(usage, "output_token_details");

    *out = (struct provider_usage){.text_in = tokens(&input, "text_tokens"),
                                   .audio_in = tokens(&input, "audio_tokens"),
                                   .text_out = tokens(&output, "text_tokens"),
                                   .audio_out = tokens(&output, "audio_tokens")};
    take_cached(out, &input);
}

void usage_of_transcription(struct provider_usage *out, const struct json_value *usage)
{
    struct json_value input = json_get(usage, "input_token_details");
    struct json_value seconds = json_get(usage, "seconds");

    *out = (struct provider_usage){.transcription = true,
                                   .model = OPENAI_TRANSCRIPTION_MODEL,
                                   .text_in = tokens(&input, "text_tokens"),
                                   .audio_in = tokens(&input, "audio_tokens"),
                                   .text_out = tokens(usage, "output_tokens")};
    if (seconds.type != JSON_NUMBER || !json_double(&seconds, &out->seconds) || out->seconds < 0)
        out->seconds = 0;
}
