/* SPDX-License-Identifier: Apache-2.0 */
/* context.h - how much of a long conversation the model keeps. Pure; any thread. */
#ifndef PROVIDERS_OPENAI_CONTEXT_H
#define PROVIDERS_OPENAI_CONTEXT_H

#include <stdint.h>

enum { CONTEXT_MIN_TOKENS = 4000 };

/* Tokens behind the instructions after which the oldest turns are dropped. `wanted`: by the agent, 0:
 * what fits the model. `per_minute`: the account's rate limit, 0: not known. */
uint32_t context_tokens(const char *model, uint32_t wanted, uint64_t per_minute);

#endif
