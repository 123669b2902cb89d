/* SPDX-License-Identifier: Apache-2.0 */
/* context.c - the whole conversation is sent again for every answer, so it must stay away from two
 * walls: the model's context, where the API drops turns one by one and with each the prompt cache, and
 * the account's tokens per minute, where answers fail.
 *
 *   32k models   20,000: room for 4k of output and for instructions and tools
 *   128k models  60,000: half an hour on the telephone
 *   the account  a quarter of its tokens per minute: four answers a minute must fit
 *
 * A model that nobody knows counts as small. */
#include "providers/openai/context.h"

#include <string.h>

enum { SMALL_TOKENS = 20000, LARGE_TOKENS = 60000, ANSWERS_PER_MINUTE = 4 };

/* gpt-realtime-2, gpt-realtime-2.1-mini…; gpt-realtime-2025-08-28 is an old one. */
static int is_large(const char *model)
{
    static const char head[] = "gpt-realtime-2";
    const size_t n = sizeof(head) - 1;

    return strncmp(model, head, n) == 0 && strchr(".-", model[n]) != NULL;
}

uint32_t context_tokens(const char *model, uint32_t wanted, uint64_t per_minute)
{
    uint32_t most = is_large(model) ? LARGE_TOKENS : SMALL_TOKENS;
    uint64_t fair = per_minute / ANSWERS_PER_MINUTE;

    if (wanted > 0 && wanted < most)
        most = wanted;
    if (per_minute > 0 && fair < most)
        most = (uint32_t)fair;
    return most > CONTEXT_MIN_TOKENS ? most : CONTEXT_MIN_TOKENS;
}
